"""What a conversion finds while it runs, and how its report comes to the object that it returns."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any, TypeVar

from mne_bstinv._display import few
from mne_bstinv.conversion.hearing import let_hear
from mne_bstinv.conversion.report import (
    SEVERITIES,
    ConversionReport,
    Finding,
    carry,
    conversion_report,
)

__all__ = ["Findings", "attach_with_parts"]

logger = logging.getLogger("mne_bstinv")

T = TypeVar("T")


class Findings:
    """Collects the findings while a conversion runs."""

    def __init__(self) -> None:
        self._findings: dict[Finding, None] = {}
        self._kept: dict[str, Any] = {}
        self._names: dict[tuple[str, str, str], list[str]] = {}

    @property
    def report(self) -> ConversionReport:
        """The report of what was found so far."""
        return ConversionReport(tuple(self._findings), dict(self._kept))

    def dropped(self, field: str, reason: str) -> None:
        """Note that something was lost.

        Parameters
        ----------
        field : str
            The field concerned.
        reason : str
            Why, in one sentence.
        """
        self._findings[Finding("dropped", field, reason)] = None

    def assumed(self, field: str, reason: str) -> None:
        """Note that something was guessed.

        Parameters
        ----------
        field : str
            The field concerned.
        reason : str
            What and why, in one sentence.
        """
        self._findings[Finding("assumed", field, reason)] = None

    def derived(self, field: str, reason: str) -> None:
        """Note that something was computed from something else.

        Parameters
        ----------
        field : str
            The field concerned.
        reason : str
            From what, in one sentence.
        """
        self._findings[Finding("derived", field, reason)] = None

    def each(self, severity: str, field: str, reason: str, name: str) -> None:
        """Note the same of one more thing: one finding for all, which ends with their names.

        Parameters
        ----------
        severity : 'dropped' | 'assumed' | 'derived'
            The severity.
        field : str
            The field concerned.
        reason : str
            Why, in one sentence.
        name : str
            What it is noted of.
        """
        names = self._names.setdefault((severity, field, reason), [])
        before = Finding(severity, field, f"{reason}: {few(names)}")
        names.append(name)
        now = Finding(severity, field, f"{reason}: {few(names)}")
        found = [now if one == before else one for one in self._findings]
        self._findings = dict.fromkeys([*found, now])

    def keep(self, name: str, value: Any) -> None:
        """Keep something for the way back.

        Parameters
        ----------
        name : str
            Its name.
        value : object
            The thing.
        """
        self._kept[name] = value

    def include(self, report: ConversionReport) -> None:
        """Take over the findings of a conversion that was part of this one.

        Parameters
        ----------
        report : ConversionReport
            Its report; what it kept is taken over too.
        """
        self._findings.update(dict.fromkeys(report.findings))
        self._kept.update(report.kept)

    def attach(self, converted: T, *, what: str, log: bool = True) -> T:
        """Attach the report to the converted object and log it.

        Parameters
        ----------
        converted : object
            The object.
        what : str
            What was converted to what, for the log.
        log : bool
            Whether to log the findings.

        Returns
        -------
        object
            The same object.
        """
        self.tell(what=what, log=log)
        return carry(converted, self.report)

    def tell(self, *, what: str, log: bool = True) -> None:
        """Log the findings of a step that returns nothing, and let the calls above hear them.

        Parameters
        ----------
        what : str
            What was converted to what, for the log.
        log : bool
            Whether to log them.
        """
        let_hear(self._findings)
        if log:
            for finding in self._findings:
                logger.log(SEVERITIES[finding.severity], "%s: %s", what, finding)


def attach_with_parts(findings: Findings, converted: T, parts: Iterable[Any], *, what: str) -> T:
    """Attach a report that holds the findings of the parts too, each logged once.

    Parameters
    ----------
    findings : Findings
        The findings of this conversion.
    converted : object
        The object.
    parts : iterable of object
        Converted objects that went into it; their own conversions have logged their findings.
    what : str
        What was converted to what, for the log.

    Returns
    -------
    object
        The same object.
    """
    whole = Findings()
    for part in parts:
        whole.include(conversion_report(part))
    findings.tell(what=what)
    whole.include(findings.report)
    let_hear(whole.report)
    return carry(converted, whole.report)
