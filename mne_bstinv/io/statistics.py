"""Maps of a test: ``pdata_*.mat``, ``presults_*.mat``, ``ptimefreq_*.mat``, ``pmatrix_*.mat``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mne_bstinv._types import FloatArray, IntArray
from mne_bstinv.io import raw, structure_files
from mne_bstinv.io.checks import (
    finite,
    flags,
    index,
    one_of,
    ordered,
    probabilities,
    unique,
)
from mne_bstinv.io.context import Context
from mne_bstinv.io.kinds import Array, Raw, Scalar, Vector
from mne_bstinv.io.mat import PathLike
from mne_bstinv.io.schema import Structure, declare
from mne_bstinv.io.scouts import GridAtlas
from mne_bstinv.io.text import History, HistoryRows, Nested, Text, as_text
from mne_bstinv.io.timefreq import BandRows, Bands, Frequencies, RowNames
from mne_bstinv.io.values import EMPTY, bare, cast, is_empty
from mne_bstinv.io.variable import Variable

__all__ = ["Statistics", "read_statistics", "write_statistics"]


@dataclass(frozen=True, slots=True)
class _Map:
    """An array of rows × times, or × frequencies too; all maps of a file have one shape."""

    order: int = 1

    def read(self, variable: Variable, context: Context) -> Any:
        if is_empty(variable.value):
            return None
        variable = bare(variable, context)
        array = cast(variable, "float64", context, "an array of numbers (n_rows, n_times)")
        if array is None:
            return None
        return self._checked(array.reshape(variable.shape or array.shape, order="F"), context)

    def write(self, value: Any, context: Context) -> Any:
        if value is None:
            return EMPTY
        array = cast(Variable(value), "float64", context, "an array of numbers (n_rows, n_times)")
        return EMPTY if array is None else self._checked(array, context)

    def _checked(self, array: Any, context: Context) -> Any:
        shape = (*array.shape, *(1,) * (3 - array.ndim))
        symbols = ("n_map_rows", "n_map_times", "n_map_freqs")
        if array.ndim not in (2, 3) or not context.match(shape, symbols):
            context.fault(f"shape {array.shape}", f"an array {context.explain(symbols)}")
            return None
        return raw.read_only(array)


@dataclass(frozen=True, slots=True)
class _Freedom:
    """Degrees of freedom: as many as there are values, or one number for all."""

    order: int = 2

    def read(self, variable: Variable, context: Context) -> Any:
        one = isinstance(variable.value, int | float) and not context.fits(
            (1, 1, 1), ("n_map_rows", "n_map_times", "n_map_freqs")
        )
        return float(variable.value) if one else _Map().read(variable, context)

    def write(self, value: Any, context: Context) -> Any:
        if isinstance(value, int | float):
            return np.array([[float(value)]])
        return _Map().write(value, context)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class Statistics(Structure):
    """A statistic with its p values, of recordings, sources, signals or time–frequency maps."""

    #: (n_rows, n_times), or (n_rows, n_times, n_freqs): the statistic.
    tmap: FloatArray | None = field(default=None, metadata=declare("tmap", _Map(), essential=True))
    #: The same shape: p values, corrected as ``correction`` says.
    pmap: FloatArray | None = field(
        default=None, metadata=declare("pmap", _Map(), probabilities, essential=True)
    )
    #: The same shape, or one number: degrees of freedom.
    df: FloatArray | float | None = field(
        default=None, metadata=declare("df", _Freedom(), essential=True)
    )
    #: The file of SPM that holds the test; raw.
    spm: Any = field(default=None, metadata=declare("SPM", Raw()))
    #: Kind of the files that were tested: ``'data'``, ``'results'``, ``'timefreq'``, ``'matrix'``.
    type: str | None = field(default=None, metadata=declare("Type", Text(), essential=True))
    #: Correction for multiple tests: ``'no'``, ``'cluster'`` ...
    correction: str | None = field(
        default=None, metadata=declare("Correction", Text(), essential=True)
    )
    comment: str = field(default="", metadata=declare("Comment", Text()))
    #: 1 good, -1 bad (n_channels,).
    channel_flag: IntArray | None = field(
        default=None, metadata=declare("ChannelFlag", Vector(column=True, dtype="int64"), flags)
    )
    good_channel: IntArray | None = field(
        default=None, metadata=declare("GoodChannel", Vector(dtype="int64"), index(), unique)
    )
    #: (n_times,), s; the first and the last where the times were averaged.
    time: FloatArray | None = field(
        default=None, metadata=declare("Time", Vector(), ordered, unit="s")
    )
    #: Components of a location, of sources.
    n_components: int | None = field(
        default=None, metadata=declare("nComponents", Scalar(int), one_of(0, 1, 2, 3))
    )
    surface_file: str | None = field(
        default=None, metadata=declare("SurfaceFile", Text(absent="double"))
    )
    head_model_type: str | None = field(
        default=None, metadata=declare("HeadModelType", Text(absent="double"))
    )
    grid_loc: FloatArray | None = field(
        default=None,
        metadata=declare("GridLoc", Array("n_grid", 3, turned=True), finite, unit="m"),
    )
    grid_orient: FloatArray | None = field(
        default=None, metadata=declare("GridOrient", Array("n_grid", 3, turned=True), finite)
    )
    grid_atlas: GridAtlas | None = field(
        default=None, metadata=declare("GridAtlas", Nested(GridAtlas))
    )
    atlas: Any = field(default=None, metadata=declare("Atlas", Raw()))
    #: Names of the rows, of signals; raw.
    description: Any = field(default=None, metadata=declare("Description", Raw()))
    #: Names of the rows, of time–frequency maps.
    row_names: tuple[str, ...] | FloatArray | None = field(
        default=None, metadata=declare("RowNames", RowNames(), essential=True)
    )
    ref_row_names: tuple[str, ...] | FloatArray | None = field(
        default=None, metadata=declare("RefRowNames", RowNames(), essential=True)
    )
    #: (n_freqs,), Hz.
    freqs: FloatArray | None = field(
        default=None, metadata=declare("Freqs", Frequencies(), finite, unit="Hz", essential=True)
    )
    #: Bands of frequencies, in place of ``freqs``.
    freq_bands: BandRows | None = field(
        default=None, metadata=declare("Freqs", Bands("n_freqs"), unit="Hz", essential=True)
    )
    time_bands: BandRows | None = field(default=None, metadata=declare("TimeBands", Bands()))
    measure: str | None = field(default=None, metadata=declare("Measure", Text(absent="double")))
    method: str | None = field(default=None, metadata=declare("Method", Text(absent="double")))
    data_type: str | None = field(default=None, metadata=declare("DataType", Text(absent="double")))
    tf_mask: Any = field(default=None, metadata=declare("TFmask", Raw()))
    #: Clusters of a permutation test; raw.
    stat_clusters: Any = field(default=None, metadata=declare("StatClusters", Raw()))
    colormap_type: Any = field(default=None, metadata=declare("ColormapType", Raw()))
    #: Unit of ``tmap``: ``'t'``, ``'chi2'``, ``'F'`` ...; raw.
    display_units: Any = field(default=None, metadata=declare("DisplayUnits", Raw()))
    #: The options of the test; raw.
    options: Mapping[str, Any] | None = field(
        default=None, metadata=declare("Options", Raw(struct=True))
    )
    history: HistoryRows = field(default=(), metadata=declare("History", History()))

    def _faults(self) -> list[str]:
        if self.tmap is None and self.pmap is None and self.spm is None:
            return ["tmap, pmap: both are empty or missing"]
        return []

    def _summary(self) -> str:
        maps = self.tmap if self.tmap is not None else self.pmap
        size = " × ".join(map(str, maps.shape)) if maps is not None else "of SPM"
        return f"{self.comment}, {as_text(self.display_units) or ''} of {self.type}, {size}"


def read_statistics(fname: PathLike) -> Statistics:
    """Read a file with the maps of a test.

    Parameters
    ----------
    fname : path-like
        The file, ``pdata_*.mat``, ``presults_*.mat``, ``ptimefreq_*.mat`` or ``pmatrix_*.mat``.

    Returns
    -------
    Statistics
        The statistic and its p values (n_rows, n_times), times in seconds.

    Raises
    ------
    MissingFileError
        If the file does not exist.
    MatFileError
        If it is no MATLAB file, or damaged.
    SchemaError
        If it does not hold the maps of a test; it lists all faults.
    """
    return structure_files.read(Statistics, fname)


def write_statistics(fname: PathLike, statistics: Statistics, *, overwrite: bool = False) -> None:
    """Write a file with the maps of a test.

    Parameters
    ----------
    fname : path-like
        The file; ``pdata_*.mat``, ``presults_*.mat``, ``ptimefreq_*.mat`` or ``pmatrix_*.mat``, as
        ``statistics.type`` says.
    statistics : Statistics
        The maps.
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
    structure_files.write(Statistics, fname, statistics, overwrite=overwrite)
