"""The loss report: what a conversion dropped, assumed or derived, on the object that it made."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from mne_bstinv._display import Displayed, html_table

__all__ = ["SEVERITIES", "ConversionReport", "Finding", "carry", "conversion_report"]

T = TypeVar("T")

#: Severities and the level they are logged at: lost, guessed, computed from something else.
SEVERITIES = {
    "dropped": logging.WARNING,
    "assumed": logging.WARNING,
    "derived": logging.INFO,
}

_ATTRIBUTE = "_bstinv_report"


@dataclass(frozen=True, repr=False)
class Finding(Displayed):
    """One thing that a conversion did not take over as it was.

    Parameters
    ----------
    severity : 'dropped' | 'assumed' | 'derived'
        Lost; guessed because nothing says so; computed from something else.
    field : str
        The field concerned, by the name its own toolbox gives it.
    reason : str
        What happened and why, in one sentence.
    """

    severity: str
    field: str
    reason: str

    def __str__(self) -> str:
        return f"{self.severity}: {self.field}: {self.reason}"

    def _summary(self) -> str:
        return f"{self.severity}: {self.field}"


@dataclass(frozen=True, eq=False)
class ConversionReport:
    """The findings of a conversion; empty when nothing was lost or guessed.

    Parameters
    ----------
    findings : tuple of Finding
        The findings, in the order they were made.
    kept : mapping of str to object
        What the other toolbox has no place for and the way back uses.
    """

    findings: tuple[Finding, ...] = ()
    kept: Mapping[str, Any] = field(default_factory=dict)

    def __deepcopy__(self, memo: object) -> ConversionReport:
        # a record that nobody changes: copies of MNE's objects would copy whole head models
        return self

    def __len__(self) -> int:
        return len(self.findings)

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.findings)

    def __bool__(self) -> bool:
        return bool(self.findings)

    def __repr__(self) -> str:
        counts = {s: sum(f.severity == s for f in self.findings) for s in SEVERITIES}
        found = ", ".join(f"{n} {s}" for s, n in counts.items() if n) or "nothing lost"
        return f"<ConversionReport | {found}>"

    def __str__(self) -> str:
        return "\n".join(map(str, self.findings)) or "nothing lost, assumed or derived"

    def _repr_html_(self) -> str:
        if not self.findings:
            return f"<p>{self}</p>"
        rows = [(f.severity, f.field, f.reason) for f in self.findings]
        return html_table(rows, head=("", "field", "reason"))

    def of(self, severity: str) -> tuple[Finding, ...]:
        """Return the findings of one severity.

        Parameters
        ----------
        severity : 'dropped' | 'assumed' | 'derived'
            The severity.

        Returns
        -------
        tuple of Finding
            Those findings.
        """
        return tuple(f for f in self.findings if f.severity == severity)


def conversion_report(converted: Any) -> ConversionReport:
    """Return what the conversion that made an object dropped, assumed or derived.

    Parameters
    ----------
    converted : object
        An object that a ``to_…`` or ``from_…`` function returned. Copies that MNE-Python makes
        of it may lose the report.

    Returns
    -------
    ConversionReport
        Its report; an empty one for any other object.
    """
    report = getattr(converted, _ATTRIBUTE, None)
    return report if isinstance(report, ConversionReport) else ConversionReport()


def carry(converted: T, report: ConversionReport) -> T:
    """Attach a report as it is: for a copy of what was converted by another call.

    Parameters
    ----------
    converted : object
        The copy.
    report : ConversionReport
        The report; nobody hears its findings again.

    Returns
    -------
    object
        The same copy.
    """
    object.__setattr__(converted, _ATTRIBUTE, report)
    return converted
