"""What values must be beside their shape: declared with the field, once for all files.

A check returns what is wrong in words, ``''`` if nothing is. What fails a check is an error in a
field that its structure cannot do without, and left out with a finding in any other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import issparse

from mne_bstinv._types import AnyArray
from mne_bstinv.io.context import Context, Symbol

__all__ = [
    "Check",
    "counted",
    "covariance",
    "definite",
    "each",
    "finite",
    "flags",
    "forward",
    "increasing",
    "index",
    "labelled",
    "not_infinite",
    "not_nan",
    "not_negative",
    "one_of",
    "ordered",
    "positive",
    "probabilities",
    "rotation",
    "span_or_increasing",
    "transform",
    "unique",
]

#: Parts of one that single precision may leave of an orthogonal or symmetric array.
SINGLE = 1e-5


@dataclass(frozen=True, slots=True)
class Check:
    """A condition on the value of a field."""

    #: What it is called, without what it is told.
    name: str
    #: From the value and the context to what is wrong in words; empty: nothing.
    fault: Callable[[Any, Context], str]
    #: Whether a value that fails is kept, with a finding.
    keeps: bool = False
    #: Whether it asks something of each number alone, so that many values can be asked at once.
    of_each: bool = False


def _numbers(value: Any) -> AnyArray:
    """Return numbers, of a sparse array those that it stores."""
    return np.asarray(value.data if issparse(value) else value)


def _all_finite(value: Any) -> bool:
    """Tell whether all numbers are finite, without an array as large as they are."""
    array = _numbers(value)
    with np.errstate(over="ignore", invalid="ignore"):
        return bool(np.isfinite(array.sum())) or bool(np.isfinite(array).all())


def _finite(value: Any, context: Context) -> str:
    if _all_finite(value):
        return ""
    array = _numbers(value)
    n_bad = int(array.size - np.isfinite(array).sum())
    return f"NaN or infinite numbers ({n_bad} of {array.size}) found, finite ones expected"


#: Neither NaN nor infinite.
finite = Check("finite", _finite, of_each=True)
#: As :data:`finite`, but the value is kept: NaN says something there.
not_nan = Check("not_nan", _finite, keeps=True, of_each=True)


def _not_infinite(value: Any, context: Context) -> str:
    with np.errstate(over="ignore", invalid="ignore"):
        if np.isfinite(value.sum()) or not np.isinf(value).any():
            return ""
    return f"infinite numbers ({int(np.isinf(value).sum())} of {value.size}) found"


#: NaN stands for what was not computed; infinite numbers for nothing.
not_infinite = Check("not_infinite", _not_infinite, of_each=True)


def _above(value: Any, least: float, words: str, *, equal: bool) -> str:
    array = np.atleast_1d(np.asarray(value, dtype=float))
    right = np.isfinite(array) & ((array > least) | (equal & (array == least)))
    return "" if right.all() else f"{array[~right][0]:g} found, {words} expected"


def _positive(value: Any, context: Context) -> str:
    return _above(value, 0, "a number above 0", equal=False)


#: Numbers above 0.
positive = Check("positive", _positive, of_each=True)


def _not_negative(value: Any, context: Context) -> str:
    return _above(value, 0, "a number not below 0", equal=True)


#: Numbers from 0 on: Leff of maps that are scaled by the number of averages is written as 0.
not_negative = Check("not_negative", _not_negative, of_each=True)


def each(check: Check) -> Check:
    """Return the check of every item of a tuple."""

    def fault(value: Any, context: Context) -> str:
        found = ((number, check.fault(item, context)) for number, item in enumerate(value, 1))
        return next((f"entry {number}: {words}" for number, words in found if words), "")

    return Check(check.name, fault, check.keeps)


def labelled(label: str, check: Check) -> Check:
    """Return the check of the item with this label among pairs of a label and an item."""
    inner = each(check)

    def fault(value: Any, context: Context) -> str:
        return inner.fault([item for name, item in value if name == label], context)

    return Check(check.name, fault, check.keeps)


def one_of(*allowed: int, keeps: bool = False, others_are: str = "") -> Check:
    """Return the check that a number, or each of several, is one of these.

    ``others_are`` says what becomes of others that are kept.
    """

    def fault(value: Any, context: Context) -> str:
        numbers = np.atleast_1d(np.asarray(value))
        right = np.any([numbers == one for one in allowed], axis=0)
        others = numbers[~right]
        expected = ", ".join(map(str, allowed))
        meaning = f" ({others_are})" if others_are else ""
        return f"{others[0]} found, one of {expected} expected{meaning}" if others.size else ""

    return Check("one_of", fault, keeps)


#: Marks of channels: 1 good, −1 bad; what is not negative is taken for good.
flags = one_of(1, -1, keeps=True, others_are="channels are good whose flag is not negative")


def _probabilities(value: Any, context: Context) -> str:
    array = np.asarray(value)
    with np.errstate(invalid="ignore"):
        wrong = int(((array < 0) | (array > 1)).sum())
    return f"{wrong} of {array.size} outside of 0 to 1 found, probabilities expected" * bool(wrong)


#: Probabilities; NaN where there is none.
probabilities = Check("probabilities", _probabilities, keeps=True)


def index(symbol: Symbol = "", *, keeps: bool = False) -> Check:
    """Return the check that indices run from 1 to a size, where that is known."""

    def fault(value: Any, context: Context) -> str:
        indices = np.asarray(value)
        if not indices.size:
            return ""
        low, high = int(indices.min()), int(indices.max())
        if low < 1:
            return f"the index {low} found, indices from 1 expected"
        size, where = context.sizes.get(str(symbol), (high, ""))
        if high <= size:
            return ""
        return f"the index {high} found, indices up to {symbol} = {size} (from {where}) expected"

    return Check("index", fault, keeps)


def _unique(value: Any, context: Context) -> str:
    values, counts = np.unique(np.asarray(value), return_counts=True)
    twice = values[counts > 1]
    return f"{twice[:3].tolist()} found more than once, each once expected" if twice.size else ""


#: Each value once.
unique = Check("unique", _unique)


def _backwards(value: Any, context: Context, *, strict: bool) -> str:
    if not _all_finite(value):
        return _finite(value, context)
    steps = np.diff(np.asarray(value))
    wrong = steps <= 0 if strict else steps < 0
    if not wrong.any():
        return ""
    place = int(np.argmax(wrong))
    before, after = value[place], value[place + 1]
    return f"{before:g} before {after:g} found, times that increase expected"


def _increasing(value: Any, context: Context) -> str:
    return _backwards(value, context, strict=True)


def _ordered(value: Any, context: Context) -> str:
    return _backwards(value, context, strict=False)


def _span_or_increasing(value: Any, context: Context) -> str:
    return _backwards(value, context, strict=len(value) != 2)


#: Times, one after the other, or the first and the last one, which one sample has in common.
span_or_increasing = Check("span_or_increasing", _span_or_increasing)
#: Times, one after the other.
increasing = Check("increasing", _increasing)
#: Times that do not run backwards; the first and the last of a window may be one.
ordered = Check("ordered", _ordered)


def _forward(value: Any, context: Context) -> str:
    if len(value) != 2:
        return ""
    wrong = int((value[1] < value[0]).sum())
    return f"{wrong} of {value.shape[1]} that end before they begin found" * bool(wrong)


#: Starts and ends (2, k), none of which ends before it begins.
forward = Check("forward", _forward, keeps=True)


def _rotation(value: Any, context: Context) -> str:
    if not _all_finite(value):
        return _finite(value, context)
    length = float(np.linalg.norm(value, 2))
    off = float(np.abs(value.T @ value - np.eye(3)).max())
    if off < SINGLE and np.linalg.det(value) > 0:
        return ""
    if off < SINGLE:
        return "a mirror image found, a rotation expected"
    return f"an array that scales up to {length:.6g} or shears found, a rotation expected"


#: (3, 3), orthogonal and not mirrored.
rotation = Check("rotation", _rotation)


def _transform(value: Any, context: Context) -> str:
    if value is None:  # left out: it could not be understood
        return ""
    if not _all_finite(value):
        return _finite(value, context)
    if not np.allclose(value[3], [0, 0, 0, 1], rtol=0, atol=SINGLE):
        return f"a last row {value[3].tolist()} found, 0 0 0 1 expected"
    if np.linalg.matrix_rank(value[:3, :3]) < 3:
        return "an array that cannot be inverted found, a transform expected"
    return ""


#: (4, 4), affine and invertible.
transform = Check("transform", _transform)


def counted(symbol: Symbol) -> Check:
    """Return the check that as many things were read as this field names, if it names any."""

    def fault(value: Any, context: Context) -> str:
        size, _ = context.sizes.get(str(symbol), (0, ""))
        return "" if len(value) in (0, size) else f"{len(value)} names found, {size} expected"

    return Check("counted", fault)


def _covariance(value: Any, context: Context) -> str:
    if not _all_finite(value):
        return _finite(value, context)
    scale = np.sqrt(np.abs(np.diag(value)))
    worst = float(np.max(np.abs(value - value.T) - SINGLE * np.outer(scale, scale), initial=0.0))
    if worst > 0 and not np.allclose(value, value.T, rtol=SINGLE, atol=0.0):
        return "an array that is not symmetric found, a covariance expected"
    if np.any(np.diag(value) < 0):
        return "a negative variance found, a covariance expected"
    return ""


#: Symmetric to single precision, without negative variances.
covariance = Check("covariance", _covariance)


def _definite(value: Any, context: Context) -> str:
    seen = np.flatnonzero(np.diag(value) > 0)
    scale = np.sqrt(np.diag(value)[seen])
    correlation = value[np.ix_(seen, seen)] / np.outer(scale, scale)
    try:
        np.linalg.cholesky(correlation + SINGLE * np.eye(len(seen)))
    except np.linalg.LinAlgError:
        return "negative eigenvalues found, a covariance has none"
    return ""


#: Without negative eigenvalues, beyond what single precision leaves of zeros.
definite = Check("definite", _definite, keeps=True)
