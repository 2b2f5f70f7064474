"""No number on the page of performance is typed by hand: benchmarks write them."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "performance.md"
sys.path.insert(0, str(ROOT / "docs"))
BLOCK = re.compile(r"<!-- begin (\w+) -->\n(.*?)<!-- end \1 -->", re.DOTALL)
#: A number that is no part of a name: the years of inverses and the versions of files are names.
NUMBER = re.compile(r"(?<![\w.])(?!20(09|16|18)\b)\d[\d.,]*(?!\w)")


@pytest.fixture(scope="module")
def page():
    if not PAGE.is_file():
        pytest.skip("the pages are in the repository only")
    return PAGE.read_text("utf-8")


def test_there_are_numbers_only_where_benchmarks_write(page):
    by_hand = re.sub(r"`[^`]*`|\$[^$]*\$", "", BLOCK.sub("", page))
    assert NUMBER.findall("takes 5.4 s, and 15,000 more")  # what it must find
    assert [match[0] for match in NUMBER.finditer(by_hand)] == []
    assert "|" not in by_hand


def test_each_table_says_what_measured_it_when_and_where(page):
    filled = [(name, text) for name, text in BLOCK.findall(page) if text.strip()]
    assert len(filled) > 1
    for name, text in filled:
        measured = re.search(r"^Measured (?:by `python benchmarks/\w+\.py.*`, )?(.*)$", text, re.M)
        assert measured, name
        assert re.match(r"\d{4}-\d\d-\d\d, .+, \d+ cores.*, NumPy \d.*MNE-Python \d", measured[1])


def test_each_benchmark_writes_its_table_and_one_command_writes_all(page):
    names = {name for name, _ in BLOCK.findall(page)}
    module = ast.parse((ROOT / "benchmarks" / "__main__.py").read_text("utf-8"))
    (runs,) = (
        ast.literal_eval(node.value)
        for node in module.body
        if isinstance(node, ast.Assign) and node.targets[0].id == "RUNS"
    )
    published = set()
    for name in runs:
        text = (ROOT / "benchmarks" / f"{name}.py").read_text("utf-8")
        assert "--page" in text
        published |= set(re.findall(r"publish(?:_table)?\(\s*\"(\w+)\"", text))
    assert published == names


def test_figures_show_what_the_tables_say(page):
    import performance_figures  # beside the pages

    figure = performance_figures.growth(page)
    lines = [line for panel in figure.axes for line in panel.get_lines()]
    drawn = [line for line in lines if line.get_marker() != "None"]
    values = [cells for name in ("scaling_locations", "scaling_conditions")
              for cells in performance_figures.table(page, name).items()]  # fmt: skip
    left_out = ("locations", "conditions", "a location, times the first row")
    expected = [column for head, column in values if head not in left_out]
    assert len(drawn) == len(expected) > 2
    for line, column in zip(drawn, expected, strict=True):
        np.testing.assert_array_equal(line.get_ydata(), column)
    assert "performance_growth.png" in page
