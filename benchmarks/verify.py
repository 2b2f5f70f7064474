"""Time of ``verify`` over the time of reading, and how it grows with the number of results.

Run ``python benchmarks/verify.py`` (options: ``--conditions 65 253 503 --locations 15002 --repeats
5``; ``--page`` writes the table into the page). Each condition has four results and files of its
own. Times are of the processor unless the clock is named; ratios are medians over repeats, of what
was measured in turn. *Reading* is every file that is needed, once, by the package's own readers.
"""

from __future__ import annotations

import argparse
import logging
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # to be set before NumPy is imported

from _page import publish
from _small import protocol_of_results

from mne_bstinv import io
from mne_bstinv._log import warnings_silenced
from mne_bstinv.verification import verify

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "helpers"))

Row = tuple[str, float, str]

#: Runs of what takes longer than this (s) are fewer.
LONG, FEWER = 5.0, 3


def seconds(
    function: Callable[[], object], clock: Callable[[], float] = time.process_time
) -> float:
    """Time of a call."""
    begin = clock()
    function()
    return clock() - begin


def read_all(root: Path) -> None:
    """Read what a verification of a protocol needs."""
    for subject in io.read_protocol(root).subjects:
        for condition in subject.conditions:
            io.read_channels(condition.channel_file)
            io.read_head_model(condition.head_model_file)
            io.read_noise_cov(condition.noise_cov_file)
            for entry in condition.results:
                io.read_results(entry.file)


def verified(root: Path, n_jobs: int = 1) -> int:
    """Verify a protocol whose results are all equal; return their number."""
    with warnings_silenced():
        outcomes = list(verify(root, n_jobs=n_jobs))
    assert all(outcome.status == "equal" for outcome in outcomes)
    return len(outcomes)


def beside_reading(what: str, root: Path, repeats: int) -> Iterator[Row]:
    """Yield how many times as long as reading its files the verification of a protocol takes."""
    verified(root)  # imports
    clocks = {what: time.process_time, f"{what}, by the clock": time.perf_counter}
    ratios: dict[str, list[float]] = {name: [] for name in clocks}
    for _ in range(repeats):
        for name, clock in clocks.items():
            reading = seconds(lambda: read_all(root), clock)
            ratios[name].append(seconds(lambda: verified(root), clock) / reading)
    for name, found in ratios.items():
        yield name, statistics.median(found), "reading"


def growth(roots: list[Path], repeats: int) -> Iterator[Row]:
    """Yield what a result of each protocol takes beside one of the first, and the last takes."""
    numbers = [verified(root) for root in roots]
    times = []
    for _ in range(repeats):
        times.append([seconds(lambda root=root: verified(root)) for root in roots])
        if sum(times[0]) > LONG and len(times) >= FEWER:
            break
    for at, n in list(enumerate(numbers))[1:]:
        ratios = [found[at] / n / (found[0] / numbers[0]) for found in times]
        yield f"verify, a result of {n}", statistics.median(ratios), f"a result of {numbers[0]}"
    yield f"verify, {numbers[-1]} results", statistics.median(row[-1] for row in times), "s"


def two_processes(root: Path, repeats: int) -> float:
    """Return how many times as long as one process two take, by the clock."""
    ratios = []
    for _ in range(repeats):
        two = seconds(lambda: verified(root, n_jobs=2), time.perf_counter)
        ratios.append(two / seconds(lambda: verified(root), time.perf_counter))
    return statistics.median(ratios)


def of_copies(root: Path, copies: Path, repeats: int) -> float:
    """Return how many times as long results take whose other files are copies of one another."""
    ratios = []
    for _ in range(repeats):
        own = seconds(lambda: verified(root))
        ratios.append(seconds(lambda: verified(copies)) / own)
    return statistics.median(ratios)


def rows(folder: Path, conditions: list[int], locations: int, repeats: int) -> Iterator[Row]:
    """Yield what was measured, the ratio, and its unit."""
    from port_studies import make_large_protocol

    large = make_large_protocol(folder / "large", n_conditions=1, n_sources=locations)
    what = f"verify, a condition of 270 channels × {locations} locations"
    yield from beside_reading(what, large, repeats)
    roots = [protocol_of_results(folder / str(n), n) for n in conditions]
    yield next(beside_reading(f"verify, {verified(roots[0])} results", roots[0], repeats))
    copies = protocol_of_results(folder / "copies", conditions[0], copies=True)
    what = f"verify, {verified(copies)} results, channel files, covariances and models are copies"
    yield what, of_copies(roots[0], copies, repeats), "files of their own"
    yield from growth(roots, repeats)
    middle = roots[len(roots) // 2]
    what = f"verify, {verified(middle)} results, two processes, by the clock"
    yield what, two_processes(middle, min(repeats, FEWER)), "one process"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--conditions", type=int, nargs="+", default=[65, 253, 503])
    parser.add_argument("--locations", type=int, default=15002)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--page", action="store_true", help="write the table into the page")
    args = parser.parse_args()
    logging.getLogger("mne_bstinv").setLevel(logging.ERROR)
    found = []
    with tempfile.TemporaryDirectory() as name:
        for row in rows(Path(name), args.conditions, args.locations, args.repeats):
            print(row, flush=True)
            found.append(row)
    if args.page:
        publish("verify", found)


if __name__ == "__main__":
    main()
