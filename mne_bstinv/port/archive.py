"""Protocols in zip files: extracted only where nothing can leave the target."""

from __future__ import annotations

import errno
import lzma
import os
import shutil
import stat
import struct
import time
import zipfile
import zlib
from contextlib import suppress
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import BinaryIO

from mne_bstinv._display import few
from mne_bstinv.errors import MissingFileError, ProtocolError

__all__ = ["MAX_BYTES", "MAX_FILES", "MAX_RATIO", "extract_protocol"]

#: Most bytes that an archive may hold when extracted, unless the caller says otherwise.
MAX_BYTES = 64 * 1024**3
#: Most files.
MAX_FILES = 200_000
#: Most bytes extracted for one byte of the archive: MATLAB files are compressed already, and
#: uncompressed ones (v6) of recordings never come near it.
MAX_RATIO = 100
#: Archives whose content is smaller than this are no danger, whatever the ratio.
_HARMLESS = 100 * 1024**2

_CHUNK = 1024 * 1024

#: What zipfile raises for damaged archives, and for names that are none.
_DAMAGED = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, EOFError, NotImplementedError,
    OverflowError, RecursionError,
)  # fmt: skip

#: What file systems say of names that are too long, of a file and a folder, or none at all.
_NO_NAMES = (errno.ENAMETOOLONG, errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.EILSEQ)
#: Most letters of a name that a message shows.
_SHOWN = 100

#: What macOS adds to archives: a second tree of the same names.
_MACOS = "__MACOSX"


def extract_protocol(archive: Path, target: Path, *, max_bytes: int = MAX_BYTES) -> Path:
    """Extract a protocol that Brainstorm exported to an empty folder; return its folder.

    Names are checked before anything is written, and what is written is counted, not believed.
    """
    if not archive.is_file():
        raise MissingFileError(f"{archive}: no such file.")
    try:
        with zipfile.ZipFile(archive) as opened:
            members = [item for item in opened.infolist() if not item.is_dir()]
            names = [_checked(archive, item) for item in members]
            _check_amount(archive, members, names, max_bytes, target)
            root = target / _root_of(archive, names)
            left = _limit(archive, max_bytes)
            for item, name in zip(members, names, strict=True):
                left = _extract(archive, opened, item, target / archive.stem / name, left)
    except ProtocolError:
        raise
    except (*_DAMAGED, ValueError, OSError) as error:
        if isinstance(error, OSError) and error.errno != errno.EINVAL:  # a place before the file
            raise
        raise ProtocolError(
            f"{archive}: not a zip file, or a damaged one: {str(error).rstrip('.')}. Copy it "
            "again, or export the protocol from Brainstorm again; if another program extracts it, "
            "give the folder."
        ) from error
    return root


def _checked(archive: Path, item: zipfile.ZipInfo) -> PurePosixPath:
    """Return the relative path of a member, or say why it is refused."""
    # zipfile cuts names at NUL and turns the separators of the system into '/': look at both
    name = item.orig_filename.replace("\\", "/")
    path = PurePosixPath(name)
    reason = None
    if not name or "\0" in name or any(ord(char) < 32 for char in name):
        reason = "a name with control characters"
    elif path.is_absolute() or PureWindowsPath(name).drive or PureWindowsPath(name).root:
        reason = "an absolute name"
    elif ".." in path.parts:
        reason = "a name that leads out of the archive"
    elif ":" in name:
        reason = "a name with a colon (a drive or a stream of Windows)"
    elif stat.S_IFMT(item.external_attr >> 16) not in (0, stat.S_IFREG, stat.S_IFDIR):
        kind = stat.S_IFMT(item.external_attr >> 16)
        reason = "a symbolic link" if stat.S_ISLNK(kind) else "a special file"
    elif item.flag_bits & 0x1:
        reason = "an encrypted file"
    if reason is not None:
        raise ProtocolError(
            f"{archive}: refused, it holds {reason}: {item.orig_filename!r}. Nothing was "
            "extracted; expected is a protocol exported by Brainstorm, not encrypted."
        )
    return path


