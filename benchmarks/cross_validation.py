"""Time and memory of a cross-validation, in one run with what they are multiples of.

Run ``python benchmarks/cross_validation.py`` (options: ``--locations 15000 --repeats 5``;
``--page``, which writes the table into the page; ``--folder FOLDER`` with the files of MNE's sample
subject). Three units, each measured in the same run:

* *product*: one resolution matrix K G, locations × channels × locations, in pieces. It is what a
  comparison of kernels by their point spreads seems to need at least, for each kernel;
* *MNE*: ``make_inverse_operator`` and ``apply_inverse`` on unit data, MNE's own way to one kernel;
* memory: peak resident memory of a process that does nothing else.

Processor time of one thread; only the ratios mean anything: they are medians over repeats.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import mne
import numpy as np
from _page import publish
from kernel import status

import mne_bstinv as mb
from mne_bstinv.adapters.equivalence.mne_side import mne_side
from mne_bstinv.compare import Kernel, compare_kernels

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "helpers"))

#: MNE's methods and Brainstorm's measures.
METHODS = {"MNE": "amplitude", "dSPM": "dspm2018", "sLORETA": "sloreta"}
#: The types of the channels of the large study.
ALL_TYPES = ("MEG", "EEG")
#: Rows of the resolution matrix at a time.
PIECE = 500


def median_time(function: Callable[[], object], repeats: int) -> float:
    times = []
    for _ in range(repeats):
        start = time.process_time()
        function()
        times.append(time.process_time() - start)
    return statistics.median(times)


def product(n_rows: int, n_channels: int) -> None:
    """One resolution matrix, a piece at a time."""
    rng = np.random.default_rng(0)
    kernel = rng.standard_normal((n_rows, n_channels))
    gain = np.ascontiguousarray(kernel.T)
    for start in range(0, n_rows, PIECE):
        kernel[start : start + PIECE] @ gain


def large_study(folder: Path, n_locations: int) -> mb.StudyData:
    """Two helmets of the sample's sensors and a cortex of two spheres, gains at random."""
    from port_studies import make_large_protocol

    root = make_large_protocol(folder / "large", n_conditions=1, n_sources=n_locations)
    return mb.load_study(root)


def validate(
    study: mb.StudyData, method: str, data_types: tuple[str, ...] = ALL_TYPES
) -> mb.CrossValidation:
    options = mb.InverseOptions(measure=METHODS[method], source_orient="fixed")
    return mb.cross_validate(study, options=options, data_types=data_types)


def validate_all(
    study: mb.StudyData, methods: Iterable[str], data_types: tuple[str, ...] = ALL_TYPES
) -> list[mb.CrossValidation]:
    """Cross-validate as ``compare --methods`` does."""
    options = [mb.InverseOptions(measure=METHODS[m], source_orient="fixed") for m in methods]
    return list(mb.cross_validate_each(study, options, data_types=data_types))


def comparisons(study: mb.StudyData, repeats: int) -> Iterator[tuple[str, float, str]]:
    """Yield what was measured, the ratio, and its unit."""
    n_locations = study.head_model.n_sources
    for data_types, methods in ((ALL_TYPES, METHODS), (("EEG",), ["MNE"])):
        n_channels = sum(channel.type.startswith(data_types) for channel in study.channels.channels)
        unit = median_time(lambda n=n_channels: product(n_locations, n), repeats)
        kinds, times = " and ".join(data_types), {}
        of = f"{n_channels} channels of {kinds} × {n_locations} locations, fixed"
        for method in methods:
            once = partial(validate, study, method, data_types)
            times[method] = median_time(once, repeats)
            yield f"compare, {method}, {of}", times[method] / unit, "product"
        if len(times) > 1:
            together = median_time(partial(validate_all, study, methods, data_types), repeats)
            yield f"compare, all three, {of}", together / unit, "product"
            seconds = median_time(partial(mne_kernel, study, data_types), repeats)
            what = f"compare, MNE, {of}, beside one kernel of MNE-Python"
            yield what, times["MNE"] / seconds, "MNE"


def mne_kernel(study: mb.StudyData, data_types: tuple[str, ...] = ALL_TYPES) -> object:
    """Compute MNE-Python's kernel by its own way."""
    options = mb.InverseOptions()
    settings = mb.MneSettings.defaults_for(options)
    return mne_side(study, options, settings, data_types).blocks()


def one_comparison(n_channels: int, n_locations: int, repeats: int) -> Iterator[tuple]:
    """All metrics of two kernels of three components, with a random gain."""
    rng = np.random.default_rng(1)
    gain = rng.standard_normal((n_channels, 3 * n_locations))
    gram = gain @ gain.T
    ridge = np.trace(gram) / n_channels
    kernels = [
        Kernel(
            matrix=gain.T @ np.linalg.inv(gram + factor * ridge * np.eye(n_channels)),
            channel_names=tuple(f"c{i}" for i in range(n_channels)),
            n_components=3,
            locations=np.arange(n_locations),
            positions=0.1 * rng.standard_normal((n_locations, 3)),
            gain=gain,
        )
        for factor in (0.1, 1.0)
    ]
    kernels[0] = Kernel(**{**vars(kernels[0]), "positions": kernels[1].positions})
    data = rng.standard_normal((n_channels, 200))
    unit = median_time(lambda: product(n_locations, n_channels), repeats)
    seconds = median_time(lambda: compare_kernels(*kernels, data=data), repeats)
    yield (
        f"metrics of one comparison, {n_channels} channels × {n_locations} locations, free",
        seconds / unit,
        "product",
    )


def peak_memory(folder: Path, n_locations: int) -> float:
    """Peak memory (MB) of a comparison by one method, in a process of its own."""
    done = subprocess.run(
        [sys.executable, __file__, "--alone", str(folder), "--locations", str(n_locations)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return float(json.loads(done.stdout.splitlines()[-1]))


def rows(args: argparse.Namespace) -> Iterator[tuple[str, float, str]]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        study = large_study(folder, args.locations)
        yield from comparisons(study, args.repeats)
        yield from one_comparison(366, args.locations, args.repeats)
        what = f"peak memory of compare, MNE, {args.locations} locations"
        yield what, peak_memory(folder, args.locations) / 1000, "GB"
    if args.folder:
        real = mb.datasets.load_mne_sample(args.folder)
        mne_s = median_time(partial(mne_kernel, real, ("MEG",)), args.repeats)
        seconds = median_time(partial(validate, real, "MNE", ("MEG",)), args.repeats)
        yield "compare, MNE, MNE's sample subject, fixed", seconds / mne_s, "MNE"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", help="files of MNE's sample subject")
    parser.add_argument("--locations", type=int, default=15002)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--page", action="store_true", help="write the table into the page")
    parser.add_argument("--alone", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    logging.getLogger("mne_bstinv").setLevel(logging.ERROR)
    mne.set_log_level("ERROR")
    if args.alone is not None:
        validate(mb.load_study(args.alone / "large"), "MNE")
        print(json.dumps(status("VmHWM") / 1e6))
        return
    found = []
    for row in rows(args):
        found.append(row)
        print(row, flush=True)
    if args.page:
        publish("cross_validation", found)


if __name__ == "__main__":
    main()
