"""A cortex cut into MNE's two hemispheres: what source spaces, labels and surfaces share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mne_bstinv import io
from mne_bstinv._types import IntArray
from mne_bstinv.anatomy import complete_sides, hemispheres, outward_faces
from mne_bstinv.conversion import Findings

__all__ = ["SIDES", "Hemisphere", "cut", "cut_cortex", "hemisphere_rows", "triangles_of"]


#: MNE's order of the hemispheres.
SIDES = ("lh", "rh")


@dataclass(frozen=True, kw_only=True, eq=False)
class Hemisphere:
    """Part of a surface, with its vertices numbered anew.

    Parameters
    ----------
    side : 'lh' | 'rh'
        Which hemisphere.
    vertices : array of int, shape (n_vertices,)
        Its vertices: rows of the surface, ascending.
    tris : array of int, shape (n_tris, 3)
        Its triangles in its own numbering, wound counterclockwise seen from outside.
    """

    side: str
    vertices: IntArray
    tris: IntArray


def cut_cortex(surface: io.Surface, findings: Findings) -> tuple[Hemisphere, Hemisphere]:
    """Cut a cortex into hemispheres; every vertex is in one of them.

    Parameters
    ----------
    surface : Surface
        The cortex.
    findings : Findings
        Takes the rule that was used, vertices that were in neither hemisphere, triangles that
        join the hemispheres and the winding.

    Returns
    -------
    lh, rh : Hemisphere
        The hemispheres.
    """
    left, right = cut(surface, list(hemisphere_rows(surface, findings).values()), findings)
    return left, right


def hemisphere_rows(surface: io.Surface, findings: Findings) -> dict[str, IntArray]:
    """Tell which vertices of a cortex make each hemisphere; every vertex is in one.

    Parameters
    ----------
    surface : Surface
        The cortex.
    findings : Findings
        Takes the rule that was used and the vertices that were in neither hemisphere.

    Returns
    -------
    dict of str to array of int
        Rows of the surface, ascending, of ``'lh'`` and of ``'rh'``.
    """
    sides, rule = hemispheres(surface)
    if "atlas" not in rule:
        findings.derived("Atlas", f"The hemispheres follow from the {rule}.")
    homeless = int(np.sum(sides == ""))
    if homeless:
        findings.assumed(
            "Atlas",
            f"{homeless} vertices are in neither hemisphere ({rule}); each was put into that of "
            "the nearest vertex along the mesh or, where none is joined to it, on its side.",
        )
        sides = complete_sides(surface, sides)
    return {side: np.flatnonzero(sides == side) for side in SIDES}


def cut(
    surface: io.Surface, vertices: Sequence[IntArray], findings: Findings
) -> tuple[Hemisphere, ...]:
    """Take the given rows of the left and the right hemisphere out of a surface, with triangles."""
    faces = np.asarray(surface.faces, dtype=np.int64) - 1
    outward = outward_faces(surface.vertices, faces, surface.vert_normals)
    turned = int((outward != faces).any(axis=1).sum())
    if turned:
        findings.derived(
            "Faces",
            f"{turned} triangles were wound clockwise seen from outside; two of their corners "
            "were exchanged.",
        )
    parts = tuple(
        Hemisphere(
            side=side, vertices=rows, tris=triangles_of(outward, rows, len(surface.vertices))
        )
        for side, rows in zip(SIDES, vertices, strict=True)
    )
    used = np.isin(faces, np.concatenate(list(vertices))).all(axis=1)
    lost = int(used.sum()) - sum(len(part.tris) for part in parts)
    if lost:
        findings.dropped("Faces", f"{lost} triangles join the two hemispheres.")
    return parts


def triangles_of(faces: IntArray, rows: IntArray, n_vertices: int) -> IntArray:
    """Return the triangles (n, 3) that have all corners among some rows, numbered as these are."""
    number = np.full(n_vertices, -1, dtype=np.int64)
    number[rows] = np.arange(len(rows))
    renumbered: Any = number[faces]
    return renumbered[(renumbered >= 0).all(axis=1)]
