"""Minimum norm kernels against the textbook, and where they have no textbook."""

from __future__ import annotations

import numpy as np
import pytest
from inverse_problems import (
    MIXED_TYPES,
    SOURCE,
    Model,
    Problem,
    Stats,
    assert_same_kernel,
    assert_same_rows,
    make_problem,
    readonly,
    solve,
    solve_naively,
)
from inverse_tolerances import kernel_tolerance

from mne_bstinv.errors import InverseError
from mne_bstinv.inverse.source_model import CHUNK

MEASURES = ("amplitude", "dspm2018", "sloreta")
ORIENTS = ("fixed", "loose", "free")
NOISE_METHODS = ("none", "reg", "median", "diag", "shrink")
SNR = ({"snr_method": "fixed", "snr_fixed": 2.0}, {"snr_method": "rms", "snr_rms": 0.5 * SOURCE})
DEPTH = ({"use_depth": False}, {"weight_exp": 0.7, "weight_limit": 4.0})


@pytest.mark.parametrize("depth", DEPTH, ids=["flat", "depth"])
@pytest.mark.parametrize("snr", SNR, ids=["snr", "rms"])
@pytest.mark.parametrize("noise_method", NOISE_METHODS)
@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("orient", ORIENTS)
def test_textbook(orient, measure, noise_method, snr, depth):
    problem = make_problem(1, orient)
    options = {"measure": measure, "noise_method": noise_method, "loose": 0.3, **snr, **depth}
    result, reference = solve(problem, **options), solve_naively(problem, **options)
    assert_same_kernel(result.kernel, reference)
    rtol = kernel_tolerance(reference)
    np.testing.assert_allclose(result.lambda_, reference.lambda_, rtol=rtol)
    np.testing.assert_allclose(result.s2, reference.s2, rtol=0, atol=rtol * reference.s2[0])
    np.testing.assert_allclose(result.alpha, reference.alpha, rtol=rtol)
    assert result.ranks == reference.noise.ranks


@pytest.mark.parametrize("noise_method", NOISE_METHODS)
@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("orient", ORIENTS)
def test_textbook_where_the_covariance_has_nulls(orient, measure, noise_method):
    problem = make_problem(2, orient, nulls=1)
    options = {"measure": measure, "noise_method": noise_method}
    result, reference = solve(problem, **options), solve_naively(problem, **options)
    assert_same_kernel(result.kernel, reference)
    if noise_method in ("none", "reg", "median"):
        assert result.ranks == {"MEG GRAD": 4, "MEG MAG": 2, "EEG": 5}


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("orients", [("fixed", "loose", "free"), ("free", "fixed")])
def test_several_head_models_share_lambda(orients, measure):
    problem = make_problem(3, orients, n_sources=3)
    result, reference = solve(problem, measure=measure), solve_naively(problem, measure=measure)
    assert_same_kernel(result.kernel, reference)
    np.testing.assert_allclose(result.lambda_, reference.lambda_, rtol=kernel_tolerance(reference))


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("orient", ORIENTS)
def test_more_locations_than_a_piece(orient, measure):
    # pieces meet where the weighted rows are written and where they are replaced; with sixteen
    # channels, the three columns of no location are near a plane
    problem = make_problem(4, orient, types=("EEG",) * 16, n_sources=CHUNK + 3)
    options = {"measure": measure, "loose": 0.6}
    result, reference = solve(problem, **options), solve_naively(problem, **options)
    assert_same_kernel(result.kernel, reference)


@pytest.mark.parametrize("use_depth", [False, True])
@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("orient", ORIENTS)
def test_order_of_the_gain_in_memory_does_not_matter(orient, measure, use_depth):
    """Sums run in another order then: equal to rounding, not to the last bit."""
    problem = make_problem(5, orient)
    options = {"measure": measure, "use_depth": use_depth}
    reference = solve_naively(problem, **options)
    for order in ("C", "F"):
        gain = np.array(problem.models[0].gain, order=order)
        gain.setflags(write=False)
        assert gain.flags[f"{order}_CONTIGUOUS"]
        model = Model(gain=gain, normals=problem.models[0].normals, orient=orient)
        ordered = Problem(
            types=problem.types, models=(model,), noise=problem.noise, data=problem.data
        )
        assert_same_kernel(solve(ordered, **options).kernel, reference)


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("orient", ORIENTS)
def test_integers_and_single_precision_are_taken_as_numbers(orient, measure):
    rng = np.random.default_rng(6)
    gain = rng.integers(-9, 10, size=(4, 15))
    normals = rng.integers(1, 5, size=(5, 3))
    cov = np.array([[4, 1, 0, 0], [1, 3, 1, 0], [0, 1, 5, 1], [0, 0, 1, 2]])
    kernels = []
    for dtype in (np.int16, np.float32, np.float64):
        problem = Problem(
            types=("EEG",) * 4,
            models=(Model(gain=gain.astype(dtype), normals=normals.astype(dtype), orient=orient),),
            noise=Stats(cov=cov.astype(dtype)),
            data=Stats(cov=cov.astype(dtype)),
        )
        kernels.append(solve(problem, measure=measure).kernel)
    np.testing.assert_array_equal(kernels[0], kernels[2])
    np.testing.assert_array_equal(kernels[1], kernels[2])
    assert kernels[0].dtype == np.float64


