"""What a thread reads of the large files that are verified, while others are computed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from mne_bstinv import io
from mne_bstinv.derived.library import Library
from mne_bstinv.errors import BstInvError
from mne_bstinv.io import mat
from mne_bstinv.io.filenames import is_kernel

__all__ = ["expect"]

#: Bytes of a kernel from which reading it takes a time to speak of.
_LARGE = 4_000_000


def expect(files: Sequence[Path], library: Library) -> None:
    """Let a thread read what verifying a file will ask for, and the one after it."""
    library.studies.expect(read for file in files for read in _reads(file, library))


def _reads(file: Path, library: Library) -> Iterator[tuple[Callable[[Path], Any], Path]]:
    """Yield what is read of a large kernel: its head model first, which takes longest."""
    try:
        if not is_kernel(file) or file.stat().st_size < _LARGE:
            return
        name = mat.read(file, ["HeadModelFile"])["HeadModelFile"].value
        model = library.find(str(name), file)
    except (BstInvError, KeyError, OSError):  # verifying it says what is wrong
        return
    if model is not None:
        yield io.read_head_model, model
    yield io.read_results, file
