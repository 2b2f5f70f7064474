"""What inverses of one study share is what each would compute for itself."""

from __future__ import annotations

import numpy as np
import pytest
from inverse_problems import FakeChannels, FakeProjector
from inverse_studies import EEG, MEG, TYPES, all_channels, covariance, head_model, ssp

from mne_bstinv.inverse import InverseOptions, InverseOptions2009, InverseOptions2016, selection
from mne_bstinv.inverse.preparation import prepare_study
from mne_bstinv.inverse.selection import Selections
from mne_bstinv.inverse.study import compute_kernel, kernel_of

OPTIONS = [
    InverseOptions(),
    InverseOptions(measure="sloreta", source_orient="free"),
    InverseOptions(noise_method="diag"),
    InverseOptions(noise_reg=0.3),
    InverseOptions(method="lcmv"),
    InverseOptions2016(),
    InverseOptions2009(),
]


@pytest.fixture
def study():
    gain, normals, noise, data = all_channels(1, TYPES)
    projector = FakeProjector(components=ssp(2, MEG), comp_mask=np.ones(1), status=1, kind="ssp")
    return {
        "head_model": head_model(gain, normals),
        "noise_cov": covariance(noise),
        "channels": FakeChannels(types=TYPES, projectors=(projector,)),
        "data_cov": covariance(data),
    }


@pytest.fixture
def selections(study):
    covs = {"noise": study["noise_cov"], "data": study["data_cov"]}
    return Selections(study["head_model"], covs, study["channels"])


def test_kernels_are_those_of_inverses_that_share_nothing(study, selections):
    for options in OPTIONS:
        for good in (EEG, MEG):
            for n_avg in (1, 4):
                given = {"good_channels": good, "n_avg": n_avg, "options": options}
                alone = compute_kernel(**study, **given)
                shared = kernel_of(prepare_study(**study, **given, selections=selections))
                np.testing.assert_array_equal(shared.kernel, alone.kernel)
                np.testing.assert_array_equal(shared.noise_cov, alone.noise_cov)
                assert shared.ranks == alone.ranks
                assert shared.warnings == alone.warnings


def test_what_the_same_channels_need_is_made_once(selections):
    gain, covariances = selections.of(np.array(EEG))
    again, same = selections.of(np.array(EEG))
    assert again is gain
    assert same is covariances
    free, reg = InverseOptions(source_orient="free"), InverseOptions(noise_reg=0.3)
    first = covariances.whitening(InverseOptions(), 1)
    assert covariances.whitening(free, 1) is first
    assert covariances.whitening(reg, 1) is not first
    assert covariances.whitening(InverseOptions(), 2) is not first
    assert covariances.whitening(InverseOptions2016(), 1) is not first


def test_only_the_last_selections_are_kept(selections):
    first, *others = (np.array(EEG[i:]) for i in range(4))
    found = selections.of(first)
    kept = [selections.of(good) for good in others]
    assert all(selections.of(g) is k for g, k in zip(others, kept, strict=True))
    assert selections.of(first) is not found


@pytest.mark.parametrize("spare", [0, -1])
def test_small_gains_are_kept_as_arrays(selections, monkeypatch, spare):
    good, stored = np.array(EEG), selections.head_model.gain
    monkeypatch.setattr(selection, "_SMALL", len(good) * stored.shape[1] + spare)
    assert (selections.of(good).gain.stored is stored) == (spare < 0)
