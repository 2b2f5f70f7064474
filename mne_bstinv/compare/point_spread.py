"""Point-spread functions of two kernels: how far they reach, and where they peak.

The dispersion needs no resolution matrix. Sums over locations are quadratic forms of the fields,

    Σ_i w_i |K_i G_j|² = tr G_j' (Σ_i w_i K_i' K_i) G_j ,
    |x_i − x_j|² = |x_i|² − 2 x_i·x_j + |x_j|² ,

so that five matrices n × n, with the weights 1, x, y, z and |x|², give the dispersions of all
sources exactly, in O(n_sources · n²).
"""

from __future__ import annotations

from functools import cached_property, partial
from itertools import pairwise

import numpy as np

from mne_bstinv._types import BoolArray, FloatArray, IntArray
from mne_bstinv.compare.directions import block_sizes, fields_of
from mne_bstinv.compare.field_bound import FieldBound, same_peak
from mne_bstinv.compare.peaks import Fields

__all__ = ["PointSpreads"]

#: Numbers of an array that is held at a time: 4 MB.
PIECE = 2**19
#: Bands of rows in which a symmetric matrix is multiplied from its diagonal on.
_BANDS = 8
#: Part of the squared extent of the locations below which a squared dispersion is summed over them.
_CANCELLED = 1e-8


class PointSpreads:
    """The point spreads of the same fields under two kernels, B the reference.

    Kernels (n_locations, n_components, n_channels), positions (n_locations, 3) in m; coefficients
    agree up to the relative difference ``change``.
    """

    def __init__(
        self,
        a: FloatArray,
        b: FloatArray,
        fields: Fields,
        positions: FloatArray,
        change: float,
    ) -> None:
        self._a, self._b, self._fields = a, b, fields
        self._positions, self._change = positions, change
        self._bounds = FieldBound(a), FieldBound(b)

    @cached_property
    def _peaks(self) -> tuple[IntArray, IntArray, BoolArray]:
        """Peaks under A and B (n_sources,), and which sources have a point spread under both.

        That of A is B's where the two differ by no more than rounding.
        """
        bound, change = self._bounds[0], self._change
        peaks_b = self._fields.peaks(self._b)
        if self._fields.agree(self._a, self._b, change, bound=bound):
            return peaks_b.location, peaks_b.location, peaks_b.value > 0
        slack = change / (1 - change) * bound.largest_location
        peaks_a = self._fields.peaks(self._a)
        elsewhere = self._fields.values(self._a, peaks_b.location)
        sizes = bound.fields(self._fields.gain, self._a.shape[1])
        same = same_peak(peaks_a.value, elsewhere, slack * sizes)
        location = np.where(same, peaks_b.location, peaks_a.location)
        return location, peaks_b.location, (peaks_a.value > 0) & (peaks_b.value > 0)

    @property
    def peak_a(self) -> IntArray:
        """Number of the location of the largest value under A, shape (n_sources,)."""
        return self._peaks[0]

    @property
    def peak_b(self) -> IntArray:
        """The same under B."""
        return self._peaks[1]

    @property
    def seen(self) -> BoolArray:
        """Whether the source has a point spread under both kernels, shape (n_sources,)."""
        return self._peaks[2]

    @cached_property
    def dispersion_a(self) -> FloatArray:
        """Spatial dispersion under A in m, shape (n_sources,)."""
        return _dispersions(self._a, self._fields.gain, self._positions)[0]

    @cached_property
    def _of_b(self) -> tuple[FloatArray, FloatArray]:
        # of the kernel that others are compared with
        fields, positions = self._fields, self._positions
        make = partial(_dispersions, self._b, fields.gain, positions)
        return fields.once((self._b, positions), make)

    @property
    def dispersion_b(self) -> FloatArray:
        """Spatial dispersion under B in m, shape (n_sources,)."""
        return self._of_b[0]

    @property
    def dispersion_bound(self) -> FloatArray:
        """How far apart (m) the dispersions of kernels that agree can be, shape (n_sources,).

        With η = |w' − w| / |w| and distances up to D, |D w'| / |w'| is within 2 D η / (1 − η), and
        a dispersion is never outside 0 … D.
        """
        bound = self._bounds[1]
        reach = bound.all_locations * bound.fields(self._fields.gain, self._b.shape[1])
        farthest = self._fields.once((self._positions,), partial(_farthest, self._positions))
        with np.errstate(invalid="ignore", divide="ignore"):
            eta = self._change * reach / self._of_b[1]
        safe = np.minimum(eta, 0.5)
        widest: FloatArray = farthest * np.where(eta < 0.5, 2 * safe / (1 - safe), 1.0)
        return np.minimum(widest, farthest)


