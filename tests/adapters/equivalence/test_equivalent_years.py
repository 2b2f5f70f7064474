"""What MNE has to be told to compute the kernels of 2009 and 2016."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest
from cross_studies import kernels_of

from mne_bstinv.adapters.equivalence import kernel_blocks, mne_equivalent
from mne_bstinv.errors import OptionError
from mne_bstinv.inverse import InverseOptions2009, InverseOptions2016, compute_kernel

#: Two double precision computations; MNE rounds the gain of fixed orientations to single precision.
RTOL, RTOL_FIXED = 1e-9, 1e-5
MEASURES = {"wmne": "MNE", "dspm": "dSPM", "sloreta": "sLORETA"}


@pytest.fixture(scope="module")
def study(data_dir):
    """MEG and EEG, an average of 12."""
    return next(
        study
        for study, _ in kernels_of(data_dir / "inverse_old_meeg")
        if study.recordings.n_avg == 12
    )


def brainstorms(study, options, data_types):
    result = compute_kernel(
        study.head_model,
        study.noise_cov,
        study.channels,
        channel_flag=study.recordings.channel_flag,
        data_types=data_types,
        options=options,
        n_avg=12,
    )
    return result, kernel_blocks(result, study.head_model.grid_orient)


def difference(ours, theirs):
    return np.linalg.norm(ours - theirs) / np.linalg.norm(theirs)


@pytest.mark.parametrize("data_types", ["MEG", "EEG"])
@pytest.mark.parametrize("orient", ["fixed", "free"])
@pytest.mark.parametrize("method", MEASURES)
def test_2009_is_mnes_own_convention(study, method, orient, data_types):
    """The public call with Brainstorm's own numbers: loose, depth and λ² are not translated."""
    options = InverseOptions2009(
        method=method, source_orient=orient, use_depth=method != "sloreta", weight_limit=3.0
    )
    found = mne_equivalent(options, study, data_types=data_types)
    _, theirs = brainstorms(study, options, data_types)
    assert (found.method, found.nave) == (MEASURES[method], 12)
    assert found.lambda2 == pytest.approx(1 / 9, rel=1e-14)
    if method != "sloreta":
        depth = found.arguments["depth"]
        assert (depth["exp"], depth["limit"], depth["limit_depth_chs"]) == (0.5, 3.0, False)
    if found.parity == "not comparable":
        assert (method, orient) == ("sloreta", "free")
        return
    assert difference(found.blocks("twin"), theirs) <= RTOL
    assert difference(found.blocks("public"), theirs) <= (RTOL_FIXED if orient == "fixed" else RTOL)


def test_loose_of_2009_has_no_public_call(study):
    options = InverseOptions2009(method="dspm", source_orient="loose", loose=0.4)
    found = mne_equivalent(options, study, data_types="MEG")
    assert found.arguments["loose"] == 0.4  # a ratio of variances in both
    assert "takes the field of the normal out" in found.no_public_call
    assert found.parity == "exact"
    assert difference(found.blocks("twin"), brainstorms(study, options, "MEG")[1]) <= RTOL


def test_normals_of_other_lengths_have_no_public_call_in_2009(study):
    """MNE makes unit vectors of them; those of single precision are unit vectors."""
    options = InverseOptions2009(method="wmne", source_orient="fixed")
    normals = study.head_model.grid_orient
    longer = normals * np.linspace(0.5, 3, len(normals))[:, None]
    for other, said in ((longer, True), (normals.astype(np.float32).astype(float), False)):
        model = dataclasses.replace(study.head_model, grid_orient=other)
        changed = SimpleNamespace(**{**vars(study), "head_model": model})
        found = mne_equivalent(options, changed, data_types="MEG")
        assert ("of the length that they are stored with" in found.no_public_call) is said
        assert difference(found.blocks("twin"), brainstorms(changed, options, "MEG")[1]) <= RTOL
    as_unit = mne_equivalent(InverseOptions2016(), changed, data_types="MEG")
    assert not as_unit.no_public_call


@pytest.mark.parametrize("measure", ["amplitude", "dspm", "sloreta"])
@pytest.mark.parametrize("noise_method", ["reg", "median", "none", "diag"])
def test_2016(study, measure, noise_method):
    options = InverseOptions2016(
        measure=measure, source_orient="fixed", noise_method=noise_method, weight_limit=3.0
    )
    found = mne_equivalent(options, study, data_types="MEG")
    _, theirs = brainstorms(study, options, "MEG")
    assert found.nave == 12
    assert difference(found.blocks("twin"), theirs) <= RTOL
    assert difference(found.blocks("public"), theirs) <= RTOL_FIXED


@pytest.mark.parametrize("snr_method", ["fixed", "rms"])
def test_loose_and_source_amplitude_of_2016(study, snr_method):
    options = InverseOptions2016(source_orient="loose", snr_method=snr_method, snr_rms=1e-8)
    found = mne_equivalent(options, study, data_types="MEG")
    assert found.arguments["loose"] == pytest.approx(0.04)
    for route in ("twin", "public"):
        assert difference(found.blocks(route), brainstorms(study, options, "MEG")[1]) <= RTOL


def test_scans_of_2016_are_beamformers(study):
    options = InverseOptions2016(method="gls", source_orient="fixed")
    found = mne_equivalent(options, study, data_types="EEG")
    _, theirs = brainstorms(study, options, "EEG")
    assert difference(found.blocks(), theirs) <= RTOL_FIXED


def test_scans_of_2009_are_refused(study):
    with pytest.raises(OptionError, match="'glsr' of 2009 has no counterpart in MNE"):
        mne_equivalent(InverseOptions2009(method="glsr"), study, data_types="EEG")


def test_without_recordings_the_noise_is_of_one_sample(study):

    changed = type(study)(**{**vars(study), "recordings": None})
    assert mne_equivalent(InverseOptions2009(), changed, data_types="EEG").nave == 1
