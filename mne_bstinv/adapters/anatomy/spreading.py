"""Spread a mesh out on a sphere, for pictures and lookups; it is no registration."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from mne_bstinv._types import BoolArray, FloatArray, IntArray
from mne_bstinv.anatomy import inflated, vertex_adjacency

__all__ = ["RADIUS", "spread_on_sphere", "turned_over"]

#: Radius of FreeSurfer's spheres, mm.
RADIUS = 100.0

#: How often a mesh is inflated before the projection: a cortex must lose the last of its folds,
#: of which two would be projected on one place.
_INFLATIONS = 4

#: Attempts to turn triangles back that lie upside down.
_MOST_STEPS = 300


def spread_on_sphere(vertices: FloatArray, faces: IntArray) -> FloatArray:
    """Put the vertices (n, 3) of a closed mesh on a sphere such that its triangles do not overlap.

    The mesh is inflated and projected; triangles that lie upside down then are turned back by
    moving their corners, on the sphere, to the mean of their neighbours, which spreads a mesh
    without overlaps (Tutte 1963). Of a mesh that is no sphere some may stay upside down.
    """
    places = vertices
    for _ in range(_INFLATIONS):
        places = inflated(places, faces)
    places = places - (places.min(axis=0) + places.max(axis=0)) / 2
    adjacency = vertex_adjacency(faces, len(vertices)).astype(float)
    mean = sparse.diags_array(1 / np.maximum(adjacency.sum(axis=1), 1)) @ adjacency
    joined = adjacency.sum(axis=1)[:, None] > 0
    places = _on_sphere(places)
    near: BoolArray = np.zeros(len(vertices), dtype=bool)
    for _ in range(_MOST_STEPS):
        wrong = turned_over(places, faces)
        if not wrong.any():
            break
        near[:] = False
        near[faces[wrong]] = True
        near |= adjacency @ near > 0  # the neighbours make room
        near &= joined[:, 0]
        places[near] = _on_sphere((places + mean @ places)[near])
    return RADIUS * places


def turned_over(places: FloatArray, faces: IntArray) -> BoolArray:
    """Tell which triangles (n_faces, 3), 0-based, on a sphere are seen from behind, (n_faces,)."""
    a, b, c = places[faces].transpose(1, 0, 2)
    wrong: BoolArray = np.einsum("ij,ij->i", a, np.cross(b, c)) <= 0
    return wrong


def _on_sphere(places: FloatArray) -> FloatArray:
    length = np.linalg.norm(places, axis=1, keepdims=True)
    up = np.array([0.0, 0.0, 1.0])  # the centre itself is projected anywhere
    return np.where(length > 0, places / np.where(length > 0, length, 1), up)
