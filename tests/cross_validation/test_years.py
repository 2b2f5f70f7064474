"""Inverses of 2009 and 2016 through both toolboxes."""

from __future__ import annotations

import dataclasses
from itertools import product

import numpy as np
import pytest
from cross_studies import kernels_of, remainders

from mne_bstinv.adapters.equivalence import MneSettings, kernel_blocks, mne_equivalent
from mne_bstinv.cross_validation import cross_validate
from mne_bstinv.cross_validation.conventions import conventions_of
from mne_bstinv.cross_validation.distances import relative_distance
from mne_bstinv.cross_validation.engine import Engine
from mne_bstinv.cross_validation.ingredients import gather
from mne_bstinv.errors import BstInvError, OptionError
from mne_bstinv.inverse import (
    InverseOptions,
    InverseOptions2009,
    InverseOptions2016,
    compute_kernel,
    origin_of,
)

#: What counts as equal, of kernels computed in double precision along different ways.
EQUAL = 1e-9
ORIENTS = ("fixed", "loose", "free")
METHODS_2009 = ("wmne", "dspm", "sloreta")
MEASURES_2016 = ("amplitude", "dspm", "sloreta")
N_AVG = 12


@pytest.fixture(scope="module")
def study(data_dir):
    """MEG and EEG, projectors, an average of 12."""
    return next(
        study
        for study, _ in kernels_of(data_dir / "inverse_old_meeg")
        if study.recordings.n_avg == N_AVG
    )


def options_of(year, method, orient):
    if year == 2009:
        depth = method != "sloreta"  # as Brainstorm's window has it
        return InverseOptions2009(method=method, source_orient=orient, use_depth=depth)
    return InverseOptions2016(measure=method, source_orient=orient)


COMBINATIONS = [
    *product((2009,), METHODS_2009, ORIENTS),
    *product((2016,), MEASURES_2016, ORIENTS),
]
#: Three rows of sLORETA are mixed otherwise, loose dSPM of 2016 is normalised before the prior.
NOT_COMPARABLE = {
    *product((2009, 2016), ("sloreta",), ("loose", "free")),
    (2016, "dspm", "loose"),
}


@pytest.mark.parametrize(
    ("year", "method", "orient", "data_types"),
    [(*of, ("MEG", "EEG")) for of in COMBINATIONS]
    + [
        (*of, kind)
        for of in [(2009, "dspm", "fixed"), (2016, "dspm", "fixed")]
        for kind in ("MEG", "EEG")
    ],
    ids=str,
)
def test_told_the_same_they_are_equal_and_their_own_ends_are_met(
    study, year, method, orient, data_types
):
    options = options_of(year, method, orient)
    same = mne_equivalent(options, study, data_types=data_types)
    result = compute_kernel(
        study.head_model, study.noise_cov, study.channels, n_avg=N_AVG,
        channel_flag=study.recordings.channel_flag, data_types=data_types, options=options,
    )  # fmt: skip
    comparable = (year, method, orient) not in NOT_COMPARABLE
    assert (same.parity != "not comparable") is comparable
    apart = relative_distance(same.blocks(), kernel_blocks(result, study.head_model.grid_orient))
    assert (apart <= EQUAL) is comparable
    settings = MneSettings.defaults_for(options)
    assert max(remainders(study, options, settings, data_types)) <= EQUAL


@pytest.mark.parametrize(
    ("year", "method", "orient"),
    [
        (2009, "wmne", "loose"),
        (2009, "dspm", "fixed"),
        (2009, "sloreta", "free"),
        (2016, "amplitude", "fixed"),
        (2016, "dspm", "loose"),
    ],
)
def test_all_of_the_difference_is_explained(study, year, method, orient):
    found = cross_validate(
        study, options=options_of(year, method, orient), data_types="MEG", shapley_limit=0
    )
    assert found.equal is (None if (year, method, orient) in NOT_COMPARABLE else True)
    assert found.passed
    path = found.attribution
    assert path.remainder <= EQUAL
    assert sum(step.increment for step in path) == pytest.approx(path.total)
    assert path.total == pytest.approx(found.before["relative_difference"].value, abs=EQUAL)
    assert path["rank_factor"].active is (year == 2016)
    assert path["averaging"].active is (method not in ("wmne", "amplitude"))


