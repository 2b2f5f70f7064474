"""Peaks and dispersions of point spreads, against their definition."""

from __future__ import annotations

import numpy as np
import pytest
from point_spreads import N, problem, resolution

from mne_bstinv.compare import alike, peak_search, point_spread
from mne_bstinv.compare.peaks import Fields
from mne_bstinv.compare.point_spread import PointSpreads


@pytest.mark.parametrize("piece", [(1, 1, 1), (7, 8, 2), (512, 64, 8)])
@pytest.mark.parametrize("decay", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("p", [1, 3])
def test_peaks_are_those_of_the_resolution_matrix(p, decay, piece, monkeypatch):
    sources, block, n_blocks = piece
    monkeypatch.setattr(peak_search, "SOURCES", sources)
    monkeypatch.setattr(peak_search, "BLOCKS", n_blocks)
    for module in (alike, peak_search):
        monkeypatch.setattr(module, "BLOCK", block)
    m = 30 if block == 1 else 150
    blocks, gain, _ = problem(p, m=m, decay=decay, units=1e3)
    expected = resolution(blocks, gain)
    found = Fields(gain, p).peaks(blocks)
    np.testing.assert_array_equal(found.location, expected.argmax(axis=0))
    np.testing.assert_allclose(found.value, expected.max(axis=0), rtol=1e-12)


@pytest.mark.parametrize("p", [1, 3])
def test_peaks_that_single_precision_cannot_tell_apart(p):
    """Locations of nearly the same kernel: the largest is found in double precision."""
    blocks, gain, _ = problem(p, m=60)
    twin = np.concatenate([blocks, blocks * (1 + 1e-12), blocks * (1 - 1e-12)])
    fields = np.tile(gain, (1, 3))
    found = Fields(fields, p).peaks(twin)
    expected = resolution(twin, fields)
    np.testing.assert_array_equal(found.location, expected.argmax(axis=0))
    assert (found.location >= 60).all()
    assert (found.location < 120).all()


@pytest.mark.parametrize("p", [1, 3])
def test_fields_of_one_direction_only(p):
    """All locations are as good a peak as each other: those with the largest rows."""
    blocks, gain, _ = problem(p)
    flat = np.outer(gain[:, 0], np.ones(gain.shape[1]))
    found = Fields(flat, p).peaks(blocks)
    np.testing.assert_array_equal(found.location, resolution(blocks, flat).argmax(axis=0))


@pytest.mark.parametrize("p", [1, 3])
def test_silent_sources_and_kernels_have_no_peak(p):
    blocks, gain, positions = problem(p)
    gain = gain.copy()
    gain[:, 4 * p : 6 * p] = 0.0
    found = Fields(gain, p).peaks(blocks)
    assert np.flatnonzero(found.value == 0).tolist() == [4, 5]
    silent = Fields(gain, p).peaks(np.zeros_like(blocks))
    assert not silent.value.any()
    spreads = PointSpreads(blocks, 2 * blocks, Fields(gain, p), positions, 1e-9)
    assert np.flatnonzero(~spreads.seen).tolist() == [4, 5]


@pytest.mark.parametrize("p", [1, 3])
def test_dispersions_are_those_of_the_definition(p):
    blocks, gain, positions = problem(p)
    far = positions + 5.0  # metres from the origin
    spreads = PointSpreads(blocks, blocks**3, Fields(gain, p), far, 1e-9)
    for kernel, found in ((blocks, spreads.dispersion_a), (blocks**3, spreads.dispersion_b)):
        squares = resolution(kernel, gain) ** 2
        apart = np.sum((positions[:, None] - positions) ** 2, axis=2)
        expected = np.sqrt(np.sum(squares * apart, axis=0) / squares.sum(axis=0))
        np.testing.assert_allclose(found, expected, rtol=1e-10)


def test_dispersions_of_sources_that_are_seen_as_points():
    rng = np.random.default_rng(3)
    positions = 0.1 * rng.standard_normal((N, 3))
    gain = np.linalg.qr(rng.standard_normal((N, N)))[0]
    blocks = gain.T.reshape(N, 1, N) + 1e-9 * rng.standard_normal((N, 1, N))
    found = PointSpreads(blocks, blocks, Fields(gain, 1), positions, 1e-9).dispersion_a
    squares = resolution(blocks, gain) ** 2
    apart = np.sum((positions[:, None] - positions) ** 2, axis=2)
    expected = np.sqrt(np.sum(squares * apart, axis=0) / squares.sum(axis=0))
    assert expected.max() < 1e-8
    np.testing.assert_allclose(found, expected, rtol=1e-5)  # rounding of 1e-16 in values of 1e-9


def test_the_peaks_of_a_kernel_are_looked_for_once(monkeypatch):
    blocks, gain, positions = problem(1)
    fields, asked = Fields(gain, 1), []
    original = Fields._found
    monkeypatch.setattr(Fields, "_found", lambda self, k: asked.append(1) or original(self, k))
    other = np.roll(blocks, 1, axis=0)
    assert PointSpreads(other, blocks, fields, positions, 1e-9).peak_a is not None
    again = PointSpreads(blocks * (1 + 1e-12), other, fields, positions, 1e-9)
    assert again.seen.all()
    assert len(asked) == 3  # the third is another array


def test_of_kernels_that_agree_one_is_looked_at(monkeypatch):
    blocks, gain, positions = problem(3)
    fields, asked = Fields(gain, 3), []
    original = Fields._found
    monkeypatch.setattr(Fields, "_found", lambda self, k: asked.append(1) or original(self, k))
    near = blocks * (1 + 1e-12)
    spreads = PointSpreads(near, blocks, fields, positions, 1e-9)
    np.testing.assert_array_equal(spreads.peak_a, spreads.peak_b)
    assert fields.agree(np.array(near), blocks, 1e-9, keep=True)
    assert fields.agree(3 * blocks, blocks, 1e-9, keep=True)  # a multiple peaks where it does
    np.testing.assert_array_equal(fields.peaks(3 * blocks).location, spreads.peak_b)
    assert len(asked) == 2  # that was another array
    unlike = blocks * np.where(np.arange(len(blocks)) % 2, 1.0, 1 + 1e-7)[:, None, None]
    assert not fields.agree(unlike, blocks, 1e-9)


def test_a_kernel_like_the_last_one_is_not_looked_at(monkeypatch):
    blocks, gain, _ = problem(3)
    fields, asked = Fields(gain, 3), []
    original = Fields._found
    monkeypatch.setattr(Fields, "_found", lambda self, k: asked.append(1) or original(self, k))
    fields.liken(blocks, 1e-9)  # there is none
    expected = fields.peaks(blocks)
    like, unlike = 2 * blocks, blocks[::-1].copy()
    for kernel in (like, unlike):
        fields.liken(kernel, 1e-9)
    found = fields.peaks(like)
    assert len(asked) == 1
    np.testing.assert_array_equal(found.location, expected.location)
    np.testing.assert_allclose(found.value, 2 * expected.value, rtol=1e-12)
    fields.peaks(unlike)
    assert len(asked) == 2


@pytest.mark.parametrize("positions", [
    np.random.default_rng(0).standard_normal((200, 3)),
    np.c_[np.random.default_rng(0).standard_normal((20, 2)), np.zeros(20)],
    np.eye(3)[:2],
    np.zeros((1, 3)),
])  # fmt: skip
def test_the_farthest_position(positions):
    expected = np.linalg.norm(positions[:, None] - positions, axis=2).max(axis=1)
    np.testing.assert_allclose(point_spread._farthest(positions), expected, rtol=1e-12)
