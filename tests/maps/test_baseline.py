"""Normalisation by a baseline: recomputed, and the formulas at their edges."""

from __future__ import annotations

import numpy as np
import pytest

from mne_bstinv.errors import MapError, OptionError
from mne_bstinv.io import read_channels
from mne_bstinv.maps import absolute_sources, normalize_baseline

TIMES = [-0.2, -0.1, 0.0, 0.1]


@pytest.mark.processes("sources_post", "process_baseline_norm")
def test_normalised_values_are_recomputed(case, difference):
    bounds, method = case.options["baseline"][0], case.options["method"]
    if "sensortypes" in case.options:
        recordings = case.recordings(case.inputs[0])
        stored = case.recordings(case.outputs[0])
        channels = read_channels(case.file("Subject01/evoked/channel.mat"))
        rows = [i for i, kind in enumerate(channels.types) if kind == "EEG"]
        assert (recordings.channel_flag[rows] < 0).any()  # bad ones are normalised too
        found = recordings.f.copy()
        found[rows] = normalize_baseline(found[rows], recordings.time, bounds, method)
        assert difference(found, stored.f) < 1e-13
        return
    results, values, recordings = case.estimates(case.inputs[0])
    if case.options["source_abs"]:
        values = absolute_sources(values, results.n_components)
    found = normalize_baseline(values, recordings.time, bounds, method)
    assert difference(found, case.estimates(case.outputs[0])[1]) < 1e-13


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        # m = 2, s = √2
        ("zscore", [-np.sqrt(0.5), np.sqrt(0.5), 0, 2 * np.sqrt(2)]),
        ("ersd", [-50, 50, 0, 200]),
        ("bl", [-1, 1, 0, 4]),
        ("divmean", [0.5, 1.5, 1, 3]),
        ("db", 10 * np.log10([0.5, 1.5, 1, 3])),
        ("contrast", [-1 / 3, 0.2, 0, 0.5]),
    ],
)
def test_formulas(method, expected):
    found = normalize_baseline([[1.0, 3.0, 2.0, 6.0]], TIMES, (-0.2, -0.1), method)
    np.testing.assert_allclose(found, [expected], atol=1e-15)
    assert method in ("bl",) or normalize_baseline([[1, 3, 2, 6]], TIMES, None, method).shape


@pytest.mark.parametrize("baseline", [(-0.2, -0.1), (-0.23, -0.06), (None, -0.1)])
def test_the_baseline_is_the_nearest_samples(baseline):
    found = normalize_baseline([[1.0, 3.0, 2.0, 6.0]], TIMES, baseline, "bl")
    np.testing.assert_array_equal(found, [[-1, 1, 0, 4]])


@pytest.mark.parametrize("baseline", [None, [], (None, None), (-9, 9)])
def test_all_samples_may_be_the_baseline(baseline):
    np.testing.assert_array_equal(
        normalize_baseline([[1.0, 3.0, 2.0, 6.0]], TIMES, baseline, "bl"), [[-2, 0, -1, 3]]
    )


@pytest.mark.parametrize("baseline", [(-0.2, -0.1), (-0.2, -0.2)])
def test_a_flat_baseline_has_a_standard_deviation_of_nearly_zero(baseline):
    """Exactly 0, and of a single sample, it becomes 1e-12."""
    found = normalize_baseline([[1.0, 1.0, 1.0, 2.0]], TIMES, baseline)
    np.testing.assert_allclose(found, [[0, 0, 0, 1e12]])


def test_a_mean_of_zero_is_infinite_or_undefined():
    found = normalize_baseline([[-1.0, 1.0, 0.0, 2.0]], TIMES, (-0.2, -0.1), "divmean")
    np.testing.assert_array_equal(found, [[-np.inf, np.inf, np.nan, np.inf]])


def test_each_frequency_is_normalised_alone():
    power = np.random.default_rng(0).uniform(1, 2, size=(3, 4, 2))
    found = normalize_baseline(power, TIMES, (-0.2, -0.1), "db")
    for i in range(2):
        alone = normalize_baseline(power[:, :, i], TIMES, (-0.2, -0.1), "db")
        np.testing.assert_array_equal(found[:, :, i], alone)


def test_values_are_left_alone():
    values = np.array([[1, 3, 2, 6]])
    values.setflags(write=False)
    assert normalize_baseline(values, TIMES, None, "bl").dtype == np.float64


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        (([[1.0, 2.0]], TIMES, (-0.2, -0.1)), MapError, "2 samples"),
        (([1.0, 2.0, 3.0, 4.0], TIMES, None), MapError, "shape"),
        ((np.ones((1, 4, 1, 1)), TIMES, None), MapError, "dimensions"),
        (([[1.0, 2, 3, 4]], TIMES, (0, -0.1)), OptionError, "forward"),
        (([[1.0, 2, 3, 4]], TIMES, (-0.2, -0.1), "percent"), OptionError, "zscore"),
        (([[1j, 2, 3, 4]], TIMES, None), MapError, "real"),
    ],
)
def test_wrong_arguments_are_refused(arguments, error, words):
    with pytest.raises(error, match=words):
        normalize_baseline(*arguments)
