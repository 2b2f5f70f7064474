from __future__ import annotations

import contextlib
import dataclasses
import itertools
import json
import logging
import pkgutil
import re
import shutil
import signal
import subprocess
import sys

import numpy as np
import pytest
from plots_helpers import blank_pictures

from mne_bstinv import __version__, cli, io
from mne_bstinv.cli import main


@pytest.fixture
def study(data_dir, tmp_path):
    """A writable copy of a small protocol."""
    return shutil.copytree(data_dir / "mixed", tmp_path / "study")


class TestVerify:
    def test_lines_and_verdict(self, study, capsys):
        assert main(["verify", str(study)]) == 0
        lines = capsys.readouterr().out.splitlines()
        assert len(lines) == 7
        assert lines[-1].startswith("6 results file(s): 3 equal, 2 equal invariants, 1 not comp")
        (gls,) = (line for line in lines if line.startswith("not comparable"))
        assert "gls and lcmv on a mixed head model" in gls
        (amplitude, *_) = (line for line in lines if "results_MN" in line)
        assert (
            "[minimum norm, amplitude, fixed/loose 0.2/free orientation, EEG, noise reg 0.1, "
            "SNR 3, depth 0.5 up to 10, inverse of 2018]" in amplitude
        )

    def test_json(self, study, capsys):
        assert main(["verify", str(study), "--json"]) == 0
        outcomes = json.loads(capsys.readouterr().out)
        assert len(outcomes) == 6
        assert {"file", "status", "relative_difference", "reason"} <= set(outcomes[0])
        assert {o["status"] for o in outcomes} == {"equal", "equal invariants", "not comparable"}

    def test_warnings_stand_in_the_line_and_not_in_the_log(self, data_dir, capsys, caplog):
        files = [
            file
            for file in (data_dir / "eeg_surface").rglob("results_MN*.mat")
            if io.read_results(file).options["NoiseMethod"] == "shrink"
        ]
        assert main(["verify", str(files[0])]) == 0
        assert "Shrinkage of the EEG covariance is complete" in capsys.readouterr().out
        assert caplog.messages == []
        logger = logging.getLogger("mne_bstinv")
        assert logger.isEnabledFor(logging.WARNING)  # as before

    def test_exit_code_when_something_differs(self, study, capsys):
        path = next(study.rglob("results_MN*1205.mat"))
        stored = io.read_results(path)
        kernel = stored.imaging_kernel + np.abs(stored.imaging_kernel).max()
        io.write_results(path, dataclasses.replace(stored, imaging_kernel=kernel), overwrite=True)
        assert main(["verify", str(path)]) == 1
        assert capsys.readouterr().out.startswith("differs")

    def test_exit_code_when_something_fails(self, study, capsys):
        path = next(study.rglob("results_MN*1205.mat"))
        path.write_bytes(b"not a MATLAB file" * 20)
        assert main(["verify", str(study), "--json"]) == 1
        statuses = [o["status"] for o in json.loads(capsys.readouterr().out)]
        assert statuses.count("error") == 1

    def test_tolerance(self, study, capsys):
        path = next(study.rglob("results_MN*1205.mat"))
        stored = io.read_results(path)
        changed = dataclasses.replace(stored, imaging_kernel=(1 + 1e-6) * stored.imaging_kernel)
        io.write_results(path, changed, overwrite=True)
        assert main(["verify", str(study), "--rtol", "1e-5"]) == 0
        assert "differs" not in capsys.readouterr().out
        assert main(["verify", str(study)]) == 1
        assert "differs" in capsys.readouterr().out
        for wrong in ("2", "x", "nan"):
            with pytest.raises(SystemExit):
                main(["verify", str(study), "--rtol", wrong])
            assert f"must be a number from 0 to 0.5, found '{wrong}'" in capsys.readouterr().err

    def test_operators_without_effect(self, study, tmp_path, capsys):
        (tmp_path / "x-inv.fif").touch()
        path = str(next(study.rglob("results_MN*1205.mat")))
        assert main(["verify", path, "--inverse", str(tmp_path / "x-inv.fif")]) == 0
        words = "mne-bstinv verify: --inverse has no effect: no kernel here is of MNE-Python\n"
        assert capsys.readouterr().err.endswith(words)

    def test_nothing_to_verify(self, tmp_path, capsys):
        for more in ([], ["--json"], ["--strict"]):
            assert main(["verify", str(tmp_path), *more]) == 2
            said = capsys.readouterr()
            assert said.out == ""
            assert said.err == (
                f"mne-bstinv verify: {tmp_path}: no results file (results_*.mat) in it, nor "
                "anything that was made of others, so nothing was verified. Give a protocol, a "
                "condition or a file.\n"
            )

    def test_nothing_comparable(self, study, capsys):
        for file in study.rglob("noisecov*.mat"):
            file.unlink()
        note = "mne-bstinv verify: nothing was verified: none of 6 file(s) is comparable"
        assert main(["verify", str(study)]) == 0
        said = capsys.readouterr()
        assert said.out.splitlines()[-1] == "6 results file(s): 6 not comparable."
        assert note in said.err
        assert "--strict" not in said.err
        assert main(["verify", str(study), "--json", "--strict"]) == 1
        said = capsys.readouterr()
        assert len(json.loads(said.out)) == 6
        assert note in said.err
        assert "--strict: exit code 1, since 6 of 6 results file(s) cannot be compared" in said.err

    def test_no_such_path(self, tmp_path, capsys):
        assert main(["verify", str(tmp_path / "nowhere")]) == 2
        assert "nowhere: no such file or folder" in capsys.readouterr().err


