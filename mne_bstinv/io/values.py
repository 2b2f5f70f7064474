"""Questions about values as the readers of MATLAB files give them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from scipy.sparse import issparse

from mne_bstinv._types import AnyArray, FloatArray
from mne_bstinv.io import raw
from mne_bstinv.io.context import Context
from mne_bstinv.io.variable import Unreadable, Variable

__all__ = ["EMPTY", "bare", "cast", "describe", "doubles", "is_empty"]

EMPTY = np.zeros((0, 0))

#: What an imaginary part may be of the largest real one to count as rounding.
_ROUNDING = 1e-12

#: Beyond it doubles leave out whole numbers.
MAX_WHOLE = 2.0**53


def is_empty(value: Any) -> bool:
    """Tell whether a value is MATLAB's "absent": an empty array, text, cell or struct array."""
    if value is None:
        return True
    if isinstance(value, str | list | tuple):
        return len(value) == 0
    if isinstance(value, np.ndarray):
        return value.size == 0
    if not isinstance(value, Mapping):
        return False
    columns = list(value.values())
    return bool(columns) and all(isinstance(c, list | tuple) and not c for c in columns)


def describe(variable: Variable) -> str:
    """Return what a value is, in a few words."""
    value = variable.value
    if isinstance(value, Unreadable):
        return str(value)
    if isinstance(value, str):
        return f"the text {value[:60]!r}"
    if isinstance(value, Mapping):
        return "a struct"
    if issparse(value):
        return f"a sparse {value.shape} array"
    if isinstance(value, list | tuple) or variable.matlab_class == "cell":
        return "a cell array"
    array = np.asarray(value)
    if array.dtype.kind in "US":
        return "text"
    if array.size == 1 and array.dtype.kind in "biufc":
        return f"the number {array.item():.15g}"
    kind = "a complex" if array.dtype.kind == "c" else "a"
    return f"{kind} {variable.shape or array.shape} array"


def bare(variable: Variable, context: Context) -> Variable:
    """Return the only entry of a cell of one around a value that should be no cell (old files)."""
    if variable.matlab_class != "cell" or variable.shape is None or math.prod(variable.shape) != 1:
        return variable
    context.findings.derived(context.path, "taken out of a cell of one")
    return Variable(variable.value)


def _without_rounding(array: Any, context: Context) -> Any:
    """Return the real part where the imaginary one is rounding, as after a matrix square root."""
    imaginary, real = np.abs(array.imag).max(), np.abs(array.real).max()
    if not imaginary <= _ROUNDING * real:
        return array
    reason = f"an imaginary part of at most {imaginary:.1e} was left out"
    context.findings.derived(context.path, reason)
    return array.real.copy(order="K")


def cast(
    variable: Variable,
    dtype: str | None,
    context: Context,
    expected: str | Callable[[Context], str],
) -> Any:
    """Return the numbers of a value in the declared type, or None with a fault.

    A float64 array stays the same object: large gains are neither copied nor looked at. What is
    expected is put in words, or what puts it in words, which a fault alone needs.
    """
    variable = bare(variable, context)
    value = variable.value
    array = value if isinstance(value, np.ndarray) else None
    if isinstance(value, bool | int | float | complex | np.number):
        array = np.asarray(value)
    if array is not None and array.dtype.kind == "c":
        array = _without_rounding(array, context)
    if array is None or array.dtype.kind not in "biuf":
        context.fault(describe(variable), _words(expected, context))
        return None
    if dtype is None:
        kind = variable.matlab_class
        return array.astype(raw.DTYPES.get(kind or "", array.dtype), copy=False)
    if dtype == "int64" and array.dtype.kind == "f":
        if not np.all(array == np.floor(array)):
            whole = f"{_words(expected, context)} that are whole"
            context.fault("a number with a fraction (or NaN)", whole)
            return None
        if np.any(np.abs(array) > MAX_WHOLE):
            whole = f"{_words(expected, context)} that are whole"
            context.fault(f"the number {np.abs(array).max():g}", whole)
            return None
    return doubles(array) if dtype == "float64" else array.astype(dtype, copy=False)


def doubles(array: AnyArray) -> FloatArray:
    """Return real numbers as doubles; nothing is said of a NaN that signals, which damage makes."""
    with np.errstate(invalid="ignore"):
        return array.astype(np.float64, copy=False)


def _words(expected: str | Callable[[Context], str], context: Context) -> str:
    return expected if isinstance(expected, str) else expected(context)
