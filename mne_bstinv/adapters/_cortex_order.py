"""Locations in the order of the vertices of a cortex, which Brainstorm takes them to be."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from mne_bstinv import io
from mne_bstinv.adapters._results_structure import is_on_cortex
from mne_bstinv.adapters._source_map import SAME_PLACE
from mne_bstinv.conversion import Findings
from mne_bstinv.errors import ConversionError

__all__ = ["check_on_cortex", "on_cortex"]

IntArray = NDArray[np.int64]


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
        return _mixed(head_model, cortex, name, findings)
    vertices = _vertices(head_model.grid_loc, cortex, name)
    if len(vertices) != len(cortex.vertices):
        raise _other_cortex(f"there are {len(vertices)} locations", cortex, name)
    if np.array_equal(vertices, np.arange(len(vertices))):
        return head_model
    findings.derived("GridLoc", f"The locations were put in the order of the vertices of {name}.")
    back = np.argsort(vertices)
    blocks = np.asarray(head_model.gain).reshape(head_model.n_channels, -1, 3)
    normals = head_model.grid_orient
    return dataclasses.replace(
        head_model,
        gain=blocks[:, back].reshape(head_model.n_channels, -1),
        grid_loc=head_model.grid_loc[back],
        grid_orient=None if normals is None else normals[back],
    )


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


def _mixed(
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
