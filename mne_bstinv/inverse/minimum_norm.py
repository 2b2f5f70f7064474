"""Minimum norm kernels: amplitude, dSPM and sLORETA.

The gain is never whitened. With q = Q' G' (rows of the weighted gain), H = q' q and the symmetric
whitener W, L L' = W H W for L = W G Q, and every measure is one or two products of q with small
matrices: Λ L' (Λ L L' + I)⁻¹ = q W M with M = Λ (Λ L L' + I)⁻¹.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from mne_bstinv._types import FloatArray
from mne_bstinv.inverse.options import InverseOptions
from mne_bstinv.inverse.regularization import lambda_from_rms, lambda_from_snr
from mne_bstinv.inverse.source_model import CHUNK, SourceModel
from mne_bstinv.inverse.spacing import spacing32_array

__all__ = ["inverse_root", "minimum_norm_kernel"]


def minimum_norm_kernel(
    models: Sequence[SourceModel], whitener: FloatArray, options: InverseOptions
) -> tuple[FloatArray, float, FloatArray]:
    r"""Compute K = Λ L' (Λ L L' + I)⁻¹ W, in the measure asked for.

    The minimum norm estimate is that of Hämäläinen & Ilmoniemi (1994), *Med. Biol. Eng. Comput.*
    32, 35–42; dSPM of Dale et al. (2000), *Neuron* 26, 55–67; sLORETA of Pascual-Marqui (2002),
    *Methods Find. Exp. Clin. Pharmacol.* 24 (Suppl. D), 5–12.

    * ``amplitude``: the prior goes back in, K_i = Q_i K_w,i W: A·m per data unit.
    * ``dspm2018``: rows over their noise standard deviation d_i = ‖K_w,i‖_F, pooled over the
      components of a location. Not scaled by the number of averages.
    * ``sloreta``: K_i = R_i^(-1/2) K_w,i W with the resolution block R_i = K_w,i L_i.

    Parameters
    ----------
    models : sequence of SourceModel
        Head models; their locations share Λ.
    whitener : array, shape (n_channels, n_channels)
        Symmetric W.
    options : InverseOptions
        Measure and SNR options.

    Returns
    -------
    kernel : array, shape (n_rows, n_channels)
        Rows model after model, location after location.
    lambda_ : float
        Prior source variance Λ in (A·m)².
    s2 : array, shape (n_channels,)
        Eigenvalues of L L', sorted down, none below zero.
    """
    kernel = np.empty((sum(m.n_rows for m in models), len(whitener)))
    parts = _rows_of(models, kernel)
    for model, rows in parts:
        model.fill(rows)
    gram = whitener @ (kernel.T @ kernel) @ whitener
    eigenvalues, vectors = np.linalg.eigh(0.5 * (gram + gram.T))
    s2 = np.maximum(eigenvalues, 0.0)
    prior = lambda_from_snr(s2, options.snr_fixed)  # refuses an all-zero lead field
    if options.snr_method == "rms":
        prior = lambda_from_rms(options.snr_rms)
    regularized = (vectors * (prior / (prior * s2 + 1))) @ vectors.T
    measure = _MEASURES[str(options.measure)]
    for model, rows in parts:
        measure(model, rows, whitener, regularized)
    return kernel, prior, s2[::-1].copy()


def _rows_of(
    models: Sequence[SourceModel], kernel: FloatArray
) -> list[tuple[SourceModel, FloatArray]]:
    """Pair each model with the view of its rows."""
    stops = np.cumsum([m.n_rows for m in models])
    return [(m, kernel[stop - m.n_rows : stop]) for m, stop in zip(models, stops, strict=True)]


# Each measure turns the rows q = Q' G' into kernel rows, in place, a cache-sized piece at a time.


def _products(
    model: SourceModel, q: FloatArray, operator: FloatArray
) -> Iterator[tuple[slice, FloatArray, FloatArray]]:
    """Multiply the rows by an operator, piece by piece.

    Yields the locations, their product and the rows it came from, which are to be replaced; both
    have the shape (n_locations, n_components, n_channels). The product is overwritten by the next.
    """
    n = q.shape[1]
    workspace = np.empty((min(CHUNK, model.n_sources) * model.n_components, n))
    for locations, rows in model.chunks():
        piece = q[rows]
        product = np.matmul(piece, operator, out=workspace[: len(piece)])
        shape = (-1, model.n_components, n)
        yield locations, product.reshape(shape), piece.reshape(shape)


def _amplitude(
    model: SourceModel, q: FloatArray, whitener: FloatArray, regularized: FloatArray
) -> None:
    for locations, block, rows in _products(model, q, whitener @ regularized @ whitener):
        model.restore_prior(block, locations, out=rows)


def _dspm(model: SourceModel, q: FloatArray, whitener: FloatArray, regularized: FloatArray) -> None:
    for _, block, rows in _products(model, q, whitener @ regularized):
        noise = np.sqrt(np.einsum("mpn,mpn->m", block, block))
        with np.errstate(invalid="ignore"):  # a location that no channel sees: NaN rows
            block /= noise[:, None, None]
        flat = (-1, q.shape[1])
        np.matmul(block.reshape(flat), whitener, out=rows.reshape(flat))


def _sloreta(
    model: SourceModel, q: FloatArray, whitener: FloatArray, regularized: FloatArray
) -> None:
    for _, block, rows in _products(model, q, whitener @ regularized @ whitener):
        if model.n_components == 1:
            resolution = np.einsum("mpn,mpn->m", block, rows)
            with np.errstate(invalid="ignore"):  # a location that no channel sees: NaN row
                np.divide(block, np.sqrt(resolution)[:, None, None], out=rows)
        else:
            resolution = np.matmul(block, rows.transpose(0, 2, 1))
            np.matmul(inverse_root(resolution), block, out=rows)


def inverse_root(resolution: FloatArray) -> FloatArray:
    """Pseudo-inverse square root of symmetric blocks, nulls left out.

    Parameters
    ----------
    resolution : array, shape (n_sources, p, p)
        Resolution blocks.

    Returns
    -------
    array, shape (n_sources, p, p)
        R^(-1/2); eigenvalues below p · spacing32 of the largest count as null.
    """
    values, vectors = np.linalg.eigh(0.5 * (resolution + resolution.transpose(0, 2, 1)))
    kept = values > values.shape[1] * spacing32_array(values[:, -1:])
    root = np.zeros_like(values)
    root[kept] = 1 / np.sqrt(values[kept])
    return np.matmul(vectors * root[:, None, :], vectors.transpose(0, 2, 1))


_MEASURES: dict[str, Callable[[SourceModel, FloatArray, FloatArray, FloatArray], None]] = {
    "amplitude": _amplitude,
    "dspm2018": _dspm,
    "sloreta": _sloreta,
}
