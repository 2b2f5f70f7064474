"""Head models: ``headmodel_*.mat``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from mne_bstinv._types import FloatArray
from mne_bstinv.io import structure_files
from mne_bstinv.io.checks import finite, not_infinite, positive
from mne_bstinv.io.kinds import Array, Raw, Vector
from mne_bstinv.io.mat import PathLike
from mne_bstinv.io.schema import Structure, declare
from mne_bstinv.io.scouts import GridAtlas
from mne_bstinv.io.text import History, HistoryRows, Nested, NestedArray, Text

__all__ = ["HeadModel", "Sphere", "read_head_model", "write_head_model"]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class Sphere(Structure):
    """The sphere model of one channel."""

    #: Centre (3,), m, SCS.
    center: FloatArray | None = field(
        default=None, metadata=declare("Center", Vector(3, column=True), finite, unit="m")
    )
    #: Radii of the shells (k,), m, from the inside out.
    radii: FloatArray | None = field(
        default=None, metadata=declare("Radii", Vector("k"), positive, unit="m")
    )


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class HeadModel(Structure):
    """The gain from sources to channels, with its source locations."""

    #: Method of each modality (``'os_meg'``, ``'eeg_3sphereberg'`` ...), None if not computed.
    meg_method: str | None = field(default=None, metadata=declare("MEGMethod", Text()))
    eeg_method: str | None = field(default=None, metadata=declare("EEGMethod", Text()))
    ecog_method: str | None = field(default=None, metadata=declare("ECOGMethod", Text()))
    seeg_method: str | None = field(default=None, metadata=declare("SEEGMethod", Text()))
    nirs_method: str | None = field(default=None, metadata=declare("NIRSMethod", Text()))
    #: (n_channels, 3*n_sources): x, y, z of a location side by side. T (T/m for planar
    #: gradiometers) or V per A·m. NaN or 0 in channels without a model.
    gain: FloatArray = field(
        metadata=declare(
            "Gain",
            Array("n_channels", "3*n_sources", late=True),
            not_infinite,
            unit="T or V per A·m",
        )
    )
    comment: str = field(default="", metadata=declare("Comment", Text()))
    #: ``'surface'``, ``'volume'``, ``'mixed'``, as in the file; see :attr:`kind`.
    head_model_type: str | None = field(
        default=None, metadata=declare("HeadModelType", Text(), essential=True)
    )
    #: Source locations (n_sources, 3), m, SCS.
    grid_loc: FloatArray = field(
        metadata=declare(
            "GridLoc", Array("n_sources", 3, turned=True, names_file=True), finite, unit="m"
        )
    )
    #: Unit normals (n_sources, 3), SCS. None with a surface file: the normals of that surface.
    grid_orient: FloatArray | None = field(
        default=None,
        metadata=declare("GridOrient", Array("n_sources", 3, turned=True), finite, essential=True),
    )
    #: The regions of a mixed model.
    grid_atlas: GridAtlas | None = field(
        default=None, metadata=declare("GridAtlas", Nested(GridAtlas), essential=True)
    )
    #: How the grid of a volume was made; raw.
    grid_options: Any = field(default=None, metadata=declare("GridOptions", Raw()))
    #: The surface that the locations follow, relative to the protocol's ``anat``; of a volume, the
    #: shell that it was filled into: see ``cortex_file``.
    surface_file: str | None = field(default=None, metadata=declare("SurfaceFile", Text()))
    #: The spheres, one a channel.
    param: tuple[Sphere, ...] = field(default=(), metadata=declare("Param", NestedArray(Sphere)))
    #: The mesh of a finite element model; raw.
    fem_mesh_file: Any = field(default=None, metadata=declare("FemMeshFile", Raw()))
    history: HistoryRows = field(default=(), metadata=declare("History", History()))

    @property
    def n_channels(self) -> int:
        """Number of channels, those without a model included."""
        return int(self.gain.shape[0])

    @property
    def n_sources(self) -> int:
        """Number of source locations."""
        return int(self.gain.shape[1]) // 3

    @property
    def kind(self) -> str:
        """``'surface'``, ``'volume'`` or ``'mixed'``; any other type counts as a surface."""
        return self.head_model_type if self.head_model_type in ("volume", "mixed") else "surface"

    @property
    def cortex_file(self) -> str | None:
        """The surface with the locations; None for a volume, which has none."""
        return None if self.kind == "volume" else self.surface_file

    def _summary(self) -> str:
        methods = {"EEG": self.eeg_method, "MEG": self.meg_method, "ECOG": self.ecog_method,
                   "SEEG": self.seeg_method, "NIRS": self.nirs_method}  # fmt: skip
        parts = [f"{name}: {method}" for name, method in methods.items() if method]
        size = f"{self.n_channels} channels × {self.n_sources} sources"
        return ", ".join([f"{self.kind}", size, *parts])


def read_head_model(fname: PathLike) -> HeadModel:
    """Read a head model file.

    Parameters
    ----------
    fname : path-like
        The file, ``headmodel_*.mat``.

    Returns
    -------
    HeadModel
        The head model: gain (n_channels, 3*n_sources) in T or V per A·m, locations in metres in
        SCS. The gain keeps the column order (Fortran) of the file.

    Raises
    ------
    MissingFileError
        If the file does not exist.
    MatFileError
        If it is no MATLAB file, or damaged.
    SchemaError
        If it does not hold a head model; it lists all faults.
    """
    return structure_files.read(HeadModel, fname)


def write_head_model(fname: PathLike, head_model: HeadModel, *, overwrite: bool = False) -> None:
    """Write a head model file.

    Parameters
    ----------
    fname : path-like
        The file, ``headmodel_*.mat``.
    head_model : HeadModel
        The head model.
    overwrite : bool
        Replace an existing file.

    Raises
    ------
    OverwriteError
        If the file exists and ``overwrite`` is False.
    MatFileError
        If the file cannot be written, or a variable is larger than 2 GB.
    SchemaError
        If the shapes or classes of the values contradict each other.
    """
    structure_files.write(HeadModel, fname, head_model, overwrite=overwrite)
