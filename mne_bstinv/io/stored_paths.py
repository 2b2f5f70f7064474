"""Paths as files store them, and names as they are compared: whatever system wrote them."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

__all__ = ["find_stored", "folded", "normalise", "spelled_as"]


def normalise(stored: str) -> PurePosixPath:
    """Return a path stored in a file, which may have the separators of any system."""
    return PurePosixPath(stored.replace("\\", "/").strip("/"))


def folded(name: str) -> str:
    """Write the name of a file as names are compared: in any case and any form of Unicode.

    Folders from macOS hold letters and their accents apart, what is stored or typed does not.
    """
    return unicodedata.normalize("NFC", name.casefold())


def spelled_as(name: str, known: Iterable[str]) -> str:
    """Return the one of some names that differs from a name in the form of Unicode at most.

    The name itself where there is none.
    """
    one = unicodedata.normalize("NFC", name)
    same = [other for other in known if unicodedata.normalize("NFC", other) == one]
    return name if name in same or not same else same[0]


def find_stored(folder: Path, stored: str) -> Path | None:
    """Return the file below ``folder`` that a stored path names, as :func:`folded`, or None."""
    try:
        path = folder
        for part in normalise(stored).parts:
            if part == ".." or not path.is_dir():
                return None
            exact = path / part
            if not exact.exists():
                others = (one for one in path.iterdir() if folded(one.name) == folded(part))
                found = next(others, None)
                if found is None:
                    return None
                exact = found
            path = exact
        return path if path.is_file() else None
    except (OSError, ValueError):  # too long for a name, a folder without permission, NUL
        return None
