"""Facts about surfaces that several stations need: which vertex is in which hemisphere."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

__all__ = ["hemispheres"]


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
    graph = sparse.coo_array((np.ones(len(edges)), edges.T), shape=(n, n))
    count, component = sparse.csgraph.connected_components(graph, directed=False)
    sides = np.full(n, "", dtype="U2")
    if count == 2:
        y = surface.vertices[:, 1]
        left = int(y[component == 1].mean() > y[component == 0].mean())
        sides[:] = np.where(component == left, "lh", "rh")
    return sides
