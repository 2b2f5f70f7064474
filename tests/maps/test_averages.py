"""Averages over files: recomputed, and rows that are bad somewhere."""

from __future__ import annotations

import numpy as np
import pytest

from mne_bstinv.errors import MapError, OptionError
from mne_bstinv.maps import average_files, scale_averaged_dspm

FILES = [np.array([[1.0, 2.0], [4.0, 0.0]]), np.array([[3.0, 6.0], [8.0, 4.0]])]


@pytest.mark.processes("misc", "process_average")
def test_averages_are_recomputed(case, difference):
    epochs = [case.recordings(name) for name in case.inputs]
    stored = case.output()
    found = average_files([epoch.f for epoch in epochs], [epoch.channel_flag for epoch in epochs])
    assert difference(found.values, stored["F"]) < 1e-14
    np.testing.assert_array_equal(found.flags, stored["ChannelFlag"])
    assert (found.flags < 0).any()
    assert (found.n_avg, found.leff) == (stored["nAvg"], stored["Leff"])
    if "Std" in case.tag:
        assert difference(found.std, stored["Std"]) < 1e-14


def test_mean_and_standard_deviation():
    found = average_files(FILES)
    np.testing.assert_array_equal(found.values, [[2, 4], [6, 2]])
    np.testing.assert_allclose(found.std, [[2**0.5, 8**0.5], [8**0.5, 8**0.5]])
    assert (found.n_avg, found.leff) == (2, 2.0)
    assert "2 averages" in repr(found)


def test_root_of_the_mean_square():
    np.testing.assert_allclose(average_files(FILES, method="rms").values[0], [5**0.5, 20**0.5])


def test_weights():
    found = average_files(FILES, weighted=True, n_avg=[1, 3])
    np.testing.assert_allclose(found.values[0], [2.5, 5])
    assert (found.n_avg, found.leff) == (4, 4.0)
    same = average_files(FILES, weighted=True)  # of single trials it is the mean
    np.testing.assert_array_equal(same.values, average_files(FILES).values)


def test_a_row_is_averaged_over_its_good_files():
    bad = [np.array([[1.0, 2.0], [np.nan, 0]]), FILES[1]]
    found = average_files(bad, [[1, -1], [1, 1]])
    np.testing.assert_array_equal(found.values, [[2, 4], [8, 4]])
    np.testing.assert_array_equal(found.std[1], [0, 0])
    np.testing.assert_array_equal(found.n_good, [2, 1])
    np.testing.assert_array_equal(found.flags, [1, 1])


def test_a_row_that_is_bad_everywhere_is_zero():
    found = average_files(FILES, [[1, -1], [1, -1]])
    np.testing.assert_array_equal(found.values[1], [0, 0])
    np.testing.assert_array_equal(found.flags, [1, -1])


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        ({"files": []}, MapError, "one shape"),
        ({"files": [FILES[0], FILES[1][:1]]}, MapError, "one shape"),
        ({"files": FILES, "flags": [[1, 1]]}, MapError, "2 vectors"),
        ({"files": FILES, "n_avg": [1, 0]}, MapError, "positive"),
        ({"files": FILES, "method": "median"}, OptionError, "mean, rms"),
    ],
)
def test_wrong_arguments_are_refused(call, error, words):
    with pytest.raises(error, match=words):
        average_files(**call)


@pytest.mark.processes("sources_post", "process_source_dspmscale")
def test_scaled_dspm_is_recomputed(case, difference):
    _, values, recordings = case.estimates(case.inputs[0])
    found = scale_averaged_dspm(values, recordings.effective_averages)
    assert difference(found, case.estimates(case.outputs[0])[1]) < 1e-14


@pytest.mark.parametrize("leff", [0, -1, np.nan, np.inf])
def test_averages_must_be_positive(leff):
    with pytest.raises(OptionError, match="leff"):
        scale_averaged_dspm([[1.0]], leff)
