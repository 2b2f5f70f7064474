"""NIRS: pairs of a source and a detector ⇄ MNE's fNIRS channels.

A channel of Brainstorm is named by its pair and what it measures (``S1D1WL690``, ``S1D1HbO``); its
two points are the source and the detector, its group is what it measures, as the public tutorials
of NIRSTORM show. MNE keeps the midpoint, both optodes and the wavelength (nm) in ``loc``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from mne.io.constants import FIFF

from mne_bstinv import io
from mne_bstinv._types import FloatArray
from mne_bstinv.adapters.channel_names import optodes_of
from mne_bstinv.conversion import Findings
from mne_bstinv.frames import transform_points

__all__ = ["FNIRS", "of_unit", "optodes_from", "optodes_type", "place_optodes"]

#: MNE's types that Brainstorm has a name for.
FNIRS = ("fnirs_cw_amplitude", "fnirs_od", "hbo", "hbr")


def optodes_type(channel: io.Channel) -> str:
    """Return MNE's type of a NIRS channel; ``'misc'`` where its name or points do not say."""
    optodes, loc = optodes_of(channel.name), channel.loc
    placed = loc is not None and loc.shape[1] == 2 and np.isfinite(loc).all()
    if optodes is None or not placed:
        return "misc"
    if optodes.wavelength is not None:
        return "fnirs_cw_amplitude"
    return optodes.chromophore if optodes.chromophore in FNIRS else "misc"


def place_optodes(ch: Any, channel: io.Channel, scs_to_head: FloatArray) -> None:
    """Set the position of a NIRS channel in place: midpoint, source, detector, wavelength."""
    optodes, loc = optodes_of(channel.name), channel.loc
    assert optodes is not None
    assert loc is not None
    source, detector = transform_points(scs_to_head, loc.T)
    wavelength = np.nan if optodes.wavelength is None else optodes.wavelength
    ch["loc"] = np.concatenate(
        [(source + detector) / 2, source, detector, [wavelength, np.nan, np.nan]]
    )
    ch["coord_frame"] = FIFF.FIFFV_COORD_HEAD


def optodes_from(ch: Any, head_to_scs: FloatArray, findings: Findings) -> io.Channel:
    """Return Brainstorm's channel of an element of ``info['chs']`` of one of the types ``FNIRS``.

    Its points (3, 2) are in metres, SCS; ``head_to_scs`` is (4, 4).
    """
    optodes = optodes_of(ch["ch_name"])
    ends = np.array(ch["loc"][3:9], dtype=np.float64).reshape(2, 3)
    known = np.isfinite(ends).all() and ends.any(axis=1).all()
    loc = transform_points(head_to_scs, ends).T if known else None
    if optodes is None or loc is None:
        reason = "names or positions do not tell the optodes"
        findings.each("dropped", "info['chs']", reason, ch["ch_name"])
    return io.Channel(
        name=ch["ch_name"] if optodes is None else optodes.brainstorm_name,
        type="NIRS",
        group=None if optodes is None else optodes.group,
        loc=loc,
        weight=None if loc is None else np.ones(2),
    )


def of_unit(info: Any, display_units: Any) -> None:
    """Let the NIRS amplitudes of an Info be optical densities where recordings say so, in place.

    Parameters
    ----------
    info : mne.Info
        The sensors.
    display_units : object
        DisplayUnits of recordings, which may be anything; ``'OD'`` and ``'delta OD'`` are
        understood.
    """
    if not isinstance(display_units, str):
        return
    if "od" not in display_units.lower().replace("-", " ").split():
        return
    for ch in info["chs"]:
        if ch["coil_type"] == FIFF.FIFFV_COIL_FNIRS_CW_AMPLITUDE:
            ch["coil_type"] = FIFF.FIFFV_COIL_FNIRS_OD
            ch["unit"] = FIFF.FIFF_UNIT_NONE
