"""Tests against zero: recomputed, and compared with SciPy's."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from mne_bstinv.errors import MapError, OptionError
from mne_bstinv.io import read_channels
from mne_bstinv.maps import chi2_test_zero, t_test_zero

FILES = list(np.random.default_rng(2).normal(0.3, 1, size=(6, 3, 4)))


@pytest.mark.processes("misc", "process_test_parametric1")
def test_tests_are_recomputed(case, difference):
    stored = case.output()
    if case.options["test_type"] == "chi2_onesample":
        found = chi2_test_zero([case.estimates(name)[1] for name in case.inputs])
        rows = slice(None)
    else:
        epochs = [case.recordings(name) for name in case.inputs]
        channels = read_channels(case.file("Subject01/blink/channel_vectorview306_acc1.mat"))
        rows = [
            i
            for i, kind in enumerate(channels.types)
            if kind == "EEG" and all(epoch.channel_flag[i] > 0 for epoch in epochs)
        ]
        found = t_test_zero([epoch.f[rows] for epoch in epochs])
    assert difference(found.statistic, stored["tmap"][rows]) < 1e-13
    assert difference(found.p_values, stored["pmap"][rows]) < 1e-11  # tails of two programs
    np.testing.assert_array_equal(found.df, stored["df"][rows])
    assert found.unit == stored["DisplayUnits"]


@pytest.mark.parametrize(
    ("tail", "name"), [("two", "two-sided"), ("one+", "greater"), ("one-", "less")]
)
def test_t_is_the_one_of_scipy(tail, name):
    found = t_test_zero(FILES, tail=tail)
    expected = stats.ttest_1samp(np.array(FILES), 0, alternative=name)
    np.testing.assert_allclose(found.statistic, expected.statistic)
    np.testing.assert_allclose(found.p_values, expected.pvalue)
    assert (found.df == 5).all()


@pytest.mark.parametrize("tail", ["two", "one+", "one-"])
def test_values_without_spread_are_not_significant(tail):
    found = t_test_zero([[[2.0, 0.0]], [[2.0, 0.0]]], tail=tail)
    np.testing.assert_array_equal(found.statistic, [[0, 0]])
    np.testing.assert_array_equal(found.p_values, [[1, 1]])


def test_chi2():
    found = chi2_test_zero(FILES)
    np.testing.assert_allclose(found.statistic, (np.array(FILES) ** 2).sum(axis=0))
    np.testing.assert_allclose(found.p_values, 1 - stats.chi2.cdf(found.statistic, 6), rtol=1e-9)
    assert "chi2, 3 rows × 4 times" in repr(found)


@pytest.mark.parametrize("test", [t_test_zero, chi2_test_zero])
def test_files_must_have_one_shape(test):
    with pytest.raises(MapError, match="one shape"):
        test([FILES[0], FILES[1][:2]])
    with pytest.raises(MapError, match="at least"):
        test([])


def test_an_unknown_tail_is_refused():
    with pytest.raises(OptionError, match=r"one\+"):
        t_test_zero(FILES, tail="left")
