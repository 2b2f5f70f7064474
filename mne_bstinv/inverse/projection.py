"""Projectors and the average reference, applied to gain and covariances."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from mne_bstinv._data_types import ELECTRODES, upper_types
from mne_bstinv._display import few
from mne_bstinv._types import FloatArray, IntArray
from mne_bstinv.errors import InverseError
from mne_bstinv.inverse.gain import Gain
from mne_bstinv.inverse.structures import CovarianceLike
from mne_bstinv.inverse.whitening import CovarianceStatistics

__all__ = [
    "average_reference",
    "channels_in_use",
    "computed_channels",
    "gain_operator",
    "project_covariance",
    "project_gain",
]

#: Length of runs of channels from which it takes less time to copy these.
_RUN = 4
#: Fewest vectors of a product: one alone takes it several times as long.
_FEWEST = 2
#: Channels for each vector from which it takes less time to take vectors out than to multiply.
_FEW = 8
#: Relative rounding of V V' that is found from I − V V', whose diagonal is rounded to that of I.
_ROUNDING = 1e-13


def average_reference(channel_types: Sequence[str]) -> FloatArray | None:
    """Average reference operator (n, n) of the channels in use; None where it is the identity.

    Identity, but eye − ones/count on each of EEG, SEEG and ECOG with at least two channels.
    """
    upper = np.array(upper_types(channel_types))
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
    computed: IntArray | None = None,
) -> Gain:
    """Project, select and reference a gain (n_all_channels, 3 n_sources): (n_good, 3 n_sources).

    The projection is an operator on all channels, the reference on the channels kept (None: none);
    names are of all channels, ``computed`` is :func:`computed_channels` if known. A gain that is
    not finite for a channel that is kept is refused.
    """
    used = channels_in_use(gain, good, projection, names, computed)
    if projection is None and reference is None:
        whole = np.array_equal(good, np.arange(len(gain)))
        return Gain(gain) if whole else Gain(gain, _Columns(good, len(gain)).of)
    used = np.r_[good, np.setdiff1d(used, good)]
    columns = _Columns(used, len(gain))  # the others may be NaN
    of_used = None if projection is None else projection[np.ix_(used, used)]
    taken_out = _taken_out(of_used, reference, good.size)
    if taken_out is not None:
        return Gain(gain, partial(_without, columns, *taken_out))
    operator = gain_operator(good, used, projection, reference)
    return Gain(gain, partial(_multiplied, columns, np.ascontiguousarray(operator.T)))


def computed_channels(gain: FloatArray) -> IntArray:
    """Return the positions of the channels of a gain that are finite at all locations."""
    return np.flatnonzero(np.isfinite(gain.sum(axis=1)))


def channels_in_use(
    gain: FloatArray,
    good: IntArray,
    projection: FloatArray | None,
    names: Sequence[str],
    computed: IntArray | None = None,
) -> IntArray:
    """Return the channels that are kept and those that the projection mixes into them, sorted.

    0-based, of all; ``computed`` is :func:`computed_channels` if known. A gain that is not finite
    for a channel that is kept is refused.
    """
    computed = computed_channels(gain) if computed is None else computed
    without = np.setdiff1d(good, computed)
    if without.size:
        _refuse_locations(gain, good)
        listed = few(names[i] for i in without.tolist())
        raise InverseError(
            f"The gain is not finite for channel(s) in use: {listed}. The head model was not "
            "computed for them: mark them bad, or choose other data types."
        )
    if projection is None:
        return np.unique(good)
    mixed = projection[np.ix_(good, computed)].any(axis=0)
    return np.union1d(computed[mixed], good)


def gain_operator(
    good: IntArray, used: IntArray, projection: FloatArray | None, reference: FloatArray | None
) -> FloatArray:
    """Write projection, selection and reference as one operator (n_good, n_used) on channels."""
    if projection is None:
        operator = np.equal.outer(good, used).astype(np.float64)
    else:
        operator = projection[np.ix_(good, used)]
    return operator if reference is None else reference @ operator


def _multiplied(columns: _Columns, operator: FloatArray, rows: FloatArray) -> FloatArray:
    """Multiply the columns in use of rows, (m, n), by an operator (n, k)."""
    return columns.of(rows) @ operator


def _without(
    columns: _Columns, left: FloatArray, right: FloatArray, rows: FloatArray
) -> FloatArray:
    """Take X A B from the columns that are kept, the first k of those in use X (m, n) of rows.

    A is (n, r), B (r, k): for small r less work than the product with their operator.
    """
    used = columns.of(rows)
    taken_out = (used @ left) @ right
    return np.subtract(used[:, : right.shape[1]], taken_out, out=taken_out)


class _Columns:
    """Copies some columns, of so many, of pieces of rows: into the place of the copy before.

    To copy runs of columns takes a fraction of the time of taking them by their positions; from the
    cache, where the piece is copied as a whole first, half of the time of copying them from memory.
    """

    def __init__(self, index: IntArray, n_columns: int) -> None:
        self.index, self.whole = index, np.array_equal(index, np.arange(n_columns))
        runs = np.split(index, np.flatnonzero(np.diff(index) != 1) + 1)
        self.runs = [slice(run[0], run[-1] + 1) for run in runs] if index.size else []
        self.copied, self.copy = np.empty((0, n_columns)), np.empty((0, index.size))

    def of(self, rows: FloatArray) -> FloatArray:
        """Return the columns of at most as many rows as before; all of them are the rows."""
        if self.whole:
            return rows
        if self.copy.dtype != rows.dtype or len(self.copy) < len(rows):
            self.copied = np.empty(rows.shape, rows.dtype)
            self.copy = np.empty((len(rows), self.index.size), rows.dtype)
        copied, out = self.copied[: len(rows)], self.copy[: len(rows)]
        copied[...] = rows
        if len(self.runs) * _RUN > self.index.size:
            return copied.take(self.index, axis=1, out=out, mode="clip")
        return np.concatenate([copied[:, run] for run in self.runs], axis=1, out=out)


def _taken_out(
    projection: FloatArray | None, reference: FloatArray | None, k: int
) -> tuple[FloatArray, FloatArray] | None:
    """Write projection and reference as what they take out: S − A B; None if that is no less work.

    The projection (n, n; None: the identity, n = k) is of the channels in use, S selects the first
    k of them, the reference (k, k) is of these. A is (n, r), B (r, k).
    """
    projected = np.empty((k, 0)) if projection is None else _few_vectors(projection)
    referenced = np.empty((k, 0)) if reference is None else _few_vectors(reference)
    if projected is None or referenced is None:
        return None
    left = np.hstack([projected, np.zeros((len(projected), referenced.shape[1]))])
    left[:k, projected.shape[1] :] = referenced
    of_projected = projected[:k].T
    right = np.vstack([of_projected - (of_projected @ referenced) @ referenced.T, referenced.T])
    missing = max(0, _FEWEST - len(right))
    return np.pad(left, ((0, 0), (0, missing))), np.pad(right, ((0, missing), (0, 0)))


def _few_vectors(operator: FloatArray) -> FloatArray | None:
    """Find V (n, v) of an operator I − V V' (n, n), v at most n / 8; None if there is no such.

    Signal-space projections and average references are of this form. V is a Cholesky factor of V V'
    with the largest diagonal first: where that is zero, V is, so that types of channels whose units
    are of other sizes stay apart; what is left may be the rounding of its elements.
    """
    identity = np.eye(len(operator))
    rest = identity - operator
    size = np.sqrt(np.abs(np.outer(rest.diagonal(), rest.diagonal())))
    rounding = np.maximum(_ROUNDING * size, 8 * np.finfo(np.float64).eps * identity)
    vectors: list[FloatArray] = []
    while not (np.abs(rest) <= rounding).all():
        first = int(rest.diagonal().argmax())
        if len(vectors) >= len(rest) // _FEW or not rest[first, first] > 0:
            return None
        vectors.append(rest[first] / np.sqrt(rest[first, first]))
        rest -= np.outer(vectors[-1], vectors[-1])
    return np.array(vectors).reshape(-1, len(rest)).T


def _refuse_locations(gain: FloatArray, good: IntArray) -> None:
    """Refuse columns that are not finite for any channel in use: the location is meant."""
    columns = ~np.isfinite(gain[good]).any(axis=0)
    if columns.any() and not columns.all():
        where = np.unique(np.flatnonzero(columns) // 3) + 1
        raise InverseError(
            f"The gain is not finite at {where.size} location(s) (1-based: {few(where)}) for all "
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
