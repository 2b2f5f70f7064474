"""The small sample: a study of 296 locations whose numbers many tests state."""

from __future__ import annotations

from pathlib import Path

from mne_bstinv.datasets import SampleStudy, read_sample

SMALL_SAMPLE = Path(__file__).parents[1] / "data" / "sample_small"


def load_small_sample() -> SampleStudy:
    """Read its structures."""
    return read_sample(SMALL_SAMPLE)
