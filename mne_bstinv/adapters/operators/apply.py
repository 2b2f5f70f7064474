"""Apply an operator that was made from Brainstorm's options as Brainstorm applies its kernel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import mne
import numpy as np

from mne_bstinv._display import few
from mne_bstinv._types import FloatArray
from mne_bstinv.adapters.channel_names import is_available, match_channel_names
from mne_bstinv.adapters.kept import kept_of
from mne_bstinv.adapters.operators.operator_dicts import data_info
from mne_bstinv.adapters.operators.parameters import (
    NOT_COMPARABLE,
    InverseParameters,
    inverse_parameters,
    keeps_common,
)
from mne_bstinv.adapters.recordings import as_read
from mne_bstinv.adapters.sensors import is_reference
from mne_bstinv.conversion import Findings
from mne_bstinv.errors import ConversionError

__all__ = ["apply_operator"]


def apply_operator(
    inv: Any,
    inst: Any,
    parameters: InverseParameters | None = None,
    *,
    not_applied: Sequence[Any] = (),
) -> Any:
    """Compute Brainstorm's estimate with an operator that was made from its options.

    The kernel of Brainstorm meets recordings as they are stored, whatever their number of averages.
    So the samples alone are taken of the recordings, and the operator's own Info and projections.
    Those of a continuous Raw are compensated and projected first, as Brainstorm does when it reads
    it.

    Parameters
    ----------
    inv : mne.minimum_norm.InverseOperator
        The operator.
    inst : mne.Evoked | mne.Epochs | mne.io.Raw
        The recordings.
    parameters : InverseParameters | None
        What to apply it with; None asks the operator.
    not_applied : sequence of mne.Projection
        Projections that the recordings must not have gone through.

    Returns
    -------
    mne.SourceEstimate | list of mne.SourceEstimate
        The estimate; of epochs, one each. Its report says what was assumed.

    Raises
    ------
    ConversionError
        If MNE has no method for Brainstorm's estimate, a channel is missing, or the recordings are
        not as they were stored.
    """
    parameters = inverse_parameters(inv) if parameters is None else parameters
    if parameters.parity == NOT_COMPARABLE:
        raise ConversionError(
            f"MNE does not give Brainstorm's estimate with this operator: {parameters.reason}"
        )
    if not isinstance(inst, mne.Evoked | mne.BaseEpochs | mne.io.BaseRaw):
        raise ConversionError(
            f"Recordings must be Evoked, Epochs or Raw, found {type(inst).__name__}."
        )
    findings = Findings()
    _check_projections(inst, inv, not_applied)
    picks = _picks(inst, inv, findings)
    info = data_info(inv["info"], inv["projs"], sfreq=float(inst.info["sfreq"]))
    arguments = {
        "lambda2": parameters.lambda2,
        "method": parameters.method,
        "pick_ori": parameters.pick_ori,
    }
    with np.errstate(divide="ignore", invalid="ignore"):  # sources that no channel sees are NaN
        estimates = _estimates(inst, picks, info, inv, parameters.nave, arguments)
    scaled = [parameters.factor * one if parameters.factor != 1 else one for one in estimates]
    made = [findings.attach(one, what="operator × recordings", log=n == 0)
            for n, one in enumerate(scaled)]  # fmt: skip
    return made if isinstance(inst, mne.BaseEpochs) else made[0]


def _estimates(
    inst: Any, picks: Sequence[int], info: Any, inv: Any, nave: int, arguments: dict[str, Any]
) -> list[Any]:
    """Apply the operator to the samples of the recordings."""
    apply = mne.minimum_norm
    if isinstance(inst, mne.Evoked):
        evoked = mne.EvokedArray(inst.data[picks], info, inst.times[0], inst.comment, nave)
        evoked.shift_time(inst.times[0], relative=False)
        return [apply.apply_inverse(evoked, inv, **arguments)]
    if isinstance(inst, mne.BaseEpochs):
        data: FloatArray = inst.get_data(picks=picks)
        epochs = mne.EpochsArray(data, info, tmin=inst.tmin, baseline=None, proj=False)
        epochs.shift_time(inst.times[0], relative=False)
        return list(apply.apply_inverse_epochs(epochs, inv, nave=nave, **arguments))
    raw = mne.io.RawArray(as_read(inst)[picks], info, first_samp=inst.first_samp)
    return [apply.apply_inverse_raw(raw, inv, nave=nave, **arguments)]


def _picks(inst: Any, inv: Any, findings: Findings) -> list[int]:
    """Return the rows of the recordings in the order of the operator's channels."""
    names = inv["info"]["ch_names"]
    missing = [name for name in names if not is_available(name, inst.ch_names)]
    if missing:
        raise ConversionError(
            f"The recordings lack channels of the operator: {few(missing)}. Give recordings "
            "of the study that it is of, with all channels."
        )
    picks = [int(pick) for pick in match_channel_names(names, inst.ch_names)]
    bad = sorted({inst.ch_names[pick] for pick in picks} & set(inst.info["bads"]))
    if bad:
        findings.assumed(
            "bads",
            f"{few(bad)}: bad in the recordings, but the kernel was computed with them, and "
            "is applied to them, as in Brainstorm.",
        )
    return picks


def _check_projections(inst: Any, inv: Any, not_applied: Sequence[Any]) -> None:
    """Refuse recordings that are not as Brainstorm stored them: nothing undoes a projection."""
    kept = [
        item.projection
        for item in kept_of(inst).get("projections", ())
        if not item.projection["active"]
    ]
    were = {_identity(proj) for proj in (*kept, *not_applied)}
    applied = [proj for proj in inst.info["projs"] if proj["active"]]
    continuous = isinstance(inst, mne.io.BaseRaw) and "recordings" not in kept_of(inst)
    wrong = (
        []
        if continuous
        else [
            proj["desc"] for proj in applied if _identity(proj) in were and not is_reference(proj)
        ]
    )
    if wrong:
        raise ConversionError(
            f"The recordings were projected ({', '.join(map(str, wrong))}), and Brainstorm's "
            "kernel is for the recordings as they are stored: read them with proj=False."
        )
    referenced = any(is_reference(p) and np.any(p["data"]["data"]) for p in applied)
    if keeps_common(inv["projs"]) and (referenced or inst.info["custom_ref_applied"]):
        raise ConversionError(
            "The recordings were referenced to their average, and this kernel depends on the "
            "reference: read them with proj=False, and do not set a reference."
        )


def _identity(proj: Any) -> tuple[Any, ...]:
    return int(proj["kind"]), str(proj["desc"]), tuple(proj["data"]["col_names"])
