"""Scanning kernels: each location alone, by the singular values of its whitened lead field.

Generalised least squares and the LCMV beamformer, and the regularised relatives of 2009.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from mne_bstinv._types import FloatArray
from mne_bstinv.errors import InverseError
from mne_bstinv.inverse.minimum_norm import whitened_spectrum
from mne_bstinv.inverse.option_sets import OptionSet
from mne_bstinv.inverse.source_model import SourceModel
from mne_bstinv.inverse.spacing import spacing32_array

__all__ = ["Decompositions", "regularized_scan", "scanning_kernel"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Decompositions:
    """The singular value decomposition L_i = U_a diag(s_a) V_a' of each location."""

    #: Singular values, (p, n_sources), sorted down; p is the largest number of components, and
    #: absent ones are zero.
    sa: FloatArray
    #: Right singular vectors, (p, p n_sources), of location i in columns p·i … p·i + p − 1.
    va: FloatArray


def scanning_kernel(
    q: FloatArray, models: Sequence[SourceModel], whitener: FloatArray
) -> Decompositions:
    """Replace q = Q' G' by projections of the whitened data onto the lead field of each location.

    With the thin SVD L_i = W G_i Q_i = U_a diag(s_a) V_a', W symmetric (n, n), the rows of location
    i are K_i = U_a' W, model after model. Least squares take W from the noise, LCMV from the data
    covariance: Baillet, Mosher & Leahy (2001), *IEEE Signal Process. Mag.* 18 (6), 14–30. Signs of
    singular vectors are arbitrary. Rows that no channel sees (s_a = 0) are zero; if none sees any
    source, it is refused.
    """
    decompositions = _scan(q, models, whitener, _null_of_components, _projections)
    if not decompositions.sa.any():
        raise InverseError(
            "The whitened lead field is zero: no channel sees any source. Check that the head "
            "model was computed for the channels in use (data types)."
        )
    return decompositions


def regularized_scan(
    q: FloatArray, models: Sequence[SourceModel], whitener: FloatArray, options: OptionSet
) -> tuple[float, FloatArray, Decompositions]:
    """Replace q = Q' G' by the scans of 2009, of L scaled to trace(L L') = r, the rank.

    Returns Λ in (A·m)², the eigenvalues (n_whitened,) of L L' before the scaling, sorted down, and
    the decompositions after it. With L_i = U_a diag(s_a) V_a', λ² =
    1/SNR²; what each method makes of it is said at ``_RECIPES``. Refused if no channel sees any
    source.
    """
    s2, vectors = whitened_spectrum(q, whitener)
    prior = options.prior_variance(s2)  # refuses an all-zero lead field
    rank = len(s2)
    scale = rank / float(s2.sum())
    lambda2 = scale / prior
    used = whitener
    if options.method == "mnej_p":
        used = (vectors / np.sqrt(scale * s2 + lambda2)) @ vectors.T @ whitener
    decompositions = _scan(
        q,
        models,
        used,
        lambda largest, _: rank * spacing32_array(largest),
        _RECIPES[options.method](lambda2, scale),
        scale=scale,
    )
    return prior, s2[::-1].copy(), decompositions


@dataclass(frozen=True, kw_only=True, eq=False)
class _Piece:
    """Locations of one model: V_a (m, p, k), s_a (m, k) and U_a' (m, k, r), k at most p."""

    model: SourceModel
    locations: slice
    v: FloatArray
    s: FloatArray
    u: FloatArray


#: Turns a piece into whitened kernel rows (m, at most p, r).
_Recipe = Callable[[_Piece], FloatArray]


