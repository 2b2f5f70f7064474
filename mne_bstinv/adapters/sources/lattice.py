"""Find the regular lattice that a set of points is part of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.spatial import KDTree

from mne_bstinv._types import FloatArray, IntArray

__all__ = ["Lattice", "find_lattice"]


#: Largest distance of a point from its node, in steps: 5 µm in a grid of 5 mm, far above the
#: rounding of single precision (6e-9 m) and far below anything of physical meaning.
TOLERANCE = 1e-3

#: Shortest step, m; irregular points have a common measure that is shorter.
SHORTEST = 1e-4

#: Share of the nodes that a point must sit on; a brain fills half of its box.
FILLED = 0.01


@dataclass(frozen=True, kw_only=True, eq=False)
class Lattice:
    """A cubic lattice with the node of each point."""

    #: From node indices (i, j, k) to the frame of the points, metres, shape (4, 4).
    to_points: FloatArray
    #: Number of nodes along each axis.
    shape: tuple[int, int, int]
    #: Node of each point, the first axis fastest, shape (n_points,).
    nodes: IntArray

    def positions(self) -> FloatArray:
        """Positions (n_nodes, 3) of all nodes in the points' frame, the first axis fastest."""
        indices = np.stack(np.unravel_index(np.arange(np.prod(self.shape)), self.shape, order="F"))
        return indices.T @ self.to_points[:3, :3].T + self.to_points[:3, 3]


def find_lattice(points: FloatArray, *frames: FloatArray) -> Lattice | None:
    """Find the cubic lattice of points (n_points, 3), m; None if there is none.

    Tried are the rows of the given rotations (3, 3), the axes of the points' own frame, and the
    axes along which the nearest neighbours of the points lie.
    """
    if len(points) < 2:
        return None
    for axes in _axes(points, frames):
        lattice = _along(points, axes)
        if lattice is not None:
            return lattice
    return None


def _axes(points: FloatArray, frames: tuple[FloatArray, ...]) -> Iterator[FloatArray]:
    yield from frames
    yield np.eye(3)
    k = min(7, len(points))
    distance, neighbour = KDTree(points).query(points, k=k)
    start, which = np.nonzero(distance[:, 1:] <= (1 + TOLERANCE) * distance[:, 1:].min())
    steps = points[neighbour[start, which + 1]] - points[start]
    steps /= np.linalg.norm(steps, axis=1, keepdims=True)
    first = steps[0]
    across = steps[np.abs(steps @ first) < TOLERANCE]
    if len(across):
        # the axis nearest to x comes first, so that indices run as positions do
        axes = np.stack([first, across[0], np.cross(first, across[0])])
        order = np.argmax(np.abs(axes), axis=0)
        if len(set(order)) == 3:
            axes = axes[order]
            yield axes * np.sign(np.diag(axes))[:, None]


def _along(points: FloatArray, axes: FloatArray) -> Lattice | None:
    local = points @ axes.T
    origin = local.min(axis=0)
    step = _step(local)
    if step is None:
        return None
    offset = local - origin
    index = np.round(offset / step)
    # fit step and origin to all points: the common measure adds up the rounding of one gap
    centred = index - index.mean(axis=0)
    step = float(np.sum(centred * offset) / np.sum(centred**2))
    origin += (offset - step * index).mean(axis=0)
    if np.abs(local - origin - step * index).max() > TOLERANCE * step:
        return None
    nx, ny, nz = (int(n) + 1 for n in index.max(axis=0))
    nodes = np.ravel_multi_index(tuple(index.astype(np.int64).T), (nx, ny, nz), order="F")
    if len(points) < FILLED * nx * ny * nz or len(np.unique(nodes)) < len(points):
        return None
    to_points = np.eye(4)
    to_points[:3, :3] = step * axes.T
    to_points[:3, 3] = axes.T @ origin
    return Lattice(to_points=to_points, shape=(nx, ny, nz), nodes=nodes)


def _step(local: FloatArray) -> float | None:
    """Return the common measure of all the gaps between layers (Euclid's, with a tolerance)."""
    gaps = np.concatenate([np.diff(np.sort(column)) for column in local.T])
    gaps = np.unique(gaps[gaps > SHORTEST * TOLERANCE])
    if not len(gaps):
        return None
    step = float(gaps[0])
    for gap in gaps:
        rest = float(gap)
        while rest > TOLERANCE * step:
            rest = abs(rest - step * round(rest / step))
            if rest > TOLERANCE * step:
                step, rest = rest, step
        if step < SHORTEST:
            return None
    return step
