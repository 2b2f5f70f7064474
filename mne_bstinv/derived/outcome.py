"""What a recomputation of a derived file gives, and how two arrays are compared."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mne_bstinv._display import Displayed
from mne_bstinv._types import AnyArray

__all__ = ["INVARIANTS", "VALUES", "Recomputed", "relative_difference"]

#: What was compared.
VALUES, INVARIANTS = "values", "invariants"


@dataclass(frozen=True, kw_only=True, repr=False)
class Recomputed(Displayed):
    """A derived file, computed again."""

    #: What it is: ``'z-score'``, ``'scout time series'`` ...
    kind: str
    #: Relative Frobenius difference of what was compared.
    difference: float
    #: What it was made of, as files are named in the protocol.
    parents: tuple[str, ...]
    #: ``'values'``, or ``'invariants'`` where options that are not stored leave some freedom.
    compared: str = VALUES
    #: Options in short, and what had to be found out.
    how: str = ""

    def _summary(self) -> str:
        return f"{self.kind}, {self.compared} differ by {self.difference:.1e}"


def relative_difference(computed: AnyArray, stored: AnyArray) -> float:
    """Return the Frobenius norm of the difference, relative to the stored array.

    Values that are not finite must be the same in both. Of an array of zeros only zeros differ by
    nothing.
    """
    if computed.shape != stored.shape:
        return float("inf")
    finite = np.isfinite(stored)
    if not np.array_equal(np.isfinite(computed), finite):
        return float("inf")
    odd = ~finite
    if odd.any() and not np.array_equal(computed[odd], stored[odd], equal_nan=True):
        return float("inf")
    size = float(np.linalg.norm(stored[finite]))
    distance = float(np.linalg.norm(computed[finite] - stored[finite]))
    if size == 0:
        return 0.0 if distance == 0 else float("inf")
    return distance / size
