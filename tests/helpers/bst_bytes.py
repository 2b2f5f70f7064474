"""``.bst`` files put together byte by byte, as the description of the format says."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

import numpy as np


def text(value: str, n: int) -> bytes:
    return value.encode()[:n].ljust(n, b"\0")


def floats(values: Any) -> bytes:
    return np.asarray(values, dtype="<f4").tobytes(order="F")


def matrix(values: Any) -> bytes:
    values = np.asarray(values)
    return struct.pack("<II", *values.shape) + floats(values)


def counted(value: str, layout: str = "<B") -> bytes:
    return struct.pack(layout, len(value.encode())) + value.encode()


def event(
    label: str,
    times: Any,
    *,
    version: int = 54,
    color: Sequence[float] | None = (0, 1, 0),
    channels: Sequence[Sequence[str]] | None = None,
    notes: Sequence[str] | None = None,
    flags: bool | None = None,
) -> bytes:
    """A category; ``flags`` says whether the two flags follow (if there are occurrences)."""
    times = np.atleast_2d(np.asarray(times, dtype=float))
    n = times.shape[1]
    raw = text(label, 20) if version < 50 else counted(label)
    raw += b"" if color is None else floats(color)
    raw += struct.pack("<bI", len(times) - 1, n) + floats(times)
    flags = (n > 0) if flags is None else flags
    if version < 51 or (version >= 52 and not flags):
        return raw
    if version >= 52:
        raw += struct.pack("<B", channels is not None)
    if version == 51 or channels is not None:
        for names in channels or [()] * n:
            raw += struct.pack("<H", len(names)) + b"".join(map(counted, names))
    if version >= 52:
        raw += struct.pack("<B", notes is not None)
    if version == 51 or notes is not None:
        raw += b"".join(counted(note, "<H") for note in notes or [""] * n)
    return raw


def bst(
    samples: Any,
    *,
    version: int = 54,
    magic: bytes = b"BSTBIN",
    sfreq: float = 100.0,
    start: float = 0.0,
    block: int = 7,
    names: Sequence[str] | None = None,
    projectors: Sequence[bytes] = (),
    head_points: bytes = b"",
    n_head_points: int = 0,
    fiducials: bytes = b"",
    compensation: Any = None,
    events: Sequence[bytes] = (),
    counts: tuple[int, int, int] | None = None,
) -> bytes:
    """A whole file; ``counts`` lies about samples, block and channels."""
    samples = np.asarray(samples, dtype="<f4")
    n_channels, n = samples.shape
    names = names or [f"E{i}" for i in range(n_channels)]
    raw = magic + struct.pack("<B", version) + text("device", 40) + floats([sfreq, start])
    if version >= 54:
        raw += text("2026-03-04T05:06:07.890", 30)
    raw += struct.pack("<IB", 3, 0) + struct.pack("<III", *(counts or (n, block, n_channels)))
    raw += text("comment", 40)
    for number, name in enumerate(names):
        raw += text(name, 20) + text("EEG", 20) + text("", 40)
        raw += b"\1" + floats([0.1, 0.2, 0.3]) + b"\0" + b"\1" + floats([1])
        raw += struct.pack("<b", -1 if number == 1 else 1)
    raw += matrix(np.zeros((0, 0)) if compensation is None else compensation)
    raw += struct.pack("<I", len(projectors)) + b"".join(projectors)
    raw += struct.pack("<I", n_head_points) + head_points
    raw += struct.pack("<b", bool(fiducials)) + fiducials
    raw += struct.pack("<I", len(events)) + b"".join(events)
    return raw + blocks(samples, block)


def blocks(samples: Any, block: int) -> bytes:
    """The samples; the file ends with the last one of the last channel."""
    n_channels, n = samples.shape
    raw = b""
    for begin in range(0, n, block):
        piece = samples[:, begin : begin + block]
        padded = np.full((n_channels, block), 7e37, "<f4")
        padded[:, : piece.shape[1]] = piece
        size = (n_channels - 1) * block + piece.shape[1]
        raw += padded.reshape(-1)[:size].tobytes()
    return raw


def projector(version: int, components: Any, mask: Any, values: Any, method: str = "") -> bytes:
    raw = text("p", 40) + matrix(components) + matrix(mask) + matrix(values) + b"\1"
    return raw + (text(method, 20) if version >= 53 else b"")
