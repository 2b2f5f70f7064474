"""What must hold for any input: symmetries, units, and the identities that define each measure.

Inputs are drawn as seeds: every problem has the condition numbers that
:mod:`inverse_problems` gives it, so that the tolerances of :mod:`inverse_tolerances` hold.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from inverse_problems import (
    MIXED_TYPES,
    Model,
    Problem,
    Stats,
    assert_same_kernel,
    assert_same_rows,
    make_problem,
    orthogonal,
    readonly,
    solve,
    solve_naively,
)
from inverse_tolerances import EPS, kernel_tolerance, whitener_tolerance
from naive import naive_whitener

from mne_bstinv.inverse.depth import depth_weights
from mne_bstinv.inverse.whitening import CovarianceStatistics, compute_whitener

MEASURES = (
    {"measure": "amplitude"},
    {"measure": "dspm2018"},
    {"measure": "sloreta"},
    {"method": "gls"},
    {"method": "lcmv"},
)
NOISE_METHODS = ("none", "reg", "median", "diag", "shrink")
ORIENTS = ("fixed", "loose", "free")

#: All of these were tried: none makes a problem that is too badly conditioned for a test.
seeds = st.integers(min_value=0, max_value=299)
few = settings(max_examples=8, derandomize=True, database=None, deadline=None)

each_measure = pytest.mark.parametrize("options", MEASURES, ids=lambda o: "-".join(o.values()))
each_orient = pytest.mark.parametrize("orient", ORIENTS)
#: Enough channels that the three columns of a location are never near a plane.
TYPES = ("MEG GRAD", "EEG", "EEG", "MEG GRAD") * 4


def _problem(seed, orient, **kwargs):
    return make_problem(seed, orient, types=TYPES, n_sources=5, **kwargs)


def _changed(problem, *, types=None, gain=None, normals=None, noise=None, data=None):
    (model,) = problem.models
    return Problem(
        types=problem.types if types is None else tuple(types),
        models=(
            Model(
                gain=model.gain if gain is None else readonly(gain),
                normals=model.normals if normals is None else readonly(normals),
                orient=model.orient,
            ),
        ),
        noise=problem.noise if noise is None else noise,
        data=problem.data if data is None else data,
    )


def _map_stats(stats, cov, fourth):
    return Stats(
        cov=readonly(cov(stats.cov)),
        fourth=readonly(fourth(stats.fourth)),
        n_samples=stats.n_samples,
    )


def _assert_same(kernel, expected, reference):
    """Compare what is unique of the output, the expectation being a kernel of the package."""
    unwhiten, rtol = reference.used.inverse, 2 * kernel_tolerance(reference)
    scan = reference.method != "minnorm"
    for location in reference.locations:
        a, b = kernel[location.rows] @ unwhiten, expected[location.rows] @ unwhiten
        if scan or (location.orient == "loose" and reference.measure != "amplitude"):
            a, b = a.T @ a, b.T @ b
        assert np.linalg.norm(a - b) <= 2 * rtol * np.linalg.norm(b)


# symmetries


@each_orient
@each_measure
@given(seed=seeds)
@few
def test_permuted_channels(orient, options, seed):
    problem = _problem(seed, orient)
    order = np.random.default_rng(seed).permutation(len(TYPES))
    block = np.ix_(order, order)
    permuted = _changed(
        problem,
        types=[TYPES[i] for i in order],
        gain=problem.models[0].gain[order],
        noise=_map_stats(problem.noise, lambda c: c[block], lambda f: f[block]),
        data=_map_stats(problem.data, lambda c: c[block], lambda f: f[block]),
    )
    one, other = solve(problem, **options), solve(permuted, **options)
    back = np.argsort(order)
    reference = solve_naively(problem, **options)
    _assert_same(other.kernel[:, back], one.kernel, reference)
    error = (other.whitener[np.ix_(back, back)] - one.whitener) @ reference.noise.inverse
    assert np.linalg.norm(error, 2) <= whitener_tolerance(8, reference.noise.condition)


@each_orient
@each_measure
@given(seed=seeds)
@few
def test_permuted_locations(orient, options, seed):
    problem = _problem(seed, orient)
    order = np.random.default_rng(seed).permutation(5)
    (model,) = problem.models
    permuted = _changed(
        problem,
        gain=np.hstack([model.block(i) for i in order]),
        normals=model.normals[order],
    )
    one, other = solve(problem, **options), solve(permuted, **options)
    p = one.n_components
    reference = solve_naively(permuted, **options)
    expected = one.kernel.reshape(5, p, -1)[order].reshape(5 * p, -1)
    _assert_same(other.kernel, expected, reference)
    np.testing.assert_array_equal(other.alpha, one.alpha[order])


@each_orient
@each_measure
@given(seed=seeds)
@few
def test_rotated_head(orient, options, seed):
    problem = _problem(seed, orient)
    (model,) = problem.models
    rotation = orthogonal(np.random.default_rng(seed), 3)
    rotated = _changed(
        problem,
        gain=np.hstack([model.block(i) @ rotation.T for i in range(5)]),
        normals=model.normals @ rotation.T,
    )
    one, other = solve(problem, **options), solve(rotated, **options)
    reference = solve_naively(problem, **options)
    expected = one.kernel
    xyz = orient == "free" or (orient == "loose" and options.get("measure") == "amplitude")
    if xyz and "measure" in options:
        expected = np.vstack(
            [rotation @ expected[location.rows] for location in reference.locations]
        )
    _assert_same(other.kernel, expected, reference)
    # sums of squares of three numbers that were turned
    np.testing.assert_allclose(other.alpha, one.alpha, rtol=100 * len(TYPES) * EPS)


@each_orient
@each_measure
@given(seed=seeds)
@few
def test_flipped_normals(orient, options, seed):
    problem = _problem(seed, orient)
    flipped = _changed(problem, normals=-problem.models[0].normals)
    one, other = solve(problem, **options), solve(flipped, **options)
    reference = solve_naively(problem, **options)
    sign = -1 if orient == "fixed" and "measure" in options else 1
    _assert_same(other.kernel, sign * one.kernel, reference)


# units


@pytest.mark.parametrize("noise_method", NOISE_METHODS)
@pytest.mark.parametrize("orient", ["fixed", "loose"])
@each_measure
@given(seed=seeds, exponent=st.integers(min_value=-40, max_value=40))
@few
def test_unit_of_the_data(options, orient, noise_method, seed, exponent):
    # by powers of two, which leave no rounding: everything scales exactly but for LAPACK's own
    u = 2.0**exponent
    problem = _problem(seed, orient)
    scaled = _changed(
        problem,
        gain=problem.models[0].gain * u,
        noise=_map_stats(problem.noise, lambda c: c * u**2, lambda f: f * u**4),
        data=_map_stats(problem.data, lambda c: c * u**2, lambda f: f * u**4),
    )
    options = options | {"noise_method": noise_method}
    one, other = solve(problem, **options), solve(scaled, **options)
    reference = solve_naively(problem, **options)
    _assert_same(other.kernel * u, one.kernel, reference)
    np.testing.assert_array_equal(other.alpha, one.alpha)
    if one.lambda_ is not None:
        rtol = kernel_tolerance(reference)
        np.testing.assert_allclose(other.lambda_, one.lambda_, rtol=rtol)
        np.testing.assert_allclose(other.s2, one.s2, rtol=0, atol=rtol * one.s2[0])


@pytest.mark.parametrize("snr_method", ["fixed", "rms"])
@each_orient
@each_measure
@given(seed=seeds, exponent=st.integers(min_value=-30, max_value=30))
@few
def test_unit_of_the_sources(options, orient, snr_method, seed, exponent):
    g = 2.0**exponent
    problem = _problem(seed, orient)
    scaled = _changed(problem, gain=problem.models[0].gain * g)
    given_rms = options | {"snr_method": snr_method, "snr_rms": 1e-8}
    one = solve(problem, **given_rms)
    other = solve(scaled, **(given_rms | {"snr_rms": 1e-8 / g}))
    reference = solve_naively(problem, **given_rms)
    in_amperes = options.get("measure") in ("amplitude", "sloreta")
    _assert_same(other.kernel * (g if in_amperes else 1), one.kernel, reference)
    np.testing.assert_array_equal(other.alpha, one.alpha)


@given(seed=seeds, exponent=st.floats(0, 1), limit=st.floats(1, 100), scale=st.floats(1e-30, 1e30))
@few
def test_depth_weights(seed, exponent, limit, scale):
    power = 10 ** np.random.default_rng(seed).uniform(-8, 0, size=20)
    weights = depth_weights(readonly(power), exponent, limit)
    assert weights.min() == 1
    assert weights.max() <= limit * (1 + 4 * EPS)  # the root of a square
    # pow has the rounding of its argument, times the exponent, times few
    again = depth_weights(readonly(power * scale), exponent, limit)
    np.testing.assert_allclose(again, weights, rtol=20 * EPS)


# identities of the whitener


@pytest.mark.parametrize("noise_method", NOISE_METHODS)
@given(seed=seeds, nulls=st.integers(min_value=0, max_value=2))
@few
def test_whitener(noise_method, seed, nulls):
    problem = make_problem(seed, types=MIXED_TYPES, nulls=nulls)
    cov = problem.noise.cov
    stats = CovarianceStatistics(cov=cov, fourth_moment=problem.noise.fourth, n_samples=200.0)
    found = compute_whitener(stats, MIXED_TYPES, noise_method)
    reference = naive_whitener(problem.noise, MIXED_TYPES, noise_method, 0.1)
    tolerance = whitener_tolerance(len(cov), reference.condition)
    w, same = found.whitener, np.equal.outer(np.array(MIXED_TYPES), np.array(MIXED_TYPES))
    assert not w[~same].any()
    assert np.linalg.norm((w - w.T) @ reference.inverse, 2) <= tolerance
    # what W stands for becomes the identity on what is kept (for reg, without its nulls)
    white = w @ found.regularized_cov @ w.T
    np.testing.assert_allclose(white, reference.kept, rtol=0, atol=tolerance)
    if noise_method == "none":
        within = np.where(same, cov, 0)
        np.testing.assert_allclose(w @ within @ w.T, reference.kept, rtol=0, atol=tolerance)
    assert found.rank == round(np.trace(reference.kept))


# identities of the measures


def _regularized(problem, options):
    """Give the covariance that the whitener stands for, of the kept subspace only."""
    reference = solve_naively(problem, **options)
    kept, inverse = reference.used.kept, reference.used.inverse
    return kept @ inverse @ inverse @ kept, reference


@pytest.mark.parametrize("noise_method", NOISE_METHODS)
@each_orient
@given(seed=seeds, nulls=st.integers(min_value=0, max_value=1))
@few
def test_dspm_has_unit_noise(orient, noise_method, seed, nulls):
    problem = _problem(seed, orient, nulls=nulls)
    options = {"measure": "dspm2018", "noise_method": noise_method}
    cov, reference = _regularized(problem, options)
    kernel = solve(problem, **options).kernel
    for location in reference.locations:
        rows = kernel[location.rows]
        variance = np.trace(rows @ cov @ rows.T)  # of one sample of noise, over the components
        assert abs(variance - 1) <= 2 * kernel_tolerance(reference)


@pytest.mark.parametrize("noise_method", ["none", "reg", "median"])
@each_orient
@given(seed=seeds)
@few
def test_sloreta_is_standardised_by_the_variance_of_the_data(orient, noise_method, seed):
    # data variance C + Λ Σ g_i Q_i Q_i' g_i': the estimate of each component has the variance Λ
    problem = _problem(seed, orient)
    options = {"measure": "sloreta", "noise_method": noise_method}
    cov, reference = _regularized(problem, options)
    result = solve(problem, **options)
    for x in reference.locations:
        cov = cov + result.lambda_ * x.gain @ x.q @ x.q.T @ x.gain.T
    for location in reference.locations:
        rows = result.kernel[location.rows]
        found = rows @ cov @ rows.T / result.lambda_
        # K Σ K' in whitened units: |K|²·κ_M at most, over Λ; the identity is what it becomes
        size = np.linalg.norm(rows @ reference.used.inverse) ** 2 / result.lambda_
        bound = kernel_tolerance(reference) * max(1.0, size)
        bound *= 1 + result.lambda_ * result.s2.sum()
        np.testing.assert_allclose(found, np.eye(len(rows)), rtol=0, atol=2 * bound)


@given(seed=seeds)
@few
def test_sloreta_finds_a_lone_source(seed):
    # R is positive semidefinite: |R_ij| ≤ √(R_ii R_jj), hence the standardised estimate R_ij/√R_ii
    # of a source at j without noise is largest at j
    problem = _problem(seed, "fixed")
    kernel = solve(problem, measure="sloreta").kernel
    (model,) = problem.models
    normals = model.normals / np.linalg.norm(model.normals, axis=1, keepdims=True)
    leads = np.column_stack([model.block(i) @ normals[i] for i in range(5)])
    estimate = kernel @ leads
    for source in range(5):
        assert np.argmax(np.abs(estimate[:, source])) == source
        assert estimate[source, source] > 0


@pytest.mark.parametrize("use_depth", [False, True])
@pytest.mark.parametrize("measure", ["amplitude", "sloreta"])
@each_orient
@given(seed=seeds)
@few
def test_trace_of_the_resolution(orient, measure, use_depth, seed):
    # Σ_i tr(K_w,i L_i) = Σ Λs²/(Λs² + 1), from kernel, gain, Λ and s² alone
    problem = _problem(seed, orient)
    options = {"measure": measure, "use_depth": use_depth}
    result = solve(problem, **options)
    reference = solve_naively(problem, **options)
    expected = (result.lambda_ * result.s2 / (result.lambda_ * result.s2 + 1)).sum()
    rtol = 2 * kernel_tolerance(reference)
    total, slack = 0.0, float(len(TYPES))  # each of the n terms expected is at most one
    for location in reference.locations:
        rows = result.kernel[location.rows]
        columns = location.gain
        if measure == "sloreta" or orient == "fixed":
            columns = columns @ location.q / location.alpha
        size = np.linalg.norm(rows @ reference.used.inverse)
        size *= np.linalg.norm(reference.used.matrix @ columns)
        if measure == "sloreta":  # K_i L_i = R_i^(1/2) up to the choice of the tangents
            total += np.linalg.norm(rows @ columns) ** 2
            slack += 2 * size**2
        else:  # tr(Q_i K_w,i W g_i) = tr(K_w,i W g_i Q_i)
            total += np.trace(rows @ columns)
            slack += size
    assert abs(total - expected) <= rtol * slack


@given(seed=seeds)
@few
def test_resolution_of_a_free_location_is_symmetric_and_positive(seed):
    problem = _problem(seed, "free")
    kernel = solve(problem, measure="sloreta").kernel
    reference = solve_naively(problem, measure="sloreta")
    for location in reference.locations:
        rows = kernel[location.rows]
        root = rows @ location.gain
        bound = (
            2
            * kernel_tolerance(reference)
            * np.linalg.norm(rows @ reference.used.inverse)
            * np.linalg.norm(location.lead)
        )
        assert np.abs(root - root.T).max() <= bound
        assert np.linalg.eigvalsh(root + root.T).min() >= -bound


@pytest.mark.parametrize("measure", ["amplitude", "dspm2018", "sloreta"])
@given(seed=seeds)
@few
def test_one_head_model_or_its_parts(measure, seed):
    # without depth weights, which are of each part, the parts are the whole: Λ is common
    problem = _problem(seed, "loose")
    (model,) = problem.models
    parts = tuple(
        Model(gain=model.gain[:, 3 * a : 3 * b], normals=model.normals[a:b], orient="loose")
        for a, b in ((0, 2), (2, 5))
    )
    split = Problem(types=problem.types, models=parts, noise=problem.noise, data=problem.data)
    options = {"measure": measure, "use_depth": False}
    reference = solve_naively(problem, **options)
    whole, result = solve(problem, **options), solve(split, **options)
    # the tangents are of each normal: the rows themselves agree
    assert_same_rows(result.kernel, whole.kernel, reference)
    assert_same_kernel(result.kernel, reference)


@each_orient
@given(seed=seeds, rms=st.sampled_from([1e-13, 1e-12]))
@few
def test_amplitude_is_linear_in_the_prior_where_noise_dominates(orient, seed, rms):
    # Λ → 0: K → Λ Q Q' G' W², the scaled adjoint; the next term is ΛS² smaller
    problem = _problem(seed, orient)
    result = solve(problem, snr_method="rms", snr_rms=rms)
    reference = solve_naively(problem, snr_method="rms", snr_rms=rms)
    w = reference.used.matrix
    small = rms**2 * result.s2[0]
    for location in reference.locations:
        q = location.q if orient != "fixed" else np.array([[location.alpha]])
        expected = rms**2 * q @ location.lead.T @ w
        error = (result.kernel[location.rows] - expected) @ reference.used.inverse
        size = np.linalg.norm(expected @ reference.used.inverse)
        condition = np.linalg.cond(location.q)
        assert np.linalg.norm(error) <= (kernel_tolerance(reference) + condition * small) * size
