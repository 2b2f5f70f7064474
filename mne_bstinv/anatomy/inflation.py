"""The folds of a mesh smoothed out."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import scipy

from mne_bstinv._types import FloatArray, IntArray
from mne_bstinv.anatomy.meshes import connected_parts, vertex_adjacency
from mne_bstinv.anatomy.normals import normals_of_parts

__all__ = ["inflate", "inflated"]

#: Steps of inflation at most: 0.1 s for a hemisphere of 10,000 vertices.
_MOST_STEPS = 500


def inflated(vertices: FloatArray, faces: IntArray, *, n_steps: int | None = None) -> FloatArray:
    """Smooth the folds out of a mesh, keeping its centre and area; see :func:`inflate`.

    Parameters
    ----------
    vertices : array, shape (n_vertices, 3)
        Positions.
    faces : array of int, shape (n_faces, 3)
        Triangles, 0-based.
    n_steps : int | None
        As for :func:`inflate`.

    Returns
    -------
    array, shape (n_vertices, 3)
        Positions.
    """
    return _inflated(vertices, faces, n_steps, lambda *_: None)


def inflate(
    vertices: FloatArray, faces: IntArray, *, n_steps: int | None = None
) -> tuple[FloatArray, FloatArray]:
    """Smooth the folds out of a mesh, and tell how far each vertex moved outwards.

    Each step moves every vertex half way to the mean of its neighbours; the mesh then gets its
    centre and its area back, as FreeSurfer's inflated surfaces keep the latter [1]_.

    Parameters
    ----------
    vertices : array, shape (n_vertices, 3)
        Positions.
    faces : array of int, shape (n_faces, 3)
        Triangles, 0-based.
    n_steps : int | None
        Number of steps. ``None`` takes as many as smooth over half the radius of a sphere of the
        same area, which is one for about 120 triangles: a coarse mesh has few folds, and more steps
        would shrink it to nothing.

    Returns
    -------
    positions : array, shape (n_vertices, 3)
        Positions; no vertex is further from the centre than twice the furthest was. Vertices of no
        triangle stay where they are.
    convexity : array, shape (n_vertices,)
        Path of each vertex along the outward normal, positive in sulci (FreeSurfer's ``sulc``), in
        the unit of the positions.

    References
    ----------
    .. [1] Fischl, Sereno and Dale, NeuroImage 9, 195-207 (1999).
    """
    path, parts = np.zeros(len(vertices)), connected_parts(faces, len(vertices))

    def follow(before: FloatArray, after: FloatArray) -> None:
        path[:] += np.einsum("ij,ij->i", after - before, normals_of_parts(before, faces, parts))

    return _inflated(vertices, faces, n_steps, follow), path


def _inflated(
    vertices: FloatArray,
    faces: IntArray,
    n_steps: int | None,
    follow: Callable[[FloatArray, FloatArray], None],
) -> FloatArray:
    """Smooth a mesh as :func:`inflate`; ``follow`` is told the places before and after each step.

    These are relative to the centre, (n, 3).
    """
    if not len(faces):
        return vertices.copy()
    adjacency = vertex_adjacency(faces, len(vertices)).astype(float)
    degree = adjacency.sum(axis=1)
    mean = scipy.sparse.diags_array(1 / np.maximum(degree, 1)) @ adjacency
    of_mesh = degree > 0
    centre, area = vertices[of_mesh].mean(axis=0), _area(vertices, faces)
    start = moved = np.where(of_mesh[:, None], vertices - centre, 0.0)
    for _ in range(_n_steps(area, vertices, faces) if n_steps is None else n_steps):
        smooth = (moved + mean @ moved) / 2
        smooth -= smooth[of_mesh].mean(axis=0) * of_mesh[:, None]
        now = _area(smooth, faces)
        if not now > 0:
            break
        smooth *= np.sqrt(area / now)
        follow(moved, smooth)
        moved = smooth
    furthest, limit = (np.linalg.norm(places, axis=1).max() for places in (moved, start))
    if furthest > 2 * limit:
        moved = moved * (2 * limit / furthest)
    return np.where(of_mesh[:, None], centre + moved, vertices)


def _n_steps(area: float, vertices: FloatArray, faces: IntArray) -> int:
    """Return the steps that smooth over half the radius of a sphere of the same area."""
    ends = vertices[faces]
    square = float(np.mean(np.sum((ends - np.roll(ends, 1, axis=1)) ** 2, axis=2)))
    radius = np.sqrt(area / (4 * np.pi))
    return int(np.clip(np.round((radius / 2) ** 2 / square), 1, _MOST_STEPS)) if square else 1


def _area(vertices: FloatArray, faces: IntArray) -> float:
    corners = vertices[faces]
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    return float(np.linalg.norm(across, axis=1).sum() / 2)
