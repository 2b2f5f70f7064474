"""The figures of a cross-validation."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from mne_bstinv.report import figures_of
from mne_bstinv.report.figures import FIGURES, draw

TITLES = [declared.title for declared in FIGURES]


def texts(figure):
    figure.draw_without_rendering()
    return " ".join(text.get_text() for text in figure.findobj(lambda a: hasattr(a, "get_text")))


@pytest.fixture(scope="module")
def drawn(fixed):
    return figures_of(fixed)


def test_all_figures_of_amplitudes_with_recordings(drawn):
    assert list(drawn) == TITLES


@pytest.mark.parametrize(
    ("title", "words"),
    [
        ("What makes the difference", ["noise between", "53.7 %", "alone, from MNE", "(%)"]),
        ("Singular values and filter factors", ["rank 67 (Brainstorm)", "rank 66 (MNE)"]),
        ("Depth weights", ["distance to the nearest sensor (mm)"]),
        ("Agreement: direction of the kernels", ["left", "bottom", "correlation of the kernels"]),
        ("Agreement: amplitude of the kernels", ["MNE / Brainstorm"]),
        ("Kernels against each other", ["Brainstorm (nA·m per noise SD)", "20,128 entries"]),
        (
            "Time courses at the peaks",
            ["location 5 (1-based), (-35, -30, 25) mm", "estimate (nA·m)"],
        ),
        ("Scouts: time series under both toolboxes", ["scout ", "estimate (nA·m)"]),
        ("Sensor-level fit", ["46 planar gradiometers", "22 magnetometers", "(fT/cm)"]),
    ],
)
def test_what_each_shows(drawn, title, words):
    shown = texts(drawn[title])
    assert [word for word in words if word not in shown] == []


def test_the_map_of_ratios_is_centred_on_one(drawn, fixed):
    bar = drawn["Agreement: amplitude of the kernels"].axes[-1]
    low, high = bar.get_ylim()
    ratios = fixed.before.location_ratio
    assert low * high == pytest.approx(1, rel=1e-14)
    assert high == pytest.approx(max(ratios.max(), 1 / ratios.min()), rel=1e-14)


def test_the_attribution_has_no_bar_for_rounding(fixed, drawn):
    inactive = {s.convention.label for s in fixed.attribution} - {
        s.convention.label for s in fixed.attribution.active
    }
    assert "EEG reference" in inactive
    shown = texts(drawn["What makes the difference"])
    assert [label for label in inactive if label in shown] == []


def test_a_statistical_map_has_no_sensor_level_fit(statistical):
    found = list(draw(statistical))
    (missing,) = (d for d in found if d.figure is None)
    assert missing.title == "Sensor-level fit"
    assert missing.reason == "sLORETA is a statistical map, which predicts no recordings."
    assert "estimate (sLORETA)" in texts(found[TITLES.index("Time courses at the peaks")].figure)


def test_a_volume_is_drawn_in_projections(volume):
    figures = figures_of(volume)
    assert list(figures) == [t for t in TITLES if not t.startswith("Scouts")]  # on no cortex
    assert "from above" in texts(figures["Agreement: direction of the kernels"])
    assert "mean over orders" in texts(figures["What makes the difference"])


def test_without_recordings_there_are_no_estimates(fixed):
    without = dataclasses.replace(fixed, data=None, times=None)
    missing = {d.title: d.reason for d in draw(without) if d.figure is None}
    parts = ("Time courses at the peaks", "Scouts: time series", "Sensor-level fit")
    assert len(missing) == len(parts)
    assert all(title.startswith(parts) for title in missing)
    assert set(missing.values()) == {"The study has no recordings."}


def test_parts_along_the_normals_predict_nothing(fixed):
    partly = dataclasses.replace(fixed, along_normals=True)
    (reason,) = (d.reason for d in draw(partly) if d.figure is None)
    assert "compared along the normals only" in reason


def test_sides_that_are_equal_have_no_attribution_and_estimates_of_zero_no_peaks(fixed):
    path = fixed.attribution
    equal = [
        dataclasses.replace(
            s, change=0.0, alone_from_brainstorm=0.0, alone_from_mne=1e-12, active=False
        )
        for s in path
    ]
    zero = np.zeros_like(fixed.data)
    same = dataclasses.replace(
        fixed, attribution=dataclasses.replace(path, steps=tuple(equal)), data=zero
    )
    missing = {d.title: d.reason for d in draw(same) if d.figure is None}
    assert missing == {
        "What makes the difference": "The two sides do not differ in any convention.",
        "Time courses at the peaks": "The estimates are zero everywhere.",
    }


def test_without_positions_of_sensors_there_is_no_depth(fixed):
    study = fixed.study
    nowhere = tuple(dataclasses.replace(c, loc=None) for c in study.channels.channels)
    channels = dataclasses.replace(study.channels, channels=nowhere)
    blind = dataclasses.replace(fixed, study=dataclasses.replace(study, channels=channels))
    (reason,) = (d.reason for d in draw(blind) if d.title == "Depth weights")
    assert "no positions of the sensors" in reason
