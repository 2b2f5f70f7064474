"""Kernels are put into one order, and everything that does not match is said at once."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from helpers_kernels import complete, kernel, line

from mne_bstinv.compare import align_kernels, compare_kernels
from mne_bstinv.compare.alignment import match_names
from mne_bstinv.errors import ComparisonError

N, M = 12, 7


@pytest.mark.parametrize("p", [1, 3])
def test_other_order_of_channels_and_locations(p):
    rng = np.random.default_rng(1)
    a = complete(rng, p, M, N, locations=np.arange(M) * 10)
    b = a.select(channels=rng.permutation(N), locations=rng.permutation(M))
    aligned = align_kernels(a, b)
    assert aligned.a is a
    for field in ("matrix", "locations", "positions", "normals", "gain", "whitener"):
        np.testing.assert_array_equal(getattr(aligned.b, field), getattr(a, field))
    assert aligned.b.channel_names == a.channel_names
    assert aligned.n_left_out == 0
    assert aligned.notes == (
        "The channels of A were put in the order of A",
        "The locations of A were put in the order of A",
    )


def test_the_same_order_is_no_note():
    a = complete(np.random.default_rng(2))
    aligned = align_kernels(a, a)
    assert (aligned.a, aligned.b, aligned.notes) == (a, a, ())
    assert repr(aligned) == (
        "<Alignment | A and A, 7 locations, 12 channels, 0 left out, 0 note(s)>"
    )


def test_other_spelling_of_channels():
    a = kernel([[1.0, 2.0, 3.0]], channel_names=["MEG 0113", "EEG001", "Cz"])
    b = kernel([[3.0, 1.0, 2.0]], channel_names=["CZ", "MEG0113", "eeg 001"], name="B")
    aligned = align_kernels(a, b)
    np.testing.assert_array_equal(aligned.b.matrix, a.matrix)
    assert aligned.notes[0] == (
        "3 channel(s) are spelled differently: 'MEG 0113' = 'MEG0113', 'EEG001' = 'eeg 001', "
        "'Cz' = 'CZ'"
    )


def test_exact_names_come_first():
    assert match_names(["Cz", "CZ"], ["CZ", "Cz"]).tolist() == [1, 0]
    assert match_names(["cz", "CZ"], ["CZ", "C Z"]).tolist() == [1, 0]


def test_ambiguous_spellings_do_not_match():
    assert match_names(["cz"], ["CZ", "Cz"]).tolist() == [-1]
    assert match_names(["CZ", "Cz"], ["cz"]).tolist() == [-1, -1]


def test_everything_that_does_not_match_is_one_error():
    a = kernel(np.ones((M, N)))
    b = kernel(
        np.ones((3 * M, N)),
        3,
        name="B",
        channel_names=[f"D{i}" for i in range(N - 1)] + ["C0"],
        locations=np.arange(M) + 2,
    )
    with pytest.raises(ComparisonError) as caught:
        align_kernels(a, b)
    assert str(caught.value).splitlines() == [
        "Kernels 'A' and 'B' cannot be compared:",
        "  - A has 1 component(s) a location, B 3.",
        "  - 11 channel(s) of A are missing in B: C1, C2, C3, C4, C5, C6, C7, C8, C9, C10 and 1 "
        "more.",
        "  - 11 channel(s) of B are missing in A: D0, D1, D2, D3, D4, D5, D6, D7, D8, D9 and 1 "
        "more.",
        "  - 2 location(s) (0-based ids) of A are missing in B: 0, 1.",
        "  - 2 location(s) (0-based ids) of B are missing in A: 7, 8.",
        "Give both with the same channels and locations (Kernel.select takes some of them).",
    ]


@pytest.mark.parametrize("swapped", [False, True])
def test_locations_of_one_side_only(swapped):
    a = kernel(np.ones((M, N)))
    b = a.select(channels=np.arange(N), locations=np.arange(M - 1))
    with pytest.raises(ComparisonError, match=r"1 location\(s\) .* are missing in A: 6\."):
        align_kernels(*((b, a) if swapped else (a, b)))


def test_locations_by_position():
    rng = np.random.default_rng(3)
    a = complete(rng, 3, M, N, positions=line(M))
    order = rng.permutation(M)
    b = a.select(channels=np.arange(N), locations=order)
    moved = b.positions + 0.9e-6 * np.array([0, 1, 0])
    b = kernel(b.matrix, 3, positions=moved, locations=np.arange(100, 100 + M), name="B")
    aligned = align_kernels(a, b)
    np.testing.assert_array_equal(aligned.b.matrix, a.matrix)
    assert aligned.b.locations.tolist() == (100 + np.argsort(order)).tolist()
    assert aligned.notes == (
        "The ids of the locations of A and B have nothing in common: locations were matched by "
        "position, to within 1e-06 m",
        "The locations of B were put in the order of A",
    )


def test_positions_that_are_too_far_or_taken():
    a = kernel(np.ones((3, N)), positions=line(3))
    far = line(3) + np.array([[0, 0, 0], [0, 1.1e-6, 0], [0, 0, 0]])
    b = kernel(np.ones((3, N)), positions=far, locations=[7, 8, 9], name="B")
    with pytest.raises(ComparisonError, match=r"matched by position\) of A are missing in B: 1\."):
        align_kernels(a, b)
    twice = line(3)[[0, 0, 2]] + np.array([[0, 0, 0], [0, 1e-7, 0], [0, 0, 0]])
    b = kernel(np.ones((3, N)), positions=twice, locations=[7, 8, 9], name="B")
    with pytest.raises(ComparisonError, match=r"matched by position\) of B are missing in A: 8\."):
        align_kernels(a, b)


def test_a_position_is_taken_once():
    # two locations of A are next to the first of B, and the second of B is next to none
    a = kernel(np.ones((2, N)), positions=[[0, 0, 0], [0, 5e-7, 0]])
    b = kernel(np.ones((2, N)), positions=line(2), locations=[7, 8], name="B")
    with pytest.raises(ComparisonError) as caught:
        align_kernels(a, b)
    assert "of A are missing in B: 1." in str(caught.value)
    assert "of B are missing in A: 8." in str(caught.value)


def test_ids_without_positions_are_not_guessed():
    a = kernel(np.ones((3, N)), positions=line(3))
    b = kernel(np.ones((3, N)), locations=[7, 8, 9], name="B")
    with pytest.raises(ComparisonError, match=r"3 location\(s\) \(0-based ids\) of A .*: 0, 1, 2"):
        align_kernels(a, b)


def test_positions_in_another_frame_are_noted():
    a = kernel(np.ones((3, N)), positions=line(3))
    b = kernel(np.ones((3, N)), positions=line(3) + np.array([0, 0.004, 0.003]), name="B")
    assert align_kernels(a, b).notes == (
        "Positions of the same locations differ by up to 5 mm, as in another frame: distances are "
        "those between the positions of B",
    )


@pytest.mark.parametrize("p", [1, 3])
def test_nan_locations_are_left_out_and_counted(p):
    rng = np.random.default_rng(4)
    a, b = (complete(rng, p, M, N, name=name) for name in "AB")
    matrices = [a.matrix.copy(), b.matrix.copy()]
    matrices[0][[0, p * 3]] = np.nan
    matrices[1][p * 3 + p - 1, 2] = np.nan  # one number is enough
    matrices[1][p * 5] = np.nan
    a, b = (
        kernel(m, p, gain=k.gain, positions=line(M), name=k.name)
        for m, k in zip(matrices, (a, b), strict=True)
    )
    aligned = align_kernels(a, b)
    assert aligned.n_left_out == 3
    assert aligned.a.locations.tolist() == aligned.b.locations.tolist() == [1, 2, 4, 6]
    assert np.isfinite(aligned.a.matrix).all()
    assert aligned.a.gain.shape == (N, 4 * p)
    assert aligned.notes == ("3 location(s) were left out: A is NaN at 2, B at 2",)


def test_no_location_left():
    a = kernel([[np.nan, 1.0], [1.0, 1.0]])
    b = kernel([[1.0, 1.0], [1.0, np.nan]], name="B")
    with pytest.raises(ComparisonError, match=r"No location is left .* NaN at 1, B at 1 of 2"):
        align_kernels(a, b)


def test_notes_of_the_kernels_come_along():
    a = kernel(np.eye(2), notes=("first",))
    b = kernel(np.eye(2), notes=("second",))
    assert align_kernels(a, b).notes == ("first", "second")


def test_other_positions_of_the_same_ids_are_refused():
    a = complete(np.random.default_rng(10))
    b = replace(a, positions=a.positions + np.linspace(0, 1e-2, M)[:, None] ** 2, name="B")
    with pytest.raises(ComparisonError, match=r"of the same id are at other positions \(up to 0.1"):
        align_kernels(a, b)
    with pytest.raises(ComparisonError, match="another unit than m"):
        align_kernels(a, replace(a, positions=1e3 * a.positions, name="B"))


def test_a_location_that_is_nan_in_one_kernel_only_is_no_agreement():
    a = complete(np.random.default_rng(11), 1)
    matrix = np.array(a.matrix)
    matrix[2] = np.nan
    b = replace(a, matrix=matrix, name="B")
    assert align_kernels(a, b).n_one_sided == 1
    assert align_kernels(b, b).n_one_sided == 0
    comparison = compare_kernels(a, b)
    assert not comparison.passed
    assert comparison.mismatches == ("1 location(s) are NaN in one kernel only",)
    assert comparison.to_dict()["mismatches"] == list(comparison.mismatches)
    assert compare_kernels(b, b).passed


def test_kernels_of_the_same_name_are_told_apart():
    a = complete(np.random.default_rng(12))
    assert compare_kernels(a, a).names == ("A (A)", "A (B)")
    with pytest.raises(ComparisonError, match=r"must be a number from 0 to 0\.5"):
        compare_kernels(a, a, rtol="x")
