"""Manifests: what was made of what. Written whole, and never ahead of the files they list."""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path, PurePosixPath, PureWindowsPath
from threading import Lock
from typing import Any

from mne_bstinv._temporary import replacing
from mne_bstinv.errors import OverwriteError, ProtocolError
from mne_bstinv.port.locks import WORK_FOLDER, locked
from mne_bstinv.workflow.store import file_stamp

__all__ = [
    "DONE",
    "FAILED",
    "FORMAT",
    "INCOMPLETE",
    "MANIFEST",
    "PLANNED",
    "check_inside",
    "commit",
    "content_of",
    "hash_file",
    "read_manifest",
    "sync",
    "write_json",
    "write_text",
]

MANIFEST = "port.json"

#: What marks a manifest, with the version of its layout.
FORMAT = "mne_bstinv port 1"

DONE = "done"

FAILED = "failed"

#: What a dry run would convert, or keep.
PLANNED = "planned"

#: Files are being replaced: those listed are ours, but maybe not of one run.
INCOMPLETE = "incomplete"


def read_manifest(folder: Path) -> dict[str, Any] | None:
    """Read the manifest of a folder; None if there is none."""
    file = folder / MANIFEST
    try:
        text = file.read_text("utf-8")
        content = json.loads(text, parse_float=_finite, parse_constant=_finite)
    except FileNotFoundError:
        return None
    except (ValueError, UnicodeDecodeError, RecursionError) as error:
        raise ProtocolError(
            f"{file}: not a manifest of a port ({error}): move it away, or choose another folder."
        ) from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise ProtocolError(
            f"{file}: not a manifest of this version (format {FORMAT!r}): move it away, or choose "
            "another folder."
        )
    _check_fields(file, content)
    return content


def _finite(text: str) -> float:
    """Return a number; refuse one that no manifest can hold, and none could be written with."""
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"the number {text}")
    return number


def _each(of: Callable[[Any], bool]) -> Callable[[Any], bool]:
    """Return the test of an object or a list by the test of its values."""

    def test(value: Any) -> bool:
        items = value.values() if isinstance(value, dict) else value
        return isinstance(value, dict | list) and all(map(of, items))

    return test


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_output(value: Any) -> bool:
    if value is None:  # while it is being replaced
        return True
    return isinstance(value, dict) and isinstance(value.get("bytes", 0), int)


def _is_protocol(value: Any) -> bool:
    """Tell whether this names a protocol: a text in the manifest of a unit, else an object."""
    if isinstance(value, dict):
        problems = value.get("problems", [])
        return (
            _is_text(value.get("name")) and isinstance(problems, list) and _each(_is_text)(problems)
        )
    return _is_text(value)


#: What the fields that are read again must be.
_FIELDS: Mapping[str, Callable[[Any], bool]] = {
    **dict.fromkeys(("status", "kind", "title", "folder", "finished"), _is_text),
    "protocol": _is_protocol,
    "inputs": _each(_is_text),
    "outputs": lambda value: isinstance(value, dict) and _each(_is_output)(value),
    "reports": lambda value: isinstance(value, dict) and _each(_each(_each(_is_text)))(value),
    "errors": lambda value: isinstance(value, list) and _each(_each(_is_text))(value),
    "skipped": lambda value: isinstance(value, list) and _each(_each(_is_text))(value),
    "verification": lambda value: value is None or _each(lambda v: isinstance(v, dict))(value),
    "units": _each(lambda value: isinstance(value, dict)),
}


def _check_fields(file: Path, content: Mapping[str, Any]) -> None:
    """Refuse a manifest whose fields are of other types, or name files elsewhere."""
    wrong = [name for name, test in _FIELDS.items() if name in content and not test(content[name])]
    if wrong:
        raise ProtocolError(
            f"{file}: {wrong[0]} is not what a port writes there: move the manifest away, or "
            "choose another folder."
        )
    outside = _outside(file.parent, content.get("outputs") or ())
    if outside:
        raise ProtocolError(
            f"{file}: lists {outside[0]!r}, which is not in its folder; nothing outside of it is "
            "touched. Move the manifest away, or choose another folder."
        )


#: Names of files that no system takes for a path.
_PLAIN = re.compile(r"[\w-][\w.-]*", re.ASCII)


