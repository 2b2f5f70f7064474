"""FIF files before they are read: whether they are whole, and what they hold."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import IO, Any, cast

import mne

from mne_bstinv.adapters.written import TAG
from mne_bstinv.errors import ConversionError

__all__ = ["check_fif", "content_of", "in_words", "is_fif"]

#: Kind of the tag that each FIF file begins with.
_FILE_ID = 100

#: Place of the next tag: behind this one, or nowhere.
_SEQUENTIAL, _LAST = 0, -1

#: Kind of file → what it holds, in the words of a sentence.
_WORDS = {
    "evoked": "evoked responses",
    "raw": "raw data",
    "forward": "a forward solution",
    "covariance": "a covariance",
    "trans": "a transform",
    "inverse operator": "an inverse operator",
    "source estimate": "a source estimate",
    "info": "measurement information (Info)",
    "dipole": "dipoles",
    "tfr": "a time–frequency map",
    "spectrum": "a power spectrum",
    "morph": "a morph",
    "surface": "a surface",
    "mri": "an MRI",
    "table": "a table",
}

#: What MNE calls the content of a file → the kind of file (see ``mne_kind``).
_CONTENTS = {
    "cov": "covariance",
    "src": "source spaces",
    "transform": "trans",
    "inverse": "inverse operator",
}


def is_fif(path: Path) -> bool:
    """Tell whether a name is that of a FIF file, compressed or not."""
    return path.name.lower().endswith((".fif", ".fif.gz"))


def check_fif(path: Path, kind: str) -> None:
    """Refuse what is no FIF file or not a whole one; a compressed one is read to its first tag."""
    expected = f"expected a FIF file that holds {in_words(kind)}"
    if path.is_dir():
        raise ConversionError(f"{path}: it is a folder; {expected}. Give the file itself.")
    size, packed = path.stat().st_size, path.name.lower().endswith(".gz")
    if size == 0:
        raise ConversionError(f"{path}: the file is empty; {expected}. Copy or write it again.")
    with cast(IO[bytes], gzip.open(path)) if packed else path.open("rb") as file:
        try:
            start = file.read(TAG.size)
        except (OSError, EOFError) as error:
            raise ConversionError(
                f"{path}: not a gzip file: {error}; {expected}. Check the name, or copy it again."
            ) from None
        if len(start) < TAG.size or TAG.unpack(start)[0] != _FILE_ID:
            raise ConversionError(
                f"{path}: not a FIF file (it starts with {start[:8]!r}, not with a file id); "
                f"{expected}. Check the name, or copy the file again."
            )
        end = 0 if packed else _end(file, size)
    if end > size:
        raise ConversionError(
            f"{path}: the file is truncated: it has {size} bytes and a part of it ends at {end}. "
            "Copy or write it again."
        )


def _end(file: IO[Any], size: int) -> int:
    """Follow the tags to the last one inside of the file; return where it ends."""
    place = end = 0
    while place < size:
        file.seek(place)
        head = file.read(TAG.size)
        if len(head) < TAG.size:
            return place + TAG.size
        _, _, n_bytes, following = TAG.unpack(head)
        behind = place + TAG.size + max(n_bytes, 0)
        end = max(end, behind)
        place = behind if following == _SEQUENTIAL else following
        if following == _LAST or place < behind:  # the end, or back to where it was
            break
    return end


def content_of(path: Path) -> str:
    """Return the kind of a FIF file by what it holds, in our words or MNE's; '' if not clear."""
    try:
        found = str(mne.what(path))
    except Exception:  # whatever a broken file does to its reader
        return ""
    return "" if found == "unknown" else _CONTENTS.get(found, found)


def in_words(kind: str) -> str:
    """Return what a kind of file holds, for messages."""
    return _WORDS.get(kind, kind)
