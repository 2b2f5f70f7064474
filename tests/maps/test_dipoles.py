"""Dipole scanning: recomputed, and what a scan cannot do without."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from mne_bstinv.errors import MapError, OptionError
from mne_bstinv.io import HeadModel, Recordings, Results, read_head_model
from mne_bstinv.maps import scan_dipoles

RNG = np.random.default_rng(11)


@pytest.mark.processes("misc", "process_dipole_scanning")
def test_dipoles_are_recomputed(case, difference):
    results, _, recordings = case.estimates(case.inputs[0])
    head_model = read_head_model(case.file(results.head_model_file))
    vertices = None
    if case.options["scouts"]:
        name, labels = case.options["scouts"]
        (atlas,) = (a for a in case.surface(results).atlas if a.name == name)
        vertices = np.concatenate([s.vertices for s in atlas.scouts if s.label in labels])
    scan = scan_dipoles(
        results,
        recordings,
        head_model,
        window=case.options["timewindow"][0],
        vertices=vertices,
    )
    stored = case.output()["Dipole"]
    assert len(stored) == 51

    def field(name):
        return np.array([dipole[name] for dipole in stored])

    assert difference(scan.positions, field("Loc")) < 1e-15
    for found, name in (
        (scan.times, "Time"),
        (scan.goodness, "Goodness"),
        (scan.khi2, "Khi2"),
        (scan.performance, "Perform"),
    ):
        assert difference(found[np.newaxis], field(name)) < 1e-14
    assert difference(scan.amplitudes, field("Amplitude")) < 1e-14
    assert (field("DOF") == scan.dof).all()


def problem(p=1, n=4, channels=5, **changes):
    """Results of n locations from a whitened gain L = U S V'."""
    gain = RNG.normal(size=(n, channels, p))
    u, s, vt = np.linalg.svd(gain, full_matrices=False)
    results = Results(
        imaging_kernel=u.transpose(0, 2, 1).reshape(n * p, channels),
        whitener=np.eye(channels),
        data_whitener=2 * np.eye(channels),
        source_decomp_sa=s.T,
        source_decomp_va=vt.transpose(0, 2, 1).transpose(1, 0, 2).reshape(p, n * p),
        n_components=p,
        function="glsp",
        good_channel=np.arange(1, channels + 1),
        data_file="data.mat",
        leff=1.0,
    )
    normals = RNG.normal(size=(n, 3))
    head_model = HeadModel(
        gain=np.zeros((channels, 3 * n)), grid_loc=RNG.normal(size=(n, 3)), grid_orient=normals
    )
    return gain, dataclasses.replace(results, **changes), head_model


def recordings_of(f, leff=1.0):
    return Recordings(f=f, time=np.arange(f.shape[1]) / 100, leff=leff)


@pytest.mark.parametrize("p", [1, 3])
def test_a_dipole_finds_itself(p):
    """Noise-free recordings of one source: its place, its moment, all of its variance."""
    gain, results, head_model = problem(p)
    moment = np.array([2e-8, -1e-8, 3e-8])[:p]
    moment = np.abs(moment) if p == 1 else moment
    scan = scan_dipoles(results, recordings_of((gain[2] @ moment)[:, np.newaxis]), head_model)
    expected = moment if p == 3 else moment[0] * head_model.grid_orient[2]
    if p == 1 and results.imaging_kernel[2] @ gain[2] @ moment < 0:
        return  # a fixed dipole of the other sign is not the largest signed value
    np.testing.assert_array_equal(scan.locations, [2])
    np.testing.assert_allclose(scan.goodness, 1)
    np.testing.assert_allclose(scan.khi2, 0, atol=1e-25)
    np.testing.assert_array_equal(scan.positions, head_model.grid_loc[[2]])
    if p == 3:  # along the largest part of the whitened field only
        q = scan.amplitudes[0]
        assert np.linalg.norm(q) <= np.linalg.norm(moment) * (1 + 1e-12)
    else:
        np.testing.assert_allclose(scan.amplitudes[0], expected)


