"""A study of fourteen channels, and what its inverse is computed from, by hand."""

from __future__ import annotations

import numpy as np
from inverse_problems import (
    UNITS,
    FakeChannels,
    FakeCovariance,
    FakeHeadModel,
    Model,
    Problem,
    Stats,
    make_model,
    make_stats,
    readonly,
)

from mne_bstinv.inverse import InverseOptions, compute_kernel

#: A channel file: positions 0 … 13.
TYPES = (
    "MEG GRAD", "Stim", "MEG MAG", "EEG", "MEG GRAD", "EEG", "MEG REF",
    "EEG", "MEG MAG", "MEG GRAD", "EEG", "EEG", "MEG GRAD", "SEEG",
)  # fmt: skip
N = len(TYPES)
M = 5
EEG = [3, 5, 7, 10, 11]
MEG = [0, 2, 4, 8, 9, 12]
GRAD = [0, 4, 9, 12]


def all_channels(seed, types=TYPES):
    """Return gain, normals and statistics of a file, every channel of some known unit."""
    rng = np.random.default_rng(seed)
    known = [t if t in UNITS else "MEG MAG" for t in types]
    model = make_model(rng, known, M, "fixed")
    return model.gain, model.normals, make_stats(rng, known), make_stats(rng, known)


def head_model(gain, normals, kind="surface", atlas=None):
    return FakeHeadModel(gain=gain, grid_orient=normals, head_model_type=kind, grid_atlas=atlas)


def covariance(stats, n_samples=None):
    samples = stats.n_samples if n_samples is None else n_samples
    return FakeCovariance(noise_cov=stats.cov, fourth_moment=stats.fourth, n_samples=samples)


def take(stats, good, projection=None, reference=None):
    """Section 1, steps 3 to 5, on a covariance: fourth moments are only cut."""
    p = np.eye(len(stats.cov)) if projection is None else projection
    cov = (p @ stats.cov @ p.T)[np.ix_(good, good)]
    if reference is not None:
        cov = reference @ cov @ reference.T
    return Stats(cov=cov, fourth=stats.fourth[np.ix_(good, good)], n_samples=stats.n_samples)


def expected_problem(gain, normals, noise, data, good, orient, p=None, a=None, types=TYPES):
    projected = gain if p is None else p @ gain
    projected = projected[good] if a is None else a @ projected[good]
    return Problem(
        types=tuple(types[i] for i in good),
        models=(Model(gain=projected, normals=normals, orient=orient),),
        noise=take(noise, good, p, a),
        data=take(data, good, p, a),
    )


def reference_operator(types):
    """Write the operator entry by entry."""
    n = len(types)
    a = np.eye(n)
    for kind in ("EEG", "SEEG", "ECOG"):
        of_kind = [i for i in range(n) if types[i].upper() == kind]
        if len(of_kind) >= 2:
            for i in of_kind:
                for j in of_kind:
                    a[i, j] -= 1 / len(of_kind)
    return a


def ssp(seed, channels):
    """Return a vector over some channels of one type."""
    v = np.zeros((N, 1))
    v[channels, 0] = np.random.default_rng(seed).normal(size=len(channels))
    return readonly(v)


def onto_complement(v):
    return np.eye(len(v)) - v @ np.linalg.inv(v.T @ v) @ v.T


def compute(seed=1, *, good=None, data_types=None, projectors=(), types=TYPES, **options):
    gain, normals, noise, data = all_channels(seed, types)
    flag = options.pop("channel_flag", None)
    lcmv = options.get("method") == "lcmv"
    return compute_kernel(
        head_model(gain, normals),
        covariance(noise),
        FakeChannels(types=types, projectors=projectors),
        good_channels=good,
        data_types=data_types,
        channel_flag=flag,
        data_cov=covariance(data) if lcmv else None,
        options=InverseOptions(**options),
    )
