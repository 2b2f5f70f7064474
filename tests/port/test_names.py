"""Names that every file system takes, and that stay apart."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mne_bstinv.port.names import MAX_NAME, MAX_STEM, safe_name, safe_names, shortened

#: The portable file names of POSIX, without a leading dot or dash.
PORTABLE = re.compile(r"[A-Za-z0-9_+][A-Za-z0-9_+.-]*")


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("Subject01", "Subject01"),
        ("deviant (3)", "deviant_3"),
        ("@intra", "intra"),
        ("../../etc/passwd", "etc_passwd"),
        ("a/b\\c:d*e?f", "a_b_c_d_e_f"),
        ("Ménière", "Meniere"),
        ("trailing. ", "trailing"),
        ("con", "_con"),
        ("LPT1.old", "_LPT1.old"),
        ("console", "console"),
    ],
)
def test_safe_name(name, safe):
    assert safe_name(name) == safe


@given(st.text())
def test_any_text_has_a_portable_name(text):
    safe = safe_name(text)
    assert PORTABLE.fullmatch(safe)
    assert not safe.endswith(".")
    assert len(safe) <= MAX_NAME
    assert safe_name(text) == safe


@given(st.lists(st.text(max_size=5), unique=True, max_size=20))
def test_names_stay_apart_where_case_does_not_count(texts):
    safe = safe_names(texts, taken=["subjects"])
    assert list(safe) == texts
    folded = [name.casefold() for name in safe.values()]
    assert len(set(folded)) == len(texts)
    assert "subjects" not in folded


def test_colliding_names_do_not_depend_on_their_order():
    safe = safe_names(["a b", "A_b", "c"])
    assert safe == safe_names(["c", "A_b", "a b"])
    assert safe["c"] == "c"
    assert re.fullmatch(r"a_b_[0-9a-f]{8}", safe["a b"])
    assert re.fullmatch(r"A_b_[0-9a-f]{8}", safe["A_b"])


def test_a_taken_name_is_not_given():
    safe = safe_names(["Subjects"], taken=["subjects"])["Subjects"]
    assert re.fullmatch(r"Subjects_[0-9a-f]{8}", safe)


def test_long_stems_are_shortened_and_stay_apart():
    assert shortened("x" * MAX_STEM) == "x" * MAX_STEM
    first, second = shortened("x" * 300 + "1"), shortened("x" * 300 + "2")
    assert len(first) == len(second) == MAX_STEM
    assert first != second
