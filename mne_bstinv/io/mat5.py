"""Read MATLAB 5 files (v6, v7): no tag is followed before it was checked.

The form of the files is documented by MathWorks in "MAT-File Format", chapter "Level 5 MAT-File
Format". :func:`scipy.io.loadmat` trusts the codes and sizes in them: one flipped bit can end the
process, and a few hundred bytes can ask for gigabytes. Here every code is one of a set, every size
lies inside its parent and fits the dimensions, and a compressed variable is inflated once, to the
size it declares.
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from mne_bstinv.io import variable as form
from mne_bstinv.io.limits import DEFLATE, MAX_DEPTH, max_elements
from mne_bstinv.io.variable import DamageError, Unreadable, Variable

__all__ = ["names_in", "read"]

#: Data types ("mi" codes) of numbers, and what struct and NumPy call them.
NUMBERS = {1: "b", 2: "B", 3: "h", 4: "H", 5: "i", 6: "I", 7: "f", 9: "d", 12: "q", 13: "Q"}
#: Other data types, and those of dimensions and names.
INT8, INT32, UINT32, MATRIX, COMPRESSED, UTF8 = 1, 5, 6, 14, 15, 16
#: Data types of text, and the encodings.
TEXTS = {1: "utf-8", 2: "utf-8", 4: "utf-16", UTF8: "utf-8", 17: "utf-16", 18: "utf-32"}

#: Array classes ("mx" codes).
CELL, STRUCT, OBJECT, CHAR, SPARSE, DOUBLE, SINGLE, LAST_NUMBER = 1, 2, 3, 4, 5, 6, 7, 15
FUNCTION, OPAQUE = 16, 17
CLASSES = {
    CELL: "cell", STRUCT: "struct", OBJECT: "object", CHAR: "char", SPARSE: "sparse",
    DOUBLE: "double", SINGLE: "single", 8: "int8", 9: "uint8", 10: "int16", 11: "uint16",
    12: "int32", 13: "uint32", 14: "int64", LAST_NUMBER: "uint64", FUNCTION: "function_handle",
    OPAQUE: "object",
}  # fmt: skip
#: Flags of arrays.
COMPLEX, LOGICAL = 0x800, 0x200

#: NumPy 2.0 allows 64; nothing of Brainstorm has more than 4.
MAX_DIMENSIONS = 32

#: An entry of a cell or a field that was never set.
NOTHING = np.zeros(0)

#: The header of a file, and enough of a variable to know its name: 32 dimensions, 63 letters.
HEADER, HEAD = 128, 512


class Stored(NamedTuple):
    """A variable in the file, without its tag."""

    start: int
    size: int
    compressed: bool


class Head(NamedTuple):
    """The head of an array, and where its content begins."""

    code: int
    flags: int
    shape: tuple[int, ...]
    name: str
    start: int


def read(path: Path, names: list[str] | None) -> dict[str, Variable]:
    """Return the variables of a file, or those of the given names."""
    found: dict[str, Variable] = {}
    with path.open("rb") as file:
        size = file.seek(0, 2)
        order = _byte_order(file)
        elements = max_elements(size)
        for stored in _stored(file, size, order):
            if names is not None and _name(file, stored, order) not in names:
                continue
            reader = _Reader(*_bytes(file, stored, order), order, elements)
            name, variable = reader.variable()
            elements = reader.elements
            if name:  # without a name: what MATLAB needs for function handles and objects
                found[name] = variable
    return found


def names_in(path: Path) -> list[str]:
    """Return the names of the variables of a file, from the first bytes of each."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        order = _byte_order(file)
        return [name for one in _stored(file, size, order) if (name := _name(file, one, order))]


def _byte_order(file: BinaryIO) -> str:
    file.seek(0)
    header = file.read(HEADER)
    order = {b"IM": "<", b"MI": ">"}.get(header[126:])
    if order is None or struct.unpack(f"{order}H", header[124:126])[0] >> 8 != 1:
        raise DamageError("no header of a MATLAB file")
    return order


