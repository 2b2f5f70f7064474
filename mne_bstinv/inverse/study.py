"""The study step: from a study's files to the arrays of the inverse, and on to the kernel.

Selection, projection, reference and regions are in :mod:`mne_bstinv.inverse.preparation`, the
linear algebra is in :mod:`mne_bstinv.inverse.linear`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from mne_bstinv._types import AnyArray
from mne_bstinv.inverse.linear import linear_inverse
from mne_bstinv.inverse.options import AnyOptions
from mne_bstinv.inverse.preparation import PreparedStudy, prepare_study
from mne_bstinv.inverse.result import InverseResult
from mne_bstinv.inverse.structures import ChannelsLike, CovarianceLike, HeadModelLike

__all__ = ["compute_kernel", "kernel_of"]


def compute_kernel(
    head_model: HeadModelLike,
    noise_cov: CovarianceLike,
    channels: ChannelsLike,
    *,
    channel_flag: AnyArray | Sequence[int] | None = None,
    data_types: str | Sequence[str] | None = None,
    options: AnyOptions | Mapping[str, Any] | None = None,
    data_cov: CovarianceLike | None = None,
    good_channels: AnyArray | Sequence[int] | None = None,
    n_avg: float = 1,
) -> InverseResult:
    """Compute an imaging kernel from the structures of a Brainstorm study.

    Parameters
    ----------
    head_model : HeadModel
        Head model of all channels.
    noise_cov : NoiseCov
        Noise covariance of all channels.
    channels : Channels
        Channel file. Its projectors with status 1 or 2 are applied to gain and covariances, and
        so is the average reference of the EEG, SEEG and ECOG channels in use.
    channel_flag : array of int, shape (n_all_channels,) | None
        1 good, −1 bad, of the recordings; ``None`` takes all channels as good. 0 counts as good,
        as in Brainstorm, with a warning.
    data_types : str | sequence of str | None
        Of ``MEG``, ``MEG MAG``, ``MEG GRAD``, ``EEG``, ``SEEG``, ``ECOG``; ``MEG`` selects all
        three MEG types. Needed unless ``good_channels`` is given.
    options : InverseOptions | InverseOptions2009 | InverseOptions2016 | mapping | None
        The options, whose class says the year of the inverse; or a mapping with their MATLAB
        names, of 2009 or 2018. What is not given takes the default of
        Brainstorm's study step: as in :class:`~mne_bstinv.InverseOptions`, but the measure is
        ``dspm2018``. ``source_orient`` is ignored
        for mixed head models, whose regions state their own.
    data_cov : NoiseCov | None
        Data covariance of all channels, for ``lcmv``.
    good_channels : array of int | None
        0-based channels to use instead of the selection by type and flag: what a stored results
        file lists (``good_channel − 1``).
    n_avg : float
        Number of trials that the recordings are the average of (their ``n_avg``; 1 for a kernel
        that several recordings share). The inverses of 2009 and 2016 divide the noise covariance
        by it, that of 2018 does not.

    Returns
    -------
    InverseResult
        The kernel, ``estimate = kernel @ recordings[channel_indices]``, and all intermediates.

    Raises
    ------
    InverseError
        If no channel is left, or gain or covariances are not usable for the channels in use; the
        message names them.
    OptionError
        If a data type is unknown, or the orientation does not fit the head model.
    UnsupportedInverseError
        If Brainstorm itself refuses this: mixed head models in 2016 and with the scans of 2009,
        ``truncated`` orientations of MEG in a sphere, ``shrink`` of several types in 2016.
    """
    study = prepare_study(
        head_model,
        noise_cov,
        channels,
        channel_flag=channel_flag,
        data_types=data_types,
        options=options,
        data_cov=data_cov,
        good_channels=good_channels,
        n_avg=n_avg,
    )
    return kernel_of(study)


def kernel_of(study: PreparedStudy) -> InverseResult:
    """Compute an imaging kernel from a study that is prepared for it."""
    result = linear_inverse(
        study.regions,
        study.noise,
        study.channel_types,
        study.options,
        n_sources=study.n_sources,
        data=study.data,
        channel_names=study.channel_names,
        mixed=study.mixed,
        whitening=study.whitening,
    )
    return dataclasses.replace(
        result,
        channel_indices=study.channel_indices,
        n_all_channels=study.n_all_channels,
        noise_averages=study.noise_averages,
        warnings=study.warnings + result.warnings,
    )
