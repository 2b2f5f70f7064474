"""Trees and heaps of HDF5 that lead back to themselves: HDF5 would never return, or crash."""

from __future__ import annotations

import os
import re
import struct

import h5py
import numpy as np
import pytest
from child_reader import ChildReader
from helpers_mat73 import save_73

from mne_bstinv.errors import MatFileError
from mne_bstinv.io import mat

BASE = 512
#: Bytes of the head of a node, and of the keys of both kinds of trees.
HEAD, KEYS = 24, {0: 8, 1: 32}


@pytest.fixture(scope="module")
def intact(tmp_path_factory) -> bytes:
    """A struct of many fields and an array of many chunks: trees of two levels."""
    file = tmp_path_factory.mktemp("intact") / "a.mat"
    save_73(file, {"good": np.eye(2)})
    with h5py.File(file, "r+") as opened:
        group = opened.create_group("many")
        group.attrs["MATLAB_class"] = np.bytes_("struct")
        for index in range(400):
            group[f"x{index}"] = opened["good"]
        data = opened.create_dataset("chunks", data=np.ones((4000, 1)), chunks=(8, 1))
        data.attrs["MATLAB_class"] = np.bytes_("double")
    return file.read_bytes()


@pytest.fixture(scope="module")
def child():
    if os.name == "nt":
        pytest.skip("waiting for a pipe needs POSIX")
    with ChildReader(limit=20) as reader:
        yield reader


def nodes(data: bytes, kind: int, level: int) -> list[int]:
    found = [p for p in range(BASE, len(data), 8) if data[p : p + 4] == b"TREE"]
    return [p for p in found if data[p + 4 : p + 6] == bytes([kind, level])]


def with_address(data: bytes, place: int, address: int) -> bytes:
    return data[:place] + struct.pack("<Q", address - BASE) + data[place + 8 :]


def neighbour_of_itself(data, kind, level):
    node = nodes(data, kind, level)[-1]
    return with_address(data, node + 16, node)


def neighbour_before_it(data, kind, level):
    node, *_, last = nodes(data, kind, level)
    return with_address(data, last + 16, node)


def inside_itself(data, kind, level):
    node = nodes(data, kind, level)[-1]
    return with_address(data, node + HEAD + KEYS[kind], node)


def twice_in_its_parent(data, kind, level):
    node = nodes(data, kind, level)[-1]
    child, step = node + HEAD + KEYS[kind], KEYS[kind] + 8
    return data[: child + step] + data[child : child + 8] + data[child + step + 8 :]


def free_space_of_itself(data, heap, _):
    place = [p for p in range(BASE, len(data), 8) if data[p : p + 4] == b"HEAP"][heap]
    free, segment = struct.unpack_from("<QQ", data, place + 16)
    place = BASE + segment + free
    return data[:place] + struct.pack("<Q", free) + data[place + 8 :]


@pytest.mark.parametrize(
    ("damage", "which", "level", "words"),
    [
        (neighbour_of_itself, 0, 0, "other neighbours"),
        (neighbour_before_it, 0, 0, "other neighbours"),
        (neighbour_of_itself, 0, 1, "other neighbours"),
        (neighbour_of_itself, 1, 1, "other neighbours"),
        (inside_itself, 0, 1, "a tree"),
        (inside_itself, 1, 1, "a tree"),
        (twice_in_its_parent, 0, 1, "two parents"),
        (twice_in_its_parent, 1, 1, "two parents"),
        (free_space_of_itself, 0, 0, "does not end"),
        (free_space_of_itself, 1, 0, "does not end"),
    ],
)
def test_what_leads_back_to_itself_is_refused(intact, child, tmp_path, damage, which, level, words):
    file = tmp_path / "a.mat"
    file.write_bytes(damage(intact, which, level))
    outcome = child.read("mat", file)
    assert outcome.state == "own error", outcome
    assert words in outcome.message


def test_the_same_without_damage(intact, tmp_path):
    file = tmp_path / "a.mat"
    file.write_bytes(intact)
    found = mat.read(file)
    assert len(found["many"].value) == 400
    assert found["chunks"].value.sum() == 4000


def test_a_newer_form_is_refused_by_name(tmp_path):
    with h5py.File(tmp_path / "a.mat", "w", libver="latest", userblock_size=512) as file:
        file["a"] = 1.0
    with (tmp_path / "a.mat").open("r+b") as raw:
        raw.write(b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM")
    for read in (mat.read, mat.names_in):
        message = f"{tmp_path / 'a.mat'}: a form of HDF5 that MATLAB does not write. Save it anew"
        with pytest.raises(MatFileError, match=f"^{re.escape(message)}"):
            read(tmp_path / "a.mat")
