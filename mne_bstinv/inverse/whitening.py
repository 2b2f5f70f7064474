"""The whitener W of a noise (or data) covariance, one sensor type at a time.

Cross-type covariances are dropped. Every method keeps the singular values of the covariance whose
square roots s satisfy s > k · spacing32(s_max), k the number of channels of the type; what is not
kept is null in W, so that W C W' is the identity on the kept subspace (for the methods that do not
regularise).
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from mne_bstinv._data_types import upper_types
from mne_bstinv._display import few
from mne_bstinv._types import FloatArray, IntArray
from mne_bstinv.errors import InverseError, UnsupportedInverseError
from mne_bstinv.inverse.spacing import spacing32
from mne_bstinv.inverse.years import YEARS, Conventions

__all__ = [
    "CovarianceStatistics",
    "Whitening",
    "compute_whitener",
    "is_diagonal",
    "rank_cut",
    "ridge_of",
    "with_ridge",
]

logger = logging.getLogger("mne_bstinv")


@dataclass(frozen=True, kw_only=True, eq=False)
class CovarianceStatistics:
    """A covariance with what shrinkage needs to know of its estimation."""

    #: Covariance, (n_channels, n_channels), in squared units of the data.
    cov: FloatArray
    #: Σ F_i² F_j² / (N − 1), (n_channels, n_channels).
    fourth_moment: FloatArray | None = None
    #: Number N of samples.
    n_samples: float | None = None

    def take(self, index: IntArray) -> CovarianceStatistics:
        """Return the statistics of some channels, by their positions."""
        block = np.ix_(index, index)
        return CovarianceStatistics(
            cov=self.cov[block],
            fourth_moment=None if self.fourth_moment is None else self.fourth_moment[block],
            n_samples=self.n_samples,
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Whitening:
    """A whitener with the numbers it was made from."""

    #: W, (n_rows, n_channels), in inverse units of the data: symmetric (n_channels rows) and block
    #: diagonal by sensor type; of 2009 as many rows as the kept rank, group after group.
    whitener: FloatArray
    #: The method really used (``'diag'`` where a diagonal covariance was found).
    method: str
    #: Rank kept for each sensor type (2009: group of types).
    ranks: Mapping[str, int]
    #: Square roots of all singular values of each of their covariances, sorted down.
    std: Mapping[str, FloatArray]
    #: The covariance that W stands for, (n_channels, n_channels), cross-type terms dropped.
    regularized_cov: FloatArray
    #: Channels of each sensor type (2009: group of types).
    blocks: Mapping[str, IntArray]
    #: What the user should know.
    warnings: tuple[str, ...] = ()

    @property
    def rank(self) -> int:
        """Total rank over the sensor types."""
        return sum(self.ranks.values())


def is_diagonal(cov: FloatArray) -> bool:
    """Whether a covariance (n, n) is diagonal to single precision.

    ‖C‖_F − ‖diag C‖ < spacing32(‖diag C‖), on the complete matrix of all sensor types, so that the
    type with the largest numbers decides.
    """
    of_diagonal = float(np.linalg.norm(np.diag(cov)))
    return bool(np.linalg.norm(cov) - of_diagonal < spacing32(of_diagonal))


def rank_cut(std: FloatArray) -> float:
    """Return what roots s must exceed to be kept, k · spacing32(s₀), in the unit of ``std``.

    The s of ``std`` (k,) are square roots of the singular values of a type's covariance, sorted
    down.
    """
    return len(std) * spacing32(std[0])


def ridge_of(std: FloatArray, fraction: float, conventions: Conventions) -> float:
    """Return the ridge of a sensor type, a variance, from all its standard deviations (k,)."""
    variances = std**2
    chosen = variances.max() if conventions.ridge == "largest" else variances.mean()
    return fraction * float(chosen)


def with_ridge(variances: FloatArray, ridge: float, conventions: Conventions) -> FloatArray:
    """Add a ridge to variances (k,), or its root to their roots, by the conventions of a year."""
    if conventions.ridge_added_to == "variances":
        return variances + ridge
    deviations = np.sqrt(np.maximum(variances, 0.0)) + np.sqrt(ridge)
    squared: FloatArray = deviations**2
    return squared


def compute_whitener(
    statistics: CovarianceStatistics,
    channel_types: Sequence[str],
    method: str,
    *,
    noise_reg: float = 0.1,
    detect_diagonal: bool = True,
    channel_names: Sequence[str] | None = None,
    conventions: Conventions = YEARS[2018],
) -> Whitening:
    """Compute the whitener of a covariance, projected and referenced, one sensor type at a time.

    Types are in any case; names are for messages (None: positions). ``noise_reg`` is the ridge of
    ``reg`` as a fraction of the mean of all eigenvalues of a type (2016: of the largest). If
    ``detect_diagonal``, a diagonal covariance turns the method into ``diag``, and ``diag`` drops
    off-diagonal terms before the decomposition, else only after. Refused: a type without rank,
    ``diag`` without variance, ``shrink`` without statistics or (2016) of several types.
    """
    cov = statistics.cov
    n = len(cov)
    names = [f"#{i + 1}" for i in range(n)] if channel_names is None else list(channel_names)
    if detect_diagonal:
        method = "diag" if is_diagonal(cov) else method
        if method == "diag":
            cov = np.diag(np.diag(cov))
    statistics = dataclasses.replace(statistics, cov=cov)
    whitener, regularized = np.zeros((n, n)), np.zeros((n, n))
    ranks: dict[str, int] = {}
    blocks: dict[str, IntArray] = {}
    std: dict[str, FloatArray] = {}
    warnings: list[str] = []
    upper = np.array(upper_types(channel_types))
    kinds = list(dict.fromkeys(upper.tolist()))
    if method == "shrink" and conventions.shrinks_one_type and len(kinds) > 1:
        raise UnsupportedInverseError(
            f"Noise method 'shrink' of 2016 takes one sensor type, found {', '.join(kinds)}: "
            "Brainstorm ends in an error. Choose one type, or another noise method."
        )
    for kind in kinds:
        index = blocks[kind] = np.flatnonzero(upper == kind)
        part = statistics.take(index)
        block = _Block(
            kind=kind,
            statistics=part,
            spectrum=_truncated(0.5 * (part.cov + part.cov.T), kind),
            noise_reg=noise_reg,
            conventions=conventions,
            names=[names[i] for i in index],
            warnings=warnings,
        )
        where = np.ix_(index, index)
        whitener[where], regularized[where], ranks[kind] = _METHODS[method](block)
        std[kind] = block.spectrum.std_all
    for message in warnings:
        logger.warning(message)
    return Whitening(
        whitener=whitener,
        method=method,
        ranks=ranks,
        std=std,
        regularized_cov=regularized,
        blocks=blocks,
        warnings=tuple(warnings),
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Spectrum:
    """Singular vectors and standard deviations kept of a covariance, and all of the latter."""

    vectors: FloatArray
    std: FloatArray
    std_all: FloatArray

    def compose(self, values: FloatArray) -> FloatArray:
        """U diag(values) U'."""
        return (self.vectors * values) @ self.vectors.T

    @property
    def rebuilt(self) -> FloatArray:
        """The covariance without what was not kept."""
        return self.compose(self.std**2)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Block:
    """One sensor type on its way to a whitener."""

    kind: str
    statistics: CovarianceStatistics
    spectrum: _Spectrum
    noise_reg: float
    conventions: Conventions
    names: list[str]
    warnings: list[str] = field(default_factory=list)


