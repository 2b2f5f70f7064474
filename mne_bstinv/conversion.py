"""What a conversion dropped, assumed or derived: the loss report.

Every conversion attaches a :class:`ConversionReport` to the object it returns;
:func:`conversion_report` gives it back. Findings are logged once, when the conversion ends, and are
heard by every call above that is marked with :func:`converts`: its own report holds them too.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from mne_bstinv._arguments import checks_arguments
from mne_bstinv._display import Displayed, few, html_table

__all__ = [
    "ConversionReport",
    "Finding",
    "Findings",
    "attach_with_parts",
    "carry",
    "conversion_report",
    "converts",
    "hearing",
    "is_conversion",
    "say_instead",
    "tell_again",
]

logger = logging.getLogger("mne_bstinv")

T = TypeVar("T")
P = ParamSpec("P")

#: Severities and the level they are logged at: lost, guessed, computed from something else.
SEVERITIES = {
    "dropped": logging.WARNING,
    "assumed": logging.WARNING,
    "derived": logging.INFO,
}

_ATTRIBUTE = "_bstinv_report"
#: What marks a function whose report holds the findings of all that it called.
_MARK = "_bstinv_converts"


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

    def take(self, findings: Findings) -> None:
        """Take over what another collected so far.

        Parameters
        ----------
        findings : Findings
            The other.
        """
        self._findings.update(findings._findings)
        self._kept.update(findings._kept)

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
        _heard(self._findings)
        if log:
            for finding in self._findings:
                logger.log(SEVERITIES[finding.severity], "%s: %s", what, finding)


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


#: What the calls that are running have heard, the outermost first.
_HEARD: ContextVar[tuple[dict[Finding, None], ...]] = ContextVar("heard", default=())


def _heard(findings: Iterable[Finding]) -> None:
    for heard in _HEARD.get():
        heard.update(dict.fromkeys(findings))


def tell_again(converted: T) -> T:
    """Let the calls above hear the findings of an object that was converted before.

    Parameters
    ----------
    converted : object
        An object that was kept since.

    Returns
    -------
    object
        The same object.
    """
    _heard(conversion_report(converted))
    return converted


def say_instead(converted: T, finding: Finding) -> T:
    """Replace what a report says of a field, and what the calls above have heard of it.

    Parameters
    ----------
    converted : object
        The object, whose report has a finding on that field.
    finding : Finding
        What to say instead.

    Returns
    -------
    object
        The same object.
    """
    report = conversion_report(converted)
    old = [one for one in report if one.field == finding.field]
    for heard in _HEARD.get():
        for one in old:
            heard.pop(one, None)
    _heard([finding] if old else [])
    findings = dict.fromkeys(finding if one in old else one for one in report)
    return carry(converted, ConversionReport(tuple(findings), report.kept))


@contextmanager
def hearing() -> Iterator[dict[Finding, None]]:
    """Hear the findings of all conversions that run inside.

    Yields
    ------
    dict of Finding to None
        The findings, in the order they were made.
    """
    heard: dict[Finding, None] = {}
    token = _HEARD.set((*_HEARD.get(), heard))
    try:
        yield heard
    finally:
        _HEARD.reset(token)


def converts(function: Callable[P, T]) -> Callable[P, T]:
    """Let the report of what a function returns hold the findings of all that it called.

    Arguments that are declared as structures or as objects of MNE are checked before.

    Parameters
    ----------
    function : callable
        A conversion.

    Returns
    -------
    callable
        The same conversion. Findings that its own report lacks come first in it; of a list they
        are in the report of each element.
    """
    checked = checks_arguments(function)

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        with hearing() as heard:
            converted = checked(*args, **kwargs)
        carriers: Any = converted if type(converted) is list else [converted]
        for carrier in carriers:
            report = conversion_report(carrier)
            if carrier is not None and not heard.keys() <= set(report.findings):
                whole = tuple(dict.fromkeys([*heard, *report.findings]))
                carry(carrier, ConversionReport(whole, report.kept))
        return converted

    setattr(call, _MARK, True)
    return call


def is_conversion(function: Any) -> bool:
    """Tell whether a function is marked with :func:`converts`.

    Parameters
    ----------
    function : callable
        Any function.

    Returns
    -------
    bool
        Whether it is.
    """
    return getattr(function, _MARK, False)


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
    whole.include(conversion_report(findings.attach(converted, what=what)))
    return whole.attach(converted, what=what, log=False)
