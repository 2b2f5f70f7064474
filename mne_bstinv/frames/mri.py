"""SCS and voxels ⇄ the surface RAS of an MRI."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mne_bstinv._types import FloatArray
from mne_bstinv.errors import FrameError
from mne_bstinv.frames.fiducials import mri_to_scs
from mne_bstinv.frames.transform import FrameTransform, MriLike

__all__ = [
    "MNI_COMMISSURES",
    "ras_to_mni",
    "reorient_to_lia",
    "scs_to_surface_ras",
    "surface_ras_to_ras",
    "voxels_to_surface_ras",
]


def scs_to_surface_ras(mri: MriLike) -> FrameTransform:
    """Find the transform from SCS to the surface RAS of an MRI (MNE's MRI frame).

    Parameters
    ----------
    mri : Mri
        MRI with voxel size and the transform to SCS. Where it has no ``vox2ras``, its voxels are
        assumed to run to the right, to the front and up, as Brainstorm orients them on import.

    Returns
    -------
    FrameTransform
        SCS → surface RAS, metres.

    Raises
    ------
    FrameError
        If the voxel size, or the transform to SCS with the fiducials it could be made of, is
        absent.
    """
    if mri.voxsize is None:
        raise FrameError(
            "The MRI has no Voxsize: its frame is unknown. Give a file of Brainstorm's with it."
        )
    to_scs = None if mri.scs is None else mri_to_scs(mri.scs)
    if to_scs is None:
        raise FrameError(
            "The MRI has neither R and T nor all three fiducials in its SCS. "
            "Set the fiducials in Brainstorm's MRI viewer."
        )
    torig, _ = _torig_of(mri)
    to_voxels = np.linalg.inv(to_scs @ _voxels_to_mri(mri.voxsize))
    matrix = torig @ _voxels_to_lia(mri) @ to_voxels
    matrix[:3, 3] *= 1e-3
    source = "SCS and vox2ras of the MRI"
    if mri.vox2ras is None:
        source = "SCS of the MRI; no vox2ras: voxels are taken to run right, front, up"
    return FrameTransform(matrix=matrix, source=source, assumed=mri.vox2ras is None)


def voxels_to_surface_ras(mri: MriLike) -> tuple[FrameTransform, tuple[int, int, int]]:
    """Find the transform from voxels to surface RAS that FreeSurfer gives the turned cube.

    Parameters
    ----------
    mri : Mri
        MRI with voxel size.

    Returns
    -------
    transform : FrameTransform
        0-based voxels of the cube turned to LIA (see :func:`reorient_to_lia`) → surface RAS,
        metres.
    shape : tuple of int
        Shape of the turned cube.

    Raises
    ------
    FrameError
        If the voxel size is absent.
    """
    torig, shape = _torig_of(mri)
    torig[:3] *= 1e-3
    return FrameTransform(matrix=torig, source="Voxsize and the shape of the cube"), shape


def surface_ras_to_ras(mri: MriLike) -> FrameTransform:
    """Find the transform from surface RAS to scanner RAS.

    Parameters
    ----------
    mri : Mri
        MRI with voxel size and ``vox2ras``. Without the latter the scanner's frame is unknown:
        surface RAS takes its place.

    Returns
    -------
    FrameTransform
        Surface RAS → scanner RAS, metres.

    Raises
    ------
    FrameError
        If the voxel size is absent.
    """
    torig, _ = _torig_of(mri)
    if mri.vox2ras is None:
        return FrameTransform(matrix=np.eye(4), source="no vox2ras in the MRI", assumed=True)
    matrix: Any = mri.vox2ras @ np.linalg.inv(torig @ _voxels_to_lia(mri))
    matrix[:3, 3] *= 1e-3
    return FrameTransform(matrix=matrix, source="vox2ras of the MRI")


#: MNI coordinates (mm) of the points that Brainstorm sets from a normalisation: the commissures
#: and a point between the hemispheres (its documentation of coordinate systems).
MNI_COMMISSURES = {"ac": (0.0, 3.0, -4.0), "pc": (0.0, -25.0, -2.0), "ih": (0.0, -10.0, 60.0)}


def ras_to_mni(mri: MriLike) -> FrameTransform | None:
    """Find the transform from scanner RAS to MNI coordinates, in mm.

    Parameters
    ----------
    mri : Mri
        MRI with voxel size and, in its NCS, R and T (MNI = R · mri + T), else the commissures and
        an interhemispheric point. Where it has no ``vox2ras``, surface RAS takes the place of
        scanner RAS.

    Returns
    -------
    FrameTransform | None
        Scanner RAS → MNI, **mm**; None if the MRI has neither. From three points it is rigid, and
        marked as assumed.

    Raises
    ------
    FrameError
        If the voxel size is absent.
    """
    ncs = mri.ncs
    if ncs is None:
        return None
    if ncs.r is not None and ncs.t is not None:
        to_mni, source, assumed = np.eye(4), "NCS of the MRI", False
        to_mni[:3, :3], to_mni[:3, 3] = ncs.r, np.ravel(ncs.t)
    else:
        points = [ncs.ac, ncs.pc, ncs.ih]
        if any(p is None or np.size(p) != 3 or not np.isfinite(p).all() for p in points):
            return None
        here = _of_commissures(*(np.ravel(np.asarray(p, dtype=np.float64)) for p in points))
        there = _of_commissures(*(np.array(p) for p in MNI_COMMISSURES.values()))
        if here is None or there is None:
            return None
        to_mni, assumed = np.linalg.inv(there) @ here, True
        source = "AC, PC and IH of the MRI, turned and shifted to their places in MNI coordinates"
    if mri.voxsize is None:
        raise FrameError(
            "The MRI has no Voxsize: its frame is unknown. Give a file of Brainstorm's with it."
        )
    to_ras = mri.vox2ras
    if to_ras is None:
        torig, _ = _torig_of(mri)
        to_ras = torig @ _voxels_to_lia(mri)
    matrix: Any = to_mni @ _voxels_to_mri(mri.voxsize) @ np.linalg.inv(to_ras)
    return FrameTransform(matrix=matrix, source=source, assumed=assumed)


def _of_commissures(ac: FloatArray, pc: FloatArray, ih: FloatArray) -> FloatArray | None:
    """From their frame to that with its origin in AC, y from PC to AC, IH above; None on a line."""
    y = ac - pc
    up = ih - ac
    z = up - y * (up @ y) / max(float(y @ y), np.finfo(float).tiny)
    if not (np.linalg.norm(y) > 0 and np.linalg.norm(z) > 1e-6 * np.linalg.norm(y)):
        return None
    y, z = y / np.linalg.norm(y), z / np.linalg.norm(z)
    matrix = np.eye(4)
    matrix[:3, :3] = np.stack([np.cross(y, z), y, z])
    matrix[:3, 3] = -matrix[:3, :3] @ ac
    return matrix


def reorient_to_lia(mri: MriLike) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Say how to turn the cube into FreeSurfer's order (left, inferior, anterior).

    Parameters
    ----------
    mri : Mri
        The MRI.

    Returns
    -------
    order : array of int, shape (3,)
        ``cube.transpose(order)`` puts the axes in place.
    flips : array of bool, shape (3,)
        Which axes (after the transposition) are to be reversed.
    """
    ras = np.eye(4) if mri.vox2ras is None else mri.vox2ras
    directions = ras[:3, :3] / np.linalg.norm(ras[:3, :3], axis=0)
    order = np.empty(3, dtype=np.int64)
    flips = np.empty(3, dtype=bool)
    free = [0, 1, 2]
    # the target axes: to the left (−R), down (−S), to the front (+A)
    for target, (axis, sign) in enumerate(((0, -1), (2, -1), (1, 1))):
        best = max(free, key=lambda i: abs(directions[axis, i]))
        free.remove(best)
        order[target] = best
        flips[target] = directions[axis, best] * sign < 0
    return order, flips


def _voxels_to_mri(voxsize: FloatArray) -> FloatArray:
    """0-based voxels → Brainstorm's MRI coordinates (1-based voxels times their size), mm."""
    matrix = np.diag([*np.abs(voxsize), 1.0])
    matrix[:3, 3] = np.abs(voxsize)
    return matrix


def _voxels_to_lia(mri: MriLike) -> FloatArray:
    """0-based voxels of the cube → those of the cube turned to LIA."""
    order, flips = reorient_to_lia(mri)
    matrix = np.zeros((4, 4))
    matrix[3, 3] = 1
    for target, source in enumerate(order):
        matrix[target, source] = -1 if flips[target] else 1
        matrix[target, 3] = mri.cube.shape[source] - 1 if flips[target] else 0
    return matrix


def _torig_of(mri: MriLike) -> tuple[FloatArray, tuple[int, int, int]]:
    """FreeSurfer's voxel → surface RAS of the cube turned to LIA, mm, and the turned shape."""
    if mri.voxsize is None:
        raise FrameError(
            "The MRI has no Voxsize: its frame is unknown. Give a file of Brainstorm's with it."
        )
    order, _ = reorient_to_lia(mri)
    dx, dy, dz = np.abs(mri.voxsize)[order]
    nx, ny, nz = (int(mri.cube.shape[axis]) for axis in order)
    torig = np.array(
        [
            [-dx, 0, 0, dx * nx / 2],
            [0, 0, dz, -dz * nz / 2],
            [0, -dy, 0, dy * ny / 2],
            [0, 0, 0, 1],
        ]
    )
    return torig, (nx, ny, nz)
