"""Scanned dipoles: computed again from the results that they name."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mne_bstinv import io
from mne_bstinv._types import FloatArray, IntArray
from mne_bstinv.derived.library import Library, NotComparableError
from mne_bstinv.derived.outcome import Recomputed, relative_difference
from mne_bstinv.maps import DipoleScan, scan_dipoles

__all__ = ["recompute_dipoles"]


def recompute_dipoles(file: Path, stored: io.Dipoles, library: Library) -> Recomputed:
    """Scan dipoles again: positions, moments and goodness of fit are compared.

    Where not all locations were scanned, those that appear in the file are the choice.
    ``NotComparableError`` if they were not scanned, or what they were scanned in is missing.
    """
    link = stored.data_file or ""
    if not stored.dipole or not link:
        raise NotComparableError("They do not name the results that they were scanned in.")
    name, _, data = link.removeprefix("link|").partition("|")
    results = library.results(library.results_file(name, file))
    recordings = library.recordings(library.needed(data or results.data_file, file, "recordings"))
    model = library.head_model(library.needed(results.head_model_file, file, "head model"))
    times = stored.times
    window = float(times.min()), float(times.max())
    scan = scan_dipoles(results, recordings, model, window=window)
    difference = _difference(scan, stored)
    how = "all locations"
    if not difference <= 1e-6:  # a scan of scouts: a location that is not in one was the largest
        chosen = _locations(stored.positions, model.grid_loc)
        scan = scan_dipoles(results, recordings, model, window=window, vertices=chosen + 1)
        among = _difference(scan, stored)
        if among < difference:
            difference = among
            how = f"the {len(chosen)} locations that appear in it; its scouts are not stored"
    return Recomputed(kind="scanned dipoles", difference=difference, parents=(link,), how=how)


def _locations(positions: FloatArray, grid: FloatArray) -> IntArray:
    """Return the locations (0-based, each once) that the dipoles are at."""
    distances = ((positions[:, np.newaxis] - grid[np.newaxis]) ** 2).sum(axis=2)
    return np.unique(np.argmin(distances, axis=1))


def _difference(scan: DipoleScan, stored: io.Dipoles) -> float:
    return max(
        relative_difference(scan.times, stored.times),
        relative_difference(scan.positions, stored.positions),
        relative_difference(scan.amplitudes, stored.amplitudes),
        relative_difference(scan.goodness, stored.goodness),
    )
