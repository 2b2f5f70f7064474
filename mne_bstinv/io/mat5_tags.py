"""The tags of a variable of a MATLAB 5 file, checked before anything reads its values.

The form is documented by MathWorks in "MAT-File Format", chapter "Level 5 MAT-File Format".
:func:`scipy.io.loadmat` trusts the codes and sizes in a file: one flipped bit can end the process,
and a few hundred bytes can ask for gigabytes. Here every code is one of a set, every size lies
inside its parent and fits the dimensions, and the next element is where SciPy will look for it.

Three sorts of arrays have values of our own (:class:`Own`), and numbers without meaning stand in
their place in the bytes for SciPy. It stops at text beyond ASCII, since it counts characters where
MATLAB counts UTF-16 units. It has no value for function handles and objects, and one that ends the
process later for sparse arrays with indices out of range. And it takes 120 bytes for each of the
empty entries of a cell, of which eight bytes in the file, far fewer compressed, declare one.
"""

from __future__ import annotations

import math
import struct
from typing import Any, NamedTuple

import numpy as np

from mne_bstinv.io import variable as form
from mne_bstinv.io.limits import MAX_DEPTH, max_elements
from mne_bstinv.io.variable import TOO_MANY, DamageError, Unreadable

__all__ = ["COMPLEX", "DOUBLE", "LAST_NUMBER", "MATRIX", "Head", "Note", "Own", "Walk"]

#: Data types ("mi" codes) of numbers, and what struct and NumPy call them.
NUMBERS = {1: "b", 2: "B", 3: "h", 4: "H", 5: "i", 6: "I", 7: "f", 9: "d", 12: "q", 13: "Q"}
SIZES = {kind: np.dtype(code).itemsize for kind, code in NUMBERS.items()}
#: Those of fractions.
FRACTIONS = (7, 9)
#: Other data types, and those of dimensions and names.
INT8, UINT8, UINT16, INT32, UINT32, MATRIX, UTF8, UTF16 = 1, 2, 4, 5, 6, 14, 16, 17
#: Data types of text, and the encodings.
TEXTS = {
    INT8: "utf-8", UINT8: "utf-8", UINT16: "utf-16", UTF8: "utf-8", UTF16: "utf-16", 18: "utf-32"
}  # fmt: skip
#: Those of text of a byte a character, as far as it is ASCII.
BYTES = (INT8, UINT8, UTF8)
#: And of two bytes.
PAIRS = (UINT16, UTF16)

#: Array classes ("mx" codes).
CELL, STRUCT, OBJECT, CHAR, SPARSE, DOUBLE, SINGLE, LAST_NUMBER = 1, 2, 3, 4, 5, 6, 7, 15
FUNCTION, OPAQUE, UINT8_CLASS = 16, 17, 9
CLASSES = {
    CELL: "cell", STRUCT: "struct", OBJECT: "object", CHAR: "char", SPARSE: "sparse",
    DOUBLE: "double", SINGLE: "single", 8: "int8", UINT8_CLASS: "uint8", 10: "int16", 11: "uint16",
    12: "int32", 13: "uint32", 14: "int64", LAST_NUMBER: "uint64", FUNCTION: "function_handle",
    OPAQUE: "object",
}  # fmt: skip
#: The classes of which Brainstorm's files hold thousands of arrays.
SMALL = (CHAR, *range(DOUBLE, LAST_NUMBER + 1))
#: Flags of arrays.
COMPLEX, LOGICAL = 0x800, 0x200

#: More than any memory holds.
MAX_ENTRIES = 2**48
#: SciPy's limit; nothing of Brainstorm has more than 4.
MAX_DIMENSIONS = 32

#: An entry of a cell that was never set.
NOTHING = np.zeros(0)

#: Bytes of an array without a name before its values, its own tag not counted.
HEAD = 48
#: How many heads of small arrays are remembered.
REMEMBERED = 4096


Data = bytes | bytearray | memoryview


