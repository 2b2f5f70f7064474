"""The whitener of 2009: groups, ranks, ridges."""

from __future__ import annotations

import numpy as np
import pytest
from inverse_problems import covariance_of, orthogonal

from mne_bstinv.errors import InverseError
from mne_bstinv.inverse import InverseOptions2009
from mne_bstinv.inverse.group_whitening import group_whitener

PLAIN = InverseOptions2009(regularize_noise=False)
RIDGES = InverseOptions2009(mag_reg=0.1, grad_reg=0.2, eeg_reg=0.3, ecog_reg=0.4, seeg_reg=0.5)


def full_rank(n, seed=0, condition=4):
    rng = np.random.default_rng(seed)
    return covariance_of(orthogonal(rng, n), np.geomspace(1, 1 / condition, n))


@pytest.mark.parametrize("pca", [True, False])
def test_whitens(pca):
    cov = full_rank(7)
    options = InverseOptions2009(regularize_noise=False, pca=pca)
    whitening = group_whitener(cov, ["EEG"] * 7, options)
    w = whitening.whitener
    np.testing.assert_allclose(w @ cov @ w.T, np.eye(7), atol=1e-13)
    np.testing.assert_allclose(whitening.std["EEG"], np.sqrt(np.geomspace(1, 0.25, 7)), rtol=1e-13)
    assert whitening.method == "none"


def test_rows_are_group_after_group_whatever_the_order_of_the_channels():
    types = ["SEEG", "EEG", "meg mag", "ECOG", "MEG GRAD", "EEG", "SEEG"]
    whitening = group_whitener(full_rank(7), types, RIDGES)
    rows = [np.flatnonzero(row).tolist() for row in whitening.whitener]
    assert rows == [[2, 4], [2, 4], [1, 5], [1, 5], [3], [0, 6], [0, 6]]
    assert list(whitening.ranks.items()) == [("MEG", 2), ("EEG", 2), ("ECOG", 1), ("SEEG", 2)]


def test_covariances_between_groups_are_dropped_and_within_meg_kept():
    types = ["MEG MAG", "MEG GRAD", "MEG", "EEG"]
    cov = full_rank(4, seed=1)
    whitening = group_whitener(cov, types, PLAIN)
    expected = np.array(cov)
    expected[:3, 3] = expected[3, :3] = 0
    np.testing.assert_allclose(whitening.regularized_cov, expected, rtol=1e-14)


def test_ridges_are_fractions_of_the_mean_variance_of_a_type():
    types = ["MEG MAG", "MEG GRAD", "MEG", "EEG", "ECOG", "SEEG", "MEG GRAD", "EEG"]
    cov = full_rank(8, seed=2)
    variance = np.diag(cov)
    added = np.diag(group_whitener(cov, types, RIDGES).regularized_cov) - variance
    expected = [
        0.1 * variance[0],
        0.2 * variance[[1, 6]].mean(),
        0.2 * variance[2],  # MEG has the fraction of the gradiometers, of its own mean
        0.3 * variance[[3, 7]].mean(),
        0.4 * variance[4],
        0.5 * variance[5],
        0.2 * variance[[1, 6]].mean(),
        0.3 * variance[[3, 7]].mean(),
    ]
    np.testing.assert_allclose(added, expected, rtol=1e-12)


def test_the_rank_is_that_before_the_ridge():
    rng = np.random.default_rng(3)
    cov = covariance_of(orthogonal(rng, 6), [1, 0.5, 0.3, 0.2, 0, 0])
    options = InverseOptions2009(eeg_reg=0.5)
    whitening = group_whitener(cov, ["EEG"] * 6, options)
    assert whitening.whitener.shape == (4, 6)
    everything = group_whitener(cov, ["EEG"] * 6, InverseOptions2009(eeg_reg=0.5, pca=False))
    assert everything.whitener.shape == (6, 6)
    assert everything.ranks == {"EEG": 6}


def test_rank_is_counted_in_single_precision():
    """Kept above n · spacing32 of the largest: 6 · 2⁻²³ of one, whatever the scale."""
    threshold = 6 * 2.0**-23
    for scale in (1.0, 2.0**-40, 2.0**-90):
        # the last one is above it in double precision, and not in single
        for factor, rank in ((1.02, 6), (0.98, 5), (1 + 2.0**-30, 5)):
            cov = scale * np.diag([1, 0.9, 0.8, 0.7, 0.6, factor * threshold])
            cov[0, 1] = cov[1, 0] = 1e-9 * scale  # not diagonal
            whitening = group_whitener(cov, ["EEG"] * 6, PLAIN)
            assert whitening.ranks == {"EEG": rank}, (scale, factor)


@pytest.mark.parametrize("pca", [True, False])
def test_exactly_diagonal_is_of_full_rank(pca):
    """However small a variance is; one covariance that is not zero makes it an ordinary one."""
    cov = np.diag([1.0, 0.5, 1e-9])
    options = InverseOptions2009(regularize_noise=False, pca=pca)
    whitening = group_whitener(cov, ["EEG"] * 3, options)
    assert whitening.method == "diag"
    np.testing.assert_allclose(
        whitening.whitener.T @ whitening.whitener, np.diag(1 / np.diag(cov)), rtol=1e-14
    )
    cov[0, 1] = cov[1, 0] = 1e-12
    assert group_whitener(cov, ["EEG"] * 3, PLAIN).ranks == {"EEG": 2}


def test_asked_for_diagonal():
    cov = full_rank(5, seed=4)
    options = InverseOptions2009(diagonal_noise=True, eeg_reg=0.25)
    whitening = group_whitener(cov, ["EEG"] * 5, options)
    variance = np.diag(cov)
    expected = np.diag(1 / (variance + 0.25 * variance.mean()))
    np.testing.assert_allclose(whitening.whitener.T @ whitening.whitener, expected, atol=1e-14)
    assert whitening.method == "diag"


def test_the_lower_triangle_counts():
    cov = full_rank(4, seed=5)
    lower = np.tril(cov)
    one, other = (group_whitener(c, ["EEG"] * 4, RIDGES).whitener for c in (cov, lower))
    np.testing.assert_allclose(other.T @ other, one.T @ one, rtol=1e-12)


@pytest.mark.parametrize(
    ("cov", "options", "message"),
    [
        (np.zeros((3, 3)), PLAIN, r"EEG channel\(s\) has 3 eigenvalue\(s\) of 3"),
        (np.diag([1.0, 1.0, 0.0]), PLAIN, r"EEG channel\(s\) has 1 eigenvalue\(s\) of 3"),
        (
            np.full((3, 3), 1.0),
            InverseOptions2009(regularize_noise=False, pca=False),
            r"has 2 eigenvalue\(s\) of 3 that are zero or below.*Keep the rank only \(pca\)",
        ),
        (np.array([[1.0, 2, 0], [2, 1, 0], [0, 0, 1]]), PLAIN, r"has 1 eigenvalue\(s\) of 3"),
    ],
)
def test_what_cannot_be_whitened(cov, options, message):
    with pytest.raises(InverseError, match=message):
        group_whitener(cov, ["EEG"] * 3, options)


def test_a_group_without_any_rank():
    cov = full_rank(4, seed=6)
    cov[2:] = cov[:, 2:] = 0
    with pytest.raises(InverseError, match=r"covariance of the 2 EEG channel\(s\) is zero"):
        group_whitener(cov, ["MEG", "MEG", "EEG", "EEG"], PLAIN)
