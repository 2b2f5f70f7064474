"""Surfaces, scouts and MRI ⇄ subject folders and labels."""

from mne_bstinv.adapters.anatomy.labels_from_mne import from_labels
from mne_bstinv.adapters.anatomy.labels_to_mne import LabelList, to_labels
from mne_bstinv.adapters.anatomy.morph import (
    fsaverage_cortex,
    ico_vertices,
    is_registered,
    read_registered_cortex,
    to_source_morph,
)
from mne_bstinv.adapters.anatomy.mri_from_mne import read_freesurfer_mri
from mne_bstinv.adapters.anatomy.single_files import (
    from_mesh,
    read_mesh,
    read_parcellation,
    to_mesh_files,
    to_scout_files,
    to_volume_file,
    write_contents,
)
from mne_bstinv.adapters.anatomy.surfaces_to_mne import SubjectFolder, to_surfaces, to_trans

__all__ = [
    "LabelList",
    "SubjectFolder",
    "from_labels",
    "from_mesh",
    "fsaverage_cortex",
    "ico_vertices",
    "is_registered",
    "read_freesurfer_mri",
    "read_mesh",
    "read_parcellation",
    "read_registered_cortex",
    "to_labels",
    "to_mesh_files",
    "to_scout_files",
    "to_source_morph",
    "to_surfaces",
    "to_trans",
    "to_volume_file",
    "write_contents",
]
