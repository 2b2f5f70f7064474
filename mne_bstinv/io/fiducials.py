"""The fiducials that channel files and MRIs hold."""

from __future__ import annotations

from dataclasses import dataclass, field

from mne_bstinv._types import FloatArray
from mne_bstinv.io.checks import finite, rotation
from mne_bstinv.io.kinds import Array, Vector
from mne_bstinv.io.schema import Structure, declare

__all__ = ["NCS", "SCS"]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class SCS(Structure):
    """The subject coordinate system: three fiducials and the transform to it.

    In channel files the points are in metres in SCS; in MRIs they are in millimetres in MRI
    coordinates (voxel times size) and SCS = ``r`` · mri + ``t``.
    """

    #: Nasion (3,).
    nas: FloatArray | None = field(default=None, metadata=declare("NAS", Vector(3), finite))
    #: Left ear point (3,).
    lpa: FloatArray | None = field(default=None, metadata=declare("LPA", Vector(3), finite))
    #: Right ear point (3,).
    rpa: FloatArray | None = field(default=None, metadata=declare("RPA", Vector(3), finite))
    #: Rotation (3, 3).
    r: FloatArray | None = field(default=None, metadata=declare("R", Array(3, 3), rotation))
    #: Translation (3,).
    t: FloatArray | None = field(
        default=None, metadata=declare("T", Vector(3, column=True), finite)
    )

    #: The origin of SCS in MRI coordinates (3,).
    origin: FloatArray | None = field(
        default=None, metadata=declare("Origin", Vector(3, column=True), finite, written=False)
    )

    @property
    def has_fiducials(self) -> bool:
        """Whether the three points are known."""
        return self.nas is not None and self.lpa is not None and self.rpa is not None


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class NCS(Structure):
    """Points of the brain, mm, MRI coordinates, and MNI coordinates = ``r`` · mri + ``t``."""

    #: Anterior commissure (3,).
    ac: FloatArray | None = field(
        default=None, metadata=declare("AC", Vector(3), finite, unit="mm")
    )
    #: Posterior commissure (3,).
    pc: FloatArray | None = field(
        default=None, metadata=declare("PC", Vector(3), finite, unit="mm")
    )
    #: An interhemispheric point (3,).
    ih: FloatArray | None = field(
        default=None, metadata=declare("IH", Vector(3), finite, unit="mm")
    )
    #: Linear part of the transform to MNI coordinates (3, 3), which may scale and shear.
    r: FloatArray | None = field(default=None, metadata=declare("R", Array(3, 3), finite))
    #: Translation (3,).
    t: FloatArray | None = field(
        default=None, metadata=declare("T", Vector(3, column=True), finite, unit="mm")
    )
