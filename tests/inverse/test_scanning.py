"""Generalised least squares and LCMV against the textbook."""

from __future__ import annotations

import re

import numpy as np
import pytest
from inverse_problems import (
    Model,
    Problem,
    Stats,
    assert_same_kernel,
    cov_struct,
    make_problem,
    make_stats,
    readonly,
    solve,
    solve_naively,
)
from inverse_tolerances import EPS, kernel_tolerance, whitener_tolerance
from naive import naive_whitener

from mne_bstinv.errors import InverseError
from mne_bstinv.inverse import bst_inverse_linear
from mne_bstinv.inverse.source_model import CHUNK

METHODS = ("gls", "lcmv")
ORIENTS = ("fixed", "loose", "free")
NOISE_METHODS = ("none", "reg", "median", "diag", "shrink")


def _check_decomposition(result, reference):
    """Compare singular values, and U_a' L_i = diag(s_a) V_a' in the package's own signs."""
    rtol = kernel_tolerance(reference)
    p_max = max(len(sa) for sa in reference.sa)
    m = len(reference.sa)
    assert result.source_decomp_sa.shape == (p_max, m)
    assert result.source_decomp_va.shape == (p_max, p_max * m)
    for i, location in enumerate(reference.locations):
        p = location.q.shape[1]
        sa = result.source_decomp_sa[:p, i]
        va = result.source_decomp_va[:p, p_max * i : p_max * i + p]
        np.testing.assert_allclose(sa, reference.sa[i], rtol=0, atol=rtol * reference.sa[i][0])
        assert (np.diff(sa) <= 0).all()
        np.testing.assert_array_equal(result.source_decomp_sa[p:, i], 0)
        if location.orient == "loose":
            continue  # V_a is in the frame of the tangents
        projected = result.kernel[location.rows] @ location.gain @ location.q
        size = np.linalg.norm(sa)
        np.testing.assert_allclose(projected, sa[:, None] * va.T, rtol=0, atol=rtol * size)
        if p > 1:
            np.testing.assert_allclose(va @ va.T, np.eye(3), rtol=0, atol=rtol)


@pytest.mark.parametrize("nulls", [0, 1])
@pytest.mark.parametrize("noise_method", NOISE_METHODS)
@pytest.mark.parametrize("orient", ORIENTS)
@pytest.mark.parametrize("method", METHODS)
def test_textbook(method, orient, noise_method, nulls):
    problem = make_problem(1, orient, nulls=nulls)
    options = {"method": method, "noise_method": noise_method}
    result, reference = solve(problem, **options), solve_naively(problem, **options)
    assert_same_kernel(result.kernel, reference)
    _check_decomposition(result, reference)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("orients", [("fixed", "free", "loose"), ("free", "fixed")])
def test_mixed_orientations_hold_all_rows(orients, method):
    problem = make_problem(2, orients, n_sources=3)
    result, reference = solve(problem, method=method), solve_naively(problem, method=method)
    assert_same_kernel(result.kernel, reference)
    _check_decomposition(result, reference)
    assert np.linalg.norm(result.kernel, axis=1).min() > 0


@pytest.mark.parametrize("orient", ORIENTS)
@pytest.mark.parametrize("method", METHODS)
def test_more_locations_than_a_piece(method, orient):
    problem = make_problem(3, orient, types=("EEG",) * 16, n_sources=CHUNK + 3)
    options = {"method": method, "loose": 0.6}
    result, reference = solve(problem, **options), solve_naively(problem, **options)
    assert_same_kernel(result.kernel, reference)
    _check_decomposition(result, reference)


