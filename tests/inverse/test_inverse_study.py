"""The study step: channels, projectors, reference and regions, against the textbook."""

from __future__ import annotations

import re

import numpy as np
import pytest
from inverse_problems import (
    UNITS,
    FakeAtlas,
    FakeChannels,
    FakeCovariance,
    FakeHeadModel,
    FakeProjector,
    FakeScout,
    Model,
    Problem,
    Stats,
    assert_same_kernel,
    assert_same_rows,
    make_model,
    make_stats,
    orthogonal,
    readonly,
    solve_naively,
)
from inverse_tolerances import EPS

from mne_bstinv.errors import InverseError, OptionError
from mne_bstinv.inverse import InverseOptions, bst_inverse_linear, compute_kernel
from mne_bstinv.inverse.study import average_reference, select_channels

#: A channel file: positions 0 … 13.
TYPES = (
    "MEG GRAD", "Stim", "MEG MAG", "EEG", "MEG GRAD", "EEG", "MEG REF",
    "EEG", "MEG MAG", "MEG GRAD", "EEG", "EEG", "MEG GRAD", "SEEG",
)  # fmt: skip
N = len(TYPES)
M = 5
EEG = [3, 5, 7, 10, 11]
MEG = [0, 2, 4, 8, 9, 12]
GRAD = [0, 4, 9, 12]


def _all_channels(seed, types=TYPES):
    """Return gain, normals and statistics of a file, every channel of some known unit."""
    rng = np.random.default_rng(seed)
    known = [t if t in UNITS else "MEG MAG" for t in types]
    model = make_model(rng, known, M, "fixed")
    # covariances of one type each, so that what is dropped is there to be dropped
    return model.gain, model.normals, make_stats(rng, known), make_stats(rng, known)


def _head_model(gain, normals, kind="surface", atlas=None):
    return FakeHeadModel(gain=gain, grid_orient=normals, head_model_type=kind, grid_atlas=atlas)


def _covariance(stats, n_samples=None):
    samples = stats.n_samples if n_samples is None else n_samples
    return FakeCovariance(noise_cov=stats.cov, fourth_moment=stats.fourth, n_samples=samples)


def _take(stats, good, projection=None, reference=None):
    """Section 1, steps 3 to 5, on a covariance: fourth moments are only cut."""
    p = np.eye(len(stats.cov)) if projection is None else projection
    cov = (p @ stats.cov @ p.T)[np.ix_(good, good)]
    if reference is not None:
        cov = reference @ cov @ reference.T
    return Stats(cov=cov, fourth=stats.fourth[np.ix_(good, good)], n_samples=stats.n_samples)


def _expected(gain, normals, noise, data, good, orient, p=None, a=None, types=TYPES):
    projected = gain if p is None else p @ gain
    projected = projected[good] if a is None else a @ projected[good]
    return Problem(
        types=tuple(types[i] for i in good),
        models=(Model(gain=projected, normals=normals, orient=orient),),
        noise=_take(noise, good, p, a),
        data=_take(data, good, p, a),
    )


def _reference(types):
    """Write the operator entry by entry."""
    n = len(types)
    a = np.eye(n)
    for kind in ("EEG", "SEEG", "ECOG"):
        of_kind = [i for i in range(n) if types[i].upper() == kind]
        if len(of_kind) >= 2:
            for i in of_kind:
                for j in of_kind:
                    a[i, j] -= 1 / len(of_kind)
    return a


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
    message = f"Unknown data type {unknown!r}. Must be of MEG, MEG MAG, MEG GRAD, EEG, SEEG, ECOG."
    with pytest.raises(OptionError, match=f"^{re.escape(message)}$"):
        select_channels(FakeChannels(types=TYPES), None, data_types)


@pytest.mark.parametrize("data_types", [7, {"EEG"}])
def test_data_types_that_are_no_text(data_types):
    message = f"Data types must be text or a list of text, found {data_types!r}."
    with pytest.raises(OptionError, match=f"^{re.escape(message)}$"):
        select_channels(FakeChannels(types=TYPES), None, data_types)


@pytest.mark.parametrize("data_types", [None, [], ()])
def test_no_data_type(data_types):
    with pytest.raises(OptionError, match=r"^No data type was given\. Must be of MEG, MEG MAG"):
        select_channels(FakeChannels(types=TYPES), None, data_types)


