"""Events to annotations and back: sample by sample, and what is bad in either toolbox."""

from __future__ import annotations

import mne
import numpy as np
import pytest

from mne_bstinv import io
from mne_bstinv.adapters.recordings.events import (
    ANNOTATIONS_HAVE_EXTRAS,
    Clock,
    annotate,
    brainstorm_label,
    events_of,
    mne_label,
    occurrences,
    occurrences_of,
)
from mne_bstinv.conversion import Findings
from mne_bstinv.io.events import is_bad
from mne_bstinv.io.sampling import sample_numbers


def convert(events, clock, names=("A", "B")):
    findings = Findings()
    annotations = annotate(occurrences(events, findings), clock, names, findings)
    reasons = [str(f) for f in findings.attach(annotations, what="", log=False)._bstinv_report]
    return annotations, reasons


def raw_of(clock, annotations=None):
    raw = mne.io.RawArray(np.zeros((2, clock.n)), mne.create_info(["A", "B"], clock.sfreq),
                          first_samp=round(clock.start * clock.sfreq))  # fmt: skip
    return raw if annotations is None else raw.set_annotations(annotations)


@pytest.mark.parametrize(
    ("label", "bad"),
    [
        ("bad", True), ("BAD", True), ("Bad_blink", True), ("EEG_bad", True),
        ("muscle_bad", True), ("BAD boundary", True), ("a bad b", False), ("bad_channel", True),
        ("badge", False), ("not bad at all", False), ("a bad", True), ("good", False),
        ("BADmuscle", False),
        ("bad-eye", False), ("ba d", False), ("", False), ("scabbard", False),
    ],
)  # fmt: skip
def test_what_is_bad(label, bad):
    assert is_bad(label) == bad
    assert mne_label(label).lower().startswith("bad") == bad
    assert is_bad(mne_label(label)) == bad  # it may go there and back again
    bad_for_mne = label.lower().startswith("bad")
    assert is_bad(brainstorm_label(label)) == bad_for_mne
    if bad == bad_for_mne:
        assert mne_label(label) == brainstorm_label(label) == label


@pytest.mark.parametrize("sfreq", [250.0, 333.3333435058594, 600.614990234375, 1000.0])
@pytest.mark.parametrize("first", [-100, 0, 375, 20_000_000])
def test_each_event_is_at_brainstorms_sample(sfreq, first):
    clock = Clock(first / sfreq, sfreq, 3000)
    rng = np.random.default_rng(3)
    halves = (first + rng.integers(0, 2999, 40) + 0.5) / sfreq
    times = np.concatenate([halves, (first + 2998 * rng.random(200)) / sfreq])
    times = times.astype(np.float32).astype(float) if first < 1000 else times
    event = io.Event(label="e", times=times[None])
    annotations, reasons = convert([event], clock)
    raw = raw_of(clock, annotations)
    found, _ = mne.events_from_annotations(raw)
    expected = sample_numbers(np.sort(times), sfreq)
    inside = (expected >= first) & (expected < first + 3000)
    assert reasons == [] or not inside.all()
    assert found[:, 0].tolist() == expected[inside].tolist()
    # and back
    (back,) = events_of(occurrences_of(raw.annotations, raw.first_time, clock.start), Findings())
    assert sample_numbers(back.times[0], sfreq).tolist() == expected[inside].tolist()


@pytest.mark.parametrize("first", [-12.5, -0.5, -25.6, 0.5, 1000.3])
def test_events_of_blocks_that_begin_between_two_samples(first):
    """As after resampling: each event is at the sample whose time it has."""
    clock = Clock(first / 125.0, 125.0, 50)
    event = io.Event(label="e", times=(clock.start + np.arange(50) / 125.0)[None])
    annotations, _ = convert([event], clock)
    np.testing.assert_allclose(annotations.onset * 125.0, np.arange(50), rtol=0, atol=1e-9)


