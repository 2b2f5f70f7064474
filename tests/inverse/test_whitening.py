"""Whiteners: ranks, every noise method, detection of diagonals, sensor types apart."""

from __future__ import annotations

import logging
import re

import numpy as np
import pytest
from inverse_problems import (
    MIXED_TYPES,
    UNITS,
    covariance_of,
    make_stats,
    orthogonal,
    readonly,
)
from inverse_tolerances import EPS, backward_error, whitener_tolerance
from naive import naive_whitener

from mne_bstinv.errors import InverseError
from mne_bstinv.inverse.spacing import spacing32, spacing32_array
from mne_bstinv.inverse.whitening import CovarianceStatistics, compute_whitener, is_diagonal

METHODS = ("none", "reg", "median", "diag", "shrink")
#: Orthogonal, and every entry of the covariances made with it is a plain sum of variances.
HADAMARD = np.array([[1, 1, 1, 1], [1, -1, 1, -1], [1, 1, -1, -1], [1, -1, -1, 1]]) / 2


def _statistics(stats):
    return CovarianceStatistics(
        cov=stats.cov, fourth_moment=stats.fourth, n_samples=stats.n_samples
    )


def _whiten(cov, method, types=None, **options):
    types = ["EEG"] * len(cov) if types is None else types
    return compute_whitener(CovarianceStatistics(cov=readonly(cov)), types, method, **options)


def _hadamard(variances):
    return covariance_of(HADAMARD, variances)


@pytest.mark.parametrize(
    ("x", "expected"),
    [
        (1.0, 2.0**-23),
        (1.9, 2.0**-23),
        (2.0, 2.0**-22),
        (0.75, 2.0**-24),
        (1 - 1e-9, 2.0**-23),  # float32 rounds it up to one
        (2.0**-40, 2.0**-63),
        (0.0, 2.0**-149),
        (1e-42, 2.0**-149),  # subnormal in single precision
    ],
)
def test_spacing32(x, expected):
    assert spacing32(x) == expected
    assert spacing32_array(readonly([x, x])).tolist() == [expected] * 2


@pytest.mark.parametrize("unit", [1.0, 1e-6, 2e-13])
@pytest.mark.parametrize(("factor", "rank"), [(0.9, 3), (1.1, 4)])
@pytest.mark.parametrize("method", ["none", "reg", "median", "shrink"])
def test_rank_rule(method, factor, rank, unit):
    # standard deviations are kept above k·spacing32 of the largest, here 4·spacing32
    smallest = factor * 4 * spacing32(unit)
    cov = _hadamard(np.array([1, 0.5, 0.3, (smallest / unit) ** 2]) * unit**2)
    stats = CovarianceStatistics(
        cov=readonly(cov), fourth_moment=readonly(np.zeros((4, 4))), n_samples=10
    )  # with δ = 0, shrink keeps the covariance
    whitening = compute_whitener(stats, ["EEG"] * 4, method)
    assert whitening.ranks == {"EEG": rank}
    assert whitening.rank == rank
    singular = np.linalg.svd(whitening.whitener, compute_uv=False)
    assert (singular > backward_error(4) * singular[0]).sum() == rank
    std = whitening.std["EEG"]
    # eigenvalues of the largest variance times eps are rounding
    np.testing.assert_allclose(std[:3], np.sqrt([1, 0.5, 0.3]) * unit, rtol=backward_error(4))
    assert abs(std[3] ** 2 - smallest**2) <= backward_error(4) * unit**2


def test_none_is_identity_on_what_is_kept():
    rng = np.random.default_rng(1)
    u = orthogonal(rng, 6)
    cov = covariance_of(u, [3, 2, 1, 0.5, 0, 0])
    whitening = _whiten(cov, "none")
    w = whitening.whitener
    tolerance = whitener_tolerance(6, 6)
    kept = u[:, :4]
    np.testing.assert_allclose(w, w.T, rtol=0, atol=backward_error(6) * np.sqrt(2))
    np.testing.assert_allclose(w @ cov @ w.T, kept @ kept.T, rtol=0, atol=tolerance)
    np.testing.assert_allclose(w @ u[:, 4:], 0, rtol=0, atol=tolerance)
    np.testing.assert_allclose(whitening.regularized_cov, cov, rtol=0, atol=tolerance)


