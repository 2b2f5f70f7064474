"""Tables and sentences."""

from __future__ import annotations

import dataclasses
import re
from html import unescape

from mne_bstinv.report import tables


def cells(table):
    return [
        re.findall(r"<t[hd]>(.*?)</t[hd]>", row) for row in re.findall(r"<tr>(.*?)</tr>", table)
    ]


def test_overview_has_one_row_a_kernel(fixed, statistical):
    head, first, second = cells(tables.overview_html({"one": fixed, "two": statistical}))
    assert head[:4] == ["kernel", "told the same", "difference told the same", "as set"]
    assert first[:2] == ["one", "exact"]
    assert first[3] == "53.75\N{NO-BREAK SPACE}%"
    assert first[-1] == "✓"
    assert second[:2] == ["two", "not comparable"]


def test_the_table_has_the_numbers_that_the_verdict_goes_by(fixed, volume):
    """Without the mean over all orders, the mean of both ends."""
    head, *rows = cells(tables.attribution_html(fixed))[: 2 + len(fixed.attribution.active)]
    assert "mean over orders" not in head
    place = head.index("mean of both ends")
    largest = max(rows[:-1], key=lambda row: float(row[place].split("\N{NO-BREAK SPACE}")[0]))
    assert f"(alone, mean of both ends): “{largest[0]}” and" in fixed.verdict
    step = max(fixed.attribution, key=lambda step: step.weight)
    assert step.weight == (step.alone_from_brainstorm + step.alone_from_mne) / 2
    assert "may rank them otherwise" in tables.attribution_html(fixed)
    averaged = tables.attribution_html(volume)
    assert "mean over orders" in cells(averaged)[0]
    assert "mean of both ends" not in averaged


def test_the_table_says_what_its_numbers_are_relative_to(fixed):
    assert "relative to Brainstorm's kernel." in unescape(tables.attribution_html(fixed))
    path = dataclasses.replace(fixed.attribution, relative_to="MNE")
    shown = unescape(tables.attribution_html(dataclasses.replace(fixed, attribution=path)))
    assert "relative to MNE's kernel." in shown
    assert "relative to Brainstorm's" not in shown


def test_a_failure_is_marked_by_more_than_a_colour(fixed):
    path = dataclasses.replace(fixed.attribution, remainder_end=0.5)
    failed = dataclasses.replace(fixed, attribution=path)
    shown = tables.verdict_html([failed])
    assert shown.startswith('<p class="bstinv-verdict failed">✗ MNE fixed MEG. ')
    assert cells(tables.overview_html({"": failed}))[1][-1] == "✗"


def test_the_factor_and_the_public_call_are_told(fixed, statistical):
    assert "make_inverse_operator: " in tables.parity_html(fixed)
    assert "times one without unit" not in tables.parity_html(fixed)
    factor = f"sLORETA is {statistical.factor:.6g} (√Λ in A·m) times one without unit"
    assert factor in tables.parity_html(statistical)
    reason = dataclasses.replace(fixed.equivalent, no_public_call="a & b")
    without = dataclasses.replace(fixed, equivalent=reason, public_difference=None)
    assert "make_inverse_operator cannot be told this: a &amp; b" in tables.parity_html(without)


def test_losses_of_reading_and_of_converting_are_told_once(volume, fixed):
    shown = tables.losses_html([fixed, fixed])
    assert shown.count("<h6>channels → Info</h6>") == 1
    assert shown.count("<h6>noise covariance → Covariance</h6>") == 1
    both = tables.losses_html([fixed, volume])
    assert both.count("<h6>channels → Info</h6>") == 2  # two studies, two reports


def test_numbers_stay_with_their_units_and_markup_is_escaped():
    assert tables._cell("+1.50 % of <b>") == "+1.50\N{NO-BREAK SPACE}% of &lt;b&gt;"
    assert tables._cell("3.0 mm") == "3.0\N{NO-BREAK SPACE}mm"
    assert tables._cell("5 months") == "5 months"
