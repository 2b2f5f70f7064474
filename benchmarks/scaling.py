"""How time and memory grow: with the locations of a kernel, with conditions and workers of a port.

Run ``python benchmarks/scaling.py`` (options: ``--locations 1000 10000 100000``, ``--conditions 1
10 50 200``; ``--page`` writes the tables into the page). A kernel is of fixed
orientation and dspm2018, in a process of its own; processor time of one thread. A port is of
conditions with sensors and recordings alone, by one process, by two of loky and by two of a local
cluster of dask; by the clock, without the start of the workers. Its memory is the peak of the
process that asks for it, and that of all its workers (Linux).
"""

from __future__ import annotations

import argparse
import logging
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # to be set before NumPy is imported

from _page import digits, publish_table
from _small import small_protocol
from kernel import reset_peak, status

#: What is computed in a process of its own: times in s, and memory over the gain.
KERNEL = """
import sys, time
sys.path.insert(0, sys.argv[1])
import kernel as b
h, o = b.make_study(50); b.ours(h, o, "fixed", "dspm2018")
h, o = b.make_study(int(sys.argv[2]))
before = b.reset_peak()
begin = time.process_time()
b.ours(h, o, "fixed", "dspm2018")
seconds = time.process_time() - begin
print(seconds, (h["Gain"].nbytes + b.status("VmHWM") - before) / h["Gain"].nbytes)
"""


def kernel(n_locations: int, repeats: int) -> tuple[float, float]:
    """Return the shortest time of a kernel, and its memory over the gain."""
    here = str(Path(__file__).parent)
    found = []
    for _ in range(repeats):
        done = subprocess.run(
            [sys.executable, "-c", KERNEL, here, str(n_locations)],
            check=True, capture_output=True, text=True,
        )  # fmt: skip
        found.append([float(word) for word in done.stdout.split()])
    return min(seconds for seconds, _ in found), min(memory for _, memory in found)


def kernels(locations: list[int], repeats: int) -> Iterator[tuple[str, ...]]:
    measured = {n: kernel(n, repeats) for n in locations}
    first = locations[0]
    for n, (seconds, memory) in measured.items():
        a_location = seconds / n / (measured[first][0] / first)
        row = (str(n), digits(1000 * seconds), digits(a_location), digits(memory))
        print(row, flush=True)
        yield row


@contextmanager
def dask() -> Iterator[None]:
    """Have joblib use two processes of a local cluster."""
    from distributed import Client, LocalCluster
    from joblib import parallel_config

    quiet = {"silence_logs": logging.ERROR, "dashboard_address": None}
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, **quiet) as cluster,
        Client(cluster),
        parallel_config("dask"),
    ):
        yield


#: Workers → the context they are made in, and the number that is asked for.
WORKERS: dict[str, tuple[Any, int | None]] = {
    "one process": (nullcontext, 1),
    "two of loky": (nullcontext, 2),
    "two of dask": (dask, None),
}


def ports(counts: list[int], folder: Path) -> Iterator[tuple[str, ...]]:
    """Yield the milliseconds a condition takes, and the memory, by each kind of workers."""
    protocols = {n: small_protocol(folder / str(n), n) for n in counts}
    found = {n: {} for n in counts}
    for name, (made, n_jobs) in WORKERS.items():
        with made():
            port(protocols[counts[0]], folder / "out", n_jobs)  # starts the workers
            for n in counts:
                found[n][name] = port(protocols[n], folder / "out", n_jobs)
    for n in counts:
        times = (digits(1000 * seconds / n) for seconds, _ in found[n].values())
        row = (str(n), *times, *(f"{size / 1e6:.0f}" for _, size in found[n].values()))
        print(row, flush=True)
        yield row


def port(protocol: Path, out: Path, n_jobs: int | None) -> tuple[float, int]:
    """Seconds of a port by the clock, and the peak memory of all processes in bytes."""
    from mne_bstinv import port_protocol

    for process in family():
        reset_peak(process)
    begin = time.perf_counter()
    report = port_protocol(protocol, out, n_jobs=n_jobs)
    seconds = time.perf_counter() - begin
    memory = sum(status("VmHWM", process) for process in family())
    assert not report.failed
    shutil.rmtree(out)
    return seconds, memory


def family() -> list[int]:
    """List this process and all that it started (Linux)."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # ended since
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
    found = [os.getpid()]
    for process in found:  # grows
        found += [child for child, parent in parents.items() if parent == process]
    return found


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--locations", type=int, nargs="+", default=[1000, 3000, 10000, 30000, 100000]
    )
    parser.add_argument("--conditions", type=int, nargs="+", default=[1, 10, 50, 200])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--page", action="store_true", help="write the tables into the page")
    args = parser.parse_args()
    logging.getLogger("mne_bstinv").setLevel(logging.ERROR)
    by_location = list(kernels(args.locations, args.repeats))
    if args.page:
        head = ("locations", "ms", "a location, times the first row", "memory, times the gain")
        publish_table("scaling_locations", head, by_location)
    with tempfile.TemporaryDirectory() as name:
        by_condition = list(ports(args.conditions, Path(name)))
    if args.page:
        heads = (f"{unit}, {name}" for unit in ("ms a condition", "MB") for name in WORKERS)
        head = ("conditions", *heads)
        publish_table("scaling_conditions", head, by_condition)


if __name__ == "__main__":
    main()
