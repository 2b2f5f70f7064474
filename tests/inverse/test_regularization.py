"""The prior source variance."""

from __future__ import annotations

import numpy as np
import pytest
from inverse_problems import make_problem, readonly, solve, solve_naively
from inverse_tolerances import EPS, kernel_tolerance

from mne_bstinv.errors import InverseError, OptionError
from mne_bstinv.inverse import regularization as rules
from mne_bstinv.inverse.regularization import lambda_from_rms, lambda_from_snr


def test_mean_runs_over_the_zeros_too():
    assert lambda_from_snr(readonly([6, 2, 0, 0]), 3.0) == 4.5


def test_rms_is_squared():
    assert lambda_from_rms(3.0) == 9.0


@pytest.mark.parametrize("s2", [[0.0, 0.0], [0.0]])
def test_no_signal(s2):
    with pytest.raises(InverseError, match="lead field is zero: no channel sees any source"):
        lambda_from_snr(readonly(s2), 3.0)


@pytest.mark.parametrize("snr", [0.5, 3.0])
@pytest.mark.parametrize("measure", ["amplitude", "dspm2018", "sloreta"])
@pytest.mark.parametrize("orient", ["fixed", "loose", "free"])
def test_expected_signal_of_a_channel_is_the_squared_snr(orient, measure, snr):
    # three locations: fewer rows than channels where fixed
    problem = make_problem(1, orient, n_sources=3)
    result = solve(problem, measure=measure, snr_fixed=snr)
    n = len(problem.types)
    reference = solve_naively(problem, measure=measure, snr_fixed=snr)
    signal = sum(np.linalg.norm(x.lead) ** 2 for x in reference.locations)  # tr(L L')
    rtol = kernel_tolerance(reference)
    np.testing.assert_allclose(result.lambda_ * signal / n, snr**2, rtol=rtol)
    assert result.s2.shape == (n,)
    assert (np.diff(result.s2) <= 0).all()
    assert (result.s2 >= 0).all()
    rank = min(n, len(result.kernel))
    assert (result.s2[rank:] <= rtol * result.s2[0]).all()
    assert (result.s2[:rank] > rtol * result.s2[0]).all()
    np.testing.assert_allclose(result.s2.sum(), signal, rtol=rtol)
    assert abs(result.lambda_ * np.mean(result.s2) - snr**2) <= 4 * EPS * n * snr**2


@pytest.mark.parametrize("measure", ["amplitude", "dspm2018", "sloreta"])
def test_rms_does_not_depend_on_the_gain(measure):
    result = solve(make_problem(2, "free"), measure=measure, snr_method="rms", snr_rms=2e-9)
    assert result.lambda_ == 2e-9**2


def test_rms_is_not_in_units_of_the_window():
    # SnrRms is in A·m where options are given: nothing multiplies it by 1e-9 again
    problem = make_problem(3, "fixed")
    result = solve(problem, snr_method="rms", snr_rms=1e-8)
    reference = solve_naively(problem, snr_method="rms", snr_rms=1e-8)
    np.testing.assert_allclose(
        np.linalg.norm(result.kernel @ reference.used.inverse),
        np.linalg.norm(reference.kernel @ reference.used.inverse),
        rtol=kernel_tolerance(reference),
    )


@pytest.mark.parametrize("method", ["gls", "lcmv"])
def test_scans_have_no_prior(method):
    result = solve(make_problem(4, "fixed"), method=method)
    assert result.lambda_ is None
    assert result.s2 is None


# -- the two conventions ---------------------------------------------------------------------------


def lead_field(rank: int, n_channels: int, n_rows: int = 12) -> np.ndarray:
    """A lead field that is whitened in a subspace: zero rows for the nulls of the noise."""
    lead = 1e9 * np.random.default_rng(rank).normal(size=(n_channels, n_rows))
    lead[rank:] = 0.0
    return lead


def brainstorm_kernel(lead: np.ndarray, prior: float) -> np.ndarray:
    return prior * lead.T @ np.linalg.inv(prior * lead @ lead.T + np.eye(len(lead)))


def mne_kernel(lead: np.ndarray, lambda2: float, rank: int) -> np.ndarray:
    """MNE: R scaled so that trace(L R L') is the rank, then R L' (L R L' + λ² I)⁻¹."""
    scale = rank / np.trace(lead @ lead.T)
    inverse = np.linalg.inv(scale * lead @ lead.T + lambda2 * np.eye(len(lead)))
    return scale * lead.T @ inverse


def distance(ours: np.ndarray, theirs: np.ndarray) -> float:
    return float(np.linalg.norm(ours - theirs) / np.linalg.norm(theirs))


