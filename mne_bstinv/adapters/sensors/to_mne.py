"""Sensors: Brainstorm's channel file as :class:`mne.Info`.

MNE wants the position and axes of every coil in the device frame and electrodes in its head
frame; Brainstorm stores integration points in SCS.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

import mne
import numpy as np
from mne.utils import verbose

from mne_bstinv import io
from mne_bstinv._display import few
from mne_bstinv._types import FloatArray, IntArray, Verbose
from mne_bstinv.adapters._mne_private import check_info, unchecked, unlocked
from mne_bstinv.adapters.channel_names import renamed, with_mne_names
from mne_bstinv.adapters.frames import head_frame
from mne_bstinv.adapters.kept import WayBack, keep, kept_of
from mne_bstinv.adapters.sensors.channels_to_mne import fill_channel, sensors_of, tell_positions
from mne_bstinv.adapters.sensors.compensation import add_compensation
from mne_bstinv.adapters.sensors.digitization import dig_from, reference_position
from mne_bstinv.adapters.sensors.from_mne import DEVICE_TO_HEAD, is_placeholder
from mne_bstinv.adapters.sensors.projectors import projections_of
from mne_bstinv.conversion import Findings, converts
from mne_bstinv.errors import ConversionError
from mne_bstinv.frames import fiducials_in_scs, scs_to_head
from mne_bstinv.studies.units import in_metres

__all__ = ["NO_SFREQ", "picked_info", "to_info"]

#: Sampling frequency (Hz) of an Info that belongs to no recording: what MNE uses for operators.
NO_SFREQ = 1000.0

#: CTF's device frame → MNE's (m): turned by 45° and raised by 190 mm, "to get a coordinate system
#: comparable to the Neuromag one" (MNE-Python, ``mne/io/ctf/trans.py``, BSD-3-Clause).
_CTF_DEVICE = np.array(
    [
        [np.sqrt(0.5), -np.sqrt(0.5), 0, 0],
        [np.sqrt(0.5), np.sqrt(0.5), 0, 0],
        [0, 0, 1, 0.19],
        [0, 0, 0, 1],
    ]
)
#: Device, as the labels of TransfMeg begin → what turns it to MNE's device frame.
_DEVICES = {"neuromag_device": np.eye(4), "dewar": _CTF_DEVICE}


@converts
@verbose
def to_info(
    channels: io.Channels,
    *,
    sfreq: float,
    channel_flag: IntArray | Sequence[int] | None = None,
    mri: io.Mri | None = None,
    units: str | None = None,
    verbose: Verbose = None,
) -> Any:
    """Convert the sensors of a channel file to MNE.

    Parameters
    ----------
    channels : Channels
        Channel file; positions in metres in SCS.
    sfreq : float
        Sampling rate, Hz.
    channel_flag : array of int, shape (n_channels,) | None
        1 good, −1 bad, from the recordings.
    mri : Mri | None
        MRI of the subject, for the fiducials if the channel file has none.
    units : 'm' | 'cm' | 'mm' | 'km' | None
        The unit of positions that are in no metres by their size, as some programs write them;
        None refuses them.
    verbose : bool | str | int | None
        Control verbosity of the logging output.

    Returns
    -------
    mne.Info
        The sensors: coils in the device frame, electrodes in the head frame. Its report
        (:func:`mne_bstinv.conversion_report`) keeps ``channels`` (the structure),
        ``scs_to_head`` (4 × 4), ``coils`` (the integration points in the frame of each coil, by
        name), ``opposite`` (references whose field MNE computes with the other sign) and
        ``projections``.

    Raises
    ------
    ConversionError
        If parts of the structure do not belong together, or ``sfreq`` is no frequency.
    FrameError
        If the fiducials lie on one line, or positions are in no metres.

    Notes
    -----
    Names that MNE or its FIF files cannot hold (repeated, with a colon, not of ASCII) are others in
    the Info; the report says which.

    Coils are fitted to their integration points (``mne_bstinv.adapters.sensors.coils``). The head
    frame is found as ``mne_bstinv.frames.scs_to_head`` says. The device frame is that of the
    transforms that begin with ``neuromag_device`` or, as Brainstorm reads CTF files, ``Dewar``,
    which MNE turns by 45° and raises by 190 mm; else it is head. An EEG reference electrode (a head
    point of type EEG named 0) is kept in ``loc[3:6]``, where MNE's forward solutions subtract its
    potential.
    """
    if not (isinstance(sfreq, int | float | np.number) and 0 < sfreq < np.inf):
        raise ConversionError(f"sfreq must be a frequency (Hz) above 0, found {sfreq!r}.")
    findings = Findings()
    if "info" in kept_of(channels):
        return findings.attach(
            _restored(channels, sfreq, channel_flag, findings), what="channels → Info"
        )
    channels = in_metres(channels, units)
    named = with_mne_names(channels)
    bads = _bads(named, channel_flag)
    head = head_frame(channels, mri, findings)
    device_to_head = _device_to_head(channels, head.matrix, findings)
    to_device: FloatArray = np.linalg.inv(device_to_head) @ head.matrix
    sensors = sensors_of(named, to_device, findings)
    info = mne.create_info(list(named.names), float(sfreq), sensors.types)
    found = fiducials_in_scs(channels, mri)
    dig = dig_from(channels, None if found is None else found[0], head.matrix, findings)
    for index, (ch, channel) in enumerate(zip(info["chs"], named.channels, strict=True)):
        fill_channel(ch, channel, sensors.fits.get(index), head.matrix)
    tell_positions(named, sensors.types, findings)
    _set_reference(info, reference_position(dig))
    projections = projections_of(named, bads, findings)
    with unlocked(info):
        info["dig"] = dig
        info["dev_head_t"] = _dev_head_t(device_to_head, findings)
        info["projs"] = [item.projection for item in projections]
        add_compensation(info, named, findings)
    info["bads"] = bads
    info["description"] = channels.comment or None
    check_info(info)
    _tell_names(channels, findings)
    _tell_rest(channels, findings)
    keep(
        findings,
        channels=channels,
        scs_to_head=head.matrix,
        coils=sensors.coils,
        opposite=tuple(sensors.opposite),
        projections=tuple(projections),
        device_to_head=device_to_head,
        dig=copy.deepcopy(dig),
    )
    return findings.attach(info, what="channels → Info")


def picked_info(info: mne.Info, picks: IntArray | Sequence[int]) -> mne.Info:
    """Restrict an Info to some channels; one that was converted has been checked then.

    Parameters
    ----------
    info : mne.Info
        The Info.
    picks : array of int
        0-based positions of the channels, in their new order.

    Returns
    -------
    mne.Info
        A new Info.
    """
    with unchecked(info) if "scs_to_head" in kept_of(info) else nullcontext():
        return mne.pick_info(info, picks, copy=True)


def _bads(channels: io.Channels, channel_flag: IntArray | Sequence[int] | None) -> list[str]:
    names = channels.names
    if channel_flag is None:
        return []
    flags = np.ravel(channel_flag)
    if flags.size != len(names):
        raise ConversionError(
            f"ChannelFlag has {flags.size} values, expected one for each of the {len(names)} "
            "channels of the file. Take both from one study."
        )
    return [name for name, flag in zip(names, flags, strict=True) if flag < 0]


def _restored(
    channels: io.Channels,
    sfreq: float,
    channel_flag: IntArray | Sequence[int] | None,
    findings: Findings,
) -> mne.Info:
    """Return the Info that the channels were made of, with what its own report kept."""
    original = kept_of(channels)["info"]
    info = original.copy()
    with unlocked(info):
        info["sfreq"] = float(sfreq)
        if info["lowpass"] is not None:
            info["lowpass"] = min(info["lowpass"], info["sfreq"] / 2)
    if channel_flag is not None:
        info["bads"] = _bads(with_mne_names(channels), channel_flag)
    kept: WayBack = {
        "scs_to_head": scs_to_head(channels).matrix,
        "opposite": (),
        "dig": copy.deepcopy(info["dig"]),
    }
    keep(findings, **(kept | kept_of(original)))
    return info


def _device_to_head(
    channels: io.Channels, scs_to_head: FloatArray, findings: Findings
) -> FloatArray:
    """Return MNE's device → head (4, 4): the transforms from a device that is known, to SCS."""
    labels = channels.transf_meg_labels
    if DEVICE_TO_HEAD in labels:
        return np.array(channels.transf_meg[labels.index(DEVICE_TO_HEAD)], dtype=np.float64)
    for first, label in enumerate(labels):
        device = label.partition("=>")[0].strip().casefold()
        if device in _DEVICES:
            chain = [np.asarray(one, dtype=np.float64) for one in channels.transf_meg[first:]]
            to_scs = np.linalg.multi_dot([*chain[::-1], np.eye(4)])
            return scs_to_head @ to_scs @ np.linalg.inv(_DEVICES[device])
    if any(name.casefold().startswith("meg") for name in channels.types):
        findings.assumed(
            "TransfMeg",
            f"no transform from a device ({DEVICE_TO_HEAD!r}, 'Dewar=>Native'): the device frame "
            "is the head frame",
        )
    return np.eye(4)


