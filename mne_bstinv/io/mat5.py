"""Read MATLAB 5 files (v6, v7): SciPy reads the values, of bytes that were checked before.

A compressed variable is inflated once, to the size it declares, its tags are walked over
(:mod:`~mne_bstinv.io.mat5_tags`), and :func:`scipy.io.loadmat` is given the inflated bytes. Its
values get the one form of :mod:`~mne_bstinv.io.variable`.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from inspect import signature
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
import scipy.io
from scipy.sparse import csc_array, issparse

from mne_bstinv.io import variable as form
from mne_bstinv.io.limits import DEFLATE, max_elements
from mne_bstinv.io.mat5_tags import COMPLEX, DOUBLE, LAST_NUMBER, MATRIX, Head, Note, Own, Walk
from mne_bstinv.io.variable import DamageError, Variable

__all__ = ["names_in", "read"]

#: Data type ("mi" code) of a compressed variable.
COMPRESSED = 15

#: The header of a file, and enough of a variable to know its name: 32 dimensions, 63 letters.
HEADER, HEAD = 128, 512
#: Newer releases of SciPy warn of what they give without it.
SPARSE = {"spmatrix": False} if "spmatrix" in signature(scipy.io.loadmat).parameters else {}

#: Bytes of numbers from which it costs more to copy them than to read them in Python.
LARGE = 100_000
NUMERIC = range(DOUBLE, LAST_NUMBER + 1)

#: Types of the most frequent values.
SCALARS = {str, int, float, complex, type(None)}

Data = bytes | bytearray | memoryview

#: Bytes of a file that is read at once.
SMALL = 1_000_000

#: Compressed bytes that are inflated at a time.
STEP = 65536

#: Bytes of a tag.
TAG = 8


class Stored(NamedTuple):
    """A variable in the file, without its tag."""

    start: int
    size: int
    compressed: bool


def read(path: Path, names: list[str] | None) -> dict[str, Variable]:
    """Return the variables of a file, or those of the given names."""
    heads: dict[str, tuple[Head, Note]] = {}
    streams: dict[str, Any] = {}
    with path.open("rb") as file:
        size = file.seek(0, 2)
        order = _byte_order(file)
        walk = Walk(order, max_elements(size))
        source = _in_memory(file, size)
        for stored in _stored(source, size, order):
            if names is not None and _name(source, stored, order) not in names:
                continue
            stream, data, n_bytes = _opened(source, stored, order)
            head, note = walk.variable(data, n_bytes)
            # without a name: what MATLAB needs for function handles and objects
            if not head.name or head.name.startswith("__"):
                continue
            heads[head.name] = head, note
            streams[head.name] = None if isinstance(note, Own) else stream or walk.data
        values = _values(streams, order)
    return {
        name: Variable(_converted(values.get(name), note), head.shape, head.matlab_class)
        for name, (head, note) in heads.items()
    }


def names_in(path: Path) -> list[str]:
    """Return the names of the variables of a file, from the first bytes of each."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        order = _byte_order(file)
        return [name for one in _stored(file, size, order) if (name := _name(file, one, order))]


def _in_memory(file: BinaryIO, size: int) -> BinaryIO:
    """Return a file whose parts are quickly reached: a small one in memory."""
    file.seek(0)
    return BytesIO(file.read()) if size < SMALL else file


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
        stream = zlib.decompressobj()
        _inflated_size(head, stream, order)
        head = stream.decompress(stream.unconsumed_tail, HEAD)
    return Walk(order, 1, head).head(0, len(head)).name


def _opened(file: BinaryIO, stored: Stored, order: str) -> tuple[Any, Data, int]:
    """Return what SciPy may read a variable from, its bytes, inflated, and their number.

    Of a large array that is not compressed these are the first bytes. A small variable has no
    stream of its own, it costs more than to copy it.
    """
    file.seek(stored.start)
    if not stored.compressed:
        return _uncompressed(file, stored, order)
    inflater = zlib.decompressobj()
    size = _inflated_size(file.read(min(stored.size, STEP)), inflater, order)
    if size > DEFLATE * stored.size:
        raise DamageError(f"a variable of {size} bytes from {stored.size} compressed ones")
    if stored.size <= STEP:
        whole: Data = inflater.decompress(inflater.unconsumed_tail, size + 1)
        stream, count = None, len(whole)
    else:
        stream = BytesIO()
        stream.write(_header(order, size))
        count = _inflate_into(stream, inflater, file, stored, size + 1)
        whole = stream.getbuffer()[HEADER + TAG :]
        if _flags(whole, order) & 0xFF not in NUMERIC:
            stream, whole = None, bytes(whole)
    if count != size or not inflater.eof:
        raise DamageError(f"a variable of {size} bytes that is longer, or cut short")
    return stream, whole, size


