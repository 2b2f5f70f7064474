"""MNE's Info as a channel file."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import mne
import numpy as np
from mne.io.constants import FIFF
from mne.utils import verbose

from mne_bstinv import io
from mne_bstinv._display import few
from mne_bstinv._types import FloatArray, Verbose
from mne_bstinv.adapters.channel_names import with_mne_names
from mne_bstinv.adapters.kept import WayBack, keep, kept_of
from mne_bstinv.adapters.sensors.channels_from_mne import Frames, channel_from
from mne_bstinv.adapters.sensors.compensation import compensation_from
from mne_bstinv.adapters.sensors.digitization import (
    fiducials_of,
    head_points_from,
    head_to_scs,
    reference_position,
    same_dig,
)
from mne_bstinv.adapters.sensors.projectors import embedded, projectors_from, rows_moved
from mne_bstinv.conversion import Findings, carry, conversion_report, converts
from mne_bstinv.errors import ConversionError
from mne_bstinv.frames import HEAD_TO_SCS, scs_to_head, transform_points
from mne_bstinv.studies.normals import SAME_PLACE

__all__ = ["DEVICE_TO_HEAD", "from_info", "is_placeholder"]

#: Label of the transform from the device to MNE's head frame in a channel file.
DEVICE_TO_HEAD = "neuromag_device=>neuromag_head"

#: Device → head that Brainstorm writes for a recording without a head (an empty room).
_NOBODY = np.array([[1.0, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0.04], [0, 0, 0, 1]])

#: Rounding of a matrix in single precision.
_SAME = 1e-7

#: Entries without which there is no channel file.
_NEEDED = ("dig", "projs", "comps", "bads", "description", "ctf_head_t", "dev_head_t")

#: Entries of an Info that have their place elsewhere in Brainstorm.
_ELSEWHERE = {
    "meas_date": "recordings hold it (T0)",
    "device_info": "recordings hold its type (Device)",
    "bads": "they belong into ChannelFlag of the recordings",
}

#: Entries of an Info that Brainstorm has no place for.
_NO_PLACE = (
    "subject_info",
    "experimenter",
    "line_freq",
    "acq_pars",
    "acq_stim",
    "events",
    "gantry_angle",
    "helium_info",
    "hpi_meas",
    "hpi_results",
    "hpi_subsystem",
    "kit_system_id",
    "proc_history",
    "proj_id",
    "proj_name",
    "utc_offset",
    "xplotter_layout",
)


@converts
@verbose
def from_info(info: mne.Info, *, verbose: Verbose = None) -> io.Channels:
    """Convert MNE's sensors to a channel file.

    Parameters
    ----------
    info : mne.Info
        The sensors.
    verbose : bool | str | int | None
        Control verbosity of the logging output.

    Returns
    -------
    Channels
        The sensors with their integration points (MNE's accuracy 1, or those that the Info was
        made of), metres, SCS of the fiducials in ``info['dig']``. Its report keeps the Info.

    Raises
    ------
    ConversionError
        If the compensation of the channels is incomplete, or the Info is that of a forward
        solution, which has no fiducials.
    FrameError
        If the fiducials lie on one line.
    """
    _check_complete(info)
    findings, kept = Findings(), kept_of(info)
    original: io.Channels | None = kept.get("channels")
    frames, fiducials, same_frame = _frames(info, kept, findings)
    named = None if original is None else with_mne_names(original)
    known: dict[str, io.Channel] = {}
    if original is not None and named is not None:
        known = dict(zip(named.names, original.channels, strict=True))
    # the points that MNE has no place for move with the head
    frames = replace(frames, scs_to_scs=_moved(frames, kept, same_frame))
    channels = tuple(
        channel_from(info, index, frames, known, kept.get("coils", {}), findings)
        for index in range(len(info["chs"]))
    )
    base = (
        io.Channels(channels=channels) if original is None else replace(original, channels=channels)
    )
    if original is not None and same_frame and same_dig(info["dig"], kept.get("dig")):
        head_points = original.head_points
    else:
        head_points = head_points_from(
            info["dig"], _reference(info, findings), frames.head_to_scs, findings
        )
    base = replace(
        base,
        comment=info["description"] or _comment(original, len(channels)),
        meg_ref_coef=compensation_from(info, findings),
        projectors=_projectors(info, kept, findings),
        head_points=head_points,
    )
    if not (original is not None and same_frame):
        base = replace(base, scs=_scs(fiducials, frames.head_to_scs))
    if not (original is not None and same_frame and _same_device(info, kept)):
        base = replace(base, **_transforms(info, frames))
    _tell_rest(info, findings)
    # copies of an Info lose their report
    keep(findings, info=carry(info.copy(), conversion_report(info)))
    return findings.attach(base, what="Info → channels")


def _check_complete(info: mne.Info) -> None:
    """Refuse the Info of a forward solution or an operator, which lacks half of its entries."""
    absent = [name for name in _NEEDED if name not in info]
    if absent:
        raise ConversionError(
            f"The Info has no {', '.join(absent)}: it is that of a forward solution or an inverse "
            "operator, which lost where the fiducials are. Give the Info of the recordings."
        )


def _moved(frames: Frames, kept: WayBack, same_frame: bool) -> FloatArray | None:
    """Return the transform (4, 4) from SCS of the original to SCS; None where it is the same."""
    if same_frame or "scs_to_head" not in kept:
        return None
    matrix: FloatArray = frames.head_to_scs @ kept["scs_to_head"]
    return matrix


def _comment(original: io.Channels | None, n_channels: int) -> str:
    return f"MNE channels ({n_channels})" if original is None else original.comment


def _frames(
    info: mne.Info, kept: WayBack, findings: Findings
) -> tuple[Frames, tuple[FloatArray, FloatArray, FloatArray] | None, bool]:
    """Return the transforms, the fiducials, and whether SCS is that of the original file."""
    fiducials = fiducials_of(info["dig"])
    converted = fiducials_of(kept.get("dig"))
    device: FloatArray = np.eye(4)
    if info["dev_head_t"] is not None:
        device = np.array(info["dev_head_t"]["trans"])
    elif is_placeholder(kept.get("device_to_head")):
        device = kept["device_to_head"]
    if "scs_to_head" in kept and np.array_equal(
        np.ravel(fiducials or ()), np.ravel(converted or ())
    ):
        to_scs: FloatArray = np.linalg.inv(kept["scs_to_head"])
        return Frames(to_scs, device), fiducials, True
    if fiducials is not None:
        to_scs = head_to_scs(fiducials)
    elif info["ctf_head_t"] is not None:
        findings.derived("info['ctf_head_t']", "no fiducials: SCS is CTF's head frame")
        to_scs = np.linalg.inv(info["ctf_head_t"]["trans"])
    else:
        findings.assumed("info['dig']", "no fiducials: SCS is MNE's head frame turned by −90°")
        to_scs = scs_to_head(None).inverse
    if info["dev_head_t"] is None and mne.pick_types(info, meg=True, exclude=()).size:
        findings.assumed("info['dev_head_t']", "absent: the device frame is the head frame")
    return Frames(to_scs, device), fiducials, False


def _same_device(info: mne.Info, kept: WayBack) -> bool:
    device, converted = info["dev_head_t"], kept.get("device_to_head")
    if device is None:
        return converted is None or is_placeholder(converted)
    if converted is None:
        return False
    return np.array_equal(device["trans"], converted)


def is_placeholder(device_to_head: FloatArray | None) -> bool:
    """Whether a transform (4, 4) is what Brainstorm writes where no head was: 4 cm up."""
    if device_to_head is None:
        return False
    return bool(np.allclose(device_to_head, _NOBODY, rtol=0, atol=_SAME))


def _transforms(info: mne.Info, frames: Frames) -> dict[str, Any]:
    meg = mne.pick_types(info, meg=True, ref_meg=True, exclude=()).size > 0
    device = (frames.device_to_head, frames.head_to_scs) if meg else ()
    return {
        "transf_meg": device,
        "transf_meg_labels": (DEVICE_TO_HEAD, HEAD_TO_SCS) if meg else (),
        "transf_eeg": (frames.head_to_scs,),
        "transf_eeg_labels": (HEAD_TO_SCS,),
    }


def _scs(
    fiducials: tuple[FloatArray, FloatArray, FloatArray] | None, to_scs: FloatArray
) -> io.SCS | None:
    if fiducials is None:
        return None
    nas, lpa, rpa = (transform_points(to_scs, point) for point in fiducials)
    return io.SCS(nas=nas, lpa=lpa, rpa=rpa)


def _reference(info: mne.Info, findings: Findings) -> FloatArray | None:
    """Position of the EEG reference electrode, unless the digitised points hold it already."""
    positions = [
        np.array(info["chs"][index]["loc"][3:6], dtype=np.float64)
        for index in mne.pick_types(info, meg=False, eeg=True, exclude=())
    ]
    # (1, 0, 0) is an axis that other readers leave there
    found = [p for p in positions if np.isfinite(p).all() and p.any() and np.linalg.norm(p) < 1]
    if found and np.ptp(found, axis=0).max() > SAME_PLACE:
        findings.dropped(
            "info['chs']",
            "the electrodes have references of their own (loc[3:6]): a channel file has a place "
            "for one of all, and none is kept",
        )
        return None
    return found[0] if found and reference_position(info["dig"]) is None else None


def _projectors(info: mne.Info, kept: WayBack, findings: Findings) -> Any:
    gone = [
        str(proj["desc"])
        for proj in info["projs"]
        if np.any(proj["data"]["data"]) and not embedded(proj, info["ch_names"]).any()
    ]
    if gone:
        findings.dropped(
            "info['projs']", f"{', '.join(gone)}: of channels that are not there: they project none"
        )
    original: io.Channels | None = kept.get("channels")
    if original is None:
        return projectors_from(info, (), ())
    moved = rows_moved(with_mne_names(original), info["ch_names"], findings)
    return projectors_from(info, kept.get("projections", ()), moved)


def _tell_rest(info: mne.Info, findings: Findings) -> None:
    """Report the entries that a channel file has no place for."""
    lost = [name for name in _NO_PLACE if info.get(name) is not None and np.size(info[name])]
    if lost:
        findings.dropped("info", f"entries that a channel file has no place for: {', '.join(lost)}")
    for name, reason in _ELSEWHERE.items():
        if info.get(name):
            findings.dropped(f"info['{name}']", reason)
    for name, none in (("highpass", 0.0), ("lowpass", info["sfreq"] / 2)):
        if info[name] is not None and not np.isclose(info[name], none):
            findings.dropped(
                f"info['{name}']", f"{info[name]:g} Hz: Brainstorm has no place for it"
            )
    if info["custom_ref_applied"]:
        findings.dropped("info['custom_ref_applied']", "Brainstorm does not note it")
    _tell_pairs(info, findings)


def _tell_pairs(info: mne.Info, findings: Findings) -> None:
    """Report signals of two electrodes, which have no place in Brainstorm but that of one."""
    bipolar = int(FIFF.FIFFV_COIL_EEG_BIPOLAR)
    pairs = [ch["ch_name"] for ch in info["chs"] if int(ch["coil_type"]) == bipolar]
    if pairs:
        findings.dropped(
            "info['chs']",
            "Brainstorm knows electrodes and no differences of two: for its head models and "
            f"references these are one at the place of the first: {few(pairs)}",
        )
