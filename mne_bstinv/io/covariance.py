"""Noise and data covariances: ``noisecov_*.mat``, ``ndatacov_*.mat``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from mne_bstinv._types import FloatArray
from mne_bstinv.io import structure_files
from mne_bstinv.io.checks import covariance, definite, not_negative
from mne_bstinv.io.context import Context
from mne_bstinv.io.kinds import Array
from mne_bstinv.io.mat import PathLike
from mne_bstinv.io.schema import Structure, declare
from mne_bstinv.io.text import History, HistoryRows, Text
from mne_bstinv.io.variable import Variable

__all__ = ["NoiseCov", "read_noise_cov", "write_noise_cov"]


@dataclass(frozen=True, slots=True)
class _Counts:
    """Numbers of samples: one number, or one for every pair of channels."""

    order: int = 1
    pairs: ClassVar[Array] = Array("n_channels", "n_channels")

    def read(self, variable: Variable, context: Context) -> Any:
        one = isinstance(variable.value, int | float)
        if one and not context.fits((1, 1), self.pairs.shape):
            return float(variable.value)
        return self.pairs.read(variable, context)

    def write(self, value: Any, context: Context) -> Any:
        if isinstance(value, int | float):
            return np.array([[float(value)]])
        return self.pairs.write(value, context)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class NoiseCov(Structure):
    """A covariance of all channels, of noise or of data."""

    #: (n_channels, n_channels), T², (T/m)², V²; zeros in channels that were not computed.
    noise_cov: FloatArray = field(
        metadata=declare(
            "NoiseCov", Array("n_channels", "n_channels"), covariance, definite, unit="T² or V²"
        )
    )
    comment: str = field(default="", metadata=declare("Comment", Text()))
    #: Samples of every pair of channels (n_channels, n_channels), or one number for all.
    n_samples: FloatArray | float | None = field(
        default=None, metadata=declare("nSamples", _Counts(), not_negative)
    )
    #: Σ F_i² F_j² / (N - 1), (n_channels, n_channels).
    fourth_moment: FloatArray | None = field(
        default=None,
        metadata=declare(
            "FourthMoment",
            Array("n_channels", "n_channels", late=True),
            covariance,
            unit="T⁴ or V⁴",
        ),
    )
    history: HistoryRows = field(default=(), metadata=declare("History", History()))

    @property
    def n_channels(self) -> int:
        """Number of channels, those not computed included."""
        return len(self.noise_cov)

    def _summary(self) -> str:
        return f"{self.comment}, {self.n_channels} channels"


def read_noise_cov(fname: PathLike) -> NoiseCov:
    """Read a noise or data covariance file.

    Parameters
    ----------
    fname : path-like
        The file, ``noisecov_*.mat`` or ``ndatacov_*.mat``.

    Returns
    -------
    NoiseCov
        The covariance (n_channels, n_channels) in squared SI units.

    Raises
    ------
    MissingFileError
        If the file does not exist.
    MatFileError
        If it is no MATLAB file, or damaged.
    SchemaError
        If it does not hold a covariance; it lists all faults.
    """
    return structure_files.read(NoiseCov, fname)


def write_noise_cov(fname: PathLike, noise_cov: NoiseCov, *, overwrite: bool = False) -> None:
    """Write a noise or data covariance file.

    Parameters
    ----------
    fname : path-like
        The file, ``noisecov_*.mat`` or ``ndatacov_*.mat``.
    noise_cov : NoiseCov
        The covariance.
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
    structure_files.write(NoiseCov, fname, noise_cov, overwrite=overwrite)
