"""The 3D views of the documentation are what its code draws."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import pytest

DOCS = Path(__file__).parents[1] / "docs"
sys.path.insert(0, str(DOCS))


def test_each_view_has_its_code_and_picture() -> None:
    pytest.importorskip("PIL")
    import make_figures_3d

    pictures = [picture for _, picture in make_figures_3d.views() if picture]
    assert pictures == ["view_alignment.png", "view_cortex.png", "view_volume.png"]
    stored = {file.name for file in (DOCS / "_static").glob("view_*.png")}
    assert stored == set(pictures)
    for code, picture in make_figures_3d.views():
        compile(code, "howto_3d.md", "exec")
        assert ("figure = " in code) is bool(picture)


@pytest.mark.slow
@pytest.mark.filterwarnings("default")  # those of Qt and VTK are theirs
def test_the_views_are_drawn_anew(tmp_path: Path) -> None:
    """Each looks like the picture of the page, and not like another of them."""
    for package in ("PIL", "pyvista", "pyvistaqt", "qtpy", "nibabel"):
        pytest.importorskip(package)
    if not os.environ.get("DISPLAY"):
        pytest.skip("no display: run with xvfb-run")
    import make_figures_3d
    from PIL import Image

    def small(file: Path) -> np.ndarray:
        return np.asarray(Image.open(file).convert("RGB").resize((80, 60)), dtype=float)

    drawn = make_figures_3d.draw(tmp_path)
    stored = [DOCS / "_static" / file.name for file in drawn]
    apart = [[np.abs(small(a) - small(b)).mean() for b in stored] for a in drawn]
    assert np.argmin(apart, axis=1).tolist() == list(range(len(drawn)))
    # other releases of VTK draw edges of some pixels differently
    assert max(np.diag(apart)) < 0.2 * min(
        min(row[:i] + row[i + 1 :]) for i, row in enumerate(apart)
    )
