"""Names of channels: what MNE can keep of Brainstorm's, and which of two lists are the same.

Brainstorm takes any text, also twice. MNE wants each name once; its FIF files separate names by
colons (one name with a colon shifts the rows of a gain by one) and keep Latin-1 alone.
"""

from __future__ import annotations

import dataclasses
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np

from mne_bstinv import io
from mne_bstinv._display import few
from mne_bstinv._types import IntArray
from mne_bstinv.adapters.kept import kept_of
from mne_bstinv.errors import ConversionError

__all__ = [
    "Optodes",
    "is_available",
    "match_channel_names",
    "mne_names",
    "optodes_of",
    "plain_names",
    "renamed",
    "with_mne_names",
]


def match_channel_names(names: Sequence[str], available: Sequence[str]) -> IntArray:
    """Find channels by name.

    For every name the first rule that finds anything decides: the name that MNE has for one of
    ``available`` (see :func:`to_info`), if it is another; the exact name; the name of a pair of
    optodes in either toolbox's spelling; the name without regard to case and spaces; the name
    without the number after a dash that CTF systems append.

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
    tables = _tables(tuple(available))
    found: list[int] = []
    missing: list[str] = []
    ambiguous: list[str] = []
    for name in names:
        positions = _lookup(name, *tables)
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
            faults.append(f"not found: {few(missing)}")
        if ambiguous:
            faults.append(f"ambiguous: {few(ambiguous)}")
        raise ConversionError(
            f"The channels cannot be matched by name; {'; '.join(faults)}. "
            f"{len(available)} names are available. Take both lists from one study, or rename "
            "channels."
        )
    return np.array(found, dtype=np.int64)


def is_available(name: str, available: Sequence[str]) -> bool:
    """Tell whether a channel is among others, by the rules of :func:`match_channel_names`."""
    return bool(_lookup(name, *_tables(tuple(available))))


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


@lru_cache(maxsize=8)
def _tables(
    available: tuple[str, ...],
) -> tuple[dict[str, list[int]], list[dict[str, list[int]]]]:
    """Positions by the names that MNE has where these are others, and by each rule."""
    names = plain_names(available)
    other = {
        mne: [i] for i, (mne, name) in enumerate(zip(names, available, strict=True)) if mne != name
    }
    return other, [_positions(available, rule) for rule in _RULES]


def _lookup(
    name: str, other: dict[str, list[int]], tables: Sequence[dict[str, list[int]]]
) -> list[int]:
    if name in other:
        return other[name]
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


def _of_optodes(name: str) -> str:
    """Spell pairs of optodes in one way: ``'S1D1WL690'`` is ``'S1_D1 690'``."""
    optodes = optodes_of(name)
    return name if optodes is None else optodes.mne_name


#: Spellings, the strictest first.
_RULES: tuple[Callable[[str], str], ...] = (_exact, _of_optodes, _folded, _without_suffix)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Optodes:
    """What the name of a NIRS channel says: a pair of optodes, and what it measures."""

    source: int
    detector: int
    #: Wavelength, nm; None for a concentration.
    wavelength: float | None = None
    #: ``'hbo'``, ``'hbr'`` or ``'hbt'``; empty for a wavelength.
    chromophore: str = ""

    @property
    def mne_name(self) -> str:
        """The name that MNE's functions for fNIRS expect."""
        what = self.chromophore if self.wavelength is None else f"{self.wavelength:g}"
        return f"S{self.source}_D{self.detector} {what}"

    @property
    def group(self) -> str:
        """What Brainstorm calls the group of such channels, and ends their names with."""
        if self.wavelength is None:
            return self.chromophore[:2].title() + self.chromophore[2:].upper()
        return f"WL{self.wavelength:g}"

    @property
    def brainstorm_name(self) -> str:
        """The name in Brainstorm."""
        return f"S{self.source}D{self.detector}{self.group}"


_BRAINSTORM_OPTODES = re.compile(
    r"S(\d+)[-_ ]?D(\d+)[-_ ]?(?:WL[-_ ]?(\d+(?:\.\d+)?)|(Hb[ORT]))", re.IGNORECASE
)
_MNE_OPTODES = re.compile(r"S(\d+)_D(\d+) (?:(\d+\.?\d*)|(hb[ort]))")


