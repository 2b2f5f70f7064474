"""The largest product of each source's field with a kernel, without most of the products.

A location can be the peak of a source only if its bound reaches the largest value that is known:
so locations are gone through from the largest kernel down, a piece at a time that stays in the
cache, in single precision and few directions (:mod:`mne_bstinv.compare.directions`). What that
cannot tell from the largest is compared in double precision.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from mne_bstinv._types import FloatArray, IntArray
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
#: Part of a piece's locations that may be the peak of a source beyond which all are compared.
_MANY = 1 / 32
#: Numbers of the blocks that are multiplied one by one at a time.
_NUMBERS = 2**19


class PeakSearch:
    """The peaks of one kernel (n_locations, n_components, n_channels), as they are found."""

    def __init__(self, blocks: FloatArray, gain: FloatArray, kernel: Rows, fields: Rows) -> None:
        self._blocks, self._gain = blocks, gain
        #: Number of the location of the largest value known, and that value, (n_sources,).
        self.location = np.zeros(fields.head.shape[2], dtype=np.int64)
        self.value = np.full(len(self.location), -1.0)
        self._order = np.argsort(-kernel.sizes, kind="stable")
        # locations of a piece stay in their order: of equal values the first is the peak
        for part in self._pieces():
            self._order[part].sort()
        self._kernel, self._fields = kernel.at(self._order), fields
        self._sizes = self._kernel.sizes, fields.sizes
        self._unit = kernel.unit * fields.unit
        self._rounding = (kernel.head.shape[1] + 8) * SINGLE
        #: How many directions are multiplied in each piece, by their place in the counts.
        self._level = [min(_FIRST, len(kernel.counts) - 1)] * len(list(self._pieces()))

    def _pieces(self) -> Iterator[slice]:
        for start in range(0, len(self._order), LOCATIONS):
            yield slice(start, start + LOCATIONS)

    def run(self, guesses: list[IntArray]) -> None:
        """Find the peaks, from guesses of them, (n_sources,) each."""
        from tqdm import tqdm

        sizes = self._sizes[1]
        seen = np.flatnonzero(sizes > 0)
        self.location[:], self.value[:] = 0, 0.0
        if not (seen.size and self._sizes[0].any()):
            return
        self.value[seen] = -1.0
        p = self._blocks.shape[1]
        for columns in _split(seen, p):
            fields = _fields_of(self._gain, p, columns)
            for guess in guesses:
                self._offer(columns, fields, np.arange(len(columns)), guess[columns])
            self._look(columns, fields, 0, next(self._pieces()))
        # those that need the largest kernels first: the others' pieces are more
        chunks = list(_split(seen[np.argsort(-self.value[seen] / sizes[seen], kind="stable")], p))
        # disable=None: only where somebody watches; delay: not for what is over in a moment
        for columns in tqdm(chunks, desc="point spreads", disable=None, delay=1, leave=False):
            fields = _fields_of(self._gain, p, columns)
            for k, part in enumerate(self._pieces()):
                if k:
                    near = self._in_reach(columns, part)
                    self._look(columns[near], fields[near], k, part)

    def _in_reach(self, columns: IntArray, part: slice) -> Any:
        """Tell which columns have a bound in a piece that reaches the value known."""
        bound = (1 + self._rounding) * self._behind(0, columns, part)
        return self._unit * bound >= self.value[columns]

    def _behind(self, level: int, columns: IntArray, part: slice) -> Any:
        """Bound the products of a piece in the directions that are left out, (n_columns,)."""
        kernel, fields = self._kernel.behind[level][:, part], self._fields.behind[level][:, columns]
        if len(kernel) == 1:  # the largest of all is that of each
            return np.sqrt(fields[0] * kernel.max())
        return np.sqrt((fields.T @ kernel).max(axis=1))

    def _look(self, columns: IntArray, fields: FloatArray, k: int, part: slice) -> None:
        """Look for larger values of some sources in a piece, and learn how many directions to."""
        if not columns.size:
            return
        level, levels = self._level[k], self._kernel.counts
        heads = (rows.head[:, : levels[level]] for rows in (self._fields, self._kernel))
        squares = _squares(*(h[:, :, at] for h, at in zip(heads, (columns, part), strict=True)))
        rest = self._behind(level, columns, part)
        rest += self._rounding * self._sizes[0][part].max() * self._sizes[1][columns]
        hit = np.flatnonzero(squares.max(axis=1) >= self._limits(columns, rest))
        besides = 0.0
        if hit.size:
            besides = self._compare(columns, fields, hit, squares[hit], rest[hit], level, part)
        work = squares.size * fields.shape[1] ** 2 * (levels[level] + _LOOK)
        step = int(besides > _MORE * work) - int(besides < _LESS * work)
        self._level[k] = min(max(level + step, 1), len(levels) - 1)

    def _compare(
        self,
        columns: IntArray,
        fields: FloatArray,
        hit: IntArray,
        squares: Any,
        rest: FloatArray,
        level: int,
        part: slice,
    ) -> float:
        """Compare what is possible of the columns that are hit; return what it cost.

        ``squares`` (n_hit, n_locations) and ``rest`` (n_hit,) are theirs.
        """
        locations, sources = self._order[part], columns[hit]
        best = squares.argmax(axis=1)
        largest = squares[np.arange(len(hit)), best]
        kept = self._possible(largest, sources, part.start + best, level)
        self._offer(columns, fields, hit[kept], locations[best[kept]])
        possible = squares >= self._limits(sources, rest)[:, None]
        rows, found = np.divmod(np.flatnonzero(possible.ravel()), len(locations))
        kept = self._possible(squares[rows, found], sources[rows], part.start + found, level)
        cost = squares.size * _HIT + rows.size * _PAIR + np.count_nonzero(kept) * _AGAIN
        rows, found = rows[kept], found[kept]
        many = np.bincount(rows, minlength=len(hit)) > _MANY * len(locations)
        if many.any():
            self._among_all(columns, fields, hit[many], locations)
            rows, found = rows[~many[rows]], found[~many[rows]]
        self._offer(columns, fields, hit[rows], locations[found])
        return cost

    def _limits(self, columns: IntArray, rest: FloatArray) -> Any:
        """Squared product of the directions that reaches what is known, (n_columns,)."""
        limits = np.maximum(self.value[columns] / self._unit - rest, 0.0)
        return ((1 - 32 * SINGLE) * limits**2).astype(np.float32)

    def _possible(self, squares: Any, columns: IntArray, places: IntArray, level: int) -> Any:
        """Tell which pairs (n_pairs,) reach what is known by their own bounds."""
        kernel, fields = self._kernel.behind[level], self._fields.behind[level]
        sizes = np.sqrt(squares) + np.sqrt((kernel[:, places] * fields[:, columns]).sum(axis=0))
        sizes += self._rounding * self._sizes[0][places] * self._sizes[1][columns]
        return sizes >= (1 - 32 * SINGLE) / self._unit * self.value[columns]

    def _among_all(
        self, columns: IntArray, fields: FloatArray, chosen: IntArray, locations: IntArray
    ) -> None:
        """Compare all locations of a piece, for some of the columns."""
        p, n = self._blocks.shape[1:]
        rows = self._blocks[locations].reshape(-1, n)
        sizes = block_sizes(rows @ fields[chosen].reshape(-1, n).T, p)
        self._offer(columns, fields, chosen, locations[sizes.argmax(axis=0)])

    def _offer(
        self, columns: IntArray, fields: FloatArray, chosen: IntArray, locations: IntArray
    ) -> None:
        """Take locations (n_pairs,) for the peaks of columns (by their places) where they are."""
        values = _paired_sizes(self._blocks, locations, fields, chosen)
        # the largest of each column, and of these the first, stands first
        order = np.lexsort((locations, -values, chosen))
        order = order[np.unique(chosen[order], return_index=True)[1]]
        sources, values, locations = columns[chosen[order]], values[order], locations[order]
        known, place = self.value[sources], self.location[sources]
        better = (values > known) | ((values == known) & (locations < place))
        self.value[sources[better]] = values[better]
        self.location[sources[better]] = locations[better]


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
