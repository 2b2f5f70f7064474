"""What a port is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mne_bstinv._data_types import DATA_TYPES
from mne_bstinv._verdicts import RTOL, wrong_rtol
from mne_bstinv.errors import OptionError
from mne_bstinv.studies.units import UNITS

__all__ = ["Settings"]

_ESTIMATES = ("all", "averages", "none")
_RAW = ("fif", "none")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What is asked for, of all units."""

    #: Only results of these types of channels; None for all.
    data_types: tuple[str, ...] | None = None
    #: Recordings that source estimates are written of: all, averages, none.
    estimates: str = "all"
    #: What continuous recordings become: files of MNE, nothing.
    raw: str = "fif"
    #: A folder in which the files of links may be.
    raw_dir: Path | None = None
    #: Whether estimates of dspm2018 are multiplied by √Leff: Brainstorm's dspm2018sc.
    scale_leff: bool = False
    #: Whether to recompute the stored kernels, and up to which relative difference they agree.
    verify: bool = False
    rtol: float = RTOL
    #: Unit of positions that are in no metres; None refuses them.
    units: str | None = None
    #: Whether files that are of no earlier port may be replaced.
    overwrite: bool = False
    #: Threads of BLAS in each worker; None for as many as it likes.
    blas_threads: int | None = None
    #: Whether bars show how much of a continuous recording is written; None: on a terminal.
    progress: bool | None = False

    def __post_init__(self) -> None:
        if self.estimates not in _ESTIMATES:
            raise OptionError(
                f"Unknown estimates {self.estimates!r}. Must be one of {', '.join(_ESTIMATES)}."
            )
        if self.raw not in _RAW:
            raise OptionError(f"Unknown raw {self.raw!r}. Must be one of {', '.join(_RAW)}.")
        unknown = sorted(set(self.data_types or ()) - set(DATA_TYPES))
        if unknown or self.data_types == ():
            found = ", ".join(map(repr, unknown)) or "(none)"
            raise OptionError(f"Unknown data types {found}. Choose from {', '.join(DATA_TYPES)}.")
        if self.units not in (None, *UNITS):
            raise OptionError(f"Unknown units {self.units!r}. Choose from {', '.join(UNITS)}.")
        if wrong := wrong_rtol(self.rtol):
            raise OptionError(wrong)
