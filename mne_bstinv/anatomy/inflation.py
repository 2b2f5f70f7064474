"""The folds of a mesh smoothed out."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

import numpy as np
import scipy

from mne_bstinv._types import BoolArray, FloatArray, IntArray
from mne_bstinv.anatomy.meshes import connected_parts, vertex_adjacency
from mne_bstinv.anatomy.normals import area_of, normals_and_area

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
    # of hundreds of shapes one at a time
    (places,) = deque(_shapes(vertices, faces, n_steps), maxlen=1)
    return _placed(places, vertices, faces)


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
    wanted, before, normals = area_of(vertices, faces), None, path[:, None]
    for places in _shapes(vertices, faces, n_steps):
        now, area = normals_and_area(places, faces, parts)
        after = places * _scale(wanted, area)
        if before is not None:
            path += np.einsum("ij,ij->i", after - before, normals)
        before, normals = after, now
    return _placed(places, vertices, faces), path


def _shapes(vertices: FloatArray, faces: IntArray, n_steps: int | None) -> Iterator[FloatArray]:
    """Yield a mesh about its centre, (n, 3), before the first step and after each, of any size."""
    adjacency = vertex_adjacency(faces, len(vertices)).astype(float)
    degree = adjacency.sum(axis=1)
    means = scipy.sparse.diags_array(1 / np.maximum(degree, 1)) @ adjacency
    smoothing = (means + scipy.sparse.diags_array(np.ones(len(vertices)))) / 2
    of_mesh = degree > 0
    places = of_mesh[:, None] * (vertices - _centre(vertices, of_mesh))
    yield places
    for _ in range(_n_steps(vertices, faces) if n_steps is None else n_steps):
        places = smoothing @ places
        places -= of_mesh[:, None] * _centre(places, of_mesh)
        places /= np.abs(places).max() or 1.0  # however many steps, it does not vanish
        yield places


def _placed(places: FloatArray, vertices: FloatArray, faces: IntArray) -> FloatArray:
    """Give a shape (n, 3) the area of a mesh, unless it reaches too far then, and its centre."""
    of_mesh = np.bincount(faces.ravel(), minlength=len(vertices)) > 0
    centre = _centre(vertices, of_mesh)
    limit = 2 * _furthest((vertices - centre)[of_mesh])
    scale = _scale(area_of(vertices, faces), area_of(places, faces))
    if not scale:
        return vertices.copy()
    scale = min(scale, limit / _furthest(places))
    return np.where(of_mesh[:, None], centre + scale * places, vertices)


def _centre(places: FloatArray, of_mesh: BoolArray) -> FloatArray:
    return np.asarray(of_mesh @ places / max(int(of_mesh.sum()), 1))


def _furthest(places: FloatArray) -> float:
    return float(np.sqrt(np.einsum("ij,ij->i", places, places).max(initial=0)))


def _scale(wanted: float, area: float) -> float:
    """Return what gives a mesh of some area the one that is wanted; 0 where one of them is."""
    return float(np.sqrt(wanted / area)) if area > 0 else 0.0


def _n_steps(vertices: FloatArray, faces: IntArray) -> int:
    """Return the steps that smooth over half the radius of a sphere of the same area."""
    if not len(faces):
        return 0
    ends = vertices[faces]
    square = float(np.mean(np.sum((ends - np.roll(ends, 1, axis=1)) ** 2, axis=2)))
    radius = np.sqrt(area_of(vertices, faces) / (4 * np.pi))
    return int(np.clip(np.round((radius / 2) ** 2 / square), 1, _MOST_STEPS)) if square else 1
