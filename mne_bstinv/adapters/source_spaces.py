"""Source locations of Brainstorm ⇄ :class:`mne.SourceSpaces`."""

from __future__ import annotations

from typing import Any

import mne
from mne.utils import verbose

from mne_bstinv import io
from mne_bstinv.adapters._mri_frame import head_frame
from mne_bstinv.adapters._source_grid import SourceGrid, from_source_spaces, source_order
from mne_bstinv.adapters._source_space_builder import Builder
from mne_bstinv.conversion import Findings

__all__ = ["SourceGrid", "from_source_spaces", "source_order", "to_source_spaces"]


@verbose
def to_source_spaces(
    head_model: io.HeadModel,
    surface: io.Surface | None = None,
    mri: io.Mri | None = None,
    *,
    channels: io.Channels | None = None,
    subject: str | None = None,
    verbose: bool | str | int | None = None,
) -> Any:
    """Convert the source locations of a head model to MNE's source spaces.

    A surface becomes two hemispheres, whatever the order of its vertices; a volume whose points
    lie on a regular grid becomes a volume source space, else a discrete one; a mixed model
    becomes left and right cortex followed by one volume or discrete source space a region.

    Parameters
    ----------
    head_model : HeadModel
        The head model; its gain is not looked at.
    surface : Surface | None
        The cortex that ``GridLoc`` follows. Without it the source space is discrete.
    mri : Mri | None
        The subject's MRI. Without it, MRI and head are the same frame.
    channels : Channels | None
        The channel file, for the head frame.
    subject : str | None
        Name of the subject in MNE.
    verbose : bool | str | int | None
        Level of MNE's log.

    Returns
    -------
    mne.SourceSpaces
        The source spaces in the head frame, metres. The report keeps ``order`` (see
        :func:`source_order`), ``scs_to_head``, ``head_model`` and ``surface`` as they were given.

    Raises
    ------
    ConversionError
        If the surface has another size than ``GridLoc``, or a region of a mixed model is wrong.
    FrameError
        If the fiducials lie on one line, or the MRI has no frame.
    """
    findings = Findings()
    frame = head_frame(channels, mri, findings)
    builder = Builder(head_model, surface, mri, frame, subject, findings)
    src = mne.SourceSpaces(builder.parts())
    findings.keep("order", source_order(src))
    findings.keep("scs_to_head", frame.matrix)
    findings.keep("head_model", head_model)
    findings.keep("surface", surface)
    return findings.attach(src, what="head model → SourceSpaces")
