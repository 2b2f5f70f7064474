"""Selection of channels and refusals."""

from __future__ import annotations

import re

import numpy as np
import pytest
from inverse_problems import (
    FakeChannels,
    FakeCovariance,
    FakeProjector,
    readonly,
)
from inverse_studies import (
    EEG,
    GRAD,
    MEG,
    TYPES,
    M,
    N,
    all_channels,
    compute,
    covariance,
    expected_problem,
    head_model,
    onto_complement,
    reference_operator,
    ssp,
)
from inverse_tolerances import EPS

from mne_bstinv.errors import InverseError, OptionError
from mne_bstinv.inverse import InverseOptions, compute_kernel
from mne_bstinv.inverse.channels import select_channels
from mne_bstinv.inverse.preparation import prepare_study

# channels


@pytest.mark.parametrize(
    ("data_types", "expected"),
    [
        ("MEG", MEG),
        (["MEG"], MEG),
        ("meg", MEG),
        ("MEG MAG", [2, 8]),
        ("MEG GRAD", [0, 4, 9, 12]),
        (["MEG GRAD", "MEG MAG"], MEG),
        ("EEG", EEG),
        (" Eeg ", EEG),
        (("EEG", "MEG MAG"), [2, 3, 5, 7, 8, 10, 11]),
        (np.array(["EEG", "MEG MAG"]), [2, 3, 5, 7, 8, 10, 11]),
        ("SEEG", [13]),
    ],
)
def test_channels_of_the_types(data_types, expected):
    found = select_channels(FakeChannels(types=TYPES), None, data_types)
    assert found.tolist() == expected  # never 6, a reference sensor


def test_types_of_the_file_in_any_case():
    channels = FakeChannels(types=["meg", "Meg Mag", "MEG grad ", "eeg", "meg ref"])
    assert select_channels(channels, None, "MEG").tolist() == [0, 1, 2]
    assert select_channels(channels, None, "EEG").tolist() == [3]


@pytest.mark.parametrize("flag_type", [list, np.array, lambda f: np.reshape(f, (-1, 1))])
def test_bad_channels(flag_type):
    flag = [1] * N
    flag[2], flag[8], flag[3] = -1, 0, -1  # only negative flags are bad
    found = select_channels(FakeChannels(types=TYPES), flag_type(flag), ["MEG MAG", "EEG"])
    assert found.tolist() == [5, 7, 8, 10, 11]


@pytest.mark.parametrize("data_types", ["MEG REF", "Stim", ["EEG", "MEGGRAD"], "ALL"])
def test_unknown_data_type(data_types):
    unknown = data_types if isinstance(data_types, str) else "MEGGRAD"
    types = "MEG, MEG MAG, MEG GRAD, EEG, SEEG, ECOG"
    message = f"Unknown data type {unknown!r}. data_types must be of {types}."
    with pytest.raises(OptionError, match=f"^{re.escape(message)}$"):
        select_channels(FakeChannels(types=TYPES), None, data_types)


@pytest.mark.parametrize("data_types", [7, {"EEG"}])
def test_data_types_that_are_no_text(data_types):
    message = f"Data types must be text or a list of text, found {data_types!r}."
    with pytest.raises(OptionError, match=f"^{re.escape(message)}$"):
        select_channels(FakeChannels(types=TYPES), None, data_types)


@pytest.mark.parametrize("data_types", [None, [], ()])
def test_no_data_type(data_types):
    message = r"^No data type was given\. data_types must be of MEG, MEG MAG"
    with pytest.raises(OptionError, match=message):
        select_channels(FakeChannels(types=TYPES), None, data_types)


