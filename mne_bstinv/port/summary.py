"""What a port did, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from mne_bstinv.conversion import Finding
from mne_bstinv.port.listing import left_lines, unasked_lines
from mne_bstinv.port.manifest import DONE, FAILED, PLANNED
from mne_bstinv.port.verdicts import (
    bad_outcomes,
    discrete_lines,
    error_lines,
    incomparable_lines,
    methodless_lines,
    operators_text,
    outcome_lines,
    stale_lines,
    units_text,
    verdict,
    verification_text,
)

__all__ = ["PortReport"]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class PortReport:
    """What a port did.

    Parameters
    ----------
    out : Path
        Folder of the output.
    units : tuple of mapping
        The manifests of what was asked for (anatomies, shared files, conditions), each with
        ``kept``: whether nothing had to be done.
    problems : tuple of str
        What could not be read or found in the protocol, one sentence each.
    unlisted : tuple of Path
        Folders of what was asked for that cannot be listed: nothing is known of what is in them.
    needed_bytes : int | None
        Of a dry run: what the continuous recordings to be converted need; else ``None``.
    """

    out: Path
    units: tuple[Mapping[str, Any], ...]
    problems: tuple[str, ...] = ()
    unlisted: tuple[Path, ...] = ()
    needed_bytes: int | None = None

    @property
    def done(self) -> tuple[Mapping[str, Any], ...]:
        """The units that were converted in this run."""
        return tuple(u for u in self.units if u["status"] == DONE and not u["kept"])

    @property
    def kept(self) -> tuple[Mapping[str, Any], ...]:
        """The units that were up to date."""
        return tuple(u for u in self.units if u["status"] != FAILED and u["kept"])

    @property
    def planned(self) -> tuple[Mapping[str, Any], ...]:
        """Of a dry run: the units that would be converted."""
        return tuple(u for u in self.units if u["status"] == PLANNED and not u["kept"])

    @property
    def failed(self) -> tuple[Mapping[str, Any], ...]:
        """The units with errors; run again, they are done again."""
        return tuple(u for u in self.units if u["status"] not in (DONE, PLANNED))

    @property
    def differing(self) -> tuple[Mapping[str, Any], ...]:
        """The outcomes of verified kernels that differ from the stored ones or failed."""
        return tuple(outcome for unit in self.units for outcome in bad_outcomes(unit))

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What the conversions of all units dropped, assumed or derived, each once."""
        reports = (unit.get("reports") or {} for unit in self.units)
        told = (one for report in reports for listed in report.values() for one in listed)
        return tuple(dict.fromkeys(Finding(**one) for one in told))

    @property
    def success(self) -> bool:
        """Whether nothing failed, no folder was left out, and no verified kernel differs."""
        return not (self.failed or self.unlisted or self.differing)

    def __repr__(self) -> str:
        return f"<PortReport | {self._counts()}, {self.out}>"

    def __str__(self) -> str:
        lines = []
        for unit in self.failed:
            lines += [f"{unit['title']}: {line}" for line in error_lines(unit["errors"])]
        lines += outcome_lines(self.differing)
        for unit in self.units:
            lines += [f"{unit['title']}: {line}" for line in stale_lines(unit)]
            lines += [f"{unit['title']}: {line}" for line in incomparable_lines(unit)]
            lines += [f"{unit['title']}: {line}" for line in methodless_lines(unit)]
        lines += [f"not converted: {line}" for line in left_lines(self.units)]
        lines += [f"problem: {problem}" for problem in self._other_problems()]
        for unit in self.units:
            lines += [f"problem: {unit['title']}: {line}" for line in unasked_lines(unit)]
        for unit in self.units:
            lines += [f"problem: {unit['title']}: {line}" for line in discrete_lines(unit)]
        if self.needed_bytes is not None:
            return "\n".join([*lines, *self._plan_lines()])
        lines += filter(None, (verification_text(self.units), operators_text(self.units)))
        return "\n".join([*lines, f"{self._counts()}; see {self.out / 'port.html'}"])

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{escape(u['title'])}</td><td>{escape(u['status'])}</td>"
            f"<td>{escape(verdict(u))}</td>"
            f"<td>{escape('; '.join([*error_lines(u['errors']), *discrete_lines(u)]))}</td></tr>"
            for u in self.units
        )
        return f"<table><tr><th></th><th>status</th><th>kernels</th><th></th></tr>{rows}</table>"

    def _other_problems(self) -> list[str]:
        """Return the problems but those of files whose errors are told."""
        told = tuple(
            f"{unit['protocol']}/{error['file']}:"
            for unit in self.failed
            for error in unit["errors"]
            if error["file"]
        )
        return [problem for problem in self.problems if not problem.startswith(told)]

    def _plan_lines(self) -> Iterator[str]:
        """Say what a dry run found, a line each."""
        for unit in self.units:
            if unit["status"] == PLANNED:
                does = "up to date" if unit["kept"] else "to convert"
                yield f"{does}: {unit['title']} → {unit['folder']} ({len(unit['inputs'])} files)"
        size = ""
        if self.needed_bytes:
            size = f"; continuous recordings: {self.needed_bytes / 1e9:.2f} GB"
        yield f"{self._counts()}{size}; nothing was written to {self.out}"

    def _counts(self) -> str:
        if self.needed_bytes is not None:
            planned, kinds = len(self.planned), units_text(self.planned)
            plural = "" if planned == 1 else "s"
            return (
                f"dry run: {planned} unit{plural} to convert{f' ({kinds})' if kinds else ''}, "
                f"{len(self.kept)} up to date, {len(self.failed)} that would fail"
            )
        done, plural = len(self.done), "" if len(self.done) == 1 else "s"
        kinds = f" ({units_text(self.done)})" if done else ""
        return (
            f"{done} unit{plural} converted{kinds}, {len(self.kept)} up to date, "
            f"{len(self.failed)} failed"
        )
