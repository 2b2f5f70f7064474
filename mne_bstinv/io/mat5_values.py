"""The values in a variable of a MATLAB 5 file, each made when its bytes were found to be right.

The form is documented by MathWorks in "MAT-File Format", chapter "Level 5 MAT-File Format". Nothing
in a file is trusted: every code is one of a set, every size lies inside its parent and fits the
dimensions, and what is declared is counted before memory is spent on it. :func:`scipy.io.loadmat`
trusts them, so that one flipped bit can end the process and eight bytes for each empty entry of a
cell take twenty times as many; and to walk over the tags before it does the same again takes a
third longer than to take the values on the way.

Function handles and objects have no value outside MATLAB: their bytes are passed over.
"""

from __future__ import annotations

import math
import struct
import sys
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from mne_bstinv.io import variable as form
from mne_bstinv.io.limits import MAX_DEPTH
from mne_bstinv.io.variable import TOO_MANY, DamageError, Unreadable

__all__ = ["BUFFERED", "MATRIX", "Data", "Head", "Values"]

#: Data types ("mi" codes) of numbers, and what struct and NumPy call them.
NUMBERS = {1: "b", 2: "B", 3: "h", 4: "H", 5: "i", 6: "I", 7: "f", 9: "d", 12: "q", 13: "Q"}
#: Other data types, and those of dimensions and names.
INT8, UINT8, UINT16, INT32, UINT32, MATRIX, UTF8, UTF16 = 1, 2, 4, 5, 6, 14, 16, 17
#: Data types of text, and the encodings.
TEXTS = {
    INT8: "utf-8", UINT8: "utf-8", UINT16: "utf-16", UTF8: "utf-8", UTF16: "utf-16", 18: "utf-32"
}  # fmt: skip

#: Array classes ("mx" codes).
CELL, STRUCT, OBJECT, CHAR, SPARSE, DOUBLE, SINGLE, LAST_NUMBER = 1, 2, 3, 4, 5, 6, 7, 15
FUNCTION, OPAQUE = 16, 17
CLASSES = {
    CELL: "cell", STRUCT: "struct", OBJECT: "object", CHAR: "char", SPARSE: "sparse",
    DOUBLE: "double", SINGLE: "single", 8: "int8", 9: "uint8", 10: "int16", 11: "uint16",
    12: "int32", 13: "uint32", 14: "int64", LAST_NUMBER: "uint64", FUNCTION: "function_handle",
    OPAQUE: "object",
}  # fmt: skip
#: The classes of which Brainstorm's files hold thousands of arrays.
FREQUENT = (CHAR, *range(DOUBLE, LAST_NUMBER + 1))
#: The classes whose values stay where they were read to.
BUFFERED = range(SPARSE, LAST_NUMBER + 1)
#: Flags of arrays.
COMPLEX, LOGICAL = 0x800, 0x200

#: More than any memory holds.
MAX_ENTRIES = 2**48
#: Nothing of Brainstorm has more than 4; NumPy 2.0 allows 64.
MAX_DIMENSIONS = 32

#: An entry of a cell that was never set.
NOTHING = np.zeros(0)

#: Bytes of an array of two dimensions without a name: its tag, flags, dimensions and name, and with
#: them the tag of its values, which holds up to four bytes of them itself.
VALUES, HEAD = 48, 56
#: How many heads of arrays are remembered.
REMEMBERED = 4096

Data = bytes | np.ndarray[Any, Any]


class Head(NamedTuple):
    """The head of an array, and where its content begins."""

    code: int
    flags: int
    shape: tuple[int, ...]
    name: str
    start: int

    @property
    def matlab_class(self) -> str:
        """The class in MATLAB."""
        return "logical" if self.flags & LOGICAL else CLASSES[self.code]


@cache
def _dtypes(order: str) -> dict[int, np.dtype[Any]]:
    """Return the types of numbers by their data types."""
    return {kind: np.dtype(order + code) for kind, code in NUMBERS.items()}


#: What takes a value from some bytes, for an array that begins at one of them.
Taker = Callable[[bytes, int], Any]


