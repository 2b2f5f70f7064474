"""CTF systems: device frame, compensation and references, against MNE's own reading of data."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import mne
import numpy as np
import pytest
from info_helpers import ctf

from mne_bstinv import from_info, io, to_info
from mne_bstinv.conversion import conversion_report
from mne_bstinv.export import export_study
from mne_bstinv.frames import transform_points

#: FIF files hold transforms and positions in single precision.
SINGLE = 1e-6
#: The baseline of CTF's references is 78.76 mm, that of MNE's definitions 78.6 mm.
BASELINE = 1e-4


@pytest.fixture(scope="module")
def recording(shared_dir: Path) -> Any:
    """MNE's own CTF recording."""
    file = shared_dir / "real" / "mne_sample" / "test_ctf_comp_raw.fif"
    return mne.io.read_raw_fif(file, verbose="error")


def as_imported(raw: Any, device_to_native: np.ndarray, labels: tuple[str, ...]) -> io.Channels:
    """A channel file as Brainstorm makes it of CTF files: SCS is CTF's head frame."""
    channels = from_info(raw.info)
    transforms = (device_to_native, *[np.eye(4)] * (len(labels) - 1))
    return dataclasses.replace(  # and without what the report keeps
        channels, transf_meg=transforms, transf_meg_labels=labels
    )


