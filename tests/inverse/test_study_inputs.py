"""What the study step makes of inputs that are incomplete, misspelt or of the wrong kind."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from small_sample import load_small_sample

from mne_bstinv.errors import InverseError, OptionError
from mne_bstinv.inverse import compute_kernel


@pytest.fixture(scope="module")
def sample():
    return load_small_sample()


def _compute(sample, **changes):
    inputs = {
        "head_model": sample.head_model,
        "noise_cov": sample.noise_cov,
        "channels": sample.channels,
        "channel_flag": sample.recordings.channel_flag,
        "data_types": "MEG",
    } | changes
    return compute_kernel(
        inputs.pop("head_model"), inputs.pop("noise_cov"), inputs.pop("channels"), **inputs
    )


@pytest.mark.parametrize("options", [None, {}, {"SnrFixed": 2.0}])
def test_what_is_not_given_takes_the_default_of_the_study_step(sample, options):
    assert _compute(sample, options=options).function == "dspm2018"


def test_misspelt_option_is_refused(sample):
    with pytest.raises(OptionError, match=r"'NoiseMetod'\. Did you mean 'NoiseMethod'"):
        _compute(sample, options={"NoiseMetod": "diag"})


def test_field_that_is_no_option_is_told(sample):
    message = "The field 'Colour' of the options is no option of the inverse: ignored."
    assert message in _compute(sample, options={"Colour": "blue"}).warnings


def test_zero_flag_counts_as_good_and_is_told(sample):
    flag = sample.recordings.channel_flag.copy()
    flag[3] = 0
    result = _compute(sample, channel_flag=flag)
    assert 3 in result.channel_indices
    assert "The channel flag is 0 for 1 channel(s)" in result.warnings[0]


@pytest.mark.parametrize(
    ("flag", "found"),
    [
        (np.ones(135, dtype=bool), r"bool values such as \[True, True, True\]"),
        (["good"] * 135, r"<U4 values such as \['good', 'good', 'good'\]"),
        (np.full(135, 2), r"int64 values such as \[2, 2, 2\]"),
        (np.full(135, np.nan), r"float64 values such as \[nan, nan, nan\]"),
    ],
)
def test_flag_of_another_kind_is_refused(sample, flag, found):
    with pytest.raises(InverseError, match=rf"must hold 1 \(good\) and −1 \(bad\).*found {found}"):
        _compute(sample, channel_flag=flag)


def test_data_type_without_channels_is_told(sample):
    result = _compute(sample, data_types=["MEG MAG", "SEEG"])
    assert set(result.channel_types) == {"MEG MAG"}
    assert result.warnings == ("No good channel of type SEEG: computed without.",)


@pytest.mark.parametrize(
    ("name", "attribute"), [("head_model", "gain"), ("channels", "projectors")]
)
def test_wrong_structure_is_named(sample, name, attribute):
    message = rf"{name} must be .*\(with the attribute {attribute}\), found NoiseCov"
    with pytest.raises(InverseError, match=message):
        _compute(sample, **{name: sample.noise_cov})


def test_nothing_in_place_of_a_covariance(sample):
    with pytest.raises(InverseError, match=r"noise_cov must be .*found NoneType"):
        _compute(sample, noise_cov=None)


def test_nan_of_a_channel_that_no_projector_mixes_in_does_no_harm(sample):
    """The projector of the sample has no weight on the EEG."""
    (eeg,) = np.flatnonzero(np.array(sample.channels.types) == "EEG")[:1]
    noise_cov = sample.noise_cov.noise_cov.copy()
    noise_cov[eeg] = noise_cov[:, eeg] = np.nan
    changed = dataclasses.replace(sample.noise_cov, noise_cov=noise_cov)
    np.testing.assert_array_equal(
        _compute(sample, noise_cov=changed).kernel, _compute(sample).kernel
    )


def test_stored_good_channels_are_one_based(sample):
    """Taking them as they are stands out: another type, or a channel too many."""
    stored = sample.results["sLORETA: EEG(Constr) 2018"].good_channel
    with pytest.raises(OptionError, match=r"Channel .* is of type 'Stim', which has no inverse"):
        _compute(sample, data_types=None, good_channels=stored)