def _stored(file: BinaryIO, size: int, order: str) -> Iterator[Stored]:
    start = HEADER + 8
    while start - 8 < size:
        file.seek(start - 8)
        tag = file.read(8)
        kind, length = struct.unpack(f"{order}II", tag) if len(tag) == 8 else (0, 0)
        if kind not in (MATRIX, COMPRESSED):
            raise DamageError(f"type {kind} at byte {start - 8}, where a variable should begin")
        if not 0 < length <= size - start:
            raise DamageError(f"a variable of {length} bytes at byte {start - 8}, beyond the end")
        yield Stored(start, length, kind == COMPRESSED)
        start += length + 8


def _name(file: BinaryIO, stored: Stored, order: str) -> str:
    """Return the name of a variable, from its first bytes."""
    file.seek(stored.start)
    head = file.read(min(stored.size, HEAD))
    if stored.compressed:
        head = _inflate(head, HEAD, order)[0][8:]
    return _Reader(head, 0, order, 1).head(0, len(head)).name


def _bytes(file: BinaryIO, stored: Stored, order: str) -> tuple[bytes, int]:
    """Return bytes that end with those of a variable, and where it begins in them."""
    file.seek(stored.start)
    data = file.read(stored.size)
    if not stored.compressed:
        return data, 0
    tag, _ = _inflate(data[:HEAD], 8, order)
    _, size = struct.unpack(f"{order}II", tag)
    if size > DEFLATE * stored.size:
        raise DamageError(f"a variable of {size} bytes from {stored.size} compressed ones")
    whole, is_end = _inflate(data, 8 + size + 1, order)
    if len(whole) != 8 + size or not is_end:
        raise DamageError(f"a variable of {size} bytes that is longer, or cut short")
    return whole, 8


def _inflate(data: bytes, length: int, order: str) -> tuple[bytes, bool]:
    """Return up to so many bytes of a compressed variable, and whether that is the end of it."""
    stream = zlib.decompressobj()
    try:
        found = stream.decompress(data, length)
    except zlib.error as error:
        raise DamageError(str(error)) from error
    kind = struct.unpack(f"{order}I", found[:4])[0] if len(found) >= 8 else 0
    if kind != MATRIX:
        raise DamageError(f"type {kind}, where a variable should begin")
    return found, stream.eof


