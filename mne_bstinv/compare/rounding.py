"""How far apart rounding lets two computations of a kernel be: the conditioning of each step.

With ε = 2⁻⁵², a kernel K = R^½ L' (L L' + μ I)⁻¹ W, L = W G R^½, and everything relative:

* *Whitener*, for each sensor type. Projecting and decomposing a covariance moves it by ε λ_max, of
  the covariance before projectors and reference (Anderson et al. 1999, *LAPACK Users' Guide*, 3rd
  ed., 4.7). Whitened, that is ε λ_max / λ_kept, with λ_kept the smallest variance that is divided
  by. The system damps it: from δT = −μ T δC T for T = W (L L' + μ I)⁻¹ W follows
  |δK| ≤ |K| |δC| / λ_kept, since μ T ≤ C⁻¹.
* *Subspace*, where directions are left out. The kept ones turn towards the others by
  ε λ_max / (λ_r − λ_r+1), the gap at the cut (Davis & Kahan 1970, *SIAM J. Numer. Anal.* 7, 1–46),
  and the kernel with them.
* *System*. Inner products of N numbers round by ε √N (Higham & Mary 2019, *SIAM J. Sci. Comput.*
  41, A2815–A2835); solving with L L' + μ I multiplies that by its condition number 1 + s²_max / μ
  (Higham 2002, *Accuracy and Stability of Numerical Algorithms*, 2nd ed., theorem 7.2).

The steps are added; each is at most 1, where rounding alone decides. Scans have no system: their
locations are decomposed one by one, with the ratio of the largest to the smallest singular value
kept in its place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mne_bstinv._data_types import upper_types
from mne_bstinv._display import Displayed
from mne_bstinv._types import FloatArray, IntArray
from mne_bstinv.inverse.result import InverseResult
from mne_bstinv.inverse.whitening import rank_cut

__all__ = [
    "RoundingBound",
    "Spectrum",
    "amplification",
    "bound_of",
    "condition_of",
    "rounding_bound",
    "spectra_of",
]

EPS = float(np.finfo(np.float64).eps)
#: The year whose rank is found by another rule, in single precision.
_OTHER_CUT = 2009


@dataclass(frozen=True, kw_only=True)
class Spectrum:
    """The variances of one covariance that is decomposed at once, in squared units of the data.

    ``largest`` and ``smallest`` are the variances that the whitener divides by, ``top`` is the
    largest of the covariance as it was decomposed, and ``gap`` lies between the last kept and the
    first one left out (infinite where none is).
    """

    largest: float
    smallest: float
    top: float
    gap: float = np.inf


@dataclass(frozen=True, kw_only=True, repr=False)
class RoundingBound(Displayed):
    """What rounding allows two computations of one kernel to differ by, relative to the kernel.

    Parameters
    ----------
    whitener : mapping of str to float
        By sensor type: ε λ_max / λ_kept of the noise covariance.
    subspace : mapping of str to float
        By sensor type: ε λ_max over the gap at the cut of the rank; 0 where nothing is cut off.
    system : float
        The condition number of L L' + I/Λ times ε √N.
    undecided : tuple of str
        Sensor types whose rank is decided by rounding, with the ranks that are possible: the bound
        holds for computations that come to the same rank.
    """

    whitener: Mapping[str, float]
    subspace: Mapping[str, float]
    system: float
    undecided: tuple[str, ...] = ()

    def _summary(self) -> str:
        steps = ", ".join(f"{name} {value:.0e}" for name, value in self.steps().items())
        return f"{self.total:.0e}: {steps}"

    @property
    def total(self) -> float:
        """All steps together."""
        return sum(self.steps().values())

    def steps(self) -> dict[str, float]:
        """Return the contribution of each step.

        Returns
        -------
        dict of str to float
            By the name of the step; steps that contribute nothing are left out.
        """
        named = {f"whitener of {kind}": value for kind, value in self.whitener.items()}
        named |= {f"subspace of {kind}": value for kind, value in self.subspace.items()}
        named |= {"L L' + I/Λ": self.system}
        return {name: value for name, value in named.items() if value > 0}

    def to_dict(self) -> dict[str, Any]:
        """Return the bound as plain values, for JSON.

        Returns
        -------
        dict
            The total, the steps, and the types whose rank is undecided.
        """
        return {
            "total": self.total,
            "steps": self.steps(),
            "undecided_ranks": list(self.undecided),
        }


def bound_of(
    spectra: Mapping[str, Spectrum],
    condition: float,
    longest: int,
    undecided: tuple[str, ...] = (),
) -> RoundingBound:
    """Bound the rounding of a kernel from the spectra of its noise, see the module.

    ``condition`` is that of L L' + μ I, ``longest`` the length of the longest inner products, and
    ``undecided`` what the rank is uncertain of.
    """
    return RoundingBound(
        whitener={k: _part(max(s.top, s.largest), s.smallest) for k, s in spectra.items()},
        subspace={k: _part(s.top, s.gap) for k, s in spectra.items()},
        system=min(EPS * float(np.sqrt(longest)) * condition, 1.0),
        undecided=undecided,
    )


def _part(whole: float, part: float) -> float:
    """ε whole / part, at most 1: what is below the rounding of the whole is rounding."""
    return EPS * whole / part if part > EPS * whole else 1.0


def amplification(kernel: FloatArray, data: FloatArray, estimate: FloatArray) -> float:
    """Bound how much larger a relative change of an estimate is than that of its kernel.

    |δK Y| ≤ |δK / s| |s ∘ Y| by Cauchy and Schwarz, with s the norms of the columns of K (n_rows,
    n_channels), so that the units of channels do not matter: √n_channels |s ∘ Y| / |K Y|, at
    least 1, for recordings Y (n_channels, n_times).
    """
    columns, size = np.sqrt(_squares(kernel, "ij,ij->j")), np.sqrt(_squares(estimate, "ij,ij->"))
    reach = float(np.sqrt(len(data)) * np.linalg.norm(columns[:, None] * data))
    return max(reach / size, 1.0) if size > 0 else 1.0


def _squares(numbers: FloatArray, subscripts: str) -> Any:
    """Sum squares of rows and columns; NaN, of locations that no channel sees, counts as 0."""
    found = np.einsum(subscripts, numbers, numbers)
    if not np.isfinite(found).all():
        numbers = np.nan_to_num(numbers)
        found = np.einsum(subscripts, numbers, numbers)
    return found


def rounding_bound(result: InverseResult, cov: FloatArray | None = None) -> RoundingBound:
    """Bound how far rounding moves a kernel of Brainstorm's inverse.

    Parameters
    ----------
    result : InverseResult
        The kernel with its intermediates.
    cov : array, shape (n_all_channels, n_all_channels) | None
        The covariance of all channels before projectors and reference, which takes part where it
        is larger than what they leave: the noise covariance, of ``lcmv`` the data covariance.

    Returns
    -------
    RoundingBound
        By the formulas of the module ``compare.rounding``; for ``lcmv`` with the covariance of
        the data.
    """
    spectra, undecided = spectra_of(result, cov)
    return bound_of(spectra, condition_of(result), max(result.kernel.shape), undecided)


def spectra_of(
    result: InverseResult, cov: FloatArray | None
) -> tuple[dict[str, Spectrum], tuple[str, ...]]:
    """Return the spectra of a kernel's noise, and the types whose rank rounding decides.

    They follow from the covariance of all channels, and from covariance and whitener of the result.
    """
    spectra, undecided = {}, []
    for kind, columns in _kinds(result).items():
        whitener = result.whitener if result.data_whitener is None else result.data_whitener
        std = _std(result, kind, columns)
        raw = 0.0
        if cov is not None and result.channel_indices is not None:
            index = result.channel_indices[columns]
            raw = float(np.linalg.norm(cov[np.ix_(index, index)], 2)) / result.noise_averages
        spectra[kind] = _spectrum(whitener[:, columns], std, raw)
        if result.options.year != _OTHER_CUT:
            undecided += _undecided(kind, std)
    return spectra, tuple(undecided)


def _kinds(result: InverseResult) -> dict[str, IntArray]:
    """Return the columns that are whitened at once: of a sensor type, in 2009 of a group."""
    types = np.array(upper_types(result.channel_types))
    groups = np.array([kind.split()[0] for kind in types.tolist()])
    return {kind: np.flatnonzero((types == kind) | (groups == kind)) for kind in result.noise_std}


def _std(result: InverseResult, kind: str, columns: IntArray) -> FloatArray:
    """Return the standard deviations (n,) of what is whitened, sorted down; of lcmv the data."""
    if result.data_whitener is None or result.data_cov is None:
        return result.noise_std[kind]
    variances = np.abs(np.linalg.eigvalsh(result.data_cov[np.ix_(columns, columns)]))
    return np.sqrt(np.sort(variances)[::-1])


def _spectrum(whitener: FloatArray, std: FloatArray, raw: float) -> Spectrum:
    """Take what is divided by from the whitener, the gap from the covariance's spectrum."""
    amplitudes = np.linalg.svd(whitener, compute_uv=False)
    kept = amplitudes[amplitudes > len(std) * EPS * amplitudes[0]]
    variances, n = std**2, len(kept)
    gap = variances[n - 1] - variances[n] if n < len(std) else np.inf
    # of equal variances at the cut it is the rank that rounding decides, not a direction
    resolved = gap > _error(std)
    return Spectrum(
        largest=float(kept[-1] ** -2.0),
        smallest=float(kept[0] ** -2.0),
        top=max(float(variances[0]), raw),
        gap=float(gap) if resolved else np.inf,
    )


def _error(std: FloatArray) -> float:
    """Largest error of an eigenvalue of a covariance (n, n): n ε λ_max."""
    return len(std) * EPS * float(std[0]) ** 2


def _undecided(kind: str, std: FloatArray) -> list[str]:
    """Name the ranks of a type between which rounding decides, where it does."""
    variances, cut = std**2, rank_cut(std) ** 2
    certain = int(np.sum(variances > cut + _error(std)))
    possible = int(np.sum(variances > cut - _error(std)))
    return [f"{kind} ({certain} or {possible})"] if possible > certain else []


def condition_of(result: InverseResult) -> float:
    """Condition number of L L' + I/Λ; of scans, of the worst location's gain."""
    if result.s2 is not None and result.lambda_ is not None:
        return 1 + float(result.s2[0]) * result.lambda_
    values = result.source_decomp_sa
    if values is None or not np.any(values > 0):
        return 1.0
    smallest = np.where(values > 0, values, np.inf).min(axis=0)
    return float(np.max(values.max(axis=0) / smallest))
