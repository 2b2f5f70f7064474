"""Sums over the rows of gains and kernels, a piece at a time that stays in the cache."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from scipy.linalg.blas import dsyrk, dtrmm

from mne_bstinv._types import AnyArray, FloatArray
from mne_bstinv._verdicts import RTOL

__all__ = [
    "apart",
    "gram",
    "memory_for_pieces",
    "narrowed",
    "norms_of_products",
    "pieces",
    "product_of_rows",
    "root_of_difference",
    "weighted_pieces",
]

#: Rows that are multiplied at a time.
_ROWS = 1024
#: Numbers that are subtracted at a time.
_NUMBERS = 2**18
#: What has to be left of squares where they cancel, as a part of them: rounding of them moves the
#: root of what is left by half of ε over this part, which may be RTOL.
_LEFT = np.finfo(np.float64).eps / (2 * RTOL)


def pieces(n_sources: int, p: int) -> Iterator[slice]:
    """Split locations of p rows each into pieces that stay in the cache."""
    step = max(1, _ROWS // p)
    for start in range(0, n_sources, step):
        yield slice(start, min(start + step, n_sources))


def memory_for_pieces(shape: tuple[int, ...], count: int = 1) -> Iterator[tuple[slice, FloatArray]]:
    """Split rows (n_sources, p, n) into pieces, each with memory (count, n_rows, n) to work in.

    It is the same for all of them: memory that is new each time takes time.
    """
    n_sources, p, n = shape
    memory = np.empty((count, min(n_sources * p, max(p, _ROWS)), n))
    for part in pieces(n_sources, p):
        yield part, memory[:, : (part.stop - part.start) * p]


def weighted_pieces(gain: FloatArray, weights: FloatArray) -> Iterator[tuple[slice, FloatArray]]:
    """Yield pieces of locations, and their rows (n_rows, n) of a gain (n_sources, p, n), weighted.

    The rows are there until the next ones are.
    """
    for part, (rows,) in memory_for_pieces(gain.shape):
        out = rows.reshape(-1, *gain.shape[1:])
        np.multiply(weights[part, :, None], gain[part], out=out)
        yield part, rows


def gram(gain: FloatArray, weights: FloatArray) -> FloatArray:
    """Gram matrix (n, n) of the rows of a gain (n_sources, p, n), weighted by (n_sources, p)."""
    total = np.zeros((gain.shape[2],) * 2, order="F")
    for _, rows in weighted_pieces(gain, weights):
        total = dsyrk(1.0, rows.T, beta=1.0, c=total, overwrite_c=True)
    found: FloatArray = np.triu(total) + np.triu(total, 1).T
    return found


def product_of_rows(gain: FloatArray, weights: FloatArray, other: FloatArray) -> FloatArray:
    """Sum of the weighted products (n, n) of each row of a gain with that of another one."""
    total = np.zeros((gain.shape[2], other.shape[2]))
    for part, rows in weighted_pieces(gain, weights):
        total += rows.T @ other[part].reshape(len(rows), -1)
    return total


def norms_of_products(gain: FloatArray, right: FloatArray) -> FloatArray:
    """Norms of the rows of products (n_sources, p, k) with a matrix (n_channels, k)."""
    found, times = np.empty(gain.shape[:2]), _multiplier(narrowed(right))
    for part, (rows,) in memory_for_pieces(gain.shape):
        rows[...] = gain[part].reshape(rows.shape)
        product = times(rows)
        found[part] = np.sqrt(np.einsum("mn,mn->m", product, product)).reshape(found[part].shape)
    return found


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


def root_of_difference(square: float, parts: float) -> float | None:
    """√ of a square that is left of larger ones, which sum to ``parts``.

    None where it is so little of them that kernels have to be subtracted instead.
    """
    return None if square < _LEFT * parts else float(np.sqrt(square))
