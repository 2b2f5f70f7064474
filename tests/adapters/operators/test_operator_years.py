"""The minimum norms of 2009 and 2016 as MNE's InverseOperator."""

from __future__ import annotations

import dataclasses

import mne
import numpy as np
import pytest
from inverse_twins import relative, sensors_and_sources, stored_results
from mne.minimum_norm import apply_inverse, read_inverse_operator, write_inverse_operator

from mne_bstinv.adapters.kept import kept_of
from mne_bstinv.adapters.operators.check import operator_of_results
from mne_bstinv.adapters.operators.operator_from_mne import from_inverse_operator
from mne_bstinv.adapters.operators.operator_to_mne import to_inverse_operator
from mne_bstinv.adapters.operators.parameters import inverse_parameters
from mne_bstinv.errors import ConversionError
from mne_bstinv.inverse import InverseOptions2009, compute_kernel, origin_of_results

#: Two double precision computations of the same formulas.
RTOL = 1e-10
#: Loose of 2009, MEG and EEG together: Brainstorm takes the tangential columns from a singular
#: value decomposition of unwhitened gains, and loses eight digits of those of MEG.
RTOL_LOOSE = 1e-8
COUNTS = {"inverse_old_meeg": 46, "inverse_old_sphere": 6, "inverse_old_mixed": 3}


def minimum_norms(root):
    found = []
    for stored in stored_results(root):
        origin = origin_of_results(stored.results)
        options = origin.options(stored.results.options)
        if options.is_minimum_norm:
            found.append((stored, options))
    return found


def operator(stored):
    places = (stored.head_model, stored.channels, stored.surface, stored.mri)
    src, info = sensors_and_sources(*places)
    return operator_of_results(
        stored.results,
        stored.head_model,
        stored.noise_cov,
        stored.channels,
        **stored.places,
        src=src,
        info=info,
    )


def expected_parity(options) -> str:
    orients = set(options.source_orient) & {"loose", "free", "truncated"}
    if options.measure == "sloreta":
        return "not comparable" if orients else "equal up to a stated factor"
    # since 2016 loose rows are normalised before the orientation prior
    local = options.year == 2016 and options.measure == "dspm" and "loose" in orients
    return "not comparable" if local else "exact"


@pytest.mark.parametrize("name", COUNTS)
def test_operators_give_the_stored_kernels(data_dir, name):
    found = minimum_norms(data_dir / name)
    assert len(found) == COUNTS[name]
    for stored, options in found:
        inv = operator(stored)
        parameters, difference = inverse_parameters(inv), kept_of(inv)["kernel_difference"]
        assert parameters.parity == expected_parity(options), stored.file.name
        if options.year == 2009:  # MNE's own convention: nothing to translate
            assert parameters.lambda2 == pytest.approx(1 / options.snr_fixed**2, rel=1e-14)
        assert parameters.nave == max(stored.results.n_avg, 1)
        if parameters.parity == "not comparable" or stored.results.imaging_kernel is None:
            assert difference is None
            continue
        types = {stored.channels.types[i - 1].split()[0] for i in stored.results.good_channel}
        is_loose = set(options.source_orient) & {"loose", "truncated"}
        together = options.year == 2009 and len(types) > 1 and is_loose
        assert difference <= (RTOL_LOOSE if together else RTOL), stored.file.name


@pytest.fixture(scope="module")
def of_averages(data_dir):
    """Results of MEG with 12 averages, by function, year and orientation."""
    return {
        (options.function, options.year, options.source_orient[0]): stored
        for stored, options in minimum_norms(data_dir / "inverse_old_meeg")
        if stored.results.n_avg == 12
    }


WHAT = [
    ("wmne", 2009, "fixed"),
    ("dspm", 2009, "fixed"),
    ("dspm", 2009, "loose"),
    ("dspm", 2009, "free"),
    ("sloreta", 2009, "fixed"),
    ("mn", 2016, "loose"),
    ("dspm", 2016, "free"),
    ("sloreta", 2016, "fixed"),
]


