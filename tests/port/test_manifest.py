"""Manifests are whole, and never ahead of the files they list."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from mne_bstinv.errors import OverwriteError, ProtocolError, WriteError
from mne_bstinv.port.manifest import (
    DONE,
    FORMAT,
    INCOMPLETE,
    commit,
    hash_file,
    read_manifest,
    write_json,
    write_text,
)


@pytest.fixture
def staged(tmp_path):
    folder = tmp_path / "out" / ".port" / "staged"
    folder.mkdir(parents=True)
    return folder


def content(*names):
    return {"format": FORMAT, "status": DONE, "outputs": {name: {"sha256": ""} for name in names}}


def put(staged, *names):
    for name in names:
        (staged / name).parent.mkdir(exist_ok=True)
        (staged / name).write_text(f"new {name}")


def test_commit_moves_files_and_removes_those_that_are_made_no_more(tmp_path, staged):
    out, folder = tmp_path / "out", tmp_path / "out" / "unit"
    put(staged, "a", "sub/b")
    commit(out, folder, staged, content("a", "sub/b"))
    assert read_manifest(folder) == content("a", "sub/b")
    (folder / "mine").write_text("of the user")
    put(staged, "sub/b", "c")
    commit(out, folder, staged, content("sub/b", "c"))
    files = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
    assert files == ["c", "mine", "port.json", "sub/b"]
    assert (folder / "c").read_text() == "new c"


@pytest.mark.parametrize("stop_at", range(1, 5))
def test_an_interrupted_commit_says_so_and_lists_all_that_is_there(
    tmp_path, staged, monkeypatch, stop_at
):
    out, folder = tmp_path / "out", tmp_path / "out" / "unit"
    put(staged, "a", "b")
    commit(out, folder, staged, content("a", "b"))
    put(staged, "b", "c", "d")
    replace, moves = Path.replace, []

    def stopping(self, target):
        moves.append(target)
        if len(moves) == stop_at:
            raise KeyboardInterrupt
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", stopping)
    with pytest.raises(KeyboardInterrupt):
        commit(out, folder, staged, content("b", "c", "d"))
    found = read_manifest(folder)
    if stop_at == 1:  # the manifest itself was not replaced, and so no file was
        assert found == content("a", "b")
        assert (folder / "b").read_text() == "new b"
    else:
        assert found["status"] == INCOMPLETE
        assert set(found["outputs"]) == {"a", "b", "c", "d"}
        there = {p.name for p in folder.iterdir()} - {"port.json"}
        assert there <= set(found["outputs"])
    monkeypatch.setattr(Path, "replace", replace)
    put(staged, "b", "c", "d")
    commit(out, folder, staged, content("b", "c", "d"))  # what is there is ours: no overwrite
    assert {p.name for p in folder.iterdir()} == {"b", "c", "d", "port.json"}
    assert read_manifest(folder)["status"] == DONE


def test_files_of_others_are_not_replaced_unasked(tmp_path, staged):
    out, folder = tmp_path / "out", tmp_path / "out" / "unit"
    folder.mkdir()
    (folder / "b").write_text("mine")
    put(staged, "a", "b")
    with pytest.raises(OverwriteError, match=r"unit/b: exists already and is of no earlier port"):
        commit(out, folder, staged, content("a", "b"))
    assert [p.name for p in folder.iterdir()] == ["b"]
    assert (folder / "b").read_text() == "mine"
    commit(out, folder, staged, content("a", "b"), overwrite=True)
    assert (folder / "b").read_text() == "new b"


def test_a_file_that_cannot_be_written_leaves_the_old_one(tmp_path, monkeypatch):
    file = tmp_path / "x.json"
    write_json(file, {"a": 1})

    def full(self, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(WriteError, match=r"x\.json: cannot be written: No space left"):
        write_text(file, "other")
    assert json.loads(file.read_text()) == {"a": 1}
    assert [p.name for p in tmp_path.iterdir()] == ["x.json"]


def test_numbers_that_json_has_no_word_for_are_refused(tmp_path):
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "x.json", {"a": float("nan")})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["{", '{"format": "other"}', "[]"])
def test_a_file_of_that_name_that_is_no_manifest_is_refused(tmp_path, text):
    (tmp_path / "port.json").write_text(text)
    with pytest.raises(ProtocolError, match=r"port\.json: not a manifest of"):
        read_manifest(tmp_path)


def test_hash_of_a_file_and_of_its_change(tmp_path):
    file = tmp_path / "x"
    file.write_bytes(b"1")
    assert hash_file(file) == hashlib.sha256(b"1").hexdigest()
    file.write_bytes(b"12")
    assert hash_file(file) == hashlib.sha256(b"12").hexdigest()
    with pytest.raises(FileNotFoundError):
        hash_file(tmp_path / "none")
