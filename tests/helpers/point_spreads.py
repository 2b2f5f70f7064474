"""Small kernels with the fields that they are made of, and their resolution matrix."""

from __future__ import annotations

import numpy as np

N = 24


def problem(p, *, m=150, seed=0, decay=0.0, units=1.0):
    """A smooth random gain, the minimum norm kernel of it, and positions."""
    rng = np.random.default_rng(seed)
    positions = 0.1 * rng.standard_normal((m, 3))
    # fields of neighbours are alike
    smooth = np.exp(-np.sum((positions[:, None] - positions) ** 2, axis=2) / 0.03**2)
    gain = (smooth @ rng.standard_normal((m, p * N))).reshape(m, p, N) + 0.1 * rng.standard_normal(
        (m, p, N)
    )
    gain *= np.exp(-decay * np.arange(N)) * units ** rng.uniform(-1, 1, N)
    gain = gain.reshape(m * p, N).T
    scale = np.diag(1 / np.linalg.norm(gain, axis=1))
    white = scale @ gain
    blocks = gain.T @ scale @ np.linalg.inv(white @ white.T + 0.05 * np.eye(N)) @ scale
    return np.ascontiguousarray(blocks).reshape(m, p, N), gain, positions


def resolution(blocks, gain):
    """|K_i G_j|, by the definition."""
    m, p, n = blocks.shape
    return np.linalg.norm((blocks.reshape(-1, n) @ gain).reshape(m, p, m, p), axis=(1, 3))
