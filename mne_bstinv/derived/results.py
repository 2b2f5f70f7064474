"""Results that were made of results: flat, normalised, smooth, projected, scaled, averaged."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from mne_bstinv import io
from mne_bstinv._display import in_short
from mne_bstinv._types import FloatArray
from mne_bstinv.derived.library import Library, NotComparableError, SourceMap
from mne_bstinv.derived.outcome import INVARIANTS, VALUES, Recomputed, relative_difference
from mne_bstinv.derived.windows import windows_in_ms
from mne_bstinv.errors import BstInvError, MapError
from mne_bstinv.io import mat
from mne_bstinv.io.processing import Derivation, Step, listed_files, steps_of
from mne_bstinv.io.stored_paths import normalise
from mne_bstinv.maps import (
    absolute_sources,
    average_files,
    flatten_sources,
    normalize_baseline,
    projection_matrix,
    scale_averaged_dspm,
    smooth_sources,
)
from mne_bstinv.maps.arrays import row_groups
from mne_bstinv.maps.simulation import SIGNAL_UNITS

__all__ = ["recompute_results"]

#: Recordings that are tried for a map that does not name its own.
_MOST_TRIED = 20


def recompute_results(
    file: Path, stored: io.Results, derivation: Derivation, library: Library, rtol: float
) -> Recomputed:
    """Compute a derived map again from the parents that may be its own, up to ``rtol``; the best.

    ``NotComparableError`` if no parent is found, or a step is not known.
    """
    if derivation.what == "simulated sources":
        return _simulated(file, stored, library)
    if derivation.steps and derivation.steps[-1].kind == "average":
        return _averaged(file, stored, library)
    best: Recomputed | None = None
    reasons: list[str] = []
    for parent, steps in _parents(file, stored, derivation, library):
        for attempt in _attempts(file, stored, parent, steps, library, reasons):
            if best is None or attempt.difference < best.difference:
                best = attempt
            if best.difference <= rtol:
                return _named(best, derivation)
    if best is None:
        raise NotComparableError(_why_not(stored, derivation, reasons))
    return _named(best, derivation)


def _named(found: Recomputed, derivation: Derivation) -> Recomputed:
    return Recomputed(
        kind=derivation.what,
        difference=found.difference,
        parents=found.parents,
        compared=found.compared,
        how=found.how,
    )


def _why_not(stored: io.Results, derivation: Derivation, reasons: Sequence[str]) -> str:
    if not derivation.steps:
        return f"It was made of others ({derivation.what}); its history does not say how."
    unknown = [step.text for step in derivation.steps if step.kind == "process"]
    if unknown:
        return f"It was processed by what is not computed here: {' '.join(unknown[0].split())!r}."
    if reasons:
        return reasons[0]
    return (
        f"The results that it was made of are not in the protocol (recordings: "
        f"{stored.data_file or 'not named'})."
    )


def _parents(
    file: Path, stored: io.Results, derivation: Derivation, library: Library
) -> Iterator[tuple[Path, Sequence[Step]]]:
    """Yield results that may be the parent, with the steps that lead on from them.

    A parent has the same history as far as it goes. The one with the longest comes first, since
    its steps need not be known; among equals the one whose name begins the file's.
    """
    steps = derivation.steps
    sources = library.results_beside(file)
    for step in steps:
        if step.kind == "project":
            sources += library.results_of_surface(step.options["source"], file)
    own = [row for row in stored.history if row[1] != "import"]
    found = []
    for candidate in dict.fromkeys(sources):
        if candidate.resolve() == file.resolve():
            continue
        rows = [row for row in library.history(candidate) if row[1] != "import"]
        shared = len(rows) if own[: len(rows)] == rows else 0
        done = len(steps_of(tuple(rows)))
        left = steps[done:]
        named = _stem(file).startswith(_stem(candidate))
        if shared and left and all(step.kind != "process" for step in left):
            found.append((-done, not named, candidate, left))
    for _, _, candidate, left in sorted(found, key=lambda item: item[:3]):
        yield candidate, left


def _stem(file: Path) -> str:
    return file.stem.lower().replace("_kernel", "")


def _attempts(
    file: Path,
    stored: io.Results,
    parent: Path,
    steps: Sequence[Step],
    library: Library,
    reasons: list[str],
) -> Iterator[Recomputed]:
    """Yield what comes of a parent, over what the history leaves open."""
    try:
        results = library.results(parent)
        if not _same_inverse(results, stored):
            return
        starts = list(_starts(stored, results, parent, library))
    except BstInvError as error:
        reasons.append(" ".join(str(error).split()))
        return
    for start, text in starts:
        for choices in product(*(_choices(step, start) for step in steps)):
            try:
                yield _attempt(file, stored, start, text, steps, choices, library)
            except BstInvError as error:
                reasons.append(" ".join(str(error).split()))


def _same_inverse(results: io.Results, stored: io.Results) -> bool:
    """Tell whether two results are of the same inverse by the options that both keep.

    A z-score is the same of all measures whose kernels differ by a factor a row.
    """
    own, others = stored.options or {}, results.options or {}
    names = ("InverseMethod", "InverseMeasure", "SourceOrient")
    return all(in_short(own[name]) == in_short(others.get(name)) for name in names if name in own)


def _starts(
    stored: io.Results, results: io.Results, parent: Path, library: Library
) -> Iterator[tuple[SourceMap, str]]:
    """Yield the maps of a parent: a kernel with the recordings that the stored map is of."""
    name = parent.name
    if stored.is_kernel:
        if results.is_kernel:
            yield _kernel_of(results), name
        return
    if not results.is_kernel:
        if stored.data_file in (None, results.data_file):
            yield library.full(results, parent), name
        return
    data = library.find(stored.data_file, parent)
    if stored.data_file and data is None:
        raise NotComparableError(f"The recordings {stored.data_file!r} are not in the protocol.")
    files = [data] if data else _recordings_by_comment(stored, results, parent, library)
    for file in files:
        recordings = library.recordings(file)
        if recordings.f is not None:
            yield library.applied(results, recordings), f"{name} with {file.name}"


def _recordings_by_comment(
    stored: io.Results, results: io.Results, parent: Path, library: Library
) -> list[Path]:
    """Return recordings that a map without a name of its own may be of: by its comment."""
    if results.data_file:
        named = library.find(results.data_file, parent)
        return [named] if named else []
    files = library.recordings_in(parent.parent)
    comments = {file: mat.text_of(file, "Comment") for file in files}
    said = [file for file in files if comments[file] and comments[file] in stored.comment]
    return sorted(said, key=lambda file: -len(comments[file]))[:_MOST_TRIED]


def _kernel_of(results: io.Results) -> SourceMap:
    if results.imaging_kernel is None or results.n_components is None:
        raise NotComparableError("The results hold no kernel, or do not say its components.")
    return SourceMap(
        values=results.imaging_kernel,
        n_components=results.n_components,
        results=results,
        times=None,
        recordings=None,
        surface_file=results.surface_file,
        is_kernel=True,
    )


def _choices(step: Step, start: SourceMap) -> list[Mapping[str, Any]]:
    """Return what the history leaves open of a step, the likeliest first."""
    if step.kind == "baseline" and start.times is not None:
        found = windows_in_ms(start.times, step.options["window_ms"])
        return [{"window": window} for window in found]
    if step.kind == "project":
        return [{"absolute": False}, {"absolute": True}]
    return [{}]


def _attempt(
    file: Path,
    stored: io.Results,
    start: SourceMap,
    text: str,
    steps: Sequence[Step],
    choices: Sequence[Mapping[str, Any]],
    library: Library,
) -> Recomputed:
    current, compared, how = start, VALUES, []
    for index, (step, choice) in enumerate(zip(steps, choices, strict=True)):
        if step.kind == "flat" and step.options["method"] in ("pcaa", "pcai"):
            if index != len(steps) - 1:
                raise NotComparableError(
                    f"A step before the last, {step.options['method']}, depends on time windows "
                    "that are not stored."
                )
            current = current.flat(_along_parent(current, stored))
            compared = INVARIANTS
            how.append("unit directions were found; the windows of the PCA are not stored")
            continue
        current = _STEPS[step.kind](current, {**step.options, **choice}, file, library)
        how += _in_words(choice)
    expected = stored.imaging_kernel if stored.is_kernel else stored.amplitudes
    if expected is None:
        raise NotComparableError("ImagingKernel and ImageGridAmp are both empty.")
    return Recomputed(
        kind="",
        difference=relative_difference(current.values, expected),
        parents=(text,),
        compared=compared,
        how="; ".join(how),
    )


def _in_words(choice: Mapping[str, Any]) -> list[str]:
    """Say what was found out of a step."""
    said = []
    if choice.get("absolute"):
        said.append("of absolute values")
    if "window" in choice:
        said.append("baseline {:g} to {:g} s".format(*choice["window"]))
    return said


def _flat(current: SourceMap, options: Mapping[str, Any], *_: Any) -> SourceMap:
    if current.is_kernel:
        raise NotComparableError("A norm has no kernel.")
    values = flatten_sources(
        current.values, current.n_components, options["method"], regions=current.regions
    )
    return current.flat(np.asarray(values))


def _along_parent(current: SourceMap, stored: io.Results) -> FloatArray:
    """Return the rows along unit directions of the parent's that are nearest to the stored rows."""
    expected = stored.imaging_kernel if stored.is_kernel else stored.amplitudes
    groups = row_groups(len(current.values), current.n_components, current.regions)
    n_rows = sum(len(group.locations) for group in groups)
    if expected is None or expected.shape != (n_rows, current.values.shape[1]):
        raise NotComparableError("The map does not have the locations of its parent.")
    rows, first = [], 0
    for group in groups:
        part = expected[first : first + len(group.locations)]
        first += len(group.locations)
        if group.n_components == 1:
            rows.append(current.values[group.rows])
            continue
        parent = group.split(current.values)
        for own, wanted in zip(parent, part, strict=True):
            direction = np.linalg.lstsq(own.T, wanted, rcond=None)[0]
            size = np.linalg.norm(direction)
            unit = direction / size if size > 0 else direction
            rows.append((unit @ own)[np.newaxis])
    return np.concatenate(rows)


