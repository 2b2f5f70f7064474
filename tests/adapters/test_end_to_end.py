"""MNE's own inverse, made of converted objects, is Brainstorm's when told the same thing."""

from __future__ import annotations

import dataclasses

import mne
import numpy as np
import pytest
from mne.minimum_norm import apply_inverse, make_inverse_operator
from small_sample import load_small_sample

from mne_bstinv import (
    InverseOptions,
    compute_kernel,
    source_order,
    to_covariance,
    to_evoked,
    to_forward,
    to_info,
)
from mne_bstinv.frames import scs_to_head
from mne_bstinv.inverse.projectors import projection_operator
from mne_bstinv.io import NoiseCov

SNR = 3.0


@pytest.fixture(scope="module")
def sample():
    return load_small_sample()


def _projected(sample):
    """Channels without projectors, and a gain that they were applied to.

    Brainstorm projects gain and covariance, never the recordings.
    """
    operator = projection_operator(sample.channels.projectors, len(sample.channels))
    channels = dataclasses.replace(sample.channels, projectors=())
    gain = sample.head_model.gain.copy()
    computed = np.flatnonzero(np.isfinite(gain).all(axis=1))
    gain[computed] = operator[np.ix_(computed, computed)] @ gain[computed]
    return channels, dataclasses.replace(sample.head_model, gain=gain)


def _whitened_covariance(result, n_channels) -> NoiseCov:
    """Covariance whose whitener is Brainstorm's: pinv(W W'), one sensor type at a time."""
    types = np.array(result.channel_types)
    block = np.zeros_like(result.whitener)
    for kind in set(types):
        of_kind = np.ix_(types == kind, types == kind)
        block[of_kind] = np.linalg.pinv(result.whitener[of_kind] @ result.whitener[of_kind].T)
    everything = np.zeros((n_channels, n_channels))
    everything[np.ix_(result.channel_indices, result.channel_indices)] = block
    return NoiseCov(noise_cov=everything, n_samples=540.0)


@pytest.mark.parametrize("orient", ["free", "fixed", "loose"])
def test_minimum_norm_of_both_toolboxes(sample, orient):
    options = InverseOptions(source_orient=orient, snr_fixed=SNR)
    flag = sample.recordings.channel_flag
    ours = compute_kernel(
        sample.head_model,
        sample.noise_cov,
        sample.channels,
        channel_flag=flag,
        data_types="MEG",
        options=options,
    )
    channels, head_model = _projected(sample)
    info = to_info(channels, sfreq=250.0, channel_flag=flag)
    forward = to_forward(head_model, channels, surface=sample.cortex, info=info)
    forward = mne.pick_channels_forward(
        forward, [channels.names[i] for i in ours.channel_indices], ordered=False
    )
    cov = to_covariance(_whitened_covariance(ours, len(channels)), channels, channel_flag=flag)
    rank = {kind: ours.ranks[f"MEG {kind.upper()}"] for kind in ("grad", "mag")}
    inverse = make_inverse_operator(
        info,
        forward,
        cov,
        fixed=orient == "fixed",
        loose={"fixed": 0.0, "loose": options.loose**2, "free": 1.0}[orient],
        depth={
            "exp": options.weight_exp,
            "limit": options.weight_limit ** (1 / options.weight_exp),
            "combine_xyz": "fro",
            "limit_depth_chs": False,
            "allow_fixed_depth": False,
        },
        rank=dict(rank),
        use_cps=False,
        verbose="error",
    )
    n, r = len(ours.channel_indices), sum(rank.values())
    evoked = to_evoked(sample.recordings, channels, info=info)
    evoked.nave = 1
    stc = apply_inverse(
        evoked, inverse, (r / n) / SNR**2, "MNE", pick_ori=None if orient == "fixed" else "vector"
    )
    expected = ours.apply(sample.recordings.f)
    order = source_order(forward["src"])
    if orient == "fixed":
        found = np.empty_like(expected)
        found[order] = stc.data
    else:  # vectors: from head to SCS
        rotation = scs_to_head(sample.channels).rotation
        found = np.empty((len(order), 3, expected.shape[1]))
        found[order] = np.einsum("hs,ght->gst", rotation, stc.data)
        found = found.reshape(expected.shape)
    difference = np.linalg.norm(found - expected) / np.linalg.norm(expected)
    # Through the public functions a fixed gain is cast to single precision; the regularised Gram
    # matrix Λ L L' + I multiplies a relative error by its condition number at most.
    condition = 1 + ours.lambda_ * ours.s2[0]
    precision = np.finfo(np.float32 if orient == "fixed" else np.float64).eps
    assert difference <= n * precision * condition
