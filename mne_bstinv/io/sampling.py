"""Seconds and sample numbers, as Brainstorm counts them."""

from __future__ import annotations

import math

import numpy as np

from mne_bstinv._types import FloatArray, IntArray

__all__ = ["FARTHEST", "round_half_away", "sample_number", "sample_numbers", "sample_times"]

#: Numbers of samples are at most so far from 0: as far as doubles count one by one.
FARTHEST = 2**53


def round_half_away(values: FloatArray | float) -> IntArray:
    """Round numbers to whole ones, halves away from zero (NumPy rounds them to even).

    Numbers beyond :data:`FARTHEST` become that; NaN is refused by the callers.
    """
    values = np.asarray(values, dtype=np.float64)
    magnitude = np.abs(values)
    whole = np.floor(magnitude)
    # adding 0.5 would round 0.49999999999999994 up
    with np.errstate(invalid="ignore"):  # infinite ones
        whole += magnitude - whole >= 0.5
    return np.copysign(np.minimum(whole, FARTHEST), values).astype(np.int64)


def sample_numbers(times: FloatArray | float, sfreq: float) -> IntArray:
    """Return the numbers of the samples nearest to times (s), round(times · sfreq); 0 is at 0 s."""
    return round_half_away(np.asarray(times, dtype=np.float64) * sfreq)


def sample_number(time: float, sfreq: float) -> int:
    """Return :func:`sample_numbers` of one time, which takes longer for single numbers."""
    exact = abs(time * sfreq)
    whole = math.floor(exact)
    whole += exact - whole >= 0.5
    return whole if time >= 0 else -whole


def sample_times(first: int, n: int, sfreq: float) -> FloatArray:
    """Return the times (n,) of samples from ``first`` on: (first + [0, n − 1]) / sfreq, s."""
    return (first + np.arange(n)) / sfreq
