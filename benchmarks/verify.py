"""Time of ``verify`` over the time of reading, and how it grows with the number of results.

Run ``python benchmarks/verify.py`` (options: ``--conditions 20 --locations 15002 --repeats 3``).
Processor time, medians; only the ratios mean anything. *Reading* is every file that is
needed, once, by the package's own readers.
"""

from __future__ import annotations

import argparse
import logging
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from _page import publish

from mne_bstinv import io
from mne_bstinv._log import warnings_silenced
from mne_bstinv.verification import verify

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "helpers"))

#: How many times as many conditions.
MORE = 8


def median_time(function: Callable[[], object], repeats: int) -> float:
    times = []
    for _ in range(repeats):
        begin = time.process_time()
        function()
        times.append(time.process_time() - begin)
    return statistics.median(times)


def median_clock(function: Callable[[], object], repeats: int) -> float:
    times = []
    for _ in range(repeats):
        begin = time.perf_counter()
        function()
        times.append(time.perf_counter() - begin)
    return statistics.median(times)


def read_all(root: Path) -> None:
    for subject in io.read_protocol(root).subjects:
        for condition in subject.conditions:
            io.read_channels(condition.channel_file)
            io.read_head_model(condition.head_model_file)
            io.read_noise_cov(condition.noise_cov_file)
            for entry in condition.results:
                io.read_results(entry.file)


def verified(root: Path, n_jobs: int = 1) -> int:
    with warnings_silenced():
        outcomes = list(verify(root, n_jobs=n_jobs))
    assert all(outcome.status == "equal" for outcome in outcomes)
    return len(outcomes)


def rows(folder: Path, conditions: int, locations: int, repeats: int) -> Iterator[tuple]:
    from port_studies import make_large_protocol, make_protocol

    few = make_protocol(folder / "few", n_subjects=1, n_conditions=conditions)
    many = make_protocol(folder / "many", n_subjects=1, n_conditions=MORE * conditions)
    n = verified(few)
    seconds = median_time(lambda: verified(few), repeats)
    of = f"{n} results of {conditions} conditions"
    yield f"verify, {of}", seconds / median_time(lambda: read_all(few), repeats), "reading"
    more = median_time(lambda: verified(many), 1)
    yield f"verify, {MORE * n} results of {MORE * conditions}", more / seconds, of
    alone = median_clock(lambda: verified(many), 1)
    two = median_clock(lambda: verified(many, n_jobs=2), 1)
    yield f"verify, {MORE * n} results, two processes, by the clock", two / alone, "one process"
    large = make_large_protocol(folder / "large", n_conditions=1, n_sources=locations)
    ratio = median_time(lambda: verified(large), repeats)
    ratio /= median_time(lambda: read_all(large), repeats)
    yield f"verify, a condition of 270 channels × {locations} locations", ratio, "reading"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--conditions", type=int, default=20)
    parser.add_argument("--locations", type=int, default=15002)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--page", action="store_true", help="write the table into the page")
    args = parser.parse_args()
    logging.getLogger("mne_bstinv").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory() as name:
        found = []
        for row in rows(Path(name), args.conditions, args.locations, args.repeats):
            print(row, flush=True)
            found.append(row)
    if args.page:
        publish("verify", found)


if __name__ == "__main__":
    main()
