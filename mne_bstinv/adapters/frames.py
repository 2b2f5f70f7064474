"""From SCS to MNE's head and MRI frames, with what is assumed of them."""

from __future__ import annotations

import numpy as np

from mne_bstinv import io
from mne_bstinv._types import FloatArray
from mne_bstinv.conversion import ConversionReport, Findings
from mne_bstinv.frames import FrameTransform, scs_to_head, scs_to_surface_ras

__all__ = ["head_frame", "mri_frame"]


def scs_to_head_of(
    report: ConversionReport,
    channels: io.Channels | None,
    mri: io.Mri | None,
    findings: Findings,
) -> FloatArray:
    """Find the frame: given, else kept by the conversion to MNE.

    Parameters
    ----------
    report : ConversionReport
        Report of the object to convert.
    channels : Channels | None
        Channel file.
    mri : Mri | None
        MRI.
    findings : Findings
        Where to note a guess.

    Returns
    -------
    array, shape (4, 4)
        SCS → head.
    """
    kept = report.kept.get("scs_to_head")
    if kept is not None and channels is None and mri is None:
        return np.asarray(kept)
    return head_frame(channels, mri, findings).matrix


def head_frame(
    channels: io.Channels | None, mri: io.Mri | None, findings: Findings
) -> FrameTransform:
    """Find the transform from SCS to head and report a guess.

    Parameters
    ----------
    channels : Channels | None
        Channel file.
    mri : Mri | None
        MRI.
    findings : Findings
        Takes the guess.

    Returns
    -------
    FrameTransform
        SCS → head.
    """
    frame = scs_to_head(channels, mri)
    if frame.assumed:
        findings.assumed("SCS", f"The head frame is a guess ({frame.source}).")
    return frame


def mri_frame(channels: io.Channels | None, mri: io.Mri | None, findings: Findings) -> FloatArray:
    """Find the transform from SCS to MNE's MRI frame.

    Parameters
    ----------
    channels : Channels | None
        Channel file; only needed without an MRI.
    mri : Mri | None
        MRI. Without it, MRI and head are the same frame.
    findings : Findings
        Takes what is assumed.

    Returns
    -------
    array, shape (4, 4)
        SCS → MRI (surface RAS), metres.
    """
    if mri is None:
        findings.assumed("Cube", "No MRI was given: MRI and head are taken as the same frame.")
        return head_frame(channels, None, findings).matrix
    frame = scs_to_surface_ras(mri)
    if frame.assumed:
        findings.assumed("InitTransf", f"The frame of the MRI: {frame.source}.")
    return frame.matrix
