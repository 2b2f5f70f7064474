"""What verification says of studies that are incomplete, changed or damaged."""

from __future__ import annotations

import dataclasses
import json
import shutil

import numpy as np
import pytest

from mne_bstinv import io
from mne_bstinv.errors import BstInvError, MissingFileError, ProtocolError
from mne_bstinv.inverse import InverseOptions2016
from mne_bstinv.verification import Verification, find_results, recompute, verify

CONDITION = "data/Subject01/oddball"
MINIMUM_NORM = f"{CONDITION}/results_MN_EEG_KERNEL_261122_1205.mat"
BEAMFORMER = f"{CONDITION}/results_PNAI_EEG_KERNEL_261122_1205.mat"


@pytest.fixture
def study(data_dir, tmp_path):
    """A writable copy of a small protocol."""
    return shutil.copytree(data_dir / "eeg_volume", tmp_path / "study")


def _one(path) -> Verification:
    (outcome,) = verify(path)
    return outcome


def _edit(path, **changes):
    results = dataclasses.replace(io.read_results(path), **changes)
    io.write_results(path, results, overwrite=True)


def _edit_options(path, **changes):
    options = {**io.read_results(path).options, **changes}
    _edit(path, options={name: value for name, value in options.items() if value is not None})


def test_a_file_a_folder_and_a_protocol(study):
    assert _one(study / MINIMUM_NORM).status == "equal"
    for folder in (study, study / "data", study / CONDITION):
        outcomes = list(verify(folder))
        assert [o.file.name for o in outcomes] == sorted(o.file.name for o in outcomes)
        assert len(outcomes) == 5
        assert not any(o.failed for o in outcomes)


@pytest.mark.parametrize(
    ("file", "missing", "reason"),
    [
        (MINIMUM_NORM, "headmodel_vol_eeg_3sphereberg.mat", "holds no head model 'Subject01/odd"),
        (MINIMUM_NORM, "noisecov_full.mat", "holds no noise covariance"),
        (MINIMUM_NORM, "channel.mat", "holds no channel file"),
        (BEAMFORMER, "ndatacov_full.mat", "holds no data covariance"),
    ],
)
def test_missing_ingredient_is_not_comparable(study, file, missing, reason):
    (study / CONDITION / missing).unlink()
    outcome = _one(study / file)
    assert outcome.status == "not comparable"
    assert reason in outcome.reason
    assert not outcome.failed


def test_damaged_ingredient_is_an_error_and_the_others_go_on(study):
    damaged = study / MINIMUM_NORM
    damaged.write_bytes(damaged.read_bytes()[:2000])
    outcomes = {o.file.name: o for o in verify(study)}
    assert outcomes[damaged.name].status == "error"
    assert str(damaged) in outcomes[damaged.name].reason
    assert sum(o.failed for o in outcomes.values()) == 1


def test_damaged_head_model_names_the_head_model(study):
    head_model = study / CONDITION / "headmodel_vol_eeg_3sphereberg.mat"
    head_model.write_bytes(head_model.read_bytes()[:5000])
    outcome = _one(study / MINIMUM_NORM)
    assert outcome.status == "error"
    assert str(head_model) in outcome.reason


def test_changed_kernel_differs(study):
    path = study / MINIMUM_NORM
    kernel = io.read_results(path).imaging_kernel.copy()
    kernel[40] *= 1 + 1e-6  # one of the rows of location 14
    _edit(path, imaging_kernel=kernel)
    outcome = _one(path)
    assert outcome.status == "differs"
    assert 1e-9 < outcome.relative_difference < 1e-6
    assert "the largest difference is at location 14" in outcome.reason
    assert "covariance and whitener agree" in outcome.reason


def test_changed_covariance_is_named_as_the_beginning(study):
    path = study / CONDITION / "noisecov_full.mat"
    cov = io.read_noise_cov(path)
    scale = np.where(np.arange(len(cov.noise_cov)) < 5, 2.0, 1.0)
    changed = scale[:, None] * cov.noise_cov * scale
    io.write_noise_cov(path, dataclasses.replace(cov, noise_cov=changed), overwrite=True)
    outcome = _one(study / MINIMUM_NORM)
    assert outcome.status == "differs"
    assert "the mismatch begins at the noise covariance (relative difference" in outcome.reason


