"""From SCS to MNE's head and MRI frames, with what is assumed of them."""

from __future__ import annotations

import numpy as np

from mne_bstinv import io
from mne_bstinv._types import FloatArray
from mne_bstinv.adapters.kept import kept_of
from mne_bstinv.conversion import ConversionReport, Findings
from mne_bstinv.frames import FrameTransform, scs_to_head, scs_to_surface_ras
from mne_bstinv.studies.units import in_metres

__all__ = ["head_frame", "mri_frame"]


def scs_to_head_of(
    report: ConversionReport,
    channels: io.Channels | None,
    mri: io.Mri | None,
    findings: Findings,
) -> FloatArray:
    """SCS → head (4, 4): of the channel file or MRI given, else kept by the conversion to MNE."""
    kept = kept_of(report).get("scs_to_head")
    if kept is not None and channels is None and mri is None:
        return np.asarray(kept)
    return head_frame(channels, mri, findings).matrix


def head_frame(
    channels: io.Channels | None, mri: io.Mri | None, findings: Findings
) -> FrameTransform:
    """Find the transform from SCS to head and report a guess."""
    frame = scs_to_head(
        None if channels is None else in_metres(channels), None if mri is None else in_metres(mri)
    )
    if frame.assumed:
        findings.assumed("SCS", f"The head frame is a guess ({frame.source}).")
    return frame


def mri_frame(channels: io.Channels | None, mri: io.Mri | None, findings: Findings) -> FloatArray:
    """SCS → MNE's MRI frame (4, 4), surface RAS, m; without an MRI it is the head frame."""
    if mri is None:
        findings.assumed("Cube", "No MRI was given: MRI and head are taken as the same frame.")
        return head_frame(channels, None, findings).matrix
    frame = scs_to_surface_ras(in_metres(mri))
    if frame.assumed:
        findings.assumed("InitTransf", f"The frame of the MRI: {frame.source}.")
    return frame.matrix
