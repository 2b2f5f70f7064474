"""Where the file of a link is: links hold its path on the computer that made them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from mne_bstinv import io
from mne_bstinv.errors import MissingFileError, RecordingFileError
from mne_bstinv.io.mat import PathLike
from mne_bstinv.io.stored_paths import normalise

__all__ = ["find_linked", "folder_of_originals"]

#: Folders of a path that are tried below another folder, at most.
_DEPTH = 8


def find_linked(link: io.Link, place: Path, raw_dir: Path | None = None) -> Path:
    """Return the file, or folder, that a link in a file, ``place``, names.

    It is the first that exists: beside the link, below ``raw_dir``, where the link says, below
    a folder that the link is in (the protocol may have moved as a whole).
    """
    if not link.base_name:
        raise RecordingFileError(
            f"{place}: F.filename is {link.filename!r}, expected the path of a file. Link the "
            "file again in Brainstorm."
        )
    tried: list[Path] = []
    for candidate in _candidates(link.filename, place, raw_dir):
        if candidate in tried:
            continue
        tried.append(candidate)
        if not _exists(candidate):
            continue
        if candidate.samefile(place) or place.resolve().is_relative_to(candidate.resolve()):
            raise RecordingFileError(
                f"{place}: F.filename is {link.filename!r}, which is the link itself or a folder "
                "that it is in; the path of a file expected. Link the file again in Brainstorm."
            )
        return candidate
    listed = "\n  - ".join(map(str, tried))
    raise MissingFileError(
        f"{place}: its file {link.filename!r} is not found. Say in which folder it is (raw_dir=, "
        f"--raw-dir). Tried:\n  - {listed}"
    )


def folder_of_originals(raw_dir: PathLike | None) -> Path | None:
    """Return the folder that the files of links may be in; refuse one that there is not."""
    if raw_dir is None:
        return None
    folder = Path(raw_dir).absolute()
    if not folder.is_dir():
        raise MissingFileError(f"{folder}: no such folder (raw_dir=, --raw-dir). Check the path.")
    return folder


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a name that is too long, a folder that may not be looked into
        return False


def _candidates(stored: str, place: Path, raw_dir: Path | None) -> Iterator[Path]:
    """Yield the places a file may be at, the likely first."""
    path = normalise(stored)
    yield place.parent / path.name
    if raw_dir is not None:
        yield from _below(raw_dir, path)
    original = Path(stored)
    yield original if original.is_absolute() else place.parent / original
    for folder in _around(place.absolute()):
        yield from _below(folder, path)


def _around(place: Path) -> Iterator[Path]:
    """Yield the folders that a link is in, up to that with its protocol; no root of a disk."""
    left = _DEPTH
    for folder in place.parents:
        if left == 0 or folder == folder.parent:
            return
        yield folder
        inside = left == _DEPTH or not ((folder / "anat").is_dir() and (folder / "data").is_dir())
        left = left - 1 if inside else 1


def _below(folder: Path, path: PurePosixPath) -> Iterator[Path]:
    """Yield the ends of a path below a folder, the longest first."""
    parts = [part for part in path.parts if part not in ("..", ".")][-_DEPTH:]
    for begin in range(len(parts)):
        yield folder.joinpath(*parts[begin:])
