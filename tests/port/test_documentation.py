"""The Python of the page on ports runs."""

from __future__ import annotations

import re
from pathlib import Path

import mne
import numpy as np
import pytest

from mne_bstinv import datasets
from mne_bstinv.port import port_protocol

PAGE = Path(__file__).parents[2] / "docs" / "port.md"
#: Two computations in double precision, as when a stored kernel is verified.
DOUBLE = 1e-9
#: Single precision of FIF files, see test_port_convert.
FIF = 1e-6


@pytest.fixture(scope="module")
def blocks():
    if not PAGE.is_file():
        pytest.skip("the documentation is not part of this copy")
    return re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), flags=re.DOTALL)


def test_estimates_with_mne_alone(blocks, tmp_path, monkeypatch):
    port_protocol(datasets.sample_study(), tmp_path / "ported")
    monkeypatch.chdir(tmp_path)
    namespace: dict = {}
    exec(compile(blocks[0], "block 0", "exec"), namespace)
    assert len(namespace["estimates"]) == 4
    for name, stc in namespace["estimates"].items():
        (file, *_) = sorted(namespace["folder"].glob(name.replace("-inv.fif", "-*[5c]")))
        assert_same(stc, mne.read_source_estimate(file))
    assert_same(namespace["stc"], namespace["estimates"][namespace["name"]])
    for name in namespace["estimates"]:
        exec(compile(blocks[1], "block 1", "exec"), namespace | {"name": name}, found := {})
        assert_same(found["same"], namespace["estimates"][name])


def assert_same(stc, stored):
    difference = np.linalg.norm(stc.data - stored.data)
    assert difference <= FIF * np.linalg.norm(stored.data)


def test_code_fits_a_window_of_usual_width():
    """Longer lines are cut off in the boxes of the page."""
    if not PAGE.is_file():
        pytest.skip("the documentation is not part of this copy")
    code = "".join(re.findall(r"```\w+\n(.*?)```", PAGE.read_text("utf-8"), flags=re.DOTALL))
    assert [line for line in code.splitlines() if len(line) >= 78] == []


def test_on_a_cluster_and_one_condition(blocks):
    compile(blocks[2], "block 2", "exec")  # there is no SLURM here
    namespace: dict = {}
    exec(compile(blocks[3], "block 3", "exec"), namespace)
    assert isinstance(namespace["inverse"], mne.minimum_norm.InverseOperator)
    assert namespace["stc"].data.shape[:2] == (1140, 3)
    exec(compile(blocks[4], "block 4", "exec"), namespace)
    difference = np.linalg.norm(namespace["same"].data - namespace["stc"].data)
    assert difference <= DOUBLE * np.linalg.norm(namespace["stc"].data)
    assert len(blocks) == 5
