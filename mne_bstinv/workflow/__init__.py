"""Protocols whose conditions are both: Brainstorm's structures and MNE-Python's objects.

Everything is made when it is first asked for, once; MNE is imported when the first of its objects
is.
"""

from mne_bstinv.workflow.condition import StudyCondition
from mne_bstinv.workflow.protocol import StudyProtocol, read_protocol

__all__ = ["StudyCondition", "StudyProtocol", "read_protocol"]
