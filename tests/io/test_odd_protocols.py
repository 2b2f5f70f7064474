"""One odd file or folder never stops the rest of a protocol."""

from __future__ import annotations

import dataclasses
import os
import shutil
import sys
import unicodedata
from pathlib import Path

import pytest
from io_helpers import save

from mne_bstinv import export_study, io, load_study, port_protocol, to_surfaces, verify
from mne_bstinv.cli import main
from mne_bstinv.errors import OptionError
from mne_bstinv.io.filenames import is_average, stored_averages
from mne_bstinv.io.stored_paths import find_stored

posix = pytest.mark.skipif(sys.platform == "win32", reason="names and rights of POSIX")


@pytest.fixture
def protocol(data_dir: Path, tmp_path: Path) -> Path:
    return shutil.copytree(data_dir / "eeg_shared", tmp_path / "eeg_shared")


@pytest.mark.parametrize("empty", ["", " "])
def test_an_empty_name_is_no_output(protocol, tmp_path, monkeypatch, empty):
    """It would be the current folder."""
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.iterdir())
    cortex = io.read_surface(next((protocol / "anat" / "Subject01").glob("tess_cortex*")))
    with pytest.raises(OptionError, match="out is an empty name"):
        port_protocol(protocol, empty)
    with pytest.raises(OptionError, match="subjects_dir is an empty name"):
        to_surfaces(empty, "s", cortex=cortex)
    with pytest.raises(OptionError, match="protocol is an empty name"):
        export_study(empty, subject="s", condition="c")
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("stored", ["x" * 300, f"a/{'y' * 300}/b.mat", "a\0b", "../x", "", "/"])
def test_paths_that_can_be_none(protocol, stored):
    assert find_stored(protocol / "data", stored) is None


def test_a_subject_that_names_a_file_of_300_letters(protocol):
    subject = io.Subject(cortex=f"Subject01/{'x' * 300}.mat", use_default_channel=1)
    file = protocol / "anat" / "Subject01" / "brainstormsubject.mat"
    io.write_subject(file, subject, overwrite=True)
    found = io.read_protocol(protocol)
    assert found.subjects[0].cortex is None
    assert any("does not exist" in problem for problem in found.problems)


@posix
@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may read all")
def test_a_folder_without_permission(protocol):
    folder = next(path for path in (protocol / "data" / "Subject01").iterdir() if path.is_dir())
    folder.chmod(0)
    try:
        found = io.read_protocol(protocol)
        assert any("cannot be listed" in problem for problem in found.problems)
        assert len(found.subjects[0].conditions) >= 1
    finally:
        folder.chmod(0o755)


def test_a_folder_that_cannot_be_listed(protocol, monkeypatch):
    original = Path.iterdir
    conditions = [c.name for c in io.read_protocol(protocol).subjects[0].conditions]
    refused = conditions[0]

    def iterdir(self):
        if self.name == refused:
            raise PermissionError(13, "Permission denied")
        return original(self)

    monkeypatch.setattr(Path, "iterdir", iterdir)
    found = io.read_protocol(protocol)
    assert [c.name for c in found.subjects[0].conditions] == conditions
    assert f"{protocol}/data/Subject01/{refused}: cannot be listed: Permission denied" in (
        found.problems
    )


@posix
def test_names_that_are_no_utf8(protocol, capsys):
    folder = protocol / "data" / "Subject01"
    name = os.fsdecode(b"caf\xe9")
    (folder / name).mkdir()
    save(folder / name / "brainstormstudy.mat", Name="x")
    save(folder / name / "timefreq_x.mat", TF=1.0)
    found = io.read_protocol(protocol)
    assert name in [c.name for c in found.subjects[0].conditions]
    assert main(["info", str(protocol)]) == 0
    assert r"Condition caf\udce9" in capsys.readouterr().out
    assert main(["info", str(protocol), "--json"]) == 0
    capsys.readouterr()


@posix
def test_a_port_of_names_that_are_no_utf8(protocol, tmp_path, capsys):
    folder = protocol / "data" / "Subject01"
    first = next(c for c in io.read_protocol(protocol).subjects[0].conditions if c.recordings)
    shutil.copytree(first.folder, folder / os.fsdecode(b"caf\xe9"))
    (folder / "\x1b[31mred").mkdir()
    code = main(["port", str(protocol), str(tmp_path / "out"), "--estimates", "none"])
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert code in (0, 1)
    assert list((tmp_path / "out").rglob("*caf*-ave.fif"))
    assert main(["port", str(protocol), str(tmp_path / "out"), "--estimates", "none"]) == code
    assert "0 units converted" in capsys.readouterr().out or code == 1


