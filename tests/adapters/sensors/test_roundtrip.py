"""Channel file → Info → channel file, and Info → channel file → Info."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import mne
import numpy as np
import pytest
from info_helpers import (
    LPA,
    NAS,
    RPA,
    channel_files,
    coil,
    ctf,
    definition,
    eeg,
    placement,
    relative,
)

from mne_bstinv.adapters._mne_private import unlocked
from mne_bstinv.adapters.sensors.digitization import head_to_scs
from mne_bstinv.adapters.sensors.from_mne import from_info
from mne_bstinv.adapters.sensors.to_mne import to_info
from mne_bstinv.conversion import conversion_report
from mne_bstinv.errors import FrameError
from mne_bstinv.frames import head_from_fiducials, transform_points
from mne_bstinv.io import SCS, Channels, read_channels, write_channels

EXACT = 1e-12


def assert_same(back: Channels, channels: Channels, tolerance: float = EXACT) -> None:
    """Compare all that a channel file holds."""
    assert back.names == channels.names
    assert back.types == channels.types
    for one, other in zip(back.channels, channels.channels, strict=True):
        assert (one.comment, one.group) == (other.comment, other.group)
        for field in ("loc", "orient", "weight"):
            assert relative(getattr(one, field), getattr(other, field)) < tolerance, one.name
    assert len(back.projectors) == len(channels.projectors)
    for one, other in zip(back.projectors, channels.projectors, strict=True):
        assert relative(one.components, other.components) < tolerance
        assert relative(one.comp_mask, other.comp_mask) == 0
        assert (one.comment, one.status, one.method) == (other.comment, other.status, other.method)
    assert relative(back.meg_ref_coef, channels.meg_ref_coef) < tolerance
    for field in ("transf_meg", "transf_eeg"):
        assert getattr(back, f"{field}_labels") == getattr(channels, f"{field}_labels")
        for one, other in zip(getattr(back, field), getattr(channels, field), strict=True):
            assert relative(one, other) < tolerance
    assert (back.head_points is None) == (channels.head_points is None)
    if channels.head_points is not None:
        assert relative(back.head_points.loc, channels.head_points.loc) < tolerance
        assert back.head_points.label == channels.head_points.label
        assert back.head_points.type == channels.head_points.type
    assert (back.scs is None) == (channels.scs is None)
    if channels.scs is not None:
        for field in ("nas", "lpa", "rpa", "r", "t"):
            assert relative(getattr(back.scs, field), getattr(channels.scs, field)) < tolerance
    assert (back.comment, back.history) == (channels.comment, channels.history)


def test_committed_protocols(sample_dir: Path, data_dir: Path) -> None:
    files = channel_files(sample_dir, data_dir)
    assert len(files) >= 6
    for fname in files:
        channels = read_channels(fname)
        assert_same(from_info(to_info(channels, sfreq=250.0)), channels)


def test_third_party_files(shared_dir: Path) -> None:
    files = channel_files(shared_dir / "oracle/local", shared_dir / "real/brainstorm/channels")
    assert len(files) >= 13
    for fname in files:
        channels = read_channels(fname)
        assert_same(from_info(to_info(channels, sfreq=250.0)), channels)


def test_compensated_references() -> None:
    channels = ctf()
    assert_same(from_info(to_info(channels, sfreq=250.0)), channels)


def test_a_moved_head_moves_the_points(sample_dir: Path) -> None:
    """The report keeps patterns, not positions: what the user changes in the Info counts."""
    channels = read_channels(next(sample_dir.glob("data/*/evoked/channel*.mat")))
    info = to_info(channels, sfreq=250.0)
    shift = np.array([1e-3, -2e-3, 3e-3])
    trans = info["dev_head_t"]["trans"].copy()
    trans[:3, 3] += shift
    info["dev_head_t"] = mne.transforms.Transform("meg", "head", trans)
    back = from_info(info)
    scs_shift = np.linalg.inv(conversion_report(info).kept["scs_to_head"])[:3, :3] @ shift
    for one, other in zip(back.channels, channels.channels, strict=True):
        if other.type.startswith("MEG"):
            moved = other.loc + scs_shift[:, np.newaxis]
            np.testing.assert_allclose(one.loc, moved, rtol=0, atol=1e-15)
        elif other.loc is not None:
            np.testing.assert_allclose(one.loc, other.loc, rtol=0, atol=1e-15)
    np.testing.assert_array_equal(back.transf_meg[0], trans)


def test_picked_channels(sample_dir: Path) -> None:
    channels = read_channels(next(sample_dir.glob("data/*/evoked/channel*.mat")))
    info = to_info(channels, sfreq=250.0)
    report = conversion_report(info)
    picks = np.arange(10, 90)[::-1]
    picked = mne.pick_info(info, picks)
    object.__setattr__(picked, "_bstinv_report", report)
    back = from_info(picked)
    assert back.names == tuple(channels.names[i] for i in picks)
    np.testing.assert_array_equal(
        back.projectors[0].components, channels.projectors[0].components[picks]
    )
    for one, i in zip(back.channels, picks, strict=True):
        assert relative(one.loc, channels.channels[i].loc) < EXACT


@pytest.mark.parametrize("coil_type", [3012, 3024, 5001, 5003, 6001, 8101])
def test_without_report_the_accuracy_1_pattern_stands(coil_type: int) -> None:
    pattern, loc = definition(coil_type), placement(7)
    kind = "MEG GRAD" if coil_type == 3012 else "MEG"
    channels = Channels(
        channels=(coil("X", kind, pattern, loc),), scs=SCS(nas=NAS, lpa=LPA, rpa=RPA)
    )
    back = from_info(to_info(channels, sfreq=100.0).copy())
    one, other = back.channels[0], channels.channels[0]
    assert one.comment == pattern.description
    assert one.type == {3012: "MEG GRAD", 3024: "MEG MAG"}.get(coil_type, "MEG")
    np.testing.assert_array_equal(one.weight, pattern.weights)
    np.testing.assert_allclose(one.loc, other.loc, rtol=0, atol=1e-14)
    np.testing.assert_allclose(one.orient, other.orient, rtol=0, atol=1e-12)
    assert back.transf_meg_labels == ("neuromag_device=>neuromag_head", "neuromag_head=>scs")


def test_scs_follows_from_the_fiducials() -> None:
    rng = np.random.default_rng(4)
    for _ in range(20):
        fiducials = rng.standard_normal((3, 3)) * 0.1
        to_head = head_from_fiducials(*fiducials)
        in_head = transform_points(to_head, fiducials)
        nas, lpa, rpa = transform_points(head_to_scs(tuple(in_head)), in_head)
        # the definition: origin midway, nasion on x, ears in z = 0, left at positive y
        np.testing.assert_allclose(lpa + rpa, 0, atol=1e-15)
        np.testing.assert_allclose(nas[1:], 0, atol=1e-15)
        np.testing.assert_allclose([lpa[2], rpa[2]], 0, atol=1e-15)
        assert nas[0] > 0
        assert lpa[1] > 0
        matrix = head_to_scs(tuple(in_head))
        np.testing.assert_allclose(matrix[:3, :3] @ matrix[:3, :3].T, np.eye(3), atol=1e-14)
        assert np.linalg.det(matrix) > 0


def test_fiducials_on_a_line_are_refused() -> None:
    info = to_info(eeg(), sfreq=100.0).copy()
    for point in info["dig"]:
        if point["kind"] == 1:
            point["r"] = np.array([float(point["ident"]), 0, 0])
    with pytest.raises(FrameError, match="on one line"):
        from_info(info)


def test_head_without_fiducials_is_assumed() -> None:
    channels = eeg(scs=None)
    back = from_info(to_info(channels, sfreq=100.0).copy())
    assert [f.field for f in conversion_report(back).of("assumed")] == ["info['dig']"]
    for one, other in zip(back.channels, channels.channels, strict=True):
        np.testing.assert_allclose(one.loc, other.loc, rtol=0, atol=1e-16)
        assert one.comment == "EEG electrode"
    assert back.scs is None


def test_absent_device_transform_is_assumed() -> None:
    channels = Channels(channels=(coil("X", "MEG GRAD", definition(3012), placement(1)),))
    info = to_info(channels, sfreq=100.0).copy()
    info["dev_head_t"] = None
    assert {f.field for f in conversion_report(from_info(info)).of("assumed")} >= {
        "info['dev_head_t']"
    }


def test_info_comes_back_as_it_was() -> None:
    info = mne.create_info(["a", "b", "c"], 500.0, ["eeg", "resp", "mag"])
    with unlocked(info):
        info["line_freq"] = 50.0
        info["lowpass"] = 40.0
    info["bads"] = ["a"]
    channels = from_info(info)
    assert mne.utils.object_diff(to_info(channels, sfreq=500.0), info) == ""
    assert to_info(channels, sfreq=60.0)["lowpass"] == 30.0
    assert to_info(channels, sfreq=500.0, channel_flag=[1, 1, -1])["bads"] == ["c"]
    told = {f.field for f in conversion_report(channels).of("dropped")}
    assert told == {"info", "info['bads']", "info['chs']", "info['lowpass']"}


def test_chains_lose_nothing() -> None:
    channels = ctf()
    info = to_info(channels, sfreq=100.0)
    for _ in range(2):
        report = conversion_report(info)
        back = from_info(info)
        assert_same(back, channels)
        info = to_info(back, sfreq=100.0)
        assert conversion_report(info).kept["opposite"] == report.kept["opposite"]
    strange = mne.create_info(["a", "b"], 500.0, "eeg")
    strange = to_info(from_info(strange), sfreq=500.0)
    scs = conversion_report(strange).kept["scs_to_head"]
    np.testing.assert_array_equal(scs[:3, :3], [[0, -1, 0], [1, 0, 0], [0, 0, 1]])
    assert from_info(strange).names == ("a", "b")


def test_complete_structure_is_written(sample_dir: Path, tmp_path: Path) -> None:
    info = mne.io.read_info(sample_dir / "truth-info.fif", verbose="error")
    channels = from_info(info)
    write_channels(tmp_path / "channel_x.mat", channels)
    read = read_channels(tmp_path / "channel_x.mat")
    assert_same(read, channels)
    again = to_info(read, sfreq=info["sfreq"])
    assert again["ch_names"] == info["ch_names"]
    assert again.get_channel_types() == info.get_channel_types()
    for one, other in zip(again["chs"], info["chs"], strict=True):
        assert one["coil_type"] == other["coil_type"]
        if other["kind"] in (1, 2):
            last = 12 if other["kind"] == 1 else 3
            np.testing.assert_allclose(one["loc"][:last], other["loc"][:last], atol=1e-12)


def test_truth_gives_the_channel_file(sample_dir: Path) -> None:
    """MNE's Info alone gives the points that Brainstorm stored, to single precision."""
    channels = read_channels(next(sample_dir.glob("data/*/evoked/channel*.mat")))
    back = from_info(mne.io.read_info(sample_dir / "truth-info.fif", verbose="error"))
    assert back.names == channels.names
    assert back.types == channels.types
    for one, other in zip(back.channels, channels.channels, strict=True):
        assert relative(one.weight, other.weight) < EXACT
        if other.loc is not None:
            np.testing.assert_allclose(one.loc, other.loc, rtol=0, atol=1e-7)
    for field in ("nas", "lpa", "rpa"):
        np.testing.assert_allclose(
            getattr(back.scs, field), getattr(channels.scs, field), atol=1e-7
        )


