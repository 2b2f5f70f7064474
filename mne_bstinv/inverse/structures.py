"""What the inverse needs of the structures of a study, however they were read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from mne_bstinv._types import AnyArray, FloatArray
from mne_bstinv.inverse.projectors import ProjectorLike
from mne_bstinv.inverse.regions import ScoutLike

__all__ = ["ChannelsLike", "CovarianceLike", "GridAtlasLike", "HeadModelLike", "ResultsLike"]


class GridAtlasLike(Protocol):
    """Regions of a mixed head model."""

    @property
    def scouts(self) -> Sequence[ScoutLike]:
        """The regions."""


class HeadModelLike(Protocol):
    """What is needed of a head model."""

    @property
    def gain(self) -> FloatArray:
        """Gain, (n_all_channels, 3 * n_sources)."""

    @property
    def grid_orient(self) -> FloatArray | None:
        """Orientations, (n_sources, 3)."""

    @property
    def head_model_type(self) -> str | None:
        """Surface, volume or mixed."""

    @property
    def grid_atlas(self) -> Any:
        """Regions, for mixed head models."""

    @property
    def meg_method(self) -> str | None:
        """How the gain of the MEG channels was computed (read for truncated orientations only)."""


class CovarianceLike(Protocol):
    """What is needed of a noise or data covariance."""

    @property
    def noise_cov(self) -> FloatArray:
        """Covariance, (n_all_channels, n_all_channels)."""

    @property
    def fourth_moment(self) -> FloatArray | None:
        """Fourth moments, the same shape."""

    @property
    def n_samples(self) -> AnyArray | float | None:
        """Counts, the same shape or a scalar."""


class ChannelsLike(Protocol):
    """What is needed of a channel file."""

    @property
    def names(self) -> Sequence[str]:
        """Channel names."""

    @property
    def types(self) -> Sequence[str]:
        """Channel types."""

    @property
    def projectors(self) -> Sequence[ProjectorLike]:
        """Projectors."""


class ResultsLike(Protocol):
    """What says how results were made."""

    @property
    def function(self) -> str | None:
        """What the values are."""

    @property
    def options(self) -> Mapping[str, Any] | None:
        """How they were computed."""

    @property
    def comment(self) -> str:
        """Their name."""

    @property
    def source_decomp_sa(self) -> FloatArray | None:
        """Singular values of the whitened gain of each location."""