def _with_dark_location(problem: Problem, dark: int) -> Problem:
    (model,) = problem.models
    gain = np.array(model.gain)
    gain[:, 3 * dark : 3 * dark + 3] = 0
    model = Model(gain=readonly(gain), normals=model.normals, orient=model.orient)
    return Problem(types=problem.types, models=(model,), noise=problem.noise, data=problem.data)


@pytest.mark.parametrize(
    ("measure", "orient", "expected"),
    [
        ("amplitude", "fixed", 0.0),
        ("amplitude", "loose", 0.0),
        ("amplitude", "free", 0.0),
        ("dspm2018", "fixed", np.nan),
        ("dspm2018", "loose", np.nan),
        ("dspm2018", "free", np.nan),
        ("sloreta", "fixed", np.nan),
        ("sloreta", "loose", 0.0),
        ("sloreta", "free", 0.0),
    ],
)
def test_location_that_no_channel_sees(measure, orient, expected):
    dark = 2
    problem = _with_dark_location(make_problem(7, orient, n_sources=5), dark)
    result = solve(problem, measure=measure)
    p = result.n_components
    rows = result.kernel.reshape(5, p, -1)
    np.testing.assert_array_equal(rows[dark], np.full_like(rows[dark], expected))
    others = np.delete(rows, dark, axis=0)
    assert np.isfinite(others).all()
    # the others are what they are without it: it adds nothing to L L'
    (model,) = problem.models
    columns = np.delete(np.arange(15), np.arange(3 * dark, 3 * dark + 3))
    without = Model(
        gain=model.gain[:, columns], normals=np.delete(model.normals, dark, 0), orient=orient
    )
    smaller = Problem(
        types=problem.types, models=(without,), noise=problem.noise, data=problem.data
    )
    reference = solve_naively(smaller, measure=measure)
    assert_same_kernel(others.reshape(4 * p, -1), reference)


@pytest.mark.parametrize("snr_method", ["fixed", "rms"])
@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("orient", ORIENTS)
def test_gain_that_is_all_zero(orient, measure, snr_method):
    (model,) = make_problem(8, orient).models
    problem = make_problem(8, orient)
    dark = Model(gain=readonly(np.zeros_like(model.gain)), normals=model.normals, orient=orient)
    problem = Problem(types=problem.types, models=(dark,), noise=problem.noise, data=problem.data)
    with pytest.raises(InverseError, match="lead field is zero: no channel sees any source"):
        solve(problem, measure=measure, snr_method=snr_method)


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("orient", ORIENTS)
def test_one_channel(orient, measure):
    problem = make_problem(9, orient, types=("EEG",), n_sources=4)
    options = {"measure": measure, "noise_method": "none"}
    result = solve(problem, **options)
    assert result.kernel.shape == (4 if orient == "fixed" else 12, 1)
    assert result.noise_method == "diag"  # one number is a diagonal matrix
    reference = solve_naively(problem, **options)
    if measure == "sloreta" and orient != "fixed":
        # R_i = k l' has rank one: K_i = v/√(k'l) is its direction over the root of its size
        for location, k in zip(reference.locations, reference.whitened, strict=True):
            expected = k[:, 0] / np.sqrt(location.lead[0] @ k[:, 0]) * result.whitener[0, 0]
            found = result.kernel[location.rows, 0]
            # one channel: the only condition number is that of the sum of three products, 1
            rtol = 100 * 12 * np.finfo(float).eps
            if orient == "free":
                np.testing.assert_allclose(found, expected, rtol=rtol * 12)
            np.testing.assert_allclose(found @ found, expected @ expected, rtol=rtol * 12)
    else:
        assert_same_kernel(result.kernel, reference)


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("orient", ORIENTS)
def test_one_location(orient, measure):
    problem = make_problem(10, orient, types=MIXED_TYPES[:6], n_sources=1)
    result, reference = solve(problem, measure=measure), solve_naively(problem, measure=measure)
    assert_same_kernel(result.kernel, reference)
    assert result.alpha.tolist() == [1.0]


