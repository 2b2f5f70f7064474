"""Signals that are not recordings, such as scout time series: ``matrix_*.mat``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from mne_bstinv._types import FloatArray, IntArray
from mne_bstinv.io import structure_files
from mne_bstinv.io.checks import flags, not_negative, ordered, positive
from mne_bstinv.io.context import Context
from mne_bstinv.io.kinds import Array, Raw, Scalar, Vector
from mne_bstinv.io.mat import PathLike
from mne_bstinv.io.recordings import Event
from mne_bstinv.io.schema import Structure, declare
from mne_bstinv.io.scouts import Atlas
from mne_bstinv.io.text import History, HistoryRows, Nested, NestedArray, Text, TextCell
from mne_bstinv.io.variable import Variable

__all__ = ["Matrix", "read_matrix", "write_matrix"]


@dataclass(frozen=True, slots=True)
class _Descriptions:
    """The names of the rows; a cell of another form costs the names, not the file."""

    order: int = 0

    def read(self, variable: Variable, context: Context) -> Any:
        value = variable.value
        if isinstance(value, list) and any(isinstance(item, list | tuple) for item in value):
            value = [part for row in value for part in row]
        return TextCell().read(Variable(value), Context())

    def write(self, value: Any, context: Context) -> Any:
        return TextCell(column=True).write(value, context)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class Matrix(Structure):
    """Named signals over time: scout time series, simulated signals, anything else."""

    #: (n_rows, n_times), in a unit that ``display_units`` may tell.
    value: FloatArray = field(metadata=declare("Value", Array("n_rows", "n_times")))
    #: Standard deviation, as ``value``; raw.
    std: Any = field(default=None, metadata=declare("Std", Raw()))
    comment: str = field(default="", metadata=declare("Comment", Text()))
    #: Names of the rows (n_rows,); fewer where Brainstorm named several rows at once.
    description: tuple[str, ...] = field(
        default=(), metadata=declare("Description", _Descriptions())
    )
    #: (n_times,), s.
    time: FloatArray | None = field(
        default=None, metadata=declare("Time", Vector("n_times"), ordered, unit="s", essential=True)
    )
    #: 1 good, -1 bad: the channels of the recordings that the signals are of (n_channels,).
    channel_flag: IntArray | None = field(
        default=None, metadata=declare("ChannelFlag", Vector(column=True, dtype="int64"), flags)
    )
    #: Number of trials in the average.
    n_avg: int = field(default=1, metadata=declare("nAvg", Scalar(int), positive))
    #: Effective number of averages; None in old files.
    leff: float | None = field(default=None, metadata=declare("Leff", Scalar(), not_negative))
    events: tuple[Event, ...] = field(default=(), metadata=declare("Events", NestedArray(Event)))
    #: The cortex of the scouts, relative to the protocol's ``anat``.
    surface_file: str | None = field(
        default=None, metadata=declare("SurfaceFile", Text(absent="double"))
    )
    #: The scouts of the rows.
    atlas: Atlas | None = field(default=None, metadata=declare("Atlas", Nested(Atlas)))
    display_units: Any = field(default=None, metadata=declare("DisplayUnits", Raw()))
    history: HistoryRows = field(default=(), metadata=declare("History", History()))

    @property
    def row_names(self) -> tuple[str, ...]:
        """A name for every row: its description, or its number where there are too few."""
        if len(self.description) == len(self.value):
            return self.description
        return tuple(f"row {i}" for i in range(1, len(self.value) + 1))

    @property
    def effective_averages(self) -> float:
        """``leff``, or ``n_avg`` where that is missing."""
        return float(self.n_avg) if self.leff is None else self.leff

    def _summary(self) -> str:
        return "{}, {} rows × {} times".format(self.comment, *self.value.shape)


def read_matrix(fname: PathLike) -> Matrix:
    """Read a file of signals.

    Parameters
    ----------
    fname : path-like
        The file, ``matrix_*.mat``.

    Returns
    -------
    Matrix
        The signals (n_rows, n_times), times in seconds.

    Raises
    ------
    MissingFileError
        If the file does not exist.
    MatFileError
        If it is no MATLAB file, or damaged.
    SchemaError
        If it does not hold signals; it lists all faults.
    """
    return structure_files.read(Matrix, fname)


def write_matrix(fname: PathLike, matrix: Matrix, *, overwrite: bool = False) -> None:
    """Write a file of signals.

    Parameters
    ----------
    fname : path-like
        The file, ``matrix_*.mat``.
    matrix : Matrix
        The signals.
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
    structure_files.write(Matrix, fname, matrix, overwrite=overwrite)