def test_no_good_channel():
    flag = np.ones(N)
    flag[[2, 8]] = -1
    message = (
        "No good channel of type MEG MAG: all 2 are bad. The channel file holds the types "
        "MEG GRAD, Stim, MEG MAG, EEG, MEG REF, SEEG."
    )
    with pytest.raises(InverseError, match=f"^{re.escape(message)}$"):
        select_channels(FakeChannels(types=TYPES), flag, "MEG MAG")
    with pytest.raises(InverseError, match="No good channel of type ECOG: there is none at all"):
        select_channels(FakeChannels(types=TYPES), None, "ECOG")


def _compute(seed=1, *, good=None, data_types=None, projectors=(), types=TYPES, **options):
    gain, normals, noise, data = _all_channels(seed, types)
    flag = options.pop("channel_flag", None)
    lcmv = options.get("method") == "lcmv"
    return compute_kernel(
        _head_model(gain, normals),
        _covariance(noise),
        FakeChannels(types=types, projectors=projectors),
        good_channels=good,
        data_types=data_types,
        channel_flag=flag,
        data_cov=_covariance(data) if lcmv else None,
        options=InverseOptions(**options),
    )


def test_given_channels():
    by_type = _compute(data_types="MEG")
    given = _compute(good=np.array([MEG]), channel_flag=-np.ones(N))  # flags do not matter then
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
        _compute(good=good)


def test_sizes_of_another_study():
    gain, normals, noise, data = _all_channels(2)
    message = (
        "The channel file has 13 channels, but the gain of the head model has 14; the noise "
        "covariance has 14; the data covariance has 14; the channel flag has 14: not of one study."
    )
    with pytest.raises(InverseError, match=f"^{re.escape(message)}$"):
        compute_kernel(
            _head_model(gain, normals),
            _covariance(noise),
            FakeChannels(types=TYPES[:13]),
            channel_flag=np.ones(14),
            data_types="EEG",
            data_cov=_covariance(data),
        )


# covariances that cannot be used


def _spoilt(kind, spoil, *, data_types="EEG", projectors=(), good=None):
    gain, normals, noise, data = _all_channels(3)
    covs = {"noise": np.array(noise.cov), "data": np.array(data.cov)}
    spoil(covs[kind])
    return compute_kernel(
        _head_model(gain, normals),
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
        f"The {kind} covariance {what} for channel(s) in use: C04, C11. Mark them bad, or "
        f"recompute the {kind} covariance."
    )
    with pytest.raises(InverseError, match=f"^{re.escape(message)}$"):
        _spoilt(kind, spoil, projectors=projectors)


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


# projectors and reference


def _ssp(seed, channels):
    """Return a vector over some channels of one type."""
    v = np.zeros((N, 1))
    v[channels, 0] = np.random.default_rng(seed).normal(size=len(channels))
    return readonly(v)


def _onto_complement(v):
    return np.eye(len(v)) - v @ np.linalg.inv(v.T @ v) @ v.T


OPTIONS = [
    {"measure": "amplitude"},
    {"measure": "dspm2018"},
    {"measure": "sloreta"},
    {"method": "gls"},
    {"method": "lcmv"},
    {"noise_method": "none"},
    {"noise_method": "median"},
    {"noise_method": "diag"},
    {"noise_method": "shrink"},
]


@pytest.mark.parametrize("options", OPTIONS, ids=lambda o: next(iter(o.values())))
@pytest.mark.parametrize("orient", ["fixed", "loose", "free"])
@pytest.mark.parametrize("status", [1, 2])
def test_projectors(orient, options, status):
    # of channels in use and not in use
    v = _ssp(4, GRAD)
    flag = np.ones(N)
    flag[9] = -1
    good = [0, 2, 4, 8, 12]
    projector = FakeProjector(components=v, comp_mask=[1], status=status)
    result = _compute(
        4, data_types="MEG", projectors=[projector], channel_flag=flag, source_orient=orient,
        **options,
    )  # fmt: skip
    p = _onto_complement(v)
    gain, normals, noise, data = _all_channels(4)
    expected = _expected(gain, normals, noise, data, good, orient, p)
    assert_same_kernel(result.kernel, solve_naively(expected, **options))
    np.testing.assert_allclose(
        result.noise_cov, expected.noise.cov, rtol=0, atol=100 * N * EPS * np.abs(noise.cov).max()
    )
    assert result.channel_indices.tolist() == good


