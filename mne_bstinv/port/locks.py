"""Locks between processes that end with their process, however it ends."""

from __future__ import annotations

import logging
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from shutil import rmtree
from typing import IO, Any

__all__ = ["WORK_FOLDER", "locked", "remove_left_over", "staging"]

logger = logging.getLogger("mne_bstinv")

#: Folder inside the output for what is not finished.
WORK_FOLDER = ".port"


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Hold a lock on a file, made if need be and left; wait while another process holds it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("ab") as handle:
        try:
            _lock(handle, wait=True)
        except OSError as error:  # file systems without locks
            logger.warning("%s: cannot be locked (%s): run one port at a time.", file, error)
        yield


@contextmanager
def staging(out: Path) -> Iterator[Path]:
    """Make a folder in the output for what is being written; it is gone afterwards.

    It is inside, so that files move out of it by renaming.
    """
    folder = out / WORK_FOLDER / uuid.uuid4().hex
    lock = folder.with_suffix(".lock")
    with locked(lock):
        folder.mkdir()
        try:
            yield folder
        finally:
            rmtree(folder, ignore_errors=True)
            with suppress(OSError):  # Windows removes no file that is open
                lock.unlink()


def remove_left_over(out: Path) -> int:
    """Remove the staging folders of processes that are dead; return how many there were."""
    removed = 0
    for lock in sorted((out / WORK_FOLDER).glob("*.lock")):
        folder = lock.with_suffix("")
        with lock.open("ab") as handle:
            try:
                _lock(handle, wait=False)
            except OSError:  # its process is alive
                continue
            if folder.is_dir():
                rmtree(folder, ignore_errors=True)
                removed += 1
        with suppress(OSError):
            if lock.name != "commit.lock":
                lock.unlink()
    return removed


def _lock(handle: IO[Any], *, wait: bool) -> None:
    if sys.platform == "win32":  # pragma: no cover
        import msvcrt

        handle.seek(0)
        msvcrt.locking(handle.fileno(), msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
