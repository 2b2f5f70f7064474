"""Coordinate frames: the only place with rotations between them.

SCS (Brainstorm, metres): origin midway between the ears, x through the nasion, z up, y to the
left. Head (MNE, metres): x from the left to the right ear, y through the nasion, z up, origin at
the foot of the perpendicular from the nasion onto the ear line. From one to the other is a
rotation of about 90° about z *and* a shift along the ear line. MRI (MNE, metres): FreeSurfer's
surface RAS of the volume.
"""

from mne_bstinv.frames.fiducials import head_from_fiducials
from mne_bstinv.frames.head import HEAD_TO_SCS, cardinal_of, fiducials_in_scs, scs_to_head
from mne_bstinv.frames.mri import (
    MNI_COMMISSURES,
    ras_to_mni,
    reorient_to_lia,
    scs_to_surface_ras,
    surface_ras_to_ras,
    voxels_to_surface_ras,
)
from mne_bstinv.frames.transform import FrameTransform, transform_points

__all__ = [
    "HEAD_TO_SCS",
    "MNI_COMMISSURES",
    "FrameTransform",
    "cardinal_of",
    "fiducials_in_scs",
    "head_from_fiducials",
    "ras_to_mni",
    "reorient_to_lia",
    "scs_to_head",
    "scs_to_surface_ras",
    "surface_ras_to_ras",
    "transform_points",
    "voxels_to_surface_ras",
]