def test_projectors_that_are_off_change_nothing():
    v = _ssp(5, GRAD)
    off = FakeProjector(components=v, comp_mask=[1], status=0)
    np.testing.assert_array_equal(
        _compute(5, data_types="MEG", projectors=[off]).kernel, _compute(5, data_types="MEG").kernel
    )


@pytest.mark.parametrize("options", OPTIONS, ids=lambda o: next(iter(o.values())))
@pytest.mark.parametrize("orient", ["fixed", "loose", "free"])
def test_average_reference(orient, options):
    good = sorted(MEG + EEG)
    types = [TYPES[i] for i in good]
    result = _compute(6, data_types=["MEG", "EEG"], source_orient=orient, **options)
    gain, normals, noise, data = _all_channels(6)
    a = _reference(types)
    expected = _expected(gain, normals, noise, data, good, orient, a=a)
    assert_same_kernel(result.kernel, solve_naively(expected, **options))
    if options.get("noise_method") not in ("diag", "shrink"):
        assert result.ranks == {"MEG GRAD": 4, "MEG MAG": 2, "EEG": len(EEG) - 1}


def test_average_reference_is_of_the_channels_in_use():
    flag = np.ones(N)
    flag[[3, 11]] = -1
    result = _compute(7, data_types="EEG", channel_flag=flag)
    gain, normals, noise, data = _all_channels(7)
    good = [5, 7, 10]
    expected = _expected(
        gain, normals, noise, data, good, "fixed", a=np.eye(3) - np.full((3, 3), 1 / 3)
    )
    assert_same_kernel(result.kernel, solve_naively(expected))


@pytest.mark.parametrize("noise_method", ["reg", "shrink"])
def test_projector_then_reference(noise_method):
    # the reference stands on the left, and is of good channels only, the projector of all
    v = _ssp(8, EEG)
    flag = np.ones(N)
    flag[11] = -1
    good = sorted({*MEG, *EEG} - {11})
    result = _compute(
        8, data_types=["MEG", "EEG"], channel_flag=flag, noise_method=noise_method,
        projectors=[FakeProjector(components=v, comp_mask=[1])],
    )  # fmt: skip
    gain, normals, noise, data = _all_channels(8)
    expected = _expected(
        gain, normals, noise, data, good, "fixed", _onto_complement(v),
        _reference([TYPES[i] for i in good]),
    )  # fmt: skip
    assert_same_kernel(result.kernel, solve_naively(expected, noise_method=noise_method))


@pytest.mark.parametrize(
    "types",
    [
        ["EEG", "EEG", "eeg"],
        ["MEG", "EEG", "SEEG", "EEG", "ECOG", "SEEG", "SEEG"],
        ["ECOG", "MEG MAG", "ECOG", "EEG"],
        ["ecog ", "Ecog"],
    ],
)
def test_average_reference_operator(types):
    found = average_reference(types)
    np.testing.assert_allclose(found, _reference([t.strip() for t in types]), rtol=0, atol=2 * EPS)


@pytest.mark.parametrize(
    "types", [["MEG", "MEG GRAD"], ["EEG"], ["EEG", "SEEG", "ECOG"], ["MEG", "EEG"]]
)
def test_no_average_reference_of_fewer_than_two(types):
    assert average_reference(types) is None


def test_one_eeg_channel_is_not_referenced():
    result = _compute(9, good=[0, 4, 9, 3])
    assert result.ranks == {"MEG GRAD": 3, "EEG": 1}
    gain, normals, noise, data = _all_channels(9)
    expected = _expected(gain, normals, noise, data, [0, 4, 9, 3], "fixed")
    assert_same_kernel(result.kernel, solve_naively(expected))


def test_without_projector_and_reference_the_arrays_are_taken_as_they_are():
    gain, normals, noise, _ = _all_channels(10)
    result = _compute(10, data_types="MEG")
    options = {
        "NoiseCovMat": {"NoiseCov": noise.cov[np.ix_(MEG, MEG)]},
        "ChannelTypes": [TYPES[i] for i in MEG],
    }
    plain = bst_inverse_linear({"Gain": gain[MEG], "GridOrient": normals}, options)
    reference = solve_naively(
        _expected(gain, normals, noise, noise, MEG, "fixed"),
    )
    assert_same_rows(result.kernel, plain.kernel, reference)


# gain rows without numbers