def _uncompressed(file: BinaryIO, stored: Stored, order: str) -> tuple[Any, Data, int]:
    head = file.read(min(stored.size, HEAD))
    flags = _flags(head, order)
    if stored.size > LARGE and flags & 0xFF in NUMERIC and not flags & COMPLEX:
        return _Part(_header(order, stored.size), file, stored.start), head, stored.size
    return None, head + file.read(stored.size - len(head)), stored.size


def _flags(data: Data, order: str) -> int:
    """Return class and flags of an array; 0 if there is none."""
    return int(struct.unpack(f"{order}I", data[8:12])[0]) if len(data) >= HEAD else 0


def _inflated_size(data: bytes, inflater: Any, order: str) -> int:
    """Return the size of a compressed variable; the inflater stops behind its tag."""
    tag = inflater.decompress(data, TAG)
    kind, size = struct.unpack(f"{order}II", tag) if len(tag) == TAG else (0, 0)
    if kind != MATRIX:
        raise DamageError(f"type {kind}, where a variable should begin")
    return int(size)


def _inflate_into(stream: BytesIO, inflater: Any, file: BinaryIO, stored: Stored, most: int) -> int:
    """Inflate what follows the tag, step by step, and return how many bytes it is."""
    data, left, count = inflater.unconsumed_tail, stored.size - STEP, 0
    while data and count < most:
        count += stream.write(inflater.decompress(data, most - count))
        data = file.read(min(left, STEP))
        left -= len(data)
    return count


def _header(order: str, size: int) -> bytes:
    """Return the header of a file, and the tag of its first variable."""
    version = struct.pack(f"{order}H", 0x0100) + (b"IM" if order == "<" else b"MI")
    return b" " * (HEADER - len(version)) + version + _tag(order, size)


def _tag(order: str, size: int) -> bytes:
    return struct.pack(f"{order}II", MATRIX, size)


def _values(streams: dict[str, Any], order: str) -> dict[str, Any]:
    """Return what SciPy reads of variables, whose bytes are let go one after the other."""
    found, small = {}, BytesIO()
    small.write(_header(order, 0)[:HEADER])
    for name in list(streams):
        stream = streams.pop(name)
        if isinstance(stream, bytes | bytearray):
            small.write(_tag(order, len(stream)))
            small.write(stream)
        elif stream is not None:
            found.update(_load(stream))
    found.update(_load(small))
    return found


def _load(stream: Any) -> dict[str, Any]:
    values: dict[str, Any] = scipy.io.loadmat(stream, squeeze_me=True, **SPARSE)
    return values


class _Part:
    """A variable in a file, behind a header of its own, for SciPy to read."""

    def __init__(self, header: bytes, file: BinaryIO, start: int) -> None:
        self.header = header
        self.file = file
        #: What the position in the file is ahead of the position here.
        self.ahead = start - len(header)
        self.position = 0

    def read(self, size: int) -> bytes:
        """Return the next bytes."""
        found = self.header[self.position : self.position + size]
        if len(found) < size:
            self.file.seek(self.position + len(found) + self.ahead)
            found += self.file.read(size - len(found))
        self.position += len(found)
        return found

    def seek(self, offset: int, whence: int = 0) -> None:
        """Go to a byte."""
        self.position = offset + (self.position if whence else 0)

    def tell(self) -> int:
        """Return the byte that is next."""
        return self.position


def _converted(value: Any, note: Note) -> Any:
    """Return a value of SciPy in the form of this package, with values of our own in it."""
    if note is None:
        return _plain(value)
    if isinstance(note, Own):
        return note.value
    names = value.dtype.names
    rows = value.reshape(-1, order="F").tolist()
    if not names:
        items = [_converted(item, note.get(index)) for index, item in enumerate(rows)]
        return form.cell(items, value.shape)
    columns = [
        [_converted(row[at], note.get((index, name))) for index, row in enumerate(rows)]
        for at, name in enumerate(names)
    ]
    return form.struct(names, columns, value.shape)


def _plain(value: Any) -> Any:
    """Return a value of SciPy in the form of this package."""
    if type(value) in SCALARS:
        return value
    if not isinstance(value, np.ndarray):
        return csc_array(value) if issparse(value) else value
    kind = value.dtype.kind
    if kind == "O":
        return _listed(value.tolist())
    if kind == "V":
        names = value.dtype.names or ()
        if not value.ndim:
            return dict(zip(names, map(_plain, value.item()), strict=True))
        rows = value.reshape(-1, order="F").tolist()
        return {name: [_plain(row[at]) for row in rows] for at, name in enumerate(names)}
    return value if value.dtype.isnative else value.astype(value.dtype.newbyteorder("="))


def _listed(items: list[Any]) -> list[Any]:
    """Return the entries of a cell, in lists of lists if it has rows and columns."""
    return [_listed(item) if isinstance(item, list) else _plain(item) for item in items]
