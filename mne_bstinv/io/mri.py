"""MRIs: ``subjectimage_*.mat``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from mne_bstinv._types import AnyArray, FloatArray
from mne_bstinv.io import raw, structure_files
from mne_bstinv.io.checks import labelled, positive, transform
from mne_bstinv.io.context import Context
from mne_bstinv.io.fiducials import NCS, SCS
from mne_bstinv.io.kinds import Array, Raw, Vector
from mne_bstinv.io.mat import PathLike
from mne_bstinv.io.schema import Structure, declare
from mne_bstinv.io.text import History, HistoryRows, Nested, Text
from mne_bstinv.io.values import EMPTY, bare, cast, describe, is_empty
from mne_bstinv.io.variable import Variable

__all__ = ["Mri", "read_mri", "write_mri"]


@dataclass(frozen=True, slots=True)
class _Volume:
    """Voxels, with three dimensions or more, in the class of the file."""

    order: int = 0

    def read(self, variable: Variable, context: Context) -> Any:
        if is_empty(variable.value):
            return None
        variable = bare(variable, context)
        array = cast(variable, None, context, "an array of voxels")
        if array is None:
            return None
        shape = variable.shape or array.shape
        shape += (1,) * (3 - len(shape))
        return raw.read_only(array.reshape(shape, order="F"))

    def write(self, value: Any, context: Context) -> Any:
        return value


@dataclass(frozen=True, slots=True)
class _Transforms:
    """A cell with rows of a label and a 4 x 4 array."""

    order: int = 0
    matrix: ClassVar[Array] = Array(4, 4)

    def read(self, variable: Variable, context: Context) -> Any:
        value = variable.value
        if is_empty(value):
            return None
        if not isinstance(value, list | tuple):
            context.fault(describe(variable), "a cell of labels and 4 x 4 arrays")
            return None
        rows = value if all(isinstance(row, list | tuple) for row in value) else [value]
        if any(len(row) != 2 or not isinstance(row[0], str) for row in rows):
            context.fault("a cell of another form", "rows of a label and a 4 x 4 array")
            return None
        return tuple((row[0], self.matrix.read(Variable(row[1]), context)) for row in rows)

    def write(self, value: Any, context: Context) -> Any:
        if not value:
            return EMPTY
        items: list[Any] = []
        for label, matrix in value:
            items += [label, self.matrix.write(matrix, context)]
        return raw.cell(items, (len(value), 2))


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class Mri(Structure):
    """An MRI volume with its fiducials and transforms.

    MRI coordinates are voxel indices (1-based) times the voxel size, in mm; SCS (mm) is
    ``scs.r`` · mri + ``scs.t``.
    """

    comment: str = field(default="", metadata=declare("Comment", Text()))
    #: Voxels (nx, ny, nz, ...), in the class of the file (uint8, int16 ...).
    cube: AnyArray = field(metadata=declare("Cube", _Volume()))
    #: Voxel size (3,), mm.
    voxsize: FloatArray | None = field(
        default=None, metadata=declare("Voxsize", Vector(3), positive, unit="mm")
    )
    #: Fiducials in MRI coordinates, mm, and the transform to SCS.
    scs: SCS | None = field(default=None, metadata=declare("SCS", Nested(SCS), unit="mm"))
    #: Commissures in MRI coordinates, mm.
    ncs: NCS | None = field(default=None, metadata=declare("NCS", Nested(NCS), unit="mm"))
    #: Header of the original file; raw.
    header: Any = field(default=None, metadata=declare("Header", Raw()))
    #: Histogram of the voxels; raw.
    histogram: Any = field(default=None, metadata=declare("Histogram", Raw()))
    #: Pairs of a label and a (4, 4) transform; ``'vox2ras'``: 0-based voxels to scanner RAS, mm.
    init_transf: tuple[tuple[str, FloatArray], ...] = field(
        default=(), metadata=declare("InitTransf", _Transforms(), labelled("vox2ras", transform))
    )
    #: Names of the values of an atlas volume; raw.
    labels: Any = field(default=None, metadata=declare("Labels", Raw()))
    history: HistoryRows = field(default=(), metadata=declare("History", History()))

    @property
    def vox2ras(self) -> FloatArray | None:
        """The (4, 4) transform from 0-based voxels to scanner RAS in mm, None if unknown."""
        return next((matrix for label, matrix in self.init_transf if label == "vox2ras"), None)

    def _summary(self) -> str:
        shape = " × ".join(map(str, np.shape(self.cube)))
        return f"{self.comment}, {shape} voxels, {self.cube.dtype}"


def read_mri(fname: PathLike) -> Mri:
    """Read an MRI file.

    Parameters
    ----------
    fname : path-like
        The file, ``subjectimage_*.mat``.

    Returns
    -------
    Mri
        The volume; fiducials and voxel size in mm.

    Raises
    ------
    MissingFileError
        If the file does not exist.
    MatFileError
        If it is no MATLAB file, or damaged.
    SchemaError
        If it does not hold an MRI; it lists all faults.
    """
    return structure_files.read(Mri, fname)


def write_mri(fname: PathLike, mri: Mri, *, overwrite: bool = False) -> None:
    """Write an MRI file.

    Parameters
    ----------
    fname : path-like
        The file, ``subjectimage_*.mat``.
    mri : Mri
        The volume.
    overwrite : bool
        Replace an existing file.

    Raises
    ------
    OverwriteError
        If the file exists and ``overwrite`` is False.
    MatFileError
        If the file cannot be written, or the volume is larger than 2 GB.
    SchemaError
        If the shapes or classes of the values contradict each other.
    """
    structure_files.write(Mri, fname, mri, overwrite=overwrite)
