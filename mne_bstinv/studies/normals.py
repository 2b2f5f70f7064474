"""The normals of a surface head model that holds none: one rule for all that compute with it.

Brainstorm takes the normals of the surface that the head model names. It writes them beside the
vertices (VertNormals); files of other origin may lack them: then they follow from the triangles.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from mne_bstinv import io
from mne_bstinv._types import FloatArray
from mne_bstinv.anatomy import vertex_normals
from mne_bstinv.conversion import Findings

__all__ = ["SAME_PLACE", "surface_normals", "with_normals"]

#: Locations and vertices that differ by less (m) are the same: rounding of single precision.
SAME_PLACE = 1e-6


def with_normals(
    head_model: io.HeadModel, surface: io.Surface | None, findings: Findings
) -> io.HeadModel:
    """Take the normals (n_sources, 3) of the surface where a surface head model holds none.

    A head model is returned as it is if it holds them, if its locations are not the vertices of
    the surface, and if it is a volume.
    """
    if head_model.grid_orient is not None or head_model.kind != "surface":
        return head_model
    if surface is None or not _at_vertices(head_model, surface):
        return head_model
    normals, origin = _normals_of(surface)
    findings.derived("GridOrient", f"It is empty{origin}")
    return dataclasses.replace(head_model, grid_orient=normals)


def surface_normals(surface: io.Surface) -> FloatArray:
    """Return the normals (n_vertices, 3) of a surface: its own, or those of its triangles.

    The cortices of Brainstorm's templates come without: Brainstorm computes them when it loads
    them.
    """
    return _normals_of(surface)[0]


def _normals_of(surface: io.Surface) -> tuple[FloatArray, str]:
    """Return normals (n_vertices, 3), outward as the surface has them, and where they are from."""
    if surface.vert_normals is not None:
        return surface.vert_normals, ": the surface's VertNormals were taken."
    faces = np.asarray(surface.faces, dtype=np.int64) - 1
    return vertex_normals(surface.vertices, faces), (
        ", and so are the surface's VertNormals: normals were computed from the triangles."
    )


def _at_vertices(head_model: io.HeadModel, surface: io.Surface) -> bool:
    """Whether the locations are the vertices: the subject's cortex may be another surface."""
    if len(surface.vertices) != head_model.n_sources:
        return False
    return np.allclose(surface.vertices, head_model.grid_loc, rtol=0, atol=SAME_PLACE)
