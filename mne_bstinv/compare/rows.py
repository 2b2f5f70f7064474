"""Numbers of each location: correlation, amplitude ratio, angle between subspaces.

Blocks are arrays (n_locations, n_components, n_channels); ``a`` is compared with ``b``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mne_bstinv._types import BoolArray, FloatArray, IntArray

__all__ = [
    "SubspaceAngles",
    "column_distances",
    "cosine_deviation",
    "cosines",
    "flat",
    "ratios",
    "row_sizes",
    "same_signs",
    "subspace_angles",
]


#: Locations whose singular vectors are computed at a time, and rows whose differences are.
_CHUNK = 1000


def flat(blocks: FloatArray) -> FloatArray:
    """One row a location: its components after each other."""
    return blocks.reshape(len(blocks), -1)


def row_sizes(a: FloatArray) -> FloatArray:
    """Norms of the rows (n_rows,), in one pass that makes no array of squares."""
    return np.sqrt(np.einsum("ij,ij->i", a, a))


def column_distances(a: FloatArray, b: FloatArray) -> FloatArray:
    """Norms of the columns of a difference (n_columns,), a piece of rows at a time."""
    squares = np.zeros(a.shape[1])
    for start in range(0, len(a), _CHUNK):
        part = a[start : start + _CHUNK] - b[start : start + _CHUNK]
        squares += np.einsum("ij,ij->j", part, part)
    return np.sqrt(squares)


def cosines(a: FloatArray, b: FloatArray, size_a: FloatArray, size_b: FloatArray) -> FloatArray:
    """Correlation about zero of rows with these norms (n_rows,): a·b / (|a| |b|).

    NaN where both rows are zero, 0 where one is.
    """
    sizes = size_a * size_b
    products = np.einsum("ij,ij->i", a, b)
    values = np.divide(products, sizes, out=np.zeros_like(sizes), where=sizes > 0)
    values[(size_a == 0) & (size_b == 0)] = np.nan
    return values


def cosine_deviation(change: Any) -> FloatArray:
    """How far below one a cosine can be after a relative change of one vector.

    |a − b| ≤ ε |b| lets the angle between a and b reach arcsin ε, hence cos ≥ √(1 − ε²); from
    ε = 1 on, a can point anywhere.
    """
    change = np.asarray(change, dtype=np.float64)
    square = np.minimum(change, 1.0) ** 2
    # 1 − √(1 − x) without its cancellation
    return np.where(change < 1, square / (1 + np.sqrt(1 - square)), 2.0)


def ratios(size_a: FloatArray, size_b: FloatArray) -> FloatArray:
    """Divide norms of rows: NaN where both are zero, infinite where only that of ``b`` is."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return size_a / size_b


def same_signs(a: FloatArray, b: FloatArray) -> BoolArray:
    """Whether rows have a positive inner product, of the rows that are not zero in either.

    A row counts as zero if its norm is below the rounding of the largest one: n ε max |row|. Such
    rows are of directions that no channel sees, and their signs are those of rounding errors.
    """
    eps = np.finfo(np.float64).eps
    sizes = [row_sizes(x) for x in (a, b)]
    seen = np.logical_and(*(s > a.shape[1] * eps * s.max() for s in sizes))
    signs: BoolArray = np.einsum("ij,ij->i", a, b)[seen] > 0
    return signs


class SubspaceAngles:
    """Largest principal angle between the row spaces of each location's two blocks."""

    def __init__(self, n_locations: int) -> None:
        #: In rad, (n_locations,); π/2 where the ranks differ, NaN where both are zero.
        self.angles: FloatArray = np.full(n_locations, np.nan)
        #: Frobenius norm of b's block relative to the gap below its last significant singular
        #: value, (n_locations,).
        self.conditions: FloatArray = np.full(n_locations, np.nan)
        #: Numbers of significant singular values, (n_locations,).
        self.ranks_a: IntArray = np.zeros(n_locations, dtype=np.int64)
        self.ranks_b: IntArray = np.zeros(n_locations, dtype=np.int64)

    def bounds(self, change: float) -> FloatArray:
        """Largest angle (rad) that a relative change of the blocks can cause, by Wedin's theorem.

        With E = A − B, |E| ≤ ε |B| and the gap δ between the singular values of B that are kept
        and those that are not, sin θ ≤ |E| / (δ − |E|).
        """
        x = change * self.conditions
        with np.errstate(divide="ignore"):
            sine = np.where(x < 0.5, x / (1 - np.minimum(x, 0.5)), 1.0)
        bounds: FloatArray = np.where(np.isnan(x), np.nan, np.arcsin(sine))
        return bounds


def subspace_angles(a: FloatArray, b: FloatArray) -> SubspaceAngles:
    """Compute the angles (Björck & Golub 1973), in chunks of locations.

    Singular values count as significant above max(n_components, n_channels) times the spacing of
    single precision, relative to the largest: gains are often stored in single precision, so that
    what lies below may be nothing but rounding, such as the radial direction of MEG in a sphere.
    """
    result = SubspaceAngles(len(a))
    for start in range(0, len(a), _CHUNK):
        _angles_of_chunk(a, b, slice(start, min(start + _CHUNK, len(a))), result)
    return result


def _angles_of_chunk(a: FloatArray, b: FloatArray, part: slice, result: SubspaceAngles) -> None:
    basis_a, _, rank_a = _row_space(a[part])
    basis_b, values_b, rank_b = _row_space(b[part])
    products = basis_a @ basis_b.transpose(0, 2, 1)
    # sine and cosine together, so that small and large angles are both accurate
    residuals = basis_a - products @ basis_b
    # the largest alone loses nothing by being squared
    sines = np.sqrt(np.linalg.eigvalsh(residuals @ residuals.transpose(0, 2, 1))[:, -1].clip(0))
    last = np.maximum(rank_a - 1, 0)[:, None]
    cosine = np.take_along_axis(np.linalg.svd(products, compute_uv=False), last, axis=1)[:, 0]
    angles = np.where(rank_a == rank_b, np.arctan2(sines, cosine), np.pi / 2)
    angles[(rank_a == 0) & (rank_b == 0)] = np.nan
    result.angles[part] = angles
    result.ranks_a[part], result.ranks_b[part] = rank_a, rank_b
    result.conditions[part] = _conditions(values_b, rank_b)


def _row_space(blocks: FloatArray) -> tuple[FloatArray, FloatArray, IntArray]:
    """Orthonormal rows (those without significance zero), singular values, ranks."""
    # few rows: their orthonormal basis first, the singular vectors of what is small
    columns, small = np.linalg.qr(blocks.transpose(0, 2, 1))
    _, values, turn = np.linalg.svd(small.transpose(0, 2, 1), full_matrices=False)
    basis = turn @ columns.transpose(0, 2, 1)
    cutoff = max(blocks.shape[1:]) * float(np.finfo(np.float32).eps)
    significant = values > cutoff * values[:, :1]
    return basis * significant[:, :, None], values, significant.sum(axis=1)


def _conditions(values: FloatArray, ranks: IntArray) -> FloatArray:
    padded = np.concatenate([values, np.zeros((len(values), 1))], axis=1)
    last = np.take_along_axis(padded, np.maximum(ranks - 1, 0)[:, None], axis=1)[:, 0]
    below = np.take_along_axis(padded, ranks[:, None], axis=1)[:, 0]
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.linalg.norm(values, axis=1) / (last - below)
