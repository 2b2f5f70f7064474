"""Recordings that MNE's defaults may be used on: what MNE projects when it reads a file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import mne
import numpy as np

from mne_bstinv.adapters._mne_private import unlocked
from mne_bstinv.adapters.kept import kept_of
from mne_bstinv.adapters.sensors import is_reference
from mne_bstinv.conversion import ConversionReport, Findings, carry, conversion_report

__all__ = ["pending_projections", "safe_by_default"]

#: Relative change of samples that is rounding: FIF files hold them in single precision.
_ROUNDING = 1e-6
#: Why projections are left out of files.
_PENDING = "MNE applies what it finds there, and Brainstorm projects no imported recordings"
_CHANGING = "MNE would apply them again, with the average reference, and change the samples"


def pending_projections(inst: Any) -> list[str]:
    """Name the projections of recordings that are not applied, but for references and none at all.

    Parameters
    ----------
    inst : mne.Evoked | mne.Epochs | mne.io.Raw
        The recordings.

    Returns
    -------
    list of str
        Their descriptions; those that came from Brainstorm's projectors are left out: its
        recordings are as they are there.
    """
    own = [item.projection for item in kept_of(inst).get("projections", ())]
    return [
        str(proj["desc"])
        for proj in inst.info["projs"]
        if not proj["active"]
        and not is_reference(proj)
        and np.any(proj["data"]["data"])
        and not any(np.array_equal(proj["data"]["data"], one["data"]["data"]) for one in own)
    ]


def safe_by_default(inst: Any) -> Any:
    """Leave recordings only projections that may be applied, as MNE does where it reads files.

    Brainstorm's kernels meet recordings as they are stored. Projectors that are applied on the
    fly concern continuous recordings alone, and were applied when these were imported; MNE would
    apply them to what Brainstorm does not project any more. And where one projection of a file is
    not applied yet, MNE applies all of them together, also those that the file says were applied.
    The projections stay in the file of the sensors (``-info.fif``). The average reference of the
    EEG, which MNE's inverses ask for, changes no estimate of a kernel that contains it.

    Parameters
    ----------
    inst : mne.Evoked | mne.Epochs | mne.io.Raw
        The recordings, a Raw an imported block; they are changed, not copied.

    Returns
    -------
    mne.Evoked | mne.Epochs | mne.io.Raw
        The same recordings, with no projections but those that were applied, if applying them
        again changes nothing, and the average reference of the good EEG channels, which is added
        where none is there. Their report says so.
    """
    findings, info = Findings(), inst.info
    _keep(inst, [proj for proj in info["projs"] if proj["active"]], findings, _PENDING)
    eeg = mne.pick_types(info, meg=False, eeg=True, exclude="bads")
    referenced = any(map(is_reference, info["projs"])) or info["custom_ref_applied"]
    if len(eeg) > 1 and not referenced:
        inst.set_eeg_reference(projection=True, verbose="error")
        *others, reference = info["projs"]
        if others and _is_changed(inst, info["projs"], [reference]):
            _keep(inst, [reference], findings, _CHANGING)
        findings.derived(
            "projs",
            "An average reference of the good EEG channels was added, not applied: MNE's inverses "
            "ask for it, and Brainstorm's kernels contain it. Read with proj=False for the samples "
            "in the reference of the recordings.",
        )
    report = conversion_report(inst)
    findings.tell(what="recordings → file")
    whole = tuple(dict.fromkeys([*report.findings, *findings.report.findings]))
    return carry(inst, ConversionReport(whole, report.kept))


def _keep(inst: Any, kept: Sequence[Any], findings: Findings, why: str) -> None:
    """Leave out all projections but some, and say which."""
    before, info = inst.info["projs"], inst.info
    with unlocked(info):
        info["projs"] = list(kept)
    lost = [proj for proj in before if not any(proj is one for one in kept)]
    named = [str(proj["desc"]) for proj in lost if not is_reference(proj)]
    if named:
        findings.derived(
            "projs", f"{', '.join(named)}: left out of the file, since {why}; -info.fif has them."
        )


def _is_changed(inst: Any, projs: Sequence[Any], fewer: Sequence[Any]) -> bool:
    """Tell whether projections change samples of any type of channels, besides what fewer do."""
    data = inst.data if isinstance(inst, mne.Evoked) else inst.get_data()
    names, bads = inst.ch_names, inst.info["bads"]
    both = [mne.proj.make_projector(these, names, bads)[0] for these in (projs, fewer)]
    change = (both[0] - both[1]) @ data
    types = np.array(inst.get_channel_types())
    return any(
        np.linalg.norm(change[..., types == kind, :])
        > _ROUNDING * np.linalg.norm(data[..., types == kind, :])
        for kind in dict.fromkeys(types)
    )
