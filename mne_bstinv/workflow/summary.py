"""Protocols and conditions in words: for a terminal, and for a notebook."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from pathlib import Path

from mne_bstinv import io
from mne_bstinv._display import few
from mne_bstinv.workflow.structures import ConditionStructures

__all__ = ["condition_html", "condition_text", "protocol_html", "protocol_text"]

#: MNE's objects of a condition → the rows of its summary that they take.
_MNE = {
    "info": ("channels",),
    "trans": ("channels",),
    "src": ("channels", "head model"),
    "forward": ("channels", "head model"),
    "noise_cov": ("channels", "noise covariance"),
    "data_cov": ("channels", "data covariance"),
    "evokeds": ("channels", "recordings"),
    "epochs": ("channels", "recordings"),
    "raws": ("channels", "recordings"),
    "labels": ("channels", "cortex"),
    "inverse_operator(options)": ("channels", "head model", "noise covariance"),
    "source_estimate(results)": ("channels", "head model", "results"),
}
#: Structures, likewise.
_STRUCTURES = {
    "channels": ("channels",),
    "head_model": ("head model",),
    "noise_cov_structure": ("noise covariance",),
    "data_cov_structure": ("data covariance",),
    "cortex": ("cortex",),
    "mri": ("MRI",),
    "study_data()": ("channels", "head model", "noise covariance"),
}
#: What is said of a file that is not there.
_NONE = "none"
#: Longest list of files that is shown.
_SHOWN = 6


def condition_text(condition: ConditionStructures) -> str:
    """Summarise a condition in a few lines."""
    rows = _condition_rows(condition)
    width = max(len(name) for name, _ in rows)
    head = f"<StudyCondition | {condition.subject}/{condition.name}>"
    return "\n".join([head, *(f"  {name:<{width}}  {value}" for name, value in rows)])


def condition_html(condition: ConditionStructures) -> str:
    """Summarise a condition as a table in HTML."""
    return _table(f"{condition.subject}/{condition.name}", _condition_rows(condition))


def protocol_text(protocol: io.Protocol) -> str:
    """Summarise a protocol, one line a condition."""
    rows = _protocol_rows(protocol)
    width = max((len(name) for name, _ in rows), default=0)
    head = f"<StudyProtocol | {protocol.name}, {protocol.root}>"
    return "\n".join([head, *(f"  {name:<{width}}  {value}" for name, value in rows)])


def protocol_html(protocol: io.Protocol) -> str:
    """Summarise a protocol as a table in HTML."""
    return _table(protocol.name, _protocol_rows(protocol))


def _condition_rows(condition: ConditionStructures) -> list[tuple[str, str]]:
    rows = [
        ("channels", _name(condition.channel_file)),
        ("head model", _name(condition.head_model_file)),
        ("noise covariance", _name(condition.noise_cov_file)),
        ("data covariance", _name(condition.data_cov_file)),
        ("recordings", _file_names([entry.file for entry in condition.recordings])),
        ("results", _file_names([entry.file for entry in condition.results])),
        ("MRI", _name(condition.anatomy.anatomy)),
        ("cortex", _name(condition.anatomy.cortex)),
    ]
    missing = [what for what, value in rows if value == _NONE]
    rows += [("MNE objects", _possible(_MNE, missing))]
    rows += [("structures", _possible(_STRUCTURES, missing))]
    lacking = [(what, _needing(what)) for what in missing]
    return rows + [("missing", f"no {what}: no {names}") for what, names in lacking if names]


def _possible(objects: Mapping[str, tuple[str, ...]], missing: list[str]) -> str:
    """List the objects that can be made."""
    return ", ".join(n for n, takes in objects.items() if not set(takes) & set(missing)) or _NONE


def _needing(what: str) -> str:
    """List the objects that cannot be made without something."""
    return ", ".join(name for name, takes in (_MNE | _STRUCTURES).items() if what in takes)


def _protocol_rows(protocol: io.Protocol) -> list[tuple[str, str]]:
    rows = [
        (
            f"{subject.name}/{condition.name}",
            f"{len(condition.recordings)} recordings, {len(condition.results)} results",
        )
        for subject in protocol.subjects
        for condition in subject.conditions
    ]
    return rows + [("problem", problem) for problem in protocol.problems]


def _table(caption: str, rows: list[tuple[str, str]]) -> str:
    body = "".join(
        f"<tr><th style='text-align:left'>{escape(name)}</th>"
        f"<td style='text-align:left'>{escape(value)}</td></tr>"
        for name, value in rows
    )
    return f"<table><caption>{escape(caption)}</caption>{body}</table>"


def _name(file: Path | None) -> str:
    return _NONE if file is None else file.name


def _file_names(files: list[Path]) -> str:
    return f"{len(files)}: {few([file.name for file in files], _SHOWN)}" if files else _NONE
