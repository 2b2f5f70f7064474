"""The largest product of each source's field with a kernel, without most of the products.

A location can be the peak of a source only if its bound reaches the largest value that is known:
so locations are gone through from the largest kernel down, a piece at a time that stays in the
cache, in single precision and few directions (:mod:`mne_bstinv.compare.directions`). What that
cannot tell from the largest is compared in double precision. What a piece can hold at most is
noted for kernels like this one (:mod:`mne_bstinv.compare.alike`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from mne_bstinv._types import FloatArray, IntArray
from mne_bstinv.compare.alike import Searched
from mne_bstinv.compare.directions import SINGLE, Rows, block_sizes

__all__ = ["PeakSearch", "values_at"]

#: Sources (by components), and locations, that are multiplied at a time.
SOURCES, LOCATIONS = 512, 512
#: The level of directions to begin with, and the parts of the work in products up to and beyond
#: which what is done besides asks for fewer and for more directions.
_FIRST, _LESS, _MORE = 4, 0.1, 0.3
#: Costs in products of one direction: of what is done with each product, with each of a column
#: that is hit, with a pair that is possible, and with one that is compared.
_LOOK, _HIT, _PAIR, _AGAIN = 5.0, 150.0, 3000.0, 110000.0
#: Part of a piece's locations that may be the peak of a source beyond which all are looked at in
#: more directions.
_MANY = 1 / 64
#: By how many levels the directions are more then.
_FURTHER = 2
#: Numbers of the blocks that are multiplied one by one at a time.
_NUMBERS = 2**19
#: Part of the pieces that are looked at again, up to which a kernel like another takes its order.
_AGAIN_AT_MOST = 0.25


class PeakSearch:
    """The peaks of one kernel (n_locations, n_components, n_channels), as they are found."""

    def __init__(self, blocks: FloatArray, gain: FloatArray, kernel: Rows, fields: Rows) -> None:
        self._blocks, self._gain = blocks, gain
        #: Number of the location of the largest value known, and that value, (n_sources,).
        self.location = np.zeros(fields.head.shape[2], dtype=np.int64)
        self.value = np.full(len(self.location), -1.0)
        self._kernel, self._fields = kernel, fields
        #: The locations in the order of the pieces, and their places in it, (n_locations,).
        self._order = np.arange(len(kernel.sizes))
        self._place = np.arange(len(kernel.sizes))
        #: What was taken for peaks: locations, sources, values, (n_offered,) each.
        self._former: list[tuple[IntArray, IntArray, FloatArray]] = []
        #: The kernel searched before whose bounds were used.
        self.alike: Searched | None = None
        self._sizes = kernel.sizes, fields.sizes
        self._unit = kernel.unit * fields.unit
        self._rounding = (kernel.head.shape[1] + 8) * SINGLE
        pieces = len(list(self._pieces()))
        #: How many directions are multiplied in each piece, by their place in the counts.
        self._level = [min(_FIRST, len(kernel.counts) - 1)] * pieces
        #: Largest products in each piece that are possible, but for the peak's, divided by the
        #: unit, (n_pieces, n_sources).
        self._largest = np.full((pieces, len(self.location)), np.inf)

    def _pieces(self) -> Iterator[slice]:
        for start in range(0, len(self._sizes[0]), LOCATIONS):
            yield slice(start, start + LOCATIONS)

    def run(self, known: Sequence[Searched] = ()) -> None:
        """Find the peaks, with what is known of kernels searched before.

        To begin with they are where the sources are, or where they were.
        """
        from tqdm import tqdm

        sizes = self._sizes[1]
        seen = np.flatnonzero(sizes > 0)
        self.location[:], self.value[:] = 0, 0.0
        if not (seen.size and self._sizes[0].any()):
            return
        self.value[seen] = -1.0
        p = self._blocks.shape[1]
        guesses = [np.arange(len(self.value)), *(searched.location for searched in known)]
        for columns in _split(seen, p):
            tried: list[IntArray] = []
            for guess in (guess[columns] for guess in guesses):
                new = np.flatnonzero(np.all([guess >= 0, *(guess != x for x in tried)], axis=0))
                self._offer(columns[new], guess[new])
                tried.append(guess)
        self._arrange(known)
        # disable=None: only where somebody watches; delay: not for what is over in a moment
        pieces = list(self._pieces())
        for k, part in enumerate(
            tqdm(pieces, desc="point spreads", disable=None, delay=1, leave=False)
        ):
            for columns in _split(self._in_reach(seen, k, part), p):
                self._look_and_learn(columns, k, part)
            self._level[k + 1 : k + 2] = self._level[k : k + 1]

    def searched(self) -> Searched | None:
        """Return what is known now of kernels like this one; None of what sees nothing."""
        if not self._former:
            return None
        largest = np.minimum(self._largest, self.value / self._unit)
        for places, sources, values in self._former:
            piece = self._place[places] // LOCATIONS
            largest[piece, sources] = np.maximum(largest[piece, sources], values / self._unit)
        return Searched(
            order=self._order,
            starts=np.array([part.start for part in self._pieces()]),
            kernel=self._kernel,
            location=self.location,
            largest=largest,
        )

    def _arrange(self, known: Sequence[Searched]) -> None:
        """Put the locations in order: by their sizes, or as those of the kernel most alike."""
        kernel, sizes, limits = self._kernel, self._sizes[1], self.value / self._unit
        order = None
        if known:
            most = min(known, key=lambda searched: searched.apart(kernel))
            ordered = kernel.at(most.order)
            largest = most.bounds(ordered, sizes)
            largest += self._rounding * kernel.sizes.max() * sizes
            if np.mean(largest >= limits) < _AGAIN_AT_MOST:
                self.alike, order = most, most.order
                self._kernel, self._largest = ordered, largest
        if order is None:
            order = np.argsort(-kernel.sizes, kind="stable")
            # locations of a piece stay in their order: of equal values the first is the peak
            for piece in self._pieces():
                order[piece].sort()
            self._kernel = kernel.at(order)
        self._order, self._sizes = order, (self._kernel.sizes, sizes)
        self._place[order] = np.arange(len(order))
        if self.alike is not None:  # nothing is said of its peaks
            moved = np.flatnonzero(self.alike.location != self.location)
            self._largest[self._place[self.alike.location[moved]] // LOCATIONS, moved] = np.inf

    def _in_reach(self, columns: IntArray, k: int, part: slice) -> IntArray:
        """Return which of the columns can have a value in a piece that reaches theirs."""
        # first by what the largest of each direction would come to
        for kernel in (self._kernel.behind[0][:, part].max(axis=1, keepdims=True), None):
            columns = columns[self._largest[k, columns] >= self.value[columns] / self._unit]
            bound = (1 + self._rounding) * self._behind(0, columns, part, kernel)
            self._limit(k, columns, bound)
        near: IntArray = columns[bound >= self.value[columns] / self._unit]
        return near

    def _limit(self, k: int, columns: IntArray, bound: FloatArray) -> None:
        """Note how large the products of a piece can be."""
        self._largest[k, columns] = np.minimum(self._largest[k, columns], bound)

    def _behind(
        self, level: int, columns: IntArray, part: slice, kernel: FloatArray | None = None
    ) -> Any:
        """Bound the products of a piece in the directions that are left out, (n_columns,)."""
        fields = self._fields.behind[level][:, columns]
        kernel = self._kernel.behind[level][:, part] if kernel is None else kernel
        if len(kernel) == 1:  # the largest of all is that of each
            return np.sqrt(fields[0] * kernel.max(), dtype=np.float64)
        return np.sqrt((fields.T @ kernel).max(axis=1), dtype=np.float64)

    def _look_and_learn(self, columns: IntArray, k: int, part: slice) -> None:
        """Look for larger values of some sources in a piece, and learn how many directions to."""
        level, levels = self._level[k], self._kernel.counts
        besides, bound = self._look(columns, level, part)
        self._limit(k, columns, bound)
        step = int(besides > _MORE) - int(besides < _LESS)
        self._level[k] = min(max(level + step, 1), len(levels) - 1)

    def _look(self, columns: IntArray, level: int, part: slice) -> tuple[float, FloatArray]:
        """Look for larger values of some sources in a piece.

        Returns what the comparisons cost, in multiples of the products, and bounds (n_columns,) of
        what is not the peak.
        """
        count = self._kernel.counts[level]
        heads = (rows.head[:, :count] for rows in (self._fields, self._kernel))
        squares = _squares(*(h[:, :, at] for h, at in zip(heads, (columns, part), strict=True)))
        # what is known needs not be compared again
        peak = self._place[self.location[columns]] - part.start
        inside = np.flatnonzero((peak >= 0) & (peak < squares.shape[1]))
        squares[inside, peak[inside]] = 0.0
        rest = self._behind(level, columns, part)
        rest += self._rounding * self._sizes[0][part].max() * self._sizes[1][columns]
        largest = squares.max(axis=1)
        hit = np.flatnonzero(largest >= self._limits(columns, rest))
        bound = (1 + 32 * SINGLE) * np.sqrt(largest) + rest
        cost, work = 0.0, squares.size * self._blocks.shape[1] ** 2 * (count + _LOOK)
        if hit.size:
            cost, bound[hit] = self._compare(columns[hit], squares[hit], rest[hit], level, part)
        return cost / work, bound

    def _compare(
        self, columns: IntArray, squares: Any, rest: FloatArray, level: int, part: slice
    ) -> tuple[float, FloatArray]:
        """Compare what is possible of columns that are hit, in more directions where it is much.

        ``squares`` (n_columns, n_locations) and ``rest`` (n_columns,) are theirs. Returns what it
        cost, in products of one direction, and bounds (n_columns,) of what is not the peak.
        """
        locations = self._order[part]
        every, best = np.arange(len(columns)), squares.argmax(axis=1)
        own = self._own(squares[every, best], columns, part.start + best, level)
        kept = own >= self.value[columns] / self._unit
        self._offer(columns[kept], locations[best[kept]])
        rows, found = np.nonzero(squares >= self._limits(columns, rest)[:, None])
        own = self._own(squares[rows, found], columns[rows], part.start + found, level)
        kept = own >= self.value[columns[rows]] / self._unit
        squares[rows, found] = 0.0
        bound = (1 + 32 * SINGLE) * np.sqrt(squares.max(axis=1)) + rest
        np.maximum.at(bound, rows[~kept], own[~kept])
        rows, found = rows[kept], found[kept]
        cost = squares.size * _HIT + kept.size * _PAIR + rows.size * _AGAIN
        many = np.bincount(rows, minlength=len(columns)) > max(1, _MANY * squares.shape[1])
        if many.any():
            bound[many] = self._again(columns[many], level, part)
            rows, found = rows[~many[rows]], found[~many[rows]]
        values = self._offer(columns[rows], locations[found])
        lost = self.location[columns[rows]] != locations[found]
        np.maximum.at(bound, rows[lost], values[lost] / self._unit)
        return cost, bound

    def _again(self, columns: IntArray, level: int, part: slice) -> FloatArray:
        """Look at a piece in more directions, or after all of them in double precision.

        Returns bounds (n_columns,) of what is not the peak.
        """
        if level + 1 < len(self._kernel.counts):
            return self._look(columns, min(level + _FURTHER, len(self._kernel.counts) - 1), part)[1]
        self._among_all(columns, self._order[part])
        return np.full(len(columns), np.inf)  # in double precision: what is the largest is known

    def _limits(self, columns: IntArray, rest: FloatArray) -> Any:
        """Squared product of the directions that reaches what is known, (n_columns,)."""
        limits = np.maximum(self.value[columns] / self._unit - rest, 0.0)
        return ((1 - 32 * SINGLE) * limits**2).astype(np.float32)

    def _own(self, squares: Any, columns: IntArray, places: IntArray, level: int) -> Any:
        """Bound the products of pairs (n_pairs,) one by one, by their squares in the directions."""
        kernel, fields = self._kernel.behind[level], self._fields.behind[level]
        sizes = np.sqrt(squares) + np.sqrt((kernel[:, places] * fields[:, columns]).sum(axis=0))
        sizes += self._rounding * self._sizes[0][places] * self._sizes[1][columns]
        return (1 + 64 * SINGLE) * sizes

    def _among_all(self, columns: IntArray, locations: IntArray) -> None:
        """Compare all locations of a piece, for some of the columns."""
        p, n = self._blocks.shape[1:]
        fields = _fields_of(self._gain, p, columns)
        rows = self._blocks[locations].reshape(-1, n)
        sizes = block_sizes(rows @ fields.reshape(-1, n).T, p)
        self._offer(columns, locations[sizes.argmax(axis=0)])

    def _offer(self, sources: IntArray, locations: IntArray) -> FloatArray:
        """Take locations for the peaks of sources, both (n_pairs,), where they are.

        Returns their values.
        """
        some, chosen = np.unique(sources, return_inverse=True)
        fields = _fields_of(self._gain, self._blocks.shape[1], some)
        values = _paired_sizes(self._blocks, locations, fields, chosen)
        # the largest of each source, and of these the first, stands first
        order = np.lexsort((locations, -values, chosen))
        order = order[np.searchsorted(chosen[order], np.arange(len(some)))]
        sources, largest, locations = some, values[order], locations[order]
        known, place = self.value[sources], self.location[sources]
        better = (largest > known) | ((largest == known) & (locations < place))
        # what was the peak is one of the others now
        self._former.append((place[better], sources[better], known[better]))
        self.value[sources[better]] = largest[better]
        self.location[sources[better]] = locations[better]
        return values


def values_at(blocks: FloatArray, gain: FloatArray, locations: IntArray) -> FloatArray:
    """|K_i G_j| of one location i (n_sources,) for each source j, shape (n_sources,)."""
    values = np.empty(len(locations))
    p = blocks.shape[1]
    for columns in _split(np.arange(len(locations)), p):
        fields = _fields_of(gain, p, columns)
        chosen = np.arange(len(columns))
        values[columns] = _paired_sizes(blocks, locations[columns], fields, chosen)
    return values


def _split(columns: IntArray, p: int) -> Iterator[IntArray]:
    step = max(1, SOURCES // p)
    for start in range(0, len(columns), step):
        yield columns[start : start + step]


def _fields_of(gain: FloatArray, p: int, columns: IntArray) -> FloatArray:
    """Fields of some sources in one place, (n_columns, n_components, n_channels)."""
    some = gain.reshape(len(gain), -1, p)[:, columns]
    return np.ascontiguousarray(some.transpose(1, 2, 0))


def _squares(fields: Any, kernel: Any) -> Any:
    """|K_i G_j|² by the directions, (n_columns, n_locations), of heads (p, n_directions, …)."""
    p, d, n_columns = fields.shape
    left = np.ascontiguousarray(fields.transpose(0, 2, 1)).reshape(-1, d)
    total: Any = None
    for rows in kernel:
        product = (left @ rows).reshape(p, n_columns, -1)
        if p == 1:
            return np.multiply(product[0], product[0], out=product[0])
        squares = np.einsum("aji,aji->ji", product, product)
        total = squares if total is None else np.add(total, squares, out=total)
    return total


def _paired_sizes(
    blocks: FloatArray, locations: IntArray, fields: FloatArray, sources: IntArray
) -> FloatArray:
    """|K_i G_j| of pairs (n_pairs,), fields (n_sources, n_components, n_channels)."""
    values = np.empty(len(locations))
    step = max(1, _NUMBERS // (blocks.shape[1] * blocks.shape[2]))
    for start in range(0, len(locations), step):
        part = slice(start, start + step)
        products = blocks[locations[part]] @ fields[sources[part]].transpose(0, 2, 1)
        values[part] = np.sqrt(np.einsum("kab,kab->k", products, products))
    return values
