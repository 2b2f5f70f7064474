"""The study step: projectors, reference and regions, against the textbook."""

from __future__ import annotations

import re

import numpy as np
import pytest
from inverse_problems import (
    FakeAtlas,
    FakeChannels,
    FakeCovariance,
    FakeProjector,
    FakeScout,
    Model,
    Problem,
    assert_same_kernel,
    assert_same_rows,
    orthogonal,
    readonly,
    solve_naively,
)
from inverse_studies import (
    EEG,
    GRAD,
    MEG,
    TYPES,
    N,
    all_channels,
    compute,
    covariance,
    expected_problem,
    head_model,
    onto_complement,
    reference_operator,
    ssp,
    take,
)
from inverse_tolerances import EPS

from mne_bstinv.errors import InverseError, OptionError
from mne_bstinv.inverse import InverseOptions, bst_inverse_linear, compute_kernel

# projectors and reference


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
    v = ssp(4, GRAD)
    flag = np.ones(N)
    flag[9] = -1
    good = [0, 2, 4, 8, 12]
    projector = FakeProjector(components=v, comp_mask=[1], status=status)
    result = compute(
        4, data_types="MEG", projectors=[projector], channel_flag=flag, source_orient=orient,
        **options,
    )  # fmt: skip
    p = onto_complement(v)
    gain, normals, noise, data = all_channels(4)
    expected = expected_problem(gain, normals, noise, data, good, orient, p)
    assert_same_kernel(result.kernel, solve_naively(expected, **options))
    np.testing.assert_allclose(
        result.noise_cov, expected.noise.cov, rtol=0, atol=100 * N * EPS * np.abs(noise.cov).max()
    )
    assert result.channel_indices.tolist() == good


def test_projectors_that_are_off_change_nothing():
    v = ssp(5, GRAD)
    off = FakeProjector(components=v, comp_mask=[1], status=0)
    np.testing.assert_array_equal(
        compute(5, data_types="MEG", projectors=[off]).kernel, compute(5, data_types="MEG").kernel
    )


@pytest.mark.parametrize("options", OPTIONS, ids=lambda o: next(iter(o.values())))
@pytest.mark.parametrize("orient", ["fixed", "loose", "free"])
def test_average_reference(orient, options):
    good = sorted(MEG + EEG)
    types = [TYPES[i] for i in good]
    result = compute(6, data_types=["MEG", "EEG"], source_orient=orient, **options)
    gain, normals, noise, data = all_channels(6)
    a = reference_operator(types)
    expected = expected_problem(gain, normals, noise, data, good, orient, a=a)
    assert_same_kernel(result.kernel, solve_naively(expected, **options))
    if options.get("noise_method") not in ("diag", "shrink"):
        assert result.ranks == {"MEG GRAD": 4, "MEG MAG": 2, "EEG": len(EEG) - 1}


def test_average_reference_is_of_the_channels_in_use():
    flag = np.ones(N)
    flag[[3, 11]] = -1
    result = compute(7, data_types="EEG", channel_flag=flag)
    gain, normals, noise, data = all_channels(7)
    good = [5, 7, 10]
    expected = expected_problem(
        gain, normals, noise, data, good, "fixed", a=np.eye(3) - np.full((3, 3), 1 / 3)
    )
    assert_same_kernel(result.kernel, solve_naively(expected))


@pytest.mark.parametrize("noise_method", ["reg", "shrink"])
def test_projector_then_reference(noise_method):
    # the reference stands on the left, and is of good channels only, the projector of all
    v = ssp(8, EEG)
    flag = np.ones(N)
    flag[11] = -1
    good = sorted({*MEG, *EEG} - {11})
    result = compute(
        8, data_types=["MEG", "EEG"], channel_flag=flag, noise_method=noise_method,
        projectors=[FakeProjector(components=v, comp_mask=[1])],
    )  # fmt: skip
    gain, normals, noise, data = all_channels(8)
    expected = expected_problem(
        gain, normals, noise, data, good, "fixed", onto_complement(v),
        reference_operator([TYPES[i] for i in good]),
    )  # fmt: skip
    assert_same_kernel(result.kernel, solve_naively(expected, noise_method=noise_method))


def test_one_eeg_channel_is_not_referenced():
    result = compute(9, good=[0, 4, 9, 3])
    assert result.ranks == {"MEG GRAD": 3, "EEG": 1}
    gain, normals, noise, data = all_channels(9)
    expected = expected_problem(gain, normals, noise, data, [0, 4, 9, 3], "fixed")
    assert_same_kernel(result.kernel, solve_naively(expected))


def test_without_projector_and_reference_the_arrays_are_taken_as_they_are():
    gain, normals, noise, _ = all_channels(10)
    result = compute(10, data_types="MEG")
    options = {
        "NoiseCovMat": {"NoiseCov": noise.cov[np.ix_(MEG, MEG)]},
        "ChannelTypes": [TYPES[i] for i in MEG],
    }
    plain = bst_inverse_linear({"Gain": gain[MEG], "GridOrient": normals}, options)
    reference = solve_naively(
        expected_problem(gain, normals, noise, noise, MEG, "fixed"),
    )
    assert_same_rows(result.kernel, plain.kernel, reference)