@pytest.mark.parametrize("noise_reg", [0.0, 0.1, 1.0])
def test_reg_takes_the_mean_of_all_eigenvalues_and_leaves_the_nulls(noise_reg):
    u = orthogonal(np.random.default_rng(2), 6)
    variances = np.array([3, 2, 1, 0.5, 0, 0])
    cov = covariance_of(u, variances)
    whitening = _whiten(cov, "reg", noise_reg=noise_reg)
    ridge = noise_reg * 6.5 / 6
    kept = u[:, :4]
    expected = kept @ np.diag(1 / np.sqrt(variances[:4] + ridge)) @ kept.T
    tolerance = whitener_tolerance(6, 6)
    np.testing.assert_allclose(whitening.whitener, expected, rtol=0, atol=tolerance * 2)
    # where the regularised covariance is reported, the ridge is on the nulls too
    np.testing.assert_allclose(
        whitening.regularized_cov, cov + ridge * np.eye(6), rtol=0, atol=tolerance
    )
    assert whitening.ranks == {"EEG": 4}


@pytest.mark.parametrize(
    ("variances", "median"),
    [
        ([9, 4, 1, 0.25, 0, 0], 1.5),  # of the four kept, (2 + 1)/2: not of variances
        ([9, 4, 1, 0, 0, 0], 2.0),
        ([9, 4, 2.25, 1, 0.25, 0.25], 1.25),
    ],
)
def test_median_of_the_kept_standard_deviations(variances, median):
    u = orthogonal(np.random.default_rng(3), 6)
    rank = np.count_nonzero(variances)
    whitening = _whiten(covariance_of(u, variances), "median")
    std = np.maximum(np.sqrt(variances[:rank]), median)
    kept = u[:, :rank]
    tolerance = whitener_tolerance(6, 36) * 9
    np.testing.assert_allclose(
        whitening.whitener, kept @ np.diag(1 / std) @ kept.T, rtol=0, atol=tolerance
    )
    np.testing.assert_allclose(
        whitening.regularized_cov, kept @ np.diag(std**2) @ kept.T, rtol=0, atol=tolerance
    )


def test_diag_removes_the_off_diagonal_terms_before_the_decomposition():
    cov = np.full((3, 3), 4.0)  # of rank one, of rank three without them
    whitening = _whiten(cov, "diag")
    np.testing.assert_array_equal(whitening.whitener, np.eye(3) / 2)
    np.testing.assert_array_equal(whitening.regularized_cov, 4 * np.eye(3))
    assert whitening.ranks == {"EEG": 3}
    assert whitening.method == "diag"


def test_diag_of_a_data_covariance_removes_them_after_the_truncation():
    cov = np.full((3, 3), 4.0)
    whitening = _whiten(cov, "diag", detect_diagonal=False)
    np.testing.assert_allclose(whitening.whitener, np.eye(3) / 2, atol=whitener_tolerance(3, 1))
    assert whitening.ranks == {"EEG": 1}


def _dead(detect):
    cov = np.diag([1.0, 2.0, 1e-20])  # the last one is below the rank rule
    return CovarianceStatistics(cov=readonly(cov)), ["EEG"] * 3, "diag", detect


@pytest.mark.parametrize("detect", [True, False])
@pytest.mark.parametrize(("names", "shown"), [(None, "#3"), (["A", "B", "Oz"], "Oz")])
def test_diag_without_variance(names, shown, detect):
    stats, types, method, detect = _dead(detect)
    message = f"Noise method 'diag': EEG channel(s) {shown} have no variance. Mark them bad, or"
    with pytest.raises(InverseError, match=re.escape(message)):
        compute_whitener(stats, types, method, detect_diagonal=detect, channel_names=names)


