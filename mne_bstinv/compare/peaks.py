"""Where the point spreads of a kernel peak.

The point spread of source j at location i is R_ij = |K_i G_j|, the Frobenius norm: for three
components, √3 times the root mean square over all orientations of the source, whichever frame the
components are in.

A peak needs R. It is looked for in single precision, a piece at a time that stays in the cache;
what single precision cannot tell from the largest is compared in double precision. Of three
components, where R is nine products, only the directions that contribute most are multiplied: in
balanced coordinates (Moore 1981, *IEEE Trans. Autom. Control* 26, 17–32) kernel and fields have the
same size in each direction, sorted down, and the inequality of Cauchy and Schwarz bounds what the
rest can add.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from mne_bstinv._types import FloatArray, IntArray
from mne_bstinv.compare.fields import FieldBound

__all__ = ["PIECE", "Fields", "Peaks", "block_sizes", "same_array"]

#: Numbers of the piece of R that is held at a time: 2 MB in single precision, half of a cache.
PIECE = 2**19
#: Unit roundoff of single precision.
_SINGLE = 2.0**-24
#: Parts of the directions that are tried as the ones to multiply, and sources they are tried on.
_PARTS, _TRIED = (0.06, 0.1, 0.15, 0.25, 0.4), 24
#: Cost of comparing one location again, in products with one direction.
_AGAIN = 50.0
#: Locations that may be the peak of a source beyond which all are compared.
_MANY = 500
#: Eigenvalues below this part of the largest are left to the bound.
_FAINT = 1e-12


@dataclass(frozen=True, kw_only=True, eq=False)
class Peaks:
    """Where the point spread of each source peaks under one kernel."""

    #: Number of the location of the largest value, (n_sources,).
    location: IntArray
    #: That value, (n_sources,); 0 where the source has no point spread.
    value: FloatArray


@dataclass(frozen=True, kw_only=True, eq=False)
class _Rows:
    """Rows in single precision, largest directions first, with what is left out of them."""

    #: The directions that are multiplied, (n_directions, n_components * n_locations) of float32;
    #: all locations of a component follow each other.
    head: Any
    #: Size of each location's block in the other directions, and its size for the rounding, (2,
    #: n_locations) of float32: the inner product of two such columns bounds the error of a product.
    bounds: Any
    #: What was divided by: the largest size of a block.
    unit: float


class Fields:
    """The fields of unit sources at all locations, and where point spreads of them peak.

    Of a gain (n_channels, n_components * n_locations).
    """

    def __init__(self, gain: FloatArray, n_components: int) -> None:
        self.gain, self._p = gain, n_components
        self._known: list[tuple[FloatArray, Peaks]] = []
        self._pinned: list[tuple[FloatArray, Peaks]] = []
        self._coordinates: _Coordinates | None = None

    def peaks(self, blocks: FloatArray) -> Peaks:
        """Return the peaks of a kernel (n_locations, n_components, n_channels), computed once."""
        for known, found in (*self._pinned, *self._known):
            if same_array(known, blocks):
                return found
        found = self._found(blocks)
        self._known = [*self._known[-1:], (blocks, found)]
        return found

    def agree(
        self, blocks: FloatArray, other: FloatArray, change: float, *, keep: bool = False
    ) -> bool:
        """Take the peaks of a kernel for those of another if no peak can differ but by rounding.

        With |A_i − B_i| ≤ δ in the weights of A, a maximum of A is within 2 δ |s ∘ g_j| of A's
        value at the maximum of B. What is kept stays known for good.
        """
        bound = FieldBound(blocks)
        # in sizes of A: |A_i − B_i| ≤ ε |B_i| ≤ ε / (1 − ε) |A_i|
        agrees = bound.distance(other) <= change / (1 - change) * bound.largest_location
        if agrees and keep:
            self._pinned.append((blocks, self.peaks(other)))
        return agrees

    def _found(self, blocks: FloatArray) -> Peaks:
        m = len(blocks)
        if self._coordinates is None:
            self._coordinates = _Coordinates(blocks, self.gain)
        kernel, fields = self._coordinates.kernel(blocks), self._coordinates.fields
        location, value = np.zeros(m, dtype=np.int64), np.zeros(m)
        for part in _pieces(m, self._p):
            columns = np.flatnonzero(fields.bounds[1, part] > 0) + part.start
            if columns.size and kernel.bounds[1].any():
                location[columns], value[columns] = self._peaks_of(blocks, kernel, fields, columns)
        return Peaks(location=location, value=value)

    def _peaks_of(
        self, blocks: FloatArray, kernel: _Rows, fields: _Rows, columns: IntArray
    ) -> tuple[IntArray, FloatArray]:
        """Find the peaks of some sources (n,): locations that may be one, compared exactly."""
        sizes = _sizes(kernel, fields, columns, self._p)
        guess = sizes.argmax(axis=1)
        largest = self._exact(blocks, guess, columns)
        bounds = fields.bounds[:, columns]
        threshold = (largest / (kernel.unit * fields.unit)).astype(np.float32)
        if bounds[0].any():
            sizes += bounds.T @ kernel.bounds
        else:  # all directions were multiplied: rounding only
            threshold -= bounds[1] * kernel.bounds[1].max()
        # the sums are rounded, too
        possible = sizes >= (threshold - 4 * _SINGLE * np.abs(threshold))[:, None]
        possible[np.arange(len(columns)), guess] = True
        location, value = guess, largest
        # of one dimension: several times as fast
        rows, locations = np.divmod(np.flatnonzero(possible.ravel()), possible.shape[1])
        many = np.bincount(rows, minlength=len(columns)) > _MANY
        if many.any():
            location[many], value[many] = self._among_all(blocks, columns[many])
            rows, locations = rows[~many[rows]], locations[~many[rows]]
        if rows.size:
            values = self._exact(blocks, locations, columns[rows])
            few, starts = np.unique(rows, return_index=True)
            top = np.maximum.reduceat(values, starts)
            first = np.flatnonzero(values >= np.repeat(top, np.diff([*starts, len(rows)])))
            _, unique = np.unique(rows[first], return_index=True)
            location[few], value[few] = locations[first[unique]], top
        return location, value

    def _among_all(self, blocks: FloatArray, columns: IntArray) -> tuple[IntArray, FloatArray]:
        """Find the peaks of some sources (n,) among all locations, in double precision."""
        fields = self.gain.reshape(len(self.gain), -1, self._p)[:, columns]
        rows = blocks.reshape(-1, blocks.shape[2])
        sizes = block_sizes(rows @ fields.reshape(len(fields), -1), self._p)
        location = sizes.argmax(axis=0)
        return location, sizes[location, np.arange(len(columns))]

    def values(self, blocks: FloatArray, locations: IntArray) -> FloatArray:
        """|K_i G_j| of one location i (n_sources,) for each source j, shape (n_sources,)."""
        return self._exact(blocks, locations, np.arange(len(locations)))

    def _exact(self, blocks: FloatArray, locations: IntArray, sources: IntArray) -> FloatArray:
        """|K_i G_j| of pairs of a location and a source (n_pairs,), in double precision."""
        fields = self.gain.reshape(len(self.gain), -1, self._p)
        values = np.empty(len(locations))
        step = max(1, 4 * PIECE // (self._p * len(fields)))
        for start in range(0, len(locations), step):
            part = slice(start, start + step)
            kernel = blocks[locations[part]]
            of_sources = fields[:, sources[part]]
            products = np.einsum("kan,nkb->kab", kernel, of_sources, optimize=False)
            values[part] = np.linalg.norm(products, axis=(1, 2))
        return values


def same_array(one: FloatArray, other: FloatArray) -> bool:
    """Tell whether two arrays are views of the same numbers."""
    places = (a.__array_interface__["data"][0] for a in (one, other))
    return len(set(places)) == 1 and (one.shape, one.strides) == (other.shape, other.strides)


def _pieces(n_locations: int, n_components: int) -> Iterator[slice]:
    """Split the sources so that their spreads stay in the cache; show progress if it takes long."""
    from tqdm import tqdm

    step = max(1, PIECE // (n_locations * n_components**2))
    starts = range(0, n_locations, step)
    # disable=None: only where somebody watches; delay: not for what is over in a moment
    for start in tqdm(starts, desc="point spreads", disable=None, delay=1, leave=False):
        yield slice(start, min(start + step, n_locations))


def _sizes(kernel: _Rows, fields: _Rows, columns: IntArray, p: int) -> Any:
    """|K_i G_j| by the directions multiplied, of some sources j, (n_columns, n_locations)."""
    m = kernel.bounds.shape[1]
    of_sources = fields.head.reshape(len(fields.head), p, m)[:, :, columns]
    left = np.ascontiguousarray(of_sources.reshape(len(fields.head), -1).T)
    products = (left @ kernel.head).reshape(p, len(columns), p, m)
    if p == 1:
        return np.abs(products[0, :, 0])
    np.multiply(products, products, out=products)
    return np.sqrt(np.add.reduce(np.add.reduce(products, axis=2), axis=0))


class _Coordinates:
    """Directions in which kernel and fields are multiplied: all, or those that matter most."""

    def __init__(self, blocks: FloatArray, gain: FloatArray) -> None:
        self._p, n = blocks.shape[1], blocks.shape[2]
        columns = np.linalg.norm(blocks, axis=(0, 1))
        scale = np.where(columns > 0, columns, 1.0)
        # of kernels, and of fields: their product is the identity
        self._to_kernel, self._to_fields = np.diag(1 / scale), np.diag(scale)
        self._n_directions = n
        if self._p > 1:
            self._balance(blocks.reshape(-1, n) / scale, scale[:, None] * gain)
        turned = _Turned(gain.T @ self._to_fields.T, self._p)
        if self._p > 1:
            kernel = _Turned(blocks.reshape(-1, n) @ self._to_kernel, self._p)
            self._n_directions = _fewest_directions(kernel, turned, blocks, gain)
        #: The fields in these coordinates.
        self.fields = turned.rows(self._n_directions)

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

    def kernel(self, blocks: FloatArray) -> _Rows:
        """Return a kernel in these coordinates."""
        turned = _Turned(blocks.reshape(-1, blocks.shape[2]) @ self._to_kernel, self._p)
        return turned.rows(self._n_directions)


class _Turned:
    """Rows (n_components * n_locations, n) in other coordinates, with their sizes."""

    def __init__(self, rows: FloatArray, p: int) -> None:
        #: Shape (n, n_components, n_locations).
        self._turned = np.ascontiguousarray(rows.reshape(-1, p, rows.shape[1]).transpose(2, 1, 0))
        energy = np.sum(self._turned**2, axis=1)
        self._unit = float(np.sqrt(energy.sum(axis=0).max())) or 1.0
        self._turned /= self._unit
        energy /= self._unit**2
        # what is in a direction and behind it
        behind = np.cumsum(energy[::-1], axis=0)[::-1]
        self._sizes = np.sqrt(np.vstack([behind, np.zeros(behind.shape[1])]))

    def __len__(self) -> int:
        return len(self._turned)

    def rows(self, n_directions: int) -> _Rows:
        """Keep the first directions in single precision, and bound the rest."""
        head = self._turned[:n_directions].reshape(n_directions, -1)
        rounding = np.sqrt((n_directions + 8) * _SINGLE)
        bounds = np.stack([self._sizes[n_directions], rounding * self._sizes[0]])
        upwards = np.float32(1 + 4 * _SINGLE)
        return _Rows(
            head=head.astype(np.float32),
            bounds=bounds.astype(np.float32) * upwards,
            unit=self._unit,
        )


def _fewest_directions(
    kernel: _Turned, fields: _Turned, blocks: FloatArray, gain: FloatArray
) -> int:
    """Choose the number of directions that means the least work, tried on a few sources."""
    m, p, n = blocks.shape
    tried = np.unique(np.linspace(0, m - 1, _TRIED).astype(np.int64))
    columns = (p * tried[:, None] + np.arange(p)).ravel()
    largest = block_sizes(blocks.reshape(-1, n) @ gain[:, columns], p).max(axis=0)
    work = {n: float(n * m)}
    for part in _PARTS:
        count = max(1, round(part * n))
        rows, of_sources = kernel.rows(count), fields.rows(count)
        sizes = _sizes(rows, of_sources, tried, p)
        sizes += of_sources.bounds[:, tried].T @ rows.bounds
        threshold = (largest / (rows.unit * of_sources.unit))[:, None]
        again = float((sizes >= threshold).sum(axis=1).mean())
        work[count] = count * m + _AGAIN * again * n
    return min(work, key=lambda count: work[count])


def block_sizes(products: FloatArray, p: int) -> FloatArray:
    """|K_i G_j| of products (p * n_locations, p * n_sources), shape (n_locations, n_sources)."""
    blocks = products.reshape(len(products) // p, p, -1, p)
    sizes: FloatArray = np.sqrt(np.einsum("iajb,iajb->ij", blocks, blocks))
    return sizes
