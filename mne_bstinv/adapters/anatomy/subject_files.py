"""The files of a FreeSurfer subject, made of Brainstorm's surfaces and MRI."""

from __future__ import annotations

import colorsys
import re
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import mne
import numpy as np

from mne_bstinv import io
from mne_bstinv._types import FloatArray, IntArray
from mne_bstinv.adapters.anatomy.freesurfer import annotation, geometry, stores, volume
from mne_bstinv.adapters.anatomy.freesurfer import curvature as curvature_
from mne_bstinv.adapters.anatomy.freesurfer import label as label_
from mne_bstinv.adapters.anatomy.labels_to_mne import make_labels
from mne_bstinv.adapters.sources import SIDES, Hemisphere, hemisphere_rows
from mne_bstinv.anatomy import inflated, mean_curvature, outward_faces
from mne_bstinv.conversion import Findings
from mne_bstinv.frames import (
    reorient_to_lia,
    surface_ras_to_ras,
    transform_points,
    voxels_to_surface_ras,
)

__all__ = ["atlas_files", "cortex_files", "mri_file", "shell_files"]


_COMMENT = "created by mne_bstinv"


def cortex_files(
    cortex: io.Surface,
    hemispheres: Sequence[Hemisphere],
    scs_to_mri: FloatArray,
    findings: Findings,
) -> dict[str, bytes]:
    """Make the files of a cortex, by path in the subject's folder; SCS → surface RAS, m."""
    positions = 1e3 * transform_points(scs_to_mri, cortex.vertices)
    sphere = _sphere(cortex)
    findings.derived(
        "Vertices", "The one cortex stands for white and pial; inflated was made by smoothing it."
    )
    if sphere is None:
        findings.dropped(
            "Reg", "The cortex has no registered sphere: there is no sphere, no morphing."
        )
    if cortex.curvature is None:
        findings.derived("Curvature", "It is empty: the curvature was computed from the mesh.")
    files = {}
    for part in hemispheres:
        rows, tris = part.vertices, part.tris
        places = positions[rows]
        geometries = {"white": places, "pial": places, "inflated": inflated(places, tris)}
        if sphere is not None:
            geometries |= {"sphere": sphere[rows], "sphere.reg": sphere[rows]}
        for name, vertices in geometries.items():
            file = geometry(vertices, tris, comment=_COMMENT)
            files[f"surf/{part.side}.{name}"] = file
        curvature = _curvature(cortex, rows, places, tris)
        files[f"surf/{part.side}.curv"] = curvature_(curvature, len(tris))
    return files


def atlas_files(
    cortex: io.Surface, scs_to_mri: FloatArray, subject: str, findings: Findings
) -> dict[str, bytes]:
    """Make the parcellations of a cortex, by path; scouts that overlap become labels."""
    positions = 1e3 * transform_points(scs_to_mri, cortex.vertices)
    rows = hemisphere_rows(cortex, findings)
    files: dict[str, bytes] = {}
    for atlas in cortex.atlas:
        if not atlas.scouts:
            continue
        if atlas.n_grid is not None:
            findings.dropped("Atlas", f"{atlas.name!r} has scouts of a volume grid: no labels.")
            continue
        labels, _ = make_labels(cortex, atlas, 1e-3 * positions, subject, findings)
        stem = _file_name(atlas.name)
        for side in SIDES:
            mine = [label for label in labels if label.hemi == side]
            counts = np.bincount(
                np.concatenate([label.vertices for label in mine]) if mine else [0],
                minlength=1,
            )
            if counts.max() <= 1:
                parts = _annotation_parts(mine, atlas, findings)
                file = annotation(parts, len(rows[side]))
                files[f"label/{side}.{stem}.annot"] = file
                continue
            findings.derived(
                "Atlas",
                f"Scouts of {atlas.name!r} overlap ({side}), which a parcellation cannot: each "
                "is a label file of its own, without its colour.",
            )
            for label in mine:
                name = _unused(files, f"label/{side}.{stem}.{_file_name(label.name[:-3])}")
                files[name] = label_(
                    label.vertices, positions[rows[side][label.vertices]], subject=subject
                )
    return files


