"""Brainstorm's projection between cortices as a SourceMorph of MNE."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import mne
import numpy as np
from mne.utils import verbose
from scipy import sparse

from mne_bstinv import io
from mne_bstinv._arguments import numbers_in
from mne_bstinv._types import FloatArray, IntArray, Verbose
from mne_bstinv.adapters.sources import SIDES, hemisphere_rows
from mne_bstinv.conversion import Findings, converts
from mne_bstinv.errors import ConversionError, MissingFileError
from mne_bstinv.maps import projection_matrix
from mne_bstinv.maps.surfaces import cortex_regions, registered_sphere

__all__ = [
    "fsaverage_cortex",
    "ico_vertices",
    "is_registered",
    "read_registered_cortex",
    "to_source_morph",
]

#: Edges on a sphere that are longer by this factor than they could be tell that its rows are
#: those of other vertices.
_SHUFFLED = 2.0


@converts
@verbose
def to_source_morph(
    source_surface: io.Surface,
    target_surface: io.Surface,
    *,
    subject_from: str,
    subject_to: str,
    src_from: mne.SourceSpaces | None = None,
    src_to: mne.SourceSpaces | Sequence[dict[str, Any]] | None = None,
    same_subject: bool = False,
    matrix: Any = None,
    verbose: Verbose = None,
) -> Any:
    """Make a SourceMorph that projects estimates as Brainstorm does.

    Parameters
    ----------
    source_surface, target_surface : Surface
        The two cortices; :func:`read_registered_cortex` reads one of FreeSurfer.
    subject_from, subject_to : str
        Names of their subjects in MNE.
    src_from : mne.SourceSpaces | None
        Source spaces on the source cortex, as :func:`to_source_spaces` numbers them; None for all
        vertices.
    src_to : mne.SourceSpaces | None
        Source spaces on the target cortex, numbered likewise; None for all vertices.
    same_subject : bool
        Whether both are cortices of one subject: positions are compared, not spheres.
    matrix : array, shape (n_target_vertices, n_source_vertices) | None
        The interpolation to use, such as the one that Brainstorm keeps in the source surface
        (``surface.extra['tess2tess_interp']``); None computes it.
    verbose : bool | str | int | None
        Control verbosity of the logging output.

    Returns
    -------
    mne.SourceMorph
        ``morph.apply(stc)`` gives Brainstorm's projection of a scalar estimate; of vectors take
        ``magnitude()`` first, as Brainstorm does. ``morph.save('…-morph.h5')`` keeps it.

    Raises
    ------
    ConversionError
        If the source spaces are not on the cortices.
    MapError
        If the surfaces have no common space; see :func:`mne_bstinv.maps.projection_matrix`.

    Notes
    -----
    MNE's own ``mne.compute_source_morph`` uses the same spheres but smooths along the edges of
    the source mesh and takes the nearest vertex (or a barycentric mean), so that its maps differ;
    how much is on the page on parity.
    """
    findings = Findings()
    if matrix is None:
        for surface in (source_surface, target_surface) if not same_subject else ():
            _check_sphere(surface, findings)
        matrix = projection_matrix(source_surface, target_surface, same_subject=same_subject)
    if not sparse.issparse(matrix):
        matrix = np.atleast_2d(numbers_in("matrix", matrix))
    whole = sparse.csr_array(matrix)
    shape = (target_surface.n_vertices, source_surface.n_vertices)
    if whole.shape != shape:
        raise ConversionError(
            f"The matrix is {whole.shape}, the surfaces ask for {shape}: a row a vertex of the "
            "target, a column one of the source. Give the matrix of these surfaces."
        )
    rows_from, vertices_from = _rows(source_surface, src_from, "source", findings)
    rows_to, vertices_to = _rows(target_surface, src_to, "target", findings)
    lost = whole[:, np.setdiff1d(np.arange(shape[1]), rows_from)]
    if lost.nnz:
        findings.dropped(
            "src_from",
            "The source spaces lack vertices that the projection takes: their share is lost.",
        )
    part = whole[rows_to][:, rows_from]
    morph = mne.SourceMorph(
        subject_from=subject_from,
        subject_to=subject_to,
        kind="surface",
        zooms=None,
        niter_affine=None,
        niter_sdr=None,
        spacing=None,
        smooth=None,
        xhemi=False,
        morph_mat=sparse.csr_array(part),
        vertices_to=vertices_to,
        shape=None,
        affine=None,
        pre_affine=None,
        sdr_morph=None,
        src_data={"vertices_from": vertices_from},
        vol_morph_mat=None,
    )
    return findings.attach(morph, what="cortices → SourceMorph")


def read_registered_cortex(
    subject: str, subjects_dir: str | Path | None = None, surface: str = "white"
) -> io.Surface:
    """Read a cortex of FreeSurfer with its registered spheres, as Brainstorm would hold it.

    Parameters
    ----------
    subject : str
        The subject, such as ``'fsaverage'``.
    subjects_dir : path-like | None
        Folder of the subjects; None for MNE's.
    surface : str
        Which surface, such as ``'white'`` or ``'pial'``.

    Returns
    -------
    Surface
        The left hemisphere, then the right, with the regions ``Cortex L`` and ``Cortex R`` and
        the spheres in m. Positions are in m in FreeSurfer's surface RAS, not in SCS: the cortex is
        for :func:`to_source_morph`.

    Raises
    ------
    MissingFileError
        If a file is missing.
    """
    folder = Path(mne.utils.get_subjects_dir(subjects_dir, raise_error=True)) / subject / "surf"
    meshes: list[Any] = []
    spheres: list[Any] = []
    for side in SIDES:
        for name, into in ((surface, meshes), ("sphere.reg", spheres)):
            file = folder / f"{side}.{name}"
            if not file.is_file():
                raise MissingFileError(
                    f"{file}: no such file: the cortex cannot be registered. Let FreeSurfer's "
                    "recon-all make it, or check the subject and subjects_dir."
                )
            into.append(mne.read_surface(file))
    n_left = len(meshes[0][0])
    n = n_left + len(meshes[1][0])
    faces = np.concatenate([meshes[0][1], meshes[1][1] + n_left]) + 1
    scouts = tuple(
        io.Scout(label=label, region=region, vertices=np.arange(*bounds) + 1)
        for label, region, bounds in (
            ("Cortex L", "LU", (0, n_left)),
            ("Cortex R", "RU", (n_left, n)),
        )
    )
    return io.Surface(
        comment=subject,
        vertices=np.concatenate([vertices for vertices, _ in meshes]) / 1000,
        faces=faces.astype(np.int64),
        atlas=(io.Atlas(name="Structures", scouts=scouts),),
        reg={"Sphere": {"Vertices": np.concatenate([v for v, _ in spheres]) / 1000}},
    )


def is_registered(surface: io.Surface) -> bool:
    """Tell whether a cortex has a sphere and the regions that Brainstorm matches it by.

    Parameters
    ----------
    surface : Surface
        The cortex.

    Returns
    -------
    bool
        Whether it can be projected by spheres.
    """
    regions = cortex_regions(surface)
    return registered_sphere(surface) is not None and {"cortex l", "cortex r"} <= set(regions)


def fsaverage_cortex() -> io.Surface | None:
    """Read fsaverage from the folder of subjects that MNE knows.

    Returns
    -------
    Surface | None
        The cortex; None if it is not there.
    """
    folder = mne.utils.get_subjects_dir(None, raise_error=False)
    if folder is None or not (Path(folder) / "fsaverage" / "surf" / "lh.sphere.reg").is_file():
        return None
    return read_registered_cortex("fsaverage", folder)


def ico_vertices(grade: int) -> list[dict[str, Any]]:
    """Return what a morph needs of source spaces ``ico`` of fsaverage: its first vertices.

    Parameters
    ----------
    grade : int
        Such as 5, of 10 242 vertices a hemisphere.

    Returns
    -------
    list of dict
        A hemisphere each, with ``type`` and ``vertno``.
    """
    n = 10 * 4**grade + 2
    return [{"type": "surf", "vertno": np.arange(n)} for _ in SIDES]


def _rows(
    surface: io.Surface, src: Any, what: str, findings: Findings
) -> tuple[IntArray, list[IntArray]]:
    """Return the rows of a surface in MNE's order, and the vertices of each hemisphere."""
    hemis = hemisphere_rows(surface, findings)
    if src is None:
        vertices = [np.arange(len(hemis[side])) for side in SIDES]
    else:
        if len(src) < 2 or src[0]["type"] != "surf" or src[1]["type"] != "surf":
            raise ConversionError(
                f"The {what} source spaces are no two hemispheres. Give those of a cortex."
            )
        vertices = [np.asarray(part["vertno"]) for part in src[:2]]
        for side, own in zip(SIDES, vertices, strict=True):
            if len(own) and own.max() >= len(hemis[side]):
                raise ConversionError(
                    f"The {what} source spaces have vertices up to {own.max()} ({side}), the "
                    f"surface {len(hemis[side])}: they are not on it. Give those of that surface."
                )
    rows = [hemis[side][own] for side, own in zip(SIDES, vertices, strict=True)]
    return np.concatenate(rows), vertices


def _check_sphere(surface: io.Surface, findings: Findings) -> None:
    """Note a sphere whose rows are not in the order that Brainstorm takes them in."""
    sphere, regions = registered_sphere(surface), cortex_regions(surface)
    hemis = [regions[name] for name in ("cortex l", "cortex r") if name in regions]
    if sphere is None or len(hemis) != 2 or len(sphere) != surface.n_vertices:
        return
    order = np.concatenate(sorted(hemis, key=lambda rows: int(rows[0])))
    if np.array_equal(order, np.arange(len(order))) or len(order) != len(sphere):
        return
    taken = np.empty_like(sphere)
    taken[order] = sphere
    if _edge(taken, surface) > _SHUFFLED * _edge(sphere, surface):
        findings.assumed(
            "Reg.Sphere",
            f"The rows of the sphere of {surface.comment!r} follow the vertices; Brainstorm takes "
            "them hemisphere by hemisphere, and so does this projection: it mixes up places. Sort "
            "the vertices by hemisphere in both.",
        )


def _edge(places: FloatArray, surface: io.Surface) -> float:
    ends = places[np.asarray(surface.faces)[:, :2] - 1]
    return float(np.linalg.norm(ends[:, 0] - ends[:, 1], axis=1).mean())
