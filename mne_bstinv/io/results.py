"""Source estimates and imaging kernels: ``results_*.mat``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from scipy.sparse import issparse

from mne_bstinv._types import FloatArray, IntArray
from mne_bstinv.io import raw, structure_files
from mne_bstinv.io.checks import (
    each,
    finite,
    flags,
    increasing,
    index,
    not_nan,
    not_negative,
    one_of,
    positive,
    unique,
)
from mne_bstinv.io.context import Context
from mne_bstinv.io.kinds import Array, Raw, Scalar, Vector
from mne_bstinv.io.mat import PathLike
from mne_bstinv.io.result_links import results_file
from mne_bstinv.io.schema import Structure, declare
from mne_bstinv.io.scouts import GridAtlas
from mne_bstinv.io.text import History, HistoryRows, Nested, Text, as_text, history_rows
from mne_bstinv.io.values import EMPTY, cast, is_empty
from mne_bstinv.io.variable import Variable

__all__ = ["Results", "read_results", "write_results"]


def _texts(value: Any) -> Any:
    """Return a cell of texts, which reading turns into a text if it has one entry."""
    items = value if isinstance(value, list | tuple) else [value]
    texts = [] if is_empty(value) else [as_text(item) for item in items]
    return raw.freeze(value) if None in texts else tuple(texts)


def _history(value: Any) -> Any:
    """Return the cell of a history: reading flattens a history of one row."""
    rows = history_rows(value) if isinstance(value, list | tuple) and value else None
    if rows is None:
        return raw.freeze(value)
    return raw.read_only(raw.cell([text for row in rows for text in row], (len(rows), 3)))


#: The cells in Options whose form reading loses.
OPTION_HINTS = {
    "SourceOrient": _texts,
    "DataTypes": _texts,
    "ChannelTypes": _texts,
    "History": _history,
}


@dataclass(frozen=True, slots=True)
class _Factors:
    """The cell of two factors that ImageGridAmp may be; an array there is read as None."""

    order: int = 1

    def read(self, variable: Variable, context: Context) -> Any:
        value = variable.value
        if not isinstance(value, list | tuple) or is_empty(value):
            return None
        if len(value) != 2:
            context.fault(f"a cell of {len(value)}", "a cell of two factors")
            return None
        left, right = (self._numbers(item, context.element(n)) for n, item in enumerate(value))
        if left is None or right is None:
            return None
        if left.ndim == 1:  # squeezed: a column of one source of variance, or one row
            left = left.reshape((1, -1) if right.ndim == 2 else (-1, 1))
        left = left.reshape((1, 1)) if left.ndim == 0 else left
        right = right.reshape((left.shape[1], -1)) if right.ndim < 2 else right
        context.match((left.shape[0], right.shape[1]), ("n_rows", "n_times"))
        if left.shape[1] != right.shape[0]:
            context.fault(
                f"factors {left.shape} and {right.shape}", "factors that can be multiplied"
            )
            return None
        return raw.freeze((left, right))

    def _numbers(self, value: Any, context: Context) -> Any:
        if issparse(value):
            return value
        array = cast(Variable(value), "float64", context, "an array of numbers")
        if array is not None and array.ndim > 2:
            context.fault(f"an array of {array.ndim} dimensions", "rows and columns")
            return None
        return array

    def write(self, value: Any, context: Context) -> Any:
        return EMPTY if value is None else raw.cell(list(value))


@dataclass(frozen=True, slots=True)
class _Amplitudes:
    """The array that ImageGridAmp is in most files."""

    order: int = 1
    array: ClassVar[Array] = Array("n_rows", "n_times")

    def read(self, variable: Variable, context: Context) -> Any:
        return None if isinstance(variable.value, list) else self.array.read(variable, context)

    def write(self, value: Any, context: Context) -> Any:
        return self.array.write(value, context)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class Results(Structure):
    """An imaging kernel, or source estimates over time.

    Rows are ordered by location: with p components, location i (from 1) has the rows p(i-1)+1
    to p·i.
    """

    #: (n_rows, n_good): estimates are the kernel times the good channels.
    imaging_kernel: FloatArray | None = field(
        default=None,
        metadata=declare(
            "ImagingKernel", Array("n_rows", "n_good", late=True), not_nan, essential=True
        ),
    )
    #: (n_rows, n_times), A·m or the unit of the measure.
    image_grid_amp: FloatArray | None = field(
        default=None,
        metadata=declare("ImageGridAmp", _Amplitudes(), not_nan, essential=True),
    )
    #: Two factors whose product is (n_rows, n_times), in place of ``image_grid_amp``.
    image_grid_factors: tuple[Any, Any] | None = field(
        default=None,
        metadata=declare("ImageGridAmp", _Factors(), each(not_nan), essential=True),
    )
    #: Inverse whitener of the noise (n_good, n_good).
    whitener: FloatArray | None = field(
        default=None, metadata=declare("Whitener", Array("?", "n_good", late=True), finite)
    )
    #: Inverse whitener of the data covariance (n_good, n_good); beamformers only.
    data_whitener: FloatArray | None = field(
        default=None, metadata=declare("DataWhitener", Array("?", "n_good", late=True), finite)
    )
    #: Singular values of the whitened gain (p, n_sources).
    source_decomp_sa: FloatArray | None = field(
        default=None, metadata=declare("SourceDecompSa", Array("p", "?"), not_nan)
    )
    #: Right singular vectors of the whitened gain (p, p*n_sources).
    source_decomp_va: FloatArray | None = field(
        default=None, metadata=declare("SourceDecompVa", Array("p", "?", late=True), not_nan)
    )
    #: Components of a location: 1 or 3; 0 for mixed models.
    n_components: int | None = field(
        default=None,
        metadata=declare("nComponents", Scalar(int), one_of(0, 1, 2, 3), essential=True),
    )
    comment: str = field(default="", metadata=declare("Comment", Text()))
    #: ``'mn'``, ``'dspm2018'``, ``'sloreta'``, ``'glsp'``, ``'lcmvp'``.
    function: str | None = field(default=None, metadata=declare("Function", Text()))
    #: (n_times,), s; None for a shared kernel.
    time: FloatArray | None = field(
        default=None,
        metadata=declare("Time", Vector("n_times"), increasing, unit="s", essential=True),
    )
    #: The recordings, relative to the protocol's ``data``; None for a shared kernel.
    data_file: str | None = field(default=None, metadata=declare("DataFile", Text(absent="double")))
    #: The head model, relative to the protocol's ``data``.
    head_model_file: str | None = field(default=None, metadata=declare("HeadModelFile", Text()))
    head_model_type: str | None = field(default=None, metadata=declare("HeadModelType", Text()))
    #: 1 good, -1 bad (n_channels,).
    channel_flag: IntArray | None = field(
        default=None,
        metadata=declare(
            "ChannelFlag", Vector("n_channels", column=True, dtype="int64"), flags, essential=True
        ),
    )
    #: The channels of the kernel's columns (n_good,), 1-based.
    good_channel: IntArray | None = field(
        default=None,
        metadata=declare(
            "GoodChannel",
            Vector("n_good", dtype="int64"),
            index(),
            index("n_channels", keeps=True),
            unique,
            essential=True,
        ),
    )
    #: The cortex, relative to the protocol's ``anat``.
    surface_file: str | None = field(default=None, metadata=declare("SurfaceFile", Text()))
    #: Atlas of a downsampled estimate; raw.
    atlas: Any = field(default=None, metadata=declare("Atlas", Raw()))
    #: (n_grid, 3), m, SCS; None on surfaces.
    grid_loc: FloatArray | None = field(
        default=None,
        metadata=declare(
            "GridLoc",
            Array("n_grid", 3, turned=True, names_file=True),
            finite,
            unit="m",
            essential=True,
        ),
    )
    #: (n_grid, 3), unit normals, SCS; mixed models only.
    grid_orient: FloatArray | None = field(
        default=None,
        metadata=declare("GridOrient", Array("n_grid", 3, turned=True), finite, essential=True),
    )
    #: The regions of a mixed model.
    grid_atlas: GridAtlas | None = field(
        default=None, metadata=declare("GridAtlas", Nested(GridAtlas), essential=True)
    )
    #: All options of the computation; raw (``SourceOrient``, ``DataTypes`` and ``ChannelTypes``
    #: are tuples of text, ``History`` is an N x 3 object array).
    options: Mapping[str, Any] | None = field(
        default=None, metadata=declare("Options", Raw(OPTION_HINTS, struct=True))
    )
    #: Standard deviation; raw.
    std: Any = field(default=None, metadata=declare("Std", Raw()))
    colormap_type: Any = field(default=None, metadata=declare("ColormapType", Raw()))
    display_units: Any = field(default=None, metadata=declare("DisplayUnits", Raw()))
    z_score: Any = field(default=None, metadata=declare("ZScore", Raw()))
    #: Number of trials in the average.
    n_avg: int = field(default=1, metadata=declare("nAvg", Scalar(int), positive))
    #: Effective number of averages; None in old files.
    leff: float | None = field(default=None, metadata=declare("Leff", Scalar(), not_negative))
    history: HistoryRows = field(default=(), metadata=declare("History", History()))

    @property
    def is_kernel(self) -> bool:
        """Whether this is a kernel, without estimates of its own."""
        return self.imaging_kernel is not None

    @property
    def amplitudes(self) -> FloatArray | None:
        """The estimates (n_rows, n_times), multiplied out if they are kept as factors."""
        if self.image_grid_factors is None:
            return self.image_grid_amp
        left, right = self.image_grid_factors
        product = left @ right
        return product.toarray() if issparse(product) else product

    @property
    def effective_averages(self) -> float:
        """``leff``, or ``n_avg`` where that is missing."""
        return float(self.n_avg) if self.leff is None else self.leff

    def _faults(self) -> Sequence[str]:
        maps = (self.imaging_kernel, self.image_grid_amp, self.image_grid_factors)
        if all(value is None for value in maps):
            return ["ImagingKernel, ImageGridAmp: both are empty or missing"]
        if self.image_grid_amp is not None and self.image_grid_factors is not None:
            return ["ImageGridAmp: both an array and two factors are set"]
        return ()

    def _summary(self) -> str:
        if self.imaging_kernel is not None:
            size = "kernel, {} rows × {} channels".format(*self.imaging_kernel.shape)
        elif self.image_grid_factors is not None:
            left, right = self.image_grid_factors
            size = f"full results, {left.shape[0]} rows × {right.shape[1]} times"
        else:
            shape = getattr(self.image_grid_amp, "shape", (0, 0))
            size = "full results, {} rows × {} times".format(*shape)
        return f"{self.comment}, {size}, {self.n_components} components"


def read_results(fname: PathLike) -> Results:
    """Read a results file.

    Parameters
    ----------
    fname : path-like
        The file, ``results_*.mat``; or ``link|results|data``, Brainstorm's name of a kernel with
        recordings, with the folder of its protocol in front unless that is the current one.

    Returns
    -------
    Results
        The kernel (n_rows, n_good) or the estimates (n_rows, n_times); channels 1-based.

    Raises
    ------
    MissingFileError
        If the file does not exist.
    MatFileError
        If it is no MATLAB file, or damaged.
    SchemaError
        If it does not hold results; it lists all faults.
    """
    return structure_files.read(Results, results_file(fname))


def write_results(fname: PathLike, results: Results, *, overwrite: bool = False) -> None:
    """Write a results file.

    Parameters
    ----------
    fname : path-like
        The file, ``results_*.mat``; Brainstorm expects ``_KERNEL_`` in the name of kernels.
    results : Results
        The results.
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
    structure_files.write(Results, fname, results, overwrite=overwrite)
