"""Brainstorm's inverse as :class:`mne.minimum_norm.InverseOperator`."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import mne
import numpy as np
from mne.io.constants import FIFF
from mne.utils import verbose

from mne_bstinv import io
from mne_bstinv._data_types import upper_types
from mne_bstinv._types import AnyArray, Verbose
from mne_bstinv.adapters.channel_names import match_channel_names, with_mne_names
from mne_bstinv.adapters.kept import keep
from mne_bstinv.adapters.operators.arrays import noise_spectrum, operator_arrays
from mne_bstinv.adapters.operators.operator_dicts import (
    noise_covariance,
    operator_info,
    reference_projections,
    solution,
)
from mne_bstinv.adapters.operators.parameters import (
    NOT_COMPARABLE,
    UP_TO_FACTOR,
    InverseParameters,
    claim,
    for_averages,
    parameters_of,
)
from mne_bstinv.adapters.sensors import NO_SFREQ, to_info
from mne_bstinv.adapters.sources import SourceMap, source_map
from mne_bstinv.conversion import (
    ConversionReport,
    Findings,
    attach_with_parts,
    carry,
    conversion_report,
    converts,
)
from mne_bstinv.errors import ConversionError
from mne_bstinv.frames import scs_to_surface_ras
from mne_bstinv.inverse.options import AnyOptions
from mne_bstinv.inverse.options_2009 import InverseOptions2009
from mne_bstinv.inverse.preparation import PreparedStudy, prepare_study
from mne_bstinv.studies.normals import with_normals

__all__ = ["to_inverse_operator"]


@converts
@verbose
def to_inverse_operator(
    head_model: io.HeadModel,
    noise_cov: io.NoiseCov,
    channels: io.Channels,
    options: AnyOptions | Mapping[str, Any] | None = None,
    *,
    channel_flag: AnyArray | Sequence[int] | None = None,
    data_types: str | Sequence[str] | None = None,
    good_channels: AnyArray | Sequence[int] | None = None,
    n_avg: float = 1,
    surface: io.Surface | None = None,
    mri: io.Mri | None = None,
    subject: str | None = None,
    info: mne.Info | None = None,
    src: mne.SourceSpaces | None = None,
    verbose: Verbose = None,
) -> Any:
    """Build an MNE inverse operator that gives Brainstorm's estimates.

    The operator is put together in double precision from Brainstorm's whitener, depth weights and
    orientation; :func:`inverse_parameters` tells with which arguments ``apply_inverse`` and its
    kin give Brainstorm's estimate, and how exactly.

    Parameters
    ----------
    head_model : HeadModel
        Head model of all channels.
    noise_cov : NoiseCov
        Noise covariance of all channels.
    channels : Channels
        Channel file. Its projectors go into gain and covariance, not into the operator: in
        Brainstorm the kernel meets the recordings as they are stored.
    options : InverseOptions | InverseOptions2009 | InverseOptions2016 | mapping | None
        As for :func:`mne_bstinv.compute_kernel`. The minimum norm of 2009 is MNE's own (trace of
        the source covariance scaled to the rank, λ² = 1/SNR², noise over the number of averages).
    channel_flag : array of int, shape (n_all_channels,) | None
        1 good, −1 bad; ``None`` takes all channels as good.
    data_types : str | sequence of str | None
        Types of the channels to use; needed unless ``good_channels`` is given.
    good_channels : array of int | None
        0-based channels to use instead, such as ``results.good_channel - 1``.
    n_avg : float
        Number of trials that the recordings are the average of, as for
        :func:`mne_bstinv.compute_kernel`: in 2009 and 2016 the parameters pass it on as ``nave``.
    surface : Surface | None
        The cortex that the locations follow.
    mri : Mri | None
        The subject's MRI.
    subject : str | None
        Name of the subject in MNE.
    info : mne.Info | None
        Info to take the channels from instead of the channel file.
    src : mne.SourceSpaces | None
        Source spaces of this head model in head, to use as they are.
    verbose : bool | str | int | None
        Control verbosity of the logging output.

    Returns
    -------
    mne.minimum_norm.InverseOperator
        The operator, in the head frame, sources in MNE's order, channels in Brainstorm's. The
        report keeps ``parameters``, ``options``, ``order``, ``scs_to_head``, ``good_channels``
        (0-based) and ``noise_method``.

    Raises
    ------
    ConversionError
        If the options ask for no minimum norm, or what is given does not belong together.
    InverseError
        If the inverse cannot be computed.
    OptionError
        If an option is unknown or out of range.
    """
    findings = Findings()
    model = with_normals(head_model, surface, findings)
    study = prepare_study(
        model,
        noise_cov,
        with_mne_names(channels),
        channel_flag=channel_flag,
        data_types=data_types,
        options=options,
        good_channels=good_channels,
        n_avg=n_avg,
    )
    if info is None:  # the operator applies no projector of the channel file, see below
        bare = carry(dataclasses.replace(channels, projectors=()), conversion_report(channels))
        info = to_info(bare, sfreq=NO_SFREQ, channel_flag=channel_flag, mri=mri)
    return operator_of_prepared(
        study, model, channels, info, findings, surface=surface, mri=mri, subject=subject, src=src
    )


@converts
def operator_of_prepared(
    study: PreparedStudy,
    model: io.HeadModel,
    channels: io.Channels,
    info: mne.Info,
    findings: Findings,
    *,
    surface: io.Surface | None = None,
    mri: io.Mri | None = None,
    subject: str | None = None,
    src: mne.SourceSpaces | None = None,
) -> Any:
    """Build the operator of a study that is prepared for it, as :func:`to_inverse_operator` does.

    Parameters
    ----------
    study : PreparedStudy
        What the study step made, with MNE's names of channels.
    model : HeadModel
        The head model, with normals where they are known.
    channels : Channels
        The channel file.
    info : mne.Info
        Info to take the channels from.
    findings : Findings
        What was found before.
    surface : Surface | None
        The cortex that the locations follow.
    mri : Mri | None
        The subject's MRI.
    subject : str | None
        Name of the subject in MNE.
    src : mne.SourceSpaces | None
        Source spaces of this head model in head, to use as they are.

    Returns
    -------
    mne.minimum_norm.InverseOperator
        The operator.

    Raises
    ------
    ConversionError
        As :func:`to_inverse_operator`.
    """
    if not study.options.is_minimum_norm:
        raise ConversionError(
            f"InverseMethod {study.options.method!r} is no minimum norm, and MNE's InverseOperator "
            "holds nothing else: convert its results with to_source_estimate."
        )
    sources = source_map(
        model, findings, src=src, channels=channels, surface=surface, mri=mri, subject=subject
    )
    if any(projector.status in (1, 2) for projector in channels.projectors):
        findings.derived(
            "Projector",
            "Projectors went into gain and covariance; the operator applies none of them to data: "
            "give it data as the recordings file stores them (EpochsArray with proj=False).",
        )
    operator = _build(study, sources, info, mri, findings)
    inherited = [sources.src, _sensors_of(info)]
    made = attach_with_parts(findings, operator, inherited, what="options → InverseOperator")
    # the noise was divided by them, as MNE will do
    return for_averages(made, int(study.noise_averages))


def _build(
    study: PreparedStudy, sources: SourceMap, info: mne.Info, mri: io.Mri | None, findings: Findings
) -> Any:
    options = study.options
    whitening = study.whitening
    for message in whitening.warnings:
        findings.derived("NoiseCov", message)
    noise = noise_spectrum(whitening)
    arrays = operator_arrays(
        study, noise, sources.order, sources.frame.rotation, n_whitened=len(whitening.whitener)
    )
    picks = match_channel_names(study.channel_names, info["ch_names"])
    names = [info["ch_names"][i] for i in picks]
    projs = reference_projections(whitening.whitener, study.channel_types, names, findings)
    parameters = parameters_of(options, tuple(r.orient for r in study.regions), arrays, projs)
    mri_head_t = _mri_head_t(sources, mri)
    operator: Any = mne.minimum_norm.InverseOperator(
        **solution(arrays, names),
        noise_cov=noise_covariance(noise, names, study.noise.n_samples, parameters.to_text()),
        info=operator_info(info, picks, projs, mri_head_t, sources.regions),
        projs=projs,
        src=sources.src,
        coord_frame=int(FIFF.FIFFV_COORD_HEAD),
        mri_head_t=mri_head_t,
        methods=_methods(study.channel_types),
        proj=[],
        whitener=[],
        reginv=[],
        noisenorm=[],
    )
    _report(findings, study, parameters, whitening.method, arrays.n_unseen)
    return operator


def _sensors_of(info: mne.Info) -> Any:
    """Carry what was noted of the sensors: the projectors of the Info are not the operator's."""
    report = conversion_report(info)
    of_sensors = tuple(one for one in report if not one.field.startswith("Projector"))
    return carry(SimpleNamespace(), ConversionReport(of_sensors))


