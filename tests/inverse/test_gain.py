"""A gain that is gone through piece by piece is the one that its array is."""

from __future__ import annotations

import numpy as np
import pytest
from inverse_problems import readonly

from mne_bstinv.inverse import gain as module
from mne_bstinv.inverse.gain import Gain

N, M = 5, 7


def _walked(gain: Gain) -> np.ndarray:
    """Gather the blocks, which may be overwritten by the next."""
    found = np.full((gain.n_sources, 3, gain.n_channels), np.nan)
    for locations, block in gain.blocks():
        found[locations] = block
    return found.reshape(-1, gain.n_channels).T


class Reused:
    """Takes some channels, and writes the next rows over the last."""

    def __init__(self) -> None:
        self.out = np.empty((100, 2))

    def __call__(self, rows):
        out = self.out[: len(rows)]
        out[...] = rows[:, [3, 1]]
        return out


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("in_use", [None, Reused()], ids=["all", "some"])
@pytest.mark.parametrize("locations", [None, [4, 0, 6, 1, 5]], ids=["whole", "region"])
def test_blocks_and_array(order, in_use, locations, monkeypatch):
    monkeypatch.setattr(module, "_AT_ONCE", 6)  # two locations
    stored = np.array(np.random.default_rng(0).standard_normal((N, 3 * M)), order=order)
    expected = stored if in_use is None else stored[[3, 1]]
    gain = Gain(stored, in_use)
    if locations is not None:
        gain = gain.at(np.array(locations))
        expected = expected.reshape(-1, M, 3)[:, locations].reshape(len(expected), -1)
    assert gain.shape == (gain.n_channels, 3 * gain.n_sources) == expected.shape
    np.testing.assert_array_equal(_walked(gain), expected)
    np.testing.assert_array_equal(gain.array, expected)
    assert gain.array is gain.array
    assert np.shares_memory(gain.array, stored) == (in_use is None and locations is None)


def test_other_numbers_are_doubles():
    stored = readonly(np.arange(6 * N).reshape(N, 6)).astype(np.int16)
    (block,) = (block for _, block in Gain(stored).blocks())
    assert block.dtype == np.float64
    np.testing.assert_array_equal(_walked(Gain(stored)), stored)
