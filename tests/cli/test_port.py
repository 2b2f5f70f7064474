from __future__ import annotations

import shlex
import shutil

import pytest

from mne_bstinv.cli import main


@pytest.fixture
def study(data_dir, tmp_path):
    """A writable copy of a small protocol."""
    return shutil.copytree(data_dir / "mixed", tmp_path / "study")


def test_port_and_again(study, tmp_path, capsys):
    command = ["port", str(study), str(tmp_path / "out"), "--verify"]
    assert main(command) == 0
    *named, verified_, operators, last = capsys.readouterr().out.splitlines()
    # the files that are not comparable, with the reasons
    unit, dspm = "Subject01/mixed: ", "Subject01_mixed_dSPM-unscaled_EEG_KERNEL_261122_1205_fixed-"
    assert named[0].startswith(f"{unit}data/Subject01/mixed/results_Dipoles_EEG_KERNEL_261122_1205")
    assert ".mat: not comparable: " in named[0]
    assert named[1].startswith(f"{unit}{dspm}loose-free-inv.fif: not comparable, MNE has no method")
    verified = "6 kernels verified: 3 equal, 2 equal invariants, 1 not comparable; largest relative"
    assert verified_.startswith(verified)
    assert operators.startswith("3 of 5 operators give the stored kernels (largest relative diff")
    assert operators.endswith("; 2 have no MNE method (their estimates are written)")
    assert last == (
        "2 units converted (1 anatomy, 1 condition), 0 up to date, 0 failed; see "
        f"{tmp_path / 'out/port.html'}"
    )
    assert main(command) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("0 units converted, 2 up to date")


def test_an_interruption_says_how_to_go_on(study, tmp_path, capsys, monkeypatch):
    from mne_bstinv.port import unit

    def interrupted(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(unit, "convert_unit", interrupted)
    assert main(["port", str(study), str(tmp_path / "out")]) == 130
    assert capsys.readouterr().err.endswith("interrupted: run the same command again to go on\n")
    monkeypatch.undo()
    assert main(["port", str(study), str(tmp_path / "out")]) == 0


def test_exit_code_when_something_fails(study, tmp_path, capsys):
    next(study.rglob("results_MN*1205.mat")).write_bytes(b"not a MATLAB file" * 20)
    assert main(["port", str(study), str(tmp_path / "out")]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("Subject01/mixed: results data/Subject01/mixed/results_MN")
    assert "not a MATLAB file" in lines[0]
    assert lines[-1].startswith("1 unit converted (1 anatomy), 0 up to date, 1 failed")


def test_filters(study, tmp_path, capsys):
    out = tmp_path / "out"
    assert main(["port", str(study), str(out), "--subject", "nobody"]) == 2
    assert "no subject 'nobody'; choose one of: 'Subject01'" in capsys.readouterr().err
    assert main(["port", str(study), str(out), "--data-types", "MEG", "--n-jobs", "1"]) == 0
    assert not list(out.rglob("*-inv.fif"))
    assert main(["port", str(study), str(out), "--estimates", "none"]) == 0
    assert list(out.rglob("*-inv.fif"))
    assert not list(out.rglob("*-stc.h5"))
    capsys.readouterr()


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--n-jobs", "0", "positive number of conditions, or -1 for one a core; found '0'"),
        ("--n-jobs", "-5", "positive number of conditions, or -1 for one a core; found '-5'"),
        ("--n-jobs", "all", "positive number of conditions, or -1 for one a core; found 'all'"),
        ("--max-size", "-1", "must be a positive number of GiB; found '-1'"),
        ("--max-size", "0", "must be a positive number of GiB; found '0'"),
        ("--max-size", "nan", "must be a positive number of GiB; found 'nan'"),
        ("--max-size", "64GB", "must be a positive number of GiB; found '64GB'"),
    ],
)
def test_numbers_that_mean_nothing(study, tmp_path, capsys, option, value, message):
    with pytest.raises(SystemExit, match="2"):
        main(["port", str(study), str(tmp_path / "out"), option, value])
    assert f"argument {option}: " in (err := capsys.readouterr().err)
    assert message in err
    assert not (tmp_path / "out").exists()


