"""Sums over pieces of kernels."""

from __future__ import annotations

import numpy as np
import pytest

from mne_bstinv._verdicts import RTOL
from mne_bstinv.cross_validation import sums
from mne_bstinv.cross_validation.sums import (
    apart,
    gram,
    narrowed,
    norms_of_products,
    product_of_rows,
    root_of_difference,
)


@pytest.mark.parametrize("shape", [(50,), (50, 4), (50, 3, 7)])
@pytest.mark.parametrize("kind", [float, complex])
def test_what_is_nan_does_not_count_in_a_norm(shape, kind, monkeypatch):
    monkeypatch.setattr(sums, "_NUMBERS", 30)  # several pieces
    rng = np.random.default_rng(0)
    a, b = (rng.standard_normal(shape).astype(kind) for _ in range(2))
    if kind is complex:
        a += 1j * rng.standard_normal(shape)
    a[7], b[9] = np.nan, np.nan
    assert apart(a, b) == pytest.approx(np.linalg.norm(np.delete(a - b, (7, 9), axis=0)))
    assert apart(a, None) == pytest.approx(np.linalg.norm(np.delete(a, 7, axis=0)))
    assert apart(a[:0], None) == 0


@pytest.mark.parametrize("n_times", [3, 4, 7, 30])
def test_norms_of_estimates_are_those_of_fewer_columns(n_times):
    rng = np.random.default_rng(0)
    a, b = (rng.standard_normal((50, 3, 7)) for _ in range(2))
    data = rng.standard_normal((7, n_times))
    a[7] = np.nan
    expected = np.linalg.norm(np.delete(a - b, 7, axis=0) @ data)
    assert narrowed(data).shape == (7, 3 if n_times == 3 else 7)
    assert apart(a, b, narrowed(data)) == pytest.approx(expected, rel=1e-13)


@pytest.mark.parametrize("rank", [5, 8, 11])
def test_norms_are_those_of_the_product(rank):
    rng = np.random.default_rng(0)
    gain, right = rng.standard_normal((40, 3, 8)), rng.standard_normal((8, rank))
    expected = np.linalg.norm(gain @ right, axis=2)
    np.testing.assert_allclose(norms_of_products(gain, right), expected, rtol=1e-13)


@pytest.mark.parametrize("p", [1, 3])
def test_products_are_those_of_all_rows_at_once(p, monkeypatch):
    monkeypatch.setattr(sums, "_ROWS", 7)  # several pieces, the last one shorter
    rng = np.random.default_rng(0)
    gain, other = rng.standard_normal((2, 50, p, 6))
    weights = rng.uniform(1.0, 2.0, (50, p))
    rows = (weights[..., None] * gain).reshape(-1, 6)
    np.testing.assert_allclose(gram(gain, weights), rows.T @ rows, rtol=1e-12, atol=1e-12)
    expected = rows.T @ other.reshape(-1, 6)
    found = product_of_rows(gain, weights, other)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


def test_a_root_is_known_as_well_as_what_counts_as_equal():
    """By the nearest and by the farthest square that rounding of the parts allows."""
    parts, rounding = 2.0, np.finfo(np.float64).eps
    for square in np.geomspace(1e-12, 1.0, 50):
        found = root_of_difference(square, parts)
        error = np.sqrt(square + rounding * parts) / np.sqrt(square) - 1
        assert (found is None) == (error > RTOL)
        assert found is None or found == np.sqrt(square)
