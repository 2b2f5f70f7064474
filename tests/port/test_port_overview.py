"""The overview for people."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from urllib.parse import unquote

import pytest

from mne_bstinv.port.overview import error_lines, outcome_lines, overview_html, verdict


class Page(HTMLParser):
    """Targets of links and pictures, and the text of the cells."""

    def __init__(self, text):
        super().__init__()
        self.targets, self.rows, self.open = [], [], []
        self.feed(text)
        assert self.open == [], "tags that are not closed"

    def handle_starttag(self, tag, attributes):
        if tag not in ("meta", "img"):
            self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
        self.targets += [value for name, value in attributes if name in ("href", "src")]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if {"td", "th"} & set(self.open):
            self.rows[-1][-1] += data


def test_a_row_for_each_unit_with_links_that_lead_somewhere(ported_once):
    page = Page((ported_once / "port.html").read_text("utf-8"))
    assert len(page.targets) > 20
    for target in page.targets:
        assert (ported_once / unquote(target)).is_file(), target
    titles = [row[0] for row in page.rows[1:]]
    assert titles == [
        "anatomy of Subject01", "Subject01/@default_study", "Subject01/condA", "Subject01/condB",
    ]  # fmt: skip
    verdicts = [row[2] for row in page.rows[1:]]
    assert verdicts[0] == ""
    assert verdicts[1].startswith("2 equal; largest relative difference ")
    assert page.rows[3][3] == "those of Subject01/default_study"
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
    assert page.rows[3][:2] == ["Subject01/condA", "failed"]
    assert page.rows[4] == ["", "results x.mat: 1 < 2y.mat: differs: <why>"]
    assert page.rows[5][0] == "Subject01/condB"
    assert "a &lt;problem&gt;" in text


@pytest.mark.parametrize(
    ("outcomes", "said"),
    [
        (None, "not verified"),
        ([], "no kernel"),
        ([("equal", 1e-15), ("equal", 2e-14), ("not comparable", None)],
         "2 equal, 1 not comparable; largest relative difference 2.0e-14"),
    ],
)  # fmt: skip
def test_verdict(outcomes, said):
    if outcomes is not None:
        outcomes = [{"status": s, "relative_difference": d} for s, d in outcomes]
    assert verdict({"verification": outcomes}) == said


def test_errors_of_one_reason_are_told_once():
    errors = [
        {"what": "head model", "file": "h.mat", "reason": "damaged"},
        {"what": "inverse operator", "file": "a.mat", "reason": "damaged"},
        {"what": "source estimate", "file": "a.mat", "reason": "damaged"},
        {"what": "averages", "file": "", "reason": "other"},
        {"what": "inverse operator", "file": "b.mat", "reason": "damaged"},
    ]
    assert error_lines(errors) == [
        "head model h.mat: damaged (the same for 3 more: 2 × inverse operator, 1 × source "
        "estimate)",
        "averages: other",
    ]
    outcomes = [{"file": f"{name}.mat", "status": "error", "reason": "why"} for name in "abc"]
    outcomes.append({"file": "d.mat", "status": "differs", "reason": "why"})
    assert outcome_lines(outcomes) == [
        "a.mat: error: why (the same for 2 more)", "d.mat: differs: why",
    ]  # fmt: skip


def test_columns_are_as_wide_as_words(ported_once):
    text = (ported_once / "port.html").read_text("utf-8")
    table = text[text.index("<div class='wide'>") : text.index("</div>")]
    assert table.count("<table>") == 1
    assert ".wide { overflow-x: auto; }" in text
    # all but that of the pictures, whose width is that of the picture
    for column in (1, 2, 3, 5):
        assert f"th:nth-child({column}) {{ min-width:" in text
