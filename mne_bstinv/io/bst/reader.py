"""Samples of ``.bst`` files: any channels of any segment, without reading the rest.

Blocks of samples follow each other; in a block the channels do, each a run of successive samples.
The last block has the same distances but is cut after its last sample.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
import numpy.typing as npt

from mne_bstinv._display import Displayed, in_short
from mne_bstinv._types import FloatArray, IntArray
from mne_bstinv.errors import MissingFileError, OptionError, RecordingFileError
from mne_bstinv.io.bst.header import BstHeader, take_header
from mne_bstinv.io.bst.source import Source
from mne_bstinv.io.mat import PathLike

__all__ = ["BstFile", "open_bst"]

#: Numbers that are read at once, at most (16 MB), so that memory does not grow with the blocks.
_AT_ONCE = 4 * 2**20
#: Samples between two wanted runs that are rather read than skipped.
_GAP = 4096


def _state_of(file: BinaryIO) -> tuple[int, int]:
    """Return what changes when a file is written to: its size, and when it was."""
    found = os.fstat(file.fileno())
    return found.st_size, found.st_mtime_ns


class _Group(NamedTuple):
    """Channels that are near enough to each other to be read at once."""

    #: Rows of the result.
    rows: slice | IntArray
    #: First channel, how many are read from it on, and which of these are wanted.
    first: int
    n: int
    wanted: slice | IntArray


class _Run(NamedTuple):
    """One read: a segment of one block, or some blocks as a whole, of a group of channels."""

    group: _Group
    #: First number to read, counted from the first sample of the file.
    begin: int
    #: Numbers of blocks, channels and samples, and the distance of each.
    shape: tuple[int, int, int]
    distances: tuple[int, int, int]
    #: First column of the result.
    column: int


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class BstFile(Displayed):
    """A ``.bst`` file whose samples are read when they are asked for.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    header : BstHeader
        What it says of the samples.
    offset : int
        Byte at which the samples begin.
    notes : tuple of str
        What is odd about it, one sentence each.
    state : tuple of int
        Size in bytes, and time of the last change in ns, when it was opened.
    """

    path: Path
    header: BstHeader
    offset: int
    notes: tuple[str, ...]
    state: tuple[int, int]

    def _summary(self) -> str:
        return f"{self.path.name}, {in_short(self.header)}"

    def read(
        self,
        start: int = 0,
        stop: int | None = None,
        channels: Sequence[int] | IntArray | None = None,
    ) -> FloatArray:
        """Read samples.

        Parameters
        ----------
        start, stop : int
            First sample, and the one after the last, counted from 0; the whole file by default.
        channels : sequence of int | None
            Channels, 0-based, in any order; ``None`` takes all.

        Returns
        -------
        array, shape (n_channels, stop − start)
            The samples of the file, in T, T/m or V.

        Raises
        ------
        OptionError
            If there are no such samples or channels.
        RecordingFileError
            If the file changed since it was opened, or cannot be read.
        """
        n, n_all = self.header.n_samples, len(self.header.channels)
        stop = n if stop is None else stop
        if not 0 <= start <= stop <= n:
            raise OptionError(
                f"{self.path}: samples {start} to {stop} asked for, which must be within 0 to {n}."
            )
        picks = np.arange(n_all) if channels is None else np.asarray(channels, dtype=np.int64)
        if picks.size and not (picks.min() >= 0 and picks.max() < n_all):
            raise OptionError(
                f"{self.path}: channels {picks.min()} to {picks.max()} asked for, which must be "
                f"within 0 to {n_all - 1}."
            )
        out = np.empty((len(picks), stop - start))
        self.read_into(out, start, picks)
        return out

    def read_into(self, out: npt.NDArray[np.floating], start: int, channels: IntArray) -> None:
        """Read samples into an array.

        Parameters
        ----------
        out : array, shape (n_channels, n_samples)
            Takes the samples.
        start : int
            First sample, counted from 0.
        channels : array of int, shape (n_channels,)
            Channels, 0-based.

        Raises
        ------
        RecordingFileError
            If the file changed since it was opened, or cannot be read.
        """
        segment = range(start, start + out.shape[1])
        # a NaN that signals, in a damaged file
        with self._opened() as file, np.errstate(invalid="ignore"):
            for run in _runs(self.header, segment, channels):
                taken = self._take(file, run)[:, run.group.wanted].transpose(1, 0, 2)
                columns = slice(run.column, run.column + taken.shape[1] * taken.shape[2])
                if isinstance(run.group.rows, slice):
                    out[run.group.rows, columns].reshape(taken.shape)[:] = taken
                else:
                    out[run.group.rows, columns] = taken.reshape(len(taken), -1)
            self._check(file)

    def _opened(self) -> BinaryIO:
        try:
            file = self.path.open("rb", buffering=0)
        except OSError as error:
            raise RecordingFileError(
                f"{self.path}: cannot be opened any more: {error}. Put the file back, and open it "
                "again."
            ) from error
        try:
            self._check(file)
        except BaseException:
            file.close()
            raise
        return file

    def _check(self, file: BinaryIO) -> None:
        found = _state_of(file)
        if found != self.state:
            raise RecordingFileError(
                f"{self.path}: the file changed since it was opened: {found[0]} bytes found, "
                f"{self.state[0]} bytes of an earlier time expected. Open it again."
            )

    def _take(self, file: BinaryIO, run: _Run) -> npt.NDArray[np.float32]:
        """Read a run, (n_blocks, n_channels, n_samples)."""
        last = sum((n - 1) * step for n, step in zip(run.shape, run.distances, strict=True))
        numbers = np.empty(last + 1, dtype="<f4")
        file.seek(self.offset + 4 * run.begin)
        view = memoryview(numbers).cast("B")
        while view.nbytes:
            taken = file.readinto(view)  # type: ignore[attr-defined]
            if not taken:
                raise RecordingFileError(
                    f"{self.path}: ends at byte {file.tell()}, {view.nbytes} more bytes of samples "
                    "expected: the file changed while it was read. Open it again."
                )
            view = view[taken:]
        strides = [numbers.itemsize * distance for distance in run.distances]
        return np.lib.stride_tricks.as_strided(numbers, run.shape, strides, writeable=False)


def _runs(header: BstHeader, segment: range, channels: IntArray) -> Iterator[_Run]:
    """Yield the reads that bring some channels of a segment."""
    block, n_all = header.block, len(header.channels)
    distances = (block * n_all, block, 1)
    begin = segment.start
    while begin < segment.stop:
        number, first = divmod(begin, block)
        n = min(block - first, segment.stop - begin)
        # what is between two wanted pieces is read too, if it is short
        near = (_GAP + n) // block
        groups = _groups(channels, near, max(1, _AT_ONCE // block))
        n_blocks = 1
        if n == block and len(groups) == 1 and n_all - groups[0].n < near:
            n_blocks = min(max(1, _AT_ONCE // distances[0]), (segment.stop - begin) // block)
        for group in groups:
            for piece in range(0, n, _AT_ONCE):
                yield _Run(
                    group=group,
                    begin=number * distances[0] + group.first * block + first + piece,
                    shape=(n_blocks, group.n, min(_AT_ONCE, n - piece)),
                    distances=distances,
                    column=begin - segment.start + piece,
                )
        begin += n * n_blocks


def _groups(channels: IntArray, near: int, most: int) -> list[_Group]:
    """Return the channels in groups: steps of ``near`` at most, ``most`` wide at most."""
    order, found, steps = None, channels, np.diff(channels)
    if steps.size and steps.min() <= 0:
        order = np.argsort(channels, kind="stable")
        found = channels[order]
        steps = np.diff(found)
    groups, begin = [], 0
    for end in [*(np.flatnonzero(steps > near) + 1), len(found)]:
        while begin < end:
            first = int(found[begin])
            stop = min(int(np.searchsorted(found, first + most)), int(end))
            n = int(found[stop - 1]) + 1 - first
            all_of_them = bool((steps[begin : stop - 1] == 1).all())
            groups.append(
                _Group(
                    rows=slice(begin, stop) if order is None else order[begin:stop],
                    first=first,
                    n=n,
                    wanted=slice(None) if all_of_them else found[begin:stop] - first,
                )
            )
            begin = stop
    return groups


def open_bst(fname: PathLike) -> BstFile:
    """Open a ``.bst`` file: read its header, and no samples.

    Parameters
    ----------
    fname : path-like
        The file.

    Returns
    -------
    BstFile
        The file; :meth:`BstFile.read` reads samples of it.

    Raises
    ------
    MissingFileError
        If the file does not exist.
    RecordingFileError
        If it is a folder, no ``.bst`` file, of another version, or its size is not that which its
        header says.
    """
    path = Path(fname).absolute()  # samples are read later, perhaps from another folder
    if path.is_dir():
        raise RecordingFileError(f"{path}: a folder found, a .bst file expected. Give the file.")
    try:
        with path.open("rb") as file:
            state = _state_of(file)
            found = take_header(Source(file, str(path), state[0]))
    except FileNotFoundError as error:
        raise MissingFileError(f"{path}: no such file. Check the path.") from error
    except RecordingFileError:
        raise
    except OSError as error:
        raise RecordingFileError(f"{path}: cannot be read: {error}. Check your rights.") from error
    return BstFile(
        path=path, header=found.header, offset=found.offset, notes=found.notes, state=state
    )
