"""Tests of several files against zero, sample by sample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import scipy
from numpy.typing import ArrayLike

from mne_bstinv._display import Displayed
from mne_bstinv._types import FloatArray
from mne_bstinv.errors import MapError
from mne_bstinv.maps.arrays import as_map, choice

__all__ = ["StatisticMap", "chi2_test_zero", "t_test_zero"]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class StatisticMap(Displayed):
    """A statistic, its p values and degrees of freedom; not corrected for multiple tests."""

    #: (n_rows, n_times).
    statistic: FloatArray
    #: (n_rows, n_times), uncorrected.
    p_values: FloatArray
    #: (n_rows, n_times).
    df: FloatArray
    #: ``'t'`` or ``'chi2'``.
    unit: str

    def _summary(self) -> str:
        rows, times = self.statistic.shape
        return f"{self.unit}, {rows} rows × {times} times, smallest p {self.p_values.min():.2g}"


def t_test_zero(
    files: Sequence[ArrayLike], *, tail: Literal["two", "one+", "one-"] = "two"
) -> StatisticMap:
    """Test by Student's t whether the mean over files is zero.

    Parameters
    ----------
    files : sequence of array, each of shape (n_rows, n_times)
        Recordings or maps, at least two.
    tail : 'two' | 'one+' | 'one-'
        Whether the mean may differ either way, or is larger, or smaller, than zero.

    Returns
    -------
    StatisticMap
        With t = mean / std · √n, n − 1 degrees of freedom, and its p values. Where the standard
        deviation is zero t is 0 and p is 1.

    Raises
    ------
    MapError
        If there are fewer than two files, or shapes differ.
    OptionError
        If the tail is unknown.
    """
    choice(tail, ("two", "one+", "one-"), "tail")
    array = _stacked(files, 2)
    n = len(array)
    mean, spread = array.mean(axis=0), array.std(axis=0, ddof=1)
    t = np.zeros_like(mean)
    np.divide(mean * np.sqrt(n), spread, out=t, where=spread > 0)
    p = {
        "two": lambda: 2 * scipy.special.stdtr(n - 1, -np.abs(t)),
        "one+": lambda: scipy.special.stdtr(n - 1, -t),
        "one-": lambda: scipy.special.stdtr(n - 1, t),
    }[tail]()
    p = np.where(spread == 0, 1.0, p)
    return StatisticMap(statistic=t, p_values=p, df=np.full_like(t, n - 1), unit="t")


def chi2_test_zero(files: Sequence[ArrayLike]) -> StatisticMap:
    """Test by χ² whether standard normal values are larger than chance.

    Parameters
    ----------
    files : sequence of array, each of shape (n_rows, n_times)
        Maps in standard deviations (z, dSPM).

    Returns
    -------
    StatisticMap
        Σ x² over the files, with as many degrees of freedom as there are files, and the
        probabilities of larger values.

    Raises
    ------
    MapError
        If there is no file, or shapes differ.
    """
    array = _stacked(files, 1)
    n = len(array)
    total = (array**2).sum(axis=0)
    return StatisticMap(
        statistic=total,
        p_values=scipy.special.chdtrc(n, total),
        df=np.full_like(total, n),
        unit="chi2",
    )


def _stacked(files: Sequence[ArrayLike], at_least: int) -> FloatArray:
    """Return the files as (n_files, n_rows, n_times)."""
    arrays = [as_map(one, f"files[{i}]") for i, one in enumerate(files)]
    if len(arrays) < at_least:
        raise MapError(f"The test needs at least {at_least} files, found {len(arrays)}.")
    if len({one.shape for one in arrays}) != 1:
        raise MapError(f"Files of one shape are needed, found {[a.shape for a in arrays]}.")
    return np.stack(arrays)
