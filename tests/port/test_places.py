"""Where a protocol is, and where the output of its port may be."""

from __future__ import annotations

import errno
import re
import sys
from pathlib import Path

import pytest
from port_checks import files_of

from mne_bstinv import io
from mne_bstinv.errors import ProtocolError
from mne_bstinv.port import port_protocol
from mne_bstinv.port.places import check_apart, find_root, removed_if_refused, unlisted_of


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


class TestFindRoot:
    def test_the_folder_of_a_protocol(self, protocol, out):
        assert find_root(protocol, out) == protocol
        assert find_root(protocol / "data" / "..", out) == protocol.resolve()

    @pytest.mark.parametrize(
        ("part", "options"),
        [
            ("data/Subject01/condA", " --subject Subject01 --condition condA"),
            ("data/Subject01/condA/data_average_240101_1200.mat",
             " --subject Subject01 --condition condA"),
            ("data/Subject01", " --subject Subject01"),
            ("data/Subject01/@default_study/channel.mat", " --subject Subject01"),
            ("anat/Subject01", " --subject Subject01"),
            ("anat/Subject01/brainstormsubject.mat", " --subject Subject01"),
            ("anat", ""),
            ("data", ""),
            ("data/@default_study", ""),
            ("notes/port.json", ""),
        ],
    )  # fmt: skip
    def test_a_path_inside_is_refused_with_the_command(self, protocol, out, part, options):
        path = protocol / part
        if not path.exists():
            path.parent.mkdir(exist_ok=True)
            path.write_text("{}")
        with pytest.raises(ProtocolError) as error:
            find_root(path, out)
        said = str(error.value)
        assert said.startswith(f"{path}: a path inside the protocol {protocol}; expected is the")
        assert f": mne-bstinv port {protocol} {out}{options} (in Python: protocol=" in said
        python = re.sub(r"--(\w+) (\w+)", r"\1s='\2'", options.strip()).replace(" ", ", ")
        assert said.endswith(f"{', ' if python else ''}{python}).")

    @pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege")
    def test_a_link_to_a_path_inside(self, protocol, tmp_path, out):
        link = tmp_path / "link"
        link.symlink_to(protocol / "data/Subject01/condA")
        with pytest.raises(ProtocolError, match=r"link: a path inside .* --condition condA \("):
            find_root(link, out)
        (tmp_path / "named").symlink_to(protocol)
        assert find_root(tmp_path / "named", out) == tmp_path / "named"

    def test_a_folder_of_protocols(self, protocol, tmp_path, out):
        for name in ("anat", "data"):
            (tmp_path / "other" / name).mkdir(parents=True)
        message = "not the folder of a protocol, but of these: 'eeg_shared', 'other'. Give one"
        with pytest.raises(ProtocolError, match=message):
            find_root(tmp_path, out)

    def test_what_is_nowhere_near_a_protocol_is_left_to_the_reader(self, tmp_path, out):
        (tmp_path / "x").mkdir()
        assert find_root(tmp_path / "x", out) == tmp_path / "x"
        with pytest.raises(ProtocolError, match="x: not in a Brainstorm protocol"):
            port_protocol(tmp_path / "x", out)
        with pytest.raises(ProtocolError, match="none: no such file or folder"):
            port_protocol(tmp_path / "none", out)


class TestApart:
    def test_an_output_beside_or_around_a_protocol(self, protocol, tmp_path, out):
        found = io.read_protocol(protocol)
        check_apart(found, out, ["subjects/Subject01", "Subject01/condA"])
        check_apart(found, tmp_path, ["subjects/Subject01", "Subject01/condA"])

    @pytest.mark.parametrize("place", ["", "out", "data", "data/Subject01/out", "anat/x/y"])
    def test_an_output_inside_is_refused(self, protocol, place):
        found = io.read_protocol(protocol)
        with pytest.raises(ProtocolError, match=f"inside the protocol {protocol}, where Brains"):
            check_apart(found, protocol / place, ["Subject01/condA"])

    @pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege")
    def test_links_do_not_hide_it(self, protocol, tmp_path, out):
        found = io.read_protocol(protocol)
        (tmp_path / "link").symlink_to(protocol / "data")
        with pytest.raises(ProtocolError, match="link/new: inside the protocol"):
            check_apart(found, tmp_path / "link" / "new", ["Subject01/condA"])
        # a folder of the output that leads into the protocol
        out.mkdir()
        (out / "Subject01").symlink_to(protocol / "data/Subject01")
        with pytest.raises(ProtocolError, match=r"out/Subject01: inside the protocol"):
            check_apart(found, out, ["Subject01/condA"])
        # data of the protocol that are elsewhere
        elsewhere = (protocol / "data").rename(tmp_path / "elsewhere")
        (protocol / "data").symlink_to(elsewhere)
        found = io.read_protocol(protocol)
        with pytest.raises(ProtocolError, match="elsewhere/out: inside the protocol"):
            check_apart(found, elsewhere / "out", ["Subject01/condA"])

    @pytest.mark.parametrize("place", [".port/P", "Subject01/P", "Subject01/condA/P", "subjects/P"])
    def test_a_protocol_among_the_files_of_the_output_is_refused(self, protocol, out, place):
        (out / place).parent.mkdir(parents=True)
        found = io.read_protocol(protocol.rename(out / place))
        with pytest.raises(ProtocolError, match="P: the protocol is among the files of the output"):
            check_apart(found, out, ["subjects/Subject01", "Subject01/condA"])

    def test_a_protocol_called_like_its_subject(self, protocol, tmp_path):
        renamed = protocol.rename(tmp_path / "Subject01")
        before = sorted(tmp_path.rglob("*"))
        with pytest.raises(ProtocolError, match="Subject01: inside the protocol"):
            port_protocol(renamed, tmp_path)
        assert sorted(tmp_path.rglob("*")) == before


