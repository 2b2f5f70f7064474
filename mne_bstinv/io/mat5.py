"""Read MATLAB 5 files (v6, v7): its variables one after the other.

A compressed variable is inflated once, to the size it declares and not a byte more;
:mod:`~mne_bstinv.io.mat5_values` takes the values from its bytes.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from mne_bstinv.io.limits import DEFLATE, max_elements
from mne_bstinv.io.mat5_values import BUFFERED, MATRIX, Data, Values
from mne_bstinv.io.variable import DamageError, Variable

__all__ = ["names_in", "read"]

#: Data type ("mi" code) of a compressed variable.
COMPRESSED = 15

#: The header of a file, and enough of a variable to know its name: 32 dimensions, 63 letters.
HEADER, HEAD = 128, 512

#: Bytes of a file that is read at once.
SMALL = 100_000

#: Compressed bytes that are inflated at a time, and the most they may become.
STEP, AT_ONCE = 65536, 2**20
#: Inflated bytes that are taken at first: most variables are not larger.
SMALLEST = 16384

#: Bytes of a tag, and of the class and flags of an array with theirs.
TAG, FLAGS = 8, 16


class Stored(NamedTuple):
    """A variable in the file, without its tag."""

    start: int
    size: int
    compressed: bool


def read(path: Path, names: list[str] | None) -> dict[str, Variable]:
    """Return the variables of a file, or those of the given names."""
    found: dict[str, Variable] = {}
    with path.open("rb") as file:
        size = file.seek(0, 2)
        order = _byte_order(file)
        values = Values(order, max_elements(size))
        source = _in_memory(file, size)
        for stored in _stored(source, size, order):
            if names is not None and _name(source, stored, order) not in names:
                continue
            head, value = values.variable(*_opened(source, stored, order))
            # without a name: what MATLAB needs for function handles and objects
            if head.name and not head.name.startswith("__"):
                found[head.name] = Variable(value, head.shape, head.matlab_class)
    return found


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
        head = zlib.decompressobj().decompress(head, TAG + HEAD)
        _declared_size(head, order)
        head = head[TAG:]
    return Values(order, 1, head).head(0, len(head)).name


def _opened(file: BinaryIO, stored: Stored, order: str) -> tuple[Data, int]:
    """Return the bytes of a variable, inflated, and their number.

    Numbers are in memory of their own, which is to be their array.
    """
    file.seek(stored.start)
    if not stored.compressed:
        data = file.read(min(stored.size, FLAGS))
        if _is_buffered(data, order):
            buffer = np.empty(stored.size, np.uint8)
            file.seek(stored.start)
            file.readinto(buffer)  # type: ignore[attr-defined]
            return buffer, stored.size
        return data + file.read(stored.size - len(data)), stored.size
    inflater = zlib.decompressobj()
    begin = inflater.decompress(file.read(min(stored.size, STEP)), SMALLEST)
    size = _declared_size(begin, order)
    if size > DEFLATE * stored.size:
        raise DamageError(f"a variable of {size} bytes from {stored.size} compressed ones")
    whole: Data = begin[TAG:]
    count = len(whole)
    if not inflater.eof and count <= size:
        whole = np.empty(size + 1, np.uint8)
        whole[:count] = np.frombuffer(begin, np.uint8, offset=TAG)
        count = _inflate_into(whole, count, inflater, file, stored)
        whole = whole if _is_buffered(whole, order) else whole.tobytes()
    if count != size or not inflater.eof:
        raise DamageError(f"a variable of {size} bytes that is longer, or cut short")
    return whole, size


def _is_buffered(data: Data, order: str) -> bool:
    """Tell whether a variable is numbers alone, which stay where they were read to."""
    return len(data) >= FLAGS and struct.unpack_from(f"{order}I", data, 8)[0] & 0xFF in BUFFERED


def _declared_size(data: bytes, order: str) -> int:
    """Return the size of a variable, from the tag that its inflated bytes begin with."""
    kind, size = struct.unpack_from(f"{order}II", data) if len(data) >= TAG else (0, 0)
    if kind != MATRIX:
        raise DamageError(f"type {kind}, where a variable should begin")
    return int(size)


def _inflate_into(
    buffer: np.ndarray[Any, Any], count: int, inflater: Any, file: BinaryIO, stored: Stored
) -> int:
    """Inflate what follows the first bytes, step by step, and return how many bytes it is."""
    view, left = memoryview(buffer), max(0, stored.size - STEP)
    data = inflater.unconsumed_tail
    while data and not inflater.eof and count < len(view):
        part = inflater.decompress(data, min(len(view) - count, AT_ONCE))
        view[count : count + len(part)] = part
        count += len(part)
        data = inflater.unconsumed_tail
        if not data:
            data = file.read(min(left, STEP))
            left -= len(data)
    return count
