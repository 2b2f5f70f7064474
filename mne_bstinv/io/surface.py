"""Surfaces: ``tess_*.mat``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from scipy.sparse import csc_array

from mne_bstinv._types import AnyArray, FloatArray, IntArray
from mne_bstinv.io import structure_files
from mne_bstinv.io.checks import finite, index
from mne_bstinv.io.kinds import Array, Raw, Scalar, Sparse, Vector
from mne_bstinv.io.mat import PathLike
from mne_bstinv.io.schema import Structure, declare
from mne_bstinv.io.scouts import Atlas, AtlasArray
from mne_bstinv.io.text import History, HistoryRows, Text

__all__ = ["Surface", "read_surface", "write_surface"]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class Surface(Structure):
    """A triangular mesh: a cortex, or a shell of the head."""

    comment: str = field(default="", metadata=declare("Comment", Text()))
    #: (n_vertices, 3), m, SCS.
    vertices: FloatArray = field(
        metadata=declare("Vertices", Array("n_vertices", 3, turned=True), finite, unit="m")
    )
    #: (n_faces, 3), 1-based rows of ``vertices``.
    faces: IntArray = field(
        metadata=declare(
            "Faces", Array("n_faces", 3, dtype="int64", turned=True), index("n_vertices")
        )
    )
    #: (n_vertices, n_vertices): 1 where two vertices share an edge.
    vert_conn: csc_array | None = field(
        default=None, metadata=declare("VertConn", Sparse(("n_vertices", "n_vertices")))
    )
    #: (n_vertices, 3), unit vectors, SCS.
    vert_normals: FloatArray | None = field(
        default=None,
        metadata=declare("VertNormals", Array("n_vertices", 3, turned=True), finite),
    )
    #: (n_vertices,), in the class of the file (single).
    curvature: AnyArray | None = field(
        default=None,
        metadata=declare("Curvature", Vector("n_vertices", column=True, dtype=None), finite),
    )
    #: (n_vertices,): 1 in sulci, in the class of the file.
    sulci_map: AnyArray | None = field(
        default=None,
        metadata=declare("SulciMap", Vector("n_vertices", column=True, dtype=None), finite),
    )
    #: The sets of scouts.
    atlas: tuple[Atlas, ...] = field(
        default=(), metadata=declare("Atlas", AtlasArray(Atlas, "n_atlases", order=1))
    )
    #: The current atlas, 1-based.
    i_atlas: int | None = field(
        default=None, metadata=declare("iAtlas", Scalar(int, order=2), index("n_atlases"))
    )
    #: MRI voxels x vertices.
    tess2mri_interp: csc_array | None = field(
        default=None, metadata=declare("tess2mri_interp", Sparse(("?", "n_vertices")))
    )
    #: Registration (``Sphere.Vertices`` ...); raw.
    reg: Any = field(default=None, metadata=declare("Reg", Raw()))
    #: RGB (3,).
    color: FloatArray | None = field(default=None, metadata=declare("Color", Vector(3), finite))
    history: HistoryRows = field(default=(), metadata=declare("History", History()))

    @property
    def n_vertices(self) -> int:
        """Number of vertices."""
        return len(self.vertices)

    def _summary(self) -> str:
        size = f"{self.n_vertices} vertices, {len(self.faces)} faces"
        return f"{self.comment}, {size}, {len(self.atlas)} atlases"


def read_surface(fname: PathLike) -> Surface:
    """Read a surface file.

    Parameters
    ----------
    fname : path-like
        The file, ``tess_*.mat``.

    Returns
    -------
    Surface
        The surface: vertices in metres in SCS, faces 1-based.

    Raises
    ------
    MissingFileError
        If the file does not exist.
    MatFileError
        If it is no MATLAB file, or damaged.
    SchemaError
        If it does not hold a surface; it lists all faults.
    """
    return structure_files.read(Surface, fname)


def write_surface(fname: PathLike, surface: Surface, *, overwrite: bool = False) -> None:
    """Write a surface file.

    Parameters
    ----------
    fname : path-like
        The file, ``tess_*.mat``.
    surface : Surface
        The surface.
    overwrite : bool
        Replace an existing file.

    Raises
    ------
    OverwriteError
        If the file exists and ``overwrite`` is False.
    MatFileError
        If the file cannot be written.
    SchemaError
        If the shapes or classes of the values contradict each other.
    """
    structure_files.write(Surface, fname, surface, overwrite=overwrite)