def test_real_ctf_recording(shared_dir: Path) -> None:
    fname = shared_dir / "real/mne_sample/test_ctf_comp_raw.fif"
    info = mne.io.read_info(fname, verbose="error")
    channels = from_info(info)
    assert channels.meg_ref_coef.shape == (274, 29)
    assert mne.utils.object_diff(to_info(channels, sfreq=info["sfreq"]), info) == ""
    assert {f.field for f in conversion_report(channels)} == {
        "info", "info['comps']", "info['ctf_head_t']", "info['meas_date']", "info['highpass']",
        "info['lowpass']",
    }  # fmt: skip
    # without what the report keeps: from the points alone
    again = to_info(dataclasses.replace(channels), sfreq=info["sfreq"])
    assert again["ch_names"] == info["ch_names"]
    assert again.get_channel_types() == info.get_channel_types()
    np.testing.assert_allclose(
        again["dev_head_t"]["trans"], info["dev_head_t"]["trans"], rtol=0, atol=1e-15
    )
    for one, other in zip(again["chs"], info["chs"], strict=True):
        if other["kind"] in (1, 301):
            assert one["coil_type"] == other["coil_type"]
            np.testing.assert_allclose(one["loc"], other["loc"], rtol=0, atol=1e-12)
    source = mne.setup_volume_source_space(
        pos={"rr": [[0.0, 0.03, 0.08], [0.04, 0, 0.05]], "nn": [[0.0, 0, 1]] * 2}, verbose="error"
    )
    sphere = mne.make_sphere_model((0, 0, 0.04), 0.1, verbose="error")
    gains = [
        mne.make_forward_solution(
            i, mne.transforms.Transform("head", "mri"), source, sphere, eeg=False, verbose="error"
        )["sol"]["data"]
        for i in (again, info)
    ]
    assert gains[0].shape == (274, 6)
    assert relative(*gains) < 1e-9
