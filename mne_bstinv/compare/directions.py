"""Directions in which the products of kernels and fields are bound by few numbers.

In balanced coordinates (Moore 1981, *IEEE Trans. Autom. Control* 26, 17–32) kernel and fields have
the same size in each direction, sorted down. What is left out of a product |K_i G_j| is bounded by
Cauchy and Schwarz, in the norms ‖·‖ (largest singular value) and |·| (Frobenius),

    |K_i G_j| ≤ min(‖K_i‖ |G_j|, |K_i| ‖G_j‖) .
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from mne_bstinv._types import FloatArray, IntArray

__all__ = ["SINGLE", "Directions", "Rows", "block_sizes", "norms"]

#: Unit roundoff of single precision.
SINGLE = 2.0**-24
#: Parts of the directions that are tried as the ones to multiply; sources and locations on which.
_PARTS, _TRIED = (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.8), (48, 2000)
#: Costs of a location and a source in products with one direction: of what is done with a product,
#: of comparing it again, by the number of channels, and of a piece of locations to compare in.
_LOOK, _AGAIN, _HIT = 5.0, 300.0, 1000.0
#: By what part the largest values are taken for smaller: other kernels fit the directions less.
_SLACK = 0.05
#: Locations of a piece.
_PIECE = 512
#: Eigenvalues below this part of the largest are left to the bound.
_FAINT = 1e-12


@dataclass(frozen=True, kw_only=True, eq=False)
class Rows:
    """Blocks of a kernel, or of the fields, in single precision, and what is left out of them."""

    #: The directions that are multiplied, (n_components, n_directions, n_locations) of float32.
    head: Any
    #: Norms ‖·‖ and |·| of each location's block, (2, n_locations).
    whole: FloatArray
    #: The same in the other directions, (2, n_locations).
    rest: FloatArray
    #: What was divided by.
    unit: float

    def at(self, locations: IntArray) -> Rows:
        """Take some locations."""
        return Rows(
            head=self.head[:, :, locations],
            whole=self.whole[:, locations],
            rest=self.rest[:, locations],
            unit=self.unit,
        )


class Directions:
    """The coordinates for the fields of a gain, made for a kernel like those to come.

    Blocks (n_locations, n_components, n_channels), gain (n_channels, n_components * n_locations).
    """

    def __init__(self, blocks: FloatArray, gain: FloatArray) -> None:
        self._p, n = blocks.shape[1], blocks.shape[2]
        columns = np.linalg.norm(blocks, axis=(0, 1))
        scale = np.where(columns > 0, columns, 1.0)
        # of kernels, and of fields: their product is the identity
        self._to_kernel, self._to_fields = np.diag(1 / scale), np.diag(scale)
        self._balance(blocks.reshape(-1, n) / scale, scale[:, None] * gain)
        fields = gain.T @ self._to_fields.T
        kernel = blocks.reshape(-1, n) @ self._to_kernel
        self._n_directions = _least_work(kernel, fields, self._p)
        #: The fields in these coordinates.
        self.fields = _rows(fields, self._p, self._n_directions)

    def _balance(self, kernel: FloatArray, fields: FloatArray) -> None:
        """Turn to directions in which both Gram matrices are the same diagonal one."""
        p, v = np.linalg.eigh(kernel.T @ kernel)
        kept = p > max(_FAINT * p[-1], 0.0)
        root = v[:, kept] * np.sqrt(p[kept])
        s2, u = np.linalg.eigh(root.T @ (fields @ fields.T) @ root)
        if not (s2 > 0).any():  # a kernel that sees nothing
            return
        s2, u = np.maximum(s2[::-1], _FAINT * s2[-1]), u[:, ::-1]
        weight = s2**0.25
        rest = v[:, ~kept]  # what the kernel does not see stays as it is, behind
        turned = (v[:, kept] / np.sqrt(p[kept])) @ u * weight
        self._to_kernel = self._to_kernel @ np.hstack([turned, rest])
        self._to_fields = np.vstack([(u / weight).T @ root.T, rest.T]) @ self._to_fields

    def kernel(self, blocks: FloatArray) -> Rows:
        """Return a kernel in these coordinates."""
        turned = blocks.reshape(-1, blocks.shape[2]) @ self._to_kernel
        return _rows(turned, self._p, self._n_directions)


def _rows(turned: FloatArray, p: int, n_directions: int) -> Rows:
    """Keep the first directions of rows (p * n_locations, n) in single precision."""
    blocks = turned.reshape(-1, p, turned.shape[1])
    whole = norms(blocks)
    unit = float(whole[1].max()) or 1.0
    head = np.ascontiguousarray(blocks[:, :, :n_directions].transpose(1, 2, 0), dtype=np.float32)
    head /= np.float32(unit)
    rest = norms(blocks[:, :, n_directions:])
    return Rows(head=head, whole=whole / unit, rest=rest / unit, unit=unit)


def norms(blocks: FloatArray) -> FloatArray:
    """Norms ‖·‖ and |·| of blocks (n_locations, n_components, n), shape (2, n_locations)."""
    grams = blocks @ blocks.transpose(0, 2, 1)
    squares = np.trace(grams, axis1=1, axis2=2)
    largest = squares if grams.shape[1] == 1 else np.linalg.eigvalsh(grams)[:, -1]
    return np.sqrt(np.maximum([largest, squares], 0.0))


def _least_work(kernel: FloatArray, fields: FloatArray, p: int) -> int:
    """Choose the number of directions that means the least work, tried on a few sources."""
    n, m = kernel.shape[1], len(kernel) // p
    tried = [np.unique(np.linspace(0, m - 1, count).astype(np.int64)) for count in _TRIED]
    sources, locations = (
        x.reshape(m, p, n)[some] for x, some in zip((fields, kernel), tried, strict=True)
    )
    largest = block_sizes(kernel @ sources.reshape(-1, n).T, p).max(axis=0)
    work = {n: p**2 * (n + _LOOK)}
    for part in _PARTS:
        count = max(1, round(part * n))
        heads = (np.ascontiguousarray(x[:, :, :count]) for x in (locations, sources))
        left, right = (x.reshape(-1, count) for x in heads)
        behind, of_sources = (norms(x[:, :, count:]) for x in (locations, sources))
        sizes = block_sizes(left @ right.T, p)
        sizes += np.minimum(*(np.outer(behind[k], of_sources[1 - k]) for k in range(2)))
        again = float((sizes > (1 - _SLACK) * largest).mean())
        hits = min(1.0, _PIECE * again)
        work[count] = p**2 * (count + _LOOK) + _AGAIN * again * n + _HIT * hits
    return min(work, key=lambda count: work[count])


def block_sizes(products: FloatArray, p: int) -> FloatArray:
    """|K_i G_j| of products (p * n_locations, p * n_sources), shape (n_locations, n_sources)."""
    blocks = products.reshape(len(products) // p, p, -1, p)
    sizes: FloatArray = np.sqrt(np.einsum("iajb,iajb->ij", blocks, blocks))
    return sizes
