"""MNE's source spaces as Brainstorm's locations, mesh and regions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from mne.io.constants import FIFF
from mne.utils import verbose
from numpy.typing import NDArray
from scipy.sparse import csc_array
from scipy.sparse.csgraph import dijkstra

from mne_bstinv import io
from mne_bstinv._display import Displayed
from mne_bstinv._types import FloatArray, IntArray, Verbose
from mne_bstinv.adapters.kept import Kept, keep, kept_of
from mne_bstinv.adapters.sources.space_dicts import LOCATION
from mne_bstinv.anatomy import edge_lengths, vertex_adjacency
from mne_bstinv.conversion import Findings, converts
from mne_bstinv.errors import ConversionError
from mne_bstinv.frames import scs_to_head, transform_points

__all__ = ["SourceGrid", "from_source_spaces", "mesh_rows", "source_order", "used_triangles"]

#: Largest deviation of what the report kept from what the source spaces hold now, m.
SAME = 1e-9


@dataclass(frozen=True, kw_only=True, eq=False)
class SourceGrid(Displayed):
    """What a head model holds of its source locations.

    Parameters
    ----------
    head_model_type : 'surface' | 'volume' | 'mixed'
        HeadModelType.
    grid_loc : array, shape (n_locations, 3)
        GridLoc, metres, SCS.
    grid_orient : array, shape (n_locations, 3) | None
        GridOrient; zero in volume regions of mixed models.
    grid_atlas : GridAtlas | None
        The regions of a mixed model.
    surface : Surface | None
        The cortex that the locations follow.
    order : array of int, shape (n_locations,)
        0-based row of ``grid_loc`` of each used source of MNE.
    """

    head_model_type: str
    grid_loc: FloatArray
    grid_orient: FloatArray | None
    grid_atlas: io.GridAtlas | None
    surface: io.Surface | None
    order: IntArray

    def __repr__(self) -> str:
        size = f"{self.head_model_type}, {len(self.grid_loc)} locations"
        parts = (size, self.surface, self.grid_atlas)
        return f"<SourceGrid | {', '.join(str(part) for part in parts if part is not None)}>"


@converts
@verbose
def from_source_spaces(
    src: Any,
    *,
    head_to_scs: FloatArray | None = None,
    trans: Any = None,
    verbose: Verbose = None,
) -> SourceGrid:
    """Convert MNE's source spaces to the locations of a head model.

    Only the points in use are taken over. The hemispheres become one mesh whose atlas
    ``Structures`` says which is which. Source spaces that :func:`to_source_spaces` made get
    Brainstorm's order back; others keep MNE's (left, right, then the rest).

    Parameters
    ----------
    src : mne.SourceSpaces
        The source spaces, in the head or the MRI frame.
    head_to_scs : array, shape (4, 4) | None
        MNE's head frame → SCS, metres. ``None`` takes the one that :func:`to_source_spaces` kept,
        else SCS turned by 90° about z, without a shift (reported as assumed).
    trans : mne.Transform | None
        Head ↔ MRI, needed for source spaces in the MRI frame.
    verbose : bool | str | int | None
        Control verbosity of the logging output.

    Returns
    -------
    SourceGrid
        Locations in SCS. The report keeps ``order``.

    Raises
    ------
    ConversionError
        If the frame of the source spaces is unknown, or they are in the MRI frame and ``trans``
        is missing.
    """
    findings, kept = Findings(), kept_of(src)
    order = _ranks(src)
    matrix = _head_to_scs(head_to_scs, kept, findings)
    to_scs = [_to_scs(part, matrix, trans) for part in src]
    grid_loc, normals = np.empty((len(order), 3)), np.empty((len(order), 3))
    oriented = np.zeros(len(order), dtype=bool)
    for part, matrix, rows in zip(src, to_scs, _split(order, src), strict=True):
        used = part["vertno"]
        grid_loc[rows] = transform_points(matrix, np.asarray(part["rr"][used], dtype=np.float64))
        normals[rows] = np.asarray(part["nn"][used], dtype=np.float64) @ matrix[:3, :3].T
        oriented[rows] = _has_normals(part)
    _check_extent(grid_loc, findings)
    kind = "surface" if src.kind == "surface" else "volume" if len(src) == 1 else "mixed"
    unchanged = _unchanged(kept, src, order, grid_loc)
    if unchanged:
        kind = kept["head_model"].kind
    grid = SourceGrid(
        head_model_type=kind,
        grid_loc=grid_loc,
        grid_orient=_orientations(normals, oriented, kind, kept if unchanged else {}),
        grid_atlas=None,
        surface=None,
        order=order,
    )
    grid = _with_structures(grid, src, normals, kept if unchanged else {}, findings)
    keep(findings, order=order)
    return findings.attach(grid, what="SourceSpaces → source grid")


def source_order(src: Any) -> IntArray | None:
    """Tell which of Brainstorm's locations each source in use is.

    Parameters
    ----------
    src : mne.SourceSpaces
        Source spaces that :func:`to_source_spaces` made, or a copy or a restriction of them.

    Returns
    -------
    array of int, shape (n_used,) | None
        0-based row of ``GridLoc`` of each source in MNE's order; None if unknown, as after
        reading from a FIF file.
    """
    if len(src) and all(part.get(LOCATION) is not None for part in src):
        return np.concatenate([part[LOCATION][part["vertno"]] for part in src])
    return None


def mesh_rows(src: Any) -> list[IntArray]:
    """Tell which row of the mesh of both hemispheres each vertex in use becomes.

    Parameters
    ----------
    src : mne.SourceSpaces
        Source spaces that begin with two hemispheres.

    Returns
    -------
    list of array of int
        0-based rows for the left and for the right hemisphere.
    """
    rows = _split(_ranks(src), src)[:2]
    vertices = np.sort(np.concatenate(rows))
    return [np.searchsorted(vertices, row) for row in rows]


def _head_to_scs(given: FloatArray | None, kept: Kept, findings: Findings) -> FloatArray:
    if given is not None:
        return np.asarray(given, dtype=np.float64)
    if "scs_to_head" in kept:
        inverse: FloatArray = np.linalg.inv(kept["scs_to_head"])
        return inverse
    frame = scs_to_head(None)
    findings.assumed("coord_frame", f"SCS is a guess ({frame.source})")
    return frame.inverse


def _check_extent(grid_loc: FloatArray, findings: Findings) -> None:
    """Report a source space that is no larger than a pea, or larger than a person."""
    extent = float(np.ptp(grid_loc, axis=0).max()) if len(grid_loc) > 1 else 0.1
    if not 0.01 < extent < 1:
        findings.assumed(
            "rr", f"The points span {extent:.3g} m; they are taken as metres all the same."
        )


def _ranks(src: Any) -> IntArray:
    """Row of each used source: Brainstorm's order where known, however many are left of it."""
    where = source_order(src)
    if where is None:
        return np.arange(sum(int(part["nuse"]) for part in src))
    return np.argsort(np.argsort(where, kind="stable"), kind="stable")


