"""The small sample: a study of 296 locations whose numbers many tests state."""

from __future__ import annotations

from pathlib import Path

import mne

from mne_bstinv import to_covariance, to_evoked, to_forward
from mne_bstinv.datasets import SampleStudy, read_sample

SMALL_SAMPLE = Path(__file__).parents[1] / "data" / "sample_small"


def load_small_sample() -> SampleStudy:
    """Read its structures."""
    return read_sample(SMALL_SAMPLE)


def write_small_sample(folder: Path) -> mne.Forward:
    """Write ``s-ave.fif``, ``s-fwd.fif`` and ``s-cov.fif`` of it; return the forward solution."""
    study = load_small_sample()
    with mne.use_log_level("error"):
        to_evoked(study.recordings, study.channels).save(folder / "s-ave.fif")
        forward = to_forward(study.head_model, study.channels, surface=study.cortex)
        mne.write_forward_solution(folder / "s-fwd.fif", forward)
        mne.write_cov(folder / "s-cov.fif", to_covariance(study.noise_cov, study.channels))
    return forward
