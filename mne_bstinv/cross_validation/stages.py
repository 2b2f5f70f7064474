"""By what a kernel is made between the two ends, and the system that it solves."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

from mne_bstinv._types import FloatArray
from mne_bstinv.cross_validation.noise import NoiseStage
from mne_bstinv.cross_validation.prior import GainRows

__all__ = ["Rows", "Stages", "System"]


@dataclass(frozen=True)
class Rows:
    """By what the weighted rows of the gain are made."""

    gain: GainRows
    #: Number of the depth weights.
    depth: int
    orient: str
    tangential: float

    def projected(self) -> Rows:
        """Return the same rows projected before they are whitened, which differ by rounding.

        In a Gram matrix of rows that are not, what they lose would drown what they keep.
        """
        return replace(self, gain=replace(self.gain, whitener_projects=False))

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


@dataclass(frozen=True, kw_only=True, eq=False)
class System:
    """L L' + μ I: eigenvalues sorted up, eigenvectors in columns, μ."""

    noise: NoiseStage
    values: FloatArray
    vectors: FloatArray
    mu: float

    def filtered(self, power: float) -> FloatArray:
        """W' V (s² + μ)^−power, shape (n_channels, rank)."""
        return (self.noise.for_gain.T @ self.vectors) / (self.values + self.mu) ** power

    @cached_property
    def right(self) -> FloatArray:
        """T = W' (L L' + μ I)⁻¹ W, shape (n_channels, n_channels)."""
        return self.filtered(1) @ (self.vectors.T @ self.noise.for_data)
