"""Reports of conversions that are made of other conversions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

from mne_bstinv.conversion import Findings, conversion_report

__all__ = ["attach_with_parts"]

T = TypeVar("T")


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
