"""Options in words, and in the letters of names of files."""

from __future__ import annotations

import pytest

from mne_bstinv import InverseOptions, InverseOptions2009, InverseOptions2016
from mne_bstinv.inverse.words import options_in_letters, options_in_words

#: What sets the options of a kernel apart from the defaults → the letters, in MN and fixed.
ONE_BY_ONE = {
    "fixed": {},
    "free": {"source_orient": "free"},
    "loose": {"source_orient": "loose"},
    "loose0.6": {"source_orient": "loose", "loose": 0.6},
    "fixed-loose-free": {"source_orient": ("fixed", "loose", "free")},
    "fixed_noreg": {"noise_method": "none"},
    "fixed_diag": {"noise_method": "diag"},
    "fixed_reg0.05": {"noise_reg": 0.05},
    "fixed_snr1": {"snr_fixed": 1},
    "fixed_rms1e-09": {"snr_method": "rms", "snr_rms": 1e-9},
    "fixed_nodepth": {"use_depth": False},
    "fixed_depth0.8_limit5": {"weight_exp": 0.8, "weight_limit": 5},
}


@pytest.mark.parametrize(("letters", "options"), ONE_BY_ONE.items())
def test_each_option_is_in_the_letters_and_words(letters, options):
    assert options_in_letters(InverseOptions(**options)) == letters
    assert options_in_letters(InverseOptions2016(**options)) == f"{letters}_2016"
    words = [
        tuple(options_in_words(InverseOptions(**each), ["EEG"]).values())
        for each in ONE_BY_ONE.values()
    ]
    assert len(set(words)) == len(ONE_BY_ONE)


def test_the_words():
    assert options_in_words(InverseOptions(), ["MEG GRAD", "MEG MAG", "MEG GRAD"]) == {
        "method": "minimum norm",
        "measure": "amplitude",
        "orientation": "fixed orientation",
        "channels": "MEG GRAD+MEG MAG",
        "noise": "noise reg 0.1",
        "prior": "SNR 3",
        "depth": "depth 0.5 up to 10",
        "inverse": "inverse of 2018",
    }
    # asked for, and taken for what was done in the end
    said = options_in_words(InverseOptions(noise_method="shrink"), (), noise_method="median")
    assert said["noise"] == "noise floored at the median"


@pytest.mark.parametrize(
    ("options", "unused"),
    [
        (InverseOptions(method="lcmv"), {"prior", "depth"}),
        (InverseOptions(method="gls", snr_fixed=1), {"prior", "depth"}),
        (InverseOptions(measure="sloreta", use_depth=False), {"depth"}),
    ],
)
def test_what_a_method_does_not_use_is_not_said(options, unused):
    assert not unused & set(options_in_words(options, ()))
    assert options_in_letters(options) == "fixed"


def test_options_of_2009():
    options = InverseOptions2009(
        method="dspm", diagonal_noise=True, mag_reg=0.3, pca=False, use_depth=False
    )
    assert options_in_letters(options) == "fixed_diag_magreg0.3_nopca_nodepth_2009"
    said = options_in_words(options, ["MEG GRAD", "MEG MAG"])
    assert said["noise"] == "noise diagonal reg 0.1/0.3"
    assert (said["method"], said["measure"]) == ("minimum norm", "dSPM")
    plain = InverseOptions2009(regularize_noise=False)
    assert options_in_letters(plain) == "fixed_noreg_2009"
    assert options_in_words(plain, ["EEG"])["noise"] == "noise full, pca"
