"""Measure what is made of estimates in both toolboxes and write ``docs/map_parity.md``.

``python docs/make_map_parity.py``: from the embedded sample and, for projections, from two small
registered cortices of the tests.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

import mne
import numpy as np

import mne_bstinv as mb
from mne_bstinv.cross_validation import MapParityRow, map_parity_table, scout_modes

PAGE = Path(__file__).parent / "map_parity.md"
ANATOMY = Path(__file__).parents[1] / "tests" / "data" / "sources_post" / "anat"
#: What was estimated with one component, and with three.
FIXED, FREE = "MN: MEG ALL(Constr) 2018", "MN: EEG(Unconstr) 2018"

HEAD = """# Parity of maps: scouts, baselines, flat maps, projections

What is published is made of estimates, not of kernels. This page has, for each thing
that Brainstorm makes of them, the call of MNE-Python that one would take for it, how far that is
from Brainstorm's, why, and the calls that give Brainstorm's map in MNE-Python.

*exact*: the call gives the same. *equal up to a stated factor*: times the factor it is the same.
*not comparable*: it computes something else. *As it is* is the relative difference (Frobenius
norm) of the call from Brainstorm's map, *told* that of the [calls below](#the-calls). In Python:
{{func}}`mne_bstinv.cross_validation.map_parity_table`.

Measured on the embedded sample: the stored kernels *{fixed}* and
*{free}*, all scouts of its cortex, the first half of the times as the baseline.
Projections and smoothing: random maps on two registered cortices of 68 vertices. This page is
written by `docs/make_map_parity.py`, with MNE-Python {mne}.
"""

TITLES = {
    "scout": "Scouts and labels",
    "baseline": "Baseline normalisation",
    "flat map": "Flat maps",
    "smoothing": "Smoothing",
    "projection": "Projection to another cortex",
}

MODES = """## Every scout function with every mode

The relative difference of `mne.extract_label_time_course` from Brainstorm's series of all scouts,
without any factor: of a signed map (signs flipped by either toolbox's rule) and of a flat one.
*exact* is below 1e-11; *other unit* where the function squares, which no mode does.
"""

CALLS = """## The calls

`stc` is an estimate on all vertices of a cortex, `src` its source spaces, `labels` a label a
scout (of both hemispheres where a scout is in both), `baseline` first and last time in s,
`rotation` from SCS to the head frame, `passes` those that
`mne_bstinv.maps.smoothing.smoothing_passes` counts. The result is `found`.
"""


def main() -> None:
    """Measure and write the page."""
    logging.getLogger("mne_bstinv").setLevel(logging.ERROR)
    mne.set_log_level("ERROR")
    study = mb.datasets.load_sample()
    times = np.asarray(study.recordings.time)
    fixed, free = (applied(study, name) for name in (FIXED, FREE))
    scouts = [scout for atlas in study.cortex.atlas for scout in atlas.scouts]
    rows = map_parity_table(study.cortex, times, fixed, free=free, scouts=scouts)
    rows = [row for row in rows if row.group not in ("smoothing", "projection")]
    rows += on_registered_cortices()
    lines = [HEAD.format(mne=mne.__version__, fixed=FIXED, free=FREE)]
    for group, members in groupby(rows, lambda row: row.group):
        lines += [f"## {TITLES[group]}\n", *table(list(members))]
    lines += [MODES]
    maps = {"A signed map": fixed, "A flat map": np.asarray(mb.flatten_sources(free, 3))}
    for title, values in maps.items():
        lines += [f"{title}:\n", *modes(scout_modes(study.cortex, times, values, scouts))]
    lines += [CALLS, *calls(rows)]
    PAGE.write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")


def applied(study: mb.datasets.SampleStudy, name: str) -> np.ndarray:
    """Apply a stored kernel to the recordings."""
    stored = study.results[name]
    return stored.imaging_kernel @ np.asarray(study.recordings.f)[stored.good_channel - 1]


def on_registered_cortices() -> list[MapParityRow]:
    """Measure what needs registered cortices on two of the tests'."""
    source, target = (
        mb.io.read_surface(next((ANATOMY / name).glob("tess_cortex_pial*.mat")))
        for name in ("Subject01", "Subject02")
    )
    values = np.random.default_rng(0).standard_normal((source.n_vertices, 20))
    rows = map_parity_table(source, np.arange(20) / 100, values, target=target)
    return [row for row in rows if row.group in ("smoothing", "projection")]


def table(rows: list[MapParityRow]) -> Iterator[str]:
    """Write a line a map."""
    yield "| Brainstorm | MNE-Python | class | factor | as it is | told | why |"
    yield "| --- | --- | --- | --- | --: | --: | --- |"
    for row in rows:
        call = f"`{row.mne}`" if row.mne else "–"
        cells = (
            f"[{row.brainstorm}](#{anchor(row.brainstorm)})", call, row.parity,
            row.factor or "–", shown(row.before), shown(row.after), row.reason or "–",
        )  # fmt: skip
        yield f"| {' | '.join(cells)} |"
    yield ""


def modes(found: dict[tuple[str, str], float]) -> Iterator[str]:
    """Write a line a function, a column a mode."""
    functions = list(dict.fromkeys(function for function, _ in found))
    columns = list(dict.fromkeys(mode for _, mode in found))
    yield f"| function | {' | '.join(f'`{mode}`' for mode in columns)} |"
    yield f"| --- | {' | '.join(['--:'] * len(columns))} |"
    for function in functions:
        cells = [
            "other unit" if function == "power" else difference(found[function, mode])
            for mode in columns
        ]
        yield f"| {function} | {' | '.join(cells)} |"
    yield ""


def difference(value: float) -> str:
    """Write how far a mode is from a function."""
    return "exact" if value < 1e-11 else f"{value:.3f}"


def calls(rows: Iterable[MapParityRow]) -> Iterator[str]:
    """Write the code of each map once, under the name that the tables link to."""
    written = set()
    for row in rows:
        if row.brainstorm not in written:
            written.add(row.brainstorm)
            code = row.code.rstrip()
            yield f"({anchor(row.brainstorm)})=\n### {row.brainstorm}\n\n```py\n{code}\n```\n"


def anchor(name: str) -> str:
    """Make the target of a link of a name."""
    words = "".join(c if c.isalnum() else " " for c in name.lower()).split()
    return "call-" + "-".join(words)


def shown(value: float | None) -> str:
    """Write a relative difference."""
    if value is None:
        return "–"
    if np.isnan(value):
        return "no number"
    return f"{value:.3f}" if value >= 1e-3 else f"{value:.0e}" if value else "0"


if __name__ == "__main__":
    main()
