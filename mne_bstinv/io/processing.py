"""What was done to a file after it was computed: its history, read back.

Brainstorm leaves the options of a kernel in every map that is made of it. What tells a z-score from
an estimate are the rows of the history, the function, the unit and the comment.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from mne_bstinv.io.raw import FrozenMap
from mne_bstinv.io.results import Results
from mne_bstinv.io.text import HistoryRows, as_text
from mne_bstinv.io.values import is_empty

__all__ = [
    "OF_MNE",
    "Derivation",
    "Step",
    "derivation_of",
    "is_of_mne",
    "listed_files",
    "steps_of",
    "unit_of",
]

#: Baseline normalisations: what a history calls them → Brainstorm's name of the method.
_BASELINES = {
    "Z-score transformation": "zscore",
    "Event-related perturbation (ERS/ERD)": "ersd",
    "DC offset correction": "bl",
    "Scale with the mean (dB)": "db",
    "Scale with the mean": "divmean",
    "Contrast with the mean": "contrast",
}
#: Function of a results file → what it is, where the inverse itself gives no such function.
_FUNCTIONS = {
    "zscore": "z-score",
    "ersd": "event-related perturbation",
    "divmean": "scaled by the baseline",
    "db": "scaled by the baseline",
    "contrast": "contrast with the baseline",
    "dspm2018sc": "scaled dSPM",
    "simulation": "simulated sources",
}
#: Unit of the values after a method, where it is another than before.
_UNITS = {"zscore": "z", "ersd": "%", "db": "dB", "divmean": "1", "contrast": "1"}
#: What a step makes, by its kind.
_MADE = {
    "flat": "flat map",
    "absolute": "absolute values",
    "baseline": "normalised by the baseline",
    "smooth": "smooth map",
    "project": "projected map",
    "scale": "scaled dSPM",
    "average": "average of files",
    "process": "processed map",
    "simulate": "simulated sources",
}
#: InverseMethod of kernels and estimates that MNE-Python computed.
OF_MNE = "mne-python"
#: Rows that tell where something came from, not what was done to it.
_ORIGINS = ("compute", "src", "link", "event", "save", "mne")
#: A window in ms, such as ``[-120ms,-4ms]``.
_WINDOW = re.compile(r"\[\s*(-?[\d.]+)\s*ms\s*,\s*(-?[\d.]+)\s*ms\s*\]")


@dataclass(frozen=True, kw_only=True)
class Step:
    """One thing that was done to a file."""

    #: ``'flat'``, ``'absolute'``, ``'baseline'``, ``'smooth'``, ``'project'``, ``'scale'``,
    #: ``'average'``, ``'simulate'``, or ``'process'`` for anything else.
    kind: str
    #: What the history says.
    text: str
    #: Options that the text states.
    options: Mapping[str, Any] = field(default_factory=FrozenMap)


@dataclass(frozen=True, kw_only=True)
class Derivation:
    """What a results file is, if it is not what an inverse computed."""

    #: In words: ``'z-score'``, ``'flat map'`` ...
    what: str
    #: What was done, in order; empty where only the function, unit or comment tells.
    steps: tuple[Step, ...]
    #: Unit of the values; empty where they have that of the inverse.
    unit: str


def steps_of(history: HistoryRows) -> tuple[Step, ...]:
    """Read what was done to a file from its history, but for where it came from."""
    return tuple(_steps(_own_rows(history)))


def _own_rows(history: HistoryRows) -> Iterator[tuple[str, str]]:
    """Yield type and text of the rows that are steps: without those of the first averaged file."""
    inside = False
    for _, kind, text in history:
        if kind == "average":
            inside = text.startswith("History of the first file")
            if text.startswith(("History of", "List of", " - ")):
                continue
        if inside or kind in _ORIGINS or kind.startswith("import") or text.startswith(" - "):
            continue
        yield kind, text


def _steps(rows: Iterator[tuple[str, str]]) -> Iterator[Step]:
    for kind, text in rows:
        if kind == "flat":
            yield Step(kind="flat", text=text, options={"method": text.rpartition(": ")[2].strip()})
        elif kind == "project":
            source, _, target = text.partition(": ")[2].partition("=>")
            options = {"source": source.strip(), "target": target.strip()}
            yield Step(kind="project", text=text, options=options)
        elif kind in ("average", "simulate"):
            yield Step(kind=kind, text=text)
        else:
            yield _process(text)


def _process(text: str) -> Step:
    """Read the row of a process: its name, and what it says of its options."""
    name, _, what = text.partition(": ")
    if what.startswith("Absolute value"):
        return Step(kind="absolute", text=text)
    if name == "process_source_dspmscale":
        counts = re.search(r"\((\d+)\s*=>\s*(\d+)\)", what)
        ratio = float(counts[2]) / float(counts[1]) if counts and float(counts[1]) else None
        return Step(kind="scale", text=text, options={"averages": ratio})
    if name == "process_ssmooth_surfstat":
        width = re.search(r"ssmooth\s+([\d.]+)\s*mm", what)
        if width is not None:
            options = {"fwhm": float(width[1]) / 1000, "before_2023": "pull/645" in what}
            return Step(kind="smooth", text=text, options=options)
    if name in ("process_baseline_norm", "process_baseline"):
        label, _, window = what.rpartition(": ")
        found = _WINDOW.search(window)
        if label in _BASELINES and found:
            bounds = (float(found[1]), float(found[2]))
            return Step(
                kind="baseline",
                text=text,
                options={"method": _BASELINES[label], "window_ms": bounds},
            )
    return Step(kind="process", text=text)


def listed_files(history: HistoryRows, *before: str) -> list[str]:
    """Return the files that a history lists: paths as they are stored, or ``link|results|data``.

    ``before`` is what comes before the path in these rows, such as ``' - '`` or ``' - File: '``.
    """
    lines = (line for _, _, text in history for line in text.splitlines())
    found = []
    for line in lines:
        for start in before:
            path = line[len(start) :].strip()
            if line.startswith(start) and path.endswith(".mat") and ": " not in path:
                found.append(path)
                break
    return found


def derivation_of(results: Results) -> Derivation | None:
    """Tell what results are that were made of others; None for what an inverse computed."""
    steps = steps_of(results.history)
    function = (results.function or "").lower()
    for name, value in (("ZScore", results.z_score), ("Atlas", results.atlas)):
        if not is_empty(value):
            return Derivation(what=f"processed map ({name} is set)", steps=steps, unit="")
    if steps:
        return Derivation(what=_what(steps[-1]), steps=steps, unit=unit_of(results))
    if function in _FUNCTIONS:
        return Derivation(what=_FUNCTIONS[function], steps=(), unit=unit_of(results))
    if as_text(results.display_units) in ("z", "%", "dB"):
        return Derivation(what="normalised map", steps=(), unit=unit_of(results))
    if results.n_components == 1 and _was_free(results):
        return Derivation(what="flat map", steps=(), unit="")
    if " | " in results.comment and not results.is_kernel:
        said = results.comment.rpartition(" | ")[2]
        return Derivation(what=f"processed map ({said})", steps=(), unit="")
    return None


def _what(step: Step) -> str:
    if step.kind == "baseline":
        return _FUNCTIONS.get(step.options["method"], "offset removed")
    return _MADE[step.kind]


def unit_of(results: Results) -> str:
    """Return the unit of normalised values, empty where the values have the unit of the inverse.

    It is ``'z'``, ``'%'``, ``'dB'``, ``'1'`` (a ratio), or what the file says is shown.
    """
    shown = as_text(results.display_units)
    return shown or _UNITS.get((results.function or "").lower(), "")


def is_of_mne(options: Mapping[str, Any] | None) -> bool:
    """Tell whether an Options struct says that MNE-Python's own operator was at work."""
    return as_text((options or {}).get("InverseMethod")) == OF_MNE


def _was_free(results: Results) -> bool:
    options = results.options or {}
    if is_of_mne(options):  # its pick_ori='normal' takes normals at once
        return False
    orient = options.get("SourceOrient")
    orient = (orient,) if isinstance(orient, str) else orient
    if not isinstance(orient, tuple) or len(orient) != 1:
        return False
    return (as_text(orient[0]) or "").lower() in ("free", "loose")
