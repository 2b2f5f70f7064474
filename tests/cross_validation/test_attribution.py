"""The attribution, on kernels of which the answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from mne_bstinv.cross_validation.attribution import attribute
from mne_bstinv.cross_validation.conventions import Convention
from mne_bstinv.cross_validation.distances import relative_distance
from mne_bstinv.cross_validation.kernels import FormedKernels

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


def walk(kernels, data=None, **options):
    ends = kernels(frozenset()), kernels(frozenset("abcd"))
    return attribute(CONVENTIONS, FormedKernels(kernels, data), ends=ends, **options)


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


def in_between(switched):
    """Nothing that c changes is at either end, nor on the path: only with a, and without b."""
    kernel = additive(switched - {"c"})
    kernel[1, 0, 2] = 0.5 if {"a", "c"} <= switched and "b" not in switched else 0.0
    return kernel


@pytest.mark.parametrize("kernels", [additive, interacting, in_between])
def test_shapley_value_is_the_mean_over_all_orders(kernels):
    from itertools import permutations

    path = walk(kernels)
    sums = dict.fromkeys("abcd", 0.0)
    for order in permutations("abcd"):
        before = 0.0
        for i, key in enumerate(order):
            now = relative_distance(kernels(frozenset(order[: i + 1])), FIRST)
            sums[key] += (now - before) / 24
            before = now
    assert {s.convention.key: s.shapley for s in path} == pytest.approx(sums)


def test_what_is_active_only_together_with_others_counts_among_them():
    step = walk(in_between)["c"]
    assert (step.change, step.alone_from_brainstorm, step.alone_from_mne) == (0.0, 0.0, 0.0)
    assert step.active
    assert abs(step.shapley) > 0.01
    # which there are too many of then, or which was not looked for
    for options in ({"shapley_limit": 3}, {"orders": "path"}):
        assert walk(in_between, **options)["c"].shapley is None


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


# -- orders, and interruptions ---------------------------------------------------------------------


def test_some_orders_estimate_the_shapley_value():
    every = {s.convention.key: s.shapley for s in walk(additive, orders="all")}
    path = walk(additive, orders=4)
    assert path.orders == "4 orders"
    assert path.averaged
    assert sum(s.shapley for s in path) == pytest.approx(path.total)
    found = {s.convention.key: s.shapley for s in path}
    assert found == pytest.approx(every, abs=0.1)
    assert found != pytest.approx(every, abs=1e-6)
    assert {s.convention.key: s.shapley for s in walk(additive, orders=4)} == found
    # three active conventions have six orders
    assert walk(additive, orders=100).orders == "all orders"
    assert {s.convention.key: s.shapley for s in walk(additive, orders=6)} == pytest.approx(every)


def test_orders_that_are_asked_for_overrule_the_limit():
    assert walk(additive, orders="path", shapley_limit=9).orders == ""
    assert walk(additive, orders="all", shapley_limit=0).orders == "all orders"
    assert not walk(additive, orders="path").averaged


def test_the_budget_of_orders_is_stated_before_it_is_spent(capsys):
    asked = []

    def kernels(switched):
        asked.append(capsys.readouterr().err)
        return additive(switched)

    walk(kernels, progress=True)
    said = "".join(asked) + capsys.readouterr().err
    assert "all orders of 3 active conventions: 8 kernels, about 0 s (--orders path leaves" in said
    assert "all orders of 3" not in capsys.readouterr().err


class Interrupted(FormedKernels):
    """Kernels of which the n-th distance is interrupted."""

    def __init__(self, after):
        super().__init__(additive)
        self.left = after

    def distance(self, one, other):
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt
        return super().distance(one, other)


@pytest.mark.parametrize("after", [1, 6, 12])
def test_before_the_path_is_known_only_the_whole_is_told(after):
    ends = additive(frozenset()), additive(frozenset("abcd"))
    path = attribute(CONVENTIONS, Interrupted(after), ends=ends)
    assert path.stopped
    assert path.steps == ()
    assert path.total == pytest.approx(1.3)
    assert path.notes[-1].startswith("Stopped before all was computed")


def test_after_it_the_orders_are_left_out():
    ends = additive(frozenset()), additive(frozenset("abcd"))
    path = attribute(CONVENTIONS, Interrupted(1 + 16 + 3), ends=ends)
    assert path.stopped
    assert not path.averaged
    assert [s.increment for s in path] == pytest.approx([0.3, 0.2, 0.0, 0.8])


def test_measures_that_are_interrupted_are_left_out():
    calls = []

    def measures(after, before):
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return {"row_correlation": 0.5}

    path = walk(additive, measures=measures)
    assert path.stopped
    assert [s.row_correlation for s in path] == [0.5, None, None, None]
    assert [s.increment for s in path] == pytest.approx([0.3, 0.2, 0.0, 0.8])
    assert not path.averaged
