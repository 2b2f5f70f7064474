"""The triangles of the points in use of a source space: every point is a corner of one.

A source space uses few of the vertices of a surface. Its head model in Brainstorm has these alone,
and a cortex of them, every vertex of which needs a triangle: without, it has no normal.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import ConvexHull, QhullError

from mne_bstinv._types import FloatArray, IntArray
from mne_bstinv.anatomy import edge_lengths
from mne_bstinv.conversion import Findings

__all__ = ["joined", "triangles_in_use"]

#: Smallest sum of the area vectors of the triangles at a vertex, relative to the sum of their
#: areas, that has a direction: what is below is rounding, as of two triangles back to back.
_FLAT = 1e-9


def triangles_in_use(part: Mapping[str, Any], name: str, findings: Findings) -> IntArray:
    """Return triangles (n_tris, 3) that join the points in use, numbered in their order.

    They are its own (``tris`` if all points are in use, else ``use_tris``), if all have their
    corners in use, and each point is in one. Else those that join the patches of three points:
    where the corners of a triangle of the whole surface are nearest to three different points
    in use, these make a triangle. Of points without any triangle, those of the convex hull of
    their directions, seen from their centre.
    """
    vertno = np.asarray(part["vertno"], dtype=np.int64)
    rr = np.asarray(part["rr"], dtype=np.float64)
    made, n_lost = _own(part, vertno)
    whole = len(made) > 0 and n_lost == 0 and not len(_alone(rr[vertno], made))
    if not whole and _size(part["tris"]):
        reason = "There are none"
        if n_lost or len(made):
            reason = f"{n_lost} have corners that are not in use" if n_lost else "They miss points"
        made = _of_patches(part, vertno)
        findings.derived(
            "use_tris",
            f"{reason}: {len(made)} triangles of {name} were made of points whose patches meet on "
            "the whole surface.",
        )
    elif n_lost:
        findings.dropped("use_tris", f"{n_lost} triangles have corners that are not in use.")
    if len(made) == 0 and len(vertno) > 2:
        made = _hull(rr[vertno])
        findings.derived(
            "tris",
            f"{name.capitalize()} has no triangles: {len(made)} were made around its centre.",
        )
    return made


def joined(points: FloatArray, faces: IntArray, findings: Findings) -> IntArray:
    """Make every point (n_points, 3) a corner of a triangle (0-based).

    The triangle that is nearest to a point without any is divided into three, whose common
    corner it is, wound as they were: (n_faces + 2 n_joined, 3). Without any triangle: one of
    the first three points that span one; empty if none do.
    """
    alone = _alone(points, faces)
    if not len(alone):
        return faces
    if not len(faces):
        faces = _first(points)
        alone = _alone(points, faces)
    if not len(faces):
        return faces
    findings.derived(
        "Faces",
        f"{len(alone)} points were in no triangle, and Brainstorm computes no normals of such: "
        "each was made the corner of three, in place of the nearest triangle.",
    )
    faces = faces.copy()
    for point in alone.tolist():
        distance = np.linalg.norm(points[faces].mean(axis=1) - points[point], axis=1)
        distance[(faces == point).any(axis=1)] = np.inf
        nearest = int(np.argmin(distance))
        a, b, c = faces[nearest]
        faces[nearest] = a, b, point
        faces = np.concatenate([faces, [[b, c, point], [c, a, point]]])
    return faces


def _size(tris: Any) -> int:
    return 0 if tris is None else int(np.size(tris))


def _own(part: Mapping[str, Any], vertno: IntArray) -> tuple[IntArray, int]:
    """Return the triangles that there are of points in use, in their numbering, and of others."""
    tris = part["tris"] if len(vertno) == part["np"] else part["use_tris"]
    if not _size(tris):
        return np.empty((0, 3), dtype=np.int64), 0
    tris = np.asarray(tris, dtype=np.int64)
    complete = np.isin(tris, vertno).all(axis=1)
    return np.searchsorted(vertno, tris[complete]), int(np.sum(~complete))


def _alone(points: FloatArray, faces: IntArray) -> IntArray:
    """Return the points whose triangles give no normal: there are none, or they cancel out."""
    vectors = _vectors(points[faces])
    sums, areas = np.zeros((len(points), 3)), np.zeros(len(points))
    for column in faces.T:
        np.add.at(sums, column, vectors)
        np.add.at(areas, column, np.linalg.norm(vectors, axis=1))
    return np.flatnonzero(np.linalg.norm(sums, axis=1) <= _FLAT * areas)


def _of_patches(part: Mapping[str, Any], vertno: IntArray) -> IntArray:
    """Return a triangle of each three points whose patches meet on the whole surface."""
    tris = np.asarray(part["tris"], dtype=np.int64)
    nearest = _nearest(part, vertno, tris)[tris]
    distinct = (np.diff(np.sort(nearest, axis=1), axis=1) > 0).all(axis=1)
    patches = np.searchsorted(vertno, nearest[distinct & (nearest >= 0).all(axis=1)])
    # the same three patches make one triangle, however often and whichever way round they meet
    _, first = np.unique(np.sort(patches, axis=1), axis=0, return_index=True)
    return patches[np.sort(first)]


def _nearest(part: Mapping[str, Any], vertno: IntArray, tris: IntArray) -> IntArray:
    """Vertex in use that is nearest to each vertex, along the edges; negative if none is."""
    graph = edge_lengths(np.asarray(part["rr"], dtype=np.float64), tris)
    _, _, nearest = dijkstra(graph, indices=vertno, min_only=True, return_predecessors=True)
    return np.asarray(nearest, dtype=np.int64)


def _hull(points: FloatArray) -> IntArray:
    """Return the triangles of the hull of the points' directions, counterclockwise from outside."""
    if len(points) == 3:
        return _first(points)
    directions = points - points.mean(axis=0)
    length = np.linalg.norm(directions, axis=1, keepdims=True)
    try:
        hull = ConvexHull(directions / np.where(length > 0, length, 1.0))
    except (QhullError, ValueError):  # on one line or plane
        return _first(points)
    outward = np.einsum("ij,ij->i", hull.equations[:, :3], _vectors(hull.points[hull.simplices]))
    faces = np.asarray(hull.simplices, dtype=np.int64)
    return np.where(outward[:, None] > 0, faces, faces[:, [0, 2, 1]])


def _vectors(corners: FloatArray) -> FloatArray:
    return np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])


def _first(points: FloatArray) -> IntArray:
    """Return one triangle of three points that are not on one line; none if there are no such."""
    if len(points) < 3:
        return np.empty((0, 3), dtype=np.int64)
    far = int(np.argmax(np.linalg.norm(points - points[0], axis=1)))
    along = points[far] - points[0]
    areas = np.linalg.norm(np.cross(points - points[0], along), axis=1)
    third = int(np.argmax(areas))
    if areas[third] <= _FLAT * np.dot(along, along):
        return np.empty((0, 3), dtype=np.int64)
    return np.array([[0, far, third]])
