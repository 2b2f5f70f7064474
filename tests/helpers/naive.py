"""The linear inverse as a textbook writes it: dense, looped and slow.

The reference of these tests. It shares no code with the package: the whitened lead field is
formed, every orientation factor Q_i is a matrix, every decomposition an SVD, every location a turn
of a loop.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Model:
    """A head model: gain (n, 3m), normals (m, 3) and one orientation constraint."""

    gain: FloatArray
    normals: FloatArray
    orient: str

    @property
    def n_sources(self) -> int:
        return self.gain.shape[1] // 3

    def block(self, i: int) -> FloatArray:
        """Return the three gain columns of location i."""
        return self.gain[:, 3 * i : 3 * i + 3]


@dataclass(frozen=True, kw_only=True, eq=False)
class Stats:
    """A covariance and the statistics of its estimation."""

    cov: FloatArray
    fourth: FloatArray | None = None
    n_samples: float | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class NaiveWhitener:
    """A whitener, and what tolerances need to know of it.

    ``matrix`` is W; ``inverse`` its inverse, on the nulls of W the smallest value of the rest;
    ``kept`` the projector onto the rest; ``condition`` κ_C; ``sizes`` the norm of W of each type.
    """

    matrix: FloatArray
    inverse: FloatArray
    kept: FloatArray
    method: str
    ranks: dict[str, int]
    condition: float
    sizes: dict[str, float]
    types: list[str]


@dataclass(frozen=True, kw_only=True, eq=False)
class Location:
    """One location: Q_i (3, p), L_i (n, p), α_i, and what the kernel is made of."""

    orient: str
    alpha: float
    q: FloatArray
    gain: FloatArray
    lead: FloatArray
    rows: slice


@dataclass(frozen=True, kw_only=True, eq=False)
class Reference:
    """Kernel and intermediates of the textbook."""

    kernel: FloatArray
    noise: NaiveWhitener
    data: NaiveWhitener | None
    locations: list[Location]
    method: str
    measure: str
    loose: float
    lambda_: float = 0.0
    s2: FloatArray | None = None
    #: Before W and the measure: K_w,i of each location (minimum norm).
    whitened: list[FloatArray] = field(default_factory=list)
    #: Singular values and right vectors of each L_i (scanning).
    sa: list[FloatArray] = field(default_factory=list)
    va: list[FloatArray] = field(default_factory=list)

    @property
    def used(self) -> NaiveWhitener:
        """The whitener that the kernel ends in."""
        return self.noise if self.data is None else self.data

    @property
    def alpha(self) -> FloatArray:
        return np.array([location.alpha for location in self.locations])


def spacing32(x: float) -> float:
    """Distance from float32(x) to the next larger float32."""
    here = np.float32(x)
    return float(np.nextafter(here, np.float32(np.inf))) - float(here)


def naive_whitener(
    stats: Stats,
    types: Sequence[str],
    method: str,
    noise_reg: float,
    *,
    detect: bool = True,
    roots: bool = False,
) -> NaiveWhitener:
    cov, n = stats.cov, len(types)
    if detect:
        diagonal = np.sqrt(sum(cov[i, i] ** 2 for i in range(n)))
        if np.sqrt((cov**2).sum()) - diagonal < spacing32(diagonal):
            method = "diag"
        if method == "diag":
            cov = np.diag([cov[i, i] for i in range(n)])
    w, inverse, kept = np.zeros((n, n)), np.zeros((n, n)), np.zeros((n, n))
    ranks, sizes, condition = {}, {}, 1.0
    upper = [t.upper() for t in types]
    for kind in sorted(set(upper)):
        index = [i for i in range(n) if upper[i] == kind]
        where = np.ix_(index, index)
        c = (cov[where] + cov[where].T) / 2
        fourth = None if stats.fourth is None else stats.fourth[where]
        u, weights, worst = _type_whitener(c, method, noise_reg, fourth, stats.n_samples, roots)
        w[where] = u @ np.diag(1 / weights) @ u.T
        kept[where] = u @ u.T
        nulls = np.eye(len(index)) - u @ u.T
        inverse[where] = u @ np.diag(weights) @ u.T + weights.min() * nulls
        ranks[kind], sizes[kind] = u.shape[1], 1 / weights.min()
        condition = max(condition, worst)
    return NaiveWhitener(
        matrix=w,
        inverse=inverse,
        kept=kept,
        method=method,
        ranks=ranks,
        condition=condition,
        sizes=sizes,
        types=upper,
    )


def _type_whitener(c, method, noise_reg, fourth, n_samples, roots):
    """Vectors u and standard deviations of one type, W = u diag(1/std) u', and κ (tolerances)."""
    k = len(c)
    u, variances = _kept(c)
    condition = variances[0] / variances[-1]
    if method == "none":
        return u, np.sqrt(variances), condition
    if method == "reg" and roots:  # 2016: of the largest, and its root to the roots
        return u, np.sqrt(variances) + np.sqrt(noise_reg * variances[0]), condition
    if method == "reg":
        ridge = noise_reg * np.trace(c) / k
        return u, np.sqrt(variances + ridge), condition
    if method == "median":
        std = np.sqrt(variances)
        return u, np.maximum(std, np.median(std)), condition
    rebuilt = u @ np.diag(variances) @ u.T
    if method == "diag":
        std = np.sqrt(np.diag(rebuilt))
        return np.eye(k), std, variances[0] / std.min() ** 2
    scale = np.trace(rebuilt) / k
    phi = sum(fourth[i, j] - rebuilt[i, j] ** 2 for i in range(k) for j in range(k))
    gamma = sum((rebuilt[i, j] - scale * (i == j)) ** 2 for i in range(k) for j in range(k))
    delta = min(max(phi / (gamma * n_samples), 0.0), 1.0) if gamma > 0 else 1.0
    shrunk = delta * scale * np.eye(k) + (1 - delta) * rebuilt
    u2, shrunk_variances = _kept(shrunk)
    cancellation = 1.0
    if 0 < delta < 1:  # δ has the relative error of φ
        cancellation += (np.abs(fourth).sum() + (rebuilt**2).sum()) / abs(phi)
    worst = max(condition, cancellation * variances[0] / shrunk_variances[-1])
    return u2, np.sqrt(shrunk_variances), worst