@pytest.mark.parametrize("unit", [1.0, 1e-12, 3e-26])
@pytest.mark.parametrize(("factor", "diagonal"), [(0.99, True), (1.01, False)])
def test_diagonal_threshold(factor, diagonal, unit):
    # ‖C‖ − ‖v‖ = √(3 + 2e²) − √3 = spacing32(√3), in units
    v = np.sqrt(3) * unit
    off = factor * np.sqrt(((np.sqrt(3) + spacing32(v) / unit) ** 2 - 3) / 2)
    cov = np.eye(3)
    cov[0, 2] = cov[2, 0] = off
    assert is_diagonal(readonly(cov * unit)) is diagonal
    whitening = _whiten(cov * unit, "none")
    assert whitening.method == ("diag" if diagonal else "none")
    assert (whitening.whitener[0, 2] == 0) is np.bool_(diagonal)


@pytest.mark.parametrize("method", METHODS)
def test_a_diagonal_covariance_turns_every_method_into_diag(method):
    variances = np.array([1.0, 4.0, 9.0])
    whitening = _whiten(np.diag(variances), method)  # shrink needs no statistics then
    assert whitening.method == "diag"
    np.testing.assert_allclose(whitening.whitener, np.diag([1, 1 / 2, 1 / 3]), rtol=4 * EPS)
    if method == "none":
        kept = _whiten(np.diag(variances), "reg", detect_diagonal=False)
        assert kept.method == "reg"


def test_the_type_with_the_largest_numbers_decides():
    types = ["EEG"] * 3 + ["MEG MAG"] * 3
    full = np.eye(3) + 0.5
    cov = np.zeros((6, 6))
    cov[:3, :3], cov[3:, 3:] = np.eye(3) * 1e-12, full * 1e-26
    whitening = _whiten(cov, "none", types)
    assert whitening.method == "diag"
    np.testing.assert_allclose(
        np.diag(whitening.whitener)[3:], 1e13 / np.sqrt(1.5), rtol=backward_error(3)
    )
    assert np.count_nonzero(whitening.whitener) == 6
    cov[:3, :3], cov[3:, 3:] = full * 1e-12, np.eye(3) * 1e-26
    whitening = _whiten(cov, "reg", types)
    assert whitening.method == "reg"


def test_terms_between_types_count_for_the_detection():
    types = ["EEG", "EEG", "ECOG", "ECOG"]
    cov = np.eye(4)
    cov[0, 2] = cov[2, 0] = 0.5
    whitening = _whiten(cov, "reg", types, noise_reg=0.5)
    assert whitening.method == "reg"
    np.testing.assert_allclose(
        whitening.whitener, np.eye(4) / np.sqrt(1.5), rtol=0, atol=whitener_tolerance(4, 1)
    )


def test_average_referenced_recordings_are_never_diagonal():
    for n in (2, 32, 256):
        reference = np.eye(n) - 1 / n
        cov = reference @ np.diag(np.linspace(1, 2, n) * 1e-12) @ reference.T
        assert not is_diagonal(readonly(cov))


@pytest.mark.parametrize("nulls", [0, 1])
@pytest.mark.parametrize("method", METHODS)
def test_textbook(method, nulls):
    stats = make_stats(np.random.default_rng(4), MIXED_TYPES, nulls=nulls)
    found = compute_whitener(_statistics(stats), MIXED_TYPES, method, noise_reg=0.3)
    expected = naive_whitener(stats, MIXED_TYPES, method, 0.3)
    assert found.ranks == expected.ranks
    assert found.method == expected.method == method
    error = (found.whitener - expected.matrix) @ expected.inverse
    assert np.linalg.norm(error, 2) <= 2 * whitener_tolerance(14, expected.condition)
    # block diagonal by type: nothing between types
    for i, a in enumerate(MIXED_TYPES):
        for j, b in enumerate(MIXED_TYPES):
            assert a == b or found.whitener[i, j] == 0 == found.regularized_cov[i, j]


