"""Outputs that can be told apart, and what nothing was made of."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

from mne_bstinv import io
from mne_bstinv.port import port_protocol
from mne_bstinv.port.listing import comment_of, left_lines, told_apart


@pytest.fixture(scope="module")
def many(data_dir, tmp_path_factory):
    """The port of a condition with dozens of kernels of one minute each."""
    out = tmp_path_factory.mktemp("many") / "out"
    report = port_protocol(data_dir / "meg_eeg", out, conditions="evoked", estimates="none")
    return out, report


def test_operators_can_be_told_apart_by_their_names(many):
    out, _ = many
    outputs = json.loads((out / "Subject01/evoked/port.json").read_text("utf-8"))["outputs"]
    operators = {n: o for n, o in outputs.items() if o.get("what") == "inverse operator"}
    assert len(operators) > 40
    words = {}
    for name, output in operators.items():
        (results,) = (file for file in output["of"] if "/results_" in file)
        stem = results.rpartition("/results_")[2].removesuffix(".mat")
        letters = name.partition(stem)[2].removesuffix("-inv.fif")
        words.setdefault((stem.split("_KERNEL_")[0], letters), set()).add(
            tuple(output["computed"].values())
        )
    # names say what words do: the same letters are the same options
    assert all(len(said) == 1 for said in words.values())
    assert len(words) == len({said for each in words.values() for said in each})
    assert ("MN_MEG_GRAD_MEG_MAG", "_fixed_depth1_limit5") in words
    assert {o["comment"] for o in operators.values()} > {"MN: MEG ALL(Constr) 2018_05"}


def test_names_do_not_depend_on_other_files(many, data_dir, tmp_path):
    """A kernel that is added later, or missing, leaves the names of the others."""
    root = shutil.copytree(data_dir / "meg_eeg", tmp_path / "meg_eeg")
    kernels = sorted(root.rglob("results_MN_MEG_GRAD_MEG_MAG_KERNEL_*.mat"))
    for file in kernels[::2]:
        file.unlink()
    report = port_protocol(root, tmp_path / "out", conditions="evoked", estimates="none")
    fewer = next(u["outputs"] for u in report.units if u["kind"] == "condition")
    all_of_them = next(u["outputs"] for u in many[1].units if u["kind"] == "condition")
    assert set(fewer) < set(all_of_them)


def test_names_of_an_earlier_port_stay(many, tmp_path):
    """What is up to date is kept as it is: programs may know the names of an earlier release."""
    out = shutil.copytree(many[0], tmp_path / "out")
    folder = out / "Subject01/evoked"
    manifest = json.loads((folder / "port.json").read_text("utf-8"))
    new = next(n for n in manifest["outputs"] if n.endswith("_fixed_depth0.8-inv.fif"))
    old = new.replace("_fixed_depth0.8", "")
    outputs = {old if n == new else n: o for n, o in manifest["outputs"].items()}
    for output in outputs.values():
        for fact in ("what", "comment", "computed"):
            output.pop(fact, None)
    (folder / new).rename(folder / old)
    (folder / "port.json").write_text(json.dumps({**manifest, "outputs": outputs}), "utf-8")
    root = json.loads((out / "port.json").read_text("utf-8"))["protocol"]["path"]
    report = port_protocol(root, out, conditions="evoked", estimates="none")
    assert not report.done
    assert (folder / old).is_file()
    assert not (folder / new).exists()
    whole = json.loads((out / "port.json").read_text("utf-8"))
    assert old in next(u["outputs"] for u in whole["units"] if u["condition"] == "evoked")


def test_what_has_no_method_in_mne_is_named_with_the_reason(many):
    text = str(many[1])
    assert (
        "Subject01/evoked: Subject01_evoked_dSPM-unscaled_MEG_GRAD_MEG_MAG_KERNEL_261122_1233_loose"
        "-inv.fif, Subject01_evoked_dSPM-unscaled_MEG_MAG_KERNEL_261122_1232_loose-inv.fif: not "
        "comparable, MNE has no method for dspm2018, loose orientation" in text
    )
    page = (many[0] / "port.html").read_text("utf-8")
    assert "<td>MN: MEG ALL(Constr) 2018_05</td>" in page
    assert "no inverse operator: &#x27;gls&#x27; is no minimum norm" in page


def test_types_that_nothing_was_computed_of(data_dir, tmp_path):
    report = port_protocol(data_dir / "eeg_shared", tmp_path / "out", data_types="MEG")
    said = "there is no channel of MEG; no results were computed of MEG alone ("
    assert any(f.reason.startswith(said) for f in report.findings if f.severity == "dropped")
    assert f"problem: Subject01/condA: {said}" in str(report)
    assert said in (tmp_path / "out/port.html").read_text("utf-8")
    assert "Computed of EEG, which were not asked for." in str(report)
    report = port_protocol(data_dir / "eeg_shared", tmp_path / "out", data_types="EEG")
    assert "problem" not in str(report)


def test_files_that_nothing_is_made_of_are_listed(data_dir, tmp_path):
    root = shutil.copytree(data_dir / "eeg_shared", tmp_path / "eeg_shared")
    out = tmp_path / "out"
    assert "not converted" not in str(port_protocol(root, out, estimates="none"))
    cortex = next((root / "anat/Subject01").glob("tess_cortex*.mat"))
    shutil.copy(cortex, cortex.with_name("tess_lh.mat"))
    pairs = io.Matrix(value=np.ones((1, 1)), description=("x",))
    io.write_matrix(root / "data/Subject01/condA/spikes_1.mat", pairs)
    io.write_matrix(root / "data/Subject01/@default_study/matrix_1.mat", pairs)
    report = port_protocol(root, out, estimates="none")
    assert not report.done  # nothing of the units has changed
    (line,) = (line for line in str(report).split("\n") if line.startswith("not converted"))
    named = (
        "anat/Subject01/tess_lh.mat", "data/Subject01/@default_study/matrix_1.mat",
        "data/Subject01/condA/spikes_1.mat",
    )  # fmt: skip
    assert all(name in line for name in named)
    whole = json.loads((out / "port.json").read_text("utf-8"))
    assert sorted(f for files in whole["other_files"].values() for f in files) == sorted(named)
    page = (out / "port.html").read_text("utf-8")
    assert "not converted, files that the port has no use for: spikes_1.mat" in page


def test_long_lists_are_cut():
    assert comment_of({"comment": [f"trial (#{i})" for i in range(9)]}) == (
        "trial (#0), trial (#1), …, trial (#8)"
    )
    skipped = [{"file": f"{i}.mat", "what": "spectrum", "reason": "None."} for i in range(5)]
    made = {"a-stc.h5": {"of": ["4.mat"]}}
    assert left_lines([{"skipped": skipped, "outputs": made}]) == [
        "0.mat, 1.mat, 2.mat and 1 more: None."
    ]
    outputs = {"a-lh.stc": {"comment": "A", "made_of": ["link|x/k.mat|x/d.mat"], "band": "8 Hz"}}
    assert list(told_apart({"outputs": outputs})) == [(["a-lh.stc"], "A", "8 Hz, of k.mat × d.mat")]
