"""What HDF5 follows in a file without looking where it has been, checked before it does.

A tree one of whose nodes is its own neighbour, or a list of free space that leads back to itself,
keeps HDF5 busy for ever, and a tree inside itself ends the process. The structures in which MATLAB
writes are read as The HDF Group, "HDF5 File Format Specification Version 3.0" describes them:
superblock (II.A), version 1 B-trees (III.A.1), local heap (III.D), object header (IV.A.1.a), link
info, data layout and symbol table messages (IV.A.2.c, IV.A.2.i, IV.A.2.r).
"""

from __future__ import annotations

import struct
from typing import BinaryIO

from mne_bstinv.io.hdf5_links import link_out_of, refused_link
from mne_bstinv.io.variable import DamageError, NewerFormError, RefusalError

__all__ = ["ATTRIBUTE", "Structures"]

SIGNATURE = b"\x89HDF\r\n\x1a\n"

#: Types of the messages of an object header.
LINK_INFO, LAYOUT, ATTRIBUTE, CONTINUATION, SYMBOL_TABLE = 0x02, 0x08, 0x0C, 0x10, 0x11

#: Types of version 1 B-trees.
OF_GROUP, OF_CHUNKS = 0, 1

#: The layout class of chunks.
CHUNKED = 2

#: No address; and no free space in a heap.
UNDEFINED, NO_MORE = 2**64 - 1, 1

TREE_NODE = struct.Struct("<4sBBHQQ")
HEAP = struct.Struct("<4sB3xQQQ")

#: Versions of the superblock of files all of which is in the newer form.
NEWER_SUPERBLOCKS = (2, 3)

NEWER = "a form of HDF5 that MATLAB does not write"


class Structures:
    """Reads structures of one file, opened in binary mode.

    Addresses are counted from the byte ``base``.
    """

    def __init__(self, file: BinaryIO, base: int) -> None:
        self.file = file
        self.base = base
        self.size = file.seek(0, 2)
        start = self.read(0, 15)
        if start.startswith(SIGNATURE) and start[8] in NEWER_SUPERBLOCKS:
            raise NewerFormError(NEWER)
        if not start.startswith(SIGNATURE) or start[8] > 1 or start[13:15] != b"\x08\x08":
            raise DamageError(NEWER)

    def read(self, address: int, size: int) -> bytes:
        """Return bytes that must be in the file."""
        start = self.base + address
        if not 0 <= start <= self.size - size:
            raise DamageError(f"{size} bytes at {start}, beyond the end")
        self.file.seek(start)
        return self.file.read(size)

    def messages(self, address: int, wanted: int) -> list[bytes]:
        """Return the messages of one type in an object header."""
        version, _, count, _, size = struct.unpack("<BBHII", self.read(address, 12))
        if version != 1:
            raise DamageError(NEWER)
        blocks, found = [(address + 16, size)], []
        while blocks and count > 0:
            block, start = self.read(*blocks.pop(0)), 0
            while start + 8 <= len(block) and count > 0:
                kind, size = struct.unpack_from("<HH", block, start)
                body = block[start + 8 : start + 8 + size]
                if kind == CONTINUATION and len(body) >= 16:
                    blocks.append(struct.unpack_from("<QQ", body))
                elif kind == wanted:
                    found.append(body)
                start, count = start + 8 + size, count - 1
        return found

    def check_group(self, address: int) -> None:
        """Check the tree of the names in a group, and the heap they are in.

        A group with links that lead elsewhere has them in its header, or in a newer form of heap.
        """
        for body in self.messages(address, LINK_INFO):
            start = 10 if len(body) > 1 and body[1] & 1 else 2
            links = int.from_bytes(body[start : start + 8], "little")
            if links != UNDEFINED:
                raise self._newer_group(links)
        for body in self.messages(address, SYMBOL_TABLE):
            if len(body) < 16:
                raise DamageError(NEWER)
            tree, heap = struct.unpack_from("<QQ", body)
            self._check_tree(tree, OF_GROUP, 8)
            self._check_heap(heap)

    def _newer_group(self, heap: int) -> DamageError | RefusalError:
        """Return what is wrong with a group whose links are in a newer form of heap."""
        found = link_out_of(self.read, heap)
        if found is None:
            return DamageError(NEWER)
        name, kind = found
        return refused_link(name, kind)

    def check_chunks(self, address: int) -> None:
        """Check the tree of the chunks of a dataset."""
        for body in self.messages(address, LAYOUT):
            if len(body) < 16 or body[0] not in (1, 2, 3):
                raise DamageError(NEWER)
            kind, rank, tree = struct.unpack_from("<BBQ", body, 1)
            if body[0] < 3:
                rank, kind, tree = struct.unpack_from("<BB5xQ", body, 1)
            if kind == CHUNKED and tree != UNDEFINED:  # nothing was written yet
                self._check_tree(tree, OF_CHUNKS, 8 + 8 * rank)

    def _check_tree(self, address: int, kind: int, key: int) -> None:
        """Check that nodes know their neighbours, and every one has one parent, a level higher."""
        nodes, level = [address], None
        while nodes:
            below: list[int] = []
            for node, after in zip(nodes, [*nodes[1:], UNDEFINED], strict=True):
                mark, found, height, used, _, right = TREE_NODE.unpack(self.read(node, 24))
                if mark != b"TREE" or found != kind or height != (level or height):
                    raise DamageError("a tree with a node of another kind")
                if right != after:
                    raise DamageError("a tree whose nodes have other neighbours")
                level, entry = height, struct.Struct(f"<{key}xQ")
                body = self.read(node + 24, used * entry.size)
                below += [child for (child,) in entry.iter_unpack(body)]
            if len(set(below)) < len(below):
                raise DamageError("a tree in which nodes have two parents")
            nodes, level = (below, level - 1) if level else ([], None)

    def _check_heap(self, address: int) -> None:
        """Check that the list of what is free in a heap ends."""
        mark, _, size, free, segment = HEAP.unpack(self.read(address, 32))
        if mark != b"HEAP":
            raise DamageError("a group without a heap")
        known = set()
        while free not in (NO_MORE, UNDEFINED):
            if free in known or free > size - 16:
                raise DamageError("a heap whose list of free space does not end")
            known.add(free)
            free = struct.unpack("<Q", self.read(segment + free, 8))[0]