@pytest.mark.parametrize(
    ("n_avg", "taken"),
    [(0.0, 1), (1.0, 1), (2.0, 2), (float("inf"), 1), (float("nan"), 1), (-3.0, 1)],
)
def test_averages_by_a_number_that_cannot_be(tmp_path, n_avg, taken):
    file = save(tmp_path / "data_x.mat", nAvg=n_avg)
    assert stored_averages(file) == taken
    assert is_average(file) is (taken > 1)


def test_comments_and_other_files_are_listed(protocol, capsys):
    condition = next(c for c in io.read_protocol(protocol).subjects[0].conditions if c.recordings)
    save(condition.folder / "spectrum_x.mat", x=1.0)
    (condition.folder / "notes.txt").write_text("x")
    (condition.folder / ".hidden").write_text("x")
    save(protocol / "anat" / "Subject01" / "tess_fibers.mat", x=1.0)
    save(condition.folder / "matrix_x.mat", Value=1.0, Description="a", Comment="signals\tof 1")
    comment = io.read_recordings(condition.recordings[0].file).comment
    assert main(["info", str(protocol)]) == 0
    out = capsys.readouterr().out
    folder = condition.folder.relative_to(protocol).as_posix()
    assert f"      other        {folder}/spectrum_x.mat" in out
    assert f"{condition.recordings[0].file.name}: {comment}" in out
    found = io.read_protocol(protocol)
    others = [f.name for s in found.subjects for c in s.conditions for f in c.other_files]
    assert others == ["spectrum_x.mat", "notes.txt"]
    assert "    other        anat/Subject01/tess_fibers.mat" in out
    assert f"      derived      {folder}/matrix_x.mat: signals of 1" in out
    kernels = [r for s in found.subjects for c in s.conditions for r in c.results]
    assert out.count("(kernel)") + out.count("(shared kernel)") + out.count("(full)") == len(
        kernels
    )


def test_trials_are_listed_by_their_numbers(data_dir, tmp_path):
    """The thousandth has a digit more than names are padded to."""
    root = shutil.copytree(data_dir / "eeg_volume", tmp_path / "protocol")
    folder = root / "data/Subject01/oddball"
    average = next(folder.glob("data_*.mat"))
    numbers = (9, 99, 100, 101, 999, 1000, 1001)
    for number in numbers:
        (folder / f"data_go_trial{number:03d}.mat").symlink_to(average)
    entries = io.read_protocol(root).condition("Subject01", "oddball").recordings
    names = [entry.file.stem for entry in entries if "trial" in entry.file.stem]
    assert names == [f"data_go_trial{number:03d}" for number in numbers]


#: The same name, letters and accents in one and apart: as they are typed, and in folders of macOS.
FORMS = (unicodedata.normalize("NFC", "été"), unicodedata.normalize("NFD", "été"))


@pytest.mark.parametrize(("there", "stored"), [FORMS, FORMS[::-1]])
def test_names_in_another_form_of_unicode_are_found(data_dir, tmp_path, there, stored):
    """What files name, the bad trials, the current head model, and what a user types."""
    root = shutil.copytree(data_dir / "eeg_volume", tmp_path / "protocol")
    folder = (root / "data/Subject01/oddball").rename(root / "data/Subject01" / there)
    average = next(folder.glob("data_*.mat"))
    bad = folder / f"data_{there}_trial001.mat"
    shutil.copy(average, bad)
    for file in folder.glob("results_*.mat"):
        results = io.read_results(file)
        names = {
            name: getattr(results, name).replace("oddball", stored)
            for name in ("data_file", "head_model_file")
        }
        io.write_results(file, dataclasses.replace(results, **names), overwrite=True)
    marked = io.Study(name="x", bad_trials=(f"data_{stored}_trial001.mat",))
    io.write_study(folder / "brainstormstudy.mat", marked, overwrite=True)
    protocol = io.read_protocol(root)
    assert protocol.problems == ()
    condition = protocol.condition("Subject01", stored)
    assert condition.folder == folder
    assert all(entry.data_file == average for entry in condition.results)
    assert [entry.file for entry in condition.recordings if entry.bad] == [bad]
    assert {one.status for one in verify(root)} == {"equal", "equal invariants"}
    assert load_study(root, condition=stored).name == f"Subject01/{there}"
    ported = port_protocol(root, tmp_path / "out", conditions=stored, dry_run=True)
    assert f"Subject01/{there}" in [unit["title"] for unit in ported.units]
