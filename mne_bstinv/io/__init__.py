"""Brainstorm's files as read-only structures, and back.

Structures hold the raw values of the files (frames, units, order, 1-based indices); only shapes
and classes are restored. Nothing here knows MNE.
"""

from __future__ import annotations

from mne_bstinv.io.bst import BstFile, BstHeader, BstWriter, open_bst, write_bst
from mne_bstinv.io.channels import (
    Channel,
    Channels,
    HeadPoints,
    read_channels,
    write_channels,
)
from mne_bstinv.io.covariance import NoiseCov, read_noise_cov, write_noise_cov
from mne_bstinv.io.dipoles import Dipole, Dipoles, read_dipoles, write_dipoles
from mne_bstinv.io.events import Event
from mne_bstinv.io.fiducials import NCS, SCS
from mne_bstinv.io.filenames import file_kind
from mne_bstinv.io.head_model import HeadModel, Sphere, read_head_model, write_head_model
from mne_bstinv.io.link import Link, LinkEpoch, LinkProperties
from mne_bstinv.io.matrix import Matrix, read_matrix, write_matrix
from mne_bstinv.io.mri import Mri, read_mri, write_mri
from mne_bstinv.io.projectors import Projector
from mne_bstinv.io.protocol import read_protocol, resolve
from mne_bstinv.io.protocol_entries import (
    Condition,
    Protocol,
    RecordingsEntry,
    ResultsEntry,
    SubjectEntry,
)
from mne_bstinv.io.recordings import Recordings, read_recordings, write_recordings
from mne_bstinv.io.results import Results, read_results, write_results
from mne_bstinv.io.scouts import Atlas, GridAtlas, Scout
from mne_bstinv.io.statistics import Statistics, read_statistics, write_statistics
from mne_bstinv.io.study import (
    Study,
    Subject,
    read_study,
    read_subject,
    write_study,
    write_subject,
)
from mne_bstinv.io.surface import Surface, read_surface, write_surface
from mne_bstinv.io.timefreq import TimeFreq, read_timefreq, write_timefreq

__all__ = [
    "NCS",
    "SCS",
    "Atlas",
    "BstFile",
    "BstHeader",
    "BstWriter",
    "Channel",
    "Channels",
    "Condition",
    "Dipole",
    "Dipoles",
    "Event",
    "GridAtlas",
    "HeadModel",
    "HeadPoints",
    "Link",
    "LinkEpoch",
    "LinkProperties",
    "Matrix",
    "Mri",
    "NoiseCov",
    "Projector",
    "Protocol",
    "Recordings",
    "RecordingsEntry",
    "Results",
    "ResultsEntry",
    "Scout",
    "Sphere",
    "Statistics",
    "Study",
    "Subject",
    "SubjectEntry",
    "Surface",
    "TimeFreq",
    "file_kind",
    "open_bst",
    "read_channels",
    "read_dipoles",
    "read_head_model",
    "read_matrix",
    "read_mri",
    "read_noise_cov",
    "read_protocol",
    "read_recordings",
    "read_results",
    "read_statistics",
    "read_study",
    "read_subject",
    "read_surface",
    "read_timefreq",
    "resolve",
    "write_bst",
    "write_channels",
    "write_dipoles",
    "write_head_model",
    "write_matrix",
    "write_mri",
    "write_noise_cov",
    "write_recordings",
    "write_results",
    "write_statistics",
    "write_study",
    "write_subject",
    "write_surface",
    "write_timefreq",
]
