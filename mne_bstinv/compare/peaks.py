"""Where the point spreads of a kernel peak.

The point spread of source j at location i is R_ij = |K_i G_j|, the Frobenius norm: for three
components, √3 times the root mean square over all orientations of the source, whichever frame the
components are in.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, TypeVar

import numpy as np

from mne_bstinv._types import FloatArray, IntArray
from mne_bstinv.compare.alike import Searched
from mne_bstinv.compare.directions import Directions, Rows
from mne_bstinv.compare.field_bound import FieldBound
from mne_bstinv.compare.peak_search import PeakSearch, values_at

__all__ = ["Fields", "Peaks", "same_array"]

T = TypeVar("T")

#: How many kernels that were searched are held to bound those like them, with bounds as large.
_SEARCHED = 2
#: How many coordinates are held: kernels of the two ends of a path may need their own.
_COORDINATES = 2
#: How much less tight coordinates may be for a kernel than for the one that they were made for.
_SUITS = 0.5
#: How much of what is made of reference kernels and of positions is kept.
_ONCE = 2


@dataclass(frozen=True, kw_only=True, eq=False)
class Peaks:
    """Where the point spread of each source peaks under one kernel."""

    #: Number of the location of the largest value, (n_sources,).
    location: IntArray
    #: That value, (n_sources,); 0 where the source has no point spread.
    value: FloatArray

    def times(self, factor: float) -> Peaks:
        """Return the peaks of a multiple of the kernel, by a number above 0."""
        return Peaks(location=self.location, value=factor * self.value)


class Fields:
    """The fields of unit sources at all locations, and where point spreads of them peak.

    Of a gain (n_channels, n_components * n_locations).
    """

    def __init__(self, gain: FloatArray, n_components: int) -> None:
        self.gain, self._p = gain, n_components
        self._known: list[tuple[FloatArray, Peaks]] = []
        self._pinned: list[tuple[FloatArray, Peaks]] = []
        self._coordinates: list[Directions] = []
        self._once: list[tuple[tuple[FloatArray, ...], Any]] = []
        #: Kernels that were searched, which bound those like them.
        self._searched: list[Searched] = []

    def peaks(self, blocks: FloatArray) -> Peaks:
        """Return the peaks of a kernel (n_locations, n_components, n_channels), computed once."""
        for known, found in (*self._pinned, *self._known):
            if same_array(known, blocks):
                return found
        found = self._found(blocks)
        self._known = [*self._known[-1:], (blocks, found)]
        return found

    def forget(self) -> None:
        """Forget all kernels, and keep what is made of the gain alone."""
        self._known, self._pinned, self._once = [], [], []
        self._searched = []

    def keep_only(self, blocks: FloatArray) -> None:
        """Forget all kernels but one, and those that are known for good."""
        self._known = [known for known in self._known if same_array(known[0], blocks)]

    def once(self, of: tuple[FloatArray, ...], make: Callable[[], T]) -> T:
        """Return what is made of a kernel and whatever else, or of positions, once of the last."""
        for arrays, found in self._once:
            if len(arrays) == len(of) and all(map(same_array, arrays, of)):
                return found
        found = make()
        self._once = [*self._once[1 - _ONCE :], (of, found)]
        return found

    def agree(
        self,
        blocks: FloatArray,
        other: FloatArray,
        change: float,
        *,
        keep: bool = False,
        bound: FieldBound | None = None,
    ) -> bool:
        """Take the peaks of a kernel for those of another if no peak can differ but by rounding.

        One may be a multiple of the other. With |A_i − B_i| ≤ δ in the weights of A, a maximum of A
        is within 2 δ |s ∘ g_j| of A's value at the maximum of B. What is kept stays known for good;
        ``bound`` is that of the kernel, if it is at hand.
        """
        factor = _agreeing_factor(bound or FieldBound(blocks), other, change)
        if factor is not None and keep:
            self._pinned.append((blocks, self.peaks(other).times(factor)))
        return factor is not None

    def liken(self, blocks: FloatArray, change: float) -> None:
        """Take the peaks of a kernel for those of the last one that was searched if they agree."""
        known = (*self._pinned, *self._known)
        if not known or any(same_array(blocks, other) for other, _ in known):
            return
        last, peaks = known[-1]
        same_shape = last.shape == blocks.shape
        factor = _agreeing_factor(FieldBound(blocks), last, change) if same_shape else None
        if factor is not None:
            self._known = [*self._known[-1:], (blocks, peaks.times(factor))]

    def _found(self, blocks: FloatArray) -> Peaks:
        directions = self._suiting(blocks)
        kernel = directions.kernel(blocks)
        search = PeakSearch(blocks, self.gain, kernel, directions.fields)
        guesses = [searched.location for searched in self._searched]
        search.run(self._most_alike(kernel, directions), guesses)
        if (found := search.searched()) is not None:
            self._searched.append(found)
        return Peaks(location=search.location, value=search.value)

    def _suiting(self, blocks: FloatArray) -> Directions:
        """Return coordinates in which a kernel is bound tightly, its own if there are none."""
        found = [(made.tightness(blocks), made) for made in self._coordinates]
        tightness, best = max(found, key=itemgetter(0), default=(0.0, None))
        if best is not None and tightness >= _SUITS * best.own:
            return best
        # room is made first
        kept = self._coordinates[1 - _COORDINATES :]
        self._searched = [s for s in self._searched if any(s.fields is k.fields for k in kept)]
        self._coordinates = kept
        self._coordinates.append(made := Directions(blocks, self.gain))
        return made

    def _most_alike(self, kernel: Rows, directions: Directions) -> Searched | None:
        """Return what bounds a kernel best, and make room for that kernel in its place."""
        alike = [other for other in self._searched if other.fields is directions.fields]
        nearest = min(alike, key=lambda searched: searched.apart(kernel), default=None)
        if len(self._searched) == _SEARCHED:
            gone = nearest or self._searched[0]
            self._searched = [other for other in self._searched if other is not gone]
        return nearest

    def values(self, blocks: FloatArray, locations: IntArray) -> FloatArray:
        """|K_i G_j| of one location i (n_sources,) for each source j, shape (n_sources,)."""
        return values_at(blocks, self.gain, locations)


def _agreeing_factor(bound: FieldBound, other: FloatArray, change: float) -> float | None:
    """By what another kernel is multiplied to agree with one, None if it does not."""
    factor = _factor(bound.blocks, other)
    # in sizes of A: |A_i − B_i| ≤ ε |B_i| ≤ ε / (1 − ε) |A_i|
    largest = change / (1 - change) * bound.largest_location
    return factor if bound.is_near(other, factor, largest) else None


def _factor(blocks: FloatArray, other: FloatArray) -> float:
    """By what another kernel is multiplied to come nearest; 1 where there is no such number."""
    size = np.einsum("mpn,mpn->", other, other)
    factor = float(np.einsum("mpn,mpn->", blocks, other) / size) if size > 0 else 1.0
    return factor if factor > 0 and np.isfinite(factor) else 1.0


def same_array(one: FloatArray, other: FloatArray) -> bool:
    """Tell whether two arrays are views of the same numbers."""
    places = (a.__array_interface__["data"][0] for a in (one, other))
    if one.shape != other.shape or len(set(places)) == 2:
        return False
    # along an axis of one number a stride means nothing
    strides = zip(one.shape, one.strides, other.strides, strict=True)
    return all(length == 1 or a == b for length, a, b in strides)
