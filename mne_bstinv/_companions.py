"""The other files that a conversion of one file takes: given, or found beside it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from mne_bstinv import _companion_search as search
from mne_bstinv import io
from mne_bstinv._companion_search import AmbiguousError, Found
from mne_bstinv._study_files import Studies, StudyFiles
from mne_bstinv.adapters.files import mne_kind, read_mne
from mne_bstinv.conversion import Findings
from mne_bstinv.errors import BstInvError, ConversionError, MissingFileError

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
        #: The companions that were used.
        self.used: dict[str, Path] = {}
        #: What was chosen among several.
        self.findings = Findings()
        self._read: dict[str, Any] = {}
        self._paths: dict[str, Path | None] = {}
        self._studies = Studies()

    def __getitem__(self, name: str) -> Any:
        """Return a companion; None if there is none."""
        if name not in self._read:
            path = self.path(name)
            self._read[name] = None if path is None else self._load(name, path)
        return self._read[name]

    def path(self, name: str) -> Path | None:
        """Return the file of a companion, without reading it.

        Parameters
        ----------
        name : str
            The companion.

        Returns
        -------
        Path or None
            The file; None if there is none.

        Raises
        ------
        ConversionError
            If there are several, and nothing says which; the message lists them.
        MissingFileError
            If it was given, and does not exist.
        """
        if name not in self._paths:
            found = self._paths[name] = self._find(name)
            if found is not None:
                self.used[name] = found
        return self._paths[name]

    def require(self, name: str, why: str = "") -> Any:
        """Return a companion that is needed.

        Parameters
        ----------
        name : str
            The companion.
        why : str
            What it is needed for, and what else could be done, for the message.

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
            named = search.named(name, self.value)
            gone = f" (the file names {named!r}, which is not there)" if named else ""
            raise MissingFileError(
                f"{self._arrow} needs the {COMPANIONS[name][0]}{why}: none in {searched}{gone}. "
                f"Give it with {_option(name)}."
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
        found = self.path(name)
        if found is None:
            return None
        path = found.resolve()
        for study in self._places():
            if study.protocol is not None:
                root = (study.protocol.root / kind).resolve()
                if path.is_relative_to(root):
                    return path.relative_to(root).as_posix()
        return path.name

    @property
    def subject(self) -> str | None:
        """Name of the subject in MNE; None outside of protocols."""
        for study in self._places():
            entry = search.subject_of(study)
            if entry is not None:
                return "default_subject" if entry.use_default_anat else entry.name
        return None

    @property
    def _arrow(self) -> str:
        return f"{self.source.name} → {self.target.name}"

    def _places(self) -> list[StudyFiles]:
        """Return the studies of both files, that of Brainstorm's file first."""
        paths = (self.source, self.target)
        if self.source.suffix.lower() != ".mat":
            paths = paths[::-1]
        return [self._studies.of(path.absolute()) for path in paths]

    def _load(self, name: str, path: Path) -> Any:
        what, reader = COMPANIONS[name]
        try:
            return reader(path)
        except BstInvError as error:
            raise ConversionError(
                f"{self._arrow}: while reading the {what.split(' (')[0]} of {self.source.name}: "
                f"{error} Give another with {_option(name)}."
            ) from error

    def _find(self, name: str) -> Path | None:
        if name in self.given:
            if not self.given[name].is_file():
                raise MissingFileError(f"{self.given[name]}: no such file. Check the path.")
            return self.given[name]
        try:
            found = self._search(name)
        except AmbiguousError as error:
            raise ConversionError(
                f"{self._arrow}: several files in {error.folder} may be the {COMPANIONS[name][0]}: "
                f"{', '.join(error.names)}. Say which with {_option(name)}."
            ) from None
        if found is None:
            return None
        if found.others:
            self.findings.assumed(
                name,
                f"{found.path.name} was taken, {found.rule}; there are also "
                f"{', '.join(found.others)}: {_option(name)} names another.",
            )
        return found.path

    def _search(self, name: str) -> Found | None:
        if name in _MNE_KINDS:
            return search.beside(self.source, _MNE_KINDS[name])
        for study in self._places():
            found = search.in_study(name, self.value, study)
            if found is not None:
                return found
        return None


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')} FILE (companions={{{name!r}: …}})"
