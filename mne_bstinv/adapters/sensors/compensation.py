"""CTF compensation: MegRefCoef ⇄ ``info['comps']``; MEG minus coefficients times references."""

from __future__ import annotations

from typing import Any

import mne
import numpy as np

from mne_bstinv import io
from mne_bstinv._display import few
from mne_bstinv._types import FloatArray
from mne_bstinv.adapters.sensors.types import MEG_TYPES, is_ref, plain_type
from mne_bstinv.conversion import Findings
from mne_bstinv.errors import ConversionError

__all__ = ["add_compensation", "compensation_from", "grade_of", "set_grade"]

#: The grade is kept in these bits of the coil type.
_GRADE_SHIFT = 16

#: What CTF calls its first-, second- and third-order gradients.
_CTF_KINDS = {1: 0x47314252, 2: 0x47324252, 3: 0x47334252}

_THIRD_ORDER = 3


def add_compensation(
    info: mne.Info,
    channels: io.Channels,
    findings: Findings,
) -> None:
    """Set ``comps`` and the grade of the MEG channels of an unlocked Info, in place."""
    coefficients = channels.meg_ref_coef
    if coefficients is None or coefficients.size == 0:
        return
    rows = [c.name for c in channels.channels if plain_type(c.type) in MEG_TYPES]
    columns = [c.name for c in channels.channels if is_ref(c)]
    if coefficients.shape != (len(rows), len(columns)):
        raise ConversionError(
            f"MegRefCoef is {coefficients.shape}, but the channel file has {len(rows)} MEG "
            f"channels and {len(columns)} references (MEG REF), expected a row a channel and a "
            "column a reference. Take the channel file as Brainstorm imported it."
        )
    grade = _THIRD_ORDER
    findings.assumed(
        "MegRefCoef", "the file does not say of which order: taken as the third-order gradient"
    )
    data = {
        "nrow": len(rows),
        "ncol": len(columns),
        "row_names": rows,
        "col_names": columns,
        "data": coefficients.copy(),
    }
    info["comps"] = [
        {
            "ctfkind": _CTF_KINDS[grade],
            "kind": grade,
            "save_calibrated": False,
            "rowcals": np.ones(len(rows)),
            "colcals": np.ones(len(columns)),
            "data": data,
        }
    ]
    of_rows = set(rows)
    for ch in info["chs"]:
        if ch["ch_name"] in of_rows:
            ch["coil_type"] = int(ch["coil_type"]) | grade << _GRADE_SHIFT


def grade_of(info: mne.Info) -> int:
    """Return the one grade of compensation that the MEG channels have.

    Parameters
    ----------
    info : mne.Info
        The sensors.

    Returns
    -------
    int
        The grade; 0 for none.

    Raises
    ------
    ConversionError
        If the channels differ in it.
    """
    picks = mne.pick_types(info, meg=True, ref_meg=False, exclude=())
    grades = {int(info["chs"][i]["coil_type"]) >> _GRADE_SHIFT for i in picks}
    if len(grades) > 1:
        raise ConversionError(
            f"The MEG channels are compensated differently: grades {grades}. "
            "Bring them to one grade (Raw.apply_gradient_compensation)."
        )
    return grades.pop() if grades else 0


def set_grade(info: mne.Info, grade: int) -> None:
    """Say which compensation the MEG channels of an Info have, in place.

    Parameters
    ----------
    info : mne.Info
        The Info; its coil types are changed.
    grade : int
        0 for none, 1, 2 or 3.
    """
    for pick in mne.pick_types(info, meg=True, ref_meg=False, exclude=()):
        ch = info["chs"][pick]
        pattern = int(ch["coil_type"]) & (1 << _GRADE_SHIFT) - 1
        ch["coil_type"] = pattern | grade << _GRADE_SHIFT


def compensation_from(info: mne.Info, findings: Findings) -> FloatArray | None:
    """Return MegRefCoef (n_meg, n_ref) of an Info, None if its MEG channels have none.

    It is zero for references that this grade does not use. Where references are gone that it does
    use, or MNE took the compensation out with them, nothing is left to make it of.
    """
    grade = grade_of(info)
    others = [comp for comp in info["comps"] if comp["kind"] != grade]
    if others:
        findings.dropped(
            "info['comps']", f"compensations that are not in use ({len(others)} other grades)"
        )
    if not grade:
        return None
    found = [comp for comp in info["comps"] if comp["kind"] == grade]
    if not found:
        _tell_lost(f"info['comps'] has none of grade {grade}", grade, findings)
        return None
    meg = [info["ch_names"][i] for i in mne.pick_types(info, meg=True, ref_meg=False, exclude=())]
    refs = [info["ch_names"][i] for i in mne.pick_types(info, meg=False, ref_meg=True, exclude=())]
    data: Any = found[0]["data"]
    missing = sorted({*meg} - {*data["row_names"]}) + sorted({*data["col_names"]} - {*refs})
    if missing:
        _tell_lost(f"there is no {few(missing)} for it", grade, findings)
        return None
    coefficients = np.zeros((len(meg), len(refs)))
    rows = [data["row_names"].index(name) for name in meg]
    columns = [refs.index(name) for name in data["col_names"]]
    coefficients[:, columns] = data["data"][rows]
    return coefficients


def _tell_lost(reason: str, grade: int, findings: Findings) -> None:
    findings.dropped(
        "MegRefCoef",
        f"The MEG channels are compensated (grade {grade}), but {reason}, as after picking "
        "channels: it stays empty. The recordings are compensated all the same; head models that "
        "Brainstorm computes will be those of the bare coils. Give an Info of all channels (info) "
        "to keep it.",
    )
