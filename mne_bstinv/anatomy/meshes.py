"""How the vertices of a mesh are joined."""

from __future__ import annotations

import numpy as np
import scipy

from mne_bstinv._types import FloatArray, IntArray

__all__ = ["connected_parts", "edge_lengths", "vertex_adjacency"]


def vertex_adjacency(faces: IntArray, n_vertices: int) -> scipy.sparse.csr_array:
    """Tell which vertices share an edge.

    Parameters
    ----------
    faces : array of int, shape (n_faces, 3)
        Triangles, 0-based.
    n_vertices : int
        Number of vertices.

    Returns
    -------
    csr_array of bool, shape (n_vertices, n_vertices)
        True where two vertices share an edge.
    """
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    edges = np.concatenate([edges, edges[:, ::-1]])
    ones = np.ones(len(edges), dtype=bool)
    return scipy.sparse.csr_array(
        (ones, (edges[:, 0], edges[:, 1])), shape=(n_vertices, n_vertices)
    )


def edge_lengths(vertices: FloatArray, faces: IntArray) -> scipy.sparse.csr_array:
    """Measure the edges of a mesh.

    Parameters
    ----------
    vertices : array, shape (n_vertices, 3)
        Positions.
    faces : array of int, shape (n_faces, 3)
        Triangles, 0-based.

    Returns
    -------
    csr_array, shape (n_vertices, n_vertices)
        Length of the edge between two vertices, in the unit of the positions.
    """
    edges = vertex_adjacency(faces, len(vertices)).tocoo()
    length = np.linalg.norm(vertices[edges.row] - vertices[edges.col], axis=1)
    # older releases of SciPy find no paths in graphs with indices of 64 bits
    row, col = edges.row.astype(np.int32), edges.col.astype(np.int32)
    return scipy.sparse.csr_array((length, (row, col)), shape=edges.shape)


def connected_parts(faces: IntArray, n_vertices: int) -> IntArray:
    """Tell which connected part of a mesh each vertex is in.

    Parameters
    ----------
    faces : array of int, shape (n_faces, 3)
        Triangles, 0-based.
    n_vertices : int
        Number of vertices.

    Returns
    -------
    array of int, shape (n_vertices,)
        Part of each vertex.
    """
    # two sides of a triangle join its corners, in whichever direction
    first, second, third = np.asarray(faces).T
    sides = np.r_[first, second], np.r_[second, third]
    ones = np.ones(2 * len(faces), dtype=bool)
    joined = scipy.sparse.csr_array((ones, sides), shape=(n_vertices, n_vertices))
    labels = scipy.sparse.csgraph.connected_components(joined, directed=False)[1]
    return np.asarray(labels, dtype=np.int64)
