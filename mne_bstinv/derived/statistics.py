"""Tests against zero: computed again from the files that the history lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mne_bstinv import io
from mne_bstinv._types import FloatArray
from mne_bstinv.derived.library import Library, NotComparableError
from mne_bstinv.derived.outcome import Recomputed, relative_difference
from mne_bstinv.derived.windows import samples_of
from mne_bstinv.io.inside import inside
from mne_bstinv.io.kinds import Scalar
from mne_bstinv.io.processing import listed_files
from mne_bstinv.io.text import Text
from mne_bstinv.maps import StatisticMap, absolute_sources, chi2_test_zero, t_test_zero

__all__ = ["recompute_statistics"]


def recompute_statistics(file: Path, stored: io.Statistics, library: Library) -> Recomputed:
    """Compute a test of one sample again: of statistic and p values the larger difference.

    ``NotComparableError`` if the test is another one, or a file is missing.
    """
    options = stored.options or {}
    kind = inside(options, "Options.TestType", Text(), default="")
    if kind not in ("ttest_onesample", "chi2_onesample") or stored.tmap is None:
        named = f"The test {kind!r}" if kind else "A test that is not named (Options.TestType)"
        raise NotComparableError(f"{named} is not computed here.")
    for name, what in (("isAvgTime", "time"), ("isAvgRow", "rows"), ("isAvgFreq", "frequencies")):
        if inside(options, f"Options.{name}", Scalar()):
            raise NotComparableError(f"It is of averages over {what}.")
    if stored.correction not in (None, "no"):
        raise NotComparableError(f"Its p values are corrected ({stored.correction}).")
    listed = _group_a(stored)
    if stored.type == "results":
        values = _maps(listed, file, stored, options, library)
        rows = np.arange(len(stored.tmap))
    elif stored.type == "data":
        values, rows = _recordings(listed, file, stored, options, library)
    else:
        raise NotComparableError(f"Tests of {stored.type!r} files are not computed here.")
    made = _tested(kind, values, options)
    difference = max(
        relative_difference(made.statistic, stored.tmap[rows]),
        0.0 if stored.pmap is None else relative_difference(made.p_values, stored.pmap[rows]),
    )
    return Recomputed(
        kind="test", difference=difference, parents=tuple(listed), how=f"{kind} of {len(listed)}"
    )


def _group_a(stored: io.Statistics) -> list[str]:
    """Return the files of the first group; a second one is of another test."""
    texts = [text for _, _, text in stored.history]
    starts = [i for i, text in enumerate(texts) if text.startswith("List of files in group B")]
    end = starts[0] if starts else len(texts)
    listed = listed_files(stored.history[:end], " - ")
    if not listed or listed_files(stored.history[end:], " - "):
        raise NotComparableError("The history does not list the files of one group.")
    return listed


def _tested(kind: str, values: Sequence[FloatArray], options: Mapping[str, Any]) -> StatisticMap:
    if kind == "chi2_onesample":
        return chi2_test_zero(values)
    tail = inside(options, "Options.TestTail", Text(), default="two")
    return t_test_zero(values, tail=tail)


def _maps(
    listed: Sequence[str],
    file: Path,
    stored: io.Statistics,
    options: Mapping[str, Any],
    library: Library,
) -> list[FloatArray]:
    maps = [library.maps_of(link, file) for link in listed]
    values = [one.values[:, samples_of(stored.time, one.times)] for one in maps]
    absolute = inside(options, "Options.isAbsolute", Scalar())
    if absolute or maps[0].n_components != stored.n_components:
        values = [
            absolute_sources(value, one.n_components, regions=one.regions)
            for value, one in zip(values, maps, strict=True)
        ]
    return values


def _recordings(
    listed: Sequence[str],
    file: Path,
    stored: io.Statistics,
    options: Mapping[str, Any],
    library: Library,
) -> tuple[list[FloatArray], Any]:
    files = [library.recordings(library.needed(name, file, "recordings")) for name in listed]
    if any(one.f is None or one.time is None for one in files):
        raise NotComparableError("Continuous files were tested.")
    tmap = np.asarray(stored.tmap)
    # channels of other types are zero, and those that were bad
    rows = np.flatnonzero((tmap != 0).any(axis=1))
    values = [np.asarray(one.f)[rows][:, samples_of(stored.time, one.time)] for one in files]
    if inside(options, "Options.isAbsolute", Scalar()):
        values = [np.abs(value) for value in values]
    return values, rows