def _absolute(current: SourceMap, *_: Any) -> SourceMap:
    values = absolute_sources(current.values, current.n_components, regions=current.regions)
    return current.flat(values)


def _baseline(current: SourceMap, options: Mapping[str, Any], *_: Any) -> SourceMap:
    if current.times is None:
        raise NotComparableError("The map has no times.")
    values = normalize_baseline(current.values, current.times, options["window"], options["method"])
    return current.changed(values=values)


def _smooth(
    current: SourceMap, options: Mapping[str, Any], file: Path, library: Library
) -> SourceMap:
    surface = library.surface_of(current.surface_file, file)
    values = smooth_sources(
        current.values,
        surface,
        options["fwhm"],
        method="before_2023" if options["before_2023"] else "fixed_fwhm",
    )
    return current.changed(values=values)


def _project(
    current: SourceMap, options: Mapping[str, Any], file: Path, library: Library
) -> SourceMap:
    names = options["source"], options["target"]
    source, target = (library.surface_of(name, file) for name in names)
    if current.n_components != 1 or options["absolute"]:
        current = _absolute(current)
    same = normalise(names[0]).parts[0] == normalise(names[1]).parts[0]
    matrix = _stored_matrix(source, names, target)
    if matrix is None:
        matrix = projection_matrix(source, target, same_subject=same)
    if matrix.shape[1] != len(current.values):
        raise MapError(f"The map has {len(current.values)} locations, not {matrix.shape[1]}.")
    return current.changed(values=matrix @ current.values, surface_file=names[1])


