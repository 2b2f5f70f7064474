"""Read MATLAB 4 files: matrices and text one after the other, each behind five integers.

The form is documented by MathWorks in "MAT-File Format", chapter "Level 4 MAT-File Format".
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO

import numpy as np

from mne_bstinv.io import variable as form
from mne_bstinv.io.variable import DamageError, Unreadable, Variable

__all__ = ["read"]

PRECISIONS = ("f8", "f4", "i4", "i2", "u2", "u1")
FULL, TEXT, SPARSE = 0, 1, 2

#: Longer than any name; the length in the header counts the zero that ends it.
MAX_NAME = 128


def read(path: Path, names: list[str] | None) -> dict[str, Variable]:
    """Return the variables of a file, or those of the given names."""
    found: dict[str, Variable] = {}
    with path.open("rb") as file:
        size = file.seek(0, 2)
        start = 0
        while start < size:
            file.seek(start)
            name, variable, start = _variable(file, start, size)
            if names is None or name in names:
                found[name] = variable
    return found


def _variable(file: BinaryIO, start: int, size: int) -> tuple[str, Variable, int]:
    """Return name and value of the variable that begins at a byte, and the next byte."""
    head = file.read(20)
    if len(head) < 20:
        raise DamageError("the head of a variable is cut short")
    code = struct.unpack("<i", head[:4])[0]
    order = "<" if 0 <= code < 100 else ">"
    code, rows, columns, is_complex, length = struct.unpack(f"{order}5i", head)
    code -= 1000 if order == ">" else 0
    precision, kind = divmod(code, 10)
    if not (0 <= precision < len(PRECISIONS) and kind <= SPARSE and is_complex in (0, 1)):
        raise DamageError(f"type {code} of a variable")
    if rows < 0 or columns < 0 or not 0 < length <= MAX_NAME:
        raise DamageError(f"a variable of {rows} x {columns} with a name of {length} letters")
    dtype = np.dtype(order + PRECISIONS[precision])
    n_bytes = rows * columns * dtype.itemsize * (1 + is_complex)
    after = start + 20 + length + n_bytes
    if after > size:
        raise DamageError(f"a variable of {rows} x {columns} numbers, of which not all are stored")
    name = file.read(length).rstrip(b"\0").decode("latin1")
    flat = np.frombuffer(file.read(n_bytes), dtype).astype(dtype.newbyteorder("="), copy=False)
    if kind == SPARSE:
        return name, Variable(Unreadable("a sparse array of MATLAB 4"), (rows, columns)), after
    if is_complex:
        flat = form.complex_numbers(*np.split(flat, 2))
    shape = (rows, columns)
    if kind == FULL:
        return name, Variable(form.numbers(flat, shape), shape, "double"), after
    if flat.dtype.kind == "c" or not np.all((flat >= 0) & (flat < 0x110000)):
        raise DamageError(f"{name}: text with codes that are no characters")
    found = "".join(map(chr, flat.astype(np.int64).tolist()))
    return name, Variable(form.text(found, len(found), shape), shape, "char"), after
