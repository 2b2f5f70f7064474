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
    """Norms of the rows of products (n_sources, p, k) with a matrix (n_channels, k).

    Of that, R' Q' with Q' Q = I, the triangle R' is enough, in half of the time.
    """
    found, triangle = np.empty(gain.shape[:2]), np.zeros((len(right), len(right)), order="F")
    upper = np.linalg.qr(right.T, mode="r")
    triangle[: len(upper)] = upper
    for part in pieces(*gain.shape[:2]):
        columns = np.array(gain[part].reshape(-1, len(right)).T, order="F")
        product = dtrmm(1.0, triangle, columns, overwrite_b=True)
        found[part] = np.sqrt(np.einsum("nm,nm->m", product, product)).reshape(found[part].shape)
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
    """Columns with the Gram matrix data data' (n, n): as many as data (n, n_times) has, or n."""
    n, n_times = data.shape
    if n_times <= n:
        return data
    columns: FloatArray = np.linalg.qr(data.T, mode="r").T
    return columns


def apart(a: AnyArray, b: AnyArray | None, data: FloatArray | None = None) -> float:
    """Frobenius norm of a − b, or of a, or of what it makes of data (n_channels, n).

    What is NaN does not count.
    """
    total = 0.0
    step = max(1, _NUMBERS // max(1, a[:1].size))
    for start in range(0, len(a), step):
        part = slice(start, start + step)
        difference = a[part] if b is None else a[part] - b[part]
        if data is not None:
            difference = difference.reshape(-1, len(data)) @ data
        difference = difference.ravel()
        square = float(np.vdot(difference, difference).real)
        if np.isnan(square):
            square = float(np.nansum(np.abs(difference) ** 2))
        total += square
    return float(np.sqrt(total))