def _with_nan_rows(seed, rows, value=np.nan):
    gain, normals, noise, data = _all_channels(seed)
    spoilt = np.array(gain)
    spoilt[rows, ::2] = value
    return spoilt, normals, noise, data


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize(("data_types", "bad"), [("MEG", 9), ("EEG", 10)])
def test_rows_that_were_not_computed_take_no_part_in_the_projection(data_types, bad, order):
    # a bad channel has no gain, but the projector runs over it: G ← P[rows, rows] G
    flag = np.ones(N)
    flag[bad] = -1
    not_computed = [1, 6, 13, bad]
    gain, normals, noise, data = _with_nan_rows(11, not_computed)
    gain = np.array(gain, order=order)
    channels = MEG if data_types == "MEG" else EEG
    good = [i for i in channels if i != bad]
    v = _ssp(11, GRAD if data_types == "MEG" else EEG)
    result = compute_kernel(
        _head_model(gain, normals),
        _covariance(noise),
        FakeChannels(types=TYPES, projectors=[FakeProjector(components=v, comp_mask=[1])]),
        channel_flag=flag,
        data_types=data_types,
        options=InverseOptions(),
    )
    p = _onto_complement(v)
    rows = np.setdiff1d(np.arange(N), not_computed)
    projected = np.full_like(gain, np.nan)
    projected[rows] = p[np.ix_(rows, rows)] @ gain[rows]
    a = _reference([TYPES[i] for i in good])
    expected = Problem(
        types=tuple(TYPES[i] for i in good),
        models=(Model(gain=a @ projected[good], normals=normals, orient="fixed"),),
        noise=_take(noise, good, p, a),  # the covariance is projected as a whole
        data=_take(data, good, p, a),
    )
    assert_same_kernel(result.kernel, solve_naively(expected))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_gain_that_was_not_computed_for_channels_in_use(value):
    gain, normals, noise, _ = _with_nan_rows(12, [3, 10, 0], value)
    message = (
        "The gain is not finite for channel(s) in use: C04, C11. The head model was not computed "
        "for them: mark them bad, or choose other data types."
    )
    with pytest.raises(InverseError, match=f"^{re.escape(message)}$"):
        compute_kernel(
            _head_model(gain, normals),
            _covariance(noise),
            FakeChannels(types=TYPES),
            data_types="EEG",
        )


# statistics of shrinkage


def test_fourth_moment_is_neither_projected_nor_referenced():
    # so that the shrinkage of unreferenced EEG is complete; MEG with a projector is in between
    result = _compute(13, data_types="EEG", noise_method="shrink")
    gain, normals, noise, data = _all_channels(13)
    expected = _expected(
        gain, normals, noise, data, EEG, "fixed", a=_reference([TYPES[i] for i in EEG])
    )
    assert_same_kernel(result.kernel, solve_naively(expected, noise_method="shrink"))


def test_number_of_samples_is_the_first_of_the_good_channels():
    gain, normals, noise, data = _all_channels(14)
    counts = np.full((N, N), 1e9)
    good = [4, 8, 9, 12]
    counts[4, 4] = noise.n_samples
    kernels = []
    for samples in (counts, noise.n_samples, np.array([[noise.n_samples]])):
        result = compute_kernel(
            _head_model(gain, normals),
            _covariance(noise, samples),
            FakeChannels(types=TYPES),
            good_channels=good,
            options=InverseOptions(noise_method="shrink"),
        )
        kernels.append(result.kernel)
    np.testing.assert_array_equal(kernels[0], kernels[1])
    np.testing.assert_array_equal(kernels[0], kernels[2])
    expected = _expected(gain, normals, noise, data, good, "fixed")
    assert_same_kernel(kernels[0], solve_naively(expected, noise_method="shrink"))


@pytest.mark.parametrize("missing", ["FourthMoment", "nSamples"])
def test_shrink_without_statistics(missing):
    gain, normals, noise, _ = _all_channels(15)
    cov = FakeCovariance(
        noise_cov=noise.cov,
        fourth_moment=None if missing == "FourthMoment" else noise.fourth,
        n_samples=None if missing == "nSamples" else 9,
    )
    with pytest.raises(InverseError, match=f"Noise method 'shrink' needs {missing}"):
        compute_kernel(
            _head_model(gain, normals),
            cov,
            FakeChannels(types=TYPES),
            data_types="MEG",
            options=InverseOptions(noise_method="shrink"),
        )