def test_equal_kernel_from_another_covariance_says_so(study):
    """At a fixed SNR the amplitude kernel does not depend on the scale of the covariance."""
    path = study / CONDITION / "noisecov_full.mat"
    cov = io.read_noise_cov(path)
    io.write_noise_cov(path, dataclasses.replace(cov, noise_cov=4 * cov.noise_cov), overwrite=True)
    outcome = _one(study / MINIMUM_NORM)
    assert outcome.status == "equal"
    assert "the noise covariance is not the stored one (relative difference 3.0e+00)" in (
        outcome.reason
    )


def test_rtol_decides(study):
    path = study / MINIMUM_NORM
    _edit(path, imaging_kernel=io.read_results(path).imaging_kernel * (1 + 1e-6))
    (strict,) = verify(path, rtol=1e-7)
    (lenient,) = verify(path, rtol=1e-5)
    assert (strict.status, lenient.status) == ("differs", "equal")
    assert strict.relative_difference == pytest.approx(1e-6, rel=1e-5)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        (
            {"InverseMethod": "wmne"},
            "it is unknown (Function 'mn' and InverseMethod 'wmne' contradict each other)",
        ),
        (
            {"InverseMethod": None},
            "it is imported (Function 'mn', without options of how it was computed)",
        ),
        ({"InverseMethod": "mem"}, "it is mem (InverseMethod 'mem': maximum entropy on the mean"),
    ],
)
def test_other_methods_are_not_comparable(study, changes, reason):
    _edit_options(study / MINIMUM_NORM, **changes)
    outcome = _one(study / MINIMUM_NORM)
    assert outcome.status == "not comparable"
    assert outcome.reason.startswith("Not computed by the linear inverse of 2009, 2016 or 2018: it")
    assert reason in outcome.reason


def test_kernels_of_mne_need_the_operator_that_they_came_from(study):
    _edit_options(study / MINIMUM_NORM, InverseMethod="mne-python")
    outcome = _one(study / MINIMUM_NORM)
    assert outcome.status == "not comparable"
    assert outcome.reason == (
        "Computed by MNE-Python: give the operator it came from (operators, --inverse FILE)."
    )


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        ("cMEM", "it is mem (Function 'cmem': maximum entropy on the mean (BEst))"),
        ("dipoles", "it is dipoles (Function 'dipoles': dipoles shown as a map)"),
        ("custom", "it is processed (Function 'custom' is not that of InverseMethod 'minnorm'"),
    ],
)
def test_results_of_other_functions_are_named(study, function, reason):
    _edit(study / MINIMUM_NORM, function=function)
    outcome = _one(study / MINIMUM_NORM)
    assert outcome.status == "not comparable"
    assert reason in outcome.reason
    assert not outcome.failed


def test_processed_estimates_are_not_comparable(study):
    _edit(study / MINIMUM_NORM, z_score={"mean": 1.0})
    outcome = _one(study / MINIMUM_NORM)
    assert (outcome.status, outcome.reason) == (
        "not comparable",
        "It was made of others (processed map (ZScore is set)); its history does not say how.",
    )
    assert outcome.is_derived


def test_invalid_option_is_an_error(study):
    _edit_options(study / MINIMUM_NORM, NoiseReg=7.0)
    outcome = _one(study / MINIMUM_NORM)
    assert outcome.status == "error"
    assert "NoiseReg must be a number between 0 and 1, found 7.0" in outcome.reason


def test_channel_that_is_bad_in_the_covariance_is_named(study):
    path = study / CONDITION / "noisecov_full.mat"
    cov = io.read_noise_cov(path)
    noise_cov = cov.noise_cov.copy()
    noise_cov[2] = noise_cov[:, 2] = 0
    io.write_noise_cov(path, dataclasses.replace(cov, noise_cov=noise_cov), overwrite=True)
    name = io.read_channels(study / CONDITION / "channel.mat").names[2]
    outcome = _one(study / MINIMUM_NORM)
    assert outcome.status == "error"
    assert f"is zero (they were bad when it was computed) for channel(s) in use: {name}." in (
        outcome.reason
    )


def test_full_result_needs_its_recordings(data_dir, tmp_path):
    study = shutil.copytree(data_dir / "eeg_surface", tmp_path / "study")
    file = study / "data/Subject01/evoked/results_dSPM-unscaled_EEG_261122_1204.mat"
    assert _one(file).status == "equal"
    (study / "data/Subject01/evoked/data_average_240101_1200.mat").unlink()
    outcome = _one(file)
    assert outcome.status == "not comparable"
    assert "recordings 'Subject01/evoked/data_average_240101_1200.mat'" in outcome.reason