class TestInfo:
    def test_protocol(self, study, capsys):
        assert main(["info", str(study)]) == 0
        out = capsys.readouterr().out
        assert "Subject Subject01 (UseDefaultAnat 0, UseDefaultChannel 0)" in out
        assert "channel      data/Subject01/mixed/channel.mat" in out
        assert out.count("results      ") == 6

    def test_protocol_as_json(self, study, capsys):
        assert main(["info", str(study), "--json"]) == 0
        protocol = json.loads(capsys.readouterr().out)
        (subject,) = protocol["subjects"]
        (condition,) = (c for c in subject["conditions"] if c["name"] == "mixed")
        assert condition["noise_cov_file"] == "data/Subject01/mixed/noisecov_full.mat"
        assert len(condition["results"]) == 6
        assert protocol["problems"] == []

    @pytest.mark.parametrize(
        ("pattern", "kind", "field", "value", "unit"),
        [
            ("headmodel*", "headmodel", "Gain", "33 × 279 float64", "T or V per A·m"),
            ("noisecov*", "noisecov", "NoiseCov", "33 × 33 float64", "T² or V²"),
            ("channel*", "channel", "Comment", "eeg32 (33)", ""),
            ("data_*", "data", "F", "33 × 200 float64", "T or V"),
            ("results_MN*1205*", "results", "nComponents", "0", ""),
            ("tess_cortex*", "cortex", "Vertices", "122 × 3 float64", "m"),
            ("subjectimage*", "subjectimage", "Voxsize", "[3 3 3]", "mm"),
            ("brainstormstudy*", "brainstormstudy", "DateOfStudy", "01-Jan-2024", ""),
            ("brainstormsubject*", "brainstormsubject", "UseDefaultChannel", "0", ""),
        ],
    )
    def test_each_kind_of_file(self, study, capsys, pattern, kind, field, value, unit):
        path = next(p for p in study.rglob(pattern + ".mat") if "intra" not in str(p))
        path = next((p for p in study.rglob(pattern + ".mat") if p.parent.name == "mixed"), path)
        assert main(["info", str(path), "--json"]) == 0
        described = json.loads(capsys.readouterr().out)
        assert described["kind"] == kind
        assert described["fields"][field] == {"value": value, "unit": unit}
        assert main(["info", str(path)]) == 0
        assert field in capsys.readouterr().out

    def test_unknown_kind(self, tmp_path, capsys):
        path = tmp_path / "something.mat"
        path.write_bytes(b"")
        assert main(["info", str(path)]) == 2
        assert "not a file of a known kind by its name" in capsys.readouterr().err

    @pytest.mark.parametrize("name", ["x-fwd.fif", "x-lh.stc", "x.txt"])
    def test_files_of_others(self, tmp_path, capsys, name):
        (tmp_path / name).write_bytes(b"")
        assert main(["info", str(tmp_path / name)]) == 2
        err = capsys.readouterr().err
        assert f"{name}: info reads Brainstorm's files (.mat) and protocols, no others." in err
        assert "use mne show_fif or mne.read_…; mne-bstinv convert makes files" in err

    def test_damaged_file(self, study, capsys):
        path = next(study.rglob("headmodel*.mat"))
        path.write_bytes(path.read_bytes()[:300])
        assert main(["info", str(path)]) == 2
        assert str(path) in capsys.readouterr().err

    def test_no_protocol(self, tmp_path, capsys):
        assert main(["info", str(tmp_path)]) == 2
        assert "anat" in capsys.readouterr().err


