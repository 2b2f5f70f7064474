"""Depth weights: the formula, its limits, and where it applies."""

from __future__ import annotations

import numpy as np
import pytest
from inverse_problems import Problem, make_problem, readonly, solve
from inverse_tolerances import EPS

from mne_bstinv.inverse.depth import depth_weights, gain_power


@pytest.mark.parametrize("order", ["C", "F"])
def test_gain_power(order):
    gain = np.array([[1.0, 2, 3, 0, 0, 1], [4, 5, 6, 0, 2, 0]], order=order)
    gain.setflags(write=False)
    np.testing.assert_array_equal(gain_power(gain.T.reshape(2, 3, 2)), [91, 5])


@pytest.mark.parametrize(
    ("power", "exponent", "limit", "expected"),
    [
        ([16, 1], 0.5, 10, [1, 2]),  # a = 4, 1
        ([16, 1], 1.0, 10, [1, 4]),
        ([16, 1], 0.25, 10, [1, np.sqrt(2)]),
        ([1, 16], 0.5, 10, [2, 1]),
        ([16, 1], 0.0, 10, [1, 1]),
        ([1e8, 1], 0.5, 10, [1, 10]),  # a = 1e4, 1: α = 100, limited
        ([1e8, 1], 1.0, 1e5, [1, 1e4]),
        # the limit is of the weight itself, whatever the exponent
        ([1e8, 1], 0.5, 4, [1, 4]),
        ([1e8, 1], 0.25, 4, [1, 4]),
        ([16, 0], 0.5, 10, [1, 10]),  # a location that no channel sees
        ([16, 0], 0.0, 10, [1, 1]),
        ([0, 0], 0.5, 10, [1, 1]),  # a model that no channel sees
        ([3], 0.5, 10, [1]),
    ],
)
def test_weights(power, exponent, limit, expected):
    found = depth_weights(readonly(power), exponent, limit)
    # a power, a division and a root, of numbers that are exact
    np.testing.assert_allclose(found, expected, rtol=10 * EPS)


@pytest.mark.parametrize("scale", [1e-26, 1e30])
@pytest.mark.parametrize("exponent", [0.3, 0.5, 1.0])
def test_weights_do_not_depend_on_units_and_keep_their_limits(exponent, scale):
    power = readonly(10 ** np.random.default_rng(1).uniform(-6, 0, size=50))
    weights = depth_weights(power, exponent, 5.0)
    assert weights.min() == 1
    # the root of a square of the limit
    assert np.abs(weights.max() - 5) <= 4 * EPS * 5
    rtol = 10 * EPS * np.abs(np.log(scale))  # pow of a number of large logarithm
    np.testing.assert_allclose(depth_weights(scale * power, exponent, 5.0), weights, rtol=rtol)
    far_to_near = np.argsort(power)
    assert (np.diff(weights[far_to_near]) <= 0).all()


def _alpha_by_hand(gains, exponent, limit):
    a = np.array([np.linalg.norm(g) ** (2 * exponent) for g in gains])
    return np.sqrt(a.max() / np.maximum(a, a.max() / limit**2))


def test_weights_are_of_the_unwhitened_gain_of_all_types_together():
    problem = make_problem(2, "free")
    (model,) = problem.models
    expected = _alpha_by_hand([model.block(i) for i in range(6)], 0.5, 10.0)
    assert expected.max() > 2
    np.testing.assert_allclose(solve(problem).alpha, expected, rtol=100 * EPS)
    # another noise covariance does not change them
    other = Problem(
        types=problem.types, models=problem.models, noise=problem.data, data=problem.data
    )
    np.testing.assert_array_equal(solve(other).alpha, solve(problem).alpha)


def test_weights_are_computed_inside_each_head_model():
    problem = make_problem(3, ("free", "fixed"), n_sources=5)
    expected = [_alpha_by_hand([m.block(i) for i in range(5)], 0.8, 3.0) for m in problem.models]
    assert all(alpha.min() == 1 for alpha in expected)
    found = solve(problem, weight_exp=0.8, weight_limit=3.0).alpha
    np.testing.assert_allclose(found, np.concatenate(expected), rtol=100 * EPS)


@pytest.mark.parametrize(
    ("options", "weighted"),
    [
        ({"measure": "amplitude"}, True),
        ({"measure": "dspm2018"}, True),
        ({"measure": "sloreta"}, False),
        ({"use_depth": False}, False),
        ({"method": "gls"}, False),
        ({"method": "lcmv"}, False),
    ],
)
@pytest.mark.parametrize("orient", ["fixed", "loose", "free"])
def test_where_depth_weighting_is_on(orient, options, weighted):
    alpha = solve(make_problem(4, orient), **options).alpha
    assert (alpha.max() > 1.5) is np.bool_(weighted)
    if not weighted:
        np.testing.assert_array_equal(alpha, np.ones(6))
