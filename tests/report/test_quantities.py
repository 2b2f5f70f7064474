"""The arrays that figures show."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from mne_bstinv.report import quantities


def test_filter_factors_are_those_of_each_side(fixed):
    values, ours, theirs = quantities.filter_factors(fixed)
    first, last = fixed.ends
    assert len(values) == len(ours) == len(theirs) == max(first.rank, last.rank)
    np.testing.assert_array_equal(values[: first.rank], first.singular_values[: first.rank])
    s = last.singular_values
    np.testing.assert_allclose(theirs[: len(s)], s**2 / (s**2 + last.mu))
    assert (theirs[len(s) :] == 0).all()  # MNE's rank is smaller
    assert len(s) < len(theirs)
    assert ((ours >= 0) & (ours < 1)).all()
    # Brainstorm's own numbers: the eigenvalues of its result, and 1/Λ for μ
    s2, prior = fixed.result.s2[: first.rank], fixed.result.lambda_
    rounding = 100 * np.finfo(float).eps * s2[0] * prior  # eigenvalues, relative to the largest
    np.testing.assert_allclose(ours, s2 * prior / (s2 * prior + 1), rtol=0, atol=rounding)


def test_depth_is_the_distance_to_the_nearest_point_of_a_sensor(fixed, statistical):
    for validation in (fixed, statistical):
        channels = [
            validation.study.channels.channels[i] for i in validation.result.channel_indices
        ]
        points = np.concatenate([c.loc.T for c in channels])
        grid = validation.study.head_model.grid_loc
        apart = np.linalg.norm(grid[:, None] - points, axis=2)
        np.testing.assert_allclose(quantities.depth_in_mm(validation), 1e3 * apart.min(axis=1))


def test_the_reference_of_an_electrode_is_no_sensor(statistical):
    study = statistical.study
    far = [
        c
        if c.loc is None
        else dataclasses.replace(c, loc=np.hstack([c.loc[:, :1], np.ones((3, 1))]))
        for c in study.channels.channels
    ]
    channels = dataclasses.replace(study.channels, channels=tuple(far))
    moved = dataclasses.replace(statistical, study=dataclasses.replace(study, channels=channels))
    np.testing.assert_array_equal(
        quantities.depth_in_mm(moved), quantities.depth_in_mm(statistical)
    )


def test_depth_is_unknown_without_positions(fixed):
    study = fixed.study
    without = [dataclasses.replace(c, loc=None) for c in study.channels.channels]
    channels = dataclasses.replace(study.channels, channels=tuple(without))
    nowhere = dataclasses.replace(fixed, study=dataclasses.replace(study, channels=channels))
    assert quantities.depth_in_mm(nowhere) is None


def test_kernels_are_scaled_by_the_noise_of_each_channel(fixed):
    ours, theirs = quantities.kernels_per_noise(fixed)
    deviation = np.sqrt(np.diag(fixed.result.noise_cov))
    np.testing.assert_allclose(ours / deviation, fixed.brainstorm[:, 0], rtol=1e-12)
    np.testing.assert_allclose(theirs / deviation, fixed.mne[:, 0], rtol=1e-12)
    # gradiometers (T/m) and magnetometers (T) are on a par, which they are not in SI units
    kinds = np.array(fixed.result.channel_types)
    of_kind = [np.abs(ours[:, kinds == kind]).max() for kind in ("MEG GRAD", "MEG MAG")]
    assert max(of_kind) / min(of_kind) < 10


def test_locations_left_out_are_nan(fixed):
    left_out = dataclasses.replace(
        fixed, before=dataclasses.replace(fixed.before, locations=np.array([0, 2]))
    )
    spread = quantities.on_all_locations(left_out, np.array([0.5, 0.25]))
    np.testing.assert_array_equal(spread[:3], [0.5, np.nan, 0.25])
    assert np.isnan(spread).sum() == len(fixed.brainstorm) - 2


def test_peaks_are_those_that_were_simulated_and_apart(fixed):
    found = quantities.peaks(fixed)
    assert len(found) == 4
    assert {4, 110} <= set(found.tolist())  # the sample's sources, 0-based
    grid = fixed.study.head_model.grid_loc[found]
    apart = np.linalg.norm(grid[:, None] - grid, axis=2) + np.eye(len(found))
    assert apart.min() >= 0.03
    assert len(quantities.peaks(fixed, most=2)) == 2
    assert len(quantities.peaks(fixed, apart=1.0)) == 1


def test_a_peak_of_one_side_only_is_found(fixed):
    quiet, loud = np.zeros((2, *fixed.brainstorm.shape))
    quiet[7, 0, 3], loud[200, 0, 5] = 1e-9, -1.0
    only = dataclasses.replace(fixed, brainstorm=quiet, mne=loud)
    assert set(quantities.peaks(only).tolist()) == {7, 200}
    silent = dataclasses.replace(fixed, data=0 * fixed.data)
    assert quantities.peaks(silent).size == 0


def test_magnitudes_have_the_sign_of_one_component_and_the_norm_of_three():
    one = np.array([[[-3.0, 4.0]]])
    np.testing.assert_array_equal(quantities.magnitudes(one), [[-3.0, 4.0]])
    three = np.array([[[3.0], [0.0], [-4.0]]])
    np.testing.assert_array_equal(quantities.magnitudes(three), [[5.0]])


@pytest.mark.parametrize("name", ["fixed", "volume"])
def test_fits_explain_what_the_metrics_say(name, request):
    validation = request.getfixturevalue(name)
    measured, *fits = quantities.sensor_fits(validation)
    whitener = validation.result.whitener
    size = np.linalg.norm(whitener @ measured) ** 2
    for fit, key in zip(fits, ("explained_variance_b", "explained_variance_a"), strict=True):
        explained = 1 - np.linalg.norm(whitener @ (measured - fit)) ** 2 / size
        # those are without the average reference, which the whitener has in itself
        assert explained == pytest.approx(validation.before[key].value, abs=1e-9)
