"""The index of a protocol, ``protocol.mat``, from which Brainstorm's tree of files is shown."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import scipy.io

from mne_bstinv import io
from mne_bstinv.errors import ProtocolError
from mne_bstinv.export.names import study_date
from mne_bstinv.io import mat, raw
from mne_bstinv.io.own_folders import DEFAULT_STUDY, DEFAULT_SUBJECT, INTER

__all__ = [
    "COMMON",
    "read_index",
    "study_entry",
    "subject_entry",
    "updated_index",
]

#: The version of the database whose index this is.
_VERSION = 5.03
#: Lists of a study: their fields.
_LISTS: Mapping[str, tuple[str, ...]] = {
    "Channel": ("FileName", "Comment", "nbChannels", "Modalities", "DisplayableSensorTypes"),
    "Data": ("FileName", "Comment", "DataType", "BadTrial"),
    "HeadModel": ("FileName", "HeadModelType", "MEGMethod", "EEGMethod", "Comment", "ECOGMethod",
                  "SEEGMethod", "NIRSMethod"),
    "Result": ("FileName", "Comment", "DataFile", "isLink", "HeadModelType"),
    "Stat": ("FileName", "Comment", "Type", "pThreshold", "DataFile"),
    "Image": ("FileName", "Comment"),
    "NoiseCov": ("FileName", "Comment"),
    "Dipoles": ("FileName", "Comment", "DataFile"),
    "Timefreq": ("FileName", "Comment", "DataFile", "DataType"),
    "Matrix": ("FileName", "Comment"),
}  # fmt: skip
#: The fields of a study, in their order.
_STUDY = ("Name", "FileName", "DateOfStudy", "BrainStormSubject", "Condition", "Channel",
          "iChannel", "Data", "HeadModel", "iHeadModel", "Result", "Stat", "Image", "NoiseCov",
          "Dipoles", "Timefreq", "Matrix")  # fmt: skip
_SUBJECT = ("Name", "Comments", "FileName", "DateOfAcquisition", "Anatomy", "Surface", "iAnatomy",
            "iScalp", "iCortex", "iInnerSkull", "iOuterSkull", "iFibers", "iFEM", "iOther",
            "UseDefaultAnat", "UseDefaultChannel")  # fmt: skip
#: Types of channels that have no place on a map of the head.
_NOT_SHOWN = {"MEG REF", "EEG REF", "STIM"}

#: Folders below ``data`` that belong to no subject → where the index has them.
COMMON: Mapping[str, str] = {DEFAULT_STUDY: "DefaultStudy", INTER: "AnalysisStudy"}

Variables = dict[str, Any]


def read_index(file: Path) -> Variables | None:
    """Read the variables of the index of a protocol; None if there is none."""
    if not file.exists():
        return None
    mat.read(file)  # refuses what would end the process, or take its memory, in scipy
    try:
        with warnings.catch_warnings():  # of sparse arrays, of which an index has none
            warnings.simplefilter("ignore", DeprecationWarning)
            variables = scipy.io.loadmat(file)
        studies, subjects = variables["ProtocolStudies"], variables["ProtocolSubjects"]
        _ = studies["Study"][0, 0], subjects["Subject"][0, 0]
    except Exception as error:  # scipy raises a dozen types for a damaged file
        raise ProtocolError(
            f"{file}: the index of the protocol cannot be read ({error}). Move it away: Brainstorm "
            "makes a new one when it loads the protocol."
        ) from error
    return {name: value for name, value in variables.items() if not name.startswith("__")}


def updated_index(
    index: Variables | None,
    name: str,
    studies: Sequence[Any],
    subject: Any,
    *,
    current: str,
    shared: str,
) -> Variables:
    """Put entries of studies and of their subject into an index, None for a new one.

    The studies replace those of the same file; a new index has ``current`` open. ``shared`` is
    the folder, relative to ``data``, of the channel file: its kernels without recordings are
    linked with the recordings that use it. If it is not the folder of ``current``, it keeps the
    files which the index has of it.
    """
    if index is None:
        index = _empty_index(name)
    studies_struct, subjects_struct = index["ProtocolStudies"], index["ProtocolSubjects"]
    if shared != current.rpartition("/")[0]:
        studies = [_with_kept(index, entry, shared) for entry in studies]
    all_studies = _linked(_merged(studies_struct["Study"][0, 0], studies), shared)
    all_subjects = _merged(subjects_struct["Subject"][0, 0], [subject])
    new = dict(index)
    new["ProtocolStudies"] = _with_field(studies_struct, "Study", all_studies)
    new["ProtocolSubjects"] = _with_field(subjects_struct, "Subject", all_subjects)
    files = [_text(entry["FileName"]) for entry in all_studies.ravel()]
    if np.size(index["ProtocolInfo"]["iStudy"][0, 0]) == 0 and current in files:
        number = np.array([[files.index(current) + 1.0]])
        new["ProtocolInfo"] = _with_field(index["ProtocolInfo"], "iStudy", number)
    return new


def study_entry(folder: str, study: io.Study, subject: str, files: Mapping[str, Any]) -> Any:
    """Make the entry of a study, a struct of one; its folder is relative to ``data``."""
    rows: dict[str, list[dict[str, Any]]] = {kind: [] for kind in _LISTS}
    for name in sorted(files, key=lambda n: (io.file_kind(n) == "ndatacov", n)):
        kind, describe = _DESCRIBE[type(files[name])]
        row = describe(files[name]) | {"FileName": f"{folder}/{name}"}
        if kind == "Data":
            row["BadTrial"] = float(name in study.bad_trials)
        rows[kind].append(row)
    entry: dict[str, Any] = {kind: raw.struct(rows[kind], _LISTS[kind]) for kind in _LISTS}
    entry |= {
        "Name": study.name,
        "FileName": f"{folder}/brainstormstudy.mat",
        "DateOfStudy": study.date_of_study or study_date(),
        "BrainStormSubject": f"{subject}/brainstormsubject.mat",
        "Condition": raw.cell([study.name]),
        "iHeadModel": float(len(rows["HeadModel"])) if rows["HeadModel"] else None,
    }
    return raw.struct([entry], _STUDY)


def subject_entry(name: str, subject: io.Subject, files: Mapping[str, Any]) -> Any:
    """Make the entry of a subject, a struct of one, of kind and comment of its files by name."""
    types = {"cortex": "Cortex", "scalp": "Scalp", "innerskull": "InnerSkull",
             "outerskull": "OuterSkull", "tess": "Other"}  # fmt: skip
    images = [
        {"Comment": comment, "FileName": f"{name}/{file}"}
        for file, (kind, comment) in files.items()
        if kind == "subjectimage"
    ]
    surfaces = [
        {"Comment": comment, "FileName": f"{name}/{file}", "SurfaceType": types[kind]}
        for file, (kind, comment) in files.items()
        if kind in types
    ]

    def number(of: list[dict[str, str]], stored: str | None) -> float | None:
        names = [row["FileName"] for row in of]
        return float(names.index(stored) + 1) if stored in names else None

    entry = {
        "Name": name,
        "Comments": subject.comments,
        "FileName": f"{name}/brainstormsubject.mat",
        "DateOfAcquisition": "",
        "Anatomy": raw.struct(images, ("Comment", "FileName")),
        "Surface": raw.struct(surfaces, ("Comment", "FileName", "SurfaceType")),
        "iAnatomy": number(images, subject.anatomy or (images[0]["FileName"] if images else None)),
        "iScalp": number(surfaces, subject.scalp),
        "iCortex": number(surfaces, subject.cortex),
        "iInnerSkull": number(surfaces, subject.inner_skull),
        "iOuterSkull": number(surfaces, subject.outer_skull),
        "UseDefaultAnat": float(subject.use_default_anat),
        "UseDefaultChannel": float(subject.use_default_channel),
    }
    return raw.struct([entry], _SUBJECT)


def _channel_row(channels: io.Channels) -> dict[str, Any]:
    types = {channel.type for channel in channels.channels}
    shown = {
        channel.type
        for channel in channels.channels
        if channel.loc is not None and channel.type.upper() not in _NOT_SHOWN
    }
    for found in (types, shown):
        if found & {"MEG GRAD", "MEG MAG"}:
            found.add("MEG")
    return {
        "Comment": channels.comment,
        "nbChannels": float(len(channels)),
        "Modalities": raw.cell(sorted(types)),
        "DisplayableSensorTypes": raw.cell(sorted(shown)),
    }


def _head_model_row(model: io.HeadModel) -> dict[str, Any]:
    return {
        "HeadModelType": model.head_model_type or "surface",
        "Comment": model.comment,
        "MEGMethod": model.meg_method or "",
        "EEGMethod": model.eeg_method or "",
        "ECOGMethod": model.ecog_method or "",
        "SEEGMethod": model.seeg_method or "",
        "NIRSMethod": model.nirs_method or "",
    }


def _result_row(results: io.Results) -> dict[str, Any]:
    return {
        "Comment": results.comment,
        "DataFile": results.data_file,
        "isLink": 0.0,
        "HeadModelType": results.head_model_type or "surface",
    }


#: Structure of a file → the list it is in, and its entry there but for the name.
_DESCRIBE: Mapping[Any, tuple[str, Callable[[Any], dict[str, Any]]]] = {
    io.Channels: ("Channel", _channel_row),
    io.Recordings: (
        "Data",
        lambda r: {"Comment": r.comment, "DataType": r.data_type or "recordings"},
    ),
    io.HeadModel: ("HeadModel", _head_model_row),
    io.NoiseCov: ("NoiseCov", lambda cov: {"Comment": cov.comment}),
    io.Results: ("Result", _result_row),
    io.Dipoles: ("Dipoles", lambda d: {"Comment": d.comment, "DataFile": d.data_file}),
    io.Matrix: ("Matrix", lambda m: {"Comment": m.comment}),
}


def _empty_index(name: str) -> Variables:
    months = study_date()
    common = {
        field: study_entry(folder, io.Study(name=folder), DEFAULT_SUBJECT, {})
        for folder, field in COMMON.items()
    }
    default = io.Subject(use_default_anat=1, use_default_channel=1)
    return {
        "DbVersion": np.array([[_VERSION]]),
        "LastAccessDate": f"{months} {datetime.now():%H:%M:%S}",
        "LastAccessUserDir": "",
        "ProtocolInfo": raw.struct(
            [{"Comment": name, "iStudy": None, "UseDefaultAnat": 0.0, "UseDefaultChannel": 0.0}],
            ("Comment", "iStudy", "UseDefaultAnat", "UseDefaultChannel"),
        ),
        "ProtocolStudies": raw.struct(
            [{"Study": raw.struct([], _STUDY), **common}],
            ("Study", *COMMON.values()),
        ),
        "ProtocolSubjects": raw.struct(
            [
                {
                    "Subject": raw.struct([], _SUBJECT),
                    "DefaultSubject": subject_entry(DEFAULT_SUBJECT, default, {}),
                }
            ],
            ("Subject", "DefaultSubject"),
        ),
    }


def _merged(old: Any, new: Sequence[Any]) -> Any:
    """Replace the structs of the same file, append the others; the fields stay those of ``old``."""
    fresh = {_text(entry.ravel()[0]["FileName"]): entry.ravel()[0] for entry in new}
    if not fresh:
        return old
    rows = [fresh.pop(_text(row["FileName"]), row) for row in old.ravel()] + list(fresh.values())
    names = old.dtype.names if old.size else new[0].dtype.names
    return raw.struct(
        [{n: row[n] for n in names if n in (row.dtype.names or ())} for row in rows], tuple(names)
    )


def _linked(studies: Any, shared: str) -> Any:
    """Link the shared kernels of a folder with all recordings that use its channel file."""
    parent, _, last = shared.rpartition("/")
    folders = {_text(row["FileName"]).rpartition("/")[0]: row for row in studies.ravel()}
    if shared not in folders:
        return studies
    kernels = [row for row in folders[shared]["Result"].ravel() if not _text(row["DataFile"])]
    for folder, study in folders.items():
        uses = folder == shared
        if last == DEFAULT_STUDY:
            uses = folder.startswith(f"{parent}/" if parent else "") and "@" not in folder
        links = [
            raw.struct([_link(kernel, data)], _LISTS["Result"])
            for kernel in kernels if uses
            for data in study["Data"].ravel()
        ]  # fmt: skip
        study["Result"] = _merged(study["Result"], links)
    return studies


def _link(kernel: Any, data: Any) -> dict[str, Any]:
    recordings = _text(data["FileName"])
    return {
        "FileName": f"link|{_text(kernel['FileName'])}|{recordings}",
        "Comment": _text(kernel["Comment"]),
        "DataFile": recordings,
        "isLink": 1.0,
        "HeadModelType": _text(kernel["HeadModelType"]),
    }


def _with_kept(index: Variables, entry: Any, kept: str) -> Any:
    """Add the files that the index has of a study whose folder stays."""
    row = entry.ravel()[0]
    name = _text(row["FileName"])
    old = index["ProtocolStudies"]["Study"][0, 0].ravel()
    before = [one for one in old if _text(one["FileName"]) == name]
    if not before or name.rpartition("/")[0] != kept:
        return entry
    lists = {
        kind: _merged(before[0][kind], [one.reshape(1, 1) for one in row[kind].ravel()])
        for kind in _LISTS
        if row[kind].size
    }
    old_fields = {field: before[0][field] for field in before[0].dtype.names}
    return raw.struct([{**old_fields, **lists}], before[0].dtype.names)


def _with_field(struct: Any, field: str, value: Any) -> Any:
    changed = struct.copy()
    changed[field][0, 0] = value
    return changed


def _text(value: Any) -> str:
    """Return the text that scipy reads as an array of it."""
    flat = np.ravel(value)
    return str(flat[0]).replace("\\", "/") if flat.size else ""
