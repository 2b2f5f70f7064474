"""Kernels of MNE-Python's own operators, against the files they were exported from."""

from __future__ import annotations

import json

import mne
import numpy as np
import pytest

import mne_bstinv as mb
from mne_bstinv import io
from mne_bstinv.cli import main
from mne_bstinv.export import Estimation, export_study

WHERE = {"subject": "S", "condition": "c"}


@pytest.fixture(scope="module")
def few_sensors(mne_sample):
    """Magnetometers alone: eLORETA of all channels takes seconds, each time."""
    return {**mne_sample, "recordings": mne_sample["recordings"].copy().pick("mag")}


@pytest.fixture(scope="module")
def operators(few_sensors, tmp_path_factory):
    """Operators of fixed, loose and free orientation in files, and in memory."""
    folder = tmp_path_factory.mktemp("operators")
    evoked, fwd, cov = (few_sensors[name] for name in ("recordings", "forward", "noise_cov"))
    made = {}
    with mne.use_log_level("error"):
        for name, loose in (("fixed", 0.0), ("loose", 0.2), ("free", 1.0)):
            made[name] = mne.minimum_norm.make_inverse_operator(evoked.info, fwd, cov, loose=loose)
            mne.minimum_norm.write_inverse_operator(folder / f"{name}-inv.fif", made[name])
    return folder, made


@pytest.fixture(scope="module")
def exported(few_sensors, operators, tmp_path_factory):
    folder, _ = operators
    wanted = [("fixed", "MNE", None), ("loose", "dSPM", None), ("loose", "sLORETA", "normal")]
    wanted += [("free", "dSPM", "normal"), ("free", "eLORETA", None)]
    study = export_study(
        tmp_path_factory.mktemp("p") / "p",
        few_sensors["recordings"],
        forward=few_sensors["forward"],
        noise_cov=few_sensors["noise_cov"],
        estimations=[
            Estimation(of=folder / f"{name}-inv.fif", lambda2=1 / 9, method=method, pick_ori=ori)
            for name, method, ori in wanted
        ],
        **WHERE,
    )
    return study, [name for name, _, _ in wanted]


def test_a_kernel_names_the_operator_it_came_from(exported, operators):
    study, names = exported
    folder, _ = operators
    outcomes = list(mb.verify(study.root))
    assert [one.status for one in outcomes] == ["equal"] * 5
    assert max(one.relative_difference for one in outcomes) == 0
    parents = {one.file: one.parents for one in outcomes}
    for file, name in zip(study.results, names, strict=True):
        assert parents[file] == (str(folder / f"{name}-inv.fif"),)
    assert (
        "MNE-Python dSPM, lambda2 0.111111, "
        in {o.file: o for o in outcomes}[study.results[1]].options
    )


def test_of_several_operators_the_right_one_is_found(exported, operators):
    study, names = exported
    folder, made = operators
    given = [folder / f"{name}-inv.fif" for name in made]
    outcomes = {one.file: one for one in mb.verify(study.root, operators=given)}
    for file, name in zip(study.results, names, strict=True):
        assert outcomes[file].status == "equal"
        assert outcomes[file].parents == (str(folder / f"{name}-inv.fif"),)
    # in memory: what a file rounds is said
    outcomes = {one.file: one for one in mb.verify(study.root, operators=list(made.values()))}
    for file in study.results:
        outcome = outcomes[file]
        assert outcome.status == "equal"
        assert outcome.within_rounding
        assert 1e-9 < outcome.relative_difference <= outcome.bound
        # eLORETA iterates until its weights change by less than 1e-6
        assert outcome.bound < (2e-5 if "eLORETA" in file.name else 2e-6)
        assert outcome.reason == "an operator in single precision, as in FIF files"


def test_another_operator_differs_or_cannot_be_compared(exported, operators, few_sensors, tmp_path):
    study, names = exported
    _, made = operators
    outcomes = {one.file: one for one in mb.verify(study.root, operators=made["fixed"])}
    by_name = dict(zip(names, study.results, strict=True))
    assert outcomes[by_name["fixed"]].status == "equal"
    assert outcomes[study.results[1]].status == "not comparable"
    n = made["fixed"]["nsource"]  # not of all releases of MNE the same
    reason = outcomes[study.results[1]].reason
    channels = len(io.read_results(study.results[1]).good_channel)
    assert f"its kernel is ({n}, {channels}), the stored ({3 * n}, {channels})" in reason
    evoked, fwd, cov = (few_sensors[name] for name in ("recordings", "forward", "noise_cov"))
    other = mne.minimum_norm.make_inverse_operator(
        evoked.info, fwd, cov, loose=0.0, depth=0.5, verbose="error"
    )
    outcomes = {one.file: one for one in mb.verify(study.root, operators=other)}
    assert outcomes[by_name["fixed"]].status == "differs"
    assert outcomes[by_name["fixed"]].relative_difference > 0.01
    fewer = mne.minimum_norm.make_inverse_operator(
        mne.pick_info(evoked.info, range(40)), fwd, cov, loose=0.0, verbose="error"
    )
    outcomes = {one.file: one for one in mb.verify(study.root, operators=fewer)}
    assert "channels are not those of the kernel" in outcomes[by_name["fixed"]].reason


def test_without_the_operator_it_is_asked_for(few_sensors, operators, tmp_path):
    _, made = operators
    study = export_study(
        tmp_path / "p",
        few_sensors["recordings"],
        forward=few_sensors["forward"],
        estimations=Estimation(of=made["fixed"], lambda2=1 / 9, method="MNE"),
        **WHERE,
    )
    (outcome,) = mb.verify(study.root)
    assert outcome.status == "not comparable"
    assert "give the operator it came from (operators, --inverse FILE)" in outcome.reason
    assert "OperatorFile" not in io.read_results(study.results[0]).options


def test_on_the_command_line(exported, operators, capsys):
    study, _ = exported
    folder, made = operators
    files = [str(folder / f"{name}-inv.fif") for name in made]
    assert main(["verify", str(study.root), "--inverse", *files, "--json"]) == 0
    outcomes = json.loads(capsys.readouterr().out)
    assert [one["status"] for one in outcomes] == ["equal"] * 5
    assert all(np.isfinite(one["relative_difference"]) for one in outcomes)


def test_an_operator_that_is_not_there_is_refused(sample_dir, tmp_path, capsys):
    """Even where no kernel needs one."""
    wrong = tmp_path / "none-inv.fif"
    assert main(["verify", str(sample_dir), "--inverse", str(wrong)]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == f"mne-bstinv verify: {wrong}: no such file of an operator. Check the path.\n"
