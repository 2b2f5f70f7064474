"""What a cross-validation returns, and its verdict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from mne_bstinv._data_types import upper_types
from mne_bstinv._display import finite, html_table
from mne_bstinv._types import FloatArray
from mne_bstinv._verdicts import RTOL
from mne_bstinv._versions import versions
from mne_bstinv.adapters.equivalence import MneEquivalent, MneSettings, Study
from mne_bstinv.adapters.operators import EXACT, NOT_COMPARABLE
from mne_bstinv.compare import Comparison
from mne_bstinv.compare.rounding import RoundingBound
from mne_bstinv.conversion import ConversionReport
from mne_bstinv.cross_validation.attribution import Attribution
from mne_bstinv.cross_validation.engine import EngineKernel
from mne_bstinv.cross_validation.numbers import power, share
from mne_bstinv.cross_validation.scouts import ScoutComparison, compare_scouts
from mne_bstinv.cross_validation.settings_table import SETTINGS_HEADS, settings_rows
from mne_bstinv.cross_validation.text import (
    attribution_heads,
    attribution_legend,
    attribution_rows,
    factor_text,
    fit,
    rounding_text,
    scout_lines,
    scout_values,
    step_values,
    table,
    wrapped,
)
from mne_bstinv.inverse import InverseResult
from mne_bstinv.inverse.options import AnyOptions

__all__ = ["CrossValidation"]


#: The year of the inverse that needs no mention.
_NEWEST = 2018


@dataclass(frozen=True, kw_only=True, eq=False)
class CrossValidation:
    """Brainstorm's kernel and MNE's of one study, told the same and as MNE is set.

    Parameters
    ----------
    study : StudyData | SampleStudy
        The structures.
    name : str
        Name of the study.
    data_types : tuple of str
        Types of the channels asked for.
    options : InverseOptions | InverseOptions2009 | InverseOptions2016
        Brainstorm's options.
    settings : MneSettings
        MNE's settings.
    equivalent : MneEquivalent
        What makes MNE compute Brainstorm's kernel.
    result : InverseResult
        Brainstorm's kernel with its intermediates.
    brainstorm, mne : array, shape (n_sources, p, n_channels)
        Both kernels as they are compared: x, y, z in SCS or one row along the normal; sLORETA
        dimensionless (Brainstorm's divided by √Λ).
    along_normals : bool
        Whether the sides differ in components and only the normal ones are compared.
    ends : (EngineKernel, EngineKernel)
        The path's first and last kernel, with singular values, μ and depth weights.
    twin_difference, public_difference : float | None
        Relative difference to Brainstorm's kernel of MNE's told the same: with the operator built
        directly, and with the public call (``None`` where there is none).
    attribution : Attribution
        Which convention makes which part of the difference.
    before, after : Comparison
        MNE's kernel as set (``settings``), and told the same, against Brainstorm's.
    reports : mapping of str to ConversionReport
        What the conversions dropped, assumed or derived.
    data : array, shape (n_channels, n_times) | None
        The recordings, of the kernels' channels.
    times : array, shape (n_times,) | None
        Times in s.
    averages : float
        Leff of the recordings: MNE multiplies dSPM and sLORETA by √nave; Brainstorm's kernels know
        no averages since 2018, and before are of ``result.noise_averages``.
    bounds : (RoundingBound, RoundingBound)
        How far rounding can move Brainstorm's kernel and MNE's as set, step by step.
    rtol : float
        Relative difference that counts as equal in any case.
    notes : tuple of str
        What else the reader has to know: which recordings, which channels.
    """

    study: Study
    name: str
    data_types: tuple[str, ...]
    options: AnyOptions
    settings: MneSettings
    equivalent: MneEquivalent
    result: InverseResult
    brainstorm: FloatArray
    mne: FloatArray
    along_normals: bool
    ends: tuple[EngineKernel, EngineKernel]
    twin_difference: float
    public_difference: float | None
    attribution: Attribution
    before: Comparison
    after: Comparison
    reports: Mapping[str, ConversionReport]
    data: FloatArray | None
    times: FloatArray | None
    averages: float
    bounds: tuple[RoundingBound, RoundingBound]
    rtol: float = RTOL
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return (
            f"<CrossValidation | {self.name}, {self.title}: {self.equivalent.parity}, "
            f"{100 * self.attribution.total:.3g} % apart as set>"
        )

    def __str__(self) -> str:
        path = self.attribution
        lines = [
            self.verdict,
            "",
            "Settings, side by side",
            *table([SETTINGS_HEADS, *settings_rows(self)]),
            "",
            "Attribution, from Brainstorm's settings to MNE's (relative to "
            f"{path.relative_to}'s kernel)",
            *table([attribution_heads(path), *attribution_rows(path)]),
            *wrapped(attribution_legend(path)),
            f"remainder: {path.remainder_start:.1e} at Brainstorm's end and "
            f"{path.remainder_end:.1e} at MNE's, together {path.remainder:.1e}",
            *wrapped(rounding_text(self.bounds)),
            "",
            "MNE as set against Brainstorm",
            str(self.before),
            "",
            "MNE told the same against Brainstorm",
            str(self.after),
            "",
            "Scouts",
            *scout_lines(self.scouts),
        ]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        settings = html_table(settings_rows(self), head=SETTINGS_HEADS, title=self.verdict)
        # a number stays on one line with its unit
        rows = [
            (label, *(cell.replace(" ", "\u00a0") for cell in cells))
            for label, *cells in attribution_rows(self.attribution)
        ]
        return settings + html_table(rows, head=attribution_heads(self.attribution))

    @property
    def title(self) -> str:
        """The kernel in a few words, with the year of its inverse if it is not 2018."""
        orient, year = self.result.regions[0].orient, self.options.year
        of_year = "" if year == _NEWEST else f" {year}"
        return f"{self.settings.method} {orient} {'+'.join(self.data_types)}{of_year}"

    @property
    def factor(self) -> float:
        """What Brainstorm's estimate is divided by before it is compared: for sLORETA √Λ in A·m."""
        return float(self.equivalent.factor)  # of one kernel: scans, with one a row, have none

    @property
    def equal(self) -> bool | None:
        """Whether MNE told the same gives Brainstorm's kernel; ``None`` if not comparable."""
        if self.equivalent.parity == NOT_COMPARABLE:
            return None
        return self.twin_difference <= self.bound

    @property
    def rounding(self) -> float:
        """Relative difference that rounding allows two computations of Brainstorm's kernel."""
        return self.bounds[0].total

    @property
    def bound(self) -> float:
        """Largest relative difference of equal kernels: ``rtol``, or what rounding allows."""
        return max(self.rtol, self.rounding)

    @property
    def remainder_bound(self) -> float:
        """Largest remainder that leaves nothing unexplained: ``rtol``, or both ends' rounding."""
        return max(self.rtol, sum(bound.total for bound in self.bounds))

    @property
    def explained(self) -> bool:
        """Whether the conventions explain the whole difference."""
        return self.attribution.remainder <= self.remainder_bound

    @property
    def passed(self) -> bool:
        """Whether nothing speaks against the two toolboxes agreeing: equal and explained."""
        return self.equal is not False and self.explained

    @cached_property
    def estimates(self) -> tuple[FloatArray, FloatArray] | None:
        """Both estimates (n_sources, p, n_times) of the recordings, Brainstorm's first."""
        return None if self.data is None else (self.brainstorm @ self.data, self.mne @ self.data)

    @cached_property
    def scouts(self) -> ScoutComparison | str:
        """The scouts of the cortex's current atlas under both toolboxes, or why there are none."""
        return compare_scouts(self.study, self.estimates, self.times)

    @property
    def verdict(self) -> str:
        """Short sentences: told the same, by which factor, as set, the causes, and what is left."""
        path = self.attribution
        bound = f"(bound {power(self.remainder_bound)})"
        if self.remainder_bound >= 1:
            bound = "(rounding decides a kernel that divides by noise below the rounding)"
        rest = (
            f"Unexplained: nothing above {self._number(path.remainder)} {bound}"
            if self.explained
            else f"UNEXPLAINED: {power(path.remainder, 1)} {bound}"
        )
        told, factor = f"Told the same: {self._told_the_same()}", factor_text(self.factor)
        parts = (self.title, told, *factor, *self._as_set(), rest)
        return " ".join(f"{part}." for part in parts)

    def _told_the_same(self) -> str:
        parity, number = self.equivalent.parity, self.twin_difference
        if parity == NOT_COMPARABLE:
            return f"not comparable ({self.equivalent.reason.rstrip('.')})"
        found = (
            f"{self._number(number)} apart with the operator that mne-bstinv builds, "
            f"bound {power(self.bound)}"
        )
        for rank in self.bounds[0].undecided:
            found += f"; rounding decides the rank of {rank}"
        if not self.equal:
            return f"NOT equal ({found})"
        kind = "equal" if parity == EXACT else parity
        within = "" if number <= self.rtol else " within rounding"
        return f"{kind}{within} ({found}; {self._public()})"

    def _public(self) -> str:
        """Say how near MNE's public function comes, and what it rounds."""
        if self.public_difference is None:
            return "MNE's make_inverse_operator cannot be told the same"
        found = f"{power(self.public_difference)} with MNE's make_inverse_operator"
        if self.public_difference <= self.bound:
            return found
        if self.result.regions[0].orient == "fixed":
            return f"{found}, which rounds gains of fixed orientation to single precision"
        if {"MEG GRAD", "MEG MAG"} <= set(upper_types(self.result.channel_types)):
            return f"{found}, which decomposes the noise of all MEG sensors at once"
        return found

    def _number(self, value: float) -> str:
        """Write a relative difference; one digit is enough of what needs no bound."""
        return power(value, 0 if value <= self.rtol else 1)

    def _as_set(self) -> list[str]:
        path = self.attribution
        apart = f"{share(path.total)} apart"
        if path.relative_to == "MNE":
            apart = f"MNE's kernel is {path.size_ratio:.3g} times as large as Brainstorm's"
        said, main = [f"As set here: {apart}"], path.main[:2]
        if path.total > self.bound and main:
            listed = " and ".join(f"“{s.convention.label}”" for s in main)
            order = f"averaged over {path.orders}" if path.averaged else "alone, mean of both ends"
            said.append(f"Main causes ({order}): {listed}")
        return said

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain values, for JSON.

        Returns
        -------
        dict
            Verdict, settings, differences, attribution, comparisons, reports and versions.
        """
        equivalent, path = self.equivalent, self.attribution
        return {
            "study": self.name,
            "title": self.title,
            "year": self.options.year,
            "verdict": self.verdict,
            "passed": self.passed,
            "parity": equivalent.parity,
            "reason": equivalent.reason,
            "factor": self.factor,
            "lambda2": equivalent.lambda2,
            "no_public_call": equivalent.no_public_call,
            "difference_told_the_same": finite(self.twin_difference),
            "difference_told_the_same_public_call": finite(self.public_difference),
            "difference_as_set": finite(path.total),
            "difference_relative_to": path.relative_to,
            "size_ratio": finite(path.size_ratio),
            "remainder": finite(path.remainder),
            "rtol": self.rtol,
            "bound_told_the_same": finite(self.bound),
            "bound_remainder": finite(self.remainder_bound),
            "rounding": {
                side: bound.to_dict()
                for side, bound in zip(("brainstorm", "mne"), self.bounds, strict=True)
            },
            "not_separable": list(path.notes),
            "notes": list(self.notes),
            "settings": [
                dict(zip(("setting", "brainstorm", "mne", "mne_told_the_same"), row, strict=True))
                for row in settings_rows(self)
            ],
            "attribution": [step_values(step) for step in path],
            "metrics_as_set": self.before.to_dict(),
            "metrics_told_the_same": self.after.to_dict(),
            "reports": {
                what: [asdict(finding) for finding in report]
                for what, report in self.reports.items()
            },
            "sensor_fit": fit(self.before),
            "scouts": scout_values(self.scouts),
            "versions": versions(),
        }
