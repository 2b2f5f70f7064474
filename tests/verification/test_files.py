"""Files of many conditions: what is done for each must not grow with their number."""

from __future__ import annotations

import dataclasses
import errno
import os
import shutil
from collections import Counter
from pathlib import Path

import pytest
from small_sample import SMALL_SAMPLE

from mne_bstinv import io
from mne_bstinv.errors import OptionError
from mne_bstinv.inverse import selection
from mne_bstinv.io import mat
from mne_bstinv.studies import files as studies_files
from mne_bstinv.verification import find_results, verify


@pytest.fixture
def protocol(tmp_path):
    """The sample with more conditions."""

    def made(n_conditions: int) -> Path:
        root = shutil.copytree(SMALL_SAMPLE, tmp_path / str(n_conditions))
        for k in range(n_conditions - 1):
            folder = root / "data" / "Subject01"
            shutil.copytree(folder / "evoked", folder / f"again{k}")
        return root

    return made


def test_time_grows_with_the_number_of_results(protocol, monkeypatch):
    """Files that are read and paths that are resolved, counted: seconds depend on the machine."""
    calls = Counter[str]()

    def counted(owner, name):
        original = getattr(owner, name)

        def count(*args, **kwargs):
            calls[name] += 1
            return original(*args, **kwargs)

        monkeypatch.setattr(owner, name, count)

    counted(mat, "read")
    counted(Path, "resolve")
    counted(studies_files.io, "read_protocol")
    per_result = []
    for n_conditions in (1, 5):
        calls.clear()
        outcomes = list(verify(protocol(n_conditions)))
        assert {o.status for o in outcomes} == {"equal"}
        assert len(outcomes) == 4 * n_conditions
        assert calls.pop("read_protocol") == 1
        per_result.append({name: n / len(outcomes) for name, n in calls.items()})
    few, many = per_result
    assert all(many[name] <= few[name] for name in few), per_result


def test_two_processes_find_the_same_in_the_same_order(protocol):
    root = protocol(3)
    alone, shared = (list(verify(root, n_jobs=n)) for n in (1, 2))
    assert [o.to_dict() for o in shared] == [o.to_dict() for o in alone]
    assert len(alone) == 12


def test_the_number_of_processes_is_checked(protocol):
    with pytest.raises(OptionError, match=r"n_jobs must be a positive number .* found 0"):
        list(verify(protocol(1), n_jobs=0))


@pytest.mark.parametrize("rtol", ["1e-9", None, -1, float("nan"), True, 2])
def test_a_tolerance_that_is_none_is_refused_before_files_are_judged_by_it(protocol, rtol):
    with pytest.raises(OptionError, match=r"rtol must be a number from 0 to 0\.5, found"):
        next(verify(protocol(1), rtol=rtol))


def test_files_may_be_given_by_their_names(protocol):
    files = find_results(protocol(1))[:2]
    named, given = (list(verify(some)) for some in ([str(file) for file in files], files))
    assert [(one.file, one.status) for one in named] == [(one.file, one.status) for one in given]


def test_results_are_read_once(protocol, monkeypatch):
    read = Counter[str]()
    original = io.read_results

    def count(file):
        read[Path(file).name] += 1
        return original(file)

    monkeypatch.setattr(io, "read_results", count)
    assert len(list(verify(protocol(1)))) == len(read) == 4
    assert set(read.values()) == {1}


@pytest.mark.parametrize("copies", [True, False])
def test_a_gain_is_projected_once_for_all_results_of_the_same_channels(
    protocol, monkeypatch, copies
):
    root, projected = protocol(2), []
    for file in [] if copies else list(root.glob("data/*/again0/channel_*")):
        channels = dataclasses.replace(io.read_channels(file), comment="another")
        io.write_channels(file, channels, overwrite=True)
    original = selection.project_gain

    def count(gain, good, *args):
        projected.append(good.tobytes())
        return original(gain, good, *args)

    monkeypatch.setattr(selection, "project_gain", count)
    outcomes = list(verify(root))
    good = Counter((io.read_results(o.file).good_channel - 1).tobytes() for o in outcomes)
    assert Counter(projected) == dict.fromkeys(good, 1 if copies else 2)
    assert len(projected) < len(outcomes)


def test_a_folder_that_cannot_be_listed_is_an_error(protocol, monkeypatch):
    """Nothing in it is verified, which must not look like nothing wrong in it."""
    root, scan = protocol(2), os.scandir
    locked = root / "data" / "Subject01" / "again0"

    def scandir(path="."):
        if Path(path) == locked:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", scandir)
    monkeypatch.setattr(os, "listdir", lambda path: [entry.name for entry in scandir(path)])
    found = {outcome.file: outcome for outcome in verify(root)}
    assert found[locked].status == "error"
    assert found[locked].reason == (
        f"{locked}: cannot be listed: Permission denied. Check your rights there."
    )
    assert sum(o.status == "equal" for o in found.values()) == 4
    assert not any(o.failed for file, o in found.items() if file != locked)
