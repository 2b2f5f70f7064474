"""The cortex of a study: of source spaces, with labels, complete as Brainstorm's own."""

from __future__ import annotations

import colorsys
import dataclasses
from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np
from scipy.sparse import csc_array

from mne_bstinv import io
from mne_bstinv._types import FloatArray
from mne_bstinv.adapters.anatomy import from_labels
from mne_bstinv.adapters.kept import kept_of
from mne_bstinv.anatomy import vertex_adjacency, vertex_normals
from mne_bstinv.errors import ConversionError
from mne_bstinv.io.schema import to_mat

__all__ = ["coloured", "complete_cortex", "labelled", "same_cortex", "same_structure"]

A = TypeVar("A", io.Atlas, io.GridAtlas)

#: The atlas that Brainstorm shows first and puts new scouts into.
_USER = "User scouts"
#: Positions that differ by less (m) are the same: above the rounding of transforms, far below the
#: thickness of anything.
_SAME_PLACE = 1e-9
#: Relative to the largest value of an array: what the way to MNE's frames and back rounds.
_ROUNDING = 1e-9


def labelled(cortex: io.Surface, src: Any, labels: Sequence[Any]) -> io.Surface:
    """Add labels, as one more atlas, and atlases to a cortex.

    The labels number the vertices of the source spaces that the cortex was made of; without
    these, or where they were made of this cortex, its own.
    """
    atlases = [one for one in labels if isinstance(one, io.Atlas)]
    # a list that was converted from scouts has a report, which a copy has not
    rest = [one for one in labels if not isinstance(one, io.Atlas)] if atlases else labels
    if rest:
        own = src is None or kept_of(src).get("surface") is cortex
        atlases.append(from_labels(rest, cortex if own else src))
    names = [atlas.name for atlas in cortex.atlas]
    for atlas in atlases:
        if atlas.name in names:
            raise ConversionError(
                f"The cortex has an atlas {atlas.name!r} already: give the labels another name."
            )
    return dataclasses.replace(cortex, atlas=(*cortex.atlas, *atlases))


def complete_cortex(cortex: io.Surface) -> io.Surface:
    """Fill what Brainstorm expects of a cortex and MNE does not have.

    These are neighbours and normals of its vertices, the atlas for the user's scouts, which
    comes first, and a colour and a seed for every scout.
    """
    faces = np.asarray(cortex.faces, dtype=np.int64) - 1
    values: dict[str, Any] = {"atlas": tuple(coloured(atlas) for atlas in cortex.atlas)}
    if cortex.vert_conn is None:
        adjacency = vertex_adjacency(faces, cortex.n_vertices)
        values["vert_conn"] = csc_array(adjacency, dtype=np.float64)
    if cortex.vert_normals is None:
        values["vert_normals"] = vertex_normals(cortex.vertices, faces)
    if _USER not in [atlas.name for atlas in cortex.atlas]:
        values["atlas"] = (io.Atlas(name=_USER), *values["atlas"])
        values["i_atlas"] = 1
    elif cortex.i_atlas is None:
        values["i_atlas"] = 1
    return dataclasses.replace(cortex, **values)


def coloured(atlas: A) -> A:
    """Give a colour and a seed to every scout that has none; one without vertices has no seed."""
    scouts = []
    for number, scout in enumerate(atlas.scouts):
        values: dict[str, Any] = {}
        if scout.color is None:
            values["color"] = _colour(number, len(atlas.scouts))
        if scout.seed is None and scout.vertices is not None and len(scout.vertices):
            values["seed"] = int(scout.vertices[0])
        scouts.append(dataclasses.replace(scout, **values) if values else scout)
    return dataclasses.replace(atlas, scouts=tuple(scouts))


def same_cortex(one: io.Surface, other: io.Surface) -> bool:
    """Tell whether a cortex that is there has the mesh, and all scouts, of the one to export."""
    if one.vertices.shape != other.vertices.shape or not np.array_equal(one.faces, other.faces):
        return False
    if np.abs(one.vertices - other.vertices).max(initial=0) > _SAME_PLACE:
        return False
    present = [(a.name, _members(a)) for a in one.atlas]
    return all((a.name, _members(a)) in present for a in other.atlas if a.scouts)


def same_structure(one: Any, other: Any) -> bool:
    """Tell whether two structures hold the same values but for rounding and their history."""
    if type(one) is not type(other):
        return False
    left, right = to_mat(one, "one"), to_mat(other, "other")
    left.pop("History", None), right.pop("History", None)
    return _same(left, right)


def _same(left: Any, right: Any) -> bool:
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(_same(left[k], right[k]) for k in left)
    if hasattr(left, "toarray") and hasattr(right, "toarray"):
        return left.shape == right.shape and (left != right).nnz == 0
    a, b = np.asarray(left), np.asarray(right)
    if a.shape != b.shape or a.dtype.names != b.dtype.names:
        return False
    if a.dtype.names:
        return all(_same(a[name], b[name]) for name in a.dtype.names)
    if a.dtype == object:
        return all(_same(x, y) for x, y in zip(a.ravel(), b.ravel(), strict=True))
    if a.dtype.kind == b.dtype.kind == "f":
        size = np.nanmax(np.abs(b), initial=0.0) if np.isfinite(b).any() else 0.0
        return np.allclose(a, b, rtol=0, atol=_ROUNDING * size, equal_nan=True)
    return np.array_equal(a, b)


def _members(atlas: io.Atlas) -> tuple[tuple[str, tuple[int, ...]], ...]:
    return tuple(
        (scout.label, () if scout.vertices is None else tuple(np.sort(scout.vertices).tolist()))
        for scout in atlas.scouts
    )


def _colour(number: int, of: int) -> FloatArray:
    return np.array(colorsys.hsv_to_rgb(number / of, 0.8, 0.9))
