"""Channel file → Info: names, types, positions, frames, digitisation, flags, faults."""

from __future__ import annotations

import copy
import dataclasses
import logging
import pickle
from pathlib import Path

import mne
import numpy as np
import pytest
from info_helpers import (
    LPA,
    NAS,
    RPA,
    angles,
    channel_files,
    coil,
    ctf,
    definition,
    eeg,
    electrode,
    head_points,
    in_head,
    placement,
)

from mne_bstinv.adapters.channel_names import match_channel_names
from mne_bstinv.adapters.sensors.from_mne import from_info
from mne_bstinv.adapters.sensors.to_mne import to_info
from mne_bstinv.conversion import conversion_report
from mne_bstinv.errors import BstInvError, ConversionError, FrameError
from mne_bstinv.frames import scs_to_head
from mne_bstinv.io import SCS, Channel, Channels, Mri, read_channels

#: FIF holds positions in single precision: half a unit in the last place of 0.25 m is 7e-9 m.
SINGLE = 1.5e-8


def truth(protocol: Path) -> tuple[Channels, mne.Info]:
    """A channel file with the Info that it was made of."""
    fname = next(iter(sorted(protocol.glob("data/*/evoked/channel*.mat"))))
    return read_channels(fname), mne.io.read_info(protocol / "truth-info.fif", verbose="error")


@pytest.fixture(params=["sample_small", "meg_eeg", "eeg_surface"])
def protocol(request: pytest.FixtureRequest, sample_dir: Path, data_dir: Path) -> Path:
    """The protocols whose true Info is known."""
    return sample_dir if request.param == "sample_small" else data_dir / request.param


def locs(info: mne.Info, picks: np.ndarray) -> np.ndarray:
    return np.array([info["chs"][i]["loc"] for i in picks])


def test_truth(protocol: Path) -> None:
    channels, expected = truth(protocol)
    info = to_info(channels, sfreq=expected["sfreq"])
    assert info["ch_names"] == expected["ch_names"]
    assert info.get_channel_types() == expected.get_channel_types()
    for name in ("kind", "coil_type", "unit", "coord_frame", "scanno", "logno"):
        assert [ch[name] for ch in info["chs"]] == [ch[name] for ch in expected["chs"]], name
    meg = mne.pick_types(info, meg=True)
    electrodes = mne.pick_types(info, meg=False, eeg=True)
    found, wanted = locs(info, meg), locs(expected, meg)
    if meg.size:
        np.testing.assert_allclose(found[:, :3], wanted[:, :3], rtol=0, atol=1e-7)
        axes = found[:, 3:].reshape(-1, 3, 3), wanted[:, 3:].reshape(-1, 3, 3)
        assert angles(*axes) < 1e-3
        np.testing.assert_allclose(
            info["dev_head_t"]["trans"], expected["dev_head_t"]["trans"], rtol=0, atol=1e-7
        )
    np.testing.assert_allclose(
        locs(info, electrodes)[:, :3], locs(expected, electrodes)[:, :3], rtol=0, atol=1e-7
    )


def test_truth_digitisation(protocol: Path) -> None:
    channels, expected = truth(protocol)
    info = to_info(channels, sfreq=250.0)
    found, wanted = info["dig"], expected["dig"]
    assert [(d["kind"], d["ident"]) for d in found] == [(d["kind"], d["ident"]) for d in wanted]
    assert {int(d["coord_frame"]) for d in found} == {4}
    np.testing.assert_allclose([d["r"] for d in found], [d["r"] for d in wanted], atol=SINGLE)
    # the channel files hold no EEG points: they come from the channels, which is told
    assert any("EEG points" in f.reason for f in conversion_report(info).of("derived"))


def test_only_what_follows_is_told_of_the_sample(sample_dir: Path) -> None:
    channels, _ = truth(sample_dir)
    report = conversion_report(to_info(channels, sfreq=250.0))
    assert not report.of("assumed")
    assert [f.field for f in report.of("dropped")] == ["Projector(1) 'blink'"]
    assert report.kept["channels"] is channels
    np.testing.assert_array_equal(report.kept["scs_to_head"], scs_to_head(channels).matrix)


