"""The first half of the study step: from a study's files to the arrays of the inverse.

Channels are selected, projectors and the average reference applied to gain and covariances, a
mixed head model split by region. The structures are taken as they are read from files; nothing
here knows how.
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mne_bstinv._display import few
from mne_bstinv._types import AnyArray, FloatArray, IntArray
from mne_bstinv.errors import InverseError, OptionError
from mne_bstinv.inverse.channels import (
    given_channels,
    parse_flags,
    refuse_unknown_types,
    select_channels,
    types_left_out,
)
from mne_bstinv.inverse.gain import Gain
from mne_bstinv.inverse.inputs import refuse_odd_inputs
from mne_bstinv.inverse.linear import refuse_several_models, volume_orientation_error
from mne_bstinv.inverse.options import (
    AnyOptions,
    InverseOptions,
    InverseOptions2016,
    ignored_options,
    options_class,
)
from mne_bstinv.inverse.options_2009 import InverseOptions2009
from mne_bstinv.inverse.orientation import untruncated
from mne_bstinv.inverse.regions import mixed_regions
from mne_bstinv.inverse.selection import Covariances, Selections
from mne_bstinv.inverse.source_model import Region
from mne_bstinv.inverse.structures import ChannelsLike, CovarianceLike, HeadModelLike
from mne_bstinv.inverse.whitening import CovarianceStatistics, Whitening

__all__ = [
    "PreparedStudy",
    "prepare_study",
    "select_channels",
]

logger = logging.getLogger("mne_bstinv")

_SILENT = "is zero (they were bad when it was computed)"


@dataclass(frozen=True, kw_only=True, eq=False)
class PreparedStudy:
    """What the linear algebra of an inverse starts from."""

    #: The head model with the projected, referenced gain, by orientation constraint.
    regions: tuple[Region, ...]
    #: Covariances of the channels in use, projected and referenced; that of the noise divided by
    #: ``noise_averages``.
    noise: CovarianceStatistics
    data: CovarianceStatistics | None
    #: 0-based positions of the channels in use in the channel file, (n_channels,).
    channel_indices: IntArray
    channel_types: tuple[str, ...]
    channel_names: tuple[str, ...]
    #: Of any year, ``source_orient`` with one entry a region of a mixed head model.
    options: AnyOptions
    #: Locations of the head model, those of excluded regions too.
    n_sources: int
    mixed: bool
    #: What the noise covariance was divided by: the number of averages in 2009 and 2016, else 1.
    noise_averages: float = 1.0
    #: Channels of the channel file.
    n_all_channels: int
    #: Where the covariances are from, which know their whiteners.
    covariances: Covariances
    #: What the user should know.
    warnings: tuple[str, ...] = ()

    @property
    def whitening(self) -> Whitening:
        """Whitener of the noise as the options say, computed once for the same covariances."""
        return self.covariances.whitening(self.options, self.noise_averages)


def prepare_study(
    head_model: HeadModelLike,
    noise_cov: CovarianceLike,
    channels: ChannelsLike,
    *,
    channel_flag: AnyArray | Sequence[int] | None = None,
    data_types: str | Sequence[str] | None = None,
    options: AnyOptions | Mapping[str, Any] | None = None,
    data_cov: CovarianceLike | None = None,
    good_channels: AnyArray | Sequence[int] | None = None,
    n_avg: float = 1,
    selections: Selections | None = None,
) -> PreparedStudy:
    """Select, project and reference what an inverse is computed from.

    Arguments are those of :func:`~mne_bstinv.compute_kernel`; ``good_channels`` (0-based) are used
    instead of a selection by flag and type, and ``selections`` of the same gain, covariances and
    channels hold what was selected before. Refused are a selection that leaves no channel, unknown
    types, arrays not usable for the channels in use, an orientation that does not fit the head
    model, and what Brainstorm itself refuses in this year for the head model.
    """
    options, ignored = _parse_options(options)
    averages = _averages(n_avg) if options.conventions.averages_in_noise else 1.0
    covs = {"noise": noise_cov} | ({} if data_cov is None else {"data": data_cov})
    if selections is None:
        selections = Selections(head_model, covs, channels)
    elif selections.head_model is not head_model:  # it was given normals
        refuse_odd_inputs(head_model, covs, channels)
    flags, warnings = parse_flags(channel_flag)
    _check_sizes(head_model, covs, channels, flags)
    if good_channels is None:
        good = select_channels(channels, flags, data_types)
        warnings += types_left_out(channels, good, data_types)
    else:
        good = given_channels(good_channels, len(channels.names))
    all_types, all_names = channels.types, channels.names
    types = [all_types[i] for i in good.tolist()]
    refuse_unknown_types(types, [all_names[i] for i in good.tolist()])
    if _is_mixed(head_model):
        refuse_several_models(options)
    for kind, cov in covs.items():
        warnings += _refuse_unusable(cov.noise_cov, good, all_names, kind, options)
    gain, covariances = selections.of(good)
    regions, mixed = _regions(head_model, gain, options, types)
    if mixed:
        orients = tuple(region.orient for region in regions)
        options = dataclasses.replace(options, source_orient=orients)
    return PreparedStudy(
        regions=tuple(regions),
        noise=covariances.noise(averages),
        data=covariances.statistics.get("data"),
        channel_indices=good,
        channel_types=covariances.types,
        channel_names=covariances.names,
        options=options,
        n_sources=gain.n_sources,
        mixed=mixed,
        noise_averages=averages,
        n_all_channels=len(all_names),
        covariances=covariances,
        warnings=ignored + warnings,
    )


def _parse_options(
    options: AnyOptions | Mapping[str, Any] | None,
) -> tuple[AnyOptions, tuple[str, ...]]:
    """Read the options and what was ignored of them; Brainstorm's study step takes dspm2018."""
    if isinstance(options, InverseOptions | InverseOptions2009 | InverseOptions2016):
        return options, ()
    given = {} if options is None else options
    of = options_class(given) if isinstance(given, Mapping) else InverseOptions
    ignored = ignored_options(given, of)
    parsed = of.from_brainstorm(given)
    if of is InverseOptions and parsed.method == "minnorm" and "InverseMeasure" not in given:
        parsed = dataclasses.replace(parsed, measure="dspm2018")
    return parsed, ignored


