"""A transform between two frames, and what is needed of structures to find one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from mne_bstinv._display import Displayed
from mne_bstinv._types import FloatArray

__all__ = [
    "ChannelsLike",
    "CommissuresLike",
    "FiducialsLike",
    "FrameTransform",
    "MriLike",
    "transform_points",
]


class FiducialsLike(Protocol):
    """Fiducials, and in an MRI the transform to SCS; any of them may be absent."""

    @property
    def nas(self) -> FloatArray | None:
        """Nasion."""

    @property
    def lpa(self) -> FloatArray | None:
        """Left ear."""

    @property
    def rpa(self) -> FloatArray | None:
        """Right ear."""

    @property
    def r(self) -> FloatArray | None:
        """Rotation from MRI to SCS (3, 3)."""

    @property
    def t(self) -> FloatArray | None:
        """Translation from MRI to SCS (3,)."""


class CommissuresLike(Protocol):
    """Points of the brain, and the transform to MNI coordinates; any of them may be absent."""

    @property
    def ac(self) -> FloatArray | None:
        """Anterior commissure."""

    @property
    def pc(self) -> FloatArray | None:
        """Posterior commissure."""

    @property
    def ih(self) -> FloatArray | None:
        """A point between the hemispheres."""

    @property
    def r(self) -> FloatArray | None:
        """From MRI to MNI coordinates: linear part (3, 3)."""

    @property
    def t(self) -> FloatArray | None:
        """From MRI to MNI coordinates: translation (3,)."""


class ChannelsLike(Protocol):
    """What is needed of a channel file."""

    @property
    def transf_meg(self) -> Sequence[FloatArray]:
        """Transforms to SCS, one after the other."""

    @property
    def transf_meg_labels(self) -> Sequence[str]:
        """Their labels."""

    @property
    def transf_eeg(self) -> Sequence[FloatArray]:
        """Transforms to SCS, one after the other."""

    @property
    def transf_eeg_labels(self) -> Sequence[str]:
        """Their labels."""

    @property
    def scs(self) -> FiducialsLike | None:
        """Fiducials in SCS, metres."""

    @property
    def head_points(self) -> Any:
        """Digitised points: ``loc`` (3, n), ``label``, ``type``."""


class MriLike(Protocol):
    """What is needed of an MRI."""

    @property
    def cube(self) -> NDArray[Any]:
        """Voxels."""

    @property
    def voxsize(self) -> FloatArray | None:
        """Size of a voxel (3,), mm."""

    @property
    def scs(self) -> FiducialsLike | None:
        """Fiducials and transform, mm, MRI coordinates (1-based voxels times their size)."""

    @property
    def ncs(self) -> CommissuresLike | None:
        """Commissures and transform to MNI coordinates, mm, MRI coordinates."""

    @property
    def vox2ras(self) -> FloatArray | None:
        """0-based voxels to scanner RAS, mm."""


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class FrameTransform(Displayed):
    """A rigid transform with the place it was taken from.

    Parameters
    ----------
    matrix : array, shape (4, 4)
        Homogeneous transform, metres.
    source : str
        What it was derived from, in words.
    assumed : bool
        Whether nothing in the files says so.
    """

    matrix: FloatArray
    source: str
    assumed: bool = False

    def _summary(self) -> str:
        return self.source + (", assumed" if self.assumed else "")

    @property
    def rotation(self) -> FloatArray:
        """Rotation part, shape (3, 3)."""
        return self.matrix[:3, :3]

    @property
    def inverse(self) -> FloatArray:
        """The matrix of the way back, shape (4, 4)."""
        inverse: Any = np.linalg.inv(self.matrix)
        return inverse


def transform_points(matrix: FloatArray, points: FloatArray) -> FloatArray:
    """Move points from one frame to another.

    Parameters
    ----------
    matrix : array, shape (4, 4)
        Homogeneous transform.
    points : array, shape (..., 3)
        Positions, in the units of the transform.

    Returns
    -------
    array, shape (..., 3)
        Positions in the other frame.
    """
    return points @ matrix[:3, :3].T + matrix[:3, 3]
