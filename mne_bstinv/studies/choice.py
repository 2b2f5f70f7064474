"""Which condition and which recordings of a protocol a path stands for."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path, PurePath

from mne_bstinv import io
from mne_bstinv._display import few
from mne_bstinv.errors import MissingFileError, ProtocolError
from mne_bstinv.io import mat
from mne_bstinv.io.filenames import is_kernel
from mne_bstinv.io.folders import why_no_file
from mne_bstinv.io.protocol_entries import no_such
from mne_bstinv.io.registry import of_role
from mne_bstinv.io.result_links import is_result_link
from mne_bstinv.io.stored_paths import spelled_as
from mne_bstinv.studies.files import Studies, find_file

__all__ = [
    "NEEDED",
    "check_path",
    "choose_condition",
    "choose_recordings",
    "find_entry",
    "lone_condition",
    "named_by",
    "needed",
    "protocol_of",
    "warn_of_problems",
]

logger = logging.getLogger("mne_bstinv")

#: What a kernel cannot be computed without: attribute of a condition, and what it is called.
NEEDED = {
    "channel_file": of_role("channels").described,
    "head_model_file": of_role("head_model").described,
    "noise_cov_file": of_role("noise_cov").described,
}

#: Kinds of files that stand for the recordings or the study they belong to.
_ENTRY_KINDS = ("data", "results")


def check_path(path: Path) -> None:
    """Refuse what is neither a folder nor recordings nor results."""
    if not path.exists():
        raise MissingFileError(f"{path}: no such file or folder. Check the path.")
    if not path.is_dir() and (why := why_no_file(path)):
        raise ProtocolError(
            f"{path}: {why}. Give recordings, results, or the folder of a condition or of a "
            "protocol."
        )
    if path.is_file() and io.file_kind(path.name) not in _ENTRY_KINDS:
        raise ProtocolError(
            f"{path}: neither recordings (data_*.mat) nor results (results_*.mat) by its name. "
            "Give such a file, or the folder of a condition or of a protocol."
        )


def protocol_of(path: Path) -> io.Protocol | None:
    """Return the protocol that a path is in, None if it is in none."""
    try:
        return io.read_protocol(path)
    except ProtocolError:
        return None


def warn_of_problems(protocol: io.Protocol, chosen: io.Condition) -> None:
    """Log what could not be read or found of a condition, and of the folder it shares."""
    shared = chosen.channel_file
    folders = {str(chosen.folder), str(shared.parent) if shared else str(chosen.folder)}
    for problem in protocol.problems:
        if any(folder in problem for folder in folders):
            logger.warning("%s", problem)


def choose_condition(
    protocol: io.Protocol, path: Path, subject: str | None, condition: str | None
) -> io.Condition:
    """Return the only condition at, above or below a path that a kernel can be computed of."""
    subjects = protocol.subjects if subject is None else (protocol.subject(subject),)
    if subject is not None and condition is not None:
        protocol.condition(subject, condition)
    everything = [c for s in subjects for c in s.conditions]
    if condition is not None:
        everything = _called(condition, everything, protocol)
    folder = (path if path.is_dir() else path.parent).resolve()
    whole = folder in (protocol.root.resolve(), protocol.data.resolve())
    found = [c for c in everything if whole or _belongs(c, folder)]
    complete = [c for c in found if not _lacks(c)]
    if len(complete) == 1:
        return complete[0]
    if complete:
        names = few(repr(f"{c.subject}/{c.name}") for c in complete)
        raise ProtocolError(
            f"{path}: {len(complete)} conditions have a head model and a noise covariance: {names}."
            " Choose one with subject= and condition= (--subject, --condition), or give its "
            "folder."
        )
    raise ProtocolError(_nothing_complete(path, found, everything))


def _called(name: str, conditions: list[io.Condition], protocol: io.Protocol) -> list[io.Condition]:
    """Return the conditions of a name, or say which there are."""
    known = [c.name for c in conditions]
    wanted = spelled_as(name, known)
    if wanted not in known:
        raise no_such(protocol.root, f"condition {name!r}", known)
    return [c for c in conditions if c.name == wanted]


def _belongs(condition: io.Condition, folder: Path) -> bool:
    """Whether a condition is at or below a folder, or takes its channel file from there."""
    shared = condition.channel_file
    at_default_study = shared is not None and shared.parent.resolve() == folder
    return condition.folder.resolve().is_relative_to(folder) or at_default_study


def _lacks(condition: io.Condition) -> list[str]:
    return [what for name, what in NEEDED.items() if getattr(condition, name) is None]


def _nothing_complete(path: Path, found: list[io.Condition], asked: list[io.Condition]) -> str:
    if not found:
        listed = few(repr(f"{c.subject}/{c.name}") for c in asked)
        there = f"none of the conditions {listed}" if asked else "no condition, nor anywhere else"
        return (
            f"{path}: here is {there}. Give the folder of a condition "
            "(data/Subject/Condition), or of the protocol."
        )
    lacking = "; ".join(f"{c.subject}/{c.name} has no {', no '.join(_lacks(c))}" for c in found)
    return (
        f"{path}: nothing to compute a kernel from: {lacking}. Compute what is missing in "
        "Brainstorm, or give another condition."
    )


def lone_condition(path: Path, subject: str | None, condition: str | None) -> io.Condition:
    """Gather a folder outside of any protocol, as if it were a condition."""
    folder = path if path.is_dir() else path.parent
    if subject is not None or condition is not None:
        raise ProtocolError(
            f"{path}: not in a Brainstorm protocol (no folder above it holds both 'anat' and "
            "'data'), so that subject= and condition= mean nothing. Leave them out."
        )
    of_kind: dict[str | None, list[Path]] = {}
    for file in sorted(folder.glob("*.mat")):
        of_kind.setdefault(io.file_kind(file.name), []).append(file)
    beside = Studies().of(folder / "results.mat")
    gathered = io.Condition(
        subject="",
        name=folder.resolve().name,
        folder=folder,
        channel_file=beside.channel_file,
        head_model_file=of_kind.get("headmodel", [None])[-1],
        noise_cov_file=beside.noise_cov_file,
        data_cov_file=beside.data_cov_file,
        recordings=tuple(io.RecordingsEntry(file=f) for f in of_kind.get("data", ())),
        results=tuple(_lone_results(folder, f) for f in of_kind.get("results", ())),
    )
    missing = _lacks(gathered)
    if missing:
        raise ProtocolError(
            f"{path}: not in a Brainstorm protocol (no folder above it holds both 'anat' and "
            f"'data'), and the folder itself holds no {', no '.join(missing)}. Give a folder "
            "of a protocol, or put these files beside the others."
        )
    return gathered


def _lone_results(folder: Path, file: Path) -> io.ResultsEntry:
    stored = mat.text_of(file, "DataFile")
    if not stored:
        return io.ResultsEntry(file=file, shared=is_kernel(file))
    return io.ResultsEntry(file=file, data_file=find_file(stored, folder, None))


def named_by(
    results_file: Path, protocol: io.Protocol | None, chosen: io.Condition
) -> tuple[Path | None, Path | None]:
    """Return the head model and the recordings that a results file names."""
    same = [e for e in chosen.results if e.file.resolve() == results_file.resolve()]
    recordings = same[0].data_file if same else None
    stored = mat.text_of(results_file, "HeadModelFile")
    if not stored:
        return chosen.head_model_file, recordings
    found = find_file(stored, chosen.folder, protocol)
    if found is None:
        raise ProtocolError(
            f"{results_file}: its head model {stored!r} does not exist. Give the folder of the "
            "condition to use its current head model."
        )
    return found, recordings


def choose_recordings(condition: io.Condition, wanted: str | None) -> Path | None:
    """Return the recordings wanted; by default the first that are not a bad trial."""
    entries = condition.recordings
    if wanted is None:
        good = [entry.file for entry in entries if not entry.bad]
        if entries and not good:
            logger.warning("%s: all recordings are bad trials, none was taken", condition.folder)
        return good[0] if good else None
    return entries[find_entry(entries, wanted, "recordings", condition)].file


def _ends_with(file: Path, wanted: str) -> bool:
    """Whether a file is the wanted one: by its whole path, or by the last parts of it."""
    path = Path(wanted.replace("\\", "/"))
    if path.exists() and path.resolve() == file.resolve():
        return True
    parts = PurePath(path).parts
    return bool(parts) and file.absolute().parts[-len(parts) :] == parts


#: What recordings or results are asked for by; None for the only ones.
Wanted = io.RecordingsEntry | io.ResultsEntry | str | Path | None


def needed(path: Path | None, what: str, condition: io.Condition) -> Path:
    """Return a file of a condition that is needed, or say what is missing."""
    if path is not None:
        return path
    raise MissingFileError(
        f"{condition.subject}/{condition.name}: no {what} in {condition.folder} or the folder it "
        "shares: compute or import it in Brainstorm first."
    )


def find_entry(
    entries: Sequence[io.RecordingsEntry | io.ResultsEntry],
    wanted: Wanted,
    what: str,
    condition: io.Condition,
) -> int:
    """Find the position of recordings or results by their entry, file name or comment.

    ``wanted`` is one of the entries, a file, its name (with folders, if that is not clear), the
    comment inside, or a part of it; None is the only one.
    """
    if isinstance(wanted, io.RecordingsEntry | io.ResultsEntry):
        wanted = wanted.file
    if wanted is not None and is_result_link(wanted):
        wanted = str(wanted).split("|")[1 if what == "results" else 2]
    found = list(range(len(entries))) if wanted is None else _fitting(entries, str(wanted))
    if len(found) == 1:
        return found[0]
    listed = "; ".join(_named(entries[i].file) for i in found or range(len(entries)))
    problem = "several" if found else "no"
    which = "" if wanted is None else f" {str(wanted)!r}"
    raise ProtocolError(
        f"{condition.subject}/{condition.name}: {problem} {what}{which}. Name one of: "
        f"{listed or '(none)'}."
    )


def _fitting(entries: Sequence[io.RecordingsEntry | io.ResultsEntry], wanted: str) -> Sequence[int]:
    """Positions of what a text stands for: by the file, the comment, or a part of the comment."""
    by_file = [i for i, entry in enumerate(entries) if _ends_with(entry.file, wanted)]
    if by_file:
        return by_file
    comments = [mat.text_of(entry.file, "Comment") for entry in entries]
    equal = [i for i, comment in enumerate(comments) if comment == wanted]
    return equal or [
        i for i, comment in enumerate(comments) if wanted.casefold() in comment.casefold()
    ]


def _named(file: Path) -> str:
    return f"{file.parent.name}/{file.name} ({mat.text_of(file, 'Comment')})"
