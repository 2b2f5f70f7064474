"""Cut scouts into labels of one hemisphere each."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import mne
import numpy as np
from numpy.typing import NDArray

from mne_bstinv import io
from mne_bstinv.adapters._hemispheres import hemisphere_rows
from mne_bstinv.adapters._label_list import LabelList, Origin
from mne_bstinv.conversion import Findings
from mne_bstinv.errors import ConversionError

__all__ = ["make_labels"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

#: How Brainstorm ends the names of scouts of each hemisphere.
_ENDINGS = {"lh": " L", "rh": " R"}


def make_labels(
    surface: io.Surface,
    atlas: io.Atlas,
    positions: FloatArray,
    subject: str | None,
    findings: Findings,
) -> tuple[LabelList, tuple[Origin, ...]]:
    """Make the labels of an atlas.

    Parameters
    ----------
    surface : Surface
        The cortex.
    atlas : Atlas
        One of its atlases.
    positions : array, shape (n_vertices, 3)
        Positions of its vertices in MNE's MRI frame, metres.
    subject : str | None
        Name of the subject.
    findings : Findings
        Takes what is changed.

    Returns
    -------
    labels : LabelList
        The labels, in the order of the scouts.
    origins : tuple of Origin
        Which scout each was made of.
    """
    hemispheres = hemisphere_rows(surface, findings)
    pieces = [
        piece
        for number, scout in enumerate(atlas.scouts)
        for piece in _pieces(number, scout, surface, hemispheres, findings)
    ]
    labels, origins = LabelList(), []
    for piece, name in zip(pieces, _names(pieces), strict=True):
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


@dataclass(frozen=True, kw_only=True, eq=False)
class _Piece:
    """The part of a scout in one hemisphere."""

    scout_number: int
    scout: io.Scout
    side: str
    #: Vertices in the numbering of the hemisphere, ascending; and rows of the surface.
    numbers: IntArray
    rows: IntArray


def _pieces(
    number: int,
    scout: io.Scout,
    surface: io.Surface,
    hemispheres: dict[str, IntArray],
    findings: Findings,
) -> list[_Piece]:
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
                _Piece(
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


def _names(pieces: list[_Piece]) -> list[str]:
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
