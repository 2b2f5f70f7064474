"""Draw the 3D views of the documentation: ``xvfb-run python docs/make_figures_3d.py``.

It runs the Python of the page ``howto_3d.md`` and takes a picture of what each block draws.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

DOCS = Path(__file__).parent
PAGE = DOCS / "howto_3d.md"


def views() -> Iterator[tuple[str, str]]:
    """Yield each block of Python of the page with the picture after it, empty without one."""
    for part in re.split(r"^```python\n", PAGE.read_text("utf-8"), flags=re.MULTILINE)[1:]:
        code, _, text = part.partition("```")
        found = re.search(r"\]\(_static/([\w.]+)\)", text)
        yield code, "" if found is None else found[1]


def draw(folder: Path) -> list[Path]:
    """Draw all views of the page into a folder; return the pictures."""
    import mne

    namespace: dict[str, Any] = {}
    pictures = []
    with tempfile.TemporaryDirectory() as work, chdir(work):
        for code, picture in views():
            exec(compile(code, PAGE.name, "exec"), namespace)
            if picture:
                pictures.append(folder / picture)
                _save(namespace["figure"], pictures[-1])
                mne.viz.close_all_3d_figures()
    return pictures


def _save(figure: Any, file: Path) -> None:
    """Save what a figure or a brain shows."""
    if hasattr(figure, "plotter"):
        figure.plotter.render()  # or the view is that before it was set
        shown = figure.plotter.screenshot(return_img=True)
    else:
        shown = figure.screenshot()
    Image.fromarray(np.asarray(shown)[..., :3]).save(file, optimize=True)


if __name__ == "__main__":
    os.environ.setdefault("MNE_LOGGING_LEVEL", "ERROR")
    for written in draw(DOCS / "_static"):
        print(written, f"{written.stat().st_size / 1000:.0f} kB")
