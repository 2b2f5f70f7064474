"""Which subjects and conditions of a protocol are asked for."""

from __future__ import annotations

from collections.abc import Sequence

from mne_bstinv import io
from mne_bstinv.errors import OptionError
from mne_bstinv.io.protocol_entries import choices, no_such
from mne_bstinv.io.stored_paths import spelled_as

__all__ = ["Names", "asked_names", "listed_names"]

#: Names that are asked for; None for all.
Names = tuple[str, ...] | None


def listed_names(names: str | Sequence[str] | None) -> Names:
    """Return names as a tuple: one alone may be given without a list; None stands for all."""
    if names is None:
        return None
    return (names,) if isinstance(names, str) else tuple(names)


def asked_names(
    protocol: io.Protocol,
    subjects: str | Sequence[str] | None,
    conditions: str | Sequence[str] | None,
) -> tuple[Names, Names]:
    """Return the names of subjects, and of their conditions, as their folders are spelled.

    Refuses names that are not there, and a list without any.
    """
    known = [subject.name for subject in protocol.subjects]
    chosen = _spelled(protocol, subjects, known, "subject")
    taken = known if chosen is None else chosen
    names = [c.name for s in protocol.subjects if s.name in taken for c in s.conditions]
    return chosen, _spelled(protocol, conditions, names, "condition")


def _spelled(
    protocol: io.Protocol, wanted: str | Sequence[str] | None, known: list[str], what: str
) -> Names:
    listed = listed_names(wanted)
    if listed is None:
        return None
    # not its path: of an archive, that is a folder that will be gone
    where = f"Protocol {protocol.name!r}"
    if not listed:
        raise OptionError(f"{where}: {what}s is an empty list; {choices(known)}, or None for all.")
    names = tuple(spelled_as(name, known) for name in listed)
    for name in names:
        if name not in known:
            raise no_such(where, f"{what} {name!r}", known)
    return names
