"""Triangles among the points of a surface source space that are in use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.csgraph import dijkstra

from mne_bstinv.anatomy import edge_lengths
from mne_bstinv.conversion import Findings

__all__ = ["used_triangles"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


def used_triangles(part: Mapping[str, Any], findings: Findings) -> IntArray:
    """Return the triangles among the points in use, numbered in their order.

    Parameters
    ----------
    part : dict
        A surface source space of MNE.
    findings : Findings
        Takes triangles that are lost or were made.

    Returns
    -------
    array of int, shape (n_tris, 3)
        Its own triangles (``tris`` if all points are in use, else ``use_tris``); else those that
        join the patches of three points: where the corners of a triangle of the whole surface are
        nearest to three different points in use, these make a triangle.
    """
    vertno = np.asarray(part["vertno"], dtype=np.int64)
    tris = part["tris"] if len(vertno) == part["np"] else part["use_tris"]
    if tris is not None and np.size(tris):
        tris = np.asarray(tris, dtype=np.int64)
        complete = np.isin(tris, vertno).all(axis=1)
        if not complete.all():
            findings.dropped(
                "use_tris", f"{np.sum(~complete)} triangles have corners that are not in use."
            )
        return np.searchsorted(vertno, tris[complete])
    if part["tris"] is None or not len(part["tris"]) or not len(vertno):
        findings.dropped("tris", "The hemisphere has no triangles; the cortex has none there.")
        return np.empty((0, 3), dtype=np.int64)
    tris = np.asarray(part["tris"], dtype=np.int64)
    nearest = _nearest(part, vertno, tris)[tris]
    distinct = (np.diff(np.sort(nearest, axis=1), axis=1) > 0).all(axis=1)
    patches = np.searchsorted(vertno, nearest[distinct & (nearest >= 0).all(axis=1)])
    # the same three patches meet in one triangle; turned so that equal ones look alike
    first = patches.argmin(axis=1)
    patches = np.take_along_axis(patches, (first[:, None] + np.arange(3)) % 3, axis=1)
    made = np.unique(patches, axis=0)
    findings.derived(
        "use_tris",
        f"There is none: {len(made)} triangles were made of points whose patches meet on the "
        "whole surface.",
    )
    return made


def _nearest(part: Mapping[str, Any], vertno: IntArray, tris: IntArray) -> IntArray:
    """Vertex in use that is nearest to each vertex, along the edges; negative if none is."""
    graph = edge_lengths(np.asarray(part["rr"], dtype=np.float64), tris)
    _, _, nearest = dijkstra(graph, indices=vertno, min_only=True, return_predecessors=True)
    return np.asarray(nearest, dtype=np.int64)
