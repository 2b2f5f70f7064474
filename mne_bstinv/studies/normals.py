"""The normals of a surface head model that holds none."""

from __future__ import annotations

import dataclasses

import numpy as np

from mne_bstinv import io
from mne_bstinv.anatomy import vertex_normals
from mne_bstinv.conversion import Findings

__all__ = ["with_normals"]


def with_normals(
    head_model: io.HeadModel, surface: io.Surface | None, findings: Findings
) -> io.HeadModel:
    """Take the normals of the surface where a surface head model holds none.

    Parameters
    ----------
    head_model : HeadModel
        The head model.
    surface : Surface | None
        Its cortex.
    findings : Findings
        Where to note it.

    Returns
    -------
    HeadModel
        The head model, with normals where they are known.
    """
    fits = surface is not None and len(surface.vertices) == head_model.n_sources
    if head_model.grid_orient is not None or head_model.kind != "surface" or not fits:
        return head_model
    assert surface is not None
    normals = surface.vert_normals
    origin = "the surface's VertNormals were taken"
    if normals is None:
        normals = vertex_normals(surface.vertices, np.asarray(surface.faces, dtype=np.int64) - 1)
        origin = "and so are VertNormals: normals were computed from the triangles"
    findings.derived("GridOrient", f"It is empty: {origin}.")
    return dataclasses.replace(head_model, grid_orient=normals)
