"""One surface, MRI or atlas of Brainstorm ⇄ single files of FreeSurfer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mne
import numpy as np

from mne_bstinv import io
from mne_bstinv._types import FloatArray, IntArray
from mne_bstinv.adapters.anatomy.atlas_files import annotations_of, label_named
from mne_bstinv.adapters.anatomy.freesurfer import label as label_
from mne_bstinv.adapters.anatomy.freesurfer import read_annotation
from mne_bstinv.adapters.anatomy.labels_to_mne import LabelList, to_labels
from mne_bstinv.adapters.anatomy.place import Place, volume_geometry
from mne_bstinv.adapters.anatomy.subject_files import shell_tris, volume_of
from mne_bstinv.adapters.frames import mri_frame
from mne_bstinv.adapters.sources import (
    HEMISPHERES,
    SIDES,
    cut_cortex,
    hemisphere_rows,
    scout_of,
)
from mne_bstinv.conversion import Findings, converts
from mne_bstinv.errors import ConversionError, MissingFileError
from mne_bstinv.frames import transform_points
from mne_bstinv.studies.units import in_metres

__all__ = [
    "FreeSurferFiles",
    "FreeSurferMesh",
    "from_mesh",
    "read_mesh",
    "read_parcellation",
    "to_mesh_files",
    "to_scout_files",
    "to_volume_file",
    "write_contents",
]


class FreeSurferFiles(dict[str, bytes]):
    """Contents of files by name; unlike a plain dict it can carry the loss report."""


@dataclass(frozen=True, kw_only=True, eq=False)
class FreeSurferMesh:
    """A mesh in surface RAS: both hemispheres, the left first, or one shell."""

    #: (n, 3), mm.
    vertices: FloatArray
    #: (n_tris, 3), 0-based, wound counterclockwise seen from outside.
    tris: IntArray
    #: Vertices of each hemisphere; empty for a shell.
    sizes: tuple[int, ...] = ()


def halves(name: str) -> tuple[str, str] | None:
    """Return the names of the files of both hemispheres; None for a name of neither."""
    side, dot, rest = name.partition(".")
    return (f"lh.{rest}", f"rh.{rest}") if dot and side.lower() in SIDES else None


@converts
def to_mesh_files(
    surface: io.Surface,
    name: str,
    *,
    channels: io.Channels | None = None,
    mri: io.Mri | None = None,
) -> FreeSurferFiles:
    """Make the file of a surface in surface RAS, or of its hemispheres if the name is of one.

    Parameters
    ----------
    surface : Surface
        The surface.
    name : str
        Name of the file, such as ``'lh.white'`` (both hemispheres are made) or
        ``'inner_skull.surf'``.
    channels : Channels | None
        The channel file, for the head frame, without an MRI.
    mri : Mri | None
        The MRI whose surface RAS it is; without it MRI and head are the same frame.

    Returns
    -------
    FreeSurferFiles
        Contents by name.

    Raises
    ------
    FrameError
        If the frame of the MRI is unknown, or positions are in another unit.
    """
    findings = Findings()
    surface = in_metres(surface)
    place = _place(channels, mri, "", findings)
    positions = 1e3 * transform_points(place.scs_to_mri, surface.vertices)
    files, both = FreeSurferFiles(), halves(name)
    if both is None:
        files[name] = place.mesh(positions, shell_tris(name, surface, findings))
    else:
        for file, part in zip(both, cut_cortex(surface, findings), strict=True):
            files[file] = place.mesh(positions[part.vertices], part.tris)
    return findings.attach(files, what=f"surface → {name}")


def read_mesh(path: Path) -> FreeSurferMesh:
    """Read a mesh of FreeSurfer; of a hemisphere with the other one, which is beside.

    Parameters
    ----------
    path : Path
        The file, such as ``lh.white`` or ``inner_skull.surf``.

    Returns
    -------
    FreeSurferMesh
        The mesh, mm, surface RAS.

    Raises
    ------
    MissingFileError
        If the file of the other hemisphere is missing.
    """
    both = halves(path.name)
    if both is None:
        vertices, tris = mne.read_surface(path, verbose="error")
        return FreeSurferMesh(vertices=vertices, tris=tris.astype(np.int64))
    parts = []
    for name in both:
        file = path.with_name(name)
        if not file.is_file():
            raise MissingFileError(
                f"{file}: no such file, and a cortex of Brainstorm is both hemispheres. Put it "
                f"beside {path.name}."
            )
        parts.append(mne.read_surface(file, verbose="error"))
    (left, left_tris), (right, right_tris) = parts
    return FreeSurferMesh(
        vertices=np.concatenate([left, right]),
        tris=np.concatenate([left_tris, right_tris + len(left)]).astype(np.int64),
        sizes=(len(left), len(right)),
    )


@converts
def from_mesh(
    mesh: FreeSurferMesh,
    comment: str,
    *,
    channels: io.Channels | None = None,
    mri: io.Mri | None = None,
) -> io.Surface:
    """Make a surface in SCS of a mesh in the surface RAS of an MRI.

    Parameters
    ----------
    mesh : FreeSurferMesh
        The mesh.
    comment : str
        Comment of the surface.
    channels : Channels | None
        The channel file, for the head frame, without an MRI.
    mri : Mri | None
        Brainstorm's MRI of the subject; without it MRI and head are the same frame.

    Returns
    -------
    Surface
        The surface, triangles wound clockwise seen from outside, as Brainstorm winds them; of two
        hemispheres with the atlas ``Structures``.

    Raises
    ------
    FrameError
        If the frame of the MRI is unknown.
    """
    findings = Findings()
    to_scs: Any = np.linalg.inv(mri_frame(channels, mri, findings))
    made = io.Surface(
        comment=comment,
        vertices=transform_points(to_scs, 1e-3 * mesh.vertices),
        faces=mesh.tris[:, [0, 2, 1]] + 1,
        atlas=_structures(mesh.sizes),
    )
    return findings.attach(made, what="mesh → surface")


def _structures(sizes: Sequence[int]) -> tuple[io.Atlas, ...]:
    """Return the atlas that says which vertices are of which hemisphere."""
    if not sizes:
        return ()
    starts = (1, 1 + sizes[0])
    scouts = tuple(
        scout_of(label, np.arange(start, start + n), region=region, color=color)
        for (label, region, color), start, n in zip(HEMISPHERES, starts, sizes, strict=True)
    )
    return (io.Atlas(name="Structures", scouts=scouts),)


@converts
def to_volume_file(mri: io.Mri, name: str) -> FreeSurferFiles:
    """Make the file of an MRI, its voxels in FreeSurfer's order.

    Parameters
    ----------
    mri : Mri
        The MRI.
    name : str
        Name of the file, ``….mgz``.

    Returns
    -------
    FreeSurferFiles
        Contents by name.

    Raises
    ------
    FrameError
        If the voxel size is unknown, or positions are in another unit.
    """
    findings = Findings()
    mri = in_metres(mri)
    files = FreeSurferFiles({name: volume_of(mri, volume_geometry(mri, findings), findings)})
    if mri.scs is not None:
        findings.dropped("SCS", "volumes have no place for fiducials: channel files hold them too")
    return findings.attach(files, what=f"MRI → {name}")


@converts
def to_scout_files(
    surface: io.Surface,
    name: str,
    *,
    atlas: str | None = None,
    subject: str | None = None,
    channels: io.Channels | None = None,
    mri: io.Mri | None = None,
) -> FreeSurferFiles:
    """Make the parcellation of an atlas for both hemispheres, or the label of one scout.

    Parameters
    ----------
    surface : Surface
        The cortex.
    name : str
        Name of the file: ``'lh.NAME.annot'`` (both hemispheres are made), or
        ``'SCOUT-lh.label'``.
    atlas : str | None
        Name of the atlas; None for the current one, or the first with scouts.
    subject : str | None
        Name of the subject.
    channels : Channels | None
        The channel file, for the head frame, without an MRI.
    mri : Mri | None
        The MRI, in whose frame the positions of labels are.

    Returns
    -------
    FreeSurferFiles
        Contents by name.

    Raises
    ------
    ConversionError
        If there is no such atlas or scout, or scouts overlap, which a parcellation cannot hold.
    FrameError
        If the frame of the MRI is unknown, or positions are in another unit.
    """
    findings = Findings()
    surface = in_metres(surface)
    labels = to_labels(surface, atlas, subject=subject, channels=channels, mri=mri)
    rows = hemisphere_rows(surface, Findings())
    if name.lower().endswith(".label"):
        label = label_named(labels, name[: -len(".label")])
        place = _place(channels, mri, "", Findings())
        where = transform_points(place.scs_to_mri, surface.vertices[rows[label.hemi]])
        content = label_(label.vertices, 1e3 * where[label.vertices], subject=subject or "")
        return findings.attach(FreeSurferFiles({name: content}), what=f"scout → {name}")
    both = halves(name)
    if both is None:
        raise ConversionError(
            f"{name}: a parcellation is of a hemisphere. Begin its name with 'lh.' or 'rh.'; the "
            "file of the other is made beside."
        )
    contents = annotations_of(labels, rows, findings)
    files = FreeSurferFiles(zip(both, (contents[side] for side in SIDES), strict=True))
    return findings.attach(files, what=f"scouts → {name}")


def read_parcellation(path: Path) -> LabelList:
    """Read the labels of a parcellation; those of the other hemisphere too, if it is beside.

    Parameters
    ----------
    path : Path
        The file, ``?h.NAME.annot``.

    Returns
    -------
    LabelList
        The labels, without positions.

    Raises
    ------
    ConversionError
        If the name is of no hemisphere, or the file is damaged.
    """
    both = halves(path.name)
    if both is None:
        raise ConversionError(
            f"{path}: of which hemisphere is it? Begin its name with 'lh.' or 'rh.'."
        )
    labels = LabelList()
    for side, name in zip(SIDES, both, strict=True):
        file = path.with_name(name)
        if file.is_file():
            labels += [
                mne.Label(vertices, hemi=side, name=f"{part}-{side}", color=_rgba(color))
                for part, vertices, color in read_annotation(file)
                if len(vertices)
            ]
    return labels


def _rgba(color: Sequence[int]) -> tuple[float, ...]:
    return (*(part / 255 for part in color), 1.0)


def _place(
    channels: io.Channels | None, mri: io.Mri | None, subject: str, findings: Findings
) -> Place:
    geometry = None if mri is None else volume_geometry(mri, findings)
    return Place(subject=subject, scs_to_mri=mri_frame(channels, mri, findings), geometry=geometry)


def write_contents(path: Path, files: Mapping[str, bytes]) -> None:
    """Write contents by name into the folder of a path.

    Parameters
    ----------
    path : Path
        A file in the folder.
    files : mapping of str to bytes
        The contents.
    """
    for name, content in files.items():
        path.with_name(name).write_bytes(content)