def test_real_neuromag_sensors(shared_dir: Path) -> None:
    channels = read_channels(
        shared_dir / "oracle/local/meg_neuromag/data/Subject01/auditory"
        "/channel_vectorview306_acc1.mat"
    )
    evoked = mne.read_evokeds(shared_dir / "real/mne_sample/test-ave.fif.gz", verbose="error")[0]
    info, expected = to_info(channels, sfreq=600.0), evoked.info
    order = match_channel_names(info["ch_names"], expected["ch_names"])
    assert info.get_channel_types() == np.array(expected.get_channel_types())[order].tolist()
    for kind, n_channels in (("meg", 306), ("eeg", 60)):
        picks = mne.pick_types(info, meg=kind == "meg", eeg=kind == "eeg")
        assert len(picks) == n_channels
        columns = slice(0, 12) if kind == "meg" else slice(0, 6)  # EEG: electrode and reference
        np.testing.assert_allclose(
            locs(info, picks)[:, columns],
            locs(expected, order[picks])[:, columns],
            rtol=0,
            atol=1e-9,
        )
    np.testing.assert_array_equal(info["dev_head_t"]["trans"], expected["dev_head_t"]["trans"])
    assert [(d["kind"], d["ident"]) for d in info["dig"]] == [
        (d["kind"], d["ident"]) for d in expected["dig"]
    ]
    np.testing.assert_allclose(
        [d["r"] for d in info["dig"]], [d["r"] for d in expected["dig"]], rtol=0, atol=SINGLE
    )
    assert [p["desc"] for p in info["projs"]] == [p["desc"] for p in expected["projs"]]
    for found, wanted in zip(info["projs"][:3], expected["projs"][:3], strict=True):
        assert found["data"]["col_names"] == wanted["data"]["col_names"]
        np.testing.assert_array_equal(found["data"]["data"], wanted["data"]["data"])


def test_input_is_not_changed_and_output_is_its_own() -> None:
    channels = ctf()
    before = [None if c.loc is None else c.loc.copy() for c in channels.channels]
    info = to_info(channels, sfreq=100.0)
    for ch in info["chs"]:
        ch["loc"][:] = 1
    info["comps"][0]["data"]["data"][:] = 0
    for loc, channel in zip(before, channels.channels, strict=True):
        assert (loc is None) == (channel.loc is None)
        if loc is not None:
            np.testing.assert_array_equal(loc, channel.loc)
    assert channels.meg_ref_coef.all()


def test_bads_come_from_the_flags() -> None:
    channels = eeg(4)
    assert to_info(channels, sfreq=100.0, channel_flag=[1, -1, 1, -1])["bads"] == ["E2", "E4"]
    assert to_info(channels, sfreq=100.0, channel_flag=np.ones(4))["bads"] == []
    with pytest.raises(
        ConversionError, match=r"ChannelFlag has 3 values, expected one for each of the 4 channels"
    ):
        to_info(channels, sfreq=100.0, channel_flag=[1, 1, 1])


@pytest.mark.parametrize("sfreq", [0, -1.0, np.nan, np.inf])
def test_a_rate_is_a_number_above_0(sample_dir: Path, sfreq: float) -> None:
    channels = read_channels(next(sample_dir.rglob("channel*.mat")))
    with pytest.raises(ConversionError, match=r"^sfreq must be a frequency \(Hz\) above 0, found "):
        to_info(channels, sfreq=sfreq)


def test_fiducials_on_a_line_are_refused() -> None:
    channels = eeg(scs=SCS(nas=np.zeros(3), lpa=LPA, rpa=-LPA))
    with pytest.raises(FrameError, match="on one line"):
        to_info(channels, sfreq=100.0)


def test_without_fiducials_the_head_frame_is_assumed() -> None:
    info = to_info(eeg(scs=None), sfreq=100.0)
    assert [f.field for f in conversion_report(info).of("assumed")] == ["SCS"]
    assert not any(d["kind"] == 1 for d in info["dig"])


