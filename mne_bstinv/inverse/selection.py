"""Gain and covariances of the channels in use, which inverses of one study share.

A study has many results of the same channels. What follows from these alone is computed once for
inverses that are computed one after the other.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

from mne_bstinv._types import FloatArray, IntArray
from mne_bstinv.inverse.gain import Gain
from mne_bstinv.inverse.inputs import refuse_odd_inputs
from mne_bstinv.inverse.linear import noise_whitening
from mne_bstinv.inverse.options import AnyOptions
from mne_bstinv.inverse.options_2009 import InverseOptions2009
from mne_bstinv.inverse.projection import (
    average_reference,
    computed_channels,
    project_covariance,
    project_gain,
)
from mne_bstinv.inverse.projectors import projection_operator
from mne_bstinv.inverse.structures import ChannelsLike, CovarianceLike, HeadModelLike
from mne_bstinv.inverse.whitening import CovarianceStatistics, Whitening

__all__ = ["Covariances", "Selections"]

#: Selections that are kept: a study has two or three sets of channels.
_KEPT = 3
#: Numbers of a gain up to which it is kept as an array, made once: of larger ones the kernel takes
#: the time.
_SMALL = 2**21


@dataclass(frozen=True, kw_only=True, eq=False)
class Covariances:
    """Covariances of the channels in use, and the whiteners of the noise that were asked for."""

    types: tuple[str, ...]
    names: tuple[str, ...]
    #: Projected and referenced, by ``noise`` and ``data``.
    statistics: Mapping[str, CovarianceStatistics]
    _made: dict[Any, Any] = field(default_factory=dict, init=False)

    def noise(self, averages: float) -> CovarianceStatistics:
        """Return the covariance of the noise, divided by a number of averages."""
        noise = self.statistics["noise"]
        if averages <= 1:
            return noise
        if averages not in self._made:
            self._made[averages] = dataclasses.replace(noise, cov=noise.cov / averages)
        divided: CovarianceStatistics = self._made[averages]
        return divided

    def whitening(self, options: AnyOptions, averages: float) -> Whitening:
        """Whiten the noise as the options say; as those before, if they said the same of it."""
        noise = self.noise(averages)
        if isinstance(options, InverseOptions2009):
            return noise_whitening(noise, self.types, options, self.names)
        key = (averages, options.noise_method, options.noise_reg, options.conventions)
        if key not in self._made:
            self._made[key] = noise_whitening(noise, self.types, options, self.names)
        whitening: Whitening = self._made[key]
        return whitening


class Selection(NamedTuple):
    """What the channels in use have: gain and covariances, projected and referenced."""

    gain: Gain
    covariances: Covariances


class Selections:
    """Selects, projects and references channels of one study; the last selections are kept.

    The covariances, ``noise`` and maybe ``data``, and the head model are of all channels. What no
    inverse can use is refused, see :func:`~mne_bstinv.inverse.inputs.refuse_odd_inputs`.
    """

    def __init__(
        self,
        head_model: HeadModelLike,
        covs: Mapping[str, CovarianceLike],
        channels: ChannelsLike,
    ) -> None:
        refuse_odd_inputs(head_model, covs, channels)
        self.head_model, self.covs, self.projectors = head_model, covs, channels.projectors
        self.types, self.names = channels.types, channels.names
        self._kept: dict[bytes, Selection] = {}

    @cached_property
    def projection(self) -> FloatArray | None:
        """The projectors as an operator on all channels; None where none is active."""
        return projection_operator(self.projectors, len(self.names))

    @cached_property
    def computed(self) -> IntArray:
        """Positions of the channels that the head model was computed for."""
        return computed_channels(self.head_model.gain)

    def of(self, good: IntArray) -> Selection:
        """Return the selection of channels by their positions."""
        key = good.tobytes()
        self._kept[key] = found = self._kept.pop(key, None) or self._selected(good)
        for old in list(self._kept)[:-_KEPT]:  # the last are kept
            del self._kept[old]
        return found

    def _selected(self, good: IntArray) -> Selection:
        types, names = _of(self.types, good), _of(self.names, good)
        reference = average_reference(types)
        stored, computed = self.head_model.gain, self.computed
        gain = project_gain(stored, good, self.projection, reference, self.names, computed)
        if math.prod(gain.shape) <= _SMALL:
            gain = Gain(gain.array)
        statistics = {
            kind: project_covariance(cov, good, self.projection, reference, names, kind)
            for kind, cov in self.covs.items()
        }
        return Selection(gain, Covariances(types=types, names=names, statistics=statistics))


def _of(values: Sequence[str], good: IntArray) -> tuple[str, ...]:
    return tuple(values[i] for i in good.tolist())
