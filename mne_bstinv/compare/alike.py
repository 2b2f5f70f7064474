"""Bounds of a kernel's products with the fields from what is known of a kernel like it.

Kernels that are compared resemble each other, but for the sizes of their locations. For any
numbers c_i that are not negative,

    |K_i G_j| ≤ c_i |L_i G_j| + |K_i − c_i L_i| |G_j| ,

so that what cannot be a peak of L by some margin need not be multiplied again with K.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mne_bstinv._types import FloatArray, IntArray
from mne_bstinv.compare.directions import SINGLE, Rows

#: Locations by which it is told how much kernels are alike.
_SOME = 300

__all__ = ["Searched"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Searched:
    """A kernel whose products have been looked at, a piece of locations after the other."""

    #: Numbers of the locations of all pieces, (n_locations,), and where the pieces begin.
    order: IntArray
    starts: IntArray
    #: The kernel in this order.
    kernel: Rows
    #: Where each source peaks, (n_sources,).
    location: IntArray
    #: Largest product that each piece can have with a field elsewhere, divided by the units of
    #: both, (n_pieces, n_sources).
    largest: FloatArray

    def bounds(self, kernel: Rows, fields: FloatArray) -> FloatArray:
        """Bound the products of another kernel, in this order, with fields of sizes (n_sources,).

        As :attr:`largest`: but for those of locations where this one peaks.
        """
        scale, rest = self._split(kernel, self.kernel)
        scale, rest = (np.maximum.reduceat(x, self.starts)[:, None] for x in (scale, rest))
        return scale * self.largest + rest * fields

    def apart(self, kernel: Rows) -> float:
        """Tell how much of some locations of another kernel, in any order, is not this one's."""
        places = np.linspace(0, len(self.order) - 1, _SOME).astype(np.int64)
        other = kernel.at(self.order[places])
        with np.errstate(invalid="ignore", divide="ignore"):
            parts = self._split(other, self.kernel.at(places))[1] / other.sizes
        return float(np.nan_to_num(np.median(parts), nan=np.inf))

    @staticmethod
    def _split(kernel: Rows, like: Rows) -> tuple[FloatArray, FloatArray]:
        """Numbers c_i, and how large the rest of each location can be, both (n_locations,)."""
        ours, theirs = like.head, kernel.head
        size, other = like.sizes, kernel.sizes
        products = sum(np.einsum("ni,ni->i", *both) for both in zip(ours, theirs, strict=True))
        scale = np.divide(products, size**2, out=np.zeros(len(size)), where=size > 0)
        scale = np.maximum(scale, 0.0).astype(np.float32)
        squares = np.zeros(len(size))
        for one, another in zip(ours, theirs, strict=True):
            apart = scale * one
            np.subtract(another, apart, out=apart)
            squares += np.einsum("ni,ni->i", apart, apart)
        # of coefficients, of their differences, and of the sum of squares
        rounding = SINGLE * (4 * (other + scale * size) + ours.shape[1] * np.sqrt(squares))
        return scale.astype(np.float64), np.sqrt(squares) + rounding
