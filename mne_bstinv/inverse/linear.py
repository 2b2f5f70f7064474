"""The linear inverse on plain arrays: the drop-in for ``bst_inverse_linear`` (2018)."""

from __future__ import annotations

import dataclasses
import difflib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mne_bstinv.errors import InverseError, OptionError
from mne_bstinv.inverse._types import FloatArray, IntArray
from mne_bstinv.inverse.minimum_norm import minimum_norm_kernel
from mne_bstinv.inverse.options import DATA_TYPES, OPTION_FIELDS, InverseOptions
from mne_bstinv.inverse.result import InverseResult, RegionRows
from mne_bstinv.inverse.scanning import scanning_kernel
from mne_bstinv.inverse.source_model import SourceModel
from mne_bstinv.inverse.whitening import CovarianceStatistics, Whitening, compute_whitener

__all__ = ["Region", "bst_inverse_linear", "linear_inverse"]

logger = logging.getLogger("mne_bstinv")

#: Fields of Brainstorm's Options struct that are no options of the inverse, or its arrays.
_OTHER_FIELDS = (
    "NoiseCovMat",
    "DataCovMat",
    "ChannelTypes",
    "Comment",
    "ComputeKernel",
    "DataTypes",
    "DisplayMessages",
    "FunctionName",
)


@dataclass(frozen=True, kw_only=True, eq=False)
class Region:
    """Locations that share one orientation constraint.

    Parameters
    ----------
    gain : array, shape (n_channels, 3 * n_sources)
        Projected, referenced gain of the channels in use.
    grid_orient : array, shape (n_sources, 3) | None
        Orientations; not needed for free.
    orient : 'fixed' | 'loose' | 'free'
        Orientation constraint.
    locations : array of int, shape (n_sources,)
        0-based locations of the head model.
    name : str
        Name of the region.
    """

    gain: FloatArray
    grid_orient: FloatArray | None
    orient: str
    locations: IntArray
    name: str = ""


def linear_inverse(
    regions: Sequence[Region],
    noise: CovarianceStatistics,
    channel_types: Sequence[str],
    options: InverseOptions,
    *,
    n_sources: int,
    data: CovarianceStatistics | None = None,
    channel_names: Sequence[str] | None = None,
    mixed: bool = False,
) -> InverseResult:
    """Compute a kernel from regions, covariances and options, in reading order.

    Parameters
    ----------
    regions : sequence of Region
        The head model, split by orientation constraint.
    noise : CovarianceStatistics
        Noise covariance of the channels in use, projected and referenced.
    channel_types : sequence of str
        Type of each channel in use.
    options : InverseOptions
        The options.
    n_sources : int
        Locations of the head model, those of excluded regions too.
    data : CovarianceStatistics | None
        Data covariance, for ``lcmv``.
    channel_names : sequence of str | None
        Names for messages and the result.
    mixed : bool
        Whether the result counts as mixed (``n_components`` 0) even with one region.

    Returns
    -------
    InverseResult
        The kernel and its intermediates.

    Raises
    ------
    InverseError
        If the arrays do not allow the computation.
    """
    _refuse_unknown_types(channel_types, channel_names)
    whitening = compute_whitener(
        noise,
        channel_types,
        options.noise_method,
        noise_reg=options.noise_reg,
        channel_names=channel_names,
    )
    data_whitening = _data_whitening(data, channel_types, options, whitening, channel_names)
    models = [SourceModel.build(r.gain, r.grid_orient, r.orient, options) for r in regions]
    lambda_, s2, sa, va = None, None, None, None
    if options.method == "minnorm":
        kernel, lambda_, s2 = minimum_norm_kernel(models, whitening.whitener, options)
    else:
        kernel, sa, va = scanning_kernel(models, (data_whitening or whitening).whitener)
    return InverseResult(
        kernel=kernel,
        whitener=whitening.whitener,
        data_whitener=data_whitening.whitener if data_whitening else None,
        n_components=0 if mixed or len(models) > 1 else models[0].n_components,
        noise_method=whitening.method,
        options=options,
        regions=_region_rows(regions, models),
        n_sources=n_sources,
        channel_types=tuple(channel_types),
        alpha=np.concatenate([m.alpha for m in models]),
        lambda_=lambda_,
        s2=s2,
        ranks=whitening.ranks,
        noise_std=whitening.std,
        noise_cov=noise.cov,
        data_cov=data.cov if data_whitening and data else None,
        source_decomp_sa=sa,
        source_decomp_va=va,
        channel_names=None if channel_names is None else tuple(channel_names),
        warnings=whitening.warnings + (data_whitening.warnings if data_whitening else ()),
    )


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
    ignored = _ignored_options(options)
    parsed = InverseOptions.from_brainstorm(options)
    models = [head_models] if isinstance(head_models, Mapping) else list(head_models)
    if not models:
        raise InverseError("No head model was given.")
    types = _channel_types(options.get("ChannelTypes"))
    noise = parse_statistics(options.get("NoiseCovMat"), "NoiseCovMat", len(types))
    data = None
    if parsed.method == "lcmv":
        data = parse_statistics(options.get("DataCovMat"), "DataCovMat", len(types))
    regions, first = [], 0
    for index, model in enumerate(models):
        orient = parsed.orientation(index, len(models))
        regions.append(_region(model, orient, len(types), first, index + 1))
        first += len(regions[-1].locations)
    result = linear_inverse(regions, noise, types, parsed, n_sources=first, data=data)
    return dataclasses.replace(result, warnings=result.warnings + ignored)


