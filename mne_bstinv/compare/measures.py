"""What each metric computes from a pair of kernels: a value, and a detail in words.

Those that end in ``tolerance`` or ``bounds`` say how far from perfect the value of kernels that
agree can be. Every one raises :class:`NotApplicable` where something it needs is missing.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from mne_bstinv._types import FloatArray, IntArray
from mne_bstinv.compare.pair import NotApplicable, Pair
from mne_bstinv.compare.recordings import explained_variance_bound
from mne_bstinv.compare.rows import cosine_deviation, same_signs

Measured = tuple[float, str]

_MILLI = 1e3


# statistics over locations


def known(values: FloatArray) -> FloatArray:
    """Values that exist, sorted; percentiles are one of them, never between two."""
    existing = np.sort(values[~np.isnan(values)])
    if existing.size == 0:
        raise NotApplicable("every location is zero in both kernels")
    return existing


def median(values: FloatArray) -> float:
    """Return the median of the values that exist."""
    return float(np.median(known(values)))


def low(values: FloatArray) -> float:
    """Return the 5th percentile of the values that exist."""
    ordered = known(values)
    return float(ordered[_five_percent(ordered.size)])


def high(values: FloatArray) -> float:
    """Return the 95th percentile of the values that exist."""
    ordered = known(values)
    return float(ordered[-1 - _five_percent(ordered.size)])


def largest(values: FloatArray) -> float:
    """Return the largest of the values that exist."""
    return float(known(values)[-1])


def _five_percent(count: int) -> int:
    """Position of the 5th percentile, rounded to the worse side."""
    return (count - 1) // 20


def worst(pair: Pair, values: FloatArray, pick: Callable[[FloatArray], np.intp]) -> Measured:
    """Return the worst value and the location it is at."""
    known(values)
    where = int(pick(values))
    return float(values[where]), f"at location {pair.a.locations[where] + 1} (1-based)"


# coefficients


def relative_difference(pair: Pair) -> Measured:
    """Return |A − B| / |B| in Frobenius norms."""
    difference = float(np.linalg.norm(pair.channel_differences))
    size = float(np.linalg.norm(pair.channel_sizes))
    if size == 0:
        return (0.0 if difference == 0 else float("inf")), f"{pair.b.name} is zero"
    return difference / size, ""


def worst_channel(pair: Pair) -> Measured:
    """Relative difference of each column; sizes below the rounding of the largest do not count."""
    differences, sizes = pair.channel_differences, pair.channel_sizes
    floor = np.maximum(sizes, pair.rounding * sizes.max())
    with np.errstate(divide="ignore"):
        relative = np.divide(differences, floor, out=np.zeros_like(floor), where=differences > 0)
    where = int(relative.argmax())
    return float(relative[where]), f"at channel {pair.a.channel_names[where]}"


def cosine_tolerance(pair: Pair) -> float:
    """How far below one the correlation of a location's coefficients can be."""
    return float(cosine_deviation(pair.change)) + pair.rounding


def sign_agreement(pair: Pair) -> Measured:
    """Return the fraction of rows with a positive inner product."""
    signs = same_signs(pair.a.matrix, pair.b.matrix)
    if signs.size == 0:
        raise NotApplicable("no row is different from zero in both kernels")
    unseen = len(pair.a.matrix) - signs.size
    left_out = f"; {unseen} row(s) are zero" if unseen else ""
    return float(signs.mean()), f"{signs.sum()} of {signs.size} rows{left_out}"


def angles(pair: Pair) -> FloatArray:
    """Return the largest angle between the subspaces of each location, in degrees."""
    return np.degrees(pair.angles.angles)


def worst_angle(pair: Pair) -> Measured:
    """Return the worst of these angles, and where the ranks differ."""
    value, detail = worst(pair, angles(pair), np.nanargmax)
    ranks = pair.angles.ranks_a, pair.angles.ranks_b
    differ = int((ranks[0] != ranks[1]).sum())
    of_rank_two = int(((ranks[0] == ranks[1]) & (ranks[0] < 3)).sum())
    if differ:
        detail += f"; ranks differ (90°) at {differ} location(s)"
    if of_rank_two:
        detail += f"; {of_rank_two} location(s) have a rank below 3"
    return value, detail


