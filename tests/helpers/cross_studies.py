"""Studies of the protocols in the repository, one object each."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from mne_bstinv import io
from mne_bstinv.adapters.equivalence import MneSettings, kernel_blocks
from mne_bstinv.cross_validation.conventions import conventions_of
from mne_bstinv.cross_validation.distances import relative_distance
from mne_bstinv.cross_validation.engine import Engine
from mne_bstinv.cross_validation.ingredients import gather
from mne_bstinv.inverse import compute_kernel
from mne_bstinv.inverse.options import AnyOptions
from mne_bstinv.studies.files import Studies
from mne_bstinv.verification import find_results


@lru_cache(maxsize=4)
def kernels_of(root: Path) -> list[tuple[SimpleNamespace, dict]]:
    """Each results file of a protocol: its study and its options."""
    studies, found = Studies(), []
    surface, head_model, average = map(
        lru_cache, (io.read_surface, io.read_head_model, io.read_recordings)
    )
    for file in find_results(root):
        results, files = io.read_results(file), studies.of(file)
        recordings = files.find(results.data_file, "data") or next(
            (root / "data" / "Subject01").rglob("data_*.mat")
        )
        cortex = files.find(results.surface_file, "anat")
        study = SimpleNamespace(
            name=root.name,
            head_model=head_model(files.find(results.head_model_file, "data")),
            noise_cov=studies.noise_cov(files.noise_cov_file),
            channels=studies.channels(files.channel_file),
            recordings=average(recordings),
            cortex=None if cortex is None else surface(cortex),
            mri=None,
        )
        found.append((study, results.options))
    return found


def remainders(
    study: SimpleNamespace,
    options: AnyOptions,
    settings: MneSettings,
    data_types: str | tuple[str, ...],
) -> tuple[float, float]:
    """Distance of the path's ends from the toolboxes' own kernels."""
    ingredients = gather(study, options, settings, data_types)
    result = compute_kernel(
        ingredients.side.common.head_model, study.noise_cov, study.channels,
        channel_flag=study.recordings.channel_flag, data_types=data_types, options=options,
        n_avg=max(study.recordings.n_avg, 1),
    )  # fmt: skip
    ours = kernel_blocks(result, ingredients.normals)
    if options.measure == "sloreta":
        ours = ours / np.sqrt(result.lambda_)
    everything = frozenset(c.key for c in conventions_of(options.year))
    start, end = (Engine(ingredients).blocks(keys) for keys in (frozenset(), everything))
    if start.shape != ours.shape:  # compared along the normals
        ours = ingredients.on_normals(ours)
    theirs = ingredients.side.blocks()
    if end.shape != theirs.shape:
        theirs = ingredients.on_normals(theirs)
    return relative_distance(start, ours), relative_distance(end, theirs)