def interrupted(out, *files):
    with removed_if_refused(out):
        (out / ".port").mkdir(parents=True, exist_ok=True)
        for name in files:
            (out / name).write_text("mine")
        raise KeyboardInterrupt


def test_only_empty_folders_that_were_not_there_are_removed(tmp_path):
    out = tmp_path / "new" / "out"
    with pytest.raises(KeyboardInterrupt):
        interrupted(out)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(KeyboardInterrupt):
        interrupted(out, "mine.txt")
    assert sorted(path.name for path in out.iterdir()) == ["mine.txt"]
    (out / "mine.txt").unlink()
    with pytest.raises(KeyboardInterrupt):
        interrupted(out)
    assert out.is_dir()


@pytest.fixture
def lock(monkeypatch):
    """Returns what keeps a folder from being listed."""
    locked, iterdir = [], Path.iterdir

    def refused(self):
        if self in locked:
            raise PermissionError(errno.EACCES, "Permission denied", str(self))
        return iterdir(self)

    monkeypatch.setattr(Path, "iterdir", refused)
    return locked.append


def test_a_file_that_may_not_be_read_costs_what_is_made_of_it(protocol, tmp_path, monkeypatch):
    (secret,) = (protocol / "data" / "Subject01").glob("*/noisecov*.mat")
    opened = Path.open

    def refused(self, mode="r", *more, **how):
        if self == secret:
            raise PermissionError(errno.EACCES, "Permission denied", str(self))
        return opened(self, mode, *more, **how)

    monkeypatch.setattr(Path, "open", refused)
    report = port_protocol(protocol, tmp_path / "other")
    errors = [one for unit in report.failed for one in unit["errors"]]
    assert {one["what"] for one in errors} == {"noise covariance", "inverse operator"}
    assert all(f"{secret}: cannot be opened: Permission denied" in one["reason"] for one in errors)
    assert list((tmp_path / "other").rglob("*-fwd.fif"))


class TestFoldersThatCannotBeListed:
    def test_that_of_a_condition_fails_and_its_port_stays(self, protocol, ported, lock):
        before = files_of(ported / "Subject01" / "condA")
        folder = protocol / "data" / "Subject01" / "condA"
        lock(folder)
        report = port_protocol(protocol, ported)
        assert not report.success
        assert [unit["title"] for unit in report.failed] == ["Subject01/condA"]
        assert f"{folder}: cannot be listed. Check your rights there." in str(report)
        assert "Subject01/condB" in [unit["title"] for unit in report.kept]
        assert files_of(ported / "Subject01" / "condA") == before
        assert port_protocol(protocol, ported, conditions="condB").success

    def test_that_of_a_subject_is_no_success(self, protocol, out, lock):
        lock(protocol / "data" / "Subject01")
        report = port_protocol(protocol, out, dry_run=True)
        assert report.unlisted == (protocol / "data" / "Subject01",)
        assert not report.success
        assert not report.failed
        found = io.read_protocol(protocol)
        assert unlisted_of(found, ["Subject02"], None) == ()
        assert unlisted_of(found, ["Subject01"], ["condB"]) == report.unlisted

    def test_that_of_the_protocol_is_refused(self, protocol, out, lock):
        (protocol / "anat").rename(protocol / "hidden")
        lock(protocol)
        with pytest.raises(ProtocolError, match=f"{protocol}: cannot be listed: Permission denied"):
            port_protocol(protocol, out)
