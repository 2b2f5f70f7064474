"""Brainstorm's binary files: what it wrote, every version, its faults, and files that lie."""

from __future__ import annotations

import dataclasses
import os
import struct
import sys
import tracemalloc
from contextlib import suppress
from io import BytesIO

import numpy as np
import pytest
import scipy.io
from bst_bytes import bst, event, floats, matrix, projector, text
from hypothesis import given, settings
from hypothesis import strategies as st
from io_helpers import differences

from mne_bstinv import io
from mne_bstinv.errors import (
    MissingFileError,
    OptionError,
    OverwriteError,
    RecordingFileError,
    SchemaError,
)
from mne_bstinv.io.bst import BstHeader, BstWriter, link_to, open_bst, write_bst
from mne_bstinv.io.bst.source import Source

SAMPLES = np.arange(3 * 17, dtype=np.float32).reshape(3, 17) / 3

#: Files of Brainstorm: name, bytes of the header, samples in a block, samples.
RUNS = [("runA", 14727, 250, 2010), ("runB", 13231, 400, 1501)]


def run(data_dir, name):
    return data_dir / "continuous" / "data" / "Subject01" / f"@raw{name}" / f"{name}.bst"


def save(tmp_path, raw, name="a.bst"):
    file = tmp_path / name
    file.write_bytes(raw)
    return file


def header(n=17, n_channels=3, **values):
    channels = tuple(io.Channel(name=f"E{i}", type="EEG") for i in range(n_channels))
    defaults = {
        "sfreq": 100.0,
        "start": 0.0,
        "n_samples": n,
        "block": 7,
        "channels": io.Channels(channels=channels),
        "channel_flag": np.ones(n_channels, int),
    }
    return BstHeader(**defaults | values)


@pytest.mark.parametrize(("name", "size", "block", "n"), RUNS)
def test_what_brainstorm_wrote(data_dir, tmp_path, name, size, block, n):
    file = run(data_dir, name)
    opened = open_bst(file)
    assert (opened.offset, opened.header.block, opened.header.n_samples) == (size, block, n)
    assert (opened.header.version, opened.notes) == (54, ())
    write_bst(tmp_path / "b.bst", opened.header, opened.read())
    assert (tmp_path / "b.bst").read_bytes() == file.read_bytes()


@pytest.mark.parametrize("name", ["runA", "runB"])
def test_the_link_of_brainstorm(data_dir, name):
    """The link made from the header is the one that Brainstorm made, to the last digit."""
    file = run(data_dir, name)
    opened = open_bst(file)
    (link,) = file.parent.glob("data_0raw_*.mat")
    made = link_to(opened.header, file.name, opened.offset)
    assert differences(io.read_recordings(link).link, made) == []


def test_the_channel_file_of_brainstorm(data_dir):
    file = run(data_dir, "runA")
    (found,) = file.parent.glob("channel*.mat")
    theirs, ours = io.read_channels(found), open_bst(file).header.channels
    theirs = dataclasses.replace(theirs, comment=ours.comment, history=ours.history)
    assert differences(theirs, ours) == []


def test_samples_that_brainstorm_was_given(shared_dir):
    folder = shared_dir / "oracle" / "public" / "raw"
    for name, *_ in RUNS:
        given = scipy.io.loadmat(folder / f"{name}_written.mat")["F32"]
        found = open_bst(folder / "data" / "Subject01" / f"@raw{name}" / f"{name}.bst").read()
        assert np.array_equal(found, given)


@given(data=st.data())
@settings(deadline=None, max_examples=100)
def test_any_segment_of_any_channels(tmp_path_factory, data):
    n_channels, n = data.draw(st.integers(1, 6)), data.draw(st.integers(1, 40))
    block = data.draw(st.integers(1, 50))
    samples = np.arange(n_channels * n, dtype=np.float32).reshape(n_channels, n)
    opened = open_bst(save(tmp_path_factory.mktemp("b"), bst(samples, block=block)))
    start = data.draw(st.integers(0, n))
    stop = data.draw(st.integers(start, n))
    channels = data.draw(st.lists(st.integers(0, n_channels - 1), max_size=8))
    reader = sys.modules["mne_bstinv.io.bst.reader"]
    with pytest.MonkeyPatch.context() as patch:  # one block, several, parts of one at once
        patch.setattr(reader, "_AT_ONCE", data.draw(st.sampled_from([1, 7, 60, 10_000])))
        patch.setattr(reader, "_GAP", data.draw(st.sampled_from([0, 3, 20, 4096])))
        assert np.array_equal(opened.read(start, stop, channels), samples[channels, start:stop])
        assert np.array_equal(opened.read(), samples)


