"""Depth weights from the unwhitened gain."""

from __future__ import annotations

import numpy as np

from mne_bstinv._types import FloatArray

__all__ = ["depth_weights", "gain_power"]


def gain_power(gain: FloatArray) -> FloatArray:
    """Squared Frobenius norm of the three gain columns of each location.

    Parameters
    ----------
    gain : array, shape (n_channels, 3 * n_sources)
        Gain with three consecutive columns (x, y, z) a location.

    Returns
    -------
    array, shape (n_sources,)
        ‖g_i‖²_F.
    """
    columns = np.einsum("ij,ij->i", gain.T, gain.T)
    return columns.reshape(-1, 3).sum(axis=1)


def depth_weights(power: FloatArray, exponent: float, limit: float) -> FloatArray:
    """Amplitude weight of each location, larger where the sensors see less.

    With a_i = (‖g_i‖²_F)^exponent, α_i² = max(a) / max(a_i, max(a) / limit²), so that
    1 ≤ α_i ≤ limit. The form follows Lin et al. (2006), *NeuroImage* 31, 160–171; the
    exponent applies before the limit.

    Parameters
    ----------
    power : array, shape (n_sources,)
        ‖g_i‖²_F of the projected, referenced, unwhitened gain, see :func:`gain_power`.
    exponent : float
        Between 0 (no weighting) and 1.
    limit : float
        Largest weight.

    Returns
    -------
    array, shape (n_sources,)
        α_i.
    """
    a = power**exponent
    largest = a.max()
    if largest == 0:  # a model that no channel sees weighs nothing
        return np.ones_like(a)
    weights: FloatArray = np.sqrt(largest / np.maximum(a, largest / limit**2))
    return weights
