"""Every metric against a case whose answer is known, and its tolerance against its derivation."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import scipy.linalg
from helpers_kernels import SPACING, complete, kernel, line, on_line, rotation

from mne_bstinv.compare import METRICS, compare_kernels, point_spread, recordings

EPS = np.finfo(float).eps
MM = 1e3 * SPACING
KEYS = [metric.key for metric in METRICS]
ALONE = {
    "localisation_error_a",
    "localisation_error_b",
    "explained_variance_a",
    "explained_variance_b",
}


def values(a, b, **given):
    return {v.metric.key: v.value for v in compare_kernels(a, b, **given)}


def blocks(*rows):
    """One location of three components."""
    return np.array(rows, dtype=float)


# the table


def test_the_table():
    assert len(set(KEYS)) == len(KEYS)
    for metric in METRICS:
        assert metric.label
        assert metric.reference
        assert metric.better in ("lower", "higher", "near 0", "near 1")
        assert metric.unit in ("", "°", "mm", "ms")
        # those of one kernel alone have no rule of agreement
        assert (metric.tolerance is None) == (metric.rule == "") == (metric.key in ALONE)
        if metric.tolerance is not None:
            assert metric.perfect == (1 if metric.better in ("higher", "near 1") else 0)
    assert repr(METRICS[0]) == "<Metric | relative_difference: relative difference>"


@pytest.mark.parametrize("p", [1, 3])
def test_equal_kernels_are_perfect_in_everything(p):
    rng = np.random.default_rng(1)
    a = complete(rng, p)
    comparison = compare_kernels(
        a, a, data=rng.normal(size=(a.n_channels, 20)), times=np.arange(20) / 100, rtol=0.0
    )
    for value in comparison:
        if p == 1 and "angle" in value.metric.key:
            assert value.reason.startswith("one component a location")
        elif value.metric.key in ALONE:
            assert np.isfinite(value.value)
            assert (value.passed, value.tolerance) == (None, None)
        else:
            assert value.passed, value
            assert abs(value.value - value.metric.perfect) <= (
                2e-6 * np.degrees(1e-8) if "angle" in value.metric.key else 100 * EPS
            )
    assert comparison.passed


@pytest.mark.parametrize("p", [1, 3])
@pytest.mark.parametrize("rtol", [1e-2, 1e-5, 1e-9])
@pytest.mark.parametrize("seed", range(5))
def test_kernels_whose_coefficients_agree_pass(p, rtol, seed):
    # the assumption that all tolerances are derived from, with channels in very different units
    rng = np.random.default_rng(seed)
    units = 10.0 ** rng.integers(-6, 6, size=12)
    b = complete(rng, p)
    b = replace(
        b,
        matrix=b.matrix / units,
        gain=b.gain * units[:, None],
        whitener=np.asarray(b.whitener) / units,
    )
    a = replace(
        b,
        matrix=b.matrix * (1 + rtol * rng.choice([-1.0, 1.0], size=b.matrix.shape)),
        gain=b.gain * (1 + rtol * rng.choice([-1.0, 1.0], size=b.gain.shape)),
    )
    data = rng.normal(size=(12, 20)) * units[:, None]
    comparison = compare_kernels(a, b, data=data, times=np.arange(20), rtol=rtol * (1 + 1e-6))
    assert [str(v) for v in comparison if v.passed is False] == []
    assert sum(v.passed is True for v in comparison) == len(METRICS) - len(ALONE) - 2 * (p == 1)


@pytest.mark.parametrize("key", [key for key in KEYS if key not in ALONE])
def test_kernels_that_have_nothing_in_common_fail(key):
    rng = np.random.default_rng(2)
    a, b = complete(rng), complete(rng)
    a = replace(a, positions=b.positions)
    # one channel at a time: the two kernels are largest at different channels
    value = compare_kernels(a, b, data=np.eye(a.n_channels), times=np.arange(a.n_channels))[key]
    assert value.passed is False, value


# coefficients


def test_scaled_kernel():
    b = complete(np.random.default_rng(3))
    found = values(replace(b, matrix=2 * b.matrix), b)
    assert found["relative_difference"] == 1
    assert found["relative_difference_channel"] == 1
    for key in ("amplitude_ratio_median", "amplitude_ratio_p5", "amplitude_ratio_p95"):
        assert found[key] == 2
    for key in ("correlation_median", "correlation_p5", "correlation_worst"):
        assert abs(found[key] - 1) <= 40 * EPS
    assert found["sign_agreement"] == 1
    assert found["subspace_angle_worst"] <= np.degrees(40 * EPS)
    # linear: the same peaks, errors and dispersions
    assert found["peak_displacement_worst"] == 0
    assert found["localisation_error_a"] == found["localisation_error_b"]
    assert abs(found["dispersion_difference"]) <= 100 * EPS * 1e3


def test_flipped_signs():
    b = kernel(np.random.default_rng(4).normal(size=(5, 6)), locations=[10, 11, 12, 13, 14])
    a = replace(b, matrix=b.matrix * np.array([1, 1, -1, 1, -1])[:, None])
    comparison = compare_kernels(a, b)
    assert comparison["sign_agreement"].value == 3 / 5
    assert comparison["sign_agreement"].detail == "3 of 5 rows"
    assert abs(comparison["correlation_worst"].value + 1) <= 10 * EPS
    assert comparison["correlation_worst"].detail in (
        "at location 13 (1-based)",
        "at location 15 (1-based)",
    )
    assert abs(comparison["correlation_median"].value - 1) <= 10 * EPS
    assert comparison["amplitude_ratio_median"].value == 1


def test_signs_of_rows_that_are_rounding_do_not_count():
    b = blocks([3, 0, 0, 0], [0, 4, 0, 0], [0, 0, 1e-16, 0])
    a = b * np.array([[1], [-1], [-1]])
    value = compare_kernels(kernel(a, 3), kernel(b, 3))["sign_agreement"]
    assert (value.value, value.detail) == (0.5, "1 of 2 rows; 1 row(s) are zero")


def test_relative_difference_of_a_known_change():
    b = np.full((3, 4), 2.0)
    a = b.copy()
    a[1, 2] += 0.5
    comparison = compare_kernels(kernel(a), kernel(b))
    assert abs(comparison["relative_difference"].value - 0.5 / np.sqrt(48)) <= 4 * EPS
    assert abs(comparison["relative_difference_channel"].value - 0.5 / np.sqrt(12)) <= 4 * EPS
    assert comparison["relative_difference_channel"].detail == "at channel C2"


@pytest.mark.parametrize(("factor", "passed"), [(0.99, False), (1.01, True)])
def test_tolerance_of_the_relative_difference(factor, passed):
    b = np.full((3, 4), 2.0)
    rtol = factor * 1e-6
    comparison = compare_kernels(kernel(b * (1 + 1e-6)), kernel(b), rtol=rtol)
    for key in ("relative_difference", "relative_difference_channel", "amplitude_ratio_median"):
        assert comparison[key].passed is passed
    assert comparison["relative_difference"].tolerance == rtol


def test_channels_in_a_small_unit_are_not_drowned():
    # MEG in T and EEG in V: coefficients differ by seven orders of magnitude
    b = np.random.default_rng(5).normal(size=(4, 6)) * [1e4, 1e4, 1e4, 1e-3, 1e-3, 1e-3]
    a = b.copy()
    a[:, 4] *= 1.1
    comparison = compare_kernels(kernel(a), kernel(b))
    assert comparison["relative_difference"].value < 1e-7
    value = comparison["relative_difference_channel"]
    assert abs(value.value - 0.1) <= 10 * EPS
    assert value.detail == "at channel C4"
    assert any("as those of different units do" in note for note in comparison.notes)


def test_columns_that_are_rounding_do_not_count():
    b = np.array([[1.0, 1e-17], [1.0, 0.0]])
    comparison = compare_kernels(kernel(b * [1, -1]), kernel(b))
    # 2e-17 relative to the rounding of the first column, six eps of √2
    assert abs(comparison["relative_difference_channel"].value - 2e-17 / (6 * EPS * 2**0.5)) < 1e-9


def test_reference_of_zeros():
    zero, one = kernel(np.zeros((2, 3))), kernel(np.ones((2, 3)))
    found = compare_kernels(one, zero)
    for key in ("relative_difference", "relative_difference_channel", "amplitude_ratio_median"):
        assert (found[key].value, found[key].passed) == (np.inf, False)
    assert (found["correlation_worst"].value, found["correlation_worst"].passed) == (0, False)
    assert found["sign_agreement"].reason == "no row is different from zero in both kernels"
    found = compare_kernels(zero, zero)
    assert found["relative_difference"].value == 0
    assert found["relative_difference_channel"].value == 0
    assert found["correlation_median"].reason == "every location is zero in both kernels"
    assert found["amplitude_ratio_p5"].reason == "every location is zero in both kernels"


def test_locations_that_are_zero_in_both_are_left_out():
    b = np.eye(4)
    b[2] = 0
    comparison = compare_kernels(kernel(2 * b), kernel(b))
    assert comparison["correlation_worst"].value == 1
    assert comparison["amplitude_ratio_p95"].value == 2
    assert np.isnan(comparison.location_correlation).tolist() == [False, False, True, False]
    assert "1 location(s) are zero in both kernels and have no correlation" in comparison.notes


def test_percentiles_are_of_the_values():
    # 41 locations: the 5th percentile is the third smallest value
    factors = np.random.default_rng(6).permutation(np.arange(1.0, 42.0))
    found = values(kernel(np.diag(factors)), kernel(np.eye(41)))
    assert found["amplitude_ratio_median"] == 21
    assert found["amplitude_ratio_p5"] == 3
    assert found["amplitude_ratio_p95"] == 39
    # in between it is the worse one
    found = values(kernel(np.diag(np.arange(1.0, 31.0))), kernel(np.eye(30)))
    assert (found["amplitude_ratio_p5"], found["amplitude_ratio_p95"]) == (2, 29)


def test_correlation_of_rows_at_known_angles():
    angles = np.random.default_rng(7).permutation(np.radians(np.arange(0.0, 41.0)))
    rows = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    reference = np.tile([1.0, 0.0], (41, 1))
    comparison = compare_kernels(kernel(3 * rows), kernel(reference))
    np.testing.assert_allclose(comparison.location_correlation, np.cos(angles), atol=4 * EPS)
    for key, degrees in (("median", 20), ("p5", 38), ("worst", 40)):
        value = comparison[f"correlation_{key}"].value
        assert abs(value - np.cos(np.radians(degrees))) <= 4 * EPS
    assert comparison["correlation_worst"].detail == f"at location {angles.argmax() + 1} (1-based)"


# three components


def test_rotated_blocks():
    angle = np.radians(40)
    b = np.linalg.qr(np.random.default_rng(8).normal(size=(9, 9)))[0]  # three orthonormal blocks
    a = np.vstack([rotation(b[3, :3], angle) @ b[i : i + 3] for i in (0, 3, 6)])
    found = values(kernel(a, 3), kernel(b, 3))
    # ⟨R B, B⟩ / |B|² = tr(R) / 3
    for key in ("correlation_median", "correlation_worst"):
        assert abs(found[key] - (1 + 2 * np.cos(angle)) / 3) <= 10 * EPS
    assert abs(found["amplitude_ratio_median"] - 1) <= 10 * EPS
    assert found["subspace_angle_worst"] <= np.degrees(20 * EPS)


@pytest.mark.parametrize("degrees", [1e-9, 1e-3, 12.0, 45.0, 89.999999, 90.0])
def test_block_tilted_by_a_known_angle(degrees):
    t = np.radians(degrees)
    b = np.vstack([np.eye(3, 5), blocks([0, 0, 0, 1, 0], [1, 0, 0, 0, 0], [0, 0, 0, 0, 1])])
    a = b.copy()
    a[2] = [0, 0, np.cos(t), np.sin(t), 0]
    a[3:] *= 7
    comparison = compare_kernels(kernel(a, 3, locations=[4, 9]), kernel(b, 3, locations=[4, 9]))
    worst = comparison["subspace_angle_worst"]
    assert abs(worst.value - degrees) <= 10 * np.degrees(EPS)
    assert worst.detail == "at location 5 (1-based)"
    assert abs(comparison["subspace_angle_median"].value - degrees / 2) <= 10 * np.degrees(EPS)
    assert abs(comparison.location_correlation[0] - (2 + np.cos(t)) / 3) <= 4 * EPS


@pytest.mark.parametrize("n_locations", [999, 1000, 1001, 2001])
def test_angles_are_those_of_scipy(n_locations):
    rng = np.random.default_rng(9)
    a, b = rng.normal(size=(2, 3 * n_locations, 5))
    comparison = compare_kernels(kernel(a, 3), kernel(b, 3))
    expected = [
        np.degrees(scipy.linalg.subspace_angles(a[i : i + 3].T, b[i : i + 3].T).max())
        for i in range(0, 3 * n_locations, 3)
    ]
    assert abs(comparison["subspace_angle_median"].value - np.median(expected)) <= 1e-9
    assert abs(comparison["subspace_angle_worst"].value - max(expected)) <= 1e-9
    assert comparison["subspace_angle_worst"].detail == (
        f"at location {np.argmax(expected) + 1} (1-based)"
    )


@pytest.mark.parametrize("rounding", [0.0, 1e-16, 1e-8])
def test_blocks_of_rank_two(rounding):
    # MEG in a sphere: the radial row is zero, or the rounding of single precision
    b = blocks([2, 0, 0, 0, 0], [0, 1, 0, 0, 0], [0, 0, 0, rounding, 0])
    a = blocks([0, 3, 0, 0, 0], [1, 0, 0, 0, 0], [0, 0, 0, 0, rounding])
    value = compare_kernels(kernel(a, 3), kernel(b, 3))["subspace_angle_worst"]
    assert value.value <= np.degrees(10 * EPS)
    assert value.detail == "at location 1 (1-based); 1 location(s) have a rank below 3"
    tilted = rotation([0, 1, 0], np.radians(30))
    a[:, :3] = a[:, :3] @ tilted
    value = compare_kernels(kernel(a, 3), kernel(b, 3))["subspace_angle_worst"]
    assert abs(value.value - 30) <= np.degrees(10 * EPS)
    assert value.passed is False


def test_blocks_of_other_rank():
    b = np.vstack([np.eye(3, 5)] * 2)
    a = b.copy()
    a[2] = 0
    value = compare_kernels(kernel(a, 3), kernel(b, 3))["subspace_angle_worst"]
    assert value.value == 90
    assert value.detail == "at location 1 (1-based); ranks differ (90°) at 1 location(s)"


def test_blocks_of_zeros_have_no_angle():
    b = np.vstack([np.zeros((3, 5)), np.eye(3, 5)])
    comparison = compare_kernels(kernel(b, 3), kernel(b, 3))
    assert comparison["subspace_angle_worst"].value == 0
    assert comparison["subspace_angle_worst"].passed
    zero = kernel(np.zeros((3, 5)), 3)
    assert compare_kernels(zero, zero)["subspace_angle_median"].reason == (
        "every location is zero in both kernels"
    )


def test_fewer_channels_than_components():
    rng = np.random.default_rng(10)
    a, b = kernel(rng.normal(size=(6, 2)), 3), kernel(rng.normal(size=(6, 2)), 3)
    # both span all of the plane
    assert compare_kernels(a, b)["subspace_angle_worst"].value <= np.degrees(20 * EPS)


# point spreads


def _shift(n_locations, by):
    """A kernel that puts each source of the line some locations further (and wraps)."""
    return np.roll(np.eye(n_locations), by, axis=0)


@pytest.mark.parametrize("p", [1, 3])
def test_shifted_point_spread(p):
    n, by = 15, 2
    turn = rotation([1, 2, 3], 0.7) if p == 3 else np.eye(1)
    a = on_line(np.kron(_shift(n, by), turn), p)
    comparison = compare_kernels(a, on_line(np.eye(n * p), p))
    assert abs(comparison["peak_displacement_median"].value - by * MM) <= 1e-12
    worst = comparison["peak_displacement_worst"]
    assert abs(worst.value - (n - by) * MM) <= 1e-12
    assert worst.detail in (
        f"at location {n - 1} (1-based); {n} of {n} peaks displaced",
        f"at location {n} (1-based); {n} of {n} peaks displaced",
    )
    assert abs(comparison["localisation_error_a"].value - by * MM) <= 1e-12
    assert comparison["localisation_error_a"].detail == f"0 of {n} peaks at the source"
    assert comparison["localisation_error_b"].value == 0
    assert comparison["localisation_error_b"].detail == f"{n} of {n} peaks at the source"
    # all of a point spread that is one location off is at that distance
    assert abs(comparison["dispersion_difference"].value - by * MM) <= 1e-12


def test_some_peaks_displaced():
    n = 9
    matrix = np.eye(n)
    matrix[5, 3] = 1.5  # source 3 appears at location 5
    comparison = compare_kernels(on_line(matrix), on_line(np.eye(n)))
    assert comparison["peak_displacement_median"].value == 0
    assert abs(comparison["peak_displacement_worst"].value - 2 * MM) <= 1e-12
    assert comparison["peak_displacement_worst"].detail == (
        "at location 4 (1-based); 1 of 9 peaks displaced"
    )


def test_peaks_of_norms_over_components():
    # a source along x seen as y elsewhere: 1 there, √(0.6² + 0.6²) in place
    spread = np.zeros((6, 6))
    spread[:3, :3] = np.eye(3) * 0.5
    spread[3:, :3] = rotation([0, 0, 1], np.pi / 2) * 0.6
    spread[3:, 3:] = np.eye(3)
    comparison = compare_kernels(on_line(spread, 3), on_line(np.eye(6), 3))
    assert comparison["peak_displacement_worst"].detail == (
        "at location 1 (1-based); 1 of 2 peaks displaced"
    )


@pytest.mark.parametrize(("by", "displaced"), [(1e-12, 0), (1e-6, 1)])
def test_peaks_that_rounding_exchanges_are_one(by, displaced):
    b = np.eye(5)
    b[3, 1] = 1.0  # two equal maxima
    a = b.copy()
    a[3, 1] += by
    comparison = compare_kernels(on_line(a), on_line(b))
    assert comparison["peak_displacement_worst"].value == pytest.approx(2 * MM * displaced)
    assert comparison["peak_displacement_worst"].passed is not bool(displaced)


def test_dispersion_of_a_known_distribution():
    # one half on each neighbour, in amplitude: SD = h √(2 · 0.25 / (1 + 2 · 0.25))
    n = 21
    spread = np.eye(n) + 0.5 * (_shift(n, 1) + _shift(n, -1))
    comparison = compare_kernels(on_line(spread), on_line(np.eye(n)))
    expected = MM * np.sqrt(0.5 / 1.5)
    assert abs(comparison["dispersion_difference"].value - expected) <= 1e-12
    assert comparison["dispersion_difference"].detail == (f"medians: A {expected:.4g} mm, B 0 mm")
    back = compare_kernels(on_line(np.eye(n)), on_line(spread))["dispersion_difference"]
    assert abs(back.value + expected) <= 1e-12
    assert back.passed is False


@pytest.mark.parametrize("p", [1, 3])
def test_point_spreads_by_the_definition(p, monkeypatch):
    rng = np.random.default_rng(11)
    a, b = complete(rng, p), complete(rng, p)
    b = replace(b, positions=a.positions)
    m = b.n_locations
    distances = 1e3 * np.linalg.norm(a.positions[:, None] - a.positions[None], axis=2)
    peaks, dispersions = [], []
    for k in (a, b):
        spread = (k.matrix @ b.gain).reshape(m, p, m, p)  # the fields of the reference for both
        spread = np.linalg.norm(spread, axis=(1, 3))
        peaks.append(spread.argmax(axis=0))
        weights = spread**2 / np.sum(spread**2, axis=0)
        dispersions.append(np.sqrt(np.sum(weights * distances**2, axis=0)))
    expected = {
        "peak_displacement_median": np.median(distances[peaks[0], peaks[1]]),
        "peak_displacement_worst": distances[peaks[0], peaks[1]].max(),
        "localisation_error_a": np.median(distances[peaks[0], np.arange(m)]),
        "localisation_error_b": np.median(distances[peaks[1], np.arange(m)]),
        "dispersion_difference": np.median(dispersions[0] - dispersions[1]),
    }
    for numbers in (1, 2 * m * p**2, 2**22):  # one source at a time, two, all
        monkeypatch.setattr("mne_bstinv.compare.peak_search.SOURCES", min(numbers, 2 * m))
        monkeypatch.setattr(point_spread, "PIECE", numbers)
        found = values(a, b)
        for key, value in expected.items():
            assert abs(found[key] - value) <= 1e-10, key


def test_silent_sources_are_left_out():
    n = 6
    gain = np.eye(n)
    gain[:, 2] = 0
    a, b = on_line(_shift(n, 1), gain=gain), on_line(np.eye(n), gain=gain)
    comparison = compare_kernels(a, b)
    assert comparison["peak_displacement_median"].value == pytest.approx(MM)
    assert comparison["peak_displacement_worst"].detail.endswith(
        "5 of 5 peaks displaced; 1 source(s) have no point spread"
    )
    assert comparison["localisation_error_b"].detail == "5 of 5 peaks at the source"
    silent = on_line(np.eye(n), gain=np.zeros((n, n)))
    assert compare_kernels(silent, silent)["peak_displacement_median"].reason == (
        "no source has a point spread under both kernels"
    )


def test_gains_that_differ_are_noted_and_that_of_the_reference_used():
    n = 8
    a = on_line(np.eye(n), gain=_shift(n, 3), name="MNE")
    b = on_line(np.eye(n), name="Brainstorm")
    comparison = compare_kernels(a, b)
    assert comparison["localisation_error_a"].value == 0
    assert comparison.notes == (
        "The gains differ (by 4 of 2.8): point spreads are of the fields of Brainstorm, each "
        "kernel predicts recordings with its own gain",
    )
    comparison = compare_kernels(a, replace(b, gain=None))
    assert comparison["localisation_error_a"].value == pytest.approx(3 * MM)
    assert comparison.notes == ("Brainstorm has no gain: that of MNE was used for both",)


# recordings


def _waves(n_times=200):
    """Sine and cosine over whole periods: orthogonal and of equal size."""
    t = np.arange(n_times) / n_times
    return np.stack([np.cos(2 * np.pi * 3 * t), np.sin(2 * np.pi * 3 * t)])


def test_time_courses_with_a_known_lag():
    lags = np.random.default_rng(12).permutation(np.radians(np.arange(0.0, 41.0)))
    a = kernel(np.stack([np.cos(lags), np.sin(lags)], axis=1) * 2)
    b = kernel(np.tile([1.0, 0.0], (41, 1)))
    comparison = compare_kernels(a, b, data=_waves())
    for key, degrees in (("median", 20), ("p5", 38), ("worst", 40)):
        value = comparison[f"time_course_correlation_{key}"]
        assert abs(value.value - np.cos(np.radians(degrees))) <= 1e-13
        assert value.passed is False
    assert comparison["time_course_correlation_worst"].detail == (
        f"at location {lags.argmax() + 1} (1-based)"
    )


def test_time_courses_are_not_coefficients():
    # orthogonal rows, but both channels record the same
    comparison = compare_kernels(kernel([[1.0, 0.0]]), kernel([[0.0, 1.0]]), data=_waves()[[0, 0]])
    assert comparison["correlation_worst"].value == 0
    assert comparison["time_course_correlation_worst"].value == pytest.approx(1, abs=1e-13)


def test_time_courses_of_three_components_follow_each_other():
    waves = np.vstack([_waves(), np.zeros((1, 200))])
    angle = np.radians(25)
    a = kernel(rotation([0, 0, 1], angle), 3)
    comparison = compare_kernels(a, kernel(np.eye(3), 3), data=waves)
    # ⟨R Y, Y⟩ / |Y|² of two orthogonal waves of one size
    assert comparison["time_course_correlation_median"].value == pytest.approx(
        np.cos(angle), abs=1e-13
    )


def test_time_courses_that_are_zero():
    b = np.eye(3, 2)
    comparison = compare_kernels(kernel(b), kernel(b), data=_waves())
    assert comparison["time_course_correlation_worst"].passed
    other = kernel(np.vstack([np.eye(2), np.ones((1, 2))]))
    value = compare_kernels(other, kernel(b), data=_waves())["time_course_correlation_worst"]
    assert (value.value, value.passed) == (0, False)


def test_peaks_at_known_places_and_times(monkeypatch):
    times = np.arange(50) / 100
    data = np.zeros((4, 50))
    data[0, 10], data[3, 25] = 2.0, -1.5
    a = kernel(np.diag([0.5, 1, 1, 1]), positions=line(4), locations=[5, 6, 7, 8])
    b = kernel(np.eye(4), positions=line(4), locations=[5, 6, 7, 8])
    for numbers in (1, 100, 2**22):
        monkeypatch.setattr(recordings, "_CHUNK_NUMBERS", numbers)
        comparison = compare_kernels(a, b, data=data, times=times)
        distance = comparison["estimate_peak_distance"]
        assert distance.value == pytest.approx(3 * MM)
        assert distance.detail == "A at location 9, B at location 6 (1-based)"
        latency = comparison["estimate_latency_difference"]
        assert latency.value == pytest.approx(150)
        assert latency.detail == "A at 250 ms, B at 100 ms"
        back = compare_kernels(b, a, data=data, times=times)["estimate_latency_difference"]
        assert back.value == pytest.approx(-150)
        assert (distance.passed, latency.passed, back.passed) == (False, False, False)


def test_the_peak_is_of_the_norm_over_components():
    data = np.zeros((6, 2))
    data[0, 0], data[3:5, 1] = 1.0, 0.8
    a = kernel(np.kron(np.diag([1, 1]), rotation([1, 0, 1], 1.0)), 3, positions=line(2))
    b = kernel(np.kron(np.diag([1.2, 1]), np.eye(3)), 3, positions=line(2))
    comparison = compare_kernels(a, b, data=data, times=[0.0, 0.1])
    assert comparison["estimate_latency_difference"].detail == "A at 100 ms, B at 0 ms"


@pytest.mark.parametrize(("by", "same"), [(1e-12, True), (1e-6, False)])
def test_instants_that_rounding_exchanges_are_one(by, same):
    data = np.array([[1.0, 0.0, 1.0], [0.0, 0.5, 1e-3]])
    b = kernel([[1.0, 0.0]], positions=line(1))
    a = kernel([[1.0, by * 1e3]], positions=line(1))
    comparison = compare_kernels(a, b, data=data, times=[0.0, 0.01, 0.02])
    assert comparison["estimate_latency_difference"].passed is same
    assert comparison["estimate_latency_difference"].value == pytest.approx(0 if same else 20)


def test_explained_variance_of_a_projection():
    # G has orthonormal columns: G G' is the projector on what it can explain
    basis = np.linalg.qr(np.random.default_rng(13).normal(size=(6, 6)))[0]
    gain, outside = basis[:, :3], basis[:, 3:]
    rng = np.random.default_rng(14)
    inside = gain @ rng.normal(size=(3, 40))
    rest = outside @ rng.normal(size=(3, 40))
    data = 3 * inside / np.linalg.norm(inside) + 4 * rest / np.linalg.norm(rest)
    a = kernel(0.5 * gain.T, gain=gain)
    b = kernel(gain.T, gain=gain)
    comparison = compare_kernels(a, b, data=data)
    # |Y|² = 25; what is left is 16 of B, and 16 + 1.5² of A
    assert abs(comparison["explained_variance_b"].value - 9 / 25) <= 20 * EPS
    assert abs(comparison["explained_variance_a"].value - (1 - 18.25 / 25)) <= 20 * EPS
    difference = comparison["explained_variance_difference"]
    assert abs(difference.value + 2.25 / 25) <= 20 * EPS
    assert difference.passed is False
    assert difference.detail == ("A 0.27, B 0.36; recordings not whitened: no whitener is given")


@pytest.mark.parametrize("of", ["a", "b"])
def test_explained_variance_is_whitened(of):
    gain = np.eye(3)[:, :2]
    data = np.array([[3.0], [0.0], [4.0]])
    whiteners = {"a": {}, "b": {}} | {of: {"whitener": np.diag([1, 1, 0.5])}}
    a = kernel(gain.T, gain=gain, **whiteners["a"])
    b = kernel(gain.T, gain=gain, **whiteners["b"])
    value = compare_kernels(a, b, data=data)["explained_variance_difference"]
    assert (value.value, value.detail) == (
        0,
        "A 0.692308, B 0.692308; recordings whitened",
    )  # 9 / (9 + 2²)
    assert value.passed


def test_the_whitener_of_the_reference_is_for_both():
    gain = np.eye(3)[:, :2]
    a = kernel(gain.T, gain=gain, whitener=np.eye(3))
    b = replace(a, whitener=np.diag([1, 1, 0.5]))
    value = compare_kernels(a, b, data=[[3.0], [0.0], [4.0]])["explained_variance_a"]
    assert abs(value.value - 9 / 13) <= 4 * EPS


def test_each_kernel_predicts_with_its_own_gain():
    # x, y, z of another frame: kernel and gain turn together
    turn = rotation([1, 1, 0], 1.0)
    gain = np.random.default_rng(15).normal(size=(8, 3))
    matrix = np.linalg.pinv(gain)
    a = kernel(turn @ matrix, 3, gain=gain @ turn.T)
    b = kernel(matrix, 3, gain=gain)
    data = np.random.default_rng(16).normal(size=(8, 10))
    value = compare_kernels(a, b, data=data)["explained_variance_difference"]
    assert value.passed
    # with the other's gain the prediction is wrong
    value = compare_kernels(replace(a, gain=None), b, data=data)["explained_variance_difference"]
    assert value.value < -0.01


# what is not applicable


@pytest.mark.parametrize(
    ("without", "keys", "reason"),
    [
        ("gain", ["peak_displacement", "localisation", "dispersion"], "neither kernel has a gain"),
        ("gain", ["explained_variance"], "neither kernel has a gain"),
        (
            "positions",
            ["peak_displacement", "localisation", "dispersion", "estimate_peak"],
            "neither kernel has positions",
        ),
        ("data", ["time_course", "estimate", "explained"], "no recordings are given"),
        ("times", ["estimate_latency"], "no times of the recordings are given"),
    ],
)
def test_what_is_missing_is_said(without, keys, reason):
    rng = np.random.default_rng(17)
    a = complete(rng)
    given = {"data": rng.normal(size=(a.n_channels, 5)), "times": np.arange(5)}
    if without == "data":
        given = {}
    elif without == "times":
        del given["times"]
    else:
        a = replace(a, **{without: None})
    comparison = compare_kernels(a, a, **given)
    concerned = [v for v in comparison if v.metric.key.startswith(tuple(keys))]
    assert len(concerned) >= len(keys)
    for value in concerned:
        assert (value.value, value.tolerance, value.passed) == (None, None, None)
        assert value.reason == reason
    others = [v for v in comparison if v not in concerned]
    if without != "gain":
        assert all(v.value is not None for v in others)
    assert comparison.passed  # what could be computed agrees


def test_only_amplitudes_predict_recordings():
    rng = np.random.default_rng(18)
    b = complete(rng, name="B")
    a = replace(b, unit="1 (noise standard deviations)", name="MNE")
    comparison = compare_kernels(a, b, data=rng.normal(size=(b.n_channels, 5)))
    reason = (
        "the estimate of MNE is without unit (noise standard deviations): only amplitudes in A·m "
        "predict recordings"
    )
    assert comparison["explained_variance_a"].reason == reason
    assert comparison["explained_variance_difference"].reason == reason
    assert comparison["explained_variance_b"].value is not None
    assert comparison.mismatches == (
        "the units (MNE without unit (noise standard deviations), B in A·m): so may amplitudes",
    )
    assert not compare_kernels(replace(b, unit=a.unit), b).passed
    assert "differ: the units (MNE without unit" in str(comparison)
    plain = compare_kernels(replace(a, unit="1"), b, data=np.ones((b.n_channels, 2)))
    assert "the estimate of MNE is without unit: only" in plain["explained_variance_a"].reason
    comparison = compare_kernels(replace(a, unit=""), b, data=np.ones((b.n_channels, 2)))
    assert "is in an unknown unit" in comparison["explained_variance_a"].reason


def test_recordings_of_zeros():
    a = complete(np.random.default_rng(19))
    comparison = compare_kernels(a, a, data=np.zeros((a.n_channels, 3)), times=[0, 1, 2])
    for key in ("time_course_correlation_median", "estimate_peak_distance", "explained_variance_a"):
        assert comparison[key].reason == "the recordings are zero"
    blind = replace(a, whitener=np.zeros((a.n_channels, a.n_channels)))
    comparison = compare_kernels(blind, blind, data=np.ones((a.n_channels, 3)))
    assert comparison["explained_variance_b"].reason == "the whitened recordings are zero"
    zero = replace(a, matrix=0 * a.matrix)
    comparison = compare_kernels(zero, a, data=np.ones((a.n_channels, 3)))
    assert comparison["time_course_correlation_worst"].reason == "an estimate is zero everywhere"