@pytest.mark.parametrize("noise_method", NOISE_METHODS)
def test_whiteners_of_lcmv(noise_method):
    problem = make_problem(4, "fixed")
    gls = solve(problem, method="gls", noise_method=noise_method)
    lcmv = solve(problem, method="lcmv", noise_method=noise_method)
    np.testing.assert_array_equal(lcmv.whitener, gls.whitener)
    assert gls.data_whitener is None
    assert gls.data_cov is None
    # the data covariance's own statistics
    assert np.abs(problem.data.fourth - problem.noise.fourth).max() > 0
    expected = naive_whitener(problem.data, problem.types, noise_method, 0.1, detect=False)
    error = (lcmv.data_whitener - expected.matrix) @ expected.inverse
    assert np.linalg.norm(error, 2) <= 2 * whitener_tolerance(6, expected.condition)
    np.testing.assert_array_equal(lcmv.data_cov, problem.data.cov)
    np.testing.assert_array_equal(lcmv.noise_cov, problem.noise.cov)


def _with(problem, **changes):
    fields = {
        "types": problem.types,
        "models": problem.models,
        "noise": problem.noise,
        "data": problem.data,
    }
    return Problem(**(fields | changes))


def test_lcmv_takes_the_method_that_was_used():
    problem = make_problem(5, "free")
    diagonal = Stats(cov=readonly(np.diag(np.diag(problem.noise.cov))))
    problem = _with(problem, noise=diagonal)
    result = solve(problem, method="lcmv", noise_method="reg")
    assert result.noise_method == "diag"
    assert np.count_nonzero(result.data_whitener) == len(problem.types)
    assert_same_kernel(result.kernel, solve_naively(problem, method="lcmv", noise_method="reg"))


def test_lcmv_does_not_look_whether_the_data_covariance_is_diagonal():
    problem = make_problem(6, "fixed")
    diagonal = Stats(cov=readonly(np.diag(np.diag(problem.data.cov))))
    problem = _with(problem, data=diagonal)
    result = solve(problem, method="lcmv", noise_method="reg", noise_reg=1.0)
    assert result.noise_method == "reg"
    plain = 1 / np.sqrt(np.diag(diagonal.cov))
    # the ridge is a mean variance: every weight is clearly below what diag gives
    assert (np.diag(result.data_whitener) < 0.9 * plain).all()
    reference = solve_naively(problem, method="lcmv", noise_method="reg", noise_reg=1.0)
    assert_same_kernel(result.kernel, reference)


def test_diag_without_variance_in_the_data_covariance():
    problem = make_problem(7, "fixed", types=("EEG",) * 4)
    cov = np.diag([1.0, 1.0, 1.0, 1e-20]) * 1e-12  # the last falls to the truncation
    problem = _with(problem, data=Stats(cov=readonly(cov)))
    with pytest.raises(InverseError, match=re.escape("EEG channel(s) #4 have no variance")):
        solve(problem, method="lcmv", noise_method="diag")


@pytest.mark.parametrize("orient", ORIENTS)
def test_nai_is_performance(orient):
    problem = make_problem(8, orient)
    nai = solve(problem, method="lcmv", measure="nai")
    performance = solve(problem, method="lcmv", measure="performance")
    np.testing.assert_array_equal(nai.kernel, performance.kernel)


def test_lcmv_without_a_data_covariance():
    problem = make_problem(9, "fixed")
    (model,) = problem.models
    options = {
        "InverseMethod": "lcmv",
        "NoiseCovMat": cov_struct(problem.noise),
        "ChannelTypes": list(problem.types),
    }
    with pytest.raises(InverseError, match="DataCovMat must be a mapping with the field NoiseCov"):
        bst_inverse_linear({"Gain": model.gain, "GridOrient": model.normals}, options)


@pytest.mark.parametrize("method", ["minnorm", "gls"])
def test_data_covariance_is_not_needed_otherwise(method):
    problem = make_problem(10, "fixed")
    unusable = _with(problem, data=Stats(cov=np.full((2, 2), np.nan)))
    np.testing.assert_array_equal(
        solve(unusable, method=method).kernel, solve(problem, method=method).kernel
    )


def _dark(problem, columns):
    (model,) = problem.models
    gain = np.array(model.gain)
    gain[:, columns] = 0
    dark = Model(gain=readonly(gain), normals=model.normals, orient=model.orient)
    return _with(problem, models=(dark,))


