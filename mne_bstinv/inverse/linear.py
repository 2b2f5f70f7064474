"""The linear inverse: from regions, covariances and options to the kernel, in reading order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mne_bstinv._types import FloatArray
from mne_bstinv.errors import InverseError, OptionError, UnsupportedInverseError
from mne_bstinv.inverse.group_whitening import group_whitener
from mne_bstinv.inverse.minimum_norm import minimum_norm_kernel
from mne_bstinv.inverse.options import AnyOptions, InverseOptions, InverseOptions2016
from mne_bstinv.inverse.options_2009 import InverseOptions2009
from mne_bstinv.inverse.result import InverseResult, RegionRows
from mne_bstinv.inverse.scanning import (
    Decompositions,
    regularized_scan,
    scanning_kernel,
)
from mne_bstinv.inverse.source_model import Region, SourceModel, weighted_rows
from mne_bstinv.inverse.whitening import CovarianceStatistics, Whitening, compute_whitener
from mne_bstinv.inverse.years import Conventions

__all__ = [
    "data_whitening",
    "linear_inverse",
    "noise_whitening",
    "refuse_several_models",
    "volume_orientation_error",
]


def linear_inverse(
    regions: Sequence[Region],
    noise: CovarianceStatistics,
    channel_types: Sequence[str],
    options: AnyOptions,
    *,
    n_sources: int,
    data: CovarianceStatistics | None = None,
    channel_names: Sequence[str] | None = None,
    mixed: bool = False,
    whitening: Whitening | None = None,
) -> InverseResult:
    """Compute a kernel from regions, covariances and options, in reading order.

    Covariances are of the channels in use, projected and referenced, that of the noise over the
    number of averages where the year does so; the one of the data is for ``lcmv``. ``n_sources``
    counts the locations of excluded regions, too. A ``mixed`` result has ``n_components`` 0 even
    with one region. Names are for messages and the result. The whitening of the noise may be known.
    """
    whitening = whitening or noise_whitening(noise, channel_types, options, channel_names)
    of_data = _of_data(data, channel_types, options, whitening, channel_names)
    kernel, models = weighted_rows(regions, options)  # whose rows become those of the kernel
    solution = _solve(kernel, models, options, (of_data or whitening).whitener)
    return InverseResult(
        kernel=kernel,
        whitener=whitening.whitener,
        data_whitener=of_data.whitener if of_data else None,
        n_components=0 if mixed or len(models) > 1 else models[0].n_components,
        noise_method=whitening.method,
        options=options,
        regions=tuple(
            RegionRows(name=r.name, orient=r.orient, locations=r.locations, rows=model.rows)
            for r, model in zip(regions, models, strict=True)
        ),
        n_sources=n_sources,
        channel_types=tuple(channel_types),
        alpha=np.concatenate([m.alpha for m in models]),
        lambda_=solution.lambda_,
        s2=solution.s2,
        ranks=whitening.ranks,
        noise_std=whitening.std,
        noise_cov=noise.cov,
        data_cov=data.cov if of_data and data else None,
        source_decomp_sa=solution.decompositions.sa if solution.decompositions else None,
        source_decomp_va=solution.decompositions.va if solution.decompositions else None,
        channel_names=None if channel_names is None else tuple(channel_names),
        warnings=whitening.warnings + (of_data.warnings if of_data else ()),
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Solution:
    """The numbers on the way to a kernel, as :class:`InverseResult` holds them."""

    lambda_: float | None = None
    s2: FloatArray | None = None
    decompositions: Decompositions | None = None


def _solve(
    q: FloatArray, models: Sequence[SourceModel], options: AnyOptions, whitener: FloatArray
) -> _Solution:
    """Replace q = Q' G' by the kernel (n_rows, n_channels), by the method of the options."""
    if options.is_minimum_norm:
        lambda_, s2 = minimum_norm_kernel(q, models, whitener, options)
        return _Solution(lambda_=lambda_, s2=s2)
    if isinstance(options, InverseOptions2009):
        lambda_, s2, scan = regularized_scan(q, models, whitener, options)
        return _Solution(lambda_=lambda_, s2=s2, decompositions=scan)
    return _Solution(decompositions=scanning_kernel(q, models, whitener))


def noise_whitening(
    noise: CovarianceStatistics,
    channel_types: Sequence[str],
    options: AnyOptions,
    channel_names: Sequence[str] | None = None,
    conventions: Conventions | None = None,
) -> Whitening:
    """Whiten the noise as the inverse of the year does.

    The covariance is of the channels in use, projected, referenced, and divided by the number of
    averages where the year does so; names are for messages. ``conventions`` take the place of those
    of the year, but for the groups of 2009. Refuses what
    :func:`~mne_bstinv.inverse.whitening.compute_whitener` and
    :func:`~mne_bstinv.inverse.group_whitening.group_whitener` do.
    """
    if isinstance(options, InverseOptions2009):
        return group_whitener(noise.cov, channel_types, options)
    return compute_whitener(
        noise,
        channel_types,
        options.noise_method,
        noise_reg=options.noise_reg,
        channel_names=channel_names,
        conventions=conventions or options.conventions,
    )


def data_whitening(
    data: CovarianceStatistics,
    channel_types: Sequence[str],
    options: InverseOptions | InverseOptions2016,
    noise: Whitening,
    channel_names: Sequence[str] | None = None,
) -> Whitening:
    """Whiten the data of ``lcmv`` as the inverse of the year does: by the method of the noise.

    The covariance is of the channels in use, projected and referenced; ``noise`` is the whitener of
    the noise, whose method was settled.
    """
    return compute_whitener(
        data,
        channel_types,
        noise.method,
        noise_reg=options.noise_reg,
        detect_diagonal=False,
        channel_names=channel_names,
        conventions=options.conventions,
    )


def _of_data(
    data: CovarianceStatistics | None,
    channel_types: Sequence[str],
    options: AnyOptions,
    noise: Whitening,
    channel_names: Sequence[str] | None,
) -> Whitening | None:
    if isinstance(options, InverseOptions2009) or options.method != "lcmv":
        return None
    if data is None:
        raise InverseError(
            "Method 'lcmv' needs a data covariance (data_cov, DataCovMat), found none. Compute it "
            "in Brainstorm, or with noise_cov_from."
        )
    return data_whitening(data, channel_types, options, noise, channel_names)


def volume_orientation_error(orient: str, where: str) -> OptionError:
    """Build the error for a constrained orientation on a volume; ``where`` is its head model."""
    return OptionError(
        f"{where} is a volume without orientations: SourceOrient must be 'free', found {orient!r}."
    )


def refuse_several_models(options: AnyOptions) -> None:
    """Refuse methods that take one head model only in their year, for several or a mixed one."""
    if options.method in options.conventions.one_model:
        raise UnsupportedInverseError(
            f"The inverse of {options.year} takes one head model for InverseMethod "
            f"{options.method!r}: Brainstorm refuses mixed ones. Choose a surface or volume head "
            "model, or the inverse of another year."
        )