# gain rows without numbers


def _with_nan_rows(seed, rows, value=np.nan):
    gain, normals, noise, data = all_channels(seed)
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
    v = ssp(11, GRAD if data_types == "MEG" else EEG)
    result = compute_kernel(
        head_model(gain, normals),
        covariance(noise),
        FakeChannels(types=TYPES, projectors=[FakeProjector(components=v, comp_mask=[1])]),
        channel_flag=flag,
        data_types=data_types,
        options=InverseOptions(),
    )
    p = onto_complement(v)
    rows = np.setdiff1d(np.arange(N), not_computed)
    projected = np.full_like(gain, np.nan)
    projected[rows] = p[np.ix_(rows, rows)] @ gain[rows]
    a = reference_operator([TYPES[i] for i in good])
    expected = Problem(
        types=tuple(TYPES[i] for i in good),
        models=(Model(gain=a @ projected[good], normals=normals, orient="fixed"),),
        noise=take(noise, good, p, a),  # the covariance is projected as a whole
        data=take(data, good, p, a),
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
            head_model(gain, normals),
            covariance(noise),
            FakeChannels(types=TYPES),
            data_types="EEG",
        )


# statistics of shrinkage


def test_fourth_moment_is_neither_projected_nor_referenced():
    # so that the shrinkage of unreferenced EEG is complete; MEG with a projector is in between
    result = compute(13, data_types="EEG", noise_method="shrink")
    gain, normals, noise, data = all_channels(13)
    expected = expected_problem(
        gain, normals, noise, data, EEG, "fixed", a=reference_operator([TYPES[i] for i in EEG])
    )
    assert_same_kernel(result.kernel, solve_naively(expected, noise_method="shrink"))


def test_number_of_samples_is_the_first_of_the_good_channels():
    gain, normals, noise, data = all_channels(14)
    counts = np.full((N, N), 1e9)
    good = [4, 8, 9, 12]
    counts[4, 4] = noise.n_samples
    kernels = []
    for samples in (counts, noise.n_samples, np.array([[noise.n_samples]])):
        result = compute_kernel(
            head_model(gain, normals),
            covariance(noise, samples),
            FakeChannels(types=TYPES),
            good_channels=good,
            options=InverseOptions(noise_method="shrink"),
        )
        kernels.append(result.kernel)
    np.testing.assert_array_equal(kernels[0], kernels[1])
    np.testing.assert_array_equal(kernels[0], kernels[2])
    expected = expected_problem(gain, normals, noise, data, good, "fixed")
    assert_same_kernel(kernels[0], solve_naively(expected, noise_method="shrink"))


@pytest.mark.parametrize("missing", ["FourthMoment", "nSamples"])
def test_shrink_without_statistics(missing):
    gain, normals, noise, _ = all_channels(15)
    cov = FakeCovariance(
        noise_cov=noise.cov,
        fourth_moment=None if missing == "FourthMoment" else noise.fourth,
        n_samples=None if missing == "nSamples" else 9,
    )
    with pytest.raises(InverseError, match=f"Noise method 'shrink' needs {missing}"):
        compute_kernel(
            head_model(gain, normals),
            cov,
            FakeChannels(types=TYPES),
            data_types="MEG",
            options=InverseOptions(noise_method="shrink"),
        )


def test_names_of_channels_reach_the_whitener():
    gain, normals, noise, _ = all_channels(16)
    cov = np.array(noise.cov)
    cov[8, 8] = 0
    with pytest.raises(InverseError, match=re.escape("MEG MAG channel(s) C09 have no variance")):
        compute_kernel(
            head_model(gain, normals),
            FakeCovariance(noise_cov=readonly(cov)),
            FakeChannels(types=TYPES),
            data_types="MEG",
            options=InverseOptions(noise_method="diag"),
        )


# options and head models


def test_defaults_of_the_study_step():
    gain, normals, noise, _ = all_channels(17)
    result = compute_kernel(
        head_model(gain, normals), covariance(noise), FakeChannels(types=TYPES), data_types="EEG"
    )
    # section 7: amplitude, but dspm2018 in the study step
    assert result.options == InverseOptions(measure="dspm2018")


def test_options_under_their_matlab_names():
    gain, normals, noise, data = all_channels(28)
    result = compute_kernel(
        head_model(gain, normals),
        covariance(noise),
        FakeChannels(types=TYPES),
        data_types="MEG",
        options={"InverseMeasure": "sloreta", "SnrFixed": 2.0},
    )
    assert result.options == InverseOptions(measure="sloreta", snr_fixed=2.0)
    expected = expected_problem(gain, normals, noise, data, MEG, "fixed")
    assert_same_kernel(result.kernel, solve_naively(expected, measure="sloreta", snr_fixed=2.0))


