"""What MNE computes Brainstorm's kernel from: projected gain, covariances, arguments."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import mne
import numpy as np

from mne_bstinv._log import warnings_silenced
from mne_bstinv._types import FloatArray
from mne_bstinv.adapters.channel_names import match_channel_names, with_mne_names
from mne_bstinv.adapters.equivalence.inputs import CommonInputs, Study
from mne_bstinv.adapters.kept import kept_of
from mne_bstinv.adapters.operators import noise_spectrum, operator_info, reference_projections
from mne_bstinv.adapters.sensors import NO_SFREQ, picked_info, to_info
from mne_bstinv.adapters.sources import to_lazy_forward
from mne_bstinv.conversion import Findings
from mne_bstinv.errors import ConversionError
from mne_bstinv.inverse.linear import data_whitening
from mne_bstinv.inverse.options import AnyOptions
from mne_bstinv.inverse.options_2009 import InverseOptions2009
from mne_bstinv.inverse.orientation import unit_normals
from mne_bstinv.inverse.preparation import PreparedStudy
from mne_bstinv.inverse.whitening import Whitening

__all__ = [
    "MneObjects",
    "copied",
    "covariance_of",
    "fixed_forward",
    "minimum_norm_arguments",
    "mne_objects",
    "ranks_by_type",
    "whitening_of_data",
]

#: MNE squares the limit: beyond this it could not be told from none.
_LARGEST_LIMIT = 1e150
#: How far from 1 the length of a unit vector can be that was stored in single precision.
_UNIT = 1e-6

_KINDS = {"surf": "surface", "vol": "volume", "discrete": "discrete"}


@dataclass(frozen=True, kw_only=True, eq=False)
class MneObjects:
    """The objects that MNE computes from."""

    #: The channels in use.
    info: mne.Info
    #: All channels of the channel file.
    all_info: mne.Info
    #: Free orientations, the gain projected and referenced; turned when it is asked for.
    forward: Any
    #: The regularised covariance of the channels in use.
    noise_cov: mne.Covariance
    #: The argument ``rank`` of MNE's functions.
    ranks_by_type: dict[str, int]
    #: Brainstorm's whitener of the noise.
    noise: Whitening


def mne_objects(study: Study, common: CommonInputs) -> MneObjects:
    """Make Info, Forward and Covariance of the channels in use, for every measure.

    Parameters
    ----------
    study : Study
        The structures.
    common : CommonInputs
        The study step.

    Returns
    -------
    MneObjects
        The objects; the gain is projected and referenced.

    Raises
    ------
    ConversionError
        If the structures cannot be converted.
    InverseError
        If the noise covariance cannot be used.
    """
    prepared = common.prepared
    noise = prepared.whitening
    all_info = to_info(
        study.channels, sfreq=NO_SFREQ, channel_flag=common.channel_flag, mri=common.mri
    )
    picks = match_channel_names(prepared.channel_names, all_info["ch_names"])
    head_model = dataclasses.replace(common.head_model, gain=_gain_of_all_locations(prepared))
    channels = with_mne_names(study.channels)
    in_use = tuple(channels.channels[i] for i in prepared.channel_indices)
    with warnings_silenced():  # that all else is dropped is meant here
        forward = to_lazy_forward(
            head_model,
            dataclasses.replace(channels, channels=in_use),
            surface=common.surface,
            mri=common.mri,
            info=picked_info(all_info, picks),
        )
    names = [all_info["ch_names"][i] for i in picks]
    projs = reference_projections(noise.whitener, prepared.channel_types, names, Findings())
    info = operator_info(all_info, picks, projs, forward["mri_head_t"])
    return MneObjects(
        info=info,
        all_info=all_info,
        forward=forward,
        noise_cov=covariance_of(noise, prepared, info),
        ranks_by_type=ranks_by_type(noise, info),
        noise=noise,
    )


def _gain_of_all_locations(prepared: PreparedStudy) -> FloatArray:
    """Return the projected gain (n_channels, 3 n_sources) of all regions, 0 where there is none."""
    first = prepared.regions[0]
    if np.array_equal(first.locations, np.arange(prepared.n_sources)):
        return first.gain.array
    gain = np.zeros((len(prepared.channel_names), 3 * prepared.n_sources))
    for region in prepared.regions:
        columns = (3 * region.locations[:, None] + np.arange(3)).ravel()
        gain[:, columns] = region.gain.array
    return gain


def whitening_of_data(prepared: PreparedStudy, noise: Whitening) -> Whitening:
    """Compute Brainstorm's whitener of the data, by the method used for the noise.

    It has the ranks of its own: that of ``diag`` is full, whatever was truncated before the
    diagonal was taken.
    """
    if prepared.data is None:
        raise ConversionError(
            "Method 'lcmv' needs the study's data_cov, found none. Compute the data covariance in "
            "Brainstorm, or choose another method."
        )
    options = prepared.options
    assert not isinstance(options, InverseOptions2009)  # has no lcmv
    whitening = data_whitening(
        prepared.data,
        prepared.channel_types,
        options,
        noise,
        prepared.channel_names,
    )
    if whitening.method != "diag":
        return whitening
    full = {kind: len(std) for kind, std in whitening.std.items()}
    return dataclasses.replace(whitening, ranks=full)


def covariance_of(whitening: Whitening, prepared: PreparedStudy, info: mne.Info) -> Any:
    """Make the covariance, of reduced rank, that MNE whitens with as Brainstorm does.

    It is pinv(W W') by type of channel (2009: group of types), of one sample: times the number of
    averages that the noise was divided by.
    """
    spectrum = noise_spectrum(whitening)
    samples = prepared.noise.n_samples
    return mne.Covariance(
        prepared.noise_averages * spectrum.cov,
        info["ch_names"],
        bads=[],
        projs=[],
        nfree=max(int(samples or 1), 1),
    )


def ranks_by_type(noise: Whitening, info: mne.Info) -> dict[str, int]:
    """Add Brainstorm's ranks up as MNE groups the channels: MEG sensors of two kinds together."""
    types = info.get_channel_types()
    ranks: dict[str, int] = {}
    for block, index in noise.blocks.items():
        kinds = {types[i] for i in index}
        kind = kinds.pop() if len(kinds) == 1 else "meg"  # 2009 whitens its sensors together
        ranks[kind] = ranks.get(kind, 0) + noise.ranks[block]
    if {"mag", "grad"} <= set(ranks):
        ranks = {"meg": ranks.pop("mag") + ranks.pop("grad"), **ranks}
    return ranks


def fixed_forward(forward: Any, prepared: PreparedStudy) -> Any:
    """Make a forward solution of fixed orientation, in double precision.

    MNE's own conversion rounds the gain to single precision, which is undone here.
    """
    fixed = mne.convert_forward_solution(
        forward, force_fixed=True, use_cps=False, copy=True, verbose="error"
    )
    columns = np.zeros((prepared.n_sources, len(prepared.channel_names)))
    for region in prepared.regions:
        normals = unit_normals(region.grid_orient, len(region.locations))
        gain = region.gain.array.T.reshape(len(normals), 3, -1)
        columns[region.locations] = np.einsum("ma,man->mn", normals, gain)
    order = kept_of(forward)["order"]
    rows = match_channel_names(fixed["sol"]["row_names"], prepared.channel_names)
    fixed["sol"]["data"] = columns[order].T[rows]
    return fixed


def copied(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Copy arguments with the mappings in them: MNE writes into the ranks it is given."""
    return {k: dict(v) if isinstance(v, Mapping) else v for k, v in arguments.items()}


def minimum_norm_arguments(
    prepared: PreparedStudy, objects: MneObjects
) -> tuple[dict[str, Any], str]:
    """Return the further arguments of ``make_inverse_operator``.

    The text says why no public call gives the kernel; it is empty where one does.
    """
    options = prepared.options
    loose, reason = _loose(prepared, objects.forward)
    if options.conventions.tangents == "decoupled" and "loose" in options.source_orient:
        reason = reason or (
            "the inverse of 2009 takes the field of the normal out of those of the tangents, MNE "
            "does not"
        )
    reason = reason or _of_other_lengths(prepared)
    depth = None
    if options.depth_weighting and options.weight_exp > 0:
        depth = {
            "exp": options.weight_exp,
            "limit": _limit(options),
            "combine_xyz": "fro",
            "limit_depth_chs": False,
            "allow_fixed_depth": False,
        }
        if len(prepared.regions) > 1 and options.conventions.depth == "exponent first":
            reason = reason or (
                "Brainstorm weights depth within each region of a mixed head model, MNE over all "
                "sources together"
            )
    arguments = {
        "loose": loose,
        "depth": depth,
        "fixed": "auto" if isinstance(loose, dict) else loose == 0,
        "rank": objects.ranks_by_type,
        "use_cps": False,
    }
    return arguments, reason


def _of_other_lengths(prepared: PreparedStudy) -> str:
    """Say that fixed sources are along normals that are no unit vectors; empty where they are."""
    if prepared.options.conventions.unit_normals:
        return ""
    fixed = [region.grid_orient for region in prepared.regions if region.orient == "fixed"]
    lengths = [np.linalg.norm(normals, axis=1) for normals in fixed if normals is not None]
    if not any(np.any(np.abs(length - 1) > _UNIT) for length in lengths):
        return ""
    return (
        "the inverse of 2009 takes the normals of the length that they are stored with, MNE unit "
        "vectors"
    )


def _limit(options: AnyOptions) -> float | None:
    if options.conventions.depth == "limit first":  # as MNE does
        return options.weight_limit
    try:
        limit = options.weight_limit ** (1 / options.weight_exp)
    except OverflowError:
        return None
    return float(limit) if limit < _LARGEST_LIMIT else None


def _loose(prepared: PreparedStudy, forward: Any) -> tuple[float | dict[str, float], str]:
    options = prepared.options
    loose = 0.0 if options.loose is None else options.loose
    if options.conventions.loose == "amplitudes":
        loose **= 2
    values = {"fixed": 0.0, "loose": loose, "free": 1.0}
    if not prepared.mixed:
        return values[prepared.regions[0].orient], ""
    orient = np.full(prepared.n_sources, "", dtype=object)
    for region in prepared.regions:
        orient[region.locations] = region.orient
    order, start = kept_of(forward)["order"], 0
    found: dict[str, set[str]] = {}
    for part in forward["src"]:
        used = orient[order[start : start + part["nuse"]]]
        found.setdefault(_KINDS[part["type"]], set()).update(set(used.tolist()) - {""})
        start += part["nuse"]
    for kind, orients in found.items():
        if len(orients) > 1 or (kind == "volume" and orients - {"free"}):
            return {}, (
                f"the {kind} source spaces hold {' and '.join(sorted(orients))} locations, MNE has "
                "one loose value for each kind of source space, 1 for volumes"
            )
    return {kind: values[next(iter(o), "free")] for kind, o in found.items()}, ""
