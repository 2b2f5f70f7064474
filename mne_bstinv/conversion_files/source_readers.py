"""Readers of sources, as MNE-Python users expect them: a path in, the object out."""

from __future__ import annotations

from typing import Any

from mne_bstinv import io
from mne_bstinv._types import Verbose
from mne_bstinv.adapters import LabelList, to_labels
from mne_bstinv.adapters.files import verbose
from mne_bstinv.conversion import converts
from mne_bstinv.conversion_files.arguments import Arguments
from mne_bstinv.conversion_files.companions import Companions, existing_file
from mne_bstinv.conversion_files.reading import read_as
from mne_bstinv.io.mat import PathLike

__all__ = [
    "read_forward_brainstorm",
    "read_inverse_operator_brainstorm",
    "read_labels_brainstorm",
    "read_source_estimate_brainstorm",
    "read_source_spaces_brainstorm",
]


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
    return read_as(fname, "source spaces", {"channels": channels, "cortex": cortex, "mri": mri})


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
    return read_as(fname, "forward", {"channels": channels, "cortex": cortex, "mri": mri})


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
    return read_as(fname, "inverse operator", given)


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
    return read_as(fname, "source estimate", given, Arguments(scale_leff=scale_leff or None))


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
    file = existing_file(fname)
    surface = io.read_surface(file)
    given = {"channels": channels, "mri": mri}
    found = Companions(file, file.with_name("labels"), surface, given)
    sensors = found["channels"] if channels is not None else None
    name = found.subject if subject is None else subject
    with found.named():
        labels = to_labels(surface, atlas, subject=name, channels=sensors, mri=found["mri"])
    found.findings.tell(what=f"{file.name} → labels")
    return labels
