"""Which hemisphere of a cortex each vertex is in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np
import scipy
from numpy.typing import NDArray

from mne_bstinv.anatomy.meshes import connected_parts, edge_lengths

__all__ = ["complete_sides", "hemispheres"]


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
        if all((sides == side).any() for side in ("lh", "rh")):
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
    part = connected_parts(np.asarray(surface.faces, dtype=np.int64) - 1, n)
    sides = np.full(n, "", dtype="U2")
    if len(np.unique(part)) == 2:
        y = surface.vertices[:, 1]
        left = int(y[part == 1].mean() > y[part == 0].mean())
        sides[:] = np.where(part == left, "lh", "rh")
    return sides
