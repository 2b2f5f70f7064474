"""Which files of a study go together, and what follows from them."""

from mne_bstinv.studies.data import StudyData, load_study

__all__ = ["StudyData", "load_study"]
