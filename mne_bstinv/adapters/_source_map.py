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
from mne_bstinv.adapters.source_spaces import (
    SourceGrid,
    from_source_spaces,
    source_order,
    to_source_spaces,
)
from mne_bstinv.anatomy import vertex_normals
from mne_bstinv.conversion import Findings
from mne_bstinv.errors import ConversionError
from mne_bstinv.frames import FrameTransform, scs_to_head, transform_points

__all__ = [
    "SourceMap",
    "find_order",
    "grid_of",
    "source_map",
    "source_positions",
    "with_normals",
]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

#: Largest distance at which a source counts as a location, m: far above the rounding of FIF files
#: (single precision), far below any grid.
SAME_PLACE = 1e-6


@dataclass(frozen=True, kw_only=True, eq=False)
class SourceMap:
    """Source spaces with the way to Brainstorm's locations.

    Parameters
    ----------
    src : mne.SourceSpaces
        Source spaces in head.
    order : array of int, shape (n_used,)
        0-based location of each source in use.
    frame : FrameTransform
        SCS → head.
    """

    src: Any
    order: IntArray
    frame: FrameTransform


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
    frame = scs_to_head(channels, mri)
    if src is None:
        src = to_source_spaces(head_model, surface, mri, channels=channels, subject=subject)
    elif frame.assumed:
        findings.assumed("SCS", f"The head frame is a guess ({frame.source}).")
    places = transform_points(frame.matrix, np.asarray(head_model.grid_loc, dtype=np.float64))
    order = find_order(src, places)
    findings.keep("order", order)
    findings.keep("scs_to_head", frame.matrix)
    return SourceMap(src=src, order=order, frame=frame)


def grid_of(src: Any, to_head: FloatArray, head_model: io.HeadModel | None) -> SourceGrid:
    """Return the locations of source spaces: those of a head model, else their own.

    Parameters
    ----------
    src : mne.SourceSpaces
        Source spaces in head.
    to_head : array, shape (4, 4)
        SCS → head.
    head_model : HeadModel | None
        The head model whose locations the sources are at.

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
        return from_source_spaces(src, head_to_scs=np.linalg.inv(to_head))
    grid_loc = np.asarray(head_model.grid_loc, dtype=np.float64)
    return SourceGrid(
        head_model_type=head_model.kind,
        grid_loc=grid_loc,
        grid_orient=head_model.grid_orient,
        grid_atlas=head_model.grid_atlas,
        surface=None,
        order=find_order(src, transform_points(to_head, grid_loc)),
    )


def find_order(src: Any, places: FloatArray) -> IntArray:
    """Tell which location each source in use is; by what the source spaces carry, else by place.

    Parameters
    ----------
    src : mne.SourceSpaces
        Source spaces in head.
    places : array, shape (n_sources, 3)
        Brainstorm's locations in head, m.

    Returns
    -------
    array of int, shape (n_used,)
        0-based locations.

    Raises
    ------
    ConversionError
        If a source is at none of the locations, or two are at one.
    """
    rr = source_positions(src)
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
    if np.unique(order).size < order.size:
        raise ConversionError(
            "Several sources of the source spaces are at one location of the head model, expected "
            "one each. Give source spaces of this head model, without duplicates."
        )
    return order


def source_positions(src: Any) -> FloatArray:
    """Positions of the sources in use.

    Parameters
    ----------
    src : mne.SourceSpaces
        Source spaces in head.

    Returns
    -------
    array, shape (n_used, 3)
        Positions in head, m.

    Raises
    ------
    ConversionError
        If they are not in head.
    """
    if any(part["coord_frame"] != FIFF.FIFFV_COORD_HEAD for part in src):
        raise ConversionError(
            "The source spaces are not in the head frame: use those of a forward solution."
        )
    return np.concatenate([part["rr"][part["vertno"]] for part in src]).astype(np.float64)


def with_normals(
    head_model: io.HeadModel, surface: io.Surface | None, findings: Findings
) -> io.HeadModel:
    """Take the normals of the surface where a surface head model holds none.

    Parameters
    ----------
    head_model : HeadModel
        The head model.
    surface : Surface | None
        Its cortex.
    findings : Findings
        Where to note it.

    Returns
    -------
    HeadModel
        The head model, with normals where they are known.
    """
    fits = surface is not None and len(surface.vertices) == head_model.n_sources
    if head_model.grid_orient is not None or head_model.kind != "surface" or not fits:
        return head_model
    assert surface is not None
    normals = surface.vert_normals
    origin = "the surface's VertNormals were taken"
    if normals is None:
        normals = vertex_normals(surface.vertices, np.asarray(surface.faces, dtype=np.int64) - 1)
        origin = "and so are VertNormals: normals were computed from the triangles"
    findings.derived("GridOrient", f"It is empty: {origin}.")
    return dataclasses.replace(head_model, grid_orient=normals)