def test_no_good_channel():
    flag = np.ones(N)
    flag[[2, 8]] = -1
    message = (
        "No good channel of type MEG MAG: all 2 are bad. The channel file holds the types "
        "MEG GRAD, Stim, MEG MAG, EEG, MEG REF, SEEG. Choose another type, or mark channels good."
    )
    with pytest.raises(InverseError, match=f"^{re.escape(message)}$"):
        select_channels(FakeChannels(types=TYPES), flag, "MEG MAG")
    with pytest.raises(InverseError, match="No good channel of type ECOG: there is none at all"):
        select_channels(FakeChannels(types=TYPES), None, "ECOG")


def test_given_channels():
    by_type = compute(data_types="MEG")
    given = compute(good=np.array([MEG]), channel_flag=-np.ones(N))  # flags do not matter then
    np.testing.assert_array_equal(given.kernel, by_type.kernel)
    assert given.channel_indices.tolist() == MEG
    assert given.channel_names == tuple(f"C{i + 1:02d}" for i in MEG)
    assert given.channel_types == tuple(TYPES[i] for i in MEG)


@pytest.mark.parametrize(
    ("good", "message"),
    [
        ([], "Good channels must be distinct whole numbers, found []."),
        ([3, 5, 3], "Good channels must be distinct whole numbers, found [3, 5, 3]."),
        ([3.0, 5.5], "Good channels must be distinct whole numbers, found [3.0, 5.5]."),
        (["C04"], "Good channels must be distinct whole numbers, found ['C04']."),
        ([-1, 3], "Good channels run from -1 to 3 (0-based), but the channel file holds 14"),
        ([3, 14], "Good channels run from 3 to 14 (0-based), but the channel file holds 14"),
    ],
)
def test_given_channels_that_are_not_in_the_file(good, message):
    with pytest.raises(InverseError, match=re.escape(message)):
        compute(good=good)


def test_sizes_of_another_study():
    gain, normals, noise, data = all_channels(2)
    message = (
        "The channel file has 13 channels, but the gain of the head model has 14; the noise "
        "covariance has 14; the data covariance has 14; the channel flag has 14: not of one study. "
        "Take all files from one study."
    )
    with pytest.raises(InverseError, match=f"^{re.escape(message)}$"):
        compute_kernel(
            head_model(gain, normals),
            covariance(noise),
            FakeChannels(types=TYPES[:13]),
            channel_flag=np.ones(14),
            data_types="EEG",
            data_cov=covariance(data),
        )


# covariances that cannot be used


def _spoilt(kind, spoil, *, data_types="EEG", projectors=(), good=None):
    gain, normals, noise, data = all_channels(3)
    covs = {"noise": np.array(noise.cov), "data": np.array(data.cov)}
    spoil(covs[kind])
    return compute_kernel(
        head_model(gain, normals),
        FakeCovariance(noise_cov=readonly(covs["noise"])),
        FakeChannels(types=TYPES, projectors=projectors),
        data_types=data_types,
        good_channels=good,
        data_cov=FakeCovariance(noise_cov=readonly(covs["data"])),
        options=InverseOptions(method="lcmv"),
    )


def _zero(cov):
    cov[[3, 10]] = 0
    cov[:, [3, 10]] = 0


def _nan(cov):
    cov[3, 3] = cov[10, 10] = np.nan


#: Mixes everything: after projection no row would be zero.
MIXING = FakeProjector(components=np.ones((N, 1)), comp_mask=[1])


@pytest.mark.parametrize("projectors", [(), (MIXING,)], ids=["plain", "projected"])
@pytest.mark.parametrize(
    ("spoil", "what"),
    [(_zero, "is zero (they were bad when it was computed)"), (_nan, "is not finite")],
)
@pytest.mark.parametrize("kind", ["noise", "data"])
def test_unusable_covariance(kind, spoil, what, projectors):
    message = (
        f"The {kind} covariance {what} for channel(s) in use: C04, C11. Mark them bad "
        "(channel_flag, which recordings hold; or leave them out of good_channels), or "
        f"recompute the {kind} covariance."
    )
    with pytest.raises(InverseError, match=f"^{re.escape(message)}$"):
        _spoilt(kind, spoil, projectors=projectors)


