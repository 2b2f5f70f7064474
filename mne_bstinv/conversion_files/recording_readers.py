"""Readers of what was measured, as MNE-Python users expect them: a path in, the object out."""

from __future__ import annotations

from typing import Any

from mne_bstinv import io
from mne_bstinv._types import Verbose
from mne_bstinv.adapters import to_epochs
from mne_bstinv.adapters.files import verbose
from mne_bstinv.conversion import converts
from mne_bstinv.conversion_files.companions import Companions, frame_mri
from mne_bstinv.conversion_files.reading import check_kind, read_as, recordings_at
from mne_bstinv.io.mat import PathLike

__all__ = [
    "read_cov_brainstorm",
    "read_epochs_brainstorm",
    "read_evokeds_brainstorm",
    "read_info_brainstorm",
]


@converts
@verbose
def read_info_brainstorm(
    fname: PathLike, *, mri: PathLike | None = None, verbose: Verbose = None
) -> Any:
    """Read the sensors of a channel file.

    Parameters
    ----------
    fname : path-like
        The channel file, ``channel*.mat``.
    mri : path-like | None
        The subject's MRI, for its fiducials where the channel file has none; None looks for it.
    verbose : bool | str | int | None
        Control verbosity of the logging output.

    Returns
    -------
    mne.Info
        See :func:`mne_bstinv.to_info`. A channel file has no sampling frequency: it is 1000 Hz.

    Raises
    ------
    ConversionError
        If the file holds something else.
    MissingFileError
        If a file is missing.
    """
    return read_as(fname, "info", {"mri": mri})


@converts
@verbose
def read_evokeds_brainstorm(
    fname: PathLike,
    *,
    channels: PathLike | None = None,
    mri: PathLike | None = None,
    verbose: Verbose = None,
) -> list[Any]:
    """Read averages.

    Parameters
    ----------
    fname : path-like
        Recordings, ``data_*.mat``, or the folder of a condition, for all averages in it that are
        not marked as bad.
    channels : path-like | None
        The channel file; None looks for it by the rules of the protocol.
    mri : path-like | None
        The subject's MRI, for its fiducials where the channel file has none; None looks for it.
    verbose : bool | str | int | None
        Control verbosity of the logging output.

    Returns
    -------
    list of mne.Evoked
        One a file, in the order of their names; see :func:`mne_bstinv.to_evoked`.

    Raises
    ------
    ConversionError
        If the file holds something else.
    MissingFileError
        If there are no averages, or a file is missing.
    """
    given = {"channels": channels, "mri": mri}
    return [read_as(file, "evoked", given) for file in recordings_at(fname, averages=True)]


@converts
@verbose
def read_epochs_brainstorm(
    fname: PathLike,
    *,
    channels: PathLike | None = None,
    mri: PathLike | None = None,
    verbose: Verbose = None,
) -> Any:
    """Read trials.

    Parameters
    ----------
    fname : path-like
        A trial, ``data_*.mat``, or the folder of a condition, for all trials in it that are not
        marked as bad.
    channels : path-like | None
        The channel file; None looks for it by the rules of the protocol.
    mri : path-like | None
        The subject's MRI, for its fiducials where the channel file has none; None looks for it.
    verbose : bool | str | int | None
        Control verbosity of the logging output.

    Returns
    -------
    mne.EpochsArray
        The trials in the order of their names, by number; see :func:`mne_bstinv.to_epochs`.

    Raises
    ------
    ConversionError
        If the file holds something else, or the trials have different times.
    MissingFileError
        If there are no trials, or a file is missing.
    """
    files = recordings_at(fname, averages=False)
    for file in files:
        check_kind(file, "epochs")
    trials = [io.read_recordings(file) for file in files]
    given = {"channels": channels, "mri": mri}
    found = Companions(files[0], files[0].with_name("epochs"), trials[0], given)
    sensors = found.require("channels")
    with found.named():
        epochs = to_epochs(trials, sensors, mri=frame_mri(sensors, found))
    found.findings.tell(what=f"{files[0].name} → epochs")
    return epochs


@converts
@verbose
def read_cov_brainstorm(
    fname: PathLike, *, channels: PathLike | None = None, verbose: Verbose = None
) -> Any:
    """Read a noise or data covariance.

    Parameters
    ----------
    fname : path-like
        The covariance, ``noisecov*.mat`` or ``ndatacov*.mat``.
    channels : path-like | None
        The channel file; None looks for it by the rules of the protocol.
    verbose : bool | str | int | None
        Control verbosity of the logging output.

    Returns
    -------
    mne.Covariance
        See :func:`mne_bstinv.to_covariance`.

    Raises
    ------
    ConversionError
        If the file holds something else.
    MissingFileError
        If a file is missing.
    """
    return read_as(fname, "covariance", {"channels": channels})
