"""Bounds of a kernel's products with the fields, from its sizes and from a kernel like it.

Kernels that are compared resemble each other, but for the sizes of their locations. For any
numbers c_i that are not negative,

    |K_i G_j| ≤ c_i |L_i G_j| + |K_i − c_i L_i| |G_j| ,

so that what cannot be a peak of L by some margin need not be multiplied again with K.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from mne_bstinv._types import IntArray
from mne_bstinv.compare.directions import SINGLE, Rows, evenly

__all__ = ["BLOCK", "Searched", "by_blocks", "by_sizes"]

#: Locations that have one bound.
BLOCK = 64
#: Locations by which it is told how much kernels are alike.
_SOME = 300
#: A bound that is made of a few numbers in single precision, rounded up.
_UP = 1 + 8 * SINGLE


def by_blocks(values: Any) -> Any:
    """Largest values (n_blocks, ...) of blocks of locations, of values (n_locations, ...)."""
    whole = len(values) - len(values) % BLOCK
    largest = values[:whole].reshape(-1, BLOCK, *values.shape[1:]).max(axis=1)
    if whole == len(values):
        return largest
    return np.concatenate([largest, values[whole:].max(axis=0, keepdims=True)])


def by_sizes(behind: Any, fields: Any) -> Any:
    """Bound products by squared singular values (n_components, ...) of kernel and fields.

    Of the blocks (n_blocks, n_sources) of locations in this order, divided by the units of both.
    """
    if len(behind) == 1:  # the largest location has all the largest products
        most = by_blocks(behind.T) @ fields
    else:
        parts = range(0, behind.shape[1], BLOCK)
        most = np.stack([(behind[:, k : k + BLOCK].T @ fields).max(axis=0) for k in parts])
    np.sqrt(most, out=most)
    most *= _UP
    return most


@dataclass(frozen=True, kw_only=True, eq=False)
class Searched:
    """A kernel whose products have been bounded, a block of locations after the other."""

    kernel: Rows
    #: The fields in the same coordinates.
    fields: Rows
    #: Numbers of the locations of all blocks, (n_locations,).
    order: IntArray
    #: Where each source peaks, (n_sources,).
    location: IntArray
    #: How large the products of a block can be, divided by the units of kernel and fields,
    #: (n_blocks, n_sources) of float32.
    most: Any

    def bounds(self, kernel: Rows) -> Any:
        """Bound the products of another kernel in these coordinates and order; as :attr:`most`."""
        found = by_sizes(kernel.behind[0][:, self.order], self.fields.behind[0])
        for block, most in enumerate(found):
            locations = self.order[block * BLOCK : (block + 1) * BLOCK]
            split = self._split(kernel.at(locations), self.kernel.at(locations))
            scale, rest = (_UP * x.max() for x in split)
            np.minimum(most, scale * self.most[block] + rest * self.fields.sizes, out=most)
        return found

    def apart(self, kernel: Rows) -> float:
        """Tell how much of some locations of another kernel is not this one's, as above."""
        places = evenly(len(self.order), _SOME)
        other = kernel.at(places)
        with np.errstate(invalid="ignore", divide="ignore"):
            parts = self._split(other, self.kernel.at(places))[1] / other.sizes
        return float(np.nan_to_num(np.median(parts), nan=np.inf))

    @staticmethod
    def _split(kernel: Rows, like: Rows) -> tuple[Any, Any]:
        """Numbers c_i, and how large the rest of each location can be, both (n_locations,)."""
        size, other = like.sizes, kernel.sizes
        products, squares = np.zeros((2, len(size)), dtype=np.float32)
        for one, another in zip(like.head, kernel.head, strict=True):
            products += np.einsum("in,in->i", one, another)
        scale = np.divide(products, size**2, out=np.zeros_like(size), where=size > 0)
        scale = np.maximum(scale, 0.0)
        for one, another in zip(like.head, kernel.head, strict=True):
            rest = another - scale[:, None] * one
            squares += np.einsum("in,in->i", rest, rest)
        # of coefficients, of their differences, and of the sum of squares
        rest = np.sqrt(squares)
        return scale, rest + SINGLE * (4 * (other + scale * size) + like.head.shape[2] * rest)
