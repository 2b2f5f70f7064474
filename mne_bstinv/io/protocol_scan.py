"""What a folder of a protocol holds, by the names of its files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from mne_bstinv.errors import BstInvError, MissingFileError
from mne_bstinv.io import mat
from mne_bstinv.io.filenames import by_number, file_kind
from mne_bstinv.io.folders import Problems, files_in, is_folder
from mne_bstinv.io.own_folders import DEFAULT_STUDY
from mne_bstinv.io.stored_paths import folded, normalise
from mne_bstinv.io.study import read_study
from mne_bstinv.io.text import struct_rows
from mne_bstinv.io.variable import Variable

__all__ = [
    "ANATOMY_KINDS",
    "DERIVED_KINDS",
    "CurrentHeadModels",
    "Folder",
    "current_head_model",
    "data_file_of",
    "default_channel_folder",
    "read_current_head_models",
    "read_or_report",
    "scan",
    "why_no_results",
]

T = TypeVar("T")

#: Attributes of a subject and the kinds of files they name.
ANATOMY_KINDS = {
    "anatomy": "subjectimage",
    "cortex": "cortex",
    "scalp": "scalp",
    "inner_skull": "innerskull",
    "outer_skull": "outerskull",
}


#: Kinds of files that are made of recordings and results.
DERIVED_KINDS = (
    "matrix", "dipoles", "timefreq", "pdata", "presults", "ptimefreq", "pmatrix",
)  # fmt: skip
#: Variables that results have one of.
_RESULTS = {"ImagingKernel", "ImageGridAmp"}
#: Kinds of files that a condition lists one by one.
_LISTED = ("channel", "headmodel", "noisecov", "ndatacov", "data", "results")


@dataclass(frozen=True, kw_only=True, slots=True)
class Folder:
    """The files of one folder by kind, in name order; recordings by the numbers in their names."""

    path: Path
    channel: Path | None
    head_models: tuple[Path, ...]
    noise_cov: Path | None
    data_cov: Path | None
    recordings: tuple[Path, ...]
    results: tuple[Path, ...]
    #: Signals, dipoles, time–frequency maps and tests.
    derived: tuple[Path, ...]
    #: All others.
    others: tuple[Path, ...]
    #: File names of the bad trials, folded.
    bad_trials: frozenset[str]

    def is_bad(self, file: Path) -> bool:
        """Tell whether recordings are marked as a bad trial."""
        return folded(file.name) in self.bad_trials


def scan(path: Path, problems: Problems) -> Folder:
    """Return what a folder holds."""
    files: dict[str | None, list[Path]] = {}
    study = path / "brainstormstudy.mat"
    strange: list[Path] = []
    for file in files_in(path, problems):
        if file.name.startswith("."):
            continue
        if file.suffix.lower() == ".mat":
            files.setdefault(file_kind(file.name), []).append(file)
        elif file.suffix.lower() != ".bst":  # links name these
            strange.append(file)
    for kind in ("channel", "noisecov", "ndatacov"):
        if len(files.get(kind, ())) > 1:
            problems.append(f"{path}: several {kind} files, the last in name order is used")
    found = read_or_report(read_study, study, problems)
    # BadTrials holds file names; tolerate stored paths.
    bad = () if found is None else found.bad_trials
    return Folder(
        path=path,
        channel=_last(files, "channel"),
        head_models=tuple(files.get("headmodel", ())),
        noise_cov=_last(files, "noisecov"),
        data_cov=_last(files, "ndatacov"),
        recordings=tuple(sorted(files.get("data", ()), key=lambda file: by_number(file.name))),
        results=tuple(files.get("results", ())),
        derived=tuple(sorted(f for kind in DERIVED_KINDS for f in files.get(kind, ()))),
        others=tuple(
            file
            for kind, found in sorted(files.items(), key=lambda item: str(item[0]))
            if kind not in (*_LISTED, *DERIVED_KINDS)
            for file in found
            if file.name.lower() != study.name
        )
        + tuple(strange),
        bad_trials=frozenset(folded(normalise(name).name) for name in bad),
    )


def default_channel_folder(
    root: Path, subject: str, use_default_channel: int, problems: Problems
) -> Folder | None:
    """Return the folder whose channel file a subject's conditions share; None if they do not."""
    if use_default_channel == 0:
        return None
    data = root / "data"
    path = data / (subject if use_default_channel == 1 else "") / DEFAULT_STUDY
    if is_folder(path):
        return scan(path, problems)
    problems.append(f"{path}: {subject} uses the channel file of this folder, which is missing")
    return None


def data_file_of(file: Path, problems: Problems) -> str | None:
    """Return the DataFile of a results file, ``''`` if it has none.

    None if it is unreadable, or of another kind than its name says.
    """
    variables = read_or_report(lambda name: mat.read(name, ["DataFile"]), file, problems)
    if variables is None:
        return None
    if "DataFile" not in variables:
        names = read_or_report(mat.names_in, file, problems)
        if names is None:
            return None
        if reason := why_no_results(file, names):
            problems.append(reason)
            return None
    value = variables["DataFile"].value if "DataFile" in variables else ""
    return value if isinstance(value, str) else ""


def why_no_results(file: Path, names: Iterable[str]) -> str:
    """Say why a file of these variables holds no results; nothing if it does."""
    if not _RESULTS.isdisjoint(names):
        return ""
    return f"{file}: no results: it has none of {', '.join(sorted(_RESULTS))}"


def read_or_report(reader: Callable[[Path], T], file: Path, problems: Problems) -> T | None:
    """Return what ``reader`` makes of a file; None, and a problem, if it cannot read it."""
    try:
        return reader(file)
    except MissingFileError as error:
        problems.append(str(error))
    except BstInvError as error:
        problems.append(" ".join(str(error).split()))
    except OSError as error:
        problems.append(f"{file}: cannot be read: {error.strerror}")
    return None


def _last(files: dict[str | None, list[Path]], kind: str) -> Path | None:
    return files[kind][-1] if kind in files else None


#: Folder of a study relative to ``data`` -> name of its current head model, both folded.
CurrentHeadModels = dict[str, str]


def read_current_head_models(file: Path, problems: Problems) -> CurrentHeadModels:
    """Return the current head models that the index knows; nothing if there is no index."""
    if not file.exists():
        return {}
    variables = read_or_report(lambda name: mat.read(name, ["ProtocolStudies"]), file, problems)
    studies = variables["ProtocolStudies"].value if variables else None
    if not isinstance(studies, Mapping):
        return {}
    current: CurrentHeadModels = {}
    for field in ("Study", "DefaultStudy"):
        for study in struct_rows(Variable(studies.get(field))) or []:
            name = _current(study)
            if name is not None:
                folder = normalise(_text(study["FileName"].value)).parent
                current[folded(folder.as_posix())] = folded(name)
    return current


def current_head_model(
    current: CurrentHeadModels, folder: Path, files: Iterable[Path]
) -> Path | None:
    """Return the one of some files that is current in a folder (relative to ``data``), or None."""
    name = current.get(folded(folder.as_posix()))
    return next((file for file in files if folded(file.name) == name), None)


def _current(study: Mapping[str, Variable]) -> str | None:
    """Return the name of the current head model of a study."""
    if not {"FileName", "HeadModel", "iHeadModel"} <= set(study):
        return None
    models = struct_rows(study["HeadModel"]) or []
    index = study["iHeadModel"].value
    if not isinstance(index, int | float) or not 1 <= index <= len(models):
        return None
    stored = models[int(index) - 1].get("FileName", Variable(""))
    return normalise(_text(stored.value)).name or None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