@pytest.mark.parametrize("orient", ORIENTS)
@pytest.mark.parametrize("method", METHODS)
def test_location_that_no_channel_sees(method, orient):
    problem = make_problem(11, orient, n_sources=4)
    result = solve(_dark(problem, [3, 4, 5]), method=method)
    p = result.n_components
    np.testing.assert_array_equal(result.source_decomp_sa[:, 1], 0)
    np.testing.assert_array_equal(result.kernel[p : 2 * p], 0)
    # scans: the other locations are untouched
    others = [0, 2, 3]
    expected = solve(problem, method=method)
    rows = (p * np.array(others)[:, None] + np.arange(p)).ravel()
    np.testing.assert_array_equal(result.kernel[rows], expected.kernel[rows])
    np.testing.assert_array_equal(
        result.source_decomp_sa[:, others], expected.source_decomp_sa[:, others]
    )


@pytest.mark.parametrize("orient", ORIENTS)
@pytest.mark.parametrize("method", METHODS)
def test_gain_that_is_all_zero(method, orient):
    problem = _dark(make_problem(12, orient), slice(None))
    with pytest.raises(InverseError, match="lead field is zero: no channel sees any source"):
        solve(problem, method=method)


@pytest.mark.parametrize(("factor", "rank"), [(0.9, 2), (1.1, 3)])
def test_singular_values_below_single_precision_are_zero(factor, rank):
    # p·spacing32(s_1) with p = 3, s_1 = 1
    gain = np.zeros((4, 3))
    gain[0, 0], gain[1, 1], gain[3, 2] = 1, 0.5, factor * 3 * 2.0**-23
    problem = Problem(
        types=("EEG",) * 4,
        models=(Model(gain=readonly(gain), normals=readonly(np.ones((1, 3))), orient="free"),),
        noise=Stats(cov=readonly(np.eye(4))),
        data=Stats(cov=readonly(np.eye(4))),
    )
    result = solve(problem, method="gls")
    np.testing.assert_allclose(
        result.source_decomp_sa[:, 0], [1, 0.5, gain[3, 2] if rank == 3 else 0], rtol=100 * 4 * EPS
    )
    assert np.count_nonzero(np.abs(result.kernel).sum(axis=1)) == rank


@pytest.mark.parametrize("n", [1, 2])
@pytest.mark.parametrize("orient", ORIENTS)
def test_fewer_channels_than_components(orient, n):
    problem = make_problem(13, orient, types=("EEG",) * n, n_sources=3)
    result = solve(problem, method="gls", noise_method="none")
    reference = solve_naively(problem, method="gls", noise_method="none")
    assert_same_kernel(result.kernel, reference)
    p = result.n_components
    assert result.source_decomp_sa.shape == (p, 3)
    np.testing.assert_array_equal(result.source_decomp_sa[n:], 0)


def test_rows_are_projections_onto_unit_vectors():
    # K_i = U_a' W: rows of unit norm in whitened units, whatever the gain
    problem = make_problem(14, "free")
    result = solve(problem, method="gls")
    reference = solve_naively(problem, method="gls")
    for location in reference.locations:
        rows = result.kernel[location.rows] @ reference.used.inverse
        rtol = kernel_tolerance(reference)
        np.testing.assert_allclose(rows @ rows.T, np.eye(3), rtol=0, atol=rtol)


def test_own_statistics_of_the_data_covariance():
    rng = np.random.default_rng(15)
    problem = make_problem(15, "fixed", types=("EEG",) * 5)
    other = make_stats(rng, ("EEG",) * 5, shrinkage=0.9)
    data = Stats(cov=problem.data.cov, fourth=other.fourth, n_samples=77.0)
    a = solve(_with(problem, data=data), method="lcmv", noise_method="shrink")
    reference = solve_naively(_with(problem, data=data), method="lcmv", noise_method="shrink")
    assert_same_kernel(a.kernel, reference)
    b = solve(problem, method="lcmv", noise_method="shrink")
    assert np.abs(a.data_whitener / b.data_whitener - 1).max() > 0.01
