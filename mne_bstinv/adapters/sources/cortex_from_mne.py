"""The cortex of source spaces: one mesh of both hemispheres, and of structures with a surface."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import csc_array

from mne_bstinv import io
from mne_bstinv._types import FloatArray, IntArray
from mne_bstinv.adapters.sources.meshes import joined, triangles_in_use
from mne_bstinv.adapters.sources.regions import NamedRegions
from mne_bstinv.anatomy import vertex_adjacency
from mne_bstinv.conversion import Findings

__all__ = ["HEMISPHERES", "Mesh", "pieces_of", "scout_of"]

#: Name, region and colour of the hemispheres in the atlas "Structures".
HEMISPHERES = (("lh", "LU", (0.0, 0.0, 1.0)), ("rh", "RU", (1.0, 0.0, 0.0)))


@dataclass(frozen=True, kw_only=True, eq=False)
class Piece:
    """Part of the mesh of a cortex."""

    #: Name and region of its scout in the atlas ``Structures``.
    label: str
    region: str
    color: tuple[float, float, float] | None
    #: Its source space, and the row of the grid of each point in use.
    part: Mapping[str, Any]
    rows: IntArray


def pieces_of(src: Any, rows: Sequence[IntArray], named: NamedRegions | None) -> list[Piece]:
    """List what the mesh consists of: the hemispheres, then other structures with a surface."""
    n_cortex = 2 if src.kind in ("surface", "mixed") else 0
    cortex = zip(HEMISPHERES, src[:n_cortex], rows, strict=False)
    pieces = [
        Piece(label=label, region=region, color=color, part=part, rows=row)
        for (label, region, color), part, row in cortex
    ]
    if named is None:
        return pieces
    for part, row, members in zip(
        src[n_cortex:], rows[n_cortex:], named.members[n_cortex:], strict=True
    ):
        regions = set(members.tolist()) - {-1}
        codes = {named.regions[number] for number in regions}
        if len(regions) == 1 and len(codes) == 1 and part["type"] == "discrete":
            ((label, code),) = codes
            if code[1:2] == "S":
                region = code[:1] + "U"
                pieces.append(Piece(label=label, region=region, color=None, part=part, rows=row))
    return pieces


class Mesh:
    """The mesh of all pieces: the hemispheres in the order of the grid, then the others."""

    def __init__(self, pieces: Sequence[Piece], grid_loc: FloatArray, findings: Findings) -> None:
        self.pieces = pieces
        cortex = [piece.rows for piece in pieces if piece.color is not None]
        others = [piece.rows for piece in pieces if piece.color is None]
        none = np.empty(0, dtype=np.int64)
        self.rows = np.concatenate([np.sort(np.concatenate([none, *cortex])), *others])
        self._vertex = np.full(len(grid_loc), -1, dtype=np.int64)
        self._vertex[self.rows] = np.arange(len(self.rows))
        self.points = grid_loc[self.rows]
        faces = [np.empty((0, 3), dtype=np.int64)]
        for piece in pieces:
            made = triangles_in_use(piece.part, _called(piece), findings)
            if len(made):
                made = joined(grid_loc[piece.rows], made, findings)
            faces.append(self._vertex[piece.rows][made])
        self.faces = joined(self.points, np.concatenate(faces), findings)
        if not len(self.faces):
            self.rows = none
            return
        findings.derived(
            "tris",
            "The triangles were wound clockwise seen from outside, as Brainstorm winds them.",
        )

    def vertices_of(self, rows: IntArray) -> IntArray:
        """Return the 1-based vertices of rows of the grid; empty unless all are vertices."""
        vertices = self._vertex[rows] + 1 if len(self.rows) else np.zeros(len(rows), np.int64)
        return vertices if vertices.all() else np.empty(0, dtype=np.int64)

    def surface(self, normals: FloatArray) -> io.Surface:
        """Return the mesh as Brainstorm's surface; ``normals`` of all rows of the grid."""
        scouts = tuple(
            scout_of(
                piece.label,
                np.sort(self._vertex[piece.rows]) + 1,
                region=piece.region,
                color=piece.color,
            )
            for piece in self.pieces
            if len(piece.rows)  # of a hemisphere without sources there is nothing to show
        )
        return io.Surface(
            comment=f"cortex_{len(self.rows)}V",
            vertices=self.points,
            faces=self.faces[:, [0, 2, 1]] + 1,  # clockwise seen from outside, as in Brainstorm
            vert_conn=csc_array(vertex_adjacency(self.faces, len(self.rows))),
            vert_normals=normals[self.rows],
            atlas=(io.Atlas(name="Structures", scouts=scouts),),
            i_atlas=1,
        )


def _called(piece: Piece) -> str:
    sides = {"lh": "the left hemisphere", "rh": "the right hemisphere"}
    return sides.get(piece.label, f"region {piece.label!r}")


def scout_of(
    label: str,
    vertices: IntArray,
    *,
    region: str,
    color: tuple[float, float, float] | None = None,
    grid_rows: IntArray | None = None,
) -> io.Scout:
    """Make a scout whose seed is its first vertex.

    Parameters
    ----------
    label : str
        Its name.
    vertices : array of int, shape (n_vertices,)
        1-based vertices.
    region : str
        Its region.
    color : tuple of float | None
        Red, green and blue, 0 to 1.
    grid_rows : array of int, shape (n_rows,) | None
        1-based rows of GridLoc.

    Returns
    -------
    Scout
        The scout.
    """
    return io.Scout(
        label=label,
        vertices=vertices,
        seed=int(vertices[0]) if len(vertices) else None,
        color=None if color is None else np.array(color),
        function="Mean",
        region=region,
        grid_rows=grid_rows,
    )
