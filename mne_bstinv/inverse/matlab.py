"""The drop-ins for Brainstorm's functions of each year: plain arrays under their MATLAB names."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from mne_bstinv._display import few
from mne_bstinv._types import FloatArray
from mne_bstinv.errors import InverseError, OptionError
from mne_bstinv.inverse.channels import refuse_unknown_types
from mne_bstinv.inverse.gain import Gain
from mne_bstinv.inverse.linear import (
    linear_inverse,
    refuse_several_models,
    volume_orientation_error,
)
from mne_bstinv.inverse.options import (
    AnyOptions,
    InverseOptions,
    InverseOptions2016,
    ignored_options,
)
from mne_bstinv.inverse.options_2009 import InverseOptions2009
from mne_bstinv.inverse.orientation import untruncated
from mne_bstinv.inverse.result import InverseResult
from mne_bstinv.inverse.source_model import Region
from mne_bstinv.inverse.whitening import CovarianceStatistics

__all__ = ["bst_inverse_linear", "bst_inverse_linear_2016", "bst_wmne"]


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
    return _from_plain_arrays(head_models, options, InverseOptions)


def bst_inverse_linear_2016(
    head_models: Mapping[str, Any] | Sequence[Mapping[str, Any]], options: Mapping[str, Any]
) -> InverseResult:
    """Compute an imaging kernel of 2016 from arrays under their MATLAB names.

    As :func:`bst_inverse_linear`, for the linear inverse of 2016.

    Parameters
    ----------
    head_models : mapping | sequence of mapping
        See :func:`bst_inverse_linear`; one only.
    options : mapping
        ``NoiseCovMat``, whose ``NoiseCov`` is divided by the number of averages already,
        ``DataCovMat`` (for ``lcmv``), ``ChannelTypes``, and the fields of
        :class:`InverseOptions2016`; missing ones take Brainstorm's defaults.

    Returns
    -------
    InverseResult
        The kernel and all intermediates.

    Raises
    ------
    OptionError
        If an option or a channel type is unknown, or a value out of range.
    InverseError
        If an array is missing, of the wrong shape, or not finite.
    UnsupportedInverseError
        If there are several head models, or ``shrink`` is to take several sensor types.
    """
    return _from_plain_arrays(head_models, options, InverseOptions2016)


def bst_wmne(
    head_models: Mapping[str, Any] | Sequence[Mapping[str, Any]], options: Mapping[str, Any]
) -> InverseResult:
    """Compute an imaging kernel of 2009 from arrays under their MATLAB names.

    The counterpart of calling Brainstorm's minimum norm of 2009 in a script: the channels are
    selected, projected and referenced, and the noise covariance is divided by the number of
    averages already. :func:`~mne_bstinv.compute_kernel` does that from a study's files.

    Parameters
    ----------
    head_models : mapping | sequence of mapping
        ``Gain``, ``GridLoc``, ``GridOrient``, ``HeadModelType`` as for
        :func:`bst_inverse_linear`, and ``MEGMethod`` (for truncated orientations). Several head
        models share one scale of the source covariance and one depth limit.
    options : mapping
        ``NoiseCov`` (n_channels × n_channels), ``ChannelTypes`` (one string a channel), and the
        fields of :class:`InverseOptions2009`; missing ones take Brainstorm's defaults.

    Returns
    -------
    InverseResult
        The kernel and all intermediates; ``whitener`` has as many rows as the rank.

    Raises
    ------
    OptionError
        If an option or a channel type is unknown, or a value out of range.
    InverseError
        If an array is missing, of the wrong shape, or not finite; or the noise covariance is
        singular and neither regularised nor reduced to its rank.
    UnsupportedInverseError
        If Brainstorm ends in an error: scans with several head models, truncated orientations of
        MEG in a single sphere.

    Examples
    --------
    >>> import numpy as np
    >>> from mne_bstinv import bst_wmne
    >>> rng = np.random.default_rng(0)
    >>> head_model = {"Gain": rng.normal(size=(4, 30)), "GridOrient": rng.normal(size=(10, 3))}
    >>> samples = rng.normal(size=(4, 100))
    >>> options = {"NoiseCov": np.cov(samples), "ChannelTypes": ["EEG"] * 4, "SNR": 3}
    >>> bst_wmne(head_model, options).kernel.shape
    (10, 4)
    """
    return _from_plain_arrays(head_models, options, InverseOptions2009)


def _from_plain_arrays(
    head_models: Mapping[str, Any] | Sequence[Mapping[str, Any]],
    options: Mapping[str, Any],
    of: type[AnyOptions],
) -> InverseResult:
    """Check the arrays and compute the kernel by the inverse that the class of options is of."""
    ignored = ignored_options(options, of)
    parsed = of.from_brainstorm(options)
    models = [head_models] if isinstance(head_models, Mapping) else list(head_models)
    if not models:
        raise InverseError("No head model was given. Give one, or a sequence of them.")
    if len(models) > 1:
        refuse_several_models(parsed)
    types = _channel_types(options.get("ChannelTypes"), models[0])
    noise = _noise(options, len(types), of)
    data = None
    if parsed.method == "lcmv":
        data = _parse_statistics(options.get("DataCovMat"), "DataCovMat", len(types))
    refuse_unknown_types(types, None)
    regions, first = [], 0
    for index, model in enumerate(models):
        orient = parsed.orientation(index, len(models))
        if orient == "truncated":
            orient = _untruncated(model, types)
        regions.append(_region(model, orient, len(types), first, index + 1))
        first += len(regions[-1].locations)
    result = linear_inverse(regions, noise, types, parsed, n_sources=first, data=data)
    return dataclasses.replace(result, warnings=result.warnings + ignored)


def _noise(options: Mapping[str, Any], n: int, of: type[AnyOptions]) -> CovarianceStatistics:
    """Read the noise covariance: a struct with its statistics; in 2009 the bare matrix."""
    if of is InverseOptions2009 and options.get("NoiseCovMat") is None:
        if options.get("NoiseCov") is None:
            raise InverseError("NoiseCov must be an array (n_channels, n_channels), found none.")
        return CovarianceStatistics(cov=_square(options["NoiseCov"], "NoiseCov", n))
    return _parse_statistics(options.get("NoiseCovMat"), "NoiseCovMat", n)


def _untruncated(model: Any, types: Sequence[str]) -> str:
    method = model.get("MEGMethod") if isinstance(model, Mapping) else None
    return untruncated(method if isinstance(method, str) else None, types)


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
        shown = few(bad + 1)
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
        gain=Gain(gain),
        grid_orient=None
        if orientations is None or np.size(orientations) == 0
        else np.atleast_2d(_numeric_array(orientations, f"{where}: GridOrient")),
        orient=orient,
        locations=np.arange(first, first + m),
    )
