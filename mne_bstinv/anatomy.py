"""Facts about surfaces that several stations need: hemispheres, normals, winding."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np
import scipy
from numpy.typing import NDArray

from mne_bstinv._types import FloatArray, IntArray

__all__ = [
    "complete_sides",
    "connected_parts",
    "edge_lengths",
    "hemispheres",
    "inflate",
    "inflated",
    "mean_curvature",
    "outward_faces",
    "vertex_adjacency",
    "vertex_normals",
]


#: Steps of inflation at most: 0.1 s for a hemisphere of 10,000 vertices.
_MOST_STEPS = 500


class SurfaceLike(Protocol):
    """What is needed of a cortex surface."""

    @property
    def vertices(self) -> NDArray[np.float64]:
        """Positions in SCS, (n_vertices, 3)."""

    @property
    def faces(self) -> NDArray[Any]:
        """1-based triangles, (n_faces, 3)."""

    @property
    def atlas(self) -> Sequence[Any]:
        """Atlases with ``name`` and ``scouts`` (``label``, ``region``, ``vertices``)."""


def hemispheres(surface: SurfaceLike) -> tuple[NDArray[np.str_], str]:
    """Tell the hemisphere of each vertex of a cortex.

    The first rule that finds both hemispheres holds: scouts of the atlas ``Structures`` labelled
    ``lh``/``rh``, or ``Cortex`` with region ``LU``/``RU``; all its scouts whose region begins with
    L or R; the two connected components of the mesh (left: the larger mean y); the sign of y.

    Parameters
    ----------
    surface : Surface
        A cortex with both hemispheres, positions in SCS (y to the left).

    Returns
    -------
    sides : array of str, shape (n_vertices,)
        ``'lh'``, ``'rh'``, or ``''`` for a vertex in neither.
    rule : str
        The rule that was used.
    """
    rules: dict[str, Callable[[], NDArray[np.str_]]] = {
        "labels of the atlas Structures": lambda: _from_scouts(surface, _side_by_label),
        "regions of the atlas Structures": lambda: _from_scouts(surface, _side_by_region),
        "connected components of the mesh": lambda: _from_components(surface),
    }
    for rule, assign in rules.items():
        sides = assign()
        if {"lh", "rh"} <= set(sides):
            return sides, rule
    return np.where(surface.vertices[:, 1] >= 0, "lh", "rh"), "sign of y"


def complete_sides(surface: SurfaceLike, sides: NDArray[np.str_]) -> NDArray[np.str_]:
    """Put the vertices that are in neither hemisphere into one.

    A vertex goes with the nearest vertex along the edges of the mesh that is in a hemisphere; a
    part of the mesh that is joined to no hemisphere goes to the side its centre is on.

    Parameters
    ----------
    surface : Surface
        A cortex, positions in SCS (y to the left).
    sides : array of str, shape (n_vertices,)
        ``'lh'``, ``'rh'``, or ``''`` for a vertex in neither; see :func:`mne_bstinv.hemispheres`.

    Returns
    -------
    array of str, shape (n_vertices,)
        ``'lh'`` or ``'rh'`` for every vertex.
    """
    sides = sides.copy()
    known = np.flatnonzero(sides != "")
    if len(known) == len(sides):
        return sides
    faces = np.asarray(surface.faces, dtype=np.int64) - 1
    if len(known):
        distance, _, nearest = scipy.sparse.csgraph.dijkstra(
            edge_lengths(surface.vertices, faces),
            indices=known,
            min_only=True,
            return_predecessors=True,
        )
        reached = np.isfinite(distance)
        sides[reached] = sides[nearest[reached]]
    labels = connected_parts(faces, len(sides))
    for part in np.unique(labels[sides == ""]):
        inside = labels == part
        sides[inside] = "lh" if surface.vertices[inside, 1].mean() >= 0 else "rh"
    return sides


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
    adjacency = vertex_adjacency(faces, n_vertices)
    labels = scipy.sparse.csgraph.connected_components(adjacency, directed=False)[1]
    return np.asarray(labels, dtype=np.int64)


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
    return _normals(vertices, faces, connected_parts(faces, len(vertices)))


def _normals(vertices: FloatArray, faces: IntArray, parts: IntArray) -> FloatArray:
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
        path[:] += np.einsum("ij,ij->i", after - before, _normals(before, faces, parts))

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


def _unit(vectors: FloatArray) -> FloatArray:
    """Vectors of length one; those of length zero stay."""
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.divide(vectors, length, out=np.zeros_like(vectors), where=length > 0)


def _side_by_label(scout: Any) -> str:
    label, region = (scout.label or "").strip().lower(), (scout.region or "").upper()
    if label in ("lh", "rh"):
        return label
    if label.startswith("cortex"):
        return {"LU": "lh", "RU": "rh"}.get(region, "")
    return ""


def _side_by_region(scout: Any) -> str:
    return {"L": "lh", "R": "rh"}.get((scout.region or "").upper()[:1], "")


def _from_scouts(surface: SurfaceLike, side_of: Callable[[Any], str]) -> NDArray[np.str_]:
    sides = np.full(len(surface.vertices), "", dtype="U2")
    for atlas in surface.atlas:
        if (atlas.name or "").strip().lower() != "structures":
            continue
        for scout in atlas.scouts:
            side = side_of(scout)
            if side and scout.vertices is not None:
                sides[np.asarray(scout.vertices, dtype=np.int64) - 1] = side
    return sides


def _from_components(surface: SurfaceLike) -> NDArray[np.str_]:
    n = len(surface.vertices)
    faces = np.asarray(surface.faces, dtype=np.int64) - 1
    edges = np.vstack([faces[:, [0, 1]], faces[:, [1, 2]]])
    graph = scipy.sparse.coo_array((np.ones(len(edges)), edges.T), shape=(n, n))
    count, component = scipy.sparse.csgraph.connected_components(graph, directed=False)
    sides = np.full(n, "", dtype="U2")
    if count == 2:
        y = surface.vertices[:, 1]
        left = int(y[component == 1].mean() > y[component == 0].mean())
        sides[:] = np.where(component == left, "lh", "rh")
    return sides
