"""The regions of a mixed head model: which locations have which orientation constraint."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from mne_bstinv._types import AnyArray, IntArray
from mne_bstinv.errors import InverseError

__all__ = ["RegionSpec", "ScoutLike", "mixed_regions"]

#: Third letter of a region code → orientation constraint.
_ORIENTATION = {"C": "fixed", "U": "free", "L": "loose"}


class ScoutLike(Protocol):
    """What is needed of one scout of a mixed head model's GridAtlas."""

    @property
    def label(self) -> str | None:
        """Name of the region."""

    @property
    def region(self) -> str | None:
        """Three letters: hemisphere, kind of grid, orientation constraint."""

    @property
    def grid_rows(self) -> AnyArray | None:
        """1-based locations of the region."""


@dataclass(frozen=True, kw_only=True, eq=False)
class RegionSpec:
    """A region's name, orientation constraint and 0-based locations."""

    name: str
    orient: str
    locations: IntArray


def mixed_regions(scouts: Sequence[ScoutLike], n_sources: int) -> list[RegionSpec]:
    """Read the regions of a mixed head model of n_sources locations, in scout order.

    Scouts are ``GridAtlas.Scouts``: those without rows, and those coded X (excluded), are skipped.
    Unknown codes, rows out of range, and no region left are refused.
    """
    regions = []
    for number, scout in enumerate(scouts, start=1):
        code = (scout.region or "").upper()
        rows = np.ravel([] if scout.grid_rows is None else scout.grid_rows)
        if rows.size == 0 or code[1:2] == "X":
            continue
        name = scout.label or f"region {number}"
        if code[2:3] not in _ORIENTATION:
            raise InverseError(
                f"Region {name!r} of the mixed head model has the code {scout.region!r}; its third "
                "letter must be C (constrained), U (unconstrained) or L (loose)."
            )
        locations = rows.astype(np.int64) - 1
        if locations.min() < 0 or locations.max() >= n_sources:
            raise InverseError(
                f"GridRows of region {name!r} run from {locations.min() + 1} to "
                f"{locations.max() + 1}, expected 1 to {n_sources}. Make the head model again."
            )
        regions.append(RegionSpec(name=name, orient=_ORIENTATION[code[2]], locations=locations))
    if not regions:
        raise InverseError(
            "The mixed head model has no region with locations (GridAtlas.Scouts), expected at "
            "least one that is not excluded. Make the head model again with regions."
        )
    return regions