def _check_amount(
    archive: Path,
    members: list[zipfile.ZipInfo],
    names: list[PurePosixPath],
    max_bytes: int,
    target: Path,
) -> None:
    total = sum(item.file_size for item in members)
    if len(members) > MAX_FILES:
        raise ProtocolError(
            f"{archive}: refused, it holds {len(members)} files, at most {MAX_FILES} are allowed."
        )
    folded = [str(name).casefold() for name in names]
    if len(set(folded)) < len(folded):
        twice = next(name for name in folded if folded.count(name) > 1)
        raise ProtocolError(f"{archive}: refused, it holds {twice!r} more than once.")
    if total > _limit(archive, max_bytes):
        raise _too_large(archive, total, max_bytes)
    free = shutil.disk_usage(target).free
    if total > free:
        raise ProtocolError(
            f"{archive}: holds {total / 1e9:.3g} GB, but {target} has {free / 1e9:.3g} GB free."
        )


def _limit(archive: Path, max_bytes: int) -> int:
    return min(max_bytes, max(_HARMLESS, MAX_RATIO * archive.stat().st_size))


def _too_large(archive: Path, total: int, max_bytes: int) -> ProtocolError:
    size = archive.stat().st_size
    if total > max_bytes:
        reason = (
            f"at most {max_bytes / 1e9:.3g} GB are allowed: give a larger limit (--max-size) if "
            "you trust it"
        )
    else:
        reason = (
            f"{total / size:.0f} times its own {size} bytes (at most {MAX_RATIO}): a zip bomb? "
            "Extract it yourself if you trust it"
        )
    return ProtocolError(f"{archive}: refused, it extracts to {total / 1e9:.3g} GB, {reason}.")


def _root_of(archive: Path, names: list[PurePosixPath]) -> Path:
    """Return the only folder with anat and data, however deep."""
    roots = _protocols_in(names)
    if len(roots) == 1:
        return Path(archive.stem) / roots[0]
    if not roots:
        raise ProtocolError(
            f"{archive}: holds no protocol (no folder in it has both 'anat' and 'data'). Expected "
            "is a protocol as Brainstorm exports it."
        )
    listed = few(repr(str(root)) for root in roots)
    raise ProtocolError(
        f"{archive}: holds {len(roots)} protocols: {listed}. Expected is one: extract the "
        "archive and give the folder of one of them."
    )


def _protocols_in(names: list[PurePosixPath]) -> list[PurePosixPath]:
    """Return the folders with anat and data; of those inside others, the topmost."""
    found: dict[str, set[PurePosixPath]] = {"anat": set(), "data": set()}
    for name in names:
        folders = name.parts[:-1]
        if folders[:1] == (_MACOS,):
            continue
        for depth, folder in enumerate(folders):
            if folder in found:
                found[folder].add(PurePosixPath(*folders[:depth]))
    both = found["anat"] & found["data"]
    # conditions may be called 'anat' and 'data' too
    return sorted(root for root in both if not both & set(root.parents))


def _new(archive: Path, item: zipfile.ZipInfo, file: Path) -> BinaryIO:
    """Open a new file for a member; names of archives may be none of the file system."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        return file.open("xb")
    except OSError as error:
        if error.errno not in _NO_NAMES:
            raise
        name = item.orig_filename
        shown = name if len(name) < _SHOWN else f"{name[:_SHOWN]}…"
        raise ProtocolError(
            f"{archive}: refused, it holds a name that cannot be extracted here: {shown!r} "
            f"({error.strerror}). Extract it yourself, and give the folder."
        ) from error


def _extract(
    archive: Path, opened: zipfile.ZipFile, item: zipfile.ZipInfo, file: Path, left: int
) -> int:
    """Extract a member and return how many bytes are still allowed; headers may lie."""
    with opened.open(item) as source, _new(archive, item, file) as copy:
        while chunk := source.read(_CHUNK):
            left -= len(chunk)
            if left < 0:
                raise ProtocolError(
                    f"{archive}: refused, {item.orig_filename!r} holds more than it states and "
                    "more than is allowed."
                )
            copy.write(chunk)
    with suppress(ValueError, OverflowError, OSError):  # dates that are none
        when = time.mktime((*item.date_time, 0, 0, -1))
        os.utime(file, (when, when))  # what large files are known by from run to run
    return left
