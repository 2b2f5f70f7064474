"""Channels that an inverse cannot use, for want of a gain or of a covariance."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from mne_bstinv import io
from mne_bstinv.conversion import Findings

__all__ = [
    "MODALITIES",
    "computed_rows",
    "flagged",
    "modalities_without",
    "unusable_channels",
]

#: Types of channels an inverse can be computed from → the modality to ask for.
MODALITIES: Mapping[str, str] = {
    "MEG": "MEG",
    "MEG MAG": "MEG",
    "MEG GRAD": "MEG",
    "EEG": "EEG",
    "SEEG": "SEEG",
    "ECOG": "ECOG",
}

Mask = NDArray[np.bool_]


def computed_rows(head_model: io.HeadModel) -> Mask:
    """Tell which channels a head model was computed for.

    Parameters
    ----------
    head_model : HeadModel
        The head model.

    Returns
    -------
    array of bool, shape (n_channels,)
        Whether the gain is finite, and not zero everywhere.
    """
    finite = np.isfinite(head_model.gain).all(axis=1)
    return np.asarray(finite & head_model.gain.any(axis=1))


def unusable_channels(
    channels: io.Channels,
    head_model: io.HeadModel | None,
    noise_cov: io.NoiseCov | None,
    data_cov: io.NoiseCov | None = None,
) -> dict[str, list[int]]:
    """Find the channels that are left out of modalities which the study has otherwise.

    Brainstorm refuses to compute sources from a good channel without gain or covariance, and
    where there is a data covariance from one that this lacks, whatever the method; MNE-Python
    computes them from the channels that have what it needs.

    Parameters
    ----------
    channels : Channels
        Channel file.
    head_model : HeadModel | None
        Head model of its channels.
    noise_cov, data_cov : NoiseCov | None
        Covariances of its channels.

    Returns
    -------
    dict of str to list of int
        What lacks them → their positions.
    """
    modality = [MODALITIES.get(kind.upper(), "") for kind in channels.types]
    lacking: dict[str, list[int]] = {}
    for what, mask in _masks(head_model, noise_cov, data_cov).items():
        there = _modalities(channels, mask)
        found = [i for i in np.flatnonzero(~mask).tolist() if modality[i] in there]
        if found:
            lacking[what] = found
    return lacking


def modalities_without(
    channels: io.Channels,
    head_model: io.HeadModel | None,
    noise_cov: io.NoiseCov | None,
    data_cov: io.NoiseCov,
) -> list[str]:
    """List the modalities that sources can be computed from, and the data covariance has none of.

    Parameters
    ----------
    channels : Channels
        Channel file.
    head_model : HeadModel | None
        Head model of its channels.
    noise_cov : NoiseCov | None
        Noise covariance of its channels; without one, nothing can be computed.
    data_cov : NoiseCov
        Data covariance of its channels.

    Returns
    -------
    list of str
        Such as ``['EEG']``.
    """
    if noise_cov is None:
        return []
    masks = _masks(head_model, noise_cov, None).values()
    needed = set.intersection(*(_modalities(channels, mask) for mask in masks))
    return sorted(needed - _modalities(channels, data_cov.noise_cov.any(axis=0)))


def _masks(
    head_model: io.HeadModel | None, noise_cov: io.NoiseCov | None, data_cov: io.NoiseCov | None
) -> dict[str, Mask]:
    """Which channels each has; of those that are there."""
    covariances = {"noise covariance": noise_cov, "data covariance": data_cov}
    masks = {} if head_model is None else {"forward solution": computed_rows(head_model)}
    return masks | {
        what: np.asarray(cov.noise_cov.any(axis=0))
        for what, cov in covariances.items()
        if cov is not None
    }


def _modalities(channels: io.Channels, mask: Mask) -> set[str]:
    found = (MODALITIES.get(channels.types[i].upper(), "") for i in np.flatnonzero(mask).tolist())
    return set(found) - {""}


def flagged(
    recordings: io.Recordings,
    lacking: Mapping[str, list[int]],
    channels: io.Channels,
    *,
    log: bool = True,
) -> io.Recordings | None:
    """Flag channels as bad.

    Parameters
    ----------
    recordings : Recordings
        Recordings of the study.
    lacking : mapping of str to list of int
        The result of :func:`unusable_channels`.
    channels : Channels
        Channel file.
    log : bool
        Whether to log the report.

    Returns
    -------
    Recordings | None
        The recordings with these channels bad, and a report that names them; None if they are
        bad already.
    """
    flags = np.ones(len(channels), dtype=np.int64)
    if recordings.channel_flag is not None:
        flags = np.array(recordings.channel_flag)
    findings = Findings()
    for what, positions in lacking.items():
        names = [channels.names[i] for i in positions if flags[i] > 0]
        if names:
            listed = ", ".join(names)
            findings.derived("ChannelFlag", f"bad, since the {what} lacks them: {listed}")
    flags[[i for positions in lacking.values() for i in positions]] = -1
    if recordings.channel_flag is not None and np.array_equal(flags, recordings.channel_flag):
        return None
    changed = dataclasses.replace(recordings, channel_flag=flags)
    return findings.attach(changed, what="study → Brainstorm protocol", log=log)
