"""Coordinate frames: the only place with rotations between them.

SCS (Brainstorm, metres): origin midway between the ears, x through the nasion, z up, y to the
left. Head (MNE, metres): x from the left to the right ear, y through the nasion, z up, origin at
the foot of the perpendicular from the nasion onto the ear line. From one to the other is a
rotation of about 90° about z *and* a shift along the ear line. MRI (MNE, metres): FreeSurfer's
surface RAS of the volume.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from mne_bstinv.errors import FrameError

__all__ = [
    "FrameTransform",
    "fiducials_in_scs",
    "head_from_fiducials",
    "reorient_to_lia",
    "scs_to_head",
    "scs_to_surface_ras",
    "surface_ras_to_ras",
    "transform_points",
    "voxels_to_surface_ras",
]

FloatArray = NDArray[np.float64]

#: Label of the transform from MNE's head frame to SCS in a channel file.
HEAD_TO_SCS = "neuromag_head=>scs"


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
    def vox2ras(self) -> FloatArray | None:
        """0-based voxels to scanner RAS, mm."""


@dataclass(frozen=True, kw_only=True, eq=False)
class FrameTransform:
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


def scs_to_head(channels: ChannelsLike | None, mri: MriLike | None = None) -> FrameTransform:
    """Find the transform from SCS to MNE's head frame.

    The first that is there: the transform ``neuromag_head=>scs`` of the channel file with all
    later ones, inverted; the fiducials of the channel file; those of the MRI, moved to SCS.
    Without any, head x = −SCS y and head y = SCS x with no shift, marked as assumed.

    Parameters
    ----------
    channels : Channels | None
        Channel file.
    mri : Mri | None
        MRI of the subject.

    Returns
    -------
    FrameTransform
        SCS → head.

    Raises
    ------
    FrameError
        If the fiducials lie on one line.
    """
    if channels is not None:
        for transforms, labels in (
            (channels.transf_meg, channels.transf_meg_labels),
            (channels.transf_eeg, channels.transf_eeg_labels),
        ):
            if HEAD_TO_SCS in labels:
                head_to_scs: FloatArray = np.eye(4)
                for transform in transforms[labels.index(HEAD_TO_SCS) :]:
                    head_to_scs = transform @ head_to_scs
                inverse: Any = np.linalg.inv(head_to_scs)
                return FrameTransform(
                    matrix=inverse,
                    source=f"transform {HEAD_TO_SCS!r} of the channel file",
                )
    found = fiducials_in_scs(channels, mri)
    if found is not None:
        fiducials, source = found
        return FrameTransform(matrix=head_from_fiducials(*fiducials), source=source)
    matrix = np.array([[0.0, -1, 0, 0], [1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
    return FrameTransform(
        matrix=matrix, source="no fiducials: SCS turned by 90° about z", assumed=True
    )


def fiducials_in_scs(
    channels: ChannelsLike | None, mri: MriLike | None = None
) -> tuple[tuple[FloatArray, FloatArray, FloatArray], str] | None:
    """Find nasion, left and right ear in SCS.

    Parameters
    ----------
    channels : Channels | None
        Channel file: its SCS fiducials, else its CARDINAL head points.
    mri : Mri | None
        MRI of the subject: its fiducials, moved to SCS.

    Returns
    -------
    fiducials : tuple of array, shape (3,)
        NAS, LPA, RPA in metres.
    source : str
        Where they stand. ``None`` in place of the pair if they are nowhere.
    """
    if channels is not None:
        found = _complete(channels.scs)
        if found is not None:
            return found, "fiducials (SCS) of the channel file"
        found = _cardinal_points(channels.head_points)
        if found is not None:
            return found, "cardinal head points of the channel file"
    if mri is not None and mri.scs is not None:
        found = _complete(mri.scs)
        matrix = _mri_to_scs(mri.scs)
        if found is not None and matrix is not None:
            nas, lpa, rpa = (1e-3 * transform_points(matrix, point) for point in found)
            return (nas, lpa, rpa), "fiducials of the MRI"
    return None


def head_from_fiducials(nas: FloatArray, lpa: FloatArray, rpa: FloatArray) -> FloatArray:
    """Transform from the frame of the fiducials to MNE's head frame.

    Parameters
    ----------
    nas, lpa, rpa : array, shape (3,)
        Nasion, left and right ear in any right-handed frame.

    Returns
    -------
    array, shape (4, 4)
        That frame → head.

    Raises
    ------
    FrameError
        If the three points lie on one line.
    """
    ears = rpa - lpa
    width = np.linalg.norm(ears)
    x = ears / width if width > 0 else ears
    origin = lpa + x * np.dot(nas - lpa, x)
    forward = nas - origin
    length = np.linalg.norm(forward)
    if not (width > 0 and length > 1e-6 * width):
        raise FrameError(
            f"The fiducials lie on one line: NAS {nas}, LPA {lpa}, RPA {rpa}; no frame follows."
        )
    y = forward / length
    matrix = np.eye(4)
    matrix[:3, :3] = np.stack([x, y, np.cross(x, y)])
    matrix[:3, 3] = -matrix[:3, :3] @ origin
    return matrix


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
        raise FrameError("The MRI has no Voxsize: its frame is unknown.")
    mri_to_scs = None if mri.scs is None else _mri_to_scs(mri.scs)
    if mri_to_scs is None:
        raise FrameError("The MRI has neither R and T nor all three fiducials in its SCS.")
    torig, _ = _torig_of(mri)
    to_voxels = np.linalg.inv(mri_to_scs @ _voxels_to_mri(mri.voxsize))
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


def _complete(
    fiducials: FiducialsLike | None,
) -> tuple[FloatArray, FloatArray, FloatArray] | None:
    if fiducials is None:
        return None
    points = [fiducials.nas, fiducials.lpa, fiducials.rpa]
    if any(p is None or np.size(p) != 3 or not np.isfinite(p).all() for p in points):
        return None
    nas, lpa, rpa = (np.ravel(np.asarray(p, dtype=np.float64)) for p in points)
    return nas, lpa, rpa


def _cardinal_points(head_points: Any) -> tuple[FloatArray, FloatArray, FloatArray] | None:
    """Mean position of the points NAS, LPA and RPA, which may have been digitised repeatedly."""
    if head_points is None or head_points.loc is None:
        return None
    found = []
    for names in (("NAS", "NASION"), ("LPA", "LE"), ("RPA", "RE")):
        index = [
            i
            for i, (label, kind) in enumerate(zip(head_points.label, head_points.type, strict=True))
            if kind.upper() == "CARDINAL" and label.strip().upper() in names
        ]
        if not index:
            return None
        found.append(head_points.loc[:, index].mean(axis=1))
    return found[0], found[1], found[2]


def _mri_to_scs(scs: FiducialsLike) -> FloatArray | None:
    """MRI coordinates → SCS, both in mm; from R and T, else from the fiducials."""
    matrix = np.eye(4)
    if scs.r is not None and scs.t is not None:
        matrix[:3, :3], matrix[:3, 3] = scs.r, np.ravel(scs.t)
        return matrix
    points = _complete(scs)
    if points is None:
        return None
    nas, lpa, rpa = points
    head_from_fiducials(nas, lpa, rpa)  # says what is wrong where they lie on one line
    origin = (lpa + rpa) / 2
    x = (nas - origin) / np.linalg.norm(nas - origin)
    z = np.cross(x, lpa - rpa)
    z /= np.linalg.norm(z)
    matrix[:3, :3] = np.stack([x, np.cross(z, x), z])
    matrix[:3, 3] = -matrix[:3, :3] @ origin
    return matrix


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
        raise FrameError("The MRI has no Voxsize: its frame is unknown.")
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
