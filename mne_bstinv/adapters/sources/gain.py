"""Gains from Brainstorm's axes and order to MNE's, at once or when their numbers are asked for.

The three columns of each location are turned from SCS to MNE's head frame, G_i ← G_i R', rows of
channels are picked, and locations stand in the order of MNE's source spaces. The files of both hold
gains by columns, MNE works with rows: on the way from file to file nothing is transposed.
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from mne_bstinv._types import FloatArray, IntArray

__all__ = ["LazyGain", "turned_gain"]

#: Their gains stay in the processor's cache: 400 channels take 1.2 MB.
_LOCATIONS_AT_ONCE = 128


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
    blocks = gain.T.reshape(-1, 3, len(gain))
    for start in range(0, len(order), _LOCATIONS_AT_ONCE):
        some = slice(start, start + _LOCATIONS_AT_ONCE)
        part = rotation @ blocks[order[some]][..., rows]
        columns[3 * some.start : 3 * some.stop] = part.reshape(-1, len(rows))


class LazyGain:
    """A gain (n_rows, 3 n_order), or its transpose, that is turned when its numbers are asked for.

    MNE's writer picks rows of a gain, transposes it and asks for it in the precision of the file.
    With this in place of an array it copies the gain once, as the file has it, instead of five
    times. What else may be asked of an array is answered by an array.
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
        self.size, self.ndim = shape[0] * shape[1], 2

    def __len__(self) -> int:
        return self.shape[0]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> FloatArray:
        gain, rotation, order = self._of
        columns = np.empty((3 * len(order), len(self._rows)), dtype=dtype)
        _turn_into(columns, gain, self._rows, rotation, order)
        return columns if self._by_columns else columns.T

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
