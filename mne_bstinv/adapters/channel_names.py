"""Match names of channels that the two toolboxes, or two files, spell differently."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence

import numpy as np

from mne_bstinv._types import IntArray
from mne_bstinv.errors import ConversionError

__all__ = ["is_available", "match_channel_names"]


def match_channel_names(names: Sequence[str], available: Sequence[str]) -> IntArray:
    """Find channels by name.

    For every name the first rule that finds anything decides: the exact name; the name without
    regard to case and spaces; the name without the number after a dash that CTF systems append.

    Parameters
    ----------
    names : sequence of str
        The names wanted.
    available : sequence of str
        The names there are.

    Returns
    -------
    array of int64, shape (len(names),)
        The positions in ``available`` of each of ``names``.

    Raises
    ------
    ConversionError
        If a name matches none or several of the available ones, or two names match the same one;
        the message lists them all.
    """
    tables = [_positions(available, rule) for rule in _RULES]
    found: list[int] = []
    missing: list[str] = []
    ambiguous: list[str] = []
    for name in names:
        positions = _lookup(name, tables)
        if not positions:
            missing.append(name)
        elif len(positions) > 1:
            ambiguous.append(f"{name} ({', '.join(available[i] for i in positions)})")
        else:
            found.append(positions[0])
    if not (missing or ambiguous):
        ambiguous = _claimed_twice(names, available, found)
    if missing or ambiguous:
        faults = []
        if missing:
            faults.append(f"not found: {', '.join(missing)}")
        if ambiguous:
            faults.append(f"ambiguous: {', '.join(ambiguous)}")
        raise ConversionError(
            f"The channels cannot be matched by name; {'; '.join(faults)}. "
            f"{len(available)} names are available. Take both lists from one study, or rename "
            "channels."
        )
    return np.array(found, dtype=np.int64)


def is_available(name: str, available: Sequence[str]) -> bool:
    """Tell whether a channel is among others, by the rules of :func:`match_channel_names`."""
    return any(rule(name) in map(rule, available) for rule in _RULES)


def _exact(name: str) -> str:
    return name


def _folded(name: str) -> str:
    """Drop spaces and case: ``'MEG 0113'`` is ``'MEG0113'``."""
    return "".join(name.split()).casefold()


def _without_suffix(name: str) -> str:
    """Drop the serial number of a CTF system: ``'MLC11-1609'`` is ``'MLC11'``."""
    folded = _folded(name)
    stem, dash, suffix = folded.rpartition("-")
    return stem if dash and stem and suffix.isdigit() else folded


def _positions(available: Sequence[str], rule: Callable[[str], str]) -> dict[str, list[int]]:
    table: dict[str, list[int]] = defaultdict(list)
    for position, name in enumerate(available):
        table[rule(name)].append(position)
    return table


def _lookup(name: str, tables: Sequence[dict[str, list[int]]]) -> list[int]:
    for rule, table in zip(_RULES, tables, strict=True):
        if positions := table.get(rule(name)):
            return positions
    return []


def _claimed_twice(
    names: Sequence[str], available: Sequence[str], found: Sequence[int]
) -> list[str]:
    claims: dict[int, list[str]] = defaultdict(list)
    for name, position in zip(names, found, strict=True):
        claims[position].append(name)
    return [
        f"{', '.join(claimants)} (all {available[position]})"
        for position, claimants in claims.items()
        if len(claimants) > 1
    ]


#: Spellings, the strictest first.
_RULES: tuple[Callable[[str], str], ...] = (_exact, _folded, _without_suffix)
