"""Gains from the converted Info: MNE's own and Brainstorm's."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import mne
import numpy as np
import pytest
from info_helpers import relative

from mne_bstinv.adapters._mne_private import unlocked
from mne_bstinv.adapters.channel_names import match_channel_names
from mne_bstinv.adapters.sensors.coils import coil_definitions
from mne_bstinv.adapters.sensors.to_mne import to_info
from mne_bstinv.conversion import conversion_report
from mne_bstinv.frames import scs_to_head, transform_points
from mne_bstinv.io import Channels, HeadModel, read_channels, read_head_model

#: Brainstorm's spheres and MNE's are the same formula: rounding of two implementations.
SAME_FORMULA = 1e-9
#: MNE integrates each coil with more points; physics, measured 0.25–0.56 %.
MORE_POINTS = 6e-3

CTF_REFERENCES = (5002, 5003, 5004)


@pytest.fixture(scope="module")
def stored_points(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sensor definitions whose finest patterns are those that Brainstorm stores."""
    lines = []
    for d in coil_definitions():
        if d.accuracy == (0 if d.coil_type in CTF_REFERENCES else 1):
            lines.append(
                f'{d.coil_class} {d.coil_type} 2 {len(d.weights)} 0.0 0.0 "{d.description}"'
            )
            rows = np.column_stack([d.weights, d.points, d.normals])
            lines += [" ".join(f"{value:.17g}" for value in row) for row in rows]
    fname = tmp_path_factory.mktemp("coils") / "coil_def.dat"
    fname.write_text("\n".join(lines) + "\n")
    return fname


def study(folder: Path) -> tuple[Channels, HeadModel]:
    channels = read_channels(next(iter(sorted(folder.glob("channel*.mat")))))
    return channels, read_head_model(next(iter(sorted(folder.glob("headmodel*meg*.mat")))))


def sphere_gain(
    info: mne.Info, channels: Channels, head_model: HeadModel, picks: Sequence[int]
) -> np.ndarray:
    """MNE's gain of some channels, each with its own sphere, as columns in SCS."""
    to_head = scs_to_head(channels)
    info = info.copy()
    with unlocked(info):
        info["comps"] = []
        info["projs"] = []
        for ch in info["chs"]:
            ch["coil_type"] = int(ch["coil_type"]) & 0xFFFF
            if ch["kind"] == 301:  # forward solutions have no rows of references
                ch["kind"] = 1
    rr = transform_points(to_head.matrix, head_model.grid_loc)
    nn = np.tile([0.0, 0, 1], (len(rr), 1))
    source = mne.setup_volume_source_space(pos={"rr": rr, "nn": nn}, verbose="error")
    rows = []
    for pick in picks:
        centre = transform_points(to_head.matrix, head_model.param[pick].center)
        sphere = mne.make_sphere_model(centre, head_radius=None, verbose="error")
        forward = mne.make_forward_solution(
            mne.pick_info(info, [pick]),
            mne.transforms.Transform("head", "mri"),
            source,
            sphere,
            eeg=False,
            verbose="error",
        )
        assert forward["nsource"] == len(rr)
        rows.append(forward["sol"]["data"].reshape(-1, 3) @ to_head.rotation)
    return np.array(rows).reshape(len(rows), -1)


def directions(channels: Channels, picks: Sequence[int]) -> np.ndarray:
    """Lengths of the channels' directions, which Brainstorm normalises and MNE does not."""
    return np.array([np.linalg.norm(channels.channels[i].orient[:, 0]) for i in picks])[:, None]


@pytest.mark.slow
def test_brainstorms_meg_gain(data_dir: Path, stored_points: Path) -> None:
    channels, head_model = study(data_dir / "meg_eeg/data/Subject01/evoked")
    info = to_info(channels, sfreq=250.0)
    picks = mne.pick_types(info, meg=True)
    expected = head_model.gain[picks]
    with mne.use_coil_def(stored_points):
        gain = sphere_gain(info, channels, head_model, picks)
    assert relative(gain, expected) < SAME_FORMULA
    default = sphere_gain(info, channels, head_model, picks)
    for kind in ("mag", "grad"):
        rows = np.array(info.get_channel_types(picks)) == kind
        error = np.linalg.norm((default - expected)[rows]) / np.linalg.norm(expected[rows])
        assert 1e-4 < error < MORE_POINTS


