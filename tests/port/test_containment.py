"""Nothing outside the output is deleted or written, and a rerun always goes on."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mne_bstinv import _temporary
from mne_bstinv.errors import OverwriteError, ProtocolError
from mne_bstinv.port import manifest as manifests
from mne_bstinv.port import port_protocol
from mne_bstinv.port.locks import WORK_FOLDER, remove_left_over, staging
from mne_bstinv.port.manifest import FORMAT, MANIFEST, commit, read_manifest, write_text

links = pytest.mark.skipif(sys.platform == "win32", reason="symbolic links")


def unit_folder(out: Path) -> Path:
    """A condition of the ported protocol."""
    folders = (file.parent for file in sorted(out.glob(f"Subject01/*/{MANIFEST}")))
    return next(folder for folder in folders if folder.name != "default_study")


def altered(folder: Path, **changes: object) -> None:
    file = folder / MANIFEST
    file.write_text(json.dumps(json.loads(file.read_text("utf-8")) | changes), "utf-8")


@pytest.mark.parametrize("name", ["../../../victim", "../victim", "{absolute}", "a/../../victim"])
def test_a_manifest_that_names_files_elsewhere_deletes_none(protocol, ported, tmp_path, name):
    folder = unit_folder(ported)
    name = name.format(absolute=tmp_path / "victim")
    victims = [tmp_path / "victim", folder.parent / "victim", ported / "victim"]
    for victim in victims:
        victim.write_text("of the user")
    outputs = json.loads((folder / MANIFEST).read_text("utf-8"))["outputs"]
    altered(folder, outputs=outputs | {name: {"bytes": 11, "sha256": ""}}, status="failed")
    before = (folder / MANIFEST).read_bytes()
    report = port_protocol(protocol, ported)
    assert all(victim.read_text() == "of the user" for victim in victims)
    assert (folder / MANIFEST).read_bytes() == before
    (failed,) = report.failed
    assert "is not in its folder; nothing outside of it is touched" in str(failed["errors"])


@links
def test_folders_that_are_links_are_not_followed(protocol, ported, tmp_path):
    folder, elsewhere = unit_folder(ported), tmp_path / "elsewhere"
    folder.rename(elsewhere)
    folder.symlink_to(elsewhere, target_is_directory=True)
    altered(elsewhere, status="failed")
    there = {file: file.stat().st_mtime_ns for file in elsewhere.rglob("*")}
    report = port_protocol(protocol, ported)
    assert {file: file.stat().st_mtime_ns for file in elsewhere.rglob("*")} == there
    (failed,) = report.failed
    assert "a link that leads out of the output" in str(failed["errors"])


@links
def test_files_below_a_link_are_outside(tmp_path):
    out, folder = tmp_path / "out", tmp_path / "out" / "unit"
    folder.mkdir(parents=True)
    (tmp_path / "other").mkdir()
    (folder / "link").symlink_to(tmp_path / "other", target_is_directory=True)
    content = {"format": FORMAT, "outputs": {"link/x": None}}
    (folder / MANIFEST).write_text(json.dumps(content))
    with pytest.raises(ProtocolError, match="lists 'link/x', which is not in its folder"):
        commit(out, folder, out / "staged", {"format": FORMAT, "outputs": {}})


@links
@pytest.mark.parametrize("what", ["folder", "lock"])
def test_a_work_folder_that_is_a_link_is_refused(protocol, tmp_path, what):
    out, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
    (elsewhere / "abc").mkdir(parents=True)
    (elsewhere / "abc.lock").touch()
    (elsewhere / "abc" / "x").write_text("of the user")
    out.mkdir()
    if what == "folder":
        (out / WORK_FOLDER).symlink_to(elsewhere, target_is_directory=True)
    else:
        (out / WORK_FOLDER).mkdir()
        (out / WORK_FOLDER / "commit.lock").symlink_to(tmp_path / "new")
    with pytest.raises(ProtocolError, match=r"a link; nothing outside of the output is touched"):
        port_protocol(protocol, out)
    assert (elsewhere / "abc" / "x").read_text() == "of the user"
    assert not (tmp_path / "new").exists()


def test_only_staging_folders_are_removed(tmp_path):
    work = tmp_path / WORK_FOLDER
    for name in ("abc", "0" * 32):
        (work / name).mkdir(parents=True)
        (work / f"{name}.lock").touch()
    assert remove_left_over(tmp_path) == 1
    assert sorted(path.name for path in work.iterdir()) == ["abc", "abc.lock"]
    with staging(tmp_path) as folder:
        assert len(folder.name) == 32


@pytest.mark.parametrize(
    "changes",
    [
        {"outputs": ["a"]}, {"outputs": [{}]}, {"outputs": {"a": 5}},
        {"outputs": {"a": {"bytes": "5"}}},
        {"inputs": {"a": {}}}, {"inputs": 5}, {"reports": [1]}, {"reports": {"a": [{"x": 1}]}},
        {"errors": {"a": "b"}}, {"errors": [5]}, {"verification": 7}, {"verification": [[]]},
        {"status": {}}, {"title": None}, {"protocol": 5}, {"skipped": "x"}, {"units": 3},
    ],
)  # fmt: skip
def test_a_manifest_of_other_types_is_refused_by_name(protocol, ported, changes):
    folder = unit_folder(ported)
    altered(folder, **changes)
    report = port_protocol(protocol, ported)
    (failed,) = report.failed
    (error,) = failed["errors"]
    assert error["reason"].startswith(str(folder / MANIFEST))
    assert next(iter(changes)) in error["reason"]
    assert str(report)


@pytest.mark.parametrize(
    "changes",
    [
        {"reports": {".": [{"severity": "lost"}]}}, {"verification": [{}]}, {"facts": 5},
        {"settings": []}, {"outputs": {}}, {"versions": 7, "finished": "x"},
        {"verification": [{"status": "equal", "relative_difference": "x"}]},
    ],
)  # fmt: skip
def test_a_manifest_that_says_other_things_is_done_again_or_kept(protocol, ported, changes):
    altered(unit_folder(ported), **changes)
    report = port_protocol(protocol, ported)
    assert str(report)
    assert report.findings is not None
    if "versions" not in changes and "outputs" not in changes:
        assert report.success


def test_a_manifest_without_its_kind_is_made_anew(protocol, ported):
    file = unit_folder(ported) / MANIFEST
    content = json.loads(file.read_text("utf-8"))
    file.write_text(json.dumps({key: content[key] for key in content if key != "kind"}))
    report = port_protocol(protocol, ported)
    assert report.success
    assert len(report.done) == 1
    assert json.loads((ported / MANIFEST).read_text("utf-8"))["status"] == "done"


@pytest.mark.parametrize("text", ["[" * 100_000, '{"format": Infinity}', '{"seconds": 1e400}'])
def test_nesting_without_end_and_numbers_without_are_refused(protocol, ported, text):
    (unit_folder(ported) / MANIFEST).write_text(text)
    report = port_protocol(protocol, ported)
    assert "not a manifest of a port" in str(report.failed[0]["errors"])


def test_a_full_disk_does_not_stop_the_next_run(protocol, tmp_path, monkeypatch):
    """The manifest that listed the files which were being moved is not replaced by the old one."""
    out = tmp_path / "out"
    original, done = Path.replace, []

    def full(self, target):
        if WORK_FOLDER in self.parts and Path(target).suffix == ".fif":
            done.append(target)
            if len(done) == 3:
                raise OSError(errno.ENOSPC, "No space left on device")
        return original(self, target)

    monkeypatch.setattr(Path, "replace", full)
    first = port_protocol(protocol, out)
    assert len(first.failed) == 1
    monkeypatch.setattr(Path, "replace", original)
    again = port_protocol(protocol, out)
    assert again.success
    assert not list(out.rglob("*.tmp"))


def test_what_another_made_is_not_replaced_all_the_same(tmp_path):
    out, folder, staged = tmp_path, tmp_path / "unit", tmp_path / "staged"
    for place in (folder, staged):
        place.mkdir()
        (place / "a").write_text(place.name)
    with pytest.raises(OverwriteError, match="is of no earlier port"):
        commit(out, folder, staged, {"format": FORMAT, "outputs": {"a": {}}})
    assert read_manifest(folder) is None


KILLED = """
import os, sys
from pathlib import Path
from mne_bstinv import _temporary
place = Path(sys.argv[1])
_temporary.beside(place).write_text("half")
folder = _temporary.beside(place)
folder.mkdir()
(folder / "x").write_text("half")
backup = _temporary.backup_beside(place.with_name("old"))
backup.write_text("whole")
"""


@pytest.fixture
def left_over(tmp_path: Path):
    """Put what a killed process leaves into a folder."""

    def put(folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run([sys.executable, "-c", KILLED, str(folder / "x")], check=True)

    return put


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="a process that ended is told after a day")
def test_the_next_run_removes_what_a_killed_one_left(protocol, ported, left_over):
    folder = unit_folder(ported)
    for place in (ported, folder):
        left_over(place)
    assert port_protocol(protocol, ported).success
    assert not list(ported.rglob(".*.tmp"))
    assert (folder / "old").read_text() == "whole"  # nothing had replaced it


@pytest.mark.skipif(sys.platform == "win32", reason="a process that ended is told after a day")
def test_what_is_being_written_stays(tmp_path, left_over):
    mine = _temporary.beside(tmp_path / "x")
    mine.write_text("half")
    alive = mine.with_name(mine.name.replace(f"-{os.getpid()}-", f"-{os.getppid()}-"))
    alive.write_text("half")
    other = mine.with_name(f".00000000-1{mine.name[mine.name.rindex('-') :]}")
    other.write_text("of another computer")
    (tmp_path / "old").write_text("new")
    left_over(tmp_path)
    _temporary.remove_left_over([tmp_path, tmp_path / "none"])
    found = {path.name for path in tmp_path.iterdir()}
    assert found == {mine.name, alive.name, other.name, "old"}
    assert (tmp_path / "old").read_text() == "new"
    os.utime(other, (0, 0))
    _temporary.remove_left_over([tmp_path])
    assert not other.exists()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the state of processes")
def test_a_process_that_ended_writes_no_more_though_it_has_its_number(tmp_path):
    """Nobody may have asked for the end of a killed worker when the next run begins."""
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)
        mine = _temporary.beside(tmp_path / "x")
        left = mine.with_name(mine.name.replace(f"-{os.getpid()}-", f"-{ended.pid}-"))
        left.write_text("half")
        _temporary.remove_left_over([tmp_path])
        assert not left.exists()


def test_names_of_any_length_can_be_written(tmp_path):
    name = "x" * 250 + ".json"
    write_text(tmp_path / name, "content")
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_the_table_of_fields_is_that_of_a_manifest(ported_once):
    """No check of a field that no manifest has."""
    whole = json.loads((ported_once / MANIFEST).read_text("utf-8"))
    assert set(manifests._FIELDS) <= {*whole, *whole["units"][0]}