def _averages(n_avg: float) -> float:
    """Check the number of averages; shared kernels have none, which counts as one."""
    valid = isinstance(n_avg, int | float | np.integer | np.floating)
    if not (valid and np.isfinite(n_avg) and n_avg > 0):
        raise OptionError(f"n_avg must be a number above 0, found {n_avg!r}.")
    return max(float(n_avg), 1.0)


def _check_sizes(
    head_model: HeadModelLike,
    covs: dict[str, CovarianceLike],
    channels: ChannelsLike,
    channel_flag: AnyArray | Sequence[int] | None,
) -> None:
    n = len(channels.names)
    found = {"the gain of the head model": len(head_model.gain)}
    found |= {f"the {kind} covariance": len(cov.noise_cov) for kind, cov in covs.items()}
    if channel_flag is not None:
        found["the channel flag"] = np.size(channel_flag)
    faults = [f"{what} has {size}" for what, size in found.items() if size != n]
    if faults:
        raise InverseError(
            f"The channel file has {n} channels, but {'; '.join(faults)}: not of one study. "
            "Take all files from one study."
        )


def _refuse_unusable(
    cov: FloatArray, good: IntArray, names: Sequence[str], kind: str, options: AnyOptions
) -> tuple[str, ...]:
    """Refuse channels that a covariance says nothing usable of; 2009 and 2016 took silent ones."""
    block = cov[np.ix_(good, good)]
    infinite = ~np.isfinite(block)
    # of a row and a column of NaN the one channel is meant, not all that it is paired with
    whole = infinite.all(axis=0)
    for bad, what in (
        (whole if whole.any() else infinite.any(axis=0) | infinite.any(axis=1), "is not finite"),
        (np.diag(block) < 0, "has negative variances"),
        (~block.any(axis=0) & ~block.any(axis=1), _SILENT),
    ):
        if not bad.any():
            continue
        listed = few(names[i] for i in good[bad])
        fault = f"The {kind} covariance {what} for channel(s) in use: {listed}."
        if what is _SILENT and not options.conventions.refuses_silent_channels:
            message = f"{fault} The inverse of {options.year} computes with them all the same."
            logger.warning(message)
            return (message,)
        raise InverseError(
            f"{fault} Mark them bad (channel_flag, which recordings hold; or leave them out of "
            f"good_channels), or recompute the {kind} covariance."
        )
    return ()


def _is_mixed(head_model: HeadModelLike) -> bool:
    return (head_model.head_model_type or "surface").lower() == "mixed"


def _regions(
    head_model: HeadModelLike, gain: Gain, options: AnyOptions, types: Sequence[str]
) -> tuple[list[Region], bool]:
    """Split the head model by orientation constraint; tell whether it is mixed."""
    if _is_mixed(head_model):
        return _mixed(head_model, gain), True
    orient = options.orientation(0, 1)
    if (head_model.head_model_type or "surface").lower() == "volume" and orient != "free":
        raise volume_orientation_error(orient, "The head model")
    if orient == "truncated":
        orient = untruncated(head_model.meg_method, types)
    region = Region(
        gain=gain,
        grid_orient=head_model.grid_orient,
        orient=orient,
        locations=np.arange(gain.n_sources),
    )
    return [region], False


def _mixed(head_model: HeadModelLike, gain: Gain) -> list[Region]:
    scouts = [] if head_model.grid_atlas is None else head_model.grid_atlas.scouts
    normals = head_model.grid_orient
    return [
        Region(
            gain=gain.at(spec.locations),
            grid_orient=None if normals is None else normals[spec.locations],
            orient=spec.orient,
            locations=spec.locations,
            name=spec.name,
        )
        for spec in mixed_regions(scouts, gain.n_sources)
    ]
