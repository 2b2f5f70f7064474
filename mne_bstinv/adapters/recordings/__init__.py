"""Recordings, events and covariances ⇄ Evoked, Epochs, Raw, Annotations and Covariance."""

from mne_bstinv.adapters.recordings.continuous import as_read
from mne_bstinv.adapters.recordings.covariance import (
    from_covariance,
    noise_cov_from,
    to_covariance,
    with_moments,
)
from mne_bstinv.adapters.recordings.defaults import pending_projections, safe_by_default
from mne_bstinv.adapters.recordings.events import same_times, sampling_frequency
from mne_bstinv.adapters.recordings.formats import check_format
from mne_bstinv.adapters.recordings.from_mne import from_epochs, from_evoked
from mne_bstinv.adapters.recordings.imported import epochs_as_imported
from mne_bstinv.adapters.recordings.noise_estimator import NOTHING_COUNTED, Window, noise_window
from mne_bstinv.adapters.recordings.raw_reader import RawBrainstorm, read_raw_brainstorm
from mne_bstinv.adapters.recordings.raw_writer import ContinuousRecording, from_raw
from mne_bstinv.adapters.recordings.to_mne import to_annotations, to_epochs, to_evoked, to_raw_array

__all__ = [
    "NOTHING_COUNTED",
    "ContinuousRecording",
    "RawBrainstorm",
    "Window",
    "as_read",
    "check_format",
    "epochs_as_imported",
    "from_covariance",
    "from_epochs",
    "from_evoked",
    "from_raw",
    "noise_cov_from",
    "noise_window",
    "pending_projections",
    "read_raw_brainstorm",
    "safe_by_default",
    "same_times",
    "sampling_frequency",
    "to_annotations",
    "to_covariance",
    "to_epochs",
    "to_evoked",
    "to_raw_array",
    "with_moments",
]
