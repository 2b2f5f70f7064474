"""Verdicts of comparisons: what counts as equal, and the word for what cannot be compared."""

from __future__ import annotations

from numbers import Real

__all__ = ["MAX_RTOL", "NOT_COMPARABLE", "RTOL", "wrong_rtol"]

NOT_COMPARABLE = "not comparable"

#: Relative difference that counts as equal unless it is said otherwise, where rounding does not
#: allow more.
RTOL = 1e-9
#: Largest one that can be asked for: what differs by half of itself is not equal.
MAX_RTOL = 0.5


def wrong_rtol(value: object) -> str:
    """Say what is wrong with a tolerance; nothing where it can be asked for."""
    if isinstance(value, Real) and 0 <= float(value) <= MAX_RTOL:
        return ""
    return f"rtol must be a number from 0 to {MAX_RTOL}, found {value!r}."
