"""The overview for people."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from urllib.parse import unquote

from mne_bstinv.port import port_protocol
from mne_bstinv.port.overview import overview_html


class Page(HTMLParser):
    """Targets of links and pictures, and the text of the cells."""

    def __init__(self, text):
        super().__init__()
        self.targets, self.rows, self.open = [], [], []  # rows: of the table, not those in it
        self.feed(text)
        assert self.open == [], "tags that are not closed"

    def handle_starttag(self, tag, attributes):
        if tag not in ("meta", "img"):
            self.open.append(tag)
        if "details" in self.open:
            pass
        elif tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")
        self.targets += [value for name, value in attributes if name in ("href", "src")]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if {"td", "th"} & set(self.open) and "details" not in self.open:
            self.rows[-1][-1] += data


def rows_of(page, title):
    """The row of a unit, and the one below it."""
    (place,) = (i for i, row in enumerate(page.rows) if row[0] == title)
    return page.rows[place : place + 2]


def test_a_row_for_each_unit_with_links_that_lead_somewhere(ported_once):
    page = Page((ported_once / "port.html").read_text("utf-8"))
    assert len(page.targets) > 20
    for target in page.targets:
        assert (ported_once / unquote(target)).is_file(), target
    # below each unit is a row of what is long
    titles = [row[0] for row in page.rows[1:] if row[0]]
    assert titles == [
        "anatomy of Subject01", "Subject01/@default_study", "Subject01/condA", "Subject01/condB",
    ]  # fmt: skip
    verdicts = [row[2] for row in page.rows[1:] if row[0]]
    assert verdicts[0] == ""
    assert verdicts[1].startswith("2 equal; largest relative difference ")
    (shared,) = (row[3] for row in page.rows if row[0] == "Subject01/condA")
    assert shared == "those of Subject01/default_study"
    assert any(target.endswith("_sensors.svg") for target in page.targets)


def test_errors_and_problems_are_shown_and_escaped(ported_once):
    whole = json.loads((ported_once / "port.json").read_text("utf-8"))
    whole["protocol"]["problems"] = ["a <problem>"]
    unit = whole["units"][2]
    unit["status"] = "failed"
    unit["errors"] = [{"what": "results", "file": "x.mat", "reason": "1 < 2"}]
    unit["verification"] = [
        {"file": "y.mat", "status": "differs", "relative_difference": 0.5, "reason": "<why>"}
    ]
    text = overview_html(whole)
    page = Page(text)
    # a row of their own below the unit's
    (place,) = (i for i, row in enumerate(page.rows) if row[0] == "Subject01/condA")
    assert page.rows[place][1] == "failed"
    assert page.rows[place + 1][1].endswith(
        "see the manifestresults x.mat: 1 < 2y.mat: differs: <why>"
    )
    assert page.rows[place + 2][0] == "Subject01/condB"
    assert "a &lt;problem&gt;" in text


def test_operators_that_are_not_comparable_are_marked(data_dir, tmp_path):
    port_protocol(data_dir / "mixed", tmp_path / "out")
    page = Page((tmp_path / "out/port.html").read_text("utf-8"))
    row, (_, files) = rows_of(page, "Subject01/mixed")
    assert row[2].startswith("not verified; 3 of 5 operators give the stored kernels (largest ")
    assert row[2].endswith("; 2 have no MNE method (their estimates are written)")
    marked = "inverse operator, not comparable, no MNE method for "
    regions = "(the fixed and free regions are comparable)"
    assert f"{marked}dspm2018, loose orientation {regions}: Subject01_mixed_dSPM-unsc" in files
    assert f"{marked}sloreta, free and loose orientation (the fixed regions are com" in files
    assert files.count("inverse operator: Subject01_mixed_MN_") == 1
    assert "fields of Brainstorm's files: 17 assumed, " in files
    whole = json.loads((tmp_path / "out/port.json").read_text("utf-8"))
    outputs = whole["units"][1]["outputs"]
    stale = next(o for n, o in outputs.items() if "_MN_" in n and n.endswith("-inv.fif"))
    stale["kernel_difference"], stale["parameters"]["parity"] = 0.3, "not comparable"
    stale["parameters"]["reason"] = "It differs."
    other = next(o for n, o in outputs.items() if "_dSPM" in n and n.endswith("-inv.fif"))
    other["parameters"] |= {"parity": "exact", "reason": "read them", "proj": False}
    page = Page(overview_html(whole))
    row, (_, files) = rows_of(page, "Subject01/mixed")
    assert "inverse operator, not comparable, not the stored kernel: Subject01_mixed_MN" in files
    assert "inverse operator, of recordings read with proj=False: Subject01_mixed_dSPM" in files
    assert "; 1 differs, by 3.0e-01" in row[2]


def test_what_is_counted_is_said(ported_once):
    text = (ported_once / "port.html").read_text("utf-8")
    assert "<p>done: 1 anatomy, 1 folder of shared files, 2 conditions. Made of " in text


def test_columns_are_as_wide_as_words(ported_once):
    text = (ported_once / "port.html").read_text("utf-8")
    table = text[text.index("<div class='wide'>") : text.index("</div>")]
    assert table.count("<table>") == 1
    assert ".wide { overflow-x: auto; }" in text
    for column in (1, 2, 3, 4):
        assert f"th:nth-child({column}) {{ min-width:" in text
