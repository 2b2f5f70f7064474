"""The other files that a conversion of one file takes: given, or found beside it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from mne_bstinv import io
from mne_bstinv._study_files import Studies, StudyFiles
from mne_bstinv.adapters.files import mne_kind, read_mne
from mne_bstinv.errors import ConversionError, MissingFileError

__all__ = ["COMPANIONS", "Companions"]


def _source_spaces(path: Path) -> Any:
    value = read_mne(path)
    return value["src"] if mne_kind(path) in ("forward", "inverse operator") else value


#: Companion → what it is called in messages, and how it is read.
COMPANIONS: Mapping[str, tuple[str, Callable[[Path], Any]]] = {
    "channels": ("channel file (channel*.mat)", io.read_channels),
    "head_model": ("head model (headmodel_*.mat)", io.read_head_model),
    "noise_cov": ("noise covariance (noisecov_*.mat)", io.read_noise_cov),
    "recordings": ("recordings (data_*.mat)", io.read_recordings),
    "cortex": ("cortex (tess_cortex*.mat)", io.read_surface),
    "mri": ("MRI (subjectimage_*.mat)", io.read_mri),
    "src": ("source spaces (…-fwd.fif, …-src.fif or …-inv.fif)", _source_spaces),
    "trans": ("head-MRI transform (…-trans.fif)", lambda path: read_mne(path, "trans")),
}
#: Companion that MNE's files may be → their kinds, in the order of preference.
_MNE_KINDS = {"src": ("forward", "source spaces", "inverse operator"), "trans": ("trans",)}


class Companions:
    """Finds companions when they are asked for.

    Parameters
    ----------
    source, target : Path
        The file to convert, and the file to write.
    value : object
        What the source holds; structures of Brainstorm name files that belong to them.
    given : dict of str to path-like
        Companions that were given.

    Raises
    ------
    ConversionError
        If one was given that is not known.
    """

    def __init__(
        self, source: Path, target: Path, value: Any, given: Mapping[str, str | os.PathLike[str]]
    ) -> None:
        for name in given:
            if name not in COMPANIONS:
                raise ConversionError(
                    f"Unknown companion {name!r}. Must be one of {', '.join(COMPANIONS)}."
                )
        self.source, self.target, self.value = source, target, value
        self.given = {name: Path(path) for name, path in given.items() if path is not None}
        #: The companions that were read.
        self.used: dict[str, Path] = {}
        self._read: dict[str, Any] = {}
        self._studies = Studies()

    def __getitem__(self, name: str) -> Any:
        """Return a companion; None if there is none."""
        if name not in self._read:
            path = self._find(name)
            self._read[name] = None if path is None else COMPANIONS[name][1](path)
            if path is not None:
                self.used[name] = path
        return self._read[name]

    def require(self, name: str) -> Any:
        """Return a companion that is needed.

        Parameters
        ----------
        name : str
            The companion.

        Returns
        -------
        object
            What its file holds.

        Raises
        ------
        MissingFileError
            If there is none; the message says what is missing and how to give it.
        """
        value = self[name]
        if value is None:
            searched = ", ".join(dict.fromkeys(study.searched for study in self._places()))
            raise MissingFileError(
                f"{self.source.name} → {self.target.name} needs the {COMPANIONS[name][0]}: none "
                f"in {searched}. Give it with --{name.replace('_', '-')} FILE "
                f"(companions={{{name!r}: …}})."
            )
        return value

    def stored_path(self, name: str, kind: str) -> str | None:
        """Return the path of a companion as other files of its protocol store it.

        Parameters
        ----------
        name : str
            The companion.
        kind : 'data' | 'anat'
            The folder of the protocol that the path is relative to.

        Returns
        -------
        str or None
            The path; the file name alone outside of protocols; None without such a companion.
        """
        if self[name] is None:
            return None
        path = self.used[name].resolve()
        for study in self._places():
            if study.protocol is not None:
                root = (study.protocol.root / kind).resolve()
                if path.is_relative_to(root):
                    return path.relative_to(root).as_posix()
        return path.name

    def _places(self) -> list[StudyFiles]:
        """Return the studies of both files, that of Brainstorm's file first."""
        paths = (self.source, self.target)
        if self.source.suffix.lower() != ".mat":
            paths = paths[::-1]
        return [self._studies.of(path.absolute()) for path in paths]

    def _find(self, name: str) -> Path | None:
        if name in self.given:
            if not self.given[name].exists():
                raise MissingFileError(f"{self.given[name]}: no such file. Check the path.")
            return self.given[name]
        if name in _MNE_KINDS:
            return self._beside(_MNE_KINDS[name])
        found = (_SEARCHES[name](self, study) for study in self._places())
        return next((path for path in found if path is not None), None)

    def _beside(self, kinds: tuple[str, ...]) -> Path | None:
        """Return the only file of MNE of a kind beside the source."""
        files = sorted(self.source.absolute().parent.iterdir())
        for kind in kinds:
            found = [file for file in files if mne_kind(file) == kind]
            if len(found) == 1:
                return found[0]
        return None

    def _named(self, study: StudyFiles, attribute: str, kind: str) -> Path | None:
        """Return the file that the source names in a field."""
        return study.find(getattr(self.value, attribute, None), kind)


def _head_model(c: Companions, study: StudyFiles) -> Path | None:
    named = c._named(study, "head_model_file", "data")
    if named is not None or getattr(c.value, "head_model_file", None):
        return named
    for condition in _conditions(study):
        return condition.head_model_file
    return _last(study, "headmodel")


def _cortex(c: Companions, study: StudyFiles) -> Path | None:
    named = c._named(study, "surface_file", "anat")
    if named is not None or getattr(c.value, "surface_file", None):
        return named
    subject = _subject(study)
    return _last(study, "cortex") if subject is None else subject.cortex


def _mri(_: Companions, study: StudyFiles) -> Path | None:
    subject = _subject(study)
    return _last(study, "subjectimage") if subject is None else subject.anatomy


_SEARCHES: Mapping[str, Callable[[Companions, StudyFiles], Path | None]] = {
    "channels": lambda _, study: study.channel_file,
    "noise_cov": lambda _, study: study.noise_cov_file,
    "recordings": lambda c, study: c._named(study, "data_file", "data"),
    "head_model": _head_model,
    "cortex": _cortex,
    "mri": _mri,
}


def _conditions(study: StudyFiles) -> list[io.Condition]:
    if study.protocol is None:
        return []
    every = [one for subject in study.protocol.subjects for one in subject.conditions]
    return [one for one in every if one.folder.resolve() == study.folder]


def _subject(study: StudyFiles) -> io.SubjectEntry | None:
    """Return the subject whose data or anatomy folder a file is in."""
    if study.protocol is None:
        return None
    for subject in study.protocol.subjects:
        for folder in (subject.folder, study.protocol.anat / subject.name):
            if study.folder.is_relative_to(folder.resolve()):
                return subject
    return None


def _last(study: StudyFiles, kind: str) -> Path | None:
    files = sorted(f for f in study.folder.glob("*.mat") if io.file_kind(f.name) == kind)
    return files[-1] if files else None
