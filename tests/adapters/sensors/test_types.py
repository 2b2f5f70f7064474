"""Types of channels in both directions, names, positions that are none, cardinal points."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import mne
import numpy as np
import pytest
from info_helpers import LPA, NAS, RPA, eeg, electrode, head_points

from mne_bstinv.adapters.sensors.from_mne import from_info
from mne_bstinv.adapters.sensors.to_mne import to_info
from mne_bstinv.adapters.sensors.types import mne_type
from mne_bstinv.conversion import conversion_report
from mne_bstinv.frames import fiducials_in_scs
from mne_bstinv.io import SCS, Channel, Channels, read_channels

POSITION = [0.1, 0.02, 0.03]

#: Brainstorm's type, in one of its spellings → MNE's.
TYPES = {
    "EEG": "eeg", "eeg": "eeg", "ECOG": "ecog", "SEEG": "seeg", "DBS": "dbs",
    "EOG": "eog", "VEOG": "eog", "HEOG": "eog", "VEO": "eog", "HEO": "eog",
    "ECG": "ecg", "EKG": "ecg", "EMG": "emg", "RESP": "resp", "BIO": "bio", "GSR": "gsr",
    "TEMP": "temperature", "Stim": "stim", "STIM": "stim", "STI": "stim", "Trigger": "stim",
    "SysClock": "syst", "SYSCLOCK": "syst", "MISC": "misc", "Misc": "misc",
    "EEG REF": "misc", "EEG BAD LOC": "misc", "EEG_NO_LOC": "misc", "EEG NO LOC": "misc",
    "Video": "misc", "NIRS": "misc",
}  # fmt: skip


def test_types() -> None:
    channels = Channels(
        channels=tuple(electrode(f"{i} {t}", POSITION, t) for i, t in enumerate(TYPES))
    )
    info = to_info(channels, sfreq=100.0)
    assert dict(zip(TYPES, info.get_channel_types(), strict=True)) == TYPES
    head = [-POSITION[1], POSITION[0], POSITION[2]]  # no fiducials: turned by 90°
    for ch, kind in zip(info["chs"], TYPES.values(), strict=True):
        if kind in ("eeg", "ecog", "seeg", "dbs"):
            np.testing.assert_allclose(ch["loc"][:3], head, rtol=0, atol=1e-16)
            assert ch["coord_frame"] == 4
        else:  # MNE takes what has a position for a sensor, in every plot
            assert np.isnan(ch["loc"]).all()
    back = from_info(info)
    assert back.types == tuple(TYPES)
    for channel in back.channels:
        np.testing.assert_allclose(np.ravel(channel.loc), POSITION, rtol=0, atol=1e-16)


def test_what_mne_has_no_type_for_is_told_once_a_type() -> None:
    kinds = ("Video", "Video", "SysClock", "EEG REF", "RESP", "EEG_NO_LOC", "EKG")
    channels = eeg(channels=tuple(Channel(name=f"C{i}", type=t) for i, t in enumerate(kinds)))
    told = [f.reason for f in conversion_report(to_info(channels, sfreq=100.0)).of("dropped")]
    assert [reason.split(":")[0] for reason in told] == [
        "MNE has no type 'Video'",
        "EEG REF",
        "EEG_NO_LOC",
    ]
    assert told[0] == "MNE has no type 'Video': misc: C0, C1"


@pytest.mark.parametrize(
    ("kind", "written"),
    [
        ("eog", "EOG"), ("ecg", "ECG"), ("emg", "EMG"), ("resp", "RESP"), ("bio", "BIO"),
        ("gsr", "GSR"), ("temperature", "TEMP"), ("dbs", "DBS"), ("syst", "SysClock"),
        ("stim", "Stim"), ("misc", "Misc"), ("seeg", "SEEG"), ("ecog", "ECOG"),
    ],
)  # fmt: skip
def test_types_of_mne(kind: str, written: str) -> None:
    found = from_info(mne.create_info(["a"], 100.0, kind))
    assert found.types == (written,)
    assert mne_type(written) == kind
    assert not any("of type Misc" in f.reason for f in conversion_report(found))


def test_type_without_counterpart_is_told() -> None:
    found = from_info(mne.create_info(["a"], 100.0, "ias"))
    assert found.types == ("Misc",)
    assert any("ias channels are of type Misc" in f.reason for f in conversion_report(found))


def test_reference_electrode_is_not_averaged() -> None:
    """MNE's average reference is Brainstorm's: over the EEG channels, without EEG REF."""
    channels = eeg(5)
    reference = electrode("REF", POSITION, "EEG REF")
    channels = dataclasses.replace(channels, channels=(*channels.channels, reference))
    info = to_info(channels, sfreq=100.0)
    data = np.random.default_rng(0).standard_normal((6, 20))
    data[-1] = 0
    evoked = mne.EvokedArray(data, info).set_eeg_reference("average", verbose="error")
    np.testing.assert_allclose(evoked.data[:5], data[:5] - data[:5].mean(axis=0), atol=1e-15)
    cov = mne.Covariance(
        np.eye(5), list(channels.names[:5]), bads=[], projs=[], nfree=10, verbose="error"
    )
    assert mne.whiten_evoked(evoked, cov, verbose="error").data.shape == (6, 20)
    assert from_info(info).types[-1] == "EEG REF"


def test_origin_is_no_position() -> None:
    channels = eeg(
        channels=(
            electrode("E1", [0, 0, 0.1]),
            electrode("E2", [0, 0, 0]),
            electrode("E3", [0, 0, 0], "EOG"),
        )
    )
    info = to_info(channels, sfreq=100.0)
    assert np.isnan(info["chs"][1]["loc"]).all()
    assert [d["ident"] for d in info["dig"] if d["kind"] == 3] == [1]
    assert any("E2 has no position" in f.reason for f in conversion_report(info).of("assumed"))
    np.testing.assert_array_equal(from_info(info).channels[1].loc, np.zeros((3, 1)))


def test_positions_without_a_place_move_with_the_head() -> None:
    channels = eeg(2)
    channels = dataclasses.replace(
        channels, channels=(*channels.channels, electrode("EOG", POSITION, "EOG"))
    )
    info = to_info(channels, sfreq=100.0)
    assert any("MNE has no position" in f.reason for f in conversion_report(info).of("dropped"))
    info["dig"][0]["r"] += [0, 0.003, 0.001]  # another left ear: another SCS
    back = from_info(info)
    distance = np.linalg.norm(np.ravel(back.channels[2].loc) - back.channels[0].loc[:, 0])
    expected = np.linalg.norm(np.array(POSITION) - channels.channels[0].loc[:, 0])
    assert not np.allclose(np.ravel(back.channels[2].loc), POSITION, rtol=0, atol=1e-6)
    np.testing.assert_allclose(distance, expected, rtol=0, atol=1e-12)


# names


def named(*names: str) -> Channels:
    """EEG channels at different places."""
    places = np.linalg.qr(np.random.default_rng(0).standard_normal((3, 3)))[0]
    return Channels(
        channels=tuple(
            electrode(name, 0.1 * places[i % 3] + [0, 0, 0.001 * i]) for i, name in enumerate(names)
        ),
        scs=SCS(nas=NAS, lpa=LPA, rpa=RPA),
    )


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("Cz", "Cz", "Pz"), ["Cz-0", "Cz-1", "Pz"]),
        (("Cz", "Cz", "Cz-0"), ["Cz-1", "Cz-2", "Cz-0"]),
        (("µV1", "µV1", "V1"), ["uV1-0", "uV1-1", "V1"]),
        (("a:b", "a_b"), ["a_b-0", "a_b"]),
        (("Fp1é", "脑", "", " Fp2 ", "Fp2"), ["Fp1e", "CH2", "CH3", "Fp2-0", "Fp2"]),
    ],
)
def test_names(names: tuple[str, ...], expected: list[str]) -> None:
    channels = named(*names)
    info = to_info(channels, sfreq=100.0, channel_flag=[-1] + [1] * (len(names) - 1))
    assert info["ch_names"] == expected
    assert info["bads"] == expected[:1]
    told = [f for f in conversion_report(info) if f.field == "Channel.Name"]
    assert len(told) == 1
    assert f"{names[0]!r} → {expected[0]!r}" in told[0].reason
    assert from_info(info).names == names


def test_names_of_a_case(data_dir: Path, tmp_path: Path) -> None:
    channels = read_channels(data_dir / "cases/c06_channel_nonascii_name.mat")
    info = to_info(channels, sfreq=100.0)
    assert info["ch_names"][:7] == [
        "A very long electrode name 0001", "A very long electrode name 0002", "Fp 2", "AF7ue_",
        "a_b/c\\d", "AF4", "CH7",
    ]  # fmt: skip
    info.save(tmp_path / "x-info.fif")
    assert mne.io.read_info(tmp_path / "x-info.fif", verbose="error")["ch_names"] == info.ch_names
    assert from_info(info).names == channels.names


# cardinal points


@pytest.mark.parametrize("case", ["label_NA", "left_right"])
def test_synonyms_of_cardinal_points(data_dir: Path, case: str) -> None:
    channels = read_channels(data_dir / f"cases/c07_headpoints_{case}.mat")
    found = fiducials_in_scs(channels)
    assert found is not None
    expected = channels.head_points.loc[:, :3].T
    np.testing.assert_array_equal(np.stack(found[0]), expected)
    report = conversion_report(to_info(channels, sfreq=100.0))
    assert not any(f.field == "SCS" for f in report.of("assumed"))


def test_unknown_cardinal_points_are_named() -> None:
    points = head_points(
        CARDINAL=[("Nasion", NAS), ("Left", LPA), ("Fid-T10", RPA), ("Inion", -NAS)]
    )
    info = to_info(eeg(scs=None, head_points=points), sfreq=100.0)
    report = conversion_report(info)
    assert not report.of("assumed")
    assert [f.reason.split(": ")[1] for f in report.of("dropped")] == ["'Inion'"]


# NIRS


def nirs(*names: str, kind: str = "NIRS") -> Channels:
    """Pairs of a source and a detector 3 cm apart."""
    ends = np.array([[0.09, 0.0, 0.03], [0.09, 0.03, 0.03]]).T
    return Channels(
        channels=tuple(
            Channel(name=n, type=kind, loc=ends + 0.001 * i, weight=np.ones(2), group="WL690")
            for i, n in enumerate(names)
        ),
        scs=SCS(nas=NAS, lpa=LPA, rpa=RPA),
    )


def test_nirs() -> None:
    channels = nirs("S1D1WL690", "S1D1WL830", "S12D3WL690", "S12D3WL830")
    info = to_info(channels, sfreq=10.0)
    assert info["ch_names"] == ["S1_D1 690", "S1_D1 830", "S12_D3 690", "S12_D3 830"]
    assert set(info.get_channel_types()) == {"fnirs_cw_amplitude"}
    assert [ch["loc"][9] for ch in info["chs"]] == [690, 830, 690, 830]
    distances = mne.preprocessing.nirs.source_detector_distances(info)
    np.testing.assert_allclose(distances, 0.03, rtol=0, atol=1e-15)
    raw = mne.io.RawArray(np.random.default_rng(0).uniform(1, 2, (4, 100)), info, verbose="error")
    density = mne.preprocessing.nirs.optical_density(raw, verbose="error")
    blood = mne.preprocessing.nirs.beer_lambert_law(density, ppf=6.0)
    assert blood.get_channel_types() == ["hbo", "hbr", "hbo", "hbr"]
    # back: the file it came from; without its report, the same pairs
    for found in (from_info(info), from_info(density.info)):
        assert found.names == channels.names
        assert set(found.types) == {"NIRS"}
        assert found.channels[1].group in ("WL690", "WL830")
        for one, other in zip(found.channels, channels.channels, strict=True):
            np.testing.assert_allclose(one.loc, other.loc, rtol=0, atol=1e-15)
    found = from_info(blood.info)
    assert found.names == ("S1D1HbO", "S1D1HbR", "S12D3HbO", "S12D3HbR")
    assert [channel.group for channel in found.channels] == ["HbO", "HbR"] * 2
    again = to_info(found, sfreq=10.0)
    assert again.get_channel_types() == ["hbo", "hbr", "hbo", "hbr"]


def test_nirs_that_mne_cannot_express_is_named() -> None:
    unplaced = dataclasses.replace(nirs("S2D1WL690").channels[0], loc=None)
    channels = nirs("S1D1WL690", "S1D1HbT", "Optode 7")
    channels = dataclasses.replace(channels, channels=(*channels.channels, unplaced))
    info = to_info(channels, sfreq=10.0)
    assert info.get_channel_types() == ["fnirs_cw_amplitude", "misc", "misc", "misc"]
    told = next(
        f for f in conversion_report(info).of("dropped") if f.reason.startswith("NIRS channels")
    )
    assert told.reason.endswith(": S1_D1 hbt, Optode 7, S2_D1 690")
    assert from_info(info).names == channels.names
