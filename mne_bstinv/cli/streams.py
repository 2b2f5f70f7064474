"""What is printed reaches any terminal, whatever is in the names of files."""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, TextIO

__all__ = ["as_json", "clean_streams", "path", "printable"]

#: Control characters, but for tab and the end of a line; what turns the direction of the text
#: around it, or ends lines too; and halves of pairs, which names that are no UTF-8 hold.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")

#: What a progress bar moves by.
_MOVES = ("\r", "\x1b[A")


def printable(text: str) -> str:
    r"""Return a text with control characters written out (as in ``\\x1b``)."""
    return _CONTROL.sub(lambda found: ascii(found[0])[1:-1], text)


def as_json(value: Any) -> str:
    """Return plain values as JSON that is right in any encoding: of ASCII letters alone."""
    return json.dumps(value, indent=1)


class _Clean:
    """A stream that shows what it cannot; what moves a progress bar passes if ``moves``.

    A ``quiet`` one is no terminal: there are no progress bars on it.
    """

    def __init__(self, stream: TextIO, *, moves: bool, quiet: bool = False) -> None:
        self._stream, self._quiet = stream, quiet
        self._kept = _MOVES if moves else ()

    def write(self, text: str) -> int:
        """Write a text, with what its encoding lacks written out."""
        shown = text if text in self._kept else self._shown(text)
        encoding = getattr(self._stream, "encoding", None) or "utf-8"
        self._stream.write(shown.encode(encoding, "backslashreplace").decode(encoding))
        return len(text)

    def _shown(self, text: str) -> str:
        if not self._kept:
            return printable(text)
        parts = re.split("(" + "|".join(map(re.escape, self._kept)) + ")", text)
        return "".join(part if part in self._kept else printable(part) for part in parts)

    def isatty(self) -> bool:
        """Tell whether somebody watches."""
        return not self._quiet and self._stream.isatty()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def clean_streams(*, quiet: bool = False) -> Iterator[None]:
    """Print to any terminal or file, whatever its encoding and whatever is in the names.

    ``quiet`` leaves out progress bars. What is printed to a closed stream is lost, as in Python,
    and so is at the end what a stream does not take: a pipe that nobody reads, a full disk.
    """
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        out: Any = _Clean(sys.stdout or nowhere, moves=False)
        error: Any = _Clean(sys.stderr or nowhere, moves=True, quiet=quiet)
        with redirect_stdout(out), redirect_stderr(error):
            try:
                yield
            finally:
                for stream in (out, error):
                    _flush(stream, nowhere)


def _flush(stream: Any, nowhere: TextIO) -> None:
    """Flush a stream; if that fails, lead it nowhere: Python flushes it again when it ends."""
    try:
        stream.flush()
    except OSError:
        os.dup2(nowhere.fileno(), stream.fileno())


def path(text: str) -> Path:
    """Make a path of an argument; an empty one would be the current folder."""
    if not text.strip():
        raise argparse.ArgumentTypeError("an empty name; write . for the current folder")
    return Path(text)
