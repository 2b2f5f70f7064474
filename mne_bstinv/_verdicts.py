"""The word for what two toolboxes, or a file and its recomputation, cannot be compared in."""

from __future__ import annotations

__all__ = ["NOT_COMPARABLE"]

NOT_COMPARABLE = "not comparable"
