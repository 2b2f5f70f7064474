"""Which side of a mesh is outside, and how it bends there."""

from __future__ import annotations

import numpy as np

from mne_bstinv._types import BoolArray, FloatArray, IntArray
from mne_bstinv.anatomy.meshes import connected_parts, vertex_adjacency

__all__ = [
    "area_of", "mean_curvature", "normals_and_area", "outward_faces", "vertex_normals",
]  # fmt: skip


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
    return normals_and_area(vertices, faces, connected_parts(faces, len(vertices)))[0].copy()


def normals_and_area(
    vertices: FloatArray, faces: IntArray, parts: IntArray
) -> tuple[FloatArray, float]:
    """Return the normals (n, 3) and the area of a mesh whose connected parts, (n,), are known."""
    faces = np.asarray(faces, dtype=np.int64)
    corners = _corners(vertices, faces)
    across = _across(corners)
    doubled = _lengths(across)
    sides = [corners[i - 2] - corners[i] for i in range(3)]
    lengths = [_lengths(side) for side in sides]
    turned = np.where(_is_clockwise(corners, across, parts[faces[:, 0]]), -doubled, doubled)
    across, normals = _divided(across, turned), np.zeros((3, len(vertices)))
    for i, at in enumerate(faces.T):
        cosine = _divided(-_dot(sides[i], sides[i - 1]), lengths[i] * lengths[i - 1])
        weights = np.arccos(np.clip(cosine, -1, 1)) * across
        normals += [np.bincount(at, weight, minlength=len(vertices)) for weight in weights]
    return _divided(normals, _lengths(normals)).T, float(doubled.sum() / 2)


def area_of(vertices: FloatArray, faces: IntArray) -> float:
    """Return the area of a mesh, in the square of the unit of its positions."""
    return float(_lengths(_across(_corners(vertices, faces))).sum() / 2)


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
    faces = np.array(faces, dtype=np.int64)
    corners, part = _corners(vertices, faces), connected_parts(faces, len(vertices))[faces[:, 0]]
    directions = None if normals is None else _corners(normals, faces).mean(axis=0)
    clockwise = _is_clockwise(corners, _across(corners), part, directions)
    faces[clockwise] = faces[clockwise][:, [0, 2, 1]]
    return faces


def _is_clockwise(
    corners: FloatArray, across: FloatArray, part: IntArray, directions: FloatArray | None = None
) -> BoolArray:
    """Tell of which triangles the part (n_faces,) is wound clockwise seen from outside.

    ``across`` (3, n_faces) are the normals of the triangles as they are wound. Outside is where
    ``directions`` (3, n_faces) point; without these, away from the centre of each part.
    """
    if directions is None:
        middles = corners.mean(axis=0)
        count = np.maximum(np.bincount(part), 1)
        centres = np.stack([np.bincount(part, middle) for middle in middles]) / count
        directions = middles - centres[:, part]
    clockwise: BoolArray = (np.bincount(part, _dot(across, directions)) < 0)[part]
    return clockwise


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


# vectors in columns (3, n): a hundred steps of inflation are made of these


def _corners(vectors: FloatArray, faces: IntArray) -> FloatArray:
    """Return what vertices (n, 3) have at the corners of triangles, (3 corners, 3, n_faces)."""
    return np.ascontiguousarray(vectors.T)[:, faces.T].transpose(1, 0, 2)


def _across(corners: FloatArray) -> FloatArray:
    """Return the vectors (3, n_faces) across triangles, as long as twice their area."""
    (ax, ay, az), (bx, by, bz) = corners[1] - corners[0], corners[2] - corners[0]
    return np.stack([ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx])


def _dot(a: FloatArray, b: FloatArray) -> FloatArray:
    product: FloatArray = a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
    return product


def _lengths(vectors: FloatArray) -> FloatArray:
    return np.sqrt(_dot(vectors, vectors))


def _divided(vectors: FloatArray, by: FloatArray) -> FloatArray:
    """Divide vectors (3, n), or numbers, by numbers (n,); zero by zero is zero."""
    return vectors / np.where(by == 0, 1, by)
