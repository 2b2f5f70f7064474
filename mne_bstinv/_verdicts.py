"""Verdicts of comparisons: what counts as equal, and the word for what cannot be compared."""

from __future__ import annotations

__all__ = ["MAX_RTOL", "NOT_COMPARABLE", "RTOL"]

NOT_COMPARABLE = "not comparable"

#: Relative difference that counts as equal unless it is said otherwise, where rounding does not
#: allow more.
RTOL = 1e-9
#: Largest one that can be asked for: what differs by half of itself is not equal.
MAX_RTOL = 0.5
