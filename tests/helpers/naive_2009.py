"""The inverse of 2009 as its description reads: dense, looped and slow.

It shares no code with the package, and takes other ways where there are any: tangents from the
singular value decomposition of each gain block, matrix square roots, the whitened lead field.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from inverse_tolerances import LARGEST, backward_error
from naive import FloatArray, Model, spacing32

DEFAULTS = {
    "InverseMethod": "wmne",
    "SNR": 3.0,
    "diagnoise": 0,
    "loose": 0.2,
    "depth": 1,
    "weightexp": 0.5,
    "weightlimit": 10.0,
    "regnoise": 1,
    "magreg": 0.1,
    "gradreg": 0.1,
    "eegreg": 0.1,
    "ecogreg": 0.1,
    "seegreg": 0.1,
    "pca": 1,
}
_RIDGES = {
    "MEG GRAD": "gradreg",
    "MEG": "gradreg",
    "MEG MAG": "magreg",
    "EEG": "eegreg",
    "ECOG": "ecogreg",
    "SEEG": "seegreg",
}


@dataclass(frozen=True, kw_only=True, eq=False)
class Reference2009:
    """Kernel and intermediates of the textbook, and how exact they can be."""

    kernel: FloatArray
    whitener: FloatArray
    #: Pseudo-inverse of the whitener: rows times it are in whitened units.
    unwhitener: FloatArray
    #: Rows of each location.
    rows: list[slice]
    orients: list[str]
    #: W · gain of each location, (r, 3).
    lead: list[FloatArray]
    #: The scale of the source covariance, r / trace.
    scale: float
    #: Relative tolerance of the rows of a location in whitened units.
    rtol: float


def naive_whitener_2009(
    cov: FloatArray, types: Sequence[str], options: dict[str, Any]
) -> tuple[FloatArray, float]:
    """Whitener (r, n) and the condition number of the worst group."""
    n, variances = len(cov), np.diag(cov)
    diagonal = bool(options["diagnoise"]) or all(
        cov[i, j] == 0 for i in range(n) for j in range(n) if i != j
    )
    c = np.diag(variances) if diagonal else np.array(cov)
    groups = [kind.split()[0] for kind in types]
    ranks = {}
    for group in set(groups):
        index = [i for i in range(n) if groups[i] == group]
        s = np.linalg.svd(c[np.ix_(index, index)].astype(np.float32), compute_uv=False)
        ranks[group] = sum(s > len(index) * spacing32(s[0]))
        if diagonal or not options["pca"]:
            ranks[group] = len(index)
    if options["regnoise"]:
        for kind in set(types):
            index = [i for i in range(n) if types[i] == kind]
            for i in index:
                c[i, i] += options[_RIDGES[kind]] * variances[index].mean()
    c = np.tril(c) + np.tril(c, -1).T
    rows, condition = [], 1.0
    for group in ("MEG", "EEG", "ECOG", "SEEG"):
        index = [i for i in range(n) if groups[i] == group]
        if not index:
            continue
        u, d, _ = np.linalg.svd(c[np.ix_(index, index)])
        condition = max(condition, d[0] / d[ranks[group] - 1])
        for k in range(ranks[group]):
            rows.append(np.zeros(n))
            rows[-1][index] = u[:, k] / np.sqrt(d[k])
    return np.array(rows), condition


def _columns(block: FloatArray, normal: FloatArray, orient: str) -> tuple[FloatArray, FloatArray]:
    """Columns of a location and the frame that its rows are turned back with."""
    if orient == "free":
        return block, np.eye(3)
    along = block @ normal
    if orient == "fixed":
        return along[:, None], np.ones((1, 1))
    projector = np.eye(len(block)) - np.outer(along, along) / (along @ along)
    u, s, vt = np.linalg.svd(projector @ block, full_matrices=False)
    columns = np.column_stack([along, s[0] * u[:, 0], s[1] * u[:, 1]])
    return columns, np.column_stack([normal, vt[0], vt[1]])


def naive_2009(
    models: Sequence[Model], cov: FloatArray, types: Sequence[str], **given: Any
) -> Reference2009:
    options = DEFAULTS | given
    method = options["InverseMethod"]
    w, condition = naive_whitener_2009(cov, types, options)
    r = len(w)
    blocks = [(m.block(i), m.normals[i], m.orient) for m in models for i in range(m.n_sources)]
    weights = np.ones(len(blocks))
    if options["depth"]:
        weights = np.array([1 / (g**2).sum() for g, _, _ in blocks])
        weights = np.minimum(weights, weights.min() * options["weightlimit"] ** 2)
        weights = weights ** options["weightexp"]
    columns, frames, variances, rows = [], [], [], []
    for weight, (block, normal, orient) in zip(weights, blocks, strict=True):
        own, frame = _columns(block, normal, orient)
        p = own.shape[1]
        columns.append(w @ own)
        frames.append(frame)
        ratio = options["loose"] if orient == "loose" else 1.0
        variances.append(weight * np.array([1.0, ratio, ratio][:p]))
        start = rows[-1].stop if rows else 0
        rows.append(slice(start, start + p))
    lead = np.hstack(columns)
    variance = np.concatenate(variances)
    scale = r / np.trace(lead @ np.diag(variance) @ lead.T)
    roots = np.sqrt(scale * variance)
    weighted = lead * roots
    lambda2 = 1 / options["SNR"] ** 2
    u, s, vt = np.linalg.svd(weighted, full_matrices=False)
    whole = roots[:, None] * (vt.T @ np.diag(s / (s**2 + lambda2)) @ u.T)
    values, vectors = np.linalg.eigh(weighted @ weighted.T + lambda2 * np.eye(r))
    expected = vectors @ np.diag(values**-0.5) @ vectors.T
    kernel = []
    worst = 1.0
    for part, frame in zip(rows, frames, strict=True):
        own, spread = _rows(
            method, whole[part], lead[:, part], weighted[:, part], roots[part], expected, lambda2
        )
        worst = max(worst, spread)
        kernel.append((own if method.endswith("_p") else frame @ own) @ w)
    rtol = backward_error(max(len(cov), len(variance))) * (1 + r / lambda2) * worst
    # the rounding of the whitener, and of blocks that are decomposed before they are whitened
    loose = [block for block, _, orient in blocks if orient == "loose"]
    rtol *= condition + max((_unequal(block, types) for block in loose), default=0.0)
    assert rtol < LARGEST, f"the test problem is too badly conditioned for a test: {rtol:.1e}"
    return Reference2009(
        kernel=np.vstack(kernel),
        whitener=w,
        unwhitener=np.linalg.pinv(w),
        rows=rows,
        orients=[orient for _, _, orient in blocks],
        lead=[w @ block for block, _, _ in blocks],
        scale=scale,
        rtol=float(rtol),
    )


def _unequal(block: FloatArray, types: Sequence[str]) -> float:
    """How much larger the gain of one sensor type is than that of another."""
    kinds = np.array(types)
    sizes = [np.linalg.norm(block[kinds == kind]) for kind in set(types)]
    return float(max(sizes) / min(sizes))


def _principal_root(matrix: FloatArray) -> FloatArray:
    """Root of what is symmetric but for the units of its rows: real eigenvalues, none below 0."""
    values, vectors = np.linalg.eig(matrix)
    roots = np.sqrt(np.maximum(np.real(values), 0))
    return np.real(vectors @ np.diag(roots) @ np.linalg.inv(vectors))


def _rows(method, whole, lead, weighted, roots, expected, lambda2):
    """Whitened rows of one location, and the condition number of what makes them."""
    spread = 1.0
    if method in ("wmne", "mnej"):
        return whole, spread
    if method == "dspm":
        return whole / np.sqrt((whole**2).sum()), spread
    if method == "sloreta":
        resolution = whole @ lead
        if len(whole) == 1:
            return whole / np.sqrt(resolution[0, 0]), spread
        singular = np.linalg.svd(resolution, compute_uv=False)
        spread = singular[0] / singular[singular > 1e-9 * singular[0]][-1]
        return _principal_root(np.linalg.pinv(resolution, rcond=1e-11)) @ whole, spread
    if method == "mnej_p":
        weighted = expected @ weighted
    u, s, vt = np.linalg.svd(weighted, full_matrices=False)
    kept = s > len(lead) * spacing32(s[0])
    spread = s[0] / s[kept][-1]
    g = s**2 / (s**2 + lambda2 * s[0] ** 2)
    if method in ("gls", "glsr"):
        factor = (1.0 if method == "gls" else g) / np.where(kept, s, np.inf)
        return roots[:, None] * (vt.T @ np.diag(factor) @ u.T), spread
    factor = np.where(kept, np.sqrt(g) if method == "glsr_p" else 1.0, 0.0)
    return factor[:, None] * (u.T @ expected if method == "mnej_p" else u.T), spread


def assert_same_2009(kernel: FloatArray, reference: Reference2009, method: str) -> None:
    """Compare location by location in whitened units: rows, of ``_p`` what no sign changes."""
    assert kernel.shape == reference.kernel.shape
    for number, part in enumerate(reference.rows):
        ours = kernel[part] @ reference.unwhitener
        theirs = reference.kernel[part] @ reference.unwhitener
        if method.endswith("_p"):
            ours, theirs = ours.T @ ours, theirs.T @ theirs
        difference = np.linalg.norm(ours - theirs)
        # squaring doubles a relative error
        allowed = 2 * reference.rtol * np.linalg.norm(theirs)
        assert difference <= allowed, f"location {number}: {difference:.2e} > {allowed:.2e}"
