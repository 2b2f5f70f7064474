"""Numbers and texts of a binary file, each checked against what is left of it; and back."""

from __future__ import annotations

import io
import struct
from collections.abc import Sequence
from typing import BinaryIO

import numpy as np

from mne_bstinv._types import FloatArray
from mne_bstinv.errors import RecordingFileError
from mne_bstinv.io.values import doubles

__all__ = ["COMMENT", "Sink", "Source", "cut", "decode"]

#: Bytes of a comment.
COMMENT = 40
#: Bytes that are read at once, of a header that is taken in small pieces.
_AT_ONCE = 65_536


class Source:
    """A file of a known size (bytes) that is read from front to back, never beyond its end."""

    __slots__ = ("_begin", "_read", "field", "file", "path", "position", "size")

    def __init__(self, file: BinaryIO, path: str, size: int) -> None:
        self.file = file
        self.path = path
        self.size = size
        #: The next byte.
        self.position = file.tell()
        #: What is being read, for messages.
        self.field = "the header"
        self._read, self._begin = b"", 0

    @property
    def left(self) -> int:
        """Bytes that are left."""
        return self.size - self.position

    def need(self, n_bytes: int, what: str = "") -> None:
        """Refuse what the file has no room for, before memory is spent on it."""
        if n_bytes > self.left:
            raise self.fault(
                f"{what or self.field} takes {n_bytes} bytes",
                f"at most {self.left} bytes, which are left of the file",
            )

    def fault(self, found: str, expected: str) -> RecordingFileError:
        """Return the error for a value that cannot be."""
        return RecordingFileError(
            f"{self.path}: {self.field}: {found} found, {expected} expected. Copy the file again, "
            "or write it anew in Brainstorm."
        )

    def take(self, n_bytes: int) -> bytes:
        """Return the next bytes."""
        if n_bytes > self.size - self.position:
            self.need(n_bytes)
        begin = self.position - self._begin
        if begin < 0 or begin + n_bytes > len(self._read):
            self.file.seek(self.position)
            self._begin, self._read = self.position, self.file.read(max(n_bytes, _AT_ONCE))
            begin = 0
        taken = self._read[begin : begin + n_bytes]
        if len(taken) != n_bytes:
            raise self.fault("the end of the file", f"{n_bytes} bytes")
        self.position += n_bytes
        return taken

    def unpack(self, layout: str) -> tuple[int, ...]:
        """Return whole numbers, by the letters of :mod:`struct`."""
        layout = "<" + layout
        return struct.unpack(layout, self.take(struct.calcsize(layout)))

    def u8(self) -> int:
        """Return a byte."""
        return self.take(1)[0]

    def i8(self) -> int:
        """Return a signed byte."""
        return self.unpack("b")[0]

    def u32(self) -> int:
        """Return a whole number of four bytes."""
        return self.unpack("I")[0]

    def floats(self, *shape: int) -> FloatArray:
        """Return single-precision numbers as doubles; matrices are stored column by column."""
        n = 1
        for size in shape:
            n *= size  # whole numbers of Python, which do not overflow
        self.need(4 * n)
        numbers = doubles(np.frombuffer(self.take(4 * n), dtype="<f4"))
        return numbers.reshape(shape, order="F")

    def matrix(self) -> FloatArray:
        """Return a matrix, whose rows and columns are counted before it."""
        return self.floats(*self.unpack("II"))

    def text(self, n_bytes: int) -> str:
        """Return a text of fixed length."""
        return decode(self.take(n_bytes))


def decode(raw: bytes) -> str:
    """Return a text as Brainstorm reads it: without zero bytes, blanks trimmed."""
    raw = raw.replace(b"\0", b"")
    try:
        return raw.decode("utf-8").strip()
    except UnicodeDecodeError as error:
        if error.reason == "unexpected end of data":  # cut within a character
            return raw[: error.start].decode("utf-8").strip()
        return raw.decode("latin-1").strip()


def cut(text: str, n_bytes: int) -> bytes:
    """Return the bytes of a text, cut after the last whole character that fits."""
    raw = text.encode("utf-8")
    return raw if len(raw) <= n_bytes else raw[:n_bytes].decode("utf-8", "ignore").encode("utf-8")


class Sink:
    """Bytes that are put together from front to back, and what had to be changed for it."""

    __slots__ = ("_buffer", "notes")

    def __init__(self) -> None:
        self._buffer = io.BytesIO()
        #: What the file cannot hold, one sentence each.
        self.notes: list[str] = []

    def content(self) -> bytes:
        """Return what was put together."""
        return self._buffer.getvalue()

    def put(self, raw: bytes) -> None:
        """Add bytes."""
        self._buffer.write(raw)

    def pack(self, layout: str, *values: int) -> None:
        """Add whole numbers, by the letters of :mod:`struct`."""
        self.put(struct.pack("<" + layout, *values))

    def floats(self, values: FloatArray | Sequence[float] | None) -> None:
        """Add numbers in single precision, column by column."""
        if values is None:
            return
        with np.errstate(over="ignore"):
            single = np.asarray(values, dtype=np.float64).astype("<f4")
        self.put(single.tobytes(order="F"))

    def matrix(self, values: FloatArray | None) -> None:
        """Add a matrix after the numbers of its rows and columns; None is 0 x 0."""
        rows, columns = (0, 0) if values is None else values.shape
        self.pack("II", rows, columns)
        self.floats(values)

    def text(self, text: str, n_bytes: int, what: str) -> None:
        """Add a text of fixed length; note it if it has to be cut."""
        raw = cut(text, n_bytes)
        if len(raw) < len(text.encode("utf-8")):
            self.notes.append(f"{what} {text!r} is cut to {n_bytes} bytes: {decode(raw)!r}")
        self.put(raw.ljust(n_bytes, b"\0"))

    def counted(self, text: str, layout: str, what: str) -> None:
        """Add a text after its length (``'B'``: up to 255 bytes, ``'H'``: up to 65,535)."""
        limit = 256 ** struct.calcsize("<" + layout) - 1
        raw = cut(text, limit)
        if len(raw) < len(text.encode("utf-8")):
            self.notes.append(f"{what} of {len(text)} letters is cut to {limit} bytes")
        self.pack(layout, len(raw))
        self.put(raw)
