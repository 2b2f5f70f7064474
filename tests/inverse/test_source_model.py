"""One head model: its weighted rows Q' G' and the way back."""

from __future__ import annotations

import re

import numpy as np
import pytest
from inverse_problems import make_problem, readonly
from inverse_tolerances import EPS
from naive import naive_depth

from mne_bstinv.errors import InverseError
from mne_bstinv.inverse import InverseOptions
from mne_bstinv.inverse.source_model import CHUNK, SourceModel

OPTIONS = InverseOptions(loose=0.4, weight_exp=0.6, weight_limit=5.0)


def _build(orient, n_sources=6, options=OPTIONS):
    (model,) = make_problem(1, orient, n_sources=n_sources).models
    return model, SourceModel.build(model.gain, model.normals, orient, options)


@pytest.mark.parametrize(("orient", "p"), [("fixed", 1), ("loose", 3), ("free", 3)])
@pytest.mark.parametrize("n_sources", [1, 6, CHUNK, CHUNK + 1])
def test_sizes_and_pieces(orient, p, n_sources):
    _, built = _build(orient, n_sources)
    assert (built.n_sources, built.n_components, built.n_rows) == (n_sources, p, p * n_sources)
    locations, rows = zip(*built.chunks(), strict=True)
    for pieces, total in ((locations, n_sources), (rows, p * n_sources)):
        covered = np.concatenate([np.arange(total)[piece] for piece in pieces])
        np.testing.assert_array_equal(covered, np.arange(total))


def _weighted(orient, model, built):
    """Return Q_i of the package's own tangents."""
    alpha = naive_depth(model, 0.6, 5.0)
    np.testing.assert_allclose(built.alpha, alpha, rtol=100 * EPS)
    if orient == "free":
        return alpha[:, None, None] * np.eye(3)
    return alpha[:, None, None] * built.frames


@pytest.mark.parametrize("orient", ["fixed", "loose", "free"])
def test_weighted_rows(orient):
    model, built = _build(orient)
    q = _weighted(orient, model, built)
    rows = np.full((built.n_rows, 14), np.nan)
    built.fill(rows)
    p = built.n_components
    for i in range(6):
        expected = q[i].T @ model.block(i).T
        # sums of three products, of numbers up to those of the block in each channel
        size = np.abs(model.block(i)).max(axis=1) * built.alpha[i]
        error = np.abs(rows[p * i : p * i + p] - expected)
        assert (error <= 100 * EPS * size).all()


@pytest.mark.parametrize("orient", ["fixed", "loose", "free"])
def test_prior_goes_back_in(orient):
    model, built = _build(orient)
    q = _weighted(orient, model, built)
    p = built.n_components
    block = readonly(np.random.default_rng(2).normal(size=(4, p, 14)))
    out = np.full_like(block, np.nan)
    built.restore_prior(block, slice(1, 5), out)
    for i in range(4):
        # one row a location: the normal is not put back
        back = q[i + 1] if orient != "fixed" else built.alpha[i + 1][None, None]
        np.testing.assert_allclose(out[i], back @ block[i], rtol=0, atol=100 * EPS * 5 * 4)


@pytest.mark.parametrize("value", [np.nan, -np.inf])
def test_gain_that_is_not_finite(value):
    gain = np.ones((12, 6))
    gain[:11, 4] = value
    message = (
        "The gain is not finite in 11 channel(s) in use (1-based among them: 1, 2, 3, 4, 5, 6, 7, "
        "8, 9, 10"
    )
    with pytest.raises(InverseError, match=re.escape(message)):
        SourceModel.build(readonly(gain), None, "free", OPTIONS)
