"""The prior source variance."""

from __future__ import annotations

import numpy as np
import pytest
from inverse_problems import make_problem, readonly, solve, solve_naively
from inverse_tolerances import EPS, kernel_tolerance

from mne_bstinv.errors import InverseError
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
