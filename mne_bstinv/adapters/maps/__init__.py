"""Maps through MNE: what its functions make of estimates, and what to call for Brainstorm's."""

from mne_bstinv.adapters.maps.calls import CALLS, MapCall
from mne_bstinv.adapters.maps.cortex_map import (
    CortexMap,
    cortex_map,
    label_time_courses,
    morphed_by_mne,
    rescaled_by_mne,
    smoothed_by_mne,
)

__all__ = [
    "CALLS",
    "CortexMap",
    "MapCall",
    "cortex_map",
    "label_time_courses",
    "morphed_by_mne",
    "rescaled_by_mne",
    "smoothed_by_mne",
]
