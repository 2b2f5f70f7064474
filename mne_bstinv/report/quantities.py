"""The arrays that the figures of a cross-validation show."""

from __future__ import annotations

import numpy as np
from scipy.spatial import KDTree

from mne_bstinv._types import FloatArray, IntArray
from mne_bstinv.conversion import Findings
from mne_bstinv.cross_validation import CrossValidation
from mne_bstinv.inverse.orientation import unit_normals
from mne_bstinv.inverse.projection import average_reference, project_gain
from mne_bstinv.inverse.projectors import projection_operator
from mne_bstinv.studies.normals import with_normals

__all__ = [
    "depth_in_mm",
    "filter_factors",
    "kernels_per_noise",
    "magnitudes",
    "on_all_locations",
    "peaks",
    "sensor_fits",
]


def filter_factors(validation: CrossValidation) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return Brainstorm's singular values (n,), and the filter factors (n,) of both sides.

    The values are of the whitened, weighted gain in (A·m)⁻¹, the largest first; the factors are s²
    / (s² + μ) of each side's own singular values and μ, 0 for a direction that the side has not.
    """
    n = max(len(end.singular_values) for end in validation.ends)
    values = [np.pad(e.singular_values, (0, n - len(e.singular_values))) for e in validation.ends]
    first, last = (v**2 / (v**2 + end.mu) for v, end in zip(values, validation.ends, strict=True))
    return values[0], first, last


def depth_in_mm(validation: CrossValidation) -> FloatArray | None:
    """Measure the distance (n_sources,) in mm of each location from the nearest sensor in use.

    A sensor is an integration point of a coil, or an electrode; None where there are no positions.
    """
    used = (validation.study.channels.channels[i] for i in _channels(validation))
    points = [
        # a second point of an electrode is its reference
        channel.loc.T if channel.type.strip().upper().startswith("MEG") else channel.loc.T[:1]
        for channel in used
        if channel.loc is not None
    ]
    sensors = np.concatenate(points) if points else np.empty((0, 3))
    sensors = sensors[np.isfinite(sensors).all(axis=1) & sensors.any(axis=1)]
    if not len(sensors):
        return None
    distances, _ = KDTree(sensors).query(_positions(validation))
    return np.asarray(1e3 * distances, dtype=np.float64)


def kernels_per_noise(validation: CrossValidation) -> tuple[FloatArray, FloatArray]:
    """Scale both kernels (n_sources * p, n_channels) by the noise of each channel.

    It is the estimate, in A·m or without unit, that one standard deviation of a channel's noise
    makes: each column times the root of the diagonal of the projected noise covariance, which puts
    all types of sensors on a par.
    """
    deviation = np.sqrt(np.diag(validation.result.noise_cov))
    n_channels = validation.brainstorm.shape[2]
    first, last = (
        kernel.reshape(-1, n_channels) * deviation
        for kernel in (validation.brainstorm, validation.mne)
    )
    return first, last


def on_all_locations(validation: CrossValidation, values: FloatArray) -> FloatArray:
    """Spread numbers of the locations compared (n_compared,) over all (n_sources,), else NaN."""
    spread = np.full(len(validation.brainstorm), np.nan)
    spread[validation.before.locations] = values
    return spread


def magnitudes(estimate: FloatArray) -> FloatArray:
    """Return a time course a location (n_sources, n_times) of (n_sources, p, n_times) values.

    It is the only component with its sign, or the norm of three.
    """
    if estimate.shape[1] == 1:
        return estimate[:, 0]
    return np.linalg.norm(estimate, axis=1)


def peaks(validation: CrossValidation, *, most: int = 4, apart: float = 0.03) -> IntArray:
    """Find the strongest 0-based locations that are ``apart`` (m) from each other, strongest first.

    Strength is the largest magnitude over time relative to the strongest location of the same side;
    the side where it is larger counts, so that the peaks of both are among them.
    """
    strength = np.zeros(len(validation.brainstorm))
    for estimate in validation.estimates or ():
        largest = np.nan_to_num(np.abs(magnitudes(estimate))).max(axis=1)
        strength = np.maximum(strength, largest / (largest.max() or 1.0))
    positions, found = _positions(validation), list[int]()
    while len(found) < most and strength.max() > 0:
        found.append(int(np.argmax(strength)))
        strength[np.linalg.norm(positions - positions[found[-1]], axis=1) < apart] = 0
    return np.array(found, dtype=np.int64)


def sensor_fits(validation: CrossValidation) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the recordings and both sides' predictions, (n_channels, n_times), T, T/m or V.

    The gain has Brainstorm's projectors and average reference; the recordings are those that the
    kernels are applied to, EEG with the average reference, too.
    """
    study, estimates = validation.study, validation.estimates
    assert estimates is not None
    assert study.recordings is not None
    channels, used = study.channels, _channels(validation)
    reference = average_reference(validation.result.channel_types)
    projection = projection_operator(channels.projectors, len(channels))
    projected = project_gain(study.head_model.gain, used, projection, reference, channels.names)
    gain = projected.array
    if validation.brainstorm.shape[1] == 1:
        model = with_normals(study.head_model, study.cortex, Findings())
        normals = unit_normals(model.grid_orient, len(validation.brainstorm))
        gain = np.einsum("cma,ma->cm", gain.reshape(len(gain), -1, 3), normals)
    first, last = (
        gain @ np.nan_to_num(estimate.reshape(gain.shape[1], -1)) for estimate in estimates
    )
    measured = np.asarray(study.recordings.f, dtype=np.float64)[used]
    return measured if reference is None else reference @ measured, first, last


def _channels(validation: CrossValidation) -> IntArray:
    indices = validation.result.channel_indices
    assert indices is not None  # the result was computed from a study
    return indices


def _positions(validation: CrossValidation) -> FloatArray:
    return np.asarray(validation.study.head_model.grid_loc, dtype=np.float64)