def _split(order: IntArray, src: Any) -> list[IntArray]:
    return np.split(order, np.cumsum([int(part["nuse"]) for part in src])[:-1])


def _to_scs(part: Mapping[str, Any], head_to_scs: FloatArray, trans: Any) -> FloatArray:
    frame = int(part["coord_frame"])
    if frame == FIFF.FIFFV_COORD_HEAD:
        return head_to_scs
    if frame != FIFF.FIFFV_COORD_MRI:
        raise ConversionError(
            f"The source spaces are in the frame {frame}; only head (4) and MRI (5) can be "
            "converted. Take those of a forward solution."
        )
    if trans is None:
        raise ConversionError(
            "The source spaces are in the MRI frame: trans (head ↔ MRI) is needed to bring them "
            "to SCS. Give it, or the source spaces of a forward solution."
        )
    matrix = np.asarray(trans["trans"], dtype=np.float64)
    ends = (int(trans["from"]), int(trans["to"]))
    head, mri = int(FIFF.FIFFV_COORD_HEAD), int(FIFF.FIFFV_COORD_MRI)
    if ends not in ((head, mri), (mri, head)):
        raise ConversionError(
            f"trans goes from frame {ends[0]} to {ends[1]}, expected head ({head}) ↔ MRI ({mri})."
        )
    return head_to_scs @ (np.linalg.inv(matrix) if ends == (head, mri) else matrix)