def shell_files(
    name: str, shell: io.Surface, scs_to_mri: FloatArray, subject: str, findings: Findings
) -> dict[str, bytes]:
    """Make the files of a shell, by path; its name is FreeSurfer's, such as ``outer_skin``."""
    faces = np.asarray(shell.faces, dtype=np.int64) - 1
    tris = outward_faces(shell.vertices, faces, shell.vert_normals)
    turned = int((tris != faces).any(axis=1).sum())
    if turned:
        findings.derived(
            "Faces", f"{name}: {turned} triangles were wound clockwise; two corners were exchanged."
        )
    edges = np.sort(tris[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
    if (np.unique(edges, axis=0, return_counts=True)[1] != 2).any():
        findings.assumed("Faces", f"{name}: the surface is not closed; no BEM can be made of it.")
    vertices = transform_points(scs_to_mri, shell.vertices)
    files = {f"bem/{name}.surf": geometry(1e3 * vertices, tris, comment=_COMMENT)}
    if name == "outer_skin":
        files[f"bem/{subject}-head.fif"] = _head(vertices, tris)
    return files


def mri_file(mri: io.Mri, findings: Findings) -> bytes:
    """Make ``T1.mgz``: the voxels in FreeSurfer's order."""
    order, flips = reorient_to_lia(mri)
    cube = np.moveaxis(np.asarray(mri.cube), order, range(3))
    cube = cube[tuple(slice(None, None, -1 if flip else 1) for flip in flips)]
    if not stores(cube.dtype):
        single = cube.astype(np.float32)
        if not np.array_equal(single, cube, equal_nan=True):
            findings.derived("Cube", f"Voxels of class {cube.dtype} became single precision.")
        cube = single
    to_ras = surface_ras_to_ras(mri)
    if to_ras.assumed:
        findings.assumed("InitTransf", "No vox2ras: scanner RAS is taken to be surface RAS.")
    affine = to_ras.matrix @ voxels_to_surface_ras(mri)[0].matrix
    affine[:3] *= 1e3
    return volume(cube, affine)


def _sphere(cortex: io.Surface) -> FloatArray | None:
    """Return the registered sphere, mm, if there is one of the right size."""
    sphere = cortex.reg.get("Sphere") if isinstance(cortex.reg, Mapping) else None
    vertices = sphere.get("Vertices") if isinstance(sphere, Mapping) else None
    if vertices is None or np.shape(vertices) != cortex.vertices.shape:
        return None
    return 1e3 * np.asarray(vertices, dtype=np.float64)


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
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x-head.fif"
        mne.write_head_bem(path, vertices, tris, on_defects="ignore", verbose="error")
        return path.read_bytes()


def _annotation_parts(
    labels: Sequence[Any], atlas: io.Atlas, findings: Findings
) -> list[tuple[str, IntArray, tuple[int, int, int]]]:
    """Name, vertices and colour of the parts of one hemisphere; no two have the same colour."""
    taken: set[tuple[int, int, int]] = {(0, 0, 0)}
    parts, changed = [], 0
    names = Counter(label.name for label in labels)
    for number, label in enumerate(labels):
        rgb = label.color
        if rgb is None:
            rgb = colorsys.hsv_to_rgb(number / len(labels), 1.0, 1.0)
        wanted = tuple(round(255 * float(channel)) for channel in rgb[:3])
        color = _free_color(wanted, taken)
        changed += color != wanted or label.color is None
        taken.add(color)
        parts.append((label.name.removesuffix(f"-{label.hemi}"), label.vertices, color))
    if changed:
        findings.derived(
            "Color",
            f"{changed} scouts of {atlas.name!r} had no colour, black, or that of another; "
            "parcellations tell parts by their colours, so they got others.",
        )
    twice = [name for name, count in names.items() if count > 1]
    if twice:
        findings.assumed("Label", f"Several scouts of {atlas.name!r} are named {twice[0]!r}.")
    return parts


def _free_color(wanted: tuple[int, ...], taken: set[tuple[int, int, int]]) -> tuple[int, int, int]:
    """Return the nearest colour that is not taken, going through blue, green and red."""
    red, green, blue = wanted
    code = (red << 16) + (green << 8) + blue
    for step in range(1 << 24):
        near = (code + step) % (1 << 24)
        color = (near >> 16, (near >> 8) & 255, near & 255)
        if color not in taken:
            return color
    raise AssertionError("more parts than colours")


def _file_name(name: str) -> str:
    return re.sub(r"[^\w.+-]+", "_", name.strip()) or "atlas"


def _unused(files: Mapping[str, bytes], stem: str) -> str:
    number, name = 1, f"{stem}.label"
    while name in files:
        number += 1
        name = f"{stem}-{number}.label"
    return name
