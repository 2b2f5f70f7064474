"""Large files are read by a thread while others are verified, and nothing else changes."""

from __future__ import annotations

import dataclasses
import shutil
import threading
from pathlib import Path

import pytest
from noted_reads import note_reads
from port_studies import make_protocol

from mne_bstinv import io
from mne_bstinv.studies.files import Studies
from mne_bstinv.verification import ahead, verify
from mne_bstinv.verification.files import _listed_outcomes


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A protocol of two conditions, with head models that are no copies."""
    folder = tmp_path_factory.mktemp("verify")
    root = make_protocol(folder / "two", n_subjects=1, n_conditions=2)
    file = next((root / "data" / "Subject01" / "cond02").glob("headmodel_*"))
    model = dataclasses.replace(io.read_head_model(file), comment="of the second condition")
    io.write_head_model(file, model, overwrite=True)
    return root


@pytest.fixture(autouse=True)
def _anything(monkeypatch):
    monkeypatch.setattr(ahead, "_LARGE", 0)


@pytest.fixture
def read_by(monkeypatch) -> dict[str, list[str]]:
    """Large files and the threads that read them."""
    return note_reads(monkeypatch, "read_head_model", "read_results")


def outcomes(path: Path) -> list[dict]:
    return [outcome.to_dict() for outcome in verify(path)]


def test_each_large_file_is_read_once_some_by_a_thread(two, read_by, monkeypatch):
    found = outcomes(two)
    assert [outcome["status"] for outcome in found] == ["equal"] * len(found)
    assert len(read_by) == len(found) + 2
    threads = [one for (one,) in read_by.values()]
    assert any(thread.startswith("mne_bstinv_ahead") for thread in threads)
    monkeypatch.setattr(Studies, "expect", lambda *_: None)
    read_by.clear()
    assert outcomes(two) == found
    assert {one for (one,) in read_by.values()} == {threading.current_thread().name}


def test_copies_are_not_read(two, read_by, tmp_path):
    copies = shutil.copytree(two, tmp_path / "copies")
    first, second = sorted((copies / "data").rglob("headmodel_*"))
    shutil.copyfile(first, second)
    found = outcomes(copies)
    assert [outcome["status"] for outcome in found] == ["equal"] * len(found)
    assert len(read_by) == len(found) + 1


def test_what_cannot_be_read_is_told_of_its_own_file(two, tmp_path, monkeypatch):
    broken = shutil.copytree(two, tmp_path / "broken")
    next((broken / "data" / "Subject01" / "cond01").glob("headmodel_*")).write_bytes(b"no file")
    next((broken / "data" / "Subject01" / "cond02").glob("results_*")).write_bytes(b"no file")
    found = outcomes(broken)
    assert {outcome["status"] for outcome in found} == {"error", "equal"}
    monkeypatch.setattr(Studies, "expect", lambda *_: None)
    assert outcomes(broken) == found


def test_who_stops_early_leaves_no_thread(two):
    going = verify(two)
    next(going)
    going.close()
    last = [one for one in threading.enumerate() if one.name.startswith("mne_bstinv_ahead")]
    for thread in last:
        thread.join(10)
        assert not thread.is_alive()


def test_processes_read_nothing_ahead(two, monkeypatch):
    monkeypatch.setattr(Studies, "expect", lambda *_: pytest.fail("read ahead"))
    files = sorted((two / "data").rglob("results_*.mat"))
    assert len(_listed_outcomes(files, None, 1e-9, [])) == len(files)
