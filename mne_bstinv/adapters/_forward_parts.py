"""Rows, places and Info of a forward solution."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import mne
import numpy as np
from mne.io.constants import FIFF

from mne_bstinv.adapters._mne_private import unlocked
from mne_bstinv.adapters._source_map import find_order
from mne_bstinv.adapters.channel_names import match_channel_names
from mne_bstinv.adapters.info import to_info
from mne_bstinv.adapters.source_spaces import to_source_spaces
from mne_bstinv.conversion import Findings, conversion_report
from mne_bstinv.errors import ConversionError
from mne_bstinv.frames import FrameTransform, scs_to_head, scs_to_surface_ras, transform_points
from mne_bstinv.io import Channels, HeadModel, Mri, Surface
from mne_bstinv.io.values import FloatArray, IntArray

__all__ = ["Place", "Rows", "forward_info", "place_of", "rows_of", "split_for_fif", "turned"]

#: Channel types with a gain, in the order that FIF files impose (the last two they cannot hold).
_FIF_TYPES = ("mag", "grad"), ("eeg",)
_MEMORY_TYPES = ("ecog",), ("seeg",)
#: Their gains stay in the processor's cache: 400 channels take 1.2 MB.
_LOCATIONS_AT_ONCE = 128
#: The entries of the Info of a forward solution, as MNE makes it: no recordings belong to it.
_INFO_ENTRIES = ("chs", "ch_names", "nchan", "bads", "comps", "dev_head_t", "kit_system_id")


@dataclass(frozen=True)
class Rows:
    """The channels of a forward solution."""

    #: Info of these channels only.
    info: Any
    #: 0-based row of the head model's gain of each.
    index: IntArray
    #: Converted objects whose reports belong to it.
    parts: Sequence[Any]


@dataclass(frozen=True)
class Place:
    """Where the sources are."""

    #: Source spaces in head.
    src: Any
    #: 0-based location of each source.
    order: IntArray
    frame: FrameTransform
    mri_head_t: Any
    #: Converted objects whose reports belong to it.
    parts: Sequence[Any]


def rows_of(
    head_model: HeadModel, channels: Channels, mri: Mri | None, info: Any, findings: Findings
) -> Rows:
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
        info = to_info(channels, sfreq=1000.0, mri=mri)
        parts = [info]
    index = match_channel_names(info["ch_names"], names)
    gain = head_model.gain
    computed = np.asarray(np.isfinite(gain).all(axis=1) & gain.any(axis=1))
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
    return Rows(mne.pick_info(info, picks, copy=True), index[picks], parts)


def place_of(
    head_model: HeadModel,
    channels: Channels,
    surface: Surface | None,
    mri: Mri | None,
    info: Any,
    src: Any,
    findings: Findings,
) -> Place:
    """Find or check the source spaces, and the MRI frame."""
    frame = scs_to_head(channels, mri)
    kept = conversion_report(head_model).kept
    parts: list[Any] = []
    mri_head_t = None if info is None else info.get("mri_head_t")
    if src is None and surface is None and _came_from(kept, frame):
        src, mri_head_t = kept["src"], kept["mri_head_t"]
    if src is None:
        src = to_source_spaces(head_model, surface, mri, channels=channels)
        parts = [src]
    elif frame.assumed:
        findings.assumed("SCS", f"The head frame is a guess ({frame.source}).")
    if mri is not None:
        head_mri = scs_to_surface_ras(mri).matrix @ frame.inverse
        mri_head_t = mne.transforms.Transform("mri", "head", np.linalg.inv(head_mri))
    elif mri_head_t is None:
        mri_head_t = mne.transforms.Transform("mri", "head", np.eye(4))
    order = find_order(src, transform_points(frame.matrix, head_model.grid_loc))
    lost = head_model.n_sources - len(order)
    if lost:
        findings.dropped("GridLoc", f"{lost} locations are not in the source spaces")
    return Place(src, order, frame, mri_head_t, parts)


def turned(gain: FloatArray, rows: IntArray, rotation: FloatArray, order: IntArray) -> FloatArray:
    """Pick channels, turn the three columns of each location and reorder the locations: G_i R'.

    A few locations at a time, from the layout that MATLAB's files are read to (columns) to that
    which MNE works with (rows): a fourth of the time of turning the whole gain at once.
    """
    columns = gain.T.reshape(-1, 3, len(gain))
    result = np.empty((len(rows), 3 * len(order)))
    for start in range(0, len(order), _LOCATIONS_AT_ONCE):
        some = slice(start, start + _LOCATIONS_AT_ONCE)
        part = rotation @ columns[order[some]][..., rows]
        result[:, 3 * some.start : 3 * some.stop] = part.reshape(-1, len(rows)).T
    return result


def forward_info(info: Any, mri_head_t: Any) -> Any:
    """Reduce an Info to what MNE's forward solutions hold, with the entries that FIF files need."""
    with unlocked(info):
        for name in [name for name in info if name not in _INFO_ENTRIES]:
            del info[name]
        info.update(mri_file="", mri_id=None, meas_file="", meas_id=None, working_dir="",
                    command_line="", mri_head_t=mri_head_t)  # fmt: skip
    return info


def split_for_fif(fwd: Any) -> tuple[list[str], list[str]]:
    """Tell which channels a FIF file of the forward solution holds and which not."""
    names, types = fwd["info"]["ch_names"], fwd["info"].get_channel_types()
    holds = [kind for group in _FIF_TYPES for kind in group]
    kept = [name for name, kind in zip(names, types, strict=True) if kind in holds]
    if not kept:
        raise ConversionError(
            "The forward solution has neither MEG nor EEG channels: FIF files cannot hold it."
        )
    return kept, [name for name in names if name not in kept]


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


def _came_from(kept: Any, frame: FrameTransform) -> bool:
    """Tell whether the head model was converted from a Forward, with the same fiducials."""
    return (
        kept.get("src") is not None
        and kept["src"][0]["coord_frame"] == FIFF.FIFFV_COORD_HEAD
        and np.abs(kept["scs_to_head"] - frame.matrix).max() < 1e-9
    )