@pytest.mark.parametrize("direction", [0, 1, 2])
def test_sloreta_leaves_out_directions_without_resolution(direction):
    problem = make_problem(11, "free", n_sources=4)
    (model,) = problem.models
    gain = np.array(model.gain)
    gain[:, 3 + direction] = 0  # at the second location, one direction is silent
    silent = Model(gain=readonly(gain), normals=model.normals, orient="free")
    problem = Problem(types=problem.types, models=(silent,), noise=problem.noise, data=problem.data)
    kernel = solve(problem, measure="sloreta").kernel
    assert np.isfinite(kernel).all()
    reference = solve_naively(problem, measure="sloreta")
    rows = reference.locations[1].rows
    others = [d for d in range(3) if d != direction]
    # what is left is the problem of two components there: R_i of full rank 2
    k, lead = reference.whitened[1][others], reference.locations[1].lead[:, others]
    resolution = k @ lead
    condition = np.linalg.norm(k) * np.linalg.norm(lead) / np.linalg.norm(resolution, -2)
    amplitude = solve_naively(problem, use_depth=False)
    rtol = 2 * kernel_tolerance(amplitude) * condition
    difference = kernel[rows] - reference.kernel[rows]
    scale = np.linalg.norm(reference.kernel[rows] @ reference.used.inverse)
    assert np.linalg.norm(difference @ reference.used.inverse) <= rtol * scale
    assert np.linalg.norm(kernel[rows][direction] @ reference.used.inverse) <= rtol * scale


def test_sloreta_keeps_resolution_above_single_precision():
    # R_i = diag(r): what is above 3·spacing32(r_1) counts, what is below does not
    def weakest(ratio):
        # one location, three channels, W = 1/std·I: L diagonal, K_w,i L_i = Λs²/(Λs² + 1)
        gain = np.diag([1.0, 1.0, np.sqrt(ratio)])
        problem = Problem(
            types=("EEG",) * 3,
            models=(Model(gain=readonly(gain), normals=readonly(np.ones((1, 3))), orient="free"),),
            noise=Stats(cov=readonly(np.eye(3))),
            data=Stats(cov=readonly(np.eye(3))),
        )
        return solve(problem, measure="sloreta", snr_method="rms", snr_rms=1.0).kernel[2, 2]

    # R = diag(½, ½, ratio / (1 + ratio)); spacing32(½) = 2^-24
    threshold = 3 * 2.0**-24
    assert weakest(0.9 * threshold) == 0
    kept = weakest(1.1 * threshold)
    # Λ s / (Λs² + 1) / √R with s² = r: 1/√(1 + r)
    np.testing.assert_allclose(
        kept, 1 / np.sqrt(1 + 1.1 * threshold), rtol=100 * 3 * np.finfo(float).eps / threshold
    )


def test_dspm_is_pooled_over_the_components_of_a_location():
    problem = make_problem(12, "free")
    result = solve(problem, measure="dspm2018")
    reference = solve_naively(problem, measure="dspm2018")
    rows = [result.kernel[x.rows] @ reference.used.inverse for x in reference.locations]
    rtol = 2 * kernel_tolerance(reference)
    np.testing.assert_allclose([np.linalg.norm(r) for r in rows], 1, rtol=rtol)
    # one value for three rows: no single row is standardised
    assert all(np.linalg.norm(r, axis=1).max() < 0.99 for r in rows)


def test_rows_of_amplitude_do_not_depend_on_the_tangents():
    # of a loose location; the frame turns with the sign of z: both sides of it
    problem = make_problem(13, "loose", n_sources=8)
    (model,) = problem.models
    normals = np.array(model.normals)
    normals[:4] = [[0, 0, 1], [0, 0, -1], [1, 0, 1e-9], [1, 0, -1e-9]]
    problem = Problem(
        types=problem.types,
        models=(Model(gain=model.gain, normals=readonly(normals), orient="loose"),),
        noise=problem.noise,
        data=problem.data,
    )
    result, reference = solve(problem), solve_naively(problem)
    assert_same_kernel(result.kernel, reference)


def test_loose_of_almost_one_is_almost_free():
    problem = make_problem(14, "loose")
    free = Problem(
        types=problem.types,
        models=tuple(Model(gain=m.gain, normals=m.normals, orient="free") for m in problem.models),
        noise=problem.noise,
        data=problem.data,
    )
    near = solve(problem, loose=1 - 1e-12).kernel
    reference = solve_naively(free)
    # Q Q' is within 2e-12 of I: K and, through κ_M, M(Q) follow within that times κ_M
    moved = 2e-12 * (1 + reference.lambda_ * reference.s2.sum())
    assert_same_rows(
        near, solve(free).kernel, reference, rtol=2 * kernel_tolerance(reference) + 10 * moved
    )
