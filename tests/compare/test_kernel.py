"""Kernels: their fields fit each other, and where they come from."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from helpers_kernels import complete, kernel

from mne_bstinv.compare import Kernel
from mne_bstinv.errors import ComparisonError, SchemaError
from mne_bstinv.inverse import bst_inverse_linear

N, M = 8, 5
NAMES = tuple(f"EEG {i}" for i in range(N))


def _result(orient="fixed", *, names=NAMES, **options):
    rng = np.random.default_rng(1)
    orients = [orient] if isinstance(orient, str) else list(orient)
    models = [
        {"Gain": rng.normal(size=(N, 3 * M)), "GridOrient": rng.normal(size=(M, 3))}
        for _ in orients
    ]
    given = {
        "NoiseCovMat": {"NoiseCov": np.diag(rng.uniform(1, 2, size=N))},
        "DataCovMat": {"NoiseCov": np.eye(N)},
        "ChannelTypes": ["EEG"] * N,
        "SourceOrient": orients,
    }
    return dataclasses.replace(bst_inverse_linear(models, given | options), channel_names=names)


def test_fields_are_kept_and_cannot_be_written_to():
    rng = np.random.default_rng(2)
    gain = rng.normal(size=(N, 3 * M))
    made = complete(rng, 3, M, N, gain=gain, name="Brainstorm")
    assert (made.n_locations, made.n_channels, made.n_components) == (M, N, 3)
    assert made.blocks.shape == (M, 3, N)
    np.testing.assert_array_equal(made.blocks[2], made.matrix[6:9])
    assert np.shares_memory(made.gain, gain)  # large arrays are not copied
    for name in ("matrix", "locations", "positions", "normals", "gain", "whitener"):
        with pytest.raises(ValueError, match="read-only"):
            getattr(made, name)[...] = 0
    gain[0, 0] = 1.0  # the caller's own array can still be


def test_repr():
    made = complete(np.random.default_rng(2), 3, M, N, name="Brainstorm")
    assert repr(made) == (
        "<Kernel | Brainstorm, 5 locations × 3 component(s), 8 channels, unit A·m, "
        "with positions, normals, gain, whitener>"
    )
    assert repr(kernel(np.ones((2, 3)), unit="")) == (
        "<Kernel | A, 2 locations × 1 component(s), 3 channels, unit unknown>"
    )


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"n_components": 2}, "n_components is 2, expected 1 or 3."),
        (
            {"matrix": np.ones((M, 3)), "channel_names": NAMES},
            r"matrix has shape \(5, 3\), expected \(5, 8\): \(n_comp",
        ),
        ({"matrix": np.full((M, N), np.inf)}, "matrix holds infinite values"),
        ({"matrix": np.ones((M, N)) * 1j}, "matrix must hold real numbers, found dtype complex"),
        ({"gain": np.ones((N, 3 * M))}, r"gain has shape \(8, 15\), expected \(8, 5\)"),
        ({"gain": np.full((N, M), np.nan)}, "gain holds values that are not finite"),
        ({"positions": np.ones((M, 2))}, r"positions has shape \(5, 2\), expected \(5, 3\)"),
        ({"normals": np.ones(3)}, r"normals has shape \(3,\), expected \(5, 3\)"),
        ({"whitener": np.eye(N - 1)}, r"whitener has shape \(7, 7\), expected \(7, 8\)"),
        ({"channel_names": ["X"] * N}, "channel_names holds X more than once"),
        ({"channel_names": "X"}, "channel_names must be a sequence of text, found 'X'"),
        ({"channel_names": None}, "channel_names must be a sequence of text, found None"),
        ({"channel_names": [*"ABCDEFG", 8]}, "channel_names must be a sequence of text, found"),
        ({"channel_names": []}, "channel_names is empty"),
        ({"whitener": 5}, r"whitener has shape \(\), expected \(8, 8\)"),
        ({"locations": [0, 1, 2, 2, 3]}, "locations holds 2 more than once"),
        ({"locations": [-1, 0, 1, 2, 3]}, "locations holds -1, expected 0-based ids"),
        ({"locations": np.ones(M)}, r"locations has shape \(5,\) and dtype float64"),
        ({"locations": np.zeros(0, int)}, r"locations has shape \(0,\)"),
    ],
)
def test_fields_that_do_not_fit(given, message):
    with pytest.raises(SchemaError, match=message) as caught:
        kernel(**({"matrix": np.ones((M, N))} | given | {"name": "mine"}))
    assert caught.value.place == "Kernel 'mine'"


def test_all_faults_are_reported_at_once():
    with pytest.raises(SchemaError) as caught:
        kernel(np.ones((M, N)), gain=np.ones(2), positions=np.ones(2))
    assert [fault.split()[0] for fault in caught.value.faults] == ["positions", "gain"]


def test_nan_marks_a_location_without_estimate():
    matrix = np.ones((M, N))
    matrix[2] = np.nan
    assert np.isnan(kernel(matrix).matrix[2]).all()


def test_select():
    made = complete(np.random.default_rng(3), 3, M, N)
    channels, locations = np.array([5, 0, 3]), np.array([4, 1])
    chosen = made.select(channels=channels, locations=locations)
    assert chosen.channel_names == ("C5", "C0", "C3")
    assert chosen.locations.tolist() == [4, 1]
    for i, location in enumerate(locations):
        np.testing.assert_array_equal(chosen.blocks[i], made.blocks[location][:, channels])
        columns = slice(3 * location, 3 * location + 3)
        np.testing.assert_array_equal(
            chosen.gain[:, 3 * i : 3 * i + 3], made.gain[channels, columns]
        )
        np.testing.assert_array_equal(chosen.positions[i], made.positions[location])
        np.testing.assert_array_equal(chosen.normals[i], made.normals[location])
    np.testing.assert_array_equal(chosen.whitener, made.whitener[np.ix_(channels, channels)])
    assert (chosen.name, chosen.unit) == (made.name, made.unit)
    assert made.select(channels=np.arange(N), locations=np.arange(M)) is made


@pytest.mark.parametrize(("orient", "p"), [("fixed", 1), ("loose", 3), ("free", 3)])
def test_from_result(orient, p):
    result = _result(orient)
    positions = np.random.default_rng(4).normal(size=(M, 3))
    gain = np.ones((N, p * M))
    made = Kernel.from_result(
        result, gain=gain, positions=positions, normals=-positions, name="ours"
    )
    np.testing.assert_array_equal(made.matrix, result.kernel)
    np.testing.assert_array_equal(made.whitener, result.whitener)
    np.testing.assert_array_equal(made.positions, positions)
    np.testing.assert_array_equal(made.normals, -positions)
    np.testing.assert_array_equal(made.gain, gain)
    assert made.locations.tolist() == list(range(M))
    assert (made.n_components, made.channel_names) == (p, NAMES)
    assert (made.name, made.unit, made.notes) == ("ours", "A·m", ())


def test_from_result_picks_the_locations_of_its_rows():
    result = _result()
    region = dataclasses.replace(result.regions[0], locations=np.array([6, 0, 2, 5, 3]))
    result = dataclasses.replace(result, regions=(region,), n_sources=7)
    positions = np.arange(21.0).reshape(7, 3)
    made = Kernel.from_result(result, positions=positions)
    np.testing.assert_array_equal(made.positions, positions[[6, 0, 2, 5, 3]])
    with pytest.raises(SchemaError, match=r"positions has shape \(5, 3\), expected \(7, 3\): all"):
        Kernel.from_result(result, positions=np.ones((M, 3)))


@pytest.mark.parametrize(
    ("orient", "options", "note"),
    [
        ("fixed", {"InverseMethod": "gls"}, "the signs of the rows of glsp are arbitrary"),
        ("free", {"InverseMethod": "lcmv"}, "the bases of the three rows of lcmvp are arbitrary"),
        ("loose", {"InverseMeasure": "sloreta"}, "rows of sloreta are along the normal and two"),
    ],
)
def test_rows_that_depend_on_a_choice_are_noted(orient, options, note):
    (found,) = Kernel.from_result(_result(orient, **options), name="ours").notes
    assert found.startswith("ours: ")
    assert note in found


def test_results_that_are_no_one_kernel():
    with pytest.raises(ComparisonError, match=r"mixed head model or of several \(unnamed \(fixed"):
        Kernel.from_result(_result(("fixed", "free")))
    with pytest.raises(ComparisonError, match="has no channel names, by which kernels are aligned"):
        Kernel.from_result(_result(names=None))