def test_many_unusable_channels_are_counted():
    def spoil(cov):
        cov[np.diag_indices(N)] = np.nan

    with pytest.raises(InverseError, match=r"in use: C01, C03, .* and 1 more\. Mark"):
        _spoilt("noise", spoil, data_types=["MEG", "EEG"])


@pytest.mark.parametrize("spoil", [_zero, _nan])
@pytest.mark.parametrize("kind", ["noise", "data"])
def test_channels_that_are_not_used_may_be_unusable(kind, spoil):
    expected = _spoilt(kind, lambda cov: None, good=[5, 7, 11])
    found = _spoilt(kind, spoil, good=[5, 7, 11])
    np.testing.assert_array_equal(found.kernel, expected.kernel)


def test_zero_row_is_of_the_channels_in_use():
    # covariances with channels that are not used do not make it usable
    def spoil(cov):
        kept = cov[3, 0]
        cov[3] = cov[:, 3] = 0
        cov[3, 0] = cov[0, 3] = kept

    with pytest.raises(InverseError, match=r"is zero \(they were bad .* in use: C04\."):
        _spoilt("noise", spoil)


def test_zero_variance_alone_is_no_reason():
    def spoil(cov):
        cov[3, 3] = 0

    assert np.isfinite(_spoilt("noise", spoil).kernel).all()


@pytest.mark.parametrize("kind", ["noise", "data"])
def test_numbers_mixed_in_by_a_projector(kind):
    def spoil(cov):
        cov[0, 0] = np.nan  # a MEG channel that the projector mixes into EEG

    message = f"The {kind} covariance is not finite after projection"
    with pytest.raises(InverseError, match=message):
        _spoilt(kind, spoil, projectors=(MIXING,))


def test_prepared_study():
    flag = np.ones(N)
    flag[[5, 9]] = -1
    v = ssp(29, GRAD)
    gain, normals, noise, data = all_channels(29)
    study = prepare_study(
        head_model(gain, normals),
        covariance(noise),
        FakeChannels(types=TYPES, projectors=[FakeProjector(components=v, comp_mask=[1])]),
        channel_flag=flag,
        data_types=["MEG", "EEG"],
        data_cov=covariance(data),
        options={"SourceOrient": "loose", "InverseMeasure": "sloreta"},
    )
    good = [0, 2, 3, 4, 7, 8, 10, 11, 12]
    types = tuple(TYPES[i] for i in good)
    expected = expected_problem(
        gain, normals, noise, data, good, "loose", onto_complement(v), reference_operator(types)
    )
    assert study.channel_indices.tolist() == good
    assert study.channel_types == types
    assert study.channel_names == tuple(f"C{i + 1:02d}" for i in good)
    assert (study.n_sources, study.mixed) == (M, False)
    assert study.options == InverseOptions(source_orient="loose", measure="sloreta")
    (region,) = study.regions
    assert (region.orient, region.locations.tolist()) == ("loose", list(range(M)))
    np.testing.assert_array_equal(region.grid_orient, normals)
    # two products with operators of norm one, by sensor type
    for kind in dict.fromkeys(types):
        index = np.flatnonzero(np.array(types) == kind)
        block = np.ix_(index, index)
        np.testing.assert_allclose(
            region.gain.array[index],
            expected.models[0].gain[index],
            rtol=0,
            atol=100 * N * EPS * np.abs(expected.models[0].gain[index]).max(),
        )
        for found, wanted in ((study.noise, expected.noise), (study.data, expected.data)):
            size = np.abs(wanted.cov[block]).max()
            np.testing.assert_allclose(
                found.cov[block], wanted.cov[block], rtol=0, atol=100 * N * EPS * size
            )
            np.testing.assert_array_equal(found.fourth_moment, wanted.fourth)
            assert found.n_samples == wanted.n_samples