def angle_bounds(pair: Pair) -> FloatArray:
    """Return how large the angles of kernels that agree can be, in degrees."""
    bounds = np.degrees(pair.angles.bounds(pair.change))
    return np.where(np.isnan(pair.angles.angles), np.nan, bounds)


# point spreads


def distances(pair: Pair, start: IntArray, stop: IntArray) -> FloatArray:
    """Distances in mm between two locations a source; NaN for sources without a point spread."""
    apart = _MILLI * np.linalg.norm(pair.positions[start] - pair.positions[stop], axis=1)
    return np.where(pair.spreads.seen, apart, np.nan)


def displacements(pair: Pair) -> FloatArray:
    """Return how far apart the two peaks of each source's point spread are, in mm."""
    return distances(pair, pair.spreads.peak_a, pair.spreads.peak_b)


def worst_displacement(pair: Pair) -> Measured:
    """Return the largest of these distances, and how many peaks moved."""
    moves = displacements(pair)
    value, detail = worst(pair, moves, np.nanargmax)
    moved, seen = int((moves > 0).sum()), int(pair.spreads.seen.sum())
    silent = len(moves) - seen
    left_out = f"; {silent} source(s) have no point spread" if silent else ""
    where = f"{detail}; " if moved else ""
    return value, f"{where}{moved} of {seen} peaks displaced{left_out}"


def localisation_error(pair: Pair, peaks: IntArray) -> Measured:
    """Return the median distance in mm of peaks (n_locations,) from their sources."""
    errors = distances(pair, peaks, np.arange(len(peaks)))
    hits = int((errors == 0).sum())
    return median(errors), f"{hits} of {pair.spreads.seen.sum()} peaks at the source"


def dispersion_difference(pair: Pair) -> Measured:
    """Return the median difference of the spatial dispersions, A − B, in mm."""
    spreads = pair.spreads
    both = [_MILLI * s[spreads.seen] for s in (spreads.dispersion_a, spreads.dispersion_b)]
    medians = [float(np.median(dispersion)) for dispersion in both]
    detail = f"medians: A {medians[0]:.4g} mm, B {medians[1]:.4g} mm"
    return float(np.median(both[0] - both[1])), detail


def dispersion_tolerance(pair: Pair) -> float:
    """Return how large that difference of kernels that agree can be, in mm."""
    return _MILLI * float(np.median(pair.spreads.dispersion_bound[pair.spreads.seen]))


# recordings


def peak_distance(pair: Pair) -> Measured:
    """Return the distance between the peaks of both estimates, in mm."""
    a, b = pair.estimates.peak_a.location, pair.estimates.peak_b.location
    distance = _MILLI * float(np.linalg.norm(pair.positions[a] - pair.positions[b]))
    ids = pair.a.locations
    return distance, f"A at location {ids[a] + 1}, B at location {ids[b] + 1} (1-based)"


def latency_difference(pair: Pair) -> Measured:
    """Return the difference of the latencies of both peaks, A − B, in ms."""
    times = pair.sample_times
    a, b = (_MILLI * float(times[p.time]) for p in (pair.estimates.peak_a, pair.estimates.peak_b))
    return a - b, f"A at {a:.6g} ms, B at {b:.6g} ms"


def whitened(pair: Pair) -> str:
    """Say whether the recordings were whitened."""
    if pair.whitener is None:
        return "recordings not whitened: no whitener is given"
    return "recordings whitened"


def explained_difference(pair: Pair) -> Measured:
    """Return the difference of the explained variances, A − B."""
    a, b = pair.explained_a, pair.explained_b
    return a - b, "; ".join(filter(None, [f"A {a:.6g}, B {b:.6g}", whitened(pair)]))


def explained_tolerance(pair: Pair) -> float:
    """Return how large that difference of kernels that agree can be."""
    gain = pair.gain_of(pair.b)
    return explained_variance_bound(
        pair.b.matrix, gain, pair.recordings, pair.whitener, pair.change, pair.explained_b
    )