@pytest.mark.parametrize(
    "name", [pytest.param("inverse_old_meeg", marks=pytest.mark.slow), "inverse_old_sphere"]
)
def test_ends_with_the_options_of_every_kernel(name, data_dir):
    seen = set()
    for study, stored in kernels_of(data_dir / name):
        origin, types = origin_of(None, stored), tuple(stored["DataTypes"])
        for year in {*origin.years} - {2018}:
            options = origin.options(stored, year)
            if options.is_minimum_norm and (options, types) not in seen:
                seen.add((options, types))
                settings = MneSettings.defaults_for(options, nave=None)
                assert max(remainders(study, options, settings, types)) <= EQUAL, options
    assert seen


@pytest.mark.parametrize(
    "changes",
    [
        {"regularize": None},
        {"depth": None},
        {"depth": {"exp": 1.0, "limit": 2.0, "limit_depth_chs": False}},
        {"rank": {"meg": 20, "eeg": 12}},
        {"loose": 0.0},
        {"loose": 1.0},
    ],
    ids=str,
)
@pytest.mark.parametrize(
    "options",
    [
        InverseOptions2009(method="dspm", source_orient="loose", pca=False),
        InverseOptions2009(source_orient="loose", diagonal_noise=True),
        InverseOptions2009(source_orient="fixed", regularize_noise=False),
        # depth weights multiply the rows of sLORETA
        InverseOptions2009(method="sloreta", source_orient="fixed"),
        InverseOptions2009(method="sloreta", source_orient="loose"),
        InverseOptions2016(source_orient="loose", snr_method="rms", snr_rms=1e-8),
        InverseOptions2016(measure="dspm", source_orient="free", noise_method="median"),
    ],
    ids=lambda o: f"{o.function} {o.source_orient[0]}",
)
def test_ends_with_other_settings_of_both(study, options, changes):
    settings = MneSettings.defaults_for(options, **changes)
    assert max(remainders(study, options, settings, ("MEG", "EEG"))) <= EQUAL


# -- the conventions that only these years have ---------------------------------------------------


def alone(study, key, options, data_types="MEG", **changes):
    """The engine's kernels with Brainstorm's conventions, and with one that is MNE's."""
    settings = MneSettings.defaults_for(options, **changes)
    engine = Engine(gather(study, options, settings, data_types))
    return engine.compute(frozenset()), engine.compute(frozenset({key}))


@pytest.mark.parametrize("year", [2009, 2016])
@pytest.mark.parametrize("method", ["dspm", "sloreta"])
def test_averages_in_the_covariance_are_a_factor(study, year, method):
    options = options_of(year, method, "fixed")
    ours, switched = alone(study, "averaging", options)
    assert relative_distance(np.sqrt(N_AVG) * switched.blocks, ours.blocks) <= 1e-12
    ours, switched = alone(study, "averaging", options, nave=None)  # both of as many
    np.testing.assert_array_equal(ours.blocks, switched.blocks)


def test_averages_count_for_a_source_amplitude_of_2016(study):
    """A prior of so much for the average is one of √nAvg times as much for a sample."""
    options = InverseOptions2016(snr_method="rms", snr_rms=1e-8, source_orient="fixed")
    ours, switched = alone(study, "averaging", options)
    assert switched.mu == pytest.approx(N_AVG * ours.mu)


def test_roots_are_added_in_2016_only(study):
    """The ridge on variances gives eigenvalues s² + reg max(s²) in place of (s + √reg max(s))²."""
    options = InverseOptions2016(source_orient="fixed", noise_reg=0.3)
    ingredients = gather(study, options, MneSettings.defaults_for(options), "MEG MAG")
    engine = Engine(ingredients)
    roots, variances = (
        np.sort(np.linalg.eigvalsh(stage.for_data.T @ stage.for_data))[-stage.rank :] ** -1.0
        for stage in (engine.noise(frozenset()), engine.noise(frozenset({"roots"})))
    )
    std = np.sqrt(np.linalg.eigvalsh(ingredients.prepared.noise.cov * N_AVG))[::-1][: len(roots)]
    np.testing.assert_allclose(np.sort(roots)[::-1], (std + np.sqrt(0.3) * std[0]) ** 2)
    np.testing.assert_allclose(np.sort(variances)[::-1], std**2 + 0.3 * std[0] ** 2)
    years = {
        year for year in (2009, 2016, 2018) if "roots" in {c.key for c in conventions_of(year)}
    }
    assert years == {2016}