def test_names_of_channels_reach_the_whitener():
    gain, normals, noise, _ = _all_channels(16)
    cov = np.array(noise.cov)
    cov[8, 8] = 0
    with pytest.raises(InverseError, match=re.escape("MEG MAG channel(s) C09 have no variance")):
        compute_kernel(
            _head_model(gain, normals),
            FakeCovariance(noise_cov=readonly(cov)),
            FakeChannels(types=TYPES),
            data_types="MEG",
            options=InverseOptions(noise_method="diag"),
        )


# options and head models


def test_defaults_of_the_study_step():
    gain, normals, noise, _ = _all_channels(17)
    result = compute_kernel(
        _head_model(gain, normals), _covariance(noise), FakeChannels(types=TYPES), data_types="EEG"
    )
    # section 7: amplitude, but dspm2018 in the study step
    assert result.options == InverseOptions(measure="dspm2018")


def test_options_under_their_matlab_names():
    gain, normals, noise, data = _all_channels(28)
    result = compute_kernel(
        _head_model(gain, normals),
        _covariance(noise),
        FakeChannels(types=TYPES),
        data_types="MEG",
        options={"InverseMeasure": "sloreta", "SnrFixed": 2.0},
    )
    assert result.options == InverseOptions(measure="sloreta", snr_fixed=2.0)
    expected = _expected(gain, normals, noise, data, MEG, "fixed")
    assert_same_kernel(result.kernel, solve_naively(expected, measure="sloreta", snr_fixed=2.0))


@pytest.mark.parametrize("position", [1, 6])
def test_given_channels_of_a_type_without_an_inverse(position):
    message = f"Channel C{position + 1:02d} is of type {TYPES[position]!r}, which has no inverse."
    with pytest.raises(OptionError, match=f"^{re.escape(message)}"):
        _compute(good=[0, position])


def test_lcmv_without_a_data_covariance():
    gain, normals, noise, _ = _all_channels(18)
    with pytest.raises(InverseError, match="Method 'lcmv' needs a data covariance, found none"):
        compute_kernel(
            _head_model(gain, normals),
            _covariance(noise),
            FakeChannels(types=TYPES),
            data_types="EEG",
            options=InverseOptions(method="lcmv"),
        )


@pytest.mark.parametrize("orient", ["fixed", "loose"])
def test_volumes_are_free_only(orient):
    gain, _, noise, _ = _all_channels(19)
    message = "The head model is a volume without orientations: SourceOrient must be 'free', found"
    with pytest.raises(OptionError, match=f"^{re.escape(message)} {orient!r}"):
        compute_kernel(
            _head_model(gain, None, "Volume"),
            _covariance(noise),
            FakeChannels(types=TYPES),
            data_types="EEG",
            options=InverseOptions(source_orient=orient),
        )


@pytest.mark.parametrize("kind", ["volume", "surface", None])
def test_free(kind):
    gain, normals, noise, data = _all_channels(20)
    result = compute_kernel(
        _head_model(gain, None, kind),
        _covariance(noise),
        FakeChannels(types=TYPES),
        data_types="MEG",
        options=InverseOptions(source_orient="free"),
    )
    assert result.n_components == 3
    expected = _expected(gain, normals, noise, data, MEG, "free")
    assert_same_kernel(result.kernel, solve_naively(expected))


def test_more_orientations_than_head_models():
    with pytest.raises(
        OptionError, match=re.escape("SourceOrient has 2 entries for 1 head model(s).")
    ):
        _compute(21, data_types="EEG", source_orient=("fixed", "free"))


# mixed head models

SCOUTS = (
    FakeScout(region="LSC", grid_rows=[4, 2], label="cortex"),
    FakeScout(region="UXU", grid_rows=[], label="excluded"),
    FakeScout(region="UVU", grid_rows=[5], label="volume"),
    FakeScout(region="RDL", grid_rows=[1, 3], label="deep"),
)
ORDER = ([3, 1], [4], [0, 2])
ORIENTS = ("fixed", "free", "loose")


def _mixed(gain, normals, noise, data, scouts=SCOUTS, **options):
    return compute_kernel(
        _head_model(gain, normals, "mixed", FakeAtlas(scouts=scouts)),
        _covariance(noise),
        FakeChannels(
            types=TYPES, projectors=[FakeProjector(components=_ssp(22, GRAD), comp_mask=[1])]
        ),
        data_types="MEG",
        data_cov=_covariance(data),
        options=InverseOptions(**options),
    )


