"""Minimum norm kernels: amplitude, dSPM and sLORETA.

The gain is never whitened. With q = Q' G' (rows of the weighted gain), H = q' q and the whitener
W, L L' = W H W' for L = W G Q, and every measure is one or two products of q with small matrices:
Λ L' (Λ L L' + I)⁻¹ = q W' M with M = Λ (Λ L L' + I)⁻¹. W is n × n and symmetric, or r × n (2009).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from mne_bstinv._types import FloatArray
from mne_bstinv.inverse.option_sets import OptionSet
from mne_bstinv.inverse.source_model import CHUNK, SourceModel
from mne_bstinv.inverse.spacing import spacing32_array

__all__ = ["inverse_root", "minimum_norm_kernel", "whitened_spectrum"]

#: Relative rounding of a resolution block that was formed from the Gram matrix of the gain.
_ROUNDING = 1e-11


def minimum_norm_kernel(
    q: FloatArray, models: Sequence[SourceModel], whitener: FloatArray, options: OptionSet
) -> tuple[float, FloatArray]:
    """Replace q by K = Λ L' (Λ L L' + I)⁻¹ W (n_rows, n_channels), in the measure asked for.

    Returns Λ in (A·m)², and the eigenvalues (n_whitened,) of L L', sorted down, none below zero.
    q and the models are of :func:`~mne_bstinv.inverse.source_model.weighted_rows`; locations of all
    models share Λ. In 2009 R = Q Q' is scaled to trace(L R L') = r, the rank, and λ² = 1/SNR²
    regularises: the same as Λ = SNR² r / trace(L L'), the mean over the r rows of W, not all
    channels. Estimate: Hämäläinen & Ilmoniemi (1994), *Med. Biol. Eng. Comput.* 32, 35–42.
    """
    s2, vectors = whitened_spectrum(q, whitener)
    prior = options.prior_variance(s2)
    products = _Products(
        whitener=whitener, vectors=vectors, filters=prior / (prior * s2 + 1), options=options
    )
    for model in models:
        _MEASURES[str(options.measure)](model, q[model.rows], products)
    return prior, s2[::-1].copy()


def whitened_spectrum(rows: FloatArray, whitener: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Eigenvalues (sorted up, none below zero) and eigenvectors (columns) of L L' = W (q' q) W'.

    The gain rows q are (n_rows, n_channels), W (n_whitened, n_channels).
    """
    gram = whitener @ (rows.T @ rows) @ whitener.T
    values, vectors = np.linalg.eigh(0.5 * (gram + gram.T))
    return np.maximum(values, 0.0), vectors


@dataclass(frozen=True, kw_only=True, eq=False)
class _Products:
    """What the rows q are multiplied with: W (r, n), M = V diag(f) V' (r, r), and the options."""

    whitener: FloatArray
    vectors: FloatArray
    filters: FloatArray
    options: OptionSet

    @property
    def restored(self) -> bool:
        """Whether the rows of the measure are multiplied by the prior in the end."""
        return self.options.measure in self.options.conventions.prior_restored

    @property
    def whitened(self) -> FloatArray:
        """W' M, (n, r): rows K_w of the whitened data."""
        return self.whitener.T @ (self.vectors * self.filters) @ self.vectors.T

    @property
    def complete(self) -> FloatArray:
        """W' M W, (n, n): rows K_w W of the data."""
        root = self.whitener.T @ (self.vectors * np.sqrt(self.filters))
        return root @ root.T  # a product of an array with itself takes half of the time


# Each measure turns the rows q = Q' G' into kernel rows, in place, a cache-sized piece at a time.
#
# * amplitude: the prior goes back in, K_i = Q_i K_w,i W: A·m per data unit.
# * dspm2018, dspm: rows over their noise standard deviation d_i = ‖K_w,i‖_F, pooled over the
#   components of a location; not scaled by the number of averages. Dale et al. (2000), *Neuron* 26,
#   55–67.
# * sloreta: K_i = R_i^(-1/2) K_w,i W with the resolution block R_i = K_w,i L_i. Pascual-Marqui
#   (2002), *Methods Find. Exp. Clin. Pharmacol.* 24 (Suppl. D), 5–12.
#
# In 2009 the prior goes back in for all three.


def _pieces(
    model: SourceModel, q: FloatArray, operator: FloatArray
) -> Iterator[tuple[slice, FloatArray, FloatArray]]:
    """Multiply the rows by an operator (n, k), piece by piece.

    Yields the locations, their product (n_locations, n_components, k) and the rows it came from
    (n_locations, n_components, n), which are to be replaced. The product is overwritten by the
    next.
    """
    n, k = operator.shape
    workspace = np.empty((min(CHUNK, model.n_sources) * model.n_components, k))
    for locations, rows in model.chunks():
        piece = q[rows]
        product = np.matmul(piece, operator, out=workspace[: len(piece)])
        p = model.n_components
        yield locations, product.reshape(-1, p, k), piece.reshape(-1, p, n)


def _amplitude(model: SourceModel, q: FloatArray, products: _Products) -> None:
    for locations, block, rows in _pieces(model, q, products.complete):
        model.restore_prior(block, locations, out=rows)


def _dspm(model: SourceModel, q: FloatArray, products: _Products) -> None:
    whitener, restored = products.whitener, products.restored
    for locations, block, rows in _pieces(model, q, products.whitened):
        # the depth weight of a location is in its rows and in their norm
        weights = model.orientation.amplitudes**2 if restored else np.ones(model.n_components)
        noise = np.sqrt(np.einsum("mpn,mpn,p->m", block, block, weights))
        with np.errstate(invalid="ignore"):  # a location that no channel sees: NaN rows
            block /= noise[:, None, None]
        flat = block.reshape(-1, len(whitener))
        if restored and model.orientation.orient == "loose":
            unwhitened = (flat @ whitener).reshape(rows.shape)
            model.restore_prior(unwhitened, locations, out=rows, depth=False)
        else:
            np.matmul(flat, whitener, out=rows.reshape(-1, q.shape[1]))


def _sloreta(model: SourceModel, q: FloatArray, products: _Products) -> None:
    null = products.options.conventions.null_resolution
    for locations, block, rows in _pieces(model, q, products.complete):
        if model.n_components == 1:
            with np.errstate(invalid="ignore"):  # a location that no channel sees: NaN row
                root = np.sqrt(np.einsum("mpn,mpn->m", block, rows))
                np.divide(block, root[:, None, None], out=rows)
            if products.restored:
                model.restore_prior(rows, locations, out=rows)
            continue
        root = inverse_root(np.matmul(block, rows.transpose(0, 2, 1)), null)
        if products.restored:
            model.restore_prior(root.copy(), locations, out=root)
        np.matmul(root, block, out=rows)


def inverse_root(
    resolution: FloatArray, null: Literal["single", "double"] = "single"
) -> FloatArray:
    """Pseudo-inverse square root R^(-1/2) of symmetric blocks (n_sources, p, p), nulls left out.

    Eigenvalues count as null up to p · spacing32 of the largest (``single``); or (``double``, 2009)
    up to the rounding of double precision, of which the blocks hold their condition's share: 1e-11
    of the largest.
    """
    values, vectors = np.linalg.eigh(0.5 * (resolution + resolution.transpose(0, 2, 1)))
    largest = values[:, -1:]
    floor = _ROUNDING * largest
    if null == "single":
        floor = values.shape[1] * spacing32_array(largest)
    kept = (values > floor) & (values > 0)
    root = np.zeros_like(values)
    root[kept] = 1 / np.sqrt(values[kept])
    return np.matmul(vectors * root[:, None, :], vectors.transpose(0, 2, 1))


_MEASURES: dict[str, Callable[[SourceModel, FloatArray, _Products], None]] = {
    "amplitude": _amplitude,
    "dspm": _dspm,
    "dspm2018": _dspm,
    "sloreta": _sloreta,
}
