"""The decomposition of a lead field, from L L' and from L."""

import numpy as np
import pytest
from scipy import linalg

from mne_bstinv.adapters.operators.arrays import _GRAM_ERROR, _decomposed


def operator(u, sing, v, lambda2):
    return (v * (sing / (sing**2 + lambda2))) @ u.T


def decomposed(lead_field, lambda2):
    """The decomposition of a lead field, which stays as it is."""
    return _decomposed(lead_field.copy(), lambda2, out=np.full(lead_field.shape, np.nan))


@pytest.fixture
def lead_field():
    """Singular values over six decades, one of them zero, squares summing up to the rank."""
    rng = np.random.default_rng(0)
    u = linalg.qr(rng.standard_normal((30, 30)))[0]
    v = linalg.qr(rng.standard_normal((400, 30)), mode="economic")[0]
    sing = np.r_[np.logspace(0, -6, 29), 0.0]
    return (u * (sing * np.sqrt(29) / np.linalg.norm(sing))) @ v.T


@pytest.mark.parametrize("lambda2", [1.0, 1 / 9, 1e-2, 1e-9])
def test_decomposition_gives_the_operator_that_least_squares_give(lead_field, lambda2):
    found = decomposed(lead_field, lambda2)
    # the operator solves min |M - L X|² + λ² |X|², with no decomposition of L L'
    stacked = np.vstack([lead_field, np.sqrt(lambda2) * np.eye(400)])
    q, r = linalg.qr(stacked, mode="economic")
    expected = linalg.solve_triangular(r, q[:30].T)
    difference = np.abs(operator(*found, lambda2) - expected).max() / np.abs(expected).max()
    # the rounding of L itself, n ε s₁, changes the operator by that over λ, relatively
    rounding = 30 * np.finfo(float).eps * found[1][0] / np.sqrt(lambda2)
    assert difference <= max(_GRAM_ERROR, rounding)


def test_leads_and_fields_are_orthonormal_where_the_channels_see(lead_field):
    u, sing, v = decomposed(lead_field, 1 / 9)
    assert np.abs(u.T @ u - np.eye(30)).max() < 1e-13
    seen = sing > 1e-3 * sing[0]  # rounding of L L' over the square of the smallest: 1e-10
    assert seen.sum() > 10
    gram = v[:, seen].T @ v[:, seen]
    assert np.abs(gram - np.eye(seen.sum())).max() < 1e-10
    assert np.isfinite(v).all()


@pytest.mark.parametrize("lambda2", [1 / 9, 1e-9])
def test_nulls_of_the_whitener_are_the_last(lead_field, lambda2):
    nulls = [0, 3, 29]
    with_nulls = np.insert(lead_field, [0, 2, 27], 0.0, axis=0)[:30]
    with_nulls[nulls] = 0.0
    u, sing, v = decomposed(with_nulls, lambda2)
    assert np.abs((u * sing) @ v.T - with_nulls).max() < 1e-13 * sing[0]
    np.testing.assert_array_equal(sing[27:], 0.0)
    np.testing.assert_array_equal(v[:, 27:], 0.0)
    np.testing.assert_array_equal(u[:, 27:], np.eye(30)[:, nulls])


def test_a_strong_prior_takes_the_singular_value_decomposition(lead_field, monkeypatch):
    taken = []
    svd = linalg.svd
    monkeypatch.setattr(
        linalg, "svd", lambda *args, **kwargs: taken.append(1) or svd(*args, **kwargs)
    )
    decomposed(lead_field, 1 / 9)
    assert not taken
    decomposed(lead_field, 1e-9)
    assert taken
