"""Say what a Brainstorm file, or the protocol that a folder belongs to, holds."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from mne_bstinv import io
from mne_bstinv.errors import MissingFileError, ProtocolError
from mne_bstinv.io.registry import KINDS, row_of
from mne_bstinv.io.schema import Structure, describe

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the subcommand."""
    parser.add_argument("path", type=Path, help="a Brainstorm .mat file, or a protocol's folder")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")


def run(args: argparse.Namespace) -> int:
    """Describe, print and return 0."""
    if not args.path.exists():
        raise MissingFileError(f"{args.path}: no such file or folder. Check the path.")
    if args.path.is_dir():
        protocol = _describe_protocol(io.read_protocol(args.path))
        print(_json(protocol) if args.json else "\n".join(_protocol_lines(protocol)))
        return 0
    kind, structure = _read(args.path)
    rows = describe(structure)
    if args.json:
        fields = {row.pop("field"): row for row in rows}
        print(_json({"file": str(args.path), "kind": kind, "fields": fields}))
    else:
        print(f"{args.path}: {structure!r}\n")
        print("\n".join(_table(rows)))
    return 0


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
            "recordings": [{"file": relative(r.file), "bad": r.bad} for r in entry.recordings],
            "results": [
                {
                    "file": relative(r.file),
                    "data_file": relative(r.data_file),
                    "shared": r.shared,
                }
                for r in entry.results
            ],
            "derived": [relative(file) for file in entry.derived],
        }

    return {
        "protocol": str(protocol.root),
        "subjects": [
            {
                "name": subject.name,
                "anatomy": relative(subject.anatomy),
                "cortex": relative(subject.cortex),
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
    row = row_of(path)
    if row is None or not row.module:
        *names, last = dict.fromkeys(
            kind.pattern.removesuffix(".mat") for kind in KINDS.values() if kind.module
        )
        raise ProtocolError(
            f"{path}: not a file of a known kind by its name. Give one of {', '.join(names)} and "
            f"{last} (.mat)."
        )
    return row.name, row.read(path)


def _table(rows: list[dict[str, str]]) -> list[str]:
    field = max(len(row["field"]) for row in rows)
    width = min(max(len(row["value"]) for row in rows), 72)
    return [
        f"{row['field']:<{field}}  {_cut(row['value'], width):<{width}}  {row['unit']}".rstrip()
        for row in rows
    ]


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"


def _protocol_lines(protocol: dict[str, Any]) -> list[str]:
    lines = [f"Protocol {protocol['protocol']}"]
    for subject in protocol["subjects"]:
        lines.append(
            f"  Subject {subject['name']} (UseDefaultAnat {subject['use_default_anat']}, "
            f"UseDefaultChannel {subject['use_default_channel']})"
        )
        lines += [f"    {what:<12} {subject[what] or '–'}" for what in ("anatomy", "cortex")]
        for entry in subject["conditions"]:
            lines.append(f"    Condition {entry['name']}")
            for what in ("channel_file", "head_model_file", "noise_cov_file", "data_cov_file"):
                label = what.removesuffix("_file").replace("_", " ")
                lines.append(f"      {label:<12} {entry[what] or '–'}")
            lines += [
                f"      recordings   {r['file']}{' (bad trial)' if r['bad'] else ''}"
                for r in entry["recordings"]
            ]
            lines += [
                f"      results      {r['file']}{' (shared kernel)' if r['shared'] else ''}"
                for r in entry["results"]
            ]
            lines += [f"      derived      {file}" for file in entry["derived"]]
    return lines + [f"  Problem: {problem}" for problem in protocol["problems"]]


def _json(value: Any) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False)
