"""Links, events of every sort, and numbers of samples."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.io
from helpers_mat73 import save_73
from io_helpers import cell, differences, save, structs

from mne_bstinv import io
from mne_bstinv.continuous import segments_of
from mne_bstinv.conversion import conversion_report
from mne_bstinv.io.sampling import round_half_away, sample_number, sample_numbers, sample_times

EMPTY = np.zeros((0, 0))


@pytest.mark.parametrize(
    ("values", "rounded"),
    [
        ([0.5, 1.5, 2.5, -0.5, -1.5, -2.5], [1, 2, 3, -1, -2, -3]),
        ([0.49999999999999994, -0.49999999999999994], [0, 0]),
        ([2**52 + 1.0, -(2**52) - 1.0], [2**52 + 1, -(2**52) - 1]),
        ([1e300, -np.inf], [2**53, -(2**53)]),
        ([0.0, -0.0, 1.2, 1.7, -1.2, -1.7], [0, 0, 1, 2, -1, -2]),
    ],
)
def test_halves_go_away_from_zero(values, rounded):
    assert round_half_away(np.array(values)).tolist() == rounded


def test_one_sample_is_as_many():
    rng = np.random.default_rng(0)
    times = np.concatenate([rng.normal(scale=100, size=200), np.arange(-3, 3) / 2 / 250.0])
    for sfreq in (250.0, 333.3333435058594, 1.0):
        expected = sample_numbers(times, sfreq).tolist()
        assert [sample_number(t, sfreq) for t in times.tolist()] == expected


def test_samples_of_times():
    assert sample_numbers(3.25, 250.0) == 813  # 812.5, to even it would be 812
    assert sample_times(375, 3, 250.0).tolist() == [1.5, 1.504, 1.508]


def read_events(tmp_path, *rows):
    """Events of a data file, of v7 and v7.3."""
    variables = {"F": np.zeros((1, 2)), "ChannelFlag": np.ones((1, 1)),
                 "Time": np.arange(2.0)[None], "Events": structs(*rows)}  # fmt: skip
    file = save(tmp_path / "v7.mat", **variables)
    save_73(tmp_path / "v73.mat", scipy.io.loadmat(file, mat_dtype=True))
    found = io.read_recordings(file)
    assert differences(found, io.read_recordings(tmp_path / "v73.mat")) == []
    io.write_recordings(tmp_path / "again.mat", found, overwrite=True)
    assert differences(found, io.read_recordings(tmp_path / "again.mat")) == []
    return found.events


def row(label="a", times=((0.1, 0.2),), channels=EMPTY, notes=EMPTY, **more):
    times = np.atleast_2d(times)
    return {"label": label, "epochs": np.ones((1, times.shape[1])), "times": times,
            "channels": channels, "notes": notes, **more}  # fmt: skip


def test_simple_and_extended(tmp_path):
    simple, one, two = read_events(
        tmp_path, row(), row(times=[[1.0], [2.0]]), row(times=[[1.0, 3.0], [2.0, 4.0]])
    )
    assert (simple.is_extended, simple.starts.tolist()) == (False, [0.1, 0.2])
    assert (one.is_extended, one.starts.tolist(), one.ends.tolist()) == (True, [1.0], [2.0])
    assert (two.n_occurrences, two.ends.tolist()) == (2, [2.0, 4.0])
    assert simple.channels is None
    assert simple.channels_of(1) == ()
    assert simple.note_of(0) == ""


def test_two_times_that_no_epochs_count_are_two_events_and_said_to_be(tmp_path):
    file = save(
        tmp_path / "data_a.mat",
        F=np.zeros((1, 2)), ChannelFlag=np.ones((1, 1)), Time=np.arange(2.0)[None],
        Events=structs(row(epochs=EMPTY, times=[[1.0], [2.0]]), row(times=[[1.0], [2.0]])),
    )  # fmt: skip
    found = io.read_recordings(file)
    guessed, counted = found.events
    assert (guessed.starts.tolist(), counted.ends.tolist()) == ([1.0, 2.0], [2.0])
    (told,) = [one for one in conversion_report(found) if one.field.endswith("times")]
    assert (told.severity, told.reason) == (
        "assumed", "no epochs count them: events at 1 and 2 s, not one between"
    )  # fmt: skip


def test_a_time_that_is_none_costs_its_occurrence_only(tmp_path):
    found, _ = read_events(tmp_path, row(times=[[1.0, np.nan, 3.0]]), row())
    assert found.starts[[0, 2]].tolist() == [1.0, 3.0]
    assert [segment.first for segment in segments_of(found, 100.0)] == [100, 300]


@pytest.mark.parametrize(
    ("channels", "expected"),
    [
        (cell(cell("A", "B"), cell()), (("A", "B"), ())),
        (cell(cell("A"), cell("B")), (("A",), ("B",))),
        (cell(EMPTY, cell("B")), ((), ("B",))),
        (cell("A", "B"), (("A",), ("B",))),
        (cell(cell("A", "B"), cell("C", "D")), (("A", "B"), ("C", "D"))),
        (cell(EMPTY, EMPTY), None),
    ],
)
def test_channels_of_two_occurrences(tmp_path, channels, expected):
    (event,) = read_events(tmp_path, row(channels=channels))
    assert event.channels == expected


@pytest.mark.parametrize("channels", [cell(cell("A")), cell("A"), "A"])
def test_one_channel_of_one_occurrence(tmp_path, channels):
    (event,) = read_events(tmp_path, row(times=[[0.5]], channels=channels))
    assert event.channels == (("A",),)
    written = scipy.io.loadmat(tmp_path / "again.mat")["Events"][0, 0]["channels"]
    assert written.shape == (1, 1)
    assert written[0, 0].shape == (1, 1)  # a cell in a cell, as Brainstorm wants it
    assert written[0, 0][0, 0].tolist() == ["A"]


def test_two_channels_of_one_occurrence(tmp_path):
    (event,) = read_events(tmp_path, row(times=[[0.5]], channels=cell(cell("A", "B"))))
    assert event.channels == (("A", "B"),)


@pytest.mark.parametrize(
    ("notes", "expected"),
    [(cell("one", "two"), ("one", "two")), (cell("", "two"), ("", "two")), (cell("", ""), None)],
)
def test_notes(tmp_path, notes, expected):
    (event,) = read_events(tmp_path, row(notes=notes))
    assert event.notes == expected
    (event,) = read_events(tmp_path, row(times=[[0.5]], notes=cell("only")))
    assert event.notes == ("only",)


def test_colours_reaction_times_selection(tmp_path):
    (event,) = read_events(
        tmp_path,
        row(color=np.array([[0, 0.5, 1]]), reactTimes=np.array([[0.3, 0.4]]), select=1.0),
    )
    assert event.color.tolist() == [0, 0.5, 1]
    assert event.react_times.tolist() == [0.3, 0.4]
    assert event.select == 1


@pytest.mark.parametrize(
    "odd",
    [
        {"channels": cell(cell("A"), cell("B"), cell("C"))},
        {"channels": cell(3.0, cell("B"))},
        {"notes": cell("a")},
        {"notes": cell(cell("a", "b"), "c")},
        {"notes": np.ones((1, 2))},
    ],
)
def test_odd_channels_or_notes_do_not_cost_the_file(tmp_path, caplog, odd):
    (event,) = read_events(tmp_path, row(**odd))
    assert (event.channels, event.notes, event.n_occurrences) == (None, None, 2)
    (name,) = odd
    assert f"Events(1).{name}" in caplog.text
    assert "left out" in caplog.text


def link(**more):
    prop = structs({"times": np.array([[1.5, 9.536]]), "sfreq": 250.0, "nAvg": 1.0,
                    "currCtfComp": EMPTY, "destCtfComp": 3.0})  # fmt: skip
    return {"filename": "/data/a/b.bst", "format": "BST-BIN", "prop": prop,
            "events": structs(row()), **more}  # fmt: skip


def read_link(tmp_path, **more):
    file = save(tmp_path / "data_0raw_a.mat", F=structs(link(**more)), ChannelFlag=np.ones((3, 1)),
                Time=np.array([[1.5, 9.536]]), DataType="raw")  # fmt: skip
    return io.read_recordings(file).link


def test_a_link(tmp_path):
    found = read_link(tmp_path, channelflag=np.array([[1.0], [-1.0]]), t0="2026-03-04")
    assert (found.sfreq, found.samples) == (250.0, (375, 2384))
    assert found.base_name == "b.bst"
    assert found.events[0].label == "a"
    assert (found.prop.curr_ctf_comp, found.prop.dest_ctf_comp) == (None, 3)
    assert found.channel_flag.tolist() == [1, -1]
    assert repr(found) == "<Link | BST-BIN b.bst, 8.04 s at 250 Hz, 1 kinds of events>"


@pytest.mark.parametrize(
    ("filename", "name"),
    [("C:\\data\\run 1.ds\\", "run 1.ds"), ("/a/b/c.ds/", "c.ds"), ("x.fif", "x.fif"), ("", "")],
)
def test_names_of_any_system(tmp_path, filename, name):
    assert read_link(tmp_path, filename=filename).base_name == name


@pytest.mark.parametrize(
    "odd",
    [
        {"device": 3.0},
        {"byteorder": cell("l", "b")},
        {"epochs": "none"},
        {"channelflag": "good"},
        {"acq_date": cell(1.0, "x")},
        {"t0": 7.0},
        {"header": cell(1.0)},
    ],
)
def test_odd_fields_of_a_link_do_not_cost_it(tmp_path, odd):
    found = read_link(tmp_path, **odd)
    assert (found.sfreq, found.events[0].n_occurrences) == (250.0, 2)


@pytest.mark.parametrize("sfreq", [np.nan, 0.0, -250.0, np.inf, EMPTY])
def test_a_rate_that_is_none(tmp_path, sfreq):
    prop = structs({"times": np.array([[1.5, 9.536]]), "sfreq": sfreq})
    found = read_link(tmp_path, prop=prop)
    assert (found.sfreq, found.samples) == (None, None)
    assert repr(found) == "<Link | BST-BIN b.bst, 1 kinds of events>"


def test_epochs_of_a_link(tmp_path):
    epochs = structs(
        {"label": "Trial 1", "times": np.array([[0.0, 1.0]]), "nAvg": 1.0, "select": 1.0,
         "bad": 0.0, "channelflag": np.ones((2, 1))},
        {"label": "Trial 2", "times": np.array([[0.0, 1.0]]), "nAvg": 1.0, "select": 1.0,
         "bad": 1.0, "channelflag": EMPTY},
    )  # fmt: skip
    first, second = read_link(tmp_path, epochs=epochs).epochs
    assert (first.label, first.bad, first.channel_flag.tolist()) == ("Trial 1", 0, [1, 1])
    assert (second.bad, second.channel_flag) == (1, None)


def test_links_of_brainstorm_are_written_as_they_were(data_dir, tmp_path):
    files = sorted((data_dir / "continuous").rglob("data_0raw_*.mat"))
    assert len(files) == 3
    for file in files:
        found = io.read_recordings(file)
        io.write_recordings(tmp_path / file.name, found)
        assert differences(found, io.read_recordings(tmp_path / file.name)) == []
