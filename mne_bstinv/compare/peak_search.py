"""The largest product of each source's field with a kernel, without most of the products.

A location can be the peak of a source only if its bound reaches the largest value that is known.
Bounds are of blocks of locations that stand together by the sizes of a kernel: they follow from
these sizes, from what is known of a kernel like it (:mod:`mne_bstinv.compare.alike`), and from
products in single precision, first in few directions (:mod:`mne_bstinv.compare.directions`), then
in all. Blocks that single precision cannot tell from the largest are compared in double precision.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

import numpy as np

from mne_bstinv._types import FloatArray, IntArray
from mne_bstinv.compare.alike import BLOCK, Searched, by_blocks, by_sizes
from mne_bstinv.compare.directions import SINGLE, Rows, block_sizes, evenly, fields_of

__all__ = ["PeakSearch", "values_at"]

#: Blocks of locations that are looked at in few directions at a time, and sources with them.
BLOCKS, SOURCES = 8, 512
#: Sources (by components) by which it is told what is worth while.
_SAMPLE = 64
#: What is done with a product besides, in products of one direction; how many times longer products
#: of a single block take.
_LOOK, _ALONE = 18, 2
#: Of blocks of several components: locations of about the same size among which those that are
#: alike are put together, by so many directions.
_TOGETHER, _ALIKE_IN = 2048, 30
#: Every so many-th location is guessed from, in the directions of this level.
_EVERY, _GUESSED_IN = 32, 2
#: Relative difference within which values in double precision are equal, for each number summed.
_EQUAL = 2.0**-52


class PeakSearch:
    """The peaks of one kernel (n_locations, n_components, n_channels), as they are found."""

    def __init__(self, blocks: FloatArray, gain: FloatArray, kernel: Rows, fields: Rows) -> None:
        self._blocks, self._by_location = blocks, fields_of(gain, blocks.shape[1])
        self._kernel, self._fields = kernel, fields
        n_sources = fields.head.shape[1]
        #: Number of the location of the largest value, and that value, (n_sources,).
        self.location = np.zeros(n_sources, dtype=np.int64)
        self.value = np.zeros(n_sources)
        self._some = evenly(n_sources, _SAMPLE // len(fields.head))
        self._rounding = (kernel.head.shape[2] + 8) * SINGLE
        #: What the largest product of a source is at least, (n_sources,), and the products of a
        #: block at most, (n_blocks, n_sources), divided by the units of both: of float32.
        self._least: Any = np.zeros(n_sources, dtype=np.float32)
        self._most: Any = None
        #: Where products are made.
        self._scratch: Any = np.empty(0, dtype=np.float32)

    def run(self, like: Searched | None, guesses: Sequence[IntArray] = ()) -> None:
        """Find the peaks, with what is known of a kernel like this one, and of where they may be.

        It is in the same coordinates; nothing of it is held on to. Locations (n_sources,) are
        guessed.
        """
        from tqdm import tqdm

        if not (self._fields.sizes.any() and self._kernel.sizes.any()):
            return
        everything = np.arange(len(self.location))
        for locations in (everything, *guesses):
            self._guess(locations, everything)
        self._arrange(like)
        if like is None and len(self._kernel.head) > 1:
            self._guess_from_few()
        del like
        # disable=None: only where somebody watches; delay: not for what is over in a moment
        pieces = range(0, len(self._most), BLOCKS)
        for first in tqdm(pieces, desc="point spreads", disable=None, delay=1, leave=False):
            self._look_at(slice(first, first + BLOCKS))
        for block in range(len(self._most)):
            self._compare(block)

    def searched(self) -> Searched | None:
        """Return what is known now of kernels like this one; None of what sees nothing."""
        if self._most is None:
            return None
        return Searched(
            kernel=self._kernel,
            fields=self._fields,
            order=self._order,
            location=self.location,
            most=self._most,
        )

    # before anything is multiplied

    def _guess(self, locations: IntArray, sources: IntArray) -> None:
        """Take the products of one location for each source for what the largest is at least."""
        for part in _split(np.arange(len(sources))):
            columns, at = sources[part], locations[part]
            fields, kernel = self._fields.head[:, columns], self._kernel.head[:, at]
            squares = sum(np.einsum("jn,jn->j", f, k) ** 2 for f, k in product(fields, kernel))
            self._raise(columns, np.sqrt(squares), self._kernel.sizes[at])

    def _guess_from_few(self) -> None:
        """Guess the locations from some of them, in few directions."""
        some = self._order[::_EVERY]
        rows = self._kernel.at(some)
        count = rows.counts[: _GUESSED_IN + 1][-1]  # fewer channels have fewer levels
        for columns in _split(np.arange(len(self.location))):
            squares = self._squares(rows, columns, count)
            self._guess(some[squares.argmax(axis=0)], columns)

    def _arrange(self, like: Searched | None) -> None:
        """Put the locations in order, by their sizes or as those of a kernel like this one."""
        fields, some = self._fields, self._some
        self._order = _ordered(self._kernel)
        if like is not None:
            self._most = like.bounds(self._kernel)
            own = by_sizes(self._kernel.behind[0][:, self._order], fields.behind[0][:, some])
            least = self._least[some]
            if np.sum(self._most[:, some] >= least) <= np.sum(own >= least):
                self._order = like.order
                return
            self._most = None  # as large as what follows
        self._most = by_sizes(self._kernel.behind[0][:, self._order], fields.behind[0])

    # products in single precision

    def _look_at(self, piece: slice) -> None:
        """Bound the products of some blocks more tightly, where they reach what is known."""
        rows = self._kernel.at(self._order[piece.start * BLOCK : piece.stop * BLOCK])
        if level := self._level(piece, rows):
            reached = (self._most[piece] >= self._least).any(axis=0)
            for columns in _split(np.flatnonzero(reached)):
                self._lower(piece, columns, self._bounds(rows, columns, level))
        for k, reached in enumerate(self._most[piece] >= self._least):
            block = rows.at(slice(k * BLOCK, (k + 1) * BLOCK))
            for columns in _split(np.flatnonzero(reached)):
                self._in_all_directions(piece.start + k, block, columns)

    def _level(self, piece: slice, rows: Rows) -> int:
        """Choose the directions to look at a piece in, by what they leave of some sources.

        Level 0 where all directions of the blocks that are reached cost least.
        """
        counts, columns = self._kernel.counts, self._some
        near = self._most[piece, columns] >= self._least[columns]
        in_blocks = _ALONE * counts[-1]
        reached = len(near) * np.count_nonzero(near.any(axis=0))
        costs = [in_blocks * np.count_nonzero(near)]
        for level, count in list(enumerate(counts))[1:]:
            if (count + _LOOK) * reached >= min(costs):
                break
            near &= self._bounds(rows, columns, level) >= self._least[columns]
            costs.append((count + _LOOK) * reached + in_blocks * np.count_nonzero(near))
        return int(np.argmin(costs))

    def _in_all_directions(self, block: int, rows: Rows, columns: IntArray) -> None:
        """Bound the products of a block as tightly as single precision can, from both sides."""
        largest = np.sqrt(self._squares(rows, columns, rows.counts[-1]).max(axis=0))
        size = rows.sizes.max()
        self._raise(columns, largest, size)
        self._lower(slice(block, block + 1), columns, self._at_most(columns, largest, size))

    def _bounds(self, rows: Rows, columns: IntArray, level: int) -> Any:
        """Bound the products of some blocks by those in few directions, (n_blocks, n_columns)."""
        fields = self._fields
        found = np.sqrt(by_blocks(self._squares(rows, columns, rows.counts[level])))
        found += by_sizes(rows.behind[level], fields.behind[level][:, columns])
        return self._at_most(columns, found, by_blocks(rows.sizes)[:, None])

    def _squares(self, rows: Rows, columns: IntArray, count: int) -> Any:
        """|K_i G_j|² in the first directions, (n_locations, n_columns), in a scratch array."""
        fields, kernel = self._fields.head[:, columns, :count], rows.head[..., :count]
        shape = kernel.shape[1], columns.size
        if self._scratch.size < 2 * math.prod(shape):
            self._scratch = np.empty(2 * math.prod(shape), dtype=np.float32)
        total, products = self._scratch[: 2 * math.prod(shape)].reshape(2, *shape)
        for k, (row, field) in enumerate(product(kernel, fields)):
            out = products if k else total
            np.matmul(row, field.T, out=out)
            np.multiply(out, out, out=out)
            if k:
                np.add(total, out, out=total)
        return total

    def _raise(self, columns: IntArray, found: Any, sizes: Any) -> None:
        """Note products of some sources with locations of these sizes: no largest is less."""
        least = (1 - self._rounding) * found - self._rounding * sizes * self._fields.sizes[columns]
        self._least[columns] = np.maximum(self._least[columns], least)

    def _at_most(self, columns: IntArray, found: Any, sizes: Any) -> Any:
        """Round products of some sources with locations of these sizes up."""
        return (1 + self._rounding) * found + self._rounding * sizes * self._fields.sizes[columns]

    def _lower(self, piece: slice, columns: IntArray, bounds: Any) -> None:
        """Note how large the products of some blocks can be, (n_blocks, n_columns)."""
        self._most[piece, columns] = np.minimum(self._most[piece, columns], bounds)

    # in double precision

    def _compare(self, block: int) -> None:
        """Find the largest values of the sources that a block reaches; of equal ones the first."""
        n = self._blocks.shape[2]
        locations = np.sort(self._order[block * BLOCK : (block + 1) * BLOCK])
        rows = self._blocks[locations].reshape(-1, n)
        reached = (self._most[block] >= self._least) & (self._fields.sizes > 0)
        for columns in _split(np.flatnonzero(reached)):
            fields = self._by_location[columns]
            sizes = block_sizes(rows @ fields.reshape(-1, n).T, fields.shape[1])
            largest = sizes.max(axis=0)
            first = locations[(sizes >= (1 - n * _EQUAL) * largest).argmax(axis=0)]
            known, place = self.value[columns], self.location[columns]
            equal = abs(largest - known) <= n * _EQUAL * largest
            better = np.where(equal, first < place, largest > known)
            self.location[columns[better]] = first[better]
            self.value[columns[better]] = largest[better]


def _ordered(kernel: Rows) -> IntArray:
    """Put locations in order by their sizes, and those with several components by likeness too.

    Rows of one component turn their signs with the cortex: there it costs what it saves.
    """
    order = np.argsort(-kernel.sizes, kind="stable")
    if len(kernel.head) == 1:
        return order
    # in each direction, whatever the frame of the components
    parts = np.sqrt(np.sum(kernel.head[..., :_ALIKE_IN] ** 2, axis=0))
    parts /= np.where(kernel.sizes > 0, kernel.sizes, 1)[:, None]
    pieces = (order[k : k + _TOGETHER] for k in range(0, len(order), _TOGETHER))
    return np.concatenate([block for piece in pieces for block in _divided(piece, parts)])


def _divided(locations: IntArray, parts: Any) -> Iterator[IntArray]:
    """Divide locations into blocks, each time where they differ most."""
    if len(locations) <= BLOCK:
        yield locations
        return
    apart = parts[locations] - parts[locations].mean(axis=0)
    axis = np.linalg.eigh(apart.T @ apart)[1][:, -1]
    along = locations[np.argsort(apart @ axis, kind="stable")]
    half = (len(along) // BLOCK + 1) // 2 * BLOCK
    yield from _divided(along[:half], parts)
    yield from _divided(along[half:], parts)


def values_at(blocks: FloatArray, gain: FloatArray, locations: IntArray) -> FloatArray:
    """|K_i G_j| of one location i (n_sources,) for each source j, shape (n_sources,)."""
    values, fields = np.empty(len(locations)), fields_of(gain, blocks.shape[1])
    for columns in _split(np.arange(len(locations))):
        products = blocks[locations[columns]] @ fields[columns].transpose(0, 2, 1)
        values[columns] = np.sqrt(np.einsum("kab,kab->k", products, products))
    return values


def _split(columns: IntArray) -> Iterator[IntArray]:
    for start in range(0, len(columns), SOURCES):
        yield columns[start : start + SOURCES]
