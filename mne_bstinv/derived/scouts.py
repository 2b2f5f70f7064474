"""Scout time series: computed again from the maps that the history names."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from pathlib import Path

import numpy as np

from mne_bstinv import io
from mne_bstinv._types import FloatArray
from mne_bstinv.derived.library import Library, NotComparableError, SourceMap
from mne_bstinv.derived.outcome import INVARIANTS, Recomputed, relative_difference
from mne_bstinv.derived.windows import samples_of
from mne_bstinv.errors import BstInvError
from mne_bstinv.io.processing import listed_files, steps_of
from mne_bstinv.maps import scout_rows, scout_time_series
from mne_bstinv.maps.scout_functions import is_undecided
from mne_bstinv.studies.normals import surface_normals

__all__ = ["recompute_scouts"]

_KIND = "scout time series"
#: What the history puts before the maps that scouts were extracted from.
_LISTS = (" - File: ", "PCA applied to file: ")
#: Tags of principal components over several files in the names.
_OF_FILES = ("_pcaa_", "_pcai_")


def recompute_scouts(file: Path, stored: io.Matrix, library: Library, rtol: float) -> Recomputed:
    """Compute scout time series again; whether signs were flipped and norms taken is found out.

    ``NotComparableError`` if a map is missing, or the file holds other signals.
    """
    links = listed_files(stored.history, *_LISTS)
    if not links or stored.atlas is None or not stored.atlas.scouts:
        raise NotComparableError("It holds signals that were not extracted from scouts.")
    scouts = stored.atlas.scouts
    maps = [_map_of(link, file, stored, library) for link in links]
    surface = library.surface_of(maps[0].surface_file, file)
    values = [one.values[:, samples_of(stored.time, one.times)] for one in maps]
    if any(tag in file.name for tag in _OF_FILES):
        return _along_weights(stored, maps, values, links)
    best: Recomputed | None = None
    reasons: list[str] = []
    for flip, xyz in product((True, False), ("none", "norm", "pca2023")):
        if maps[0].n_components == 1 and xyz != "none":
            continue
        try:
            made = [
                scout_time_series(
                    value,
                    scouts,
                    function=None,
                    normals=surface_normals(surface),
                    n_components=one.n_components,
                    flip=flip,
                    xyz=xyz,
                    grid_atlas=one.grid_atlas,
                )
                for value, one in zip(values, maps, strict=True)
            ]
        except BstInvError as error:
            reasons.append(str(error))
            continue
        values_made = np.concatenate(made)
        turned: list[str] = []
        if flip and maps[0].n_components == 1:
            normals = surface_normals(surface)
            values_made, turned = _turned(values_made, stored.value, scouts, normals, len(maps))
        difference = relative_difference(values_made, stored.value)
        if best is None or difference < best.difference:
            said = [f"signs {'flipped' if flip else 'as they are'}"]
            said += [] if xyz == "none" else [f"x, y, z by {xyz}"]
            said += [f"sign of {name} undecided" for name in turned]
            functions = dict.fromkeys(str(scout.function).lower() for scout in scouts)
            best = Recomputed(
                kind=_KIND,
                difference=difference,
                parents=tuple(links),
                how=f"{'/'.join(functions)}, {', '.join(said)}",
            )
        if best.difference <= rtol:
            break
    if best is None:
        raise NotComparableError(reasons[0])
    return best


def _turned(
    made: FloatArray,
    stored: FloatArray,
    scouts: Sequence[io.Scout],
    normals: FloatArray,
    n_files: int,
) -> tuple[FloatArray, list[str]]:
    """Turn the series, one a scout, whose sign the normals leave open to the stored ones."""
    if len(made) != n_files * len(scouts) or made.shape != stored.shape:
        return made, []
    signs, names = np.ones(len(made)), []
    for i, scout in enumerate(list(scouts) * n_files):
        vertices = np.unique(scout.vertices) - 1 if scout.vertices is not None else np.array([0])
        opposite = made[i] @ stored[i] < 0
        known = vertices.max(initial=0) < len(normals) and len(vertices) > 1
        if opposite and known and is_undecided(normals[vertices]):
            signs[i] = -1
            names.append(scout.label)
    return signs[:, np.newaxis] * made, list(dict.fromkeys(names))


def _map_of(link: str, file: Path, stored: io.Matrix, library: Library) -> SourceMap:
    """Return the map that was extracted from; for one that was deleted, one of the same history.

    Free sources are flattened first: Brainstorm saves the flat kernel for a moment only.
    """
    try:
        return library.maps_of(link, file)
    except NotComparableError:
        said = [(kind, text) for _, kind, text in stored.history]
        name, _, data = link.removeprefix("link|").partition("|")
        for candidate in library.results_beside(file):
            rows = [(kind, text) for _, kind, text in library.history(candidate)]
            if len(rows) > 1 and said[: len(rows)] == rows and steps_of(library.history(candidate)):
                return library.maps_of(f"link|{_stored(candidate, name)}|{data}", file)
        raise


def _stored(candidate: Path, like: str) -> str:
    """Return the stored path of a file in the folder that another stored path names."""
    return f"{like.rpartition('/')[0]}/{candidate.name}"


def _along_weights(
    stored: io.Matrix,
    maps: Sequence[SourceMap],
    values: Sequence[FloatArray],
    links: Sequence[str],
) -> Recomputed:
    """Compare with the nearest series that weights of the right size make of a scout's rows.

    The weights depend on windows that are not stored; their size does not: 1/√n of n vertices.
    """
    scouts = stored.atlas.scouts if stored.atlas is not None else ()
    made, first = [], 0
    for one, value in zip(maps, values, strict=True):
        rows = scout_rows(
            scouts, len(value), n_components=one.n_components, grid_atlas=one.grid_atlas
        )
        for scout in rows:
            if scout.n_components != 1:
                raise NotComparableError(
                    "Principal components of free sources depend on windows that are not stored."
                )
            if len(scout.rows) > value.shape[1]:
                raise NotComparableError(
                    f"Scout {scout.label!r} has more vertices than there are samples: its weights "
                    "cannot be found."
                )
            wanted = stored.value[first] if first < len(stored.value) else value[0] * np.nan
            first += 1
            weights = np.linalg.lstsq(value[scout.rows].T, wanted, rcond=None)[0]
            size = np.linalg.norm(weights) * np.sqrt(len(weights))
            made.append(weights / size @ value[scout.rows] if size > 0 else 0 * wanted)
    return Recomputed(
        kind=_KIND,
        difference=relative_difference(np.array(made), stored.value),
        parents=tuple(links),
        compared=INVARIANTS,
        how="weights of the right size were found; the windows of the PCA are not stored",
    )
