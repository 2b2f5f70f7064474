"""The drop-in for ``bst_inverse_linear`` (2018): plain arrays under their MATLAB names."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from mne_bstinv._types import FloatArray
from mne_bstinv.errors import InverseError, OptionError
from mne_bstinv.inverse.channels import refuse_unknown_types
from mne_bstinv.inverse.linear import Region, linear_inverse, volume_orientation_error
from mne_bstinv.inverse.options import InverseOptions, ignored_options
from mne_bstinv.inverse.result import InverseResult
from mne_bstinv.inverse.whitening import CovarianceStatistics

__all__ = ["bst_inverse_linear"]


def bst_inverse_linear(
    head_models: Mapping[str, Any] | Sequence[Mapping[str, Any]], options: Mapping[str, Any]
) -> InverseResult:
    """Compute an imaging kernel from arrays under their MATLAB names.

    The counterpart of calling Brainstorm's 2018 linear inverse in a script: the channels are
    selected, projected and referenced already. :func:`~mne_bstinv.compute_kernel` does that
    from a study's files.

    Parameters
    ----------
    head_models : mapping | sequence of mapping
        ``Gain`` (n_channels × 3·n_sources; T, T/m or V per A·m), ``GridLoc`` (n_sources × 3,
        optional, only its size is checked), ``GridOrient`` (n_sources × 3, for fixed and loose),
        ``HeadModelType`` (``'surface'``, ``'volume'`` or ``'mixed'``). Several head models share
        one Λ; ``SourceOrient`` then has one entry each.
    options : mapping
        ``NoiseCovMat`` (``NoiseCov``, and for ``shrink`` ``FourthMoment``, ``nSamples``),
        ``DataCovMat`` (for ``lcmv``), ``ChannelTypes`` (one string a channel), and the fields of
        :class:`InverseOptions`; missing ones take Brainstorm's defaults.

    Returns
    -------
    InverseResult
        ``kernel``, ``whitener``, ``data_whitener``, ``n_components``, ``noise_method`` and all
        intermediates.

    Raises
    ------
    OptionError
        If an option or a channel type is unknown, or a value out of range. A field that is no
        option at all is ignored with a warning, unless it looks like a misspelt one.
    InverseError
        If an array is missing, of the wrong shape, or not finite.

    Examples
    --------
    >>> import numpy as np
    >>> from mne_bstinv import bst_inverse_linear
    >>> rng = np.random.default_rng(0)
    >>> head_model = {"Gain": rng.normal(size=(4, 30)), "GridOrient": rng.normal(size=(10, 3))}
    >>> samples = rng.normal(size=(4, 100))
    >>> result = bst_inverse_linear(
    ...     head_model, {"NoiseCovMat": {"NoiseCov": np.cov(samples)}, "ChannelTypes": ["EEG"] * 4}
    ... )
    >>> result.kernel.shape
    (10, 4)
    """
    ignored = ignored_options(options)
    parsed = InverseOptions.from_brainstorm(options)
    models = [head_models] if isinstance(head_models, Mapping) else list(head_models)
    if not models:
        raise InverseError("No head model was given. Give one, or a sequence of them.")
    types = _channel_types(options.get("ChannelTypes"), models[0])
    noise = _parse_statistics(options.get("NoiseCovMat"), "NoiseCovMat", len(types))
    data = None
    if parsed.method == "lcmv":
        data = _parse_statistics(options.get("DataCovMat"), "DataCovMat", len(types))
    regions, first = [], 0
    for index, model in enumerate(models):
        orient = parsed.orientation(index, len(models))
        regions.append(_region(model, orient, len(types), first, index + 1))
        first += len(regions[-1].locations)
    refuse_unknown_types(types, None)
    result = linear_inverse(regions, noise, types, parsed, n_sources=first, data=data)
    return dataclasses.replace(result, warnings=result.warnings + ignored)


def _channel_types(types: Any, model: Any) -> list[str]:
    if isinstance(types, str):  # one type for all
        gain = model.get("Gain") if isinstance(model, Mapping) else None
        return [types] * (len(gain) if gain is not None and np.ndim(gain) == 2 else 1)
    if types is None or len(types) == 0 or not all(isinstance(t, str) for t in types):
        raise OptionError(
            f"ChannelTypes must list one type (such as 'MEG GRAD' or 'EEG') a channel, "
            f"found {types!r}."
        )
    return [str(t) for t in types]


def _numeric_array(value: Any, name: str) -> FloatArray:
    """Turn a value into a float64 array without copying one that is one already."""
    try:
        array = np.asarray(value)
    except ValueError as error:  # rows of different lengths
        raise InverseError(f"{name} must be a rectangular array: {error}.") from error
    if array.dtype.kind not in "fiub":
        raise InverseError(f"{name} must hold real numbers, found {array.dtype} values.")
    return array.astype(np.float64, copy=False)


def _parse_statistics(value: Any, name: str, n: int) -> CovarianceStatistics:
    """Check a covariance struct given under its MATLAB names."""
    if not isinstance(value, Mapping) or "NoiseCov" not in value:
        raise InverseError(
            f"{name} must be a mapping with the field NoiseCov, found {type(value).__name__}."
        )
    cov = _square(value["NoiseCov"], f"{name}.NoiseCov", n)
    fourth = value.get("FourthMoment")
    samples = np.ravel(value["nSamples"]) if value.get("nSamples") is not None else np.empty(0)
    return CovarianceStatistics(
        cov=cov,
        fourth_moment=None
        if fourth is None or np.size(fourth) == 0
        else _square(fourth, f"{name}.FourthMoment", n),
        n_samples=float(samples[0]) if samples.size else None,
    )


def _square(value: Any, name: str, n: int) -> FloatArray:
    array = _numeric_array(value, name)
    array = array.reshape(1, 1) if array.size == 1 else array
    if array.shape != (n, n):
        raise InverseError(
            f"{name} has shape {array.shape}, expected ({n}, {n}): one row a channel."
        )
    bad = np.flatnonzero(~np.isfinite(array).all(axis=0))
    if bad.size:
        shown = ", ".join(map(str, bad[:10] + 1))
        raise InverseError(
            f"{name} is not finite for channel(s) {shown} (1-based). Leave these channels out, or "
            "compute it again."
        )
    return array


def _region(model: Mapping[str, Any], orient: str, n: int, first: int, number: int) -> Region:
    where = f"Head model {number}"
    if not isinstance(model, Mapping) or model.get("Gain") is None:
        raise InverseError(
            f"{where}: the field Gain is missing. Give it, (n_channels, 3 * n_sources)."
        )
    gain = _numeric_array(model["Gain"], f"{where}: Gain")
    gain = gain[None, :] if gain.ndim == 1 and n == 1 else gain
    if gain.ndim != 2 or gain.shape[0] != n or gain.shape[1] % 3 or gain.shape[1] == 0:
        hint = " It looks transposed." if gain.ndim == 2 and gain.shape[1] == n else ""
        raise InverseError(
            f"{where}: Gain has shape {gain.shape}, expected ({n}, 3 × number of locations).{hint}"
        )
    m = gain.shape[1] // 3
    grid_loc = model.get("GridLoc")
    if grid_loc is not None and np.size(grid_loc) not in (0, 3 * m):
        raise InverseError(f"{where}: GridLoc has shape {np.shape(grid_loc)}, expected ({m}, 3).")
    if str(model.get("HeadModelType") or "surface").lower() == "volume" and orient != "free":
        raise volume_orientation_error(orient, where)
    orientations = model.get("GridOrient")
    return Region(
        gain=gain,
        grid_orient=None
        if orientations is None or np.size(orientations) == 0
        else np.atleast_2d(_numeric_array(orientations, f"{where}: GridOrient")),
        orient=orient,
        locations=np.arange(first, first + m),
    )
