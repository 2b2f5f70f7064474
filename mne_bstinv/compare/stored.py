"""Is a recomputed kernel the one that Brainstorm stored? By the rule that fits each output.

Some outputs are not unique: the tangents of a loose orientation and the signs and bases of
singular vectors are arbitrary. They are compared by what does not depend on the choice.

==========================================  ================================================
output                                      compared
==========================================  ================================================
fixed, free: amplitude, dspm2018, sloreta   the rows
loose: amplitude                            the rows
loose: dspm2018, sloreta                    K_i' K_i of each location
gls, lcmv, one component                    the rows, up to the sign of each
gls, lcmv, three components                 K_i' D K_i of each location, D the directions seen
gls, lcmv, mixed head models                nothing: Brainstorm keeps only the last region
2016                                        as 2018, dspm as dspm2018
2009: wmne, dspm, sloreta, gls, glsr, mnej  the rows, of loose too: they are along x, y, z
2009: gls_p, glsr_p, mnej_p                 as gls and lcmv
==========================================  ================================================
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mne_bstinv._data_types import upper_types
from mne_bstinv._display import Displayed
from mne_bstinv._types import FloatArray
from mne_bstinv._verdicts import NOT_COMPARABLE, RTOL
from mne_bstinv.compare.rounding import rounding_bound
from mne_bstinv.inverse.result import InverseResult, RegionRows

__all__ = ["Agreement", "compare_rows", "compare_with_stored"]


EQUAL = "equal"
EQUAL_UP_TO_SIGN = "equal up to sign"
EQUAL_INVARIANTS = "equal invariants"
DIFFERS = "differs"

#: Largest relative difference that counts as equal where Brainstorm's own rounding is large.
LOOSE_2009_RTOL = 1e-6
#: The ways to be equal, the strictest first.
EQUALS = (EQUAL, EQUAL_UP_TO_SIGN, EQUAL_INVARIANTS)

#: Numbers that are compared at a time, while they are in the cache.
_AT_ONCE = 2**17


@dataclass(frozen=True, kw_only=True, repr=False)
class Agreement(Displayed):
    """Outcome of a comparison.

    Parameters
    ----------
    status : str
        ``'equal'``, ``'equal up to sign'``, ``'equal invariants'``, ``'differs'`` or
        ``'not comparable'``.
    relative_difference : float | None
        Relative Frobenius difference of what was compared, the largest over regions.
    reason : str
        Why not equal; or what was left out.
    bound : float | None
        Largest relative difference that counts as equal: the tolerance that was asked for, or what
        rounding allows where that is more; ``None`` where nothing was compared.
    rtol : float
        The tolerance that was asked for.
    """

    status: str
    relative_difference: float | None = None
    reason: str = ""
    bound: float | None = None
    rtol: float = RTOL

    def _summary(self) -> str:
        number = self.relative_difference
        if number is None:
            return self.status
        within = " within rounding" if self.within_rounding else ""
        bound = "" if self.bound is None else f" (bound {self.bound:.0e})"
        return f"{self.status}{within}, {number:.1e}{bound}"

    @property
    def within_rounding(self) -> bool:
        """Whether it is equal only since rounding allows more than ``rtol``."""
        number = self.relative_difference
        return self.status in EQUALS and number is not None and number > self.rtol


def compare_with_stored(
    result: InverseResult,
    stored: FloatArray,
    *,
    computed: FloatArray | None = None,
    stored_sa: FloatArray | None = None,
    rtol: float = RTOL,
    rounding: float | None = None,
) -> Agreement:
    """Compare a recomputed kernel, or an estimate made with it, with a stored one.

    Parameters
    ----------
    result : InverseResult
        The recomputed kernel.
    stored : array, shape (n_rows, n)
        Stored kernel (n channels), or stored estimate (n times).
    computed : array, shape (n_rows, n) | None
        What to compare with ``stored``; ``None`` takes the kernel.
    stored_sa : array | None
        Stored singular values (``gls`` and ``lcmv``): directions that they set to zero are
        arbitrary and left out.
    rtol : float
        Largest relative Frobenius difference that counts as equal, where rounding does not allow
        more.
    rounding : float | None
        Relative difference that rounding allows; ``None`` takes that of the kernel,
        :func:`~mne_bstinv.compare.rounding_bound`.

    Returns
    -------
    Agreement
        Status, difference, bound and reason.
    """
    computed = result.kernel if computed is None else computed
    if computed.shape != stored.shape:
        return Agreement(
            status=DIFFERS,
            reason=f"stored rows × columns are {stored.shape}, recomputed {computed.shape}",
        )
    scanning = _is_projection(result)
    if scanning and result.n_components == 0:
        return Agreement(
            status=NOT_COMPARABLE,
            reason="gls and lcmv on a mixed head model: Brainstorm stores the rows of the last "
            "region only, at the top of an otherwise empty kernel",
        )
    bound = max(rtol, rounding_bound(result).total if rounding is None else rounding)
    outcomes = []
    for region in result.regions:
        rule = _rule(result, region)
        ours, theirs = computed[region.rows], stored[region.rows]
        if scanning:
            ours = _seen(ours, result.source_decomp_sa)
            theirs = _seen(theirs, result.source_decomp_sa if stored_sa is None else stored_sa)
        outcomes.append(
            compare_rows(
                ours,
                theirs,
                rule,
                region.n_components,
                rtol=_tolerance(result, region, bound),
                locations=region.locations,
            )
        )
    worst = _worst(outcomes)
    reasons = [worst.reason]
    if worst.status == DIFFERS:
        undecided = rounding_bound(result).undecided
        reasons += [f"rounding decides the rank of {rank}" for rank in undecided]
    return dataclasses.replace(
        worst, bound=bound, rtol=rtol, reason="; ".join(filter(None, reasons))
    )


def compare_rows(
    ours: FloatArray,
    theirs: FloatArray,
    rule: str,
    n_components: int,
    *,
    rtol: float,
    locations: NDArray[np.int64] | None = None,
) -> Agreement:
    """Compare kernel rows by one rule.

    Parameters
    ----------
    ours, theirs : array, shape (n_components * n_sources, n)
        The rows to compare; rows that are NaN in both are left out.
    rule : 'equal' | 'equal up to sign' | 'equal invariants'
        What has to agree.
    n_components : int
        Rows a location.
    rtol : float
        Largest relative Frobenius difference that counts as equal.
    locations : array of int, shape (n_sources,) | None
        0-based numbers of the locations, for the reason; ``None`` counts the rows.

    Returns
    -------
    Agreement
        Status (the rule, or ``'differs'``), difference and reason.
    """
    p, n = n_components, ours.shape[1]
    numbers = np.arange(len(ours) // p) if locations is None else locations
    a, b = (x.reshape(-1, p, n) for x in (ours, theirs))
    unseen = np.zeros(len(numbers), dtype=bool)
    with np.errstate(invalid="ignore", over="ignore"):
        differences, sizes = _distances(rule, a, b)
    if not np.isfinite(differences.sum() + sizes.sum()):
        if np.isinf(ours).any() or np.isinf(theirs).any():
            return Agreement(status=DIFFERS, reason="infinite values cannot be compared")
        unseen_ours, unseen = (np.isnan(rows).any(axis=(1, 2)) for rows in (a, b))
        if (unseen_ours != unseen).any():
            where = np.flatnonzero(unseen_ours != unseen)
            return Agreement(
                status=DIFFERS,
                reason=f"NaN on one side only at {where.size} location(s), first "
                f"{numbers[where[0]] + 1} (1-based)",
            )
        differences, sizes = _distances(rule, a[~unseen], b[~unseen])
    difference = _relative(np.linalg.norm(differences), np.linalg.norm(sizes))
    left_out = f"{int(unseen.sum())} location(s) are NaN in both" if unseen.any() else ""
    if difference <= rtol:
        return Agreement(status=rule, relative_difference=difference, reason=left_out)
    worst = int(np.flatnonzero(~unseen)[np.nanargmax(differences)])
    return Agreement(
        status=DIFFERS,
        relative_difference=difference,
        reason=f"the largest difference is at location {numbers[worst] + 1} (1-based)",
    )


def _is_projection(result: InverseResult) -> bool:
    """Whether the rows are singular vectors: gls and lcmv, and in 2009 those of ``_p``."""
    return not result.options.is_minimum_norm and result.options.measure != "amplitude"


def _rule(result: InverseResult, region: RegionRows) -> str:
    if _is_projection(result):
        return EQUAL_UP_TO_SIGN if region.n_components == 1 else EQUAL_INVARIANTS
    restored = result.options.measure in result.options.conventions.prior_restored
    if region.orient == "loose" and not restored and result.options.is_minimum_norm:
        return EQUAL_INVARIANTS
    return EQUAL


def _tolerance(result: InverseResult, region: RegionRows, rtol: float) -> float:
    """Give room to what Brainstorm itself rounds: loose of 2009, MEG and electrodes together.

    It takes the tangential columns from a singular value decomposition of the unwhitened gain,
    where those of MEG are 1e-8 of those of EEG and hold their rounding.
    """
    decoupled = region.orient == "loose" and result.options.conventions.tangents == "decoupled"
    kinds = {kind.startswith("MEG") for kind in upper_types(result.channel_types)}
    return max(rtol, LOOSE_2009_RTOL) if decoupled and len(kinds) > 1 else rtol


def _seen(rows: FloatArray, sa: Any) -> FloatArray:
    """Zero the rows of directions whose singular value is zero."""
    if sa is None:
        return rows
    seen = np.asarray(sa).T.ravel() > 0
    return np.where(seen[:, None], rows, 0.0)


def _relative(difference: Any, size: Any) -> float:
    if difference == 0:
        return 0.0
    return float(difference / size) if size > 0 else float("inf")


def _distances(rule: str, a: FloatArray, b: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the size of what differs and of b by a rule, (n_blocks,), of blocks (n_blocks, p, n).

    They are compared a piece at a time: no array as large as they are is made.
    """
    step = max(1, _AT_ONCE // max(1, math.prod(a.shape[1:])))
    found = np.zeros((2, len(a)))
    for start in range(0, len(a), step):
        piece = slice(start, start + step)
        found[:, piece] = _DISTANCES[rule](a[piece], b[piece])
    return found[0], found[1]


def _row_distance(a: FloatArray, b: FloatArray) -> tuple[FloatArray, FloatArray]:
    # columns of a file lie together: they are copied as they lie, and turned in the cache
    piece = np.array(b.copy(order="K"), order="C")
    sizes = _norms(piece)
    return _norms(np.subtract(a, piece, out=piece)), sizes


def _norms(blocks: FloatArray) -> FloatArray:
    """Return the Frobenius norm of each block (n_blocks, p, n)."""
    flat = blocks.reshape(len(blocks), -1)
    return np.asarray(np.sqrt(np.vecdot(flat, flat)))


def _sign_distance(a: FloatArray, b: FloatArray) -> tuple[FloatArray, FloatArray]:
    sign = np.where(np.sum(a * b, axis=2, keepdims=True) < 0, -1.0, 1.0)
    return _row_distance(sign * a, b)


def _invariant_distance(a: FloatArray, b: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Norms of K_i' K_i differences and sizes, without forming the n × n matrices.

    With the thin QR factorisation of both blocks side by side, [A' B'] = Z [R_a R_b] and
    A'A − B'B = Z (R_a R_a' − R_b R_b') Z', whose norm is that of the small middle.
    """
    both = np.concatenate([a, b], axis=1)
    r: Any = np.linalg.qr(both.transpose(0, 2, 1), mode="r")
    ra, rb = r[:, :, : a.shape[1]], r[:, :, a.shape[1] :]
    return _row_distance(ra @ ra.transpose(0, 2, 1), rb @ rb.transpose(0, 2, 1))


_DISTANCES = {
    EQUAL: _row_distance,
    EQUAL_UP_TO_SIGN: _sign_distance,
    EQUAL_INVARIANTS: _invariant_distance,
}


def _worst(outcomes: list[Agreement]) -> Agreement:
    """Summarise regions: the first that differs, else the weakest rule and largest number."""
    for outcome in outcomes:
        if outcome.status == DIFFERS:
            return outcome
    return Agreement(
        status=max((o.status for o in outcomes), key=EQUALS.index),
        relative_difference=max(o.relative_difference or 0.0 for o in outcomes),
        reason="; ".join(o.reason for o in outcomes if o.reason),
    )
