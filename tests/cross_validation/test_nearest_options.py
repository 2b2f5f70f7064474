"""MNE's settings as Brainstorm's options, exactly or the nearest, measured."""

from __future__ import annotations

import dataclasses
from functools import lru_cache

import numpy as np
import pytest
from small_sample import load_small_sample

from mne_bstinv import compute_kernel
from mne_bstinv.adapters.equivalence.kernels import kernel_blocks
from mne_bstinv.adapters.equivalence.settings import MneSettings
from mne_bstinv.cross_validation import brainstorm_equivalent
from mne_bstinv.cross_validation.distances import relative_distance
from mne_bstinv.cross_validation.ingredients import gather
from mne_bstinv.errors import OptionError

EQUAL = 1e-9
#: MNE's rounding of fixed gains to single precision, times the condition of the system.
SINGLE = 2.0**-24 * 1e3

LIKE_BRAINSTORM = {"combine_xyz": "fro", "limit_depth_chs": False}


@lru_cache(maxsize=1)
def sample():
    """Without projectors: those that MNE renormalises have no counterpart."""
    study = load_small_sample()
    return dataclasses.replace(study, channels=dataclasses.replace(study.channels, projectors=()))


def mne_kernel(settings, options, data_types):
    return gather(sample(), options, settings, data_types).side.blocks()


def brainstorm_kernel(options, data_types):
    study = sample()
    result = compute_kernel(
        study.head_model, study.noise_cov, study.channels, data_types=data_types, options=options,
        channel_flag=study.recordings.channel_flag,
    )  # fmt: skip
    return kernel_blocks(result, study.head_model.grid_orient)


@pytest.mark.parametrize(
    ("settings", "parity"),
    [
        (MneSettings(method="MNE", loose=1.0, depth=None), "exact"),
        (MneSettings(method="MNE", loose=0.25, depth=None, regularize=None), "exact"),
        (MneSettings(method="MNE", loose=0.3, depth={"exp": 0.7, **LIKE_BRAINSTORM}), "exact"),
        (MneSettings(method="dSPM", loose=1.0, depth={"exp": 0.8, "limit": None,
                                                      **LIKE_BRAINSTORM}), "exact"),
        (MneSettings(method="dSPM", loose=0.0, depth=None, lambda2=1.0), "exact"),
        (MneSettings(method="sLORETA", loose=0.0, depth=None), "equal up to a stated factor"),
        (MneSettings(method="dSPM", loose=1.0, depth=None, nave=9), "equal up to a stated factor"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("data_types", ["EEG", "MEG MAG"])
def test_exact_translations(settings, parity, data_types):
    if settings.depth.exp and data_types == "EEG":
        settings = dataclasses.replace(settings, depth=None)  # MNE's gain is not referenced
    found = brainstorm_equivalent(settings, sample(), data_types=data_types)
    assert found.parity == parity, found.reason
    assert not found.left
    theirs = mne_kernel(settings, found.options, data_types)
    ours = found.factor * brainstorm_kernel(found.options, data_types)
    difference = relative_distance(theirs, ours)
    assert difference == pytest.approx(found.relative_difference, rel=1e-6, abs=EQUAL)
    assert difference <= (SINGLE if settings.orientation == "fixed" else EQUAL)


def test_rules_of_the_translation():
    settings = MneSettings(
        method="MNE", loose=0.25, lambda2=0.25,
        depth={"exp": 0.5, "limit": 100.0, **LIKE_BRAINSTORM},
    )  # fmt: skip
    options = brainstorm_equivalent(settings, sample(), data_types="MEG MAG").options
    assert (options.loose, options.weight_exp, options.weight_limit) == (0.5, 0.5, 10.0)
    n = 22
    rank = round(options.snr_fixed**2 * 0.25 * n)
    assert options.snr_fixed == pytest.approx(np.sqrt(rank / n / 0.25), rel=1e-14)
    assert options.noise_reg == pytest.approx(0.1 * n / rank, rel=1e-14)


@pytest.mark.parametrize(
    ("settings", "left"),
    [
        (MneSettings(method="MNE", loose=1.0), {"the norm and channels of the depth weights"}),
        (MneSettings(method="dSPM", loose=0.2, depth=None), {"the normalisation of the measure"}),
        (MneSettings(method="sLORETA", loose=1.0, depth=None),
         {"the normalisation of the measure"}),
    ],
)  # fmt: skip
def test_what_has_no_option_is_named_and_measured(settings, left):
    found = brainstorm_equivalent(settings, sample(), data_types="EEG")
    assert found.parity == "not comparable"
    assert set(found.left) == left
    assert found.relative_difference > 1e-3
    for name in left:
        assert name in found.reason
    assert "these options are the nearest" in found.reason
    assert repr(found).startswith("<BrainstormEquivalent | not comparable")
    assert "WeightExp" in found._repr_html_()


def test_sensor_types_together_cannot_be_told_to_brainstorm():
    settings = MneSettings(method="MNE", loose=1.0, depth=None)
    found = brainstorm_equivalent(settings, sample(), data_types="MEG")
    assert "noise between sensor types" in found.left
    assert found.parity == "not comparable"


def test_unknown_settings_are_refused():
    with pytest.raises(OptionError, match=r"Unknown MNE settings \['snr'\]. Must be of method"):
        brainstorm_equivalent({"snr": 3.0}, sample())
    with pytest.raises(OptionError, match=r"^settings must be MneSettings or a mapping .* float"):
        brainstorm_equivalent(3.0, sample())
