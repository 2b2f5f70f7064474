"""What was made lately is kept, and what every measure of a study has in common is made once."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import TypeVar

from mne_bstinv._types import FloatArray

__all__ = ["Kept", "Made"]

T = TypeVar("T")


class Kept:
    """What was made lately, by its key: the last few, or all."""

    def __init__(self, most: int | None = None) -> None:
        self._most, self._made = most, dict[Hashable, object]()

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return what is known of a key, or make it."""
        if key in self._made:
            value = self._made.pop(key)
        else:
            if self._most is not None and len(self._made) >= self._most:
                del self._made[next(iter(self._made))]  # before there is another one beside it
            value = make()
        self._made[key] = value  # the last one is the newest
        return value  # type: ignore[return-value]

    def __contains__(self, key: Hashable) -> bool:
        return key in self._made


@dataclass(frozen=True, kw_only=True, eq=False)
class Made:
    """What is made of the ingredients of a study, in which the measure has no part."""

    #: Whiteners, their largest precisions, parts of them, and ranks that MNE estimates; power of
    #: the gain by its norm.
    noise: Kept = field(default_factory=Kept)
    precisions: Kept = field(default_factory=Kept)
    parts: Kept = field(default_factory=Kept)
    ranks: Kept = field(default_factory=Kept)
    powers: Kept = field(default_factory=Kept)
    #: Depth weights (n_sources,) that differ, in the order in which they were met.
    alphas: list[FloatArray] = field(default_factory=list)
    #: q' R q by the rows, L L' by noise and rows.
    grams: Kept = field(default_factory=Kept)
    leads: Kept = field(default_factory=Kept)
    systems: Kept
    #: Rows of the gain: they are as large as the gain, or as a third of it.
    gains: Kept
    #: Norms by which measures divide, (n_sources, p).
    norms: Kept
    #: Products of the rows of kernels, without the weights of a measure, by both their systems.
    products: Kept