def test_averages_scale_the_whitener():
    _, results, head_model = problem()
    f = RNG.normal(size=(5, 3))
    one, four = (scan_dipoles(results, recordings_of(f, n), head_model) for n in (1.0, 4.0))
    np.testing.assert_allclose(four.goodness, one.goodness / 4)
    np.testing.assert_allclose(four.amplitudes, one.amplitudes / 2)
    shared = dataclasses.replace(results, data_file=None)
    same = scan_dipoles(shared, recordings_of(f, 4.0), head_model)
    np.testing.assert_array_equal(same.goodness, one.goodness)


def test_beamformers_are_whitened_by_the_data():
    _, results, head_model = problem()
    f = recordings_of(RNG.normal(size=(5, 3)))
    beamformer = dataclasses.replace(results, function="lcmvp")
    found, other = (scan_dipoles(r, f, head_model) for r in (beamformer, results))
    np.testing.assert_allclose(found.goodness, other.goodness / 4)


def test_fixed_maps_are_signed_and_the_first_of_equals_counts():
    _, results, head_model = problem()
    kernel = np.zeros((4, 5))
    kernel[[0, 1, 3], 0] = [-3, 1, 1]
    results = dataclasses.replace(results, imaging_kernel=kernel)
    f = np.zeros((5, 1))
    f[0] = 1
    assert scan_dipoles(results, recordings_of(f), head_model).locations[0] == 1
    chosen = scan_dipoles(results, recordings_of(f), head_model, vertices=[4, 2])
    assert chosen.locations[0] == 3


def test_full_results_are_scanned():
    _, results, head_model = problem()
    f = RNG.normal(size=(5, 3))
    full = dataclasses.replace(
        results, imaging_kernel=None, image_grid_amp=results.imaging_kernel @ f
    )
    for found, wanted in zip(
        *(
            dataclasses.astuple(scan_dipoles(r, recordings_of(f), head_model))
            for r in (full, results)
        ),
        strict=True,
    ):
        np.testing.assert_allclose(found, wanted)


def test_a_location_without_estimate_is_never_chosen():
    _, results, head_model = problem()
    kernel = results.imaging_kernel.copy()
    kernel[1] = np.nan
    results = dataclasses.replace(results, imaging_kernel=kernel)
    scan = scan_dipoles(results, recordings_of(RNG.normal(size=(5, 30))), head_model)
    assert 1 not in scan.locations
    assert "30 times" in repr(scan)


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"function": "mn"}, OptionError, "glsp"),
        ({"n_components": 0}, OptionError, "with 0"),
        ({"whitener": None}, MapError, "Whitener"),
        ({"function": "lcmvp", "data_whitener": None}, MapError, "DataWhitener"),
        ({"source_decomp_sa": None}, MapError, "SourceDecompSa"),
        ({"source_decomp_va": np.ones((1, 3))}, MapError, "SourceDecompVa"),
        ({"good_channel": np.array([1, 2, 3, 4, 9])}, MapError, "GoodChannel"),
        ({"good_channel": None}, MapError, "GoodChannel"),
        ({"good_channel": np.array([1, 2])}, MapError, "5 columns"),
        ({"leff": 0.0}, MapError, "Leff"),
        ({"imaging_kernel": None, "image_grid_amp": np.ones((4, 9))}, MapError, "no kernel"),
        ({"imaging_kernel": np.ones((3, 5))}, MapError, "3 locations"),
    ],
)
def test_what_a_scan_needs(changes, error, words):
    _, results, head_model = problem()
    results = dataclasses.replace(results, **changes)
    with pytest.raises(error, match=words):
        scan_dipoles(results, recordings_of(np.ones((5, 2))), head_model)


def test_other_things_a_scan_needs():
    _, results, head_model = problem()
    recordings = recordings_of(np.ones((5, 2)))
    with pytest.raises(MapError, match="from 1 to 4"):
        scan_dipoles(results, recordings, head_model, vertices=[0])
    with pytest.raises(MapError, match="GridOrient"):
        scan_dipoles(results, recordings, dataclasses.replace(head_model, grid_orient=None))
    with pytest.raises(MapError, match="Time"):
        scan_dipoles(results, dataclasses.replace(recordings, time=None), head_model)
    with pytest.raises(MapError, match="continuous"):
        scan_dipoles(results, Recordings(link={"filename": "a"}), head_model)
