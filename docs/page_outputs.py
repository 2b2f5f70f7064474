"""What the Python of a page prints, in the blocks of text that follow it.

A block of Python that prints is followed by a block ``text`` with what it prints. In the source
that is what ``python docs/page_outputs.py`` wrote there, so that the page can be read where nothing
is computed (on a code host); the build of the site puts in what it computes itself.
"""

from __future__ import annotations

import io
import re
from contextlib import chdir, redirect_stdout
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from matplotlib.figure import Figure

DOCS = Path(__file__).parent
FOLDER = DOCS / "_generated"
#: The pages with outputs.
PAGES = ("tutorial", "questions")
#: A block of Python, and the block of text that may follow.
_BLOCK = re.compile(r"```python\n(.*?)```\n(\n```text\n.*?```\n)?", re.DOTALL)


def run_page(text: str, page: str, figures: Path | None = None) -> tuple[str, dict[str, Any]]:
    """Run the Python of a page, each block in a folder of its own.

    Parameters
    ----------
    text : str
        The page.
    page : str
        Its name, for errors and figures.
    figures : Path | None
        Folder for the figures that the blocks name: ``PAGE_NAME.png``. ``None`` draws none.

    Returns
    -------
    str
        The page, with what its blocks print now.
    dict
        The names that its blocks have defined.
    """
    names: dict[str, Any] = {}

    def run(block: re.Match[str]) -> str:
        printed = io.StringIO()
        with redirect_stdout(printed), TemporaryDirectory() as folder, chdir(folder):
            exec(compile(block[1], f"{page}.md", "exec"), names)
        output = printed.getvalue()
        shown = f"\n```text\n{output}```\n" if output else block[2] or ""
        return f"```python\n{block[1]}```\n{shown}"

    text = _BLOCK.sub(run, text)
    if figures is not None:
        for name, value in names.items():
            if isinstance(value, Figure):
                value.savefig(figures / f"{page}_{name}.png", dpi=110)
    return text, names


def put_outputs(app: Any, page: str, source: list[str]) -> None:
    """Put the outputs into a page that Sphinx reads (its event ``source-read``)."""
    if page in PAGES:
        source[0], _ = run_page(source[0], page, FOLDER)


def same_but_rounding(written: str, computed: str) -> bool:
    """Compare two texts, the numbers in them up to the last digit that is written."""
    number = re.compile(r"-?\d+(?:\.\d+)?(?:e[+-]\d+)?")
    if number.sub("#", written) != number.sub("#", computed):
        return False
    pairs = zip(number.findall(written), number.findall(computed), strict=True)
    return all(abs(float(a) - float(b)) <= 1.5 * _last_digit(a) for a, b in pairs)


def _last_digit(number: str) -> float:
    """Return one unit of the last digit of a number."""
    mantissa, _, exponent = number.partition("e")
    decimals = len(mantissa.partition(".")[2])
    return 10.0 ** (int(exponent or 0) - decimals)


def main() -> None:
    """Write the outputs into the sources of the pages."""
    for page in PAGES:
        file = DOCS / f"{page}.md"
        text, _ = run_page(file.read_text(encoding="utf-8"), page)
        file.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