@pytest.mark.parametrize("position", [1, 6])
def test_given_channels_of_a_type_without_an_inverse(position):
    message = f"Channel C{position + 1:02d} is of type {TYPES[position]!r}, which has no inverse."
    with pytest.raises(OptionError, match=f"^{re.escape(message)}"):
        compute(good=[0, position])


def test_lcmv_without_a_data_covariance():
    gain, normals, noise, _ = all_channels(18)
    message = r"Method 'lcmv' needs a data covariance \(data_cov, DataCovMat\), found none"
    with pytest.raises(InverseError, match=message):
        compute_kernel(
            head_model(gain, normals),
            covariance(noise),
            FakeChannels(types=TYPES),
            data_types="EEG",
            options=InverseOptions(method="lcmv"),
        )


@pytest.mark.parametrize("orient", ["fixed", "loose"])
def test_volumes_are_free_only(orient):
    gain, _, noise, _ = all_channels(19)
    message = "The head model is a volume without orientations: SourceOrient must be 'free', found"
    with pytest.raises(OptionError, match=f"^{re.escape(message)} {orient!r}"):
        compute_kernel(
            head_model(gain, None, "Volume"),
            covariance(noise),
            FakeChannels(types=TYPES),
            data_types="EEG",
            options=InverseOptions(source_orient=orient),
        )


@pytest.mark.parametrize("kind", ["volume", "surface", None])
def test_free(kind):
    gain, normals, noise, data = all_channels(20)
    result = compute_kernel(
        head_model(gain, None, kind),
        covariance(noise),
        FakeChannels(types=TYPES),
        data_types="MEG",
        options=InverseOptions(source_orient="free"),
    )
    assert result.n_components == 3
    expected = expected_problem(gain, normals, noise, data, MEG, "free")
    assert_same_kernel(result.kernel, solve_naively(expected))


def test_more_orientations_than_head_models():
    with pytest.raises(
        OptionError, match=re.escape("SourceOrient has 2 entries for 1 head model(s).")
    ):
        compute(21, data_types="EEG", source_orient=("fixed", "free"))


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
        head_model(gain, normals, "mixed", FakeAtlas(scouts=scouts)),
        covariance(noise),
        FakeChannels(
            types=TYPES, projectors=[FakeProjector(components=ssp(22, GRAD), comp_mask=[1])]
        ),
        data_types="MEG",
        data_cov=covariance(data),
        options=InverseOptions(**options),
    )


@pytest.mark.parametrize(
    "options",
    [*OPTIONS[:5], {"source_orient": ("free", "fixed")}, {"source_orient": "loose"}],
    ids=lambda o: str(next(iter(o.values()))),
)
def test_mixed(options):
    gain, normals, noise, data = all_channels(22)
    result = _mixed(gain, normals, noise, data, **options)
    p = onto_complement(ssp(22, GRAD))
    whole = expected_problem(gain, normals, noise, data, MEG, "free", p)
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
    result = _mixed(*all_channels(23), scouts=[FakeScout(region="LSU", grid_rows=[1, 2, 3])])
    assert result.n_components == 0
    assert result.kernel.shape == (9, len(MEG))


@pytest.mark.parametrize("code", ["UVC", "UVL"])
def test_constrained_region_without_normals(code):
    gain, normals, noise, data = all_channels(24)
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
    gain, normals, noise, _ = all_channels(25)
    with pytest.raises(InverseError, match="mixed head model has no region with locations"):
        compute_kernel(
            head_model(gain, normals, "mixed", atlas),
            covariance(noise),
            FakeChannels(types=TYPES),
            data_types="MEG",
        )


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("projected", [False, True])
def test_order_of_the_gain_in_memory_does_not_matter(projected, order):
    gain, normals, noise, data = all_channels(26)
    gain = np.array(gain, order=order)
    gain.setflags(write=False)
    v = ssp(26, GRAD)
    projectors = [FakeProjector(components=v, comp_mask=[1])] if projected else []
    result = compute_kernel(
        head_model(gain, normals),
        covariance(noise),
        FakeChannels(types=TYPES, projectors=projectors),
        data_types="MEG",
        options=InverseOptions(),
    )
    p = onto_complement(v) if projected else None
    expected = expected_problem(gain, normals, noise, data, MEG, "fixed", p)
    assert_same_kernel(result.kernel, solve_naively(expected))


def test_orthogonal_operator_is_a_change_of_channels():
    # a reference in the list of projectors: any operator, here one that turns the channels
    turn = orthogonal(np.random.default_rng(27), len(MEG))
    operator = np.eye(N)
    operator[np.ix_(MEG, MEG)] = turn
    result = compute(
        27, data_types="MEG",
        projectors=[FakeProjector(components=readonly(operator), kind="operator")],
    )  # fmt: skip
    gain, normals, noise, data = all_channels(27)
    expected = expected_problem(gain, normals, noise, data, MEG, "fixed", operator)
    assert_same_kernel(result.kernel, solve_naively(expected))
