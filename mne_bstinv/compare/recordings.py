"""What two kernels make of recordings: time courses, the peak, the recordings explained."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from mne_bstinv._types import FloatArray
from mne_bstinv.compare.field_bound import FieldBound, same_peak
from mne_bstinv.compare.rows import cosine_deviation, cosines, flat, row_sizes

__all__ = ["Estimates", "estimates", "explained_variance", "explained_variance_bound"]


#: Numbers of an array that is held at a time: 2 MB, which stay in the cache.
_CHUNK_NUMBERS = 2**18


@dataclass(frozen=True, kw_only=True)
class Peak:
    """The largest value of an estimate, the norm over components."""

    value: float
    #: Where and when: numbers of a location and of a sample.
    location: int
    time: int


@dataclass(frozen=True, kw_only=True, eq=False)
class Estimates:
    """The estimates of two kernels from the same recordings."""

    #: Correlation about zero of the time courses, components after each other, (n_locations,).
    correlation: FloatArray
    #: How far below one it can be if the kernels agree, (n_locations,); NaN where there is none.
    bound: FloatArray
    #: The largest value of each.
    peak_a: Peak
    peak_b: Peak


def estimates(a: FloatArray, b: FloatArray, data: FloatArray, change: float) -> Estimates:
    """Apply two kernels to recordings (n_channels, n_times), a chunk of locations at a time.

    Kernels (n_locations, n_components, n_channels); coefficients agree up to ``change``.
    """
    m, p, _ = a.shape
    n_times = data.shape[1]
    correlation, size_b = np.zeros(m), np.zeros(m)
    peaks = [Peak(value=-1.0, location=0, time=0)] * 2
    step = max(1, _CHUNK_NUMBERS // (p * n_times))
    for start in range(0, m, step):
        both = [_apply(kernel[start : start + step], data) for kernel in (a, b)]
        part = slice(start, start + step)
        sizes = [row_sizes(flat(x)) for x in both]
        correlation[part] = cosines(flat(both[0]), flat(both[1]), *sizes)
        size_b[part] = sizes[1]
        peaks = [_larger(peak, x, start) for peak, x in zip(peaks, both, strict=True)]
    bounds = FieldBound(b)
    changes = change * bounds.locations * np.linalg.norm(bounds.fields(data))
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = np.where(changes == 0, 0.0, changes / size_b)
    # and the rounding of an inner product of so many numbers
    rounding = (p * n_times + 4) * np.finfo(np.float64).eps
    bound = np.where(np.isnan(correlation), np.nan, cosine_deviation(relative) + rounding)
    peak_a, peak_b = peaks
    if _same(a, peak_a, peak_b, data, change):
        peak_a = replace(peak_a, location=peak_b.location, time=peak_b.time)
    return Estimates(correlation=correlation, bound=bound, peak_a=peak_a, peak_b=peak_b)


def _apply(blocks: FloatArray, data: FloatArray) -> FloatArray:
    """Apply blocks in one product, shape (n_chunk, n_components, n_times)."""
    chunk, p, n = blocks.shape
    estimate: FloatArray = (blocks.reshape(chunk * p, n) @ data).reshape(chunk, p, -1)
    return estimate


def _larger(peak: Peak, estimate: FloatArray, start: int) -> Peak:
    """Return the peak so far or that of a chunk (n_chunk, n_components, n_times)."""
    size = np.sqrt(np.einsum("mpt,mpt->mt", estimate, estimate))
    location, time = np.unravel_index(size.argmax(), size.shape)
    value = float(size[location, time])
    if value <= peak.value:
        return peak
    return Peak(value=value, location=start + int(location), time=int(time))


def _same(a: FloatArray, peak: Peak, other: Peak, data: FloatArray, change: float) -> bool:
    """Whether A's value at B's peak differs from its maximum by no more than rounding."""
    elsewhere = np.linalg.norm(a[other.location] @ data[:, other.time])
    bounds = FieldBound(a)
    field = bounds.fields(data[:, [peak.time, other.time]]).max()
    slack = change / (1 - change) * bounds.largest_location * field
    return bool(same_peak(peak.value, elsewhere, slack))


def explained_variance(
    matrix: FloatArray, gain: FloatArray, data: FloatArray, whitener: FloatArray | None
) -> float:
    """1 − |W (Y − G K Y)|² / |W Y|², K (n_rows, n_channels) to A·m; without W of the identity."""
    residual = data - (gain @ matrix) @ data
    if whitener is not None:
        residual, data = whitener @ residual, whitener @ data
    return 1.0 - float(np.sum(residual**2) / np.sum(data**2))


def explained_variance_bound(
    matrix: FloatArray,
    gain: FloatArray,
    data: FloatArray,
    whitener: FloatArray | None,
    change: float,
    explained: float,
) -> float:
    """Largest change of the ``explained`` variance when K and G change by ``change`` everywhere.

    With x the whitened residual and e its change, both relative to |W Y|, the explained variance
    changes by no more than 2 |x| |e| + |e|², and |e| is at most (2 ε + ε²) times the size of
    |W| |G| |K| |Y|, the products of absolute coefficients.
    """
    reach = (np.abs(gain) @ np.abs(matrix)) @ np.abs(data)
    if whitener is not None:
        reach, data = np.abs(whitener) @ reach, whitener @ data
    e = (2 * change + change**2) * float(np.linalg.norm(reach) / np.linalg.norm(data))
    return 2 * float(np.sqrt(max(1 - explained, 0.0))) * e + e**2
