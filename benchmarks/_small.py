"""Protocols of many small conditions, copies of one another that differ in what names them."""

from __future__ import annotations

import shutil
import struct
import sys
from io import BytesIO
from pathlib import Path

import scipy.io

from mne_bstinv.io import mat

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "helpers"))
from port_studies import make_protocol

#: Bytes of the text in the header of a MATLAB file, of the header, and of the tag of each variable.
TEXT, HEADER, TAG = 116, 128, 8


def small_protocol(root: Path, n_conditions: int) -> Path:
    """Write a protocol whose conditions are copies of the sample's, without results."""
    first = _one_condition(root)
    for file in first.glob("*.mat"):
        if not file.name.startswith(("channel", "data", "brainstorm")):
            file.unlink()
    _copied(first, n_conditions)
    return root


def protocol_of_results(root: Path, n_conditions: int, *, copies: bool = False) -> Path:
    """Write a protocol whose conditions are copies of the sample's, with four results each.

    Their other files are copies of one another too, or have headers of their own.
    """
    first = _one_condition(root)
    for folder in _copied(first, n_conditions):
        for file in [] if copies else folder.glob("*.mat"):
            file.write_bytes(folder.name.encode().ljust(TEXT) + file.read_bytes()[TEXT:])
        for file in folder.glob("results_*.mat"):
            _rename(
                file, f"{first.parent.name}/{first.name}/", f"{folder.parent.name}/{folder.name}/"
            )
    return root


def _one_condition(root: Path) -> Path:
    make_protocol(root, n_subjects=1, n_conditions=1)
    return next((root / "data").glob("*/cond01"))


def _copied(first: Path, n_conditions: int) -> list[Path]:
    numbers = range(2, n_conditions + 1)
    return [shutil.copytree(first, first.with_name(f"cond{number:02d}")) for number in numbers]


def _rename(file: Path, old: str, new: str) -> None:
    """Let a results file name files of another folder; its other variables stay compressed."""
    fields = mat.read(file, ["DataFile", "HeadModelFile"])
    texts = {name: field.value.replace(old, new) for name, field in fields.items()}
    data = file.read_bytes()
    kept, start = [data[:HEADER]], HEADER
    for name in mat.names_in(file):
        stop = start + TAG + struct.unpack("<I", data[start + 4 : start + TAG])[0]
        if name not in texts:
            kept.append(data[start:stop])
        start = stop
    assert start == len(data)
    renamed = BytesIO()
    scipy.io.savemat(renamed, texts, do_compression=True)
    file.write_bytes(b"".join([*kept, renamed.getvalue()[HEADER:]]))
