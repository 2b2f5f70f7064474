"""Projection of a map from one cortex to another."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import scipy
from numpy.typing import ArrayLike

from mne_bstinv._types import FloatArray, IntArray
from mne_bstinv.errors import MapError
from mne_bstinv.inverse.regions import ScoutLike
from mne_bstinv.maps.arrays import as_map
from mne_bstinv.maps.flat import absolute_sources
from mne_bstinv.maps.surfaces import (
    SurfaceLike,
    cortex_hemispheres,
    cortex_regions,
    registered_sphere,
)

__all__ = ["project_sources", "projection_matrix", "shepard_weights"]

#: Source vertices that a destination vertex looks at; the farthest sets the radius.
_NEIGHBOURS = 8
#: What a distance of 0 becomes: the spacing of double precision at 1.
_NEARLY_ZERO = np.finfo(np.float64).eps
_CORTEX = ("cortex l", "cortex r")


def project_sources(
    values: ArrayLike,
    source_surface: SurfaceLike,
    target_surface: SurfaceLike,
    *,
    n_components: int = 1,
    regions: Sequence[ScoutLike] | None = None,
    absolute: bool = False,
    same_subject: bool = False,
) -> FloatArray:
    """Project a map to another cortex, as Brainstorm does.

    Parameters
    ----------
    values : array, shape (n_rows, n_times)
        The full map (a kernel is multiplied with its recordings first) on the source surface.
    source_surface, target_surface : Surface
        The two cortices.
    n_components : int
        Rows a location: 1, or 3 and 0 (mixed), of which the norm is taken first.
    regions : sequence of Scout | None
        The regions of a mixed model.
    absolute : bool
        Take absolute values first.
    same_subject : bool
        Whether both cortices are of one subject: positions are compared then, not spheres.

    Returns
    -------
    array, shape (n_target_vertices, n_times)
        The map on the target, in the unit of the values.

    Raises
    ------
    MapError
        If the arrays or the surfaces do not fit, or the surfaces have no common space; see
        ``projection_matrix``.
    OptionError
        If the number of components is wrong.

    Notes
    -----
    Source estimates of Brainstorm's group studies are made this way (specification).
    """
    array = as_map(values)
    if n_components != 1 or absolute:
        array = absolute_sources(array, n_components, regions=regions)
    matrix = projection_matrix(source_surface, target_surface, same_subject=same_subject)
    if len(array) != matrix.shape[1]:
        raise MapError(
            f"The map has {len(array)} locations, the source surface {matrix.shape[1]} vertices."
        )
    return matrix @ array


def projection_matrix(
    source_surface: SurfaceLike, target_surface: SurfaceLike, *, same_subject: bool = False
) -> scipy.sparse.csr_array:
    """Compute the matrix that projects maps from one cortex to another.

    Parameters
    ----------
    source_surface, target_surface : Surface
        The two cortices.
    same_subject : bool
        Whether both are cortices of one subject.

    Returns
    -------
    csr_array, shape (n_target_vertices, n_source_vertices)
        The weights; the rows of vertices in a region sum to 1, others are zero.

    Raises
    ------
    MapError
        If only one surface has the atlas Structures, the surfaces share no region, or they are of
        different subjects and not registered by spheres: Brainstorm fits the meshes then, which
        cannot be computed again.

    See Also
    --------
    shepard_weights : The interpolation inside a region.

    Notes
    -----
    Region by region (the scouts of the atlas Structures, matched by their labels; the two
    hemispheres where neither surface has that atlas), by Shepard's interpolation: for cortices of
    one subject between the positions of the vertices; for two subjects between the registered
    spheres, which needs the regions ``Cortex L`` and ``Cortex R`` in both. The rows of a sphere
    are the vertices of the hemisphere whose first vertex is smaller, then those of the other.
    (Specification.)
    """
    pairs = _matched_regions(source_surface, target_surface, same_subject)
    rows, columns, weights = [], [], []
    for source, target, source_points, target_points in pairs:
        block = shepard_weights(source_points, target_points).tocoo()
        rows.append(target[block.row])
        columns.append(source[block.col])
        weights.append(block.data)
    shape = (len(target_surface.vertices), len(source_surface.vertices))
    index = (np.concatenate(rows), np.concatenate(columns))
    return scipy.sparse.csr_array((np.concatenate(weights), index), shape=shape)


def shepard_weights(source: ArrayLike, target: ArrayLike) -> scipy.sparse.csr_array:
    """Interpolate from scattered points to others by modified Shepard weights.

    Parameters
    ----------
    source : array, shape (n_source, 3)
        Points where values are known.
    target : array, shape (n_target, 3)
        Points where they are wanted, in the same unit.

    Returns
    -------
    csr_array, shape (n_target, n_source)
        The weights; each row sums to 1.

    Raises
    ------
    MapError
        If the points are no finite arrays of three columns, or there is no source point.

    Notes
    -----
    Of the (at most) k = 8 nearest points the first k − 1 have the weights ((dₖ − d) / (dₖ d))²,
    divided by their sum, where d are *squared* distances, of which 0 becomes 2.2e-16 (Shepard,
    1968; Franke and Nielson, 1980; the squares: specification). If all distances are equal the
    nearest, the first of them, counts alone.
    """
    points, wanted = _points(source, "source"), _points(target, "target")
    if len(points) == 0:
        raise MapError("There is no source point to interpolate from.")
    nearest, squared = _nearest(points, wanted, min(_NEIGHBOURS, len(points)))
    squared = np.where(squared == 0, _NEARLY_ZERO, squared)
    inner, outer = squared[:, :-1], squared[:, -1:]
    weights = ((outer - inner) / (outer * inner)) ** 2
    total = weights.sum(axis=1, keepdims=True)
    if weights.shape[1] == 0:  # a single source point
        weights, total = np.ones_like(squared), np.ones_like(squared)
    weights = np.where(total > 0, weights / np.where(total > 0, total, 1), 0)
    weights[total[:, 0] == 0, 0] = 1
    n_kept = weights.shape[1]
    rows = np.repeat(np.arange(len(wanted)), n_kept)
    index = (rows, nearest[:, :n_kept].ravel())
    return scipy.sparse.csr_array((weights.ravel(), index), shape=(len(wanted), len(points)))


def _points(points: ArrayLike, name: str) -> FloatArray:
    array = as_map(points, name)
    if array.shape[1] != 3 or not np.isfinite(array).all():
        raise MapError(f"{name} must be finite points (n, 3), found shape {array.shape}.")
    return array


def _nearest(points: FloatArray, wanted: FloatArray, k: int) -> tuple[IntArray, FloatArray]:
    """Return the k nearest points (n_wanted, k) and their squared distances, the nearest first.

    Points at the same distance come in their own order, as a stable sort gives them: the tree
    proposes more candidates than are needed, and where it could have left out an equal one all
    points are compared.
    """
    from scipy.spatial import KDTree  # late: it would slow down the import of the package

    n_candidates = min(2 * k + 8, len(points))
    _, proposed = KDTree(points).query(wanted, k=n_candidates)
    candidates = np.sort(proposed.reshape(len(wanted), n_candidates), axis=1)
    nearest, squared = _stable_nearest(points, wanted, candidates, k)
    if n_candidates < len(points):
        farthest = _squared(points, wanted, candidates).max(axis=1)
        for row in np.flatnonzero(squared[:, -1] >= farthest * (1 - 1e-9)):
            everything = np.arange(len(points))[np.newaxis]
            one = _stable_nearest(points, wanted[row : row + 1], everything, k)
            nearest[row], squared[row] = one[0][0], one[1][0]
    return nearest, squared


def _squared(points: FloatArray, wanted: FloatArray, candidates: IntArray) -> FloatArray:
    return ((points[candidates] - wanted[:, np.newaxis]) ** 2).sum(axis=2)


def _stable_nearest(
    points: FloatArray, wanted: FloatArray, candidates: IntArray, k: int
) -> tuple[IntArray, FloatArray]:
    squared = _squared(points, wanted, candidates)
    order = np.argsort(squared, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(candidates, order, 1), np.take_along_axis(squared, order, 1)


_Pair = tuple[IntArray, IntArray, FloatArray, FloatArray]


def _matched_regions(
    source_surface: SurfaceLike, target_surface: SurfaceLike, same_subject: bool
) -> list[_Pair]:
    """Return the vertices of each common region in both surfaces, and where to compare them."""
    source, target = cortex_regions(source_surface), cortex_regions(target_surface)
    if bool(source) != bool(target):
        state = "source" if source else "target"
        raise MapError(
            f"Only the {state} surface has the regions of the atlas Structures: both need them, "
            "or neither."
        )
    if same_subject:
        if not source:
            source, target = cortex_hemispheres(source_surface), cortex_hemispheres(target_surface)
        positions = source_surface.vertices, target_surface.vertices
        return _pairs(source, target, *(_points(p, "vertices") for p in positions))
    spheres = [
        _sphere_of_vertices(surface, regions)
        for surface, regions in ((source_surface, source), (target_surface, target))
    ]
    others = (set(source) & set(target)) - set(_CORTEX)
    if others or spheres[0] is None or spheres[1] is None:
        why = (
            "not both have the regions 'Cortex L' and 'Cortex R' and a registered sphere"
            if spheres[0] is None or spheres[1] is None
            else f"the regions {', '.join(sorted(others))} are not on the spheres"
        )
        raise MapError(
            f"The surfaces are of different subjects and cannot be matched by spheres: {why}. "
            "Brainstorm fits the meshes then, which cannot be computed again."
        )
    keep = {label: source[label] for label in _CORTEX}
    return _pairs(keep, {label: target[label] for label in _CORTEX}, spheres[0], spheres[1])


def _pairs(
    source: dict[str, IntArray],
    target: dict[str, IntArray],
    source_points: FloatArray,
    target_points: FloatArray,
) -> list[_Pair]:
    common = [label for label in source if label in target]
    if not common:
        raise MapError(
            f"The surfaces have no region in common: {', '.join(source)} and {', '.join(target)}."
        )
    return [
        (source[name], target[name], source_points[source[name]], target_points[target[name]])
        for name in common
    ]


def _sphere_of_vertices(surface: SurfaceLike, regions: dict[str, IntArray]) -> FloatArray | None:
    """Return the place of each vertex on the registered sphere (n_vertices, 3); NaN outside."""
    sphere = registered_sphere(surface)
    if sphere is None or not set(_CORTEX) <= set(regions):
        return None
    hemis = sorted((regions[label] for label in _CORTEX), key=lambda vertices: int(vertices[0]))
    order = np.concatenate(hemis)
    if len(order) != len(sphere):
        raise MapError(
            f"The registered sphere has {len(sphere)} vertices, the two hemispheres of its cortex "
            f"{len(order)}."
        )
    places = np.full((len(surface.vertices), 3), np.nan)
    places[order] = sphere
    return places
