"""Large files are read by a thread before they are asked for, and nothing else changes."""

from __future__ import annotations

import json
import shutil
import threading
from pathlib import Path

import joblib
import pytest
from noted_reads import note_reads
from port_studies import make_protocol

from mne_bstinv import io
from mne_bstinv.port import ahead, port_protocol, unit
from mne_bstinv.port.ahead import large_files
from mne_bstinv.port.plan import ANATOMY, CONDITION, plan
from mne_bstinv.studies.ahead import Ahead
from mne_bstinv.workflow.store import Store

#: Fields of manifests that differ from run to run.
RUN = ("seconds", "finished", "peak_memory_bytes")


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A protocol of two conditions."""
    return make_protocol(tmp_path_factory.mktemp("ahead") / "two", n_subjects=1, n_conditions=2)


@pytest.fixture(autouse=True)
def _anything(monkeypatch):
    """Read small files ahead too, in a process that has read none."""
    monkeypatch.setattr(ahead, "_WORTHWHILE", 0)
    unit._LOCAL.store.clear()


@pytest.fixture
def read_by(monkeypatch) -> dict[str, list[str]]:
    """Files of results and the threads that read them."""
    return note_reads(monkeypatch, "read_results")


def manifests(out: Path) -> dict[str, dict]:
    """Manifests without what differs from run to run, and hashes of files with a date in them."""
    found = {}
    for file in out.rglob("*/port.json"):
        content = json.loads(file.read_text("utf-8"))
        for name in RUN:
            content.pop(name, None)
        for output in content["outputs"].values():
            del output["sha256"]
        found[file.relative_to(out).as_posix()] = content
    return found


def unread(monkeypatch):
    """Let nothing be read ahead."""
    monkeypatch.setattr(Store, "expect", lambda *_: None)


def test_the_next_condition_is_read_meanwhile(two, tmp_path, read_by, monkeypatch):
    assert port_protocol(two, tmp_path / "out").success
    assert read_by
    assert all(len(threads) == 1 for threads in read_by.values())
    assert any(threads[0].startswith("mne_bstinv_ahead") for threads in read_by.values())
    assert unit._LOCAL.store._ahead._thread is None, "nothing is left to be read"
    unread(monkeypatch)
    unit._LOCAL.store.clear()
    assert port_protocol(two, tmp_path / "alone").success
    assert manifests(tmp_path / "out") == manifests(tmp_path / "alone")
    assert {threads[1] for threads in read_by.values()} == {threading.current_thread().name}


def test_what_is_up_to_date_is_not_read(two, tmp_path, read_by):
    port_protocol(two, tmp_path / "out")
    read_by.clear()
    unit._LOCAL.store.clear()
    shutil.rmtree(tmp_path / "out" / "Subject01" / "cond01")
    port_protocol(two, tmp_path / "out")
    assert {name.split("/")[0] for name in read_by} == {"cond01"}


def test_what_cannot_be_read_is_told_by_its_own_unit(two, tmp_path, monkeypatch):
    broken = shutil.copytree(two, tmp_path / "broken")
    next((broken / "data" / "Subject01" / "cond02").glob("results_*")).write_bytes(b"no file")
    port_protocol(broken, tmp_path / "out")
    unread(monkeypatch)
    port_protocol(broken, tmp_path / "alone")
    found = manifests(tmp_path / "out")
    assert found == manifests(tmp_path / "alone")
    assert found["Subject01/cond02/port.json"]["status"] == "failed"
    assert found["Subject01/cond01/port.json"]["status"] == "done"


def test_workers_read_nothing_ahead(two, tmp_path, monkeypatch):
    monkeypatch.setattr(Ahead, "expect", lambda _, tasks: [*tasks] and pytest.fail("read ahead"))
    with joblib.parallel_config(backend="threading", n_jobs=2):
        assert port_protocol(two, tmp_path / "out").success


def test_what_is_read(two, monkeypatch):
    units = plan(io.read_protocol(two))
    part = next(one for one in units if one.kind == CONDITION)
    results = [entry.file for entry in part.files.results]
    reads = large_files(part, lambda: True)
    assert [read.file for read in reads] == [part.files.head_model_file, *results]
    assert {read.group for read in reads} == {part.folder}
    assert large_files(next(one for one in units if one.kind == ANATOMY), lambda: True) == []
    monkeypatch.setattr(ahead, "_WORTHWHILE", 2**30)
    assert large_files(part, lambda: True) == []


def test_an_interrupted_port_reads_no_more(two, tmp_path, read_by, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(unit, "convert_unit", interrupted)
    with pytest.raises(KeyboardInterrupt):
        port_protocol(two, tmp_path / "out")
    assert unit._LOCAL.store._ahead._thread is None
    monkeypatch.undo()
    assert port_protocol(two, tmp_path / "out").success
