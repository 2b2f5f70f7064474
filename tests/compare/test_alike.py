"""What is known of a kernel bounds the products of one like it."""

from __future__ import annotations

import numpy as np
import pytest
from point_spreads import N, problem, resolution

from mne_bstinv.compare import alike, peak_search
from mne_bstinv.compare.directions import Directions
from mne_bstinv.compare.peak_search import PeakSearch
from mne_bstinv.compare.peaks import Fields


def kernels(blocks, p):
    """Kernels like the first one, more and less; the last is another."""
    rng = np.random.default_rng(5)
    m = len(blocks)
    noise = rng.standard_normal(blocks.shape) * np.linalg.norm(blocks, axis=(0, 1)) / np.sqrt(m)
    yield blocks
    yield 3e5 * blocks
    for size in (1e-6, 1e-3, 3e-2):
        yield blocks + size * noise
    yield blocks * rng.uniform(0.98, 1.02, (m, 1, 1))
    yield blocks / np.linalg.norm(blocks, axis=(1, 2), keepdims=True)  # other sizes
    yield -blocks
    yield np.where(np.arange(m)[:, None, None] % 7, blocks, 0.0)
    yield problem(p, m=m, seed=1)[0]


@pytest.fixture
def in_small_pieces(monkeypatch):
    for module in (alike, peak_search):
        monkeypatch.setattr(module, "BLOCK", 8)
    monkeypatch.setattr(peak_search, "BLOCKS", 2)
    monkeypatch.setattr(peak_search, "SOURCES", 30)


@pytest.mark.parametrize("p", [1, 3])
@pytest.mark.parametrize("decay", [0.0, 0.3])
@pytest.mark.usefixtures("in_small_pieces")
def test_peaks_and_bounds_of_kernels_like_those_before(p, decay):
    blocks, gain, _ = problem(p, decay=decay, units=1e3)
    gain[:, 8 * p : 9 * p] = 0.0  # a silent source
    fields = Fields(gain, p)
    for kernel in kernels(blocks, p):
        expected = resolution(kernel, gain)
        found = fields.peaks(kernel)
        np.testing.assert_array_equal(found.location, expected.argmax(axis=0))
        np.testing.assert_allclose(found.value, expected.max(axis=0), rtol=1e-12)
        searched = fields._searched[-1]
        starts = np.arange(0, len(blocks), 8)
        largest = np.maximum.reduceat(expected[searched.order], starts)
        unit = searched.kernel.unit * searched.fields.unit
        assert (unit * searched.most >= (1 - 1e-12) * largest).all()
    assert len(fields._searched) == 2
    fields.forget()
    assert not fields._searched


@pytest.mark.parametrize("p", [1, 3])
@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("m", [1, 64, 65, 130])
def test_few_channels_and_locations(m, n, p):
    rng = np.random.default_rng(m)
    blocks, gain = rng.standard_normal((m, p, n)), rng.standard_normal((n, p * m))
    expected, found = resolution(blocks, gain), Fields(gain, p).peaks(blocks)
    np.testing.assert_array_equal(found.location, expected.argmax(axis=0))
    np.testing.assert_allclose(found.value, expected.max(axis=0), rtol=1e-12)


@pytest.mark.parametrize("p", [1, 3])
@pytest.mark.usefixtures("in_small_pieces")
def test_a_kernel_stands_for_the_one_like_it(p):
    """Of the two ends of a path the one that is farther from a step is kept."""
    blocks, gain, _ = problem(p)
    other, fields = problem(p, seed=1)[0], Fields(gain, p)
    for kernel in (blocks, other, blocks * (1 + 1e-6)):
        fields.peaks(kernel)
    kept = [searched.location for searched in fields._searched]
    for kernel, location in zip((other, blocks), kept, strict=True):
        np.testing.assert_array_equal(location, resolution(kernel, gain).argmax(axis=0))


@pytest.mark.parametrize("p", [1, 3])
@pytest.mark.usefixtures("in_small_pieces")
def test_kernels_of_other_noise_have_coordinates_of_their_own(p):
    """Two of them, and of the kernels searched those in them alone."""
    blocks, gain, _ = problem(p)
    fields, before = Fields(gain, p), []
    noises = [10.0 ** np.linspace(-k, k, N) for k in (0, 4, -4)]
    for noise in (noises[0], noises[1], noises[0], noises[2]):
        kernel, count = blocks * noise, len(before)
        expected = resolution(kernel, gain)
        np.testing.assert_array_equal(fields.peaks(kernel).location, expected.argmax(axis=0))
        before += [made for made in fields._coordinates if made not in before]
        assert all(any(s.fields is c.fields for c in fields._coordinates) for s in fields._searched)
        assert len(before) - count == (noise is not noises[0] or not count)
    assert fields._coordinates == before[1:]


@pytest.mark.parametrize("p", [1, 3])
def test_equal_values_have_the_first_as_peak_again(p):
    blocks, gain, _ = problem(p, m=60)
    twice, fields = np.concatenate([blocks, blocks]), Fields(np.tile(gain, (1, 2)), p)
    for scale in (1.0, 1.0 + 1e-9, 2.0):
        found = fields.peaks(scale * twice)
        assert (found.location < 60).all()


@pytest.mark.usefixtures("in_small_pieces")
def test_of_a_kernel_like_another_few_products_are_made(monkeypatch):
    blocks, gain, _ = problem(1, m=600)
    made = []
    original = PeakSearch._squares
    monkeypatch.setattr(
        PeakSearch,
        "_squares",
        lambda self, rows, columns, count: (
            made.append(len(columns) * count) or original(self, rows, columns, count)
        ),
    )
    monkeypatch.setattr(peak_search, "_SAMPLE", 4)
    fields = Fields(gain, 1)
    fields.peaks(blocks)
    first = sum(made)
    fields.peaks(blocks * (1 + 1e-6 * np.random.default_rng(0).standard_normal((600, 1, N))))
    assert sum(made) - first < first / 3


@pytest.mark.usefixtures("in_small_pieces")
def test_locations_of_a_size_that_are_alike_have_one_bound(monkeypatch):
    """Large ones first; whatever the frame of the components, and one of nothing."""
    monkeypatch.setattr(peak_search, "_TOGETHER", 32)
    rng = np.random.default_rng(0)
    kinds, large = np.divmod(rng.permutation(64) % 8, 2)  # eight of each kind and size
    rows = np.linalg.qr(rng.standard_normal((4, N, 3)))[0].transpose(0, 2, 1)
    frames = np.linalg.qr(rng.standard_normal((64, 3, 3)))[0]
    sizes = np.where(large, 100.0, 1.0) * rng.uniform(0.5, 2, 64)
    blocks = sizes[:, None, None] * (frames @ rows[kinds])
    blocks[(large == 0) & (kinds == 3)] = 0.0
    directions = Directions(blocks, rng.standard_normal((N, 3 * 64)))
    order = peak_search._ordered(directions.kernel(blocks))
    np.testing.assert_array_equal(np.sort(order), np.arange(64))
    assert large[order[:32]].all()
    assert all(len(set(block)) == 1 for block in kinds[order].reshape(-1, 8))