def test_fiducials_of_the_mri() -> None:
    channels = eeg(scs=None)
    matrix = np.eye(3)
    scs = SCS(nas=1e3 * NAS, lpa=1e3 * LPA, rpa=1e3 * RPA, r=matrix, t=np.zeros(3))
    mri = Mri(cube=np.zeros((2, 2, 2)), voxsize=np.ones(3), scs=scs)
    info = to_info(channels, sfreq=100.0, mri=mri)
    expected = to_info(eeg(), sfreq=100.0)
    assert not conversion_report(info).of("assumed")
    assert len(info["dig"]) == len(expected["dig"])
    for found, wanted in zip(info["dig"], expected["dig"], strict=True):
        np.testing.assert_allclose(found["r"], wanted["r"], rtol=0, atol=1e-15)


def test_device_is_assumed_to_be_head() -> None:
    channels = Channels(
        channels=(coil("G", "MEG GRAD", definition(3012), placement(1)),),
        scs=SCS(nas=NAS, lpa=LPA, rpa=RPA),
    )
    info = to_info(channels, sfreq=100.0)
    assert [f.field for f in conversion_report(info).of("assumed")] == ["TransfMeg"]
    np.testing.assert_array_equal(info["dev_head_t"]["trans"], np.eye(4))
    head = in_head(channels, placement(1)[np.newaxis, :3])[0]
    np.testing.assert_allclose(info["chs"][0]["loc"][:3], head, rtol=0, atol=1e-15)


def test_reference_electrode() -> None:
    reference = np.array([0.09, 0.01, 0.06])
    channels = eeg()
    positions = [(str(i), c.loc[:, 0]) for i, c in enumerate(channels.channels, start=1)]
    channels = eeg(head_points=head_points(EEG=[("0", reference), *positions]))
    info = to_info(channels, sfreq=100.0)
    wanted = in_head(channels, reference[np.newaxis])[0]
    for ch in info["chs"]:
        np.testing.assert_allclose(ch["loc"][3:6], wanted, rtol=0, atol=1e-15)
    assert [d["ident"] for d in info["dig"] if d["kind"] == 3] == list(range(6))
    # the Info alone, without digitised points, tells it too
    with mne.utils.use_log_level("error"):
        stripped = info.copy()
        montage = mne.channels.make_dig_montage(coord_frame="head")
        stripped.set_montage(montage, on_missing="ignore")
    for ch, original in zip(stripped["chs"], info["chs"], strict=True):
        ch["loc"] = original["loc"]
    back = from_info(stripped)
    assert back.head_points.label == ("0",)
    assert back.head_points.type == ("EEG",)


def test_differences_of_two_electrodes_are_named() -> None:
    info = mne.create_info(["A", "B", "C", "D"], 100.0, "eeg")
    places = dict(zip(info["ch_names"], np.eye(4, 3) * 0.1, strict=True))
    info.set_montage(mne.channels.make_dig_montage(places, NAS, LPA, RPA, coord_frame="head"))
    raw = mne.io.RawArray(np.zeros((4, 10)), info, verbose="error")
    pairs = mne.set_bipolar_reference(raw, "A", "B", verbose="error").info
    (said,) = [f for f in conversion_report(from_info(pairs)) if f.field == "info['chs']"]
    assert said.severity == "dropped"
    assert said.reason.endswith("at the place of the first: A-B")
    # references of their own: no electrode is that of all
    for ch, other in zip(info["chs"], np.roll(np.eye(4, 3) * 0.1, 1, axis=0), strict=True):
        ch["loc"][3:6] = other
    back = from_info(info)
    assert "0" not in back.head_points.label
    assert any("references of their own" in f.reason for f in conversion_report(back))


def test_head_points() -> None:
    points = head_points(
        HPI=[("1", NAS), ("2", RPA)],
        EXTRA=[("7", 1.1 * NAS), ("3", 1.1 * LPA)],
        CARDINAL=[("NAS", NAS), ("LPA", LPA), ("RPA", RPA)],
    )
    info = to_info(eeg(scs=None, head_points=points), sfreq=100.0)
    assert not conversion_report(info).of("assumed")
    found = {(int(d["kind"]), int(d["ident"])): d["r"] for d in info["dig"]}
    assert {kind for kind, _ in found} == {1, 2, 3, 4}
    nasion = found[1, 2]
    np.testing.assert_allclose(nasion[[0, 2]], 0, atol=1e-16)
    np.testing.assert_allclose(found[2, 1], nasion, rtol=0, atol=1e-15)
    assert {(4, 7), (4, 3)} <= set(found)