def _dev_head_t(device_to_head: FloatArray, findings: Findings) -> Any:
    """Return MNE's transform; None where nobody's head was measured."""
    if is_placeholder(device_to_head):
        findings.dropped(
            "TransfMeg", f"{DEVICE_TO_HEAD!r} is 4 cm up, what Brainstorm writes without a head"
        )
        return None
    return mne.transforms.Transform("meg", "head", device_to_head)


def _set_reference(info: mne.Info, reference: FloatArray | None) -> None:
    if reference is None:
        return
    for index in mne.pick_types(info, meg=False, eeg=True, exclude=()):
        if np.isfinite(info["chs"][index]["loc"][:3]).all():
            info["chs"][index]["loc"][3:6] = reference


def _tell_names(channels: io.Channels, findings: Findings) -> None:
    """Report the names that are others in MNE."""
    changed = [f"{name!r} → {mne!r}" for mne, name in renamed(channels).items()]
    if changed:
        findings.derived(
            "Channel.Name",
            "MNE wants different names, of ASCII and without colons (optodes as S1_D1 690): "
            f"{few(changed)}",
        )


def _tell_rest(channels: io.Channels, findings: Findings) -> None:
    """Report the fields that MNE has no place for."""
    for name, value in (
        ("Clusters", channels.clusters),
        ("IntraElectrodes", channels.intra_electrodes),
        ("History", channels.history),
    ):
        if value is not None and np.size(value):
            findings.dropped(
                name, "MNE has no place for this of a channel file; kept in the report"
            )
    if any(channel.group for channel in channels.channels):
        findings.dropped("Channel.Group", "MNE has no place for it; kept in the report")