def test_lambda_or_trace_is_the_rank_factor_of_2016_and_nothing_in_2009(study):
    options = options_of(2016, "amplitude", "fixed")
    prepared = gather(study, options, MneSettings.defaults_for(options), "MEG").prepared
    ours, switched = alone(study, "rank_factor", options)
    n = len(prepared.channel_names)
    assert ours.rank < n
    assert switched.mu == pytest.approx(ours.mu * n / ours.rank)
    ours, switched = alone(study, "rank_factor", options_of(2009, "wmne", "fixed"))
    assert switched.mu == ours.mu


@pytest.mark.parametrize("orient", ["fixed", "loose"])
@pytest.mark.parametrize("method", METHODS_2009)
def test_normals_of_2009_have_the_length_that_they_are_stored_with(study, method, orient):
    normals = study.head_model.grid_orient
    lengths = np.random.default_rng(3).uniform(0.5, 2.0, (len(normals), 1))
    model = dataclasses.replace(study.head_model, grid_orient=lengths * normals)
    changed = type(study)(**{**vars(study), "head_model": model})
    options = options_of(2009, method, orient)
    found = cross_validate(changed, options=options, data_types="MEG", shapley_limit=0)
    assert found.attribution["normals"].active
    assert found.attribution.remainder <= EQUAL
    assert found.passed


def test_tangents_of_2009_are_told_apart_from_loose(study):
    options = InverseOptions2009(source_orient="loose", loose=0.4)
    found = cross_validate(study, options=options, data_types="MEG", shapley_limit=0)
    assert found.attribution["tangents"].active
    assert found.attribution["loose"].active  # 0.4 and 0.2, variances on both sides
    found = cross_validate(
        study, options=options, mne_settings={"loose": 0.4}, data_types="MEG", shapley_limit=0
    )
    assert not found.attribution["loose"].active
    assert found.public_difference is None


# -- what it is told and says ---------------------------------------------------------------------


def test_averages_can_be_given(study):
    """A kernel that several recordings share is of one sample."""
    options = options_of(2009, "dspm", "fixed")
    found = cross_validate(study, options=options, data_types="EEG", n_avg=1, shapley_limit=0)
    assert found.result.noise_averages == 1
    assert found.equivalent.nave == 1
    assert found.equal
    assert not found.attribution["averaging"].active


def test_settings_are_written_as_of_the_year(study):
    found = cross_validate(
        study,
        options=InverseOptions2009(method="dspm", source_orient="loose"),
        data_types="MEG",
        shapley_limit=0,
    )
    text = str(found)
    assert "loose, loose 0.2 (variance)" in text
    assert "weightexp 0.5, weightlimit 10, before the exponent" in text
    assert "reg, 0.1 (MEG GRAD), 0.1 (MEG MAG)" in text
    assert "SNR 3, λ² = 0.111111 at trace r" in text
    assert "noise covariance divided by nAvg 12" in text
    assert "nAvg in the covariance" in text


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (InverseOptions2009(method="glsr"), "'glsr' of 2009 is no minimum norm.*wmne, dspm"),
        (InverseOptions2009(method="mnej_p"), "'mnej_p' of 2009 is no minimum norm"),
        (InverseOptions2016(method="lcmv"), "'lcmv' of 2016 is no minimum norm.*make_lcmv"),
    ],
)
def test_what_has_no_counterpart_is_refused(study, options, message):
    with pytest.raises(OptionError, match=message):
        cross_validate(study, options=options, data_types="EEG")


def test_mixed_models_of_2009_are_refused(data_dir):
    study, _ = kernels_of(data_dir / "inverse_old_mixed")[0]
    with pytest.raises(OptionError, match="The head model is mixed"):
        cross_validate(study, options=InverseOptions2009(), data_types="EEG")


def test_what_brainstorm_refuses_is_refused(data_dir):
    study, _ = kernels_of(data_dir / "inverse_old_sphere")[0]
    with pytest.raises(BstInvError, match="'truncated' with MEG in a single sphere"):
        cross_validate(study, options=InverseOptions2009(source_orient="truncated"))


def test_a_mapping_of_2009_is_read_as_such(study):
    found = cross_validate(
        study, options={"InverseMethod": "wmne", "SNR": 2.0}, data_types="EEG", shapley_limit=0
    )
    assert found.options == InverseOptions2009(snr_fixed=2.0)
    assert isinstance(
        cross_validate(study, data_types="EEG", shapley_limit=0).options, InverseOptions
    )