class _Reader:
    """Reads the arrays in the bytes of one variable, from a given byte on.

    The methods that read content return the value and the byte behind it.
    """

    def __init__(self, data: bytes, start: int, order: str, elements: int) -> None:
        self.data = data
        self.start = start
        self.order = order
        #: How many arrays may still come.
        self.elements = elements
        self.words = struct.Struct(f"{order}2I")
        self.flags = struct.Struct(f"{order}4I")
        self.usual = struct.Struct(f"{order}14I")
        self.dtypes = {kind: np.dtype(order + code) for kind, code in NUMBERS.items()}
        self.sizes = {kind: dtype.itemsize for kind, dtype in self.dtypes.items()}
        self.scalars = {kind: struct.Struct(order + code) for kind, code in NUMBERS.items()}

    def variable(self) -> tuple[str, Variable]:
        """Return the name and the variable."""
        head = self.head(self.start, len(self.data))
        if not head.name:
            return "", Variable(None)
        try:
            value = self.array(head, len(self.data), 1)
        except DamageError as error:
            error.inside(head.name)
            raise
        kind = "logical" if head.flags & LOGICAL else CLASSES[head.code]
        return head.name, Variable(value, head.shape, kind)

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
        if not 2 <= len(shape) <= MAX_DIMENSIONS or min(shape) < 0:
            raise DamageError(f"dimensions {shape[:4]}")
        name, start = self.text(start, end)
        return Head(code, flags, shape, name, start)

    def array(self, head: Head, end: int, depth: int) -> Any:
        """Return the value of the array with this head, which must end where it says."""
        code = head.code
        if code in (CELL, STRUCT, OBJECT, FUNCTION, OPAQUE):
            if depth > MAX_DEPTH:
                raise DamageError(f"cells and structs more than {MAX_DEPTH} deep")
            read = {CELL: self.cell, FUNCTION: self.function, OPAQUE: self.opaque}
            value, after = read.get(code, self.struct)(head, end, depth)
        elif code == CHAR:
            value, after = self.char(head, end)
        elif code == SPARSE:
            value, after = self.sparse(head, end)
        else:
            value, after = self.numbers(head, end)
        if end - after >= 8:
            raise DamageError(f"{end - after} bytes more than its dimensions say")
        return value

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
        # padded to 8 bytes; a last one need not be
        return kind, start + 8, size, min(start + 8 + (size + 7 & ~7), end)

    def integers(self, start: int, end: int) -> tuple[tuple[int, ...], int]:
        kind, begin, size, after = self.tag(start, end)
        if kind not in (INT32, UINT32) or size % 4 or size > 4 * MAX_DIMENSIONS:
            raise DamageError(f"type {kind} and {size} bytes for integers")
        return struct.unpack_from(f"{self.order}{size // 4}i", self.data, begin), after

    def text(self, start: int, end: int) -> tuple[str, int]:
        kind, begin, size, after = self.tag(start, end)
        if kind not in (INT8, UTF8):  # some writers use UTF8
            raise DamageError(f"type {kind} for a name")
        return self.data[begin : begin + size].decode("latin1"), after

    def element(self, start: int, end: int, depth: int) -> tuple[Any, int]:
        """Return the array in a cell or struct that begins at a byte, and the next byte."""
        self.elements -= 1
        if self.elements < 0:
            raise DamageError("more cells and structs than the size of the file allows")
        found = self.small(start, end)
        if found is not None:
            return found
        kind, begin, size, after = self.tag(start, end)
        if kind != MATRIX or begin != start + 8:
            raise DamageError(f"type {kind}, where an array should begin")
        if not size:
            return NOTHING, after
        head = self.head(begin, begin + size)
        return self.array(head, begin + size, depth + 1), after

    def small(self, start: int, end: int) -> tuple[Any, int] | None:
        """Return numbers or ASCII of the usual layout; None for what the long way must read.

        Files hold thousands of these: tag, flags, two dimensions, no name and the tag of the
        content are looked at together.
        """
        if end - start < 56:
            return None
        kind, size, a, b, flags, _, c, d, rows, columns, e, f, content, n_bytes = (
            self.usual.unpack_from(self.data, start)
        )
        if (kind, a, b, c, d, e, f) != (MATRIX, UINT32, 8, INT32, 8, INT8, 0):
            return None
        begin = start + 56
        if content >> 16:
            begin, content, n_bytes = start + 52, content & 0xFFFF, content >> 16
            if n_bytes > 4 or size != 48:
                return None
        elif size != 48 + (n_bytes + 7 & ~7):
            return None
        code, after, count = flags & 0xFF, start + 8 + size, rows * columns
        if after > end or flags & (COMPLEX | LOGICAL) or not count or (rows | columns) >> 31:
            return None
        if DOUBLE <= code <= SINGLE and n_bytes == count * self.sizes.get(content, 0):
            if count == 1:
                return self.scalars[content].unpack_from(self.data, begin)[0], after
            flat = self.native(np.frombuffer(self.data, self.dtypes[content], count, begin))
            if rows == 1 or columns == 1:
                return flat, after
            return flat.reshape((columns, rows)).T, after
        if code == CHAR and rows == 1 and n_bytes == count and TEXTS.get(content) == "utf-8":
            data = self.data[begin : begin + n_bytes]
            return (data.decode("ascii").rstrip("\0"), after) if data.isascii() else None
        return None

    def values(self, start: int, end: int) -> tuple[np.ndarray[Any, Any], int]:
        kind, begin, size, after = self.tag(start, end)
        dtype = self.dtypes.get(kind)
        if dtype is None:
            raise DamageError(f"type {kind} for numbers")
        if size % dtype.itemsize:
            raise DamageError(f"{size} bytes for numbers of {dtype.itemsize}")
        return np.frombuffer(self.data, dtype, size // dtype.itemsize, begin), after

    def parts(self, start: int, end: int, flags: int) -> tuple[np.ndarray[Any, Any], int]:
        """Return real or complex numbers, and the next byte."""
        flat, start = self.values(start, end)
        if not flags & COMPLEX:
            return self.native(flat), start
        imaginary, start = self.values(start, end)
        if len(imaginary) != len(flat):
            raise DamageError(f"{len(flat)} real and {len(imaginary)} imaginary parts")
        return flat + 1j * imaginary, start

    def numbers(self, head: Head, end: int) -> tuple[Any, int]:
        flat, after = self.parts(head.start, end, head.flags)
        if head.code > SINGLE and flat.dtype.kind == "f":
            raise DamageError(f"fractions in an array of class {CLASSES[head.code]}")
        if len(flat) != math.prod(head.shape):
            raise DamageError(f"{len(flat)} numbers for dimensions {head.shape}")
        return form.numbers(flat, head.shape), after

    def char(self, head: Head, end: int) -> tuple[Any, int]:
        kind, begin, size, after = self.tag(head.start, end)
        encoding = TEXTS.get(kind)
        if encoding is None:
            raise DamageError(f"type {kind} for text")
        data = self.data[begin : begin + size]
        if encoding != "utf-8":
            encoding += "-le" if self.order == "<" else "-be"
        try:
            found = data.decode(encoding, "surrogatepass")
        except UnicodeDecodeError:
            found = data.decode("latin1" if encoding == "utf-8" else encoding, "replace")
        return form.text(found, size, head.shape), after

    def cell(self, head: Head, end: int, depth: int) -> tuple[Any, int]:
        count, start = math.prod(head.shape), head.start
        if 8 * count > end - start:
            raise DamageError(f"a cell of {count} entries in {end - start} bytes")
        items = []
        for _ in range(count):
            item, start = self.element(start, end, depth)
            items.append(item)
        return form.cell(items, head.shape), start

    def struct(self, head: Head, end: int, depth: int) -> tuple[Any, int]:
        count, start = math.prod(head.shape), head.start
        if head.code == OBJECT:
            _, start = self.text(start, end)
        names, start = self.fields(start, end)
        if 8 * count * len(names) > end - start:
            raise DamageError(f"{count} structs of {len(names)} fields in {end - start} bytes")
        columns: list[list[Any]] = [[] for _ in names]
        for _ in range(count if names else 0):
            for column in columns:
                item, start = self.element(start, end, depth)
                column.append(item)
        return form.struct(names, columns, head.shape), start

    def fields(self, start: int, end: int) -> tuple[list[str], int]:
        """Return the names of the fields of a struct, and the next byte."""
        sizes, start = self.integers(start, end)
        names, after = self.text(start, end)
        length = sizes[0] if len(sizes) == 1 else 0
        if length < 1 or len(names) % length:
            raise DamageError(f"{len(names)} letters for names of {sizes[:4]}")
        parts = [names[i : i + length].split("\0")[0] for i in range(0, len(names), length)]
        if len(set(parts)) < len(parts):
            raise DamageError("two fields of one name")
        return parts, after

    def sparse(self, head: Head, end: int) -> tuple[Any, int]:
        rows, start = self.values(head.start, end)
        starts, start = self.values(start, end)
        data, after = self.parts(start, end, head.flags)
        if len(head.shape) != 2 or "f" in rows.dtype.kind + starts.dtype.kind:
            raise DamageError(f"no indices of a sparse array {head.shape}")
        return form.sparse(data, rows, starts, head.shape), after

    def function(self, head: Head, end: int, depth: int) -> tuple[Any, int]:
        _, after = self.element(head.start, end, depth)
        return Unreadable("a function handle"), after

    def opaque(self, head: Head, end: int, depth: int) -> tuple[Any, int]:
        start = head.start
        for _ in range(3):  # its name, the system of classes, the class
            name, start = self.text(start, end)
        _, after = self.element(start, end, depth)
        return Unreadable(f"an object of the MATLAB class {name}"), after

    def native(self, array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        if array.dtype.isnative:
            return array
        return array.astype(array.dtype.newbyteorder("="), copy=False)