def test_unusable_input(study, tmp_path, capsys):
    out = tmp_path / "out"
    assert main(["port", str(tmp_path / "none.zip"), str(out)]) == 2
    assert "none.zip: no such file or folder" in capsys.readouterr().err
    (tmp_path / "x.zip").write_bytes(b"x")
    assert main(["port", str(tmp_path / "x.zip"), str(out)]) == 2
    assert "not a zip file, or a damaged one: File is not a zip file. Copy it again, or" in (
        capsys.readouterr().err
    )
    assert main(["port", str(study), str(study / "data" / "out")]) == 2
    assert "inside the protocol" in capsys.readouterr().err
    assert not out.exists()


def test_a_part_is_refused_with_the_command_that_ports_it(study, tmp_path, capsys):
    out = tmp_path / "my out"
    channel_file = next(study.rglob("channel*.mat"))
    assert main(["port", str(channel_file), str(out)]) == 2
    command = capsys.readouterr().err.split("alone: mne-bstinv ")[1].split(" (in Python")[0]
    assert command == f"port {study} '{out}' --subject Subject01 --condition mixed"
    assert main(shlex.split(command)) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("2 units converted")


def test_a_dry_run_says_what_would_be_done_and_writes_nothing(study, tmp_path, capsys):
    out = tmp_path / "out"
    command = ["port", str(study), str(out)]
    assert main([*command, "--dry-run"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("to convert: anatomy of Subject01 → subjects/Subject01 (")
    assert lines[-1] == (
        "dry run: 2 units to convert (1 anatomy, 1 condition), 0 up to date, 0 that would fail; "
        f"nothing was written to {out}"
    )
    assert not out.exists()

    assert main(command) == 0
    before = {file: file.stat().st_mtime_ns for file in out.rglob("*")}
    next(study.rglob("results_MN*1205.mat")).unlink()
    capsys.readouterr()
    assert main([*command, "--dry-run"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in lines if not line.startswith("a dry run does not")] == [
        "up to date", "to convert", "dry run",
    ]  # fmt: skip
    assert {file: file.stat().st_mtime_ns for file in out.rglob("*")} == before


def test_a_dry_run_of_an_archive(study, tmp_path, capsys):
    archive = shutil.make_archive(tmp_path / "study", "zip", study.parent, study.name)
    assert main(["port", archive, str(tmp_path / "out"), "--dry-run"]) == 0
    assert "dry run: 2 units to convert" in capsys.readouterr().out
    assert not (tmp_path / "out").exists()


def test_a_dry_run_counts_what_it_sees_that_would_fail(study, tmp_path, capsys):
    one, two, three = sorted(study.rglob("results_*KERNEL*.mat"))[:3]
    one.write_bytes(one.read_bytes()[:-1000])
    shutil.copy(next(study.rglob("channel*.mat")), two)
    for recordings in study.rglob("data_*.mat"):
        recordings.unlink()
    command = ["port", str(study), str(tmp_path / "out")]
    assert main([*command, "--dry-run"]) == 1
    said = capsys.readouterr().out
    lines = said.splitlines()
    assert lines[-1].endswith(f", 1 that would fail; nothing was written to {tmp_path / 'out'}")
    assert "a dry run does not look at the numbers in files" in said
    assert "no results: it has none of ImageGridAmp, ImagingKernel" in said
    for file in (one, two, three):  # each is named once
        assert [line for line in lines if f"/{file.name}: " in line and "problem" in line] == []
        assert sum(f"/{file.name}: " in line for line in lines) == 1
    assert main(["info", str(study)]) == 0
    said = capsys.readouterr().out
    told = next(line for line in said.splitlines() if two.name in line)
    assert told.endswith(" (unusable)")
