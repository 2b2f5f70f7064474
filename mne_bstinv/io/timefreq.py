"""Time–frequency maps and spectra, of sensors, sources or signals: ``timefreq_*.mat``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mne_bstinv._types import AnyArray, FloatArray
from mne_bstinv.io import raw, structure_files
from mne_bstinv.io.checks import finite, not_negative, ordered, positive
from mne_bstinv.io.context import Context
from mne_bstinv.io.kinds import Array, Raw, Scalar, Vector
from mne_bstinv.io.mat import PathLike
from mne_bstinv.io.schema import Structure, declare
from mne_bstinv.io.scouts import GridAtlas
from mne_bstinv.io.text import History, HistoryRows, Nested, Text, TextCell
from mne_bstinv.io.values import EMPTY, bare, describe, is_empty
from mne_bstinv.io.variable import Variable

__all__ = ["BandRows", "Bands", "Frequencies", "RowNames", "TimeFreq", "band_bounds",
           "read_timefreq", "write_timefreq"]  # fmt: skip

#: Methods that give spectra.
_SPECTRA = ("psd", "fft")
#: Rows of a cell of bands: name, bounds such as ``'8, 12'``, function such as ``'mean'``.
BandRows = tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class _Coefficients:
    """The array of TF, real or complex; one frequency may be left out of its shape."""

    order: int = 1

    def read(self, variable: Variable, context: Context) -> Any:
        variable = bare(variable, context)
        value = variable.value
        if is_empty(value):
            return None
        if isinstance(value, bool | int | float | complex | np.number):
            value = np.asarray(value)
        if not isinstance(value, np.ndarray) or value.dtype.kind not in "biufc":
            context.fault(describe(variable), "an array of numbers (n_rows, n_times, n_freqs)")
            return None
        shape = variable.shape or value.shape
        shape = (*shape, *(1,) * (3 - len(shape)))
        if not context.match(shape, ("n_tf_rows", "n_tf_times", "n_freqs")):
            symbols = context.explain(("n_tf_rows", "n_tf_times", "n_freqs"))
            context.fault(f"shape {shape}", f"an array of numbers {symbols}")
            return None
        dtype = np.complex128 if value.dtype.kind == "c" else np.float64
        return raw.read_only(value.astype(dtype, copy=False).reshape(shape, order="F"))

    def write(self, value: Any, context: Context) -> Any:
        if value is None:
            return EMPTY
        array = np.asarray(value)
        if array.dtype.kind not in "biufc" or not context.match(
            array.shape, ("n_tf_rows", "n_tf_times", "n_freqs")
        ):
            symbols = context.explain(("n_tf_rows", "n_tf_times", "n_freqs"))
            context.fault(f"shape {array.shape}", f"an array of numbers {symbols}")
        return array if array.dtype.kind == "c" else array.astype(np.float64, copy=False)


@dataclass(frozen=True, slots=True)
class RowNames:
    """Names of rows: a cell of texts, or numbers (of locations)."""

    order: int = 0

    def read(self, variable: Variable, context: Context) -> Any:
        """Return a tuple of texts, or a vector."""
        value = variable.value
        if is_empty(value):
            return None
        if isinstance(value, str | list | tuple):
            return TextCell().read(variable, context)
        return Vector().read(variable, context)

    def write(self, value: Any, context: Context) -> Any:
        """Return a cell or a row."""
        if isinstance(value, tuple):
            return TextCell().write(value, context)
        return Vector().write(value, context)


@dataclass(frozen=True, slots=True)
class Frequencies:
    """The numbers that Freqs is in most files; a cell of bands there is read as None."""

    order: int = 0

    def read(self, variable: Variable, context: Context) -> Any:
        """Return the vector."""
        if isinstance(variable.value, list | tuple | str):
            return None
        return Vector("n_freqs").read(variable, context)

    def write(self, value: Any, context: Context) -> Any:
        """Return a row."""
        return Vector("n_freqs").write(value, context)


@dataclass(frozen=True, slots=True)
class Bands:
    """A cell of bands: rows of name, bounds and function; numbers there are read as None."""

    size: str = "?"
    order: int = 0

    def read(self, variable: Variable, context: Context) -> Any:
        """Return the rows."""
        value = variable.value
        if is_empty(value) or not isinstance(value, list | tuple):
            return None
        rows = [value] if all(isinstance(item, str) for item in value) else value
        texts = [
            tuple(_bound_text(item) for item in row) if isinstance(row, list | tuple) else ()
            for row in rows
        ]
        if any(len(row) != 3 or None in row for row in texts):
            context.fault("a cell of another form", "an N x 3 cell of name, bounds and function")
            return None
        if not context.match((len(texts),), (self.size,)):
            context.fault(f"{len(texts)} bands", f"a cell {context.explain((self.size,))}")
            return None
        return tuple(texts)

    def write(self, value: Any, context: Context) -> Any:
        """Return an N x 3 cell."""
        if not value:
            return EMPTY
        if any(len(row) != 3 for row in value) or not context.match((len(value),), (self.size,)):
            expected = f"rows of three texts {context.explain((self.size,))}"
            context.fault(f"{len(value)} rows", expected)
            return EMPTY
        return raw.cell([text for row in value for text in row], (len(value), 3))


def _bound_text(item: Any) -> str | None:
    """Return a text of a band; bounds may be two numbers."""
    if isinstance(item, str):
        return item
    if isinstance(item, np.ndarray) and item.dtype.kind in "iuf" and item.size == 2:
        return ", ".join(f"{float(bound):.15g}" for bound in item.ravel())
    return None


def band_bounds(rows: BandRows) -> dict[str, tuple[float, float]]:
    """Return the first and last frequency in Hz (or time in s) of bands by their names.

    The bounds in the rows are text, such as ``'8, 12'``; those that are no two numbers are NaN.
    """
    bounds = {}
    for name, text, _ in rows:
        try:
            first, last = (float(part) for part in text.replace(",", " ").split())
        except ValueError:
            first = last = float("nan")
        bounds[name] = (first, last)
    return bounds


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class TimeFreq(Structure):
    """Power, magnitude or complex coefficients over time and frequency."""

    #: (n_rows, n_times, n_freqs), real or complex; one time for spectra. Of a file with KERNEL in
    #: its name the rows are those of the recordings: the kernel of ``data_file`` is still to be
    #: applied.
    tf: AnyArray = field(metadata=declare("TF", _Coefficients()))
    #: Marks edge effects: 1 where the values hold (n_freqs, n_times); raw.
    tf_mask: Any = field(default=None, metadata=declare("TFmask", Raw()))
    std: Any = field(default=None, metadata=declare("Std", Raw()))
    comment: str = field(default="", metadata=declare("Comment", Text()))
    #: What was transformed: ``'data'``, ``'results'``, ``'cluster'``, ``'scout'``, ``'matrix'``.
    data_type: str | None = field(
        default=None, metadata=declare("DataType", Text(), essential=True)
    )
    #: (n_times,), s; the first and the last for spectra.
    time: FloatArray | None = field(
        default=None, metadata=declare("Time", Vector(), ordered, unit="s", essential=True)
    )
    #: Bands of time, as those of frequencies.
    time_bands: BandRows | None = field(
        default=None, metadata=declare("TimeBands", Bands("n_tf_times"), essential=True)
    )
    #: (n_freqs,), Hz.
    freqs: FloatArray | None = field(
        default=None, metadata=declare("Freqs", Frequencies(), finite, unit="Hz", essential=True)
    )
    #: Bands of frequencies, in place of ``freqs``.
    freq_bands: BandRows | None = field(
        default=None, metadata=declare("Freqs", Bands("n_freqs"), unit="Hz", essential=True)
    )
    #: Names of the first rows of a measure of pairs.
    ref_row_names: tuple[str, ...] | FloatArray | None = field(
        default=None, metadata=declare("RefRowNames", RowNames(), essential=True)
    )
    #: Names of channels or signals, or numbers of locations.
    row_names: tuple[str, ...] | FloatArray | None = field(
        default=None, metadata=declare("RowNames", RowNames(), essential=True)
    )
    #: ``'power'``, ``'magnitude'``, ``'none'`` (complex) ...
    measure: str | None = field(default=None, metadata=declare("Measure", Text(), essential=True))
    #: ``'morlet'``, ``'hilbert'``, ``'psd'``, ``'fft'`` ...
    method: str | None = field(default=None, metadata=declare("Method", Text(), essential=True))
    #: What was transformed, relative to the protocol's ``data``.
    data_file: str | None = field(default=None, metadata=declare("DataFile", Text(absent="double")))
    surface_file: str | None = field(
        default=None, metadata=declare("SurfaceFile", Text(absent="double"))
    )
    grid_loc: FloatArray | None = field(
        default=None,
        metadata=declare("GridLoc", Array("n_grid", 3, turned=True), finite, unit="m"),
    )
    grid_atlas: GridAtlas | None = field(
        default=None, metadata=declare("GridAtlas", Nested(GridAtlas))
    )
    #: Atlas of the rows; raw.
    atlas: Any = field(default=None, metadata=declare("Atlas", Raw()))
    head_model_file: str | None = field(
        default=None, metadata=declare("HeadModelFile", Text(absent="double"))
    )
    head_model_type: str | None = field(
        default=None, metadata=declare("HeadModelType", Text(absent="double"))
    )
    n_avg: int = field(default=1, metadata=declare("nAvg", Scalar(int), positive))
    leff: float | None = field(default=None, metadata=declare("Leff", Scalar(), not_negative))
    colormap_type: Any = field(default=None, metadata=declare("ColormapType", Raw()))
    display_units: Any = field(default=None, metadata=declare("DisplayUnits", Raw()))
    #: The options of the computation; raw.
    options: Mapping[str, Any] | None = field(
        default=None, metadata=declare("Options", Raw(struct=True))
    )
    history: HistoryRows = field(default=(), metadata=declare("History", History()))

    @property
    def is_spectrum(self) -> bool:
        """Whether it has no times of its own: one value a frequency.

        Its ``time`` is that of the signals, from the first to the last; a map of one time has one.
        """
        of_one_time = self.time is not None and len(self.time) == 1
        return self.tf.shape[1] == 1 and not (of_one_time and self.method not in _SPECTRA)

    @property
    def is_of_pairs(self) -> bool:
        """Whether the rows are pairs, as of connectivity."""
        return self.ref_row_names is not None

    @property
    def bands(self) -> dict[str, tuple[float, float]]:
        """Bands of frequencies by name: first and last, Hz."""
        return band_bounds(self.freq_bands or ())

    def _summary(self) -> str:
        rows, times, freqs = self.tf.shape
        columns = "bands" if self.freq_bands else "frequencies"
        size = f"{rows} rows × {times} times × {freqs} {columns}"
        return f"{self.comment}, {self.method} {self.measure}, {size}"


def read_timefreq(fname: PathLike) -> TimeFreq:
    """Read a file of time–frequency maps or spectra.

    Parameters
    ----------
    fname : path-like
        The file, ``timefreq_*.mat``.

    Returns
    -------
    TimeFreq
        The map (n_rows, n_times, n_freqs), times in seconds, frequencies in Hz.

    Raises
    ------
    MissingFileError
        If the file does not exist.
    MatFileError
        If it is no MATLAB file, or damaged.
    SchemaError
        If it does not hold a map; it lists all faults.
    """
    return structure_files.read(TimeFreq, fname)


def write_timefreq(fname: PathLike, timefreq: TimeFreq, *, overwrite: bool = False) -> None:
    """Write a file of time–frequency maps or spectra.

    Parameters
    ----------
    fname : path-like
        The file, ``timefreq_*.mat``; Brainstorm expects ``_KERNEL_`` in the name where a kernel is
        still to be applied.
    timefreq : TimeFreq
        The map.
    overwrite : bool
        Replace an existing file.

    Raises
    ------
    OverwriteError
        If the file exists and ``overwrite`` is False.
    MatFileError
        If the file cannot be written, or a variable is larger than 2 GB.
    SchemaError
        If the shapes or classes of the values contradict each other.
    """
    structure_files.write(TimeFreq, fname, timefreq, overwrite=overwrite)
