"""Head models, Brainstorm's ``headmodel_*.mat``, as :class:`mne.Forward`.

The gain is the same but for three things: rows of channels without a model are dropped, the three
columns of each location are turned from SCS to MNE's head frame, and locations stand in the order
of MNE's source spaces.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mne
import numpy as np
from mne.io.constants import FIFF
from mne.utils import verbose, warn

from mne_bstinv import io
from mne_bstinv._display import few
from mne_bstinv._types import BoolArray, FloatArray, IntArray, Verbose
from mne_bstinv.adapters._mne_private import forward_origin, hold_once, unlocked
from mne_bstinv.adapters.channel_names import match_channel_names, mne_names, plain_names
from mne_bstinv.adapters.kept import WayBack, keep, kept_of
from mne_bstinv.adapters.pieces import write_forward_solution
from mne_bstinv.adapters.sensors import NO_SFREQ, picked_info, to_info
from mne_bstinv.adapters.sources.gain import LazyGain, turned_gain
from mne_bstinv.adapters.sources.places import SourceMap, source_map
from mne_bstinv.adapters.sources.regions import MEAS_FILE
from mne_bstinv.conversion import (
    Findings,
    attach_with_parts,
    carry,
    conversion_report,
    converts,
)
from mne_bstinv.errors import ConversionError
from mne_bstinv.frames import FrameTransform, scs_to_head, scs_to_surface_ras
from mne_bstinv.io.mat import PathLike
from mne_bstinv.studies.units import in_metres

__all__ = ["to_forward", "to_lazy_forward", "with_gain", "write_forward"]

#: Channel types with a gain, in the order that FIF files impose (the last two they cannot hold).
_FIF_TYPES = ("mag", "grad"), ("eeg",)

_MEMORY_TYPES = ("ecog",), ("seeg",)

#: The entries of the Info of a forward solution, as MNE makes it: no recordings belong to it.
_INFO_ENTRIES = ("chs", "ch_names", "nchan", "bads", "comps", "dev_head_t", "kit_system_id")


@converts
@verbose
def to_forward(
    head_model: io.HeadModel,
    channels: io.Channels,
    *,
    surface: io.Surface | None = None,
    mri: io.Mri | None = None,
    info: mne.Info | None = None,
    src: mne.SourceSpaces | None = None,
    units: str | None = None,
    verbose: Verbose = None,
) -> Any:
    """Convert a head model to MNE.

    Parameters
    ----------
    head_model : HeadModel
        Gain (n_channels, 3 n_sources), T, T/m or V per A·m, in SCS.
    channels : Channels
        Channel file: names, types, sensors and the head frame.
    surface : Surface | None
        The cortex that the locations of a surface or mixed head model follow. Without it they
        become a discrete source space.
    mri : Mri | None
        The subject's MRI. Without it, MRI and head are the same frame.
    info : mne.Info | None
        Info to use instead of one made from ``channels``; channels are matched by name.
    src : mne.SourceSpaces | None
        Source spaces in the head frame to use instead of new ones, with their sources at the
        locations of the head model (in any order).
    units : 'm' | 'cm' | 'mm' | 'km' | None
        The unit of positions that are in no metres by their size, as some programs write them;
        None refuses them.
    verbose : bool | str | int | None
        Control verbosity of the logging output.

    Returns
    -------
    mne.Forward
        A free-orientation forward solution in the head frame, in double precision:
        (n_kept, 3 n_sources), rows of MEG, EEG, ECoG and SEEG one after the other.
        :func:`mne.convert_forward_solution` makes it fixed or surface-oriented.

    Raises
    ------
    ConversionError
        If head model, channels, surface or source spaces do not belong together, or no channel
        has a model.
    FrameError
        If the fiducials lie on one line, the MRI has no frame, or positions are in no metres.

    Notes
    -----
    The report names the channels that were dropped: those without a model (NaN or 0 in all or
    some columns) and those of types that MNE has no gain for. It keeps ``head_model``, ``rows``
    (0-based row of the gain of each channel), ``channel_names``, ``order`` (0-based location of
    each source) and ``scs_to_head``. FIF files hold gains in single precision, and no ECoG and
    SEEG: see :func:`write_forward`.

    The gain of a CTF system is that of the compensated sensors, as MNE's is for an Info with the
    same compensation.
    """
    return _forward(head_model, channels, surface, mri, info, src, units, turned_gain)


@converts
def to_lazy_forward(
    head_model: io.HeadModel,
    channels: io.Channels,
    *,
    surface: io.Surface | None = None,
    mri: io.Mri | None = None,
    info: mne.Info | None = None,
    src: mne.SourceSpaces | None = None,
) -> Any:
    """Convert a head model to MNE with a gain that is turned when its numbers are asked for.

    Parameters
    ----------
    head_model : HeadModel
        The head model.
    channels : Channels
        Channel file.
    surface : Surface | None
        The cortex.
    mri : Mri | None
        The MRI.
    info : mne.Info | None
        The Info.
    src : mne.SourceSpaces | None
        The source spaces. All as for :func:`to_forward`.

    Returns
    -------
    mne.Forward
        What :func:`to_forward` returns, with a gain that takes no memory: writing it turns it,
        and so does :func:`with_gain`.

    Raises
    ------
    ConversionError, FrameError
        As for :func:`to_forward`.
    """
    return _forward(head_model, channels, surface, mri, info, src, None, LazyGain)


def with_gain(forward: Any) -> Any:
    """Return a forward solution with its gain in memory.

    Parameters
    ----------
    forward : mne.Forward
        What :func:`to_lazy_forward` returned, whole or with some of its channels, or any other.

    Returns
    -------
    mne.Forward
        The same with its gain turned, once; all else is shared with what was given. Any other as
        it is.
    """
    gain = forward["sol"]["data"]
    if not isinstance(gain, LazyGain):
        return forward
    whole = mne.Forward({**forward, "sol": {**forward["sol"], "data": gain.turned()}})
    hold_once(whole)
    return carry(whole, conversion_report(forward))


def _forward(
    head_model: io.HeadModel,
    channels: io.Channels,
    surface: io.Surface | None,
    mri: io.Mri | None,
    info: Any,
    src: Any,
    units: str | None,
    turned: Callable[..., Any],
) -> Any:
    """Convert as :func:`to_forward`; ``turned`` makes the gain of the stored one."""
    findings = Findings()
    head_model, channels = in_metres(head_model, units), in_metres(channels, units)
    surface = None if surface is None else in_metres(surface, units)
    sensors = _modelled_channels(head_model, channels, mri, info, findings)
    sources, mri_head_t, made = _sources_of(head_model, channels, surface, mri, info, src, findings)
    gain = turned(head_model.gain, sensors.index, sources.frame.rotation, sources.order)
    nn = np.tile(np.eye(3), (len(sources.order), 1))
    forward = mne.Forward(
        sol=_named(gain, sensors.info["ch_names"]),
        sol_grad=None,
        source_ori=FIFF.FIFFV_MNE_FREE_ORI,
        surf_ori=False,
        nsource=len(sources.order),
        nchan=len(gain),
        coord_frame=FIFF.FIFFV_COORD_HEAD,
        info=_forward_info(sensors.info, mri_head_t, sources.regions),
        src=sources.src,
        mri_head_t=mri_head_t,
        source_rr=np.concatenate([s["rr"][s["vertno"]] for s in sources.src]),
        source_nn=nn,
        **forward_origin(gain, FIFF.FIFFV_MNE_FREE_ORI),
    )
    keep(findings, head_model=head_model, rows=sensors.index, channel_names=mne_names(channels))
    return attach_with_parts(
        findings, forward, [*sensors.parts, *made], what="head model → Forward"
    )


@verbose
def write_forward(
    fname: PathLike, fwd: Any, *, overwrite: bool = False, verbose: Verbose = None
) -> None:
    """Write a forward solution to a FIF file, with a warning about what the format drops.

    Parameters
    ----------
    fname : path-like
        The file, ``…-fwd.fif``.
    fwd : mne.Forward
        The forward solution.
    overwrite : bool
        Replace an existing file.
    verbose : bool | str | int | None
        Control verbosity of the logging output.

    Raises
    ------
    ConversionError
        If it has neither MEG nor EEG channels.

    Warns
    -----
    RuntimeWarning
        If it has ECoG or SEEG channels: FIF files of forward solutions hold MEG and EEG only; or
        names that FIF files cannot hold, which are written as others.
    """
    kept, lost = _split_for_fif(fwd)
    if lost:
        warn(
            f"FIF files of forward solutions hold MEG and EEG only; not written: {', '.join(lost)}",
            RuntimeWarning,
        )
        fwd = mne.pick_channels_forward(fwd, kept, ordered=True)
    fwd = _with_plain_names(fwd)
    if isinstance(fwd["_orig_sol"], LazyGain) and not Path(fname).exists():
        write_forward_solution(Path(fname), fwd)
    else:
        mne.write_forward_solution(fname, fwd, overwrite=overwrite)


def _with_plain_names(fwd: Any) -> Any:
    """Return a forward solution with names that its file can hold."""
    names = fwd["sol"]["row_names"]
    plain = plain_names(names)
    changed = {old: new for old, new in zip(names, plain, strict=True) if old != new}
    if not changed:
        return fwd
    listed = few(f"{old!r} → {new!r}" for old, new in changed.items())
    warn(f"FIF files cannot hold these names of channels; written: {listed}", RuntimeWarning)
    info = fwd["info"].copy()
    mne.rename_channels(info, changed)
    renamed = fwd.copy()
    renamed.update(sol={**fwd["sol"], "row_names": list(plain)}, info=info)
    return renamed


@dataclass(frozen=True)
class _ModelledChannels:
    """The channels of a forward solution."""

    #: Info of these channels only.
    info: Any
    #: 0-based row of the head model's gain of each.
    index: IntArray
    #: Converted objects whose reports belong to it.
    parts: Sequence[Any]


def _modelled_channels(
    head_model: io.HeadModel,
    channels: io.Channels,
    mri: io.Mri | None,
    info: Any,
    findings: Findings,
) -> _ModelledChannels:
    """Pick the channels that have a model, MEG first."""
    names = channels.names
    if len(names) != head_model.n_channels:
        raise ConversionError(
            f"The gain has {head_model.n_channels} rows, the channel file {len(names)} channels: "
            "not of one study. Take all files from one study."
        )
    parts = []
    if info is None:
        # MNE's forward solutions have no sampling rate: it is taken out again
        info = to_info(channels, sfreq=NO_SFREQ, mri=mri)
        parts = [info]
    index = match_channel_names(info["ch_names"], names)
    computed = _has_model(head_model.gain)
    types = info.get_channel_types()
    picks = [
        position
        for group in (*_FIF_TYPES, *_MEMORY_TYPES)
        for position, kind in enumerate(types)
        if kind in group and computed[index[position]]
    ]
    if not picks:
        raise ConversionError(
            "No MEG, EEG, ECoG or SEEG channel has a model in the head model: the gain of each is "
            "zero, or not finite at some location. Give the head model of these channels, or "
            "compute it again without these locations."
        )
    _report_rows(names, index, types, computed, findings)
    return _ModelledChannels(picked_info(info, picks), index[picks], parts)


def _has_model(gain: FloatArray) -> BoolArray:
    """Tell for which channels a gain is finite at all locations, and not zero at all.

    Sums say so, in one pass, but for those that are zero or not finite themselves.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        total = gain.sum(axis=1)
    found = np.isfinite(total) & (total != 0)
    for row in np.flatnonzero(~found):
        found[row] = np.isfinite(gain[row]).all() and gain[row].any()
    return found