def _outside(folder: Path, names: Iterable[str]) -> list[str]:
    """List the names in a manifest that are not those of files in the folder, links followed."""
    home = folder.resolve()

    @cache  # most files of a unit are in one folder
    def leads_out(place: Path) -> bool:
        return not place.resolve().is_relative_to(home)

    def is_inside(name: str) -> bool:
        if _PLAIN.fullmatch(name):
            return True
        path = PurePosixPath(name)
        if path.is_absolute() or PureWindowsPath(name).anchor or ".." in path.parts:
            return False
        return bool(path.parts) and "\0" not in name and not leads_out((folder / path).parent)

    return [name for name in names if not is_inside(name)]


def check_inside(out: Path, folder: Path) -> None:
    """Refuse a folder of the output that leads out of it."""
    if not folder.resolve().is_relative_to(out.resolve()):
        raise ProtocolError(
            f"{folder}: a link that leads out of the output {out}; nothing outside of it is "
            "touched. Remove the link, or choose another output."
        )


def write_json(file: Path, content: Mapping[str, Any]) -> None:
    """Write plain values as JSON, completely or not at all; refuse what it has no word for."""
    write_text(file, json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def write_text(file: Path, text: str) -> None:
    """Write text: completely, or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with replacing(file) as temporary:
        # names that are no UTF-8 hold halves of pairs, which JSON escapes in the same way
        temporary.write_bytes(text.encode("utf-8", "backslashreplace"))
        sync([temporary])


def commit(
    out: Path, folder: Path, staged: Path, manifest: Mapping[str, Any], *, overwrite: bool = False
) -> None:
    """Move staged files to their place, then say so.

    At any moment the manifest in the folder is true: while files are replaced it says that it
    is incomplete and lists the files of before and after. The output holds the lock. Files that
    are of no earlier port are replaced with ``overwrite`` only; without it nothing is changed.
    """
    check_inside(out, folder)
    with locked(out / WORK_FOLDER / "commit.lock"):
        before = read_manifest(folder) or {}
        old, new = set(before.get("outputs", {})), list(manifest["outputs"])
        foreign = [name for name in new if name not in old and (folder / name).exists()]
        if foreign and not overwrite:
            raise OverwriteError(
                f"{folder / foreign[0]}: exists already and is of no earlier port; use "
                "overwrite=True (--overwrite) to replace it."
            )
        gone = sorted(old - set(new))
        if new or gone:
            listed = dict.fromkeys([*new, *gone], None)
            write_json(folder / MANIFEST, {**manifest, "status": INCOMPLETE, "outputs": listed})
        for name in new:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (staged / name).replace(folder / name)
        for name in gone:
            (folder / name).unlink(missing_ok=True)
        sync({(folder / name).parent for name in new})
        write_json(folder / MANIFEST, manifest)


def hash_file(file: Path) -> str:
    """Return the SHA-256 of a file; of a file that did not change since, it is remembered."""
    digest = content_of(file)
    if digest is None:
        raise FileNotFoundError(file)
    return digest


def content_of(file: Path) -> str | None:
    """Return the SHA-256 of a file likewise, None if there is none."""
    stamp = file_stamp(file)
    return None if stamp is None else str(_hash(*stamp))


@dataclass
class _Hash:
    """The SHA-256 of a file, taken once, though several threads ask for it."""

    path: str
    lock: Lock = field(default_factory=Lock)
    digest: str = ""

    def __str__(self) -> str:
        with self.lock:
            if not self.digest:
                try:
                    with Path(self.path).open("rb") as handle:
                        self.digest = hashlib.file_digest(handle, "sha256").hexdigest()
                except FileNotFoundError:
                    raise
                except OSError as error:  # who reads the file says so, and nothing else suffers
                    return f"cannot be read: {error.strerror}"
            return self.digest


@lru_cache(maxsize=4096)
def _hash(path: str, size: int, changed: int) -> _Hash:
    return _Hash(path)


def sync(paths: Iterable[Path]) -> None:
    """Have files, or the names in folders, on the disk, where that can be asked for.

    Here a full disk is noticed too, where the system had put writing off.
    """
    # Windows syncs what is open for writing alone, and opens no folders
    flags = os.O_RDWR if sys.platform == "win32" else os.O_RDONLY
    for path in paths:
        with suppress(PermissionError):
            handle = os.open(path, flags)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)
