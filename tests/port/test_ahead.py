"""The next unit is read while one is converted, and nothing else changes."""

from __future__ import annotations

import functools
import json
import shutil
import threading
from pathlib import Path

import joblib
import pytest
from port_studies import make_protocol

from mne_bstinv import io
from mne_bstinv.port import ahead, port_protocol, unit
from mne_bstinv.port.ahead import Ahead
from mne_bstinv.port.manifest import content_of
from mne_bstinv.port.plan import ANATOMY, CONDITION, Settings, plan
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
    found: dict[str, list[str]] = {}
    original = io.read_results

    @functools.wraps(original)
    def read(file):
        thread = threading.current_thread().name
        found.setdefault(f"{file.parent.name}/{file.name}", []).append(thread)
        return original(file)

    monkeypatch.setattr(io, "read_results", read)
    return found


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
    monkeypatch.setattr(Ahead, "begin", lambda *_: None)


def test_the_next_condition_is_read_meanwhile(two, tmp_path, read_by, monkeypatch):
    assert port_protocol(two, tmp_path / "out").success
    assert read_by
    for threads in read_by.values():
        assert len(threads) == 1
        assert threads[0].startswith("mne_bstinv_ahead")
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
    monkeypatch.setattr(Ahead, "begin", lambda *_: pytest.fail("read ahead"))
    with joblib.parallel_config(backend="threading", n_jobs=2):
        assert port_protocol(two, tmp_path / "out").success


def given(part, *, max_bytes=2**30, wanted=True, known=()):
    """Return what a store is given of a unit."""
    store, reader = Store(), Ahead(max_bytes)
    for key in known:
        store.keep(key, None)
    reader.begin(part, Settings(), store, lambda: wanted)
    reader.give(store)
    reader.give(store)  # what was given is not given again
    return store.keys() - set(known)


def test_what_is_read(two, monkeypatch):
    units = plan(io.read_protocol(two))
    part = next(one for one in units if one.kind == CONDITION)
    files = [entry.file for entry in part.files.results]
    results = {("read_results", content_of(file)) for file in files}
    model = ("read_head_model", content_of(part.files.head_model_file))
    assert given(part) == results | {model}
    assert given(part, known=[model]) == results
    assert given(part, wanted=False) == set()
    assert given(part, max_bytes=0) == set()
    sizes = part.files.head_model_file.stat().st_size
    assert model not in given(part, max_bytes=sizes - 1)
    assert given(next(one for one in units if one.kind == ANATOMY)) == set()
    monkeypatch.setattr(ahead, "_WORTHWHILE", 2**30)
    assert given(part) == set()


def test_a_file_that_changes_while_it_is_read_is_not_given(two, tmp_path, monkeypatch):
    changing = shutil.copytree(two, tmp_path / "changing")
    part = next(one for one in plan(io.read_protocol(changing)) if one.kind == CONDITION)
    original = io.read_results

    @functools.wraps(original)
    def read(file):
        results = original(file)
        file.write_bytes(b"another file")
        return results

    monkeypatch.setattr(io, "read_results", read)
    assert {reader for reader, _ in given(part)} == {"read_head_model"}
