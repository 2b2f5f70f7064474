"""MNE's source spaces as Brainstorm's locations, mesh and regions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import mne
import numpy as np
from mne.io.constants import FIFF
from mne.utils import verbose
from numpy.typing import NDArray

from mne_bstinv import io
from mne_bstinv._arguments import numbers_in
from mne_bstinv._display import Displayed
from mne_bstinv._types import FloatArray, IntArray, Verbose
from mne_bstinv.adapters.kept import WayBack, keep, kept_of
from mne_bstinv.adapters.sources.cortex_from_mne import Mesh, pieces_of, scout_of
from mne_bstinv.adapters.sources.regions import NamedRegions, named_regions
from mne_bstinv.adapters.sources.space_dicts import LOCATION
from mne_bstinv.conversion import Findings, converts
from mne_bstinv.errors import ConversionError
from mne_bstinv.frames import scs_to_head, transform_points

__all__ = ["SourceGrid", "from_source_spaces", "mesh_rows", "source_order"]

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
    src: mne.SourceSpaces,
    *,
    head_to_scs: FloatArray | None = None,
    trans: mne.Transform | None = None,
    info: mne.Info | None = None,
    verbose: Verbose = None,
) -> SourceGrid:
    """Convert MNE's source spaces to the locations of a head model.

    Only the points in use are taken over. The hemispheres become one mesh whose atlas
    ``Structures`` says which is which; every point is a corner of a triangle there. Normals are
    those that MNE's inverses use by default: of the patch of the surface around a point where the
    source spaces have patches, else of the point. Source spaces that :func:`to_source_spaces` made
    get Brainstorm's order back; others keep MNE's (left, right, then the rest).

    Parameters
    ----------
    src : mne.SourceSpaces
        The source spaces, in the head or the MRI frame.
    head_to_scs : array, shape (4, 4) | None
        MNE's head frame → SCS, metres. ``None`` takes the one that :func:`to_source_spaces` kept,
        else SCS turned by 90° about z, without a shift (reported as assumed).
    trans : mne.Transform | None
        Head ↔ MRI, needed for source spaces in the MRI frame.
    info : mne.Info | None
        Info of the forward solution or inverse operator that they are of: it names the regions of
        a mixed head model that was converted from Brainstorm.
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
        normals[rows] = _normals(part, findings) @ matrix[:3, :3].T
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
    named = named_regions(info, src)
    grid = _with_structures(grid, src, normals, named, kept if unchanged else {}, findings)
    _tell_order(grid, src, findings)
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


def _head_to_scs(given: FloatArray | None, kept: WayBack, findings: Findings) -> FloatArray:
    if given is not None:
        matrix = numbers_in("head_to_scs", given)
        if matrix.shape != (4, 4):
            raise ConversionError(f"head_to_scs must be (4, 4), found shape {matrix.shape}.")
        return matrix
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


