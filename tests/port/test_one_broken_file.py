"""One file that cannot be read, of any kind, costs what is made of it, and nothing else."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from mne_bstinv import io, port_protocol, verify
from mne_bstinv.cli import main

EVOKED = "data/Subject01/evoked"
ANAT = "anat/Subject01"

#: The kind of the file -> where it is, and parts of the names of what is made of it.
BROKEN: dict[str, tuple[str, tuple[str, ...]]] = {
    "channel": (f"{EVOKED}/channel*.mat", ("Subject01_evoked",)),
    "headmodel": (f"{EVOKED}/headmodel*.mat", ("-fwd.fif", "-src.fif", "-inv.fif")),
    "noisecov": (f"{EVOKED}/noisecov*.mat", ("-cov.fif", "-inv.fif")),
    "data": (f"{EVOKED}/data*.mat", ("-ave.fif",)),
    "results": (f"{EVOKED}/results_MN_EEG*.mat", ("MN_EEG",)),
    "study": (f"{EVOKED}/brainstormstudy.mat", ()),
    "cortex": (f"{ANAT}/tess_cortex*.mat", ("surf/", "label/")),
    "scalp": (f"{ANAT}/tess_head*.mat", ("outer_skin.surf", "-head.fif", "-head-dense.fif")),
    "innerskull": (f"{ANAT}/tess_inner*.mat", ("inner_skull.surf",)),
    "mri": (f"{ANAT}/subjectimage*.mat", ("mri/",)),
    "subject": (f"{ANAT}/brainstormsubject.mat", ()),
    "matrix": (f"{EVOKED}/matrix_new.mat", ()),
    "dipoles": (f"{EVOKED}/dipoles_new.mat", ()),
    "timefreq": (f"{EVOKED}/timefreq_new.mat", ()),
    "tests": (f"{EVOKED}/pdata_new.mat", ()),
    "index": ("data/protocol.mat", ()),
    "other": (f"{EVOKED}/whatever.mat", ()),
}


@pytest.fixture(scope="module")
def whole(sample_dir, tmp_path_factory) -> Path:
    """The sample with two conditions."""
    root = shutil.copytree(sample_dir, tmp_path_factory.mktemp("whole") / "study")
    other = shutil.copytree(root / EVOKED, root / "data/Subject01/other")
    for file in other.glob("results_*"):
        file.unlink()
    return root


@pytest.fixture(scope="module")
def outputs(whole, tmp_path_factory) -> set[str]:
    """What the whole protocol gives."""
    report = port_protocol(whole, tmp_path_factory.mktemp("out"), estimates="none")
    assert report.success
    return names(report)


def names(report) -> set[str]:
    return {f"{unit['folder']}/{name}" for unit in report.units for name in unit["outputs"]}


@pytest.fixture
def broken(whole, tmp_path, request) -> tuple[Path, Path]:
    root = shutil.copytree(whole, tmp_path / "study")
    pattern, _ = BROKEN[request.param]
    file = next(root.glob(pattern), root / pattern)
    file.write_bytes(b"MATLAB 5.0 MAT-file, and nothing of the kind".ljust(300, b"\xff"))
    return root, file


@pytest.mark.parametrize("broken", BROKEN, indirect=True)
def test_a_port(broken, outputs, tmp_path, request):
    root, file = broken
    _, lost = BROKEN[request.node.callspec.params["broken"]]
    report = port_protocol(root, tmp_path / "out", estimates="none")
    missing = outputs - names(report)
    assert all(any(part in name for part in lost) for name in missing), missing
    assert {part for part in lost if any(part in name for name in missing)} == set(lost)
    assert not any("Subject01_other" in name for name in missing)
    said = "\n".join([str(report), *report.problems, *map(str, report.findings)])
    assert file.name in said or file.name == "whatever.mat"


@pytest.mark.parametrize("broken", BROKEN, indirect=True)
def test_info_and_verify(broken, capsys):
    root, file = broken
    assert main(["info", str(root)]) == 0
    out = capsys.readouterr().out
    assert "Condition evoked" in out
    assert "Condition other" in out
    outcomes = {o.file.name: o.status for o in verify(root)}
    kernels = {one.name for one in (root / EVOKED).glob("results_*")} - {file.name}
    if file.name.startswith(("channel", "headmodel", "noisecov")):  # all kernels are made of it
        assert not any(outcomes[name].startswith("equal") for name in kernels)
    else:
        assert all(outcomes[name].startswith("equal") for name in kernels), outcomes


def test_it_is_listed_as_a_problem(whole, tmp_path):
    root = shutil.copytree(whole, tmp_path / "study")
    (root / EVOKED / "brainstormstudy.mat").write_bytes(b"x" * 300)
    problems = io.read_protocol(root).problems
    assert any("brainstormstudy.mat" in problem for problem in problems)
