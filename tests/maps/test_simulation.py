"""Recordings simulated from scouts: recomputed, and by hand."""

from __future__ import annotations

import numpy as np
import pytest

from mne_bstinv.errors import MapError, OptionError
from mne_bstinv.io import read_head_model, read_results, read_surface
from mne_bstinv.maps import simulate_recordings

RNG = np.random.default_rng(4)
GAIN = RNG.normal(size=(4, 9))
NORMALS = RNG.normal(size=(3, 3))
SIGNALS = RNG.normal(size=(2, 5))


@pytest.mark.processes("misc", "process_simulate_recordings")
def test_simulations_are_recomputed(case, difference):
    stored = case.recordings(case.outputs[0])
    sources = read_results(case.file(case.outputs[0].replace("data_sim", "results_sim")))
    head_model = read_head_model(case.file(sources.head_model_file))
    surface = read_surface(case.file(sources.surface_file, "anat"))
    name, labels = case.options["scouts"]
    (atlas,) = (a for a in surface.atlas if a.name == name)
    found = simulate_recordings(
        case.mat(case.inputs[0])["Value"],
        [scout for label in labels for scout in atlas.scouts if scout.label == label],
        head_model.gain,
        head_model.grid_orient,
        channels=sources.good_channel,
        units=case.options["units"],
    )
    assert difference(found.recordings, stored.f) < 1e-14
    assert difference(found.sources, sources.amplitudes) < 1e-14
    assert found.n_components == sources.n_components


def test_fixed_sources():
    found = simulate_recordings(SIGNALS, {"a": [0], "b": [2]}, GAIN, NORMALS, units="am")
    lead = [GAIN[:, 3 * i : 3 * i + 3] @ NORMALS[i] for i in range(3)]
    np.testing.assert_allclose(
        found.recordings, np.outer(lead[0], SIGNALS[0]) + np.outer(lead[2], SIGNALS[1])
    )
    np.testing.assert_array_equal(found.sources, [SIGNALS[0], 0 * SIGNALS[0], SIGNALS[1]])


def test_free_sources():
    signals = RNG.normal(size=(3, 5))
    found = simulate_recordings(signals, {"a": [1]}, GAIN, units="am")
    np.testing.assert_allclose(found.recordings, GAIN[:, 3:6] @ signals)
    assert found.n_components == 3


def test_the_last_scout_counts():
    found = simulate_recordings(SIGNALS, {"a": [0, 1], "b": [1]}, GAIN, NORMALS, units="am")
    np.testing.assert_array_equal(found.sources[:2], SIGNALS)


def test_what_the_panel_calls_picoampere_are_nanoampere():
    made = [
        simulate_recordings(SIGNALS, {"a": [0], "b": [2]}, GAIN, NORMALS, units=units).recordings
        for units in ("pam", "am", "other")
    ]
    np.testing.assert_allclose(made[0], 1e-9 * made[1])
    np.testing.assert_array_equal(made[1], made[2])


def test_channels_without_a_model_are_zero():
    gain = GAIN.copy()
    gain[1] = np.nan
    found = simulate_recordings(SIGNALS, {"a": [0], "b": [2]}, gain, NORMALS)
    np.testing.assert_array_equal(found.recordings[1], 0)
    chosen = simulate_recordings(SIGNALS, {"a": [0], "b": [2]}, gain, NORMALS, channels=[1, 4])
    np.testing.assert_array_equal(chosen.recordings[[1, 2]], 0)
    np.testing.assert_array_equal(chosen.recordings[[0, 3]], found.recordings[[0, 3]])


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        ((SIGNALS, {"a": [0]}, GAIN, NORMALS), MapError, "2 signals do not fit 1"),
        ((SIGNALS, {}, GAIN, NORMALS), MapError, "do not fit 0"),
        ((SIGNALS, {"a": [0], "b": [3]}, GAIN, NORMALS), MapError, "'b' has vertices"),
        ((SIGNALS, {"a": [0], "b": [1]}, GAIN), MapError, "normals"),
        ((SIGNALS, {"a": [0], "b": [1]}, GAIN, NORMALS[:2]), MapError, r"\(3, 3\)"),
        ((SIGNALS, {"a": [0], "b": [1]}, GAIN[:, :8], NORMALS), MapError, "three columns"),
    ],
)
def test_wrong_arrays_are_refused(call, error, words):
    with pytest.raises(error, match=words):
        simulate_recordings(*call)


def test_wrong_options_are_refused():
    call = (SIGNALS, {"a": [0], "b": [1]}, GAIN, NORMALS)
    with pytest.raises(OptionError, match="pam, am, other"):
        simulate_recordings(*call, units="nam")
    with pytest.raises(MapError, match="channels"):
        simulate_recordings(*call, channels=[5])
