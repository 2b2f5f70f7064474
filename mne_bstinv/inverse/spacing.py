"""The spacing of single precision, in which Brainstorm writes its tolerances of rank."""

from __future__ import annotations

import numpy as np

from mne_bstinv._types import FloatArray

__all__ = ["spacing32", "spacing32_array"]


def spacing32(x: float) -> float:
    """Distance from ``float32(x)`` to the next larger float32.

    Brainstorm writes every rank tolerance in single precision although its arithmetic is double;
    the same number is needed to keep the same singular values.
    """
    with np.errstate(over="ignore", under="ignore"):
        return float(np.spacing(np.float32(x)))


def spacing32_array(x: FloatArray) -> FloatArray:
    """Apply :func:`spacing32` to each element."""
    with np.errstate(over="ignore", under="ignore"):
        return np.spacing(x.astype(np.float32)).astype(np.float64)