@pytest.mark.parametrize("method", METHODS)
def test_types_apart_are_types_alone(method):
    stats = make_stats(np.random.default_rng(5), MIXED_TYPES)
    together = compute_whitener(_statistics(stats), MIXED_TYPES, method)
    for kind in UNITS:
        index = np.flatnonzero(np.array(MIXED_TYPES) == kind)
        if not index.size:
            continue
        block = np.ix_(index, index)
        alone = compute_whitener(_statistics(stats).take(index), [kind] * len(index), method)
        np.testing.assert_array_equal(together.whitener[block], alone.whitener)
        np.testing.assert_array_equal(together.regularized_cov[block], alone.regularized_cov)
        np.testing.assert_array_equal(together.std[kind], alone.std[kind])
        assert together.ranks[kind] == alone.ranks[kind]


def test_types_in_any_case_are_one_type():
    stats = make_stats(np.random.default_rng(6), ["EEG"] * 5)
    mixed_case = ["EEG", "eeg", "Eeg ", "EEG", "eEG"]
    found = compute_whitener(_statistics(stats), mixed_case, "reg")
    same = compute_whitener(_statistics(stats), ["EEG"] * 5, "reg")
    np.testing.assert_array_equal(found.whitener, same.whitener)
    assert list(found.ranks) == ["EEG"]


@pytest.mark.parametrize("method", METHODS)
def test_asymmetry_is_averaged_out(method):
    stats = make_stats(np.random.default_rng(7), ["EEG"] * 5, shrinkage=0.0)
    skew = np.triu(np.full((5, 5), 1e-13), 1)
    asymmetric = CovarianceStatistics(
        cov=readonly(stats.cov + skew - skew.T),
        fourth_moment=readonly(np.zeros((5, 5))),
        n_samples=9,
    )
    symmetric = CovarianceStatistics(
        cov=stats.cov, fourth_moment=readonly(np.zeros((5, 5))), n_samples=9
    )
    found = compute_whitener(asymmetric, ["EEG"] * 5, method)
    expected = compute_whitener(symmetric, ["EEG"] * 5, method)
    scale = np.linalg.norm(expected.whitener, 2)
    assert np.linalg.norm(found.whitener - expected.whitener, 2) <= scale * whitener_tolerance(5, 5)
    asymmetry = np.linalg.norm(found.whitener - found.whitener.T, 2)
    assert asymmetry <= scale * backward_error(5)


@pytest.mark.parametrize("method", ["none", "reg", "median", "shrink"])
def test_type_without_rank(method):
    cov = np.zeros((5, 5))
    cov[:3, :3] = np.eye(3) + 0.5
    types = ["EEG"] * 3 + ["MEG GRAD"] * 2
    stats = CovarianceStatistics(cov=readonly(cov), fourth_moment=readonly(cov), n_samples=9)
    message = "The covariance of the 2 MEG GRAD channel(s) is zero: it has no rank."
    with pytest.raises(InverseError, match=re.escape(message)):
        compute_whitener(stats, types, method)


# shrinkage


def _shrink(cov, fourth, n_samples=50.0, types=None):
    stats = CovarianceStatistics(
        cov=readonly(cov),
        fourth_moment=None if fourth is None else readonly(fourth),
        n_samples=n_samples,
    )
    return compute_whitener(stats, types or ["EEG"] * len(cov), "shrink")


SHRUNK = _hadamard([4.0, 3.0, 2.0, 1.0])  # mean variance 2.5
GAMMA = 1.5**2 + 0.5**2 + 0.5**2 + 1.5**2


@pytest.mark.parametrize("delta", [0.25, 0.75])
def test_shrinkage(delta):
    # φ = Σ(M4 − c∘c) = δ γ N, all of it in one entry
    fourth = SHRUNK**2
    fourth[1, 2] += delta * GAMMA * 50
    whitening = _shrink(SHRUNK, fourth)
    variances = delta * 2.5 + (1 - delta) * np.array([4.0, 3.0, 2.0, 1.0])
    expected = covariance_of(HADAMARD, 1 / np.sqrt(variances))
    tolerance = whitener_tolerance(4, 4)
    np.testing.assert_allclose(whitening.whitener, expected, rtol=0, atol=tolerance)
    np.testing.assert_allclose(
        whitening.regularized_cov, covariance_of(HADAMARD, variances), rtol=0, atol=4 * tolerance
    )
    assert whitening.warnings == ()


