"""Distances of amplitudes from sums over sources."""

from __future__ import annotations

from types import SimpleNamespace
from typing import NamedTuple

import numpy as np
import pytest

from mne_bstinv._verdicts import RTOL
from mne_bstinv.cross_validation.amplitudes import Amplitudes


class Made(NamedTuple):
    """By what rows, or a kernel, are made: all have one gain here."""

    number: int
    gain: str = "one"

    @property
    def rows(self) -> Made:
        return self


class Systems:
    """Amplitudes D q T of a gain whose channels see less and less, by ``spread`` in all."""

    def __init__(self, spread: float) -> None:
        rng, falling = np.random.default_rng(0), np.geomspace(1.0, 1.0 / spread, 8)
        turned = np.linalg.qr(rng.standard_normal((8, 8)))[0]
        self.ingredients = SimpleNamespace(compared=slice(None))
        self._gain = (rng.standard_normal((500, 1, 8)) * falling) @ turned.T
        self._right = turned / falling
        self._weights = [np.ones((500, 1)), 1 + 0.1 * rng.standard_normal((500, 1))]

    def gain(self, _: Made) -> np.ndarray:
        return self._gain

    def variances(self, rows: Made) -> np.ndarray:
        return self._weights[rows.number]

    def system(self, _: Made) -> SimpleNamespace:
        return SimpleNamespace(right=self._right)

    def kernel(self, stages: Made) -> np.ndarray:
        return self._weights[stages.number][..., None] * (self._gain @ self._right)


@pytest.mark.parametrize("spread", [1e0, 1e2, 1e4, 1e6])
def test_a_distance_is_told_as_well_as_what_counts_as_equal_or_not_at_all(spread):
    systems, a, b = Systems(spread), Made(0), Made(1)
    found = Amplitudes(systems).apart(a, b, None)
    expected = np.linalg.norm(systems.kernel(a) - systems.kernel(b))
    assert (found is None) == (spread > 1e2)
    assert found is None or found == pytest.approx(expected, rel=RTOL)
