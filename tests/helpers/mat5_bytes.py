"""Write MATLAB 5 files byte by byte, right or wrong in one place."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

HEADER = b"MATLAB 5.0 MAT-file".ljust(116) + b"\0" * 8

#: Data types and array classes by their names in MATLAB's documentation.
MI = {"INT8": 1, "UINT8": 2, "INT16": 3, "UINT16": 4, "INT32": 5, "UINT32": 6, "SINGLE": 7,
      "DOUBLE": 9, "INT64": 12, "UINT64": 13, "MATRIX": 14, "COMPRESSED": 15, "UTF8": 16,
      "UTF16": 17, "UTF32": 18}  # fmt: skip
MX = {"CELL": 1, "STRUCT": 2, "OBJECT": 3, "CHAR": 4, "SPARSE": 5, "DOUBLE": 6, "SINGLE": 7,
      "INT8": 8, "UINT8": 9, "INT16": 10, "INT32": 12, "INT64": 14, "FUNCTION": 16,
      "OPAQUE": 17}  # fmt: skip


def element(kind: str | int, data: bytes, *, order: str = "<", size: int | None = None) -> bytes:
    """Return a data element; ``size`` is what it says instead of the truth."""
    code = MI[kind] if isinstance(kind, str) else kind
    tag = struct.pack(f"{order}II", code, len(data) if size is None else size)
    return tag + data + b"\0" * (-len(data) % 8)


def array(
    mx: str | int,
    shape: tuple[int, ...],
    *content: bytes,
    name: str = "",
    flags: int = 0,
    order: str = "<",
) -> bytes:
    """Return an array with what it holds."""
    code = MX[mx] if isinstance(mx, str) else mx
    parts = [
        element("UINT32", struct.pack(f"{order}II", code | flags << 8, 0), order=order),
        element("INT32", struct.pack(f"{order}{len(shape)}i", *shape), order=order),
        element("INT8", name.encode(), order=order),
    ]
    return element("MATRIX", b"".join([*parts, *content]), order=order)


def doubles(*values: float, order: str = "<") -> bytes:
    """Return a data element of doubles."""
    return element("DOUBLE", struct.pack(f"{order}{len(values)}d", *values), order=order)


def number(name: str = "a", value: float = 1.0) -> bytes:
    """Return a variable of one number."""
    return array("DOUBLE", (1, 1), doubles(value), name=name)


def compressed(variable: bytes) -> bytes:
    """Return a variable, compressed."""
    data = zlib.compress(variable)
    return struct.pack("<II", MI["COMPRESSED"], len(data)) + data


def text(kind: str, data: bytes, shape: tuple[int, ...], name: str = "a") -> bytes:
    """Return a variable of characters."""
    return array("CHAR", shape, element(kind, data), name=name)


def nested(depth: int) -> bytes:
    """Return cells of one around a number."""
    inner = array("DOUBLE", (1, 1), doubles(1.0))
    for level in range(depth):
        inner = array("CELL", (1, 1), inner, name="a" if level == depth - 1 else "")
    return inner


def sparse(rows: list[int], starts: list[int], shape: tuple[int, int]) -> bytes:
    """Return a sparse variable."""
    return array(
        "SPARSE", shape, element("INT32", struct.pack(f"<{len(rows)}i", *rows)),
        element("INT32", struct.pack(f"<{len(starts)}i", *starts)),
        doubles(*range(1, len(rows) + 1)), name="a",
    )  # fmt: skip


def write_5(file: Path, *variables: bytes, order: str = "<") -> Path:
    """Write variables behind a header."""
    mark = b"\x00\x01IM" if order == "<" else b"\x01\x00MI"
    file.write_bytes(HEADER + mark + b"".join(variables))
    return file
