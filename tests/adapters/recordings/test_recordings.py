"""Recordings to Evoked, Epochs and Raw, and back."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import mne
import numpy as np
import pytest
from info_helpers import ctf

from mne_bstinv import io
from mne_bstinv.adapters.recordings.events import ANNOTATIONS_HAVE_EXTRAS
from mne_bstinv.adapters.recordings.from_mne import from_epochs, from_evoked
from mne_bstinv.adapters.recordings.raw_writer import from_raw
from mne_bstinv.adapters.recordings.to_mne import to_annotations, to_epochs, to_evoked, to_raw_array
from mne_bstinv.adapters.sensors.to_mne import to_info
from mne_bstinv.conversion import conversion_report
from mne_bstinv.errors import ConversionError

Study = tuple[io.Recordings, io.Channels]


def channels_of(file: Path) -> io.Channels:
    folders = [file.parent, file.parent.parent / "@default_study"]
    found = [channel for folder in folders for channel in sorted(folder.glob("channel*.mat"))]
    return io.read_channels(found[0])


@pytest.fixture
def study(sample_dir: Path) -> Study:
    file = next(sample_dir.rglob("data_average_*.mat"))
    return io.read_recordings(file), channels_of(file)


@pytest.fixture
def trials(data_dir: Path) -> tuple[list[io.Recordings], io.Channels]:
    folder = data_dir / "eeg_surface/data/Subject01/noise"
    files = sorted(folder.glob("data_trial*.mat"))
    return [io.read_recordings(file) for file in files], channels_of(files[0])


def events() -> tuple[io.Event, ...]:
    return (
        io.Event(
            label="flash",
            color=np.array([1.0, 0, 0]),
            epochs=np.ones(3, dtype=np.int64),
            times=np.array([[-0.1, 0.0, 0.1004]]),
            notes=("", "late", ""),
        ),
        io.Event(label="BAD_jump", epochs=np.ones(1, int), times=np.array([[0.1], [0.2]])),
    )


def to_one_epoch(recordings: io.Recordings, channels: io.Channels) -> Any:
    return to_epochs([recordings], channels)


def from_one_epoch(epochs: Any) -> io.Recordings:
    (recordings,) = from_epochs(epochs)
    return recordings


WAYS = [
    pytest.param(to_evoked, from_evoked, id="evoked"),
    pytest.param(to_raw_array, from_raw, id="raw"),
    pytest.param(to_one_epoch, from_one_epoch, id="epochs"),
]


def assert_equal(after: Any, before: Any, name: str = "") -> None:
    """Two values are the same, bit by bit."""
    if isinstance(before, io.Recordings | io.Event):
        for field in dataclasses.fields(before):
            if field.init:
                name = field.name
                assert_equal(getattr(after, name), getattr(before, name), name)
    elif isinstance(before, np.ndarray):
        np.testing.assert_array_equal(after, before)
    elif isinstance(before, Mapping):
        assert_equal(tuple(after.values()), tuple(before.values()), name)
    elif isinstance(before, tuple):
        assert len(after) == len(before), name
        for one, other in zip(after, before, strict=True):
            assert_equal(one, other, name)
    else:
        assert after == before, name


def imported_files(folder: Path) -> list[Path]:
    """Recordings that hold samples: links to continuous files do not."""
    files = sorted(folder.rglob("data_*.mat"))
    return [file for file in files if not file.name.startswith("data_0raw_")]


def two_of_each_condition(files: list[Path]) -> list[Path]:
    """Of names that differ by their numbers alone: trials of the same channels and fields."""
    alike: dict[tuple[Path, str], list[Path]] = {}
    for file in files:
        alike.setdefault((file.parent, re.sub(r"\d+", "", file.name)), []).append(file)
    return [file for found in alike.values() for file in found[:2]]


@pytest.mark.parametrize(("there", "back"), WAYS)
def test_round_trip_of_every_protocol(
    data_dir: Path, there: Callable[..., Any], back: Callable[..., Any]
) -> None:
    files = two_of_each_condition(imported_files(data_dir))
    assert len(files) >= 20
    for file in files:
        recordings = io.read_recordings(file)
        assert_equal(back(there(recordings, channels_of(file))), recordings)


@pytest.mark.parametrize(("there", "back"), WAYS)
def test_round_trip_of_local_protocols(
    shared_dir: Path, there: Callable[..., Any], back: Callable[..., Any]
) -> None:
    files = imported_files(shared_dir / "oracle" / "local")
    assert len(files) >= 10
    for file in files:
        recordings = io.read_recordings(file)
        assert_equal(back(there(recordings, channels_of(file))), recordings)


@pytest.mark.parametrize(("there", "back"), WAYS)
def test_round_trip_of_all_fields(study: Study, there, back) -> None:
    recordings, channels = study
    full = dataclasses.replace(
        recordings,
        std=np.abs(recordings.f),
        events=events(),
        device="CTF",
        display_units="fT",
        n_avg=7,
        leff=6.5,
        extra={"Own": np.array([[3.0]])},
    )
    converted = there(full, channels)
    fields = " ".join(f.field for f in conversion_report(converted).of("dropped"))
    assert "MNE has no place for these of recordings" in str(conversion_report(converted))
    for name in ("Std", "DisplayUnits", "History", "Own", "Leff"):
        assert name in fields
    returned = back(converted)
    if back is from_one_epoch:  # Std is that of an average
        assert returned.std is None
        returned = dataclasses.replace(returned, std=full.std)
    assert_equal(returned, full)


def test_evoked_holds_what_the_file_does(study: Study) -> None:
    recordings, channels = study
    evoked = to_evoked(recordings, channels)
    assert evoked.ch_names == list(channels.names)
    np.testing.assert_array_equal(evoked.data, recordings.f)
    np.testing.assert_allclose(evoked.times, recordings.time, rtol=0, atol=1e-12)
    assert evoked.info["sfreq"] == 250.0
    flagged = np.flatnonzero(recordings.channel_flag < 0)
    assert evoked.info["bads"] == [channels.names[i] for i in flagged]
    assert (evoked.nave, evoked.comment) == (80, recordings.comment)
    assert evoked.baseline is None
    projs = [proj["desc"] for proj in to_info(channels, sfreq=250.0)["projs"]]
    assert projs
    for inst in (evoked, to_raw_array(recordings, channels), to_epochs([recordings], channels)):
        assert [proj["desc"] for proj in inst.info["projs"]] == projs
        assert not inst.proj
    assert evoked.data.dtype == np.float64
    evoked.data[:] = 0  # a copy
    assert recordings.f is not None
    assert recordings.f.any()


@pytest.mark.parametrize("shift", [0.0, 0.0013, 0.002])
def test_first_time_between_samples(study: Study, shift: float, tmp_path: Path) -> None:
    recordings, channels = study
    moved = dataclasses.replace(recordings, time=recordings.time + shift)
    evoked, epochs = to_evoked(moved, channels), to_epochs([moved], channels)
    for inst in (evoked, epochs):
        np.testing.assert_allclose(inst.times, moved.time, rtol=0, atol=1e-12)
    raw = to_raw_array(moved, channels)
    for inst in (raw, epochs):
        reported = any(f.field == "Time" for f in conversion_report(inst).of("dropped"))
        assert reported == (shift != 0)
    assert raw.first_time == pytest.approx(moved.time[0], abs=0.5001 / 250)
    np.testing.assert_array_equal(from_raw(raw).time, moved.time)
    # files keep the values in single precision
    evoked.save(tmp_path / "x-ave.fif")
    (read,) = mne.read_evokeds(tmp_path / "x-ave.fif", proj=False)
    np.testing.assert_allclose(read.times, moved.time, rtol=0, atol=1e-6)
    back = from_evoked(read)
    scale = np.abs(recordings.f).max(axis=1, keepdims=True)
    assert np.all(np.abs(back.f - recordings.f) <= 2**-23 * scale)
    np.testing.assert_array_equal(back.channel_flag, recordings.channel_flag)
    assert (back.n_avg, back.leff, back.comment) == (80, 80.0, recordings.comment)


def test_fractional_leff_is_reported(study: Study) -> None:
    recordings, channels = study
    evoked = to_evoked(dataclasses.replace(recordings, n_avg=7, leff=6.5), channels)
    assert evoked.nave == 7
    assert type(evoked.nave) is int
    assert any("6.5" in f.reason for f in conversion_report(evoked).of("dropped"))
    assert from_evoked(evoked).leff == 6.5
    evoked.nave = 9
    assert (from_evoked(evoked).n_avg, from_evoked(evoked).leff) == (9, 9.0)
    # a missing Leff means nAvg
    old = to_evoked(dataclasses.replace(recordings, leff=None), channels)
    assert not any(f.field == "Leff" for f in conversion_report(old))
    assert from_evoked(old).leff is None


def test_changed_evoked_takes_only_what_still_holds(study: Study) -> None:
    recordings, channels = study
    full = dataclasses.replace(recordings, std=np.abs(recordings.f), events=events())
    evoked = to_evoked(full, channels)
    changed = evoked.copy().crop(0.0, 0.1).apply_baseline((0.0, 0.02))
    changed.info["bads"] = [channels.names[1]]
    back = from_evoked(changed)
    np.testing.assert_array_equal(back.time, changed.times)
    np.testing.assert_array_equal(back.f, changed.data)
    assert back.std is None
    assert back.events == ()
    assert np.flatnonzero(back.channel_flag < 0).tolist() == [1]
    assert {f.field for f in conversion_report(back)} >= {"Std", "Events", "baseline"}
    assert back.device == recordings.device


def test_given_info_and_fewer_channels(study: Study) -> None:
    recordings, channels = study
    whole = to_info(channels, sfreq=250.0)
    picks = mne.pick_types(whole, meg=False, eeg=True)[::-1][:40]
    info = mne.pick_info(whole, picks)
    info["bads"] = [info["ch_names"][2]]
    evoked = to_evoked(recordings, channels, info=info)
    np.testing.assert_array_equal(evoked.data, recordings.f[picks])
    flags = recordings.channel_flag[picks]
    expected = [n for i, n in enumerate(info["ch_names"]) if i == 2 or flags[i] < 0]
    assert evoked.info["bads"] == expected
    assert info["bads"] == [info["ch_names"][2]]
    dropped = [f for f in conversion_report(evoked).of("dropped") if f.field == "F"]
    assert channels.names[0] in dropped[0].reason
    back = from_evoked(evoked)  # the rows of the channel file
    np.testing.assert_array_equal(back.f[picks], evoked.data)
    missing = np.setdiff1d(np.arange(len(channels)), picks)
    assert not back.f[missing].any()
    assert np.all(back.channel_flag[missing] == -1)
    assert channels.names[0] in str(conversion_report(back))
    other = dataclasses.replace(channels, channels=channels.channels[20:])
    with pytest.raises(ConversionError, match="MEG"):
        from_evoked(to_evoked(recordings, channels), channels=other)
    with pytest.raises(ConversionError, match="250 Hz, the given Info 500 Hz"):
        to_evoked(recordings, channels, info=to_info(channels, sfreq=500.0))


def test_names_that_differ(study: Study) -> None:
    recordings, channels = study
    evoked = to_evoked(recordings, channels)
    evoked.rename_channels({name: name.replace(" ", "").lower() for name in evoked.ch_names})
    back = from_evoked(evoked, channels=channels)
    np.testing.assert_array_equal(back.f, recordings.f)
    np.testing.assert_array_equal(back.channel_flag, recordings.channel_flag)


def test_refused_recordings(study: Study, data_dir: Path) -> None:
    recordings, channels = study
    link = dataclasses.replace(recordings, f=None, link=io.Link(filename="run.fif"))
    with pytest.raises(ConversionError, match="read_raw"):
        to_evoked(link, channels)
    time = recordings.time.copy()
    time[50:] += 0.002
    for there in (to_evoked, to_raw_array, to_one_epoch):
        with pytest.raises(ConversionError, match="not regular"):
            there(dataclasses.replace(recordings, time=time), channels)
    with pytest.raises(ConversionError, match="Time is empty"):
        to_evoked(dataclasses.replace(recordings, time=None), channels)
    other = channels_of(next(data_dir.rglob("eeg_surface/**/data_average_*.mat")))
    with pytest.raises(ConversionError, match="135 channels, the channel file 33"):
        to_evoked(recordings, other)
    with pytest.raises(ConversionError, match="No recordings"):
        to_epochs([], channels)


def test_single_sample_and_no_flags(study: Study) -> None:
    recordings, channels = study
    one = dataclasses.replace(
        recordings, f=recordings.f[:, :1], time=recordings.time[:1], channel_flag=None
    )
    evoked = to_evoked(one, channels)
    assert evoked.data.shape == (135, 1)
    assert {f.field for f in conversion_report(evoked).of("assumed")} >= {"Time", "ChannelFlag"}
    np.testing.assert_array_equal(from_evoked(evoked).time, one.time)


def test_events_become_annotations(study: Study) -> None:
    recordings, channels = study
    marked = dataclasses.replace(recordings, events=events())
    raw = to_raw_array(marked, channels)
    onset = raw.annotations.onset - raw.first_time
    assert list(raw.annotations.description) == ["flash", "flash", "BAD_jump", "flash"]
    np.testing.assert_allclose(sorted(onset), [0.0, 0.1, 0.2, 0.2004], atol=1e-9)
    np.testing.assert_allclose(sorted(raw.annotations.duration), [0, 0, 0, 0.1], atol=1e-9)
    found, codes = mne.events_from_annotations(raw, regexp="flash")
    np.testing.assert_array_equal(found[:, 0] / 250, [-0.1, 0.0, 0.1])
    assert list(codes) == ["flash"]
    if ANNOTATIONS_HAVE_EXTRAS:
        notes = [(a["extras"] or {}).get("note", "") for a in raw.annotations]
        assert sorted(notes) == ["", "", "", "late"]
    else:
        assert "notes" in str(conversion_report(raw))
    relative = to_annotations(marked, channels)
    np.testing.assert_allclose(relative.onset, onset, atol=1e-9)


def test_changed_annotations_become_events(study: Study) -> None:
    recordings, channels = study
    raw = to_raw_array(dataclasses.replace(recordings, events=events()), channels)
    annotations = raw.annotations.copy()
    annotations.onset -= raw.first_time  # MNE counts from the first sample when it sets them
    annotations.append(0.05, 0.1, "move", [(channels.names[0], channels.names[3])])
    raw.set_annotations(annotations)
    found = {event.label: event for event in from_raw(raw).events}
    assert set(found) == {"flash", "BAD_jump", "move"}
    np.testing.assert_allclose(found["flash"].times, [[-0.1, 0.0, 0.1004]], atol=1e-9)
    np.testing.assert_allclose(found["BAD_jump"].times, [[0.1], [0.2]], atol=1e-9)
    np.testing.assert_allclose(found["move"].times, [[-0.05], [0.05]], atol=1e-9)
    assert found["move"].channels[0] == (channels.names[0], channels.names[3])
    # a channel-specific event goes there again
    again = to_raw_array(from_raw(raw), channels)
    marked = [a for a in again.annotations if a["description"] == "move"]
    assert marked[0]["ch_names"] == (channels.names[0], channels.names[3])


def test_events_that_mne_cannot_hold(study: Study) -> None:
    recordings, channels = study
    odd = (
        io.Event(label="late", times=np.array([[5.0]])),
        io.Event(label="none"),
        io.Event(label="who", times=np.array([[0.0]]), channels=(("no such",),)),
    )
    raw = to_raw_array(dataclasses.replace(recordings, events=odd), channels)
    assert list(raw.annotations.description) == ["who"]
    text = str(conversion_report(raw))
    for part in ("late at 5 s: not in", "none: no occurrence", "unknown channels no such"):
        assert part in text
    assert_equal(from_raw(raw).events, odd)  # nothing changed: the original ones


def test_trials_become_epochs(trials) -> None:
    recordings, channels = trials
    marked = [
        dataclasses.replace(
            recordings[0], events=(io.Event(label="flash", times=np.array([[0.1, 0.3]])),)
        ),
        dataclasses.replace(recordings[1], comment="other (#1)"),
        recordings[1],
    ]
    flag = recordings[1].channel_flag.copy()
    flag[7] = -1
    marked[1] = dataclasses.replace(marked[1], channel_flag=flag)
    epochs = to_epochs(marked, channels)
    assert epochs.event_id == {"noise": 1, "other": 2}
    assert epochs.events[:, 2].tolist() == [1, 2, 1]
    np.testing.assert_array_equal(epochs.get_data(copy=True), np.stack([r.f for r in marked]))
    assert not epochs.proj
    assert set(epochs.info["bads"]) == {channels.names[i] for i in (4, 7, 16)}
    assert "bad in one is bad in all" in str(conversion_report(epochs))
    found = epochs.get_annotations_per_epoch()
    assert [len(each) for each in found] == [2, 0, 0]
    np.testing.assert_allclose([onset for onset, _, _ in found[0]], [0.1, 0.3], atol=1e-9)
    for back, before in zip(from_epochs(epochs), marked, strict=True):
        assert_equal(back, before)
    # a file that flags no channel is left so by those of others
    silent = dataclasses.replace(marked[0], channel_flag=None)
    (first, *_) = from_epochs(to_epochs([silent, *marked[1:]], channels))
    assert (first.channel_flag == 1).all()
    # after dropping a trial the others are still themselves
    chosen = from_epochs(epochs[1:])
    assert_equal(chosen[0], marked[1])
    assert_equal(chosen[1], marked[2])
    later = [dataclasses.replace(recordings[0], time=recordings[0].time + 0.1)]
    with pytest.raises(ConversionError, match=r"not the times of the first, .* by themselves"):
        to_epochs(recordings + later, channels)


def test_epochs_of_mne() -> None:
    rng = np.random.default_rng(0)
    info = mne.create_info(4, 100.0, "eeg")
    codes = np.stack([np.arange(3) * 50, np.zeros(3, int), [2, 1, 2]], axis=1)
    epochs = mne.EpochsArray(
        rng.standard_normal((3, 4, 30)), info, codes, -0.1, {"a": 1, "b": 2}, baseline=(None, 0)
    )
    epochs.info["bads"] = ["3"]
    converted = from_epochs(epochs)
    assert [each.comment for each in converted] == ["b (#1)", "a (#1)", "b (#2)"]
    np.testing.assert_array_equal(np.stack([r.f for r in converted]), epochs.get_data(copy=True))
    np.testing.assert_array_equal(converted[0].time, epochs.times)
    assert converted[0].channel_flag.tolist() == [1, 1, 1, -1]
    assert (converted[0].n_avg, converted[0].leff) == (1, 1.0)
    assert any(f.field == "baseline" for f in conversion_report(converted[0]))


def test_real_evoked_there_and_back(shared_dir: Path) -> None:
    """MNE's own averages equal those that Brainstorm's study was made of."""
    folder = shared_dir / "oracle/local/meg_neuromag/data/Subject01/auditory"
    channels = channels_of(folder / "data_average_240103_1000.mat")
    for evoked in mne.read_evokeds(shared_dir / "real/mne_sample/test-ave.fif.gz"):
        recordings = from_evoked(evoked, channels=channels)
        assert recordings.time[0] == evoked.times[0]
        again = to_evoked(recordings, channels)
        np.testing.assert_array_equal(again.data, evoked.data)
        np.testing.assert_allclose(again.times, evoked.times, rtol=0, atol=1e-12)
        assert again.ch_names == evoked.ch_names
        assert again.info["bads"] == evoked.info["bads"]
        assert (again.nave, again.comment) == (evoked.nave, evoked.comment)


def test_real_raw_there_and_back(shared_dir: Path) -> None:
    raw = mne.io.read_raw_fif(shared_dir / "real/mne_sample/test_ctf_comp_raw.fif")
    raw.set_annotations(mne.Annotations([0.1, 0.2], [0, 0], ["x", "y"]))
    recordings = from_raw(raw)
    np.testing.assert_array_equal(recordings.f, raw.get_data())
    assert recordings.time[0] == raw.first_time
    onset = [event.times[0, 0] for event in recordings.events]
    np.testing.assert_allclose(onset, raw.first_time + np.array([0.1, 0.2]), atol=1e-9)
    assert len(recordings.channel_flag) == len(raw.ch_names)


def test_written_and_read(study: Study, tmp_path: Path) -> None:
    """What comes from MNE can be written for Brainstorm."""
    recordings, channels = study
    raw = to_raw_array(recordings, channels)
    raw.set_annotations(mne.Annotations([0.1, 0.2], [0, 0.1], ["x", "y"]))
    back = from_raw(raw)
    io.write_recordings(tmp_path / "data_x.mat", back)
    read = io.read_recordings(tmp_path / "data_x.mat")
    np.testing.assert_array_equal(read.f, recordings.f)
    np.testing.assert_array_equal(read.time, recordings.time)
    assert [event.label for event in read.events] == ["x", "y"]
    np.testing.assert_allclose(read.events[1].times, [[0.1], [0.2]], atol=1e-9)


def test_signals_of_references_are_those_of_the_file() -> None:
    """Whichever way round MNE models a reference: MNE's reader of CTF files gives the same."""
    channels = ctf()
    f = np.random.default_rng(3).normal(size=(len(channels), 5))
    recordings = io.Recordings(
        f=f, time=np.arange(5) / 100, channel_flag=np.ones(len(channels), dtype=np.int64)
    )
    given = to_info(channels, sfreq=100.0)
    assert conversion_report(given).kept["opposite"] == ("R2",)
    for info in (None, given):
        evoked = to_evoked(recordings, channels, info=info)
        order = [evoked.ch_names.index(name) for name in channels.names]
        np.testing.assert_array_equal(evoked.data[order], f)
        np.testing.assert_array_equal(from_evoked(evoked, channels=channels).f, f)
    # compensation of MNE's signals is that of Brainstorm's
    (comp,) = given["comps"]
    names, rows = comp["data"]["col_names"], comp["data"]["row_names"]
    of_mne = comp["data"]["data"] @ f[[channels.names.index(n) for n in names]]
    meg = [n for n, t in zip(channels.names, channels.types, strict=True) if t == "MEG"]
    refs = [i for i, t in enumerate(channels.types) if t == "MEG REF"]
    of_brainstorm = channels.meg_ref_coef @ f[refs]
    np.testing.assert_allclose(
        of_mne[[list(rows).index(n) for n in meg]],
        of_brainstorm,
        rtol=0,
        atol=100 * np.finfo(float).eps,
    )