#: The solved systems have a condition number below 1 + SNR² n r ≤ 1e3.
KERNEL_RTOL = 1e3 * 30 * EPS


@pytest.mark.parametrize("rank", [4, 9, 10])
@pytest.mark.parametrize("snr", [0.5, 3.0])
def test_the_translated_lambda2_gives_the_same_kernel(rank: int, snr: float) -> None:
    n, lead = 10, lead_field(rank, 10)
    trace = np.trace(lead @ lead.T)
    prior = rules.lambda_from_trace(snr, trace, n)
    ours = brainstorm_kernel(lead, prior)
    right = rules.lambda2_from_brainstorm_snr(snr, rank, n)
    assert distance(mne_kernel(lead, right, rank), ours) < KERNEL_RTOL
    assert rules.lambda2_from_prior(prior, trace, rank) == pytest.approx(right, rel=4 * EPS)
    # the naive one is right at full rank only
    naive = distance(mne_kernel(lead, rules.lambda2_from_snr(snr), rank), ours)
    assert naive < KERNEL_RTOL if rank == n else naive > 1e-3


def test_an_rms_amplitude_gives_the_same_kernel() -> None:
    lead, rms = lead_field(7, 10), 3e-10
    trace = np.trace(lead @ lead.T)
    lambda2 = rules.lambda2_from_prior(rules.lambda_from_rms(rms), trace, 7)
    ours = brainstorm_kernel(lead, rms**2)
    assert distance(mne_kernel(lead, lambda2, 7), ours) < KERNEL_RTOL


def test_the_trace_stands_for_the_eigenvalues() -> None:
    s2 = readonly([6.0, 2.0, 0.0, 0.0])
    assert rules.lambda_from_trace(3.0, s2.sum(), len(s2)) == lambda_from_snr(s2, 3.0)


@pytest.mark.parametrize("snr", [1e-3, 1.0, 3.0, 250.0])
def test_there_and_back(snr: float) -> None:
    lambda2 = rules.lambda2_from_brainstorm_snr(snr, 70, 306)
    assert rules.snr_from_lambda2(lambda2, 70, 306) == pytest.approx(snr, rel=4 * EPS)
    assert rules.snr_from_lambda2(rules.lambda2_from_snr(snr)) == pytest.approx(snr, rel=4 * EPS)
    prior = rules.prior_from_lambda2(lambda2, 2e18, 70)
    assert rules.lambda2_from_prior(prior, 2e18, 70) == pytest.approx(lambda2, rel=4 * EPS)


def test_after_maxwell_filtering_the_naive_lambda2_is_four_times_too_large() -> None:
    ratio = rules.lambda2_from_snr(3.0) / rules.lambda2_from_brainstorm_snr(3.0, 70, 306)
    assert ratio == pytest.approx(306 / 70, rel=4 * EPS)


@pytest.mark.parametrize(
    ("value", "source", "target", "expected"),
    [
        (3.0, "amplitude", "power", 9.0),
        (9.0, "power", "amplitude", 3.0),
        (10.0, "amplitude", "dB", 20.0),
        (100.0, "power", "dB", 20.0),
        (-20.0, "dB", "amplitude", 0.1),
        (20.0, "dB", "power", 100.0),
        (0.0, "dB", "amplitude", 1.0),
        (2.5, "amplitude", "amplitude", 2.5),
    ],
)
def test_scales_of_an_snr(value: float, source: str, target: str, expected: float) -> None:
    assert rules.convert_snr(value, source, target) == pytest.approx(expected, rel=8 * EPS)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: rules.lambda2_from_snr(0.0), "snr must be a finite number above 0, found 0.0"),
        (lambda: rules.lambda2_from_snr(float("nan")), "snr must be .* found nan"),
        (lambda: rules.snr_from_lambda2(-1.0), "lambda2 must be .* above 0, found -1.0"),
        (lambda: rules.lambda2_from_brainstorm_snr(3.0, 0, 10), "rank must be .* found 0"),
        (lambda: rules.lambda2_from_brainstorm_snr(3.0, 11, 10), "rank 11 for 10 channels"),
        (lambda: rules.lambda2_from_prior(1e-18, 0.0, 10), "trace must be .* found 0.0"),
        (lambda: rules.lambda_from_trace(3.0, 1e18, 0), "n_channels must be .* found 0"),
        (lambda: rules.convert_snr(-1.0, "power"), "snr must be .* found -1.0"),
        (lambda: rules.convert_snr(float("inf"), "dB"), "SNR in dB must be a finite number"),
        (lambda: rules.convert_snr(1.0, "decibel"), "scale of an SNR 'decibel'. Must be one of"),
    ],
)
def test_impossible_numbers_are_refused(call, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        call()
