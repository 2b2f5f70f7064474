"""Where a protocol is, and where the output of its port may be."""

from __future__ import annotations

import os
import shlex
from collections.abc import Container, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from mne_bstinv import io
from mne_bstinv._display import few
from mne_bstinv.errors import MatFileError, OverwriteError, ProtocolError
from mne_bstinv.io.folders import Problems, listed, why_no_file
from mne_bstinv.io.own_folders import DEFAULT_STUDY, DEFAULT_SUBJECT, INTRA
from mne_bstinv.io.protocol import is_protocol
from mne_bstinv.port.locks import WORK_FOLDER
from mne_bstinv.port.manifest import MANIFEST, read_manifest
from mne_bstinv.port.plan import ANATOMY, Unit

__all__ = [
    "check_apart",
    "check_folder",
    "check_listed",
    "check_output",
    "find_root",
    "left_of_earlier",
    "removed_if_refused",
    "unlisted_of",
]

#: Folders of a subject that are no conditions, or hold results of several.
_NO_CONDITION = (DEFAULT_STUDY, INTRA)


def find_root(source: Path, out: Path) -> Path:
    """Return the folder of a protocol, without ``..``; inside one, say how to port a part alone."""
    if ".." in source.parts:  # its last part is the name of the protocol
        source = source.resolve()
    if is_protocol(source) or not source.exists():
        return source
    for path in (source, source.resolve()):
        for folder in path.parents:
            if is_protocol(folder):
                raise _inside(source, path, folder, out)
    problems = Problems()
    inner = [f.name for f in listed(source, problems) if is_protocol(f)] if source.is_dir() else []
    if problems:
        raise ProtocolError(f"{problems[0]}. Check your rights there.")
    if inner:
        raise ProtocolError(
            f"{source}: not the folder of a protocol, but of these: {few(map(repr, inner))}. Give "
            "one of them."
        )
    return source


def unlisted_of(
    protocol: io.Protocol, subjects: Sequence[str] | None, conditions: Sequence[str] | None
) -> tuple[Path, ...]:
    """Return the folders that cannot be listed and may hold what is asked for (None: all)."""

    def may_hold(folder: Path) -> bool:
        places = zip(
            folder.relative_to(protocol.root).parts[1:], (subjects, conditions), strict=False
        )
        return all(name[0] == "@" or wanted is None or name in wanted for name, wanted in places)

    return tuple(filter(may_hold, protocol.unlisted))


def check_listed(unit: Unit) -> None:
    """Refuse a unit whose files are in a folder that cannot be listed: it would be empty."""
    anat, data, own = unit.protocol.anat, unit.protocol.data, unit.anatomy
    if unit.kind == ANATOMY:
        folders = [anat / (DEFAULT_SUBJECT if own.use_default_anat else own.name)]
    else:
        folders = [unit.files.folder, *(f / DEFAULT_STUDY for f in (data / own.name, data))]
    for folder in folders:
        if folder in unit.protocol.unlisted:
            raise MatFileError(f"{folder}: cannot be listed. Check your rights there.")


def check_folder(out: Path) -> None:
    """Refuse an output that is a file, or below one."""
    there = next(path for path in (out, *out.parents) if os.path.lexists(path))
    if not there.is_dir():
        what = "a file" if there.exists() else why_no_file(there)
        raise OverwriteError(f"{there}: {what}; the output is a folder. Choose another.")


def check_output(protocol: io.Protocol, out: Path, *, overwrite: bool) -> None:
    """Refuse an output that holds the port of another protocol, which may not be replaced."""
    before = read_manifest(out)
    known = None if before is None else before.get("protocol")
    name = known["name"] if isinstance(known, dict) else known
    if before is not None and name != protocol.name and not overwrite:
        raise OverwriteError(
            f"{out}: holds the port of the protocol {name!r}, not of "
            f"{protocol.name!r}: choose another folder, or use overwrite=True (--overwrite)."
        )


