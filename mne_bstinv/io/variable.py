"""What both readers of MATLAB files give: values in one form, and words for what has none.

Numbers are squeezed: an array of one is a Python number. Text is ``str``, rows of text are an array
of them. A cell is a list (of lists, if it has rows and columns), a cell of one is its entry. A
struct is a dict, a struct array a dict of lists, and a struct without fields None.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import csc_array

__all__ = [
    "TOO_MANY",
    "DamageError",
    "RefusalError",
    "Unreadable",
    "UnstoredError",
    "Variable",
    "cell",
    "complex_numbers",
    "numbers",
    "sparse",
    "struct",
    "text",
]

Shape = tuple[int, ...]
Numbers = np.ndarray[Any, Any]

#: Rows of a sparse array; some of its forms take 4 bytes or more a row.
MAX_ROWS = 2**31 - 1

#: What is wrong with a file that declares more arrays than it can hold.
TOO_MANY = "more cells and structs than the size of the file allows"

NO_TEXT = np.zeros(0, "U1")


class _PlacedError(Exception):
    """An error that says in which variable and field it is."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.place: list[str] = []

    def inside(self, name: str) -> None:
        """Note that the place is inside a variable or field."""
        self.place.insert(0, name)

    def __str__(self) -> str:
        place = ".".join(self.place[:3] + ["…"] * (len(self.place) > 3))
        return f"{place}: {self.args[0]}" if place else str(self.args[0])


class DamageError(_PlacedError):
    """The bytes contradict each other: the file is damaged, or was made to harm."""


class UnstoredError(DamageError):
    """Less is stored of an array than its dimensions say."""


class NewerFormError(_PlacedError):
    """The file is whole, in a form that MATLAB does not write and nothing here checks."""


class RefusalError(_PlacedError):
    """The file asks for what reading it must not do."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Stands for a value that has no form outside MATLAB, or that contradicts itself."""

    what: str

    def __str__(self) -> str:
        return self.what


@dataclass(frozen=True, slots=True)
class Variable:
    """A value, with the MATLAB shape and class where they are known."""

    #: Numbers, arrays, text, lists, dicts in the form of this module; or :class:`Unreadable`.
    value: Any
    #: The shape in MATLAB. None inside structs and cells, where nothing needs it.
    shape: Shape | None = None
    #: The class in MATLAB (``'sparse'`` for sparse numbers), None inside structs and cells.
    matlab_class: str | None = None
    #: What is no fault, but not as it should be: the place, from the variable on, and what.
    notes: tuple[tuple[str, str], ...] = ()


def numbers(flat: Numbers, shape: Shape) -> Any:
    """Return the numbers of an array of this shape, given column by column."""
    if flat.size == 1:
        return flat.item()
    if not flat.size:
        return flat
    return flat.reshape([size for size in shape if size != 1], order="F")


def complex_numbers(real: Numbers, imaginary: Numbers) -> Numbers:
    """Return complex numbers; a product with 1j would make NaN of what is infinite."""
    single = real.dtype.kind == imaginary.dtype.kind == "f" and real.itemsize == 4
    both = np.empty(real.shape, np.complex64 if single else np.complex128)
    both.real, both.imag = real, imaginary
    return both


def text(found: str, n_bytes: int, shape: Shape) -> Any:
    """Return the text of a character array of this shape, given column by column.

    The shape counts UTF-16 units in MATLAB, bytes in Octave and characters in SciPy.
    """
    count = math.prod(shape)
    if count == 0 or not n_bytes:  # files with a size, but no characters, exist
        return NO_TEXT
    one = shape[0] == 1 and len(shape) == 2
    if one and len(found) == count and found.isascii():
        return found.rstrip("\0")
    units = found.encode("utf-16-le", "surrogatepass")
    if one:
        if count not in (len(found), len(units) // 2, n_bytes):
            raise DamageError(f"{len(found)} characters where {count} are declared")
        return _paired(found).rstrip("\0")
    letters = list(found) if len(found) == count else [chr(u) for u in np.frombuffer(units, "<u2")]
    if len(letters) != count:
        raise DamageError(f"{len(letters)} characters where {count} are declared")
    rows = np.array(letters).reshape(shape, order="F").reshape(-1, shape[-1])
    joined = np.array([_paired("".join(row)) for row in rows]).reshape(shape[:-1]).squeeze()
    return joined if joined.ndim else joined.item()


def cell(items: list[Any], shape: Shape) -> Any:
    """Return the entries of a cell of this shape, given column by column."""
    if len(items) == 1:
        return items[0]
    kept = [size for size in shape if size != 1]
    if not items or len(kept) == 1:
        return items
    array = np.empty(len(items), dtype=object)
    for index, item in enumerate(items):
        array[index] = item
    return array.reshape(kept, order="F").tolist()


def struct(names: Sequence[str], columns: Sequence[list[Any]], shape: Shape) -> Any:
    """Return a struct array of this shape, of each field the values of all elements."""
    if not names:
        return None
    if math.prod(shape) == 1:
        return {name: column[0] for name, column in zip(names, columns, strict=True)}
    return dict(zip(names, columns, strict=True))


def sparse(data: Numbers, rows: Numbers, starts: Numbers, shape: Shape) -> Any:
    """Return a sparse array in columns, if its indices are what they must be."""
    n_rows, n_columns = shape
    if n_rows > MAX_ROWS:
        return Unreadable(f"a sparse array of {n_rows} rows")
    if len(starts) < n_columns + 1:
        return Unreadable(f"a sparse array of {n_columns} columns with {len(starts)} starts")
    starts = starts[: n_columns + 1]
    count = int(starts[-1])
    if starts[0] != 0 or np.any(starts[1:] < starts[:-1]) or count > min(len(rows), len(data)):
        return Unreadable("a sparse array whose columns contradict its values")
    rows = rows[:count]
    if count and (rows.min() < 0 or rows.max() >= n_rows or not _rise(rows, starts)):
        return Unreadable("a sparse array with row indices out of range or order")
    index = np.int32 if count <= MAX_ROWS else np.int64  # SciPy's choice; all rows fit both
    indices = rows.astype(index, copy=not rows.flags.writeable)
    indptr = starts.astype(index, copy=not starts.flags.writeable)
    return csc_array((data[:count], indices, indptr), shape=shape)


def _rise(rows: Numbers, starts: Numbers) -> bool:
    """Tell whether the rows rise inside each column."""
    rising = np.empty(len(rows), bool)
    rising[0] = True
    np.greater(rows[1:], rows[:-1], out=rising[1:])
    begins = starts[:-1]
    rising[begins[begins < len(rows)]] = True  # from column to column they may fall
    return bool(rising.all())


def _paired(found: str) -> str:
    """Return a text with one character for each pair of UTF-16 surrogates."""
    if found.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in found):
        return found
    return found.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