@pytest.mark.parametrize("version", range(49, 55))
def test_versions(tmp_path, version):
    long = "a label that is longer than twenty bytes"
    events = [
        event("simple", [0.01, 0.02], version=version),
        event(long, [[0.03], [0.05]], version=version, channels=[["E0", "E2"]], notes=["why"]),
        event("last", [0.1, 0.11], version=version, notes=["", "n"]),
    ]
    projectors = [
        projector(version, np.ones((3, 2)), [[1, 0]], [[2, 1]], "SSP_pca"),
        projector(version, np.ones((3, 1)), [[1]], np.zeros((0, 0)), "SSP_mean"),
        projector(version, np.eye(3), np.zeros((0, 0)), [[ord(c) for c in "REF"]], "REF"),
    ]
    opened = open_bst(
        save(tmp_path, bst(SAMPLES, version=version, events=events, projectors=projectors))
    )
    found = opened.header
    assert np.array_equal(opened.read(), SAMPLES)
    assert (found.version, found.n_avg, found.device) == (version, 3, "device")
    assert found.t0 == ("2026-03-04T05:06:07.890" if version == 54 else "")
    assert found.channel_flag.tolist() == [1, -1, 1]
    assert [e.label for e in found.events] == ["simple", long[:20] if version < 50 else long,
                                               "last"]  # fmt: skip
    assert found.events[1].times == pytest.approx(np.array([[0.03], [0.05]]), rel=1e-7)
    assert found.events[1].channels == (None if version < 51 else (("E0", "E2"),))
    assert found.events[1].notes == (None if version < 51 else ("why",))
    assert found.events[2].notes == (None if version < 51 else ("", "n"))
    assert [p.method for p in found.channels.projectors] == ["SSP_pca", "SSP_mean", "REF"]
    assert [p.kind for p in found.channels.projectors] == ["ssp", "ssp", "operator"]
    assert found.channels.projectors[2].sing_val == ("REF" if version >= 53 else None)
    # and written again it is read again
    write_bst(tmp_path / "again.bst", found, opened.read())
    again = open_bst(tmp_path / "again.bst").header
    assert differences(found.channels, again.channels) == []
    assert differences(found.events, again.events) == []


def test_head_points_and_fiducials(tmp_path):
    points = floats([1, 2, 3]) + text("NAS", 10) + text("CARDINAL", 10)
    fiducials = floats([1, 0, 0, 0, 1, 0, 0, -1, 0]) + floats(np.eye(3)) + floats([0] * 6)
    opened = open_bst(
        save(tmp_path, bst(SAMPLES, head_points=2 * points, n_head_points=2, fiducials=fiducials))
    )
    channels = opened.header.channels
    assert channels.head_points.label == ("NAS", "NAS")
    assert channels.head_points.loc.tolist() == [[1, 1], [2, 2], [3, 3]]
    assert channels.scs.lpa.tolist() == [0, 1, 0]
    assert channels.scs.r.tolist() == np.eye(3).tolist()


NO_COLOR = {"color": None}
FAULTS = {
    "empty": [event("none", [], flags=False)],
    "empty, first": [event("none", [], flags=False), event("go", [0.01])],
    "empty, between": [event("a", [0.02]), event("none", [], flags=False), event("go", [0.01])],
    "two empty": [event("none", [], flags=False), event("b", [], flags=False), event("g", [0.1])],
    "extended and empty": [event("none", np.zeros((2, 0)), flags=False), event("go", [0.01])],
    "no colour": [event("plain", [0.01, 0.02], color=None)],
    "no colour, extended": [event("p", [[0.01], [0.02]], color=None), event("go", [0.01])],
    "no colour and empty": [event("p", [], color=None, flags=False), event("go", [0.01])],
    "both": [
        event("p", [0.05], color=None, notes=["n"]),
        event("none", [], flags=False),
        event("q", [0.05], color=None, channels=[["E1"]]),
    ],
}


