"""The study step of 2009 and 2016: averages, silent channels, groups, regions, refusals."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from inverse_problems import FakeAtlas, FakeChannels, FakeHeadModel, FakeProjector, FakeScout
from inverse_studies import (
    EEG,
    GRAD,
    MEG,
    TYPES,
    all_channels,
    covariance,
    head_model,
    onto_complement,
    reference_operator,
    ssp,
    take,
)
from naive import Model
from naive_2009 import assert_same_2009, naive_2009

from mne_bstinv.errors import InverseError, OptionError, UnsupportedInverseError
from mne_bstinv.inverse import (
    InverseOptions,
    InverseOptions2009,
    InverseOptions2016,
    compute_kernel,
)
from mne_bstinv.inverse.preparation import prepare_study

YEARS = [InverseOptions2009, InverseOptions2016, InverseOptions]
OLD = YEARS[:2]


def compute(options, *, seed=1, data_types="EEG", noise=None, channels=None, **kwargs):
    gain, normals, own, _ = all_channels(seed)
    return compute_kernel(
        kwargs.pop("model", head_model(gain, normals)),
        covariance(own if noise is None else noise),
        channels or FakeChannels(types=TYPES),
        options=options,
        data_types=data_types,
        **kwargs,
    )


# averages


@pytest.mark.parametrize("of", OLD)
def test_noise_covariance_is_divided_by_the_averages(of):
    _, _, noise, _ = all_channels(1)
    divided = dataclasses.replace(noise, cov=noise.cov / 7)
    one, other = compute(of(), n_avg=7), compute(of(), noise=divided)
    np.testing.assert_allclose(one.kernel, other.kernel, rtol=1e-12)
    size = np.abs(other.noise_cov).max()
    np.testing.assert_allclose(one.noise_cov, other.noise_cov, rtol=0, atol=1e-14 * size)
    assert (one.noise_averages, other.noise_averages) == (7, 1)


def test_2016_leaves_fourth_moments_and_data_covariance_undivided():
    options = InverseOptions2016(method="lcmv", noise_method="shrink")
    _, _, noise, data = all_channels(1)
    divided = dataclasses.replace(noise, cov=noise.cov / 7)
    one = compute(options, n_avg=7, data_cov=covariance(data))
    other = compute(options, noise=divided, data_cov=covariance(data))
    np.testing.assert_allclose(one.whitener, other.whitener, rtol=1e-12)
    np.testing.assert_array_equal(one.data_cov, other.data_cov)


def test_2018_does_not_divide():
    one, other = (compute(InverseOptions(), n_avg=n) for n in (1, 7))
    np.testing.assert_array_equal(one.kernel, other.kernel)
    assert other.noise_averages == 1
    compute(InverseOptions(), n_avg=None)  # not looked at


@pytest.mark.parametrize("of", OLD)
@pytest.mark.parametrize("n_avg", [1, 0.5, np.int64(1)])
def test_no_average_divides_by_nothing(of, n_avg):
    result = compute(of(), n_avg=n_avg)
    np.testing.assert_array_equal(result.kernel, compute(of()).kernel)
    assert result.noise_averages == 1


@pytest.mark.parametrize("n_avg", [0, -1, np.nan, np.inf, "12", None, [2]])
def test_bad_averages(n_avg):
    with pytest.raises(OptionError, match="n_avg must be a number above 0, found"):
        compute(InverseOptions2009(), n_avg=n_avg)


def test_dspm_of_2009_counts_in_noise_of_the_average():
    """Noise of four averages has half the standard deviation: dSPM is twice as large."""
    options = InverseOptions2009(method="dspm")
    one, four = (compute(options, n_avg=n).kernel for n in (1, 4))
    np.testing.assert_allclose(four, 2 * one, rtol=1e-10)


# channels


def _silenced(seed, index):
    _, _, noise, _ = all_channels(seed)
    cov = np.array(noise.cov)
    cov[index], cov[:, index] = 0, 0
    return dataclasses.replace(noise, cov=cov)


@pytest.mark.parametrize("of", OLD)
def test_silent_channels_are_computed_with_and_told(of, caplog):
    result = compute(of(), noise=_silenced(1, EEG[1]))
    assert result.kernel.shape == (5, 5)
    assert np.isfinite(result.kernel).all()
    (warning,) = result.warnings
    assert "The noise covariance is zero (they were bad when it was computed)" in warning
    assert f"C06. The inverse of {of.year} computes with them all the same." in warning
    assert warning in caplog.text


def test_silent_channels_are_refused_by_2018():
    with pytest.raises(InverseError, match=r"is zero .* for channel\(s\) in use: C06\. Mark them"):
        compute(InverseOptions(), noise=_silenced(1, EEG[1]))


@pytest.mark.parametrize("of", YEARS)
def test_covariance_that_is_not_finite_is_refused_by_all(of):
    _, _, noise, _ = all_channels(1)
    cov = np.array(noise.cov)
    cov[EEG[1]] = cov[:, EEG[1]] = np.nan
    with pytest.raises(InverseError, match=r"is not finite for channel\(s\) in use: C06"):
        compute(of(), noise=dataclasses.replace(noise, cov=cov))


@pytest.mark.parametrize("method", ["wmne", "dspm", "sloreta", "glsr_p"])
@pytest.mark.parametrize("orient", ["fixed", "free"])
@pytest.mark.parametrize("averages", [1, 12])
def test_projected_referenced_and_divided(method, orient, averages):
    """The textbook on what the study step hands over: SSP of all, reference of the good ones."""
    v = ssp(8, GRAD)
    channels = FakeChannels(types=TYPES, projectors=[FakeProjector(components=v, comp_mask=[1])])
    flag = np.ones(len(TYPES))
    flag[11] = -1
    gain, normals, _, _ = all_channels(3)
    noise = _within_groups(3)
    result = compute(
        InverseOptions2009(method=method, source_orient=orient),
        seed=3,
        noise=noise,
        channels=channels,
        channel_flag=flag,
        data_types=["MEG", "EEG"],
        n_avg=averages,
    )
    good = sorted({*MEG, *EEG} - {11})
    projection, reference = onto_complement(v), reference_operator([TYPES[i] for i in good])
    expected = naive_2009(
        [Model(gain=reference @ (projection @ gain)[good], normals=normals, orient=orient)],
        take(noise, good, projection, reference).cov / averages,
        [TYPES[i] for i in good],
        InverseMethod=method,
    )
    assert_same_2009(result.kernel, expected, method)
    assert result.ranks == {"MEG": 5, "EEG": 3}
    assert result.whitener.shape == (8, 10)


def _within_groups(seed):
    """Statistics whose MEG channels vary together without being indefinite."""
    _, _, noise, _ = all_channels(seed)
    scale = np.sqrt(np.diag(noise.cov))
    rng = np.random.default_rng(seed)
    mixing = np.eye(len(scale)) + 0.2 * rng.normal(size=(len(scale), len(scale)))
    return dataclasses.replace(noise, cov=mixing @ mixing.T * np.outer(scale, scale))


def test_2009_keeps_what_gradiometers_and_magnetometers_share():
    noise = _within_groups(4)
    result = compute(InverseOptions2009(), seed=4, noise=noise, data_types="MEG")
    without = np.array(noise.cov)
    kinds = np.array([TYPES[i] for i in range(len(TYPES))])
    without[np.not_equal.outer(kinds, kinds)] = 0
    apart = dataclasses.replace(noise, cov=without)
    other = compute(InverseOptions2009(), seed=4, noise=apart, data_types="MEG")
    assert not np.allclose(result.kernel, other.kernel, rtol=1e-3)
    for of in (InverseOptions2016, InverseOptions):
        one, other = (compute(of(), seed=4, noise=n, data_types="MEG") for n in (noise, apart))
        np.testing.assert_allclose(one.kernel, other.kernel, rtol=1e-9)


# head models


REGIONS = FakeAtlas(
    scouts=[
        FakeScout(region="RVU", grid_rows=[4, 5], label="deep"),
        FakeScout(region="LSC", grid_rows=[2, 1], label="left"),
        FakeScout(region="UXC", grid_rows=[]),
        FakeScout(region="RDL", grid_rows=[3], label="thalamus"),
    ]
)


def _mixed(seed):
    gain, normals, _, _ = all_channels(seed)
    return head_model(gain, normals, "mixed", REGIONS), gain, normals


@pytest.mark.parametrize("method", ["wmne", "dspm", "sloreta"])
def test_mixed_head_model_of_2009(method):
    model, gain, normals = _mixed(5)
    result = compute(InverseOptions2009(method=method), seed=5, model=model, n_avg=3)
    _, _, noise, _ = all_channels(5)
    reference = reference_operator(["EEG"] * 5)
    parts = [([3, 4], "free"), ([1, 0], "fixed"), ([2], "loose")]
    expected = naive_2009(
        [
            Model(
                gain=reference @ np.hstack([gain[EEG, 3 * i : 3 * i + 3] for i in rows]),
                normals=normals[rows],
                orient=orient,
            )
            for rows, orient in parts
        ],
        take(noise, EEG, None, reference).cov / 3,
        ["EEG"] * 5,
        InverseMethod=method,
    )
    assert_same_2009(result.kernel, expected, method)
    assert result.n_components == 0
    assert result.options.source_orient == ("free", "fixed", "loose")
    assert result.row_location.tolist() == [3] * 3 + [4] * 3 + [1, 0] + [2] * 3


@pytest.mark.parametrize(
    "options",
    [
        *(InverseOptions2016(method=m) for m in ("minnorm", "gls", "lcmv")),
        *(InverseOptions2009(method=m) for m in ("gls", "gls_p", "glsr", "glsr_p", "mnej")),
    ],
    ids=lambda o: f"{o.year}-{o.method}",
)
def test_mixed_head_models_that_brainstorm_refuses(options):
    model, _, _ = _mixed(6)
    _, _, _, data = all_channels(6)
    message = f"inverse of {options.year} takes one head model for InverseMethod '{options.method}'"
    with pytest.raises(UnsupportedInverseError, match=message):
        compute(options, seed=6, model=model, data_cov=covariance(data))


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Computed(FakeHeadModel):
    """A head model that says how its gain of the MEG channels was computed."""

    meg_method: str | None = None


def test_truncated_orientation():
    gain, normals, _, _ = all_channels(7)
    options = InverseOptions2009(source_orient="truncated")
    sphere = Computed(gain=gain, grid_orient=normals, meg_method="meg_sphere")
    noise = _within_groups(7)
    with pytest.raises(UnsupportedInverseError, match="ends in an error there"):
        compute(options, seed=7, noise=noise, model=sphere, data_types="MEG")
    expected = InverseOptions2009(source_orient="loose")
    for model, types in (
        (sphere, ["MEG", "EEG"]),
        (dataclasses.replace(sphere, meg_method="os_meg"), "MEG"),
    ):
        one, other = (
            compute(o, seed=7, noise=noise, model=model, data_types=types)
            for o in (options, expected)
        )
        np.testing.assert_array_equal(one.kernel, other.kernel)
        assert one.options.source_orient == ("truncated",)
        assert one.regions[0].orient == "loose"


@pytest.mark.parametrize("of", YEARS)
@pytest.mark.parametrize("orient", ["fixed", "loose"])
def test_volumes_are_free_in_all_years(of, orient):
    gain, _, _, _ = all_channels(8)
    volume = head_model(gain, None, "volume")
    assert compute(of(source_orient="free"), seed=8, model=volume).n_components == 3
    with pytest.raises(OptionError, match=f"is a volume without orientations.*found '{orient}'"):
        compute(of(source_orient=orient), seed=8, model=volume)


# options as a mapping


def test_a_mapping_of_2009_is_recognised():
    options = InverseOptions2009(method="dspm", snr_fixed=2)
    result = compute(options.to_brainstorm())
    assert result.options == options
    np.testing.assert_array_equal(result.kernel, compute(options).kernel)


def test_gls_is_of_2009_with_an_option_that_only_2009_has():
    assert compute({"InverseMethod": "gls"}).function == "glsp"
    assert compute({"InverseMethod": "gls", "SNR": 3}).function == "gls"


def test_2018_is_what_a_mapping_is_of_otherwise():
    assert compute({}).options == InverseOptions(measure="dspm2018")
    with pytest.raises(OptionError, match="Unknown InverseMeasure 'dspm'"):
        compute({"InverseMeasure": "dspm"})
    with pytest.raises(OptionError, match="Unknown option 'loose': in a mapping"):
        compute({"loose": 0.3})


def test_prepared_study_holds_what_was_divided():
    gain, normals, noise, _ = all_channels(9)
    study = prepare_study(
        head_model(gain, normals),
        covariance(noise),
        FakeChannels(types=TYPES),
        data_types="EEG",
        options=InverseOptions2016(),
        n_avg=5,
    )
    assert study.noise_averages == 5
    expected = take(noise, EEG, None, reference_operator(["EEG"] * 5)).cov / 5
    np.testing.assert_allclose(study.noise.cov, expected, rtol=1e-12)
