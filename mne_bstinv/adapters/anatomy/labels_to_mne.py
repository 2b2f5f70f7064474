"""Scouts of Brainstorm as :class:`mne.Label`."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import Any

import mne
import numpy as np
from mne.utils import verbose
from numpy.typing import NDArray

from mne_bstinv import io
from mne_bstinv._display import few, html_table
from mne_bstinv._types import FloatArray, IntArray, Verbose
from mne_bstinv.adapters.frames import mri_frame
from mne_bstinv.adapters.kept import keep
from mne_bstinv.adapters.sources import hemisphere_rows
from mne_bstinv.anatomy import hemispheres
from mne_bstinv.conversion import Findings, converts
from mne_bstinv.errors import ConversionError
from mne_bstinv.frames import transform_points
from mne_bstinv.studies.units import in_metres

__all__ = ["LabelList", "Origin", "make_labels", "to_labels"]

#: Codes of regions of a mixed model that are volumes: hemisphere, V, constraint.
_VOLUME_REGION = re.compile(r"[A-Z]V[A-Z]", re.IGNORECASE)

#: How Brainstorm ends the names of scouts of each hemisphere.
_ENDINGS = {"lh": " L", "rh": " R"}


@converts
@verbose
def to_labels(
    surface: io.Surface,
    atlas: io.Atlas | str | None = None,
    *,
    subject: str | None = None,
    channels: io.Channels | None = None,
    mri: io.Mri | None = None,
    verbose: Verbose = None,
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
        Control verbosity of the logging output.

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
    surface = in_metres(surface)
    chosen = _atlas(surface, atlas)
    positions = transform_points(mri_frame(channels, mri, findings), surface.vertices)
    labels, origins = make_labels(surface, chosen, positions, subject, findings)
    keep(findings, atlas=chosen, origins=origins)
    return findings.attach(labels, what=f"scouts of {chosen.name!r} → labels")


class LabelList(list[Any]):
    """A list of :class:`mne.Label`; unlike a plain list it can carry the loss report.

    Parameters
    ----------
    iterable : iterable of mne.Label
        The labels.
    """

    def __repr__(self) -> str:
        names = [label.name for label in self[:3]]
        more = [f"{len(self) - 3} more"] if len(self) > 3 else []
        return f"<LabelList | {', '.join([*names, *more]) or 'no label'}>"

    def _repr_html_(self) -> str:
        rows = [(label.name, label.hemi, str(len(label.vertices))) for label in self]
        return html_table(rows, head=("label", "hemisphere", "vertices"), title=repr(self))


@dataclass(frozen=True, kw_only=True, eq=False)
class Origin:
    """Which scout a label was made of."""

    #: Name of the label.
    name: str
    #: Number of the scout in its atlas, 0-based.
    scout: int
    #: Vertices of the label, shape (n_vertices,).
    vertices: NDArray[np.int64]


def make_labels(
    surface: io.Surface,
    atlas: io.Atlas,
    positions: FloatArray,
    subject: str | None,
    findings: Findings,
) -> tuple[LabelList, tuple[Origin, ...]]:
    """Make the labels of an atlas in the order of its scouts, and say which is of which scout.

    ``positions`` (n_vertices, 3) are those of the cortex in MNE's MRI frame, m.
    """
    sides = hemisphere_rows(surface, findings)
    elsewhere = _beside_the_cortex(surface)
    pieces = [
        piece
        for number, scout in enumerate(atlas.scouts)
        if not _is_no_label(scout, elsewhere, findings)
        for piece in _by_hemisphere(number, scout, surface, sides, findings)
    ]
    labels, origins = LabelList(), []
    for piece, name in zip(pieces, _label_names(pieces), strict=True):
        label = mne.Label(
            piece.numbers,
            pos=positions[piece.rows],
            hemi=piece.side,
            name=name,
            subject=subject,
            color=_color(piece.scout, findings),
        )
        labels.append(label)
        origins.append(Origin(name=name, scout=piece.scout_number, vertices=piece.numbers))
    return labels, tuple(origins)


def _atlas(surface: io.Surface, atlas: io.Atlas | str | None) -> io.Atlas:
    chosen = atlas if isinstance(atlas, io.Atlas) else _atlas_of(surface, atlas)
    if chosen.n_grid is not None:
        raise ConversionError(
            f"The scouts of {chosen.name!r} are of the {chosen.n_grid} points of a volume grid, "
            "not of the vertices of the surface: MNE has no labels there. Give another atlas."
        )
    return chosen


def _atlas_of(surface: io.Surface, name: str | None) -> io.Atlas:
    """Return the atlas of this name; without one the current atlas, or the first with scouts."""
    if name is not None:
        for one in surface.atlas:
            if one.name.strip().lower() == name.strip().lower():
                return one
        names = few(repr(one.name) for one in surface.atlas)
        raise ConversionError(
            f"The surface has no atlas {name!r}. Choose one that it has: {names or 'none'}."
        )
    current = surface.atlas[surface.i_atlas - 1 : surface.i_atlas] if surface.i_atlas else ()
    for one in (*current, *surface.atlas):
        if one.scouts and one.n_grid is None:
            return one
    raise ConversionError(
        "No atlas of the surface has scouts. "
        "Draw scouts in Brainstorm, or give an atlas that has some."
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class _ScoutPart:
    """The part of a scout in one hemisphere."""

    scout_number: int
    scout: io.Scout
    side: str
    #: Vertices in the numbering of the hemisphere, ascending; and rows of the surface.
    numbers: IntArray
    rows: IntArray


def _beside_the_cortex(surface: io.Surface) -> IntArray:
    """Return the vertices (1-based) of structures that were merged with the cortex."""
    sides, rule = hemispheres(surface)
    return np.flatnonzero(sides == "") + 1 if "atlas" in rule else np.zeros(0, dtype=np.int64)


def _is_no_label(scout: io.Scout, elsewhere: IntArray, findings: Findings) -> bool:
    """Tell whether a scout is no part of the cortex: a volume or another structure."""
    if _VOLUME_REGION.fullmatch(scout.region or ""):
        reason = "a region that is a volume"
    elif (
        scout.vertices is not None
        and len(scout.vertices)
        and (np.isin(scout.vertices, elsewhere).all())
    ):
        reason = "a structure beside the cortex"
    else:
        return False
    findings.each("dropped", "Scouts", f"{reason}: MNE's labels are of the cortex", scout.label)
    return True


def _by_hemisphere(
    number: int,
    scout: io.Scout,
    surface: io.Surface,
    hemispheres: dict[str, IntArray],
    findings: Findings,
) -> list[_ScoutPart]:
    given = np.asarray([] if scout.vertices is None else scout.vertices, dtype=np.int64)
    rows = np.unique(given) - 1
    if len(rows) and (rows[0] < 0 or rows[-1] >= len(surface.vertices)):
        raise ConversionError(
            f"Scout {scout.label!r} has vertices from {rows[0] + 1} to {rows[-1] + 1}, expected 1 "
            f"to {len(surface.vertices)}: they do not belong together. Give the surface that the "
            "scout was drawn on."
        )
    pieces = []
    for side, members in hemispheres.items():
        numbers = np.flatnonzero(np.isin(members, rows))
        if len(numbers):
            pieces.append(
                _ScoutPart(
                    scout_number=number,
                    scout=scout,
                    side=side,
                    numbers=numbers,
                    rows=members[numbers],
                )
            )
    if not pieces:
        findings.dropped("Vertices", f"Scout {scout.label!r} has no vertices: it has no label.")
    if len(pieces) > 1:
        findings.derived(
            "Vertices",
            f"Scout {scout.label!r} is in both hemispheres: it was cut into two labels "
            f"({' and '.join(str(len(p.numbers)) for p in pieces)} vertices).",
        )
    return pieces


def _label_names(pieces: list[_ScoutPart]) -> list[str]:
    """MNE's names; Brainstorm's ending goes unless two scouts would then share a name."""
    short = []
    for piece in pieces:
        name, ending = piece.scout.label, _ENDINGS[piece.side]
        short.append((name.removesuffix(ending) or name, piece.side))
    shared = Counter(short)
    return [
        f"{piece.scout.label if shared[one] > 1 else one[0]}-{piece.side}"
        for piece, one in zip(pieces, short, strict=True)
    ]


def _color(scout: io.Scout, findings: Findings) -> tuple[float, ...] | None:
    if scout.color is None or np.size(scout.color) != 3 or not np.isfinite(scout.color).all():
        return None
    color = np.ravel(scout.color)
    if color.min() < 0 or color.max() > 1:
        findings.derived("Color", f"The colour of scout {scout.label!r} was cut to 0 to 1.")
    return tuple(map(float, np.clip(color, 0, 1)))
