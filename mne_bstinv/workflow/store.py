"""What was read or made, kept while it is in use and up to a stated size.

Verifying keeps the last structures of each kind instead, see :mod:`mne_bstinv.studies.lately`.
"""

from __future__ import annotations

import dataclasses
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from scipy.sparse import issparse

from mne_bstinv._log import warnings_silenced
from mne_bstinv.conversion import tell_again
from mne_bstinv.studies.ahead import Ahead, Task

__all__ = ["MAX_BYTES", "Read", "Store", "file_stamp", "n_bytes"]

T = TypeVar("T")

#: What a store keeps, in bytes, before it forgets what was not used for longest.
MAX_BYTES = 1_000_000_000


@dataclasses.dataclass(frozen=True)
class Read:
    """A file that will be asked for, with its reader, if it turns out to be wanted."""

    reader: Callable[[Path], Any]
    file: Path
    is_wanted: Callable[[], bool] = lambda: True
    #: With which others it is asked for.
    group: Hashable = None


class Store:
    """Keeps structures by the file they were read from, and objects by what they were made of.

    The largest is kept, however large, until :meth:`trim`: a head model, with which all kernels of
    a condition are converted. So is what was used last; of the rest ``max_bytes``.
    ``identify`` tells one content of a path from another, by default :func:`file_stamp`: by
    their digests, copies of a file are read and converted once.
    """

    def __init__(
        self,
        max_bytes: int = MAX_BYTES,
        identify: Callable[[Path], Hashable] | None = None,
    ) -> None:
        self._max_bytes = max_bytes
        self._identify: Callable[[Path], Hashable] = identify or file_stamp
        self._kept: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()
        #: Bytes of all that is kept.
        self._bytes = 0
        self._ahead = Ahead()
        #: Readers, with sizes of files that they read.
        self._sizes: set[tuple[str, int]] = set()

    def read(self, reader: Callable[[Path], T], file: Path) -> T:
        """Return what a reader makes of a file as it is now; wait for it if a thread reads it."""
        if read := self._ahead.take((reader.__name__, file)):
            self.keep(*read)
        return self.made_of([file], (reader.__name__,), lambda: reader(file))

    def expect(self, reads: Iterable[Read]) -> None:
        """Let a thread read files, with all else that is expected as much as the store keeps.

        It keeps nothing itself. What was expected before and is not now is forgotten.
        """
        self._ahead.expect(
            Task((read.reader.__name__, read.file), partial(self._read_ahead, read), read.group)
            for read in reads
        )

    def _read_ahead(self, read: Read) -> tuple[Hashable, Any] | None:
        """Return the key and the structure of a file, if it is wanted, new, and did not change.

        Telling what is in a large file takes a while: it is told before it is read only if there
        was one of its size, of which it may be a copy.
        """
        name, stamp = read.reader.__name__, file_stamp(read.file)
        with suppress(Exception), warnings_silenced():  # who asks for it is told
            if stamp is None or not read.is_wanted() or not self._has_room(stamp[1]):
                return None
            if (name, stamp[1]) in self._sizes and self._is_known(
                (name, self._identify(read.file))
            ):
                return None
            value, key = read.reader(read.file), (name, self._identify(read.file))
            self._sizes.add((name, stamp[1]))
            return (key, value) if stamp == file_stamp(read.file) else None
        return None

    def _is_known(self, key: Hashable) -> bool:
        return key in self._kept or any(key == found[0] for found in self._ready())

    def _has_room(self, size: int) -> bool:
        return size + sum(n_bytes(found[1]) for found in self._ready()) <= self._max_bytes

    def _ready(self) -> Iterator[tuple[Hashable, Any]]:
        return (found for found in self._ahead.ready() if found is not None)

    def made_of(
        self, files: Iterable[Path | None], key: tuple[Hashable, ...], maker: Callable[[], T]
    ) -> T:
        """Return the object of a key and of the contents of files, None where there is no file.

        What is made while one of them changes may be of either content: it is kept as of none.
        """
        files = tuple(files)
        whole = (*key, *self._contents(files))
        if whole in self._kept:
            return self.make(whole, maker)
        value = maker()
        if whole == (*key, *self._contents(files)):
            self.keep(whole, value)
        return value

    def _contents(self, files: Iterable[Path | None]) -> Iterable[Hashable]:
        return (None if file is None else self._identify(file) for file in files)

    def make(self, key: Hashable, maker: Callable[[], T]) -> T:
        """Return the object of a key, which is all that it depends on; made if it is not there."""
        if key in self._kept:
            self._kept.move_to_end(key)
            tell_again(self._kept[key][0])
        else:
            self.keep(key, maker())
        return self._kept[key][0]

    def keep(self, key: Hashable, value: Any) -> None:
        """Keep the object of a key, unless there is one."""
        if key in self._kept:
            return
        self._kept[key] = (value, n_bytes(value))
        self._bytes += self._kept[key][1]
        if self._bytes > self._max_bytes:
            self._make_room()

    def trim(self) -> None:
        """Forget what is beyond the size, be it the largest or what was used last."""
        self._forget(list(self._kept), self._max_bytes)

    def clear(self) -> None:
        """Forget all, and expect nothing."""
        self.expect(())
        self._sizes.clear()
        self._kept.clear()
        self._bytes = 0

    def _make_room(self) -> None:
        """Forget what was not used for longest, but for the largest and what was used last."""
        largest = max(reversed(self._kept), key=lambda key: self._kept[key][1])
        spared = {largest, next(reversed(self._kept))}
        others = [key for key in self._kept if key not in spared]
        self._forget(others, self._max_bytes + self._kept[largest][1])

    def _forget(self, keys: Iterable[Hashable], limit: int) -> None:
        """Forget one object after the other, until the others are no larger than the limit."""
        for key in keys:
            if self._bytes <= limit:
                return
            self._bytes -= self._kept.pop(key)[1]


def file_stamp(file: Path | None) -> tuple[str, int, int] | None:
    """Return path, size and time of change, which tell whether a file changed; None without one."""
    try:
        status = None if file is None else file.stat()
    except (FileNotFoundError, NotADirectoryError, ValueError):  # no name of a file has a NUL
        return None
    return None if status is None else (str(file), status.st_size, status.st_mtime_ns)


def n_bytes(value: Any, depth: int = 2) -> int:
    """Size of the arrays in a structure, or in the lists and mappings that MNE is made of.

    What is deeper is small: labels, sensors, histories.
    """
    if issparse(value):
        return int(value.data.nbytes)
    if hasattr(value, "nbytes"):
        return int(value.nbytes)
    if depth == 0:
        return 0
    parts: Iterable[Any] = ()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        parts = (getattr(value, f.name) for f in dataclasses.fields(value))
    elif isinstance(value, dict):
        parts = value.values()
    elif isinstance(value, list | tuple):
        parts = value
    return sum(n_bytes(part, depth - 1) for part in parts)
