"""Dipoles of Brainstorm ⇄ :class:`mne.Dipole`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import mne
import numpy as np
from mne.utils import verbose

from mne_bstinv import io
from mne_bstinv._types import FloatArray, Verbose
from mne_bstinv.adapters.frames import head_frame, scs_to_head_of
from mne_bstinv.adapters.kept import keep, kept_of
from mne_bstinv.conversion import Findings, conversion_report, converts
from mne_bstinv.errors import ConversionError
from mne_bstinv.io.text import history_row
from mne_bstinv.studies.units import in_metres

__all__ = ["from_dipole", "to_dipole"]

#: Fields of a dipole that Brainstorm's scan and its fits fill in, and MNE has no place for.
_LOST = {
    "errors": "Errors",
    "noise": "Noise",
    "single_error": "SingleError",
    "error_matrix": "ErrorMatrix",
    "conf_vol": "ConfVol",
    "probability": "Probability",
    "noise_estimate": "NoiseEstimate",
}


@converts
@verbose
def to_dipole(
    dipoles: io.Dipoles,
    channels: io.Channels | None = None,
    *,
    group: int | str | None = None,
    mri: io.Mri | None = None,
    verbose: Verbose = None,
) -> Any:
    """Convert dipoles to a Dipole of MNE.

    Parameters
    ----------
    dipoles : Dipoles
        The dipoles, positions in m and moments in A·m in SCS.
    channels : Channels | None
        Channel file, for the head frame.
    group : int | str | None
        Number (1-based) or name of the group; None for the only one.
    mri : Mri | None
        The subject's MRI, for the head frame where there is no channel file.
    verbose : bool | str | int | None
        Control verbosity of the logging output.

    Returns
    -------
    mne.Dipole
        Positions in m in the head frame, amplitudes in A·m, goodness of fit in per cent. Dipoles
        without a position or a moment are left out. The report keeps ``dipoles`` and ``group``.

    Raises
    ------
    ConversionError
        If there are several groups and none was chosen, or no dipole is complete.
    """
    findings = Findings()
    dipoles = in_metres(dipoles)
    number = _group(dipoles, group)
    chosen = [d for d in dipoles.dipole if d.index in (number, None) or len(_groups(dipoles)) == 1]
    whole = [d for d in chosen if d.loc is not None and d.amplitude is not None]
    if len(whole) < len(chosen):
        findings.dropped("Dipole", f"{len(chosen) - len(whole)} without position or moment.")
    if not whole:
        raise ConversionError(f"No dipole of group {number} has a position and a moment.")
    _report_lost(whole, findings)
    frame = head_frame(channels, mri, findings).matrix
    keep(findings, scs_to_head=frame)
    subset = io.Dipoles(dipole=tuple(whole))
    moments = subset.amplitudes @ frame[:3, :3].T
    sizes = np.linalg.norm(moments, axis=1)
    directions = np.divide(moments, sizes[:, np.newaxis], out=np.zeros_like(moments),
                           where=sizes[:, np.newaxis] > 0)  # fmt: skip
    dipole = mne.Dipole(
        times=subset.times,
        pos=subset.positions @ frame[:3, :3].T + frame[:3, 3],
        amplitude=sizes,
        ori=directions,
        gof=100 * subset.goodness,
        name=_name(dipoles, number),
        khi2=_numbers(whole, "khi2"),
        nfree=_numbers(whole, "dof"),
    )
    keep(findings, dipoles=dipoles)
    keep(findings, group=number)
    return findings.attach(dipole, what="dipoles → Dipole")


@converts
@verbose
def from_dipole(
    dipole: mne.Dipole | Sequence[mne.Dipole],
    channels: io.Channels | None = None,
    *,
    mri: io.Mri | None = None,
    comment: str | None = None,
    data_file: str | None = None,
    verbose: Verbose = None,
) -> io.Dipoles:
    """Convert Dipoles of MNE to dipoles of Brainstorm.

    Parameters
    ----------
    dipole : mne.Dipole | sequence of mne.Dipole
        The dipoles, in the head frame; several become groups.
    channels : Channels | None
        Channel file, for the frame (not needed where the conversion to MNE kept it).
    mri : Mri | None
        MRI, for the same.
    comment : str | None
        Name in Brainstorm.
    data_file : str | None
        What they were fitted to, relative to the protocol's ``data``.
    verbose : bool | str | int | None
        Control verbosity of the logging output.

    Returns
    -------
    Dipoles
        Positions in m and moments in A·m in SCS, goodness of fit from 0 to 1.

    Raises
    ------
    ConversionError
        If there is no dipole.
    """
    findings = Findings()
    several = [dipole] if isinstance(dipole, mne.Dipole) else list(dipole)
    if not several:
        raise ConversionError("Give one mne.Dipole, or several.")
    report = conversion_report(several[0])
    to_scs = np.linalg.inv(scs_to_head_of(report, channels, mri, findings))
    rows: list[io.Dipole] = []
    for number, one in enumerate(several, start=1):
        rows += _rows(one, number, to_scs)
        if one.conf:
            findings.dropped("conf", f"confidence limits: {', '.join(sorted(one.conf))}")
    kept = kept_of(report).get("dipoles")
    names = [one.name or f"Group #{number}" for number, one in enumerate(several, start=1)]
    fields: dict[str, Any] = {
        "comment": comment or getattr(kept, "comment", "") or "Dipoles of MNE-Python",
        "data_file": data_file or getattr(kept, "data_file", None),
        "history": (history_row("import", "Converted from MNE-Python"),),
    }
    made = io.Dipoles(
        dipole=tuple(rows),
        time=np.unique([row.time for row in rows]),
        dipole_names=tuple(names),
        subset=np.ones(len(several)),
        **fields,
    )
    return findings.attach(made, what="Dipole → dipoles")


def _rows(dipole: Any, number: int, to_scs: FloatArray) -> list[io.Dipole]:
    positions = np.asarray(dipole.pos) @ to_scs[:3, :3].T + to_scs[:3, 3]
    moments = (np.asarray(dipole.amplitude)[:, np.newaxis] * dipole.ori) @ to_scs[:3, :3].T
    khi2, dof = (_optional(getattr(dipole, name), len(moments)) for name in ("khi2", "nfree"))
    return [
        io.Dipole(
            index=number,
            time=float(dipole.times[i]),
            origin=np.zeros(3),
            loc=positions[i],
            amplitude=moments[i],
            errors=0.0,
            goodness=float(dipole.gof[i]) / 100,
            khi2=khi2[i],
            dof=dof[i],
        )
        for i in range(len(moments))
    ]


def _optional(values: Any, n: int) -> list[float | None]:
    if values is None:
        return [None] * n
    return [None if np.isnan(value) else float(value) for value in np.asarray(values, dtype=float)]


def _numbers(dipoles: Sequence[io.Dipole], name: str) -> FloatArray | None:
    values = [getattr(dipole, name) for dipole in dipoles]
    if any(value is None for value in values):
        return None
    return np.array(values, dtype=np.float64)


def _groups(dipoles: io.Dipoles) -> list[int]:
    return sorted({dipole.index for dipole in dipoles.dipole if dipole.index is not None}) or [1]


def _name(dipoles: io.Dipoles, number: int) -> str:
    names = dipoles.dipole_names
    return names[number - 1] if 1 <= number <= len(names) else dipoles.comment


def _group(dipoles: io.Dipoles, group: int | str | None) -> int:
    """Return the number of the group that is asked for."""
    present = _groups(dipoles)
    if group is None:
        if len(present) > 1:
            listed = ", ".join(f"{n} ({_name(dipoles, n)})" for n in present)
            raise ConversionError(
                f"The dipoles are of {len(present)} groups: {listed}. Choose one with group=."
            )
        return present[0]
    number = group if isinstance(group, int) else 0
    if isinstance(group, str) and group in dipoles.dipole_names:
        number = dipoles.dipole_names.index(group) + 1
    if number not in present:
        raise ConversionError(f"There is no group {group!r}; the groups are {present}. Choose one.")
    return number


def _report_lost(dipoles: Sequence[io.Dipole], findings: Findings) -> None:
    for attribute, field in _LOST.items():
        values = [getattr(dipole, attribute) for dipole in dipoles]
        if any(value is not None and np.size(value) and np.any(value) for value in values):
            findings.dropped(field, "Dipoles of MNE have no place for it; kept in the report.")
