"""What verification says of studies that are incomplete, changed or damaged."""

from __future__ import annotations

import dataclasses
import json
import shutil

import numpy as np
import pytest

from mne_bstinv import io
from mne_bstinv.errors import MissingFileError, ProtocolError
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
            "Not computed by the 2018 linear inverse: InverseMethod 'wmne'",
        ),
        ({"InverseMethod": None}, "Not computed by the 2018 linear inverse: no Options.Inv"),
    ],
)
def test_other_methods_are_not_comparable(study, changes, reason):
    _edit_options(study / MINIMUM_NORM, **changes)
    outcome = _one(study / MINIMUM_NORM)
    assert outcome.status == "not comparable"
    assert reason in outcome.reason


def test_processed_estimates_are_not_comparable(study):
    _edit(study / MINIMUM_NORM, z_score={"mean": 1.0})
    outcome = _one(study / MINIMUM_NORM)
    assert (outcome.status, outcome.reason) == (
        "not comparable",
        "It is a processed map (ZScore is set), but its history does not say how it was made.",
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
