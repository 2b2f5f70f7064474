"""The tools that build the documentation's site and check it."""

from __future__ import annotations

import importlib.util
import re
import zlib
from pathlib import Path
from types import ModuleType

import pytest

DOCS = Path(__file__).parents[1] / "docs"
EXAMPLES = Path(__file__).parents[1] / "examples"


def tool(name: str) -> ModuleType:
    path = DOCS / f"{name}.py"
    if not path.is_file():
        pytest.skip("the documentation is not part of this copy")
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


PAGE = '<html><body><h1 id="top">x</h1>{}</body></html>'


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ('<a href="other.html">x</a>', None),
        ('<a href="other.html#top">x</a>', None),
        ('<a href="#top">x</a>', None),
        ('<a href="folder/">x</a>', None),
        ('<a href="https://mne.tools/nowhere">x</a>', None),
        ('<img src="a%20b.png">', None),
        ('<a href="none.html">x</a>', "index.html: none.html does not exist"),
        ('<a href="other.html#none">x</a>', "index.html: other.html#none does not exist"),
        ('<a href="#none">x</a>', "index.html: #none does not exist"),
        ('<img src="none.png">', "index.html: none.png does not exist"),
        (
            '<script src="https://cdn.example.org/a.js"></script>',
            "index.html: loads https://cdn.example.org/a.js from another site",
        ),
        (
            '<link rel="stylesheet" href="//cdn.example.org/a.css">',
            "index.html: loads //cdn.example.org/a.css from another site",
        ),
    ],
)
def test_a_broken_link_is_found(body: str, fault: str | None, tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text(PAGE.format(body), encoding="utf-8")
    (tmp_path / "other.html").write_text(PAGE.format(""), encoding="utf-8")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "index.html").write_text(PAGE.format(""), encoding="utf-8")
    (tmp_path / "a b.png").touch()
    assert tool("check_links").broken(tmp_path) == ([] if fault is None else [fault])


def test_a_site_without_pages_is_broken(tmp_path: Path) -> None:
    assert tool("check_links").broken(tmp_path) == [f"{tmp_path}: no page (*.html)"]


def test_an_inventory_has_the_format_of_sphinx(tmp_path: Path) -> None:
    module = tool("make_inventories")
    module.write_inventories(tmp_path / "inventories")
    files = {file.stem for file in (tmp_path / "inventories").iterdir()}
    assert files == {"mne", "numpy", "scipy"}
    content = (tmp_path / "inventories" / "mne.inv").read_bytes()
    *head, body = content.split(b"\n", 4)
    assert head[0] == b"# Sphinx inventory version 2"
    lines = zlib.decompress(body).decode().splitlines()
    assert "mne.Info py:class 1 generated/mne.Info.html#mne.Info -" in lines
    method = "mne.SourceEstimate.plot"
    assert f"{method} py:method 1 generated/mne.SourceEstimate.html#{method} -" in lines


def test_names_of_mne_in_the_inventory_exist() -> None:
    import mne

    module = tool("make_inventories")
    names = [name for listed in module.NAMES["mne"].values() for name in listed]
    for name in [*names, *module.METHODS["mne"]]:
        value = mne
        for part in name.split(".")[1:]:
            value = getattr(value, part)
        assert callable(value), name


def test_examples_are_named_in_order_and_have_a_title() -> None:
    if not EXAMPLES.is_dir():
        pytest.skip("the examples are not part of this copy")
    names = [path.name for path in sorted(EXAMPLES.glob("*.py"))]
    assert len(names) >= 7
    for name in names:
        assert re.fullmatch(r"plot_\d\d_[a-z_]+\.py", name)
        text = (EXAMPLES / name).read_text("utf-8")
        title, line = text.splitlines()[1:3]
        assert line == "=" * len(title), name
