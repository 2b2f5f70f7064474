"""Dipoles, time–frequency maps, tests and signals of a condition."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from mne_bstinv import io
from mne_bstinv.errors import ConversionError
from mne_bstinv.io.processing import listed_files
from mne_bstinv.port.names import ENDINGS, MAX_STEM, safe_name
from mne_bstinv.port.outputs import Outputs
from mne_bstinv.workflow import StudyCondition
from mne_bstinv.workflow.words import steps_in_words

__all__ = ["convert_derived"]


def convert_derived(study: StudyCondition, outputs: Outputs) -> None:
    """Convert what a condition holds beside recordings and results."""
    for file in study.derived:
        kind = io.file_kind(file.name) or ""
        with outputs.item(file, kind):
            _CONVERSIONS[kind](file, study, outputs)


def _dipoles(file: Path, study: StudyCondition, outputs: Outputs) -> None:
    from mne_bstinv.adapters import to_dipole

    dipoles = io.read_dipoles(file)
    groups = sorted({d.index for d in dipoles.dipole if d.index is not None}) or [1]
    for group in groups:
        dipole = to_dipole(dipoles, study.channels, group=group, mri=study.mri)
        name = _label(file) + (f"_{group}" if len(groups) > 1 else "")
        # text for people, single precision for programs
        made_of = [dipoles.data_file] if dipoles.data_file else []
        facts = {"comment": dipoles.comment, "made_of": made_of, "group": group}
        for ending in ("-dip.dip", "-dip.bdip"):
            outputs.write(f"_{name}{ending}", dipole, "dipole", _of(file, study), **facts)


def _timefreq(file: Path, study: StudyCondition, outputs: Outputs) -> None:
    from mne_bstinv.adapters import to_spectrum, to_tfr

    timefreq = io.read_timefreq(file)
    if timefreq.data_type == "results":
        _sources(timefreq, file, study, outputs)
        return
    if timefreq.data_type != "data" or timefreq.is_of_pairs or timefreq.time_bands:
        what = "pairs" if timefreq.is_of_pairs else f"{timefreq.data_type!r}"
        outputs.skip(file, "time–frequency map", f"MNE has no counterpart of maps of {what}.")
        return
    kind = "spectrum" if timefreq.is_spectrum else "tfr"
    convert = to_spectrum if timefreq.is_spectrum else to_tfr
    made = convert(timefreq, study.channels, mri=study.mri)
    name = f"_{_label(file)}{ENDINGS[kind]}"
    outputs.write(name, made, kind, _of(file, study), **_says(timefreq))


def _says(timefreq: io.TimeFreq) -> dict[str, Any]:
    """Return what the manifest says of a map, for whatever is made of it."""
    said = {"method": timefreq.method, "measure": timefreq.measure}
    computed = {name: text for name, text in said.items() if text}
    made_of = [timefreq.data_file] if timefreq.data_file else []
    return {"comment": timefreq.comment, "computed": computed, "made_of": made_of}


def _sources(timefreq: io.TimeFreq, file: Path, study: StudyCondition, outputs: Outputs) -> None:
    """Write an estimate a band; of single frequencies there would be as many files."""
    from mne_bstinv.adapters import band_names, to_source_bands
    from mne_bstinv.adapters.files import estimate_ending

    if timefreq.is_spectrum and timefreq.freq_bands is None:
        reason = (
            "MNE has no spectra of sources: an estimate a frequency is made by to_source_bands."
        )
        outputs.skip(file, "spectrum", reason)
        return
    results = io.resolve(study.protocol, timefreq.data_file)
    estimates = to_source_bands(
        timefreq,
        results=None if results is None else study.store.read(io.read_results, results),
        surface=study.surface_of(timefreq.surface_file),
        channels=study.channels_or_none,
        mri=study.mri,
        subject=study.mne_subject,
    )
    for name, stc in zip(band_names(timefreq), estimates, strict=True):
        label = f"_{_label(file)}_{safe_name(name, MAX_STEM)}"
        outputs.write(
            f"{label}{estimate_ending(stc)}",
            stc,
            "source estimate",
            _of(file, study),
            **_says(timefreq),
            band=name,
        )


def _statistics(file: Path, study: StudyCondition, outputs: Outputs) -> None:
    from mne_bstinv.adapters import to_statistics
    from mne_bstinv.adapters.files import estimate_ending

    statistics = io.read_statistics(file)
    try:
        pair = to_statistics(
            statistics,
            channels=study.channels_or_none,
            surface=study.surface_of(statistics.surface_file),
            mri=study.mri,
            subject=study.mne_subject,
        )
    except ConversionError as error:
        if statistics.type in ("results", "data"):
            raise
        outputs.skip(file, "test", str(error))
        return
    facts = {"comment": statistics.comment, "unit": pair.unit, "correction": pair.correction}
    for what, value in ((pair.unit or "statistic", pair.statistic), ("p", pair.p_values)):
        kind = "source estimate" if statistics.type == "results" else "evoked"
        ending = estimate_ending(value) if statistics.type == "results" else ENDINGS["evoked"]
        name = f"_{_label(file)}_{safe_name(what, MAX_STEM)}{ending}"
        outputs.write(name, value, kind, _of(file, study), **facts, shows=what)


def _signals(file: Path, study: StudyCondition, outputs: Outputs) -> None:
    from mne_bstinv.adapters import to_table

    matrix = io.read_matrix(file)
    name = f"_{_label(file)}{ENDINGS['table']}"
    facts: dict[str, Any] = {
        "comment": matrix.comment,
        "computed": {"steps": steps_in_words(matrix.history)},
        "made_of": listed_files(matrix.history, " - File: "),
    }
    outputs.write(name, to_table(matrix), "table", [file], **facts)


#: Kind of file → what converts it.
_CONVERSIONS: dict[str, Callable[[Path, StudyCondition, Outputs], None]] = {
    "matrix": _signals,
    "dipoles": _dipoles,
    "timefreq": _timefreq,
    "pdata": _statistics,
    "presults": _statistics,
    "ptimefreq": _statistics,
    "pmatrix": _statistics,
}


def _of(file: Path, study: StudyCondition) -> list[Any]:
    return [f for f in (file, study.channel_file) if f is not None]


def _label(file: Path) -> str:
    """Return a file's name for use in another: its kind stays, since kinds share their tails."""
    return safe_name(file.stem, MAX_STEM)