def _scan(
    q: FloatArray,
    models: Sequence[SourceModel],
    whitener: FloatArray,
    null: Callable[[FloatArray, int], FloatArray],
    recipe: _Recipe,
    *,
    scale: float = 1.0,
) -> Decompositions:
    """Decompose L_i of each location, and replace rows q = Q' G' by kernel rows.

    ``null`` says up to where a singular value counts as zero, of the largest of each location and
    the number of components.
    """
    p_max = max(model.n_components for model in models)
    n_sources = sum(model.n_sources for model in models)
    sa, va = np.zeros((n_sources, p_max)), np.zeros((n_sources, p_max, p_max))
    first = 0
    for model in models:
        p, own = model.n_components, q[model.rows]
        for locations, rows in model.chunks():
            lead_field = (own[rows] @ whitener.T).reshape(-1, p, len(whitener))
            # of L_i', so that the vectors swap their names: V_a diag(s_a) U_a'
            v, s, u = np.linalg.svd(np.sqrt(scale) * lead_field, full_matrices=False)
            s = np.where(s > null(s[:, :1], p), s, 0.0)
            here = slice(first + locations.start, first + locations.stop)
            k = s.shape[1]  # fewer than p where there are fewer channels
            sa[here, :k] = s
            va[here, :p, :k] = v
            whitened = recipe(_Piece(model=model, locations=locations, v=v, s=s, u=u))
            block = np.zeros((len(s), p, q.shape[1]))
            flat = whitened.reshape(-1, len(whitener)) @ whitener  # at once: not one by one
            block[:, : whitened.shape[1]] = flat.reshape(len(s), -1, q.shape[1])
            own[rows] = block.reshape(-1, q.shape[1])
        first += model.n_sources
    return Decompositions(sa=sa.T.copy(), va=va.transpose(1, 0, 2).reshape(p_max, -1))


def _null_of_components(largest: FloatArray, n_components: int) -> FloatArray:
    return n_components * spacing32_array(largest)


def _projections(piece: _Piece) -> FloatArray:
    return piece.u * (piece.s > 0)[:, :, None]


def _filter(piece: _Piece, lambda2: float) -> FloatArray:
    """Tikhonov's filter factors g of each singular value, (m, k)."""
    power = piece.s**2
    damped = power + lambda2 * power[:, :1]
    return np.divide(power, damped, out=np.zeros_like(power), where=damped > 0)


def _regularized_projections(lambda2: float, _: float) -> _Recipe:
    return lambda piece: np.sqrt(_filter(piece, lambda2))[:, :, None] * piece.u


def _fits(lambda2: float | None, scale: float) -> _Recipe:
    """Least squares fits of each location, regularised unless λ² is None."""

    def fit(piece: _Piece) -> FloatArray:
        gain = np.ones_like(piece.s) if lambda2 is None else _filter(piece, lambda2)
        weights = np.divide(gain, piece.s, out=np.zeros_like(gain), where=piece.s > 0)
        rows = np.matmul(piece.v, np.sqrt(scale) * weights[:, :, None] * piece.u)
        restored = np.empty_like(rows)
        piece.model.restore_prior(rows, piece.locations, out=restored)
        return restored

    return fit


#: Method of 2009 → what makes its recipe of λ² and the scale of the lead field's square.
#: With L_i = U_a diag(s_a) V_a' and g = s_a² / (s_a² + λ² s_a1²), λ² = 1/SNR²:
#:
#: * ``gls``: K_i = Q_i V_a diag(1/s_a) U_a' W, the least squares fit of the location alone;
#:   ``glsr``: diag(g/s_a) in its place, Tikhonov's filter factors (Hansen 2010, *Discrete Inverse
#:   Problems*, SIAM);
#: * ``gls_p``, ``glsr_p``: the projections U_a' W and diag(√g) U_a' W;
#: * ``mnej_p``: the same as ``gls_p`` after the data are whitened by what the model expects of
#:   them, (L L' + λ² I)^(-1/2) W.
_RECIPES: dict[str, Callable[[float, float], _Recipe]] = {
    "gls": lambda _, scale: _fits(None, scale),
    "glsr": _fits,
    "gls_p": lambda _, __: _projections,
    "glsr_p": _regularized_projections,
    "mnej_p": lambda _, __: _projections,
}
