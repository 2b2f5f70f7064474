"""The files of a FreeSurfer subject, made of Brainstorm's surfaces and MRI."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import mne
import numpy as np

from mne_bstinv import io
from mne_bstinv._types import AnyArray, FloatArray, IntArray
from mne_bstinv.adapters.anatomy.brain import voxels_inside
from mne_bstinv.adapters.anatomy.freesurfer import (
    VolumeGeometry,
    linear_transform,
    stores,
    volume,
)
from mne_bstinv.adapters.anatomy.freesurfer import curvature as curvature_
from mne_bstinv.adapters.anatomy.place import COMMENT, Place
from mne_bstinv.adapters.anatomy.spreading import FLAT, spread_on_sphere, turned_over
from mne_bstinv.adapters.sources import Hemisphere
from mne_bstinv.anatomy import inflate, mean_curvature, outward_faces
from mne_bstinv.conversion import Findings
from mne_bstinv.errors import MapError
from mne_bstinv.frames import (
    fiducials_in_scs,
    ras_to_mni,
    reorient_to_lia,
    transform_points,
    voxels_to_surface_ras,
)
from mne_bstinv.maps.surfaces import registered_sphere

__all__ = [
    "cortex_files", "fiducial_files", "mri_files", "shell_files", "shell_tris", "volume_of",
]  # fmt: skip


def cortex_files(
    cortex: io.Surface, hemispheres: Sequence[Hemisphere], place: Place, findings: Findings
) -> dict[str, bytes]:
    """Make the files of a cortex, by path in the subject's folder."""
    positions = 1e3 * transform_points(place.scs_to_mri, cortex.vertices)
    sphere = _sphere(cortex, findings)
    findings.derived(
        "Vertices", "The one cortex stands for white and pial; inflated was made by smoothing it."
    )
    if cortex.curvature is None:
        findings.derived("Curvature", "It is empty: the curvature was computed from the mesh.")
    files = {}
    for part in hemispheres:
        rows, tris = part.vertices, part.tris
        places = positions[rows]
        smooth, convexity = inflate(places, tris)
        geometries = {"white": places, "pial": places, "inflated": smooth}
        for name, vertices in geometries.items():
            files[f"surf/{part.side}.{name}"] = place.mesh(vertices, tris)
        if sphere is None:
            files[f"surf/{part.side}.sphere"] = _spread(part, smooth, place, findings)
        else:
            for name in ("sphere", "sphere.reg"):
                files[f"surf/{part.side}.{name}"] = place.mesh(sphere[rows], tris)
        curvature = _curvature(cortex, rows, places, tris)
        files[f"surf/{part.side}.curv"] = curvature_(curvature, len(tris))
        files[f"surf/{part.side}.sulc"] = curvature_(convexity, len(tris))
    return files


def shell_files(name: str, shell: io.Surface, place: Place, findings: Findings) -> dict[str, bytes]:
    """Make the files of a shell, by path; its name is FreeSurfer's, such as ``outer_skin``."""
    tris = shell_tris(name, shell, findings)
    if not _is_closed(tris):
        findings.assumed("Faces", f"{name}: the surface is not closed; no BEM can be made of it.")
    vertices = transform_points(place.scs_to_mri, shell.vertices)
    files = {f"bem/{name}.surf": place.mesh(1e3 * vertices, tris)}
    if name == "outer_skin":
        # some functions of MNE ask for the one, some for the other
        head = _head(vertices, tris)
        files |= {f"bem/{place.subject}-{name}.fif": head for name in ("head", "head-dense")}
    return files


def fiducial_files(
    channels: io.Channels | None, mri: io.Mri | None, place: Place
) -> dict[str, bytes]:
    """Make the file of the fiducials, by path: those of the MRI, else of the sensors."""
    found = None if mri is None else fiducials_in_scs(None, mri)
    found = fiducials_in_scs(channels) if found is None else found
    if found is None:
        return {}
    points = [transform_points(place.scs_to_mri, point) for point in found[0]]
    nasion, lpa, rpa = points
    montage = mne.channels.make_dig_montage(nasion=nasion, lpa=lpa, rpa=rpa, coord_frame="mri")
    name = f"{place.subject}-fiducials.fif"
    return {f"bem/{name}": _written(name, lambda path: _write_fiducials(path, montage.dig))}


