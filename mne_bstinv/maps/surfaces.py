"""What maps need of a cortex: its regions, its registered sphere, its edges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from mne_bstinv._types import FloatArray, IntArray
from mne_bstinv.anatomy import hemispheres
from mne_bstinv.errors import MapError
from mne_bstinv.maps.arrays import as_map

__all__ = [
    "SurfaceLike",
    "cortex_hemispheres",
    "cortex_regions",
    "registered_sphere",
    "unique_edges",
]


class SurfaceLike(Protocol):
    """What is needed of a surface, such as :class:`mne_bstinv.io.Surface`."""

    @property
    def vertices(self) -> FloatArray:
        """Positions, (n_vertices, 3), m."""

    @property
    def faces(self) -> IntArray:
        """1-based triangles, (n_faces, 3)."""

    @property
    def vert_conn(self) -> Any:
        """Sparse, (n_vertices, n_vertices): not zero where two vertices share an edge; or None."""

    @property
    def atlas(self) -> Sequence[Any]:
        """Atlases with ``name`` and ``scouts`` (``label``, ``region``, ``vertices``)."""

    @property
    def reg(self) -> Any:
        """Registration: a mapping with ``Sphere`` → ``Vertices``; or None."""


def cortex_regions(surface: SurfaceLike) -> dict[str, IntArray]:
    """Return the scouts of the atlas Structures: label in lower case → 0-based vertices."""
    regions: dict[str, IntArray] = {}
    for atlas in surface.atlas:
        if atlas.name == "Structures":
            for scout in atlas.scouts:
                if scout.vertices is not None and len(scout.vertices):
                    regions[scout.label.lower()] = np.asarray(scout.vertices, dtype=np.int64) - 1
    for label, vertices in regions.items():
        if vertices.min() < 0 or vertices.max() >= len(surface.vertices):
            raise MapError(
                f"The region {label!r} (atlas Structures) has vertices outside of 1 to "
                f"{len(surface.vertices)}."
            )
    return regions


def cortex_hemispheres(surface: SurfaceLike) -> dict[str, IntArray]:
    """Return the hemispheres of a cortex without the atlas Structures, as its regions would be."""
    sides, _ = hemispheres(surface)
    return {
        "cortex l": np.flatnonzero(sides == "lh"),
        "cortex r": np.flatnonzero(sides == "rh"),
    }


def registered_sphere(surface: SurfaceLike) -> FloatArray | None:
    """Return the vertices of the registered sphere (n, 3); None if the surface has none."""
    sphere = surface.reg.get("Sphere") if isinstance(surface.reg, Mapping) else None
    vertices = sphere.get("Vertices") if isinstance(sphere, Mapping) else None
    if vertices is None or (isinstance(vertices, np.ndarray | tuple | str) and not len(vertices)):
        return None
    array = as_map(vertices, "Reg.Sphere.Vertices")
    if array.shape[1] != 3 or not np.isfinite(array).all():
        raise MapError(
            f"Reg.Sphere.Vertices must have three columns of finite numbers, found {array.shape}."
        )
    return array


def unique_edges(faces: IntArray) -> IntArray:
    """Return the edges (n_edges, 2) of 1-based triangles, 0-based, each once."""
    triangles = np.asarray(faces, dtype=np.int64) - 1
    edges = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    return np.unique(np.sort(edges, axis=1), axis=0)
