"""FreeSurfer's MRI, placed by MNE's head-MRI transform, as Brainstorm's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mne
import numpy as np

from mne_bstinv import io
from mne_bstinv._types import FloatArray
from mne_bstinv.adapters.anatomy.freesurfer import read_linear_transform
from mne_bstinv.conversion import Findings, converts
from mne_bstinv.errors import ConversionError, MissingFileError
from mne_bstinv.frames import (
    MNI_COMMISSURES,
    fiducials_in_scs,
    scs_to_head,
    transform_points,
)
from mne_bstinv.io.mat import PathLike
from mne_bstinv.io.text import history_row

__all__ = ["read_freesurfer_mri"]

_TO_MM = np.diag([1e3, 1e3, 1e3, 1.0])

#: Condition of a transform that flattens space: an affine registration of heads stays below 10.
_DEGENERATE = 1e3


@converts
def read_freesurfer_mri(fname: PathLike, trans: Any, channels: io.Channels) -> io.Mri:
    """Read ``T1.mgz`` with the fiducials that the channel file and the transform give it.

    Parameters
    ----------
    fname : path-like
        The MRI, ``.mgz`` or ``.mgh``.
    trans : mne.Transform
        Head ↔ MRI.
    channels : Channels
        Channel file, for the fiducials and SCS.

    Returns
    -------
    Mri
        The MRI with its voxels running to the right, to the front and up, as Brainstorm has
        them; fiducials in MRI coordinates and the transform to SCS, mm.

    Raises
    ------
    ConversionError
        If nibabel is not installed or cannot read the file, the channel file has no fiducials, or
        the transform is another one.
    MissingFileError
        If the file does not exist.

    Notes
    -----
    MNE's MRI frame is FreeSurfer's surface RAS, which follows from the file's header
    (``vox2ras-tkr``); scanner RAS is kept as ``vox2ras``.
    """
    path = Path(fname)
    if not path.exists():
        raise MissingFileError(f"{path}: no such file. Check the path.")
    found = fiducials_in_scs(channels)
    if found is None:
        raise ConversionError(
            f"{path}: the sensors have no fiducials, which place the MRI: give an Info with them."
        )
    findings = Findings()
    image, canonical = _images(path)
    turned = np.linalg.inv(image.affine) @ canonical.affine
    voxels_to_surface: FloatArray = image.header.get_vox2ras_tkr() @ turned
    size = np.linalg.norm(canonical.affine[:3, :3], axis=0)
    to_voxels = np.diag([*(1 / size), 1.0])
    to_voxels[:3, 3] = -1  # MRI coordinates are 1-based voxels times their size
    head_to_scs = _TO_MM @ scs_to_head(channels).inverse @ np.linalg.inv(_TO_MM)
    mri_to_head = _TO_MM @ _mri_to_head(trans) @ np.linalg.inv(_TO_MM)
    to_scs = head_to_scs @ mri_to_head @ voxels_to_surface @ to_voxels
    back: Any = np.linalg.inv(to_scs)
    nas, lpa, rpa = (transform_points(back, 1e3 * point) for point in found[0])
    mri = io.Mri(
        comment="MRI",
        cube=np.asarray(canonical.dataobj),
        voxsize=size,
        scs=io.SCS(
            nas=nas,
            lpa=lpa,
            rpa=rpa,
            r=to_scs[:3, :3],
            t=to_scs[:3, 3],
            origin=back[:3, 3],
        ),
        ncs=_ncs(path, canonical.affine @ to_voxels, findings),
        init_transf=(("vox2ras", canonical.affine),),
        history=(history_row("import", f"Converted from {path.name} by MNE-Python"),),
    )
    findings.derived("SCS", f"fiducials of the MRI: those of the sensors ({found[1]}), moved")
    return findings.attach(mri, what=f"{path.name} → MRI")


def _ncs(path: Path, mri_to_ras: FloatArray, findings: Findings) -> io.NCS | None:
    """Return the transform to MNI coordinates that ``transforms/talairach.xfm`` beside states.

    MRI coordinates → scanner RAS is (4, 4), mm.
    """
    file = path.with_name("transforms") / "talairach.xfm"
    if not file.is_file():
        return None
    try:
        to_mni: Any = read_linear_transform(file) @ mri_to_ras
    except ConversionError as error:
        findings.dropped("talairach.xfm", str(error))
        return None
    findings.derived("NCS", "MNI coordinates are those of transforms/talairach.xfm")
    points: dict[str, Any] = {}
    if np.linalg.cond(to_mni[:3, :3]) < _DEGENERATE:
        back = np.linalg.inv(to_mni)
        points = {k: transform_points(back, np.array(p)) for k, p in MNI_COMMISSURES.items()}
    return io.NCS(r=to_mni[:3, :3], t=to_mni[:3, 3], **points)


def _images(path: Path) -> tuple[Any, Any]:
    """Return the image as it is, and with its axes right, front, up."""
    try:
        import nibabel

        canonical: Any = nibabel.as_closest_canonical
    except ImportError as error:
        raise ConversionError(
            f"{path}: nibabel reads FreeSurfer's MRIs and is not installed: pip install nibabel"
        ) from error
    try:
        image = nibabel.load(path)
    except (nibabel.filebasedimages.ImageFileError, OSError, EOFError) as error:
        raise ConversionError(
            f"{path}: nibabel cannot read it: {error}. Give FreeSurfer's T1.mgz, or copy it again."
        ) from error
    if not hasattr(image.header, "get_vox2ras_tkr"):
        raise ConversionError(
            f"{path}: not an MRI of FreeSurfer (.mgz): its frame is unknown. Give mri/T1.mgz."
        )
    return image, canonical(image)


def _mri_to_head(trans: Any) -> FloatArray:
    checked: Any = trans
    matrix: FloatArray = np.asarray(checked["trans"], dtype=np.float64)
    if not isinstance(trans, mne.Transform) or {checked["from"], checked["to"]} != {4, 5}:
        raise ConversionError(
            f"trans must be an mne.Transform between head (4) and MRI (5), found "
            f"{type(trans).__name__} from {checked['from']} to {checked['to']}."
        )
    inverse: Any = np.linalg.inv(matrix)
    return matrix if checked["to"] == 4 else inverse
