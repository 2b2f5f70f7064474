"""Every file of every protocol: read, written, read again, by an independent reader too."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.io
from helpers_mat73 import twin_73
from io_helpers import differences, mat_files, shapes
from scipy.sparse import issparse

from mne_bstinv import io
from mne_bstinv.errors import SchemaError

PROTOCOLS = ("eeg_shared", "eeg_surface", "eeg_volume", "meg_eeg", "mixed")

#: Fields that files of some kinds lack and that are written as empty.
MAY_BE_ADDED = {"FourthMoment", "nSamples", "Clusters", "History", "IntraElectrodes", "MegRefCoef",
                "Projector", "TransfEeg", "TransfEegLabels", "TransfMeg", "TransfMegLabels",
                "Color"}  # fmt: skip


#: Holds a function handle, which no one but MATLAB can write.
UNWRITABLE = {"channel_ANT_Waveguard_32.mat"}


def check_round_trip(folder: Path, tmp_path: Path) -> int:
    return check_round_trips(mat_files(folder), tmp_path)


def check_round_trips(files: Iterable[tuple[Path, Any, Any]], tmp_path: Path) -> int:
    count = 0
    for file, read, write in files:
        if file.name in UNWRITABLE:
            continue
        first = read(file)
        copy = tmp_path / file.name
        write(copy, first, overwrite=True)
        assert differences(first, read(copy)) == [], file
        before, after = (_without_empty_classes(shapes(one)) for one in (file, copy))
        assert set(after) - set(before) <= MAY_BE_ADDED
        assert {name: after[name] for name in before} == before, file
        assert repr(first).startswith(f"<{type(first).__name__} | ")
        count += 1
    return count


def _without_empty_classes(found: dict) -> dict:
    """An array of 0 × 0 is MATLAB's "nothing", of whatever class."""
    return {name: value if value[0] != (0, 0) else (0, 0) for name, value in found.items()}


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_round_trip(data_dir, tmp_path, protocol):
    assert check_round_trip(data_dir / protocol, tmp_path) > 10


def test_round_trip_sample(sample_dir, tmp_path):
    assert check_round_trip(sample_dir, tmp_path) == 18


@pytest.mark.parametrize("folder", ["real", "oracle/local"])
def test_round_trip_third_party(shared_dir, tmp_path, folder):
    assert check_round_trips(differently_named(shared_dir / folder), tmp_path) >= 13


def differently_named(folder: Path) -> Iterator[tuple[Path, Any, Any]]:
    """One of the files of a folder whose names differ by their numbers alone."""
    seen = set()
    for file, read, write in mat_files(folder):
        key = file.parent, re.sub(r"\d+", "", file.name)
        if key not in seen:
            seen.add(key)
            yield file, read, write


def one_of_each_kind(folder: Path):
    seen = {}
    for file, read, write in mat_files(folder):
        seen.setdefault(file.name[:8], (file, read, write))
    return list(seen.values())


@pytest.mark.parametrize("protocol", ["eeg_shared", "mixed", "meg_eeg"])
def test_v73_twin_is_equal(data_dir, tmp_path, protocol):
    for file, read, _ in one_of_each_kind(data_dir / protocol):
        twin = tmp_path / f"73_{file.name}"
        twin_73(file, twin)
        assert b"MATLAB 7.3" in twin.read_bytes()[:128]
        assert differences(read(file), read(twin)) == [], file


def test_v73_twin_of_third_party(shared_dir, tmp_path):
    names = ("tess_head", "channel_vectorview306_acc1", "channel_ctf_default")
    for file, read, _ in mat_files(shared_dir / "real"):
        if file.stem not in names:
            continue
        twin = tmp_path / file.name
        twin_73(file, twin)
        assert differences(read(file), read(twin)) == [], file


def test_v6_and_v7_are_equal(data_dir, tmp_path):
    for file, read, _ in one_of_each_kind(data_dir / "meg_eeg"):
        content = scipy.io.loadmat(file, mat_dtype=True)
        content = {name: value for name, value in content.items() if not name.startswith("__")}
        for name, compressed in (("v6.mat", False), ("v7.mat", True)):
            scipy.io.savemat(tmp_path / name, content, do_compression=compressed)
        v6, v7 = read(tmp_path / "v6.mat"), read(tmp_path / "v7.mat")
        assert differences(v6, v7) == []
        assert differences(read(file), v7) == []


def nested_shapes(value, place="", depth=0):
    """Return class and shape of everything inside a value of scipy.io.loadmat."""
    kind = "sparse" if issparse(value) else value.dtype.kind
    found = {place: (kind, value.shape)}
    for index, item in np.ndenumerate(value) if kind in "OV" else ():
        for name in value.dtype.names or [""]:
            inner = item[name] if name else item
            found |= nested_shapes(inner, f"{place}{index}.{name}", depth + 1)
    return found


@pytest.mark.parametrize("name", ["eeg_surface", "mixed", "eeg_shared"])
def test_nested_classes_by_an_independent_reader(data_dir, tmp_path, name):
    """Options, channels, atlases: every nested value has Brainstorm's class and shape."""
    for file, read, write in mat_files(data_dir / name):
        write(tmp_path / "copy.mat", read(file), overwrite=True)
        copy, original = (scipy.io.loadmat(path) for path in (tmp_path / "copy.mat", file))
        for variable, value in original.items():
            if not variable.startswith("__"):
                assert nested_shapes(copy[variable]) == nested_shapes(value), (file, variable)


