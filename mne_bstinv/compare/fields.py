"""What two kernels make of a field at the sensors, when their coefficients agree to ε.

Tolerances of what is computed with a kernel follow from one assumption, |A_rc − B_rc| ≤ ε |B_rc|
of every coefficient: by Cauchy and Schwarz, for any positive weights s of the channels,

    |(A_i − B_i) g| ≤ ε |B_i / s| |s ∘ g| .

The weights are the norms of the columns, which makes the bound independent of the units of the
channels.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mne_bstinv._types import BoolArray, FloatArray

__all__ = ["FieldBound", "same_peak"]


class FieldBound:
    """The two factors of the bound, for one kernel (n_locations, n_components, n_channels)."""

    def __init__(self, blocks: FloatArray) -> None:
        self._blocks = blocks
        columns = np.linalg.norm(blocks, axis=(0, 1))
        self._weights = np.where(columns > 0, columns, 1.0)
        #: Size of each location's block, channels weighted, shape (n_locations,).
        self.locations: FloatArray = np.linalg.norm(blocks / self._weights, axis=(1, 2))

    @property
    def all_locations(self) -> float:
        """Size of the whole kernel, channels weighted."""
        return float(np.linalg.norm(self.locations))

    @property
    def largest_location(self) -> float:
        """Size of the largest block, channels weighted."""
        return float(self.locations.max())

    def distance(self, blocks: FloatArray) -> float:
        """Largest difference from another kernel's location, channels weighted as this one's."""
        apart = np.linalg.norm((self._blocks - blocks) / self._weights, axis=(1, 2))
        return float(apart.max())

    def fields(self, fields: FloatArray, n_components: int = 1) -> FloatArray:
        """Size of fields (n_channels, n_components · n), weighted, shape (n,)."""
        weighted = self._weights[:, None] * fields
        return np.linalg.norm(weighted.reshape(len(fields), -1, n_components), axis=(0, 2))


def same_peak(largest: Any, elsewhere: Any, bound: Any) -> BoolArray:
    """Whether a maximum and the value of the same estimate elsewhere differ by rounding only.

    If an estimate changes by at most e everywhere, then its old value at its new maximum is within
    2 e of its old maximum: only a larger difference tells that the two peak at different places.
    """
    same: BoolArray = largest - elsewhere <= 2 * bound
    return same
