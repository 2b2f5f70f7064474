"""What is read once, and how much of it is kept."""

from __future__ import annotations

import os
import threading

import numpy as np
import pytest
import scipy.sparse

from mne_bstinv.workflow.store import Read, Store, file_stamp


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
    store, made = Store(max_bytes=60), []  # beside the largest

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


@pytest.mark.parametrize("size", [90, 1000])
def test_the_largest_stays_while_others_are_made(size):
    store, made = Store(max_bytes=100), []

    def make(name, size):
        return store.make(name, lambda: made.append(name) or np.zeros(size, dtype=np.uint8))

    for number in range(5):  # a head model, the channels, and a kernel each that needs both
        make("head model", size)
        make("channels", 10)
        make(number, 80)
    assert made == ["head model", "channels", *range(5)]


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
    store = Store(max_bytes=2 * 80)  # beside the largest
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


@pytest.fixture
def expecting(tmp_path):
    """A store that knows files by content, two files, and what was read of them."""
    files = [tmp_path / "a", tmp_path / "b"]
    for file in files:
        file.write_bytes(b"1234")
    read = []

    def reader(file):
        read.append((file.name, threading.current_thread().name))
        return np.frombuffer(file.read_bytes(), np.uint8)

    def make(max_bytes=1000):
        return Store(max_bytes, lambda file: file.read_bytes()), reader, files, read

    return make


def read_ahead(store, reads):
    """Let a store expect files until its thread has gone through them."""
    store.expect(reads)
    for _, future in list(store._ahead._coming.values()):
        future.result(10)


def test_what_is_expected_is_read_by_a_thread_and_given(expecting):
    store, reader, (a, _), read = expecting()
    read_ahead(store, [Read(reader, a)])
    np.testing.assert_array_equal(store.read(reader, a), [49, 50, 51, 52])
    assert store.read(reader, a) is store.read(reader, a)
    ((_, thread),) = read
    assert thread.startswith("mne_bstinv_ahead")
    store.clear()


def test_copies_are_read_once_and_the_unwanted_never(expecting):
    store, reader, (a, b), read = expecting()
    read_ahead(store, [Read(reader, a), Read(reader, b)])
    store.read(reader, a)
    assert store.read(reader, b) is store.read(reader, a)
    assert len(read) == 1
    store.clear()
    read.clear()
    read_ahead(store, [Read(reader, a, lambda: False)])
    assert not read
    store.clear()


def test_no_more_is_read_ahead_than_is_kept(expecting):
    store, reader, (a, b), read = expecting(max_bytes=7)
    b.write_bytes(b"5678")
    read_ahead(store, [Read(reader, a), Read(reader, b)])
    assert [name for name, _ in read] == ["a"]
    store.read(reader, b)
    assert read[-1] == ("b", threading.current_thread().name)
    store.clear()


def test_a_file_that_changes_while_it_is_read_ahead_is_read_again(expecting):
    store, reader, (a, _), read = expecting()

    def changing(file):
        found = reader(file)
        if len(read) == 1:
            file.write_bytes(b"another")
        return found

    read_ahead(store, [Read(changing, a)])
    assert store.read(changing, a).tobytes() == b"another"
    assert len(read) == 2
    store.clear()


def test_what_cannot_be_read_ahead_is_told_by_who_asks(expecting, tmp_path):
    store, reader, _, _ = expecting()
    missing = tmp_path / "missing"
    read_ahead(store, [Read(reader, missing)])
    with pytest.raises(FileNotFoundError):
        store.read(reader, missing)
    store.clear()
