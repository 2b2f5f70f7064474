"""Studies of the protocols in the repository, one object each."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from types import SimpleNamespace

from mne_bstinv import io
from mne_bstinv.studies.files import Studies
from mne_bstinv.verification import find_results


@lru_cache(maxsize=4)
def kernels_of(root: Path) -> list[tuple[SimpleNamespace, dict]]:
    """Each results file of a protocol: its study and its options."""
    studies, found = Studies(), []
    surface = lru_cache(io.read_surface)
    for file in find_results(root):
        results, files = io.read_results(file), studies.of(file)
        recordings = files.find(results.data_file, "data") or next(
            (root / "data" / "Subject01").rglob("data_*.mat")
        )
        cortex = files.find(results.surface_file, "anat")
        study = SimpleNamespace(
            name=root.name,
            head_model=io.read_head_model(files.find(results.head_model_file, "data")),
            noise_cov=studies.noise_cov(files.noise_cov_file),
            channels=studies.channels(files.channel_file),
            recordings=io.read_recordings(recordings),
            cortex=None if cortex is None else surface(cortex),
            mri=None,
        )
        found.append((study, results.options))
    return found
