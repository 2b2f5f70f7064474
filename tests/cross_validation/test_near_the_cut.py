"""Covariances whose smallest variances lie at the cut of the rank: verdicts and attributions."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from mne_bstinv import InverseOptions, compute_kernel, io
from mne_bstinv.cross_validation import cross_validate
from mne_bstinv.inverse.whitening import rank_cut
from mne_bstinv.studies import load_study

#: Largest variance, V².
LARGEST = 1e-11
#: No part of an attribution is above 1000 %.
MOST = 10.0


@pytest.fixture(scope="module")
def study(data_dir):
    return load_study(next((data_dir / "eeg_surface").rglob("data_average*.mat")))


def good_channels(study):
    flags = study.recordings.channel_flag
    return [i for i, kind in enumerate(study.channels.types) if kind == "EEG" and flags[i] > 0]


def with_small(study, times_cut: float, n_small: int):
    """Place the smallest variances of a referenced covariance at a multiple of the cut."""
    good = good_channels(study)
    n, rng = len(good), np.random.default_rng(0)
    # the mean of the channels has no variance
    vectors = np.linalg.qr(np.column_stack([np.ones(n), rng.standard_normal((n, n - 1))]))[0][:, 1:]
    variances = LARGEST * np.logspace(0, -3, n - 1)
    std = np.sqrt(np.append(variances, 0.0))
    variances[-n_small:] = (times_cut * rank_cut(std)) ** 2
    matrix = np.zeros_like(study.noise_cov.noise_cov)
    matrix[np.ix_(good, good)] = (vectors * variances) @ vectors.T
    return dataclasses.replace(study, noise_cov=changed(study.noise_cov, matrix))


def changed(cov: io.NoiseCov, matrix: np.ndarray) -> io.NoiseCov:
    return dataclasses.replace(cov, noise_cov=(matrix + matrix.T) / 2)


def projected(study):
    """Two projectors applied on the fly, of which the covariance knows nothing."""
    n = len(study.channels)
    vectors = np.zeros((n, 2))
    good = good_channels(study)
    vectors[good] = np.linalg.qr(np.random.default_rng(1).standard_normal((len(good), 2)))[0]
    projector = io.Projector(
        comment="two", components=vectors, comp_mask=np.ones(2, dtype=np.int64), status=1,
        sing_val=np.array([2.0, 1.0]), method="SSP_pca",
    )  # fmt: skip
    return dataclasses.replace(
        study, channels=dataclasses.replace(study.channels, projectors=(projector,))
    )


@pytest.mark.parametrize(
    ("times_cut", "n_small", "method", "has_projectors"),
    [
        (10, 1, "none", False),
        (1.01, 1, "reg", False),
        (0.99, 4, "none", False),
        (1e-3, 4, "median", False),
        (2, 4, "none", True),
    ],
)
def test_no_verdict_is_rounding_and_no_part_is_absurd(
    study, times_cut, n_small, method, has_projectors
):
    study = with_small(study, times_cut, n_small)
    if has_projectors:
        study = projected(study)
    options = InverseOptions(noise_method=method)
    result = cross_validate(study, options=options, data_types="EEG", shapley_limit=4)
    assert result.twin_difference <= result.bound
    assert "NOT" not in result.verdict
    assert result.passed
    assert result.attribution.remainder <= result.remainder_bound
    numbers = [
        value
        for step in result.attribution
        for value in (step.change, step.increment, step.distance, step.shapley,
                      step.alone_from_brainstorm, step.alone_from_mne)
        if value is not None
    ]  # fmt: skip
    assert np.abs(numbers).max() <= MOST
    # a change of the covariance in the last place moves the kernel by less than the bound
    signs = np.random.default_rng(2).choice([-1.0, 1.0], study.noise_cov.noise_cov.shape)
    moved = changed(
        study.noise_cov, study.noise_cov.noise_cov * (1 + np.finfo(np.float64).eps * signs)
    )
    one, other = (
        compute_kernel(
            study.head_model, cov, study.channels, good_channels=good_channels(study),
            options=options,
        ).kernel
        for cov in (study.noise_cov, moved)
    )  # fmt: skip
    assert np.linalg.norm(one - other) <= result.rounding * np.linalg.norm(one)
    # near the cut, rounding allows more than the usual tolerance
    assert (result.rounding > result.rtol) == (times_cut > 1)
