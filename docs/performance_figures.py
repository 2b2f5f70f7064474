"""Draw the figures of the page on performance, from the tables that the benchmarks wrote there.

``python docs/performance_figures.py`` writes ``docs/_generated/performance_*.png``. The build of
the documentation calls :func:`main`.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

DOCS = Path(__file__).parent
PAGE = DOCS / "performance.md"
#: Colours that are told apart with any colour vision, and marks for those who see none.
STYLES = (("#0072B2", "o"), ("#D55E00", "s"), ("#009E73", "^"))


def table(page: str, name: str) -> dict[str, NDArray[np.float64]]:
    """Read a table of numbers between the marks of a benchmark: heads → columns."""
    block = page.split(f"<!-- begin {name} -->")[1].split(f"<!-- end {name} -->")[0]
    lines = [line for line in block.splitlines() if line.startswith("|")]
    head, _, *rows = ([cell.strip() for cell in line.strip("|").split("|")] for line in lines)
    values = np.array([[float(cell) for cell in row] for row in rows]).T
    return dict(zip(head, values, strict=True))


def growth(page: str) -> Figure:
    """Show how time and memory grow with locations of a kernel and with conditions of a port."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 5.6), layout="constrained")
    panels = figure.subplots(2, 2, sharex="row")
    kernel, port = table(page, "scaling_locations"), table(page, "scaling_conditions")
    for panel, pattern, label in zip(
        panels.flat,
        ("ms", "memory, times the gain", "ms a condition, (.*)", "MB, (.*)"),
        ("kernel, ms", "memory, times the gain", "port, ms a condition", "memory of a port, MB"),
        strict=True,
    ):
        _curves(panel, kernel if panel in panels[0] else port, pattern)
        panel.set_ylabel(label)
    _beside_proportional(panels[0, 0], kernel["locations"], kernel["ms"])
    panels[1, 0].legend(frameon=False)
    return figure


def _curves(panel: Axes, columns: dict[str, NDArray[np.float64]], pattern: str) -> None:
    """Draw all columns whose heads match, over the first column."""
    (across, x), *others = columns.items()
    found = [(match, y) for head, y in others if (match := re.fullmatch(pattern, head))]
    for (match, y), (color, mark) in zip(found, STYLES, strict=False):
        panel.plot(x, y, color=color, marker=mark, label=match[1] if match.groups() else None)
    panel.set_xscale("log")
    panel.set_ylim(0, 1.08 * max(y.max() for _, y in found))
    panel.set_xticks(x, [f"{value:,.0f}" for value in x])
    panel.minorticks_off()
    panel.set_xlabel(across)
    panel.spines[["top", "right"]].set_visible(False)


def _beside_proportional(panel: Axes, x: NDArray[np.float64], y: NDArray[np.float64]) -> None:
    """Take a logarithmic scale, and draw what is proportional to x and meets the last value."""
    proportional = y[-1] * x / x[-1]
    panel.plot(x, proportional, color="0.5", linestyle=":", zorder=0)
    panel.annotate("proportional", (x[1], proportional[1]), (6, -8), textcoords="offset points",
                   color="0.4", fontsize=9)  # fmt: skip
    panel.set_yscale("log")
    panel.set_ylim(proportional[0] / 1.5, y[-1] * 1.5)


def main(folder: Path) -> None:
    """Draw the figures into a folder, which is made if it does not exist."""
    folder.mkdir(parents=True, exist_ok=True)
    growth(PAGE.read_text("utf-8")).savefig(folder / "performance_growth.png", dpi=110)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else DOCS / "_generated")
