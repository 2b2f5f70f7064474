"""Archives: what is a protocol is extracted, what could leave the target is refused."""

from __future__ import annotations

import stat
import zipfile

import pytest

from mne_bstinv import io
from mne_bstinv.errors import MissingFileError, OverwriteError, ProtocolError
from mne_bstinv.port import archive, port_protocol
from mne_bstinv.port.archive import extract_protocol


@pytest.fixture
def target(tmp_path):
    folder = tmp_path / "target"
    folder.mkdir()
    return folder


def zipped(path, members, **kwargs):
    """A zip file of names (or ZipInfo) and contents."""
    with zipfile.ZipFile(path, "w", **kwargs) as opened:
        for name, content in members:
            opened.writestr(name, content)
    return path


def good(tmp_path, *more, name="good.zip", **kwargs):
    members = [("anat/Subject01/x.mat", b"1"), ("data/protocol.mat", b"2"), *more]
    return zipped(tmp_path / name, members, **kwargs)


def link(name, kind=stat.S_IFLNK):
    info = zipfile.ZipInfo(name)
    info.create_system = 3
    info.external_attr = (kind | 0o777) << 16
    return info


@pytest.mark.parametrize("top", ["", "Protocol/", "exported/Protocol/", "a/b/c/d/e/Protocol/"])
def test_a_protocol_is_found_at_the_top_or_below(tmp_path, target, top):
    file = zipped(
        tmp_path / "Study 1.zip",
        [(f"{top}anat/S/x.mat", b"1"), (f"{top}data/S/c/y.mat", b"2"), (f"{top}readme.txt", b"3")],
    )
    root = extract_protocol(file, target)
    assert root == target / "Study 1" / top.rstrip("/")
    assert (root / "anat/S/x.mat").read_bytes() == b"1"
    assert (root / "data/S/c/y.mat").read_bytes() == b"2"
    assert io.read_protocol(root).name == (top.split("/")[-2] if top else "Study 1")


@pytest.mark.parametrize(
    ("member", "reason"),
    [
        ("../evil.mat", "a name that leads out of the archive: '../evil.mat'"),
        ("data/../../evil.mat", "a name that leads out"),
        ("..\\evil.mat", "a name that leads out"),
        ("/etc/evil", "an absolute name: '/etc/evil'"),
        ("\\\\server\\share\\evil", "an absolute name"),
        ("C:/evil", "an absolute name"),
        ("C:evil", "an absolute name"),
        ("data/x:stream", "a name with a colon"),
        ("data/a\nb", "a name with control characters"),
        (link("data/link"), "a symbolic link: 'data/link'"),
        (link("data/pipe", stat.S_IFIFO), "a special file: 'data/pipe'"),
    ],
)
def test_what_could_leave_the_target_is_refused(tmp_path, target, member, reason):
    file = good(tmp_path, (member, b"/etc/passwd"))
    with pytest.raises(ProtocolError, match=r"refused, it holds ") as error:
        extract_protocol(file, target)
    assert reason in str(error.value)
    assert list(target.iterdir()) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["good.zip", "target"]


def test_a_bomb_is_refused(tmp_path, target):
    zeros = bytes(archive._HARMLESS + 1)
    file = good(tmp_path, ("data/zeros.mat", zeros), compression=zipfile.ZIP_DEFLATED)
    with pytest.raises(ProtocolError, match=r"extracts to 0\.105 GB, \d+ times .* a zip bomb\?"):
        extract_protocol(file, target)
    assert list(target.iterdir()) == []


def test_more_than_the_limit_is_refused(tmp_path, target):
    file = good(tmp_path, ("data/x.mat", bytes(2000)))
    assert extract_protocol(file, target, max_bytes=2002).is_dir()
    with pytest.raises(ProtocolError, match=r"at most 2e-06 GB are allowed: give a larger limit"):
        extract_protocol(file, target, max_bytes=2001)


def test_too_many_files_are_refused(tmp_path, target, monkeypatch):
    monkeypatch.setattr(archive, "MAX_FILES", 2)
    assert extract_protocol(good(tmp_path), target)
    file = good(tmp_path, ("data/third.mat", b""), name="more.zip")
    with pytest.raises(ProtocolError, match="it holds 3 files, at most 2 are allowed"):
        extract_protocol(file, target)


def test_a_name_that_repeats_is_refused(tmp_path, target):
    file = good(tmp_path, ("data/PROTOCOL.mat", b"other"))
    with pytest.raises(ProtocolError, match=r"it holds 'data/protocol\.mat' more than once"):
        extract_protocol(file, target)


