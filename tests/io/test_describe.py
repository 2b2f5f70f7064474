from __future__ import annotations

import numpy as np
import pytest
from small_sample import load_small_sample

from mne_bstinv import io
from mne_bstinv._display import in_short
from mne_bstinv.io.schema import describe


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (np.zeros((3, 5)), "3 × 5 float64"),
        (np.array([1.0, 2.5]), "[1 2.5]"),
        (np.zeros((0, 0)), "[]"),
        ({"a": 1, "b": 2}, "struct: a, b"),
        ((), "none"),
        (("x", "y", "z", "w"), "4: x; y; z; …"),
        (2.0, "2"),
        ("text", "text"),
    ],
)
def test_values_in_short(value, text):
    assert in_short(value) == text


def test_absent_fields_are_left_out_and_foreign_ones_named():
    cov = io.NoiseCov(noise_cov=np.eye(3), extra={"Foreign": "kept"})
    rows = {row["field"]: row for row in describe(cov)}
    assert "FourthMoment" not in rows
    assert rows["NoiseCov"] == {"field": "NoiseCov", "value": "3 × 3 float64", "unit": "T² or V²"}
    assert rows["Foreign"]["unit"] == "(kept as it is)"


def test_structures_show_in_a_notebook():
    sample = load_small_sample()
    for structure in (
        sample.head_model,
        sample.noise_cov,
        sample.channels,
        sample.recordings,
        sample.cortex,
        *sample.results.values(),
    ):
        html = structure._repr_html_()
        assert html.count("<tr>") == len(describe(structure)) > 4
    assert "<th>Gain</th><td>135 × 888 float64</td>" in sample.head_model._repr_html_()


def test_markup_in_texts_is_escaped():
    cov = io.NoiseCov(noise_cov=np.eye(3), comment="<b>bold</b>")
    assert "&lt;b&gt;bold&lt;/b&gt;" in cov._repr_html_()
    assert "<b>" not in cov._repr_html_()
