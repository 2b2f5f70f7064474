"""Which rows of a map a scout stands for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike

from mne_bstinv._display import Displayed
from mne_bstinv._types import IntArray
from mne_bstinv.errors import MapError, OptionError
from mne_bstinv.maps.arrays import RowGroup, row_groups

__all__ = ["GridAtlasLike", "ScoutRows", "Scouts", "SurfaceScoutLike", "scout_rows"]


class SurfaceScoutLike(Protocol):
    """What is needed of a scout."""

    @property
    def vertices(self) -> Any:
        """1-based vertices, or None."""

    @property
    def label(self) -> str:
        """Name."""

    @property
    def function(self) -> str | None:
        """The scout's own function."""

    @property
    def region(self) -> str | None:
        """Region code: the second letter is V for a volume."""

    @property
    def grid_rows(self) -> Any:
        """1-based locations, for regions of a mixed model; None otherwise."""


class GridAtlasLike(Protocol):
    """The regions of a mixed model and how the cortex is mapped onto its locations."""

    @property
    def scouts(self) -> Sequence[Any]:
        """The regions, with ``region``, ``label`` and ``grid_rows``."""

    @property
    def vert2grid(self) -> Any:
        """Sparse, (n_locations, n_vertices)."""


Scouts = Mapping[str, ArrayLike] | Sequence[SurfaceScoutLike]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ScoutRows(Displayed):
    """A scout as rows of a map."""

    #: Its name.
    label: str
    #: Its own function; None where it has none.
    function: str | None
    #: 0-based vertices, ascending, each once.
    vertices: IntArray
    #: 0-based rows, location after location.
    rows: IntArray
    #: Rows a vertex: 1 or 3.
    n_components: int
    #: Whether the vertices are those of the surface; locations of a volume have no normals.
    on_surface: bool

    def _summary(self) -> str:
        return f"{self.label}, {len(self.vertices)} vertices, {len(self.rows)} rows"


def scout_rows(
    scouts: Scouts,
    n_rows: int,
    *,
    n_components: int = 1,
    grid_atlas: GridAtlasLike | None = None,
) -> list[ScoutRows]:
    """Find the rows of scouts in a map.

    Parameters
    ----------
    scouts : sequence of Scout | mapping of str to array
        Scouts of an atlas (``surface.atlas[i].scouts``, whose vertices count from 1), or names
        with vertices that count from 0. Regions of a mixed model (``grid_atlas.scouts``) are
        found by their ``grid_rows``.
    n_rows : int
        Rows of the map.
    n_components : int
        Rows a location: 1, 3, or 0 for a mixed model.
    grid_atlas : GridAtlas | None
        The regions of a mixed model (``results.grid_atlas``).

    Returns
    -------
    list of ScoutRows
        The scouts, their vertices sorted and each once, as Brainstorm's process takes them.

    Raises
    ------
    MapError
        If a scout is empty, has vertices that the map does not have, or lies in regions of
        different numbers of components.
    OptionError
        If the number of components is wrong, or a mixed map comes without its regions.
    """
    regions = None if grid_atlas is None else grid_atlas.scouts
    groups = row_groups(n_rows, n_components, regions)
    row_of, components = _locations(groups)
    locate = _locator(grid_atlas if n_components == 0 else None)
    found = []
    for label, function, vertices, locations, on_surface in _parts(scouts, locate):
        inside = (locations >= 0) & (locations < len(row_of))
        known = inside.all() and bool((row_of[locations] >= 0).all())
        if len(vertices) == 0 or not known:
            what = "no vertices" if len(vertices) == 0 else "vertices that the map has no rows of"
            raise MapError(f"Scout {label!r} has {what} (the map has {len(row_of)} locations).")
        counts = np.unique(components[locations])
        if len(counts) > 1:
            raise MapError(
                f"Scout {label!r} lies in regions of one and of three components; make the map "
                "flat first (flatten_sources)."
            )
        n = int(counts[0])
        rows = (row_of[locations][:, np.newaxis] + np.arange(n)).ravel()
        found.append(
            ScoutRows(
                label=label,
                function=function,
                vertices=vertices,
                rows=rows,
                n_components=n,
                on_surface=on_surface,
            )
        )
    return found


def _locations(groups: Sequence[RowGroup]) -> tuple[IntArray, IntArray]:
    """Return the first row and the number of components of each location; -1 for no row."""
    n_locations = max((int(group.locations.max()) + 1 for group in groups), default=0)
    row_of = np.full(n_locations, -1)
    components = np.zeros(n_locations, dtype=np.int64)
    for group in groups:
        n = len(group.locations)
        row_of[group.locations] = group.rows.start + group.n_components * np.arange(n)
        components[group.locations] = group.n_components
    return row_of, components


def _locator(grid_atlas: GridAtlasLike | None) -> Callable[[IntArray], IntArray]:
    """Return what maps 0-based vertices of the cortex to locations; -1 for a vertex without."""
    if grid_atlas is None or grid_atlas.vert2grid is None:
        return lambda vertices: vertices
    mapping = grid_atlas.vert2grid.tocoo()
    location = np.full(mapping.shape[1], -1)
    location[mapping.col] = mapping.row

    def locate(vertices: IntArray) -> IntArray:
        known = vertices < len(location)
        return np.where(known, location[np.where(known, vertices, 0)], -1)

    return locate


def _parts(
    scouts: Scouts, locate: Callable[[IntArray], IntArray]
) -> list[tuple[str, str | None, IntArray, IntArray, bool]]:
    """Return label, function, 0-based vertices, locations, and whether on the surface."""
    if isinstance(scouts, Mapping):
        named = {label: _indices(vertices, label) for label, vertices in scouts.items()}
        return [(label, None, own, locate(own), True) for label, own in named.items()]
    parts = []
    for scout in scouts:
        if not hasattr(scout, "vertices"):
            raise OptionError(
                f"scouts must be scouts of an atlas, or a mapping of names to vertices, found "
                f"{type(scout).__name__}."
            )
        in_volume = _is_in_volume(scout)
        own = _indices(scout.grid_rows if in_volume else scout.vertices, scout.label) - 1
        function = None if scout.function is None else scout.function.lower()
        where = own if in_volume else locate(own)
        parts.append((scout.label, function, own, where, not in_volume))
    return parts


def _is_in_volume(scout: SurfaceScoutLike) -> bool:
    """Tell whether a scout is a region of a mixed model that only its locations describe."""
    if scout.grid_rows is None or np.size(scout.grid_rows) == 0:
        return False
    no_vertices = scout.vertices is None or np.size(scout.vertices) == 0
    return no_vertices or (scout.region or "").upper()[1:2] == "V"


def _indices(vertices: ArrayLike | None, label: str) -> IntArray:
    """Return vertices sorted, each once."""
    array = np.asarray([] if vertices is None else vertices).reshape(-1)
    if array.dtype.kind not in "iuf" or (array.dtype.kind == "f" and (array % 1 != 0).any()):
        raise MapError(f"The vertices of scout {label!r} must be whole numbers.")
    return np.unique(array.astype(np.int64))
