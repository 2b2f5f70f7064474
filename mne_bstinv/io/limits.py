"""How much a file may ask for, beside the bytes it holds.

A few thousand bytes can declare a cell of a billion entries, or an array whose chunks were never
written: what is declared is compared with what is stored before memory is spent on it.
"""

from __future__ import annotations

import os

__all__ = ["DEFLATE", "MAX_DEPTH", "expansion", "max_elements"]

#: Cells and structs inside each other.
MAX_DEPTH = 64

#: What deflate, the compression of MATLAB files, makes of one byte at most is 1032 bytes
#: (https://zlib.net/zlib_tech.html).
DEFLATE = 1032

#: The environment variable that allows an array of a 7.3 file to be larger for what is stored.
VARIABLE = "MNE_BSTINV_EXPANSION"


def expansion() -> float:
    """Return how many bytes of an array one stored byte of a 7.3 file may stand for."""
    text = os.environ.get(VARIABLE, "")
    try:
        return max(float(text), DEFLATE) if text else DEFLATE
    except ValueError:
        return DEFLATE


def max_elements(stored: int) -> int:
    """Return how many arrays, cells and structs a file of so many bytes may hold.

    Each takes 8 bytes or more before compression, and Python some 100: a million, or one a byte.
    """
    return max(1_000_000, stored)
