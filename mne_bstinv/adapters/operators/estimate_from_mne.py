"""MNE's source estimates as full results."""

from __future__ import annotations

import dataclasses
from typing import Any

import mne
import numpy as np
from mne.utils import verbose

from mne_bstinv import io
from mne_bstinv._types import FloatArray, IntArray, Verbose
from mne_bstinv.adapters.frames import scs_to_head_of
from mne_bstinv.adapters.kept import keep, kept_of
from mne_bstinv.adapters.operators.operator_from_mne import FUNCTIONS
from mne_bstinv.adapters.operators.results import grid_fields, layout_of_grid, rows_of
from mne_bstinv.adapters.operators.rows import RowLayout
from mne_bstinv.adapters.recordings import same_times
from mne_bstinv.adapters.sources import SourceGrid, grid_of
from mne_bstinv.conversion import (
    ConversionReport,
    Findings,
    attach_with_parts,
    conversion_report,
    converts,
)
from mne_bstinv.errors import ConversionError
from mne_bstinv.io.text import history_row

__all__ = ["from_source_estimate", "function_of_estimate"]

#: Brainstorm's function of dSPM maps that are scaled by the root of the number of averages.
SCALED = "dspm2018sc"


@converts
@verbose
def from_source_estimate(
    stc: mne.SourceEstimate
    | mne.VectorSourceEstimate
    | mne.VolSourceEstimate
    | mne.VolVectorSourceEstimate
    | mne.MixedSourceEstimate
    | mne.MixedVectorSourceEstimate,
    src: mne.SourceSpaces | None = None,
    *,
    channels: io.Channels | None = None,
    mri: io.Mri | None = None,
    head_model: io.HeadModel | None = None,
    function: str | None = None,
    nave: int | None = None,
    comment: str | None = None,
    data_file: str | None = None,
    head_model_file: str | None = None,
    surface_file: str | None = None,
    verbose: Verbose = None,
) -> io.Results:
    """Convert a source estimate of MNE to full results of Brainstorm.

    Parameters
    ----------
    stc : SourceEstimate | VectorSourceEstimate | VolSourceEstimate | MixedSourceEstimate | …
        The estimate.
    src : mne.SourceSpaces | None
        Its source spaces in head; ``None`` takes those that :func:`to_source_estimate` kept.
    channels : Channels | None
        Channel file, for the frame (not needed where the conversion to MNE kept it).
    mri : Mri | None
        MRI, for the same.
    head_model : HeadModel | None
        Head model whose locations the rows shall follow, in its order: needed where source spaces
        lost that order, as in FIF files. ``None`` takes the order that they carry, else MNE's.
    function : str | None
        ``'mn'``, ``'dspm2018'``, ``'sloreta'`` …: what the values are. ``None`` takes what the
        conversion to MNE kept, else ``'mn'``. MNE's dSPM of an average is not ``'dspm2018'``, which
        is for one sample, but ``'dspm2018sc'``: see ``function_of_estimate``.
    nave : int | None
        The number of averages of the recordings, written as nAvg, and as Leff unless the values
        are scaled by it already. ``None`` takes what the conversion to MNE kept, else 1.
    comment : str | None
        Name of the results in Brainstorm.
    data_file, head_model_file : str | None
        Files they belong to, relative to the protocol's ``data``.
    surface_file : str | None
        Cortex, relative to the protocol's ``anat``.
    verbose : bool | str | int | None
        Control verbosity of the logging output.

    Returns
    -------
    Results
        Estimates in ``image_grid_amp``, rows in Brainstorm's order and frame, unit unchanged. The
        report keeps ``grid`` (the :class:`SourceGrid` with locations and cortex).

    Raises
    ------
    ConversionError
        If the source spaces are missing or others than those of the estimate, or the values are
        complex.
    """
    findings, report = Findings(), conversion_report(stc)
    src = kept_of(report).get("src") if src is None else src
    if src is None:
        raise ConversionError("The source spaces of the estimate are unknown: give src.")
    to_head = scs_to_head_of(report, channels, mri, findings)
    grid = grid_of(src, to_head, head_model)
    values, order = _values(stc, src, grid.order, findings)
    layout, atlas = _layout(report, grid, values.ndim == 3, findings)
    rows = rows_of(
        layout, values / kept_of(report).get("scale", 1.0), order, to_head[:3, :3], findings
    )
    fields: dict[str, Any] = {"image_grid_amp": rows, "time": _time(stc, report)}
    averages = {} if nave is None else _averages(nave, function)
    fields |= averages
    given = {"function": function, "comment": comment, "data_file": data_file,
             "head_model_file": head_model_file, "surface_file": surface_file}  # fmt: skip
    fields |= {name: value for name, value in given.items() if value is not None}
    kept = kept_of(report).get("results")
    if isinstance(kept, io.Results) and kept_of(report).get("layout") is layout:
        results = _as_before(kept, fields)
    else:
        results = _anew(fields, grid_fields(grid, layout, atlas), findings)
    keep(findings, grid=grid)
    return attach_with_parts(findings, results, [grid], what="source estimate → results")


