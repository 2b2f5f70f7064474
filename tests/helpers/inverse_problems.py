"""Inputs of the inverse with known condition numbers, structures of a study, and comparisons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from inverse_tolerances import kernel_tolerance
from naive import FloatArray, Model, Reference, Stats, naive_inverse

from mne_bstinv.inverse import InverseResult, bst_inverse_linear, bst_inverse_linear_2016

#: Size of the noise, in the unit of each type.
UNITS = {
    "MEG": 2e-13,
    "MEG MAG": 1e-13,
    "MEG GRAD": 5e-12,
    "EEG": 1e-6,
    "SEEG": 3e-5,
    "ECOG": 2e-5,
}
#: Sources that the sensors see at the size of their noise, in A·m.
SOURCE = 1e-8

#: Fourteen channels of three types, not sorted by type.
MIXED_TYPES = ("MEG GRAD", "MEG MAG", "MEG GRAD", "EEG", "EEG") * 2 + (
    "MEG GRAD",
    "EEG",
    "MEG MAG",
    "EEG",
)


@dataclass(frozen=True, kw_only=True, eq=False)
class Problem:
    """What an inverse is computed from."""

    types: tuple[str, ...]
    models: tuple[Model, ...]
    noise: Stats
    data: Stats


def readonly(array: Any) -> FloatArray:
    """Copy an array into one that cannot be written to."""
    copy = np.array(array, dtype=float)
    copy.setflags(write=False)
    return copy


def orthogonal(rng: np.random.Generator, n: int) -> FloatArray:
    return np.linalg.qr(rng.normal(size=(n, n)))[0]


def covariance_of(vectors: FloatArray, variances: Any) -> FloatArray:
    cov = vectors @ np.diag(variances) @ vectors.T
    return (cov + cov.T) / 2


def make_stats(
    rng: np.random.Generator,
    types: Sequence[str],
    *,
    nulls: int = 0,
    condition: float = 5.0,
    shrinkage: float = 0.3,
) -> Stats:
    """Make a covariance of known spectrum in each type, and terms between types (to be dropped).

    Variances fall geometrically to 1/condition of the largest, the last ``nulls`` are zero. The
    fourth moments are such that the shrinkage of each type is δ = ``shrinkage``.
    """
    n, kinds, n_samples = len(types), np.array(types), 200.0
    scale = np.array([UNITS[t] for t in types])
    cov = 0.3 * rng.normal(size=(n, n)) * np.outer(scale, scale)
    cov = (cov + cov.T) / 2
    fourth = np.outer(scale, scale) ** 2
    for kind in dict.fromkeys(types):
        index = np.flatnonzero(kinds == kind)
        k = len(index)
        kept = max(k - nulls, 1)
        variances = np.zeros(k)
        variances[:kept] = np.geomspace(1, 1 / condition, kept)
        c = covariance_of(orthogonal(rng, k), variances) * UNITS[kind] ** 2
        cov[np.ix_(index, index)] = c
        target = np.trace(c) / k * np.eye(k)
        gamma = ((c - target) ** 2).sum()
        fourth[np.ix_(index, index)] = c**2 + shrinkage * gamma * n_samples / k**2
    return Stats(cov=readonly(cov), fourth=readonly(fourth), n_samples=n_samples)


def make_model(
    rng: np.random.Generator, types: Sequence[str], n_sources: int, orient: str
) -> Model:
    """Make a head model; the gain of its locations differs by up to a factor of 30."""
    scale = np.array([UNITS[t] for t in types]) / SOURCE
    far = np.repeat(10 ** rng.uniform(-1.5, 0, size=n_sources), 3)
    gain = scale[:, None] * rng.normal(size=(len(types), 3 * n_sources)) * far
    normals = rng.normal(size=(n_sources, 3)) * rng.uniform(0.1, 10, size=(n_sources, 1))
    return Model(gain=readonly(gain), normals=readonly(normals), orient=orient)


def make_problem(
    seed: int,
    orients: str | Sequence[str] = "fixed",
    *,
    types: Sequence[str] = MIXED_TYPES,
    n_sources: int = 6,
    **stats: Any,
) -> Problem:
    rng = np.random.default_rng(seed)
    orients = [orients] if isinstance(orients, str) else orients
    return Problem(
        types=tuple(types),
        noise=make_stats(rng, types, **stats),
        data=make_stats(rng, types, **stats),
        models=tuple(make_model(rng, types, n_sources, orient) for orient in orients),
    )


_NAMES = {
    "method": "InverseMethod",
    "measure": "InverseMeasure",
    "loose": "Loose",
    "use_depth": "UseDepth",
    "weight_exp": "WeightExp",
    "weight_limit": "WeightLimit",
    "noise_method": "NoiseMethod",
    "noise_reg": "NoiseReg",
    "snr_method": "SnrMethod",
    "snr_fixed": "SnrFixed",
    "snr_rms": "SnrRms",
}


def cov_struct(stats: Stats) -> dict[str, Any]:
    fields = {
        "NoiseCov": stats.cov,
        "FourthMoment": stats.fourth,
        "nSamples": stats.n_samples,
    }
    return {name: value for name, value in fields.items() if value is not None}


def solve(problem: Problem, *, year: int = 2018, **options: Any) -> InverseResult:
    """Let the package compute, from arrays under their MATLAB names."""
    models = [{"Gain": m.gain, "GridOrient": m.normals} for m in problem.models]
    given = {_NAMES[name]: value for name, value in options.items()}
    given |= {
        "NoiseCovMat": cov_struct(problem.noise),
        "DataCovMat": cov_struct(problem.data),
        "ChannelTypes": list(problem.types),
        "SourceOrient": [m.orient for m in problem.models],
    }
    function = {2016: bst_inverse_linear_2016, 2018: bst_inverse_linear}[year]
    return function(models if len(models) > 1 else models[0], given)


def solve_naively(problem: Problem, **options: Any) -> Reference:
    data = problem.data if options.get("method") == "lcmv" else None
    return naive_inverse(problem.models, problem.noise, problem.types, data=data, **options)


def assert_same_kernel(kernel: FloatArray, reference: Reference) -> None:
    """Compare location by location, in whitened units, by what is unique of the output.

    Rows where they are; K_i' K_i where the tangents are arbitrary (loose, not amplitude) and for
    scans, whose unseen directions are left out.
    """
    rtol = kernel_tolerance(reference)
    assert kernel.shape == reference.kernel.shape
    unwhiten = reference.used.inverse
    for number, location in enumerate(reference.locations):
        ours, theirs = kernel[location.rows] @ unwhiten, reference.kernel[location.rows] @ unwhiten
        loose = location.orient == "loose" and reference.measure != "amplitude"
        scan = reference.method != "minnorm"
        if scan:
            seen = reference.sa[number] > 0
            ours, theirs = ours[seen], theirs[seen]
        if loose or scan:
            ours, theirs = ours.T @ ours, theirs.T @ theirs
        difference = np.linalg.norm(ours - theirs)
        # squaring doubles a relative error
        allowed = 2 * rtol * np.linalg.norm(theirs)
        assert difference <= allowed, f"location {number}: {difference:.2e} > {allowed:.2e}"


def assert_same_rows(
    ours: FloatArray, theirs: FloatArray, reference: Reference, rtol: float | None = None
) -> None:
    """Compare rows with rows, location by location, in whitened units.

    Both sides are computed by the package, each within the tolerance of the reference, hence
    within twice that of each other.
    """
    rtol = 2 * kernel_tolerance(reference) if rtol is None else rtol
    for location in reference.locations:
        a = ours[location.rows] @ reference.used.inverse
        b = theirs[location.rows] @ reference.used.inverse
        assert np.linalg.norm(a - b) <= rtol * np.linalg.norm(b)


# what compute_kernel takes


@dataclass(frozen=True, kw_only=True, eq=False)
class FakeProjector:
    components: Any
    comp_mask: Any = None
    status: int = 1
    kind: str = "ssp"


@dataclass(frozen=True, kw_only=True, eq=False)
class FakeChannels:
    types: Sequence[str]
    projectors: Sequence[FakeProjector] = ()

    @property
    def names(self) -> list[str]:
        return [f"C{i + 1:02d}" for i in range(len(self.types))]


@dataclass(frozen=True, kw_only=True, eq=False)
class FakeScout:
    region: str | None
    grid_rows: Any
    label: str | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class FakeAtlas:
    scouts: Sequence[FakeScout]


@dataclass(frozen=True, kw_only=True, eq=False)
class FakeHeadModel:
    gain: FloatArray
    grid_orient: FloatArray | None = None
    head_model_type: str | None = "surface"
    grid_atlas: FakeAtlas | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class FakeCovariance:
    noise_cov: FloatArray
    fourth_moment: FloatArray | None = None
    n_samples: Any = None
