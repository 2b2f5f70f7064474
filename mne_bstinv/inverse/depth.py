"""Depth weights from the unwhitened gain."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mne_bstinv._types import FloatArray
from mne_bstinv.errors import InverseError
from mne_bstinv.inverse.option_sets import OptionSet

__all__ = ["depth_weights", "gain_power", "limited_depth_weights", "weights_of_models"]


def gain_power(blocks: FloatArray) -> FloatArray:
    """‖g_i‖²_F (n_sources,) of the gain of each location, x, y and z in rows (n_sources, 3, n)."""
    of_locations = blocks.reshape(len(blocks), -1)
    with np.errstate(over="ignore", invalid="ignore"):
        return np.vecdot(of_locations, of_locations)


def depth_weights(power: FloatArray, exponent: float, limit: float) -> FloatArray:
    """Amplitude weight α_i (n_sources,) of each location, larger where the sensors see less.

    With a_i = (‖g_i‖²_F)^exponent of the projected, referenced, unwhitened gain, α_i² = max(a) /
    max(a_i, max(a) / limit²), so that 1 ≤ α_i ≤ limit; exponents go from 0 (no weighting) to 1. The
    form follows Lin et al. (2006), *NeuroImage* 31, 160–171; the exponent applies before the limit.
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
    """Amplitude weight α_i (n_sources,) by the rule of 2009: the limit before the exponent.

    α_i² = min(largest / ‖g_i‖²_F, limit²)^exponent, of the projected, referenced, unwhitened gain:
    Lin et al. (2006), as above. ``largest`` is the largest power of all head models, an exponent of
    0 weights nothing, and ``limit`` is the largest weight at exponent 1. Weights too large for
    double precision are refused.
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


def weights_of_models(powers: Sequence[FloatArray], options: OptionSet) -> list[FloatArray]:
    """Amplitude weights α_i of the locations of several head models, from their ‖g_i‖²_F.

    ``exponent first``: each model for itself, see :func:`depth_weights`; ``limit first``: all
    relative to the best seen location, see :func:`limited_depth_weights`.
    """
    exponent, limit = options.weight_exp, options.weight_limit
    if not options.depth_weighting:
        return [np.ones_like(power) for power in powers]
    if options.conventions.depth == "exponent first":
        return [depth_weights(power, exponent, limit) for power in powers]
    largest = max(float(power.max()) for power in powers)
    return [limited_depth_weights(power, exponent, limit, largest) for power in powers]
