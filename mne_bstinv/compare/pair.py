"""Two aligned kernels and recordings, with what the metrics are made of, each computed once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mne_bstinv._types import FloatArray
from mne_bstinv.compare.kernel import Kernel, unit_in_words
from mne_bstinv.compare.peaks import Fields, same_array
from mne_bstinv.compare.point_spread import PointSpreads
from mne_bstinv.compare.recordings import Estimates, estimates, explained_variance
from mne_bstinv.compare.rows import (
    SubspaceAngles,
    column_distances,
    cosines,
    flat,
    ratios,
    row_sizes,
    subspace_angles,
)

__all__ = ["NotApplicable", "Pair"]


#: Columns whose sizes span more than this are those of channels in different units.
_ONE_UNIT = 1e3


class NotApplicable(Exception):  # noqa: N818 (no error: the metric is reported with the reason)
    """An ingredient of a metric is missing; the message says which."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Pair:
    """What the metrics are computed from."""

    #: Kernels in the same order of channels and locations, without NaN. B is the reference.
    a: Kernel
    b: Kernel
    #: Relative difference of coefficients that counts as agreement.
    rtol: float
    #: Recordings of the channels, (n_channels, n_times).
    data: FloatArray | None = None
    #: Times in s, (n_times,).
    times: FloatArray | None = None
    #: The gain of an earlier pair, with what is known of point spreads of it.
    known_fields: Fields | None = None

    @property
    def rounding(self) -> float:
        """Relative rounding error of an inner product over a location's coefficients."""
        return float((self.a.n_components * self.a.n_channels + 4) * np.finfo(np.float64).eps)

    @property
    def change(self) -> float:
        """Relative difference of coefficients that agree, rounding included."""
        return self.rtol + self.rounding

    @cached_property
    def correlation(self) -> FloatArray:
        """Correlation of the coefficients, shape (n_locations,); NaN where both are zero."""
        return cosines(flat(self.a.blocks), flat(self.b.blocks), *self._sizes)

    @cached_property
    def ratio(self) -> FloatArray:
        """Ratio of the norms, A to B, shape (n_locations,); NaN where both are zero."""
        return ratios(*self._sizes)

    @cached_property
    def _sizes(self) -> tuple[FloatArray, FloatArray]:
        """Norms of the coefficients of A and B, shape (n_locations,)."""
        return row_sizes(flat(self.a.blocks)), row_sizes(flat(self.b.blocks))

    @cached_property
    def channel_differences(self) -> FloatArray:
        """Norms of the columns of A − B, shape (n_channels,)."""
        return column_distances(self.a.matrix, self.b.matrix)

    @cached_property
    def channel_sizes(self) -> FloatArray:
        """Norms of the columns of B, shape (n_channels,)."""
        return np.sqrt(np.einsum("ij,ij->j", self.b.matrix, self.b.matrix))

    @cached_property
    def angles(self) -> SubspaceAngles:
        """Angles between the row spaces of three components."""
        if self.a.n_components == 1:
            raise NotApplicable(
                "one component a location: the angle between two rows is that of the correlation"
            )
        return subspace_angles(self.a.blocks, self.b.blocks)

    @property
    def positions(self) -> FloatArray:
        """Positions for distances: those of B, else of A."""
        for kernel in (self.b, self.a):
            if kernel.positions is not None:
                return kernel.positions
        raise NotApplicable("neither kernel has positions")

    @property
    def field(self) -> FloatArray:
        """Fields of the sources whose point spread is compared: the gain of B, else of A."""
        for kernel in (self.b, self.a):
            if kernel.gain is not None:
                return kernel.gain
        raise NotApplicable("neither kernel has a gain")

    @cached_property
    def spreads(self) -> PointSpreads:
        """Point spreads of the same fields under both kernels."""
        known, positions = self.known_fields, self.positions
        if known is None or not same_array(known.gain, self.field):
            known = Fields(self.field, self.a.n_components)
        spreads = PointSpreads(self.a.blocks, self.b.blocks, known, positions, self.change)
        if not spreads.seen.any():
            raise NotApplicable("no source has a point spread under both kernels")
        return spreads

    @property
    def recordings(self) -> FloatArray:
        """The recordings."""
        if self.data is None:
            raise NotApplicable("no recordings are given")
        if not self.data.any():
            raise NotApplicable("the recordings are zero")
        return self.data

    @property
    def sample_times(self) -> FloatArray:
        """Times of the recordings in s."""
        if self.recordings is not None and self.times is None:
            raise NotApplicable("no times of the recordings are given")
        return np.asarray(self.times)

    @cached_property
    def estimates(self) -> Estimates:
        """Estimates from the recordings."""
        found = estimates(self.a.blocks, self.b.blocks, self.recordings, self.change)
        if min(found.peak_a.value, found.peak_b.value) == 0:
            raise NotApplicable("an estimate is zero everywhere")
        return found

    @property
    def whitener(self) -> FloatArray | None:
        """Whitener for the recordings: that of B, else of A, else none."""
        return self.a.whitener if self.b.whitener is None else self.b.whitener

    def gain_of(self, kernel: Kernel) -> FloatArray:
        """Gain to predict recordings from a kernel's amplitudes: its own, else the other's."""
        if kernel.unit != "A·m":
            raise NotApplicable(
                f"the estimate of {kernel.name} is {unit_in_words(kernel.unit)}: only amplitudes "
                "in A·m predict recordings"
            )
        return self.field if kernel.gain is None else kernel.gain

    @cached_property
    def explained_a(self) -> float:
        """Variance of the recordings, whitened where possible, that A explains."""
        return self._explained(self.a)

    @cached_property
    def explained_b(self) -> float:
        """The same of B."""
        return self._explained(self.b)

    def _explained(self, kernel: Kernel) -> float:
        data, gain, whitener = self.recordings, self.gain_of(kernel), self.whitener
        if whitener is not None and not (whitener @ data).any():
            raise NotApplicable("the whitened recordings are zero")
        return explained_variance(kernel.matrix, gain, data, whitener)

    def notes(self) -> tuple[str, ...]:
        """Say what the metrics assume of this pair."""
        b = self.b
        notes = []
        zero = int(np.isnan(self.correlation).sum())
        if zero:
            notes.append(f"{zero} location(s) are zero in both kernels and have no correlation")
        sizes = self.channel_sizes[self.channel_sizes > 0]
        if sizes.size and sizes.max() > _ONE_UNIT * sizes.min():
            notes.append(
                f"The columns of {b.name} differ in size by up to {sizes.max() / sizes.min():.1g}, "
                "as those of different units do: metrics of rows are governed by the largest, the "
                "difference of the worst channel is not"
            )
        return (*notes, *self._notes_on_gains())

    def _notes_on_gains(self) -> list[str]:
        a, b = self.a, self.b
        if a.gain is not None and b.gain is not None:
            if same_array(a.gain, b.gain):
                return []
            difference, size = np.linalg.norm(a.gain - b.gain), np.linalg.norm(b.gain)
            if difference > self.change * size:
                return [
                    f"The gains differ (by {difference:.2g} of {size:.2g}): point spreads are of "
                    f"the fields of {b.name}, each kernel predicts recordings with its own gain"
                ]
        elif a.gain is not None or b.gain is not None:
            has, lacks = (a, b) if b.gain is None else (b, a)
            return [f"{lacks.name} has no gain: that of {has.name} was used for both"]
        return []
