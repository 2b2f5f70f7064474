"""The names of a struct's fields in MATLAB's order, from the bytes of an HDF5 file.

MATLAB keeps them in the attribute ``MATLAB_fields``, of variable length. HDF5 allocates whatever
length the attribute declares, and on a damaged one may never return; so the few structures on the
way to the names are read here, as The HDF Group, "HDF5 File Format Specification Version 3.0"
describes them: attribute message (IV.A.2.m), global heap (III.E).
"""

from __future__ import annotations

import math
import struct

from mne_bstinv.io.hdf5_structure import ATTRIBUTE, Structures
from mne_bstinv.io.variable import DamageError

__all__ = ["FieldNames"]

NAME = b"MATLAB_fields\0"

#: A text of variable length, whose letters are strings of one: class 9 of class 3 and size 1.
VARIABLE_LENGTH, STRING = 9, 3

#: Entries of MATLAB_fields in a file: length, address of the heap, index in it.
ENTRY = struct.Struct("<IQI")


class FieldNames:
    """Reads the names of the fields of the groups of one file."""

    def __init__(self, structures: Structures) -> None:
        self.structures = structures
        self.heaps: dict[int, dict[int, bytes]] = {}

    def of(self, address: int) -> list[str] | None:
        """Return the names that the object with this address has; None if it has none."""
        for message in self.structures.messages(address, ATTRIBUTE):
            data = _attribute(message)
            if data is not None:
                return [self._name(*entry) for entry in ENTRY.iter_unpack(data)]
        return None

    def _name(self, length: int, heap: int, index: int) -> str:
        if heap not in self.heaps:
            self.heaps[heap] = self._objects(heap)
        letters = self.heaps[heap].get(index, b"")
        if length > len(letters):
            raise DamageError(f"a field name of {length} letters, {len(letters)} are stored")
        return letters[:length].decode("utf-8", "replace")

    def _objects(self, address: int) -> dict[int, bytes]:
        """Return the objects of a collection of the global heap by their index."""
        mark, _, size = struct.unpack("<4sIQ", self.structures.read(address, 16))
        if mark != b"GCOL":
            raise DamageError("no names where MATLAB_fields says")
        block, start, found = self.structures.read(address, size), 16, {}
        while start + 16 <= len(block):
            index, _, _, length = struct.unpack_from("<HHIQ", block, start)
            if index == 0:  # the rest is free
                break
            if length > len(block) - start - 16:
                raise DamageError("a field name longer than its heap")
            found[index] = block[start + 16 : start + 16 + length]
            start += 16 + (length + 7 & ~7)
        return found


def _attribute(message: bytes) -> bytes | None:
    """Return the entries of an attribute message, if it is MATLAB_fields."""
    if len(message) < 9:
        return None
    version, _, n_name, n_type, n_space = struct.unpack_from("<BBHHH", message)
    pad = 7 if version == 1 else 0  # only version 1 pads its parts to 8 bytes
    start = 9 if version == 3 else 8  # version 3 says the encoding of the name
    if message[start : start + n_name] != NAME:
        return None
    start += (n_name + pad) & ~pad
    kind = message[start : start + n_type]
    start += (n_type + pad) & ~pad
    space = message[start : start + n_space]
    entries = message[start + ((n_space + pad) & ~pad) :]
    if len(kind) < 16 or len(space) < 4:
        raise DamageError("MATLAB_fields of another form")
    outer, size, inner, one = struct.unpack_from("<B3xIB3xI", kind)
    rank, first = space[1], 8 if space[0] == 1 else 4
    if (outer & 0xF, size, inner & 0xF, one) != (VARIABLE_LENGTH, ENTRY.size, STRING, 1):
        raise DamageError("MATLAB_fields of another type")
    if len(space) < first + 8 * rank:
        raise DamageError("MATLAB_fields of another form")
    count = math.prod(struct.unpack_from(f"<{rank}Q", space, first))
    if count * ENTRY.size > len(entries):
        raise DamageError(f"MATLAB_fields of {count} names in {len(entries)} bytes")
    return entries[: count * ENTRY.size]