def mri_files(
    mri: io.Mri, inner_skull: io.Surface | None, place: Place, findings: Findings
) -> dict[str, bytes]:
    """Make the files of the MRI, by path: the voxels in FreeSurfer's order, and what they show."""
    assert place.geometry is not None
    affine = place.geometry.affine
    cube = _turned(mri, findings)
    whole = volume(cube, affine)
    files = {"mri/T1.mgz": whole, "mri/orig.mgz": whole, "mri/brain.mgz": whole}
    tris = None if inner_skull is None else np.asarray(inner_skull.faces, dtype=np.int64) - 1
    if inner_skull is None or tris is None or not _is_closed(tris):
        findings.derived("brain.mgz", "No closed inner skull is there: it is the whole head.")
    else:
        in_mri = transform_points(place.scs_to_mri, inner_skull.vertices)
        to_voxels = np.linalg.inv(voxels_to_surface_ras(mri)[0].matrix)
        inside = voxels_inside(transform_points(to_voxels, in_mri), tris, cube.shape[:3])
        mask = inside.reshape(inside.shape + (1,) * (cube.ndim - 3))
        files["mri/brain.mgz"] = volume(np.where(mask, cube, cube.dtype.type(0)), affine)
    to_mni = ras_to_mni(mri)
    if to_mni is not None:
        if to_mni.assumed:
            findings.assumed("NCS", f"The transform to MNI coordinates: {to_mni.source}.")
        files["mri/transforms/talairach.xfm"] = linear_transform(to_mni.matrix)
    return files


def volume_of(mri: io.Mri, geometry: VolumeGeometry, findings: Findings) -> bytes:
    """Return the file of the voxels alone, in FreeSurfer's order."""
    return volume(_turned(mri, findings), geometry.affine)


def _turned(mri: io.Mri, findings: Findings) -> AnyArray:
    """Return the voxels in FreeSurfer's order, in a class that its files have."""
    order, flips = reorient_to_lia(mri)
    cube = np.moveaxis(np.asarray(mri.cube), order, range(3))
    cube = cube[tuple(slice(None, None, -1 if flip else 1) for flip in flips)]
    if stores(cube.dtype):
        return cube
    single: AnyArray = cube.astype(np.float32)
    if not np.array_equal(single, cube, equal_nan=True):
        findings.derived("Cube", f"Voxels of class {cube.dtype} became single precision.")
    return single


def _is_closed(tris: IntArray) -> bool:
    """Whether each edge of a mesh joins two triangles."""
    edges = np.sort(tris[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
    return bool((np.unique(edges, axis=0, return_counts=True)[1] == 2).all())


def shell_tris(name: str, shell: io.Surface, findings: Findings) -> IntArray:
    """Return the triangles of a shell (n, 3), wound counterclockwise seen from outside."""
    faces = np.asarray(shell.faces, dtype=np.int64) - 1
    tris = outward_faces(shell.vertices, faces, shell.vert_normals)
    turned = int((tris != faces).any(axis=1).sum())
    if turned:
        findings.derived(
            "Faces", f"{name}: {turned} triangles were wound clockwise; two corners were exchanged."
        )
    return tris


def _spread(part: Hemisphere, smooth: FloatArray, place: Place, findings: Findings) -> bytes:
    """Return the file of a sphere that is not registered; triangles that overlap are told."""
    sphere = spread_on_sphere(smooth, part.tris)
    wrong = int(turned_over(sphere, part.tris, FLAT).sum())
    if wrong:
        of = f"{wrong} of {len(part.tris)} triangles"
        findings.derived("Reg", f"{part.side}.sphere: {of} are flat or upside down.")
    return place.mesh(sphere, part.tris, comment=f"{COMMENT}: not registered")


def _sphere(cortex: io.Surface, findings: Findings) -> FloatArray | None:
    """Return the registered sphere, mm, if there is one of the right size."""
    why = "The cortex has no registered sphere"
    try:
        sphere = registered_sphere(cortex)
        if sphere is not None and len(sphere) != cortex.n_vertices:
            raise MapError(f"It has {len(sphere)} vertices, the cortex {cortex.n_vertices}.")
    except MapError as error:
        sphere, why = None, f"The registered sphere cannot be understood ({str(error).rstrip('.')})"
    if sphere is not None:
        return 1e3 * sphere
    findings.dropped(
        "Reg",
        f"{why}: there is no sphere.reg, no morphing; sphere was made by spreading the cortex out, "
        "and is not registered.",
    )
    return None


def _curvature(
    cortex: io.Surface, rows: IntArray, places: FloatArray, tris: IntArray
) -> FloatArray:
    """Curvature of a hemisphere, positive in sulci as FreeSurfer has it."""
    computed = -mean_curvature(places, tris)
    if cortex.curvature is None:
        return computed
    stored = np.asarray(cortex.curvature, dtype=np.float64)[rows]
    sulci = computed if cortex.sulci_map is None else np.asarray(cortex.sulci_map, float)[rows]
    against = np.dot(stored - stored.mean(), sulci - sulci.mean()) < 0
    return -stored if against else stored


def _head(vertices: FloatArray, tris: IntArray) -> bytes:
    return _written(
        "x-head.fif",
        lambda path: mne.write_head_bem(path, vertices, tris, on_defects="ignore", verbose="error"),
    )


def _write_fiducials(path: Path, points: Any) -> None:
    mne.io.write_fiducials(path, points, coord_frame="mri", verbose="error")


def _written(name: str, write: Callable[[Path], Any]) -> bytes:
    """Return what a function of MNE writes to a file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        write(path)
        return path.read_bytes()
