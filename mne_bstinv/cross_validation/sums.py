"""Sums over the rows of gains and kernels, a piece at a time that stays in the cache."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from scipy.linalg.blas import dtrmm

from mne_bstinv._types import AnyArray, FloatArray

__all__ = [
    "apart",
    "narrowed",
    "norms_of_products",
    "pieces",
    "self_product",
    "sum_over_pieces",
    "weighted",
]

#: Rows that are multiplied at a time.
_ROWS = 1024
#: Numbers that are subtracted at a time.
_NUMBERS = 2**18


def weighted(gain: FloatArray, weights: FloatArray, part: slice) -> FloatArray:
    """Rows (n_rows, n_channels) of some locations, weighted."""
    rows = weights[part, :, None] * gain[part]
    return rows.reshape(-1, rows.shape[2])


def self_product(gain: FloatArray, weights: FloatArray, part: slice) -> FloatArray:
    """Gram matrix of these rows, shape (n_channels, n_channels)."""
    rows = weighted(gain, weights, part)
    return rows.T @ rows


def norms_of_products(gain: FloatArray, right: FloatArray) -> FloatArray:
    """Norms of the rows of products (n_sources, p, k) with a matrix (n_channels, k)."""
    found, times = np.empty(gain.shape[:2]), _multiplier(narrowed(right))
    first = next(pieces(*gain.shape[:2]))  # the longest: memory that is new each time takes time
    memory = np.empty((first.stop, *gain.shape[1:]))
    for part in pieces(*gain.shape[:2]):
        rows = memory[: part.stop - part.start]
        rows[...] = gain[part]
        product = times(rows.reshape(-1, len(right)))
        found[part] = np.sqrt(np.einsum("mn,mn->m", product, product)).reshape(found[part].shape)
    return found


def pieces(n_sources: int, p: int) -> Iterator[slice]:
    """Split locations of p rows each into pieces that stay in the cache."""
    step = max(1, _ROWS // p)
    for start in range(0, n_sources, step):
        yield slice(start, min(start + step, n_sources))


def sum_over_pieces(n_sources: int, product: Callable[[slice], FloatArray]) -> FloatArray:
    """Sum what a function makes of each piece."""
    first, *others = pieces(n_sources, 3)
    total = product(first)
    for part in others:
        total += product(part)
    return total


def narrowed(data: FloatArray) -> FloatArray:
    """Columns with the Gram matrix data data' (n, n) of data (n, n_times).

    A lower triangle, with which products take half of the time, unless there are few anyway.
    """
    n, n_times = data.shape
    if 2 * n_times <= n:
        return data
    upper = np.linalg.qr(data.T, mode="r")
    columns = np.zeros((n, n))
    columns[:, : len(upper)] = upper.T
    return columns


def _multiplier(right: FloatArray) -> Callable[[FloatArray], FloatArray]:
    """Return what multiplies rows (m, n) by a matrix (n, k), by a lower triangle in place."""
    if right.shape != right.T.shape or np.triu(right, 1).any():
        return lambda rows: rows @ right
    upper = np.asfortranarray(right.T)
    return lambda rows: dtrmm(1.0, upper, rows.T, overwrite_b=True).T


def apart(a: AnyArray, b: AnyArray | None, data: FloatArray | None = None) -> float:
    """Frobenius norm of a − b, or of a, or of what it makes of data (n_channels, n).

    What is NaN does not count.
    """
    total, times = 0.0, None if data is None else _multiplier(data)
    step = max(1, _NUMBERS // max(1, a[:1].size))
    for start in range(0, len(a), step):
        part = slice(start, start + step)
        difference = a[part] if b is None else a[part] - b[part]
        if times is not None:
            rows = difference.reshape(-1, difference.shape[-1])
            difference = times(rows.copy() if b is None else rows)
        difference = difference.ravel()
        square = float(np.vdot(difference, difference).real)
        if np.isnan(square):
            square = float(np.nansum(np.abs(difference) ** 2))
        total += square
    return float(np.sqrt(total))