def ctf_device() -> np.ndarray:
    """MNE's transform from CTF's device frame to its own, by its description."""
    angle = np.pi / 4
    turned = np.eye(4)
    turned[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    turned[2, 3] = 0.19
    return turned


@pytest.mark.parametrize(
    "labels", [("Dewar=>Native",), ("Dewar=>Native", "Native=>Brainstorm/CTF")], ids=len
)
def test_the_device_frame_of_ctf_is_that_of_mne(recording: Any, labels: tuple[str, ...]) -> None:
    info = recording.info
    scs_to_head = conversion_report(to_info(dataclasses.replace(from_info(info)), sfreq=1.0)).kept[
        "scs_to_head"
    ]
    to_native = np.linalg.inv(scs_to_head) @ info["dev_head_t"]["trans"] @ ctf_device()
    found = to_info(as_imported(recording, to_native, labels), sfreq=1.0)
    np.testing.assert_allclose(
        found["dev_head_t"]["trans"], info["dev_head_t"]["trans"], rtol=0, atol=SINGLE
    )
    for ours, theirs in zip(found["chs"], info["chs"], strict=True):
        if ours["kind"] in (1, 301):  # MEG and references
            np.testing.assert_allclose(ours["loc"][:3], theirs["loc"][:3], rtol=0, atol=SINGLE)
            np.testing.assert_allclose(ours["loc"][9:], theirs["loc"][9:], rtol=0, atol=SINGLE)
    assert not any(f.field == "TransfMeg" for f in conversion_report(found))
    # sensors lie around the head: without the frame, they would lie where the helmet is not
    distance = np.linalg.norm(found["dev_head_t"]["trans"][:3, 3])
    assert distance == pytest.approx(0.066, abs=0.001)


def test_the_channel_file_that_brainstorm_made_of_it(shared_dir: Path, recording: Any) -> None:
    """Of the FIF file, with the transform ``neuromag_device=>ctf_head``."""
    folder = shared_dir / "oracle/local/raw_ctf/data/Subject01/@rawtest_ctf_comp_raw"
    channels = io.read_channels(folder / "channel_ctf_acc1.mat")
    info = to_info(channels, sfreq=1.0)
    np.testing.assert_allclose(
        info["dev_head_t"]["trans"], recording.info["dev_head_t"]["trans"], rtol=0, atol=SINGLE
    )
    theirs = {ch["ch_name"].partition("-")[0]: ch for ch in recording.info["chs"]}
    meg = [ch for ch in info["chs"] if ch["kind"] in (1, 301)]
    assert len(meg) == 274 + 29
    for ch in meg:
        expected = theirs[ch["ch_name"].partition("-")[0]]["loc"]
        # both coils of a reference share what their baseline is too long by
        np.testing.assert_allclose(ch["loc"][:3], expected[:3], rtol=0, atol=BASELINE)
        np.testing.assert_allclose(ch["loc"][9:], expected[9:], rtol=0, atol=SINGLE)
    (comp,) = info["comps"]
    (of_mne,) = [one for one in recording.info["comps"] if one["kind"] == comp["kind"]]
    names = [name.partition("-")[0] for name in of_mne["data"]["col_names"]]
    columns = [comp["data"]["col_names"].index(name) for name in names]
    rows = [name.partition("-")[0] for name in of_mne["data"]["row_names"]]
    order = [comp["data"]["row_names"].index(name) for name in rows]
    scale = np.abs(of_mne["data"]["data"]).max()
    np.testing.assert_allclose(
        comp["data"]["data"][np.ix_(order, columns)],
        of_mne["data"]["data"],
        rtol=0,
        atol=SINGLE * scale,
    )


def test_without_references_there_is_no_compensation(recording: Any, tmp_path: Path) -> None:
    raw = recording.copy().crop(0, 0.2).pick("mag")
    channels = from_info(raw.info)
    assert channels.meg_ref_coef is None
    (finding,) = [f for f in conversion_report(channels) if f.field == "MegRefCoef"]
    assert finding.severity == "dropped"
    assert "grade 3" in finding.reason
    evoked = mne.EvokedArray(raw.get_data(), raw.info)
    study = export_study(tmp_path / "p", evoked, subject="S", condition="c")
    assert finding in conversion_report(study).findings
    stored = io.read_channels(study.channel_file)
    assert stored.meg_ref_coef is None
    assert len(stored) == 274
    np.testing.assert_array_equal(io.read_recordings(study.recordings[0]).f, evoked.data)
    whole = from_info(recording.info)
    assert whole.meg_ref_coef is not None
    assert not any(f.field == "MegRefCoef" for f in conversion_report(whole))


@pytest.mark.parametrize("lost", ["B1", "M2"])
def test_a_part_of_the_channels_keeps_what_it_can(lost: str) -> None:
    info = to_info(ctf(), sfreq=100.0)
    picks = [i for i, name in enumerate(info["ch_names"]) if name != lost]
    part = mne.pick_info(info, picks)
    channels = from_info(part)
    told = [f for f in conversion_report(channels) if f.field == "MegRefCoef"]
    if lost == "B1":  # MNE took the compensation out with its reference
        assert part["comps"] == []
        assert channels.meg_ref_coef is None
        assert len(told) == 1
    else:
        assert channels.meg_ref_coef is not None
        assert channels.meg_ref_coef.shape == (3, 4)
        assert told == []


def test_an_unknown_device_is_said_to_be_the_head() -> None:
    channels = dataclasses.replace(
        ctf(), transf_meg=(np.eye(4),), transf_meg_labels=("manual correction",)
    )
    info = to_info(channels, sfreq=100.0)
    np.testing.assert_array_equal(info["dev_head_t"]["trans"], np.eye(4))
    assert any(f.field == "TransfMeg" for f in conversion_report(info).of("assumed"))


def test_later_corrections_belong_to_the_way_from_the_device() -> None:
    """What Brainstorm moved the sensors by afterwards is part of device → SCS."""
    rng = np.random.default_rng(2)
    native, moved = np.eye(4), np.eye(4)
    native[:3, 3], moved[:3, 3] = rng.normal(size=(2, 3)) / 100
    channels = dataclasses.replace(
        ctf(),
        transf_meg=(native, moved),
        transf_meg_labels=("Dewar=>Native", "refine registration: head points"),
    )
    info = to_info(channels, sfreq=100.0)
    report = conversion_report(info)
    expected = report.kept["scs_to_head"] @ moved @ native @ np.linalg.inv(ctf_device())
    np.testing.assert_allclose(info["dev_head_t"]["trans"], expected, rtol=0, atol=1e-15)
    # coils are where they were
    to_head = info["dev_head_t"]["trans"]
    for ch, channel in zip(info["chs"][4:8], channels.channels[4:8], strict=True):
        place = transform_points(to_head, ch["loc"][:3])
        scs = transform_points(np.linalg.inv(report.kept["scs_to_head"]), place)
        assert np.linalg.norm(scs - channel.loc.mean(axis=1)) < 0.05
    back = from_info(info)
    assert back.transf_meg_labels == channels.transf_meg_labels