def _stored_matrix(source: io.Surface, names: tuple[str, str], target: io.Surface) -> Any:
    """Return the interpolation that the source surface keeps, if it is the one to the target."""
    kept = source.extra.get("tess2tess_interp")
    if not isinstance(kept, Mapping) or "Wmat" not in kept:
        return None
    signature = f"{names[0]}{source.n_vertices}=>{names[1]}{target.n_vertices}"
    matrix = kept["Wmat"]
    fits = getattr(matrix, "shape", None) == (target.n_vertices, source.n_vertices)
    return matrix if kept.get("Signature") == signature and fits else None


def _scale(current: SourceMap, options: Mapping[str, Any], *_: Any) -> SourceMap:
    averages = options["averages"]
    if averages is None and current.recordings is not None:
        averages = current.recordings.effective_averages
    if averages is None:
        raise NotComparableError("The number of averages is not known.")
    return current.changed(values=scale_averaged_dspm(current.values, averages))


_STEPS: dict[str, Callable[..., SourceMap]] = {
    "flat": _flat,
    "absolute": _absolute,
    "baseline": _baseline,
    "smooth": _smooth,
    "project": _project,
    "scale": _scale,
}


def _averaged(file: Path, stored: io.Results, library: Library) -> Recomputed:
    """Compute the average of the maps that the history lists."""
    listed = listed_files(stored.history, " - ")
    if not listed or stored.amplitudes is None:
        raise NotComparableError("The history does not list the files that were averaged.")
    maps = [library.maps_of(link, file).values for link in listed]
    best = min(
        (
            relative_difference(average_files(maps, method=method).values, stored.amplitudes),
            method,
        )
        for method in ("mean", "rms")
    )
    return Recomputed(
        kind="average of files", difference=best[0], parents=tuple(listed), how=f"{best[1]}"
    )


def _simulated(file: Path, stored: io.Results, library: Library) -> Recomputed:
    """Look for the signals of a simulation in the rows of its sources."""
    listed = listed_files(stored.history, "Simulated from file: ")
    if not listed:
        raise NotComparableError("The history does not name the signals.")
    matrix = io.read_matrix(library.needed(listed[0], file, "matrix of signals"))
    values = stored.amplitudes
    if values is None or values.shape[1] != matrix.value.shape[1]:
        raise NotComparableError("The sources do not have the times of the signals.")
    attempts = []
    for factor in dict.fromkeys(SIGNAL_UNITS.values()):
        signals = np.vstack([matrix.value * factor, np.zeros(values.shape[1])])
        nearest = np.argmin(
            ((values[:, np.newaxis] - signals[np.newaxis]) ** 2).sum(axis=2), axis=1
        )
        attempts.append((relative_difference(signals[nearest], values), factor))
    difference, factor = min(attempts)
    return Recomputed(
        kind="simulated sources",
        difference=difference,
        parents=(listed[0],),
        compared=INVARIANTS,
        how=f"each row is a signal × {factor:g} A·m, or zero; the scouts are not stored",
    )
