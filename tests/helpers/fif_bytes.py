"""FIF files without the time of writing."""

from __future__ import annotations

from pathlib import Path

from mne.io.constants import FIFF

from mne_bstinv.adapters.written import tags_of

#: Tags that say when a file was written.
WHEN = (FIFF.FIFF_FILE_ID, FIFF.FIFF_BLOCK_ID)


def timeless(path: Path) -> bytes:
    """The bytes of a FIF file, but for the time of writing."""
    content = bytearray(path.read_bytes())
    with path.open("rb") as file:
        places = [(place, size) for kind, place, size in tags_of(file) if kind in WHEN]
    assert places
    for place, size in places:
        content[place : place + size] = bytes(size)
    return bytes(content)