def test_normals_come_from_the_surface_where_the_head_model_has_none(data_dir, tmp_path):
    study = shutil.copytree(data_dir / "eeg_surface", tmp_path / "study")
    condition = io.read_protocol(study).condition("Subject01", "evoked")
    head_model = io.read_head_model(condition.head_model_file)
    io.write_head_model(
        condition.head_model_file,
        dataclasses.replace(head_model, grid_orient=None),
        overwrite=True,
    )
    results = next(e.file for e in condition.results if "_MN_EEG_KERNEL" in e.file.name)
    assert _one(results).status == "equal"
    (study / "anat/Subject01/tess_cortex_pial_low_60V.mat").unlink()
    outcome = _one(results)
    assert outcome.status == "not comparable"
    assert "surface 'Subject01/tess_cortex_pial_low_60V.mat' for normals" in outcome.reason


def test_files_beside_each_other_need_no_protocol(data_dir, tmp_path):
    for file in (data_dir / "eeg_volume" / CONDITION).iterdir():
        shutil.copy(file, tmp_path)
    outcomes = list(verify(tmp_path))
    assert len(outcomes) == 5
    assert all(o.status.startswith("equal") for o in outcomes)


def test_a_difference_that_is_no_number_is_null_in_json():
    outcome = Verification(file=None, status="differs", relative_difference=float("inf"))
    assert outcome.to_dict()["relative_difference"] is None


def test_recompute_returns_every_intermediate(study):
    result = recompute(study / MINIMUM_NORM)
    n = result.kernel.shape[1]
    stored = io.read_results(study / MINIMUM_NORM)
    np.testing.assert_array_equal(result.channel_indices, stored.good_channel - 1)
    assert len(result.channel_names) == len(result.data_units) == n
    assert set(result.data_units) == {"V"}
    assert result.estimate_unit == "A·m"
    assert result.s2.shape == (n,)
    assert result.lambda_ > 0
    assert dict(result.ranks) == {"EEG": n - 1}  # the average reference takes one


def test_no_such_path(tmp_path):
    with pytest.raises(MissingFileError, match="no such file or folder"):
        find_results(tmp_path / "nowhere")


def test_not_a_results_file(study):
    with pytest.raises(ProtocolError, match=r"channel\.mat: not a results file by its name"):
        find_results(study / CONDITION / "channel.mat")


def test_outcomes_are_plain_values_for_json(study):
    outcome = _one(study / MINIMUM_NORM)
    read = json.loads(json.dumps(outcome.to_dict()))
    assert read["file"] == str(study / MINIMUM_NORM)
    assert read["relative_difference"] == outcome.relative_difference
    assert set(read["stages"]) == {"noise covariance", "whitener"}


# kernels of 2009 and 2016

OLD = "data/Subject01/evoked"
OF_2009 = f"{OLD}/results_MN_MEG_GRAD_MEG_MAG_KERNEL_261126_1718.mat"
OF_2016 = f"{OLD}/results_MN_MEG_GRAD_MEG_MAG_KERNEL_261126_1721.mat"
GLS_2016 = f"{OLD}/results_Dipoles_MEG_GRAD_MEG_MAG_EEG_KERNEL_261126_1718.mat"


@pytest.fixture
def old_study(data_dir, tmp_path):
    """A writable copy of a protocol of the old inverses."""
    return shutil.copytree(data_dir / "inverse_old_meeg", tmp_path / "old")


def test_a_minimum_norm_of_2016_is_known_by_its_singular_values(old_study):
    _edit(old_study / OF_2016, comment="renamed")
    outcome = _one(old_study / OF_2016)
    assert (outcome.status, outcome.reason) == ("equal", "")
    assert "inverse of 2016" in outcome.options


def test_a_kernel_that_does_not_say_its_year_is_that_which_it_is_equal_to(old_study, study):
    """With the noise method median the whiteners of 2016 and 2018 are the same."""
    _edit(old_study / GLS_2016, comment="renamed")
    outcome = _one(old_study / GLS_2016)
    assert outcome.status == "equal up to sign"
    assert outcome.reason == "the file does not say its year: it is 2018"
    assert recompute(old_study / GLS_2016).options.year == 2018
    _edit_options(old_study / OF_2016, NoiseMethod="reg")
    _edit(old_study / OF_2016, comment="renamed", source_decomp_sa=None, source_decomp_va=None)
    assert _one(old_study / OF_2016).status == "differs"  # taken for one of 2018


