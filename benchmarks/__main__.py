"""Measure all again and write the page of performance: ``python -m benchmarks``.

Options are names of benchmarks, all without one. Each runs in a process of its own, with the
options that are said here, and writes its blocks of the page when it has measured them; one that
fails or misses an aim does not stop the others. In the end, or when it is interrupted, the command
is printed that runs those again that failed or are left.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

#: Benchmarks, in the order of the page, and their options.
RUNS = {
    "start": [],
    "kernel": ["--locations", "5000", "--repeats", "5"],
    "inverse_years": ["--locations", "5000", "--repeats", "5"],
    "cross_validation": ["--locations", "15002", "--repeats", "3"],
    "reading": ["--locations", "15000", "--repeats", "5"],
    "verify": [],
    "raw": [],
    "port": ["--parts", "io", "again", "jobs", "--small", "100", "2000"],
    "scaling": [],
}


def run(names: list[str]) -> Iterator[str]:
    """Run benchmarks; yield the names of those that ended well."""
    for name in names:
        print(f"--- {name}", flush=True)
        begin = time.monotonic()
        file = Path(__file__).with_name(f"{name}.py")
        done = subprocess.run([sys.executable, file, *RUNS[name], "--page"], check=False)
        how = "done" if done.returncode == 0 else "failed, or missed an aim,"
        print(f"--- {name}: {how} in {time.monotonic() - begin:.0f} s", flush=True)
        if done.returncode == 0:
            yield name


def main() -> int:
    """Run them; return the number of those that failed or are left."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", choices=[*RUNS, []], default=[], metavar="NAME",
                        help=", ".join(RUNS))  # fmt: skip
    left = parser.parse_args().names or list(RUNS)
    try:
        for name in run(list(left)):
            left.remove(name)
    except KeyboardInterrupt:
        print()
    if left:
        print(f"To do: python -m benchmarks {' '.join(left)}")
    return len(left)


if __name__ == "__main__":
    sys.exit(main())