def test_names_of_head_points_are_told() -> None:
    points = head_points(EXTRA=[("chin", NAS)], FOO=[("1", NAS)])
    report = conversion_report(to_info(eeg(head_points=points), sfreq=100.0))
    fields = [f.field for f in report.of("dropped")]
    assert fields == ["HeadPoints", "HeadPoints.Label"]


def test_electrode_without_position() -> None:
    channels = eeg(channels=(electrode("E1", [0, 0, 0.1]), Channel(name="E2", type="EEG")))
    info = to_info(channels, sfreq=100.0)
    assert np.isnan(info["chs"][1]["loc"]).all()
    assert any("E2 has no position" in f.reason for f in conversion_report(info).of("assumed"))
    assert from_info(info).channels[1].loc is None


def test_what_has_no_place_is_told() -> None:
    channels = dataclasses.replace(
        eeg(channels=(Channel(name="A1", type="SEEG", group="A"),)),
        clusters={"Label": "c"},
        history=(("now", "import", "x"),),
    )
    info = to_info(channels, sfreq=100.0)
    fields = {f.field for f in conversion_report(info).of("dropped")}
    assert fields == {"Clusters", "History", "Channel.Group"}
    assert "History: MNE has no place for this of a channel file" in str(conversion_report(info))
    back = from_info(info)
    assert back.channels[0].group == "A"
    assert back.history == channels.history
    assert back.clusters == channels.clusters


def test_findings_are_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="mne_bstinv"):
        info = to_info(eeg(scs=None), sfreq=100.0)
    messages = [r.getMessage() for r in caplog.records if r.name == "mne_bstinv"]
    assert messages == [f"channels → Info: {f}" for f in conversion_report(info)]


def test_every_error_is_of_the_package() -> None:
    assert issubclass(ConversionError, BstInvError)


def all_channels(sample_dir: Path, data_dir: Path) -> list[Channels]:
    files = channel_files(sample_dir, data_dir)
    assert len(files) >= 6
    return [*map(read_channels, files), ctf()]


def test_survives_copies_and_files(sample_dir: Path, data_dir: Path, tmp_path: Path) -> None:
    for number, channels in enumerate(all_channels(sample_dir, data_dir)):
        info = to_info(channels, sfreq=250.0)
        for copied in (info.copy(), copy.deepcopy(info), pickle.loads(pickle.dumps(info))):
            assert mne.utils.object_diff(copied, info) == ""
        fname = tmp_path / f"{number}-info.fif"
        mne.io.write_info(fname, info)
        read = mne.io.read_info(fname, verbose="error")
        assert read["ch_names"] == info["ch_names"]
        assert read["description"] == info["description"]
        assert len(read["projs"]) == len(info["projs"])
        assert [ch["coil_type"] for ch in read["chs"]] == [ch["coil_type"] for ch in info["chs"]]
        np.testing.assert_allclose(
            locs(read, np.arange(len(channels))), locs(info, np.arange(len(channels))), atol=6e-8
        )
        for one, other in zip(read["comps"], info["comps"], strict=True):
            np.testing.assert_allclose(one["data"]["data"], other["data"]["data"], rtol=1e-6)
        mne.EvokedArray(np.zeros((len(channels), 3)), info, verbose="error")
        assert "Info" in repr(info)
        assert info._repr_html_()
        if info["dig"]:
            assert info.get_montage() is not None


def test_file_gives_the_same_channels_to_single_precision(sample_dir: Path, tmp_path: Path) -> None:
    channels, _ = truth(sample_dir)
    mne.io.write_info(tmp_path / "x-info.fif", to_info(channels, sfreq=250.0))
    back = from_info(mne.io.read_info(tmp_path / "x-info.fif", verbose="error"))
    assert back.names == channels.names
    assert back.types == channels.types
    for one, other in zip(back.channels, channels.channels, strict=True):
        if other.loc is not None:
            np.testing.assert_allclose(one.loc, other.loc, rtol=0, atol=1e-7)
