"""Stored results with the structures they were computed from, for the tests of the adapters."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from mne_bstinv import io
from mne_bstinv.adapters.operators.operator_to_mne import to_inverse_operator
from mne_bstinv.adapters.sensors.to_mne import to_info
from mne_bstinv.adapters.sources.spaces_to_mne import to_source_spaces
from mne_bstinv.studies.files import Studies
from mne_bstinv.verification import find_results

PUBLIC = ("eeg_shared", "eeg_surface", "eeg_volume", "meg_eeg", "mixed")
LOCAL = ("eeg_surface", "eeg_volume", "meg_ctf", "meg_neuromag", "mixed")


@dataclass(frozen=True, eq=False)
class StoredResults:
    """A results file with its study."""

    file: Path
    results: io.Results
    head_model: io.HeadModel
    noise_cov: io.NoiseCov
    channels: io.Channels
    surface: io.Surface | None
    mri: io.Mri
    recordings: io.Recordings | None

    @property
    def places(self) -> dict[str, Any]:
        return {"surface": self.surface, "mri": self.mri}

    def operator(self, **options: Any) -> Any:
        """The operator of the stored options; source spaces and sensors are made once a study."""
        return to_inverse_operator(
            self.head_model,
            self.noise_cov,
            self.channels,
            {**self.results.options, **options},
            channel_flag=self.results.channel_flag,
            good_channels=self.results.good_channel - 1,
            **self.places,
        )

    def quick_operator(self) -> Any:
        src, info = sensors_and_sources(self.head_model, self.channels, self.surface, self.mri)
        return to_inverse_operator(
            self.head_model,
            self.noise_cov,
            self.channels,
            self.results.options,
            good_channels=self.results.good_channel - 1,
            info=info,
            src=src,
            **self.places,
        )

    @property
    def method(self) -> str:
        return self.results.options["InverseMethod"]

    def estimate(self) -> np.ndarray:
        """What Brainstorm's kernel says of the recordings, or the stored estimate."""
        if self.results.imaging_kernel is None:
            return self.results.amplitudes
        good = self.results.good_channel - 1
        return self.results.imaging_kernel @ self.recordings.f[good]


@lru_cache(maxsize=8)
def sensors_and_sources(head_model: Any, channels: Any, surface: Any, mri: Any) -> Any:
    return (
        to_source_spaces(head_model, surface, mri, channels=channels),
        to_info(channels, sfreq=1000.0, mri=mri),
    )


@lru_cache(maxsize=16)
def stored_results(root: Path) -> list[StoredResults]:
    """All results of a protocol."""
    studies = Studies()
    head_model = lru_cache(io.read_head_model)
    surface = lru_cache(io.read_surface)
    mri = io.read_mri(next((root / "anat" / "Subject01").glob("subjectimage*.mat")))
    found = []
    for file in find_results(root):
        results, study = io.read_results(file), studies.of(file)
        # a shared kernel belongs to any of the recordings of the subject
        recordings = study.find(results.data_file, "data") or next(
            (root / "data" / "Subject01").rglob("data_*.mat")
        )
        cortex = study.find(results.surface_file, "anat")
        found.append(
            StoredResults(
                file=file,
                results=results,
                head_model=head_model(study.find(results.head_model_file, "data")),
                noise_cov=studies.noise_cov(study.noise_cov_file),
                channels=studies.channels(study.channel_file),
                surface=None if cortex is None else surface(cortex),
                mri=mri,
                recordings=io.read_recordings(recordings),
            )
        )
    return found


def one_of_each(stored: list[StoredResults]) -> list[StoredResults]:
    """The first of each measure with each orientation, and of each choice of channels.

    The other options are gone through with the protocols of the repository.
    """
    found, seen = [], set()
    for one in stored:
        options = one.results.options
        names = ("InverseMethod", "InverseMeasure", "SourceOrient")
        kinds = {repr([options[name] for name in names]), repr(options["DataTypes"])}
        if not kinds <= seen:
            found.append(one)
            seen |= kinds
    return found


def relative(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Relative Frobenius difference; NaN in both places is equal."""
    assert ours.shape == theirs.shape
    np.testing.assert_array_equal(np.isnan(ours), np.isnan(theirs))
    difference = np.linalg.norm(np.nan_to_num(ours - theirs))
    return float(difference / np.linalg.norm(np.nan_to_num(theirs)))
