"""The gain of the channels in use, projected and referenced on the way through it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mne_bstinv._types import FloatArray, IntArray

__all__ = ["Gain"]

#: Columns gone through at a time, three a location: those of some hundred channels fit the cache.
_AT_ONCE = 3 * 192


@dataclass(frozen=True, eq=False)
class Gain:
    """A gain of the channels in use, (n_channels, 3 n_sources), unwhitened.

    An inverse goes through it once, piece by piece, and takes what it needs from each while that is
    in the cache: an array as large as the gain is made only where :attr:`array` is asked for.
    """

    #: Gain as it is stored, (n_stored, n_stored_columns). Never copied.
    stored: FloatArray
    #: Makes rows of the channels in use, (k, n_channels), of rows of the transpose, (k, n_stored).
    #: They may be overwritten by the next. None: all channels are in use, as they are.
    in_use: Callable[[FloatArray], FloatArray] | None = None
    #: 0-based columns of the locations, three for each; None: all that are stored.
    columns: IntArray | None = None

    @cached_property
    def shape(self) -> tuple[int, int]:
        """Channels in use, and columns."""
        n_columns = self.stored.shape[1] if self.columns is None else len(self.columns)
        if self.in_use is None:
            return len(self.stored), n_columns
        return self.in_use(self.stored.T[:0]).shape[1], n_columns  # of no rows at all

    @property
    def n_channels(self) -> int:
        """Channels in use."""
        return self.shape[0]

    @property
    def n_sources(self) -> int:
        """Number of locations."""
        return self.shape[1] // 3

    def at(self, locations: IntArray) -> Gain:
        """Return the gain of some of all locations that are stored, by their 0-based positions."""
        columns = (3 * locations[:, None] + np.arange(3)).ravel()
        return dataclasses.replace(self, columns=columns)

    def blocks(self) -> Iterator[tuple[slice, FloatArray]]:
        """Go through the locations: yield some of them, and their x, y and z.

        These are rows, (n_locations, 3, n_channels), not to be written to, and may be overwritten
        by the next.
        """
        for piece, rows in self._rows():
            block = np.ascontiguousarray(rows, dtype=np.float64)
            yield slice(piece.start // 3, piece.stop // 3), block.reshape(-1, 3, self.n_channels)

    @cached_property
    def array(self) -> FloatArray:
        """The gain as an array, whose columns of a location are near each other."""
        if self.in_use is None and self.columns is None:
            return self.stored
        rows = np.empty(self.shape[::-1])
        for piece, made in self._rows():
            rows[piece] = made
        return rows.T

    def _rows(self) -> Iterator[tuple[slice, FloatArray]]:
        """Yield pieces of the transpose, (k, n_channels)."""
        stored = self.stored.T
        for start in range(0, self.shape[1], _AT_ONCE):
            piece = slice(start, min(start + _AT_ONCE, self.shape[1]))
            rows = stored[piece if self.columns is None else self.columns[piece]]
            yield piece, rows if self.in_use is None else self.in_use(rows)
