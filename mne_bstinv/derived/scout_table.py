"""Scout time series of many maps as one table, and the files that it is written to."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mne_bstinv import io
from mne_bstinv._display import Displayed
from mne_bstinv._temporary import check_target, replacing
from mne_bstinv._types import FloatArray
from mne_bstinv.errors import ConversionError, OptionError
from mne_bstinv.io.mat import PathLike
from mne_bstinv.io.text import history_row

__all__ = ["ScoutSeries", "ScoutTable"]

#: Columns of the table.
COLUMNS = (
    "subject", "condition", "results", "recordings", "comment", "scout", "unit", "time", "value",
)  # fmt: skip


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
        MissingFileError
            If the folder does not exist.
        OverwriteError
            If the file exists and ``overwrite`` is False.
        ConversionError
            If times differ, for ``.mat``; or pandas is missing, for ``.parquet``.
        """
        path = Path(fname)
        ending = path.suffix.lower()
        if ending not in _WRITERS:
            raise OptionError(f"{path}: a table is written as {', '.join(_WRITERS)}.")
        check_target(path, overwrite=overwrite)
        if ending == ".mat":
            io.write_matrix(path, self.to_matrix(), overwrite=overwrite)
            return path
        with replacing(path) as temporary:
            _WRITERS[ending](temporary, self.columns())
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
            raise ConversionError("There is no series: no map gave a scout, see problems.")
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
