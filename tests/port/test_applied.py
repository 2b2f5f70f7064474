"""The estimate of Brainstorm with ported files: by MNE's defaults, and by one function."""

from __future__ import annotations

import dataclasses
import json
import warnings
from pathlib import Path

import mne
import numpy as np
import pytest
from port_studies import make_protocol

import mne_bstinv as mb
from mne_bstinv import io
from mne_bstinv.adapters.recordings import pending_projections, safe_by_default
from mne_bstinv.conversion import conversion_report
from mne_bstinv.datasets import sample_study
from mne_bstinv.errors import ConversionError, MissingFileError, ProtocolError
from mne_bstinv.inverse.projectors import projection_operator

#: Single precision of FIF files, see test_convert.
FIF = 1e-6
PROTOCOLS = ("eeg_shared", "eeg_surface", "eeg_volume", "meg_eeg", "mixed")


@pytest.fixture(autouse=True)
def _quiet_mne():
    with mne.use_log_level("error"):
        yield


@pytest.fixture(scope="module")
def ported(data_dir, tmp_path_factory):
    """Every protocol, ported once."""
    done: dict[str, Path] = {}

    def port(name: str) -> Path:
        if name not in done:
            done[name] = tmp_path_factory.mktemp(name) / "out"
            with mne.use_log_level("error"):
                report = mb.port_protocol(data_dir / name, done[name])
            assert report.success, str(report)
        return done[name]

    return port


def outputs_of(folder: Path) -> dict:
    return json.loads((folder / "port.json").read_text("utf-8"))["outputs"]


def reports_of(file: Path) -> list:
    return json.loads((file.parent / "port.json").read_text("utf-8"))["reports"][file.name]


def operators(out: Path):
    """Operators with the condition they are applied in, and what the manifests say of both."""
    for file in sorted(out.rglob("*-inv.fif")):
        entry = outputs_of(file.parent)[file.name]
        if entry["recordings"] is not None:
            yield file, file.parent, entry, entry["recordings"]
            continue
        for manifest in out.rglob("port.json"):
            unit = json.loads(manifest.read_text("utf-8"))
            if unit.get("shared") and (out / unit["shared"]) == file.parent:
                contents = [
                    name
                    for output in unit["outputs"].values()
                    for name in output.get("contents", ())
                ]
                yield file, manifest.parent, entry, contents


def stored_norm(protocol: Path, entry: dict, name: str) -> float:
    """Norm of the estimate that Brainstorm's kernel gives, NaN left out."""
    (results,) = [io.read_results(protocol / of) for of in entry["of"] if "/results_" in of]
    if results.imaging_kernel is None:
        estimate = results.amplitudes
    else:
        recordings = io.read_recordings(protocol / name)
        estimate = results.imaging_kernel @ recordings.f[results.good_channel - 1]
    return float(np.linalg.norm(np.nan_to_num(estimate)))


def norm_of(stc) -> float:
    return float(np.linalg.norm(np.nan_to_num(stc.data)))


@pytest.mark.parametrize("name", PROTOCOLS)
def test_the_function_gives_the_stored_estimate_of_every_operator(ported, data_dir, name):
    out, checked = ported(name), 0
    for file, folder, entry, recordings in operators(out):
        for one in dict.fromkeys(recordings[:1] + recordings[-1:]):  # all are applied alike
            with warnings.catch_warnings():  # locations without a gain
                warnings.simplefilter("ignore", RuntimeWarning)
                given = None if folder == file.parent and one == recordings[0] else one
                place = file if folder == file.parent else folder
                stc = mb.apply_ported(place, given)
            stc = stc if place == file else stc[file.name]
            expected = stored_norm(data_dir / name, entry, one)
            assert abs(norm_of(stc) - expected) <= FIF * expected, file.name
            checked += 1
    assert checked >= 3


@pytest.mark.parametrize("name", PROTOCOLS)
def test_the_defaults_of_mne_give_the_stored_estimate_where_they_can(ported, data_dir, name):
    """``read_evokeds`` and ``apply_inverse`` with what the manifest says of the operator."""
    out, left_out = ported(name), []
    checked = 0
    for file, folder, entry, recordings in operators(out):
        say = entry["parameters"]
        if say["parity"] == "not comparable":
            continue
        inverse = mne.minimum_norm.read_inverse_operator(file)
        claim = f"nave = {say['nave']} gives Brainstorm's estimate"
        assert [f["reason"] for f in reports_of(file) if claim in f["reason"]]
        assert say["proj"] or "read them with proj=False" in say["reason"]
        for output, facts in outputs_of(folder).items():
            if not output.endswith("-ave.fif"):
                continue
            for index, one in enumerate(facts["contents"]):
                if one not in recordings:
                    continue
                evoked = mne.read_evokeds(folder / output, proj=say["proj"])[index]
                assert evoked.nave == io.read_recordings(data_dir / name / one).n_avg
                used = set(inverse["noise_cov"]["names"])
                if evoked.nave != say["nave"] or used & set(evoked.info["bads"]):
                    left_out.append((file.name, one))
                    continue
                with warnings.catch_warnings():  # locations without a gain
                    warnings.simplefilter("ignore", RuntimeWarning)
                    stc = mne.minimum_norm.apply_inverse(
                        evoked, inverse, say["lambda2"], say["method"], say["pick_ori"]
                    )
                expected = stored_norm(data_dir / name, entry, one)
                found = say["factor"] * norm_of(stc)
                assert abs(found - expected) <= FIF * expected, (file.name, one)
                checked += 1
    assert checked >= 2
    assert len(left_out) <= checked


