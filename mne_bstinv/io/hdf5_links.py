"""Which link in the newer form of a group leads out of the file, from its bytes.

A group of old files gets the newer form when it is given such a link. HDF5 is not asked to follow
this form, which MATLAB does not write; but that it is a link has to be said, and of what name. The
structures are read as The HDF Group, "HDF5 File Format Specification Version 3.0" describes them:
fractal heap (III.G), link message (IV.A.2.g).
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator

from mne_bstinv.io.variable import DamageError, RefusalError

#: Returns bytes of a file, by address and size, or a DamageError.
Read = Callable[[int, int], bytes]

__all__ = ["link_out_of", "refused_link"]

#: Types of links.
HARD, SOFT, EXTERNAL = 0, 1, 64
#: What the others are.
LINKS = {SOFT: "a soft link", EXTERNAL: "a link to another file"}

#: Fields of the header of a heap, and where: table width, size of the first block, size of the
#: largest, bits of a place; address of the root, rows of its table.
SIZES, ROOT = (struct.Struct("<HQQH"), 110), (struct.Struct("<QH"), 132)
#: The size of the header, with what follows these.
HEADER = 142
#: The flag of a heap whose blocks have a checksum.
CHECKED = 0b10
#: Rows of a table at most: each is of blocks twice as large.
MAX_ROWS = 64
#: No address.
UNDEFINED = 2**64 - 1


def refused_link(name: str, kind: int) -> RefusalError:
    """Return the error that refuses a link that is none to an object of the file."""
    error = RefusalError(LINKS.get(kind, f"a link of type {kind}"))
    error.inside(name)
    return error


def link_out_of(read: Read, heap: int) -> tuple[str, int] | None:
    """Return name and type of the first link that leads elsewhere; None where none can be seen."""
    try:
        for block in _blocks(read, heap):
            for name, kind in _links(block):
                if kind != HARD:
                    return name, kind
    except (DamageError, IndexError, struct.error):  # said with another error
        pass
    return None


def _blocks(read: Read, heap: int) -> Iterator[bytes]:
    """Yield what is in the blocks of a heap; of a table those that it holds itself."""
    header = read(heap, HEADER)
    width, first, largest, bits = SIZES[0].unpack_from(header, SIZES[1])
    root, rows = ROOT[0].unpack_from(header, ROOT[1])
    head = 13 + -(-bits // 8)
    sizes, addresses = [first], (root,)
    if rows:
        by_row = [first << max(row - 1, 0) for row in range(min(rows, MAX_ROWS))]
        sizes = [size for size in by_row if size <= largest for _ in range(width)]
        table = read(root + head, 8 * len(sizes))
        addresses = struct.unpack(f"<{len(sizes)}Q", table)
    for address, size in dict(zip(addresses, sizes, strict=True)).items():
        if address != UNDEFINED:
            yield read(address, size)[head + 4 * bool(header[9] & CHECKED) :]


def _links(block: bytes) -> Iterator[tuple[str, int]]:
    """Yield name and type of the link messages that stand one after the other."""
    at = 0
    while at < len(block) and block[at] == 1:
        flags, at = block[at + 1], at + 2
        kind = block[at] if flags & 0b1000 else HARD
        at += bool(flags & 0b1000) + 8 * bool(flags & 0b100) + bool(flags & 0b10000)
        width = 1 << (flags & 0b11)
        size = int.from_bytes(block[at : at + width], "little")
        at += width
        yield block[at : at + size].decode("utf-8", "replace"), kind
        at += size
        at += 8 if kind == HARD else 2 + struct.unpack_from("<H", block, at)[0]
