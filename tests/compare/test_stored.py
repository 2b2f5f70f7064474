"""The rule for each output, and what is said of a difference."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from inverse_problems import make_problem, solve

from mne_bstinv.compare import Agreement, compare_rows, compare_with_stored
from mne_bstinv.inverse import bst_inverse_linear, bst_wmne

N, M = 8, 5
EPS = np.finfo(float).eps
RULES = ("equal", "equal up to sign", "equal invariants")


def _compute(orients="fixed", *, dark=None, **options):
    """Compute a kernel of five locations a head model; one of them no channel may see."""
    rng = np.random.default_rng(1)
    orients = [orients] if isinstance(orients, str) else list(orients)
    models = []
    for _ in orients:
        gain = rng.normal(size=(N, 3 * M))
        if dark is not None:
            gain[:, 3 * dark : 3 * dark + 3] = 0
        models.append({"Gain": gain, "GridOrient": rng.normal(size=(M, 3))})
    factor = rng.normal(size=(N, N)) + 4 * np.eye(N)
    given = {
        "NoiseCovMat": {"NoiseCov": factor @ factor.T},
        "DataCovMat": {"NoiseCov": factor.T @ factor},
        "ChannelTypes": ["EEG"] * N,
        "SourceOrient": orients,
    }
    return bst_inverse_linear(models, given | options)


def _turned(kernel, seed=2, proper=True):
    """Turn the three rows of each location by a rotation (or reflection) of its own."""
    rng = np.random.default_rng(seed)
    blocks = []
    for block in kernel.reshape(-1, 3, kernel.shape[1]):
        turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
        if (np.linalg.det(turn) > 0) is not proper:
            turn[0] *= -1
        blocks.append(turn @ block)
    return np.vstack(blocks)


def _tangents_turned(kernel, seed=3):
    """Turn rows two and three of each location: what another choice of tangents does."""
    angles = np.random.default_rng(seed).uniform(0, 2 * np.pi, size=len(kernel) // 3)
    turned = kernel.copy()
    for i, angle in enumerate(angles):
        c, s = np.cos(angle), np.sin(angle)
        turned[3 * i + 1 : 3 * i + 3] = np.array([[c, -s], [s, c]]) @ kernel[3 * i + 1 : 3 * i + 3]
    return turned


def _one_row_changed(kernel, row, by=1e-6):
    changed = kernel.copy()
    changed[row] *= 1 + by
    return changed


@pytest.mark.parametrize("measure", ["amplitude", "dspm2018", "sloreta"])
@pytest.mark.parametrize("orient", ["fixed", "free", "loose"])
def test_rule_of_each_minimum_norm(orient, measure):
    result = _compute(orient, InverseMeasure=measure)
    invariants = orient == "loose" and measure != "amplitude"
    same = compare_with_stored(result, result.kernel.copy())
    assert (same.status, same.reason) == ("equal invariants" if invariants else "equal", "")
    assert same.relative_difference <= (100 * N * EPS if invariants else 0)
    flipped = compare_with_stored(result, -result.kernel)
    if invariants:
        assert flipped.status == "equal invariants"
        assert compare_with_stored(result, _tangents_turned(result.kernel)).status == (
            "equal invariants"
        )
    else:
        assert flipped.status == "differs"
        # |−K − K| / |K|
        assert abs(flipped.relative_difference - 2) <= 4 * EPS


@pytest.mark.parametrize("method", ["gls", "lcmv"])
@pytest.mark.parametrize(
    ("orient", "status"),
    [("fixed", "equal up to sign"), ("loose", "equal invariants"), ("free", "equal invariants")],
)
def test_rule_of_each_scan(orient, status, method):
    result = _compute(orient, InverseMethod=method)
    sa = result.source_decomp_sa
    signs = np.where(np.arange(len(result.kernel)) % 2, 1.0, -1.0)[:, None]
    stored = signs * result.kernel
    agreement = compare_with_stored(result, stored, stored_sa=sa)
    assert (agreement.status, agreement.reason) == (status, "")
    if orient != "fixed":
        turned = compare_with_stored(result, _turned(result.kernel), stored_sa=sa)
        assert turned.status == status
    changed = compare_with_stored(result, _one_row_changed(stored, 1), stored_sa=sa)
    assert changed.status == "differs"


@pytest.mark.parametrize("proper", [True, False])
def test_invariants_of_any_rotation_and_reflection(proper):
    rows = np.random.default_rng(4).normal(size=(3 * M, N))
    turned = _turned(rows, proper=proper)
    agreement = compare_rows(rows, turned, "equal invariants", 3, rtol=1e-9)
    assert agreement.status == "equal invariants"
    # blocks of three rows, of a condition that does not matter to a product
    assert agreement.relative_difference <= 100 * N * EPS
    assert compare_rows(rows, turned, "equal", 3, rtol=1e-9).status == "differs"
    assert compare_rows(rows, turned, "equal up to sign", 3, rtol=1e-9).status == "differs"


def test_invariants_are_those_of_the_products():
    rng = np.random.default_rng(5)
    ours, theirs = rng.normal(size=(2, 3 * M, N))
    agreement = compare_rows(ours, theirs, "equal invariants", 3, rtol=1e-9)
    products = [[block.T @ block for block in rows.reshape(M, 3, N)] for rows in (ours, theirs)]
    difference = np.linalg.norm(np.subtract(*products)) / np.linalg.norm(products[1])
    assert abs(agreement.relative_difference - difference) <= 100 * N * EPS * difference
    worst = np.argmax([np.linalg.norm(a - b) for a, b in zip(*products, strict=True)])
    assert agreement.reason == f"the largest difference is at location {worst + 1} (1-based)"


@pytest.mark.parametrize("n_sources", [999, 1000, 1001, 2001])
def test_invariants_of_more_locations_than_a_piece(n_sources):
    rows = np.random.default_rng(6).normal(size=(3 * n_sources, 4))
    assert compare_rows(rows, _turned(rows), "equal invariants", 3, rtol=1e-9).status == (
        "equal invariants"
    )
    for location in (0, n_sources - 1):
        changed = _one_row_changed(rows, 3 * location, by=0.5)
        agreement = compare_rows(rows, changed, "equal invariants", 3, rtol=1e-9)
        assert agreement.reason == f"the largest difference is at location {location + 1} (1-based)"


@pytest.mark.parametrize("columns", [1, 2, 5])
def test_invariants_of_fewer_columns_than_rows(columns):
    rows = np.random.default_rng(7).normal(size=(3 * M, columns))
    assert compare_rows(rows, _turned(rows), "equal invariants", 3, rtol=1e-9).status == (
        "equal invariants"
    )
    changed = _one_row_changed(rows, 4, by=0.1)
    assert compare_rows(rows, changed, "equal invariants", 3, rtol=1e-9).status == "differs"


def test_signs_of_rows_are_free_one_by_one():
    rows = np.random.default_rng(8).normal(size=(M, N))
    flipped = rows * np.array([1, -1, -1, 1, -1])[:, None]
    assert compare_rows(rows, flipped, "equal up to sign", 1, rtol=1e-9) == Agreement(
        status="equal up to sign", relative_difference=0.0
    )
    flipped[3, 0] *= -1  # not of a whole row
    agreement = compare_rows(rows, flipped, "equal up to sign", 1, rtol=1e-9)
    assert agreement.status == "differs"
    assert agreement.reason == "the largest difference is at location 4 (1-based)"


# how large a difference is, and where


@pytest.mark.parametrize(("rule", "p"), [("equal", 1), ("equal", 3), ("equal up to sign", 1)])
@pytest.mark.parametrize(("factor", "same"), [(0.99, True), (1.01, False)])
def test_tolerance_is_of_the_frobenius_norm_relative_to_the_stored(rule, p, factor, same):
    rng = np.random.default_rng(9)
    ours = rng.normal(size=(p * M, N))
    theirs = ours.copy()
    theirs[2, 3] += 1.0
    relative = 1 / np.linalg.norm(theirs)
    agreement = compare_rows(ours, theirs, rule, p, rtol=relative / factor)
    assert agreement.status == (rule if same else "differs")
    assert abs(agreement.relative_difference - relative) <= 100 * EPS
    expected = "" if same else f"the largest difference is at location {2 // p + 1} (1-based)"
    assert agreement.reason == expected


def test_default_tolerance():
    result = _compute()
    for by, status in ((0.9e-9, "equal"), (1.1e-9, "differs")):
        assert compare_with_stored(result, result.kernel / (1 + by)).status == status


def test_own_tolerance():
    result = _compute()
    stored = result.kernel * 1.01
    assert compare_with_stored(result, stored, rtol=0.02).status == "equal"
    assert compare_with_stored(result, stored, rtol=0.005).status == "differs"


@pytest.mark.parametrize("rule", RULES)
def test_stored_zeros(rule):
    zero, one = np.zeros((3, N)), np.ones((3, N))
    assert compare_rows(zero, zero, rule, 3, rtol=1e-9).status == rule
    agreement = compare_rows(one, zero, rule, 3, rtol=1e-9)
    assert (agreement.status, agreement.relative_difference) == ("differs", np.inf)
    assert agreement.reason == "the largest difference is at location 1 (1-based)"


@pytest.mark.parametrize("location", [0, 2, 4])
@pytest.mark.parametrize(("orient", "p"), [("fixed", 1), ("free", 3)])
def test_location_of_the_largest_difference(orient, p, location):
    result = _compute(orient)
    stored = _one_row_changed(result.kernel, p * ((location + 1) % M), by=1e-6)
    stored = _one_row_changed(stored, p * location + p - 1, by=1e-1)
    agreement = compare_with_stored(result, stored)
    assert agreement.status == "differs"
    assert agreement.reason == f"the largest difference is at location {location + 1} (1-based)"


# numbers that are missing


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("p", [1, 3])
def test_nan_in_both_is_left_out(rule, p):
    rows = np.random.default_rng(10).normal(size=(p * M, N))
    rows[p : 2 * p] = rows[3 * p : 4 * p] = np.nan
    agreement = compare_rows(rows, rows.copy(), rule, p, rtol=1e-9)
    assert agreement.status == rule
    assert agreement.relative_difference <= (100 * N * EPS if rule == "equal invariants" else 0)
    assert agreement.reason == "2 location(s) are NaN in both"
    # locations are counted with those that are left out
    changed = _one_row_changed(rows, 4 * p, by=0.5)
    agreement = compare_rows(rows, changed, rule, p, rtol=1e-9)
    assert agreement.reason == "the largest difference is at location 5 (1-based)"


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("swapped", [False, True])
def test_nan_in_one_differs(swapped, rule):
    ours = np.random.default_rng(11).normal(size=(3 * M, N))
    theirs = ours.copy()
    theirs[[4, 9], 2] = np.nan  # one number is enough
    pair = (theirs, ours) if swapped else (ours, theirs)
    agreement = compare_rows(*pair, rule, 3, rtol=1e-9)
    assert agreement.status == "differs"
    assert agreement.relative_difference is None
    assert agreement.reason == "NaN on one side only at 2 location(s), first 2 (1-based)"


@pytest.mark.parametrize("rule", RULES)
def test_nan_everywhere(rule):
    rows = np.full((6, N), np.nan)
    agreement = compare_rows(rows, rows, rule, 3, rtol=1e-9)
    assert (agreement.status, agreement.relative_difference) == (rule, 0)
    assert agreement.reason == "2 location(s) are NaN in both"


@pytest.mark.parametrize("orient", ["fixed", "loose", "free"])
def test_nan_rows_of_dspm(orient):
    result = _compute(orient, dark=2, InverseMeasure="dspm2018")
    agreement = compare_with_stored(result, result.kernel.copy())
    assert agreement.status.startswith("equal")
    assert agreement.reason == "1 location(s) are NaN in both"
    stored = np.nan_to_num(result.kernel)
    agreement = compare_with_stored(result, stored)
    assert agreement.reason == "NaN on one side only at 1 location(s), first 3 (1-based)"


# directions that no channel sees


@pytest.mark.parametrize("method", ["gls", "lcmv"])
@pytest.mark.parametrize("orient", ["fixed", "loose", "free"])
def test_rows_of_a_location_that_no_channel_sees_are_arbitrary(orient, method):
    result = _compute(orient, dark=2, InverseMethod=method)
    p = result.n_components
    stored = result.kernel.copy()
    # the vectors of a decomposition of zero are any; Brainstorm stores them
    stored[2 * p : 3 * p] = np.random.default_rng(12).normal(size=(p, N))
    agreement = compare_with_stored(result, stored, stored_sa=result.source_decomp_sa)
    assert agreement.status.startswith("equal"), agreement


@pytest.mark.parametrize("seen_by", ["ours", "theirs"])
def test_a_direction_that_only_one_side_sees_differs(seen_by):
    result = _compute("free", InverseMethod="gls")
    sa = result.source_decomp_sa.copy()
    sa[2, 3] = 0
    if seen_by == "theirs":
        stored, stored_sa = result.kernel, result.source_decomp_sa
        result = dataclasses.replace(result, source_decomp_sa=sa)
    else:
        stored, stored_sa = result.kernel, sa
    agreement = compare_with_stored(result, stored, stored_sa=stored_sa)
    assert agreement.status == "differs"
    assert agreement.reason == "the largest difference is at location 4 (1-based)"


def test_a_direction_that_neither_side_sees_is_left_out():
    result = _compute("free", InverseMethod="gls")
    sa = result.source_decomp_sa.copy()
    sa[2, 3] = 0
    result = dataclasses.replace(result, source_decomp_sa=sa)
    stored = result.kernel.copy()
    stored[3 * 3 + 2] = 7.0
    assert compare_with_stored(result, stored, stored_sa=sa).status == "equal invariants"
    stored[3 * 3 + 1] = 7.0  # the one before is seen
    assert compare_with_stored(result, stored, stored_sa=sa).status == "differs"


# what is compared


@pytest.mark.parametrize("shape", [(M, N - 1), (M + 1, N), (0, 0)])
def test_another_shape(shape):
    agreement = compare_with_stored(_compute(), np.zeros(shape))
    assert agreement == Agreement(
        status="differs", reason=f"stored rows × columns are {shape}, recomputed (5, 8)"
    )


@pytest.mark.parametrize("method", ["gls", "lcmv"])
def test_scans_of_mixed_head_models_are_not_comparable(method):
    result = _compute(("fixed", "free"), InverseMethod=method)
    agreement = compare_with_stored(result, result.kernel)
    assert agreement.status == "not comparable"
    assert agreement.relative_difference is None
    assert "Brainstorm stores the rows of the last region only" in agreement.reason
    # another shape is a difference even there
    assert compare_with_stored(result, result.kernel[:-1]).status == "differs"


def test_mixed_minimum_norm_is_compared_region_by_region():
    result = _compute(("fixed", "loose", "free"), InverseMeasure="sloreta")
    loose = result.regions[1].rows
    stored = result.kernel.copy()
    stored[loose] = _tangents_turned(stored[loose])
    agreement = compare_with_stored(result, stored)
    assert agreement.status == "equal invariants"  # the weakest rule of the three
    for region in (result.regions[0], result.regions[2]):
        changed = stored.copy()
        changed[region.rows] *= -1
        agreement = compare_with_stored(result, changed)
        assert agreement.status == "differs"
        numbers = [
            f"the largest difference is at location {i + 1} (1-based)" for i in region.locations
        ]
        assert agreement.reason in numbers  # of the head model, not of the region


def test_infinite_values_are_no_equality():
    result = _compute(("fixed",))
    stored = result.kernel.copy()
    stored[0] = np.inf
    for ours, theirs in ((None, stored), (stored, stored)):
        agreement = compare_with_stored(result, theirs, computed=ours)
        assert (agreement.status, agreement.reason) == (
            "differs",
            "infinite values cannot be compared",
        )


@pytest.mark.parametrize("first", [0, 1])
def test_a_small_region_is_not_drowned_by_a_large_one(first):
    # relative to the region, not to the kernel
    result = _compute(("fixed", "free"))
    small = result.regions[first].rows
    kernel = result.kernel.copy()
    kernel[small] *= 1e-12
    result = dataclasses.replace(result, kernel=kernel)
    stored = kernel.copy()
    stored[small] *= 1 + 1e-6
    assert compare_with_stored(result, stored).status == "differs"


def test_largest_difference_of_the_regions():
    result = _compute(("fixed", "free"))
    stored = result.kernel.copy()
    stored[result.regions[0].rows] /= 1 + 1e-10
    stored[result.regions[1].rows] /= 1 + 4e-10
    agreement = compare_with_stored(result, stored)
    assert agreement.status == "equal"
    # |K(1 + a) − K| / |K| = a, of numbers next to one
    assert abs(agreement.relative_difference - 4e-10) <= 10 * EPS


@pytest.mark.parametrize("orient", ["fixed", "loose", "free"])
def test_estimates_are_compared_by_the_rule_of_their_kernel(orient):
    result = _compute(orient, InverseMeasure="sloreta")
    data = np.random.default_rng(13).normal(size=(N, 20))
    estimate = result.kernel @ data
    stored = _tangents_turned(estimate) if orient == "loose" else estimate.copy()
    agreement = compare_with_stored(result, stored, computed=estimate)
    assert agreement.status == ("equal invariants" if orient == "loose" else "equal")
    stored[-1, -1] += 1
    agreement = compare_with_stored(result, stored, computed=estimate)
    assert agreement.status == "differs"
    assert agreement.reason == "the largest difference is at location 5 (1-based)"


def test_inputs_are_not_changed():
    for method in ("minnorm", "gls"):
        result = _compute("free", InverseMethod=method, dark=1)
        stored = result.kernel.copy()
        stored.setflags(write=False)
        sa = None if result.source_decomp_sa is None else result.source_decomp_sa.copy()
        if sa is not None:
            sa.setflags(write=False)
        result.kernel.setflags(write=False)
        assert compare_with_stored(result, stored, stored_sa=sa).status.startswith("equal")


# the inverses of 2009 and 2016


def _compute_2009(orient, **options):
    problem = make_problem(3, orient, types=("EEG",) * 8, n_sources=5)
    (model,) = problem.models
    return bst_wmne(
        {"Gain": model.gain, "GridOrient": model.normals},
        {
            "NoiseCov": problem.noise.cov,
            "ChannelTypes": list(problem.types),
            "SourceOrient": orient,
            **options,
        },
    )


@pytest.mark.parametrize("orient", ["fixed", "loose", "free"])
@pytest.mark.parametrize("method", ["wmne", "dspm", "sloreta", "gls", "glsr", "mnej"])
def test_rows_of_2009_are_unique(method, orient):
    """Rows of loose are along x, y, z whatever the measure: no tangents, no signs are free."""
    result = _compute_2009(orient, InverseMethod=method)
    assert compare_with_stored(result, result.kernel.copy()).status == "equal"
    assert compare_with_stored(result, -result.kernel).status == "differs"


@pytest.mark.parametrize(
    ("orient", "status"),
    [("fixed", "equal up to sign"), ("loose", "equal invariants"), ("free", "equal invariants")],
)
@pytest.mark.parametrize("method", ["gls_p", "glsr_p", "mnej_p"])
def test_projections_of_2009_are_unique_up_to_signs_and_rotations(method, orient, status):
    result = _compute_2009(orient, InverseMethod=method)
    assert compare_with_stored(result, -result.kernel).status == status
    changed = _one_row_changed(result.kernel, 1)
    assert compare_with_stored(result, changed).status == "differs"


@pytest.mark.parametrize("measure", ["amplitude", "dspm", "sloreta"])
def test_loose_of_2016_is_compared_as_that_of_2018(measure):
    problem = make_problem(4, "loose")
    result = solve(problem, year=2016, measure=measure)
    status = "equal" if measure == "amplitude" else "equal invariants"
    assert compare_with_stored(result, result.kernel.copy()).status == status


@pytest.mark.parametrize(
    ("types", "orient", "tolerance"),
    [
        (("EEG", "MEG MAG"), "loose", 1e-6),
        (("SEEG", "MEG"), "loose", 1e-6),
        (("EEG", "ECOG"), "loose", 1e-9),
        (("MEG GRAD", "MEG MAG"), "loose", 1e-9),
        (("EEG", "MEG MAG"), "free", 1e-9),
    ],
)
def test_room_for_what_brainstorm_rounds_itself(types, orient, tolerance):
    problem = make_problem(5, orient, types=types * 5)
    noise = np.diag(np.diag(problem.noise.cov))
    (model,) = problem.models
    result = bst_wmne(
        {"Gain": model.gain, "GridOrient": model.normals},
        {"NoiseCov": noise, "ChannelTypes": list(problem.types), "SourceOrient": orient},
    )
    for factor, equal in ((0.9, True), (1.1, False)):
        agreement = compare_with_stored(result, result.kernel * (1 + factor * tolerance))
        assert (agreement.status == "equal") is equal, agreement