OCTAVE = """
c = load('channel.mat'); h = load('headmodel.mat'); r = load('results.mat');
s = load('surface.mat'); d = load('data.mat'); t = load('study.mat');
printf('%s ', class(c.Channel), class(c.Channel(1).Weight), class(c.Channel(1).Group), ...
  class(c.TransfMeg), class(c.HeadPoints.Label), class(h.Gain), class(h.History), ...
  class(r.Options), class(r.Options.SourceOrient), class(r.Options.NoiseCovMat.History), ...
  class(r.GoodChannel), class(d.ChannelFlag), class(d.Events), class(s.Faces), ...
  class(s.Curvature), class(t.BadTrials), class(r.DataFile));
printf('\\n');
printf('%d ', size(c.Channel), size(c.Channel(1).Loc), size(h.Gain), size(h.History), ...
  size(d.Time), size(d.ChannelFlag), size(r.GoodChannel), size(s.Atlas), size(t.BadTrials), ...
  size(d.Events), issparse(s.VertConn), size(r.Options.SourceOrient), size(h.Param), ...
  size(h.Param(1).Center), size(s.Atlas(1).Scouts));
printf('\\n%s\\n', r.Options.SourceOrient{1});
"""


@pytest.mark.skipif(shutil.which("octave") is None, reason="octave is not installed")
def test_octave_reads_what_is_written(sample_dir, tmp_path):
    folder, anat = sample_dir / "data" / "Subject01" / "evoked", sample_dir / "anat" / "Subject01"
    (results,) = folder.glob("results_MN_EEG_KERNEL*.mat")
    (head_model,) = folder.glob("headmodel*.mat")
    (channel,) = folder.glob("channel*.mat")
    io.write_channels(tmp_path / "channel.mat", io.read_channels(channel))
    io.write_head_model(tmp_path / "headmodel.mat", io.read_head_model(head_model))
    io.write_results(tmp_path / "results.mat", io.read_results(results))
    data = io.read_recordings(folder / "data_average_240101_1200.mat")
    io.write_recordings(tmp_path / "data.mat", data)
    surface = io.read_surface(anat / "tess_cortex_pial_low_296V.mat")
    io.write_surface(tmp_path / "surface.mat", surface)
    io.write_study(tmp_path / "study.mat", io.Study(name="x", bad_trials=("a.mat", "b.mat")))
    run = subprocess.run(["octave", "-qfW", "--eval", OCTAVE], cwd=tmp_path,
                         capture_output=True, text=True, check=False)  # fmt: skip
    classes, sizes, orient = run.stdout.strip().splitlines()
    assert classes.split() == ["struct", "double", "double", "cell", "cell", "double", "cell",
                               "struct", "cell", "cell", "double", "double", "struct", "double",
                               "single", "cell", "char"]  # fmt: skip
    assert [int(size) for size in sizes.split()] == [
        *(1, 135), *(3, 4), *(135, 888), *(1, 3), *(1, 100), *(135, 1), *(1, 63), *(1, 2), *(2, 1),
        *(0, 0), 1, *(1, 1), *(1, 135), *(3, 1), *(1, 5),
    ]  # fmt: skip
    assert orient == "free"


def test_a_file_of_another_kind_is_recognised(sample_dir):
    folder = sample_dir / "data" / "Subject01" / "evoked"
    noise_cov = next(folder.glob("noisecov*.mat"))
    words = "by its NoiseCov it looks like a noise or data covariance: use read_noise_cov"
    for reader in (io.read_head_model, io.read_channels, io.read_results, io.read_recordings):
        with pytest.raises(SchemaError, match=words):
            reader(noise_cov)
    for name, reader, words in (
        ("headmodel*", "read_head_model", "Gain it looks like a head model"),
        ("channel*", "read_channels", "Channel it looks like a channel file"),
        ("results*", "read_results", "ImagingKernel it looks like a results file"),
        ("data_*", "read_recordings", "ChannelFlag and F it looks like a recordings file"),
    ):
        with pytest.raises(SchemaError, match=rf"by its {words}: use {reader}"):
            io.read_noise_cov(next(folder.glob(f"{name}.mat")))
    for name, words in (("tess_cortex*", "Faces and Vertices .* surface"), ("subject*", "Cube .*")):
        with pytest.raises(SchemaError, match=f"by its {words}"):
            io.read_noise_cov(next((sample_dir / "anat" / "Subject01").glob(f"{name}.mat")))


def test_a_file_of_its_own_kind_is_taken_for_no_other(tmp_path):
    scipy.io.savemat(tmp_path / "headmodel_x.mat", {"Gain": np.ones((2, 3)), "NoiseCov": 1.0})
    with pytest.raises(SchemaError, match="GridLoc: is missing, but required") as error:
        io.read_head_model(tmp_path / "headmodel_x.mat")
    assert "looks like" not in str(error.value)