def test_ported_recordings_hold_no_projection_that_mne_would_apply(ported, data_dir):
    for name in PROTOCOLS:
        for file in ported(name).rglob("*-ave.fif"):
            facts = outputs_of(file.parent)[file.name]
            evokeds = mne.read_evokeds(file, proj=False)
            for evoked, one in zip(evokeds, facts["contents"], strict=True):
                assert pending_projections(evoked) == []
                stored = io.read_recordings(data_dir / name / one)
                assert np.abs(evoked.data - stored.f).max() <= FIF * np.abs(stored.f).max()
                eeg = mne.pick_types(evoked.info, meg=False, eeg=True)
                references = [p for p in evoked.info["projs"] if p["kind"] == 10]
                assert len(references) == (len(eeg) > 1)


def test_trials_give_one_estimate_each(tmp_path):
    root = make_protocol(tmp_path / "p", n_subjects=1, n_conditions=1)
    folder = root / "data" / "Subject01" / "cond01"
    average = io.read_recordings(next(folder.glob("data_average*.mat")))
    for number in (1, 2):
        trial = dataclasses.replace(
            average, f=number * average.f, n_avg=1, leff=1.0, comment=f"stim (#{number})"
        )
        io.write_recordings(folder / f"data_stim_trial{number:03d}.mat", trial)
    mb.port_protocol(root, tmp_path / "out")
    place = tmp_path / "out" / "Subject01" / "cond01"
    estimates = mb.apply_ported(place)
    epochs = mne.read_epochs(place / "Subject01_cond01-epo.fif", proj=False)
    for name, stc in estimates.items():
        one, two = mb.apply_ported(place / name, epochs)
        np.testing.assert_allclose(one.data, stc.data, rtol=0, atol=FIF * np.abs(stc.data).max())
        np.testing.assert_allclose(two.data, 2 * one.data, rtol=1e-6, atol=0)
        np.testing.assert_allclose(one.times, stc.times, rtol=0, atol=1e-8)  # single precision
        several = mb.apply_ported(place / name, place / "Subject01_cond01-epo.fif")
        np.testing.assert_array_equal(several[1].data, two.data)


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    out = tmp_path_factory.mktemp("sample") / "out"
    with mne.use_log_level("error"):
        mb.port_protocol(sample_study(), out)
    return out


def test_objects(sample):
    condition = mb.read_protocol(sample_study()).condition("Subject01", "evoked")
    for entry in condition.results:
        inverse = condition.inverse_operator(entry)
        evoked = condition.evokeds[0]
        stc = mb.apply_ported(inverse, evoked)
        expected = condition.source_estimate(entry)
        difference = np.linalg.norm(stc.data - expected.data)
        assert difference <= 1e-9 * np.linalg.norm(expected.data)
        # whatever was done to the average: its samples alone count
        other = evoked.copy()
        other.nave = 3
        other.set_eeg_reference(projection=True)
        again = mb.apply_ported(inverse, other)
        np.testing.assert_array_equal(again.data, stc.data)
        raw = mne.io.RawArray(evoked.data, evoked.info).del_proj()
        of_raw = mb.apply_ported(inverse, raw)
        np.testing.assert_allclose(of_raw.data, stc.data, rtol=1e-9, atol=0)
    with pytest.raises(ConversionError, match="needs recordings as an object"):
        mb.apply_ported(inverse)
    with pytest.raises(ConversionError, match="must be Evoked, Epochs or Raw"):
        mb.apply_ported(inverse, condition.info)


