"""Scouts of Brainstorm ⇄ :class:`mne.Label`."""

from __future__ import annotations

from mne.utils import verbose

from mne_bstinv import io
from mne_bstinv.adapters._label_back import from_labels
from mne_bstinv.adapters._label_list import LabelList
from mne_bstinv.adapters._label_pieces import make_labels
from mne_bstinv.adapters._mri_frame import mri_frame
from mne_bstinv.conversion import Findings
from mne_bstinv.errors import ConversionError
from mne_bstinv.frames import transform_points

__all__ = ["LabelList", "from_labels", "to_labels"]


@verbose
def to_labels(
    surface: io.Surface,
    atlas: io.Atlas | str | None = None,
    *,
    subject: str | None = None,
    channels: io.Channels | None = None,
    mri: io.Mri | None = None,
    verbose: bool | str | int | None = None,
) -> LabelList:
    """Convert the scouts of an atlas to labels.

    Vertices are numbered within their hemisphere as in :func:`to_source_spaces` and
    :func:`to_surfaces`. ``'V1 L'`` becomes ``'V1-lh'``; a scout in both hemispheres becomes two
    labels.

    Parameters
    ----------
    surface : Surface
        The cortex.
    atlas : Atlas | str | None
        An atlas of this cortex, or its name; None for the current one, or the first with scouts.
    subject : str | None
        Name of the subject in MNE.
    channels : Channels | None
        The channel file, for the head frame, if there is no MRI.
    mri : Mri | None
        The MRI, in whose frame the positions of labels are.
    verbose : bool | str | int | None
        Level of MNE's log.

    Returns
    -------
    LabelList
        A list of :class:`mne.Label`; positions in MNE's MRI frame, metres. The report keeps the
        ``atlas`` and the ``origins`` of the labels, from which :func:`from_labels` restores
        seeds, functions and regions.

    Raises
    ------
    ConversionError
        If there is no such atlas, or a scout has vertices that the surface has not.
    """
    findings = Findings()
    chosen = _atlas(surface, atlas)
    positions = transform_points(mri_frame(channels, mri, findings), surface.vertices)
    labels, origins = make_labels(surface, chosen, positions, subject, findings)
    findings.keep("atlas", chosen)
    findings.keep("origins", origins)
    return findings.attach(labels, what=f"scouts of {chosen.name!r} → labels")


def _atlas(surface: io.Surface, atlas: io.Atlas | str | None) -> io.Atlas:
    if isinstance(atlas, io.Atlas):
        return atlas
    if atlas is not None:
        for one in surface.atlas:
            if one.name.strip().lower() == atlas.strip().lower():
                return one
        names = ", ".join(repr(one.name) for one in surface.atlas)
        raise ConversionError(
            f"The surface has no atlas {atlas!r}. Choose one that it has: {names or 'none'}."
        )
    current = surface.i_atlas
    if current is not None and 0 < current <= len(surface.atlas):
        one = surface.atlas[current - 1]
        if one.scouts:
            return one
    for one in surface.atlas:
        if one.scouts:
            return one
    raise ConversionError(
        "No atlas of the surface has scouts. "
        "Draw scouts in Brainstorm, or give an atlas that has some."
    )
