"""The page of performance, whose tables the benchmarks write themselves."""

from __future__ import annotations

import datetime
import os
import platform
import re
from collections.abc import Iterable
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


def publish(name: str, rows: Iterable[tuple[str, float, str]], notes: Iterable[str] = ()) -> str:
    """Write rows (task, ratio, unit) between the marks of a benchmark; return the table."""
    lines = ["| task | times | unit |", "| --- | --: | --- |"]
    lines += [f"| {task} | {ratio:.3g} | {unit} |" for task, ratio, unit in rows]
    text = "\n".join([*lines, "", *notes, f"Measured {machine()}"])
    page = PAGE.read_text("utf-8")
    begin, end = f"<!-- begin {name} -->\n", f"<!-- end {name} -->"
    head, rest = page.split(begin)
    PAGE.write_text(f"{head}{begin}\n{text}\n\n{end}{rest.split(end)[1]}", "utf-8")
    return text