def _kept(c: FloatArray) -> tuple[FloatArray, FloatArray]:
    u, variances, _ = np.linalg.svd(c)
    std = np.sqrt(variances)
    rank = sum(s > len(c) * spacing32(std[0]) for s in std)
    return u[:, :rank], variances[:rank]


def naive_depth(model: Model, exponent: float, limit: float) -> FloatArray:
    a = np.array([(model.block(i) ** 2).sum() ** exponent for i in range(model.n_sources)])
    return np.array([np.sqrt(a.max() / max(ai, a.max() / limit**2)) for ai in a])


def orientation_factor(normal: FloatArray, orient: str, loose: float) -> FloatArray:
    if orient == "free":
        return np.eye(3)
    o = normal / np.sqrt((normal**2).sum())
    if orient == "fixed":
        return o[:, None]
    tangents = np.linalg.svd(o[None, :])[2][1:]
    return np.column_stack([o, loose * tangents[0], loose * tangents[1]])


def naive_inverse(
    models: Sequence[Model],
    noise: Stats,
    types: Sequence[str],
    *,
    data: Stats | None = None,
    method: str = "minnorm",
    measure: str = "amplitude",
    loose: float = 0.2,
    use_depth: bool = True,
    weight_exp: float = 0.5,
    weight_limit: float = 10.0,
    noise_method: str = "reg",
    noise_reg: float = 0.1,
    snr_method: str = "fixed",
    snr_fixed: float = 3.0,
    snr_rms: float = 1e-6,
    year: int = 2018,
) -> Reference:
    roots = year == 2016
    noise_whitener = naive_whitener(noise, types, noise_method, noise_reg, roots=roots)
    data_whitener = None
    if method == "lcmv":
        data_whitener = naive_whitener(
            data, types, noise_whitener.method, noise_reg, detect=False, roots=roots
        )
    w = (data_whitener or noise_whitener).matrix
    locations, first = [], 0
    for model in models:
        alpha = np.ones(model.n_sources)
        if use_depth and method == "minnorm" and measure != "sloreta":
            alpha = naive_depth(model, weight_exp, weight_limit)
        for i in range(model.n_sources):
            q = alpha[i] * orientation_factor(model.normals[i], model.orient, loose)
            p = q.shape[1]
            locations.append(
                Location(
                    orient=model.orient,
                    alpha=alpha[i],
                    q=q,
                    gain=model.block(i),
                    lead=w @ model.block(i) @ q,
                    rows=slice(first, first + p),
                )
            )
            first += p
    common = {
        "noise": noise_whitener,
        "data": data_whitener,
        "locations": locations,
        "method": method,
        "measure": measure,
        "loose": loose,
    }
    if method != "minnorm":
        return _scan(locations, w, common)
    snr = snr_fixed if snr_method == "fixed" else None
    return _minimum_norm(locations, w, measure, snr, snr_rms, common)


def _minimum_norm(locations, w, measure, snr, rms, common) -> Reference:
    lead = np.hstack([location.lead for location in locations])
    n = len(w)
    u, s, _ = np.linalg.svd(lead)
    s2 = np.zeros(n)
    s2[: len(s)] = s**2
    prior = rms**2 if snr is None else snr**2 / (s2.sum() / n)
    whitened, kernel = [], []
    for location in locations:
        k = prior * location.lead.T @ u @ np.diag(1 / (prior * s2 + 1)) @ u.T
        whitened.append(k)
        kernel.append(_measured(k, location, w, measure))
    return Reference(kernel=np.vstack(kernel), lambda_=prior, s2=s2, whitened=whitened, **common)


def _measured(k: FloatArray, location: Location, w: FloatArray, measure: str) -> FloatArray:
    if measure == "amplitude":
        back = location.q if location.orient != "fixed" else np.array([[location.alpha]])
        return back @ k @ w
    if measure == "dspm2018":
        d = np.sqrt(sum(np.dot(row, row) for row in k))
        return (k @ w) / d
    resolution = k @ location.lead
    if location.orient == "fixed":
        return (k @ w) / np.sqrt(resolution[0, 0])
    u, s, vh = np.linalg.svd(resolution)
    rank = sum(s > 3 * spacing32(s[0]))
    root = vh.T[:, :rank] @ np.diag(1 / np.sqrt(s[:rank])) @ u[:, :rank].T
    return root @ k @ w


def _scan(locations, w, common) -> Reference:
    kernel, sa, va = [], [], []
    for location in locations:
        u, s, vh = np.linalg.svd(location.lead, full_matrices=False)
        p = location.lead.shape[1]
        s = np.array([value if value > p * spacing32(s[0]) else 0.0 for value in s])
        rows = np.zeros((p, len(w)))
        rows[: len(s)] = u.T @ w
        kernel.append(rows)
        sa.append(np.concatenate([s, np.zeros(p - len(s))]))
        va.append(vh.T)
    return Reference(kernel=np.vstack(kernel), sa=sa, va=va, **common)
