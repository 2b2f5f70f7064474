"""The types of channels that an inverse takes, by Brainstorm's names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

__all__ = ["DATA_TYPES", "ELECTRODES", "LISTED", "MEG_TYPES", "data_types_of", "upper_types"]

#: ``MEG`` stands for all three; the others are the types of single channels.
MEG_TYPES = ("MEG", "MEG MAG", "MEG GRAD")
#: Those with an average reference.
ELECTRODES = ("EEG", "SEEG", "ECOG")
DATA_TYPES = (*MEG_TYPES, *ELECTRODES)
#: The same, in the order in which Brainstorm lists them in a file.
LISTED = ("MEG", "MEG GRAD", "MEG MAG", "EEG", "ECOG", "SEEG")


def data_types_of(options: Mapping[str, Any] | None) -> tuple[str, ...]:
    """Return DataTypes of an Options struct, which holds one text or several; () without any."""
    types = (options or {}).get("DataTypes")
    listed = types if isinstance(types, list | tuple) else [types]
    return tuple(kind for kind in listed if isinstance(kind, str))


def upper_types(types: str | Iterable[str]) -> tuple[str, ...]:
    """Write a type or several as they are compared, whose case and outer white space mean nothing.

    What is no text stays as it is, to be refused.
    """
    listed = isinstance(types, Iterable) and not isinstance(types, str | bytes)
    several: Iterable[Any] = types if listed else (types,)
    return tuple(kind.strip().upper() if isinstance(kind, str) else kind for kind in several)
