r"""One kernel with any subset of the conventions switched from Brainstorm's to MNE's.

Both toolboxes compute K = R^½ L' (L L' + μ I)⁻¹ W with L = W G R^½, see
:mod:`mne_bstinv.inverse.regularization`. Everything in which they differ is in W (noise), in R
(depth, orientation), in μ (SNR), and in what is done to the rows afterwards (measure). With all
conventions of one side the kernel is that toolbox's own, which
:func:`~mne_bstinv.cross_validate` checks against the toolboxes themselves.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mne_bstinv._types import FloatArray
from mne_bstinv.compare.rounding import RoundingBound, bound_of
from mne_bstinv.cross_validation.ingredients import Ingredients
from mne_bstinv.cross_validation.noise import NoiseStage, mne_spectra, noise_stage
from mne_bstinv.cross_validation.prior import Prior, prior_stage
from mne_bstinv.inverse.minimum_norm import inverse_root

__all__ = ["EngineKernel", "along_normals", "compute", "mne_bound"]


@dataclass(frozen=True, kw_only=True, eq=False)
class EngineKernel:
    """A kernel with the numbers that figures show.

    Parameters
    ----------
    blocks : array, shape (n_sources, p, n_channels)
        Rows x, y, z in SCS, or one along the normal; sLORETA dimensionless.
    singular_values : array, shape (n_channels,)
        Of the whitened, weighted gain, in (A·m)⁻¹, sorted down.
    mu : float
        μ in (A·m)⁻²: the filter factors are s²/(s² + μ).
    alpha : array, shape (n_sources,)
        Depth weights (amplitude), the smallest 1.
    rank : int
        Rank of the noise covariance.
    """

    blocks: FloatArray
    singular_values: FloatArray
    mu: float
    alpha: FloatArray
    rank: int


def compute(ingredients: Ingredients, switched: frozenset[str]) -> EngineKernel:
    """Compute a kernel.

    Parameters
    ----------
    ingredients : Ingredients
        The study.
    switched : frozenset of str
        Keys of the conventions that are MNE's, the others are Brainstorm's.

    Returns
    -------
    EngineKernel
        The kernel and its intermediates.
    """
    operated = ingredients.operated["projectors" in switched, "reference" in switched]
    noise = noise_stage(ingredients, switched)
    prior = prior_stage(ingredients, operated, switched)
    rows = prior.rows.reshape(-1, prior.rows.shape[-1]) @ noise.for_gain.T  # L', (m p, rank)
    gram = rows.T @ rows
    values, vectors = np.linalg.eigh(0.5 * (gram + gram.T))
    values = np.maximum(values, 0.0)
    mu = _mu(ingredients, switched, float(values.sum()), noise)
    resolvent = (vectors / (values + mu)) @ vectors.T
    shape = (*prior.rows.shape[:2], -1)
    weighted = (rows @ resolvent).reshape(shape)  # L' (L L' + μ)⁻¹
    blocks = _measured(ingredients, switched, prior, rows.reshape(shape), weighted, mu)
    return EngineKernel(
        blocks=_oriented(ingredients, prior, blocks @ noise.for_data),
        singular_values=np.sqrt(values[::-1]),
        mu=mu,
        alpha=prior.alpha / prior.alpha.min(),
        rank=noise.rank,
    )


def mne_bound(ingredients: Ingredients, last: EngineKernel) -> RoundingBound:
    """Bound how far rounding moves MNE's kernel, of which the intermediates are given."""
    condition = 1 + float(last.singular_values[0]) ** 2 / last.mu
    longest = max(ingredients.raw_gain.shape)
    return bound_of(mne_spectra(ingredients), condition, longest)


def _mu(
    ingredients: Ingredients, switched: frozenset[str], trace: float, noise: NoiseStage
) -> float:
    options, settings = ingredients.options, ingredients.settings
    if "snr" not in switched and options.snr_method == "rms":
        return 1 / options.snr_rms**2
    power = 1 / settings.lambda2 if "snr" in switched else options.snr_fixed**2
    n = noise.rank if "rank_factor" in switched else len(ingredients.prepared.channel_names)
    return trace / (n * power)


def _measured(
    ingredients: Ingredients,
    switched: frozenset[str],
    prior: Prior,
    lead: FloatArray,
    weighted: FloatArray,
    mu: float,
) -> FloatArray:
    """Turn L' (L L' + μ)⁻¹ into the measure; what is returned is multiplied by W."""
    method = ingredients.settings.method
    std = prior.std[:, :, None]
    if method == "MNE":
        return std * weighted
    averages = np.sqrt(ingredients.side.nave) if "averaging" in switched else 1.0
    theirs = "normalization" in switched
    with np.errstate(invalid="ignore", divide="ignore"):  # a location that no channel sees
        if method == "dSPM":
            rows = std * weighted if theirs else weighted
            noise = np.sqrt(np.einsum("mpn,mpn->m", rows, rows))
            return averages * rows / noise[:, None, None]
        resolution = weighted @ lead.transpose(0, 2, 1)
        scale = averages * np.sqrt(mu)
        if theirs:
            diagonal = np.einsum("mpp->mp", resolution)
            noise = np.sqrt(np.sum(prior.std**2 * diagonal, axis=1))
            return scale * std * weighted / noise[:, None, None]
        if resolution.shape[1] == 1:
            return scale * weighted / np.sqrt(resolution)
        return scale * (inverse_root(resolution) @ weighted)


def _oriented(ingredients: Ingredients, prior: Prior, local: FloatArray) -> FloatArray:
    """Turn local rows to x, y, z; to the normal where the two sides differ in components."""
    if local.shape[1] == 1:
        return local
    blocks = local if prior.frames is None else prior.frames @ local
    if along_normals(ingredients):
        return ingredients.on_normals(blocks)
    return blocks


def along_normals(ingredients: Ingredients) -> bool:
    """Whether the kernels are compared along the normals only: one side is fixed."""
    fixed = {ingredients.orient == "fixed", ingredients.settings.orientation == "fixed"}
    return len(fixed) == 2