def _tell_order(grid: SourceGrid, src: Any, findings: Findings) -> None:
    """Say so if locations on a cortex are in MNE's order: Brainstorm's may be another."""
    if grid.surface is None or source_order(src) is not None:
        return
    findings.derived(
        "GridLoc",
        "locations, vertices and rows of results are in the order of the source spaces, the left "
        "hemisphere first: files of MNE carry no other. A protocol that these came from may have "
        "another order: compare by position, not row by row.",
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


def _unchanged(kept: WayBack, src: Any, order: IntArray, grid_loc: FloatArray) -> bool:
    """Whether all the locations of the head model that was converted are still in place."""
    model, where = kept.get("head_model"), source_order(src)
    if model is None or where is None or len(model.grid_loc) != len(grid_loc):
        return False
    same = np.array_equal(where, order)
    return same and bool(np.abs(model.grid_loc - grid_loc).max(initial=0) <= SAME)


def _orientations(
    normals: FloatArray, oriented: NDArray[np.bool_], kind: str, kept: WayBack
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


def _normals(part: Mapping[str, Any], findings: Findings) -> FloatArray:
    """Return the normals of the points in use (n_used, 3), of their patch where there are patches.

    As MNE's ``convert_forward_solution`` takes them with its default, ``use_cps=True``.
    """
    nn = np.asarray(part["nn"], dtype=np.float64)
    own, patches = nn[part["vertno"]], part.get("patch_inds")
    if patches is None or part.get("pinfo") is None or not len(own):
        return own
    sums = np.stack([nn[part["pinfo"][patch]].sum(axis=0) for patch in patches])
    length = np.linalg.norm(sums, axis=1, keepdims=True)
    means = np.where(length > 0, sums / np.where(length > 0, length, 1.0), own)
    cosine = np.clip(np.einsum("ij,ij->i", means, own), -1, 1)
    if cosine.min() < 1 - SAME:
        angle = np.degrees(np.arccos(cosine.min()))
        findings.derived(
            "GridOrient",
            f"The mean normals of patches, which MNE's inverses take by default (use_cps=True): up "
            f"to {angle:.0f}° from those of the points, with which use_cps=False would compute. "
            "The patches themselves, and the vertices of the surface that are no sources, are left "
            "behind.",
        )
    return means


def _with_structures(
    grid: SourceGrid,
    src: Any,
    normals: FloatArray,
    named: NamedRegions | None,
    kept: WayBack,
    findings: Findings,
) -> SourceGrid:
    """Add mesh and regions: those that were converted if nothing changed, else new ones."""
    if kept:
        return replace(grid, grid_atlas=kept["head_model"].grid_atlas, surface=kept["surface"])
    mesh = Mesh(pieces_of(src, _split(grid.order, src), named), grid.grid_loc, findings)
    surface = mesh.surface(normals) if len(mesh.rows) else None
    if grid.head_model_type == "mixed":
        rows = _split(grid.order, src)
        regions = (
            _regions_of_mne(src, rows, findings)
            if named is None
            else _regions_named(rows, named, findings)
        )
        scouts = tuple(
            scout_of(label, mesh.vertices_of(rows), region=code, grid_rows=rows + 1)
            for label, code, rows in regions
        )
        atlas = io.GridAtlas(name="Source model", scouts=scouts)
        return replace(grid, grid_atlas=atlas, surface=surface)
    if surface is None and grid.head_model_type == "surface":
        findings.dropped(
            "SurfaceFile",
            "The points in use span no triangle: the head model is a volume, without a cortex.",
        )
        return replace(grid, head_model_type="volume", grid_orient=None)
    return replace(grid, surface=surface)


def _regions_named(
    rows: Sequence[IntArray], named: NamedRegions, findings: Findings
) -> Iterator[tuple[str, str, IntArray]]:
    """Yield label, code and rows of each region as Brainstorm had it."""
    where, members = np.concatenate(rows), np.concatenate(named.members)
    for number, (label, code) in enumerate(named.regions):
        mine = np.sort(where[members == number])
        if len(mine):
            yield label, code, mine
        else:
            findings.dropped("GridAtlas", f"Region {label!r} has no source any more.")


def _regions_of_mne(
    src: Any, rows: Sequence[IntArray], findings: Findings
) -> Iterator[tuple[str, str, IntArray]]:
    """Yield label, code and rows of the regions that source spaces stand for."""
    n_cortex = 2 if src.kind == "mixed" else 0
    for number, (part, row) in enumerate(zip(src, rows, strict=True)):
        if number >= n_cortex:
            yield part.get("seg_name") or f"region {number + 1}", "UVU", np.sort(row)
            continue
        name, code = (("Cortex L", "LSL"), ("Cortex R", "RSL"))[number]
        findings.assumed(
            "Region",
            f"{name!r}: the loose orientation constraint, which is MNE's default. Say another with "
            f"regions={{{name!r}: '{code[:2]}C'}} (--region).",
        )
        yield name, code, np.sort(row)
