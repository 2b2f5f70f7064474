"""What is read once, and how much of it is kept."""

from __future__ import annotations

import os

import numpy as np
import scipy.sparse

from mne_bstinv.workflow.store import Store, file_stamp


def test_a_file_is_read_once_until_it_changes(tmp_path):
    file, calls = tmp_path / "x", []

    def reader(path):
        calls.append(path)
        return path.read_text()

    file.write_text("1")
    store = Store()
    assert [store.read(reader, file) for _ in range(3)] == ["1"] * 3
    assert len(calls) == 1
    file.write_text("12")
    assert store.read(reader, file) == "12"
    os.utime(file, (0, 0))
    assert store.read(reader, file) == "12"
    assert len(calls) == 3


def test_what_was_made_while_its_file_changed_is_not_kept(tmp_path):
    file, made = tmp_path / "x", []
    store = Store(identify=lambda path: path.read_text())

    def replaced_on_the_way(path):
        made.append(path.read_text())
        path.write_text("new")
        return path.read_text()

    def same(path):
        made.append(path.read_text())
        return path.read_text()

    same.__name__ = replaced_on_the_way.__name__
    file.write_text("old")
    assert store.read(replaced_on_the_way, file) == "new"
    file.write_text("old")  # another file of the content that it had
    assert store.read(same, file) == "old"
    file.write_text("new")
    assert [store.made_of([file, None], ("pair",), lambda: replaced_on_the_way(file)), *made] == [
        "new", "old", "old", "new"
    ]  # fmt: skip
    assert store.made_of([file, None], ("pair",), lambda: "made again") == "new"


def test_the_least_used_is_forgotten_beyond_the_limit():
    store, made = Store(max_bytes=100), []

    def maker(name, size):
        def make():
            made.append(name)
            return np.zeros(size, dtype=np.uint8)

        return make

    for name in ("a", "b", "a", "c"):  # 40 bytes each: b was not used for longest
        store.make(name, maker(name, 40))
    assert made == ["a", "b", "c"]
    store.make("a", maker("a", 40))
    store.make("b", maker("b", 40))
    assert made == ["a", "b", "c", "b"]
    store.make("large", maker("large", 1000))  # kept alone
    store.make("large", maker("large", 1000))
    assert made[-2:] == ["b", "large"]
    store.make("a", maker("a", 40))
    assert made[-1] == "a"


def test_what_is_too_large_is_kept_until_it_is_trimmed():
    store, made = Store(max_bytes=100), []
    for size in (1000, 10):
        for _ in range(2):
            store.make(size, lambda size=size: made.append(size) or np.zeros(size, dtype=np.uint8))
    assert made == [1000, 10]
    store.trim()  # the small one fits
    store.make(10, lambda: made.append(10))
    store.make(1000, lambda: made.append(1000) or np.zeros(1000, dtype=np.uint8))
    store.trim()
    store.make(1000, lambda: made.append(1000))
    assert made == [1000, 10, 1000, 1000]


def test_sizes_of_what_is_kept():
    store = Store(max_bytes=3 * 80)
    parts = [
        {"rr": np.zeros(10)}, [{"rr": np.zeros(10)}], scipy.sparse.csr_array(np.eye(10)),
    ]  # fmt: skip
    for number, part in enumerate(parts):
        store.make(number, lambda part=part: part)
    made = []
    for number in range(3):  # all fit, to the byte
        store.make(number, lambda: made.append("again"))
    assert made == []
    store.make("more", lambda: np.zeros(1))
    store.make(0, lambda: made.append("again"))
    assert made == ["again"]


def test_stamp_of_no_file(tmp_path):
    assert file_stamp(None) is None
    assert file_stamp(tmp_path / "none") is None