@pytest.mark.parametrize(
    "options",
    [*OPTIONS[:5], {"source_orient": ("free", "fixed")}, {"source_orient": "loose"}],
    ids=lambda o: str(next(iter(o.values()))),
)
def test_mixed(options):
    gain, normals, noise, data = _all_channels(22)
    result = _mixed(gain, normals, noise, data, **options)
    p = _onto_complement(_ssp(22, GRAD))
    whole = _expected(gain, normals, noise, data, MEG, "free", p)
    (model,) = whole.models
    models = tuple(
        Model(
            gain=np.hstack([model.block(i) for i in locations]),
            normals=normals[locations],
            orient=orient,
        )
        for locations, orient in zip(ORDER, ORIENTS, strict=True)
    )
    expected = Problem(types=whole.types, models=models, noise=whole.noise, data=whole.data)
    naive_options = {k: v for k, v in options.items() if k != "source_orient"}
    assert_same_kernel(result.kernel, solve_naively(expected, **naive_options))
    assert result.n_components == 0
    assert [(r.name, r.orient, r.locations.tolist(), r.rows) for r in result.regions] == [
        ("cortex", "fixed", [3, 1], slice(0, 2)),
        ("volume", "free", [4], slice(2, 5)),
        ("deep", "loose", [0, 2], slice(5, 11)),
    ]
    # what was asked for is ignored, what was done is kept
    assert result.options.source_orient == ORIENTS


def test_mixed_with_one_region_is_mixed():
    result = _mixed(*_all_channels(23), scouts=[FakeScout(region="LSU", grid_rows=[1, 2, 3])])
    assert result.n_components == 0
    assert result.kernel.shape == (9, len(MEG))


@pytest.mark.parametrize("code", ["UVC", "UVL"])
def test_constrained_region_without_normals(code):
    gain, normals, noise, data = _all_channels(24)
    without = np.array(normals)
    without[4] = 0  # a volume has none
    scouts = [FakeScout(region="LSC", grid_rows=[1, 2]), FakeScout(region=code, grid_rows=[5])]
    with pytest.raises(
        InverseError, match=re.escape("GridOrient is zero or not finite at 1 of 1 locations")
    ):
        _mixed(gain, readonly(without), noise, data, scouts)
    with pytest.raises(InverseError, match="GridOrient is empty: fixed and loose orientations"):
        _mixed(gain, None, noise, data, scouts)


@pytest.mark.parametrize("atlas", [None, FakeAtlas(scouts=())])
def test_mixed_without_regions(atlas):
    gain, normals, noise, _ = _all_channels(25)
    with pytest.raises(InverseError, match="mixed head model has no region with locations"):
        compute_kernel(
            _head_model(gain, normals, "mixed", atlas),
            _covariance(noise),
            FakeChannels(types=TYPES),
            data_types="MEG",
        )


def test_averages_do_not_scale_the_covariance():
    # nothing that could be a number of averages is an option
    options = InverseOptions().to_brainstorm()
    assert not [name for name in options if "avg" in name.lower() or "leff" in name.lower()]


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("projected", [False, True])
def test_order_of_the_gain_in_memory_does_not_matter(projected, order):
    gain, normals, noise, data = _all_channels(26)
    gain = np.array(gain, order=order)
    gain.setflags(write=False)
    v = _ssp(26, GRAD)
    projectors = [FakeProjector(components=v, comp_mask=[1])] if projected else []
    result = compute_kernel(
        _head_model(gain, normals),
        _covariance(noise),
        FakeChannels(types=TYPES, projectors=projectors),
        data_types="MEG",
        options=InverseOptions(),
    )
    p = _onto_complement(v) if projected else None
    expected = _expected(gain, normals, noise, data, MEG, "fixed", p)
    assert_same_kernel(result.kernel, solve_naively(expected))


def test_orthogonal_operator_is_a_change_of_channels():
    # a reference in the list of projectors: any operator, here one that turns the channels
    turn = orthogonal(np.random.default_rng(27), len(MEG))
    operator = np.eye(N)
    operator[np.ix_(MEG, MEG)] = turn
    result = _compute(
        27, data_types="MEG",
        projectors=[FakeProjector(components=readonly(operator), kind="operator")],
    )  # fmt: skip
    gain, normals, noise, data = _all_channels(27)
    expected = _expected(gain, normals, noise, data, MEG, "fixed", operator)
    assert_same_kernel(result.kernel, solve_naively(expected))
