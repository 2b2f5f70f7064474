"""Names of Brainstorm's subjects in MNE-Python, where each has an anatomy of its name."""

from __future__ import annotations

from mne_bstinv import io

__all__ = ["DEFAULT_SUBJECT", "mne_subject"]

#: The anatomy that subjects share.
DEFAULT_SUBJECT = "default_subject"


def mne_subject(subject: io.SubjectEntry, own: str | None = None) -> str:
    """Return the name in MNE: of the shared anatomy, or the subject's ``own``, by default its."""
    if subject.use_default_anat:
        return DEFAULT_SUBJECT
    return subject.name if own is None else own
