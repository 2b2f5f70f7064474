"""Point-spread functions of two kernels, a chunk of sources at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from mne_bstinv._types import BoolArray, FloatArray, IntArray
from mne_bstinv.compare.fields import FieldBound, same_peak

__all__ = ["PointSpreads", "point_spreads"]


#: Numbers of an array that is held at a time: 32 MB.
_CHUNK_NUMBERS = 2**22


@dataclass(frozen=True, kw_only=True, eq=False)
class PointSpreads:
    """Where the point spread of each source peaks, and how far it reaches.

    Parameters
    ----------
    peak_a, peak_b : array of int, shape (n_sources,)
        Number of the location of the largest value.
    dispersion_a, dispersion_b : array, shape (n_sources,)
        Spatial dispersion in m.
    dispersion_bound : array, shape (n_sources,)
        How far apart (m) the dispersions of kernels that agree can be.
    seen : array of bool, shape (n_sources,)
        Whether the source has a point spread under both kernels.
    """

    peak_a: IntArray
    peak_b: IntArray
    dispersion_a: FloatArray
    dispersion_b: FloatArray
    dispersion_bound: FloatArray
    seen: BoolArray


def point_spreads(
    a: FloatArray, b: FloatArray, gain: FloatArray, positions: FloatArray, change: float
) -> PointSpreads:
    """Compute the point spreads of unit sources at all locations.

    The point spread of location j at location i is |A_i G_j|, the Frobenius norm: for three
    components, √3 times the root mean square over all orientations of the source, whichever frame
    the components are in.

    Parameters
    ----------
    a, b : array, shape (n_locations, n_components, n_channels)
        The kernels.
    gain : array, shape (n_channels, n_components * n_locations)
        Fields of the sources.
    positions : array, shape (n_locations, 3)
        In m.
    change : float
        Relative difference of coefficients that agree.
    """
    from scipy.spatial.distance import cdist  # late: it slows the import of the package

    m, p, _ = a.shape
    bounds = FieldBound(a), FieldBound(b)
    peaks = np.zeros((2, m), dtype=np.int64)
    dispersions, dispersion_bound = np.full((2, m), np.nan), np.full(m, np.nan)
    seen = np.zeros(m, dtype=bool)
    for part in _chunks(m, p):
        fields = gain[:, p * part.start : p * part.stop]
        squares = [_squared_spread(kernel, fields) for kernel in (a, b)]
        seen[part] = squares[0].any(axis=0) & squares[1].any(axis=0)
        peaks[:, part] = _peaks(squares, bounds[0].fields(fields, p), bounds[0], change)
        distances = cdist(positions, positions[part], "sqeuclidean")
        with np.errstate(invalid="ignore", divide="ignore"):
            for one, square in enumerate(squares):
                dispersions[one, part] = np.sqrt(
                    np.einsum("ij,ij->j", distances, square) / square.sum(axis=0)
                )
            dispersion_bound[part] = _dispersion_bound(
                bounds[1].all_locations * bounds[1].fields(fields, p) * change,
                np.sqrt(squares[1].sum(axis=0)),
                np.sqrt(distances.max(axis=0)),
            )
    return PointSpreads(
        peak_a=peaks[0],
        peak_b=peaks[1],
        dispersion_a=dispersions[0],
        dispersion_b=dispersions[1],
        dispersion_bound=dispersion_bound,
        seen=seen,
    )


def _chunks(n_locations: int, n_components: int) -> Iterator[slice]:
    """Split the sources so that the spreads of a chunk stay small; show progress if it takes long.

    Parameters
    ----------
    n_locations, n_components : int
        Sizes of the kernel.
    """
    from tqdm import tqdm

    step = max(1, _CHUNK_NUMBERS // (n_locations * n_components**2))
    starts = range(0, n_locations, step)
    # disable=None: only where somebody watches; delay: not for what is over in a moment
    for start in tqdm(starts, desc="point spreads", disable=None, delay=1, leave=False):
        yield slice(start, min(start + step, n_locations))


def _squared_spread(kernel: FloatArray, fields: FloatArray) -> FloatArray:
    """|K_i G_j|² of all locations i and the chunk's sources j, shape (n_locations, n_chunk)."""
    m, p, n = kernel.shape
    spread = (kernel.reshape(m * p, n) @ fields).reshape(m, p, -1, p)
    squares: FloatArray = np.einsum("iajb,iajb->ij", spread, spread)
    return squares


def _peaks(
    squares: list[FloatArray], sizes: FloatArray, bound: FieldBound, change: float
) -> IntArray:
    """Peaks under A and B; that of A is B's where the two differ by no more than rounding."""
    peak_a, peak_b = (s.argmax(axis=0) for s in squares)
    sources = np.arange(len(peak_a))
    largest, elsewhere = (np.sqrt(squares[0][peak, sources]) for peak in (peak_a, peak_b))
    # in sizes of A: |A_i − B_i| ≤ ε |B_i| ≤ ε / (1 − ε) |A_i|
    slack = change / (1 - change) * bound.largest_location * sizes
    return np.stack([np.where(same_peak(largest, elsewhere, slack), peak_b, peak_a), peak_b])


def _dispersion_bound(change: FloatArray, size: FloatArray, farthest: FloatArray) -> FloatArray:
    """Largest change of √(Σ d² w²) / |w| when w changes by no more than ``change``.

    With η = |w' − w| / |w| and distances up to D, |D w'| / |w'| is within 2 D η / (1 − η), and a
    dispersion is never outside 0 … D.
    """
    eta = change / size
    safe = np.minimum(eta, 0.5)
    bound: FloatArray = farthest * np.where(eta < 0.5, 2 * safe / (1 - safe), 1.0)
    return np.minimum(bound, farthest)