@pytest.mark.parametrize("version", [52, 53, 54])
@pytest.mark.parametrize("events", FAULTS.values(), ids=FAULTS)
def test_faults_of_the_writer_are_seen_by_the_size(tmp_path, version, events):
    """Brainstorm leaves out two flags of empty categories and twelve bytes of empty colours."""
    opened = open_bst(save(tmp_path, bst(SAMPLES, version=version, events=events)))
    assert np.array_equal(opened.read(), SAMPLES)
    assert len(opened.header.events) == len(events)
    assert opened.notes
    assert all("Brainstorm itself reads all that follows" in note for note in opened.notes)


@pytest.mark.parametrize("n_more", [0, 1, 2])
def test_an_empty_category_with_flags_is_read_too(tmp_path, n_more):
    """As a writer without the fault writes it: the size of the file tells."""
    events = [event("none", [], flags=True)] + n_more * [event("go", [0.01, 0.02])]
    opened = open_bst(save(tmp_path, bst(SAMPLES, events=events)))
    assert np.array_equal(opened.read(), SAMPLES)
    assert [e.n_occurrences for e in opened.header.events] == [0] + n_more * [2]
    assert opened.notes == ()


def test_a_colour_of_another_scale_is_read(tmp_path):
    opened = open_bst(save(tmp_path, bst(SAMPLES, events=[event("a", [0.1], color=(0, 255, 9))])))
    assert opened.header.events[0].color.tolist() == [0, 255, 9]
    assert opened.notes == ()


def test_empty_categories_are_never_written(tmp_path):
    empty = io.Event(label="none", color=np.zeros(3))
    some = io.Event(label="go", times=np.array([[0.01]]))
    notes = write_bst(tmp_path / "a.bst", header(events=(empty, some)), SAMPLES)
    found = open_bst(tmp_path / "a.bst").header.events
    assert [e.label for e in found] == ["go"]
    assert found[0].color is not None  # an empty colour would be misread as well
    assert any("without an occurrence are left out" in note and "none" in note for note in notes)


