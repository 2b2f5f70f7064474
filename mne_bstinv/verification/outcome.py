"""The outcome for one file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from mne_bstinv._display import Displayed
from mne_bstinv.compare.stored import DIFFERS

__all__ = ["ERROR", "KERNEL", "Verification"]

ERROR = "error"
#: Kind of a file that an inverse computed.
KERNEL = "kernel"


@dataclass(frozen=True, kw_only=True, repr=False)
class Verification(Displayed):
    """Outcome for one file.

    Parameters
    ----------
    file : Path
        The file.
    status : str
        ``'equal'``, ``'equal up to sign'``, ``'equal invariants'``, ``'differs'``,
        ``'not comparable'`` or ``'error'``.
    relative_difference : float | None
        Relative Frobenius difference; ``None`` where nothing was compared.
    reason : str
        Why the status is not plainly equal.
    options : str
        The options in short.
    stages : mapping of str to float
        Relative difference of the intermediates that the file stores: where a mismatch begins.
    kind : str
        ``'kernel'``, or what a file is that was made of others: ``'z-score'``, ``'scout time
        series'`` ...
    parents : tuple of str
        What such a file was made of.
    bound : float | None
        Largest relative difference that counts as equal: ``rtol``, or what rounding allows where
        that is more (:class:`~mne_bstinv.compare.RoundingBound`).
    within_rounding : bool
        Whether it is equal only since rounding allows more than ``rtol``.
    """

    file: Path
    status: str
    relative_difference: float | None = None
    reason: str = ""
    options: str = ""
    stages: Mapping[str, float] = field(default_factory=dict)
    kind: str = KERNEL
    parents: tuple[str, ...] = ()
    bound: float | None = None
    within_rounding: bool = False

    def _summary(self) -> str:
        number = self.relative_difference
        within = " within rounding" if self.within_rounding else ""
        shown = "" if number is None else f"{within}, {number:.1e}"
        bound = "" if self.bound is None else f" (bound {self.bound:.0e})"
        return f"{self.file.name}: {self.status}{shown}{bound}"

    @property
    def failed(self) -> bool:
        """Whether the file differs or could not be recomputed because of an error."""
        return self.status in (DIFFERS, ERROR)

    @property
    def is_derived(self) -> bool:
        """Whether the file was made of others."""
        return self.kind != KERNEL

    def to_dict(self) -> dict[str, Any]:
        """Return the outcome as plain values, for JSON.

        Returns
        -------
        dict
            The fields; the file as text, a difference that is no number as ``None``.
        """
        difference = self.relative_difference
        finite = difference is not None and np.isfinite(difference)
        return {
            "file": str(self.file),
            "status": self.status,
            "relative_difference": difference if finite else None,
            "reason": self.reason,
            "options": self.options,
            "stages": {name: v for name, v in self.stages.items() if np.isfinite(v)},
            "kind": self.kind,
            "parents": list(self.parents),
            "bound": self.bound,
            "within_rounding": self.within_rounding,
        }