def function_of_estimate(method: str, nave: int | None, findings: Findings) -> str:
    """Return Brainstorm's function of what one of MNE's methods computed.

    MNE multiplies dSPM and sLORETA of an average by the root of the number of averages (the manual
    of MNE-Python, "The minimum-norm estimates"). In Brainstorm ``dspm2018`` is for one sample, and
    ``dspm2018sc`` what its process "Scale averaged dSPM" makes of it.

    Parameters
    ----------
    method : 'MNE' | 'dSPM' | 'sLORETA' | 'eLORETA'
        MNE's method.
    nave : int | None
        Number of averages of the recordings; None if it is unknown.
    findings : Findings
        Takes what is assumed.

    Returns
    -------
    str
        The function.
    """
    if method not in FUNCTIONS:
        raise ConversionError(f"Unknown method {method!r}. Must be one of {', '.join(FUNCTIONS)}.")
    if method == "sLORETA" and nave != 1:
        averages = "of the number of averages" if nave is None else f"{nave}"
        findings.derived(
            "Function",
            f"MNE's sLORETA is dimensionless, and times the root {averages}: Brainstorm's is in "
            "A·m and for one sample.",
        )
    if method != "dSPM" or nave == 1:
        return FUNCTIONS[method]
    if nave is None:
        findings.assumed(
            "Function",
            "'dspm2018sc', scaled by the number of averages, as MNE's dSPM is: nothing says how "
            "many there were, or whether evoked.nave was set to 1.",
        )
    else:
        findings.derived(
            "Function",
            f"'dspm2018sc': MNE's dSPM of {nave} averages is scaled by √{nave}, as Brainstorm's "
            "dspm2018 is by its process 'Scale averaged dSPM'.",
        )
    return SCALED


def _averages(nave: int, function: str | None) -> dict[str, Any]:
    """Return nAvg and Leff; Brainstorm writes 0 for the Leff of what is scaled already."""
    return {"n_avg": int(nave), "leff": 0.0 if function == SCALED else float(nave)}


def _values(stc: Any, src: Any, order: IntArray, findings: Findings) -> tuple[FloatArray, IntArray]:
    """Return the values with the location of each."""
    data = np.asarray(stc.data)
    if np.iscomplexobj(data):
        raise ConversionError(
            "The estimate is complex: Brainstorm's results hold real numbers. "
            "Convert its real part or its magnitude (abs(stc))."
        )
    if len(stc.vertices) != len(src):
        raise ConversionError(
            f"The estimate has {len(stc.vertices)} lists of vertices, the source spaces are "
            f"{len(src)}: they do not belong together. Give the source spaces of the operator that "
            "made the estimate."
        )
    places, first = [], 0
    for part, vertices in zip(src, stc.vertices, strict=True):
        places.append(first + _positions(vertices, part["vertno"]))
        first += len(part["vertno"])
    chosen = np.concatenate(places)
    if len(chosen) < first:
        findings.assumed(
            "vertices",
            f"{first - len(chosen)} of {first} sources are not in the estimate: their rows are 0.",
        )
    return data.astype(np.float64), order[chosen]


def _positions(vertices: IntArray, available: IntArray) -> IntArray:
    positions = np.searchsorted(available, vertices)
    inside = positions < len(available)
    if not inside.all() or (available[positions[inside]] != vertices[inside]).any():
        raise ConversionError(
            "The estimate has vertices that are not in use in the source spaces: they do not "
            "belong together. Give the source spaces of the operator that made the estimate."
        )
    return np.asarray(positions, dtype=np.int64)


def _layout(
    report: ConversionReport, grid: SourceGrid, vector: bool, findings: Findings
) -> tuple[RowLayout, io.GridAtlas | None]:
    kept = kept_of(report).get("layout")
    fits = isinstance(kept, RowLayout) and kept.is_vector == vector
    if isinstance(kept, RowLayout) and fits and kept.n_sources == len(grid.grid_loc):
        return kept, grid.grid_atlas
    return layout_of_grid(grid, vector=vector, findings=findings)


def _time(stc: Any, report: ConversionReport) -> FloatArray:
    kept = kept_of(report).get("time")
    # not stc.times, which MNE forgets to shorten when it crops a (kernel, data) pair
    times = stc.tmin + stc.tstep * np.arange(stc.shape[-1])
    return kept if kept is not None and same_times(kept, times) else times


def _as_before(kept: io.Results, fields: dict[str, Any]) -> io.Results:
    """Take over everything else from the results that were converted."""
    row = history_row("mne", "Source estimate from MNE-Python")
    return dataclasses.replace(
        kept,
        imaging_kernel=None,
        image_grid_factors=None,
        **{**fields, "history": (*kept.history, row)},
    )


def _anew(fields: dict[str, Any], grid: dict[str, Any], findings: Findings) -> io.Results:
    if "function" not in fields:
        findings.assumed(
            "Function",
            "Nothing says what the values are: 'mn' (A·m). Say it with function.",
        )
    if grid["head_model_type"] == "surface" and "surface_file" not in fields:
        findings.assumed(
            "SurfaceFile",
            "empty: no cortex was given, and Brainstorm shows the results on one. mne-bstinv "
            "convert x-fwd.fif tess_cortex_x.mat writes that of a forward solution; give it with "
            "--cortex (surface_file).",
        )
    defaults: dict[str, Any] = {
        "function": "mn",
        "comment": "MNE-Python",
        "options": {},
        **_averages(1, fields.get("function")),
        "history": (history_row("mne", "Source estimate from MNE-Python"),),
    }
    return io.Results(**{**defaults, **grid, **fields})
