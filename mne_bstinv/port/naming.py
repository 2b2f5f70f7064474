"""What the folders of a port are called, and what the names of their files begin with.

Names do not depend on which subjects and conditions are asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from mne_bstinv import io
from mne_bstinv.port.names import safe_names
from mne_bstinv.studies.subjects import DEFAULT_SUBJECT, mne_subject

__all__ = ["OutputNames", "anatomy_folder", "mne_subjects", "named_conditions"]

#: Folder of the anatomies: MNE's ``subjects_dir``.
_SUBJECTS = "subjects"
#: Folder of what conditions of one subject share, or the beginning of one of several subjects.
_SHARED = "default_study"
#: Names in the output that no subject may have.
_TAKEN = (_SUBJECTS, DEFAULT_SUBJECT, _SHARED, "port.json", "port.html")


@dataclass(frozen=True, kw_only=True)
class OutputNames:
    """What a condition is called in the output; folders are relative to it, with ``/``."""

    #: Name of its subject in MNE.
    mne_subject: str
    folder: str
    #: Folder of the files that it shares; empty if it has its own.
    shared: str

    @property
    def stem(self) -> str:
        """What its files' names begin with."""
        return self.folder.replace("/", "_")

    @property
    def shared_stem(self) -> str:
        """What the names of the files begin with that it shares."""
        return self.shared.replace("/", "_")


def anatomy_folder(mne_subject: str) -> str:
    """Return the folder of the anatomy of a name in MNE."""
    return f"{_SUBJECTS}/{mne_subject}"


def mne_subjects(protocol: io.Protocol) -> dict[str, str]:
    """Return the names in MNE of the subjects, by those in Brainstorm."""
    safe = _safe_subjects(protocol)
    return {each.name: mne_subject(each, safe[each.name]) for each in protocol.subjects}


def named_conditions(
    protocol: io.Protocol,
) -> Iterator[tuple[io.SubjectEntry, io.Condition, OutputNames]]:
    """Yield each condition with its subject and what it is called."""
    safe = _safe_subjects(protocol)
    for subject in protocol.subjects:
        mine, in_mne = safe[subject.name], mne_subject(subject, safe[subject.name])
        names = safe_names((each.name for each in subject.conditions), taken=(_SHARED,))
        for condition in subject.conditions:
            found = OutputNames(
                mne_subject=in_mne,
                folder=f"{mine}/{names[condition.name]}",
                shared=_shared_folder(protocol, condition, mine, in_mne),
            )
            yield subject, condition, found


def _safe_subjects(protocol: io.Protocol) -> dict[str, str]:
    return safe_names((subject.name for subject in protocol.subjects), taken=_TAKEN)


def _shared_folder(
    protocol: io.Protocol, condition: io.Condition, safe_subject: str, mne_subject: str
) -> str:
    """Return the folder of the files that a condition shares; empty if it has its own."""
    if condition.channel_file is None or condition.channel_file.parent == condition.folder:
        return ""
    if condition.channel_file.parent.parent == protocol.data:
        # one channel file for all: what is made of it depends on the anatomy too
        return f"{_SHARED}_{mne_subject}"
    return f"{safe_subject}/{_SHARED}"
