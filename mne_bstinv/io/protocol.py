"""A protocol: which file belongs to which subject, condition and recording."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from mne_bstinv.errors import ProtocolError
from mne_bstinv.io.filenames import file_kind, is_kernel, is_label_volume, is_mri, mri_rank
from mne_bstinv.io.folders import Problems, files_in, is_folder, listed
from mne_bstinv.io.mat import PathLike
from mne_bstinv.io.own_folders import DEFAULT_STUDY, DEFAULT_SUBJECT, GROUP, INTER, INTRA
from mne_bstinv.io.protocol_entries import (
    Condition,
    Protocol,
    RecordingsEntry,
    ResultsEntry,
    SubjectEntry,
)
from mne_bstinv.io.protocol_scan import (
    ANATOMY_KINDS,
    CurrentHeadModels,
    Folder,
    current_head_model,
    data_file_of,
    default_channel_folder,
    read_current_head_models,
    read_or_report,
    scan,
)
from mne_bstinv.io.result_links import stored_results
from mne_bstinv.io.stored_paths import find_stored
from mne_bstinv.io.study import Subject, read_subject

__all__ = ["is_protocol", "read_protocol", "resolve"]


def read_protocol(path: PathLike) -> Protocol:
    """Read which files a protocol holds and how they belong together.

    Only file names and short texts inside the files are read, no large arrays.

    Parameters
    ----------
    path : path-like
        The folder of the protocol, or any file or folder in it.

    Returns
    -------
    Protocol
        Subjects, conditions, recordings and results. Files that cannot be read are listed in
        ``problems``.

    Raises
    ------
    ProtocolError
        If no folder above ``path`` holds both ``anat`` and ``data``.
    """
    root = _find_root(Path(path))
    anat, data = root / "anat", root / "data"
    problems = Problems()
    current = read_current_head_models(data / "protocol.mat", problems)
    folders = (*listed(anat, problems), *listed(data, problems))
    names = {folder.name for folder in folders if is_folder(folder)}
    subjects = [
        _subject(root, name, current, problems)
        for name in sorted(names)
        if not name.startswith(("@", "."))
    ]
    subjects = _with_group_analysis(root, subjects, current, problems)
    return Protocol(root=root, anat=anat, data=data, name=root.name,
                    subjects=tuple(subjects), default_anatomy=_default_anatomy(root, problems),
                    problems=tuple(dict.fromkeys(problems)),
                    unlisted=tuple(dict.fromkeys(problems.unlisted)))  # fmt: skip


def resolve(protocol: Protocol, stored_path: str | None, kind: str = "data") -> Path | None:
    r"""Return the file that a path stored in another file names.

    Parameters
    ----------
    protocol : Protocol
        The protocol.
    stored_path : str or None
        A path relative to ``anat`` or ``data``, with ``/`` or ``\``, in any case;
        ``link|results|data`` names the results file.
    kind : str
        ``'data'`` or ``'anat'``: what the path is relative to.

    Returns
    -------
    Path or None
        The file, None if there is none.
    """
    if kind not in ("data", "anat"):
        raise ProtocolError(f"Unknown kind {kind!r}. Must be one of 'data', 'anat'.")
    if not stored_path:
        return None
    folder = protocol.data if kind == "data" else protocol.anat
    return find_stored(folder, stored_results(stored_path))


def is_protocol(folder: Path) -> bool:
    """Tell whether a folder is that of a protocol: it holds both ``anat`` and ``data``."""
    return is_folder(folder / "anat") and is_folder(folder / "data")


def _find_root(path: Path) -> Path:
    start = path.absolute()
    if not start.exists():
        raise ProtocolError(f"{path}: no such file or folder. Check the path.")
    for folder in (start, *start.parents):
        if is_protocol(folder):
            return folder
    raise ProtocolError(
        f"{path}: not in a Brainstorm protocol (no folder above it holds both 'anat' and 'data'). "
        "Give the folder of a protocol, or one in it."
    )


def _subject(
    root: Path,
    name: str,
    current: CurrentHeadModels,
    problems: Problems,
    own: Subject | None = None,
) -> SubjectEntry:
    anat, data = root / "anat", root / "data"
    if own is None:
        file = anat / name / "brainstormsubject.mat"
        own = read_or_report(read_subject, file, problems) or Subject()
    source, used = name, own
    if own.use_default_anat:
        source = DEFAULT_SUBJECT
        file = anat / source / "brainstormsubject.mat"
        used = read_or_report(read_subject, file, problems) or Subject()
    files = _anatomy_files(anat, source, used, problems)
    default = default_channel_folder(root, name, own.use_default_channel, problems)
    conditions = _conditions(data, name, default, current, problems)
    return SubjectEntry(
        name=name,
        folder=data / name,
        use_default_anat=own.use_default_anat,
        use_default_channel=own.use_default_channel,
        conditions=tuple(conditions),
        other_files=_others(anat / name, files, problems),
        **files,
    )


def _with_group_analysis(
    root: Path, subjects: list[SubjectEntry], current: CurrentHeadModels, problems: Problems
) -> list[SubjectEntry]:
    """Add the analyses across subjects: a condition of the subject of group analyses."""
    folder = root / "data" / INTER
    if not folder.is_dir():
        return subjects
    own = scan(folder, problems)
    if not (own.recordings or own.results or own.derived):
        return subjects
    names = [subject.name for subject in subjects]
    group = (
        subjects[names.index(GROUP)]
        if GROUP in names
        else _subject(root, GROUP, current, problems, Subject(use_default_anat=1))
    )
    condition = _condition(root / "data", GROUP, own, own, current, problems)
    group = replace(group, conditions=(*group.conditions, condition))
    return sorted((*(s for s in subjects if s.name != GROUP), group), key=lambda s: s.name)


def _default_anatomy(root: Path, problems: Problems) -> SubjectEntry | None:
    """Return the default anatomy, without conditions."""
    folder = root / "anat" / DEFAULT_SUBJECT
    if not folder.is_dir():
        return None
    file = folder / "brainstormsubject.mat"
    own = (read_or_report(read_subject, file, problems) if file.exists() else None) or Subject()
    files = _anatomy_files(root / "anat", DEFAULT_SUBJECT, own, problems)
    return SubjectEntry(
        name=DEFAULT_SUBJECT,
        folder=root / "data" / DEFAULT_SUBJECT,
        anatomy=files["anatomy"],
        cortex=files["cortex"],
        scalp=files["scalp"],
        inner_skull=files["inner_skull"],
        outer_skull=files["outer_skull"],
    )


def _anatomy_files(
    anat: Path, folder: str, subject: Subject, problems: Problems
) -> dict[str, Path | None]:
    """Return the files the subject names; where it names none, the first of the kind.

    An MRI is rather one whose name says T1 or MRI, and never a volume of labels or a CT.
    """
    found = files_in(anat / folder, problems) if is_folder(anat / folder) else []
    names = [file.name for file in found if file.suffix.lower() == ".mat"]
    files: dict[str, Path | None] = {}
    for attribute, kind in ANATOMY_KINDS.items():
        stored = getattr(subject, attribute)
        if stored and attribute == "anatomy" and is_label_volume(stored):
            problems.append(f"{anat / folder}: {stored} is no MRI but a volume of labels or a CT")
        elif stored:
            files[attribute] = find_stored(anat, stored)
            if files[attribute] is None:
                problems.append(f"{anat / folder}: the {kind} file {stored} does not exist")
            continue
        candidates = [name for name in names if file_kind(name) == kind]
        if attribute == "anatomy":
            candidates = sorted(filter(is_mri, candidates), key=mri_rank)
        files[attribute] = anat / folder / candidates[0] if candidates else None
    return files


def _others(folder: Path, used: Mapping[str, Path | None], problems: Problems) -> tuple[Path, ...]:
    """Return what a folder of an anatomy holds beside the files that are used."""
    found = files_in(folder, problems) if is_folder(folder) else []
    names = ["brainstormsubject.mat", *(file.name for file in used.values() if file is not None)]
    return tuple(file for file in found if file.name not in names and not file.name.startswith("."))


def _conditions(
    data: Path, subject: str, default: Folder | None, current: CurrentHeadModels, problems: Problems
) -> list[Condition]:
    folder = data / subject
    found = listed(folder, problems) if is_folder(folder) else []
    paths = [path for path in found if is_folder(path)]
    conditions = []
    for path in paths:
        if path.name == DEFAULT_STUDY or path.name.startswith("."):
            continue
        own = scan(path, problems)
        if path.name in (INTRA, INTER) and not (own.recordings or own.results or own.derived):
            continue
        conditions.append(_condition(data, subject, own, default or own, current, problems))
    return conditions


def _condition(
    data: Path,
    subject: str,
    own: Folder,
    shared: Folder,
    current: CurrentHeadModels,
    problems: Problems,
) -> Condition:
    recordings = tuple(RecordingsEntry(file=file, bad=own.is_bad(file)) for file in own.recordings)
    chosen = current_head_model(current, shared.path.relative_to(data), shared.head_models)
    last = shared.head_models[-1] if shared.head_models else None
    results = [_results(data, file, recordings, problems) for file in own.results]
    if shared is not own:
        extra = (_results(data, file, recordings, problems) for file in shared.results)
        results += [entry for entry in extra if entry.shared]
    return Condition(
        subject=subject,
        name=own.path.name,
        folder=own.path,
        channel_file=shared.channel,
        head_model_file=chosen or last,
        head_model_files=shared.head_models,
        noise_cov_file=shared.noise_cov,
        data_cov_file=shared.data_cov,
        recordings=recordings,
        results=tuple(results),
        derived=own.derived,
        other_files=own.others,
    )


def _results(
    data: Path, file: Path, recordings: tuple[RecordingsEntry, ...], problems: Problems
) -> ResultsEntry:
    stored = data_file_of(file, problems)
    if stored is None:
        return ResultsEntry(file=file)
    if stored:
        found = find_stored(data, stored)
        if found is None:
            problems.append(f"{file}: its recordings {stored} do not exist")
        return ResultsEntry(file=file, data_file=found)
    if not is_kernel(file):  # an average, or a map on another cortex
        return ResultsEntry(file=file)
    relative = file.relative_to(data).as_posix()
    links = (f"link|{relative}|{entry.file.relative_to(data).as_posix()}" for entry in recordings)
    return ResultsEntry(file=file, shared=True, links=tuple(links))
