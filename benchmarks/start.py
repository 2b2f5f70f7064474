"""Processor time until a command answers, over that of the interpreter with NumPy.

Run ``python benchmarks/start.py`` (options: ``--repeats 9``; ``--page`` writes the table into the
page). Each is a process of its own, all in turn; ratios are medians. All find their modules
compiled, as installed packages are.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile

from _page import publish

from mne_bstinv.datasets import sample_study

#: What the others are beside.
UNITS = {"NumPy": "import numpy", "NumPy and SciPy": "import numpy, scipy.io, scipy.sparse"}


def seconds(arguments: list[str], compiled: str) -> float:
    """Processor time of a process, which finds its modules compiled in a folder."""
    environment = os.environ | {"PYTHONPYCACHEPREFIX": compiled}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True, env=environment)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def tasks() -> dict[str, tuple[list[str], str]]:
    """Return the arguments of each task, and what it is beside."""
    file = next(sample_study().rglob("channel*.mat"))
    return {
        "`import mne_bstinv`": (["-c", "import mne_bstinv"], "NumPy"),
        "`mne-bstinv --help`": (["-m", "mne_bstinv", "--help"], "NumPy"),
        "`mne-bstinv info` of a file": (["-m", "mne_bstinv", "info", str(file)], "NumPy and SciPy"),
    }


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--page", action="store_true", help="write the table into the page")
    args = parser.parse_args()
    found: dict[str, list[float]] = {task: [] for task in tasks()}
    with tempfile.TemporaryDirectory() as compiled:
        for _ in range(args.repeats + 1):  # the first compiles
            units = {unit: seconds(["-c", code], compiled) for unit, code in UNITS.items()}
            for task, (arguments, unit) in tasks().items():
                found[task].append(seconds(arguments, compiled) / units[unit])
    rows = [(task, statistics.median(found[task][1:]), unit) for task, (_, unit) in tasks().items()]
    print(*rows, sep="\n")
    if args.page:
        publish("start", rows)


if __name__ == "__main__":
    main()
