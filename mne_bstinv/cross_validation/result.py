"""What a cross-validation returns, and its verdict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mne_bstinv._types import FloatArray
from mne_bstinv.adapters.equivalence import MneEquivalent, MneSettings, Study
from mne_bstinv.adapters.operators import EXACT, NOT_COMPARABLE
from mne_bstinv.compare import Comparison
from mne_bstinv.conversion import ConversionReport
from mne_bstinv.cross_validation.attribution import Attribution
from mne_bstinv.cross_validation.engine import EngineKernel
from mne_bstinv.inverse import InverseOptions, InverseResult

__all__ = ["CrossValidation"]


#: Largest relative difference that counts as equal, and largest remainder of an attribution.
RTOL = 1e-9


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
    options : InverseOptions
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
    estimates : (array, array) | None
        Both estimates (n_sources, p, n_times) of the recordings.
    times : array, shape (n_times,) | None
        Times in s.
    averages : float
        Leff of the recordings: Brainstorm's dSPM maps are multiplied by √Leff, MNE's dSPM and
        sLORETA with ``nave`` set by √nave.
    """

    study: Study
    name: str
    data_types: tuple[str, ...]
    options: InverseOptions
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
    estimates: tuple[FloatArray, FloatArray] | None
    times: FloatArray | None
    averages: float

    def __repr__(self) -> str:
        return (
            f"<CrossValidation | {self.name}, {self.title}: {self.equivalent.parity}, "
            f"{100 * self.attribution.total:.3g} % apart as set>"
        )

    def __str__(self) -> str:
        from mne_bstinv.cross_validation.text import as_text

        return as_text(self)

    def _repr_html_(self) -> str:
        from mne_bstinv.cross_validation.text import as_html

        return as_html(self)

    @property
    def title(self) -> str:
        """The kernel in a few words."""
        orient = self.result.regions[0].orient
        return f"{self.settings.method} {orient} {'+'.join(self.data_types)}"

    @property
    def equal(self) -> bool | None:
        """Whether MNE told the same gives Brainstorm's kernel; ``None`` if not comparable."""
        if self.equivalent.parity == NOT_COMPARABLE:
            return None
        return self.twin_difference <= max(RTOL, self.rounding)

    @property
    def rounding(self) -> float:
        """Relative error that double precision allows: the condition of L L' + μ I times 2^-52."""
        start = self.ends[0]
        condition = 1 + float(start.singular_values[0]) ** 2 / start.mu
        return condition * float(np.finfo(np.float64).eps)

    @property
    def explained(self) -> bool:
        """Whether the conventions explain the whole difference."""
        return self.attribution.remainder <= max(RTOL, self.rounding)

    @property
    def passed(self) -> bool:
        """Whether nothing speaks against the two toolboxes agreeing: equal and explained."""
        return self.equal is not False and self.explained

    @property
    def verdict(self) -> str:
        """One sentence."""
        parity, path = self.equivalent.parity, self.attribution
        if parity == NOT_COMPARABLE:
            same = f"not comparable even when told the same ({self.equivalent.reason.rstrip('.')})"
        elif self.equal:
            kind = "the same kernel" if parity == EXACT else f"the same kernel {_up_to(parity)}"
            rounding = "" if self.rounding <= RTOL else f", rounding allows {self.rounding:.0e}"
            same = (
                f"told the same, both toolboxes compute {kind} "
                f"({self.twin_difference:.0e}{rounding})"
            )
        else:
            same = (
                "told the same, the toolboxes do NOT compute the same kernel (relative difference "
                f"{self.twin_difference:.2e})"
            )
        apart = f"as set here they differ by {_percent(path.total)}"
        main = sorted(path.active, key=lambda step: -step.weight)[:2]
        if path.total > RTOL and main:
            listed = " and ".join(f"“{s.convention.label}”" for s in main)
            order = "averaged over all orders" if path.averaged else "alone, mean of both ends"
            apart += f", most of it ({order}) from {listed}"
        rest = (
            f"nothing above {path.remainder:.0e} is left unexplained"
            if self.explained
            else f"{path.remainder:.1e} is left UNEXPLAINED"
        )
        return f"{self.title}: {same}; {apart}; {rest}."

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain values, for JSON.

        Returns
        -------
        dict
            Verdict, settings, differences, attribution, comparisons, reports and versions.
        """
        from mne_bstinv.cross_validation.text import as_dict

        return as_dict(self)


def _up_to(parity: str) -> str:
    return parity.removeprefix("equal ")


def _percent(value: float) -> str:
    if value >= 10:
        return f"{value:.3g} times its size"
    return f"{100 * value:.3g} %" if value >= 1e-5 else f"{value:.1e}"
