"""When and with what something was recorded: T0 and Device ⇄ ``meas_date`` and ``device_info``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from mne_bstinv import io
from mne_bstinv.adapters._mne_private import unlocked
from mne_bstinv.conversion import Findings

__all__ = ["add_occasion", "device_of", "set_device", "set_moment", "t0_of"]

#: FIF files hold times as seconds since 1970 with 32 bits.
_FIRST_YEAR, _LAST_YEAR = 1902, 2037

#: What Brainstorm writes where nobody knows the system.
_NO_DEVICE = ("", "unknown")


def set_moment(info: Any, t0: Any, findings: Findings) -> None:
    """Set ``meas_date`` of an Info that has none from the time of 0 s (T0), in place."""
    if info["meas_date"] is not None or not isinstance(t0, str) or not t0:
        return
    try:
        moment = datetime.fromisoformat(t0)
    except ValueError:
        moment = datetime.min
    if not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
        findings.dropped("t0", f"{t0!r} found, a time such as 2026-03-04T05:06:07.890 expected")
        return
    if moment.tzinfo is None:
        findings.assumed("t0", f"{t0} has no time zone: taken as UTC")
        moment = moment.replace(tzinfo=UTC)
    info.set_meas_date(moment)


def t0_of(info: Any) -> str:
    """Return the time of 0 s as Brainstorm writes it, in UTC; empty if nobody knows."""
    moment = info["meas_date"]
    if moment is None:
        return ""
    return str(moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds"))


def set_device(info: Any, device: Any) -> None:
    """Set the system of an Info that names none, in place."""
    if info["device_info"] or not isinstance(device, str):
        return
    if device.strip().casefold() not in _NO_DEVICE:
        with unlocked(info):
            info["device_info"] = {"type": device}


def device_of(info: Any) -> str:
    """Return what Brainstorm calls the system; empty if nobody knows."""
    known = info["device_info"] or {}
    return str(known.get("type") or known.get("model") or "")


def add_occasion(info: Any, files: Sequence[io.Recordings], findings: Findings) -> None:
    """Add to an Info when and with what its recordings were made, in place."""
    first = files[0]
    set_device(info, first.device)
    set_moment(info, first.t0, findings)
    if any(one.t0 != first.t0 for one in files):
        findings.dropped("T0", "differs between trials: MNE has that of the first")