def test_continuous_recordings_are_projected_as_brainstorm_reads_them(data_dir, tmp_path):
    """Projectors of Status 1 are applied when it reads them, and part of the kernel besides."""
    condition = mb.read_protocol(data_dir / "meg_eeg").condition("Subject01", "evoked")
    channels, rng = condition.channels, np.random.default_rng(0)
    on_the_fly = [projector for projector in channels.projectors if projector.status == 1]
    operator = projection_operator(on_the_fly, len(channels))
    scales = {"MEG GRAD": 1e-12, "MEG MAG": 1e-13, "EEG": 1e-6}
    data = rng.standard_normal((len(channels), 20))
    data *= np.array([scales.get(kind, 1.0) for kind in channels.types])[:, None]
    raw = mne.io.RawArray(data, condition.info)
    raw.save(tmp_path / "x-raw.fif")
    of_file = mne.io.read_raw_fif(tmp_path / "x-raw.fif")
    entry = next(e for e in condition.results if "_MN_MEG_GRAD_MEG_MAG_KERNEL" in e.file.name)
    stored = io.read_results(entry.file)
    used = stored.good_channel - 1
    expected = stored.imaging_kernel @ (operator @ data)[used]
    unprojected = stored.imaging_kernel @ data[used]
    assert np.linalg.norm(unprojected - expected) > 0.05 * np.linalg.norm(expected)
    inverse = condition.inverse_operator(entry)
    for one in (raw, raw.copy().apply_proj(), of_file):
        found = np.sort(np.abs(mb.apply_ported(inverse, one).data), axis=0)  # in another order
        difference = np.linalg.norm(found - np.sort(np.abs(expected), axis=0))
        assert difference <= FIF * np.linalg.norm(expected)


def test_what_cannot_be_right_is_refused(sample, tmp_path):
    folder = sample / "Subject01" / "evoked"
    (name, *_) = [file.name for file in folder.glob("*-inv.fif") if "EEG" in file.name]
    evoked = mne.read_evokeds(folder / "Subject01_evoked-ave.fif", proj=False)[0]
    fewer = evoked.copy().pick(evoked.ch_names[:-10])
    fewer.drop_channels([n for n in fewer.ch_names if n.startswith("E")][:1])
    with pytest.raises(ConversionError, match="lack channels of the operator"):
        mb.apply_ported(folder / name, fewer)
    bad = evoked.copy()
    used = mne.minimum_norm.read_inverse_operator(folder / name)["noise_cov"]["names"]
    bad.info["bads"] = [*bad.info["bads"], used[0]]
    told = conversion_report(mb.apply_ported(folder / name, bad)).of("assumed")
    assert [f.field for f in told] == ["bads"]
    assert used[0] in told[0].reason
    with pytest.raises(MissingFileError, match="no such file"):
        mb.apply_ported(folder / "none-inv.fif")
    with pytest.raises(ProtocolError, match="Give the folder of one condition in it: "):
        mb.apply_ported(sample)
    with pytest.raises(MissingFileError, match="no manifest"):
        mb.apply_ported(tmp_path)
    with pytest.raises(MissingFileError, match="no ported recordings data_x"):
        mb.apply_ported(folder / name, "data_x.mat")


def test_recordings_that_were_projected_are_refused(sample):
    folder = sample / "Subject01" / "evoked"
    info = mne.io.read_info(folder / "Subject01_evoked-info.fif")
    pending = [proj for proj in info["projs"] if not proj["active"] and proj["kind"] != 10]
    assert pending
    (name, *_) = [file.name for file in folder.glob("*-inv.fif") if "MEG" in file.name]
    evoked = mne.read_evokeds(folder / "Subject01_evoked-ave.fif", proj=False)[0]
    evoked.add_proj(pending)
    mb.apply_ported(folder / name, evoked)  # listed only
    with pytest.raises(ConversionError, match=r"were projected .*: read them with proj=False"):
        mb.apply_ported(folder / name, evoked.copy().apply_proj())


def test_an_estimate_that_was_not_ported_is_told(data_dir, tmp_path):
    mb.port_protocol(data_dir / "mixed", tmp_path / "out", estimates="none")
    (file,) = (tmp_path / "out").rglob("*dSPM*-inv.fif")
    with pytest.raises(ConversionError, match="Its estimate was not ported either"):
        mb.apply_ported(file)
    evoked = mne.read_evokeds(next(file.parent.glob("*-ave.fif")), proj=False)[0]
    with pytest.raises(ConversionError, match="say of which recordings"):
        mb.apply_ported(file, evoked)


def test_safe_by_default_leaves_what_was_applied():
    info = mne.create_info(["A", "B", "C", "M"], 100.0, ["eeg"] * 3 + ["mag"])
    evoked = mne.EvokedArray(np.random.default_rng(0).normal(size=(4, 5)), info)
    vector = {"nrow": 1, "ncol": 1, "row_names": None, "col_names": ["M"], "data": np.ones((1, 1))}
    evoked.add_proj(mne.Projection(active=False, data=vector, desc="pending", kind=1))
    safe = safe_by_default(evoked.copy())
    assert [(p["desc"], p["active"]) for p in safe.info["projs"]] == [
        ("Average EEG reference", False)
    ]
    np.testing.assert_array_equal(safe.data, evoked.data)
    assert [p["desc"] for p in evoked.info["projs"]] == ["pending"]
    assert any("pending" in f.reason for f in conversion_report(safe))
    applied = safe_by_default(evoked.copy().apply_proj())
    assert [p["desc"] for p in applied.info["projs"]] == ["pending", "Average EEG reference"]
    evoked.info["bads"] = ["A", "B"]  # one electrode has no average
    assert safe_by_default(evoked).info["projs"] == []
