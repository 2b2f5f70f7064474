"""The page on continuous recordings: its code runs, its tables are those of the code."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from mne_bstinv import read_raw_brainstorm
from mne_bstinv.adapters.recordings.formats import FORMATS
from mne_bstinv.datasets import sample_study

PAGE = Path(__file__).parents[3] / "docs" / "howto_continuous.md"


@pytest.fixture(scope="module")
def page():
    return PAGE.read_text(encoding="utf-8")


def test_the_code_runs(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(sample_study(), tmp_path / "Protocol01")
    code = "\n".join(re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL))
    names: dict = {}
    exec(compile(code, "page", "exec"), names)
    # MNE's projectors leave nothing of its first channel, and do not matter to which trials differ
    assert len(names["epochs"]) == 8
    written = [read_raw_brainstorm(names["link"]), read_raw_brainstorm(
        names["exported"].recordings[0])]  # fmt: skip
    for raw in written:
        expected = names["cleaned"].get_data()
        assert np.array_equal(raw.get_data(), expected.astype(np.float32))
    assert np.isfinite(names["noise_cov"].noise_cov).all()
    assert names["data_cov"].n_samples.max() > 2


def test_the_table_of_formats(page):
    rows = re.findall(r"^\| (`[^|]+`) \| `mne\.io\.(\w+)` \|$", page, flags=re.MULTILINE)
    told = {name: reader for names, reader in rows for name in re.findall("`([^`]+)`", names)}
    assert told == {name: row.reader for name, row in FORMATS.items()}
