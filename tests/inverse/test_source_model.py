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
from mne_bstinv.inverse.gain import Gain
from mne_bstinv.inverse.source_model import CHUNK, Region, weighted_rows

OPTIONS = InverseOptions(loose=0.4, weight_exp=0.6, weight_limit=5.0)


def _build(orient, n_sources=6, options=OPTIONS):
    """Return a head model, its source model and weighted rows, after those of another one."""
    problem = make_problem(1, ("free", orient), n_sources=n_sources)
    regions = [
        Region(
            gain=Gain(m.gain),
            grid_orient=m.normals,
            orient=m.orient,
            locations=np.arange(n_sources),
        )
        for m in problem.models
    ]
    q, (other, built) = weighted_rows(regions, options)
    assert other.rows == slice(0, 3 * n_sources)
    assert built.rows == slice(3 * n_sources, len(q))
    return problem.models[1], built, q[built.rows]


@pytest.mark.parametrize(("orient", "p"), [("fixed", 1), ("loose", 3), ("free", 3)])
@pytest.mark.parametrize("n_sources", [1, 6, CHUNK, CHUNK + 1])
def test_sizes_and_pieces(orient, p, n_sources):
    _, built, q = _build(orient, n_sources)
    assert (built.n_sources, built.n_components, len(q)) == (n_sources, p, p * n_sources)
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
    return alpha[:, None, None] * built.orientation.frames


@pytest.mark.parametrize("orient", ["fixed", "loose", "free"])
def test_weighted_rows(orient):
    model, built, rows = _build(orient)
    q = _weighted(orient, model, built)
    p = built.n_components
    for i in range(6):
        expected = q[i].T @ model.block(i).T
        # sums of three products, of numbers up to those of the block in each channel
        size = np.abs(model.block(i)).max(axis=1) * built.alpha[i]
        error = np.abs(rows[p * i : p * i + p] - expected)
        assert (error <= 100 * EPS * size).all()


@pytest.mark.parametrize("orient", ["fixed", "loose", "free"])
def test_prior_goes_back_in(orient):
    model, built, _ = _build(orient)
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
    region = Region(
        gain=Gain(readonly(gain)), grid_orient=None, orient="free", locations=np.arange(2)
    )
    with pytest.raises(InverseError, match=re.escape(message)):
        weighted_rows([region], OPTIONS)
