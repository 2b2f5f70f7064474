"""Signals ⇄ tables and time courses of labels."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import mne
import numpy as np
from mne.utils import verbose
from numpy.typing import ArrayLike

from mne_bstinv import io
from mne_bstinv._arguments import checks_arguments, numbers_in
from mne_bstinv._display import Displayed
from mne_bstinv._types import FloatArray, Verbose
from mne_bstinv.adapters.anatomy import from_labels
from mne_bstinv.adapters.kept import keep, kept_of
from mne_bstinv.conversion import Findings, conversion_report, converts
from mne_bstinv.errors import ConversionError
from mne_bstinv.io.text import history_row

__all__ = ["LabelTimeCourses", "from_label_time_courses", "to_label_time_courses", "to_table"]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class LabelTimeCourses(Displayed):
    """Time courses of labels, as ``mne.extract_label_time_course`` returns them, with names."""

    #: (n_labels, n_times).
    data: FloatArray
    #: Name of each row.
    names: tuple[str, ...]
    #: (n_times,), s.
    times: FloatArray

    def _summary(self) -> str:
        return f"{len(self.names)} labels × {len(self.times)} times"


@checks_arguments
def to_table(matrix: io.Matrix) -> Any:
    """Convert signals to a tidy table: one row a sample of a signal.

    Parameters
    ----------
    matrix : Matrix
        The signals.

    Returns
    -------
    pandas.DataFrame | dict of str to array
        Columns ``name``, ``time`` (s) and ``value``; without pandas a dict of the same columns,
        which ``pandas.DataFrame`` takes.

    Raises
    ------
    ConversionError
        If the signals have no times.
    """
    times = _times(matrix)
    n_rows, n_times = matrix.value.shape
    columns = {
        "name": np.repeat(np.array(matrix.row_names, dtype=object), n_times),
        "time": np.tile(times, n_rows),
        "value": matrix.value.ravel(),
    }
    try:
        import pandas as pd
    except ImportError:
        return columns
    return pd.DataFrame(columns)


@converts
@verbose
def to_label_time_courses(matrix: io.Matrix, *, verbose: Verbose = None) -> LabelTimeCourses:
    """Convert scout time series to time courses of labels.

    Parameters
    ----------
    matrix : Matrix
        The signals.
    verbose : bool | str | int | None
        Control verbosity of the logging output.

    Returns
    -------
    LabelTimeCourses
        The same values and times.

    Raises
    ------
    ConversionError
        If the signals have no times.
    """
    findings = Findings()
    if len(matrix.description) not in (0, len(matrix.value)):
        findings.assumed(
            "Description",
            f"{len(matrix.description)} names for {len(matrix.value)} rows: rows are numbered.",
        )
    for name, field in (("std", "Std"), ("events", "Events")):
        if np.size(getattr(matrix, name)) and getattr(matrix, name) is not None:
            findings.dropped(field, "Time courses of labels have no place for it.")
    courses = LabelTimeCourses(data=matrix.value, names=matrix.row_names, times=_times(matrix))
    keep(findings, matrix=matrix)
    return findings.attach(courses, what="signals → time courses of labels")


@converts
@verbose
def from_label_time_courses(
    data: ArrayLike | LabelTimeCourses,
    labels: Sequence[mne.Label | mne.BiHemiLabel | str] | None = None,
    times: ArrayLike | None = None,
    *,
    surface: io.Surface | None = None,
    function: str | None = None,
    comment: str | None = None,
    surface_file: str | None = None,
    n_avg: int | None = None,
    verbose: Verbose = None,
) -> io.Matrix:
    """Convert time courses of labels to signals of Brainstorm.

    Parameters
    ----------
    data : array, shape (n_labels, n_times) | LabelTimeCourses
        What ``mne.extract_label_time_course`` returned (of one estimate). Time courses that were
        converted from Brainstorm keep scouts, comment and averages.
    labels : sequence of mne.Label | sequence of str | None
        The labels, or their names.
    times : array, shape (n_times,) | None
        Times in s (``stc.times``).
    surface : Surface | None
        The cortex, whose vertices the scouts shall name: with it labels become scouts.
    function : str | None
        What the scouts say that they were aggregated by, such as ``'mean'``.
    comment : str | None
        Name in Brainstorm.
    surface_file : str | None
        The cortex, relative to the protocol's ``anat``.
    n_avg : int | None
        Number of averages; 1 if nothing says it.
    verbose : bool | str | int | None
        Control verbosity of the logging output.

    Returns
    -------
    Matrix
        The signals.

    Raises
    ------
    ConversionError
        If data, labels and times do not fit each other.
    """
    findings = Findings()
    kept = kept_of(data).get("matrix")
    if isinstance(data, LabelTimeCourses):
        labels, times = labels or data.names, data.times if times is None else times
        data = data.data
    values = numbers_in("data", data)
    if values.ndim != 2:
        raise ConversionError(
            f"Time courses must be (n_labels, n_times), found {values.shape}: of vectors give the "
            "norm or one component."
        )
    if times is None or len(np.atleast_1d(np.asarray(times))) != values.shape[1]:
        raise ConversionError(f"Give one time for each of {values.shape[1]} samples (stc.times).")
    names = [label if isinstance(label, str) else label.name for label in labels or ()]
    if len(names) != len(values):
        raise ConversionError(
            f"{len(names)} labels do not fit {len(values)} time courses. Give one label for each, "
            "in their order."
        )
    atlas = None
    real = [label for label in labels or () if not isinstance(label, str)]
    if surface is not None and len(real) == len(values):
        atlas = from_labels(real, surface)
        findings.include(conversion_report(atlas))
    if kept is None or kept.row_names != tuple(names):
        kept = io.Matrix(value=values, comment="Labels of MNE-Python")
    averages = kept.n_avg if n_avg is None else n_avg
    matrix = io.Matrix(
        value=values,
        description=tuple(names),
        time=np.asarray(times, dtype=np.float64).reshape(-1),
        comment=kept.comment if comment is None else comment,
        atlas=_with_function(atlas or kept.atlas, function),
        surface_file=surface_file or kept.surface_file,
        n_avg=averages,
        leff=kept.leff if n_avg is None and kept.leff is not None else float(averages),
        events=kept.events,
        display_units=kept.display_units,
        history=(
            *kept.history,
            history_row("import", "Converted from MNE-Python"),
        ),
    )
    return findings.attach(matrix, what="time courses of labels → signals")


def _with_function(atlas: io.Atlas | None, function: str | None) -> io.Atlas | None:
    if atlas is None or function is None:
        return atlas
    scouts = tuple(dataclasses.replace(scout, function=function) for scout in atlas.scouts)
    return dataclasses.replace(atlas, scouts=scouts)


def _times(matrix: io.Matrix) -> FloatArray:
    if matrix.time is None or len(matrix.time) != matrix.value.shape[1]:
        raise ConversionError(
            f"The signals {matrix.comment!r} have no Time of {matrix.value.shape[1]} samples, as "
            "many as Value has columns. Make them anew in Brainstorm."
        )
    return matrix.time
