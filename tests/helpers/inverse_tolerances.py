"""How far two ways to compute the same number may be apart, derived from condition numbers."""

from __future__ import annotations

import numpy as np
from naive import FloatArray, Location, Reference

EPS = np.finfo(np.float64).eps

#: A wrong formula changes a kernel by more than a thousandth (depth weights, orientation factors,
#: ridges and ranks of the test problems are far from one another): no tolerance may come near.
LARGEST = 1e-5


def backward_error(n: int) -> float:
    """Relative size of the rounding errors of a few matrix operations of size n.

    A product of inner size n, and each decomposition used here, has a backward error of at most
    c·n·eps relative to the norm of its operands, with c below 10 (Higham, *Accuracy and Stability
    of Numerical Algorithms*, 2002, sections 3.5 and 19.3). Neither side of a comparison goes
    through more than ten of them one after the other: 100·n·eps.
    """
    return 100 * n * EPS


def whitener_tolerance(n: int, condition: float) -> float:
    """Relative tolerance of W, and of W C W against the projector onto the kept subspace.

    ``condition`` is κ_C, the largest singular value of a type's covariance over the smallest kept
    one. A backward error E of C moves W = C^(-1/2) to (I + F) W with |F| ≤ |E|/λ_min = κ_C·|E|/|C|
    (divided differences of x^(-1/2)), and the kept subspace, whose gap to the nulls is λ_min, by as
    much.
    """
    return backward_error(n) * condition


def kernel_tolerance(reference: Reference) -> float:
    """Relative tolerance of the kernel rows of any one location, in whitened units.

    The product 100·N·eps · κ_W · κ_M · κ_measure of :func:`backward_error`, N being the longest sum
    (channels or rows), and these condition numbers, all of the problem and none of the algorithm:

    * κ_W = max(κ_C, κ_G²). κ_C: see :func:`whitener_tolerance`; W enters each L_i as (I + F) W.
      κ_G = max_i |W|·|g_i|·α_i / |L_i|, by type: how much larger the gain is than what its
      orientation and its whitening leave, hence how its rounding grows. Forming L L' from the
      Gram matrix of the unwhitened gain costs Σ|W|²|q_i|² / |L|² ≤ κ_G², and the kernel from
      unwhitened rows at most κ_G·√κ_C ≤ κ_W.
    * κ_M = 1 + Λ·tr(L L'), which bounds the condition number of Λ L L' + I: an error δ of L L'
      moves K_w,i by K_w,i δ M, |M| ≤ Λ, and the rows of a location are at least |L_i| Λ / κ_M.
    * κ_measure. ``amplitude``: cond(Q_i), 1/loose where loose. ``dspm2018``: 1, the norm d_i has
      the relative error of its rows. ``sloreta``: max_i |K_w,i|·|L_i| / σ_min(R_i), since
      R_i^(-1/2) moves to (I + F) R_i^(-1/2), |F| ≤ |δR_i| / σ_min(R_i). ``gls``, ``lcmv``:
      max_i s_1 / s_p of the kept singular values of L_i, by which its column space turns (Wedin);
      no κ_M.

    Rows are compared in whitened units (multiplied by the inverse of W): there, the errors of W
    are relative ones, and sensor types of different units weigh the same.
    """
    columns = sum(location.lead.shape[1] for location in reference.locations)
    size = max(reference.kernel.shape[1], columns)
    amplification = max(_gain_amplification(reference, x) for x in reference.locations)
    rtol = backward_error(size) * max(reference.used.condition, amplification**2)
    if reference.method == "minnorm":
        rtol *= 1 + reference.lambda_ * reference.s2.sum()
        rtol *= max(
            _measure_condition(reference, location, k)
            for location, k in zip(reference.locations, reference.whitened, strict=True)
        )
    else:
        rtol *= max(sa[0] / sa[sa > 0][-1] for sa in reference.sa)
    assert rtol < LARGEST, f"the test problem is too badly conditioned for a test: {rtol:.1e}"
    return float(rtol)


def _gain_amplification(reference: Reference, location: Location) -> float:
    whitener = reference.used
    types = np.array(whitener.types)
    squares = sum(
        (size * np.linalg.norm(location.gain[types == kind])) ** 2
        for kind, size in whitener.sizes.items()
    )
    return location.alpha * float(np.sqrt(squares) / np.linalg.norm(location.lead))


def _measure_condition(reference: Reference, location: Location, k: FloatArray) -> float:
    if reference.measure == "amplitude":
        return 1 / reference.loose if location.orient == "loose" else 1.0
    if reference.measure == "dspm2018":
        return 1.0
    singular = np.linalg.svd(k @ location.lead, compute_uv=False)
    return float(np.linalg.norm(k) * np.linalg.norm(location.lead) / singular[-1])
