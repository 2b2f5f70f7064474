"""What an inverse asks of the structures that it is given: the type of each value that it uses.

Structures that were read from files have passed more checks; these are for what programs put
together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from mne_bstinv.errors import InverseError
from mne_bstinv.inverse.structures import ChannelsLike, CovarianceLike, HeadModelLike

__all__ = ["refuse_odd_inputs"]

#: Of numbers beyond it the squares are infinite.
LARGEST = 1e150
#: Of rows beyond it no array is large enough.
LARGEST_ROW = 1e9


def refuse_odd_inputs(
    head_model: HeadModelLike, covs: Mapping[str, CovarianceLike], channels: ChannelsLike
) -> None:
    """Refuse structures of another kind, and values in them of another type, by their names."""
    needed = [("head_model", head_model, "gain"), ("channels", channels, "projectors")]
    needed += [(f"{kind}_cov", cov, "noise_cov") for kind, cov in covs.items()]
    for name, value, attribute in needed:
        if not hasattr(value, attribute):
            raise InverseError(
                f"{name} must be the structure that a file was read into (with the attribute "
                f"{attribute}), found {type(value).__name__}."
            )
    _refuse_odd_head_model(head_model)
    for kind, cov in covs.items():
        _refuse_odd_covariance(f"{kind}_cov", cov)
    _refuse_odd_channels(channels)


def _refuse_odd_head_model(head_model: HeadModelLike) -> None:
    _matrix("head_model.gain", head_model.gain)
    for attribute in ("head_model_type", "meg_method"):
        _text(f"head_model.{attribute}", getattr(head_model, attribute, None))
    if head_model.grid_orient is not None and np.size(head_model.grid_orient):
        _bounded("head_model.grid_orient", head_model.grid_orient)
    scouts = getattr(head_model.grid_atlas, "scouts", ())
    if not isinstance(scouts, Sequence) or isinstance(scouts, str):
        raise _odd("head_model.grid_atlas.scouts", "a sequence of scouts", scouts)
    for number, scout in enumerate(scouts, start=1):
        _refuse_odd_scout(f"scout {number} of head_model.grid_atlas", scout)


def _refuse_odd_scout(name: str, scout: Any) -> None:
    for attribute in ("label", "region"):
        _text(f"{attribute} of {name}", getattr(scout, attribute, None))
    rows = getattr(scout, "grid_rows", None)
    if rows is not None and np.size(rows):
        numbers = _numbers(f"grid_rows of {name}", rows)
        if not np.array_equal(numbers, np.floor(numbers)) or np.abs(numbers).max() > LARGEST_ROW:
            raise _odd(f"grid_rows of {name}", "whole numbers", rows)


def _refuse_odd_covariance(name: str, cov: CovarianceLike) -> None:
    matrix = _matrix(f"{name}.noise_cov", cov.noise_cov)
    _bounded(f"{name}.noise_cov", matrix)
    if cov.fourth_moment is not None:
        fourth = _matrix(f"{name}.fourth_moment", cov.fourth_moment)
        if fourth.shape != matrix.shape:
            raise InverseError(
                f"{name}.fourth_moment has shape {fourth.shape}, expected that of the covariance, "
                f"{matrix.shape}."
            )
    if cov.n_samples is not None:
        samples = _numbers(f"{name}.n_samples", cov.n_samples)
        if samples.size > 1 and samples.shape != matrix.shape:
            raise InverseError(
                f"{name}.n_samples has shape {samples.shape}, expected one number, or that of the "
                f"covariance, {matrix.shape}."
            )


def _refuse_odd_channels(channels: ChannelsLike) -> None:
    try:
        words: tuple[Any, ...] = (*channels.names, *channels.types)
    except (AttributeError, TypeError) as error:
        raise InverseError(
            "channels.channels must be the channels of a channel file, each with name and type: "
            f"{error}."
        ) from error
    for value in words:
        if not isinstance(value, str):
            raise _odd("the name and type of each channel", "text", value)
    projectors: Any = channels.projectors
    if not isinstance(projectors, Sequence) or isinstance(projectors, str):
        raise _odd("channels.projectors", "a sequence of projectors", projectors)
    for number, projector in enumerate(projectors, start=1):
        status = getattr(projector, "status", None)
        if not isinstance(status, int | float | np.number) or status not in (0, 1, 2):
            raise InverseError(f"Projector {number}: status {status!r}, expected 0, 1 or 2.")
        for attribute in ("components", "comp_mask"):
            value = getattr(projector, attribute)
            if value is not None:
                _numbers(f"{attribute} of projector {number}", value)
        if projector.comp_mask is not None and not np.isfinite(projector.comp_mask).all():
            raise InverseError(f"comp_mask of projector {number} is not finite.")


def _text(name: str, value: Any) -> None:
    if not isinstance(value, str | None):
        raise _odd(name, "text or None", value)


def _numbers(name: str, value: Any) -> np.ndarray[Any, Any]:
    """Return real numbers as an array."""
    try:
        array = np.asarray(value)
    except ValueError as error:  # rows of different lengths
        raise _odd(name, "numbers", value) from error
    if array.dtype.kind not in "biuf":
        raise _odd(name, "real numbers", value)
    return array


def _matrix(name: str, value: Any) -> np.ndarray[Any, Any]:
    """Return rows of real numbers, which must be an array already: a gain is not copied."""
    if not isinstance(value, np.ndarray) or value.ndim != 2:
        raise _odd(name, "an array with rows and columns", value)
    return _numbers(name, value)


def _bounded(name: str, value: Any) -> None:
    """Refuse numbers whose squares are infinite; what is not finite is named where it is used."""
    array = np.abs(_numbers(name, value))
    if np.any(np.isfinite(array) & (array > LARGEST)):
        raise InverseError(f"{name} holds a number beyond {LARGEST:g}. Read the file again.")


def _odd(name: str, expected: str, value: Any) -> InverseError:
    found = type(value).__name__
    if isinstance(value, np.ndarray):
        found = f"an array of shape {value.shape} and type {value.dtype}"
    return InverseError(f"{name} must be {expected}, found {found}.")
