"""Dipoles, fitted or scanned: ``dipoles_*.mat``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mne_bstinv._types import FloatArray
from mne_bstinv.io import structure_files
from mne_bstinv.io.checks import finite, index, not_nan, ordered
from mne_bstinv.io.kinds import Raw, Scalar, Vector
from mne_bstinv.io.mat import PathLike
from mne_bstinv.io.schema import Structure, declare
from mne_bstinv.io.text import History, HistoryRows, NestedArray, Text, TextCell

__all__ = ["Dipole", "Dipoles", "read_dipoles", "write_dipoles"]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class Dipole(Structure):
    """A dipole at one time."""

    #: The group it belongs to, 1-based: an entry of ``dipole_names``.
    index: int | None = field(
        default=None, metadata=declare("Index", Scalar(int), index(), essential=True)
    )
    #: Time, s.
    time: float | None = field(
        default=None, metadata=declare("Time", Scalar(), finite, unit="s", essential=True)
    )
    #: Position (3,), m.
    origin: FloatArray | None = field(
        default=None, metadata=declare("Origin", Vector(3), not_nan, unit="m")
    )
    #: Place (3,), m, SCS.
    loc: FloatArray | None = field(
        default=None,
        metadata=declare("Loc", Vector(3, column=True), not_nan, unit="m", essential=True),
    )
    #: Moment (3,), A·m, SCS.
    amplitude: FloatArray | None = field(
        default=None,
        metadata=declare("Amplitude", Vector(3, column=True), not_nan, unit="A·m", essential=True),
    )
    errors: Any = field(default=None, metadata=declare("Errors", Raw()))
    noise: Any = field(default=None, metadata=declare("Noise", Raw()))
    single_error: Any = field(default=None, metadata=declare("SingleError", Raw()))
    error_matrix: Any = field(default=None, metadata=declare("ErrorMatrix", Raw()))
    #: Volume of confidence; raw.
    conf_vol: Any = field(default=None, metadata=declare("ConfVol", Raw()))
    #: Whitened power that the dipole does not explain.
    khi2: float | None = field(default=None, metadata=declare("Khi2", Scalar()))
    #: Degrees of freedom of ``khi2``.
    dof: float | None = field(default=None, metadata=declare("DOF", Scalar()))
    probability: Any = field(default=None, metadata=declare("Probability", Raw()))
    noise_estimate: Any = field(default=None, metadata=declare("NoiseEstimate", Raw()))
    #: Value of the map it was scanned in.
    perform: float | None = field(default=None, metadata=declare("Perform", Scalar()))
    #: Explained part of the whitened power, from 0 to 1.
    goodness: float | None = field(default=None, metadata=declare("Goodness", Scalar()))

    def _summary(self) -> str:
        return f"group {self.index}, {self.time} s, goodness {self.goodness}"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class Dipoles(Structure):
    """Dipoles over time, in groups."""

    comment: str = field(default="", metadata=declare("Comment", Text()))
    #: Times (n_times,), s.
    time: FloatArray | None = field(
        default=None, metadata=declare("Time", Vector(), ordered, unit="s")
    )
    #: Names of the groups.
    dipole_names: tuple[str, ...] = field(default=(), metadata=declare("DipoleNames", TextCell()))
    dipole: tuple[Dipole, ...] = field(metadata=declare("Dipole", NestedArray(Dipole, "n_dipoles")))
    #: The subset of each group, 1-based.
    subset: FloatArray | None = field(default=None, metadata=declare("Subset", Vector()))
    #: The results that were scanned, relative to the protocol's ``data``.
    data_file: str | None = field(default=None, metadata=declare("DataFile", Text(absent="double")))
    options: Any = field(default=None, metadata=declare("Options", Raw()))
    history: HistoryRows = field(default=(), metadata=declare("History", History()))

    @property
    def times(self) -> FloatArray:
        """Time of each dipole (n_dipoles,), s; NaN where it is missing."""
        return self._numbers("time")

    @property
    def positions(self) -> FloatArray:
        """Position of each dipole (n_dipoles, 3), m, SCS; NaN where it is missing."""
        return self._vectors("loc")

    @property
    def amplitudes(self) -> FloatArray:
        """Moment of each dipole (n_dipoles, 3), A·m, SCS; NaN where it is missing."""
        return self._vectors("amplitude")

    @property
    def goodness(self) -> FloatArray:
        """Goodness of fit of each dipole (n_dipoles,), from 0 to 1; NaN where it is missing."""
        return self._numbers("goodness")

    def _numbers(self, name: str) -> FloatArray:
        values = (getattr(dipole, name) for dipole in self.dipole)
        return np.array([np.nan if v is None else v for v in values], dtype=np.float64)

    def _vectors(self, name: str) -> FloatArray:
        values = (getattr(dipole, name) for dipole in self.dipole)
        rows = [np.full(3, np.nan) if v is None else v for v in values]
        return np.array(rows, dtype=np.float64).reshape(-1, 3)

    def _summary(self) -> str:
        return f"{self.comment}, {len(self.dipole)} dipoles, {len(self.dipole_names)} groups"


def read_dipoles(fname: PathLike) -> Dipoles:
    """Read a file of dipoles.

    Parameters
    ----------
    fname : path-like
        The file, ``dipoles_*.mat``.

    Returns
    -------
    Dipoles
        The dipoles: positions in metres and moments in A·m in SCS, times in seconds.

    Raises
    ------
    MissingFileError
        If the file does not exist.
    MatFileError
        If it is no MATLAB file, or damaged.
    SchemaError
        If it does not hold dipoles; it lists all faults.
    """
    return structure_files.read(Dipoles, fname)


def write_dipoles(fname: PathLike, dipoles: Dipoles, *, overwrite: bool = False) -> None:
    """Write a file of dipoles.

    Parameters
    ----------
    fname : path-like
        The file, ``dipoles_*.mat``.
    dipoles : Dipoles
        The dipoles.
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
    structure_files.write(Dipoles, fname, dipoles, overwrite=overwrite)
