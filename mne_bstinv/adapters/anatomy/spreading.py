"""Spread a mesh out on a sphere, for pictures and lookups; it is no registration."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from mne_bstinv._types import BoolArray, FloatArray, IntArray
from mne_bstinv.anatomy import inflated, vertex_adjacency

__all__ = ["FLAT", "RADIUS", "spread_on_sphere", "turned_over"]

#: Radius of FreeSurfer's spheres, mm.
RADIUS = 100.0

#: How often an inflated mesh is inflated again before the projection: a cortex must lose the last
#: of its folds, of which two would be projected on one place.
_INFLATIONS = 3

#: Attempts to turn triangles back that lie upside down.
_MOST_STEPS = 300


#: Volume below a triangle without area, times six: none, but for rounding.
FLAT = 1e-12 * RADIUS**3


def spread_on_sphere(smooth: FloatArray, faces: IntArray) -> FloatArray:
    """Put the vertices (n, 3) of a closed inflated mesh on a sphere, triangles not overlapping.

    The mesh is inflated further and projected; triangles that lie upside down then are turned back
    by moving their corners, on the sphere, to the mean of their neighbours, which spreads a mesh
    without overlaps (Tutte 1963). Of a mesh that is no sphere some may stay upside down.
    """
    places = smooth
    for _ in range(_INFLATIONS):
        places = inflated(places, faces)
    places = _on_sphere(places - (places.min(axis=0) + places.max(axis=0)) / 2)
    adjacency = vertex_adjacency(faces, len(places)).astype(float)
    mean = sparse.diags_array(1 / np.maximum(adjacency.sum(axis=1), 1)) @ adjacency
    wrong = turned_over(places, faces)
    for _ in range(_MOST_STEPS):
        if not wrong.any():
            break
        near = np.zeros(len(places), dtype=bool)
        near[faces[wrong]] = True
        near |= adjacency @ near > 0  # the neighbours make room
        rows = np.flatnonzero(near)
        places[rows] = _on_sphere(places[rows] + mean[rows] @ places)
        moved = near[faces].any(axis=1)
        wrong[moved] = turned_over(places, faces[moved])
    return RADIUS * places


def turned_over(places: FloatArray, faces: IntArray, flat: float = 0.0) -> BoolArray:
    """Tell which triangles (n_faces, 3), 0-based, on a sphere are seen from behind, (n_faces,).

    Or from their edge: ``flat`` is the largest volume, times six, below one of these.
    """
    a, b, c = places.T[:, faces.T].transpose(1, 0, 2)
    wrong: BoolArray = np.einsum("ij,ij->j", a, np.cross(b, c, axis=0)) <= flat
    return wrong


def _on_sphere(places: FloatArray) -> FloatArray:
    length = np.linalg.norm(places, axis=1, keepdims=True)
    up = np.array([0.0, 0.0, 1.0])  # the centre itself is projected anywhere
    return np.where(length > 0, places / np.where(length > 0, length, 1), up)
