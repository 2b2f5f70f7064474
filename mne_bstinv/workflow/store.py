"""What was read or made, kept while it is in use and up to a stated size."""

from __future__ import annotations

import dataclasses
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable
from pathlib import Path
from typing import Any, TypeVar

from scipy.sparse import issparse

from mne_bstinv.conversion import tell_again

__all__ = ["MAX_BYTES", "Store", "file_stamp", "n_bytes"]

T = TypeVar("T")

#: What a store keeps, in bytes, before it forgets what was not used for longest.
MAX_BYTES = 1_000_000_000


class Store:
    """Keeps structures by the file they were read from, and objects by what they were made of.

    What was used last is kept, however large, until :meth:`trim`; of the rest ``max_bytes``.
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

    def read(self, reader: Callable[[Path], T], file: Path) -> T:
        """Return what a reader makes of a file as it is now."""
        return self.made_of([file], (reader.__name__,), lambda: reader(file))

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
        self._forget()

    def keys(self) -> frozenset[Hashable]:
        """Return the keys of all that is kept."""
        return frozenset(self._kept)

    def trim(self) -> None:
        """Forget what is beyond the size, be it what was used last."""
        self._forget(0)

    def clear(self) -> None:
        """Forget all."""
        self._kept.clear()
        self._bytes = 0

    def _forget(self, spared: int = 1) -> None:
        while len(self._kept) > spared and self._bytes > self._max_bytes:
            _, (_, n_bytes) = self._kept.popitem(last=False)
            self._bytes -= n_bytes


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
