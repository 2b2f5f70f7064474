"""Which source of MNE is which location of Brainstorm, and what turns one frame to the other."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np
from mne.io.constants import FIFF
from numpy.typing import NDArray
from scipy.spatial import KDTree

from mne_bstinv import io
from mne_bstinv._types import FloatArray, IntArray
from mne_bstinv.adapters.kept import keep
from mne_bstinv.adapters.sources.regions import regions_text
from mne_bstinv.adapters.sources.spaces_from_mne import SourceGrid, from_source_spaces, source_order
from mne_bstinv.adapters.sources.spaces_to_mne import to_source_spaces
from mne_bstinv.conversion import Finding, Findings, carry, conversion_report, say_instead
from mne_bstinv.errors import ConversionError
from mne_bstinv.frames import FrameTransform, scs_to_head, transform_points
from mne_bstinv.studies.normals import SAME_PLACE, surface_normals
from mne_bstinv.studies.units import in_metres

__all__ = [
    "SourceMap",
    "check_on_cortex",
    "grid_of",
    "is_on_cortex",
    "model_of_vertices",
    "on_cortex",
    "source_map",
]


@dataclass(frozen=True, kw_only=True, eq=False)
class SourceMap:
    """Source spaces with the way to Brainstorm's locations."""

    #: Source spaces in head.
    src: Any
    #: 0-based location of each source in use, shape (n_used,).
    order: IntArray
    #: SCS → head.
    frame: FrameTransform
    #: What names the regions of a mixed head model in FIF files; empty for others.
    regions: str


def model_of_vertices(surface: io.Surface) -> io.HeadModel:
    """Make a head model without gain of all vertices of a surface, with its normals.

    Parameters
    ----------
    surface : Surface
        The surface, m in SCS.

    Returns
    -------
    HeadModel
        Locations and unit normals in SCS.
    """
    return io.HeadModel(
        gain=np.zeros((0, 3 * len(surface.vertices))),
        head_model_type="surface",
        grid_loc=surface.vertices,
        grid_orient=surface_normals(surface),
    )


def source_map(
    head_model: io.HeadModel,
    findings: Findings,
    *,
    src: Any = None,
    channels: io.Channels | None = None,
    surface: io.Surface | None = None,
    mri: io.Mri | None = None,
    subject: str | None = None,
) -> SourceMap:
    """Make source spaces, or check given ones against the locations.

    Parameters
    ----------
    head_model : HeadModel
        The locations.
    findings : Findings
        Where to note what is lost or guessed.
    src : mne.SourceSpaces | None
        Source spaces in head to use.
    channels : Channels | None
        Channel file, for the frame.
    surface : Surface | None
        Cortex.
    mri : Mri | None
        MRI.
    subject : str | None
        Name of the subject.

    Returns
    -------
    SourceMap
        Source spaces (whose own report is theirs to include), order and frame.

    Raises
    ------
    ConversionError
        If given source spaces are not those of the head model.
    """
    head_model = in_metres(head_model)
    channels = None if channels is None else in_metres(channels)
    frame = scs_to_head(channels, None if mri is None else in_metres(mri))
    if src is None:
        src = to_source_spaces(head_model, surface, mri, channels=channels, subject=subject)
    elif frame.assumed:
        findings.assumed("SCS", f"The head frame is a guess ({frame.source}).")
    places = transform_points(frame.matrix, np.asarray(head_model.grid_loc, dtype=np.float64))
    order = _find_order(src, places)
    keep(findings, order=order, scs_to_head=frame.matrix)
    regions = regions_text(head_model, src, order)
    return SourceMap(src=src, order=order, frame=frame, regions=regions)


def grid_of(
    src: Any, to_head: FloatArray, head_model: io.HeadModel | None, *, info: Any = None
) -> SourceGrid:
    """Return the locations of source spaces: those of a head model, else their own.

    Parameters
    ----------
    src : mne.SourceSpaces
        Source spaces in head.
    to_head : array, shape (4, 4)
        SCS → head.
    head_model : HeadModel | None
        The head model whose locations the sources are at.
    info : mne.Info | None
        Info of the operator or forward solution that they are of.

    Returns
    -------
    SourceGrid
        The locations.

    Raises
    ------
    ConversionError
        If the sources are not at the locations of the head model.
    """
    if head_model is None:
        return from_source_spaces(src, head_to_scs=np.linalg.inv(to_head), info=info)
    head_model = in_metres(head_model)
    grid_loc = np.asarray(head_model.grid_loc, dtype=np.float64)
    return SourceGrid(
        head_model_type=head_model.kind,
        grid_loc=grid_loc,
        grid_orient=head_model.grid_orient,
        grid_atlas=head_model.grid_atlas,
        surface=None,
        order=_find_order(src, transform_points(to_head, grid_loc)),
    )


def _find_order(src: Any, places: FloatArray) -> IntArray:
    """Tell which 0-based location each used source is: by what the spaces carry, else by place."""
    rr = _source_positions(src)
    order = source_order(src)
    if order is None:
        order = np.asarray(KDTree(places).query(rr)[1], dtype=np.int64)
    if order.size and order.max() >= len(places):
        raise ConversionError(
            f"The source spaces refer to location {order.max() + 1} (1-based), the head model has "
            f"{len(places)}: they are not of this head model. Give those that were made of it."
        )
    distance = np.linalg.norm(places[order] - rr, axis=1)
    if distance.size == 0 or distance.max() > SAME_PLACE:
        far = f"up to {1e3 * distance.max():.3g} mm away from" if distance.size else "not at"
        raise ConversionError(
            f"The {len(rr)} sources of the source spaces are {far} the {len(places)} locations of "
            "the head model: another head model, another head frame, or other fiducials. Take all "
            "files from one study."
        )
    if np.bincount(order).max() > 1:
        raise ConversionError(
            "Several sources of the source spaces are at one location of the head model, expected "
            "one each. Give source spaces of this head model, without duplicates."
        )
    return order


