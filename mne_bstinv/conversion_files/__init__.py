"""One file of one toolbox ⇄ a file of the other: its kind, its companions and the way."""

from mne_bstinv.conversion_files.convert import ConvertedFile, convert_file
from mne_bstinv.conversion_files.recording_readers import (
    read_cov_brainstorm,
    read_epochs_brainstorm,
    read_evokeds_brainstorm,
    read_info_brainstorm,
)
from mne_bstinv.conversion_files.source_readers import (
    read_forward_brainstorm,
    read_inverse_operator_brainstorm,
    read_labels_brainstorm,
    read_source_estimate_brainstorm,
    read_source_spaces_brainstorm,
)

__all__ = [
    "ConvertedFile",
    "convert_file",
    "read_cov_brainstorm",
    "read_epochs_brainstorm",
    "read_evokeds_brainstorm",
    "read_forward_brainstorm",
    "read_info_brainstorm",
    "read_inverse_operator_brainstorm",
    "read_labels_brainstorm",
    "read_source_estimate_brainstorm",
    "read_source_spaces_brainstorm",
]