def _truncated(cov: FloatArray, kind: str) -> _Spectrum:
    # of a symmetric matrix, eigenvalues up to sign are the singular values
    values, vectors = np.linalg.eigh(cov)
    order = np.argsort(-np.abs(values), kind="stable")
    std, u = np.sqrt(np.abs(values[order])), vectors[:, order]
    rank = int(np.sum(std > rank_cut(std)))
    if rank == 0:
        raise InverseError(
            f"The covariance of the {len(std)} {kind} channel(s) is zero: it has no rank. "
            "Was it computed for these channels? Compute it again, or leave them out."
        )
    return _Spectrum(vectors=u[:, :rank], std=std[:rank], std_all=std)


_Result = tuple[FloatArray, FloatArray, int]


def _none(block: _Block) -> _Result:
    kept = block.spectrum
    return kept.compose(1 / kept.std), kept.rebuilt, len(kept.std)


def _reg(block: _Block) -> _Result:
    kept, conventions = block.spectrum, block.conventions
    ridge = ridge_of(kept.std_all, block.noise_reg, conventions)
    if conventions.ridge_added_to == "deviations":
        std = np.sqrt(with_ridge(kept.std**2, ridge, conventions))
        return kept.compose(1 / std), kept.compose(std**2), len(std)
    cov = block.statistics.cov
    regularized = 0.5 * (cov + cov.T) + ridge * np.eye(len(cov))
    variances = with_ridge(kept.std**2, ridge, conventions)
    return kept.compose(1 / np.sqrt(variances)), regularized, len(kept.std)