def _report_rows(
    names: Sequence[str],
    index: IntArray,
    types: Sequence[str],
    computed: Any,
    findings: Findings,
) -> None:
    kinds: dict[str, list[str]] = {"model": [], "type": [], "fif": []}
    for position, kind in zip(index, types, strict=True):
        if not any(kind in group for group in (*_FIF_TYPES, *_MEMORY_TYPES)):
            kinds["type"].append(names[position])
        elif not computed[position]:
            kinds["model"].append(names[position])
        elif any(kind in group for group in _MEMORY_TYPES):
            kinds["fif"].append(names[position])
    absent = np.setdiff1d(np.arange(len(names)), index)
    for listed, reason in (
        (kinds["model"], "channels without a model (NaN or 0)"),
        (kinds["type"], "channels of types that forward solutions do not hold"),
        (kinds["fif"], "kept in memory, but FIF files of forward solutions hold MEG and EEG only"),
        ([names[i] for i in absent.tolist()], "channels that the given Info does not have"),
    ):
        if listed:
            findings.dropped("Gain", f"{reason}: {', '.join(listed)}")


def _sources_of(
    head_model: io.HeadModel,
    channels: io.Channels,
    surface: io.Surface | None,
    mri: io.Mri | None,
    info: Any,
    src: Any,
    findings: Findings,
) -> tuple[SourceMap, Any, list[Any]]:
    """Find or check the source spaces; return MRI → head too, and the spaces that were made."""
    kept = kept_of(head_model)
    mri_head_t = None if info is None else info.get("mri_head_t")
    if src is None and surface is None and _came_from(kept, scs_to_head(channels, mri)):
        src, mri_head_t = kept["src"], kept["mri_head_t"]
    sources = source_map(head_model, findings, src=src, channels=channels, surface=surface, mri=mri)
    if mri is not None:
        head_mri = scs_to_surface_ras(mri).matrix @ sources.frame.inverse
        mri_head_t = mne.transforms.Transform("mri", "head", np.linalg.inv(head_mri))
    elif mri_head_t is None:
        mri_head_t = mne.transforms.Transform("mri", "head", np.eye(4))
    lost = head_model.n_sources - len(sources.order)
    if lost:
        findings.dropped("GridLoc", f"{lost} locations are not in the source spaces")
    return sources, mri_head_t, [sources.src] if src is None else []


