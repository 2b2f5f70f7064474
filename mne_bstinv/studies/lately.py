"""Structures of the files that were read last: one of a file and of all its copies.

Conditions often hold copies of one channel file, covariance or head model. To compare two files of
one size takes a fraction of the time of reading one, and less than a digest of each.

This is no :class:`~mne_bstinv.workflow.store.Store`, which keeps by size: verifying asks for each
kernel once, and for one head model again and again, however large. Within one size it would hold
hundreds of small kernels that nobody asks for any more, or read a large head model for each kernel.
"""

from __future__ import annotations

import filecmp
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Generic, TypeVar

__all__ = ["Lately"]

T = TypeVar("T")


class Lately(Generic[T]):
    """Reads files; the last structures, so many, are kept, whichever copies they were read of."""

    def __init__(self, reader: Callable[[Path], T], n: int) -> None:
        self._reader, self._n = reader, n
        self._kept: OrderedDict[Path, T] = OrderedDict()

    def __call__(self, file: Path) -> T:
        """Return the structure of a file, or raise what reading it raises."""
        known = self._of_same_content(file)
        # under its own name: what comes next is most likely a copy beside it
        self._kept[file] = self._reader(file) if known is None else self._kept.pop(known)
        if len(self._kept) > self._n:
            self._kept.popitem(last=False)
        return self._kept[file]

    def __contains__(self, file: Path) -> bool:
        """Tell whether a file, or a copy of it, was read lately."""
        return self._of_same_content(file) is not None

    def _of_same_content(self, file: Path) -> Path | None:
        if file in self._kept:
            return file
        for one in reversed(self._kept):
            with suppress(OSError):  # one is gone: reading the other says so
                if filecmp.cmp(one, file, shallow=False):
                    return one
        return None