class Own:
    """A value that stands for what SciPy reads, or would."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


#: What is to be done with an array as SciPy reads it: nothing, take another value, or so for some
#: of its entries, by their index (of structs: index and field).
Note = Own | dict[Any, Any] | None


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


class Walk:
    """Walks over the arrays in the bytes of one variable after the other.

    ``elements`` is how many may come in all. The methods that look at content return a note and the
    byte behind it.
    """

    def __init__(self, order: str, elements: int, data: Data = b"") -> None:
        self.data = data
        self.order = order
        self.elements = elements
        #: How many of them may be empty and stand beside others: SciPy takes 160 bytes for each,
        #: and eight in the file declare it.
        self.empty = max_elements(elements // 40)
        #: Where arrays with values of our own begin, and their sizes.
        self.replaced: list[tuple[int, int]] = []
        self.words = struct.Struct(f"{order}2I")
        self.flags = struct.Struct(f"{order}4I")
        #: Heads of small arrays that were found right: bytes from one array to the next, bytes of
        #: text behind the head, and their type. Files hold thousands of arrays of a few forms.
        self.known: dict[bytes, tuple[int, int, int]] = {}
        #: Which byte of two is the high one.
        self.high = 1 if order == "<" else 0

    def variable(self, data: Data, size: int) -> tuple[Head, Note]:
        """Return head and note of the variable of so many bytes, of which all tags are given.

        Afterwards ``data`` is what SciPy may read.
        """
        self.data, self.replaced = data, []
        head = self.head(0, size)
        if not head.name:
            return head, None
        try:
            note, after = self.array(head, size, 1)
            if size - after >= 8:
                raise DamageError(f"{size - after} bytes more than its dimensions say")
        except DamageError as error:
            error.inside(head.name)
            raise
        self.replace()
        return head, note

    def replace(self) -> None:
        """Put numbers where values of our own stand."""
        if self.replaced and isinstance(self.data, bytes):
            self.data = bytearray(self.data)
        for begin, size in self.replaced:
            count = size - HEAD
            head = (UINT32, 8, UINT8_CLASS, 0, INT32, 8, 1, count, INT8, 0, UINT8, count)
            struct.pack_into(f"{self.order}12I", self.data, begin, *head)

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
        if code in SMALL and end - start >= HEAD:
            kind, size, rows, columns = self.flags.unpack_from(self.data, start + 16)
            if (kind, size) == (INT32, 8) and rows | columns < 1 << 31:
                return Head(code, flags, (rows, columns), *self.text(start + 32, end))
        if code == OPAQUE:  # without dimensions; the name is the first part of the content
            return Head(code, flags, (1, 1), self.text(start + 16, end)[0], start + 16)
        shape, start = self.integers(start + 16, end)
        largest = math.prod(size or 1 for size in shape)  # NumPy counts them although all is empty
        if not 2 <= len(shape) <= MAX_DIMENSIONS or min(shape) < 0 or largest > MAX_ENTRIES:
            raise DamageError(f"dimensions {shape[:4]}")
        name, start = self.text(start, end)
        return Head(code, flags, shape, name, start)

    def array(self, head: Head, end: int, depth: int) -> tuple[Note, int]:
        """Look at the content of the array with this head."""
        code = head.code
        if code in (CELL, STRUCT, OBJECT, FUNCTION, OPAQUE):
            if depth > MAX_DEPTH:
                raise DamageError(f"cells and structs more than {MAX_DEPTH} deep")
            looks = {CELL: self.cell, FUNCTION: self.function, OPAQUE: self.opaque}
            return looks.get(code, self.struct)(head, end, depth)
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

    def count(self, number: int) -> None:
        """Note that so many arrays come."""
        self.elements -= number
        if self.elements < 0:
            raise DamageError(TOO_MANY)

    def entries(self, keys: list[Any], start: int, end: int, depth: int) -> tuple[Note, int]:
        """Look at the arrays in a cell or struct, the first of which begins at a byte."""
        self.count(len(keys))
        notes: dict[Any, Any] = {}
        data, known = self.data, self.known
        for key in keys:
            found = known.get(data[start : start + 8 + HEAD])  # type: ignore[arg-type]
            if found is not None:
                step, size, kind = found
                if start + step <= end and (not size or self.ascii(start + 8 + HEAD, size, kind)):
                    start += step
                    continue
            note, start = self.element(start, end, depth)
            if note is not None:
                notes[key] = note
        return notes or None, start

    def element(self, start: int, end: int, depth: int) -> tuple[Note, int]:
        """Look at the array in a cell or struct that begins at a byte."""
        kind, begin, size, after = self.tag(start, end)
        if kind != MATRIX or begin != start + 8:
            raise DamageError(f"type {kind}, where an array should begin")
        if not size:
            self.empty -= 1
            if self.empty < 0:
                raise DamageError(TOO_MANY)
            return None, after
        head = self.head(begin, begin + size)
        note, reached = self.array(head, begin + size, depth + 1)
        if reached != after:  # there SciPy will look for the next
            raise DamageError(f"{after - reached} bytes more than its dimensions say")
        if isinstance(note, Own) and head.code not in (STRUCT, OBJECT):
            if size < HEAD or after > end:
                raise DamageError(f"a {head.matlab_class} of {size} bytes")
            self.replaced.append((begin, after - begin))
        elif note is None:
            self.remember(start, head, after - start)
        return note, after

    def remember(self, start: int, head: Head, step: int) -> None:
        """Remember the head of a small array whose bytes alone say that it is right."""
        if head.start != start + HEAD or head.flags & COMPLEX or head.code not in SMALL:
            return
        kind, begin, size, _ = self.tag(head.start, start + step)
        if head.code != CHAR or begin < start + 8 + HEAD:  # short text stands in the tag itself
            size = 0
        if len(self.known) < REMEMBERED:
            self.known[self.cut(start, 8 + HEAD)] = step, size, kind

    def ascii(self, begin: int, size: int, kind: int) -> bool:
        """Tell whether text is ASCII, which SciPy reads as it is."""
        data = self.cut(begin, size)
        return data.isascii() and (kind in BYTES or not data[self.high :: 2].strip(b"\0"))

    def values(self, start: int, end: int) -> tuple[int, int, int, int]:
        """Return the type of numbers, where they begin, how many they are, and the next byte."""
        kind, begin, size, after = self.tag(start, end)
        if kind not in SIZES:
            raise DamageError(f"type {kind} for numbers")
        if size % SIZES[kind]:
            raise DamageError(f"{size} bytes for numbers of {SIZES[kind]}")
        return kind, begin, size // SIZES[kind], after

    def parts(self, start: int, end: int, flags: int) -> tuple[int, int, int]:
        """Return the type of real or complex numbers, how many they are, and the next byte."""
        kind, _, count, start = self.values(start, end)
        if flags & COMPLEX:
            _, _, again, start = self.values(start, end)
            if again != count:
                raise DamageError(f"{count} real and {again} imaginary parts")
        return kind, count, start

    def numbers(self, head: Head, end: int) -> tuple[Note, int]:
        """Look at an array of numbers."""
        kind, count, after = self.parts(head.start, end, head.flags)
        if head.code > SINGLE and kind in FRACTIONS:
            raise DamageError(f"fractions in an array of class {CLASSES[head.code]}")
        if count != math.prod(head.shape):
            raise DamageError(f"{count} numbers for dimensions {head.shape}")
        return None, after

    def char(self, head: Head, end: int) -> tuple[Note, int]:
        """Look at text."""
        kind, begin, size, after = self.tag(head.start, end)
        encoding = TEXTS.get(kind)
        if encoding is None:
            raise DamageError(f"type {kind} for text")
        count = size // 2 if kind in PAIRS else size
        usual = kind in (*BYTES, *PAIRS) and count == math.prod(head.shape)
        if usual and self.ascii(begin, size, kind):
            return None, after
        data = self.cut(begin, size)
        if encoding != "utf-8":
            encoding += "-le" if self.order == "<" else "-be"
        try:
            found = data.decode(encoding, "surrogatepass")
        except UnicodeDecodeError:
            found = data.decode("latin1" if encoding == "utf-8" else encoding, "replace")
        return Own(form.text(found, size, head.shape)), after

    def cell(self, head: Head, end: int, depth: int) -> tuple[Note, int]:
        """Look at a cell."""
        count, start = math.prod(head.shape), head.start
        if 8 * count > end - start:
            raise DamageError(f"a cell of {count} entries in {end - start} bytes")
        if count > 1 and self.cut(start, 8 * count) == self.words.pack(MATRIX, 0) * count:
            self.count(count)
            return Own(form.cell([NOTHING] * count, head.shape)), start + 8 * count
        note, start = self.entries(list(range(count)), start, end, depth)
        if count == 1 and isinstance(note, dict):  # a cell of one is its entry
            note = note[0]
        return note, start

    def struct(self, head: Head, end: int, depth: int) -> tuple[Note, int]:
        """Look at a struct array."""
        count, start = math.prod(head.shape), head.start
        if head.code == OBJECT:
            _, start = self.text(start, end)
        names, start = self.fields(start, end)
        if 8 * count * len(names) > end - start:
            raise DamageError(f"{count} structs of {len(names)} fields in {end - start} bytes")
        keys = [(index, name) for index in range(count if names else 0) for name in names]
        note, start = self.entries(keys, start, end, depth)
        return (note if names else Own(None)), start

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
        return parts, after

    def sparse(self, head: Head, end: int) -> tuple[Note, int]:
        """Look at a sparse array, its indices included."""
        kinds, indices, start = [], [], head.start
        for _ in range(2):
            kind, begin, count, start = self.values(start, end)
            kinds.append(kind)
            dtype = np.dtype(self.order + NUMBERS[kind])
            indices.append(np.frombuffer(self.data, dtype, count, begin))
        _, count, after = self.parts(start, end, head.flags)
        if len(head.shape) != 2 or set(kinds) & set(FRACTIONS):
            raise DamageError(f"no indices of a sparse array {head.shape}")
        wrong = form.wrong_indices(indices[0], indices[1], count, head.shape)
        return (None if wrong is None else Own(wrong)), after

    def function(self, head: Head, end: int, depth: int) -> tuple[Note, int]:
        """Look at a function handle."""
        _, after = self.element(head.start, end, depth)
        return Own(Unreadable("a function handle")), after

    def opaque(self, head: Head, end: int, depth: int) -> tuple[Note, int]:
        """Look at an object of a class."""
        start = head.start
        for _ in range(3):  # its name, the system of classes, the class
            name, start = self.text(start, end)
        _, after = self.element(start, end, depth)
        return Own(Unreadable(f"an object of the MATLAB class {name}")), after


def _padded(size: int) -> int:
    """Return the bytes that an element takes: elements begin at every eighth byte."""
    return size + 7 & ~7
