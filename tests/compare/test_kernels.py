"""The comparison as a whole: what is given, what comes back, how it reads."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
from helpers_kernels import complete, kernel
from small_sample import load_small_sample

from mne_bstinv.compare import METRICS, Kernel, compare_kernels
from mne_bstinv.errors import ComparisonError
from mne_bstinv.inverse import InverseOptions, compute_kernel
from mne_bstinv.inverse.preparation import prepare_study

N, M = 12, 7


@pytest.fixture(scope="module")
def pair():
    """Two different kernels with everything."""
    rng = np.random.default_rng(1)
    a, b = complete(rng, name="<MNE>"), complete(rng, name="Brainstorm")
    return a, dataclasses.replace(b, positions=a.positions)


@pytest.fixture(scope="module")
def data():
    return np.random.default_rng(2).normal(size=(N, 20))


@pytest.fixture(scope="module")
def comparison(pair, data):
    return compare_kernels(*pair, data=data, times=np.arange(20) / 1000)


# what comes back


def test_every_metric_is_in_the_comparison(comparison):
    assert [value.metric for value in comparison] == list(METRICS)
    assert len(comparison) == len(METRICS)
    for metric in METRICS:
        assert comparison[metric.key].metric is metric
    assert comparison.names == ("<MNE>", "Brainstorm")
    assert not comparison.passed


def test_unknown_metric(comparison):
    with pytest.raises(KeyError, match=r"no metric 'corelation'\. Must be one of relative_differ"):
        comparison["corelation"]


def test_locations(pair, comparison):
    a, b = pair
    assert comparison.locations.tolist() == list(range(M))
    for i in range(M):
        x, y = a.blocks[i].ravel(), b.blocks[i].ravel()
        expected = x @ y / np.linalg.norm(x) / np.linalg.norm(y)
        assert abs(comparison.location_correlation[i] - expected) <= 1e-14
        expected = np.linalg.norm(x) / np.linalg.norm(y)
        assert abs(comparison.location_ratio[i] - expected) <= 1e-14 * expected


def test_to_dict_is_json(comparison, data):
    plain = json.loads(json.dumps(comparison.to_dict(), allow_nan=False))
    assert list(plain["metrics"]) == [metric.key for metric in METRICS]
    entry = plain["metrics"]["correlation_worst"]
    assert entry["value"] == comparison["correlation_worst"].value
    assert entry["passed"] is False
    assert set(entry) == {"label", "unit", "value", "tolerance", "passed", "detail", "reason"}
    assert plain["names"] == ["<MNE>", "Brainstorm"]
    assert plain["location_ratio"] == comparison.location_ratio.tolist()
    assert (plain["rtol"], plain["passed"], plain["n_left_out"]) == (1e-9, False, 0)


def test_numbers_that_are_not_finite_become_none():
    b = np.eye(3)
    b[1:] = 0
    a = np.eye(3)
    a[2] = 0
    plain = compare_kernels(kernel(a), kernel(b)).to_dict()
    json.dumps(plain, allow_nan=False)
    assert plain["location_ratio"] == [1, None, None]
    assert plain["location_correlation"] == [1, 0, None]
    assert plain["metrics"]["amplitude_ratio_p95"]["value"] is None
    assert plain["metrics"]["amplitude_ratio_p95"]["passed"] is False
    assert plain["metrics"]["time_course_correlation_worst"]["value"] is None


def test_text(comparison):
    lines = str(comparison).splitlines()
    assert lines[0] == "A = <MNE>, B = Brainstorm: 7 locations, 0 left out, rtol 1e-09"
    assert lines[1].split() == ["metric", "value", "tolerance"]
    assert len(lines) == 2 + len(METRICS) + len(comparison.notes)
    for line, value in zip(lines[2:], comparison, strict=False):
        assert line.startswith(value.metric.label)
    assert lines[-1] == f"note: {comparison.notes[-1]}"
    column = lines[1].index("value")
    assert all(line[column] != " " and line[column - 1] == " " for line in lines[1 : len(METRICS)])


def test_text_of_a_value(pair):
    b = pair[1]
    comparison = compare_kernels(dataclasses.replace(b, matrix=b.matrix * (1 - 1e-7)), b)
    assert str(comparison["amplitude_ratio_median"]) == (
        "amplitude ratio A/B, median | 1 − 1e-07 | ± 1e-09 | differ"
    )
    assert str(comparison["relative_difference"]).endswith("| 1e-07 | ± 1e-09 | differ")
    assert str(comparison["explained_variance_a"]) == (
        "explained variance of the recordings by A | – | not applicable: no recordings are given"
    )
    assert str(comparison["peak_displacement_worst"]).endswith(
        "| 0 mm | ± 0 | agree | 0 of 7 peaks displaced"
    )


def test_html_is_escaped(comparison):
    html = comparison._repr_html_()
    assert "&lt;MNE&gt;" in html
    assert "<MNE>" not in html
    assert html.count("<tr>") == len(METRICS) + 1
    assert html.count("<li>") == len(comparison.notes)


def test_repr(comparison):
    differing = sum(value.passed is False for value in comparison)
    assert repr(comparison) == (
        f"<Comparison | <MNE> with Brainstorm, 7 locations, {differing} of {len(METRICS)} metrics "
        "differ, 0 not applicable>"
    )


# what is given


def test_order_and_spelling_make_no_difference(pair, data, comparison):
    a, b = pair
    rng = np.random.default_rng(3)
    moved = b.select(channels=rng.permutation(N), locations=rng.permutation(M))
    spelled = [f"c {name[1:]}" for name in moved.channel_names]
    moved = dataclasses.replace(moved, channel_names=spelled)
    again = compare_kernels(a, moved, data=data, times=np.arange(20) / 1000)
    for key, value in comparison.to_dict()["metrics"].items():
        assert again[key].value == pytest.approx(value["value"], rel=1e-12), key
        assert again[key].detail == value["detail"]
    assert len(again.notes) == len(comparison.notes) + 3


def test_recordings_by_name(pair, data, comparison):
    a, b = pair
    order = np.random.default_rng(4).permutation(N)
    names = [a.channel_names[i].lower() for i in order] + ["STI 014"]
    more = np.vstack([data[order], np.full((1, 20), 7.0)])
    again = compare_kernels(a, b, data=more, data_names=names)
    key = "time_course_correlation_worst"
    assert again[key].value == comparison[key].value
    assert "1 channel(s) of the recordings are in no kernel" in again.notes


def test_nan_locations_are_left_out_and_counted(pair, data):
    a, b = pair
    matrix = a.matrix.copy()
    matrix[4] = np.nan
    comparison = compare_kernels(dataclasses.replace(a, matrix=matrix), b, data=data)
    assert comparison.n_left_out == 1
    assert comparison.locations.tolist() == [0, 2, 3, 4, 5, 6]
    assert len(comparison.location_ratio) == 6
    assert "1 location(s) were left out: <MNE> is NaN at 1, Brainstorm at 0" in comparison.notes
    assert all(v.value is None or np.isfinite(v.value) for v in comparison)
    assert "6 locations, 1 left out" in str(comparison)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"rtol": -1e-9}, "rtol must be a number from 0 to 0.5, found -1e-09"),
        ({"rtol": np.nan}, "rtol must be a number from 0 to 0.5, found nan"),
        ({"times": np.arange(3)}, "times are given without data"),
        ({"data_names": ["C0"]}, "data_names are given without data"),
        ({"data": np.ones((5, 3))}, r"data has 5 rows, expected 12: the channels of <MNE>"),
        ({"data": np.ones(N)}, r"data has shape \(12,\) and dtype float64, expected real numbers"),
        ({"data": np.ones((N, 0))}, r"data has shape \(12, 0\)"),
        ({"data": np.ones((N, 2)) * 1j}, "dtype complex128, expected real numbers"),
        (
            {"data": np.vstack([np.ones((N - 1, 2)), [[np.nan, 1.0]]])},
            r"data holds values that are not finite in 1 row\(s\): C11\.",
        ),
        ({"data": np.ones((N, 2)), "data_names": ["C0"]}, "data has 12 rows, expected 1: data_nam"),
        (
            {"data": np.ones((2, 2)), "data_names": ["C0", 1]},
            "data_names must hold texts, found 'C0', 1",
        ),
        (
            {"data": np.ones((2, 2)), "data_names": ["C0", "C0"]},
            "data_names holds a name more than once",
        ),
        (
            {"data": np.ones((2, 2)), "data_names": ["C0", "C1"]},
            r"10 channel\(s\) of <MNE> are missing in data_names: C2, .*, C11\.",
        ),
        (
            {"data": np.ones((N, 2)), "times": [0.0]},
            r"times has shape \(1,\) and dtype float64, expected finite numbers of shape \(2,\)",
        ),
        ({"data": np.ones((N, 2)), "times": [0.0, np.inf]}, "expected finite numbers"),
    ],
)
def test_what_cannot_be_used(pair, given, message):
    with pytest.raises(ComparisonError, match=message):
        compare_kernels(*pair, **given)


def test_other_things_than_kernels(pair):
    with pytest.raises(ComparisonError, match="Kernel B is a ndarray, expected a Kernel or an Inv"):
        compare_kernels(pair[0], np.eye(3))


# real kernels


def _computed(study, orient, measure, data_types="MEG"):
    """Kernel of the sample study with the gain that it was computed from."""
    files = (study.head_model, study.noise_cov, study.channels)
    options = InverseOptions(method="minnorm", measure=measure, source_orient=orient)
    given = {"channel_flag": study.recordings.channel_flag, "data_types": data_types}
    result = compute_kernel(*files, options=options, **given)
    (region,) = prepare_study(*files, options=options, **given).regions
    gain = region.gain.array
    if orient == "fixed":
        normals = study.head_model.grid_orient
        gain = np.einsum("cli,li->cl", gain.reshape(len(gain), -1, 3), normals)
    return result, Kernel.from_result(result, gain=gain, positions=study.head_model.grid_loc)


@pytest.mark.parametrize(
    ("stored", "orient", "data_types"),
    [("MN: MEG ALL(Constr) 2018", "fixed", "MEG"), ("MN: EEG(Unconstr) 2018", "free", "EEG")],
)
def test_recomputed_kernel_and_the_one_of_brainstorm(stored, orient, data_types):
    study = load_small_sample()
    result, ours = _computed(study, orient, "amplitude", data_types)
    theirs = dataclasses.replace(
        ours, matrix=study.results[stored].imaging_kernel, name="Brainstorm"
    )
    comparison = compare_kernels(
        ours,
        theirs,
        data=study.recordings.f,
        data_names=study.channels.names,
        times=study.recordings.time,
    )
    assert [str(value) for value in comparison if value.passed is False] == []
    # the two metrics of angles need three components
    assert sum(value.value is None for value in comparison) == (2 if orient == "fixed" else 0)
    assert comparison["relative_difference"].value < 1e-12
    assert 0 < comparison["explained_variance_b"].value < 1
    # without gain and positions, straight from the result
    plain = compare_kernels(result, theirs)
    assert plain.names == ("A", "Brainstorm")
    assert plain["correlation_worst"].passed


@pytest.mark.parametrize("orient", ["fixed", "free"])
def test_sloreta_localises_single_sources_without_error(orient):
    # Pascual-Marqui 2002: |R_ii^(−1/2) R_ij| ≤ |R_jj^(1/2)|, the value at the source itself
    study = load_small_sample()
    sloreta, amplitude = (_computed(study, orient, m)[1] for m in ("sloreta", "amplitude"))
    comparison = compare_kernels(sloreta, amplitude)
    n = sloreta.n_locations
    assert comparison["localisation_error_a"].detail == f"{n} of {n} peaks at the source"
    assert comparison["localisation_error_a"].value == 0
    assert comparison["localisation_error_b"].value > 0