RAW = bst(SAMPLES, events=[event("go", [0.01, 0.02])])
COUNTS = 6 + 1 + 40 + 8 + 30 + 5  # where the three numbers are
BAD = {
    "wrong magic": (b"BSTBON" + RAW[6:], "format: b'BSTBON' found, b'BSTBIN'"),
    "empty": (b"", "format: b'' found"),
    "cut in the magic": (b"BST", "format: b'BST' found"),
    "only the magic": (b"BSTBIN", "version"),
    "version 55": (RAW[:6] + b"\x37" + RAW[7:], "version: 55 found, 49 to 54 expected"),
    "version 48": (RAW[:6] + b"\x30" + RAW[7:], "version: 48 found"),
    "truncated": (RAW[:-1], f"{len(RAW) - 1} bytes (truncated) found, {len(RAW)} bytes"),
    "longer": (RAW + b"\0", f"{len(RAW) + 1} bytes (longer) found, {len(RAW)} bytes"),
    "NaN rate": (bst(SAMPLES, sfreq=np.nan), "sampling rate: nan Hz found, a frequency above 0"),
    "no rate": (bst(SAMPLES, sfreq=0), "sampling rate: 0 Hz found"),
    "negative rate": (bst(SAMPLES, sfreq=-1), "sampling rate: -1 Hz found"),
    "rate of no recording": (bst(SAMPLES, sfreq=1e30), "sampling rate: 1e+30 Hz found"),
    "infinite start": (bst(SAMPLES, start=np.inf), "time of the first sample: inf s found"),
    "no channels": (bst(SAMPLES, counts=(17, 7, 0)), "17, 7 and 0 found, numbers above 0"),
    "no samples": (bst(SAMPLES, counts=(0, 7, 3)), "0, 7 and 3 found"),
    "no block": (bst(SAMPLES, counts=(17, 0, 3)), "17, 0 and 3 found"),
    "many samples": (
        bst(SAMPLES, counts=(2**32 - 1, 2**32 - 1, 2**32 - 1)),
        "4294967295 channels × 4294967295 samples takes",
    ),
    "more samples": (bst(SAMPLES, counts=(1000, 7, 3)), "left of the file"),
    "another block": (bst(SAMPLES, counts=(17, 8, 3)), "truncated"),
    "one channel less": (bst(SAMPLES, counts=(17, 7, 2)), "found"),
    "compensation beyond the file": (
        bst(SAMPLES, compensation=np.full((1, 1), 9)).replace(
            matrix(np.full((1, 1), 9)), struct.pack("<II", 2**32 - 1, 2**32 - 1)),
        "MegRefCoef: MegRefCoef takes",
    ),
    "many categories": (
        bst(SAMPLES, events=[]).replace(b"\0" * 5 + SAMPLES[:, :7].tobytes(),
                                        b"\0\xff\xff\xff\xff" + SAMPLES[:, :7].tobytes()),
        "events: 4294967295 categories, which takes",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("raw", "message"), BAD.values(), ids=BAD)
def test_a_header_that_lies_is_refused(tmp_path, raw, message):
    file = save(tmp_path, raw)
    tracemalloc.start()
    try:
        with pytest.raises(RecordingFileError) as caught:
            open_bst(file)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert message in str(caught.value)
    assert str(file) in str(caught.value)
    assert peak < 2e6


@given(data=st.data())
@settings(deadline=None, max_examples=150)
def test_damaged_files_give_errors_of_ours(tmp_path_factory, data):
    """A byte changed anywhere in the header: an error of ours, or a file that can be read."""
    raw = bytearray(
        bst(
            SAMPLES,
            events=[event("go", [0.01], channels=[["E0"]], notes=["n"]), event("e", [[0], [1]])],
            projectors=[projector(54, np.ones((3, 1)), [[1]], [[1]])],
        )
    )
    place = data.draw(st.integers(0, len(raw) - SAMPLES.nbytes - 1))
    raw[place] = data.draw(st.integers(0, 255))
    file = save(tmp_path_factory.mktemp("d"), bytes(raw))
    with suppress(RecordingFileError):
        opened = open_bst(file)
        assert opened.read().shape == (len(opened.header.channels), opened.header.n_samples)


def test_a_nan_that_signals_is_read():
    raw = struct.pack("<I", 0x7F800001)
    assert np.isnan(Source(BytesIO(raw), "a.bst", len(raw)).floats(1)).all()


def test_no_file(tmp_path):
    with pytest.raises(MissingFileError, match="no such file"):
        open_bst(tmp_path / "none.bst")
    with pytest.raises(RecordingFileError, match="a folder found"):
        open_bst(tmp_path)


@pytest.mark.parametrize("change", ["longer", "touched", "replaced", "gone"])
def test_a_file_that_changes_is_not_read_on(tmp_path, change):
    file = save(tmp_path, RAW)
    opened = open_bst(file)
    opened.read()
    if change == "longer":
        with file.open("ab") as more:
            more.write(b"\0")
    elif change == "touched":
        os.utime(file, ns=(1, 1))
    elif change == "replaced":
        file.write_bytes(bst(SAMPLES[:2]))
    else:
        file.unlink()
    expected = "cannot be opened any more" if change == "gone" else "changed since it was opened"
    with pytest.raises(RecordingFileError, match=expected):
        opened.read()


def test_what_there_is_not_cannot_be_asked_for(tmp_path):
    opened = open_bst(save(tmp_path, RAW))
    with pytest.raises(
        OptionError, match="samples 0 to 18 asked for, which must be within 0 to 17"
    ):
        opened.read(0, 18)
    with pytest.raises(OptionError, match="samples 5 to 4"):
        opened.read(5, 4)
    with pytest.raises(OptionError, match="channels 0 to 3 asked for, which must be within 0 to 2"):
        opened.read(channels=[0, 3])
    assert opened.read(4, 4).shape == (3, 0)
    assert opened.read(channels=[]).shape == (0, 17)


@pytest.mark.parametrize("sizes", [[17], [1] * 17, [7, 7, 3], [10, 7], [3, 9, 5]])
@pytest.mark.parametrize("block", [1, 7, 17, 100])
def test_written_in_pieces(tmp_path, sizes, block):
    file = tmp_path / "a.bst"
    with BstWriter(file, header(block=block)) as writer:
        for begin, size in zip(np.cumsum([0, *sizes]), sizes, strict=False):
            writer.write(SAMPLES[:, begin : begin + size])
        assert not file.exists()
    assert [f.name for f in tmp_path.iterdir()] == ["a.bst"]
    assert np.array_equal(open_bst(file).read(), SAMPLES)
    assert writer.notes == ()


def test_nothing_is_left_of_what_fails(tmp_path):
    file = tmp_path / "a.bst"
    too_large = SAMPLES.astype(float)
    too_large[1, 3] = -1e39
    for samples, message in [
        (SAMPLES[:, :-1], "16 samples found, 17 expected"),
        (np.tile(SAMPLES, 2), "3 channels × 34 samples found"),
        (SAMPLES[:2], "2 channels × 17 samples found"),
        (too_large, "a sample of 1e\\+39 found"),
    ]:
        with (
            pytest.raises(RecordingFileError, match=message),
            BstWriter(file, header()) as writer,
        ):
            writer.write(samples)
        assert list(tmp_path.iterdir()) == []


def test_an_existing_file_is_kept(tmp_path):
    file = save(tmp_path, b"mine")
    with pytest.raises(OverwriteError):
        write_bst(file, header(), SAMPLES)
    with pytest.raises(RecordingFileError):
        write_bst(file, header(), SAMPLES[:2], overwrite=True)
    assert file.read_bytes() == b"mine"
    write_bst(file, header(), SAMPLES, overwrite=True)
    assert np.array_equal(open_bst(file).read(), SAMPLES)
    with pytest.raises(MissingFileError, match="no such folder"):
        write_bst(tmp_path / "none" / "a.bst", header(), SAMPLES)


def test_rounding_and_cutting_are_said(tmp_path):
    names = ["a name of twenty-four byt", "b", "c"]
    channels = io.Channels(
        channels=tuple(io.Channel(name=name, type="EEG") for name in names),
        scs=io.SCS(nas=np.ones(3)),
    )
    events = (
        io.Event(label="x" * 300, times=np.array([[0.0]]), react_times=np.ones(1)),
        io.Event(label="n", times=np.array([[0.0]]), notes=("y" * 70000,)),
    )
    notes = write_bst(
        tmp_path / "a.bst", header(channels=channels, events=events), SAMPLES.astype(float) + 1e-9
    )
    found = open_bst(tmp_path / "a.bst").header
    assert found.channels.names == ("a name of twenty-fou", "b", "c")
    assert [len(e.label) for e in found.events] == [255, 1]
    assert len(found.events[1].notes[0]) == 65535
    for part in ("channel name", "fiducials", "reactTimes", "255 bytes", "65535 bytes", "rounded"):
        assert sum(part in note for note in notes) == 1, part


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        ({"sfreq": float("nan")}, "sfreq: nan found"),
        ({"sfreq": 0.0}, "sfreq: 0.0 found"),
        ({"start": 1e39}, "start: 1e\\+39 found"),
        ({"n_samples": 0}, "n_samples: 0 found"),
        ({"n_samples": 2**32}, "n_samples: 4294967296 found"),
        ({"block": 0}, "block: 0 found"),
        ({"version": 48}, "version: 48 found"),
        ({"ctf_comp": 256}, "ctf_comp: 256 found"),
        ({"channel_flag": np.ones(2, int)}, "channel_flag: 2 found, 3 flags"),
        ({"channels": io.Channels(channels=()), "channel_flag": np.ones(0, int)}, "channels: 0"),
    ],
)
def test_a_header_that_the_format_cannot_hold(tmp_path, values, fault):
    with pytest.raises(SchemaError, match=fault):
        BstWriter(tmp_path / "a.bst", header(**values))


