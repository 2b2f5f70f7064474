"""The other files that a conversion of one file takes: given, or found beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mne_bstinv import io
from mne_bstinv._display import few
from mne_bstinv.adapters.files import mne_kind, read_mne
from mne_bstinv.conversion import Findings
from mne_bstinv.errors import BstInvError, ConversionError, MissingFileError, SchemaError
from mne_bstinv.frames import fiducials_in_scs
from mne_bstinv.io.folders import Problems
from mne_bstinv.io.mat import PathLike
from mne_bstinv.io.protocol_scan import current_head_model, read_current_head_models
from mne_bstinv.io.registry import of_role
from mne_bstinv.studies.files import Studies, StudyFiles
from mne_bstinv.studies.placing import placing_mri
from mne_bstinv.studies.subjects import mne_subject

__all__ = ["COMPANIONS", "Companions", "existing_file", "frame_mri"]


#: Companion that MNE's files may be → their kinds, in the order of preference.
_MNE_KINDS = {"src": ("forward", "source spaces", "inverse operator"), "trans": ("trans",)}


def _source_spaces(path: Path) -> Any:
    """Read source spaces, or those of what has them."""
    kind = mne_kind(path)
    if kind is not None and kind not in _MNE_KINDS["src"]:
        raise ConversionError(
            f"{path}: by its name it holds another kind of object ({kind}), expected one of "
            f"{', '.join(_MNE_KINDS['src'])}."
        )
    value = read_mne(path)
    return value if kind == "source spaces" else value["src"]


#: Companion → what it is called in messages, and how it is read.
COMPANIONS: Mapping[str, tuple[str, Callable[[Path], Any]]] = {
    **{
        role: (of_role(role).described, of_role(role).read)
        for role in ("channels", "head_model", "noise_cov", "recordings", "cortex", "mri")
    },
    "src": ("source spaces (…-fwd.fif, …-src.fif or …-inv.fif)", _source_spaces),
    "trans": ("head-MRI transform (…-trans.fif)", lambda path: read_mne(path, "trans")),
}

#: Companions that are looked for by their kind in the folders of a study.
_OF_STUDIES = ("channels", "noise_cov", "head_model", "cortex", "mri")

#: Companion → the field in which other files name it, and what that path is relative to.
_FIELDS = {
    "recordings": ("data_file", "data"),
    "head_model": ("head_model_file", "data"),
    "cortex": ("surface_file", "anat"),
}

#: Companion → the field in which a subject names it.
_OF_SUBJECTS = {"cortex": "cortex", "mri": "anatomy"}


class Companions:
    """Finds companions when they are asked for.

    ``value`` is what the source holds; structures of Brainstorm name files that belong to them.
    What is ``None`` in ``given`` is looked for.
    """

    def __init__(
        self, source: Path, target: Path, value: Any, given: Mapping[str, PathLike | None]
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
        """Return the file of a companion, without reading it; None if there is none."""
        if name not in self._paths:
            found = self._paths[name] = self._find(name)
            if found is not None:
                self.used[name] = found
        return self._paths[name]

    def require(self, name: str, why: str = "") -> Any:
        """Return a companion that is needed; ``why`` is for the message, if there is none."""
        value = self[name]
        if value is None:
            raise MissingFileError(
                f"{self._arrow} needs the {COMPANIONS[name][0]}{why}: {self._why_none(name)}. "
                f"Give it with {_option(name)}."
            )
        return value

    def _why_none(self, name: str) -> str:
        """Say where a companion is not, or that nothing says which of some files it is."""
        stored = _named_file(name, self.value)
        if stored is None and name in _FIELDS and name not in _OF_STUDIES:
            folder = self.source.absolute().parent
            there = few(file.name for file in _of_kind(folder, of_role(name).name))
            return f"the file names none; beside it: {there or 'none'}"
        searched = ", ".join(dict.fromkeys(study.searched for study in self._places()))
        gone = f" (the file names {stored!r}, which is not there)" if stored else ""
        return f"none in {searched}{gone}"

    @contextmanager
    def named(self) -> Iterator[None]:
        """Name the files in what goes wrong with objects, which do not know theirs."""
        try:
            yield
        except BstInvError as error:
            if isinstance(error, OSError):  # of a file, which it names
                raise
            told = self.source.name, self.target.name if self.target.suffix else str(self.target)
            if any(name in str(error) for name in told):
                raise
            used = ", ".join(f"{role}: {path.name}" for role, path in self.used.items())
            files = f"{self.source} → {self.target.name}" + (f" ({used})" if used else "")
            if isinstance(error, SchemaError):
                raise SchemaError(f"{files}: {error.place}", error.faults) from error
            raise type(error)(f"{files}: {error}") from error

    def stored_path(self, name: str, kind: str) -> str | None:
        """Return the path of a companion as other files of its protocol store it.

        It is relative to the protocol's folder ``'data'`` or ``'anat'``; the file name
        alone outside of protocols; None without such a companion.
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
            entry = _subject_of(study)
            if entry is not None:
                return mne_subject(entry)
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
        if name == "mri" and name not in self.given:  # one that places nothing is none
            return placing_mri(path, lambda read, file: read(file), self.findings)
        what, reader = COMPANIONS[name]
        try:
            return reader(path)
        except BstInvError as error:
            raise ConversionError(
                f"{self._arrow}: while reading the {what.split(' (')[0]} of {self.source.name}: "
                f"{str(error).rstrip('.')}. Give another with {_option(name)}."
            ) from error

    def _find(self, name: str) -> Path | None:
        if name in self.given:
            return existing_file(self.given[name])
        try:
            found = self._search(name)
        except AmbiguousError as error:
            raise ConversionError(
                f"{self._arrow}: several files in {error.folder} may be the {COMPANIONS[name][0]}: "
                f"{few(error.names)}. Say which with {_option(name)}."
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
            return _beside(self.source, _MNE_KINDS[name])
        for study in self._places():
            found = _in_study(name, self.value, study)
            if found is not None:
                return found
        return None


def existing_file(fname: PathLike) -> Path:
    """Return the path of a file; refuse one of none, or of a folder."""
    path = Path(fname)
    if path.is_dir():
        raise MissingFileError(f"{path}: a folder. Give a file.")
    if not path.is_file():
        raise MissingFileError(f"{path}: no such file. Check the path.")
    return path


def frame_mri(channels: io.Channels, c: Companions) -> io.Mri | None:
    """Return the MRI where it was given, or its fiducials alone say where the head frame is."""
    return c["mri"] if "mri" in c.given or fiducials_in_scs(channels) is None else None


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')} FILE (companions={{{name!r}: …}})"


@dataclass(frozen=True, kw_only=True)
class Found:
    """A file that was found."""

    #: The file.
    path: Path
    #: Names of others that it could have been.
    others: tuple[str, ...] = ()
    #: Why it is this one, where there are others.
    rule: str = ""


class AmbiguousError(Exception):
    """Several files may be meant, and nothing says which."""

    def __init__(self, files: list[Path]) -> None:
        super().__init__(files)
        self.folder, self.names = files[0].parent, [file.name for file in files]


def _named_file(name: str, value: Any) -> str | None:
    """Return the path of a companion that a structure of Brainstorm states."""
    return getattr(value, _FIELDS[name][0], None) or None if name in _FIELDS else None


def _in_study(name: str, value: Any, study: StudyFiles) -> Found | None:
    """Find a companion in the study that a file is in.

    It is the one that ``value``, which the file holds, names; else the one that the protocol
    designates; else the only one of the folder.
    """
    stored = _named_file(name, value)
    if stored is not None:
        path = study.find(stored, _FIELDS[name][1])
        return None if path is None else Found(path=path)
    if name not in _OF_STUDIES:
        return None
    files = _of_kind(_folder(name, study), of_role(name).name)
    if len(files) < 2:
        return Found(path=files[0]) if files else None
    designated = _designated(name, study, files)
    if designated is None:
        raise AmbiguousError(files)
    path, rule = designated
    return Found(path=path, others=tuple(f.name for f in files if f != path), rule=rule)


def _beside(file: Path, kinds: tuple[str, ...]) -> Found | None:
    """Find a companion among the files of MNE in the folder of a file.

    It is the only file of the first kind, in the order of preference, that there is.
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


def _subject_of(study: StudyFiles) -> io.SubjectEntry | None:
    """Return the subject whose data or anatomy folder a study is in; None outside of protocols."""
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
        subject = _subject_of(study)
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
        current = read_current_head_models(protocol.data / "protocol.mat", Problems())
        place = folder.resolve().relative_to(protocol.data.resolve())
        chosen = current_head_model(current, place, files)
        return None if chosen is None else (chosen, "the current one of the protocol")
    subject = _subject_of(study)
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
