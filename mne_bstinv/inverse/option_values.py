"""Checks of single option values: each returns the clean value, or says what was expected."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from mne_bstinv._display import in_short
from mne_bstinv.errors import OptionError

__all__ = [
    "choice",
    "flag",
    "fraction",
    "loose_value",
    "not_negative",
    "number",
    "orientations",
    "squared",
    "unwrapped",
]

#: Numbers whose squares double precision holds.
_SMALLEST, _LARGEST = 1e-150, 1e150
_SQUARED = "above 0, from 1e-150 to 1e150"


def unwrapped(value: Any) -> Any:
    """Turn what a .mat file holds into a plain value; empty means absent."""
    if isinstance(value, np.ndarray):
        value = value.ravel().tolist()
    if isinstance(value, list | tuple):
        return None if not value else (value[0] if len(value) == 1 else tuple(value))
    return None if isinstance(value, str) and not value else value


def said(value: Any) -> str:
    """Write a value for a message: plain ones as Python does, others in short."""
    items = value if isinstance(value, list | tuple) else (value,)
    plain = all(item is None or isinstance(item, str | int | float) for item in items)
    return repr(value) if plain else in_short(value)


def choice(field: str, value: Any, choices: Iterable[str], where: str = "") -> str:
    """Return one of some texts, in lower case."""
    lowered = value.strip().lower() if isinstance(value, str) else None
    if lowered is None or lowered not in choices:
        expected = ", ".join(choices)
        raise OptionError(f"Unknown {field} {said(value)}{where}. Must be one of {expected}.")
    return lowered


def orientations(value: Any, choices: Iterable[str]) -> tuple[str, ...]:
    """Return one orientation constraint, or one a head model."""
    entries = (value,) if isinstance(value, str) else value
    if not isinstance(entries, list | tuple | np.ndarray) or len(entries) == 0:
        raise OptionError(
            f"SourceOrient must be one of {', '.join(choices)}, or a list of them, found "
            f"{said(value)}."
        )
    return tuple(choice("SourceOrient", entry, choices) for entry in entries)


def number(field: str, value: Any, expected: str, valid: Callable[[float], bool]) -> float:
    """Return a finite real number of some range."""
    is_number = isinstance(value, int | float | np.number) and not isinstance(
        value, np.complexfloating
    )
    if not (is_number and math.isfinite(value) and valid(float(value))):
        raise OptionError(f"{field} must be a number {expected}, found {said(value)}.")
    return float(value)


def squared(field: str, value: Any, unit: str = "") -> float:
    """Return a number above 0 whose square double precision holds."""
    expected = f"{_SQUARED} {unit}".rstrip()
    return number(field, value, expected, lambda x: _SMALLEST <= x <= _LARGEST)


def fraction(field: str, value: Any) -> float:
    """Return a number between 0 and 1, both included."""
    return number(field, value, "between 0 and 1", lambda x: 0 <= x <= 1)


def not_negative(field: str, value: Any) -> float:
    """Return a number of at least 0 whose square double precision holds."""
    return number(field, value, "from 0 to 1e150", lambda x: 0 <= x <= _LARGEST)


def loose_value(field: str, value: Any) -> float | None:
    """Return a number strictly between 0 and 1; None where it is absent."""
    if value is None:
        return None
    return number(field, value, "strictly between 0 and 1, or empty", lambda x: 0 < x < 1)


def flag(field: str, value: Any) -> bool:
    """Return a truth value, which files write as 1 or 0."""
    if not isinstance(value, bool | int | float | np.number | np.bool_) or value not in (0, 1):
        raise OptionError(f"{field} must be true or false (1 or 0), found {said(value)}.")
    return bool(value)
