"""What results are, in words: how an inverse computed them, or what made them of others."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from mne_bstinv import io
from mne_bstinv._data_types import data_types_of, upper_types
from mne_bstinv.errors import OptionError
from mne_bstinv.inverse import origin_of, origin_of_results
from mne_bstinv.inverse.options import AnyOptions
from mne_bstinv.inverse.words import options_in_letters, options_in_words
from mne_bstinv.io import mat
from mne_bstinv.io.context import Context
from mne_bstinv.io.filenames import is_kernel
from mne_bstinv.io.processing import derivation_of, steps_of
from mne_bstinv.io.schema import parse
from mne_bstinv.io.text import HistoryRows

__all__ = [
    "described_results",
    "results_in_letters",
    "results_in_words",
    "steps_in_words",
    "used_types",
]

#: The fields that say what results are, without the numbers.
_SAY = (
    "Comment", "Function", "Options", "History", "SourceDecompSa", "ZScore", "Atlas",
    "nComponents", "DisplayUnits",
)  # fmt: skip


def results_in_words(results: io.Results, channel_types: Iterable[str] = ()) -> dict[str, str]:
    """Say what results are, in words that can be told apart one by one, or joined.

    Those of an inverse say its method, orientation, regularisation ...; those made of others what
    they are, too (``processed``), and those of something else what that is (``origin``). Without
    types of channels, those that the options name are said.
    """
    said = dict[str, str]()
    derivation = derivation_of(results)
    if derivation is not None:
        unit = f" ({derivation.unit})" if derivation.unit else ""
        said = {"processed": derivation.what + unit, "steps": steps_in_words(results.history)}
        said = {name: text for name, text in said.items() if text}
    options = _options(results)
    if options is None and derivation is not None:
        return said
    if options is None:
        origin = origin_of_results(results)
        return {"origin": f"{origin.title}: {origin.reason}"}
    types = tuple(channel_types) or data_types_of(results.options)
    said |= options_in_words(options, map(str, types))
    if results.imaging_kernel is None and derivation is None:
        said["stored"] = "full estimate"
    return said


def steps_in_words(history: HistoryRows) -> str:
    """Say what was done to a file after it was computed, as its history says it."""
    first = (step.text.strip().split("\n")[0] for step in steps_of(history))
    return "; ".join(dict.fromkeys(filter(None, first)))


def results_in_letters(results: io.Results) -> str:
    """Say in letters, for names of files, what the options of results are; else nothing."""
    options = _options(results)
    return "" if options is None else options_in_letters(options)


def _options(results: io.Results) -> AnyOptions | None:
    """Return the options that computed results; None where no inverse did, or they are damaged."""
    # what was made of a map has another function, and the options of the map
    function = None if derivation_of(results) else results.function
    has_values = results.source_decomp_sa is not None
    origin = origin_of(function, results.options, results.comment, has_singular_values=has_values)
    if not origin.years or not results.options:
        return None
    try:
        return origin.options(results.options)
    except OptionError:
        return None


def used_types(results: io.Results, channels: io.Channels | None) -> tuple[str, ...]:
    """Return the types of the channels that results were computed of, each once, upper case."""
    if results.good_channel is not None and channels is not None:
        types = channels.types
        used = [types[i - 1] for i in results.good_channel if i <= len(types)]
    else:
        used = [str(kind) for kind in data_types_of(results.options)]
    return tuple(dict.fromkeys(upper_types(used)))


def described_results(file: Path) -> io.Results:
    """Read what says what results are, without their numbers.

    Kernels are known by their name, as in Brainstorm; they get an empty one.
    """
    found = parse(io.Results, mat.read(file, _SAY), Context())
    if found is None:
        found = io.Results()
    if is_kernel(file):
        return dataclasses.replace(found, imaging_kernel=np.zeros((0, 0)))
    return found
