"""Recordings: ``data_*.mat``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from mne_bstinv._types import FloatArray, IntArray
from mne_bstinv.io import structure_files
from mne_bstinv.io.checks import flags, not_nan, positive, span_or_increasing
from mne_bstinv.io.context import Context
from mne_bstinv.io.events import Event
from mne_bstinv.io.kinds import Array, Raw, Scalar, Vector
from mne_bstinv.io.link import Link
from mne_bstinv.io.mat import PathLike
from mne_bstinv.io.schema import Structure, declare
from mne_bstinv.io.text import History, HistoryRows, Nested, NestedArray, Text
from mne_bstinv.io.variable import Variable

__all__ = ["Event", "Recordings", "read_recordings", "write_recordings"]


@dataclass(frozen=True, slots=True)
class _Samples:
    """The array of F; a struct there is a link to a continuous file and read as None."""

    order: int = 1
    array: ClassVar[Array] = Array("n_channels", "n_times")

    def read(self, variable: Variable, context: Context) -> Any:
        if isinstance(variable.value, Mapping):
            return None
        return self.array.read(variable, context)

    def write(self, value: Any, context: Context) -> Any:
        return self.array.write(value, context)


@dataclass(frozen=True, slots=True)
class _LinkOnly:
    """The struct of F; an array there is read as None."""

    order: int = 0
    struct: ClassVar[Nested] = Nested(Link)

    def read(self, variable: Variable, context: Context) -> Any:
        if not isinstance(variable.value, Mapping):
            return None
        return self.struct.read(variable, context)

    def write(self, value: Any, context: Context) -> Any:
        return self.struct.write(value, context)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class Recordings(Structure):
    """An epoch, an average, or a link to a continuous file."""

    #: (n_channels, n_times), T, T/m or V; None for a link.
    f: FloatArray | None = field(
        default=None, metadata=declare("F", _Samples(), not_nan, unit="T or V", essential=True)
    )
    #: The link to a continuous file; None for imported recordings.
    link: Link | None = field(default=None, metadata=declare("F", _LinkOnly(), essential=True))
    #: Standard deviation, as ``f``; raw.
    std: Any = field(default=None, metadata=declare("Std", Raw()))
    comment: str = field(default="", metadata=declare("Comment", Text()))
    #: 1 good, -1 bad (n_channels,).
    channel_flag: IntArray | None = field(
        default=None,
        metadata=declare(
            "ChannelFlag", Vector("n_channels", column=True, dtype="int64"), flags, essential=True
        ),
    )
    #: (n_times,), s; the start and end for a link.
    time: FloatArray | None = field(
        default=None,
        metadata=declare("Time", Vector("n_times"), span_or_increasing, unit="s", essential=True),
    )
    #: ``'recordings'``, ``'raw'`` ...
    data_type: str | None = field(default=None, metadata=declare("DataType", Text()))
    device: str | None = field(default=None, metadata=declare("Device", Text()))
    #: Number of trials in the average.
    n_avg: int = field(default=1, metadata=declare("nAvg", Scalar(int), positive))
    #: Effective number of averages; None in old files: see :attr:`effective_averages`.
    leff: float | None = field(default=None, metadata=declare("Leff", Scalar(), positive))
    events: tuple[Event, ...] = field(default=(), metadata=declare("Events", NestedArray(Event)))
    colormap_type: Any = field(default=None, metadata=declare("ColormapType", Raw()))
    display_units: Any = field(default=None, metadata=declare("DisplayUnits", Raw()))
    #: Time stamp of 0 s, ``'2026-03-04T05:06:07.890'``.
    t0: str | None = field(default=None, metadata=declare("T0", Text(absent="double")))
    history: HistoryRows = field(default=(), metadata=declare("History", History()))

    @property
    def effective_averages(self) -> float:
        """``leff``, or ``n_avg`` where that is missing."""
        return float(self.n_avg) if self.leff is None else self.leff

    def _faults(self) -> Sequence[str]:
        if (self.f is None) == (self.link is None):
            return ["F: neither an array nor a struct" if self.f is None else "F: both set"]
        return ()

    def _summary(self) -> str:
        if self.link is not None:
            return f"{self.comment}, link: {self.link._summary()}"
        size = "" if self.f is None else "{} channels × {} times".format(*self.f.shape)
        return f"{self.comment}, {size}, {self.n_avg} averages, {len(self.events)} events"


def read_recordings(fname: PathLike) -> Recordings:
    """Read a recordings file.

    Parameters
    ----------
    fname : path-like
        The file, ``data_*.mat``.

    Returns
    -------
    Recordings
        The recordings (n_channels, n_times) in T, T/m or V, times in seconds; or the link to a
        continuous file.

    Raises
    ------
    MissingFileError
        If the file does not exist.
    MatFileError
        If it is no MATLAB file, or damaged.
    SchemaError
        If it does not hold recordings; it lists all faults.
    """
    return structure_files.read(Recordings, fname)


def write_recordings(fname: PathLike, recordings: Recordings, *, overwrite: bool = False) -> None:
    """Write a recordings file.

    Parameters
    ----------
    fname : path-like
        The file, ``data_*.mat``.
    recordings : Recordings
        The recordings.
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
    structure_files.write(Recordings, fname, recordings, overwrite=overwrite)
