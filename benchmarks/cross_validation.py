"""Time and memory of a cross-validation, in one run with what they are multiples of.

Run ``python benchmarks/cross_validation.py`` (options: ``--locations 15000 --repeats 5``;
``--page``, which writes the table into the page; ``--folder FOLDER`` with the files of MNE's sample
subject). Three units, each measured in the same run:

* *product*: one resolution matrix K G, locations × channels × locations, in pieces. It is what a
  comparison of kernels by their point spreads seems to need at least, for each kernel;
* *MNE*: ``make_inverse_operator`` and ``apply_inverse`` on unit data, MNE's own way to one kernel;
* memory: peak resident memory of a process that does nothing else.

Two studies: gains at random, of which each direction of the sensors tells as much as the next, and
smooth ones, of a sphere at folded hemispheres, where a few directions tell most.

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
from _smooth import smooth_study
from kernel import status

import mne_bstinv as mb
from mne_bstinv.adapters.equivalence.mne_side import mne_side
from mne_bstinv.compare import Kernel, compare_kernels
from mne_bstinv.inverse.study import kernel_of

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


def comparisons(
    study: mb.StudyData,
    data_types: tuple[str, ...],
    methods: Iterable[str],
    what: str,
    repeats: int,
) -> Iterator[tuple[str, float, str]]:
    """Yield what was measured, the ratio, and its unit; of gains of some kind."""
    n_locations = study.head_model.n_sources
    n_channels = sum(channel.type.startswith(data_types) for channel in study.channels.channels)
    unit = median_time(lambda: product(n_locations, n_channels), repeats)
    kinds, times = " and ".join(data_types), {}
    of = f"{n_channels} channels of {kinds} × {n_locations} locations, {what}, fixed"
    for method in methods:
        times[method] = median_time(partial(validate, study, method, data_types), repeats)
        yield f"compare, {method}, {of}", times[method] / unit, "product"
    if len(times) > 1:
        together = median_time(partial(validate_all, study, METHODS, data_types), repeats)
        yield f"compare, all three, {of}", together / unit, "product"
        seconds = median_time(partial(mne_kernel, study, data_types), repeats)
        named = f"compare, MNE, {of}, beside one kernel of MNE-Python"
        yield named, times["MNE"] / seconds, "MNE"


def mne_kernel(study: mb.StudyData, data_types: tuple[str, ...] = ALL_TYPES) -> object:
    """Compute MNE-Python's kernel by its own way."""
    options = mb.InverseOptions()
    settings = mb.MneSettings.defaults_for(options)
    return mne_side(study, options, settings, data_types).blocks()


def random_kernels(n_channels: int, n_locations: int) -> list[Kernel]:
    """Two minimum norm kernels of three components, with a random gain."""
    rng = np.random.default_rng(1)
    gain = rng.standard_normal((n_channels, 3 * n_locations))
    positions = 0.1 * rng.standard_normal((n_locations, 3))
    gram = gain @ gain.T
    ridge = np.trace(gram) / n_channels
    names = tuple(f"c{i}" for i in range(n_channels))
    return [
        free_kernel(
            gain.T @ np.linalg.inv(gram + factor * ridge * np.eye(n_channels)),
            gain, names, positions,
        )
        for factor in (0.1, 1.0)
    ]  # fmt: skip


def both_kernels(study: mb.StudyData) -> list[Kernel]:
    """Brainstorm's and MNE-Python's minimum norm kernels of three components, as each is set."""
    options = mb.InverseOptions(source_orient="free")
    side = mne_side(study, options, mb.MneSettings.defaults_for(options), ALL_TYPES)
    prepared, model = side.common.prepared, study.head_model
    gain = np.ascontiguousarray(model.gain[prepared.channel_indices])
    return [
        free_kernel(matrix, gain, prepared.channel_names, model.grid_loc)
        for matrix in (side.blocks().reshape(-1, len(gain)), kernel_of(prepared).kernel)
    ]


def free_kernel(
    matrix: np.ndarray, gain: np.ndarray, names: tuple[str, ...], positions: np.ndarray
) -> Kernel:
    return Kernel(
        matrix=matrix, channel_names=names, n_components=3, locations=np.arange(len(positions)),
        positions=positions, gain=gain,
    )  # fmt: skip


def one_comparison(kernels: list[Kernel], what: str, repeats: int) -> Iterator[tuple]:
    """All metrics of two kernels of three components."""
    n_channels, n_locations = kernels[0].gain.shape[0], len(kernels[0].positions)
    data = np.random.default_rng(2).standard_normal((n_channels, 200))
    unit = median_time(lambda: product(n_locations, n_channels), repeats)
    seconds = median_time(lambda: compare_kernels(*kernels, data=data), repeats)
    of = f"{n_channels} channels × {n_locations} locations, {what}, free"
    yield f"metrics of one comparison, {of}", seconds / unit, "product"


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
        random, smooth = "random gains", "smooth gains"
        yield from comparisons(study, ALL_TYPES, METHODS, random, args.repeats)
        yield from comparisons(study, ("EEG",), ["MNE"], random, args.repeats)
        kernels = random_kernels(366, args.locations)
        yield from one_comparison(kernels, random, args.repeats)
        folded = smooth_study(study)
        yield from comparisons(folded, ALL_TYPES, METHODS, smooth, args.repeats)
        yield from one_comparison(both_kernels(folded), smooth, args.repeats)
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
