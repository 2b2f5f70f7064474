"""Averages of recordings over files, and dSPM maps of averages, as Brainstorm's processes do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from mne_bstinv._display import Displayed
from mne_bstinv._types import FloatArray, IntArray
from mne_bstinv.errors import MapError, OptionError
from mne_bstinv.maps.arrays import as_map, choice

__all__ = ["Average", "average_files", "scale_averaged_dspm"]

_METHODS = ("mean", "rms")


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Average(Displayed):
    """An average over files, with what its file says of it."""

    #: (n_rows, n_times), in the unit of the files.
    values: FloatArray
    #: Standard deviation (n − 1) over the files, the same shape.
    std: FloatArray
    #: 1 good, −1 bad in every file (n_rows,).
    flags: IntArray
    #: Files in which each row is good (n_rows,).
    n_good: IntArray
    #: Number of averages, and effective number of averages, of the result.
    n_avg: int
    leff: float

    def _summary(self) -> str:
        rows, times = self.values.shape
        return f"{rows} rows × {times} times, {self.n_avg} averages"


def average_files(
    files: Sequence[ArrayLike],
    flags: Sequence[ArrayLike] | None = None,
    *,
    method: Literal["mean", "rms"] = "mean",
    weighted: bool = False,
    n_avg: ArrayLike | None = None,
) -> Average:
    """Average recordings (or estimates) over files.

    Parameters
    ----------
    files : sequence of array, each of shape (n_rows, n_times)
        The samples.
    flags : sequence of array, each of shape (n_rows,) | None
        1 good, −1 bad: a row is averaged over the files in which it is good.
    method : 'mean' | 'rms'
        The mean, or the root of the mean of the squares.
    weighted : bool
        Weight each file by its number of averages.
    n_avg : array, shape (n_files,) | None
        Number of averages of each file; 1 by default.

    Returns
    -------
    Average
        The average; rows that are bad in every file are 0 and flagged.

    Raises
    ------
    MapError
        If there is no file, or shapes differ.
    OptionError
        If the method is unknown.

    Notes
    -----
    ``n_avg`` of the result is the number of files, or with weights the sum of theirs. Files that
    differ in their bad channels: each row over its good files (not seen in Brainstorm's data).
    """
    choice(method, _METHODS, "method")
    arrays = [as_map(one, f"files[{i}]") for i, one in enumerate(files)]
    if len({one.shape for one in arrays}) != 1:
        raise MapError(f"Files of one shape are needed, found {[a.shape for a in arrays]}.")
    shape = arrays[0].shape
    good = np.ones((len(arrays), shape[0]), dtype=bool)
    if flags is not None:
        good = np.array([np.asarray(flag).reshape(-1) > 0 for flag in flags])
        if good.shape != (len(arrays), shape[0]):
            raise MapError(f"flags must be {len(arrays)} vectors of {shape[0]}.")
    counts = np.ones(len(arrays)) if n_avg is None else np.asarray(n_avg, dtype=np.float64)
    if counts.shape != (len(arrays),) or not (counts > 0).all():
        raise MapError(f"n_avg must be {len(arrays)} positive numbers, found {n_avg!r}.")
    weights = good * (counts if weighted else np.ones(len(arrays)))[:, np.newaxis]
    mean = _weighted([a**2 if method == "rms" else a for a in arrays], weights)
    n_total = counts.sum() if weighted else float(len(arrays))
    return Average(
        values=np.sqrt(mean) if method == "rms" else mean,
        std=_spread(arrays, good),
        flags=np.where(good.any(axis=0), 1, -1),
        n_good=good.sum(axis=0),
        n_avg=int(n_total),
        leff=float(n_total),
    )


def scale_averaged_dspm(values: ArrayLike, leff: float) -> FloatArray:
    """Scale a dSPM map by the number of averages in its recordings.

    Parameters
    ----------
    values : array, shape (n_rows, n_times)
        The map: the kernel ``dspm2018`` times the recordings. Brainstorm stores and shows it
        without this scaling; only its process "Scale averaged dSPM" applies it.
    leff : float
        Effective number of averages of the recordings (``recordings.effective_averages``).

    Returns
    -------
    array, shape (n_rows, n_times)
        The map × √leff, in standard deviations of the noise of the average (Brainstorm's
        function ``dspm2018sc``).

    Raises
    ------
    MapError
        If the values are no array of real numbers.
    OptionError
        If ``leff`` is not a positive number.

    Notes
    -----
    The noise of an average of n trials has a standard deviation smaller by √n (Dale et al., 2000).
    """
    if not (np.isfinite(leff) and leff > 0):
        raise OptionError(f"leff must be a positive number of averages, found {leff!r}.")
    return as_map(values) * np.sqrt(leff)


def _weighted(arrays: Sequence[FloatArray], weights: FloatArray) -> FloatArray:
    """Return the mean by weights (n_files, n_rows); 0 where all are 0, whatever the rows hold."""
    summed = np.zeros_like(arrays[0])
    for array, weight in zip(arrays, weights, strict=True):
        used = weight > 0
        summed[used] += array[used] * weight[used, np.newaxis]
    total = weights.sum(axis=0)
    return summed / np.where(total > 0, total, 1)[:, np.newaxis]


def _spread(arrays: Sequence[FloatArray], good: np.ndarray) -> FloatArray:
    """Return the standard deviation (n − 1) over the good files; 0 of fewer than two."""
    weights = good.astype(np.float64)
    mean = _weighted(arrays, weights)
    squares = np.zeros_like(mean)
    for array, used in zip(arrays, good, strict=True):
        squares[used] += (array[used] - mean[used]) ** 2
    free = np.maximum(weights.sum(axis=0) - 1, 1)
    return np.sqrt(squares / free[:, np.newaxis])
