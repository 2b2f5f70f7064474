"""Locks between processes that end with their process, however it ends."""

from __future__ import annotations

import logging
import re
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from shutil import rmtree
from typing import IO, Any

from mne_bstinv.errors import ProtocolError

__all__ = ["WORK_FOLDER", "locked", "remove_left_over", "staging"]

logger = logging.getLogger("mne_bstinv")

#: Folder inside the output for what is not finished.
WORK_FOLDER = ".port"

#: Names of the folders in it.
_STAGING = re.compile(r"[0-9a-f]{32}")


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Hold a lock on a file, made if need be and left; wait while another process holds it."""
    _refuse_links(file.parent, file)
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
    _refuse_links(out / WORK_FOLDER)
    for lock in sorted((out / WORK_FOLDER).glob("*.lock")):
        folder = lock.with_suffix("")
        if _STAGING.fullmatch(folder.name) is None or lock.is_symlink():
            continue  # not ours
        with lock.open("ab") as handle:
            try:
                _lock(handle, wait=False)
            except OSError:  # its process is alive
                continue
            if folder.is_dir() and not folder.is_symlink():
                rmtree(folder, ignore_errors=True)
                removed += 1
        with suppress(OSError):
            lock.unlink()
    return removed


def _refuse_links(*paths: Path) -> None:
    """Refuse to work through links: what they lead to is not the output."""
    for path in paths:
        if path.is_symlink():
            raise ProtocolError(
                f"{path}: a link; nothing outside of the output is touched. Remove the link, or "
                "choose another output."
            )


def _lock(handle: IO[Any], *, wait: bool) -> None:
    if sys.platform == "win32":  # pragma: no cover
        import msvcrt

        handle.seek(0)
        msvcrt.locking(handle.fileno(), msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
