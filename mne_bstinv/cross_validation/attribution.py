"""Which convention makes how much of the difference between two kernels.

With v(S) the relative Frobenius distance from Brainstorm's kernel to the kernel in which the set S
of conventions is MNE's, a path switches one convention after the other and its increments of v sum
to the whole distance. A single path misleads where conventions interact, so three summaries that
do not depend on the order stand beside it: each convention switched alone from Brainstorm's end,
each alone put back from MNE's end, and the Shapley value (Shapley 1953, *Contributions to the
Theory of Games* II, 307–317), the mean increment over all orders, which sums to the whole as well.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from mne_bstinv._display import Displayed
from mne_bstinv._types import FloatArray
from mne_bstinv.cross_validation.conventions import Convention, join
from mne_bstinv.cross_validation.distances import (
    ANOTHER_SCALE,
    Distances,
    averaged,
    measure_distances,
    relative_distance,
    union,
)
from mne_bstinv.cross_validation.kernels import Kernels
from mne_bstinv.cross_validation.moves import Measures, Move, Moves

__all__ = ["Attribution", "Step", "attribute"]

#: A convention that changes a kernel by less than this is the same on both sides.
UNCHANGED = 1e-9
#: What is said of an attribution that was interrupted.
_STOPPED = "Stopped before all was computed: this is what was known by then."


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Step(Displayed):
    """One convention on the path.

    Parameters
    ----------
    convention : Convention
        What is switched.
    change : float
        Size of the step: ‖K_k − K_(k−1)‖ / ‖K_0‖.
    increment : float
        By how much the distance to Brainstorm's kernel grows (or shrinks): these sum to the whole.
    distance : float
        That distance after the step.
    estimate_change : float | None
        Size of the step in the estimate of the recordings, relative like ``change``.
    row_correlation, amplitude_ratio, peak_displacement : float | None
        Mean correlation of a location's rows before and after the step; median ratio of their
        norms; median displacement of the peak of the point spread in mm.
    alone_from_brainstorm : float
        Distance that this convention alone makes from Brainstorm's end.
    alone_from_mne : float
        Distance that putting it back alone makes from MNE's end.
    shapley : float | None
        Mean increment over all orders, or over some; ``None`` where it was not computed.
    active : bool
        Whether the two sides differ in this convention at all, by more than rounding; where means
        over orders are computed, also if they do together with another convention alone.
    """

    convention: Convention
    change: float
    increment: float
    distance: float
    estimate_change: float | None
    row_correlation: float | None
    amplitude_ratio: float | None
    peak_displacement: float | None
    alone_from_brainstorm: float
    alone_from_mne: float
    shapley: float | None
    active: bool

    def _summary(self) -> str:
        return f"{self.convention.label}, {self.increment:+.3g} to {self.distance:.3g}"

    @property
    def weight(self) -> float:
        """What conventions are ranked by, whatever the order.

        The Shapley value; where it was not computed, the mean of ``alone_from_brainstorm`` and
        ``alone_from_mne``.
        """
        if self.shapley is not None:
            return self.shapley
        return 0.5 * (self.alone_from_brainstorm + self.alone_from_mne)


@dataclass(frozen=True, kw_only=True, eq=False)
class Attribution(Displayed):
    """A path from Brainstorm's kernel to MNE's, and what does not depend on the order.

    Parameters
    ----------
    steps : tuple of Step
        One a convention, in the order of the path.
    total : float
        The whole relative difference.
    remainder_start : float
        Relative difference between the path's first kernel and Brainstorm's own.
    remainder_end : float
        Relative difference between the path's last kernel and the one that MNE computed.
    size_ratio : float
        Size of MNE's kernel over that of Brainstorm's.
    relative_to : 'Brainstorm' | 'MNE'
        Whose kernel all distances are relative to: Brainstorm's, but for kernels of so different a
        scale that a distance would be above 10 (1000 %): then MNE's, which is the larger one.
    orders : str
        What the means of the steps are over, ``'all orders'`` or a number of them; empty without.
    notes : tuple of str
        Conventions that were switched together because they cannot be separated, and why.
    stopped : bool
        Whether it was interrupted: what was known by then is there.
    """

    steps: tuple[Step, ...]
    total: float
    remainder_start: float
    remainder_end: float
    size_ratio: float = 1.0
    relative_to: str = "Brainstorm"
    orders: str = ""
    notes: tuple[str, ...] = ()
    stopped: bool = False
    _by_key: dict[str, Step] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        by_key = {key: step for step in self.steps for key in step.convention.keys}
        object.__setattr__(self, "_by_key", by_key)

    def __iter__(self) -> Iterator[Step]:
        return iter(self.steps)

    def __getitem__(self, key: str) -> Step:
        return self._by_key[key]

    def __repr__(self) -> str:
        return (
            f"<Attribution | {len(self.active)} active conventions, total {self.total:.3g}, "
            f"remainder {self.remainder:.1e}>"
        )

    def _table(self) -> tuple[Sequence[str], Iterable[Sequence[str]]]:
        head = ("convention", "Brainstorm", "MNE", "step", "sum", "alone from either end")
        return head, [
            (
                step.convention.label,
                step.convention.brainstorm,
                step.convention.mne,
                f"{step.increment:+.3g}",
                f"{step.distance:.3g}",
                f"{step.alone_from_brainstorm:.3g}, {step.alone_from_mne:.3g}",
            )
            for step in self.active
        ]

    @property
    def remainder(self) -> float:
        """What no convention explains: both ends' relative differences together."""
        return self.remainder_start + self.remainder_end

    @property
    def main(self) -> tuple[Step, ...]:
        """The active steps, the one with the largest effect first, whatever its sign."""
        return tuple(sorted(self.active, key=lambda step: -abs(step.weight)))

    @property
    def averaged(self) -> bool:
        """Whether the mean over orders was computed: of all of them, the Shapley value."""
        return bool(self.orders)

    @property
    def active(self) -> tuple[Step, ...]:
        """The steps in which the two sides differ."""
        return tuple(step for step in self.steps if step.active)