def test_names_that_are_the_same_when_cut(tmp_path):
    channels = io.Channels(channels=tuple(
        io.Channel(name=f"the electrode of depth {i}", type="SEEG") for i in range(3)))  # fmt: skip
    with pytest.raises(SchemaError, match="the electrode of dep found more than once in 20 bytes"):
        BstWriter(tmp_path / "a.bst", header(channels=channels))


def test_text_beyond_ascii(tmp_path):
    channels = io.Channels(comment="é" * 30, channels=(io.Channel(name="µV1", type="EEG"),))
    write_bst(tmp_path / "a.bst", header(n_channels=1, channels=channels), SAMPLES[:1])
    found = open_bst(tmp_path / "a.bst").header.channels
    assert found.names == ("µV1",)
    assert found.comment == "é" * 20  # 40 bytes
    raw = bst(SAMPLES[:1], names=["x"]).replace(text("x", 20), b"\xb5V1".ljust(20, b"\0"))
    assert open_bst(save(tmp_path, raw, "b.bst")).header.channels.names == ("µV1",)
    raw = bst(SAMPLES[:1], names=["x"]).replace(text("x", 20), ("a" * 19).encode() + b"\xc3")
    assert open_bst(save(tmp_path, raw, "c.bst")).header.channels.names == ("a" * 19,)
