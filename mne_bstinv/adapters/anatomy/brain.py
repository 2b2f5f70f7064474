"""Which voxels are inside a closed surface."""

from __future__ import annotations

import numpy as np

from mne_bstinv._types import BoolArray, FloatArray, IntArray

__all__ = ["voxels_inside"]

#: Shift of the rays, voxels: none meets a corner or an edge, where two triangles would count.
_ASIDE = np.array([1.37e-6, 2.71e-6, 0.0])


def voxels_inside(vertices: FloatArray, tris: IntArray, shape: tuple[int, ...]) -> BoolArray:
    """Tell which voxels (nx, ny, nz) have their middle inside a closed surface.

    Rays along the last axis change sides at each triangle that they meet. Vertices (n, 3) are in
    0-based voxels, triangles are 0-based.
    """
    nx, ny, nz = shape
    crossings = np.zeros((nx, ny, nz + 1), dtype=np.uint16)
    for corners in (vertices + _ASIDE)[tris]:
        low, high = np.ceil(corners.min(axis=0)), np.floor(corners.max(axis=0))
        x = np.arange(max(int(low[0]), 0), min(int(high[0]), nx - 1) + 1)
        y = np.arange(max(int(low[1]), 0), min(int(high[1]), ny - 1) + 1)
        sides = (corners[1:] - corners[0])[:, :2].T  # (2, 2): of the triangle, seen along the rays
        if not (x.size and y.size) or np.linalg.det(sides) == 0:
            continue
        points = np.stack(np.meshgrid(x, y, indexing="ij"), axis=-1).reshape(-1, 2)
        parts = np.linalg.solve(sides, (points - corners[0, :2]).T)  # along both sides
        inside = (parts >= 0).all(axis=0) & (parts.sum(axis=0) <= 1)
        depth = corners[0, 2] + (corners[1:, 2] - corners[0, 2]) @ parts[:, inside]
        first = np.clip(np.ceil(depth), 0, nz).astype(np.int64)
        i, j = points[inside].T
        np.add.at(crossings, (i, j, first), 1)
    mask: BoolArray = np.cumsum(crossings[..., :nz], axis=2, dtype=np.uint16) % 2 == 1
    return mask
