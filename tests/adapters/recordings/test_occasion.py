"""When and with what something was recorded, filters, and heads that nobody measured."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from pathlib import Path

import mne
import numpy as np
import pytest
from info_helpers import coil, definition, eeg, placement

import mne_bstinv
from mne_bstinv.adapters.recordings import from_epochs, from_evoked, from_raw, to_epochs, to_evoked
from mne_bstinv.adapters.sensors.from_mne import DEVICE_TO_HEAD, from_info
from mne_bstinv.adapters.sensors.to_mne import to_info
from mne_bstinv.conversion import conversion_report
from mne_bstinv.errors import ConversionError
from mne_bstinv.frames import HEAD_TO_SCS
from mne_bstinv.io import Channels, Recordings

MOMENT = datetime(2026, 3, 4, 5, 6, 7, 890000, tzinfo=UTC)
T0 = "2026-03-04T05:06:07.890"


def recorded(**fields: object) -> Recordings:
    """Recordings of five channels."""
    return Recordings(
        f=np.arange(10.0).reshape(5, 2),
        time=np.array([0.0, 0.01]),
        channel_flag=np.ones(5, dtype=np.int64),
        data_type="recordings",
        **fields,
    )


def test_date_and_system_of_brainstorm(tmp_path: Path) -> None:
    one = recorded(t0=T0, device="Neuromag")
    evoked = to_evoked(one, eeg())
    assert evoked.info["meas_date"] == MOMENT
    assert evoked.info["device_info"]["type"] == "Neuromag"
    report = conversion_report(evoked)
    assert not any(f.field in ("T0", "Device") for f in report)
    assert [f.field for f in report.of("assumed")] == ["t0"]  # the time zone
    evoked.save(tmp_path / "x-ave.fif")
    found = mne.read_evokeds(tmp_path / "x-ave.fif", verbose="error")[0]
    assert found.info["meas_date"] == MOMENT
    back = from_evoked(found)  # the file has no report
    assert (back.t0, back.device) == (T0, "Neuromag")


def test_an_info_that_is_given_stays_as_it_is() -> None:
    info = to_info(eeg(), sfreq=100.0)
    assert to_evoked(recorded(t0=T0), eeg(), info=info).info["meas_date"] == MOMENT
    assert info["meas_date"] is None
    known = info.copy().set_meas_date(0)
    assert to_evoked(recorded(t0=T0), eeg(), info=known).info["meas_date"].year == 1970


def test_what_was_made_anonymous_stays_so() -> None:
    evoked = to_evoked(recorded(t0=T0), eeg())
    evoked.info.set_meas_date(None)
    assert from_evoked(evoked).t0 is None


@pytest.mark.parametrize("device", ["Unknown", "", None])
def test_nobody_knows(device: str | None) -> None:
    info = to_evoked(recorded(device=device), eeg()).info
    assert info["device_info"] is None
    assert info["meas_date"] is None


def test_trials_at_different_times() -> None:
    epochs = to_epochs([recorded(t0=T0), recorded(t0=T0.replace("07", "09"))], eeg())
    assert epochs.info["meas_date"] == MOMENT
    told = [f for f in conversion_report(epochs).of("dropped") if f.field == "T0"]
    assert len(told) == 1
    assert [one.t0 for one in from_epochs(epochs)] == [T0, T0.replace("07", "09")]


def test_what_is_no_time_is_told() -> None:
    evoked = to_evoked(recorded(t0="yesterday"), eeg())
    assert evoked.info["meas_date"] is None
    assert any("'yesterday' found" in f.reason for f in conversion_report(evoked).of("dropped"))


def test_of_mne() -> None:
    info = mne.create_info(5, 100.0, "eeg").set_meas_date(MOMENT)
    with info._unlock():
        info["device_info"] = {"type": "BrainVision"}
        info["highpass"], info["lowpass"], info["line_freq"] = 0.1, 40.0, 50.0
        info["subject_info"] = {"his_id": "sub-01"}
    raw = mne.io.RawArray(np.zeros((5, 10)), info, verbose="error")
    back = from_raw(raw)
    assert (back.t0, back.device) == (T0, "BrainVision")
    told = {f.field: f.reason for f in conversion_report(from_info(info)).of("dropped")}
    assert told["info['meas_date']"] == "recordings hold it (T0)"
    assert told["info['device_info']"] == "recordings hold its type (Device)"
    assert told["info['highpass']"].startswith("0.1 Hz")
    assert told["info['lowpass']"].startswith("40 Hz")
    assert told["info"].endswith(": subject_info, line_freq")
    plain = conversion_report(from_info(mne.create_info(5, 100.0, "eeg")))
    assert not plain.of("dropped")


# a head that nobody measured


def empty_room(up: float = 0.04) -> Channels:
    """A magnetometer of a recording without a head, as Brainstorm writes it."""
    shift = np.eye(4)
    shift[2, 3] = up
    turn = np.eye(4)
    turn[:3, :3] = [[0, 1, 0], [-1, 0, 0], [0, 0, 1]]
    pattern = definition(3024)
    device = coil("M", "MEG MAG", pattern, placement(2))
    to_scs = turn @ shift
    loc = to_scs[:3, :3] @ device.loc + to_scs[:3, 3:]
    return Channels(
        channels=(dataclasses.replace(device, loc=loc, orient=to_scs[:3, :3] @ device.orient),),
        transf_meg=(shift, turn),
        transf_meg_labels=(DEVICE_TO_HEAD, HEAD_TO_SCS),
    )


def test_the_placeholder_of_an_empty_room_is_no_measurement() -> None:
    channels = empty_room()
    info = to_info(channels, sfreq=100.0)
    assert info["dev_head_t"] is None
    np.testing.assert_allclose(info["chs"][0]["loc"][:3], placement(2)[:3], rtol=0, atol=1e-12)
    assert [f.field for f in conversion_report(info).of("dropped")] == ["TransfMeg"]
    back = from_info(info)
    assert back.transf_meg_labels == channels.transf_meg_labels
    np.testing.assert_array_equal(back.transf_meg[0], channels.transf_meg[0])
    np.testing.assert_allclose(back.channels[0].loc, channels.channels[0].loc, rtol=0, atol=1e-12)


def test_another_height_is_a_measurement() -> None:
    info = to_info(empty_room(0.041), sfreq=100.0)
    assert info["dev_head_t"]["trans"][2, 3] == 0.041


def test_the_info_of_a_forward_solution_is_refused(sample_dir: Path) -> None:
    study = mne_bstinv.load_study(sample_dir, condition="evoked")
    forward = mne_bstinv.to_forward(study.head_model, study.channels, surface=study.cortex)
    with pytest.raises(ConversionError, match="Give the Info of the recordings"):
        from_info(forward["info"])
