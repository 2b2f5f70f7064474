"""Check the names in FIF files that were written: as many as rows, and those of the object.

FIF files keep the names of a matrix as one text with colons between them, so that one odd name
shifts all that follow. Only tags are read, and the texts among them: the file of a gain is checked
without reading the gain.
"""

from __future__ import annotations

import gzip
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, cast

from mne.io.constants import FIFF

from mne_bstinv.errors import ConversionError

__all__ = ["TAG", "check_written", "tags_of"]

#: A tag's kind, type, size and the place of the next, big-endian.
TAG = struct.Struct(">4i")

_INT = struct.Struct(">i")

#: Where a tag says that the next one is behind it, and where that it is the last.
_SEQUENTIAL, _LAST = 0, -1

#: Longer names are kept elsewhere in a file, and numbered where the names are listed.
_LONGEST = 15

#: Place of the name in a channel's tag, and its bytes.
_NAME = slice(80, 96)

#: Names in a block → what counts them in the same block.
_COUNTED = (
    (FIFF.FIFF_MNE_ROW_NAMES, FIFF.FIFF_MNE_NROW),
    (FIFF.FIFF_MNE_ROW_NAMES, FIFF.FIFF_MNE_COV_DIM),
    (FIFF.FIFF_MNE_COL_NAMES, FIFF.FIFF_MNE_NCOL),
    (FIFF.FIFF_PROJ_ITEM_CH_NAME_LIST, FIFF.FIFF_NCHAN),
)

_NAMES = {int(names) for names, _ in _COUNTED}

_COUNTS = {int(count) for _, count in _COUNTED}


def tags_of(file: IO[bytes]) -> Iterator[tuple[int, int, int]]:
    """Yield the kind, place and size of the content of each tag of a FIF file.

    The file is open for reading, and may be moved between two tags.
    """
    place = 0
    while True:
        file.seek(place)
        head = file.read(TAG.size)
        if len(head) < TAG.size:
            return
        kind, _, n_bytes, following = TAG.unpack(head)
        yield kind, place + TAG.size, max(n_bytes, 0)
        behind = place + TAG.size + max(n_bytes, 0)
        place = behind if following == _SEQUENTIAL else following
        if following == _LAST or place < behind:  # the end, or back to where it was
            return


@dataclass
class _Block:
    """The names and counts of one block of a file."""

    names: dict[int, list[str]] = field(default_factory=dict)
    counts: dict[int, int] = field(default_factory=dict)
    channels: list[str] = field(default_factory=list)


def check_written(path: Path, kind: str, value: Any) -> None:
    """Refuse a FIF file whose names are not those of its rows and columns, or of the object."""
    packed = path.name.endswith(".gz")
    with cast(IO[bytes], gzip.open(path)) if packed else path.open("rb") as file:
        blocks = list(_blocks(file))
    lists = [names for block in blocks for names in block.names.values()]
    lists += [block.channels for block in blocks if block.channels]
    for block in blocks:
        for names, count in _COUNTED:
            if names in block.names and count in block.counts:
                _check_count(path, block.names[names], block.counts[count])
    for expected in _expected(kind, value):
        if not any(_same(found, expected) for found in lists):
            nearest = min(lists, key=lambda found: abs(len(found) - len(expected)), default=[])
            _fail(path, nearest, len(expected))


def _blocks(file: IO[bytes]) -> Iterator[_Block]:
    """Yield what each block says of names, when it ends."""
    stack = [_Block()]
    for kind, place, n_bytes in tags_of(file):
        if kind == FIFF.FIFF_BLOCK_START:
            stack.append(_Block())
        elif kind == FIFF.FIFF_BLOCK_END and len(stack) > 1:
            yield stack.pop()
        elif kind in _NAMES or kind in _COUNTS or kind == FIFF.FIFF_CH_INFO:
            file.seek(place)
            content = file.read(n_bytes)
            if kind == FIFF.FIFF_CH_INFO:
                stack[-1].channels.append(content[_NAME].split(b"\0")[0].decode("latin-1"))
            elif kind in _NAMES:
                stack[-1].names[kind] = content.decode("latin-1").split(":") if content else []
            else:
                stack[-1].counts[kind] = _INT.unpack(content[: _INT.size])[0]
    yield from stack


def _expected(kind: str, value: Any) -> list[Sequence[str]]:
    """Return the lists of names that a file must hold."""
    if kind == "forward":
        types = value["info"].get_channel_types()
        names = value["sol"]["row_names"]
        return [[n for n, t in zip(names, types, strict=True) if t in ("mag", "grad", "eeg")]]
    if kind == "inverse operator":
        return [value["noise_cov"]["names"], value["eigen_fields"]["col_names"]]
    if kind == "covariance":
        return [value["names"]]
    if kind in ("evoked", "epochs", "raw", "info"):
        values = value if isinstance(value, list) else [value]
        return [one.ch_names for one in values]
    return []


def _same(found: Sequence[str], expected: Sequence[str]) -> bool:
    if len(found) != len(expected):
        return False
    pairs = zip(found, expected, strict=True)
    return any(len(name) > _LONGEST for name in expected) or all(a == b for a, b in pairs)


def _check_count(path: Path, names: Sequence[str], count: int) -> None:
    if len(names) != count:
        _fail(path, names, count)


def _fail(path: Path, names: Sequence[str], count: int) -> None:
    raise ConversionError(
        f"{path.name}: MNE wrote {len(names)} names ({', '.join(names[:3])} …) for {count} rows, "
        "so that rows would be taken for those of other channels. Names with a colon, of other "
        "than Latin letters, or empty ones do so: rename these channels "
        "(mne.rename_channels) before writing."
    )
