"""Put rows into a complete results structure: what Brainstorm needs to show them."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.sparse import csc_array

from mne_bstinv import io
from mne_bstinv._types import FloatArray, IntArray
from mne_bstinv.adapters.operators.rows import RowLayout, mixed_layout, plain_layout
from mne_bstinv.adapters.sources import SourceGrid, is_on_cortex
from mne_bstinv.conversion import Findings
from mne_bstinv.inverse.result import RegionRows

__all__ = ["grid_fields", "layout_of_grid", "recoded", "rows_of", "scalar_regions", "vert2grid"]

#: Part of a vector along the tangents that is rounding.
_ROUNDING = 1e-9


def layout_of_grid(
    grid: SourceGrid, *, vector: bool, findings: Findings
) -> tuple[RowLayout, io.GridAtlas | None]:
    """Lay out rows that MNE computed, scalars or vectors along x, y, z, and mark the regions so."""
    n = len(grid.grid_loc)
    if grid.head_model_type != "mixed" or grid.grid_atlas is None:
        return plain_layout(n, vector=vector), grid.grid_atlas
    atlas = recoded(grid.grid_atlas, dict.fromkeys("CUL", "U" if vector else "C"), findings)
    normals = grid.grid_orient
    if normals is None or not vector:
        normals = np.tile([0.0, 0.0, 1.0], (n, 1))
    return mixed_layout(atlas.scouts, normals, n), atlas


def scalar_regions(
    atlas: io.GridAtlas | None, n_rows: int, findings: Findings
) -> io.GridAtlas | None:
    """Return the regions of a map; constrained, if each of their locations has one value.

    Brainstorm marks them so in maps of norms, but not in all that is made of estimates.

    Parameters
    ----------
    atlas : GridAtlas | None
        The regions as they are stored.
    n_rows : int
        The number of rows of the map.
    findings : Findings
        Takes what was changed.

    Returns
    -------
    GridAtlas | None
        The regions.
    """
    if atlas is None:
        return None
    of_locations = [s for s in atlas.scouts if (s.region or "")[1:2].upper() != "X"]
    if n_rows != sum(np.size([] if s.grid_rows is None else s.grid_rows) for s in of_locations):
        return atlas
    return recoded(atlas, dict.fromkeys("CUL", "C"), findings)


def recoded(atlas: io.GridAtlas, letters: dict[str, str], findings: Findings) -> io.GridAtlas:
    """Change the orientation constraint (third letter of the code → new one) of regions."""
    scouts = []
    for scout in atlas.scouts:
        code = scout.region or "UVU"
        new = code[:2] + letters.get(code[2:3].upper(), code[2:3])
        if new != scout.region:
            findings.derived(
                "GridAtlas",
                f"Region {scout.label!r} is coded {new} instead of {scout.region}: what its rows "
                "are.",
            )
        scouts.append(dataclasses.replace(scout, region=new))
    return dataclasses.replace(atlas, scouts=tuple(scouts))


def rows_of(
    layout: RowLayout,
    values: FloatArray,
    order: IntArray,
    rotation: FloatArray,
    findings: Findings,
) -> FloatArray:
    """Turn values (n_used, k) or (n_used, 3, k) in head to Brainstorm's rows (n_rows, k) in SCS.

    ``order`` is the 0-based location of each source, ``rotation`` (3, 3) goes from SCS to head.
    """
    rows = layout.from_head(values, order, rotation)
    if layout.is_vector and any(region.n_components == 1 for region in layout.regions):
        lost = np.linalg.norm(layout.to_head(rows, order, rotation) - values)
        if lost > _ROUNDING * np.linalg.norm(values):
            findings.dropped(
                "data",
                "Constrained regions have one row per location: what is not along the normal is "
                f"lost ({lost / np.linalg.norm(values):.2g} of the whole).",
            )
    return rows


def grid_fields(grid: SourceGrid, layout: RowLayout, atlas: io.GridAtlas | None) -> dict[str, Any]:
    """Return the fields of a results structure that describe its locations."""
    kind = grid.head_model_type
    if kind == "mixed" and atlas is not None:
        n_vertices = None if grid.surface is None else len(grid.surface.vertices)
        atlas = _with_maps(atlas, layout, n_vertices)
    return {
        "n_components": layout.n_components,
        "head_model_type": kind,
        "grid_loc": None if kind == "surface" else grid.grid_loc,
        "grid_orient": grid.grid_orient if kind == "mixed" else None,
        "grid_atlas": atlas if kind == "mixed" else None,
    }


def vert2grid(scouts: Sequence[io.Scout], n_sources: int, n_vertices: int) -> csc_array:
    """Map vertices of the cortex to the locations of a mixed model's surface regions.

    Parameters
    ----------
    scouts : sequence of Scout
        The regions.
    n_sources : int
        Locations of the head model.
    n_vertices : int
        Vertices of the cortex.

    Returns
    -------
    csc_array, shape (n_sources, n_vertices)
        1 where a location is a vertex.
    """
    pairs = [
        (np.asarray(s.grid_rows) - 1, np.asarray(s.vertices) - 1) for s in scouts if is_on_cortex(s)
    ]
    rows, columns = (
        np.concatenate([np.empty(0, dtype=np.int64), *(pair[i] for pair in pairs)]) for i in (0, 1)
    )
    return csc_array((np.ones(len(rows)), (rows, columns)), shape=(n_sources, n_vertices))


def _with_maps(atlas: io.GridAtlas, layout: RowLayout, n_vertices: int | None) -> io.GridAtlas:
    """Add the sparse maps: rows to locations, and locations to vertices of the cortex."""
    if atlas.grid2source is None:
        atlas = dataclasses.replace(atlas, grid2source=_grid2source(layout.regions, layout))
    if atlas.vert2grid is None and n_vertices is not None:
        atlas = dataclasses.replace(
            atlas, vert2grid=vert2grid(atlas.scouts, layout.n_sources, n_vertices)
        )
    return atlas


def _grid2source(regions: Sequence[RegionRows], layout: RowLayout) -> csc_array:
    where = np.concatenate([np.repeat(r.locations, r.n_components) for r in regions])
    ones = np.ones(len(where))
    return csc_array((ones, (np.arange(len(where)), where)), shape=(len(where), layout.n_sources))
