"""MNE's files: their names, how they are read and written, and the kinds of objects in them."""

from mne.utils import verbose

from mne_bstinv.adapters.files.endings import MNE_ENDINGS, estimate_ending, mne_kind
from mne_bstinv.adapters.files.formats import open_raw, quiet, read_mne, write_mne, write_new
from mne_bstinv.adapters.files.objects import (
    converted,
    distance_of_trans,
    in_mri_frame,
    kind_of,
    of_channels,
    recordings_from,
)

__all__ = [
    "MNE_ENDINGS",
    "converted",
    "distance_of_trans",
    "estimate_ending",
    "in_mri_frame",
    "kind_of",
    "mne_kind",
    "of_channels",
    "open_raw",
    "quiet",
    "read_mne",
    "recordings_from",
    "verbose",
    "write_mne",
    "write_new",
]