def _has_normals(part: Mapping[str, Any]) -> bool:
    """Whether the normals of the points in use mean something."""
    normals = part["nn"][part["vertno"]]
    if part["type"] == "surf" or not len(normals):
        return part["type"] == "surf"
    if part["type"] == "vol":  # MNE gives every node of a grid the same
        return bool(np.abs(normals - normals[0]).max() > 1e-6)
    return bool(np.abs(normals - [0.0, 0.0, 1.0]).max() > 0)


def _unchanged(kept: Kept, src: Any, order: IntArray, grid_loc: FloatArray) -> bool:
    """Whether all the locations of the head model that was converted are still in place."""
    model, where = kept.get("head_model"), source_order(src)
    if model is None or where is None or len(model.grid_loc) != len(grid_loc):
        return False
    same = np.array_equal(where, order)
    return same and bool(np.abs(model.grid_loc - grid_loc).max(initial=0) <= SAME)


def _orientations(
    normals: FloatArray, oriented: NDArray[np.bool_], kind: str, kept: Kept
) -> FloatArray | None:
    model = kept.get("head_model")
    if model is not None and model.grid_orient is None:
        return None
    if model is not None:
        # lengths other than 1 are not MNE's; the directions are, unless there was none
        stored = np.asarray(model.grid_orient, dtype=np.float64)
        length = np.linalg.norm(stored, axis=1, keepdims=True)
        return np.where(np.isfinite(length) & (length > 0), normals * length, stored)
    if not oriented.any():
        return None
    return np.where(oriented[:, None], normals, 0.0) if kind == "mixed" else normals


def _with_structures(
    grid: SourceGrid,
    src: Any,
    normals: FloatArray,
    kept: Kept,
    findings: Findings,
) -> SourceGrid:
    """Add mesh and regions: those that were converted if nothing changed, else new ones."""
    atlas, surface = grid.grid_atlas, grid.surface
    if kept:
        atlas, surface = kept["head_model"].grid_atlas, kept["surface"]
    elif src.kind in ("surface", "mixed"):
        surface = _mesh(grid, src, normals, findings)
    if not kept and grid.head_model_type == "mixed":
        atlas = _regions(grid, src, findings)
    return SourceGrid(
        head_model_type=grid.head_model_type,
        grid_loc=grid.grid_loc,
        grid_orient=grid.grid_orient,
        grid_atlas=atlas,
        surface=surface,
        order=grid.order,
    )


def _mesh(grid: SourceGrid, src: Any, normals: FloatArray, findings: Findings) -> io.Surface:
    """One mesh of both hemispheres; its vertices are their locations in ascending order."""
    vertices = np.sort(np.concatenate(_split(grid.order, src)[:2]))
    sides = mesh_rows(src)
    faces = np.concatenate(
        [side[used_triangles(part, findings)] for part, side in zip(src[:2], sides, strict=True)]
    )
    faces = faces[:, [0, 2, 1]]
    findings.derived(
        "tris", "The triangles were wound clockwise seen from outside, as Brainstorm winds them."
    )
    adjacency = csc_array(vertex_adjacency(faces, len(vertices)))
    names = (("lh", "LU", (0.0, 0.0, 1.0)), ("rh", "RU", (1.0, 0.0, 0.0)))
    scouts = tuple(
        _scout(label, np.sort(side) + 1, region=region, color=color)
        for (label, region, color), side in zip(names, sides, strict=True)
        if len(side)  # of a hemisphere without sources there is nothing to show
    )
    return io.Surface(
        comment=f"cortex_{len(vertices)}V",
        vertices=grid.grid_loc[vertices],
        faces=faces + 1,
        vert_conn=adjacency,
        vert_normals=normals[vertices],
        atlas=(io.Atlas(name="Structures", scouts=scouts),),
        i_atlas=1,
    )


