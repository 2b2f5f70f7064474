"""Normals and local frames."""

from __future__ import annotations

import re

import numpy as np
import pytest
from inverse_problems import Model, Problem, make_problem, readonly, solve, solve_naively
from inverse_tolerances import EPS

from mne_bstinv.errors import InverseError
from mne_bstinv.inverse.orientation import local_frames, unit_normals


def test_normals_are_normalised():
    normals = unit_normals(readonly([[3, 0, 4], [0, -2, 0], [0, 0, 1e-9]]), 3)
    expected = [[0.6, 0, 0.8], [0, -1, 0], [0, 0, 1]]
    np.testing.assert_allclose(normals, expected, rtol=4 * EPS)


@pytest.mark.parametrize("value", [0.0, np.nan, np.inf])
def test_normals_without_direction_are_named(value):
    normals = np.ones((14, 3))
    normals[[1, 4]] = value
    message = (
        "GridOrient is zero or not finite at 2 of 14 locations (1-based: 2, 5): fixed and loose "
        "orientations need normals. Mend them, or choose free orientations."
    )
    with pytest.raises(InverseError, match=f"^{re.escape(message)}$"):
        unit_normals(readonly(normals), 14)


def test_one_component_that_is_not_a_number_is_enough():
    with pytest.raises(InverseError, match=r"at 1 of 1 locations \(1-based: 1\)"):
        unit_normals(readonly([[1, np.nan, 0]]), 1)


def test_only_ten_locations_are_listed():
    shown = "12 of 12 locations (1-based: 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 2 more)"
    with pytest.raises(InverseError, match=re.escape(shown)):
        unit_normals(readonly(np.zeros((12, 3))), 12)


@pytest.mark.parametrize("orient", ["fixed", "loose"])
@pytest.mark.parametrize("normals", [None, np.zeros((0, 0)), []])
def test_normals_are_needed(normals, orient):
    (model,) = make_problem(1).models
    bad = Model(gain=model.gain, normals=normals, orient=orient)
    problem = make_problem(1)
    problem = Problem(types=problem.types, models=(bad,), noise=problem.noise, data=problem.data)
    with pytest.raises(InverseError, match="GridOrient is empty: fixed and loose orientations"):
        solve(problem)


@pytest.mark.parametrize("shape", [(5, 3), (6, 2), (3, 6)])
def test_normals_of_another_shape(shape):
    with pytest.raises(
        InverseError, match=re.escape(f"GridOrient has shape {shape}, expected (6, 3).")
    ):
        unit_normals(readonly(np.ones(shape)), 6)


@pytest.mark.parametrize("normals", [None, np.zeros((6, 3)), np.full((6, 3), np.nan)])
def test_free_takes_no_notice_of_normals(normals):
    problem = make_problem(2, "free")
    (model,) = problem.models
    other = Model(gain=model.gain, normals=normals, orient="free")
    without = Problem(types=problem.types, models=(other,), noise=problem.noise, data=problem.data)
    np.testing.assert_array_equal(solve(without).kernel, solve(problem).kernel)


AXES = np.concatenate([np.eye(3), -np.eye(3)])
NEAR = [[1e-9, 0, -1], [0, -1e-9, 1], [1, 0, 1e-17], [1, 0, -1e-17], [0, 1, -0.0]]


@pytest.mark.parametrize("loose", [0.01, 0.2, 0.9])
def test_frames_are_orthonormal_around_the_normal(loose):
    rng = np.random.default_rng(3)
    normals = np.concatenate([AXES, NEAR, rng.normal(size=(20, 3))])
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    frames = local_frames(readonly(normals), loose)
    np.testing.assert_array_equal(frames[:, :, 0], normals)
    gram = frames.transpose(0, 2, 1) @ frames
    # three products of numbers of at most one, each made of three more
    expected = np.broadcast_to(np.diag([1, loose**2, loose**2]), gram.shape)
    np.testing.assert_allclose(gram, expected, rtol=20 * EPS, atol=20 * EPS)
    # tangents are scaled in amplitude: their length is the loose value, not its root
    lengths = np.linalg.norm(frames[:, :, 1:], axis=1)
    np.testing.assert_allclose(lengths, loose, rtol=20 * EPS)


@pytest.mark.parametrize("measure", ["amplitude", "dspm2018", "sloreta"])
@pytest.mark.parametrize("orient", ["fixed", "loose"])
def test_length_of_the_normals_does_not_matter(orient, measure):
    problem = make_problem(4, orient)
    (model,) = problem.models
    # by powers of two, which leave no rounding
    longer = Model(
        gain=model.gain,
        normals=readonly(model.normals * 2.0 ** np.arange(-3, 3)[:, None]),
        orient=orient,
    )
    scaled = Problem(types=problem.types, models=(longer,), noise=problem.noise, data=problem.data)
    np.testing.assert_array_equal(
        solve(scaled, measure=measure).kernel, solve(problem, measure=measure).kernel
    )


def test_loose_is_of_amplitudes():
    # the prior variance of a location: tr(Q_i Q_i') = α²(1 + 2ℓ²), seen in tr(L L')
    problem = make_problem(5, "loose")
    for loose in (0.2, 0.5):
        lead = [x.lead for x in solve_naively(problem, loose=loose, use_depth=False).locations]
        s2 = solve(problem, loose=loose, use_depth=False).s2
        expected = sum(np.linalg.norm(block) ** 2 for block in lead)
        # tr(L L') has the condition number of a sum of squares, κ_C of its whitener
        np.testing.assert_allclose(s2.sum(), expected, rtol=100 * 18 * EPS * 5)


def test_loose_without_a_value():
    with pytest.raises(
        InverseError, match="Orientation 'loose' needs a Loose value between 0 and 1, found none"
    ):
        solve(make_problem(6, "loose"), loose=None)


@pytest.mark.parametrize("orient", ["fixed", "free"])
def test_other_orientations_need_no_loose_value(orient):
    problem = make_problem(7, orient)
    np.testing.assert_array_equal(
        solve(problem, loose=None).kernel, solve(problem, loose=0.7).kernel
    )
