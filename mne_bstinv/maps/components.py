"""The first principal component of rows, in the three conventions that Brainstorm has had.

All of them are the first eigenvector u of a covariance of the rows, and u'·(rows, mean not
removed). They differ in the rows' mean, in the sign of u, and in where the covariance comes from.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from mne_bstinv._types import FloatArray
from mne_bstinv.errors import MapError
from mne_bstinv.maps.arrays import samples_between

__all__ = [
    "covariances_of_window",
    "first_directions",
    "legacy_component",
    "power_kept",
    "principal_direction",
    "towards",
]


def principal_direction(rows: FloatArray) -> FloatArray:
    """Return the unit vector (n_rows,) of largest variance over time, its sum not negative."""
    return _sum_not_negative(_decomposed(_demeaned(rows))[0][:, 0])


def legacy_component(rows: FloatArray) -> FloatArray:
    """Return the component (n_times,) of rows (n_rows, n_times) as Brainstorm had it before 2023.

    The sign is the one of the largest sample of the demeaned row with the largest weight, taken
    relative to the sign of the right singular vector there. Neither depends on the signs that a
    singular value decomposition happens to return.
    """
    demeaned = _demeaned(rows)
    left, right = _decomposed(demeaned)
    row = demeaned[np.argmax(np.abs(left[:, 0]))]
    sign = np.sign(_largest(right[0])) * np.sign(_largest(row))
    return sign * (left[:, 0] @ rows)


def covariances_of_window(
    parts: FloatArray,
    *,
    times: ArrayLike | None,
    window: Sequence[float | None] | None,
    baseline: Sequence[float | None] | None,
    remove_dc: bool,
) -> FloatArray:
    """Return the covariances (n_parts, n, n) over a window of parts (n_parts, n, n_times).

    The mean of the baseline window (not of the data window) is removed if asked for; sums of
    products are divided by the number of samples less one.
    """
    n_times = parts.shape[2]
    inside = parts[:, :, samples_between(times, window, n_times, "window")]
    if inside.shape[2] < 2:
        raise MapError("A covariance needs a window of at least 2 samples, found 1.")
    if remove_dc:
        before = parts[:, :, samples_between(times, baseline, n_times, "baseline")]
        inside = inside - before.mean(axis=2, keepdims=True)
    return inside @ inside.transpose(0, 2, 1) / (inside.shape[2] - 1)


def first_directions(covariances: FloatArray) -> FloatArray:
    """Return the first eigenvectors (n_parts, n) of (n_parts, n, n), their sums not negative.

    The direction of a covariance that is not finite is NaN: it stands for a location without an
    estimate, which costs no other its direction.
    """
    usable = np.isfinite(covariances).all(axis=(1, 2))
    directions = np.full(covariances.shape[:2], np.nan)
    directions[usable] = _sum_not_negative(np.linalg.eigh(covariances[usable])[1][:, :, -1])
    return directions


def towards(directions: FloatArray, reference: FloatArray) -> FloatArray:
    """Return the directions (n_parts, n), negated where their product with a reference is < 0."""
    products = (directions * reference).sum(axis=-1, keepdims=True)
    return np.where(products < 0, -directions, directions)


def power_kept(covariances: FloatArray) -> float:
    """Return what part of the summed variance of (n_parts, n, n) the first eigenvectors hold."""
    usable = covariances[np.isfinite(covariances).all(axis=(1, 2))]
    total = float(np.trace(usable, axis1=1, axis2=2).sum())
    first = float(np.linalg.eigvalsh(usable)[:, -1].sum())
    return first / total if total > 0 else float("nan")


def _demeaned(rows: FloatArray) -> FloatArray:
    return rows - rows.mean(axis=1, keepdims=True)


def _decomposed(rows: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the left and the right singular vectors, or refuse rows that have none."""
    if not np.isfinite(rows).all():
        raise MapError("Rows that are not finite have no principal component.")
    left, _, right = np.linalg.svd(rows, full_matrices=False)
    return left, right


def _sum_not_negative(vectors: FloatArray) -> FloatArray:
    return np.where(vectors.sum(axis=-1, keepdims=True) < 0, -vectors, vectors)


def _largest(vector: FloatArray) -> float:
    return float(vector[np.argmax(np.abs(vector))])
