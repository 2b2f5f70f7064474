"""An imaging kernel of the 2018 inverse as the results file that Brainstorm writes of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from mne_bstinv import io
from mne_bstinv._data_types import LISTED, data_types_of
from mne_bstinv.adapters.operators import vert2grid
from mne_bstinv.adapters.sources import is_on_cortex
from mne_bstinv.inverse import InverseResult
from mne_bstinv.inverse.options import OPTION_FIELDS
from mne_bstinv.io import raw
from mne_bstinv.io.processing import is_of_mne
from mne_bstinv.io.text import as_text, history_row

__all__ = ["complete_options", "kernel_name", "results_from_kernel"]

#: Brainstorm's function → how it names it in comments and file names.
_MEASURES = {
    "mn": "MN",
    "dspm2018": "dSPM-unscaled",
    "dspm2018sc": "dSPM",
    "sloreta": "sLORETA",
    "glsp": "Dipoles",
    "lcmvp": "PNAI",
}
_ORIENTATIONS = {"fixed": "Constr", "loose": "Loose", "free": "Unconstr"}
#: The options that are text.
_TEXTS = (
    "Comment",
    "InverseMethod",
    "InverseMeasure",
    "NoiseMethod",
    "SnrMethod",
    "FunctionName",
)
#: The fields of a covariance among the options.
_COVARIANCE = ("Comment", "FourthMoment", "History", "NoiseCov", "nSamples")
#: The order in which Brainstorm lists data types.


def results_from_kernel(
    result: InverseResult,
    *,
    head_model: io.HeadModel,
    noise_cov: io.NoiseCov,
    data_cov: io.NoiseCov | None = None,
    recordings: io.Recordings | None = None,
    channel_flag: Any = None,
    data_file: str | None = None,
    head_model_file: str | None = None,
    comment: str | None = None,
) -> io.Results:
    """Put a computed kernel into a results structure, complete as Brainstorm's own.

    The options are complete, so that :func:`mne_bstinv.verify` computes the kernel (n_rows,
    n_good) anew. Without recordings it is a kernel that all recordings of the study share;
    without ``channel_flag`` (n_all_channels,) those of the recordings count, else all are good.
    The files are relative to ``data``; the comment is Brainstorm's own, such as ``'MN: MEG
    ALL(Constr) 2018'``.
    """
    if channel_flag is None and recordings is not None:
        channel_flag = recordings.channel_flag
    if channel_flag is None:
        channel_flag = np.ones(len(noise_cov.noise_cov), dtype=np.int64)
    assert result.channel_indices is not None  # a result of compute_kernel has them
    options = _options(result, noise_cov, data_cov)
    kind = head_model.kind
    return io.Results(
        imaging_kernel=result.kernel,
        whitener=result.whitener,
        data_whitener=result.data_whitener,
        source_decomp_sa=result.source_decomp_sa,
        source_decomp_va=result.source_decomp_va,
        n_components=result.n_components,
        comment=comment or f"{options['Comment']} 2018",
        function=result.function,
        time=None if recordings is None else recordings.time,
        data_file=data_file,
        head_model_file=head_model_file,
        head_model_type=head_model.head_model_type or "surface",
        channel_flag=np.asarray(channel_flag, dtype=np.int64),
        good_channel=result.channel_indices + 1,
        surface_file=head_model.surface_file,
        grid_loc=None if kind == "surface" else head_model.grid_loc,
        grid_orient=head_model.grid_orient if kind == "mixed" else None,
        grid_atlas=_grid_atlas(head_model, result) if kind == "mixed" else None,
        options=options,
        n_avg=1 if recordings is None else recordings.n_avg,
        leff=1.0 if recordings is None else recordings.effective_averages,
        history=(history_row("compute", f"Source estimation: {result.options.method}"),),
    )


def kernel_name(results: io.Results) -> str:
    """Name the file of results but for the time, such as ``'results_MN_EEG_KERNEL'``."""
    options: Mapping[str, Any] = results.options or {}
    measure = _MEASURES.get(results.function or "", "MN")
    if is_of_mne(options):
        measure = f"MNE-Python-{as_text(options.get('InverseMeasure')) or measure}"
    parts = [measure, *data_types_of(options)]
    if results.is_kernel:
        parts.append("KERNEL")
    return "results_" + "_".join(part.replace(" ", "_") for part in parts)


def complete_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """Add the fields of Brainstorm's Options that a kernel of another inverse lacks, empty."""
    given = options.get("NoiseCovMat")
    covariance = dict.fromkeys(_COVARIANCE) | (dict(given) if isinstance(given, Mapping) else {})
    arrays = ("NoiseCovMat", "ChannelTypes", "DataCovMat")
    empty: dict[str, Any] = dict.fromkeys((*OPTION_FIELDS, "ComputeKernel", "DataTypes", *arrays))
    empty |= dict.fromkeys(_TEXTS, "") | {"DisplayMessages": 0.0}
    return empty | dict(options) | {"NoiseCovMat": covariance}


