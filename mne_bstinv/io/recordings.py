"""Recordings: ``data_*.mat``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from mne_bstinv._types import FloatArray, IntArray
from mne_bstinv.io import structure_files
from mne_bstinv.io.context import Context
from mne_bstinv.io.kinds import Array, Raw, Scalar, Vector
from mne_bstinv.io.mat import PathLike
from mne_bstinv.io.schema import Structure, declare
from mne_bstinv.io.text import History, HistoryRows, NestedArray, Text
from mne_bstinv.io.values import is_empty
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
class _Times:
    """Times of events (1, k), or their starts and ends (2, k)."""

    order: int = 1

    def read(self, variable: Variable, context: Context) -> Any:
        if is_empty(variable.value):
            return None
        # Squeezed, two numbers are two events or one with a duration: the number of epochs tells.
        for n_rows in (1, 2):
            inner = Context(context.path, [], dict(context.sizes))
            times = Array(n_rows, "n_events").read(variable, inner)
            if times is not None:
                return times
        return Array("1 or 2", "n_events").read(variable, context)

    def write(self, value: Any, context: Context) -> Any:
        return Array("n_rows", "n_events").write(value, context)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class Event(Structure):
    """The occurrences of one kind of event."""

    label: str = field(default="", metadata=declare("label", Text()))
    #: RGB (3,).
    color: FloatArray | None = field(default=None, metadata=declare("color", Vector(3)))
    #: Epoch of each occurrence (n_events,), 1-based.
    epochs: IntArray | None = field(
        default=None, metadata=declare("epochs", Vector("n_events", dtype="int64"))
    )
    #: Times (1, n_events), or starts and ends (2, n_events), s.
    times: FloatArray | None = field(default=None, metadata=declare("times", _Times(), unit="s"))
    #: Reaction times (n_events,), s.
    react_times: FloatArray | None = field(
        default=None, metadata=declare("reactTimes", Vector(), unit="s")
    )
    #: Whether the event is shown.
    select: int | None = field(default=None, metadata=declare("select", Scalar(int)))
    #: Channels of each occurrence; raw.
    channels: Any = field(default=None, metadata=declare("channels", Raw()))
    #: Notes of each occurrence; raw.
    notes: Any = field(default=None, metadata=declare("notes", Raw()))
    #: Hierarchical event descriptors; raw.
    hed_tags: Any = field(default=None, metadata=declare("hedTags", Raw()))

    def _summary(self) -> str:
        return f"{self.label}, {0 if self.times is None else self.times.shape[1]} occurrences"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class Recordings(Structure):
    """An epoch, an average, or a link to a continuous file."""

    #: (n_channels, n_times), T, T/m or V; None for a link.
    f: FloatArray | None = field(default=None, metadata=declare("F", _Samples(), unit="T or V"))
    #: The struct that links to a continuous file; None for imported recordings.
    link: Mapping[str, Any] | None = field(default=None, metadata=declare("F", Raw(struct=True)))
    #: Standard deviation, as ``f``; raw.
    std: Any = field(default=None, metadata=declare("Std", Raw()))
    comment: str = field(default="", metadata=declare("Comment", Text()))
    #: 1 good, -1 bad (n_channels,).
    channel_flag: IntArray | None = field(
        default=None,
        metadata=declare("ChannelFlag", Vector("n_channels", column=True, dtype="int64")),
    )
    #: (n_times,), s; the start and end for a link.
    time: FloatArray | None = field(
        default=None, metadata=declare("Time", Vector("n_times"), unit="s")
    )
    #: ``'recordings'``, ``'raw'`` ...
    data_type: str | None = field(default=None, metadata=declare("DataType", Text()))
    device: str | None = field(default=None, metadata=declare("Device", Text()))
    #: Number of trials in the average.
    n_avg: int = field(default=1, metadata=declare("nAvg", Scalar(int)))
    #: Effective number of averages; None in old files: see :attr:`effective_averages`.
    leff: float | None = field(default=None, metadata=declare("Leff", Scalar()))
    events: tuple[Event, ...] = field(default=(), metadata=declare("Events", NestedArray(Event)))
    colormap_type: Any = field(default=None, metadata=declare("ColormapType", Raw()))
    display_units: Any = field(default=None, metadata=declare("DisplayUnits", Raw()))
    t0: Any = field(default=None, metadata=declare("T0", Raw()))
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
        size = "link" if self.f is None else "{} channels × {} times".format(*self.f.shape)
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
