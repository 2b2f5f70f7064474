"""One file that cannot be read, of any kind, costs neither its condition nor the protocol."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from mne_bstinv import io, port_protocol, verify
from mne_bstinv.cli import main

#: The kind of the file -> what it looks like, and what cannot be made without it in its condition.
BROKEN = {
    "channel": ("data/Subject01/evoked/channel*.mat", None),
    "headmodel": ("data/Subject01/evoked/headmodel*.mat", "-fwd.fif"),
    "noisecov": ("data/Subject01/evoked/noisecov*.mat", "-cov.fif"),
    "data": ("data/Subject01/evoked/data*.mat", "-ave.fif"),
    "results": ("data/Subject01/evoked/results_MN_EEG*.mat", ""),
    "study": ("data/Subject01/evoked/brainstormstudy.mat", ""),
    "cortex": ("anat/Subject01/tess_cortex*.mat", ".pial"),
    "scalp": ("anat/Subject01/tess_head*.mat", "outer_skin.surf"),
    "innerskull": ("anat/Subject01/tess_inner*.mat", "inner_skull.surf"),
    "mri": ("anat/Subject01/subjectimage*.mat", "T1.mgz"),
    "subject": ("anat/Subject01/brainstormsubject.mat", ""),
    "matrix": ("data/Subject01/evoked/matrix_new.mat", ""),
    "dipoles": ("data/Subject01/evoked/dipoles_new.mat", ""),
    "timefreq": ("data/Subject01/evoked/timefreq_new.mat", ""),
    "tests": ("data/Subject01/evoked/pdata_new.mat", ""),
    "index": ("data/protocol.mat", ""),
    "other": ("data/Subject01/evoked/whatever.mat", ""),
}


@pytest.fixture(scope="module")
def whole(sample_dir, tmp_path_factory) -> Path:
    """The sample with a second condition."""
    root = shutil.copytree(sample_dir, tmp_path_factory.mktemp("whole") / "study")
    data = root / "data" / "Subject01"
    for folder in [path for path in data.iterdir() if path.is_dir() and path.name != "evoked"]:
        shutil.rmtree(folder)
    other = shutil.copytree(data / "evoked", data / "other")
    for file in other.glob("results_*"):
        file.unlink()
    return root


@pytest.fixture(scope="module")
def outputs(whole, tmp_path_factory) -> dict[str, set[str]]:
    """What the whole protocol gives."""
    report = port_protocol(whole, tmp_path_factory.mktemp("out"), estimates="none")
    assert report.success
    return {unit["folder"]: set(unit["outputs"]) for unit in report.units}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_file(whole, outputs, tmp_path, capsys, kind):
    pattern, lost = BROKEN[kind]
    root = shutil.copytree(whole, tmp_path / "study")
    file = next(root.glob(pattern), root / pattern)
    file.write_bytes(b"MATLAB 5.0 MAT-file, and nothing of the kind".ljust(300, b"\xff"))

    assert main(["info", str(root)]) == 0
    assert "Condition other" in capsys.readouterr().out

    outcomes = {o.file.name: o.status for o in verify(root)}
    kernels = {f.name for f in (root / "data/Subject01/evoked").glob("results_*")}
    assert kernels <= set(outcomes)
    if kind not in ("channel", "headmodel", "noisecov"):  # without these nothing is recomputed
        equal = [name for name in kernels if outcomes[name].startswith("equal")]
        assert len(equal) == len(kernels) - (kind == "results"), outcomes

    report = port_protocol(root, tmp_path / "out", estimates="none")
    found = {unit["folder"]: set(unit["outputs"]) for unit in report.units}
    said = "\n".join([str(report), *report.problems, *map(str, report.findings)])
    if kind not in ("other", "index"):
        assert file.name in said
    assert set(outputs) <= set(found)
    assert outputs["Subject01/other"] <= found["Subject01/other"], said
    if lost is not None:
        missing = set().union(*outputs.values()) - set().union(*found.values())
        assert all(
            (lost and lost in name) or file.stem in name or kind in FOLLOWS for name in missing
        )
        assert lost == "" or missing, "the file was not needed"


#: Without these more is missing than what is made of them: operators need all three.
FOLLOWS = ("headmodel", "noisecov", "cortex", "results", "subject", "mri")


def test_the_protocol_lists_a_broken_file_as_a_problem(whole, tmp_path):
    root = shutil.copytree(whole, tmp_path / "study")
    file = root / "data/Subject01/evoked/brainstormstudy.mat"
    file.write_bytes(b"x" * 300)
    found = io.read_protocol(root)
    assert any(file.name in problem for problem in found.problems)
