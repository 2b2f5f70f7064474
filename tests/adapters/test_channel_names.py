"""Names of channels that two files spell differently."""

from __future__ import annotations

import pytest

from mne_bstinv.adapters.channel_names import is_available, match_channel_names
from mne_bstinv.errors import ConversionError

AVAILABLE = ["MEG 0113", "MEG 0112", "Fz", "MLC11-1609", "MLC12-1609", "EEG-2"]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ([], []),
        (["Fz", "MEG 0113"], [2, 0]),
        (["MEG0112", "meg0113"], [1, 0]),
        (["FZ"], [2]),
        (["MLC12", "MLC11-4711", "mlc11 - 1609"][:2], [4, 3]),
        (["mlc11 - 1609"], [3]),
    ],
)
def test_matched_by_rule(names: list[str], expected: list[int]) -> None:
    found = match_channel_names(names, AVAILABLE)
    assert found.tolist() == expected
    assert found.dtype.kind == "i"


def test_exact_name_decides_first() -> None:
    assert match_channel_names(["a", "A"], ["A", "a"]).tolist() == [1, 0]


def test_suffix_counts_only_where_nothing_else_does() -> None:
    assert match_channel_names(["E-1", "E-2"], ["E-2", "E-1"]).tolist() == [1, 0]


def test_missing_names_are_listed() -> None:
    with pytest.raises(ConversionError, match=r"not found: Cz, Pz\. 6 names are available"):
        match_channel_names(["Cz", "Fz", "Pz"], AVAILABLE)


def test_ambiguous_names_are_listed() -> None:
    with pytest.raises(ConversionError, match=r"ambiguous: MLC11 \(MLC11-1, MLC11-2\)"):
        match_channel_names(["MLC11"], ["MLC11-1", "MLC11-2"])


def test_two_names_do_not_share_a_channel() -> None:
    with pytest.raises(ConversionError, match=r"ambiguous: FZ, fz \(all Fz\)"):
        match_channel_names(["FZ", "fz"], ["Fz"])


def test_a_dash_is_no_suffix_without_a_number() -> None:
    with pytest.raises(ConversionError, match="not found: EEG"):
        match_channel_names(["EEG"], ["EEG-left", "-2"])


@pytest.mark.parametrize("name", ["MEG 0113", "meg0113", "MLC11-2908"])
def test_available_by_the_same_rules(name):
    available = ("MEG 0113", "MLC11")
    assert is_available(name, available)
    assert not is_available(f"{name}x", available)
