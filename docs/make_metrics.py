"""Write the table of metrics into ``docs/cross_validation.md``, as they are declared.

``python docs/make_metrics.py`` replaces what is between the marks.
"""

from __future__ import annotations

import re
from itertools import groupby
from pathlib import Path

from mne_bstinv.compare import METRICS, Metric

PAGE = Path(__file__).parent / "cross_validation.md"
MARKED = re.compile(r"(<!-- begin metrics -->\n).*(<!-- end metrics -->)", re.DOTALL)
HEAD = "| metric | unit | definition, source | A and B agree |\n| --- | --- | --- | --- |"


def table() -> str:
    """Return the rows, one for all statistics of the same numbers."""
    rows = [_row(list(same)) for _, same in groupby(METRICS, lambda m: (m.reference, _what(m)))]
    return "\n".join([HEAD, *rows])


def _what(metric: Metric) -> str:
    return metric.label.split(",")[0]


def _row(metrics: list[Metric]) -> str:
    first = metrics[0]
    statistics = (metric.label.partition(", ")[2] for metric in metrics)
    label = ", ".join(text for text in (_what(first), "; ".join(statistics)) if text)
    definition = first.reference.removeprefix("definition: ")
    cells = (label, first.unit, definition, first.rule or "no tolerance")
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def page_with_table(page: str) -> str:
    """Return the page with the table as it is now."""
    return MARKED.sub(lambda found: f"{found[1]}\n{table()}\n\n{found[2]}", page)


if __name__ == "__main__":
    PAGE.write_text(page_with_table(PAGE.read_text("utf-8")), "utf-8")
