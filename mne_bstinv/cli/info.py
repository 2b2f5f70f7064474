"""Say what a Brainstorm file, or the protocol that a folder belongs to, holds."""

from __future__ import annotations

import argparse
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mne_bstinv import io
from mne_bstinv.cli import streams
from mne_bstinv.errors import BstInvError, MissingFileError, ProtocolError
from mne_bstinv.io import mat
from mne_bstinv.io.events import is_bad
from mne_bstinv.io.filenames import is_kernel
from mne_bstinv.io.linked import find_linked
from mne_bstinv.io.protocol_scan import why_no_results
from mne_bstinv.io.registry import KINDS, row_in
from mne_bstinv.io.result_links import results_file
from mne_bstinv.io.schema import Structure, describe

__all__ = ["TWINS", "add_arguments", "run"]

#: What does the same in Python.
TWINS = ("mne_bstinv.read_protocol",)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the subcommand."""
    parser.add_argument(
        "path", type=streams.path, help="a Brainstorm .mat or .bst file, or a protocol's folder"
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")


def run(args: argparse.Namespace) -> int:
    """Describe, print and return 0."""
    args.path = results_file(args.path)
    if not args.path.exists():
        raise MissingFileError(f"{args.path}: no such file or folder. Check the path.")
    if args.path.is_dir():
        protocol = _describe_protocol(io.read_protocol(args.path))
        print(streams.as_json(protocol) if args.json else "\n".join(_protocol_lines(protocol)))
        return 0
    if args.path.suffix.lower() == ".bst":
        return _tell_bst(args.path, as_json=args.json)
    kind, structure = _read(args.path)
    rows = describe(structure)
    link = structure.link if isinstance(structure, io.Recordings) else None
    recording = None if link is None else _of_link(link, structure, args.path)
    if args.json:
        fields = {row.pop("field"): row for row in rows}
        told = {"file": str(args.path), "kind": kind, "fields": fields}
        print(streams.as_json(told if recording is None else told | {"recording": recording}))
        return 0
    print(f"{args.path}: {structure!r}\n")
    print("\n".join(_table(rows)))
    if recording is not None:
        print("\n".join(["", "Continuous recording", *_recording_lines(recording)]))
    return 0


def _of_link(link: io.Link, recordings: Any, path: Path) -> dict[str, Any]:
    """Describe the recording behind a link as plain values."""
    try:
        file, missing = str(find_linked(link, path)), None
    except BstInvError as error:
        file, missing = None, " ".join(str(error).split())
    flag = recordings.channel_flag
    samples = link.samples
    return {
        "format": link.format,
        "file": file,
        "missing": missing,
        "sfreq": link.sfreq,
        "samples": None if samples is None else list(samples),
        **_contents(link.events, link.sfreq, flag, samples),
    }


def _contents(
    events: Any, sfreq: float | None, flag: Any, samples: tuple[int, int] | None
) -> dict[str, Any]:
    """Describe duration (s), channels, events and bad segments."""
    bad = [event for event in events if is_bad(event.label)]
    lengths = [float((event.ends - event.starts).sum()) for event in bad]
    return {
        "duration": None if not (samples and sfreq) else (samples[1] - samples[0] + 1) / sfreq,
        "channels": None if flag is None else len(flag),
        "bad_channels": None if flag is None else int((flag < 0).sum()),
        "events": {event.label: event.n_occurrences for event in events},
        "bad_segments": sum(event.n_occurrences for event in bad),
        "bad_seconds": round(sum(lengths), 6),
    }


def _tell_bst(path: Path, *, as_json: bool) -> int:
    """Describe a ``.bst`` file and print."""
    opened = io.open_bst(path)
    header = opened.header
    samples = header.first_sample, header.first_sample + header.n_samples - 1
    recording = {
        "format": f"BST-BIN, version {header.version}",
        "file": str(path),
        "missing": None,
        "sfreq": header.sfreq,
        "samples": list(samples),
        **_contents(header.events, header.sfreq, header.channel_flag, samples),
    }
    if as_json:
        told = {"file": str(path), "kind": "bst", "recording": recording}
        print(streams.as_json(told | {"notes": list(opened.notes)}))
        return 0
    print(f"{path}: {header!r}\n")
    print("\n".join([*_recording_lines(recording), *(f"  note: {n}" for n in opened.notes)]))
    return 0


def _recording_lines(recording: Mapping[str, Any]) -> list[str]:
    events = ", ".join(f"{label} ({n})" for label, n in recording["events"].items())
    duration, channels = recording["duration"], recording["channels"]
    lines = {
        "format": recording["format"] or "unknown",
        "file": recording["file"] or f"not found: {recording['missing']}",
        "rate": f"{recording['sfreq']:.10g} Hz" if recording["sfreq"] else "unknown",
        "duration": "unknown"
        if duration is None
        else f"{duration:.6g} s, samples {recording['samples'][0]} to {recording['samples'][1]}",
        "channels": "unknown"
        if channels is None
        else f"{channels}, {recording['bad_channels']} bad",
        "events": events or "none",
        "bad segments": f"{recording['bad_segments']}, {recording['bad_seconds']:g} s",
    }
    return [f"  {name:<12}  {text}" for name, text in lines.items()]


def _describe_protocol(protocol: io.Protocol) -> dict[str, Any]:
    """Describe subjects, conditions and files (relative to the protocol) as plain values."""

    def relative(path: Path | None) -> str | None:
        return None if path is None else path.relative_to(protocol.root).as_posix()

    def condition(entry: io.Condition) -> dict[str, Any]:
        return {
            "name": entry.name,
            "channel_file": relative(entry.channel_file),
            "head_model_file": relative(entry.head_model_file),
            "noise_cov_file": relative(entry.noise_cov_file),
            "data_cov_file": relative(entry.data_cov_file),
            "recordings": [
                {"file": relative(r.file), "bad": r.bad, "comment": _comment(r.file)}
                for r in entry.recordings
            ],
            "results": [
                {
                    "file": relative(r.file),
                    "data_file": relative(r.data_file),
                    "shared": r.shared,
                    "form": _form(r.file),
                    **_results_told(r.file),
                }
                for r in entry.results
            ],
            "derived": [
                {"file": relative(file), "comment": _comment(file)} for file in entry.derived
            ],
            "other_files": [relative(file) for file in entry.other_files],
        }

    return {
        "protocol": str(protocol.root),
        "subjects": [
            {
                "name": subject.name,
                "anatomy": relative(subject.anatomy),
                "cortex": relative(subject.cortex),
                "other_files": [relative(file) for file in subject.other_files],
                "use_default_anat": subject.use_default_anat,
                "use_default_channel": subject.use_default_channel,
                "conditions": [condition(entry) for entry in subject.conditions],
            }
            for subject in protocol.subjects
        ],
        "problems": list(protocol.problems),
    }


def _read(path: Path) -> tuple[str, Structure]:
    if path.suffix.lower() != ".mat":
        raise ProtocolError(
            f"{path}: info reads Brainstorm's files (.mat) and protocols, no others. For files of "
            "MNE-Python (FIF, stc) use mne show_fif or mne.read_…; mne-bstinv convert makes files "
            "of Brainstorm of them."
        )
    row = row_in(path)
    if row is None or not row.module:
        *names, last = dict.fromkeys(
            kind.pattern.removesuffix(".mat") for kind in KINDS.values() if kind.module
        )
        raise ProtocolError(
            f"{path}: not a file of a known kind by its name or content. Give one of "
            f"{', '.join(names)} and {last} (.mat)."
        )
    return row.name, row.read(path)


def _table(rows: list[dict[str, str]]) -> list[str]:
    cells = [[streams.printable(row[name]) for name in ("field", "value", "unit")] for row in rows]
    field = max(_width(row[0]) for row in cells)
    width = min(max(_width(row[1]) for row in cells), 72)
    return [
        f"{_filled(name, field)}  {_filled(_cut(value, width), width)}  {unit}".rstrip()
        for name, value, unit in cells
    ]


def _width(text: str) -> int:
    """Return how many columns a text takes on a terminal."""
    wide = sum(unicodedata.east_asian_width(letter) in "WF" for letter in text)
    return len(text) + wide - sum(bool(unicodedata.combining(letter)) for letter in text)


def _filled(text: str, width: int) -> str:
    return text + " " * (width - _width(text))


def _cut(text: str, width: int) -> str:
    if _width(text) <= width:
        return text
    while _width(text) >= width:
        text = text[:-1]
    return f"{text}…"


def _protocol_lines(protocol: dict[str, Any]) -> list[str]:
    lines = [f"Protocol {protocol['protocol']}"]
    for subject in protocol["subjects"]:
        lines.append(
            f"  Subject {subject['name']} (UseDefaultAnat {subject['use_default_anat']}, "
            f"UseDefaultChannel {subject['use_default_channel']})"
        )
        lines += [f"    {what:<12} {subject[what] or '–'}" for what in ("anatomy", "cortex")]
        lines += [f"    other        {file}" for file in subject["other_files"]]
        for entry in subject["conditions"]:
            lines.append(f"    Condition {entry['name']}")
            for what in ("channel_file", "head_model_file", "noise_cov_file", "data_cov_file"):
                label = what.removesuffix("_file").replace("_", " ")
                lines.append(f"      {label:<12} {entry[what] or '–'}")
            lines += [
                f"      recordings   {r['file']}{_said(r)}{' (bad trial)' if r['bad'] else ''}"
                for r in entry["recordings"]
            ]
            for r in entry["results"]:
                form = "shared kernel" if r["shared"] else r["form"]
                lines.append(f"      results      {r['file']}{_said(r)} ({form})")
                if r["computed"]:
                    lines.append(f"                   {', '.join(r['computed'].values())}")
            lines += [f"      derived      {r['file']}{_said(r)}" for r in entry["derived"]]
            lines += [f"      other        {file}" for file in entry["other_files"]]
    return lines + [f"  Problem: {problem}" for problem in protocol["problems"]]


def _comment(file: Path) -> str | None:
    """Return the comment of a file, in one line; None without one, or if it cannot be read."""
    try:
        return " ".join(mat.text_of(file, "Comment").split()) or None
    except BstInvError:  # reading it says what is wrong
        return None


def _form(file: Path) -> str:
    """Say whether results are a kernel or full; ``unusable`` for what is no results file inside."""
    try:
        if why_no_results(file, mat.names_in(file)):
            return "unusable"
    except BstInvError:  # reading it says what is wrong
        return "unusable"
    return "kernel" if is_kernel(file) else "full"


def _results_told(file: Path) -> dict[str, Any]:
    """Describe results as plain values: their comment, and how they were computed, in words."""
    from mne_bstinv.workflow.words import described_results, results_in_words  # and all inverses

    try:
        results = described_results(file)
    except BstInvError:  # reading it says what is wrong
        return {"comment": None, "computed": {}}
    comment = " ".join(results.comment.split()) or None
    return {"comment": comment, "computed": results_in_words(results)}


def _said(row: Mapping[str, Any]) -> str:
    return f": {row['comment']}" if row["comment"] else ""
