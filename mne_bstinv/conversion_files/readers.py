"""Readers as MNE-Python users expect them: a path in, the object out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mne_bstinv import io
from mne_bstinv._types import Verbose
from mne_bstinv.adapters import LabelList, to_epochs, to_labels
from mne_bstinv.adapters.files import verbose
from mne_bstinv.conversion import carry, converts, hearing
from mne_bstinv.conversion_files.companions import Companions, frame_mri
from mne_bstinv.conversion_files.convert import convert_value, kind_of_file
from mne_bstinv.conversion_files.routes import ROUTES, Arguments
from mne_bstinv.errors import BstInvError, ConversionError, MissingFileError
from mne_bstinv.io.filenames import is_average, is_block, is_link
from mne_bstinv.io.mat import PathLike
from mne_bstinv.io.result_links import is_result_link, split_link

__all__ = [
    "read_cov_brainstorm",
    "read_epochs_brainstorm",
    "read_evokeds_brainstorm",
    "read_forward_brainstorm",
    "read_info_brainstorm",
    "read_inverse_operator_brainstorm",
    "read_labels_brainstorm",
    "read_source_estimate_brainstorm",
    "read_source_spaces_brainstorm",
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
    return _read(fname, "info", {"mri": mri})


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
    return [_read(file, "evoked", given) for file in _recordings(fname, averages=True)]


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
        The trials in the order of their names; see :func:`mne_bstinv.to_epochs`.

    Raises
    ------
    ConversionError
        If the file holds something else, or the trials have different times.
    MissingFileError
        If there are no trials, or a file is missing.
    """
    files = _recordings(fname, averages=False)
    for file in files:
        _check_kind(file, "epochs")
    trials = [io.read_recordings(file) for file in files]
    given = _given(channels=channels, mri=mri)
    found = Companions(files[0], files[0].with_name("epochs"), trials[0], given)
    sensors = found.require("channels")
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
    return _read(fname, "covariance", {"channels": channels})


@converts
@verbose
def read_source_spaces_brainstorm(
    fname: PathLike,
    *,
    channels: PathLike | None = None,
    cortex: PathLike | None = None,
    mri: PathLike | None = None,
    verbose: Verbose = None,
) -> Any:
    """Read the source locations of a head model.

    Parameters
    ----------
    fname : path-like
        The head model, ``headmodel_*.mat``.
    channels : path-like | None
        The channel file, for the head frame; None looks for it by the rules of the protocol.
    cortex : path-like | None
        The cortex that the locations follow; None takes the one that the head model names.
    mri : path-like | None
        The subject's MRI; None looks for it.
    verbose : bool | str | int | None
        Control verbosity of the logging output.

    Returns
    -------
    mne.SourceSpaces
        See :func:`mne_bstinv.to_source_spaces`.

    Raises
    ------
    ConversionError
        If the file holds something else, or the files do not belong together.
    MissingFileError
        If a file is missing.
    """
    return _read(fname, "source spaces", {"channels": channels, "cortex": cortex, "mri": mri})


@converts
@verbose
def read_forward_brainstorm(
    fname: PathLike,
    *,
    channels: PathLike | None = None,
    cortex: PathLike | None = None,
    mri: PathLike | None = None,
    verbose: Verbose = None,
) -> Any:
    """Read a head model.

    Parameters
    ----------
    fname : path-like
        The head model, ``headmodel_*.mat``.
    channels : path-like | None
        The channel file; None looks for it by the rules of the protocol.
    cortex : path-like | None
        The cortex that the locations follow; None takes the one that the head model names.
    mri : path-like | None
        The subject's MRI; None looks for it.
    verbose : bool | str | int | None
        Control verbosity of the logging output.

    Returns
    -------
    mne.Forward
        See :func:`mne_bstinv.to_forward`.

    Raises
    ------
    ConversionError
        If the file holds something else, or the files do not belong together.
    MissingFileError
        If a file is missing.
    """
    return _read(fname, "forward", {"channels": channels, "cortex": cortex, "mri": mri})


@converts
@verbose
def read_inverse_operator_brainstorm(
    fname: PathLike,
    *,
    channels: PathLike | None = None,
    head_model: PathLike | None = None,
    noise_cov: PathLike | None = None,
    cortex: PathLike | None = None,
    mri: PathLike | None = None,
    verbose: Verbose = None,
) -> Any:
    """Read results as an inverse operator that gives the same estimates.

    Parameters
    ----------
    fname : path-like
        Results of a minimum norm, ``results_*.mat``.
    channels : path-like | None
        The channel file; None looks for it by the rules of the protocol.
    head_model : path-like | None
        The head model; None takes the one that the results name.
    noise_cov : path-like | None
        The noise covariance; None looks for it.
    cortex : path-like | None
        The cortex that the locations follow; None takes the one that the results name.
    mri : path-like | None
        The subject's MRI; None looks for it.
    verbose : bool | str | int | None
        Control verbosity of the logging output.

    Returns
    -------
    mne.minimum_norm.InverseOperator
        See :func:`mne_bstinv.to_inverse_operator`; how to apply it:
        :func:`mne_bstinv.inverse_parameters`.

    Raises
    ------
    ConversionError
        If the file holds something else, or results that no operator of MNE gives.
    MissingFileError
        If a file is missing.
    """
    given = {
        "channels": channels, "head_model": head_model, "noise_cov": noise_cov, "cortex": cortex,
        "mri": mri,
    }  # fmt: skip
    return _read(fname, "inverse operator", given)


