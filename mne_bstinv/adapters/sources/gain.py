"""Gains from Brainstorm's axes and order to MNE's, at once or when their numbers are asked for.

The three columns of each location are turned from SCS to MNE's head frame, G_i ← G_i R', rows of
channels are picked, and locations stand in the order of MNE's source spaces. The files of both hold
gains by columns, MNE works with rows: on the way from file to file nothing is transposed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Self

import numpy as np

from mne_bstinv._types import AnyArray, FloatArray, IntArray
from mne_bstinv.adapters.pieces import LazyMatrix

__all__ = ["LazyGain", "turned_gain"]

#: Their gains stay in the processor's cache: 400 channels take 1.2 MB.
_LOCATIONS_AT_ONCE = 128

#: Channels a run from which it takes less time to copy runs than to take channels by position.
_RUN = 4


def turned_gain(
    gain: FloatArray, rows: IntArray, rotation: FloatArray, order: IntArray
) -> FloatArray:
    """Pick channels, turn the three columns of each location and reorder the locations: G_i R'.

    A few locations at a time, from the layout that MATLAB's files are read to (columns) to that
    which MNE works with (rows): a fourth of the time of turning the whole gain at once.
    """
    result = np.empty((len(rows), 3 * len(order)))
    _turn_into(result.T, gain, rows, rotation, order)
    return result


def _turn_into(
    columns: FloatArray, gain: FloatArray, rows: IntArray, rotation: FloatArray, order: IntArray
) -> None:
    """Turn a gain (n_channels, 3 n_sources) into columns (3 n_order, n_rows) of any precision."""
    done = 0
    for piece in _turned_pieces(gain, rows, rotation, order):
        columns[done : done + len(piece)] = piece
        done += len(piece)


def _turned_pieces(
    gain: FloatArray, rows: IntArray, rotation: FloatArray, order: IntArray
) -> Iterator[FloatArray]:
    """Yield the columns of some locations at a time, (3 n_locations, n_rows), in one memory."""
    blocks, runs = gain.T.reshape(-1, 3, len(gain)), _runs(rows)
    out = np.empty((min(_LOCATIONS_AT_ONCE, len(order)), 3, len(rows)))
    for start in range(0, len(order), _LOCATIONS_AT_ONCE):
        some = blocks[order[start : start + _LOCATIONS_AT_ONCE]]
        parts = [some[..., run] for run in runs]
        picked = parts[0] if len(parts) == 1 else np.concatenate(parts, axis=2)
        yield np.matmul(rotation, picked, out=out[: len(some)]).reshape(-1, len(rows))


def _runs(rows: IntArray) -> list[Any]:
    """Return what takes channels: their runs, or their positions where the runs are short."""
    runs = np.split(rows, np.flatnonzero(np.diff(rows) != 1) + 1)
    if len(runs) * _RUN > len(rows):
        return [rows]
    return [slice(run[0], run[-1] + 1) for run in runs]


class LazyGain(LazyMatrix):
    """A gain (n_rows, 3 n_order), or its transpose, that is turned when its numbers are asked for.

    MNE's writer picks rows of a gain, transposes it and asks for it in the precision of the file.
    With this in place of an array it is turned on the way into the file. What else may be asked
    of an array is answered by an array.
    """

    def __init__(
        self,
        gain: FloatArray,
        rows: IntArray,
        rotation: FloatArray,
        order: IntArray,
        *,
        by_columns: bool = False,
    ) -> None:
        self._of = gain, rotation, order
        self._rows, self._by_columns = rows, by_columns
        shape = len(rows), 3 * len(order)
        self.shape = shape[::-1] if by_columns else shape

    def __len__(self) -> int:
        return self.shape[0]

    def whole(self, dtype: Any) -> AnyArray:
        """Return the gain as an array."""
        gain, rotation, order = self._of
        columns = np.empty((3 * len(order), len(self._rows)), dtype)
        _turn_into(columns, gain, self._rows, rotation, order)
        return columns if self._by_columns else columns.T

    def pieces(self) -> Iterator[AnyArray]:
        """Yield the columns of some locations at a time; rows at once, which no file holds."""
        gain, rotation, order = self._of
        if self._by_columns:
            yield from _turned_pieces(gain, self._rows, rotation, order)
        else:
            yield self.whole(None)

    def __getitem__(self, which: Any) -> Any:
        whole = isinstance(which, tuple) and which[1:] == (slice(None),)
        rows = which[0] if whole else which
        if self._by_columns or isinstance(rows, tuple) or np.ndim(rows) != 1:
            return np.asarray(self)[which]
        return self._with(rows=self._rows[rows])

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(np.asarray(self), name)

    def __deepcopy__(self, memo: Any) -> Self:
        return self

    def turned(self) -> FloatArray:
        """Return the array that MNE works with, as :func:`turned_gain` makes it."""
        gain, rotation, order = self._of
        return turned_gain(gain, self._rows, rotation, order)

    def copy(self) -> Self:
        """Return this: it cannot be changed."""
        return self

    @property
    def T(self) -> Self:  # noqa: N802  the name of an array's transpose
        """The transpose."""
        return self._with(by_columns=not self._by_columns)

    def _with(self, *, rows: IntArray | None = None, by_columns: bool | None = None) -> Self:
        gain, rotation, order = self._of
        return type(self)(
            gain,
            self._rows if rows is None else rows,
            rotation,
            order,
            by_columns=self._by_columns if by_columns is None else by_columns,
        )
