"""Scout time series of a whole protocol, in parallel."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mne_bstinv import io
from mne_bstinv._display import few
from mne_bstinv.derived.library import Library, NotComparableError, SourceMap
from mne_bstinv.derived.scout_table import ScoutSeries, ScoutTable
from mne_bstinv.errors import (
    BstInvError,
    MapError,
    OptionError,
)
from mne_bstinv.inverse.result import ESTIMATE_UNITS
from mne_bstinv.io.filenames import is_average, is_link
from mne_bstinv.io.mat import PathLike
from mne_bstinv.io.processing import is_of_mne, unit_of
from mne_bstinv.io.stored_paths import spelled_as
from mne_bstinv.maps import flatten_sources, scout_row_names, scout_rows, scout_time_series
from mne_bstinv.maps.scout_functions import SCOUT_FUNCTIONS
from mne_bstinv.studies.asked import Names, asked_names, listed_names
from mne_bstinv.studies.files import Studies
from mne_bstinv.studies.normals import surface_normals
from mne_bstinv.studies.workers import deaf_workers, n_workers

__all__ = ["extract_scouts"]

#: What becomes of free sources.
FREE = ("norm", "pca", "xyz")
#: Recordings that kernels are applied to, in words.
_RECORDINGS = {"averages": "averages", "all": "imported recordings"}


@dataclass(frozen=True, kw_only=True)
class _Wanted:
    """What is asked for."""

    atlas: str | None
    scouts: tuple[str, ...]
    function: str | None
    flip: bool
    free: str
    results: str | None
    recordings: str


def extract_scouts(
    path: PathLike,
    *,
    atlas: str | None = None,
    scouts: str | Sequence[str] = (),
    function: str | None = "mean",
    flip: bool = True,
    free: str = "norm",
    results: str | None = None,
    recordings: str = "averages",
    subjects: str | Sequence[str] | None = None,
    conditions: str | Sequence[str] | None = None,
    n_jobs: int | None = 1,
) -> ScoutTable:
    """Extract scout time series of all source maps of a protocol.

    Parameters
    ----------
    path : path-like
        A protocol.
    atlas : str | None
        Name of the atlas on each map's cortex; None for the current one.
    scouts : str | sequence of str
        Names of scouts; none for all.
    function : str | None
        See :func:`mne_bstinv.scout_time_series`; None for each scout's own.
    flip : bool
        Whether to flip signs; absolute values and norms are never flipped.
    free : 'norm' | 'pca' | 'xyz'
        What becomes of three components: the norm after the function; one component by the
        principal direction of each location (``'pcai'`` over all samples), then the function; or
        all three.
    results : str | None
        A part of the comment or the file name of the results; None for all.
    recordings : 'averages' | 'all'
        Recordings that kernels are applied to.
    subjects, conditions : str | sequence of str | None
        Names; None for all.
    n_jobs : int | None
        Conditions at a time; −1 for one a core, other negative ones are refused. None takes what
        ``joblib.parallel_config`` says, else 1.

    Returns
    -------
    ScoutTable
        The series; what a condition lacks is among its ``problems`` and costs no other.

    Raises
    ------
    OptionError
        If an option is unknown, an empty list is given for all, or ``n_jobs`` is no number of
        conditions.
    ProtocolError
        If the path is in no protocol, or there is no such subject or condition.

    See Also
    --------
    mne_bstinv.scout_time_series : The same of arrays.
    """
    from joblib import Parallel, delayed

    known = (*SCOUT_FUNCTIONS, None)
    if function not in known:
        raise OptionError(f"function must be one of {', '.join(SCOUT_FUNCTIONS)}: {function!r}.")
    if free not in FREE:
        raise OptionError(f"free must be one of {', '.join(FREE)}, found {free!r}.")
    if recordings not in _RECORDINGS:
        raise OptionError(f"recordings must be 'averages' or 'all', found {recordings!r}.")
    protocol = io.read_protocol(path)
    wanted = _Wanted(
        atlas=atlas, scouts=listed_names(scouts) or (), function=function, flip=flip, free=free,
        results=results, recordings=recordings,
    )  # fmt: skip
    chosen = asked_names(protocol, subjects, conditions)
    tasks = (
        delayed(_of_condition)(protocol, subject, condition, wanted)
        for subject, condition in _conditions(protocol, *chosen)
    )
    parallel = Parallel(n_jobs=n_workers(n_jobs), return_as="generator")
    with deaf_workers():
        coming = parallel(tasks)
    found = list(coming)
    series = tuple(one for part, _ in found for one in part)
    return ScoutTable(series=series, problems=tuple(p for _, problems in found for p in problems))


def _conditions(
    protocol: io.Protocol, subjects: Names, conditions: Names
) -> Iterator[tuple[io.SubjectEntry, io.Condition]]:
    names = [s.name for s in protocol.subjects] if subjects is None else list(subjects)
    for name in names:
        subject = protocol.subject(name)
        known = [condition.name for condition in subject.conditions]
        wanted = known if conditions is None else [spelled_as(one, known) for one in conditions]
        for condition in subject.conditions:
            if condition.name in wanted:
                yield subject, condition


def _of_condition(
    protocol: io.Protocol, subject: io.SubjectEntry, condition: io.Condition, wanted: _Wanted
) -> tuple[list[ScoutSeries], list[str]]:
    library = Library(Studies(protocol))
    series: list[ScoutSeries] = []
    problems: list[str] = []
    for entry in condition.results:
        where = f"{subject.name}/{condition.name}/{entry.file.name}"
        try:
            results = library.results(entry.file)
            if not _is_wanted(entry.file, results, wanted):
                continue
            maps = list(_maps(entry, results, condition, library, wanted))
            if not maps:
                problems.append(f"{where}: {_nothing(entry, condition, wanted)}")
            for file, source_map in maps:
                made, odd = _series(
                    source_map, entry.file, file, subject, condition, library, wanted
                )
                series.append(made)
                problems += [f"{where}: {text}" for text in odd]
        except (BstInvError, ValueError) as error:
            problems.append(f"{where}: {' '.join(str(error).split())}")
    return series, list(dict.fromkeys(problems))


def _is_wanted(file: Path, results: io.Results, wanted: _Wanted) -> bool:
    text = wanted.results
    return text is None or text in results.comment or text in file.name


def _maps(
    entry: io.ResultsEntry,
    results: io.Results,
    condition: io.Condition,
    library: Library,
    wanted: _Wanted,
) -> Iterator[tuple[Path | None, SourceMap]]:
    """Yield the maps of results: of a kernel with each of its recordings."""
    if not results.is_kernel:
        yield entry.data_file, library.full(results, entry.file)
        return
    files = [r.file for r in condition.recordings if not r.bad] if entry.shared else []
    files = files if entry.shared else [entry.data_file] if entry.data_file else []
    for file in files:
        if wanted.recordings == "averages" and entry.shared and not is_average(file):
            continue
        recordings = library.recordings(file)
        if recordings.f is not None:
            yield file, library.applied(results, recordings)


def _nothing(entry: io.ResultsEntry, condition: io.Condition, wanted: _Wanted) -> str:
    """Say why a kernel is applied to nothing, and what would take the trials that there are."""
    text = f"no {_RECORDINGS[wanted.recordings]} to apply it to"
    if not entry.shared:
        return text
    bad = sum(one.bad for one in condition.recordings)
    if bad:
        text += f", {bad} recording(s) marked as bad left out"
    trials = sum(not (one.bad or is_link(one.file)) for one in condition.recordings)
    if wanted.recordings == "all" or not trials:
        return text
    return f"{text}, of {trials} trial(s): recordings='all' (--recordings all) takes these"


def _series(
    source_map: SourceMap,
    file: Path,
    recordings: Path | None,
    subject: io.SubjectEntry,
    condition: io.Condition,
    library: Library,
    wanted: _Wanted,
) -> tuple[ScoutSeries, list[str]]:
    """Extract the scouts of a map; beside it, the scouts that it has no rows of, in words."""
    results = source_map.results
    surface = library.surface_of(source_map.surface_file, file)
    in_volume = results.head_model_type == "volume"
    atlas = _atlas_of(surface, wanted, source_map.n_locations if in_volume else None)
    if source_map.n_components != 1 and wanted.free == "pca":
        flat = flatten_sources(
            source_map.values, source_map.n_components, "pcai", regions=source_map.regions
        )
        source_map = source_map.flat(np.asarray(flat))
    values, n_components = source_map.values, source_map.n_components
    call: dict[str, Any] = {
        "function": wanted.function,
        "n_components": n_components,
        "xyz": "norm" if wanted.free == "norm" and n_components != 1 else "none",
        "grid_atlas": source_map.grid_atlas,
    }
    atlas, odd = _with_rows(atlas, len(values), call)
    normals = None if in_volume else surface_normals(surface)
    flip = wanted.flip and normals is not None and not _is_absolute(file)
    made = scout_time_series(values, atlas.scouts, normals=normals, flip=flip, **call)
    if source_map.times is None or len(source_map.times) != values.shape[1]:
        raise NotComparableError("The map has no times.")
    data = None if library.studies.of(file).protocol is None else _data_folder(library, file)
    series = ScoutSeries(
        subject=subject.name,
        condition=condition.name,
        results=_relative(file, data),
        recordings="" if recordings is None else _relative(recordings, data),
        comment=results.comment,
        names=tuple(scout_row_names(atlas.scouts, len(values), **call)),
        values=np.asarray(made),
        times=source_map.times,
        unit=_unit(results, wanted.function),
        atlas=atlas,
        surface_file=source_map.surface_file,
        n_avg=results.n_avg if source_map.recordings is None else source_map.recordings.n_avg,
    )
    return series, odd


def _with_rows(atlas: io.Atlas, n_rows: int, call: Mapping[str, Any]) -> tuple[io.Atlas, list[str]]:
    """Return the scouts that a map has rows of, and what is wrong with the others."""
    kept, odd = [], []
    for scout in atlas.scouts:
        try:
            scout_rows(
                (scout,), n_rows, n_components=call["n_components"], grid_atlas=call["grid_atlas"]
            )
            kept.append(scout)
        except MapError as error:
            odd.append(str(error))
    if not kept:
        raise MapError(odd[0])
    return io.Atlas(name=atlas.name, scouts=tuple(kept)), odd


def _is_absolute(file: Path) -> bool:
    """Tell maps without a sign: Brainstorm goes by the name of the file."""
    return "_abs" in file.name.lower() or "_norm" in file.name.lower()


def _data_folder(library: Library, file: Path) -> Path:
    protocol = library.studies.of(file).protocol
    assert protocol is not None
    return protocol.data


def _relative(file: Path, data: Path | None) -> str:
    return file.name if data is None else file.relative_to(data).as_posix()


def _atlas_of(surface: io.Surface, wanted: _Wanted, n_grid: int | None) -> io.Atlas:
    """Return the atlas that is asked for, with the scouts that are asked for.

    ``n_grid`` are the points of a map in a volume, None of one on the surface: its scouts only.
    """
    named = {atlas.name: atlas for atlas in surface.atlas}
    if wanted.atlas is not None and wanted.atlas not in named:
        raise OptionError(
            f"The cortex {surface.comment!r} has no atlas {wanted.atlas!r}; it has "
            f"{', '.join(named) or 'none'}."
        )
    index = (surface.i_atlas or 1) - 1
    if wanted.atlas is None and not 0 <= index < len(surface.atlas):
        raise OptionError(f"The cortex {surface.comment!r} has no current atlas: name one.")
    candidates = surface.atlas[index : index + 1] + surface.atlas if wanted.atlas is None else ()
    chosen = named.get(wanted.atlas or "")
    fitting = (one for one in candidates if one.n_grid == n_grid and one.scouts)
    atlas = next(fitting, candidates[0]) if chosen is None else chosen
    if atlas.n_grid != n_grid:
        raise OptionError(f"The map is {_place(n_grid)}, the atlas {atlas.name!r} is "
                          f"{_place(atlas.n_grid)}. Choose an atlas of the map.")  # fmt: skip
    scouts = tuple(s for s in atlas.scouts if not wanted.scouts or s.label in wanted.scouts)
    missing = set(wanted.scouts) - {scout.label for scout in scouts}
    if missing or not scouts:
        labels = few(scout.label for scout in atlas.scouts)
        raise OptionError(
            f"The atlas {atlas.name!r} has no scout {few(sorted(missing)) or 'at all'}"
            + (f"; it has {labels}." if labels else ".")
        )
    return io.Atlas(name=atlas.name, scouts=scouts)


def _place(n_grid: int | None) -> str:
    return "on the surface" if n_grid is None else f"on a volume grid of {n_grid} points"


def _unit(results: io.Results, function: str | None) -> str:
    unit = unit_of(results) or _unit_of_inverse(results)
    return f"({unit})²" if function == "power" and unit else unit


def _unit_of_inverse(results: io.Results) -> str:
    """Return the unit of what an inverse gives, empty for none; MNE-Python's sLORETA has none."""
    function = (results.function or "").lower()
    if function == "sloreta" and is_of_mne(results.options):
        return ""
    unit = ESTIMATE_UNITS.get(function, "").partition(" ")[0]
    return "" if unit == "1" else unit
