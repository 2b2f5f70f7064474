"""Directions in which the products of kernels and fields are bound by few numbers.

In balanced coordinates (Moore 1981, *IEEE Trans. Autom. Control* 26, 17–32) kernel and fields have
the same size in each direction, sorted down. All locations count the same, so that a kernel that
is made of the fields is turned along them, whatever the sizes of its blocks. What is left out of a
product |K_i G_j| is bounded by von Neumann's inequality for the singular values σ, sorted down,

    |K_i G_j|² ≤ Σ_k σ_k²(K_i) σ_k²(G_j) .
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import combinations_with_replacement, pairwise
from typing import Any

import numpy as np

from mne_bstinv._types import FloatArray, IntArray

__all__ = ["SINGLE", "Directions", "Rows", "block_sizes", "evenly", "fields_of"]

#: Unit roundoff of single precision.
SINGLE = 2.0**-24
#: Rows from which the coordinates are made, and how often: sizes depend on coordinates.
_SOME, _ROUNDS = 1000, 2
#: Parts of the directions that may be multiplied: none of them, to all.
_PARTS = (0.0, 0.05, 0.1, 0.18, 0.25, 0.4, 1.0)
#: Locations that are turned at a time.
_PIECE = 512
#: Eigenvalues are not taken for less than this part of the largest.
_FAINT = 1e-12
#: Locations by which it is told whether coordinates suit a kernel.
_LOOKED_AT = 100


@dataclass(frozen=True, kw_only=True, eq=False)
class Rows:
    """Blocks of a kernel, or of the fields, in single precision, and the sizes of parts of them."""

    #: In the directions, (n_components, n_locations, n_channels) of float32.
    head: Any
    #: Numbers of directions that may be multiplied, the first 0, the last n_channels.
    counts: tuple[int, ...]
    #: Squared singular values, sorted down, of each location's block in the directions behind
    #: them, rounded up, (n_counts, n_components, n_locations) of float32.
    behind: Any
    #: What was divided by: about the size of the largest.
    unit: float

    def at(self, locations: IntArray | slice) -> Rows:
        """Take some locations."""
        head, behind = self.head[:, locations], self.behind[:, :, locations]
        return Rows(head=head, counts=self.counts, behind=behind, unit=self.unit)

    @cached_property
    def sizes(self) -> Any:
        """Frobenius norms of the blocks, rounded up, (n_locations,) of float32."""
        return np.sqrt(self.behind[0].sum(axis=0))


class Directions:
    """The coordinates for the fields of a gain, made for a kernel like those to come.

    Blocks (n_locations, n_components, n_channels), gain (n_channels, n_components * n_locations).
    """

    def __init__(self, blocks: FloatArray, gain: FloatArray) -> None:
        by_location = fields_of(gain, blocks.shape[1])
        # of kernels, and of fields: their product is the identity
        self._to_kernel, to_fields = _balanced(_some(blocks), _some(by_location))
        #: The fields in these coordinates.
        self.fields = _rows(by_location, to_fields.T)
        #: How tight they are for the kernel that they were made for.
        self.own = self.tightness(blocks)

    def tightness(self, blocks: FloatArray) -> float:
        """How large products with the fields of the same locations are, by their bounds: up to 1.

        That of a kernel W_i G_i' M of one component is 1 in the coordinates that turn M to 1.
        """
        some = evenly(len(blocks), _LOOKED_AT)
        kernel, fields = _rows(blocks[some], self._to_kernel), self.fields.at(some)
        most = np.sqrt((kernel.behind[0] * fields.behind[0]).sum(axis=0))
        found = np.linalg.norm(np.einsum("ain,bin->abi", kernel.head, fields.head), axis=(0, 1))
        seen = most > 0
        return float(np.median(found[seen] / most[seen])) if seen.any() else 0.0

    def kernel(self, blocks: FloatArray) -> Rows:
        """Return a kernel in these coordinates."""
        return _rows(blocks, self._to_kernel)


def fields_of(gain: FloatArray, p: int) -> FloatArray:
    """View a gain (n_channels, p * n_sources) as fields, shape (n_sources, p, n_channels)."""
    return gain.T.reshape(-1, p, len(gain))


def evenly(n: int, count: int) -> IntArray:
    """Choose so many of n at most, evenly."""
    return np.unique(np.linspace(0, n - 1, min(count, n)).astype(np.int64))


def _some(blocks: FloatArray) -> FloatArray:
    """Take some of the locations."""
    return blocks[evenly(len(blocks), _SOME // blocks.shape[1])]


def _balanced(kernel: FloatArray, fields: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Find the coordinates of kernel and fields (n_locations, n_components, n_channels)."""
    columns = np.linalg.norm(kernel, axis=(0, 1))
    scale = np.where(columns > 0, columns, 1.0)
    to_kernel, to_fields = np.diag(1 / scale), np.diag(scale)
    p, n = kernel.shape[1:]
    for _ in range(_ROUNDS):
        turned = kernel.reshape(-1, n) @ to_kernel, fields.reshape(-1, n) @ to_fields.T
        grams = (_gram(rows.reshape(-1, p, n)) for rows in turned)
        for_kernel, for_fields = _balance(*grams)
        to_kernel, to_fields = to_kernel @ for_kernel, for_fields @ to_fields
    return to_kernel, to_fields