def optodes_of(name: str) -> Optodes | None:
    """Read the name of a NIRS channel, such as ``'S1D1WL690'``, ``'S1D1HbO'``, ``'S1_D1 690'``."""
    found = _BRAINSTORM_OPTODES.fullmatch(name) or _MNE_OPTODES.fullmatch(name)
    if found is None:
        return None
    source, detector, wavelength, chromophore = found.groups()
    return Optodes(
        source=int(source),
        detector=int(detector),
        wavelength=None if wavelength is None else float(wavelength),
        chromophore=(chromophore or "").lower(),
    )


def mne_names(channels: io.Channels) -> tuple[str, ...]:
    """Return the names that the channels of a file have in MNE: printable ASCII, all different.

    These are Brainstorm's where it is one, else those with other characters replaced (``'µV:1'``
    becomes ``'uV_1'``). NIRS channels are named as MNE's functions expect. What repeats is numbered
    as MNE-Python does (``'EEG-0'``, ``'EEG-1'``). The same list gives the same names. Channels that
    were made of an Info have the names that they have there.
    """
    made_of = kept_of(channels).get("info")
    if made_of is not None:
        return tuple(made_of["ch_names"])
    plain = []
    for index, (name, kind) in enumerate(zip(channels.names, channels.types, strict=True)):
        optodes = optodes_of(name) if kind.strip().upper() == "NIRS" else None
        plain.append(_plain(name, index) if optodes is None else optodes.mne_name)
    return _unique(plain, channels.names)


def plain_names(names: Sequence[str]) -> tuple[str, ...]:
    """Return names that FIF files can hold, as :func:`mne_names` makes them."""
    return _unique([_plain(name, index) for index, name in enumerate(names)], names)


def with_mne_names(channels: io.Channels) -> io.Channels:
    """Return a channel file with the names that its channels have in MNE."""
    names = mne_names(channels)
    if names == channels.names:
        return channels
    named = tuple(
        dataclasses.replace(channel, name=name)
        for channel, name in zip(channels.channels, names, strict=True)
    )
    return dataclasses.replace(channels, channels=named)


def renamed(channels: io.Channels) -> dict[str, str]:
    """Return Brainstorm's name of each channel that MNE calls otherwise, by the latter."""
    pairs = zip(mne_names(channels), channels.names, strict=True)
    return {mne: name for mne, name in pairs if mne != name}


def _plain(name: str, index: int) -> str:
    """Return a name of printable ASCII without colons."""
    if name.isascii() and name.isprintable() and ":" not in name and name.strip() == name != "":
        return name
    # the sign of micro and the letter mu look alike
    text = unicodedata.normalize("NFKD", name.replace("\N{MICRO SIGN}", "u").replace("μ", "u"))
    text = "".join(c for c in text if not unicodedata.combining(c))
    text = "".join(c if c.isascii() and c.isprintable() and c != ":" else "_" for c in text).strip()
    return text if any(c.isalnum() for c in text) else f"CH{index + 1}"


def _unique(names: Sequence[str], originals: Sequence[str]) -> tuple[str, ...]:
    """Return different names: what repeats is numbered, unless it is Brainstorm's own name."""
    counts = Counter(names)
    same = Counter(n for n, original in zip(names, originals, strict=True) if n == original)
    # a name stays where it is the only one of its kind, or the only one that was not changed
    stays = [
        n == original and (counts[n] == 1 or same[n] == 1)
        for n, original in zip(names, originals, strict=True)
    ]
    taken = {n for n, stay in zip(names, stays, strict=True) if stay}
    taken |= {n for n in names if counts[n] == 1}
    number: Counter[str] = Counter()
    unique = []
    for name, stay in zip(names, stays, strict=True):
        if stay or counts[name] == 1:
            unique.append(name)
            continue
        while (other := f"{name}-{number[name]}") in taken:
            number[name] += 1
        taken.add(other)
        unique.append(other)
    return tuple(unique)
