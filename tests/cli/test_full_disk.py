"""A full disk: the command names what it cannot write and leaves nothing; the next run goes on."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from small_sample import write_small_sample

from mne_bstinv.cli import main

resource = pytest.importorskip("resource", reason="files without a largest size")

#: Bytes of a file that is too large: the largest that each command writes is larger.
LARGEST = 8192


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> Path:
    """The sample study in files of MNE."""
    folder = tmp_path_factory.mktemp("fif")
    write_small_sample(folder)
    return folder


def port(data_dir, files, out):
    return ["port", str(data_dir / "eeg_shared"), str(out)]


def export(data_dir, files, out):
    return ["export", str(out), "--subject", "S", "--condition", "c",
            "--recordings", str(files / "s-ave.fif"), "--forward", str(files / "s-fwd.fif"),
            "--noise-cov", str(files / "s-cov.fif")]  # fmt: skip


def convert(data_dir, files, out):
    return ["convert", str(next(data_dir.glob("eeg_shared/**/headmodel*.mat"))), f"{out}-fwd.fif"]


def convert_back(data_dir, files, out):
    return ["convert", str(files / "s-fwd.fif"), str(out.with_name("headmodel_x.mat")),
            "--channels", str(next(data_dir.glob("sample_small/**/channel*.mat")))]  # fmt: skip


@contextlib.contextmanager
def small_files() -> Iterator[None]:
    """Have the system refuse files beyond a size, as it refuses all on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def left_over(folder: Path) -> list[Path]:
    return [file for file in folder.rglob("*") if file.name.endswith((".tmp", ".old"))]


@pytest.mark.parametrize("command", [export, convert, convert_back, port])
def test_what_cannot_be_written_is_named_and_written_by_the_next_run(
    data_dir, files, tmp_path, capsys, command
):
    out = tmp_path / "out"
    arguments = command(data_dir, files, out)
    with small_files():
        assert main(arguments) in (1, 2)
    said = capsys.readouterr()
    assert "cannot be written: " in said.out + said.err
    assert str(out.parent) in said.out + said.err
    assert ".tmp" not in said.out + said.err
    assert left_over(tmp_path) == []
    assert main(arguments) == 0
    assert left_over(tmp_path) == []


@pytest.fixture
def disk(tmp_path) -> Iterator[tuple[Path, list[str]]]:
    """A small file system, and the command that enlarges it."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", str(folder)]
    if not sys.platform.startswith("linux") or subprocess.run(mount, check=False).returncode:
        pytest.skip("file systems cannot be mounted here")
    try:
        yield folder, ["mount", "-o", "remount,size=100m", str(folder)]
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.slow
@pytest.mark.parametrize("command", [port, export])
def test_a_disk_that_is_enlarged(data_dir, files, disk, capsys, command):
    folder, enlarge = disk
    arguments = command(data_dir, files, folder / "out")
    assert main(arguments) in (1, 2)
    said = capsys.readouterr()
    assert "No space left on device" in said.out + said.err
    assert left_over(folder) == []
    subprocess.run(enlarge, check=True)
    assert main(arguments) == 0
    assert left_over(folder) == []