def test_a_beamformer_that_does_not_say_its_year_is_tried_as_both(old_study):
    """The ridge tells them apart: its kernel is not that of 2018."""
    file = old_study / OLD / "results_UKNOWN_MEG_GRAD_MEG_MAG_EEG_KERNEL_261126_1719.mat"
    _edit(file, comment="renamed")
    outcome = _one(file)
    assert outcome.status == "equal up to sign"
    assert outcome.reason == "the file does not say its year: it is 2016"


def test_a_scan_of_2016_with_a_ridge_is_told_from_2018(old_study):
    file = old_study / GLS_2016
    result = recompute(file)
    options = {**io.read_results(file).options, "NoiseMethod": "reg"}
    _edit(file, options=options, comment="GLS 2016")
    of_2016 = recompute(file)
    assert not np.allclose(of_2016.kernel, result.kernel, rtol=1e-3)
    _edit(file, imaging_kernel=of_2016.kernel, whitener=of_2016.whitener, comment="renamed")
    outcome = _one(file)
    assert outcome.status == "equal up to sign"
    assert "it is 2016" in outcome.reason
    assert recompute(file).options.year == 2016


def test_number_of_averages_is_that_of_the_results(old_study):
    assert "noise of 12 averages" in _one(old_study / OF_2009).options
    _edit(old_study / OF_2009, n_avg=3)
    outcome = _one(old_study / OF_2009)
    # at a fixed SNR an amplitude does not depend on the scale of the noise
    assert outcome.status == "equal"
    assert "the noise covariance is not the stored one (relative difference 3.0e+00)" in (
        outcome.reason
    )


def test_changed_kernel_of_2009_differs(old_study):
    kernel = io.read_results(old_study / OF_2009).imaging_kernel.copy()
    kernel[7] *= 1 + 1e-6
    _edit(old_study / OF_2009, imaging_kernel=kernel)
    outcome = _one(old_study / OF_2009)
    assert outcome.status == "differs"
    assert "the largest difference is at location 8 (1-based)" in outcome.reason


@pytest.mark.parametrize(("by", "status"), [(1e-7, "equal"), (1e-5, "differs")])
def test_loose_of_2009_has_the_room_that_brainstorm_needs(old_study, by, status):
    """MEG and EEG together are compared to 1e-6, MEG alone as everything else."""
    together = old_study / OLD / "results_MN_MEG_GRAD_MEG_MAG_EEG_KERNEL_261126_1727.mat"
    alone = old_study / OLD / "results_MN_MEG_GRAD_MEG_MAG_KERNEL_261126_1719.mat"
    for file in (together, alone):
        _edit(file, imaging_kernel=io.read_results(file).imaging_kernel * (1 + by))
    assert _one(together).status == status
    assert _one(alone).status == "differs"


def test_what_brainstorm_refuses_is_not_comparable(old_study):
    _edit_options(old_study / OF_2016, NoiseMethod="shrink")
    outcome = _one(old_study / OF_2016)
    assert outcome.status == "not comparable"
    assert "Noise method 'shrink' of 2016 takes one sensor type" in outcome.reason
    with pytest.raises(BstInvError, match="takes one sensor type"):
        recompute(old_study / OF_2016)


def test_mixed_head_model_of_2016_is_not_comparable(data_dir, tmp_path):
    study = shutil.copytree(data_dir / "inverse_old_mixed", tmp_path / "mixed")
    file = next(study.rglob("results_MN_*.mat"))
    options = InverseOptions2016().to_brainstorm()
    _edit(file, options=options, function="mn", comment="MN: EEG(Mixed) 2016")
    outcome = _one(file)
    assert outcome.status == "not comparable"
    assert "inverse of 2016 takes one head model for InverseMethod 'minnorm'" in outcome.reason


def test_truncated_orientation_in_a_sphere_is_not_comparable(data_dir, tmp_path):
    study = shutil.copytree(data_dir / "inverse_old_sphere", tmp_path / "sphere")
    file = next(study.rglob("results_MN_*.mat"))
    _edit_options(file, SourceOrient=("truncated",))
    outcome = _one(file)
    assert outcome.status == "not comparable"
    assert "'truncated' with MEG in a single sphere" in outcome.reason


def test_silent_channels_of_an_old_kernel_are_computed_with(old_study):
    path = old_study / OLD / "noisecov_full.mat"
    cov = io.read_noise_cov(path)
    noise_cov = cov.noise_cov.copy()
    noise_cov[2] = noise_cov[:, 2] = 0
    io.write_noise_cov(path, dataclasses.replace(cov, noise_cov=noise_cov), overwrite=True)
    outcome = _one(old_study / OF_2009)
    assert outcome.status == "differs"
    assert "The inverse of 2009 computes with them all the same." in outcome.reason
