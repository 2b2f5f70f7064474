"""Which side of a mesh is outside, and how it bends there."""

from __future__ import annotations

import numpy as np

from mne_bstinv._types import FloatArray, IntArray
from mne_bstinv.anatomy.meshes import connected_parts, vertex_adjacency

__all__ = ["mean_curvature", "normals_of_parts", "outward_faces", "vertex_normals"]


def vertex_normals(vertices: FloatArray, faces: IntArray) -> FloatArray:
    """Compute the outward unit normals of a mesh, whichever way its triangles are wound.

    The normals of the triangles around a vertex are averaged, weighted by their angle at the
    vertex, which makes the result independent of how the surface is cut into triangles [1]_.
    Outward is, for every connected part, what makes the volume it encloses positive.

    Parameters
    ----------
    vertices : array, shape (n_vertices, 3)
        Positions.
    faces : array of int, shape (n_faces, 3)
        Triangles, 0-based, each connected part wound one way.

    Returns
    -------
    array, shape (n_vertices, 3)
        Unit normals; zero for a vertex of no triangle, or only of triangles without area.

    References
    ----------
    .. [1] Thürmer and Wüthrich, Journal of Graphics Tools 3(1), 43-46 (1998).
    """
    return normals_of_parts(vertices, faces, connected_parts(faces, len(vertices)))


def normals_of_parts(vertices: FloatArray, faces: IntArray, parts: IntArray) -> FloatArray:
    """Return the normals (n, 3) of a mesh whose connected parts, (n,), are known."""
    faces = _wound_outward(vertices, faces, parts)
    corners = vertices[faces]
    across = _unit(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]))
    along = [_unit(corners[:, (i + 1) % 3] - corners[:, i]) for i in range(3)]
    around = []
    for i in range(3):
        angle = np.arccos(np.clip(np.einsum("ij,ij->i", along[i], -along[i - 1]), -1, 1))
        around.append(angle[:, None] * across)
    at, n = faces.T.ravel(), len(vertices)
    sums = [np.bincount(at, part, minlength=n) for part in np.concatenate(around).T]
    return _unit(np.stack(sums, axis=1, dtype=float))


def outward_faces(
    vertices: FloatArray, faces: IntArray, normals: FloatArray | None = None
) -> IntArray:
    """Wind the triangles counterclockwise seen from outside, as MNE and FreeSurfer do.

    Parameters
    ----------
    vertices : array, shape (n_vertices, 3)
        Positions.
    faces : array of int, shape (n_faces, 3)
        Triangles, 0-based, each connected part wound one way.
    normals : array, shape (n_vertices, 3) | None
        Outward normals; they decide where given, else the sign of the volume that each connected
        part encloses.

    Returns
    -------
    array of int, shape (n_faces, 3)
        The triangles in their order; those of a part that was wound clockwise have their last two
        corners exchanged.
    """
    return _wound_outward(vertices, faces, connected_parts(faces, len(vertices)), normals)


def _wound_outward(
    vertices: FloatArray, faces: IntArray, parts: IntArray, normals: FloatArray | None = None
) -> IntArray:
    """Wind triangles as :func:`outward_faces`, with the connected part of each vertex, (n,)."""
    faces = np.array(faces, dtype=np.int64)
    if not len(faces):
        return faces
    part = parts[faces[:, 0]]
    corners = vertices[faces]
    if normals is None:
        count = np.bincount(part)
        centre = np.stack([np.bincount(part, c) for c in corners.mean(axis=1).T]) / np.maximum(
            count, 1
        )
        direction = corners.mean(axis=1) - centre.T[part]
    else:
        direction = normals[faces].mean(axis=1)
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    outward = np.bincount(part, np.einsum("ij,ij->i", across, direction))
    clockwise = outward[part] < 0
    faces[clockwise] = faces[clockwise][:, [0, 2, 1]]
    return faces


def mean_curvature(vertices: FloatArray, faces: IntArray) -> FloatArray:
    """Estimate how much a mesh bends at each vertex.

    The mean of the neighbours of a vertex lies below the tangent plane by about half of their mean
    squared distance times the mean curvature.

    Parameters
    ----------
    vertices : array, shape (n_vertices, 3)
        Positions.
    faces : array of int, shape (n_faces, 3)
        Triangles, 0-based.

    Returns
    -------
    array, shape (n_vertices,)
        Mean curvature, positive where the surface bulges outwards (gyri); in the inverse unit of
        the positions.
    """
    adjacency = vertex_adjacency(faces, len(vertices)).astype(float)
    degree = np.maximum(adjacency.sum(axis=1), 1)
    normals = vertex_normals(vertices, faces)
    edges = adjacency.tocoo()
    steps = vertices[edges.col] - vertices[edges.row]
    depth = -np.einsum("ij,ij->i", steps, normals[edges.row])
    square = np.einsum("ij,ij->i", steps, steps)
    n = len(vertices)
    height = np.bincount(edges.row, depth, minlength=n) / degree
    spread = np.bincount(edges.row, square, minlength=n) / degree
    return np.divide(2 * height, spread, out=np.zeros(n), where=spread > 0)


def _unit(vectors: FloatArray) -> FloatArray:
    """Vectors of length one; those of length zero stay."""
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.divide(vectors, length, out=np.zeros_like(vectors), where=length > 0)
