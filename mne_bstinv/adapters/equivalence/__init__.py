"""What to tell MNE for Brainstorm's kernel, and the kernels that MNE computes itself."""

from mne_bstinv.adapters.equivalence.equivalent import MneEquivalent
from mne_bstinv.adapters.equivalence.inputs import (
    GathersStudy,
    Study,
    averages_of,
    default_data_types,
    require_study,
)
from mne_bstinv.adapters.equivalence.kernels import kernel_blocks, sloreta_unit
from mne_bstinv.adapters.equivalence.mne_objects import MneObjects, mne_objects
from mne_bstinv.adapters.equivalence.mne_side import (
    MneSide,
    estimated_rank,
    meg_and_electrodes,
    mne_projector,
    mne_side,
)
from mne_bstinv.adapters.equivalence.settings import DepthSettings, MneSettings, no_minimum_norm
from mne_bstinv.adapters.equivalence.translation import equivalent_of, mne_equivalent

__all__ = [
    "DepthSettings",
    "GathersStudy",
    "MneEquivalent",
    "MneObjects",
    "MneSettings",
    "MneSide",
    "Study",
    "averages_of",
    "default_data_types",
    "equivalent_of",
    "estimated_rank",
    "kernel_blocks",
    "meg_and_electrodes",
    "mne_equivalent",
    "mne_objects",
    "mne_projector",
    "mne_side",
    "no_minimum_norm",
    "require_study",
    "sloreta_unit",
]