def _source_positions(src: Any) -> FloatArray:
    """Positions (n_used, 3) of the sources in use, which have to be in head, m."""
    if any(part["coord_frame"] != FIFF.FIFFV_COORD_HEAD for part in src):
        raise ConversionError(
            "The source spaces are not in the head frame: use those of a forward solution."
        )
    return np.concatenate([part["rr"][part["vertno"]] for part in src]).astype(np.float64)


def is_on_cortex(scout: io.Scout) -> bool:
    """Tell whether the locations of a region are vertices of the cortex.

    Parameters
    ----------
    scout : Scout
        The region.

    Returns
    -------
    bool
        Whether it has one vertex a location.
    """
    rows, vertices = scout.grid_rows, scout.vertices
    return rows is not None and vertices is not None and 0 < len(vertices) == len(rows)


def on_cortex(
    head_model: io.HeadModel, cortex: io.Surface, name: str, findings: Findings
) -> io.HeadModel:
    """Order the locations of a head model as the vertices of its cortex.

    Parameters
    ----------
    head_model : HeadModel
        A head model; its locations are those of the cortex in any order.
    cortex : Surface
        The cortex.
    name : str
        Its file, for messages.
    findings : Findings
        Where to note a change.

    Returns
    -------
    HeadModel
        The head model whose location i is vertex i; of a mixed one, with regions that number the
        vertices of this cortex; a volume as it is.

    Raises
    ------
    ConversionError
        If the locations are not those of the cortex.
    """
    if head_model.kind == "volume":
        return head_model
    if head_model.kind == "mixed":
        return _with_own_vertices(head_model, cortex, name, findings)
    vertices = _vertices(head_model.grid_loc, cortex, name)
    if len(vertices) != len(cortex.vertices):
        raise _other_cortex(f"there are {len(vertices)} locations", cortex, name)
    there = np.array_equal(vertices, np.arange(len(vertices)))
    verb = "are" if there else "were put"
    told = Finding(
        "derived", "GridLoc", f"The locations {verb} in the order of the vertices of {name}."
    )
    say_instead(head_model, told)  # of the source spaces' order
    if there:
        return head_model
    if told not in conversion_report(head_model):  # nothing was said of an order
        findings.derived(told.field, told.reason)
    back = np.argsort(vertices)
    blocks = np.asarray(head_model.gain).reshape(head_model.n_channels, -1, 3)
    normals = head_model.grid_orient
    ordered = dataclasses.replace(
        head_model,
        gain=blocks[:, back].reshape(head_model.n_channels, -1),
        grid_loc=head_model.grid_loc[back],
        grid_orient=None if normals is None else normals[back],
    )
    return carry(ordered, conversion_report(head_model))


def _with_own_vertices(
    head_model: io.HeadModel, cortex: io.Surface, name: str, findings: Findings
) -> io.HeadModel:
    """Let the regions on the cortex number its vertices."""
    atlas = head_model.grid_atlas
    scouts = []
    for scout in () if atlas is None else atlas.scouts:
        if is_on_cortex(scout):
            places = head_model.grid_loc[np.asarray(scout.grid_rows) - 1]
            vertices = _vertices(places, cortex, name) + 1
            if not np.array_equal(vertices, np.asarray(scout.vertices)):
                findings.derived(
                    "GridAtlas", f"Region {scout.label!r} numbers the vertices of {name}."
                )
                scout = dataclasses.replace(scout, vertices=vertices)
        scouts.append(scout)
    if atlas is None:
        return head_model
    changed = dataclasses.replace(atlas, scouts=tuple(scouts))
    return dataclasses.replace(head_model, grid_atlas=changed)


def check_on_cortex(head_model: io.HeadModel, cortex: io.Surface, name: str) -> None:
    """Refuse a cortex whose vertices are not the locations of a surface head model, in order.

    Parameters
    ----------
    head_model : HeadModel
        The head model.
    cortex : Surface
        The cortex.
    name : str
        Its file, for messages.

    Raises
    ------
    ConversionError
        If they are others, or in another order.
    """
    if head_model.kind != "surface":
        return
    vertices = _vertices(head_model.grid_loc, cortex, name)
    if not np.array_equal(vertices, np.arange(len(cortex.vertices))):
        raise _other_cortex("the head model has others, or another order", cortex, name)


def _vertices(places: NDArray[np.float64], cortex: io.Surface, name: str) -> IntArray:
    """Return the 0-based vertex that each location is."""
    distance, found = KDTree(np.asarray(cortex.vertices, dtype=np.float64)).query(places)
    if distance.max(initial=0.0) > SAME_PLACE:
        far = f"locations are up to {1e3 * distance.max():.3g} mm away from them"
        raise _other_cortex(far, cortex, name)
    vertices = np.asarray(found, dtype=np.int64)
    if np.unique(vertices).size < vertices.size:
        raise _other_cortex("several locations are at one of them", cortex, name)
    return vertices


def _other_cortex(found: str, cortex: io.Surface, name: str) -> ConversionError:
    return ConversionError(
        f"{name} has {len(cortex.vertices)} vertices, and {found}: Brainstorm takes each vertex of "
        "the cortex for one location. Give the cortex of these sources (--cortex FILE); of a "
        "forward solution, mne-bstinv convert x-fwd.fif tess_cortex_x.mat makes it."
    )