def left_of_earlier(out: Path, folders: Container[str]) -> list[str]:
    """Name the folders of the output that earlier runs made of what the protocol has no more.

    ``folders`` are those of all of its units.
    """
    found = []
    for file in sorted(out.glob(f"*/*/{MANIFEST}")):
        folder = file.parent.relative_to(out).as_posix()
        if folder in folders:
            continue
        with suppress(OSError, ProtocolError):  # of somebody else
            before = read_manifest(file.parent) or {}
            if before.get("folder") == folder:
                found.append(
                    f"{folder}: made by an earlier run of {before.get('title', 'a unit')}, which "
                    "the protocol does not have any more; it is left as it was. Remove the folder "
                    "if it is not wanted."
                )
    return found


def check_apart(protocol: io.Protocol, out: Path, folders: Iterable[str]) -> None:
    """Refuse an output in the protocol's folders, and a protocol in the output's.

    Folders are compared by what the system says that they are, not by their names: links, and
    names in other cases, do not hide them.
    """
    whole = (protocol.root, protocol.anat, protocol.data)
    parts = (f for s in protocol.subjects for f in (s.folder, *(c.folder for c in s.conditions)))
    tops = {folder.split("/")[0] for folder in folders}
    ours = [out / name for name in sorted({WORK_FOLDER, *tops, *folders})]
    theirs = _identities((*whole, *parts))
    for place in (out, *ours):
        if any(identity in theirs for identity in _above(place)):
            raise ProtocolError(
                f"{place}: inside the protocol {protocol.root}, where Brainstorm keeps its own "
                "files: choose an output outside of it."
            )
    written = _identities(ours)
    for folder in whole:
        if any(identity in written for identity in _above(folder)):
            raise ProtocolError(
                f"{protocol.root}: the protocol is among the files of the output {out}: choose "
                "another output."
            )


@contextmanager
def removed_if_refused(out: Path) -> Iterator[None]:
    """Remove, after an error, the folders of the output that were not there and are empty."""
    new = [folder for folder in (out / WORK_FOLDER, out, *out.parents) if not folder.exists()]
    try:
        yield
    except BaseException:
        for folder in new:
            with suppress(OSError):  # of a port that had begun something is left to go on with
                folder.rmdir()
        raise


def _inside(source: Path, path: Path, root: Path, out: Path) -> ProtocolError:
    """Say which command ports the part of a protocol that a path is in."""
    chosen = _chosen(path, root)
    command = ["mne-bstinv", "port", str(root), str(out)]
    options = [f"protocol={str(root)!r}"]
    for what, name in chosen.items():
        command += [f"--{what}", name]
        options.append(f"{what}s={name!r}")
    what = f"For this {[*chosen][-1]} alone" if chosen else "For all of it"
    return ProtocolError(
        f"{source}: a path inside the protocol {root}; expected is the folder of the protocol "
        f"itself. {what}: {shlex.join(command)} (in Python: {', '.join(options)})."
    )


def _chosen(path: Path, root: Path) -> dict[str, str]:
    """Return the subject and the condition that a path below the root is of, if any."""
    top, *names = path.relative_to(root).parts
    kinds = {"anat": ("subject",), "data": ("subject", "condition")}.get(top, ())
    chosen: dict[str, str] = {}
    folder = root / top
    for kind, name in zip(kinds, names, strict=False):
        folder /= name
        # conditions of raw recordings have an '@' too
        shared = name.startswith("@") if kind == "subject" else name in _NO_CONDITION
        if shared or name.startswith(".") or not folder.is_dir():
            break
        chosen[kind] = name
    return chosen


def _above(path: Path) -> Iterator[tuple[int, int]]:
    """Yield the identities of a folder, if it exists, and of those that it is in."""
    real = path.resolve()
    yield from _identities((real, *real.parents))


def _identities(folders: Iterable[Path]) -> set[tuple[int, int]]:
    found = set()
    for folder in folders:
        with suppress(OSError):  # not there yet
            status = folder.stat()
            found.add((status.st_dev, status.st_ino))
    return found