def _dispersions(
    blocks: FloatArray, gain: FloatArray, positions: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Spatial dispersions in m, and the norms of the point spreads, both (n_sources,)."""
    m, p, n = blocks.shape
    rows = blocks.reshape(m * p, n)
    x = positions - positions.mean(axis=0)  # small numbers, of which differences are taken
    sums = _quadratic(gain, _weighted_grams(rows, np.repeat(x, p, axis=0)), p)
    energy = np.maximum(sums[0], 0.0)
    squares = np.sum(x**2, axis=1) * sums[0] - 2 * np.sum(x.T * sums[1:4], axis=0) + sums[4]
    with np.errstate(invalid="ignore", divide="ignore"):
        found = np.maximum(squares, 0.0) / energy
    # of a source whose spread is a point the terms cancel
    narrow = np.flatnonzero(found < _CANCELLED * np.sum(x**2, axis=1).max(initial=0.0))
    found[narrow] = _by_definition(rows, gain, x, narrow, p)
    return np.sqrt(found), np.sqrt(energy)


def _by_definition(
    rows: FloatArray, gain: FloatArray, positions: FloatArray, sources: IntArray, p: int
) -> FloatArray:
    """Squared dispersions in m² of some sources (n,), summed over all locations."""
    from scipy.spatial.distance import cdist  # late: it slows the import of the package

    fields = fields_of(gain, p)
    found = np.empty(len(sources))
    step = max(1, 4 * PIECE // (len(positions) * p**2))
    for start in range(0, len(sources), step):
        some = sources[start : start + step]
        sizes = block_sizes(rows @ fields[some].reshape(-1, len(gain)).T, p)
        apart = cdist(positions, positions[some], "sqeuclidean")
        found[start : start + step] = np.sum(apart * sizes**2, axis=0) / np.sum(sizes**2, axis=0)
    return found


def _weighted_grams(rows: FloatArray, x: FloatArray) -> FloatArray:
    """K' diag(w) K with the weights 1, x, y, z and |x|², (5, n_channels, n_channels).

    Of rows (n_rows, n_channels) at x (n_rows, 3). With roots of weights that are not negative, they
    are products of an array with itself, which take half of the time.
    """
    n = rows.shape[1]
    corner = x.min(axis=0)
    roots = np.sqrt(np.column_stack([x - corner, np.sum(x**2, axis=1)]))
    grams = np.zeros((5, n, n))
    step = max(1, PIECE // n)
    weighted = np.empty((min(step, len(rows)), n))
    for start in range(0, len(rows), step):
        piece = rows[start : start + step]
        grams[0] += piece.T @ piece
        for k in range(4):
            root = roots[start : start + step, k, None]
            scaled = np.multiply(piece, root, out=weighted[: len(piece)])
            grams[k + 1] += scaled.T @ scaled
    grams[1:4] += corner[:, None, None] * grams[0]
    return grams


def _quadratic(gain: FloatArray, matrices: FloatArray, p: int) -> FloatArray:
    """Traces of G_j' M G_j (n_matrices, n_sources), of symmetric M (n_channels, n_channels).

    What is above the diagonal counts twice, what is below it not at all.
    """
    n, n_sources = len(gain), gain.shape[1] // p
    found = np.zeros((len(matrices), n_sources))
    step = max(1, PIECE // (n * p))
    edges = np.linspace(0, n, _BANDS + 1).astype(np.int64)
    bands = []
    for first, last in pairwise(edges):
        upper = 2 * matrices[:, first:last, first:]
        upper[:, :, : last - first] /= 2
        bands.append((slice(first, last), upper.reshape(-1, n - first)))
    for start in range(0, n_sources, step):
        fields = np.ascontiguousarray(gain[:, p * start : p * (start + step)])
        for rows, upper in bands:
            products = (upper @ fields[rows.start :]).reshape(len(matrices), -1, fields.shape[1])
            sums = np.einsum("knj,nj->kj", products, fields[rows])
            found[:, start : start + step] += sums.reshape(len(matrices), -1, p).sum(axis=2)
    return found


def _farthest(positions: FloatArray) -> FloatArray:
    """Distance of each position to the one farthest from it (n,), which is on the convex hull."""
    from scipy.spatial import ConvexHull, QhullError  # late: it slows the import of the package

    try:
        corners = positions[ConvexHull(positions).vertices]
    except (QhullError, ValueError):  # few positions, or all in one plane
        corners = positions
    found = np.empty(len(positions))
    step = max(1, PIECE // len(corners))
    center = corners.mean(axis=0)
    farther = np.sum((corners - center) ** 2, axis=1)
    for start in range(0, len(positions), step):
        some = positions[start : start + step]
        # |c − x|² but for |x|²: by products, and the one found by the definition
        farthest = corners[(farther - 2 * (some - center) @ (corners - center).T).argmax(axis=1)]
        found[start : start + step] = np.linalg.norm(some - farthest, axis=1)
    return found
