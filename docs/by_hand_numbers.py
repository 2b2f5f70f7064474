"""Write the numbers of the page on an inverse by hand, with the code of that page.

``python docs/by_hand_numbers.py`` writes ``docs/_generated/by_hand.txt``, from which the page
includes one part a section. The build of the documentation calls :func:`main`.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
from page_outputs import run_page

DOCS = Path(__file__).parent
FOLDER = DOCS / "_generated"


def values_of_the_page() -> dict[str, Any]:
    """Run the code of the page."""
    _, names = run_page((DOCS / "by_hand.md").read_text(encoding="utf-8"), "by_hand")
    return names


def rows(matrix: Any) -> str:
    """Write a matrix as TeX."""
    lines = [" & ".join(f"{value + 0.0:.3f}" for value in row) for row in np.atleast_2d(matrix)]
    return r"\begin{pmatrix} " + r" \\ ".join(lines) + r" \end{pmatrix}"


def main(folder: Path) -> None:
    """Write all numbers of the page.

    Parameters
    ----------
    folder : Path
        Where to; made if it does not exist.
    """
    page = values_of_the_page()
    kernel, lead_field = page["K"], page["L"]
    filters = ", ".join(f"{value:.3f}" for value in page["filters"])
    estimates = [page[name] @ lead_field.sum(axis=1) for name in ("K", "dspm", "sloreta")]
    parts = {
        "kernel": (
            rf"$\operatorname{{mean}}(S^2) = {page['S2'].mean():.3f}$ and "
            rf"$\Lambda = {page['Lambda']:.1f}$; the filter factors are {filters}, and"
            f"\n\n$$\nK_w = {rows(kernel)} .\n$$"
        ),
        "mne": (
            rf"$\bar R = {page['scale']:.1f}\, I$ and $\lambda^2 = {page['lambda2']:.4f}$, and the "
            rf"same kernel. Undoing the scale, $\lambda^2 / {page['scale']:.1f} = "
            rf"{page['lambda2'] / page['scale']:.4f} = 1/\Lambda$."
        ),
        "measures": (
            f"$$\nK_\\mathrm{{dSPM}} = {rows(page['dspm'])}, \\qquad\n"
            f"K_\\mathrm{{sLORETA}} = {rows(page['sloreta'])} .\n$$"
        ),
        "data": "\n".join(
            ["| | first source | second source |", "| --- | --- | --- |"]
            + [
                f"| {name} | {first:.3f} | {second:.3f} |"
                for name, (first, second) in zip(
                    ("minimum norm", "dSPM", "sLORETA"), estimates, strict=True
                )
            ]
        ),
    }
    folder.mkdir(parents=True, exist_ok=True)
    text = "".join(f"<!-- {name} -->\n\n{part}\n\n" for name, part in parts.items())
    (folder / "by_hand.txt").write_text(text + "<!-- end -->\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
