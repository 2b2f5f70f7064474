"""Rows of a file's History, in the words and the date format Brainstorm writes."""

from __future__ import annotations

from datetime import datetime

__all__ = ["history_row"]

#: English whatever the locale: MATLAB writes them so.
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def history_row(kind: str, text: str) -> tuple[str, str, str]:
    """Return one row: the date of now, what kind of step, and what was done."""
    now = datetime.now()
    return f"{now:%d}-{_MONTHS[now.month - 1]}-{now:%Y %H:%M:%S}", kind, text
