"""What manifests say in words: errors, verified kernels, operators, sources without a cortex."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from mne_bstinv._verdicts import NOT_COMPARABLE
from mne_bstinv.port.names import ENDINGS
from mne_bstinv.port.plan import ANATOMY

__all__ = [
    "bad_outcomes",
    "discrete_lines",
    "error_lines",
    "incomparable_lines",
    "methodless_lines",
    "operators_text",
    "outcome_lines",
    "stale_lines",
    "units_text",
    "verdict",
    "verification_text",
    "why_not_comparable",
]

#: Why an operator is not comparable that was made of other files than the stored kernel.
NOT_THE_STORED_KERNEL = "not the stored kernel"

_KINDS = {
    "anatomy": ("anatomy", "anatomies"),
    "shared": ("folder of shared files", "folders of shared files"),
    "condition": ("condition", "conditions"),
}


def units_text(units: Iterable[Mapping[str, Any]]) -> str:
    """Count units by their kind, such as ``'1 anatomy, 2 conditions'``."""
    counts = Counter(unit["kind"] for unit in units)
    return ", ".join(
        f"{counts[kind]} {names[counts[kind] > 1]}"
        for kind, names in _KINDS.items()
        if counts[kind]
    )


def verdict(unit: Mapping[str, Any]) -> str:
    """Say in a few words how the stored kernels of a unit compare with what was made anew.

    Such as ``'4 equal; largest relative difference 5.1e-14'`` for the recomputed kernels, and
    how many operators give the stored ones; empty for an anatomy.
    """
    if unit.get("kind") == ANATOMY:
        return ""
    outcomes = unit.get("verification")
    said = "not verified" if outcomes is None else _outcomes_text(outcomes) or "no kernel"
    operators = operators_text([unit])
    return f"{said}; {operators}" if operators else said


def verification_text(units: Iterable[Mapping[str, Any]]) -> str:
    """Say how the verified kernels of all units compare with the stored ones.

    Such as ``'5 kernels verified: 4 equal, 1 not comparable; largest relative difference
    3.0e-14'``; empty where nothing was verified.
    """
    found = [unit["verification"] for unit in units if unit.get("verification") is not None]
    outcomes = [outcome for verified in found for outcome in verified]
    if not outcomes:
        return "no kernel to verify" if found else ""
    plural = "s" if len(outcomes) > 1 else ""
    return f"{len(outcomes)} kernel{plural} verified: {_outcomes_text(outcomes)}"


def _outcomes_text(outcomes: Iterable[Mapping[str, Any]]) -> str:
    outcomes = list(outcomes)
    counts = Counter(outcome["status"] for outcome in outcomes)
    listed = ", ".join(f"{count} {status}" for status, count in counts.most_common())
    differences = [outcome["relative_difference"] for outcome in outcomes]
    numbers = [number for number in differences if number is not None]
    return listed + (f"; largest relative difference {max(numbers):.1e}" if numbers else "")


def operators_text(units: Iterable[Mapping[str, Any]]) -> str:
    """Say how many of the operators give the stored kernels, and what the others are.

    Such as ``'3 of 5 operators give the stored kernels (largest relative difference 1.6e-14,
    before writing in single precision); 2 have no MNE method (their estimates are written)'``;
    empty where there is no operator.
    """
    units = list(units)
    operators = [output for unit in units for output in _operators(unit).values()]
    if not operators:
        return ""
    stale = [output["kernel_difference"] for output in operators if _is_stale(output)]
    n_methodless = sum(why_not_comparable(output) != "" for output in operators) - len(stale)
    same = [
        output["kernel_difference"]
        for output in operators
        if why_not_comparable(output) == "" and output["kernel_difference"] is not None
    ]
    plural = "s give" if len(operators) > 1 else " gives"
    parts = [f"{len(same)} of {len(operators)} operator{plural} the stored kernels"]
    if same:
        largest = f"{max(same):.1e}"
        parts[0] += f" (largest relative difference {largest}, before writing in single precision)"
    if n_methodless:
        written = all(
            (u.get("settings") or {}).get("estimates") in ("all", "averages") for u in units
        )
        note = " (their estimates are written)" if written else ""
        parts.append(f"{n_methodless} {_have(n_methodless)} no MNE method{note}")
    if stale:
        differ = "differs, by" if len(stale) == 1 else "differ, by up to"
        parts.append(f"{len(stale)} {differ} {max(stale):.1e}")
    if rest := len(operators) - len(same) - n_methodless - len(stale):
        parts.append(f"{rest} {_have(rest)} no stored kernel to compare with")
    return "; ".join(parts)


def _have(count: int) -> str:
    return "has" if count == 1 else "have"


def why_not_comparable(output: Mapping[str, Any]) -> str:
    """Say why MNE does not give the estimate of an operator: ``'sloreta, free orientation'``."""
    parameters = output["parameters"]
    if parameters["parity"] != NOT_COMPARABLE:
        return ""
    if _is_stale(output):
        return NOT_THE_STORED_KERNEL
    return str(parameters["reason"]).split(":")[0]


def methodless_lines(unit: Mapping[str, Any]) -> list[str]:
    """Say which operators have no method in MNE that gives the stored estimate, a line a reason."""
    groups: dict[str, list[str]] = {}
    for name, output in _operators(unit).items():
        reason = why_not_comparable(output)
        if reason and not _is_stale(output):
            groups.setdefault(reason, []).append(name)
    return [
        f"{', '.join(names)}: not comparable, MNE has no method for {reason}"
        for reason, names in groups.items()
    ]


def incomparable_lines(unit: Mapping[str, Any]) -> list[str]:
    """Say which stored kernels could not be compared with recomputed ones, and why."""
    outcomes = unit.get("verification") or ()
    return outcome_lines(o for o in outcomes if o["status"] == NOT_COMPARABLE)


def stale_lines(unit: Mapping[str, Any]) -> list[str]:
    """Say in one line which operators are not those of the kernels that are stored."""
    stale = {name: output for name, output in _operators(unit).items() if _is_stale(output)}
    if not stale:
        return []
    first, output = next(iter(stale.items()))
    more = f" (so do {len(stale) - 1} more)" if len(stale) > 1 else ""
    return [f"{first}: {output['parameters']['reason']}{more}"]


def _operators(unit: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    outputs = (unit.get("outputs") or {}).items()
    return {name: output for name, output in outputs if output and "parameters" in output}


def _is_stale(output: Mapping[str, Any]) -> bool:
    """Tell whether an operator was compared with the stored kernel and is another."""
    difference, parity = output["kernel_difference"], output["parameters"]["parity"]
    return difference is not None and parity == NOT_COMPARABLE


def discrete_lines(unit: Mapping[str, Any]) -> list[str]:
    """Say which sources on a cortex became discrete, for want of its file, one line each."""
    return [
        f"{name}: there is no file of the cortex, so sources become discrete: without hemispheres, "
        "estimates in -vl.stc instead of -lh.stc and -rh.stc. Restore the file and run again"
        for name in _without_surface(unit)
    ]


def _without_surface(unit: Mapping[str, Any]) -> Iterator[str]:
    for name, findings in (unit.get("reports") or {}).items():
        dropped = {f["field"] for f in findings if f["severity"] == "dropped"}
        if name.endswith(ENDINGS["source spaces"]) and "SurfaceFile" in dropped:
            yield name


def error_lines(errors: Iterable[Mapping[str, str]]) -> list[str]:
    """Say what went wrong, one line a reason: the first with it, and how many others of what."""
    groups: dict[str, list[Mapping[str, str]]] = {}
    for error in errors:
        groups.setdefault(error["reason"], []).append(error)
    return [
        f"{' '.join(filter(None, (first['what'], first['file'])))}: {reason}"
        f"{_same(error['what'] for error in others)}"
        for reason, (first, *others) in groups.items()
    ]


def outcome_lines(outcomes: Iterable[Mapping[str, Any]]) -> list[str]:
    """Say which stored kernels differ or cannot be compared, one line a status and reason."""
    groups: dict[str, list[str]] = {}
    for outcome in outcomes:
        said = f"{outcome['status']}: {outcome['reason']}"
        groups.setdefault(said, []).append(outcome["file"])
    more = {said: f" (the same for {len(files) - 1} more)" for said, files in groups.items()}
    return [
        f"{files[0]}: {said}{more[said] if len(files) > 1 else ''}"
        for said, files in groups.items()
    ]


def _same(others: Iterable[str]) -> str:
    counts = Counter(others)
    listed = ", ".join(f"{count} × {what}" for what, count in counts.items())
    return f" (the same for {counts.total()} more: {listed})" if counts else ""


def bad_outcomes(unit: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the outcomes of verified kernels that differ from the stored ones or failed."""
    outcomes = unit.get("verification") or ()
    return [outcome for outcome in outcomes if outcome["status"] in ("differs", "error")]
