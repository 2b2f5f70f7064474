"""Where the other files that belong to a file are, and which of several is meant."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mne_bstinv import io
from mne_bstinv._study_files import StudyFiles
from mne_bstinv.adapters.files import mne_kind
from mne_bstinv.errors import BstInvError
from mne_bstinv.io._protocol_index import read_current_head_models

__all__ = ["AmbiguousError", "Found", "beside", "in_study", "named", "subject_of"]

#: Companion → the kind of file it is.
_KINDS = {
    "channels": "channel",
    "noise_cov": "noisecov",
    "head_model": "headmodel",
    "cortex": "cortex",
    "mri": "subjectimage",
}
#: Companion → the field in which other files name it, and what that path is relative to.
_FIELDS = {
    "recordings": ("data_file", "data"),
    "head_model": ("head_model_file", "data"),
    "cortex": ("surface_file", "anat"),
}
#: Companion → the field in which a subject names it.
_OF_SUBJECTS = {"cortex": "cortex", "mri": "anatomy"}


@dataclass(frozen=True, kw_only=True)
class Found:
    """A file that was found.

    Parameters
    ----------
    path : Path
        The file.
    others : tuple of str
        Names of others that it could have been.
    rule : str
        Why it is this one, where there are others.
    """

    path: Path
    others: tuple[str, ...] = ()
    rule: str = ""


class AmbiguousError(Exception):
    """Several files may be meant, and nothing says which.

    Parameters
    ----------
    files : list of Path
        The files, of one folder.
    """

    def __init__(self, files: list[Path]) -> None:
        super().__init__(files)
        self.folder, self.names = files[0].parent, [file.name for file in files]


def named(name: str, value: Any) -> str | None:
    """Return the path of a companion that a structure of Brainstorm states.

    Parameters
    ----------
    name : str
        The companion.
    value : object
        The structure, or anything else.

    Returns
    -------
    str or None
        The path.
    """
    return getattr(value, _FIELDS[name][0], None) or None if name in _FIELDS else None


def in_study(name: str, value: Any, study: StudyFiles) -> Found | None:
    """Find a companion in the study that a file is in.

    Parameters
    ----------
    name : str
        The companion.
    value : object
        What the file holds that is converted.
    study : StudyFiles
        The study.

    Returns
    -------
    Found or None
        The companion: the one that ``value`` names; else the one that the protocol designates;
        else the only one of the folder.

    Raises
    ------
    AmbiguousError
        If there are several and nothing says which.
    """
    stored = named(name, value)
    if stored is not None:
        path = study.find(stored, _FIELDS[name][1])
        return None if path is None else Found(path=path)
    if name not in _KINDS:
        return None
    files = _of_kind(_folder(name, study), _KINDS[name])
    if len(files) < 2:
        return Found(path=files[0]) if files else None
    designated = _designated(name, study, files)
    if designated is None:
        raise AmbiguousError(files)
    path, rule = designated
    return Found(path=path, others=tuple(f.name for f in files if f != path), rule=rule)


def beside(file: Path, kinds: tuple[str, ...]) -> Found | None:
    """Find a companion among the files of MNE in the folder of a file.

    Parameters
    ----------
    file : Path
        The file that is converted.
    kinds : tuple of str
        Kinds that the companion may be, in the order of preference.

    Returns
    -------
    Found or None
        The companion: the only file of the first kind that there is.

    Raises
    ------
    AmbiguousError
        If there are several of that kind.
    """
    files = [f for f in _listed(file.absolute().parent) if f.name != file.name]
    found = {kind: [f for f in files if mne_kind(f) == kind] for kind in kinds}
    kind = next((kind for kind, group in found.items() if group), None)
    if kind is None:
        return None
    path, *more = found[kind]
    if more:
        raise AmbiguousError([path, *more])
    others = tuple(f.name for group in found.values() for f in group if f != path)
    return Found(path=path, others=others, rule=f"of these the {kind} comes first")


def subject_of(study: StudyFiles) -> io.SubjectEntry | None:
    """Return the subject whose data or anatomy folder a study is in.

    Parameters
    ----------
    study : StudyFiles
        The study.

    Returns
    -------
    SubjectEntry or None
        The subject; None outside of protocols.
    """
    if study.protocol is None:
        return None
    for subject in study.protocol.subjects:
        for folder in (subject.folder, study.protocol.anat / subject.name):
            if study.folder.is_relative_to(folder.resolve()):
                return subject
    return None


def _folder(name: str, study: StudyFiles) -> Path:
    """Return the folder that holds a companion: it may be that of a default study or anatomy."""
    if name in _OF_SUBJECTS:
        subject = subject_of(study)
        file = None if subject is None else getattr(subject, _OF_SUBJECTS[name])
        return study.folder if file is None else Path(file).parent
    attributes: Mapping[str, str] = {name: f"{name}_file", "channels": "channel_file"}
    for condition in _conditions(study):
        file = getattr(condition, attributes[name])
        if file is not None:
            return Path(file).parent
    return study.folder


def _designated(name: str, study: StudyFiles, files: list[Path]) -> tuple[Path, str] | None:
    """Return the file of several that the protocol designates, and by which rule."""
    folder, protocol = files[0].parent, study.protocol
    if protocol is None:
        return None
    if name == "head_model":
        current = read_current_head_models(protocol.data / "protocol.mat", [])
        wanted = current.get(folder.resolve().relative_to(protocol.data.resolve()).as_posix())
        chosen = next((file for file in files if file.name == wanted), None)
        return None if chosen is None else (chosen, "the current one of the protocol")
    subject = subject_of(study)
    if name in _OF_SUBJECTS and subject is not None and _subject_names(name, folder):
        return getattr(subject, _OF_SUBJECTS[name]), "the default one of the subject"
    return None


def _subject_names(name: str, folder: Path) -> bool:
    """Whether the file of a subject's anatomy names a default."""
    try:
        return bool(getattr(io.read_subject(folder / "brainstormsubject.mat"), _OF_SUBJECTS[name]))
    except BstInvError:
        return False


def _conditions(study: StudyFiles) -> list[io.Condition]:
    if study.protocol is None:
        return []
    every = [one for subject in study.protocol.subjects for one in subject.conditions]
    return [one for one in every if one.folder.resolve() == study.folder]


def _of_kind(folder: Path, kind: str) -> list[Path]:
    files = [f for f in _listed(folder) if f.suffix.lower() == ".mat"]
    return [f for f in files if io.file_kind(f.name) == kind]


def _listed(folder: Path) -> list[Path]:
    """List the files of a folder; a dot in front is of the system, or of an unfinished one."""
    if not folder.is_dir():
        return []
    return sorted(f for f in folder.iterdir() if f.is_file() and f.name[0] != ".")
