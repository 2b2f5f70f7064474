"""Which channels an inverse is computed from."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np

from mne_bstinv._data_types import DATA_TYPES, MEG_TYPES, upper_types
from mne_bstinv._types import AnyArray, IntArray
from mne_bstinv.errors import InverseError, OptionError
from mne_bstinv.inverse.structures import ChannelsLike

__all__ = [
    "given_channels",
    "parse_flags",
    "refuse_unknown_types",
    "select_channels",
    "types_left_out",
]

logger = logging.getLogger("mne_bstinv")


def select_channels(
    channels: ChannelsLike,
    channel_flag: AnyArray | Sequence[int] | None,
    data_types: str | Sequence[str] | None,
) -> IntArray:
    """Select the good channels (flag 1, not −1) of some types: 0-based positions, sorted.

    Without flags (None) all are good. Data types are those of :func:`~mne_bstinv.compute_kernel`;
    an unknown one, or none, is refused, and so is a selection that leaves no channel.
    """
    wanted = _parse_data_types(data_types)
    selected = {t for kind in wanted for t in (MEG_TYPES if kind == "MEG" else (kind,))}
    of_type = np.array([kind in selected for kind in upper_types(channels.types)], dtype=bool)
    flags = np.ones(len(of_type)) if channel_flag is None else np.ravel(channel_flag)
    good = np.flatnonzero(of_type & (flags >= 0))
    if good.size == 0:
        present = ", ".join(dict.fromkeys(channels.types)) or "none"
        found = f"all {of_type.sum()} are bad" if of_type.any() else "there is none at all"
        raise InverseError(
            f"No good channel of type {', '.join(wanted)}: {found}. The channel file holds the "
            f"types {present}. Choose another type, or mark channels good."
        )
    return good


def parse_flags(
    flags: AnyArray | Sequence[int] | None,
) -> tuple[AnyArray | None, tuple[str, ...]]:
    """Read a channel flag: 1 good, −1 bad; 0 counts as good, as in Brainstorm, but is told."""
    if flags is None:
        return None, ()
    array = np.ravel(np.asarray(flags))
    if array.dtype.kind not in "if" or not np.isin(array, (-1, 0, 1)).all():
        raise InverseError(
            "The channel flag must hold 1 (good) and −1 (bad) for each channel, found "
            f"{array.dtype} values such as {array[:3].tolist()}."
        )
    zero = int(np.sum(array == 0))
    if not zero:
        return array, ()
    message = f"The channel flag is 0 for {zero} channel(s): they count as good; bad is −1."
    logger.warning(message)
    return array, (message,)


def types_left_out(
    channels: ChannelsLike, good: IntArray, data_types: str | Sequence[str] | None
) -> tuple[str, ...]:
    """Warn of data types asked for that no good channel (0-based) is of; log it too."""
    found = set(upper_types(channels.types[i] for i in good.tolist()))
    missing = [
        kind
        for kind in _parse_data_types(data_types)
        if not found & set(MEG_TYPES if kind == "MEG" else (kind,))
    ]
    if not missing:
        return ()
    message = f"No good channel of type {', '.join(missing)}: computed without."
    logger.warning(message)
    return (message,)


def given_channels(good: AnyArray | Sequence[int], n: int) -> IntArray:
    """Return 0-based channels, refused unless they are distinct whole numbers below n."""
    given = np.ravel(np.asarray(good))
    index: IntArray = given.astype(np.int64) if given.dtype.kind in "iuf" else np.empty(0, int)
    if index.size == 0 or (index != given).any() or np.unique(index).size < index.size:
        raise InverseError(f"Good channels must be distinct whole numbers, found {good!r}.")
    if index.min() < 0 or index.max() >= n:
        raise InverseError(
            f"Good channels run from {index.min()} to {index.max()} (0-based), but the channel "
            f"file holds {n} channels: expected 0 to {n - 1}. Subtract 1 from Brainstorm's "
            "GoodChannel."
        )
    return index


def _parse_data_types(data_types: str | Sequence[str] | None) -> list[str]:
    if not isinstance(data_types, str | Sequence | np.ndarray | None):
        raise OptionError(f"Data types must be text or a list of text, found {data_types!r}.")
    entries = (
        [data_types]
        if isinstance(data_types, str)
        else list(() if data_types is None else data_types)
    )
    wanted = list(upper_types(map(str, entries)))
    unknown = [str(e) for e, w in zip(entries, wanted, strict=True) if w not in DATA_TYPES]
    if unknown or not wanted:
        found = f"Unknown data type {unknown[0]!r}" if unknown else "No data type was given"
        raise OptionError(f"{found}. data_types must be of {', '.join(DATA_TYPES)}.")
    return wanted


def refuse_unknown_types(types: Sequence[str], names: Sequence[str] | None) -> None:
    """Refuse channels of types that no inverse is computed from, by name, else by position."""
    for index, kind in enumerate(types):
        if kind.strip().upper() not in DATA_TYPES:
            which = f"Channel {index + 1}" if names is None else f"Channel {names[index]}"
            raise OptionError(
                f"{which} is of type {kind!r}, which has no inverse. "
                f"Must be one of {', '.join(DATA_TYPES)}."
            )