def test_brainstorms_gain_of_real_sensors(shared_dir: Path, stored_points: Path) -> None:
    folder = shared_dir / "oracle/local/meg_neuromag/data/Subject01/auditory"
    channels, head_model = study(folder)
    info = to_info(channels, sfreq=250.0)
    picks = mne.pick_types(info, meg=True)[::5]
    with mne.use_coil_def(stored_points):
        gain = sphere_gain(info, channels, head_model, picks)
    assert relative(gain / directions(channels, picks), head_model.gain[picks]) < SAME_FORMULA


def test_brainstorms_gain_of_ctf(shared_dir: Path, stored_points: Path) -> None:
    folder = shared_dir / "oracle/local/meg_ctf/data/Subject01/median_nerve"
    channels, head_model = study(folder)
    info = to_info(channels, sfreq=250.0)
    report = conversion_report(info)
    meg = mne.pick_types(info, meg=True, ref_meg=False)
    refs = mne.pick_types(info, meg=False, ref_meg=True)
    with mne.use_coil_def(stored_points):
        gain = sphere_gain(info, channels, head_model, meg)
        reference = sphere_gain(info, channels, head_model, refs)
    # the file's gain is that of the compensated channels
    uncompensated = head_model.gain[meg] + channels.meg_ref_coef @ head_model.gain[refs]
    assert relative(gain, uncompensated) < SAME_FORMULA
    inexpressible = next(f for f in report.of("dropped") if f.field == "Channel.Weight").reason
    for row, pick in enumerate(refs):
        name = channels.names[pick]
        # as MNE's reader of CTF files has them, along their baselines
        sign = -1 if name in report.kept["opposite"] else 1
        error = relative(sign * reference[row], head_model.gain[pick])
        if name in inexpressible:
            assert error > 0.5
        else:  # the baseline is 78.76 mm, MNE's definition has 78.6 mm
            assert error < 2 * 0.16 / 78.6
    comp = info["comps"][0]["data"]["data"]
    np.testing.assert_array_equal(comp, channels.meg_ref_coef)
    errors = []
    signs = np.where(
        np.isin([channels.names[pick] for pick in refs], report.kept["opposite"]), -1, 1
    )
    for sign in (signs, 1):
        total = gain - comp @ (np.reshape(sign, (-1, 1)) * reference)
        stored = head_model.gain[meg]
        errors.append(float(np.linalg.norm(total - stored) / np.linalg.norm(stored)))
    assert 0.03 < errors[0] < 0.05  # the three references that MNE cannot express
    assert 0.04 < errors[1] < 0.05  # and two more with MNE's own sign


def test_forward_of_converted_and_true_info(shared_dir: Path) -> None:
    channels = read_channels(
        shared_dir / "oracle/local/meg_neuromag/data/Subject01/auditory"
        "/channel_vectorview306_acc1.mat"
    )
    evoked = mne.read_evokeds(shared_dir / "real/mne_sample/test-ave.fif.gz", verbose="error")[0]
    rng = np.random.default_rng(0)
    rr = rng.standard_normal((20, 3)) * 0.02 + [0, 0, 0.05]
    source = mne.setup_volume_source_space(
        pos={"rr": rr, "nn": np.tile([0.0, 0, 1], (20, 1))}, verbose="error"
    )
    sphere = mne.make_sphere_model((0, 0, 0.04), 0.1, verbose="error")
    found, expected = (
        mne.make_forward_solution(
            info, mne.transforms.Transform("head", "mri"), source, sphere, verbose="error"
        )
        for info in (to_info(channels, sfreq=600.0), evoked.info)
    )
    assert found["nsource"] == 20
    order = match_channel_names(found["sol"]["row_names"], expected["sol"]["row_names"])
    types = np.array(found["info"].get_channel_types())
    for kind in ("grad", "mag", "eeg"):
        rows = types == kind
        one = found["sol"]["data"][rows]
        other = expected["sol"]["data"][order[rows]]
        if kind == "eeg":
            one, other = one - one.mean(axis=0), other - other.mean(axis=0)
        assert relative(one, other) < 1e-6, kind
