"""The page of performance, whose tables the benchmarks write themselves.

Each benchmark has ``--page``: what it measured goes between its marks, with the command that
measured it, the day and the machine.
"""

from __future__ import annotations

import datetime
import os
import platform
import re
import shlex
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import mne
import numpy as np

PAGE = Path(__file__).parents[1] / "docs" / "performance.md"


def machine() -> str:
    """Say on what, with what and when."""
    info = Path("/proc/cpuinfo")
    names = re.findall(r"model name\s*: (.*)", info.read_text("utf-8")) if info.is_file() else []
    processor = names[0] if names else platform.processor() or platform.machine()
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    return (
        f"{datetime.date.today():%Y-%m-%d}, {processor}, {os.cpu_count()} cores{load}, Python "
        f"{platform.python_version()}, NumPy {np.__version__}, MNE-Python {mne.__version__}."
    )


def command() -> str:
    """Return the command line that this process was started with, but ``--page``."""
    options = [argument for argument in sys.argv[1:] if argument != "--page"]
    return shlex.join(["python", f"benchmarks/{Path(sys.argv[0]).name}", *options])


def publish(name: str, rows: Iterable[tuple[str, float, str]], notes: Iterable[str] = ()) -> str:
    """Write rows (task, ratio, unit) between the marks of a benchmark; return the table."""
    cells = ((task, digits(ratio), unit) for task, ratio, unit in rows)
    return publish_table(name, ("task", "value", "in units of"), cells, notes)


def publish_table(
    name: str, head: Sequence[str], rows: Iterable[Sequence[str]], notes: Iterable[str] = ()
) -> str:
    """Write a table between the marks of a benchmark; cells that are numbers are at the right."""
    rows = [tuple(row) for row in rows]
    right = [all(_is_number(row[at]) for row in rows) for at in range(len(head))]
    lines = [_row(head), _row(["--:" if number else "---" for number in right]), *map(_row, rows)]
    text = "\n".join([*lines, "", *notes, f"Measured by `{command()}`, {machine()}"])
    page = PAGE.read_text("utf-8")
    begin, end = f"<!-- begin {name} -->\n", f"<!-- end {name} -->"
    before, rest = page.split(begin)
    PAGE.write_text(f"{before}{begin}\n{text}\n\n{end}{rest.split(end)[1]}", "utf-8")
    return text


def digits(value: float) -> str:
    """Write a number with three digits, without a power of ten."""
    return np.format_float_positional(value, 3, fractional=False, trim="-")


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
