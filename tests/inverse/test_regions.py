"""Regions of mixed head models."""

from __future__ import annotations

import re

import numpy as np
import pytest
from inverse_problems import FakeScout

from mne_bstinv.errors import InverseError
from mne_bstinv.inverse.regions import mixed_regions


@pytest.mark.parametrize(
    ("code", "orient"),
    [
        ("LSC", "fixed"),
        ("RSU", "free"),
        ("USL", "loose"),
        ("UVU", "free"),
        ("UDC", "fixed"),  # deep brain: by its third letter
        ("LDU", "free"),
        ("RDL", "loose"),
        ("lsc", "fixed"),
        ("uvU", "free"),
    ],
)
def test_third_letter_is_the_orientation(code, orient):
    (region,) = mixed_regions([FakeScout(region=code, grid_rows=[1, 2], label="A")], 2)
    assert region.orient == orient
    assert region.name == "A"


def test_rows_stay_in_the_order_of_the_scouts():
    scouts = [
        FakeScout(region="LSC", grid_rows=np.array([[5, 3]]), label="last"),
        FakeScout(region="UVU", grid_rows=np.array([1.0, 4.0, 2.0]), label="first"),
    ]
    first, second = mixed_regions(scouts, 5)
    assert (first.name, second.name) == ("last", "first")
    assert first.locations.tolist() == [4, 2]
    assert second.locations.tolist() == [0, 3, 1]
    assert second.locations.dtype.kind == "i"


@pytest.mark.parametrize("rows", [None, [], np.zeros((0, 0))])
def test_regions_without_rows_are_skipped(rows):
    scouts = [
        FakeScout(region="???", grid_rows=rows, label="nothing"),
        FakeScout(region="LSC", grid_rows=[1], label="kept"),
    ]
    assert [r.name for r in mixed_regions(scouts, 1)] == ["kept"]


@pytest.mark.parametrize("code", ["LXC", "UX", "uxu", "UXX"])
def test_excluded_regions_are_skipped(code):
    scouts = [
        FakeScout(region=code, grid_rows=[1, 2]),
        FakeScout(region="LSC", grid_rows=[3]),
    ]
    (region,) = mixed_regions(scouts, 3)
    assert region.locations.tolist() == [2]


@pytest.mark.parametrize("label", [None, ""])
def test_regions_without_a_name_are_numbered(label):
    scouts = [
        FakeScout(region="UX", grid_rows=[1]),
        FakeScout(region="LSC", grid_rows=[1], label=label),
    ]
    assert [r.name for r in mixed_regions(scouts, 1)] == ["region 2"]


@pytest.mark.parametrize("code", ["LSX", "LS", "", None, "LSA"])
def test_unknown_code(code):
    message = (
        f"Region 'Thalamus' of the mixed head model has the code {code!r}; its third letter must "
        "be C (constrained), U (unconstrained) or L (loose)."
    )
    with pytest.raises(InverseError, match=f"^{re.escape(message)}$"):
        mixed_regions([FakeScout(region=code, grid_rows=[1], label="Thalamus")], 1)


@pytest.mark.parametrize(("rows", "shown"), [([0, 1], "0 to 1"), ([2, 5], "2 to 5")])
def test_rows_out_of_range(rows, shown):
    message = (
        f"GridRows of region 'A' run from {shown}, expected 1 to 4. Make the head model again."
    )
    with pytest.raises(InverseError, match=f"^{re.escape(message)}$"):
        mixed_regions([FakeScout(region="LSC", grid_rows=rows, label="A")], 4)


@pytest.mark.parametrize("scouts", [[], [FakeScout(region="UXU", grid_rows=[1])]])
def test_no_region_left(scouts):
    with pytest.raises(InverseError, match="mixed head model has no region with locations"):
        mixed_regions(scouts, 4)
