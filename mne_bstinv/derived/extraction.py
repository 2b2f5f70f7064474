"""Scout time series of a whole protocol: one table, in parallel."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mne_bstinv import io
from mne_bstinv._display import Displayed
from mne_bstinv._types import FloatArray
from mne_bstinv.derived.library import Library, NotComparableError, SourceMap
from mne_bstinv.errors import BstInvError, ConversionError, OptionError, OverwriteError
from mne_bstinv.io.filenames import is_average
from mne_bstinv.io.mat import PathLike
from mne_bstinv.io.processing import unit_of
from mne_bstinv.io.text import history_row
from mne_bstinv.maps import flatten_sources, scout_row_names, scout_time_series
from mne_bstinv.maps.scout_functions import SCOUT_FUNCTIONS
from mne_bstinv.studies.files import Studies

__all__ = ["ScoutSeries", "ScoutTable", "extract_scouts"]

#: What becomes of free sources.
FREE = ("norm", "pca", "xyz")
#: Columns of the table.
COLUMNS = (
    "subject", "condition", "results", "recordings", "comment", "scout", "unit", "time", "value",
)  # fmt: skip
#: Units of what an inverse computes.
_UNITS = {"mn": "A·m", "sloreta": "", "dspm2018": "", "glsp": "", "lcmvp": ""}


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ScoutSeries(Displayed):
    """The time series of the scouts in one map."""

    #: Names of subject and condition.
    subject: str
    condition: str
    #: The results, and the recordings of a kernel, relative to the protocol's ``data``.
    results: str
    recordings: str
    #: Comment of the results.
    comment: str
    #: Name of each row.
    names: tuple[str, ...]
    #: (n_rows, n_times).
    values: FloatArray
    #: (n_times,), s.
    times: FloatArray
    #: Unit of the values; empty where they have none, or it is not known.
    unit: str
    #: The scouts, and the cortex that they are on.
    atlas: io.Atlas
    surface_file: str | None
    #: Averages in the recordings.
    n_avg: int

    def _summary(self) -> str:
        rows, times = self.values.shape
        return f"{self.subject}/{self.condition}, {self.comment}, {rows} rows × {times} times"


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ScoutTable(Displayed):
    """Scout time series of many maps, and what could not be extracted."""

    #: The series, map after map.
    series: tuple[ScoutSeries, ...]
    #: What was left out and why, one sentence each.
    problems: tuple[str, ...] = ()

    def _summary(self) -> str:
        rows = sum(len(one.names) for one in self.series)
        return f"{rows} series of {len(self.series)} maps, {len(self.problems)} problems"

    def columns(self) -> dict[str, Any]:
        """Return the tidy table: one row a sample of a scout.

        Returns
        -------
        dict of str to array
            ``subject``, ``condition``, ``results``, ``recordings``, ``comment``, ``scout``,
            ``unit``, ``time`` (s) and ``value``; ``pandas.DataFrame`` takes it.
        """
        parts: dict[str, list[Any]] = {name: [] for name in COLUMNS}
        for one in self.series:
            n_rows, n_times = one.values.shape
            for name in ("subject", "condition", "results", "recordings", "comment", "unit"):
                parts[name].append(np.full(n_rows * n_times, getattr(one, name), dtype=object))
            parts["scout"].append(np.repeat(np.array(one.names, dtype=object), n_times))
            parts["time"].append(np.tile(one.times, n_rows))
            parts["value"].append(one.values.ravel())
        return {
            name: np.concatenate(values) if values else np.array([])
            for name, values in parts.items()
        }

    def save(self, fname: PathLike, *, overwrite: bool = False) -> Path:
        """Write the table.

        Parameters
        ----------
        fname : path-like
            ``.csv``, ``.parquet`` (needs pandas and pyarrow), or ``.mat``: signals of Brainstorm
            (``matrix_*.mat``), of maps with the same times.
        overwrite : bool
            Replace an existing file.

        Returns
        -------
        Path
            The file.

        Raises
        ------
        OptionError
            If the ending is another.
        OverwriteError
            If the file exists and ``overwrite`` is False.
        ConversionError
            If times differ, for ``.mat``; or pandas is missing, for ``.parquet``.
        """
        path = Path(fname)
        ending = path.suffix.lower()
        if ending not in _WRITERS:
            raise OptionError(f"{path}: a table is written as {', '.join(_WRITERS)}.")
        if path.exists() and not overwrite:
            raise OverwriteError.of(path)
        if ending == ".mat":
            io.write_matrix(path, self.to_matrix(), overwrite=overwrite)
            return path
        temporary = path.with_name(f".{path.name}.tmp")
        try:
            _WRITERS[ending](temporary, self.columns())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
        return path

    def to_matrix(self) -> io.Matrix:
        """Return the series as signals of Brainstorm, the rows of all maps below each other.

        Returns
        -------
        Matrix
            The signals; a row is named by its scout and, of several maps, by the map.

        Raises
        ------
        ConversionError
            If the maps have different times.
        """
        if not self.series:
            raise ConversionError("There is no series.")
        first = self.series[0]
        for one in self.series:
            if one.times.shape != first.times.shape or not np.allclose(one.times, first.times):
                raise ConversionError(
                    f"{one.results} and {first.results} have different times: signals of one file "
                    "share theirs. Write .csv or .parquet."
                )
        several = len(self.series) > 1
        names = [
            f"{name} @ {one.recordings or one.results}/{one.comment}" if several else name
            for one in self.series
            for name in one.names
        ]
        n_avg = sum(one.n_avg for one in self.series)
        return io.Matrix(
            value=np.concatenate([one.values for one in self.series]),
            description=tuple(names),
            time=first.times,
            comment=f"Scouts of {first.atlas.name} ({len(self.series)} maps)",
            atlas=first.atlas,
            surface_file=first.surface_file,
            n_avg=n_avg,
            leff=float(n_avg),
            history=(history_row("process", "Scouts time series, computed by mne_bstinv"),),
        )


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
    scouts: Sequence[str] = (),
    function: str | None = "mean",
    flip: bool = True,
    free: str = "norm",
    results: str | None = None,
    recordings: str = "averages",
    subjects: Sequence[str] | None = None,
    conditions: Sequence[str] | None = None,
    n_jobs: int = 1,
) -> ScoutTable:
    """Extract scout time series of all source maps of a protocol.

    Parameters
    ----------
    path : path-like
        A protocol.
    atlas : str | None
        Name of the atlas on each map's cortex; None for the current one.
    scouts : sequence of str
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
    subjects, conditions : sequence of str | None
        Names; None for all.
    n_jobs : int
        Conditions at a time; −1 for one a core.

    Returns
    -------
    ScoutTable
        The series; what a condition lacks is among its ``problems`` and costs no other.

    Raises
    ------
    OptionError
        If an option is unknown.
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
    if recordings not in ("averages", "all"):
        raise OptionError(f"recordings must be 'averages' or 'all', found {recordings!r}.")
    protocol = io.read_protocol(path)
    wanted = _Wanted(
        atlas=atlas, scouts=tuple(scouts), function=function, flip=flip, free=free,
        results=results, recordings=recordings,
    )  # fmt: skip
    chosen = list(_conditions(protocol, subjects, conditions))
    found = Parallel(n_jobs=n_jobs)(
        delayed(_of_condition)(protocol, subject, condition, wanted)
        for subject, condition in chosen
    )
    series = tuple(one for part, _ in found for one in part)
    return ScoutTable(series=series, problems=tuple(p for _, problems in found for p in problems))