def _came_from(kept: WayBack, frame: FrameTransform) -> bool:
    """Tell whether the head model was converted from a Forward, with the same fiducials."""
    return (
        kept.get("src") is not None
        and kept["src"][0]["coord_frame"] == FIFF.FIFFV_COORD_HEAD
        and np.abs(kept["scs_to_head"] - frame.matrix).max() < 1e-9
    )


def _named(gain: Any, names: list[str]) -> dict[str, Any]:
    """Return a matrix with the names of its rows, as MNE stores it."""
    return {
        "data": gain,
        "nrow": gain.shape[0],
        "ncol": gain.shape[1],
        "row_names": list(names),
        "col_names": [],
    }


def _forward_info(info: Any, mri_head_t: Any, regions: str) -> Any:
    """Reduce an Info to what MNE's forward solutions hold, with the entries that FIF files need."""
    with unlocked(info):
        for name in [name for name in info if name not in _INFO_ENTRIES]:
            del info[name]
        info.update(mri_file="", mri_id=None, meas_id=None, working_dir="", command_line="",
                    mri_head_t=mri_head_t, **{MEAS_FILE: regions})  # fmt: skip
    return info


def _split_for_fif(fwd: Any) -> tuple[list[str], list[str]]:
    """Tell which channels a FIF file of the forward solution holds and which not."""
    names, types = fwd["info"]["ch_names"], fwd["info"].get_channel_types()
    holds = [kind for group in _FIF_TYPES for kind in group]
    kept = [name for name, kind in zip(names, types, strict=True) if kind in holds]
    if not kept:
        raise ConversionError(
            "The forward solution has neither MEG nor EEG channels: FIF files cannot hold it."
        )
    return kept, [name for name in names if name not in kept]