def _options(
    result: InverseResult, noise_cov: io.NoiseCov, data_cov: io.NoiseCov | None
) -> dict[str, Any]:
    """Options in Brainstorm's order."""
    given = result.options.to_brainstorm()
    given["SourceOrient"] = tuple(given["SourceOrient"])
    present = {kind.upper() for kind in result.channel_types}
    types = tuple(kind for kind in LISTED if kind in present)
    return {
        "Comment": _comment(result, types),
        **{name: given[name] for name in OPTION_FIELDS},
        "ComputeKernel": 1.0,
        "DataTypes": types,
        "DisplayMessages": 0.0,
        "NoiseCovMat": _covariance(noise_cov, result.noise_cov, result),
        "ChannelTypes": tuple(result.channel_types),
        "DataCovMat": np.zeros((0, 0))
        if result.data_cov is None or data_cov is None
        else _covariance(data_cov, result.data_cov, result),
        "FunctionName": result.function,
    }


def _comment(result: InverseResult, types: Sequence[str]) -> str:
    """Brainstorm's comment: measure, modalities, orientation."""
    orients = {region.orient for region in result.regions}
    mixed = result.n_components == 0
    orient = "Mixed" if mixed else _ORIENTATIONS[next(iter(orients))]
    modalities = [kind for kind in types if not kind.startswith("MEG")]
    meg = [kind for kind in types if kind.startswith("MEG")]
    modalities += ["MEG ALL"] if len(meg) > 1 else meg
    return f"{_MEASURES[result.function]}: {'+'.join(modalities)}({orient})"


def _covariance(cov: io.NoiseCov, used: Any, result: InverseResult) -> dict[str, Any]:
    """Covariance of the channels in use: projected and referenced, its counts as they were."""
    good = result.channel_indices
    pairs = np.ix_(good, good) if good is not None else np.ix_([], [])
    fourth, counts = cov.fourth_moment, cov.n_samples
    history = [text for row in cov.history for text in row]
    return {
        "Comment": cov.comment,
        "FourthMoment": None if fourth is None else fourth[pairs],
        "History": raw.cell(history, (len(cov.history), 3)) if history else None,
        "NoiseCov": used,
        "nSamples": counts[pairs] if isinstance(counts, np.ndarray) else counts,
    }


def _grid_atlas(head_model: io.HeadModel, result: InverseResult) -> io.GridAtlas | None:
    """Regions with the maps from vertices to locations, and from locations to rows."""
    atlas = head_model.grid_atlas
    if atlas is None:
        return None
    # as many columns as Brainstorm has: up to the last vertex that is a location
    on_cortex = [s.vertices for s in atlas.scouts if is_on_cortex(s) and s.vertices is not None]
    n_columns = max((int(vertices.max()) for vertices in on_cortex), default=0)
    return dataclasses.replace(
        atlas,
        grid2source=result.grid2source.astype(np.float64),
        vert2grid=vert2grid(atlas.scouts, result.n_sources, n_columns),
    )