def _report(
    findings: Findings,
    study: PreparedStudy,
    parameters: InverseParameters,
    noise_method: str,
    n_unseen: int,
) -> None:
    options = study.options
    keep(
        findings,
        parameters=parameters,
        options=options,
        noise_method=noise_method,
        good_channels=study.channel_indices,
    )
    said = claim(parameters)
    findings.derived(said.field, said.reason)
    if parameters.parity == NOT_COMPARABLE:
        findings.dropped("InverseMeasure", parameters.reason)
    elif parameters.parity == UP_TO_FACTOR:
        findings.derived(
            "InverseMeasure", f"{parameters.reason} Here √Λ = {parameters.factor:.6g}."
        )
    if not isinstance(options, InverseOptions2009) and noise_method != options.noise_method:
        findings.derived(
            "NoiseMethod",
            f"The covariance is diagonal: {noise_method!r} was used, as Brainstorm does.",
        )
    if options.measure == "dspm2018":
        findings.derived(
            "Leff",
            "dspm2018 is for one sample: it is not scaled by the number of averages. Brainstorm's "
            "process 'Scale averaged dSPM' multiplies by √Leff.",
        )
    if n_unseen and options.measure != "amplitude":
        findings.derived(
            "Gain",
            f"{n_unseen} locations have no gain: their estimates are NaN, and MNE warns of "
            "dividing by zero.",
        )


def _methods(types: Sequence[str]) -> int:
    meg = {kind.startswith("MEG") for kind in upper_types(types)}
    if meg == {True, False}:
        return int(FIFF.FIFFV_MNE_MEG_EEG)
    return int(FIFF.FIFFV_MNE_MEG if True in meg else FIFF.FIFFV_MNE_EEG)


def _mri_head_t(sources: SourceMap, mri: io.Mri | None) -> Any:
    matrix = np.eye(4)
    if mri is not None:
        matrix = sources.frame.matrix @ np.linalg.inv(scs_to_surface_ras(mri).matrix)
    return mne.Transform("mri", "head", matrix)
