"""Bounds of products in few directions: large enough, and tight for kernels of the fields."""

from __future__ import annotations

import numpy as np
import pytest

from mne_bstinv.compare.directions import Directions, block_sizes

N, M = 20, 80


def products(rows, other, count):
    """Products of blocks in the first directions, and the bound of what is left out."""
    k = rows.counts.index(count)
    heads = [r.head[..., :count].astype(np.float64).transpose(1, 0, 2) for r in (rows, other)]
    left, right = (np.ascontiguousarray(h).reshape(M * rows.head.shape[0], count) for h in heads)
    rest = np.sqrt(rows.behind[k].T @ other.behind[k])
    unit = rows.unit * other.unit
    return unit * block_sizes(left @ right.T, rows.head.shape[0]), unit * rest


@pytest.mark.parametrize("p", [1, 3])
def test_what_is_left_out_is_within_its_bound(p):
    rng = np.random.default_rng(p)
    blocks, gain = rng.standard_normal((M, p, N)), rng.standard_normal((N, p * M))
    expected = block_sizes(blocks.reshape(-1, N) @ gain, p)
    made = Directions(blocks, gain)
    kernel = made.kernel(blocks)
    for count in kernel.counts:
        head, rest = products(kernel, made.fields, count)
        # single precision of the coefficients
        assert (abs(expected - head) <= rest + 1e-6 * expected.max()).all()
    assert not rest.any()


@pytest.mark.parametrize("p", [1, 3])
@pytest.mark.parametrize("units", [1e-13, 1e13])
def test_a_kernel_made_of_the_fields_is_bound_tightly(p, units):
    """Whatever the sizes of its locations, its units, and what it hardly sees."""
    rng = np.random.default_rng(7)
    gain = rng.standard_normal((N, p * M)) * np.exp(-0.2 * np.arange(N))[:, None]
    basis = np.linalg.qr(rng.standard_normal((N, N)))[0]
    middle = (basis * np.array([1e-14, *rng.uniform(0.5, 1, N - 1)])) @ basis.T
    sizes = units * 10 ** rng.uniform(-1, 1, M)
    blocks = sizes[:, None, None] * (gain.T @ middle).reshape(M, p, N)
    made = Directions(blocks, gain)
    _, bound = products(made.kernel(blocks), made.fields, 0)
    value = block_sizes(blocks.reshape(-1, N) @ gain, p)
    # Cauchy and Schwarz are equal for fields along the kernel, in the coordinates of `middle`
    assert np.median(np.diag(bound) / np.diag(value)) < 1.1


@pytest.mark.parametrize("p", [1, 3])
def test_how_tight_coordinates_are(p):
    """As products and bounds of all locations tell; what sees nothing has no tight bounds."""
    rng = np.random.default_rng(p)
    blocks, gain = rng.standard_normal((M, p, N)), rng.standard_normal((N, p * M))
    made = Directions(blocks, gain)
    _, bound = products(made.kernel(blocks), made.fields, 0)
    value = block_sizes(blocks.reshape(-1, N) @ gain, p)
    expected = np.median(np.diag(value) / np.diag(bound))
    np.testing.assert_allclose(made.tightness(blocks), expected, rtol=1e-5)
    np.testing.assert_allclose(made.tightness(1e9 * blocks), expected, rtol=1e-5)
    assert made.own == made.tightness(blocks)
    assert made.tightness(0 * blocks) == 0
