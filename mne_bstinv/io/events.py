"""The events of recordings and of links to continuous files."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mne_bstinv._types import FloatArray, IntArray
from mne_bstinv.io import raw
from mne_bstinv.io.checks import finite, index
from mne_bstinv.io.context import Context
from mne_bstinv.io.kinds import Array, Raw, Scalar, Vector
from mne_bstinv.io.schema import Structure, declare
from mne_bstinv.io.text import Text
from mne_bstinv.io.values import EMPTY, describe, is_empty
from mne_bstinv.io.variable import Variable

__all__ = ["Event", "Names", "is_bad"]

#: Names of channels, for each occurrence of an event; none for all channels.
Names = tuple[tuple[str, ...], ...]


def is_bad(label: str) -> bool:
    """Tell whether Brainstorm takes the events of a name for bad segments.

    It does for ``'bad'``, and for what begins with ``'bad '`` or ``'bad_'`` or ends with ``' bad'``
    or ``'_bad'``, in any case.
    """
    label = label.lower()
    return label == "bad" or label.startswith(("bad ", "bad_")) or label.endswith((" bad", "_bad"))


@dataclass(frozen=True, slots=True)
class _Times:
    """Times of events (1, k), or their starts and ends (2, k)."""

    order: int = 1

    def read(self, variable: Variable, context: Context) -> Any:
        if is_empty(variable.value):
            return None
        # Squeezed, two numbers are two events or one with a duration: the number of epochs tells.
        for n_rows in (1, 2):
            attempt = context.attempt()
            times = Array(n_rows, "n_events").read(variable, attempt)
            if times is not None:
                if "n_events" not in context.sizes and n_rows == 1 and times.size == 2:
                    self._tell_guess(times, context)
                context.accept(attempt)
                return times
        return Array("1 or 2", "n_events").read(variable, context)

    def _tell_guess(self, times: FloatArray, context: Context) -> None:
        """Say that nothing tells two occurrences (1, 2) from one with a start and an end."""
        first, second = times.ravel()
        if first <= second:
            reason = f"no epochs count them: events at {first:g} and {second:g} s, not one between"
            context.findings.assumed(context.path, reason)

    def write(self, value: Any, context: Context) -> Any:
        return Array("n_rows", "n_events").write(value, context)


@dataclass(frozen=True, slots=True)
class _OneEach:
    """A cell with an entry an occurrence: texts, or (``nested``) cells of texts."""

    nested: bool
    order: int = 2

    def read(self, variable: Variable, context: Context) -> Any:
        n = context.sizes.get("n_events", (0, ""))[0]
        if is_empty(variable.value) or n == 0:
            return None
        rows = self._rows(variable.value, n)
        if rows is None or None in rows:
            what = "cells of channel names" if self.nested else "texts"
            context.fault(describe(variable), f"a cell of {n} {what}")
            return None
        return tuple(rows) if any(rows) else None

    def write(self, value: Any, context: Context) -> Any:
        if value is None:
            return EMPTY
        if not context.match((len(value),), ("n_events",)):
            context.fault(f"{len(value)} entries", f"a cell {context.explain(('n_events',))}")
        if not self.nested:
            return raw.cell(list(value))
        return raw.cell([raw.cell(list(names), (1, len(names))) for names in value])

    def _rows(self, value: Any, n: int) -> list[Any] | None:
        """Return an entry an occurrence; entries of another form are None."""
        items = value.ravel().tolist() if isinstance(value, np.ndarray) else value
        if isinstance(items, str) or not isinstance(items, list | tuple):
            items = [items]
        if self.nested and n == 1 and all(isinstance(item, str) for item in items):
            items = [items]  # a cell of one is read as its entry
        if len(items) != n:
            return None
        return [_names(item) if self.nested else _text(item) for item in items]


def _text(item: Any) -> str | None:
    if isinstance(item, str):
        return item
    return "" if is_empty(item) else None


def _names(item: Any) -> tuple[str, ...] | None:
    if is_empty(item):
        return ()
    items = item.ravel().tolist() if isinstance(item, np.ndarray) else item
    items = [items] if isinstance(items, str) else items
    if not isinstance(items, list | tuple) or not all(isinstance(name, str) for name in items):
        return None
    return tuple(items)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class Event(Structure):
    """The occurrences of one kind of event."""

    label: str = field(default="", metadata=declare("label", Text()))
    #: RGB (3,).
    color: FloatArray | None = field(default=None, metadata=declare("color", Vector(3), finite))
    #: Epoch of each occurrence (n_events,), 1-based.
    epochs: IntArray | None = field(
        default=None, metadata=declare("epochs", Vector("n_events", dtype="int64"), index())
    )
    #: Times (1, n_events), or starts and ends (2, n_events), s.
    times: FloatArray | None = field(default=None, metadata=declare("times", _Times(), unit="s"))
    #: Reaction times (n_events,), s.
    react_times: FloatArray | None = field(
        default=None, metadata=declare("reactTimes", Vector(), finite, unit="s")
    )
    #: Whether the event is shown.
    select: int | None = field(default=None, metadata=declare("select", Scalar(int)))
    #: Channels that each occurrence concerns, none for all; None if no occurrence names any.
    channels: Names | None = field(
        default=None, metadata=declare("channels", _OneEach(nested=True))
    )
    #: A note on each occurrence; None if there are none.
    notes: tuple[str, ...] | None = field(
        default=None, metadata=declare("notes", _OneEach(nested=False))
    )
    #: Hierarchical event descriptors; raw.
    hed_tags: Any = field(default=None, metadata=declare("hedTags", Raw()))

    @property
    def n_occurrences(self) -> int:
        """How often it occurs."""
        return 0 if self.times is None else self.times.shape[1]

    @property
    def is_extended(self) -> bool:
        """Whether the occurrences have a start and an end."""
        return self.times is not None and len(self.times) == 2

    @property
    def starts(self) -> FloatArray:
        """Starts of the occurrences (n_events,), s."""
        return np.zeros(0) if self.times is None else self.times[0]

    @property
    def ends(self) -> FloatArray:
        """Ends of the occurrences (n_events,), s; the starts of a simple event."""
        return np.zeros(0) if self.times is None else self.times[-1]

    def channels_of(self, index: int) -> tuple[str, ...]:
        """Return the channels that an occurrence concerns.

        Parameters
        ----------
        index : int
            The occurrence, 0-based.

        Returns
        -------
        tuple of str
            Their names; none for all.
        """
        return () if self.channels is None else self.channels[index]

    def note_of(self, index: int) -> str:
        """Return the note on an occurrence.

        Parameters
        ----------
        index : int
            The occurrence, 0-based.

        Returns
        -------
        str
            The note; empty for none.
        """
        return "" if self.notes is None else self.notes[index]

    def _summary(self) -> str:
        return f"{self.label}, {self.n_occurrences} occurrences"