@pytest.mark.slow
class TestDemo:
    def test_prints_where_and_when_and_draws(self, tmp_path, capsys):
        (tmp_path / "out").mkdir()
        for name in ("estimate.png", "report.html"):
            (tmp_path / "out" / name).write_text("earlier")
        with blank_pictures():
            assert main(["demo", "--out", str(tmp_path / "out"), "--overwrite"]) == 0
        out = capsys.readouterr().out
        assert "4 results file(s): 4 equal" in out
        # one source is found exactly, the other is missed
        assert (
            "100 ms: strongest at vertex 11 (1-based), +2.59 nA·m; simulated at vertex 837, "
            "temporal-superior L: 19.3 mm, 4 edge(s) of the mesh away"
        ) in out
        assert (
            "170 ms: strongest at vertex 533 (1-based), +3.13 nA·m; simulated at vertex 533, "
            "occipital-lateral R: 0.0 mm, 0 edge(s) of the mesh away"
        ) in out
        assert (tmp_path / "out" / "estimate.png").read_bytes().startswith(b"\x89PNG")
        for method in ("MNE", "dSPM", "sLORETA"):
            assert f"   {method} fixed MEG. Told the same: equal" in out
        assert out.count("Main causes (alone, mean of both ends): ") == 3
        assert "mne-bstinv compare averages over all orders" in out
        page = tmp_path / "out" / "report.html"
        assert out.endswith(f"   The first of these, with figures: {page}\n")
        text = page.read_text(encoding="utf-8")
        assert "datasets.load_sample()" in text
        assert "mne-bstinv compare averages over all orders" in text
        assert "<th>mean over orders</th>" not in text

    def test_a_file_is_no_folder(self, tmp_path, capsys):
        (tmp_path / "x").touch()
        assert main(["demo", "--out", str(tmp_path / "x")]) == 2
        assert capsys.readouterr() == ("", f"mne-bstinv demo: {tmp_path / 'x'}: a file; --out is a "
                                       "folder. Choose another name.\n")  # fmt: skip

    @pytest.mark.parametrize("name", ["estimate.png", "report.html"])
    def test_does_not_overwrite_unasked(self, tmp_path, capsys, name):
        (tmp_path / name).write_text("mine")
        assert main(["demo", "--out", str(tmp_path)]) == 2
        assert f"{name}: exists already; use overwrite=True (--over" in capsys.readouterr().err
        assert (tmp_path / name).read_text() == "mine"
        assert len(list(tmp_path.iterdir())) == 1


def test_help_says_of_each_command_what_its_module_says(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "1000")
    with pytest.raises(SystemExit):
        main(["--help"])
    told = capsys.readouterr().out
    commands = dict(re.findall(r"^    (\S+) +(\S.*)$", told, re.MULTILINE))
    modules = {info.name for info in pkgutil.iter_modules(cli.__path__)} - {
        "arguments",
        "compare_options",
        "compare_plan",
        "effects",
        "streams",
    }
    assert {name.replace("-", "_") for name in commands} == {name.rstrip("_") for name in modules}
    for name, summary in commands.items():
        with pytest.raises(SystemExit):
            main([name, "--help"])
        assert summary == capsys.readouterr().out.split("\n\n")[1].splitlines()[0][: len(summary)]


