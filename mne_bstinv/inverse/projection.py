"""Projectors and the average reference, applied to gain and covariances."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mne_bstinv._data_types import ELECTRODES
from mne_bstinv._types import FloatArray, IntArray
from mne_bstinv.errors import InverseError
from mne_bstinv.inverse.structures import CovarianceLike
from mne_bstinv.inverse.whitening import CovarianceStatistics

__all__ = ["average_reference", "project_covariance", "project_gain"]

#: Rows of a transposed gain that are multiplied at a time.
_PIECE = 512


def average_reference(channel_types: Sequence[str]) -> FloatArray | None:
    """Average reference operator (n, n) of the channels in use; None where it is the identity.

    Identity, but eye − ones/count on each of EEG, SEEG and ECOG with at least two channels.
    """
    upper = np.array([t.strip().upper() for t in channel_types])
    operator = np.eye(len(upper))
    for kind in ELECTRODES:
        index = np.flatnonzero(upper == kind)
        if index.size >= 2:
            operator[np.ix_(index, index)] -= 1 / index.size
    return None if np.array_equal(operator, np.eye(len(upper))) else operator


def project_gain(
    gain: FloatArray,
    good: IntArray,
    projection: FloatArray | None,
    reference: FloatArray | None,
    names: Sequence[str],
) -> FloatArray:
    """Project, select and reference a gain (n_all_channels, 3 n_sources): (n_good, 3 n_sources).

    The projection is an operator on all channels, the reference on the channels kept (None: none);
    names are of all channels. The result is laid out so that the columns of a location are near
    each other; it is refused if not finite for a channel that is kept.
    """
    computed = np.flatnonzero(np.isfinite(gain.sum(axis=1)))
    without = np.setdiff1d(good, computed)
    if without.size:
        _refuse_locations(gain, good)
        listed = ", ".join(names[i] for i in without.tolist())
        raise InverseError(
            f"The gain is not finite for channel(s) in use: {listed}. The head model was not "
            "computed for them: mark them bad, or choose other data types."
        )
    if projection is None and reference is None:
        return gain[good] if good.size < len(gain) else gain
    operator = np.eye(len(gain))[good] if projection is None else projection[good]
    if reference is not None:
        operator = reference @ operator
    used = computed[operator[:, computed].any(axis=0)]
    # as a transpose: three contiguous rows a location, whatever the order of the file's gain
    return _selected_product(gain.T, used, np.ascontiguousarray(operator[:, used].T)).T


def _selected_product(rows: FloatArray, used: IntArray, operator: FloatArray) -> FloatArray:
    """Multiply some columns of rows (n, m) by an operator (n_used, k), pieces of a cache at a time.

    The columns are copied, since the others may be NaN.
    """
    product = np.empty((len(rows), operator.shape[1]))
    columns = np.empty((min(_PIECE, len(rows)), used.size), dtype=rows.dtype)
    for start in range(0, len(rows), _PIECE):
        piece = rows[start : start + _PIECE]
        chosen = piece.take(used, axis=1, out=columns[: len(piece)], mode="clip")
        np.matmul(chosen, operator, out=product[start : start + _PIECE])
    return product


def _refuse_locations(gain: FloatArray, good: IntArray) -> None:
    """Refuse columns that are not finite for any channel in use: the location is meant."""
    columns = ~np.isfinite(gain[good]).any(axis=0)
    if columns.any() and not columns.all():
        where = np.unique(np.flatnonzero(columns) // 3) + 1
        listed = ", ".join(map(str, where[:10])) + (", …" if where.size > 10 else "")
        raise InverseError(
            f"The gain is not finite at {where.size} location(s) (1-based: {listed}) for all "
            "channels in use: compute the head model again, or leave these locations out."
        )


def project_covariance(
    cov: CovarianceLike,
    good: IntArray,
    projection: FloatArray | None,
    reference: FloatArray | None,
    names: Sequence[str],
    kind: str,
) -> CovarianceStatistics:
    """Project, select and reference a covariance of all channels, with its statistics.

    It is projected on both sides; the fourth moment is left as it is, as Brainstorm does. The
    projection is an operator on all channels, the reference on the channels kept (None: none),
    which the names, for messages, are of, too; ``kind`` is ``noise`` or ``data``. What is not
    finite is refused.
    """
    if projection is None:
        matrix = cov.noise_cov[np.ix_(good, good)]
    else:  # only what is mixed in: NaN of other channels must not spread
        used = np.flatnonzero(projection[good].any(axis=0))
        weights = projection[np.ix_(good, used)]
        matrix = weights @ cov.noise_cov[np.ix_(used, used)] @ weights.T
    if reference is not None:
        matrix = reference @ matrix @ reference.T
    if not np.isfinite(matrix).all():
        raise InverseError(
            f"The {kind} covariance is not finite after projection: it holds NaN for channels that "
            f"are not in use but that a projector mixes into {names[0]} and others."
        )
    fourth = cov.fourth_moment
    samples = np.empty(0) if cov.n_samples is None else np.asarray(cov.n_samples, dtype=float)
    if samples.ndim == 2 and samples.size > 1:
        samples = samples[np.ix_(good, good)]
    return CovarianceStatistics(
        cov=matrix,
        fourth_moment=None if fourth is None else fourth[np.ix_(good, good)],
        n_samples=float(samples.flat[0]) if samples.size else None,
    )
