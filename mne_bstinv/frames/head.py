"""SCS ⇄ MNE's head frame."""

from __future__ import annotations

from typing import Any

import numpy as np

from mne_bstinv._types import FloatArray
from mne_bstinv.frames.fiducials import complete, head_from_fiducials, mri_to_scs
from mne_bstinv.frames.transform import (
    ChannelsLike,
    FrameTransform,
    MriLike,
    transform_points,
)

__all__ = ["HEAD_TO_SCS", "cardinal_of", "fiducials_in_scs", "scs_to_head"]


#: Label of the transform from MNE's head frame to SCS in a channel file.
HEAD_TO_SCS = "neuromag_head=>scs"
#: The same of the electrodes of CTF data in a FIF file, which holds them in MNE's head frame.
_OF_CTF_IN_FIF = "inv(neuromag_device=>ctf_head)"


def scs_to_head(channels: ChannelsLike | None, mri: MriLike | None = None) -> FrameTransform:
    """Find the transform from SCS to MNE's head frame.

    The first that is there: the transform ``neuromag_head=>scs`` of the channel file (of CTF data
    in a FIF file, ``inv(neuromag_device=>ctf_head)`` of its electrodes) with all later ones,
    inverted; the fiducials of the channel file; those of the MRI, moved to SCS.
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
        for transforms, labels, name in (
            (channels.transf_meg, channels.transf_meg_labels, HEAD_TO_SCS),
            (channels.transf_eeg, channels.transf_eeg_labels, HEAD_TO_SCS),
            (channels.transf_eeg, channels.transf_eeg_labels, _OF_CTF_IN_FIF),
        ):
            if name in labels:
                head_to_scs: FloatArray = np.eye(4)
                for transform in transforms[labels.index(name) :]:
                    head_to_scs = transform @ head_to_scs
                inverse: Any = np.linalg.inv(head_to_scs)
                return FrameTransform(
                    matrix=inverse, source=f"transform {name!r} of the channel file"
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
        found = complete(channels.scs)
        if found is not None:
            return found, "fiducials (SCS) of the channel file"
        found = _cardinal_points(channels.head_points)
        if found is not None:
            return found, "cardinal head points of the channel file"
    if mri is not None and mri.scs is not None:
        found = complete(mri.scs)
        matrix = mri_to_scs(mri.scs)
        if found is not None and matrix is not None:
            nas, lpa, rpa = (1e-3 * transform_points(matrix, point) for point in found)
            return (nas, lpa, rpa), "fiducials of the MRI"
    return None


def cardinal_of(label: str) -> str | None:
    """Tell which fiducial a cardinal head point is.

    Parameters
    ----------
    label : str
        Its label, in any case; ``'Left preauricular point'``, ``'Fid-Nz'``, ``'NA'`` ...

    Returns
    -------
    str | None
        ``'NAS'``, ``'LPA'`` or ``'RPA'``; None for other labels.
    """
    plain = "".join(c for c in label.casefold() if c.isalnum())
    return next((name for name, others in _CARDINALS.items() if plain in others), None)


#: Fiducials and their names in the head-point files of common systems: Brainstorm, BIDS and
#: Neuromag (nasion, LPA, RPA), CTF (nasion, left ear, right ear), EGI and BESA (FidNz, FidT9,
#: FidT10), EEGLAB (nz), Polhemus and others (preauricular points); without case and punctuation.
_CARDINALS = {
    "NAS": {"nas", "na", "n", "nasion", "nz", "fidnz", "fidnasion"},
    "LPA": {
        "lpa", "l", "le", "left", "leftear", "leftpreauricular", "leftpreauricularpoint",
        "leftperiauricular", "leftperiauricularpoint", "leftauricular", "fidt9", "fidlpa", "pal",
    },
    "RPA": {
        "rpa", "r", "re", "right", "rightear", "rightpreauricular", "rightpreauricularpoint",
        "rightperiauricular", "rightperiauricularpoint", "rightauricular", "fidt10", "fidrpa",
        "par",
    },
}  # fmt: skip


def _cardinal_points(head_points: Any) -> tuple[FloatArray, FloatArray, FloatArray] | None:
    """Mean position of the points NAS, LPA and RPA, which may have been digitised repeatedly."""
    if head_points is None or head_points.loc is None:
        return None
    found = []
    for name in _CARDINALS:
        index = [
            i
            for i, (label, kind) in enumerate(zip(head_points.label, head_points.type, strict=True))
            if kind.upper() == "CARDINAL" and cardinal_of(label) == name
        ]
        if not index:
            return None
        found.append(head_points.loc[:, index].mean(axis=1))
    return found[0], found[1], found[2]