@pytest.mark.parametrize("what", WHAT, ids=str)
def test_mne_applies_it_to_the_average_as_it_is(of_averages, what):
    """``evoked.nave`` stays the number of averages: it divides the noise in both toolboxes."""
    stored = of_averages[what]
    inv = operator(stored)
    parameters = inverse_parameters(inv)
    picks = [stored.channels.names.index(name) for name in inv["info"]["ch_names"]]
    evoked = mne.EvokedArray(stored.recordings.f[picks], inv["info"].copy(), nave=12)
    arguments = (parameters.lambda2, parameters.method)
    stc = apply_inverse(evoked, inv, *arguments, pick_ori=parameters.pick_ori)
    kept, estimate = kept_of(inv), stored.estimate()
    if stored.results.n_components == 3:
        rotation = kept["scs_to_head"][:3, :3]
        estimate = rotation @ estimate.reshape(-1, 3, estimate.shape[1])
    assert relative(parameters.factor * stc.data, estimate[kept["order"]]) <= RTOL


@pytest.mark.parametrize("what", WHAT, ids=str)
def test_back_to_a_kernel_that_is_recognised(of_averages, what):
    stored = of_averages[what]
    back = from_inverse_operator(operator(stored), channels=stored.channels)
    assert relative(back.imaging_kernel, stored.results.imaging_kernel) <= RTOL
    assert (back.function, back.n_avg) == (stored.results.function, 12)
    origin = origin_of_results(back)
    assert origin.year == what[1]
    own = origin_of_results(stored.results)
    assert origin.options(back.options) == own.options(stored.results.options)


def test_averages_survive_fif_files(of_averages, tmp_path):
    inv = operator(of_averages["dspm", 2009, "fixed"])
    fname = tmp_path / "dspm-inv.fif"
    write_inverse_operator(fname, inv, verbose="error")
    read = read_inverse_operator(fname, verbose="error")
    assert inverse_parameters(read) == inverse_parameters(inv)
    assert inverse_parameters(read).nave == 12


@pytest.mark.parametrize("orient", ["fixed", "loose"])
@pytest.mark.parametrize("method", ["wmne", "dspm"])
def test_normals_of_any_length(of_averages, orient, method):
    """2009 takes normals as they are stored."""
    stored = of_averages["wmne", 2009, "fixed"]
    lengths = np.linspace(0.5, 2, stored.head_model.n_sources)[:, None]
    normals = lengths * stored.head_model.grid_orient
    head_model = dataclasses.replace(stored.head_model, grid_orient=normals)
    options = InverseOptions2009(method=method, source_orient=orient)
    inputs = (head_model, stored.noise_cov, stored.channels)
    inv = to_inverse_operator(*inputs, options=options, data_types="MEG", **stored.places)
    ours = from_inverse_operator(inv, channels=stored.channels).imaging_kernel
    kernel = compute_kernel(*inputs, options=options, data_types="MEG").kernel
    assert relative(ours, kernel) <= RTOL


def test_depth_weighted_sloreta_has_no_one_factor(of_averages):
    stored = of_averages["sloreta", 2009, "fixed"]
    inv = to_inverse_operator(
        stored.head_model,
        stored.noise_cov,
        stored.channels,
        options=InverseOptions2009(method="sloreta", use_depth=True),
        data_types="MEG",
        **stored.places,
    )
    parameters = inverse_parameters(inv)
    assert parameters.parity == "not comparable"
    assert "the depth weight of each location" in parameters.reason


def test_results_of_something_else_have_no_operator(of_averages):
    stored = of_averages["wmne", 2009, "fixed"]
    results = dataclasses.replace(
        stored.results, function="mem", options={"InverseMethod": "mem"}, comment="cMEM"
    )
    changed = dataclasses.replace(stored, results=results)
    with pytest.raises(ConversionError, match=r"'cMEM' are mem .*no inverse operator"):
        operator(changed)
