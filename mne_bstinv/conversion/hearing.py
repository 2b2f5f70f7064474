"""Who hears findings: every call above that is marked with :func:`converts` reports them too."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from mne_bstinv._arguments import checks_arguments
from mne_bstinv.conversion.report import ConversionReport, Finding, carry, conversion_report

__all__ = [
    "converts",
    "hearing",
    "is_conversion",
    "let_hear",
    "say_instead",
    "tell_again",
]

T = TypeVar("T")
P = ParamSpec("P")

#: What marks a function whose report holds the findings of all that it called.
_MARK = "_bstinv_converts"

#: What the calls that are running have heard, the outermost first.
_HEARD: ContextVar[tuple[dict[Finding, None], ...]] = ContextVar("heard", default=())


def let_hear(findings: Iterable[Finding]) -> None:
    """Let the calls that are running hear findings; what was heard before keeps its place."""
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
    let_hear(conversion_report(converted))
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
    let_hear([finding] if old else [])
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