def _regions(grid: SourceGrid, src: Any, findings: Findings) -> io.GridAtlas:
    """Regions of a mixed model: the hemispheres, then one a volume."""
    rows = _split(grid.order, src)
    cortex = rows[:2] if src.kind == "mixed" else []
    vertices = np.sort(np.concatenate(cortex)) if cortex else np.empty(0, dtype=np.int64)
    scouts = []
    for number, (part, row) in enumerate(zip(src, rows, strict=True)):
        ascending = np.sort(row)
        if number < len(cortex):
            name, region = (("Cortex L", "LSL"), ("Cortex R", "RSL"))[number]
            members = np.searchsorted(vertices, ascending) + 1
            findings.assumed(
                "Region", f"{name!r}: the loose orientation constraint, which is MNE's default."
            )
        else:
            name = part.get("seg_name") or f"region {number + 1}"
            region, members = "UVU", np.empty(0, dtype=np.int64)
        scouts.append(_scout(name, members, region=region, grid_rows=ascending + 1))
    return io.GridAtlas(name="Source model", scouts=tuple(scouts))


def _scout(
    label: str,
    vertices: IntArray,
    *,
    region: str,
    color: tuple[float, float, float] | None = None,
    grid_rows: IntArray | None = None,
) -> io.Scout:
    return io.Scout(
        label=label,
        vertices=vertices,
        seed=int(vertices[0]) if len(vertices) else None,
        color=None if color is None else np.array(color),
        function="Mean",
        region=region,
        grid_rows=grid_rows,
    )


def used_triangles(part: Mapping[str, Any], findings: Findings) -> IntArray:
    """Return the triangles (n_tris, 3) among the points in use, numbered in their order.

    They are its own (``tris`` if all points are in use, else ``use_tris``); else those that
    join the patches of three points: where the corners of a triangle of the whole surface are
    nearest to three different points in use, these make a triangle.
    """
    vertno = np.asarray(part["vertno"], dtype=np.int64)
    tris = part["tris"] if len(vertno) == part["np"] else part["use_tris"]
    if tris is not None and np.size(tris):
        tris = np.asarray(tris, dtype=np.int64)
        complete = np.isin(tris, vertno).all(axis=1)
        if not complete.all():
            findings.dropped(
                "use_tris", f"{np.sum(~complete)} triangles have corners that are not in use."
            )
        return np.searchsorted(vertno, tris[complete])
    if part["tris"] is None or not len(part["tris"]) or not len(vertno):
        findings.dropped("tris", "The hemisphere has no triangles; the cortex has none there.")
        return np.empty((0, 3), dtype=np.int64)
    tris = np.asarray(part["tris"], dtype=np.int64)
    nearest = _nearest(part, vertno, tris)[tris]
    distinct = (np.diff(np.sort(nearest, axis=1), axis=1) > 0).all(axis=1)
    patches = np.searchsorted(vertno, nearest[distinct & (nearest >= 0).all(axis=1)])
    # the same three patches meet in one triangle; turned so that equal ones look alike
    first = patches.argmin(axis=1)
    patches = np.take_along_axis(patches, (first[:, None] + np.arange(3)) % 3, axis=1)
    made = np.unique(patches, axis=0)
    findings.derived(
        "use_tris",
        f"There is none: {len(made)} triangles were made of points whose patches meet on the "
        "whole surface.",
    )
    return made


def _nearest(part: Mapping[str, Any], vertno: IntArray, tris: IntArray) -> IntArray:
    """Vertex in use that is nearest to each vertex, along the edges; negative if none is."""
    graph = edge_lengths(np.asarray(part["rr"], dtype=np.float64), tris)
    _, _, nearest = dijkstra(graph, indices=vertno, min_only=True, return_predecessors=True)
    return np.asarray(nearest, dtype=np.int64)
