"""Where a subject is: from SCS to the frame of its surfaces, and the volume of that frame."""

from __future__ import annotations

from dataclasses import dataclass

from mne_bstinv import io
from mne_bstinv._types import FloatArray, IntArray
from mne_bstinv.adapters.anatomy.freesurfer import VolumeGeometry, geometry
from mne_bstinv.conversion import Findings
from mne_bstinv.frames import surface_ras_to_ras, voxels_to_surface_ras

__all__ = ["COMMENT", "Place", "volume_geometry"]

COMMENT = "created by mne_bstinv"


@dataclass(frozen=True, kw_only=True, eq=False)
class Place:
    """Where a subject is."""

    subject: str
    #: SCS → surface RAS, metres, shape (4, 4).
    scs_to_mri: FloatArray
    #: The MRI's; None without an MRI.
    geometry: VolumeGeometry | None

    def mesh(self, vertices: FloatArray, tris: IntArray, comment: str = COMMENT) -> bytes:
        """Return the file of a mesh, vertices (n, 3) in surface RAS, mm."""
        return geometry(vertices, tris, comment=comment, of=self.geometry)


def volume_geometry(mri: io.Mri, findings: Findings) -> VolumeGeometry:
    """Return the voxels and the scanner RAS of the MRI in FreeSurfer's order."""
    to_ras = surface_ras_to_ras(mri)
    if to_ras.assumed:
        findings.assumed("InitTransf", "No vox2ras: scanner RAS is taken to be surface RAS.")
    to_surface_ras, shape = voxels_to_surface_ras(mri)
    affine = to_ras.matrix @ to_surface_ras.matrix
    affine[:3] *= 1e3
    return VolumeGeometry(shape=shape, affine=affine)
