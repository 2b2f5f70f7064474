"""By what a kernel is made between the two ends, and the system that it solves."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.linalg.lapack import dpotrf, dtrtri

from mne_bstinv._types import FloatArray
from mne_bstinv.cross_validation.noise import NoiseStage
from mne_bstinv.cross_validation.prior import GainRows

__all__ = ["EngineKernel", "Rows", "Stages", "System"]


@dataclass(frozen=True)
class Rows:
    """By what the weighted rows of the gain are made."""

    gain: GainRows
    #: Number of the depth weights.
    depth: int
    orient: str
    tangential: float

    @property
    def lengthened(self) -> bool:
        """Whether the rows along x, y, z are made with normals of another length than one."""
        return self.gain.stored_normals and self.orient == "loose"


@dataclass(frozen=True)
class Stages:
    """By what a kernel is made: subsets of the conventions with equal stages have one kernel."""

    noise: frozenset[str]
    rows: Rows
    #: Whether the SNR, the factor of the rank, and where it matters the averages, are MNE's.
    mu: tuple[bool, bool, bool]
    averages: bool
    normalization: bool

    @property
    def system(self) -> tuple[frozenset[str], Rows, tuple[bool, bool, bool]]:
        """By what the system is made."""
        return self.noise, self.rows, self.mu


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


@dataclass(frozen=True, kw_only=True, eq=False)
class EngineKernel:
    """A kernel with the numbers that figures show."""

    #: Rows x, y, z in SCS, or one along the normal, shape (n_sources, p, n_channels); sLORETA
    #: dimensionless.
    blocks: FloatArray
    #: Of the whitened, weighted gain, in (A·m)⁻¹, sorted down, shape (n_channels,).
    singular_values: FloatArray
    #: μ in (A·m)⁻²: the filter factors are s²/(s² + μ).
    mu: float
    #: Depth weights (amplitude), the smallest 1, shape (n_sources,).
    alpha: FloatArray
    #: Rank of the noise covariance.
    rank: int