def test_a_disk_that_is_too_small_is_named(tmp_path, target, monkeypatch):
    usage = archive.shutil.disk_usage(tmp_path)._replace(free=1)
    monkeypatch.setattr(archive.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(ProtocolError, match=r"holds 2e-09 GB, but .* has 1e-09 GB free"):
        extract_protocol(good(tmp_path), target)


def test_an_encrypted_file_is_refused(tmp_path, target):
    file = good(tmp_path)
    content = bytearray(file.read_bytes())
    # the bit of the flags, in the directory at the end
    content[content.index(b"PK\x01\x02") + 8] |= 1
    file.write_bytes(content)
    with pytest.raises(ProtocolError, match="refused, it holds an encrypted file"):
        extract_protocol(file, target)


def test_damage_is_named(tmp_path, target):
    file = good(tmp_path, ("data/x.mat", b"content of a file"))
    content = file.read_bytes()
    (tmp_path / "cut.zip").write_bytes(content[:-30])
    with pytest.raises(ProtocolError, match=r"cut\.zip: not a zip file, or a damaged one"):
        extract_protocol(tmp_path / "cut.zip", target)
    file.write_bytes(content.replace(b"content of a file", b"another of a file"))
    with pytest.raises(ProtocolError, match="damaged one: Bad CRC-32"):
        extract_protocol(file, target)
    with pytest.raises(MissingFileError, match=r"none\.zip: no such file"):
        extract_protocol(tmp_path / "none.zip", target)


def test_an_archive_without_a_protocol_is_refused(tmp_path, target):
    file = zipped(tmp_path / "x.zip", [("data/a.mat", b"1"), ("other/anat/b.mat", b"2")])
    with pytest.raises(ProtocolError, match="no folder in it has both 'anat' and 'data'"):
        extract_protocol(file, target)


def test_an_archive_of_several_protocols_is_refused(tmp_path, target):
    names = [f"{root}/{part}/x.mat" for root in ("P", "old/Q") for part in ("anat", "data")]
    file = zipped(tmp_path / "x.zip", [(name, b"1") for name in names])
    message = r"x\.zip: holds 2 protocols: 'P', 'old/Q'\. Expected is one: extract the archive"
    with pytest.raises(ProtocolError, match=message):
        extract_protocol(file, target)
    assert list(target.iterdir()) == []


@pytest.mark.parametrize(
    "inner",
    [
        # conditions called so, and the copies of names that macOS adds
        ("P/data/S/anat/x.mat", "P/data/S/data/x.mat"),
        ("__MACOSX/P/anat/._x.mat", "__MACOSX/P/data/._x.mat"),
    ],
)
def test_what_looks_like_a_second_protocol_and_is_none(tmp_path, target, inner):
    names = ("P/anat/S/x.mat", "P/data/S/c/y.mat", *inner)
    file = zipped(tmp_path / "x.zip", [(name, b"1") for name in names])
    assert extract_protocol(file, target) == target / "x/P"


def test_an_archive_is_ported_like_its_folder_and_what_was_extracted_is_gone(
    protocol, ported, tmp_path
):
    file = tmp_path / "eeg_shared.zip"
    with zipfile.ZipFile(file, "w") as opened:
        for path in sorted(protocol.rglob("*")):
            opened.write(path, path.relative_to(protocol.parent))
    report = port_protocol(file, ported, verify=True)
    # the same content by its hashes: what the folder gave is up to date
    assert (len(report.done), len(report.kept), len(report.failed)) == (0, 4, 0)
    assert [path.name for path in (ported / ".port").iterdir()] == ["commit.lock"]


@pytest.mark.parametrize("there", ["nothing", "folder", "file"])
def test_a_refused_archive_leaves_nothing_that_was_not_there(tmp_path, there):
    out = tmp_path / "new" / "out"
    if there != "nothing":
        out.mkdir(parents=True)
    if there == "file":
        (out / "mine.txt").write_text("mine")
    file = good(tmp_path, ("../evil.mat", b""))
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(ProtocolError, match="leads out"):
        port_protocol(file, out)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_wrong_name_leaves_nothing_of_an_archive(protocol, tmp_path):
    file = tmp_path / "x.zip"
    members = [p for p in sorted(protocol.rglob("*")) if p.is_file()]
    zipped(file, [(str(p.relative_to(protocol.parent)), p.read_bytes()) for p in members])
    with pytest.raises(ProtocolError, match=r"^Protocol 'eeg_shared': no subject 'nobody'"):
        port_protocol(file, tmp_path / "out", subjects="nobody")
    assert not (tmp_path / "out").exists()
    with pytest.raises(OverwriteError, match=r"x\.zip: a file; the output is a folder"):
        port_protocol(file, file)


def test_a_member_that_begins_before_the_archive(tmp_path, target):
    """Its directory is said to be further on than it is."""
    file = good(tmp_path)
    content = bytearray(file.read_bytes())
    place = content.rindex(b"PK\5\6") + 16
    stated = int.from_bytes(content[place : place + 4], "little")
    content[place : place + 4] = (stated + 40).to_bytes(4, "little")
    file.write_bytes(content)
    with pytest.raises(ProtocolError, match=r"good\.zip: not a zip file, or a damaged one"):
        extract_protocol(file, target)


@pytest.mark.parametrize("member", [f"data/{'x' * 300}.mat", "anat/Subject01/x.mat/y.mat"])
def test_a_name_that_no_file_can_have_here(tmp_path, target, member):
    """Too long, or of a file and of a folder."""
    file = good(tmp_path, (member, b"1"))
    with pytest.raises(ProtocolError, match="a name that cannot be extracted here: '") as error:
        extract_protocol(file, target)
    assert str(file) in str(error.value)
