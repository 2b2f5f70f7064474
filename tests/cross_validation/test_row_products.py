"""Distances of kernels from products of their rows, which measures share."""

from __future__ import annotations

import numpy as np
import pytest
from small_sample import load_small_sample

from mne_bstinv import InverseOptions
from mne_bstinv.adapters.equivalence.settings import MneSettings
from mne_bstinv.cross_validation import engine as engines
from mne_bstinv.cross_validation import systems
from mne_bstinv.cross_validation.conventions import CONVENTIONS
from mne_bstinv.cross_validation.engine import Engine
from mne_bstinv.cross_validation.ingredients import gather
from mne_bstinv.cross_validation.prior import gain_rows
from mne_bstinv.cross_validation.row_products import row_products

ALL = frozenset(c.key for c in CONVENTIONS)


@pytest.mark.parametrize("moved", [1.0, 1e-6, 1e-12])
def test_the_distance_is_that_of_both_kernels(moved):
    rng = np.random.default_rng(0)
    gain, right = rng.standard_normal((2000, 1, 7)), rng.standard_normal((7, 5))
    ours = rng.uniform(1.0, 2.0, 2000)
    theirs = ours * (1 + moved * rng.standard_normal(2000))
    kernel = theirs[:, None, None] * (gain @ (right + moved * rng.standard_normal((7, 5))))
    kernel[3], theirs[3], ours[3] = np.nan, np.inf, np.inf  # that no channel sees
    products = row_products(gain, right, kernel, theirs)
    moves = ours[:, None, None] * (gain @ right) - kernel
    expected = np.linalg.norm(np.delete(moves, 3, axis=0))
    # both subtract what is rounded
    rounding = np.finfo(np.float64).eps * np.linalg.norm(np.delete(kernel, 3, axis=0))
    assert products.apart(ours, theirs) == pytest.approx(expected, rel=1e-12, abs=8 * rounding)


def test_weights_that_undo_what_rows_differ_in_are_left_to_the_kernels():
    gain, right = np.random.default_rng(0).standard_normal((50, 1, 7)), np.eye(7)
    theirs = np.full(50, 2.0)
    products = row_products(gain, right, gain * (1 + 1e-9), theirs)
    assert products.apart(np.ones(50), theirs) is None


def test_the_next_measure_takes_the_products_of_the_last(monkeypatch):
    first = InverseOptions(measure="dspm2018", source_orient="fixed", weight_exp=0.0)
    second = InverseOptions(measure="sloreta", source_orient="fixed", weight_exp=0.0)
    ingredients = gather(
        load_small_sample(), first, MneSettings.defaults_for(first, depth=None), ("MEG", "EEG")
    )
    pairs = [({"regularization"}, frozenset()), (ALL - {"cross_types"}, ALL)]
    told = Engine(ingredients)
    told.compute(frozenset()), told.compute(ALL)
    for keys, end in pairs:
        told.distance(frozenset(keys), end)
    other = ingredients.of_measure(second, MneSettings.defaults_for(second, depth=None))
    told = Engine(other)
    told.compute(frozenset()), told.compute(ALL)
    monkeypatch.setattr(engines, "row_products", pytest.fail)
    for keys, end in pairs:
        formed = Engine(other)  # with no end at hand
        expected = np.linalg.norm(formed.blocks(frozenset(keys)) - formed.blocks(end))
        assert told.distance(frozenset(keys), end) == pytest.approx(expected, rel=1e-10)


def test_rows_of_fixed_gains_are_made_once_for_all_measures(monkeypatch):
    """One in double, one in single precision: together they are smaller than the gain."""
    made = []

    def counted(*given):
        made.append(given)
        return gain_rows(*given)

    monkeypatch.setattr(systems, "gain_rows", counted)
    first = InverseOptions(measure="dspm2018", source_orient="fixed", weight_exp=0.0)
    second = InverseOptions(measure="sloreta", source_orient="fixed", weight_exp=0.0)
    ingredients = gather(
        load_small_sample(), first, MneSettings.defaults_for(first, depth=None), "EEG"
    )
    other = ingredients.of_measure(second, MneSettings.defaults_for(second, depth=None))
    for of in (ingredients, other):
        told = Engine(of)
        for keys in (ALL, frozenset(), {"precision"}, ALL - {"precision"}, {"snr"}):
            told.blocks(frozenset(keys))
    assert len(made) == 2
