"""Depth weights from the unwhitened gain."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from mne_bstinv._types import FloatArray
from mne_bstinv.errors import InverseError

__all__ = ["depth_weights", "gain_power", "limited_depth_weights", "weights_of_models"]


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


def limited_depth_weights(
    power: FloatArray, exponent: float, limit: float, largest: float
) -> FloatArray:
    """Amplitude weight of each location by the rule of 2009: the limit before the exponent.

    α_i² = min(largest / ‖g_i‖²_F, limit²)^exponent: Lin et al. (2006), as above.

    Parameters
    ----------
    power : array, shape (n_sources,)
        ‖g_i‖²_F of the projected, referenced, unwhitened gain, see :func:`gain_power`.
    exponent : float
        0 (no weighting) or more.
    limit : float
        Largest weight at exponent 1.
    largest : float
        The largest power of all head models, which all are relative to.

    Returns
    -------
    array, shape (n_sources,)
        α_i.

    Raises
    ------
    InverseError
        If the weights are too large for double precision.
    """
    if largest == 0:
        return np.ones_like(power)
    with np.errstate(divide="ignore", over="ignore"):
        weights: FloatArray = np.minimum(largest / power, limit**2) ** (exponent / 2)
    if not np.isfinite(weights).all():
        raise InverseError(
            f"The depth weights are not finite with weightexp {exponent:g} and weightlimit "
            f"{limit:g}. Choose smaller ones."
        )
    return weights


def weights_of_models(
    powers: Sequence[FloatArray],
    exponent: float,
    limit: float,
    rule: Literal["exponent first", "limit first"],
) -> list[FloatArray]:
    """Amplitude weights of the locations of several head models.

    Parameters
    ----------
    powers : sequence of array, shape (n_sources,)
        ‖g_i‖²_F of each model.
    exponent, limit : float
        Exponent and limit.
    rule : 'exponent first' | 'limit first'
        Each model for itself, see :func:`depth_weights`; or all relative to the best seen
        location, see :func:`limited_depth_weights`.

    Returns
    -------
    list of array
        α_i of each model.
    """
    if rule == "exponent first":
        return [depth_weights(power, exponent, limit) for power in powers]
    largest = max(float(power.max()) for power in powers)
    return [limited_depth_weights(power, exponent, limit, largest) for power in powers]
