"""Channel files: ``channel*.mat``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from mne_bstinv._types import FloatArray
from mne_bstinv.io import structure_files
from mne_bstinv.io.checks import counted, each, finite, not_nan, transform
from mne_bstinv.io.fiducials import SCS
from mne_bstinv.io.kinds import Array, Raw, Vector
from mne_bstinv.io.mat import PathLike
from mne_bstinv.io.projectors import Projector, ProjectorArray
from mne_bstinv.io.schema import Structure, declare
from mne_bstinv.io.text import (
    ArrayCell,
    History,
    HistoryRows,
    Nested,
    NestedArray,
    Text,
    TextCell,
)

__all__ = ["Channel", "Channels", "HeadPoints", "read_channels", "write_channels"]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class Channel(Structure):
    """A sensor."""

    name: str = field(default="", metadata=declare("Name", Text(), essential=True))
    #: What the manufacturer calls the coil.
    comment: str = field(default="", metadata=declare("Comment", Text()))
    #: ``'MEG GRAD'``, ``'EEG'``, ``'Stim'`` ..., in any case.
    type: str = field(default="", metadata=declare("Type", Text(), essential=True))
    group: str | None = field(default=None, metadata=declare("Group", Text(absent="double")))
    #: Integration points (3, k), m, SCS; None if unknown.
    loc: FloatArray | None = field(
        default=None, metadata=declare("Loc", Array(3, "k"), not_nan, unit="m", essential=True)
    )
    #: Directions of the points (3, k); None for electrodes.
    orient: FloatArray | None = field(
        default=None, metadata=declare("Orient", Array(3, "k"), not_nan, essential=True)
    )
    #: Weights of the points (w,); electrodes may have more weights than points.
    weight: FloatArray | None = field(
        default=None, metadata=declare("Weight", Vector("w"), not_nan, essential=True)
    )

    def _summary(self) -> str:
        n_points = 0 if self.loc is None else self.loc.shape[1]
        return f"{self.name}, {self.type}, {n_points} points"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class HeadPoints(Structure):
    """Digitised points of the head."""

    #: Positions (3, n_points), m, SCS.
    loc: FloatArray | None = field(
        default=None,
        metadata=declare("Loc", Array(3, "n_points"), not_nan, unit="m", essential=True),
    )
    #: Names, numbers as text.
    label: tuple[str, ...] = field(
        default=(), metadata=declare("Label", TextCell("n_points", empty_cell=True), essential=True)
    )
    #: ``'CARDINAL'``, ``'HPI'``, ``'EEG'``, ``'EXTRA'``.
    type: tuple[str, ...] = field(
        default=(), metadata=declare("Type", TextCell("n_points", empty_cell=True), essential=True)
    )

    def _faults(self) -> Sequence[str]:
        n_points = 0 if self.loc is None else self.loc.shape[1]
        if len(self.label) == len(self.type) == n_points:
            return ()
        return [f"{n_points} points, {len(self.label)} labels and {len(self.type)} types found"]

    def _summary(self) -> str:
        return f"{len(self.label)} points"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class Channels(Structure):
    """The sensors of a recording, their projectors and the head's points."""

    comment: str = field(default="", metadata=declare("Comment", Text()))
    #: Compensation (n_meg, n_ref): MEG channels minus ``meg_ref_coef`` times the references.
    meg_ref_coef: FloatArray | None = field(
        default=None,
        metadata=declare("MegRefCoef", Array("n_meg", "n_ref"), finite, essential=True),
    )
    #: The projectors, active or not.
    projectors: tuple[Projector, ...] = field(
        default=(), metadata=declare("Projector", ProjectorArray(), essential=True)
    )
    #: Transforms (4, 4) from the device to SCS, one after the other, metres.
    transf_meg: tuple[FloatArray, ...] = field(
        default=(),
        metadata=declare(
            "TransfMeg", ArrayCell(Array(4, 4), "n_transf_meg"), each(transform), unit="m"
        ),
    )
    transf_meg_labels: tuple[str, ...] = field(
        default=(), metadata=declare("TransfMegLabels", TextCell(), counted("n_transf_meg"))
    )
    transf_eeg: tuple[FloatArray, ...] = field(
        default=(),
        metadata=declare(
            "TransfEeg", ArrayCell(Array(4, 4), "n_transf_eeg"), each(transform), unit="m"
        ),
    )
    transf_eeg_labels: tuple[str, ...] = field(
        default=(), metadata=declare("TransfEegLabels", TextCell(), counted("n_transf_eeg"))
    )
    head_points: HeadPoints | None = field(
        default=None, metadata=declare("HeadPoints", Nested(HeadPoints))
    )
    #: The sensors, in the order of the rows of gains, covariances and recordings.
    channels: tuple[Channel, ...] = field(
        metadata=declare("Channel", NestedArray(Channel, "n_channels"))
    )
    #: Intracranial electrodes; raw.
    intra_electrodes: Any = field(default=None, metadata=declare("IntraElectrodes", Raw()))
    #: Groups of channels; raw.
    clusters: Any = field(default=None, metadata=declare("Clusters", Raw()))
    #: Fiducials in SCS, m.
    scs: SCS | None = field(
        default=None, metadata=declare("SCS", Nested(SCS), unit="m", written=False)
    )
    history: HistoryRows = field(default=(), metadata=declare("History", History()))

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the channels."""
        return tuple(channel.name for channel in self.channels)

    @property
    def types(self) -> tuple[str, ...]:
        """Types of the channels."""
        return tuple(channel.type for channel in self.channels)

    def __len__(self) -> int:
        return len(self.channels)

    def _summary(self) -> str:
        counts = {name: self.types.count(name) for name in dict.fromkeys(self.types)}
        types = ", ".join(f"{count} {name}" for name, count in counts.items())
        return f"{self.comment}: {types}; {len(self.projectors)} projectors"


def read_channels(fname: PathLike) -> Channels:
    """Read a channel file.

    Parameters
    ----------
    fname : path-like
        The file, ``channel*.mat``.

    Returns
    -------
    Channels
        The sensors; positions in metres in SCS.

    Raises
    ------
    MissingFileError
        If the file does not exist.
    MatFileError
        If it is no MATLAB file, or damaged.
    SchemaError
        If it does not hold channels; it lists all faults.
    """
    return structure_files.read(Channels, fname)


def write_channels(fname: PathLike, channels: Channels, *, overwrite: bool = False) -> None:
    """Write a channel file.

    Parameters
    ----------
    fname : path-like
        The file, ``channel*.mat``.
    channels : Channels
        The sensors.
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
    structure_files.write(Channels, fname, channels, overwrite=overwrite)