def _gram(blocks: FloatArray) -> FloatArray:
    """Gram matrix of the rows of blocks, each block divided by its size."""
    sizes = np.sqrt(np.einsum("mpn,mpn->m", blocks, blocks))
    rows = (blocks / np.where(sizes > 0, sizes, 1.0)[:, None, None]).reshape(-1, blocks.shape[2])
    return rows.T @ rows


def _balance(kernel: FloatArray, fields: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Find what turns to directions in which both Gram matrices are the same diagonal one.

    Directions that one of them hardly has are taken for faint, so that both ways can be gone.
    """
    p, v = np.linalg.eigh(kernel)
    if not p[-1] > 0:  # a kernel that sees nothing
        return np.eye(len(p)), np.eye(len(p))
    root = v * np.sqrt(np.maximum(p, _FAINT * p[-1]))
    s2, u = np.linalg.eigh(root.T @ fields @ root)
    if not s2[-1] > 0:
        return np.eye(len(p)), np.eye(len(p))
    s2, u = np.maximum(s2[::-1], _FAINT * s2[-1]), u[:, ::-1]
    weight = s2**0.25
    return root / np.maximum(p, _FAINT * p[-1]) @ u * weight, (u / weight).T @ root.T


def _rows(blocks: FloatArray, turn: FloatArray) -> Rows:
    """Turn blocks, take them to single precision, and find the sizes of their parts."""
    m, p, n = blocks.shape
    counts = tuple(np.unique(np.rint(n * np.array(_PARTS)).astype(np.int64)).tolist())
    some = _some(blocks).reshape(-1, n) @ turn
    unit = float(np.linalg.norm(some, axis=1).max()) or 1.0
    head, turn = np.empty((p, m, n), dtype=np.float32), turn / unit
    for start in range(0, m, _PIECE):
        piece = blocks[start : start + _PIECE]
        turned = piece.reshape(-1, n) @ turn
        head[:, start : start + _PIECE] = turned.reshape(piece.shape).transpose(1, 0, 2)
    return Rows(head=head, counts=counts, behind=_behind(head, counts), unit=unit)


def _behind(head: Any, counts: tuple[int, ...]) -> Any:
    """Find the squared singular values of what is behind so many directions, rounded up."""
    p, m, n = head.shape
    grams = np.zeros((len(counts), m, p, p))
    for k, (first, last) in reversed(list(enumerate(pairwise(counts)))):
        part = head[:, :, first:last]
        for a, b in combinations_with_replacement(range(p), 2):
            # eigvalsh takes what is below the diagonal
            grams[k, :, b, a] = grams[k + 1, :, b, a] + np.einsum("in,in->i", part[a], part[b])
    values = grams[..., 0] if p == 1 else np.linalg.eigvalsh(grams)[..., ::-1]
    # of sums in single precision, and of what is made of these
    values = np.maximum(values, 0.0)
    values += 4 * (n + 8) * SINGLE * values.sum(axis=2, keepdims=True)
    return np.ascontiguousarray(values.transpose(0, 2, 1), dtype=np.float32)


def block_sizes(products: FloatArray, p: int) -> FloatArray:
    """|K_i G_j| of products (p * n_locations, p * n_sources), shape (n_locations, n_sources)."""
    blocks = products.reshape(len(products) // p, p, -1, p)
    sizes: FloatArray = np.sqrt(np.einsum("iajb,iajb->ij", blocks, blocks))
    return sizes
