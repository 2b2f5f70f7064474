"""The dicts of MNE's source spaces: surface, volume and discrete."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Any

import mne
import numpy as np
from mne.io.constants import FIFF

from mne_bstinv import io
from mne_bstinv._types import FloatArray, IntArray
from mne_bstinv.adapters.sources.hemispheres import Hemisphere
from mne_bstinv.adapters.sources.interpolator import trilinear
from mne_bstinv.adapters.sources.lattice import Lattice
from mne_bstinv.frames import surface_ras_to_ras, transform_points, voxels_to_surface_ras

__all__ = ["LOCATION", "MriGeometry", "discrete_part", "surface_part", "volume_part"]


#: Key of a source space that MNE carries along and never reads: the 0-based location in GridLoc
#: of each of its points, -1 for none. Unlike an attribute it survives copies and restrictions.
LOCATION = "bstinv_location"

_IDS = {"lh": FIFF.FIFFV_MNE_SURF_LEFT_HEMI, "rh": FIFF.FIFFV_MNE_SURF_RIGHT_HEMI}


@dataclass(frozen=True, kw_only=True, eq=False)
class MriGeometry:
    """The volume a volume source space refers to."""

    #: SCS → MNE's MRI frame, metres, shape (4, 4).
    scs_to_mri: FloatArray
    #: Head → MRI frame, metres, shape (4, 4).
    head_to_mri: FloatArray
    #: The MRI; without it the grid itself takes its place.
    mri: io.Mri | None


def surface_part(
    hemisphere: Hemisphere,
    rr: FloatArray,
    nn: FloatArray,
    locations: IntArray,
    subject: str | None,
) -> dict[str, Any]:
    """Make the source space of a hemisphere, all its vertices in use.

    ``rr`` and unit ``nn`` (n_vertices, 3) are in head, ``locations`` rows of GridLoc.
    """
    tris = hemisphere.tris.astype(np.int32)
    part = _common_fields("surf", rr, nn, np.arange(len(rr)), locations, subject)
    part.update(id=int(_IDS[hemisphere.side]), ntri=len(tris), tris=tris)
    # without the triangles in use there is no adjacency
    part.update(nuse_tri=len(tris), use_tris=tris)
    return part


def discrete_part(
    rr: FloatArray,
    nn: FloatArray,
    locations: IntArray,
    subject: str | None,
    *,
    tris: IntArray | None = None,
) -> dict[str, Any]:
    """Make a source space of points without a structure.

    ``rr`` and unit ``nn`` (n_points, 3) are in head, ``locations`` rows of GridLoc. The triangles
    ``tris`` (n_tris, 3) are carried along, also by FIF files; MNE looks at those of surfaces alone.
    """
    part = _common_fields("discrete", rr, nn, np.arange(len(rr)), locations, subject)
    if tris is not None and len(tris):
        part.update(ntri=len(tris), tris=tris.astype(np.int32))
    return part


def volume_part(
    lattice: Lattice,
    rr: FloatArray,
    nn: FloatArray,
    locations: IntArray,
    geometry: MriGeometry,
    subject: str | None,
    *,
    name: str,
    interpolate: bool,
) -> dict[str, Any]:
    """Make a source space on a regular grid in SCS, of which some nodes are in use.

    ``rr`` and unit ``nn`` (n_points, 3) of the points are in head, ``locations`` rows of
    GridLoc; those of the other nodes follow from the grid.
    """
    mri_to_head = np.linalg.inv(geometry.head_to_mri)
    nodes = transform_points(mri_to_head @ geometry.scs_to_mri, lattice.positions())
    nodes[lattice.nodes] = rr
    where = np.full(len(nodes), -1, dtype=np.int64)
    where[lattice.nodes] = locations
    normals = np.tile([0.0, 0.0, 1.0], (len(nodes), 1))
    normals[lattice.nodes] = nn
    part = _common_fields("vol", nodes, normals, np.sort(lattice.nodes), where, subject)
    grid_to_mri = geometry.scs_to_mri @ lattice.to_points
    fields = _mri_fields(geometry.mri, lattice.shape, grid_to_mri)
    part.update(
        shape=lattice.shape,
        vol_dims=np.array(lattice.shape),
        src_mri_t=mne.Transform("mri_voxel", "mri", grid_to_mri),
        neighbor_vert=_neighbours(lattice.shape, part["inuse"]),
        interpolator=None,
        seg_name=name,
        **fields,
    )
    if interpolate:
        size = fields["mri_width"], fields["mri_depth"], fields["mri_height"]
        to_nodes = np.linalg.inv(grid_to_mri) @ fields["vox_mri_t"]["trans"]
        part["interpolator"] = trilinear(lattice.shape, part["inuse"], size, to_nodes)
    return part


def _common_fields(
    kind: str,
    rr: FloatArray,
    nn: FloatArray,
    vertno: IntArray,
    locations: IntArray,
    subject: str | None,
) -> dict[str, Any]:
    inuse = np.zeros(len(rr), dtype=np.int64)
    inuse[vertno] = 1
    absent = ("tris", "use_tris", "nearest", "nearest_dist", "pinfo", "patch_inds", "dist",
              "dist_limit")  # fmt: skip
    return {
        "type": kind,
        "id": int(FIFF.FIFFV_MNE_SURF_UNKNOWN),
        "coord_frame": FIFF.FIFFV_COORD_HEAD,
        "subject_his_id": subject,
        "np": len(rr),
        "rr": rr,
        "nn": nn,
        "nuse": len(vertno),
        "inuse": inuse,
        "vertno": vertno,
        "ntri": 0,
        "nuse_tri": 0,
        **dict.fromkeys(absent),
        LOCATION: np.asarray(locations, dtype=np.int64),
    }


def _mri_fields(
    mri: io.Mri | None, shape: tuple[int, int, int], grid_to_mri: FloatArray
) -> dict[str, Any]:
    size, voxels, ras = shape, grid_to_mri, np.eye(4)
    if mri is not None:
        transform, size = voxels_to_surface_ras(mri)
        voxels, ras = transform.matrix, surface_ras_to_ras(mri).matrix
    # MNE's volumes have the shape (width, depth, height), see mne.morph; in its own source spaces
    # height and depth are the same, as in FreeSurfer's MRIs
    width, depth, height = size
    return {
        "mri_width": width,
        "mri_height": height,
        "mri_depth": depth,
        "vox_mri_t": mne.Transform("mri_voxel", "mri", voxels),
        "mri_ras_t": mne.Transform("mri", "ras", ras),
    }


def _neighbours(shape: tuple[int, int, int], inuse: IntArray) -> IntArray:
    """26 neighbours of each node in use that are in use too, -1 for none; the six faces first."""
    offsets = [o for o in product((-1, 0, 1), repeat=3) if any(o)]
    offsets.sort(key=lambda o: sum(map(abs, o)))
    used = np.flatnonzero(inuse)
    index = np.stack(np.unravel_index(used, shape, order="F"))
    neighbours = np.full((len(inuse), len(offsets)), -1, dtype=np.int64)
    for column, offset in enumerate(offsets):
        moved = index + np.array(offset)[:, None]
        inside = ((moved >= 0) & (moved < np.array(shape)[:, None])).all(axis=0)
        node = np.ravel_multi_index(tuple(moved[:, inside]), shape, order="F")
        neighbours[used[inside], column] = np.where(inuse[node] > 0, node, -1)
    return neighbours
