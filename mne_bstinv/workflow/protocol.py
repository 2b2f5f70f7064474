"""A protocol whose conditions give MNE's objects."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field

from mne_bstinv import io
from mne_bstinv.io.mat import PathLike
from mne_bstinv.studies.subjects import mne_subject as subject_in_mne
from mne_bstinv.workflow.condition import StudyCondition
from mne_bstinv.workflow.store import Store
from mne_bstinv.workflow.summary import protocol_html, protocol_text

__all__ = ["StudyProtocol", "read_protocol", "study_condition"]


@dataclass(frozen=True, kw_only=True, repr=False, eq=False)
class StudyProtocol(io.Protocol):
    """A protocol on disk; its conditions read and convert what is asked of them.

    ``subjects``, ``problems`` and the rest are those of :class:`mne_bstinv.io.Protocol`.
    """

    #: What the conditions read and made, shared by them.
    store: Store = field(default_factory=Store)

    def __str__(self) -> str:
        return protocol_text(self)

    def _repr_html_(self) -> str:
        return protocol_html(self)

    def condition(self, subject: str, condition: str) -> StudyCondition:
        """Return a condition.

        Parameters
        ----------
        subject : str
            Name of the subject.
        condition : str
            Name of the condition.

        Returns
        -------
        StudyCondition
            The condition, with its files, structures and MNE objects.

        Raises
        ------
        ProtocolError
            If there is none of that name.
        """
        entry = io.Protocol.condition(self, subject, condition)
        return study_condition(self, self.subject(subject), entry, store=self.store)


def read_protocol(path: PathLike) -> StudyProtocol:
    """Read which files a protocol holds, for work with both toolboxes.

    Only file names and short texts inside the files are read, no large arrays.

    Parameters
    ----------
    path : path-like
        The folder of the protocol, or any file or folder in it.

    Returns
    -------
    StudyProtocol
        Subjects, conditions, recordings and results. Files that cannot be read are listed in
        ``problems``. ``condition(subject, name)`` gives the MNE objects of a condition.

    Raises
    ------
    ProtocolError
        If no folder above ``path`` holds both ``anat`` and ``data``.
    """
    found = io.read_protocol(path)
    return StudyProtocol(**{f.name: getattr(found, f.name) for f in dataclasses.fields(found)})


def study_condition(
    protocol: io.Protocol,
    subject: io.SubjectEntry,
    condition: io.Condition,
    *,
    store: Store | None = None,
    mne_subject: str | None = None,
) -> StudyCondition:
    """Make a condition that reads and converts of one that only lists its files.

    Without a store it keeps what it reads in one of its own; without a name in MNE the subject
    has that of the folder of its anatomy.
    """
    listed = {f.name: getattr(condition, f.name) for f in dataclasses.fields(io.Condition)}
    return StudyCondition(
        **listed,
        protocol=protocol,
        anatomy=subject,
        store=Store() if store is None else store,
        mne_subject=mne_subject or subject_in_mne(subject),
    )
