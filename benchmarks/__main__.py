"""Measure all again and write the page of performance: ``python -m benchmarks``.

Options are names of benchmarks, all without one. Each runs in a process of its own, with the
options that are said here; a benchmark that misses an aim says so and does not stop the others.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

#: Benchmarks, in the order of the page, and their options.
RUNS = {
    "start": [],
    "kernel": ["--locations", "5000", "--repeats", "5"],
    "inverse_years": ["--locations", "5000", "--repeats", "5"],
    "cross_validation": ["--locations", "15002", "--repeats", "1"],
    "reading": ["--locations", "5000", "--repeats", "5"],
    "verify": [],
    "raw": [],
    "port": ["--parts", "io", "again", "jobs"],
    "scaling": [],
}


def main() -> int:
    """Run them; return the number of those that failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", choices=[*RUNS, []], default=[])
    failed = 0
    for name in parser.parse_args().names or RUNS:
        print(f"--- {name}", flush=True)
        file = Path(__file__).with_name(f"{name}.py")
        done = subprocess.run([sys.executable, file, *RUNS[name], "--page"])
        failed += done.returncode != 0
    return failed


if __name__ == "__main__":
    sys.exit(main())
