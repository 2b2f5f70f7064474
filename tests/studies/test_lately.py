"""Structures of the files that were read last."""

from __future__ import annotations

import pytest

from mne_bstinv.studies.lately import Lately


@pytest.fixture
def files(tmp_path):
    named = {name: tmp_path / name for name in ("a", "copy", "same_size", "other")}
    contents = {"a": b"1234", "copy": b"1234", "same_size": b"1235", "other": b"0"}
    for name, file in named.items():
        file.write_bytes(contents[name])
    return named


def test_copies_are_read_once(files):
    read = []
    lately = Lately(lambda file: read.append(file) or [file], 1)
    first = lately(files["a"])
    assert files["copy"] in lately
    assert files["same_size"] not in lately
    assert lately(files["copy"]) is lately(files["a"]) is first
    assert read == [files["a"]]
    lately(files["same_size"])
    assert read == [files["a"], files["same_size"]]
    assert files["a"] not in lately


def test_the_last_are_kept(files):
    lately = Lately(lambda file: [file], 2)
    first = lately(files["a"])
    lately(files["other"])
    assert lately(files["copy"]) is first
    lately(files["same_size"])
    assert files["other"] not in lately
    assert lately(files["a"]) is first


def test_what_fails_fails_for_each_copy(files):
    def reader(file):
        raise ValueError(file.name)

    lately = Lately(reader, 1)
    for name in ("a", "copy"):
        with pytest.raises(ValueError, match=f"^{name}$"):
            lately(files[name])


def test_a_file_that_is_gone_is_no_copy(files):
    lately = Lately(lambda file: file.read_bytes(), 1)
    lately(files["a"])
    files["a"].unlink()
    assert lately(files["copy"]) == b"1234"
    assert files["a"] not in lately