def test_version_and_module():
    command = [sys.executable, "-m", "mne_bstinv", "--version"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert done.stdout == f"mne-bstinv {__version__}\n"


@pytest.mark.parametrize(
    ("where", "interrupted"), [("parse_known_args", True), ("declare", False), ("_level", True)]
)
def test_an_interruption_is_one_word_wherever_it_comes(
    sample_dir, capsys, monkeypatch, where, interrupted
):
    """In the imports of a command, too, and where its exception is lost."""

    def press(*_):
        with contextlib.nullcontext() if interrupted else contextlib.suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        return original(*_)

    place = cli if where == "_level" else cli._Command
    original = getattr(place, where)
    monkeypatch.setattr(place, where, press)
    assert main(["info", str(sample_dir)]) == 130
    assert capsys.readouterr().err == "interrupted\n"


def test_interrupted_verifications_are_printed(study, capsys, monkeypatch):
    def two(files, **_):
        yield from itertools.islice(original(files), 2)
        raise KeyboardInterrupt

    original = cli._module("verify").verify
    monkeypatch.setattr("mne_bstinv.cli.verify.verify", two)
    assert main(["verify", str(study), "--json"]) == 130
    said = capsys.readouterr()
    assert len(json.loads(said.out)) == 2
    assert said.err == "interrupted: 2 of 6 file(s) were verified\n"


def test_strict_wants_everything_equal(study, capsys):
    amplitude = next(study.rglob("results_MN*1205.mat"))
    assert main(["verify", str(amplitude), "--strict"]) == 0
    assert "--strict" not in capsys.readouterr().err
    assert main(["verify", str(study), "--strict"]) == 1  # the scan of a mixed model
    err = capsys.readouterr().err
    assert "mne-bstinv verify: --strict: exit code 1, since 1 of 6 results file(s) cann" in err
    assert "nothing was verified" not in err


def test_a_folder_that_cannot_be_made_is_no_traceback(tmp_path, capsys):
    (tmp_path / "file").write_text("mine")
    assert main(["demo", "--out", str(tmp_path / "file")]) == 2
    assert "mne-bstinv demo: " in capsys.readouterr().err


def test_each_command_names_what_does_the_same_in_python(capsys):
    texts = cli.help_texts()
    modules = {module.name for module in pkgutil.iter_modules(cli.__path__)}
    assert {name.replace("-", "_") for name in texts if name} <= {*modules, "lambda"}
    for name, text in texts.items():
        if not name:
            assert "Exit codes: 0 success; 1 something differs" in " ".join(text.split())
            continue
        with pytest.raises(SystemExit):
            main([name, "--help"])
        assert " ".join(capsys.readouterr().out.split()) == " ".join(text.split())
        (twins,) = re.findall(r"In Python: (.*)\.", " ".join(text.split()))
        for twin in twins.replace("- ", "-").split(", "):
            assert callable(pkgutil.resolve_name(twin)), (name, twin)


def test_how_much_is_said(monkeypatch, capsys):
    def run(args):
        logger = logging.getLogger("mne_bstinv")
        for level in (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR):
            logger.log(level, logging.getLevelName(level))
        print("terminal" if sys.stderr.isatty() else "file")
        return 0

    monkeypatch.setattr("mne_bstinv.cli.sys_info.run", run)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    heard = {}
    for arguments in ([], ["-v"], ["-vv"], ["--quiet"]):
        assert main(["sys-info", *arguments]) == 0
        said = capsys.readouterr()
        heard["".join(arguments)] = said.err.split(), said.out.strip()
    assert heard == {
        "": (["WARNING", "ERROR"], "terminal"),
        "-v": (["INFO", "WARNING", "ERROR"], "terminal"),
        "-vv": (["DEBUG", "INFO", "WARNING", "ERROR"], "terminal"),
        "--quiet": (["ERROR"], "file"),
    }
    with pytest.raises(SystemExit, match="2"):
        main(["sys-info", "-q", "-v"])
    assert "not allowed with argument -q" in capsys.readouterr().err


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_commands_can_be_completed(shell, capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["--print-completion", shell])
    script = capsys.readouterr().out
    assert all(name in script for name in ("sys-info", "--dry-run", "--raw-dir", "--print-compl"))


def test_completion_says_what_it_needs(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "shtab", None)
    with pytest.raises(SystemExit, match="2"):
        main(["--print-completion", "bash"])
    assert "pip install 'mne-bstinv[completion]'" in capsys.readouterr().err
