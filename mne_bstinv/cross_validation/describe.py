"""Comparisons of the kernels of one study, by the declared metrics."""

from __future__ import annotations

from contextlib import suppress

import numpy as np

from mne_bstinv._types import FloatArray
from mne_bstinv._verdicts import RTOL
from mne_bstinv.compare import Comparison, Kernel, align_kernels, measures
from mne_bstinv.compare.comparison import compare_with_fields
from mne_bstinv.compare.pair import NotApplicable, Pair
from mne_bstinv.compare.peaks import Fields
from mne_bstinv.cross_validation.ingredients import Ingredients

__all__ = ["Describer"]

#: Unit of both estimates, by MNE's method.
_UNITS = {
    "MNE": "A·m",
    "dSPM": "1 (noise standard deviations)",
    "sLORETA": "1 (Brainstorm's over √Λ)",
}


class Describer:
    """Compares kernels of a study by the declared metrics.

    ``fields``: those of the sources by the number of components, with what is known of their peaks,
    of other measures too; what is missing is made.
    """

    def __init__(
        self,
        ingredients: Ingredients,
        data: FloatArray | None,
        times: FloatArray | None,
        whitener: FloatArray,
        fields: dict[int, Fields],
    ) -> None:
        self._ingredients, self._data, self._times = ingredients, data, times
        self._whitener = whitener
        self._positions = np.asarray(ingredients.side.common.head_model.grid_loc)
        self._fields = fields

    def __call__(self, ours: FloatArray, theirs: FloatArray, name: str, rtol: float) -> Comparison:
        """Compare two kernels (n_sources, p, n_channels) by every metric."""
        a, b = self._kernel(ours, name), self._kernel(theirs, "Brainstorm")
        return compare_with_fields(
            a,
            b,
            data=self._data,
            times=self._times,
            rtol=rtol,
            fields=self._fields_of(a.n_components),
        )

    def know(self, blocks: FloatArray, other: FloatArray) -> None:
        """Take the peaks under a kernel for those of another that agrees with it."""
        if not np.isnan(blocks).any():
            self._fields_of(blocks.shape[1]).agree(blocks, other, RTOL, keep=True)

    def step(self, after: FloatArray, before: FloatArray) -> dict[str, float | None]:
        """Measure what the table of the attribution shows of a step, and no more."""
        fields = self._fields_of(after.shape[1])
        fields.liken(before, RTOL)  # of steps that are none nothing was measured
        aligned = align_kernels(self._kernel(after, "after"), self._kernel(before, "before"))
        pair = Pair(
            a=aligned.a,
            b=aligned.b,
            rtol=RTOL,
            known_fields=fields,
        )
        found: dict[str, float | None] = {
            "row_correlation": float(np.nanmean(pair.correlation)),
            "amplitude_ratio": None,
            "peak_displacement": None,
        }
        with suppress(NotApplicable):
            found["amplitude_ratio"] = measures.median(pair.ratio)
        with suppress(NotApplicable):
            found["peak_displacement"] = measures.median(measures.displacements(pair))
        fields.keep_only(after)  # which is that before the next step
        return found

    def _fields_of(self, p: int) -> Fields:
        """Return the gain, shape (n_channels, p * n_sources), with what is known of its peaks."""
        if p not in self._fields:
            along = self._ingredients.on_normals if p == 1 else None
            rows = self._ingredients.projected_rows(along)
            # of a view: the channels of a location stay near each other, where peaks take them
            self._fields[p] = Fields(rows.reshape(-1, rows.shape[2]).T, p)
        return self._fields[p]

    def _kernel(self, blocks: FloatArray, name: str) -> Kernel:
        prepared, p = self._ingredients.prepared, blocks.shape[1]
        return Kernel(
            matrix=blocks.reshape(-1, blocks.shape[2]),
            channel_names=prepared.channel_names,
            n_components=p,
            locations=np.arange(len(blocks)),
            positions=self._positions,
            normals=self._ingredients.normals,
            gain=self._fields_of(p).gain,
            whitener=self._whitener,
            name=name,
            unit=_UNITS[self._ingredients.settings.method],
        )
