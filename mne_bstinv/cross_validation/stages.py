"""By what a kernel is made between the two ends, and the system that it solves."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

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
    """L L' + μ I: eigenvalues sorted up, eigenvectors in columns, μ."""

    noise: NoiseStage
    values: FloatArray
    vectors: FloatArray
    mu: float

    def filtered(self, power: float) -> FloatArray:
        """W' V (s² + μ)^−power, shape (n_used, rank)."""
        return (self.noise.for_gain.T @ self.vectors) / (self.values + self.mu) ** power

    @cached_property
    def right(self) -> FloatArray:
        """T = W' (L L' + μ I)⁻¹ W, shape (n_used, n_channels)."""
        return self.filtered(1) @ (self.vectors.T @ self.noise.for_data)


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