def _conditions(
    protocol: io.Protocol, subjects: Sequence[str] | None, conditions: Sequence[str] | None
) -> Iterator[tuple[io.SubjectEntry, io.Condition]]:
    names = [s.name for s in protocol.subjects] if subjects is None else list(subjects)
    for name in names:
        subject = protocol.subject(name)
        for condition in subject.conditions:
            if conditions is None or condition.name in conditions:
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
            for file, source_map in _maps(entry, results, condition, library, wanted):
                series.append(
                    _series(source_map, entry.file, file, subject, condition, library, wanted)
                )
        except (BstInvError, ValueError) as error:
            problems.append(f"{where}: {' '.join(str(error).split())}")
    return series, problems


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


def _series(
    source_map: SourceMap,
    file: Path,
    recordings: Path | None,
    subject: io.SubjectEntry,
    condition: io.Condition,
    library: Library,
    wanted: _Wanted,
) -> ScoutSeries:
    results = source_map.results
    surface = library.surface_of(source_map.surface_file, file)
    atlas = _atlas_of(surface, wanted)
    values, n_components = source_map.values, source_map.n_components
    if n_components != 1 and wanted.free == "pca":
        flat = flatten_sources(values, n_components, "pcai", regions=source_map.regions)
        values, n_components = np.asarray(flat), 0 if n_components == 0 else 1
    call: dict[str, Any] = {
        "function": wanted.function,
        "n_components": n_components,
        "xyz": "norm" if wanted.free == "norm" and n_components != 1 else "none",
        "grid_atlas": results.grid_atlas,
    }
    flip = wanted.flip and surface.vert_normals is not None and not _is_absolute(file, results)
    made = scout_time_series(values, atlas.scouts, normals=surface.vert_normals, flip=flip, **call)
    if source_map.times is None or len(source_map.times) != values.shape[1]:
        raise NotComparableError("The map has no times.")
    data = None if library.studies.of(file).protocol is None else _data_folder(library, file)
    return ScoutSeries(
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


def _is_absolute(file: Path, results: io.Results) -> bool:
    """Tell maps without a sign: Brainstorm goes by the name of the file."""
    return "_abs" in file.name.lower() or "_norm" in file.name.lower()


def _data_folder(library: Library, file: Path) -> Path:
    protocol = library.studies.of(file).protocol
    assert protocol is not None
    return protocol.data


def _relative(file: Path, data: Path | None) -> str:
    return file.name if data is None else file.relative_to(data).as_posix()


def _atlas_of(surface: io.Surface, wanted: _Wanted) -> io.Atlas:
    """Return the atlas that is asked for, with the scouts that are asked for."""
    named = {atlas.name: atlas for atlas in surface.atlas}
    if wanted.atlas is not None and wanted.atlas not in named:
        raise OptionError(
            f"The cortex {surface.comment!r} has no atlas {wanted.atlas!r}; it has "
            f"{', '.join(named) or 'none'}."
        )
    index = (surface.i_atlas or 1) - 1
    if wanted.atlas is None and not 0 <= index < len(surface.atlas):
        raise OptionError(f"The cortex {surface.comment!r} has no current atlas: name one.")
    atlas = surface.atlas[index] if wanted.atlas is None else named[wanted.atlas]
    scouts = tuple(s for s in atlas.scouts if not wanted.scouts or s.label in wanted.scouts)
    missing = set(wanted.scouts) - {scout.label for scout in scouts}
    if missing or not scouts:
        raise OptionError(
            f"The atlas {atlas.name!r} has no scout {', '.join(sorted(missing)) or 'at all'}."
        )
    return io.Atlas(name=atlas.name, scouts=scouts)


def _unit(results: io.Results, function: str | None) -> str:
    unit = unit_of(results) or _UNITS.get((results.function or "").lower(), "")
    return f"({unit})²" if function == "power" and unit else unit


def _write_csv(path: Path, columns: Mapping[str, Any]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(zip(*(column.tolist() for column in columns.values()), strict=True))


def _write_parquet(path: Path, columns: Mapping[str, Any]) -> None:
    try:
        import pandas as pd

        pd.DataFrame(columns).to_parquet(path)
    except ImportError as error:
        raise ConversionError(
            "Parquet files are written by pandas and pyarrow, which are missing: pip install "
            "mne-bstinv[table], or write .csv."
        ) from error


_WRITERS: dict[str, Any] = {".csv": _write_csv, ".parquet": _write_parquet, ".mat": None}
