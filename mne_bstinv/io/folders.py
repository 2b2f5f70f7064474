"""What folders list, and what is no file of it or cannot be listed."""

from __future__ import annotations

import os
import stat
from pathlib import Path

__all__ = [
    "Problems",
    "files_in",
    "is_folder",
    "listed",
    "unlisted_below",
    "why_no_file",
]  # fmt: skip


class Problems(list[str]):
    """What could not be read or found, one sentence each."""

    def __init__(self) -> None:
        super().__init__()
        #: Folders that cannot be listed: nothing is known of what is in them.
        self.unlisted: list[Path] = []


def listed(folder: Path, problems: Problems) -> list[Path]:
    """Return what a folder holds, by name; nothing, and a problem, if it cannot be listed."""
    try:
        return sorted(folder.iterdir())
    except OSError as error:
        problems.append(f"{folder}: cannot be listed: {error.strerror}")
        problems.unlisted.append(folder)
        return []


def files_in(folder: Path, problems: Problems) -> list[Path]:
    """Return the files that a folder holds, by name; a problem for each that is named as one only.

    What is no file is a folder called ``….mat``, a link to nothing, a pipe (which is not opened).
    """
    found: list[Path] = []
    for path in listed(folder, problems):
        why = why_no_file(path)
        if not why:
            found.append(path)
        elif not path.name.startswith(".") and (path.suffix == ".mat" or not is_folder(path)):
            problems.append(f"{path}: {why}: nothing is made of it")
    return found


def why_no_file(path: Path) -> str:
    """Say why a path that a folder lists is no file; nothing if it is one."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return "a link to a file that does not exist"
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    if stat.S_ISDIR(mode):
        return "a folder, not a file"
    return "" if stat.S_ISREG(mode) else "a pipe or device, not a file"


def unlisted_below(folder: Path) -> list[Path]:
    """Return the folders at or below one that cannot be listed; none of a file."""
    found: list[Path] = []
    if folder.is_dir():
        for _ in os.walk(folder, onerror=lambda error: found.append(Path(error.filename))):
            pass
    return found


def is_folder(path: Path) -> bool:
    """Tell whether a path is a folder; what cannot be asked for is none."""
    try:
        return path.is_dir()
    except OSError:
        return False
