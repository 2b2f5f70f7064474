"""Write ``.bst`` files, a piece at a time: memory is that of one block."""

from __future__ import annotations

import dataclasses
import os
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

import numpy as np

from mne_bstinv._display import html_table, in_short
from mne_bstinv._temporary import beside, check_target
from mne_bstinv._types import AnyArray
from mne_bstinv.errors import RecordingFileError
from mne_bstinv.io.bst.header import BstHeader, put_header
from mne_bstinv.io.mat import PathLike
from mne_bstinv.io.sampling import round_half_away

__all__ = ["BstWriter", "default_block", "write_bst"]

#: Samples of a block, at most, where nothing else is asked for.
_LARGEST_BLOCK = 5000


def default_block(sfreq: float) -> int:
    """Return the samples in a block that Brainstorm writes: min(5000, round(sfreq)), 1 at least."""
    return max(1, min(_LARGEST_BLOCK, int(round_half_away(sfreq))))


class BstWriter:
    """A ``.bst`` file that is being written: to a temporary file, which is renamed at the end.

    Use it in a ``with`` statement; after an error nothing is left behind.

    Parameters
    ----------
    fname : path-like
        The file.
    header : BstHeader
        What it says of the samples.
    overwrite : bool
        Replace an existing file.

    Attributes
    ----------
    notes : tuple of str
        What the format cannot hold, one sentence each; complete after the last sample.

    Raises
    ------
    OverwriteError
        If the file exists and ``overwrite`` is False.
    MissingFileError
        If the folder does not exist.
    SchemaError
        If the format cannot hold the header.
    """

    def __init__(self, fname: PathLike, header: BstHeader, *, overwrite: bool = False) -> None:
        self.path = Path(fname)
        self.header = header
        if self.path.is_dir():
            raise RecordingFileError(f"{self.path}: a folder found, a file expected. Name a file.")
        check_target(self.path, overwrite=overwrite)
        self._head, self.notes = put_header(header)
        self._block = np.zeros((len(header.channels), header.block), dtype="<f4")
        self._filled = 0
        self._written = 0
        self._rounded = False
        self._temporary = beside(self.path)
        self._file: BinaryIO | None = None

    def __repr__(self) -> str:
        return f"<BstWriter | {self.path.name}, {in_short(self.header)}>"

    def _repr_html_(self) -> str:
        rows = [("path", str(self.path)), ("header", in_short(self.header))]
        return html_table(rows, title=repr(self))

    def __enter__(self) -> BstWriter:
        try:
            self._file = self._temporary.open("xb")
        except OSError as error:
            raise self._unwritable(error) from error
        self._put(memoryview(self._head))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self._finish()
        finally:
            if self._file is not None:
                self._file.close()
            with suppress(OSError):
                self._temporary.unlink()

    def write(self, samples: AnyArray) -> None:
        """Write the samples that follow.

        Parameters
        ----------
        samples : array, shape (n_channels, n)
            Any number of samples, in T, T/m or V.

        Raises
        ------
        RecordingFileError
            If there are more samples or channels than the header says, one is beyond single
            precision, or the file cannot be written.
        """
        n_channels, n = len(self.header.channels), samples.shape[1]
        if len(samples) != n_channels or self._written + self._filled + n > self.header.n_samples:
            raise self._fault(
                f"{len(samples)} channels × {self._written + self._filled + n} samples",
                f"{n_channels} channels × {self.header.n_samples} samples",
            )
        begin = 0
        while begin < n:
            size = min(self.header.block - self._filled, n - begin)
            self._fill(samples[:, begin : begin + size])
            begin += size

    def _fill(self, piece: AnyArray) -> None:
        """Put samples of one block; write it when it is full."""
        columns = slice(self._filled, self._filled + piece.shape[1])
        with np.errstate(over="ignore"):
            self._block[:, columns] = piece
        single = self._block[:, columns]
        if np.any(np.isinf(single) & np.isfinite(piece)):
            raise self._fault(
                f"a sample of {np.abs(piece[np.isinf(single)]).max():g}",
                f"up to {np.finfo(np.float32).max:g}, what single precision can hold",
            )
        self._rounded |= not self._rounded and not np.array_equal(single, piece, equal_nan=True)
        self._filled += piece.shape[1]
        if self._filled == self.header.block:
            self._put(memoryview(self._block).cast("B"))
            self._written += self._filled
            self._filled = 0

    def _finish(self) -> None:
        """Write the last block up to its last sample, and give the file its name."""
        found = self._written + self._filled
        if found != self.header.n_samples:
            raise self._fault(f"{found} samples", f"{self.header.n_samples}")
        if self._filled:
            self._block[:, self._filled :] = 0
            n = (len(self._block) - 1) * self.header.block + self._filled
            self._put(memoryview(self._block.reshape(-1)[:n]).cast("B"))
        if self._rounded:
            self.notes += ("the samples are rounded to single precision (7 digits)",)
        assert self._file is not None
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            self._temporary.replace(self.path)
        except OSError as error:
            raise self._unwritable(error) from error

    def _put(self, raw: memoryview) -> None:
        assert self._file is not None
        try:
            self._file.write(raw)
        except OSError as error:
            raise self._unwritable(error) from error

    def _fault(self, found: str, expected: str) -> RecordingFileError:
        return RecordingFileError(
            f"{self.path}: {found} found, {expected} expected. Nothing was written."
        )

    def _unwritable(self, error: OSError) -> RecordingFileError:
        return RecordingFileError(
            f"{self.path}: cannot be written: {error.strerror or error}. Check the space and your "
            "rights there."
        )


def write_bst(
    fname: PathLike, header: BstHeader, samples: AnyArray, *, overwrite: bool = False
) -> tuple[str, ...]:
    """Write a ``.bst`` file from samples in memory.

    Parameters
    ----------
    fname : path-like
        The file.
    header : BstHeader
        What it says of the samples; the number of samples is taken from these.
    samples : array, shape (n_channels, n_samples)
        The samples, in T, T/m or V.
    overwrite : bool
        Replace an existing file.

    Returns
    -------
    tuple of str
        What the format cannot hold, one sentence each.

    Raises
    ------
    OverwriteError
        If the file exists and ``overwrite`` is False.
    MissingFileError
        If the folder does not exist.
    RecordingFileError
        If a sample is beyond single precision, or the file cannot be written.
    SchemaError
        If the format cannot hold the header.
    """
    header = dataclasses.replace(header, n_samples=samples.shape[1])
    with BstWriter(fname, header, overwrite=overwrite) as writer:
        writer.write(samples)
    return writer.notes