def test_extended_events_end_at_their_sample():
    clock = Clock(0.0, 250.0, 1000)
    event = io.Event(label="BAD", times=np.array([[0.402, 1.0], [0.75, 1.002]]))
    raw = raw_of(clock, convert([event], clock)[0])
    onsets, ends = (raw.time_as_index(raw.annotations.onset + d, use_rounding=True).tolist()
                    for d in (0, raw.annotations.duration))  # fmt: skip
    assert onsets == [101, 250]  # 100.5 goes up
    assert ends == [188, 251]  # 187.5, 250.5


def test_outside_and_partly_outside():
    clock = Clock(1.0, 100.0, 100)
    events = [
        io.Event(label="early", times=np.array([[0.9, 1.5]])),
        io.Event(label="BAD", times=np.array([[0.5, 1.9, 2.5], [1.1, 3.0, 3.0]])),
        io.Event(label="odd", times=np.array([[np.nan, 1.5], [1.0, 1.2]])),
    ]
    annotations, reasons = convert(events, clock)
    assert annotations.description.tolist() == ["BAD", "early", "BAD"]
    assert annotations.onset == pytest.approx([0.0, 0.5, 0.9])
    assert annotations.duration == pytest.approx([0.1, 0.0, 0.09])
    for part in (
        "early at 0.9 s: not in the recordings (1 to 1.99 s)",
        "BAD at 0.5 s: cut to the recordings",
        "BAD at 1.9 s: cut to the recordings",
        "BAD at 2.5 s: not in the recordings",
        "odd (1, 1-based): from nan to 1 s found",
        "odd (2, 1-based): from 1.5 to 1.2 s found, a start before an end expected",
    ):
        assert sum(part in reason for reason in reasons) == 1, part


def test_names_that_files_cut():
    long = "the electrode of depth 7"
    event = io.Event(label="e", times=np.array([[0.1]]), channels=((long, "gone", "A"),))
    annotations, reasons = convert([event], Clock(0, 100, 100), ["A", "the electrode of dep"])
    assert annotations[0]["ch_names"] == ("the electrode of dep", "A")
    assert any("unknown channels gone" in reason for reason in reasons)
    assert any("its name when cut" in reason for reason in reasons)


def test_what_is_bad_at_channels_that_are_gone_is_not_bad_at_all_of_them():
    events = [
        io.Event(label=label, times=np.array([[0.1], [0.2]]), channels=(channels,))
        for label, channels in (("BAD", ("gone",)), ("bad_a", ("gone", "A")), ("spike", ("gone",)))
    ]
    annotations, reasons = convert(events, Clock(0, 100, 100), ["A", "B"])
    found = zip(annotations.description.tolist(), annotations.ch_names, strict=True)
    assert list(found) == [("bad_a", ("A",)), ("spike", ())]
    assert sum("unknown channels gone" in reason for reason in reasons) == 3


def test_notes_channels_and_colours():
    event = io.Event(
        label="e", times=np.array([[0.1, 0.2]]), channels=(("A",), ()), notes=("", "why: so"),
        color=np.ones(3), react_times=np.array([0.1, 0.2]),
    )  # fmt: skip
    clock = Clock(0, 100, 100)
    annotations, reasons = convert([event], clock)
    assert {"color", "reactTimes"} <= {reason.rpartition(" for ")[2][:-3] for reason in reasons}
    assert any("notes" in reason for reason in reasons) != ANNOTATIONS_HAVE_EXTRAS
    (back,) = events_of(
        occurrences_of(raw_of(clock, annotations).annotations, 0.0, 0.0), Findings()
    )
    assert back.channels == (("A",), ())
    assert back.notes == (("", "why: so") if ANNOTATIONS_HAVE_EXTRAS else None)


def test_renamed_labels_are_said():
    events = [io.Event(label=label, times=np.array([[0.1]])) for label in ("EEG_bad", "badge")]
    annotations, reasons = convert(events, Clock(0, 100, 100))
    assert sorted(annotations.description) == ["BAD_EEG_bad", "event_badge"]
    assert sum("is called" in reason for reason in reasons) == 2
    findings = Findings()
    back = events_of(
        occurrences_of(mne.Annotations([0, 0], [1, 1], ["BADeye", "eye_bad"]), 0.0, 0.0), findings
    )
    assert [event.label for event in back] == ["BAD_BADeye", "eye-bad"]
