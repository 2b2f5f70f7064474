"""What Brainstorm does with continuous recordings, on arrays: reading, importing, covariances.

NumPy only: samples come from whatever a :class:`Recording` reads them from.
"""

from __future__ import annotations

from mne_bstinv.continuous.blocks import Block, event_blocks, file_name, load, time_blocks
from mne_bstinv.continuous.covariance import (
    BLOCK,
    COVARIANCE_TYPES,
    Covariance,
    CovarianceOptions,
    covariance,
)
from mne_bstinv.continuous.reading import Read, Reading, projector_on_the_fly, read
from mne_bstinv.continuous.recording import Recording, recording_of_bst, rows_of
from mne_bstinv.continuous.segments import Segment, bad_segments, in_segments, segments_of
from mne_bstinv.continuous.ssp import SspOptions, average_reference, ssp

__all__ = [
    "BLOCK",
    "COVARIANCE_TYPES",
    "Block",
    "Covariance",
    "CovarianceOptions",
    "Read",
    "Reading",
    "Recording",
    "Segment",
    "SspOptions",
    "average_reference",
    "bad_segments",
    "covariance",
    "event_blocks",
    "file_name",
    "in_segments",
    "load",
    "projector_on_the_fly",
    "read",
    "recording_of_bst",
    "rows_of",
    "segments_of",
    "ssp",
    "time_blocks",
]