def attribute(
    conventions: Sequence[Convention],
    kernels: Kernels,
    *,
    ends: tuple[FloatArray, FloatArray],
    measures: Measures | None = None,
    families: Sequence[frozenset[str]] = (),
    orders: str | int | None = None,
    shapley_limit: int = 6,
    unchanged: float = UNCHANGED,
    progress: bool = False,
) -> Attribution:
    """Walk a path between the kernels that the toolboxes themselves computed, ``ends``.

    ``measures``: from the kernels after and before a step to ``row_correlation``,
    ``amplitude_ratio``, ``peak_displacement``. ``families``: keys to join, one family after the
    other, where single conventions lead to another scale than that of both ends. ``orders`` "all",
    "path", or how many; None: all up to ``shapley_limit`` active conventions (n have 2^n kernels),
    else the path. ``unchanged``: largest relative change that is none. If interrupted (Ctrl-C):
    what was known by then.
    """
    everything = union(conventions)
    whole = _whole(kernels, everything, ends)
    path, notes, rest = tuple(conventions), tuple[str, ...](), [*families, everything]
    moves = Moves(kernels, measures)
    try:
        found = measure_distances(path, kernels, unchanged, moves, progress)
        found = averaged(path, found, kernels, orders, shapley_limit, progress)
        while found.largest > ANOTHER_SCALE and rest:
            family = rest.pop(0)
            pairs = zip(path, found.active, strict=True)
            members = [c for c, is_active in pairs if is_active and c.keys <= family]
            if len(members) > 1:
                path, note = _coarser(path, members)
                notes = (*notes, note)
                found = measure_distances(path, kernels, unchanged, moves, progress)
                found = averaged(path, found, kernels, orders, shapley_limit, progress)
        reference = everything if found.relative_to == "MNE" else frozenset[str]()
        estimate_size = kernels.estimate_size(reference)
    except KeyboardInterrupt:
        return dataclasses.replace(whole, notes=(*notes, _STOPPED), stopped=True)
    return dataclasses.replace(
        whole,
        steps=tuple(_steps(path, found, moves, estimate_size)),
        total=found.distances[-1],
        relative_to=found.relative_to,
        orders=found.orders,
        notes=(*notes, _STOPPED) if found.stopped else notes,
        stopped=found.stopped,
    )


def _whole(
    kernels: Kernels, everything: frozenset[str], ends: tuple[FloatArray, FloatArray]
) -> Attribution:
    """Say what is known without any step: the whole difference."""
    nothing = frozenset[str]()
    size = kernels.size(nothing)
    return Attribution(
        steps=(),
        total=kernels.distance(everything, nothing) / size,
        remainder_start=relative_distance(kernels.blocks(nothing), ends[0]),
        remainder_end=relative_distance(kernels.blocks(everything), ends[1]),
        size_ratio=kernels.size(everything) / size,
    )


def _coarser(
    path: Sequence[Convention], members: Sequence[Convention]
) -> tuple[tuple[Convention, ...], str]:
    """Join some conventions of the path, and say why."""
    joined = join(path, members)
    label = next(c.label for c in joined if c.keys == union(members))
    why = "with some of them only the kernel is of another scale than both toolboxes'"
    return joined, f"{label}: switched together, since {why}."


def _steps(
    path: Sequence[Convention], found: Distances, moves: Moves, estimate_size: float | None
) -> Iterator[Step]:
    switched = frozenset[str]()
    for k, convention in enumerate(path):
        before, switched = switched, switched | convention.keys
        yield _step(found, k, convention, moves.of(before, switched), estimate_size)


def _step(
    found: Distances, k: int, convention: Convention, move: Move, estimate_size: float | None
) -> Step:
    """Put together what is known of the step k."""
    measured = move.measured.get
    return Step(
        convention=convention,
        change=found.changes[k],
        increment=found.distances[k] - (found.distances[k - 1] if k else 0.0),
        distance=found.distances[k],
        estimate_change=_share(move.estimate, estimate_size),
        row_correlation=measured("row_correlation"),
        amplitude_ratio=measured("amplitude_ratio"),
        peak_displacement=measured("peak_displacement"),
        alone_from_brainstorm=found.alone[k],
        alone_from_mne=found.back[k],
        shapley=None if found.shapley is None else found.shapley[k],
        active=found.active[k],
    )


def _share(value: float | None, size: float | None) -> float | None:
    """Divide what there is by a size, of which there is none for recordings of zeros."""
    return value / size if value is not None and size else None
