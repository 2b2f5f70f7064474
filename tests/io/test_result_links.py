"""Brainstorm's names of a kernel with recordings are taken wherever a results file is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from io_helpers import differences

import mne_bstinv as mb
from mne_bstinv import convert_file, io, load_study, verify
from mne_bstinv.cli import main
from mne_bstinv.errors import MissingFileError
from mne_bstinv.io.result_links import is_result_link, results_file


@pytest.fixture(scope="module")
def root(data_dir) -> Path:
    return data_dir / "eeg_shared"


@pytest.fixture(scope="module")
def entry(root):
    """A kernel that several recordings share, with two of its names."""
    protocol = io.read_protocol(root)
    conditions = [c for s in protocol.subjects for c in s.conditions]
    return next(r for c in conditions for r in c.results if len(r.links) > 1 and r.shared)


@pytest.mark.parametrize(
    ("text", "found"),
    [("link|a|b", True), ("x/link|a|b", True), ("xlink|a|b", False), ("link|a", False),
     ("results_link.mat", False), ("link|a|b|c", False)],
)  # fmt: skip
def test_what_is_such_a_name(text, found):
    assert is_result_link(text) is found
    if not found:
        assert results_file(text) == Path(text)


def test_read(root, entry, monkeypatch):
    intact = io.read_results(entry.file)
    assert differences(io.read_results(f"{root}/{entry.links[0]}"), intact) == []
    monkeypatch.chdir(root / "data" / "Subject01")
    assert differences(io.read_results(entry.links[0]), intact) == []


def test_what_is_missing_is_named(root, entry, tmp_path, monkeypatch):
    with pytest.raises(MissingFileError, match=r"Subject01/none\.mat is not in .*data"):
        io.read_results(f"{root}/link|{entry.links[0].split('|')[1]}|Subject01/none.mat")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(MissingFileError, match=r"of which protocol\? Write the folder"):
        io.read_results(entry.links[0])


def test_each_link_is_an_estimate_of_its_recordings(root, entry, tmp_path):
    """By convert, by the reader, and by a condition."""
    protocol = mb.read_protocol(root)
    kernel = io.read_results(entry.file)
    for link in entry.links[:2]:
        name = link.split("|")[2]
        recordings = io.read_recordings(root / "data" / name)
        values = np.sort((kernel.imaging_kernel @ recordings.f[kernel.good_channel - 1]).ravel())
        made = convert_file(f"{root}/{link}", tmp_path / f"{Path(name).stem}-stc.h5")
        assert made.companions["recordings"] == root / "data" / name
        read = mb.read_source_estimate_brainstorm(f"{root}/{link}")
        np.testing.assert_allclose(np.sort(read.data.ravel()), values, rtol=1e-9, atol=1e-20)
        condition = protocol.condition(*Path(name).parent.parts)
        np.testing.assert_array_equal(condition.source_estimate(link).data, read.data)
    # an operator is of no recordings
    mb.read_inverse_operator_brainstorm(f"{root}/{entry.links[0]}")
    convert_file(f"{root}/{entry.links[0]}", tmp_path / "x-inv.fif")


def test_verified_loaded_and_described(root, entry, capsys):
    link = f"{root}/{entry.links[-1]}"
    (outcome,) = verify(link)
    assert outcome.status == "equal"
    study = load_study(link)
    wanted = io.read_recordings(root / "data" / entry.links[-1].split("|")[2])
    assert differences(study.recordings, wanted) == []
    for command in ("info", "verify"):
        assert main([command, link]) == 0
        assert entry.file.name in capsys.readouterr().out
