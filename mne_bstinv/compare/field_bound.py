"""What two kernels make of a field at the sensors, when their coefficients agree to ε.

Tolerances of what is computed with a kernel follow from one assumption, |A_rc − B_rc| ≤ ε |B_rc|
of every coefficient: by Cauchy and Schwarz, for any positive weights s of the channels,

    |(A_i − B_i) g| ≤ ε |B_i / s| |s ∘ g| .

The weights are the norms of the columns, which makes the bound independent of the units of the
channels.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np

from mne_bstinv._types import BoolArray, FloatArray

__all__ = ["FieldBound", "same_peak"]

#: Numbers of the blocks that are weighted at a time: 2 MB.
_PIECE = 2**18


class FieldBound:
    """The two factors of the bound, for one kernel (n_locations, n_components, n_channels)."""

    def __init__(self, blocks: FloatArray) -> None:
        self.blocks = blocks

    @cached_property
    def _weights(self) -> FloatArray:
        columns = np.sqrt(np.einsum("mpn,mpn->n", self.blocks, self.blocks))
        return np.where(columns > 0, columns, 1.0)

    @cached_property
    def locations(self) -> FloatArray:
        """Size of each location's block, channels weighted, shape (n_locations,)."""
        found = np.empty(len(self.blocks))
        for part in self._parts():
            found[part] = self._sizes(self.blocks[part])
        return found

    @property
    def all_locations(self) -> float:
        """Size of the whole kernel, channels weighted."""
        return float(np.linalg.norm(self.locations))

    @property
    def largest_location(self) -> float:
        """Size of the largest block, channels weighted."""
        return float(self.locations.max())

    def is_near(self, other: FloatArray, factor: float, distance: float) -> bool:
        """Whether no block is farther from that multiple of another kernel, channels weighted."""
        return all(
            self._sizes(self.blocks[part] - factor * other[part]).max() <= distance
            for part in self._parts()
        )

    def _parts(self) -> Iterator[slice]:
        """Go through the locations, a piece at a time that stays in the cache."""
        m, p, n = self.blocks.shape
        step = max(1, _PIECE // (p * n))
        return (slice(start, start + step) for start in range(0, m, step))

    def _sizes(self, blocks: FloatArray) -> FloatArray:
        """Size of each block, channels weighted, shape (n_blocks,)."""
        weighted = blocks / self._weights
        return np.sqrt(np.einsum("mpn,mpn->m", weighted, weighted))

    def fields(self, fields: FloatArray, n_components: int = 1) -> FloatArray:
        """Size of fields (n_channels, n_components · n), weighted, shape (n,)."""
        found = np.empty(fields.shape[1])
        step = max(1, _PIECE // len(fields))
        for start in range(0, len(found), step):
            weighted = fields[:, start : start + step] * self._weights[:, None]
            found[start : start + step] = np.einsum("nj,nj->j", weighted, weighted)
        return np.sqrt(found.reshape(-1, n_components).sum(axis=1))


def same_peak(largest: Any, elsewhere: Any, bound: Any) -> BoolArray:
    """Whether a maximum and the value of the same estimate elsewhere differ by rounding only.

    If an estimate changes by at most e everywhere, then its old value at its new maximum is within
    2 e of its old maximum: only a larger difference tells that the two peak at different places.
    """
    same: BoolArray = largest - elsewhere <= 2 * bound
    return same
