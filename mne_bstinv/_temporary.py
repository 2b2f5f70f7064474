"""Where may be written, names for what is, and what to do with it when its process was killed.

A file or folder is written beside its place and renamed. Its temporary name says which process
writes it, so that a later run knows that nobody does any more.
"""

from __future__ import annotations

import os
import platform
import re
import sys
import time
import uuid
import zlib
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from shutil import rmtree

from mne_bstinv.errors import BstInvError, MissingFileError, OptionError, OverwriteError, WriteError

__all__ = [
    "backup_beside",
    "beside",
    "check_folder_of",
    "check_target",
    "named",
    "remove_left_over",
    "replacing",
    "writing",
]

#: Host and process that made it, and a random part; of a backup the name of what it was.
_NAME = re.compile(r"\.([0-9a-f]{8})-(\d+)-[0-9a-f]{32}\.(?:tmp|(.+)\.old)")

#: Seconds after which a process that cannot be asked is taken for dead.
_DAY = 86400.0


def named(path: str | os.PathLike[str], what: str) -> Path:
    """Return the path of a folder to write to; an empty name would be the current one."""
    if not os.fspath(path).strip():
        raise OptionError(f"{what} is an empty name. Write '.' for the current folder.")
    return Path(path)


def check_target(place: Path, *, overwrite: bool) -> None:
    """Refuse a place that cannot be written to: in no folder, or one that is not to be replaced."""
    check_folder_of(place)
    if place.exists() and not overwrite:
        raise OverwriteError.of(place)


def check_folder_of(place: Path) -> None:
    """Refuse a place whose folder does not exist."""
    if not place.parent.is_dir():
        if place.parent.exists():
            raise MissingFileError(f"{place.parent}: a file, expected a folder. Choose another.")
        raise MissingFileError(f"{place.parent}: no such folder. Make it first.")


def beside(place: Path) -> Path:
    """Return a new path beside a place, for what is being written there."""
    return place.with_name(f"{_mark()}.tmp")


def backup_beside(place: Path) -> Path:
    """Return a new path beside a place for what is there until it is replaced."""
    return place.with_name(f"{_mark()}.{place.name}.old")


@contextmanager
def replacing(place: Path) -> Iterator[Path]:
    """Give a path beside a place to write to: it takes the place when the block ends well."""
    temporary = beside(place)
    try:
        with writing(place):
            yield temporary
            temporary.replace(place)
    finally:
        with suppress(OSError):  # it is gone if it took the place
            temporary.unlink()


@contextmanager
def writing(place: Path, codes: Collection[int] | None = None) -> Iterator[None]:
    """Raise an error of the system in writing as one that names the place.

    ``codes`` are the numbers of the errors that mean it; None for all.
    """
    try:
        yield
    except OSError as error:
        code = error.errno
        if isinstance(error, BstInvError) or code is None or code not in (codes or {code}):
            raise
        raise WriteError(
            f"{place}: cannot be written: {os.strerror(code)}. Check the space and your rights "
            "there, and run again."
        ) from error


def remove_left_over(folders: Iterable[Path]) -> None:
    """Remove from folders what processes that were killed have left in them.

    A backup takes its place again if nothing has replaced it. What another process is writing
    stays. Folders that do not exist, or cannot be listed, are passed over.
    """
    for folder in folders:
        with suppress(OSError):
            for entry in list(os.scandir(folder)):
                found = _NAME.fullmatch(entry.name)
                if found is not None and _is_left(folder / entry.name, found):
                    _put_right(folder / entry.name, found[3])


def _mark() -> str:
    return f".{_host()}-{os.getpid()}-{uuid.uuid4().hex}"


def _host() -> str:
    return f"{zlib.crc32(platform.node().encode()):08x}"


def _is_left(path: Path, name: re.Match[str]) -> bool:
    """Tell whether nobody writes a file or folder any more."""
    if name[1] == _host() and sys.platform != "win32":  # Windows ends the process it asks for
        pid = int(name[2])
        if pid == os.getpid():
            return False
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        except OSError:  # it is somebody else's
            return False
        if _has_ended(pid):
            return True
    with suppress(OSError):
        return time.time() - path.lstat().st_mtime > _DAY
    return False


def _has_ended(pid: int) -> bool:
    """Tell whether a process has ended that still has its number, until its parent asks for it."""
    with suppress(OSError):  # other systems than Linux do not say it here
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    return False


def _put_right(path: Path, backup_of: str | None) -> None:
    place = None if backup_of is None else path.with_name(backup_of)
    with suppress(OSError):
        if place is not None and not place.exists():
            path.rename(place)
        elif path.is_dir() and not path.is_symlink():
            rmtree(path)
        else:
            path.unlink()
