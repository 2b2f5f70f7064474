"""Values that no schema describes: from a file to a read-only form and back to MATLAB.

Inside structs and cells reading keeps neither the class of numbers nor singleton dimensions,
so nested values have one canonical form: numbers are ``float`` or float64 arrays (rows and columns
become one-dimensional), text is ``str``, a cell is a ``tuple`` (of rows, if it has rows and
columns), a cell of one entry is the entry, a struct is a :class:`FrozenMap`, a struct array is a
:class:`FrozenMap` of tuples. What is lost with that (logical and integer classes, column vectors,
cells of one, function handles) cannot be written back; reading again what was written gives the
same values. Top-level variables keep their exact class and shape.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from scipy.sparse import csc_array, issparse

from mne_bstinv.io.variable import Unreadable, Variable

__all__ = ["FrozenMap", "Hints", "cell", "freeze", "freeze_variable", "struct", "thaw"]

logger = logging.getLogger("mne_bstinv")

#: How to freeze the field of a nested struct that has this name.
Hints = Mapping[str, Callable[[Any], Any]]

#: numpy's name of MATLAB's number classes.
DTYPES = {"double": "float64", "single": "float32", "logical": "bool"} | {
    f"{sign}int{bits}": f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)
}


class FrozenMap(Mapping[str, Any]):
    """A read-only copy of a dictionary, which unlike ``MappingProxyType`` can be pickled."""

    __slots__ = ("_items",)

    def __init__(self, items: Mapping[str, Any] | None = None) -> None:
        self._items: dict[str, Any] = dict(items or {})

    def __getitem__(self, name: str) -> Any:
        return self._items[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __repr__(self) -> str:
        return f"FrozenMap({', '.join(self._items)})"


def freeze(value: Any, hints: Hints | None = None) -> Any:
    """Return the canonical read-only form of a nested value."""
    if value is None:  # absent; also a struct without fields
        return NOTHING
    if isinstance(value, Mapping):
        hints = hints or {}
        return FrozenMap(
            {
                name: hints[name](item) if name in hints else freeze(item, hints)
                for name, item in value.items()
            }
        )
    if isinstance(value, list | tuple):
        return tuple(freeze(item, hints) for item in value)
    if isinstance(value, str | Unreadable):
        return value
    if issparse(value):
        return read_only(csc_array(value, dtype=np.float64))
    return _numbers(np.asarray(value))


def freeze_variable(variable: Variable, hints: Hints | None = None) -> Any:
    """Return the read-only form of a top-level variable, exact in class and shape."""
    value, shape, kind = variable.value, variable.shape, variable.matlab_class
    if shape is None or kind is None or isinstance(value, Unreadable):
        return freeze(value, hints)
    if issparse(value):
        return read_only(csc_array(value, dtype=DTYPES.get(kind, "float64")))
    if kind in DTYPES:
        array = np.asarray(value)
        dtype = array.dtype if array.dtype.kind == "c" else DTYPES[kind]
        return read_only(array.astype(dtype, copy=False).reshape(shape, order="F"))
    if kind == "cell":
        return _cells(value, shape, hints)
    if kind == "struct" and shape != (1, 1):
        return _structs(value, shape, hints)
    if kind == "struct" and value is None:
        return FrozenMap()
    return freeze(value, hints)


def thaw(value: Any) -> Any:
    """Return what :func:`scipy.io.savemat` writes as the MATLAB value."""
    if value is None:
        return np.zeros((0, 0))
    if isinstance(value, Unreadable):
        logger.warning("%s cannot be written: an empty array takes its place", value)
        return np.zeros((0, 0))
    if isinstance(value, Mapping):
        return _thaw_struct(value)
    if isinstance(value, tuple | list):
        return _thaw_cell(tuple(value))
    if isinstance(value, np.ndarray) and value.dtype.names:
        return struct([dict(zip(value.dtype.names, row, strict=True)) for row in value.ravel()],
                      value.dtype.names, value.shape)  # fmt: skip
    if isinstance(value, np.ndarray) and value.dtype == object:
        return cell([thaw(item) for item in value.ravel()], value.shape)
    if isinstance(value, bool | int | float | complex):
        return np.array([[value if isinstance(value, bool | complex) else float(value)]])
    return value


def cell(items: list[Any], shape: tuple[int, ...] | None = None) -> np.ndarray[Any, Any]:
    """Return a cell array (a row by default) of values that are ready to be saved."""
    array = np.empty(len(items), dtype=object)
    for index, item in enumerate(items):
        array[index] = item
    return array.reshape(((1, len(items)) if items else (0, 0)) if shape is None else shape)


def struct(
    rows: list[dict[str, Any]], names: tuple[str, ...], shape: tuple[int, ...] | None = None
) -> np.ndarray[Any, Any]:
    """Return a struct array (a row by default) of raw values; absent fields are empty."""
    array = np.empty(len(rows), dtype=[(name, object) for name in names])
    for index, row in enumerate(rows):
        for name in names:
            array[name][index] = thaw(row.get(name))
    return array.reshape(((1, len(rows)) if rows else (0, 0)) if shape is None else shape)


def read_only(array: Any) -> Any:
    """Make an array (or sparse array) read-only, in place."""
    parts = (array.data, array.indices, array.indptr) if issparse(array) else (array,)
    for part in parts:
        part.flags.writeable = False
    return array


#: All empty values: cells may have a million of them.
NOTHING = read_only(np.zeros((0, 0)))


def _numbers(array: np.ndarray[Any, Any]) -> Any:
    if array.dtype.kind in "US":
        return tuple(str(row) for row in array.ravel()) if array.size else ""
    if array.dtype.kind not in "biufc":
        return array
    if array.size == 0:
        return NOTHING
    dtype = np.complex128 if array.dtype.kind == "c" else np.float64
    array = array.astype(dtype, copy=False)
    return array.item() if array.size == 1 else read_only(array)


def _cells(value: Any, shape: tuple[int, ...], hints: Hints | None) -> np.ndarray[Any, Any]:
    n_levels = sum(size != 1 for size in shape)  # of lists in lists
    items = value if n_levels else [value]
    for _ in range(n_levels - 1):
        items = [item for row in items for item in row]
    array = np.empty(shape, dtype=object)
    flat = array.reshape(-1)
    for index, item in enumerate(items if array.size else ()):
        flat[index] = freeze(item, hints)
    return read_only(array)


def _structs(
    value: Mapping[str, Any], shape: tuple[int, ...], hints: Hints | None
) -> np.ndarray[Any, Any]:
    array = np.empty(shape, dtype=[(name, object) for name in value])
    for name, column in value.items():
        for index, item in zip(np.ndindex(shape), column, strict=True):
            array[name][index] = freeze(item, hints)
    return read_only(array)


def _thaw_struct(value: Mapping[str, Any]) -> Any:
    names, columns = tuple(value), list(value.values())
    if not names:
        return {}
    if all(isinstance(column, tuple) for column in columns):
        sizes = {len(column) for column in columns}
        if sizes == {0}:
            return struct([], names)
        if len(sizes) == 1 and sizes != {1} and len(names) > 1:
            rows = [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]
            return struct(rows, names)
    return struct([dict(value)], names)


def _thaw_cell(value: tuple[Any, ...]) -> np.ndarray[Any, Any]:
    if len(value) > 1 and all(isinstance(row, tuple) for row in value):
        sizes = {len(row) for row in value}
        if len(sizes) == 1 and min(sizes) > 1:
            items = [thaw(item) for row in value for item in row]
            return cell(items, (len(value), min(sizes)))
    return cell([thaw(item) for item in value])
