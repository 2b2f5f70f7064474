"""The attribution, on kernels of which the answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from mne_bstinv.cross_validation.attribution import attribute
from mne_bstinv.cross_validation.conventions import Convention
from mne_bstinv.cross_validation.distances import FormedKernels, relative_distance

CONVENTIONS = tuple(Convention(key=k, label=k, brainstorm="", mne="") for k in "abcd")
#: First kernel, of norm 1, and orthogonal changes of it.
FIRST = np.zeros((2, 1, 3))
FIRST[0, 0, 0] = 1.0
CHANGES = {"a": (0, 0, 1, 0.3), "b": (0, 0, 2, 0.4), "c": (1, 0, 0, 0.0), "d": (1, 0, 1, 1.2)}


def additive(switched):
    kernel = FIRST.copy()
    for key in switched:
        *place, size = CHANGES[key]
        kernel[tuple(place)] += size
    return kernel


def interacting(switched):
    """Nothing changes until both a and b are switched."""
    kernel = FIRST.copy()
    kernel[1, 0, 2] = 0.5 if {"a", "b"} <= switched else 0.0
    return kernel


def walk(kernels, **options):
    ends = kernels(frozenset()), kernels(frozenset("abcd"))
    return attribute(CONVENTIONS, FormedKernels(kernels), ends=ends, **options)


def test_sizes_of_orthogonal_steps():
    path = walk(additive)
    assert [s.change for s in path] == pytest.approx([0.3, 0.4, 0.0, 1.2])
    assert [s.distance for s in path] == pytest.approx([0.3, 0.5, 0.5, 1.3])
    assert [s.increment for s in path] == pytest.approx([0.3, 0.2, 0.0, 0.8])
    assert [s.alone_from_brainstorm for s in path] == pytest.approx([0.3, 0.4, 0.0, 1.2])
    assert [s.alone_from_mne for s in path] == pytest.approx([0.3, 0.4, 0.0, 1.2])
    assert path.total == pytest.approx(1.3)
    assert [s.convention.key for s in path.active] == ["a", "b", "d"]
    assert path["d"].active
    assert not path["c"].active
    assert (path.remainder_start, path.remainder_end) == (0.0, 0.0)
    assert repr(path) == "<Attribution | 3 active conventions, total 1.3, remainder 0.0e+00>"


def test_increments_and_shapley_values_sum_to_the_whole():
    path = walk(additive)
    assert sum(s.increment for s in path) == pytest.approx(path.total)
    assert sum(s.shapley for s in path) == pytest.approx(path.total)
    assert path["c"].shapley == 0.0


def test_shapley_value_of_an_interaction_is_shared():
    path = walk(interacting)
    assert [s.increment for s in path] == pytest.approx([0.0, 0.5, 0.0, 0.0])
    assert [s.alone_from_brainstorm for s in path] == [0.0] * 4
    assert [s.alone_from_mne for s in path] == pytest.approx([0.5, 0.5, 0.0, 0.0])
    assert [s.shapley for s in path] == pytest.approx([0.25, 0.25, 0.0, 0.0])


def test_shapley_value_is_the_mean_over_all_orders():
    from itertools import permutations

    path = walk(additive)
    sums = dict.fromkeys("abcd", 0.0)
    for order in permutations("abcd"):
        before = 0.0
        for i, key in enumerate(order):
            now = relative_distance(additive(frozenset(order[: i + 1])), FIRST)
            sums[key] += (now - before) / 24
            before = now
    assert {s.convention.key: s.shapley for s in path} == pytest.approx(sums)


def test_too_many_conventions_have_no_shapley_values():
    path = walk(additive, shapley_limit=2)
    assert {s.shapley for s in path} == {None}
    assert path["d"].weight == pytest.approx(1.2)
    assert not path.averaged
    assert walk(additive)["d"].weight == walk(additive)["d"].shapley
    assert walk(additive).averaged
    # 0 from Brainstorm's end, 0.5 from MNE's
    assert walk(interacting, shapley_limit=1)["a"].weight == pytest.approx(0.25)


def test_changes_of_the_estimate():
    data = np.diag([1.0, 10.0, 0.0])  # the third channel is silent
    path = walk(additive, data=data)
    assert [s.estimate_change for s in path] == pytest.approx([3.0, 0.0, 0.0, 12.0])


def test_measures_are_taken_of_steps_that_change_something():
    seen = []

    def measures(after, before):
        seen.append(relative_distance(after, before))
        return {"row_correlation": 0.5, "amplitude_ratio": 2.0, "peak_displacement": 7.0}

    path = walk(additive, measures=measures)
    assert len(seen) == 3
    assert path["a"].peak_displacement == 7.0
    assert path["c"].peak_displacement is None


def test_what_the_path_does_not_reach_is_the_remainder():
    last = additive(frozenset("abcd"))
    last[1, 0, 2] = 0.01
    path = attribute(CONVENTIONS, FormedKernels(additive), ends=(2 * FIRST, last))
    assert path.remainder_start == pytest.approx(0.5)
    assert path.remainder_end == pytest.approx(0.01 / np.linalg.norm(last))
    assert path.remainder == path.remainder_start + path.remainder_end


def test_locations_without_a_kernel_are_left_out():
    a, b = np.ones((3, 1, 2)), np.ones((3, 1, 2))
    a[0], b[1], b[2] = np.nan, np.nan, 2.0
    # of three locations one is NaN in a, one in b, one differs by one; b's norm is of two
    assert relative_distance(a, b) == pytest.approx(np.sqrt(2) / np.sqrt(2 + 8))
