"""Scouts and atlases, which surfaces and head models share."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from scipy.sparse import csc_array

from mne_bstinv._types import FloatArray, IntArray
from mne_bstinv.io.checks import finite, index
from mne_bstinv.io.context import Context
from mne_bstinv.io.kinds import Raw, Scalar, Sparse, Vector
from mne_bstinv.io.schema import Structure, declare
from mne_bstinv.io.text import NestedArray, Text

__all__ = ["Atlas", "AtlasArray", "GridAtlas", "Scout"]

#: How the scouts of a volume grid are told from those of the surface that they are stored with: by
#: the name of their atlas, which holds the number of points.
_OF_GRID = re.compile(r"volume\s+(\d+)\b", flags=re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class Scout(Structure):
    """A region of a surface or of a source grid."""

    #: Vertices of the surface (k,), 1-based.
    vertices: IntArray | None = field(
        default=None, metadata=declare("Vertices", Vector("k", dtype="int64"), index("n_vertices"))
    )
    #: The vertex the region grew from, 1-based.
    seed: int | None = field(
        default=None, metadata=declare("Seed", Scalar(int), index("n_vertices"))
    )
    #: RGB, from 0 to 1 (3,).
    color: FloatArray | None = field(default=None, metadata=declare("Color", Vector(3), finite))
    #: Name.
    label: str = field(default="", metadata=declare("Label", Text()))
    #: How time courses are aggregated: ``'Mean'``, ``'PCA'`` ...
    function: str | None = field(default=None, metadata=declare("Function", Text()))
    #: Hemisphere and lobe (``'LO'``); in source grids the region code (``'LSC'``).
    region: str | None = field(default=None, metadata=declare("Region", Text()))
    #: Graphics handles; no content in files.
    handles: Any = field(default=None, metadata=declare("Handles", Raw(keep_empty=True)))
    #: Rows of GridLoc (g,), 1-based; source grids only.
    grid_rows: IntArray | None = field(
        default=None,
        metadata=declare(
            "GridRows",
            Vector("g", dtype="int64"),
            index("n_sources"),
            written=False,
            essential=True,
        ),
    )

    def _summary(self) -> str:
        n_vertices = 0 if self.vertices is None else len(self.vertices)
        return f"{self.label}, {n_vertices} vertices, region {self.region}"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class Atlas(Structure):
    """A named set of scouts of a surface."""

    #: Name.
    name: str = field(default="", metadata=declare("Name", Text()))
    #: The scouts.
    scouts: tuple[Scout, ...] = field(default=(), metadata=declare("Scouts", NestedArray(Scout)))

    def _summary(self) -> str:
        return f"{self.name}, {len(self.scouts)} scouts"

    @property
    def n_grid(self) -> int | None:
        """Points of the volume grid that the scouts are of; None for scouts of the surface."""
        return _points(self.name)


def _points(name: Any) -> int | None:
    found = _OF_GRID.match(name.strip()) if isinstance(name, str) else None
    return int(found[1]) if found else None


@dataclass(frozen=True, slots=True)
class AtlasArray(NestedArray):
    """The atlases of a surface: scouts of a volume grid count its points, not the vertices."""

    def element(self, name: Any, index: int, context: Context) -> Context:
        """Return the context of an atlas."""
        inner, n_grid = context.element(index), _points(name)
        if n_grid is not None:
            inner.sizes["n_vertices"] = (n_grid, "Name")
        return inner


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class GridAtlas(Structure):
    """The regions of a mixed head model."""

    #: Name.
    name: str = field(default="", metadata=declare("Name", Text()))
    #: The regions; their ``grid_rows`` say which locations they hold.
    scouts: tuple[Scout, ...] = field(
        default=(), metadata=declare("Scouts", NestedArray(Scout), essential=True)
    )
    #: Grid locations x cortex vertices, ones and zeros.
    vert2grid: csc_array | None = field(
        default=None, metadata=declare("Vert2Grid", Sparse(), written=False)
    )
    #: Kernel rows x grid locations, ones and zeros.
    grid2source: csc_array | None = field(
        default=None, metadata=declare("Grid2Source", Sparse(), written=False)
    )

    def _summary(self) -> str:
        return f"{self.name}, {len(self.scouts)} regions"