def _median(block: _Block) -> _Result:
    kept = block.spectrum
    std = np.maximum(kept.std, np.median(kept.std))
    return kept.compose(1 / std), kept.compose(std**2), len(std)


def _diag(block: _Block) -> _Result:
    variance = np.diag(block.spectrum.rebuilt)
    dead = [name for name, v in zip(block.names, variance, strict=True) if not v > 0]
    if dead:
        raise InverseError(
            f"Noise method 'diag': {block.kind} channel(s) {few(dead)} have no variance. "
            "Mark them bad, or use another noise method."
        )
    return np.diag(1 / np.sqrt(variance)), np.diag(variance), len(block.spectrum.std)


# Ledoit & Wolf (2004), *Journal of Multivariate Analysis* 88, 365–411, with stored fourth moments
def _shrink(block: _Block) -> _Result:
    stats = block.statistics
    if stats.fourth_moment is None or stats.n_samples is None:
        missing = "FourthMoment" if stats.fourth_moment is None else "nSamples"
        raise InverseError(
            f"Noise method 'shrink' needs {missing}, which this covariance does not hold. "
            "Recompute the covariance, or use another noise method."
        )
    cov = block.spectrum.rebuilt
    target = np.mean(np.diag(cov)) * np.eye(len(cov))
    phi = float(np.sum(stats.fourth_moment - cov**2))
    if not (np.isfinite(phi) and 0 < stats.n_samples < np.inf):
        raise InverseError(
            "Noise method 'shrink' needs a finite FourthMoment and nSamples above 0, found "
            f"nSamples {stats.n_samples:g} and moments that sum to {phi:g}. Recompute the "
            "covariance, or use another noise method."
        )
    gamma = float(np.linalg.norm(cov - target) ** 2)
    # gamma is zero only where the covariance is its own target: any delta gives the same
    delta = float(np.clip(phi / (gamma * stats.n_samples), 0, 1)) if gamma > 0 else 1.0
    if delta == 1 and len(cov) > 1:
        block.warnings.append(
            f"Shrinkage of the {block.kind} covariance is complete (delta = 1): its whitener is a "
            "multiple of the identity. FourthMoment is neither projected nor referenced, so this "
            "happens with unreferenced recordings; Brainstorm does the same."
        )
    cov = delta * target + (1 - delta) * cov
    kept = _truncated(cov, block.kind)
    return kept.compose(1 / kept.std), cov, len(kept.std)


_METHODS: dict[str, Callable[[_Block], _Result]] = {
    "none": _none,
    "reg": _reg,
    "median": _median,
    "diag": _diag,
    "shrink": _shrink,
}
