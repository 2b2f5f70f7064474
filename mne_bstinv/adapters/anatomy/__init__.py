"""Surfaces, scouts and MRI ⇄ subject folders and labels."""

from mne_bstinv.adapters.anatomy.labels_from_mne import from_labels
from mne_bstinv.adapters.anatomy.labels_to_mne import LabelList, to_labels
from mne_bstinv.adapters.anatomy.mri_from_mne import read_freesurfer_mri
from mne_bstinv.adapters.anatomy.surfaces_to_mne import SubjectFolder, to_surfaces, to_trans

__all__ = [
    "LabelList",
    "SubjectFolder",
    "from_labels",
    "read_freesurfer_mri",
    "to_labels",
    "to_surfaces",
    "to_trans",
]
