"""The trilinear interpolation from the nodes of a grid to the voxels of an MRI."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
from scipy import sparse

from mne_bstinv._types import BoolArray, FloatArray, IntArray

__all__ = ["trilinear"]


def trilinear(
    nodes: tuple[int, int, int], inuse: IntArray, voxels: tuple[int, int, int], to_nodes: FloatArray
) -> Any:
    """Return the weights of the nodes in use at each voxel, (n_voxels, n_nodes) in CSR form.

    The first axis is the fastest of both. ``to_nodes`` (4, 4) takes indices of voxels to those of
    nodes; it may turn. The value at a voxel is the sum over the 8 nodes around it, weighted along
    each axis by 1 less its distance; nodes that are not in use count as 0, as in MNE-Python.
    Weights have single precision, which is what FIF files hold: 8 bytes each.
    """
    wanted = np.asarray(inuse, dtype=bool)
    lowest, highest = _box(nodes, wanted, voxels, to_nodes)
    x, y, z = (np.arange(low, high + 1) for low, high in zip(lowest, highest, strict=True))
    plane = np.stack(np.meshgrid(x, y, indexing="ij"), axis=-1).reshape(-1, 2)
    rows, columns, weights = [], [], []
    for depth in z:  # a slice at a time: all corners of all voxels would take gigabytes
        points = np.column_stack([plane, np.full(len(plane), depth)])
        places = points @ to_nodes[:3, :3].T + to_nodes[:3, 3]
        base = np.floor(places).astype(np.int64)
        part = places - base
        for corner in product((0, 1), repeat=3):
            node = base + corner
            weight = np.prod(np.where(corner, part, 1 - part), axis=1)
            inside = ((node >= 0) & (node < np.array(nodes))).all(axis=1) & (weight > 0)
            index = np.ravel_multi_index(tuple(node[inside].T), nodes, order="F")
            used = wanted[index]
            voxel = points[inside][used].astype(np.int64)
            rows.append(np.ravel_multi_index(tuple(voxel.T), voxels, order="F").astype(np.int32))
            columns.append(index[used].astype(np.int32))
            weights.append(weight[inside][used].astype(np.float32))
    shape = (int(np.prod(voxels)), int(np.prod(nodes)))
    if not rows:
        return sparse.csr_array(shape, dtype=np.float32)
    entries = np.concatenate(weights), (np.concatenate(rows), np.concatenate(columns))
    return sparse.csr_array(sparse.coo_array(entries, shape=shape))


def _box(
    nodes: tuple[int, int, int],
    wanted: BoolArray,
    voxels: tuple[int, int, int],
    to_nodes: FloatArray,
) -> tuple[IntArray, IntArray]:
    """Return the first and last voxel (3,) that may be less than one node from one in use."""
    index = np.stack(np.unravel_index(np.flatnonzero(wanted), nodes, order="F"), axis=1)
    if not len(index):
        return np.zeros(3, dtype=np.int64), np.full(3, -1)
    corners = np.array(
        list(product(*zip(index.min(axis=0) - 1, index.max(axis=0) + 1, strict=True)))
    )
    to_voxels = np.linalg.inv(to_nodes)
    places = corners @ to_voxels[:3, :3].T + to_voxels[:3, 3]
    lowest = np.clip(np.ceil(places.min(axis=0)), 0, None).astype(np.int64)
    highest = np.minimum(np.floor(places.max(axis=0)), np.array(voxels) - 1).astype(np.int64)
    return lowest, highest