@converts
@verbose
def read_source_estimate_brainstorm(
    fname: PathLike,
    *,
    recordings: PathLike | None = None,
    channels: PathLike | None = None,
    head_model: PathLike | None = None,
    cortex: PathLike | None = None,
    mri: PathLike | None = None,
    scale_leff: bool = False,
    verbose: Verbose = None,
) -> Any:
    """Read results as a source estimate.

    Parameters
    ----------
    fname : path-like
        Results, ``results_*.mat``.
    recordings : path-like | None
        The recordings that a kernel is applied to; None takes those that it names.
    channels : path-like | None
        The channel file; None looks for it by the rules of the protocol.
    head_model : path-like | None
        The head model; None takes the one that the results name.
    cortex : path-like | None
        The cortex that the locations follow; None takes the one that the results name.
    mri : path-like | None
        The subject's MRI; None looks for it.
    scale_leff : bool
        As for :func:`mne_bstinv.to_source_estimate`.
    verbose : bool | str | int | None
        Control verbosity of the logging output.

    Returns
    -------
    mne.SourceEstimate
        See :func:`mne_bstinv.to_source_estimate`.

    Raises
    ------
    ConversionError
        If the file holds something else, or the files do not belong together.
    MissingFileError
        If a file is missing.
    """
    given = {
        "recordings": recordings, "channels": channels, "head_model": head_model,
        "cortex": cortex, "mri": mri,
    }  # fmt: skip
    return _read(fname, "source estimate", given, Arguments(scale_leff=scale_leff or None))


@converts
@verbose
def read_labels_brainstorm(
    fname: PathLike,
    atlas: str | None = None,
    *,
    subject: str | None = None,
    channels: PathLike | None = None,
    mri: PathLike | None = None,
    verbose: Verbose = None,
) -> LabelList:
    """Read the scouts of a cortex.

    Parameters
    ----------
    fname : path-like
        The cortex, ``tess_cortex*.mat``.
    atlas : str | None
        The name of an atlas; None takes the current one, or the first with scouts.
    subject : str | None
        Name of the subject in MNE; None takes that of the protocol.
    channels : path-like | None
        The channel file, for the head frame, if there is no MRI.
    mri : path-like | None
        The subject's MRI, in whose frame the positions are; None looks for it.
    verbose : bool | str | int | None
        Control verbosity of the logging output.

    Returns
    -------
    LabelList
        See :func:`mne_bstinv.to_labels`.

    Raises
    ------
    ConversionError
        If there is no such atlas.
    MissingFileError
        If a file is missing.
    """
    file = _existing(fname)
    surface = io.read_surface(file)
    found = Companions(file, file.with_name("labels"), surface, _given(channels=channels, mri=mri))
    sensors = found["channels"] if channels is not None else None
    name = found.subject if subject is None else subject
    labels = to_labels(surface, atlas, subject=name, channels=sensors, mri=found["mri"])
    found.findings.tell(what=f"{file.name} → labels")
    return labels


def _read(
    fname: PathLike, goal: str, given: Mapping[str, PathLike | None], arguments: Any = None
) -> Any:
    """Read a file as an object of a kind of MNE's."""
    if is_result_link(fname):
        fname, linked = split_link(fname)
        if "recordings" in given:
            given = {**given, "recordings": given["recordings"] or linked}
    file = _existing(fname)
    kind = _check_kind(file, goal)
    companions = _given(**given)
    target = file.with_name(goal)
    options = Arguments() if arguments is None else arguments
    with hearing():
        converted, _, report = convert_value(file, target, (kind, goal), companions, options)
    return carry(converted, report)


def _check_kind(file: Path, goal: str) -> str:
    """Return the kind of a file; refuse one that does not become the goal."""
    kind = kind_of_file(file)
    wanted = sorted(start for start, end in ROUTES if end == goal)
    if kind not in wanted:
        raise ConversionError(
            f"{file}: a file of {kind or 'no known kind'} found, of {' or '.join(wanted)} expected."
        )
    return kind


def _existing(fname: PathLike) -> Path:
    file = Path(fname)
    if not file.is_file():
        raise MissingFileError(f"{file}: no such file. Check the path.")
    return file


def _given(**paths: PathLike | None) -> dict[str, PathLike]:
    """Return the companions that are given and not to be looked for."""
    return {name: path for name, path in paths.items() if path is not None}


def _recordings(fname: PathLike, *, averages: bool) -> list[Path]:
    """Return a file, or the averages or trials of a folder that are not marked as bad."""
    path = Path(fname)
    if not path.is_dir():
        return [_existing(path)]
    bad = _bad_trials(path)
    files = [f for f in sorted(path.iterdir()) if io.file_kind(f.name) == "data"]
    files = [f for f in files if f.suffix.lower() == ".mat" and f.name not in bad]
    chosen = [f for f in files if not is_link(f) and not is_block(f) and is_average(f) is averages]
    if not chosen:
        what = "averages (data_*average*.mat)" if averages else "trials (data_*.mat)"
        raise MissingFileError(f"{path}: no {what} that are not marked as bad.")
    return chosen


def _bad_trials(folder: Path) -> set[str]:
    try:
        study = io.read_study(folder / "brainstormstudy.mat")
    except BstInvError:  # outside of a protocol nothing is marked
        return set()
    return {Path(name.replace("\\", "/")).name for name in study.bad_trials}
