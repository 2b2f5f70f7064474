"""What kernels are made of, whatever the measure: rows of the gain, prior, noise, and the system.

Kernels share them whose stages are equal in part, and so do measures, which have no part in them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.linalg.lapack import dpotrf, dtrtri

from mne_bstinv._types import FloatArray
from mne_bstinv.cross_validation.ingredients import Ingredients
from mne_bstinv.cross_validation.noise import NoiseStage, noise_stage
from mne_bstinv.cross_validation.prior import gain_rows, prior_std
from mne_bstinv.cross_validation.stages import Rows, Stages
from mne_bstinv.cross_validation.sums import gram

__all__ = ["System", "Systems"]


@dataclass(frozen=True, kw_only=True, eq=False)
class System:
    """L L' + μ I, and what is multiplied by its inverse H' H."""

    noise: NoiseStage
    #: W for the gain, shape (rank, n_used), and L L', shape (rank, rank).
    for_gain: FloatArray
    lead: FloatArray
    mu: float

    @property
    def values(self) -> FloatArray:
        """Eigenvalues of L L', sorted up, shape (rank,)."""
        return np.maximum(np.linalg.eigvalsh(self.lead), 0.0)

    @cached_property
    def _half(self) -> FloatArray:
        """H, shape (rank, rank): a triangle, or of eigenvectors where μ is next to nothing."""
        triangle, failed = dpotrf(self.lead + self.mu * np.eye(len(self.lead)), lower=True)
        if not failed:
            return np.asarray(dtrtri(triangle, lower=True)[0])
        values, vectors = np.linalg.eigh(self.lead)
        return vectors.T / np.sqrt(np.maximum(values, 0.0) + self.mu)[:, None]

    @cached_property
    def root(self) -> FloatArray:
        """F = W' H', shape (n_used, rank): F F' = W' (L L' + μ I)⁻¹ W for the gain."""
        return self.for_gain.T @ self._half.T

    @property
    def filtered(self) -> FloatArray:
        """W' (L L' + μ I)⁻¹, shape (n_used, rank)."""
        return self.root @ self._half

    @cached_property
    def right(self) -> FloatArray:
        """T = W' (L L' + μ I)⁻¹ W, shape (n_used, n_channels)."""
        return self.root @ (self._half @ self.noise.for_data)


class Systems:
    """The arrays that the kernels of a study are made of, by their stages."""

    def __init__(self, ingredients: Ingredients) -> None:
        self.ingredients = ingredients
        self._made = ingredients.made

    def gain(self, rows: Rows) -> FloatArray:
        """Rows q of the gain along the axes, shape (n_sources, p, n_used)."""
        return self._made.gains.get(rows.gain, lambda: gain_rows(self.ingredients, rows.gain))

    def std(self, rows: Rows) -> FloatArray:
        """R^½ along the axes, shape (n_sources, p)."""
        alpha, n_components = self._made.alphas[rows.depth], self.ingredients.n_components
        return prior_std(alpha, rows.orient, rows.tangential, n_components)

    def lengths(self, rows: Rows) -> FloatArray:
        """Lengths of the normals that the first row of a location is along, shape (n_sources,)."""
        lengths = self.ingredients.lengths
        return lengths if rows.lengthened else np.ones_like(lengths)

    def variances(self, rows: Rows) -> FloatArray:
        """D of an amplitude D q T, shape (n_sources, p): R, with these lengths."""
        found = self.std(rows) ** 2
        found[:, 0] *= self.lengths(rows)
        return found

    def system(self, stages: Stages) -> System:
        """Return the system that a kernel solves."""
        return self._made.systems.get(stages.system, lambda: self._solved(stages))

    def _solved(self, stages: Stages) -> System:
        noise = noise_stage(self.ingredients, stages.noise)
        for_gain = noise.for_gain

        def multiplied() -> FloatArray:
            lead: FloatArray = for_gain @ self._gram_of_prior(stages.rows) @ for_gain.T
            return lead

        lead = self._made.leads.get((stages.noise, stages.rows), multiplied)
        mu = self._mu(stages, float(np.trace(lead)), noise.rank)
        return System(noise=noise, for_gain=for_gain, lead=lead, mu=mu)

    def _mu(self, stages: Stages, trace: float, rank: int) -> float:
        ingredients = self.ingredients
        options, settings = ingredients.options, ingredients.settings
        theirs, rank_factor, by_sample = stages.mu
        if not theirs and options.prior_rms is not None:
            # L is of one sample here, the prior of the average
            return 1 / options.prior_rms**2 / (1.0 if by_sample else ingredients.averages)
        power = 1 / settings.lambda2 if theirs else options.snr_fixed**2
        rank_factor = rank_factor or ingredients.conventions.scale == "trace"
        n = rank if rank_factor else len(ingredients.prepared.channel_names)
        return trace / (n * power)

    def _gram_of_prior(self, rows: Rows) -> FloatArray:
        """Return q' R q, shape (n_used, n_used)."""
        return self._made.grams.get(rows, lambda: gram(self.gain(rows), self.std(rows)))