def _refuse_unknown_types(types: Sequence[str], names: Sequence[str] | None) -> None:
    for index, kind in enumerate(types):
        if kind.strip().upper() not in DATA_TYPES:
            which = f"Channel {index + 1}" if names is None else f"Channel {names[index]}"
            raise OptionError(
                f"{which} is of type {kind!r}, which has no inverse. "
                f"Must be one of {', '.join(DATA_TYPES)}."
            )


def _ignored_options(options: Mapping[str, Any]) -> tuple[str, ...]:
    """Warn of fields that are no options; refuse those that look like a misspelt one."""
    if not isinstance(options, Mapping):
        raise OptionError(f"The options must be a mapping, found {type(options).__name__}.")
    known = {name.lower(): name for name in (*OPTION_FIELDS, *_OTHER_FIELDS)}
    warnings = []
    for name in options:
        if name in known.values():
            continue
        close = difflib.get_close_matches(str(name).lower(), known, n=1, cutoff=0.8)
        if close:
            raise OptionError(f"Unknown option {name!r}. Did you mean {known[close[0]]!r}?")
        warnings.append(f"The field {name!r} of the options is no option of the inverse: ignored.")
        logger.warning(warnings[-1])
    return tuple(warnings)


def _data_whitening(
    data: CovarianceStatistics | None,
    channel_types: Sequence[str],
    options: InverseOptions,
    noise: Whitening,
    channel_names: Sequence[str] | None,
) -> Whitening | None:
    if options.method != "lcmv":
        return None
    if data is None:
        raise InverseError("Method 'lcmv' needs a data covariance, found none.")
    return compute_whitener(
        data,
        channel_types,
        noise.method,
        noise_reg=options.noise_reg,
        detect_diagonal=False,
        channel_names=channel_names,
    )


def _region_rows(
    regions: Sequence[Region], models: Sequence[SourceModel]
) -> tuple[RegionRows, ...]:
    rows, first = [], 0
    for region, model in zip(regions, models, strict=True):
        rows.append(
            RegionRows(
                name=region.name,
                orient=region.orient,
                locations=region.locations,
                rows=slice(first, first + model.n_rows),
            )
        )
        first += model.n_rows
    return tuple(rows)


def _channel_types(types: Any) -> list[str]:
    if isinstance(types, str):
        return [types]
    if types is None or len(types) == 0 or not all(isinstance(t, str) for t in types):
        raise OptionError(
            f"ChannelTypes must list one type (such as 'MEG GRAD' or 'EEG') a channel, "
            f"found {types!r}."
        )
    return [str(t) for t in types]


def numeric_array(value: Any, name: str) -> FloatArray:
    """Turn a value into a float64 array without copying one that is one already.

    Parameters
    ----------
    value : object
        The value.
    name : str
        Its name, for the message.

    Returns
    -------
    array
        The array.

    Raises
    ------
    InverseError
        If the value is no array of real numbers.
    """
    try:
        array = np.asarray(value)
    except ValueError as error:  # rows of different lengths
        raise InverseError(f"{name} must be a rectangular array: {error}.") from error
    if array.dtype.kind not in "fiub":
        raise InverseError(f"{name} must hold real numbers, found {array.dtype} values.")
    return array.astype(np.float64, copy=False)


def parse_statistics(value: Any, name: str, n: int) -> CovarianceStatistics:
    """Check a covariance struct given under its MATLAB names.

    Parameters
    ----------
    value : mapping
        ``NoiseCov`` and optionally ``FourthMoment`` and ``nSamples``.
    name : str
        Name of the struct, for messages.
    n : int
        Number of channels expected.

    Returns
    -------
    CovarianceStatistics
        The arrays.

    Raises
    ------
    InverseError
        If a field is missing, of the wrong shape, or not finite.
    """
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
    array = numeric_array(value, name)
    array = array.reshape(1, 1) if array.size == 1 else array
    if array.shape != (n, n):
        raise InverseError(
            f"{name} has shape {array.shape}, expected ({n}, {n}): one row a channel."
        )
    bad = np.flatnonzero(~np.isfinite(array).all(axis=0))
    if bad.size:
        shown = ", ".join(map(str, bad[:10] + 1))
        raise InverseError(f"{name} is not finite for channel(s) {shown} (1-based).")
    return array


def _region(model: Mapping[str, Any], orient: str, n: int, first: int, number: int) -> Region:
    where = f"Head model {number}"
    if not isinstance(model, Mapping) or model.get("Gain") is None:
        raise InverseError(f"{where}: the field Gain is missing.")
    gain = numeric_array(model["Gain"], f"{where}: Gain")
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
        else np.atleast_2d(numeric_array(orientations, f"{where}: GridOrient")),
        orient=orient,
        locations=np.arange(first, first + m),
    )


def volume_orientation_error(orient: str, where: str) -> OptionError:
    """Build the error for a constrained orientation on a volume.

    Parameters
    ----------
    orient : str
        The orientation asked for.
    where : str
        The head model it was asked for.

    Returns
    -------
    OptionError
        The error to raise.
    """
    return OptionError(
        f"{where} is a volume without orientations: SourceOrient must be 'free', found {orient!r}."
    )
