"""Files that were made to harm: each is read in a child process, which must live and stay small.

``tests/data/cases/hostile``: the names say what was done to which kind of file. Each must give an
error of the package that names the file, or a value.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from child_reader import ChildReader

FILES = sorted((Path(__file__).parents[1] / "data" / "cases" / "hostile").glob("*.mat"))

#: Part of a name -> reader; what no part tells is a head model.
READERS = {"channel": "channels", "_data_v6": "recordings", "protocol": "mat", "_study_v6": "study",
           "brainstormstudy": "study", "surface_v": "surface", "_surface_": "surface",
           "tess": "surface", "mri_v": "mri"}  # fmt: skip

#: Bytes: four times the content of the largest file, and what the first import of a module takes.
MEMORY = 4 * 400_000 + 8_000_000


@pytest.fixture(scope="module")
def child():
    if os.name == "nt":
        pytest.skip("waiting for a pipe needs POSIX")
    with ChildReader() as reader:
        yield reader


def reader_of(name: str) -> str:
    kinds = name.replace("surface_mri_data_study_subject_", "").replace("noisecov_surface_mri_", "")
    return next((reader for part, reader in READERS.items() if part in kinds), "head_model")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_hostile(child, file):
    outcome = child.read(reader_of(file.name), file)
    assert outcome.state in ("read", "own error"), outcome
    assert outcome.memory < MEMORY, outcome
    assert outcome.seconds < 20  # starting the child included, on a busy machine
    assert "Copy it again" in outcome.message or "Traceback" not in outcome.message


def test_the_cases_are_there():
    assert len(FILES) == 147
