"""The whitener of 2009: groups of sensor types, as many rows as the rank.

Gradiometers and magnetometers are one group, whitened together with the covariances between them;
EEG, ECOG and SEEG are a group each. The ridge is a fraction of the mean variance, of its own for
each sensor type. The rows are eigenvectors over the roots of their eigenvalues, as those of the
whitener of a principal component analysis are (Kessy, Lewin & Strimmer 2018, *The American
Statistician* 72, 309–314): W C W' = I, and the rows have an arbitrary sign.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np

from mne_bstinv._data_types import upper_types
from mne_bstinv._types import FloatArray
from mne_bstinv.errors import InverseError
from mne_bstinv.inverse.options_2009 import InverseOptions2009
from mne_bstinv.inverse.spacing import spacing32
from mne_bstinv.inverse.whitening import Whitening

__all__ = ["group_whitener"]

logger = logging.getLogger("mne_bstinv")

#: The groups, in the order of the rows.
_GROUPS = ("MEG", "EEG", "ECOG", "SEEG")


def group_whitener(
    cov: FloatArray, channel_types: Sequence[str], options: InverseOptions2009
) -> Whitening:
    """Compute the whitener (rank, n) of a covariance (n, n), one group of sensor types at a time.

    The covariance is projected, referenced, and over the number of averages; types are in any case.
    An eigenvalue not above zero of a direction that is to be whitened is refused: Brainstorm's
    kernel is infinite or complex there.
    """
    upper = np.array(upper_types(channel_types))
    groups = np.array([t.split()[0] for t in upper.tolist()])
    variance = np.diag(cov).copy()
    diagonal = options.diagonal_noise or not np.any(cov - np.diag(variance))
    cov = np.diag(variance) if diagonal else cov
    ridged = np.tril(cov) + np.tril(cov, -1).T
    for kind in dict.fromkeys(upper.tolist()):
        index = np.flatnonzero(upper == kind)
        ridged[index, index] += options.ridge(kind) * variance[index].mean()
    rows, ranks, std, blocks = [], {}, {}, {}
    regularized = np.zeros_like(cov)
    for group in (g for g in _GROUPS if g in groups):
        index = blocks[group] = np.flatnonzero(groups == group)
        where = np.ix_(index, index)
        rank = len(index) if diagonal else _rank(cov[where], group)
        kept = rank if options.pca else len(index)
        rows.append(np.zeros((kept, len(cov))))
        rows[-1][:, index] = _whitened(ridged[where], kept, group)
        regularized[where], ranks[group] = ridged[where], kept
        std[group] = np.sqrt(np.linalg.svd(cov[where], compute_uv=False))
    method = "diag" if diagonal else ("reg" if options.regularize_noise else "none")
    return Whitening(
        whitener=np.concatenate(rows),
        method=method,
        ranks=ranks,
        std=std,
        regularized_cov=regularized,
        blocks=blocks,
    )


def _rank(cov: FloatArray, group: str) -> int:
    """Count singular values above n · spacing32 of the largest, all in single precision."""
    singular = np.linalg.svd(cov.astype(np.float32), compute_uv=False)
    rank = int(np.sum(singular > len(cov) * spacing32(float(singular[0]))))
    if rank == 0:
        raise InverseError(
            f"The covariance of the {len(cov)} {group} channel(s) is zero: it has no rank. "
            "Was it computed for these channels? Compute it again, or leave them out."
        )
    return rank


def _whitened(cov: FloatArray, kept: int, group: str) -> FloatArray:
    """Return eigenvectors over the roots of the largest eigenvalues, (kept, n)."""
    values, vectors = np.linalg.eigh(cov)
    values, vectors = values[::-1][:kept], vectors[:, ::-1][:, :kept]
    null = values <= len(cov) * np.finfo(float).eps * np.abs(values[0])
    if null.any():
        raise InverseError(
            f"The noise covariance of the {len(cov)} {group} channel(s) has {null.sum()} "
            f"eigenvalue(s) of {kept} that are zero or below: whitened with, Brainstorm's kernel "
            "is complex or infinite. Keep the rank only (pca), or regularise (regnoise)."
        )
    return (vectors / np.sqrt(values)).T
