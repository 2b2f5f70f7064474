"""Stored results: inverse operators of minimum-norm kernels, and source estimates of all."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mne_bstinv import io
from mne_bstinv._data_types import MEG_TYPES, upper_types
from mne_bstinv.conversion import Finding
from mne_bstinv.errors import MissingFileError
from mne_bstinv.io.filenames import is_average
from mne_bstinv.port.listing import ASKED_FOR
from mne_bstinv.port.names import ENDINGS, MAX_STEM, safe_name
from mne_bstinv.port.outputs import UNIT, Outputs
from mne_bstinv.port.plan import CONDITION, SHARED, Unit
from mne_bstinv.port.recordings import LINK
from mne_bstinv.port.settings import Settings
from mne_bstinv.workflow import StudyCondition
from mne_bstinv.workflow.words import results_in_letters, results_in_words, used_types

__all__ = ["convert_estimates"]


def convert_estimates(
    unit: Unit, study: StudyCondition, settings: Settings, outputs: Outputs
) -> None:
    """Convert the results of a unit.

    Shared kernels give operators where they are shared, and estimates in each condition.
    """
    others = list[str]()
    for entry in study.results:
        with outputs.item(entry.file, "results"):
            results = study.store.read(io.read_results, entry.file)
            if unwanted := _unwanted(results, study, settings):
                others.append(unwanted)
                reason = f"Computed of {unwanted}, which were not asked for."
                outputs.skip(entry.file, "results", reason)
                continue
            mine = entry.file.parent == study.folder
            if mine:
                with outputs.item(entry.file, "inverse operator"):
                    _operator(results, entry, unit, study, outputs)
            if unit.kind == CONDITION:
                _estimates(results, entry, study, settings, outputs)
    if settings.data_types is not None and len(others) == len(study.results):
        outputs.report(UNIT, _nothing_of(settings.data_types, others, study))


def _nothing_of(
    data_types: tuple[str, ...], others: list[str], study: StudyCondition
) -> Iterator[Finding]:
    """Say that nothing was computed of the types asked for alone, and that no channel has them."""
    asked = " or ".join(data_types)
    said = []
    types = study.channels_or_none
    if types is not None and not set(upper_types(types.types)) & _wanted(data_types):
        said.append(f"there is no channel of {asked}")
    if others:
        counts = ", ".join(f"{n} of {what}" for what, n in Counter(others).items())
        said.append(f"no results were computed of {asked} alone ({counts}), and none are ported")
    if said:
        yield Finding("dropped", ASKED_FOR, "; ".join(said))


def _wanted(data_types: tuple[str, ...]) -> set[str]:
    return {*data_types, *(MEG_TYPES if "MEG" in data_types else ())}


def _unwanted(results: io.Results, study: StudyCondition, settings: Settings) -> str:
    """Name the types that results were computed of, if others than these were asked for."""
    if settings.data_types is None:
        return ""
    used = used_types(results, study.channels_or_none)
    if used and set(used) <= _wanted(settings.data_types):
        return ""
    return ", ".join(sorted(used)) or "unknown channels"


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
        f"_{_label(entry.file, results)}{ENDINGS['inverse operator']}",
        operator,
        "inverse operator",
        [file for file in sources if file],
        **_says(results, study),
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
    name = f"_{_label(entry.file, results)}"
    if entry.shared and file is not None:
        name += f"_{_label(file)}"
    facts: Mapping[str, Any] = {
        **_says(results, study),
        "results": outputs.relative(entry.file),
        "recordings": None if file is None else outputs.relative(file),
        "scale_leff": scale_leff,
        "origin": kept_of(estimate)["origin"].title,
    }
    sources = [f for f in (entry.file, file, study.channel_file) if f]
    outputs.write(
        f"{name}{estimate_ending(estimate)}", estimate, "source estimate", sources, **facts
    )


def _says(results: io.Results, study: StudyCondition) -> dict[str, Any]:
    """Return what the manifest says of results, for whatever is made of them."""
    types = used_types(results, study.channels_or_none)
    return {"comment": results.comment, "computed": results_in_words(results, types)}


def _label(file: Path, results: io.Results | None = None) -> str:
    """Return what a file's name says beside its kind, for use in a file name.

    The options of results follow, by which files of one minute can be told apart. Nothing here
    depends on other files: names stay when files are added.
    """
    stem = file.stem.removeprefix("results_").removeprefix("data_")
    letters = "" if results is None else results_in_letters(results)
    return safe_name("_".join(filter(None, (stem, letters))), MAX_STEM)
