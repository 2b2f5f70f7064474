"""A study of Brainstorm's from the objects of MNE-Python."""

from __future__ import annotations

import dataclasses
from typing import Any

import mne
from mne.utils import verbose

from mne_bstinv import io
from mne_bstinv._types import Verbose
from mne_bstinv.adapters.kept import kept_of
from mne_bstinv.adapters.recordings import from_covariance, from_evoked
from mne_bstinv.adapters.sensors import IGNORED, ON_THE_FLY, from_info
from mne_bstinv.adapters.sources import from_forward
from mne_bstinv.conversion import (
    ConversionReport,
    Findings,
    attach_with_parts,
    conversion_report,
    converts,
)
from mne_bstinv.errors import ConversionError
from mne_bstinv.studies import StudyData

__all__ = ["study_from_mne"]


@converts
@verbose
def study_from_mne(
    evoked: mne.Evoked | None,
    forward: mne.Forward,
    noise_cov: mne.Covariance,
    *,
    info: mne.Info | None = None,
    data_cov: mne.Covariance | None = None,
    mri: io.Mri | None = None,
    name: str | None = None,
    surface_file: str | None = None,
    apply_proj: bool = True,
    verbose: Verbose = None,
) -> StudyData:
    """Convert what one inverse needs to Brainstorm's structures.

    Parameters
    ----------
    evoked : mne.Evoked | None
        The response to localise, T, T/m and V; its bad channels become the ChannelFlag. ``None``
        for a study without recordings.
    forward : mne.Forward
        Forward solution in the head frame, of free orientations.
    noise_cov : mne.Covariance
        Noise covariance.
    info : mne.Info | None
        The channels of the study: all those of the other objects, and the fiducials. ``None``
        takes ``evoked.info``.
    data_cov : mne.Covariance | None
        Data covariance, for ``lcmv``.
    mri : Mri | None
        The subject's MRI, for its fiducials where ``info`` has none.
    name : str | None
        What to call the study. ``None`` takes the subject of the source spaces and the comment
        of ``evoked``.
    surface_file : str | None
        The cortex file that the locations follow, relative to the protocol's ``anat`` folder.
    apply_proj : bool
        Whether projections that are not active act on gain and covariances (Status 1), as they do
        in :func:`mne.minimum_norm.make_inverse_operator`. ``False`` lists but ignores them
        (Status 0), as when Brainstorm imports a FIF file. Active projections are Status 2 in both
        cases, and an Info that was converted from Brainstorm keeps the Status it had there.
    verbose : bool | str | int | None
        Control verbosity of the logging output.

    Returns
    -------
    StudyData
        Structures of all channels of ``info``, in SCS; ``cortex`` is the mesh of the source spaces
        where they have one. ``reports`` holds what each conversion dropped, assumed or derived:
        ``channels``, ``head_model``, ``noise_cov``, ``recordings``, ``data_cov``.

    Raises
    ------
    ConversionError
        If neither ``evoked`` nor ``info`` is given, an object has channels that ``info`` lacks, or
        ``forward`` has fixed orientations only.
    FrameError
        If the fiducials lie on one line.

    Notes
    -----
    A noise covariance of projected recordings (``noise_cov['projs']``) needs ``apply_proj=True``:
    it has no noise along the projections, and a gain that is not projected has sources there,
    which would seem to be measured without any noise.
    """
    if info is None:
        if evoked is None:
            raise ConversionError(
                "Neither evoked nor info was given: give one of them, it says what the channels "
                "are."
            )
        info = evoked.info
    channels = _channels(info, noise_cov, apply_proj)
    head_model = _head_model(forward, channels, mri, surface_file)
    converted = {
        "channels": channels,
        "head_model": head_model,
        "noise_cov": from_covariance(noise_cov, channels),
        "recordings": None if evoked is None else from_evoked(evoked, channels=channels),
        "data_cov": None if data_cov is None else from_covariance(data_cov, channels),
    }
    given: Any = {role: value for role, value in converted.items() if value is not None}
    return StudyData(
        name=_name(evoked, forward) if name is None else name,
        cortex=kept_of(head_model).get("surface"),
        mri=mri,
        reports={role: conversion_report(value) for role, value in given.items()},
        **given,
    )


def _channels(info: mne.Info, noise_cov: Any, apply_proj: bool) -> io.Channels:
    """Convert the channels; projections that are not applied yet get the Status wanted."""
    channels = from_info(info)
    inactive = [p.comment for p in channels.projectors if p.status == ON_THE_FLY]
    if apply_proj or not inactive or "channels" in kept_of(info):
        return channels
    ignored = tuple(
        dataclasses.replace(p, status=IGNORED) if p.status == ON_THE_FLY else p
        for p in channels.projectors
    )
    findings = Findings()
    findings.derived(
        "Projector.Status",
        f"0, as when Brainstorm imports a FIF file: ignored are {', '.join(inactive)}.",
    )
    gone = [str(p["desc"]) for p in noise_cov["projs"] if p["active"]]
    if gone:
        findings.assumed(
            "NoiseCov",
            f"It is of recordings that had been projected ({', '.join(gone)}), the gain is not: "
            "sources along these projections seem to be free of noise. Use apply_proj=True.",
        )
    changed = dataclasses.replace(channels, projectors=ignored)
    return attach_with_parts(findings, changed, [channels], what="Info → channels")


def _head_model(
    forward: Any, channels: io.Channels, mri: io.Mri | None, surface_file: str | None
) -> io.HeadModel:
    """Convert the forward solution; what was found when it was made is told, too."""
    head_model = from_forward(forward, channels=channels, mri=mri, surface_file=surface_file)
    findings = Findings()
    findings.include(ConversionReport(conversion_report(forward).findings))
    findings.include(conversion_report(head_model))
    return findings.attach(head_model, what="Forward → head model", log=False)


def _name(evoked: Any, forward: Any) -> str:
    subject = forward["src"][0].get("subject_his_id") or "subject"
    return str(subject) if evoked is None else f"{subject}/{evoked.comment or 'evoked'}"
