"""Stored results: inverse operators of minimum-norm kernels, and source estimates of all."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mne_bstinv import io
from mne_bstinv._data_types import MEG_TYPES, data_types_of
from mne_bstinv.errors import MissingFileError
from mne_bstinv.io.filenames import is_average
from mne_bstinv.port.names import ENDINGS, MAX_STEM, safe_name
from mne_bstinv.port.outputs import Outputs
from mne_bstinv.port.plan import CONDITION, SHARED, Settings, Unit
from mne_bstinv.port.recordings import LINK
from mne_bstinv.workflow import StudyCondition

__all__ = ["convert_estimates"]


def convert_estimates(
    unit: Unit, study: StudyCondition, settings: Settings, outputs: Outputs
) -> None:
    """Convert the results of a unit.

    Shared kernels give operators where they are shared, and estimates in each condition.
    """
    for entry in study.results:
        with outputs.item(entry.file, "results"):
            results = study.store.read(io.read_results, entry.file)
            if reason := _unwanted(results, study, settings):
                outputs.skip(entry.file, "results", reason)
                continue
            mine = entry.file.parent == study.folder
            if mine:
                with outputs.item(entry.file, "inverse operator"):
                    _operator(results, entry, unit, study, outputs)
            if unit.kind == CONDITION:
                _estimates(results, entry, study, settings, outputs)


def _unwanted(results: io.Results, study: StudyCondition, settings: Settings) -> str:
    if settings.data_types is None:
        return ""
    if results.good_channel is not None:
        used = {study.channels.types[i - 1].strip().upper() for i in results.good_channel}
    else:
        used = set(data_types_of(results.options))
    wanted = set(settings.data_types)
    if "MEG" in wanted:
        wanted |= set(MEG_TYPES)
    if used and used <= wanted:
        return ""
    return f"Computed of {', '.join(sorted(used)) or 'unknown channels'}, which were not asked for."


def _operator(
    results: io.Results,
    entry: io.ResultsEntry,
    unit: Unit,
    study: StudyCondition,
    outputs: Outputs,
) -> None:
    from mne_bstinv.adapters.kept import kept_of
    from mne_bstinv.adapters.operators import for_averages, inverse_parameters, why_no_operator

    if reason := why_no_operator(results) or _lacking(results, study):
        outputs.skip(entry.file, "inverse operator", reason)
        return
    operator = for_averages(study.inverse_operator(results), unit.averages_of(entry))
    parameters = inverse_parameters(operator)
    model = study.with_head_model_of(results)
    sources = [entry.file, model.head_model_file, study.noise_cov_file, study.channel_file]
    outputs.write(
        f"_{_label(entry.file)}{ENDINGS['inverse operator']}",
        operator,
        "inverse operator",
        [file for file in sources if file],
        precision="single",
        recordings=_belonging(entry, unit, study, outputs),
        parameters=dataclasses.asdict(parameters),
        kernel_difference=kept_of(operator)["kernel_difference"],
    )


def _lacking(results: io.Results, study: StudyCondition) -> str:
    """Say what maps that are no kernel lack for an operator: they are whole without it."""
    if results.imaging_kernel is not None:
        return ""
    files = {"channel file": study.channel_file, "noise covariance": study.noise_cov_file}
    missing = [what for what, file in files.items() if file is None]
    if not missing:
        return ""
    return f"Its folder has no {' and no '.join(missing)}: it is a map, and no operator is made."


def _belonging(
    entry: io.ResultsEntry, unit: Unit, study: StudyCondition, outputs: Outputs
) -> list[str] | None:
    """Name the recordings that a kernel is for; None where several conditions share it."""
    if unit.kind == SHARED:
        return None
    if entry.shared:
        return [outputs.relative(recordings.file) for recordings in study.recordings]
    return [] if entry.data_file is None else [outputs.relative(entry.data_file)]


def _estimates(
    results: io.Results,
    entry: io.ResultsEntry,
    study: StudyCondition,
    settings: Settings,
    outputs: Outputs,
) -> None:
    if settings.estimates == "none":
        return
    wanted = list(_recordings_of(results, entry, study))
    if settings.estimates == "averages":
        averages = [file for file in wanted if file is None or is_average(file)]
        if len(averages) < len(wanted):
            outputs.skip(entry.file, "source estimate", "Estimates of trials were not asked for.")
        wanted = averages
    for file in wanted:
        with outputs.item(entry.file, "source estimate"):
            _estimate(results, entry, file, study, settings, outputs)


def _recordings_of(
    results: io.Results, entry: io.ResultsEntry, study: StudyCondition
) -> Iterator[Path | None]:
    """Yield the recordings that a kernel is applied to; None for results that are estimates."""
    if results.imaging_kernel is None:
        yield None
    elif entry.shared:
        yield from (recordings.file for recordings in study.recordings)
    elif entry.data_file is None:
        raise MissingFileError(
            f"The recordings that the kernel names, {results.data_file!r}, do not exist: restore "
            "them."
        )
    else:
        yield entry.data_file


def _estimate(
    results: io.Results,
    entry: io.ResultsEntry,
    file: Path | None,
    study: StudyCondition,
    settings: Settings,
    outputs: Outputs,
) -> None:
    from mne_bstinv.adapters.files import estimate_ending
    from mne_bstinv.adapters.kept import kept_of

    recordings = None if file is None else study.store.read(io.read_recordings, file)
    if recordings is not None and recordings.f is None:
        outputs.skip(entry.file, "source estimate", LINK)
        return
    scale_leff = settings.scale_leff and results.function == "dspm2018"
    estimate = study.source_estimate(results, recordings, scale_leff=scale_leff)
    name = f"_{_label(entry.file)}"
    if entry.shared and file is not None:
        name += f"_{_label(file)}"
    facts: Mapping[str, Any] = {
        "results": outputs.relative(entry.file),
        "recordings": None if file is None else outputs.relative(file),
        "scale_leff": scale_leff,
        "origin": kept_of(estimate)["origin"].title,
    }
    sources = [f for f in (entry.file, file, study.channel_file) if f]
    outputs.write(
        f"{name}{estimate_ending(estimate)}", estimate, "source estimate", sources, **facts
    )


def _label(file: Path) -> str:
    """Return what a file's name says beside its kind, for use in a file name."""
    return safe_name(file.stem.removeprefix("results_").removeprefix("data_"), MAX_STEM)