class Values:
    """Takes values from the bytes of one variable after the other.

    ``elements`` is how many arrays may come in all. The methods that take a value return it with
    the byte behind it.
    """

    def __init__(self, order: str, elements: int, data: Data = b"") -> None:
        self.data = data
        self.order = order
        self.elements = elements
        self.words = struct.Struct(f"{order}2I")
        self.flags = struct.Struct(f"{order}4I")
        self.dtypes = _dtypes(order)
        #: The tag of an entry that was never set.
        self.empty = self.words.pack(MATRIX, 0)
        #: Heads of arrays that were found right: the bytes to the next one, and what takes the
        #: value. Files hold thousands of arrays of a few forms.
        self.known: dict[bytes, tuple[int, Taker]] = {}

    def variable(self, data: Data, size: int) -> tuple[Head, Any]:
        """Return head and value of the variable of so many bytes; no value if it has no name."""
        self.data = data
        head = self.head(0, size)
        if not head.name:
            return head, None
        try:
            value, after = self.array(head, size, 1)
            if size - after >= 8:
                raise DamageError(f"{size - after} bytes more than its dimensions say")
        except DamageError as error:
            error.inside(head.name)
            raise
        return head, value

    def cut(self, begin: int, size: int) -> bytes:
        """Return some bytes."""
        return bytes(self.data[begin : begin + size])

    def head(self, start: int, end: int) -> Head:
        """Return the head of the array that begins at a byte."""
        if end - start < 16:
            raise DamageError(f"an array of {end - start} bytes")
        kind, size, flags, _ = self.flags.unpack_from(self.data, start)
        code = flags & 0xFF
        if kind != UINT32 or size != 8 or code not in CLASSES:
            raise DamageError(f"class {code} of an array")
        if flags & (COMPLEX | LOGICAL) and (code < SPARSE or code > LAST_NUMBER):
            raise DamageError(f"flags {flags >> 8 & 0xFF} of a {CLASSES[code]}")
        if code == OPAQUE:  # without dimensions; the name is the first part of the content
            return Head(code, flags, (1, 1), self.text(start + 16, end)[0], start + 16)
        shape, start = self.integers(start + 16, end)
        largest = math.prod(size or 1 for size in shape)  # NumPy counts them although all is empty
        if not 2 <= len(shape) <= MAX_DIMENSIONS or min(shape) < 0 or largest > MAX_ENTRIES:
            raise DamageError(f"dimensions {shape[:4]}")
        name, start = self.text(start, end)
        return Head(code, flags, shape, name, start)

    def array(self, head: Head, end: int, depth: int) -> tuple[Any, int]:
        """Return the value of the array with this head."""
        code = head.code
        if code in (CELL, STRUCT, OBJECT):
            if depth > MAX_DEPTH:
                raise DamageError(f"cells and structs more than {MAX_DEPTH} deep")
            return (self.cell if code == CELL else self.struct)(head, end, depth)
        if code in (FUNCTION, OPAQUE):
            return (self.function if code == FUNCTION else self.opaque)(head, end)
        if code == CHAR:
            return self.char(head, end)
        return self.sparse(head, end) if code == SPARSE else self.numbers(head, end)

    def tag(self, start: int, end: int) -> tuple[int, int, int, int]:
        """Return the type of an element, where its bytes begin, their number, and the next byte."""
        if end - start < 8:
            raise DamageError("an element is missing")
        kind, size = self.words.unpack_from(self.data, start)
        if kind >> 16:  # up to four bytes stand in the tag
            kind, size = kind & 0xFFFF, kind >> 16
            if size > 4:
                raise DamageError(f"{size} bytes in a tag")
            return kind, start + 4, size, start + 8
        if size > end - start - 8:
            raise DamageError(f"an element of {size} bytes where {end - start - 8} are left")
        return kind, start + 8, size, start + 8 + _padded(size)

    def integers(self, start: int, end: int) -> tuple[tuple[int, ...], int]:
        """Return the integers in an element, and the next byte."""
        kind, begin, size, after = self.tag(start, end)
        if kind not in (INT32, UINT32) or size % 4 or size > 4 * MAX_DIMENSIONS:
            raise DamageError(f"type {kind} and {size} bytes for integers")
        return struct.unpack_from(f"{self.order}{size // 4}i", self.data, begin), after

    def text(self, start: int, end: int) -> tuple[str, int]:
        """Return the name or names in an element, and the next byte."""
        kind, begin, size, after = self.tag(start, end)
        if kind not in (INT8, UTF8):  # some writers use UTF8
            raise DamageError(f"type {kind} for a name")
        return self.cut(begin, size).decode("latin1"), after

    def entries(self, count: int, start: int, end: int, depth: int) -> tuple[list[Any], int]:
        """Return the arrays in a cell or struct, the first of which begins at a byte."""
        self.elements -= count
        if self.elements < 0:
            raise DamageError(TOO_MANY)
        data, known, values = bytes(self.data), self.known, []
        for _ in range(count):
            step, take = known.get(data[start : start + HEAD], UNKNOWN)
            value = take(data, start) if start + step <= end else None
            if value is None and start + 8 <= end and data[start : start + 8] == self.empty:
                value, step = NOTHING, 8
            elif value is None:
                value, step = self.element(start, end, depth)
            values.append(value)
            start += step
        return values, start

    def element(self, start: int, end: int, depth: int) -> tuple[Any, int]:
        """Return the array in a cell or struct that begins at a byte, and its bytes."""
        kind, begin, size, after = self.tag(start, end)
        if kind != MATRIX or begin != start + 8:
            raise DamageError(f"type {kind}, where an array should begin")
        head = self.head(begin, begin + size)
        value, reached = self.array(head, begin + size, depth + 1)
        if reached != after:
            raise DamageError(f"{after - reached} bytes more than its dimensions say")
        if head.code in FREQUENT and head.start == start + VALUES and len(self.known) < REMEMBERED:
            take = self.taker(head, after - start, value)
            if take is not None:
                self.known[self.cut(start, HEAD)] = after - start, take
        return value, after - start

    def taker(self, head: Head, step: int, value: Any) -> Taker | None:
        """Return what takes the value of an array with this head, if the head says how."""
        kind, begin, size, _ = self.tag(head.start, head.start + step - VALUES)
        at = begin - head.start + VALUES
        if not size or (at < HEAD and isinstance(value, int | float | str)):  # the head holds all
            return lambda data, start: value
        if head.code == CHAR:
            usual = isinstance(value, str) and len(value) == math.prod(head.shape)
            return _text_taker(at, size, self.encoding(kind)) if usual else None
        if head.flags & COMPLEX:
            return None
        dtype = self.dtypes[kind]
        if size == dtype.itemsize:
            unpack = struct.Struct(self.order + NUMBERS[kind]).unpack_from
            return lambda data, start: unpack(data, start + at)[0]
        return _numbers_taker(at, size, dtype, head.shape)

    def encoding(self, kind: int) -> str:
        """Return the encoding of text of a data type."""
        if kind not in TEXTS:
            raise DamageError(f"type {kind} for text")
        found = TEXTS[kind]
        return found if found == "utf-8" else f"{found}-{'le' if self.order == '<' else 'be'}"

    def values(self, start: int, end: int) -> tuple[np.ndarray[Any, Any], int]:
        """Return the numbers in an element, as they are there, and the next byte."""
        kind, begin, size, after = self.tag(start, end)
        if kind not in NUMBERS:
            raise DamageError(f"type {kind} for numbers")
        dtype = self.dtypes[kind]
        if size % dtype.itemsize:
            raise DamageError(f"{size} bytes for numbers of {dtype.itemsize}")
        return np.frombuffer(self.data, dtype, size // dtype.itemsize, begin), after

    def parts(self, start: int, end: int, flags: int) -> tuple[np.ndarray[Any, Any], int]:
        """Return real or complex numbers, which nothing else holds and may be changed."""
        real, after = self.values(start, end)
        if not flags & COMPLEX:
            # of one variable that is all numbers the buffer is its own
            return real.astype(real.dtype.newbyteorder("="), copy=not real.flags.writeable), after
        imaginary, after = self.values(after, end)
        if len(imaginary) != len(real):
            raise DamageError(f"{len(real)} real and {len(imaginary)} imaginary parts")
        return form.complex_numbers(real, imaginary), after

    def numbers(self, head: Head, end: int) -> tuple[Any, int]:
        """Return an array of numbers."""
        flat, after = self.parts(head.start, end, head.flags)
        if head.code > SINGLE and flat.dtype.kind == "f":
            raise DamageError(f"fractions in an array of class {CLASSES[head.code]}")
        if flat.size != math.prod(head.shape):
            raise DamageError(f"{flat.size} numbers for dimensions {head.shape}")
        return form.numbers(flat, head.shape), after

    def char(self, head: Head, end: int) -> tuple[Any, int]:
        """Return text."""
        kind, begin, size, after = self.tag(head.start, end)
        encoding, data = self.encoding(kind), self.cut(begin, size)
        try:
            found = data.decode(encoding, "surrogatepass")
        except UnicodeDecodeError:
            found = data.decode("latin1" if encoding == "utf-8" else encoding, "replace")
        return form.text(found, size, head.shape), after

    def cell(self, head: Head, end: int, depth: int) -> tuple[Any, int]:
        """Return a cell."""
        count = math.prod(head.shape)
        if 8 * count > end - head.start:
            raise DamageError(f"a cell of {count} entries in {end - head.start} bytes")
        items, after = self.entries(count, head.start, end, depth)
        return form.cell(items, head.shape), after

    def struct(self, head: Head, end: int, depth: int) -> tuple[Any, int]:
        """Return a struct array."""
        count, start = math.prod(head.shape), head.start
        if head.code == OBJECT:
            _, start = self.text(start, end)
        names, start = self.fields(start, end)
        if 8 * count * len(names) > end - start:
            raise DamageError(f"{count} structs of {len(names)} fields in {end - start} bytes")
        items, after = self.entries(count * len(names), start, end, depth)
        columns = [items[index :: len(names)] for index in range(len(names))]
        return form.struct(names, columns, head.shape), after

    def fields(self, start: int, end: int) -> tuple[list[str], int]:
        """Return the names of the fields of a struct, and the next byte."""
        sizes, start = self.integers(start, end)
        names, after = self.text(start, end)
        length = sizes[0] if len(sizes) == 1 else 0
        if length < 1 or len(names) % length:
            raise DamageError(f"{len(names)} letters for names of {sizes[:4]}")
        parts = [names[i : i + length].split("\0")[0] for i in range(0, len(names), length)]
        if len(set(parts)) < len(parts) or "" in parts:
            raise DamageError("two fields of one name, or one without")
        return [sys.intern(name) for name in parts], after

    def sparse(self, head: Head, end: int) -> tuple[Any, int]:
        """Return a sparse array, if its indices are what they must be."""
        rows, start = self.values(head.start, end)
        starts, start = self.values(start, end)
        data, after = self.parts(start, end, head.flags)
        if len(head.shape) != 2 or "f" in (rows.dtype.kind, starts.dtype.kind):
            raise DamageError(f"no indices of a sparse array {head.shape}")
        return form.sparse(data, rows, starts, head.shape), after

    def function(self, head: Head, end: int) -> tuple[Unreadable, int]:
        """Pass over a function handle."""
        return Unreadable("a function handle"), self.tag(head.start, end)[3]

    def opaque(self, head: Head, end: int) -> tuple[Unreadable, int]:
        """Pass over an object of a class."""
        start = head.start
        for _ in range(3):  # its name, the system of classes, the class
            name, start = self.text(start, end)
        return Unreadable(f"an object of the MATLAB class {name}"), self.tag(start, end)[3]


def _unknown(data: bytes, start: int) -> None:
    """Take no value."""


#: What is known of an array with another head.
UNKNOWN: tuple[int, Taker] = (0, _unknown)


def _text_taker(at: int, size: int, encoding: str) -> Taker:
    """Return what takes ASCII text; other text counts its characters in another way."""

    def take(data: bytes, start: int) -> str | None:
        found = data[start + at : start + at + size].decode(encoding, "replace")
        return found.rstrip("\0") if found.isascii() else None

    return take


def _numbers_taker(at: int, size: int, dtype: np.dtype[Any], shape: tuple[int, ...]) -> Taker:
    """Return what takes an array of numbers."""
    count, native = size // dtype.itemsize, dtype.newbyteorder("=")

    def take(data: bytes, start: int) -> Any:
        flat = np.frombuffer(data, dtype, count, start + at)
        return form.numbers(flat, shape).astype(native)

    return take


def _padded(size: int) -> int:
    """Return the bytes that an element takes: elements begin at every eighth byte."""
    return size + 7 & ~7
