"""With which arguments MNE gives Brainstorm's estimate, and how exactly."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import mne
import numpy as np

from mne_bstinv._arguments import checks_arguments
from mne_bstinv._display import Displayed
from mne_bstinv._verdicts import NOT_COMPARABLE
from mne_bstinv.adapters.kept import kept_of
from mne_bstinv.adapters.operators.arrays import OperatorArrays
from mne_bstinv.conversion import ConversionReport, Finding, carry, conversion_report, say_instead
from mne_bstinv.errors import ConversionError
from mne_bstinv.inverse.options import AnyOptions

__all__ = [
    "EXACT",
    "NOT_COMPARABLE",
    "UP_TO_FACTOR",
    "InverseParameters",
    "averages_of",
    "claim",
    "for_averages",
    "inverse_parameters",
    "keeps_common",
    "with_parameters",
]

EXACT = "exact"

UP_TO_FACTOR = "equal up to a stated factor"


#: Brainstorm's measure → MNE's method; that of 2018 last, where a method is asked for its measure.
METHODS = {"amplitude": "MNE", "dspm": "dSPM", "dspm2018": "dSPM", "sloreta": "sLORETA"}

#: What marks the parameters in the entry ``method`` of the operator's noise covariance, the one
#: text that FIF files of inverse operators keep.
MARK = "mne_bstinv "

_STORED_REFERENCE = (
    "The kernel keeps a common potential of the electrodes, so it wants the recordings in the "
    "reference they are stored in: read them with proj=False, and set no reference."
)

_LOOSE_DSPM = (
    "Brainstorm normalises loose rows in the local frame before the orientation prior, with one "
    "factor; MNE after it"
)

_DEPTH_SLORETA = (
    "Brainstorm's sLORETA of 2009 is √Λ times the dimensionless one, times the depth weight of "
    "each location: no one factor"
)

_SLORETA = (
    "Brainstorm multiplies three rows by the inverse square root of their 3 × 3 resolution block, "
    "MNE by one scalar: the same rows mixed otherwise"
)


@dataclass(frozen=True, kw_only=True, repr=False)
class InverseParameters(Displayed):
    """What to pass to MNE's functions with an operator made from Brainstorm's options.

    Parameters
    ----------
    lambda2 : float
        Regularisation for ``apply_inverse`` and its kin.
    method : 'MNE' | 'dSPM' | 'sLORETA'
        Method for the same functions.
    pick_ori : str | None
        ``'vector'`` where Brainstorm's estimate has three components a location.
    nave : int
        Number of averages to say: set ``evoked.nave`` to it. Brainstorm's kernels know no averages,
        so it is 1; of an operator that was made for averages of a known number
        (``for_averages``, and of the options of 2009 and 2016, which divide the noise by the
        averages as MNE does) it is that number, and nothing needs to be set. Brainstorm's process
        "Scale averaged dSPM", and nothing else, multiplies dspm2018 maps by √Leff.
    factor : float
        Brainstorm's estimate is this times MNE's: √Λ in A·m for sLORETA, else 1.
    parity : 'exact' | 'equal up to a stated factor' | 'not comparable'
        How far the estimates agree.
    reason : str
        Why not exactly, or what is to be done otherwise than by MNE's defaults; empty if they agree
        with these.
    proj : bool
        Whether projections may be applied to the recordings, as MNE does where it reads averages
        and trials: ``mne.read_evokeds(file, proj=parameters.proj)``. False for kernels that keep a
        common potential of the electrodes: they want the reference that is stored.
    """

    lambda2: float
    method: str
    pick_ori: str | None
    nave: int = 1
    factor: float = 1.0
    parity: str = EXACT
    reason: str = ""
    proj: bool = True

    def to_text(self) -> str:
        """Return a line that survives FIF files.

        Returns
        -------
        str
            ASCII text.
        """
        return MARK + json.dumps(asdict(self))


@checks_arguments
def inverse_parameters(inv: mne.minimum_norm.InverseOperator) -> InverseParameters:
    """Return the arguments with which an operator gives Brainstorm's estimate.

    Parameters
    ----------
    inv : mne.minimum_norm.InverseOperator
        Operator that :func:`~mne_bstinv.to_inverse_operator` made, or
        a copy of it, or one read back from a FIF file.

    Returns
    -------
    InverseParameters
        ``lambda2``, ``method``, ``pick_ori``, ``nave``, the factor and the parity class.

    Raises
    ------
    ConversionError
        If the operator was not made from Brainstorm's options.
    """
    kept = kept_of(inv).get("parameters")
    if isinstance(kept, InverseParameters):
        return kept
    text = inv["noise_cov"].get("method") or ""
    if not str(text).startswith(MARK):
        raise ConversionError(
            "The inverse operator was not made from Brainstorm's options: which lambda2 and "
            "method are meant is for you to say. Give both (--lambda2, --method)."
        )
    return InverseParameters(**json.loads(str(text)[len(MARK) :]))


def for_averages(inv: Any, nave: int) -> Any:
    """Let an operator give Brainstorm's estimate of recordings that are averages of a number.

    Brainstorm takes the noise covariance for that of the recordings, whatever they are averages
    of; MNE-Python divides those of noise and sources by ``evoked.nave``. Multiplied by it here,
    they are after that what Brainstorm has.

    Parameters
    ----------
    inv : mne.minimum_norm.InverseOperator
        Operator of :func:`~mne_bstinv.to_inverse_operator`.
    nave : int
        ``evoked.nave`` of the recordings.

    Returns
    -------
    mne.minimum_norm.InverseOperator
        The operator for these, also after FIF files; it shares source spaces and decomposition.
    """
    factor = nave / averages_of(inv)
    if factor == 1:
        return inv
    parameters = dataclasses.replace(inverse_parameters(inv), nave=int(nave))
    made = mne.minimum_norm.InverseOperator(inv)
    noise, sources = inv["noise_cov"].copy(), dict(inv["source_cov"])
    for cov, names in ((noise, ("data", "eig")), (sources, ("data",))):
        cov.update({name: factor * cov[name] for name in names})
    made.update(noise_cov=noise, source_cov=sources)
    return with_parameters(carry(made, conversion_report(inv)), parameters)


def with_parameters(inv: Any, parameters: InverseParameters) -> Any:
    """Let an operator say other parameters, in its report and in FIF files; it is changed."""
    inv["noise_cov"]["method"] = parameters.to_text()
    report = conversion_report(inv)
    kept = {**report.kept, "parameters": parameters}
    return say_instead(carry(inv, ConversionReport(report.findings, kept)), claim(parameters))


def claim(parameters: InverseParameters) -> Finding:
    """Say in a sentence what an operator gives with its parameters."""
    gives = {
        NOT_COMPARABLE: "is as regularised as Brainstorm's estimate, which it does not give",
        UP_TO_FACTOR: "gives Brainstorm's estimate up to a factor",
    }.get(parameters.parity, "gives Brainstorm's estimate")
    read = "" if parameters.proj else " of recordings that are read with proj=False"
    return Finding(
        "derived",
        "lambda2",
        f"{parameters.lambda2!r} with method {parameters.method!r} and nave = {parameters.nave} "
        f"{gives}{read}.",
    )


def averages_of(inv: Any) -> int:
    """Return the number of averages that an operator gives the kernel of one sample for."""
    try:
        return inverse_parameters(inv).nave
    except ConversionError:  # of MNE's own
        return 1


def keeps_common(projs: Sequence[Any]) -> bool:
    """Tell by the references of an operator whether its whitener keeps a common potential."""
    return any(not np.any(proj["data"]["data"]) for proj in projs)


def parameters_of(
    options: AnyOptions,
    orients: tuple[str, ...],
    arrays: OperatorArrays,
    projs: Sequence[Any],
) -> InverseParameters:
    """State the parameters of an operator whose regions have these orientation constraints.

    ``projs`` are the projections of its references.
    """
    measure = str(options.measure)
    parity, reason = _parity(options, orients)
    proj = not keeps_common(projs)
    if not proj and parity != NOT_COMPARABLE:
        reason = f"{reason} {_STORED_REFERENCE}".strip()
    factor = float(arrays.prior_variance**0.5) if measure == "sloreta" else 1.0
    return InverseParameters(
        lambda2=float(arrays.lambda2),
        method=METHODS[measure],
        pick_ori="vector" if arrays.n_components == 3 else None,
        factor=factor,
        parity=parity,
        reason=reason,
        proj=proj,
    )


def _parity(options: AnyOptions, orients: tuple[str, ...]) -> tuple[str, str]:
    measure = str(options.measure)
    # where rows are along x, y, z before they are normalised, both toolboxes do it alike
    local = measure not in options.conventions.prior_restored
    others = {"loose"} if METHODS[measure] == "dSPM" and local else set()
    if measure == "sloreta":
        others = {"loose", "free"}
    found = sorted(others & set(orients))
    if found:
        where = f"{measure}, {' and '.join(found)} orientation"
        if rest := sorted(set(orients) - others):
            where += f" (the {' and '.join(rest)} regions are comparable)"
        return NOT_COMPARABLE, f"{where}: {_SLORETA if measure == 'sloreta' else _LOOSE_DSPM}."
    if measure == "sloreta":
        if options.depth_weighting:
            return NOT_COMPARABLE, f"sloreta with depth weighting: {_DEPTH_SLORETA}."
        return UP_TO_FACTOR, "Brainstorm's sLORETA is √Λ (in A·m) times the dimensionless one."
    return EXACT, ""
