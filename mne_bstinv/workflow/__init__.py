"""Protocols whose conditions are both: Brainstorm's structures and MNE-Python's objects.

Everything is made when it is first asked for, once; MNE is imported when the first of its objects
is.
"""

from mne_bstinv.workflow._lookup import is_average
from mne_bstinv.workflow.condition import StudyCondition
from mne_bstinv.workflow.protocol import StudyProtocol, read_protocol, study_condition

__all__ = ["StudyCondition", "StudyProtocol", "is_average", "read_protocol", "study_condition"]
