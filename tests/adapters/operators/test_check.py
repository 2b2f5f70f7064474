"""Operators compared with the kernels that Brainstorm stored."""

from __future__ import annotations

import dataclasses

import mne
import numpy as np
import pytest

import mne_bstinv as mb
from mne_bstinv import io
from mne_bstinv.adapters import checked_operator, inverse_parameters, to_inverse_operator
from mne_bstinv.adapters.operators.check import SAME_KERNEL
from mne_bstinv.conversion import conversion_report
from mne_bstinv.errors import ConversionError

PROTOCOLS = ("eeg_shared", "eeg_surface", "eeg_volume", "meg_eeg", "mixed")


@pytest.fixture
def condition(sample_dir):
    return mb.read_protocol(sample_dir).condition("Subject01", "evoked")


def operator_of(condition, results, **changed):
    structures = {
        "head_model": condition.head_model,
        "noise_cov": condition.noise_cov_structure,
        "channels": condition.channels,
    } | changed
    operator = to_inverse_operator(
        **structures,
        options=results.options,
        good_channels=results.good_channel - 1,
        surface=condition.cortex,
        mri=condition.mri,
    )
    return checked_operator(operator, results, structures["head_model"])


@pytest.mark.parametrize("name", PROTOCOLS)
def test_operators_give_every_kernel_that_brainstorm_stored(data_dir, name):
    protocol, compared = mb.read_protocol(data_dir / name), 0
    for subject in protocol.subjects:
        for entry in subject.conditions:
            condition = protocol.condition(subject.name, entry.name)
            for result in condition.results:
                results = condition.read_results(result.file)
                try:
                    operator = condition.inverse_operator(results)
                except ConversionError:  # gls and lcmv have none
                    assert results.options["InverseMethod"] != "minnorm"
                    continue
                difference = conversion_report(operator).kept["kernel_difference"]
                if inverse_parameters(operator).parity == "not comparable":
                    assert difference is None
                elif results.imaging_kernel is not None:
                    assert difference < 1e-10
                    compared += 1
    assert compared > 1


def renewed_covariance(condition):
    cov = condition.noise_cov_structure
    rng = np.random.default_rng(0)
    scale = rng.uniform(0.5, 2, len(cov.noise_cov))
    return {"noise_cov": dataclasses.replace(cov, noise_cov=cov.noise_cov * np.outer(scale, scale))}


def renewed_gain(condition):
    model = condition.head_model
    gain = np.array(model.gain)
    gain[:, 300:600] *= 1.01
    return {"head_model": dataclasses.replace(model, gain=gain)}


@pytest.mark.parametrize("renewed", [renewed_covariance, renewed_gain])
@pytest.mark.parametrize("comment", ["MN: MEG ALL(Constr) 2018", "sLORETA: EEG(Constr) 2018"])
def test_what_changed_since_is_told(condition, renewed, comment, tmp_path, caplog):
    results = condition.read_results(comment)
    same = operator_of(condition, results)
    assert conversion_report(same).kept["kernel_difference"] < 1e-12
    (told,) = [f for f in conversion_report(same) if "gives the stored kernel" in f.reason]
    assert told.severity == "derived"
    assert told.reason.endswith(" in double precision (FIF files hold single precision).")

    caplog.clear()
    other = operator_of(condition, results, **renewed(condition))
    assert [r.message for r in caplog.records if "have changed since" in r.message]
    (claim,) = [f for f in conversion_report(other) if f.field == "lambda2"]
    assert claim.reason.endswith("which it does not give.")
    difference = conversion_report(other).kept["kernel_difference"]
    assert difference > 1e-4
    (told,) = [f for f in conversion_report(other) if f.field == "ImagingKernel"]
    assert told.severity == "dropped"
    assert f"differs by {difference:.2g} from the kernel" in told.reason
    assert "have changed since it was computed" in told.reason

    file = tmp_path / "x-inv.fif"
    mne.minimum_norm.write_inverse_operator(file, other)
    parameters = inverse_parameters(mne.minimum_norm.read_inverse_operator(file))
    assert parameters.parity == "not comparable"
    assert parameters.reason == told.reason


def test_difference_is_that_of_the_kernels(condition):
    results = condition.read_results("MN: MEG ALL(Constr) 2018")
    # a tenth of the kernel more: so is every estimate
    scaled = dataclasses.replace(results, imaging_kernel=1.1 * results.imaging_kernel)
    operator = operator_of(condition, scaled)
    difference = conversion_report(operator).kept["kernel_difference"]
    assert difference == pytest.approx(0.1 / 1.1, rel=1e-6)
    assert difference > SAME_KERNEL


def test_estimates_without_a_kernel_are_not_compared(condition):
    results = condition.read_results("MN: MEG ALL(Constr) 2018")
    full = dataclasses.replace(
        results, imaging_kernel=None, image_grid_amp=np.zeros((len(results.imaging_kernel), 2))
    )
    assert isinstance(full, io.Results)
    report = conversion_report(operator_of(condition, full))
    assert report.kept["kernel_difference"] is None
    assert not [f for f in report if f.field == "ImagingKernel"]
