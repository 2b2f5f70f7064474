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
    name, folder = namespace["name"], namespace["folder"]
    assert namespace["say"]["parity"] != "not comparable"
    stored = mne.read_source_estimate(folder / name.replace("-inv.fif", "-stc.h5"))
    difference = np.linalg.norm(namespace["stc"].data - stored.data)
    assert difference <= FIF * np.linalg.norm(stored.data)


def test_on_a_cluster_and_one_condition(blocks):
    compile(blocks[1], "block 1", "exec")  # there is no SLURM here
    namespace: dict = {}
    exec(compile(blocks[2], "block 2", "exec"), namespace)
    assert isinstance(namespace["inverse"], mne.minimum_norm.InverseOperator)
    assert namespace["stc"].data.shape[:2] == (296, 3)
    assert len(blocks) == 3
