"""What the steps of a path change beside the distances: the estimate, and measures of locations."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from mne_bstinv._types import FloatArray
from mne_bstinv.cross_validation.kernels import Kernels

__all__ = ["Measures", "Move", "Moves"]

Measures = Callable[[FloatArray, FloatArray], dict[str, float | None]]

_Key = frozenset[str]


@dataclass(frozen=True, kw_only=True)
class Move:
    """What a step changes: the estimate, in its Frobenius norm, and measures of locations."""

    estimate: float | None = None
    measured: dict[str, float | None] = field(default_factory=dict)


class Moves:
    """The steps of a path, each measured once, while its kernels are at hand.

    ``measures`` are functions of the kernels after and before a step. An interruption (Ctrl-C)
    leaves out the steps to come.
    """

    def __init__(self, kernels: Kernels, measures: Measures | None) -> None:
        self._kernels, self._measures = kernels, measures
        self._known = dict[tuple[_Key, _Key], Move]()
        self.stopped = False

    def expect(self, before: _Key, after: _Key) -> None:
        """Have the kernels of a step at hand: distances are taken before it is measured."""
        with self._stopping():
            if self._wanted(before, after) and self._measures is not None:
                self._kernels.form(before)
                self._kernels.form(after)

    def measure(self, before: _Key, after: _Key, active: bool) -> None:
        """Measure a step: locations, if it is active."""
        with self._stopping():
            if self._wanted(before, after):
                self._known[before, after] = self._measured(before, after, active)

    def of(self, before: _Key, after: _Key) -> Move:
        """Return what is known of a step."""
        return self._known.get((before, after), Move())

    def _wanted(self, before: _Key, after: _Key) -> bool:
        return not self.stopped and (before, after) not in self._known

    def _measured(self, before: _Key, after: _Key, active: bool) -> Move:
        estimate, kernels = self._kernels.estimates_apart(after, before), self._kernels
        if self._measures is None or not active:
            return Move(estimate=estimate)
        measured = self._measures(kernels.blocks(after), kernels.blocks(before))
        return Move(estimate=estimate, measured=measured)

    @contextmanager
    def _stopping(self) -> Iterator[None]:
        try:
            yield
        except KeyboardInterrupt:
            self.stopped = True