def test_shrinkage_is_not_below_zero():
    whitening = _shrink(SHRUNK, np.zeros((4, 4)))  # φ < 0
    none = _whiten(SHRUNK, "none")
    tolerance = whitener_tolerance(4, 4)
    np.testing.assert_allclose(whitening.whitener, none.whitener, rtol=0, atol=tolerance)
    assert whitening.warnings == ()


def test_complete_shrinkage_is_reported(caplog):
    cov = _hadamard([4.0, 3.0, 2.0, 0.0])
    with caplog.at_level(logging.WARNING, logger="mne_bstinv"):
        whitening = _shrink(cov, np.full((4, 4), 1e6))
    # of full rank, although the covariance is not
    assert whitening.ranks == {"EEG": 4}
    tolerance = whitener_tolerance(4, 1)
    np.testing.assert_allclose(
        whitening.whitener, np.eye(4) / np.sqrt(2.25), rtol=0, atol=tolerance
    )
    (message,) = whitening.warnings
    assert message.startswith("Shrinkage of the EEG covariance is complete (delta = 1)")
    assert message in caplog.messages


def test_shrinkage_of_each_type():
    types = ["EEG", "ECOG"] * 4
    cov, fourth = np.zeros((8, 8)), np.zeros((8, 8))
    first, second = slice(0, None, 2), slice(1, None, 2)
    cov[first, first] = cov[second, second] = SHRUNK
    cov[first, second] = cov[second, first] = 0.1
    fourth[first, first] = fourth[second, second] = SHRUNK**2
    fourth[0, 0] += 0.5 * GAMMA * 50
    fourth[first, second] = 1e9  # between types: of no type
    whitening = _shrink(cov, fourth, types=types)
    tolerance = whitener_tolerance(4, 4)
    for block, delta in ((first, 0.5), (second, 0.0)):
        variances = delta * 2.5 + (1 - delta) * np.array([4.0, 3.0, 2.0, 1.0])
        np.testing.assert_allclose(
            whitening.whitener[block, block],
            covariance_of(HADAMARD, 1 / np.sqrt(variances)),
            rtol=0,
            atol=tolerance,
        )


def test_shrinkage_of_one_channel_is_nothing_to_warn_of():
    types = ["EEG"] * 4 + ["ECOG"]
    cov = np.zeros((5, 5))
    cov[:4, :4], cov[4, 4] = SHRUNK, 9.0
    whitening = _shrink(cov, np.zeros((5, 5)), types=types)
    np.testing.assert_allclose(whitening.whitener[4, 4], 1 / 3, rtol=backward_error(1))
    assert whitening.warnings == ()


@pytest.mark.parametrize(
    ("fourth", "n_samples", "missing"),
    [(None, 50.0, "FourthMoment"), (np.eye(4), None, "nSamples"), (None, None, "FourthMoment")],
)
def test_shrinkage_without_statistics(fourth, n_samples, missing):
    message = f"Noise method 'shrink' needs {missing}, which this covariance does not hold."
    with pytest.raises(InverseError, match=re.escape(message)):
        _shrink(SHRUNK, fourth, n_samples)


def test_statistics_of_some_channels():
    cov = np.arange(16.0).reshape(4, 4)
    stats = CovarianceStatistics(cov=readonly(cov), fourth_moment=readonly(cov * 2), n_samples=7)
    part = stats.take(np.array([2, 0]))
    np.testing.assert_array_equal(part.cov, [[10, 8], [2, 0]])
    np.testing.assert_array_equal(part.fourth_moment, [[20, 16], [4, 0]])
    assert part.n_samples == 7
    assert CovarianceStatistics(cov=cov).take(np.array([1])).fourth_moment is None
