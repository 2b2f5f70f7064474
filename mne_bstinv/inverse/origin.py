"""What made a results file: the inverse of which year, or something else.

A file says so in three places, none of which is complete: ``Function`` (what the values are),
``Options`` (how they were computed) and ``Comment`` (which ends in the year since 2016, until
somebody renames it).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mne_bstinv._display import Displayed
from mne_bstinv.errors import OptionError
from mne_bstinv.inverse.option_values import unwrapped
from mne_bstinv.inverse.options import (
    FUNCTIONS,
    MEASURES,
    AnyOptions,
    InverseOptions,
    InverseOptions2016,
    options_class,
)
from mne_bstinv.inverse.options_2009 import METHODS_2009, InverseOptions2009
from mne_bstinv.inverse.structures import ResultsLike

__all__ = ["LINEAR_INVERSE", "Origin", "origin_of", "origin_of_results"]

#: The kind of what Brainstorm's linear inverse of some year computed.
LINEAR_INVERSE = "linear inverse"

_CLASSES: dict[int, type[AnyOptions]] = {
    2009: InverseOptions2009,
    2016: InverseOptions2016,
    2018: InverseOptions,
}

#: What else is known to make results files: pattern of its Function or method → kind, description.
_FOREIGN = (
    (r"[a-z]{0,2}mem([^a-z].*)?", "mem", "maximum entropy on the mean (BEst)"),
    (r"dip(ole)?s?\b.*|dipole.*", "dipoles", "dipoles shown as a map"),
    (r"simulat.*", "simulation", "sources of simulated recordings"),
    (r"(mne[-_ ]?python|mne).*", "mne-python", "MNE-Python"),
)
_YEAR = re.compile(r"(?<!\d)(2016|2018)(?!\d)")


@dataclass(frozen=True, kw_only=True, repr=False)
class Origin(Displayed):
    """What made a results file.

    Parameters
    ----------
    kind : str
        ``'linear inverse'``; else what it is: ``'mem'``, ``'dipoles'``, ``'simulation'``,
        ``'mne-python'``, ``'processed'``, ``'imported'``, ``'unknown'`` where the file contradicts
        itself, or the name that it gives itself.
    years : tuple of int
        The years whose inverse it may be of, the likeliest first: 2009, 2016, 2018.
    reason : str
        What it was recognised by.
    """

    kind: str
    years: tuple[int, ...] = ()
    reason: str = ""

    @property
    def year(self) -> int | None:
        """The likeliest year; None for what no linear inverse computed."""
        return self.years[0] if self.years else None

    @property
    def title(self) -> str:
        """In a few words: ``'linear inverse of 2018'``, ``'mem'``."""
        years = " or ".join(map(str, self.years))
        return f"{self.kind} of {years}" if years else self.kind

    def options(self, options: Mapping[str, Any], year: int | None = None) -> AnyOptions:
        """Read the options of the file.

        Parameters
        ----------
        options : mapping
            Its Options struct.
        year : int | None
            One of ``years``; None takes the likeliest.

        Returns
        -------
        InverseOptions | InverseOptions2009 | InverseOptions2016
            The options of that year.

        Raises
        ------
        OptionError
            If a value is unknown or out of range, or no inverse computed the file.
        """
        if not self.years:
            raise OptionError(f"Results of {self.kind} have no options of an inverse.")
        return _CLASSES[year or self.years[0]].from_brainstorm(options)

    def _summary(self) -> str:
        return f"{self.title}: {self.reason}"


def origin_of(
    function: str | None,
    options: Mapping[str, Any] | None,
    comment: str = "",
    *,
    has_singular_values: bool | None = None,
) -> Origin:
    """Recognise what made a results file.

    Parameters
    ----------
    function : str | None
        Its ``Function``.
    options : mapping | None
        Its ``Options``.
    comment : str
        Its ``Comment``.
    has_singular_values : bool | None
        Whether it holds ``SourceDecompSa``; None where that is not known. It tells minimum norms
        of 2016, which have them, from those of 2018.

    Returns
    -------
    Origin
        Kind and year.
    """
    given = options if isinstance(options, Mapping) else {}
    method, measure = _text(given.get("InverseMethod")), _text(given.get("InverseMeasure"))
    name = _text(function)
    if method not in MEASURES and method not in METHODS_2009:
        return _foreign(name, method, given, comment)
    if name and name not in {*FUNCTIONS.values(), *METHODS_2009}:
        known = _known("Function", name)
        processed = f"Function {name!r} is not that of InverseMethod {method!r}"
        return known or Origin(kind="processed", reason=f"{processed}: processed afterwards")
    of_2009 = options_class(given) is InverseOptions2009
    if name and name not in _functions(method, of_2009):
        return Origin(
            kind="unknown",
            reason=f"Function {name!r} and InverseMethod {method!r} contradict each other",
        )
    if of_2009:
        return Origin(kind=LINEAR_INVERSE, years=(2009,), reason=f"InverseMethod {method!r}")
    return _since_2016(name, method, measure, comment, has_singular_values)


def origin_of_results(results: ResultsLike) -> Origin:
    """Recognise what made results.

    Parameters
    ----------
    results : Results
        The results.

    Returns
    -------
    Origin
        Kind and year.
    """
    return origin_of(
        results.function,
        results.options,
        results.comment,
        has_singular_values=results.source_decomp_sa is not None,
    )


def _functions(method: str, of_2009: bool) -> set[str]:
    """Functions that results of a method have."""
    return {method} if of_2009 else {f for (of, _), f in FUNCTIONS.items() if of == method}


def _text(value: Any) -> str:
    plain = unwrapped(value)
    return plain.strip().lower() if isinstance(plain, str) else ""


def _since_2016(
    function: str, method: str, measure: str, comment: str, has_singular_values: bool | None
) -> Origin:
    """Tell the inverses of 2016 and 2018 apart, whose options have the same names."""

    def of(reason: str, *years: int) -> Origin:
        return Origin(kind=LINEAR_INVERSE, years=years, reason=reason)

    if "dspm" in (measure, function):
        return of("the measure 'dspm'", 2016)
    for known in ("dspm2018", "nai"):
        if known in (measure, function):
            return of(f"the measure {known!r}", 2018)
    found = _YEAR.findall(comment)
    if found:
        return of(f"the year in Comment {comment!r}", int(found[-1]))
    if method == "minnorm" and has_singular_values is not None:
        if has_singular_values:
            return of("SourceDecompSa of a minimum norm", 2016)
        return of("no SourceDecompSa of a minimum norm", 2018)
    likely = (2016, 2018) if method == "lcmv" else (2018, 2016)
    return of("nothing that says the year", *likely)


def _known(field: str, name: str) -> Origin | None:
    """Name what is known to make results files, by a pattern of its name."""
    for pattern, kind, described in _FOREIGN:
        if re.fullmatch(pattern, name):
            return Origin(kind=kind, reason=f"{field} {name!r}: {described}")
    return None


def _foreign(function: str, method: str, options: Mapping[str, Any], comment: str) -> Origin:
    """Name what no linear inverse of Brainstorm computed."""
    if any(str(field).lower().startswith("mem") for field in options):
        return Origin(kind="mem", reason="options of maximum entropy on the mean (BEst)")
    known = _known("Function", function) or _known("InverseMethod", method)
    if known is not None:
        return known
    for field, name in (("Function", function), ("InverseMethod", method)):
        if name and name not in {*FUNCTIONS.values(), *METHODS_2009}:
            return Origin(kind=name, reason=f"{field} {name!r} is none of Brainstorm's")
    if re.match(r"\W*[a-z]{0,2}mem\b", comment.strip().lower()):
        return Origin(kind="mem", reason=f"Comment {comment!r}")
    if function:
        return Origin(
            kind="imported", reason=f"Function {function!r}, without options of how it was computed"
        )
    return Origin(kind="imported", reason="neither Function nor Options say what made it")
