"""Head models to forward solutions and back; Brainstorm's gains explained by MNE's models."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mne
import numpy as np
import pytest
from scipy.linalg import block_diag

from mne_bstinv import io
from mne_bstinv.adapters.recordings.covariance import to_covariance
from mne_bstinv.adapters.recordings.to_mne import to_evoked
from mne_bstinv.adapters.sensors.from_mne import from_info
from mne_bstinv.adapters.sensors.to_mne import to_info
from mne_bstinv.adapters.sources import (
    from_forward,
    on_cortex,
    to_forward,
    write_forward,
)
from mne_bstinv.adapters.sources.spaces_from_mne import source_order
from mne_bstinv.conversion import Findings, conversion_report
from mne_bstinv.errors import ConversionError
from mne_bstinv.frames import scs_to_head, transform_points

PROTOCOLS = ["eeg_shared", "eeg_surface", "eeg_volume", "meg_eeg", "mixed"]
LOCAL = ["eeg_surface", "eeg_volume", "meg_ctf", "meg_neuromag", "mixed"]


@dataclasses.dataclass(frozen=True)
class Study:
    """The structures of one condition."""

    head_model: io.HeadModel
    channels: io.Channels
    surface: io.Surface | None
    mri: io.Mri | None
    condition: io.Condition

    def forward(self, **options: Any) -> Any:
        return to_forward(
            self.head_model, self.channels, surface=self.surface, mri=self.mri, **options
        )


def studies(root: Path) -> Iterator[Study]:
    protocol = io.read_protocol(root)
    for subject in protocol.subjects:
        for condition in subject.conditions:
            if condition.head_model_file is None:
                continue
            head_model = io.read_head_model(condition.head_model_file)
            cortex = io.resolve(protocol, head_model.surface_file, "anat")
            surface = None if cortex is None else io.read_surface(cortex)
            mri = None if subject.anatomy is None else io.read_mri(subject.anatomy)
            channels = io.read_channels(condition.channel_file)
            yield Study(head_model, channels, surface, mri, condition)


@pytest.fixture(scope="module")
def study(sample_dir: Path) -> Study:
    return next(studies(sample_dir))


@pytest.fixture(scope="module")
def forward(study: Study) -> Any:
    return study.forward()


@pytest.fixture(scope="module")
def evoked(study: Study) -> Any:
    """MEG and EEG only, with an average reference projection."""
    recordings = io.read_recordings(study.condition.recordings[0].file)
    made = to_evoked(recordings, study.channels, mri=study.mri)
    made.pick(["meg", "eeg"], exclude="bads")
    # the projector was computed with all channels
    made.del_proj()
    return made.set_eeg_reference(projection=True)


@pytest.fixture(scope="module")
def covariance(study: Study) -> Any:
    return to_covariance(io.read_noise_cov(study.condition.noise_cov_file), study.channels)


def relative(first: Any, second: Any) -> float:
    return float(np.linalg.norm(first - second) / np.linalg.norm(second))


def assert_same_gain(back: io.HeadModel, head_model: io.HeadModel) -> None:
    """Equal to 1e-12 of the norm of each channel, NaN in the same places."""
    norm = np.linalg.norm(np.nan_to_num(head_model.gain), axis=1, keepdims=True)
    same = np.abs(back.gain - head_model.gain) <= 1e-12 * norm
    assert np.all(same | np.isnan(head_model.gain))
    np.testing.assert_array_equal(np.isnan(back.gain), np.isnan(head_model.gain))


def check_round_trip(study: Study) -> None:
    head_model, forward = study.head_model, study.forward()
    assert forward["sol"]["data"].dtype == np.float64
    back = from_forward(forward)
    assert_same_gain(back, head_model)
    for name in ("grid_loc", "grid_orient", "head_model_type", "meg_method", "eeg_method"):
        np.testing.assert_array_equal(getattr(back, name), getattr(head_model, name))
    for name in ("grid_atlas", "surface_file", "param", "comment", "history", "grid_options"):
        assert getattr(back, name) is getattr(head_model, name), name
    # copies lose the report, not the order of the locations
    plain = forward.copy()
    assert not conversion_report(plain)
    back = from_forward(plain, channels=study.channels, mri=study.mri)
    rows = match(plain, study.channels)
    norm = np.linalg.norm(head_model.gain[rows], axis=1, keepdims=True)
    assert np.all(np.abs(back.gain[rows] - head_model.gain[rows]) <= 1e-12 * norm)
    without = np.setdiff1d(np.arange(len(study.channels)), rows)
    assert np.isnan(back.gain[without]).all()
    np.testing.assert_allclose(back.grid_loc, head_model.grid_loc, rtol=0, atol=1e-15)
    assert back.kind == head_model.kind


def match(forward: Any, channels: io.Channels) -> list[int]:
    return [channels.names.index(name) for name in forward["sol"]["row_names"]]


@pytest.mark.parametrize("name", PROTOCOLS)
def test_round_trip(data_dir: Path, name: str) -> None:
    found = list(studies(data_dir / name))
    assert found
    for study in found:
        check_round_trip(study)
        check_round_trip(dataclasses.replace(study, mri=None))


def test_a_new_order_is_said_whatever_was_said_before(study: Study) -> None:
    model, cortex = study.head_model, study.surface
    gain = model.gain.reshape(model.n_channels, -1, 3)[:, ::-1].reshape(model.gain.shape)
    turned = dataclasses.replace(model, gain=gain, grid_loc=model.grid_loc[::-1])
    findings = Findings()
    ordered = on_cortex(turned, cortex, "tess_cortex.mat", findings)
    np.testing.assert_array_equal(ordered.grid_loc, model.grid_loc)
    np.testing.assert_array_equal(ordered.gain, model.gain)
    (said,) = findings.report
    assert "were put in the order of the vertices of tess_cortex.mat" in said.reason


def test_round_trip_of_the_sample(study: Study) -> None:
    check_round_trip(study)


@pytest.mark.parametrize("name", LOCAL)
def test_round_trip_of_local_protocols(shared_dir: Path, name: str) -> None:
    for study in studies(shared_dir / "oracle" / "local" / name):
        check_round_trip(study)


def test_rows_columns_and_order(study: Study, forward: Any) -> None:
    types = forward["info"].get_channel_types()
    assert types == ["grad" if t == "grad" else "mag" for t in types[:69]] + ["eeg"] * 64
    assert forward["info"]["ch_names"] == forward["sol"]["row_names"]
    assert (forward["nchan"], forward["nsource"]) == (133, 296)
    dropped = [f for f in conversion_report(forward).of("dropped") if f.field == "Gain"]
    assert [f.reason.rpartition(": ")[2] for f in dropped] == ["STI 014, EOG 061"]
    head = scs_to_head(study.channels, study.mri)
    order = source_order(forward["src"])
    np.testing.assert_allclose(
        forward["source_rr"],
        transform_points(head.matrix, study.head_model.grid_loc)[order],
        atol=1e-15,
    )
    # a dipole is the same field in both frames
    rows = match(forward, study.channels)
    moment = np.array([1.0, -2.0, 0.5])
    for source in (0, 100, 295):
        field = study.head_model.gain[rows, 3 * order[source] : 3 * order[source] + 3] @ moment
        columns = forward["sol"]["data"][:, 3 * source : 3 * source + 3]
        np.testing.assert_allclose(columns @ (head.rotation @ moment), field, rtol=1e-10)


def test_channels_without_a_model(study: Study) -> None:
    gain = study.head_model.gain.copy()
    names = study.channels.names
    gain[3], gain[5, 7], gain[8] = np.nan, np.nan, 0
    gain[10, :2], gain[10, 2:] = [1, -1], 0  # a sum of zero
    head_model = dataclasses.replace(study.head_model, gain=gain)
    forward = to_forward(head_model, study.channels, surface=study.surface, mri=study.mri)
    assert not {names[3], names[5], names[8]} & set(forward["info"]["ch_names"])
    assert names[10] in forward["info"]["ch_names"]
    reasons = [f.reason for f in conversion_report(forward).of("dropped") if f.field == "Gain"]
    assert any(", ".join(names[i] for i in (3, 5, 8)) in reason for reason in reasons)
    assert_same_gain(from_forward(forward), head_model)
    gain[:] = np.nan
    with pytest.raises(ConversionError, match="has a model"):
        to_forward(dataclasses.replace(head_model, gain=gain), study.channels)


def test_given_info_and_source_spaces(study: Study, forward: Any) -> None:
    whole = to_info(study.channels, sfreq=250.0, mri=study.mri)
    info = mne.pick_info(whole, mne.pick_types(whole, meg=False, eeg=True)[::-1])
    info["bads"] = [info["ch_names"][3]]
    # source spaces that know nothing of Brainstorm's order
    parts = [{k: v for k, v in part.items() if "bst" not in k} for part in forward["src"].copy()]
    src = mne.SourceSpaces(parts)
    assert source_order(src) is None
    given = study.forward(info=info, src=src)
    names = given["sol"]["row_names"]
    assert names == info["ch_names"]
    assert given["info"]["bads"] == info["bads"]
    rows = [forward["sol"]["row_names"].index(name) for name in names]
    np.testing.assert_array_equal(given["sol"]["data"], forward["sol"]["data"][rows])
    assert info["sfreq"] == 250.0  # not modified
    moved = src.copy()
    for part in moved:
        part["rr"] = part["rr"] + 0.003
    with pytest.raises(ConversionError, match="mm away"):
        study.forward(src=moved)


def test_wrong_pairs(study: Study, data_dir: Path) -> None:
    other = next(studies(data_dir / "eeg_surface"))
    with pytest.raises(ConversionError, match="135 rows, the channel file 33"):
        to_forward(study.head_model, other.channels)
    with pytest.raises(ConversionError, match="60 vertices"):
        to_forward(study.head_model, study.channels, surface=other.surface)


def test_electrodes_in_the_brain(study: Study, tmp_path: Path) -> None:
    """ECoG and SEEG are kept in memory; FIF files of forward solutions cannot hold them."""
    kinds = {"EEG 001": "ECOG", "EEG 002": "SEEG"}
    names = [name for name in study.channels.names if name in kinds]
    if not names:
        eeg = [c.name for c in study.channels.channels if c.type == "EEG"]
        kinds = {eeg[0]: "ECOG", eeg[1]: "SEEG"}
    changed = [
        dataclasses.replace(c, type=kinds.get(c.name, c.type)) for c in study.channels.channels
    ]
    channels = dataclasses.replace(study.channels, channels=tuple(changed))
    forward = to_forward(study.head_model, channels, surface=study.surface, mri=study.mri)
    assert forward["sol"]["row_names"][-2:] == list(kinds)
    assert forward["info"].get_channel_types()[-2:] == ["ecog", "seeg"]
    assert any("FIF" in f.reason for f in conversion_report(forward).of("dropped"))
    assert_same_gain(from_forward(forward), study.head_model)
    fname = tmp_path / "x-fwd.fif"
    with pytest.warns(RuntimeWarning, match="MEG and EEG only; not written: " + ", ".join(kinds)):
        write_forward(fname, forward)
    read = mne.read_forward_solution(fname)
    assert read["info"]["ch_names"] == forward["info"]["ch_names"][:-2]
    only = mne.pick_channels_forward(forward, list(kinds))
    with pytest.raises(ConversionError, match="neither MEG nor EEG"):
        write_forward(fname, only, overwrite=True)


@pytest.mark.parametrize("name", ["sample", "eeg_volume", "mixed"])
def test_written_and_read(data_dir: Path, sample_dir: Path, name: str, tmp_path: Path) -> None:
    study = next(studies(sample_dir if name == "sample" else data_dir / name))
    forward = study.forward()
    fname = tmp_path / "x-fwd.fif"
    mne.write_forward_solution(fname, forward)
    read = mne.read_forward_solution(fname)
    assert read["info"]["ch_names"] == forward["info"]["ch_names"]
    assert [part["type"] for part in read["src"]] == [part["type"] for part in forward["src"]]
    # single precision: half a unit in the last place of each value
    limit = 2.0**-24 * np.abs(forward["sol"]["data"]) + np.finfo(np.float32).tiny
    assert np.all(np.abs(read["sol"]["data"] - forward["sol"]["data"]) <= limit)
    np.testing.assert_allclose(read["source_rr"], forward["source_rr"], rtol=0, atol=1e-7)
    back = from_forward(read, channels=study.channels, mri=study.mri)
    # MNE's order: the same locations, somewhere else in the list
    order = conversion_report(forward).kept["order"]
    np.testing.assert_allclose(back.grid_loc, study.head_model.grid_loc[order], atol=1e-7)
    write_forward(fname, forward, overwrite=True)  # nothing to warn of


def test_picked_and_turned(study: Study, forward: Any) -> None:
    meg = mne.pick_types_forward(forward, meg=True, eeg=False)
    np.testing.assert_array_equal(meg["sol"]["data"], forward["sol"]["data"][:69])
    back = from_forward(meg, channels=study.channels, mri=study.mri)
    rows = match(meg, study.channels)
    assert np.isfinite(back.gain).all(axis=1).nonzero()[0].tolist() == sorted(rows)
    assert (back.meg_method, back.eeg_method) == ("os_meg", None)
    again = mne.Forward(meg)  # without a report
    back = from_forward(again, channels=study.channels, mri=study.mri)
    assert (back.meg_method, back.eeg_method) == ("mne", None)
    normals = np.concatenate([part["nn"][part["vertno"]] for part in forward["src"]])
    fixed = mne.convert_forward_solution(forward, force_fixed=True, use_cps=False)
    along = forward["sol"]["data"] @ block_diag(*normals).T
    assert relative(fixed["sol"]["data"], along) < 2.0**-23
    surf = mne.convert_forward_solution(forward, surf_ori=True, use_cps=False)
    np.testing.assert_allclose(surf["sol"]["data"][:, 2::3], along, rtol=1e-9, atol=1e-20)
    for turned in (fixed, surf):
        back = from_forward(turned, channels=study.channels, mri=study.mri)
        assert relative(back.gain[rows], study.head_model.gain[rows]) < 1e-14
        assert any(f.field == "sol" for f in conversion_report(back).of("derived"))


def test_fixed_forwards_are_refused(study: Study, forward: Any, tmp_path: Path) -> None:
    fixed = mne.convert_forward_solution(forward, force_fixed=True, use_cps=False)
    del fixed["_orig_sol"]
    with pytest.raises(ConversionError, match="fixed orientations only"):
        from_forward(fixed, channels=study.channels)
    moved = forward.copy()
    moved["coord_frame"] = mne.io.constants.FIFF.FIFFV_COORD_MRI
    with pytest.raises(ConversionError, match="not in head"):
        from_forward(moved)


def test_inverse_operator(forward: Any, evoked: Any, covariance: Any) -> None:
    inverse = mne.minimum_norm.make_inverse_operator(
        evoked.info, forward, covariance, loose=0.2, depth=0.8
    )
    assert inverse["nsource"] == 296
    estimate = mne.minimum_norm.apply_inverse(evoked, inverse)
    assert estimate.data.shape == (296, 100)
    assert np.isfinite(estimate.data).all()
    # the simulated sources, one a hemisphere (manifest: vertices 111 and 5 of 296)
    places = forward["source_rr"][np.argsort(source_order(forward["src"]))][[110, 4]]
    peaks = [int(estimate.data[:, evoked.time_as_index(t)[0]].argmax()) for t in (0.12, 0.17)]
    distance = np.linalg.norm(forward["source_rr"][peaks] - places, axis=1)
    # neighbouring vertices of this coarse cortex are 10 to 20 mm apart
    assert distance.max() < 0.02


def test_apply_and_simulate(forward: Any, evoked: Any, covariance: Any) -> None:
    info = evoked.info
    picked = mne.pick_channels_forward(forward, info["ch_names"], ordered=True)
    vertno = [part["vertno"] for part in forward["src"]]
    data = np.zeros((296, 3, 2))
    data[200] = 1e-8 * np.array([[1.0], [-2.0], [0.5]])
    expected = picked["sol"]["data"] @ data.reshape(-1, 2)
    stc = mne.VectorSourceEstimate(data, vertno, tmin=0, tstep=0.004)
    applied = mne.apply_forward(picked, stc, info)
    scale = np.abs(expected).max(axis=1, keepdims=True)
    assert np.all(np.abs(applied.data - expected) <= 1e-12 * scale)
    # simulate_evoked takes amplitudes along the normals; MNE casts fixed gains to single precision
    fixed = mne.convert_forward_solution(picked, force_fixed=True, use_cps=False)
    stc = mne.SourceEstimate(data[:, 0], vertno, tmin=0, tstep=0.004)
    simulated = mne.simulation.simulate_evoked(fixed, stc, info, covariance, nave=np.inf)
    normals = np.concatenate([part["nn"][part["vertno"]] for part in forward["src"]])
    expected = 1e-8 * picked["sol"]["data"][:, 600:603] @ normals[200]
    limit = 2.0**-20 * np.abs(expected).max()
    np.testing.assert_allclose(simulated.data[:, 1], expected, rtol=0, atol=limit)


def test_lcmv_finds_a_source(forward: Any, evoked: Any, covariance: Any) -> None:
    surf = mne.convert_forward_solution(forward, surf_ori=True)
    info = mne.pick_info(evoked.info, mne.pick_types(evoked.info, meg="grad"), copy=True)
    fixed = mne.convert_forward_solution(forward, force_fixed=True, use_cps=False)
    row_names = forward["info"]["ch_names"]
    rows = [row_names.index(name) for name in info["ch_names"]]
    field = 2e-8 * fixed["sol"]["data"][rows, 77]
    noise = mne.pick_channels_cov(covariance, info["ch_names"], ordered=True)
    data = noise.copy()
    data["data"] = noise.data + np.outer(field, field)
    filters = mne.beamformer.make_lcmv(
        info, surf, data, noise_cov=noise, pick_ori="normal", weight_norm="unit-noise-gain"
    )
    topography = mne.EvokedArray(field[:, None], info)
    estimate = mne.beamformer.apply_lcmv(topography, filters)
    assert int(np.abs(estimate.data[:, 0]).argmax()) == 77


def test_sensitivity_map(forward: Any) -> None:
    fixed = mne.sensitivity_map(forward, ch_type="grad", mode="fixed")
    rows = [i for i, kind in enumerate(forward["info"].get_channel_types()) if kind == "grad"]
    along = mne.convert_forward_solution(forward, force_fixed=True, use_cps=False)
    norm = np.linalg.norm(along["sol"]["data"][rows], axis=0)
    np.testing.assert_allclose(fixed.data[:, 0], norm / norm.max(), rtol=1e-6)
    assert mne.sensitivity_map(forward, ch_type="eeg", mode="free").data.shape == (296, 1)


def test_restriction(study: Study, forward: Any) -> None:
    parts = [forward["src"][0]["vertno"][:30], forward["src"][1]["vertno"][20:60]]
    stc = mne.SourceEstimate(np.ones((70, 1)), parts, 0, 1)
    restricted = mne.forward.restrict_forward_to_stc(forward, stc)
    assert restricted["nsource"] == 70
    back = from_forward(restricted, channels=study.channels, mri=study.mri)
    where = np.sort(source_order(restricted["src"]))
    np.testing.assert_allclose(back.grid_loc, study.head_model.grid_loc[where], atol=1e-15)
    rows = match(forward, study.channels)
    expected = study.head_model.gain.reshape(len(study.channels), -1, 3)[:, where]
    assert relative(back.gain[rows], expected.reshape(len(study.channels), -1)[rows]) < 1e-14


@pytest.mark.parametrize("name", ["eeg_volume", "mixed"])
def test_volume_and_mixed_in_mne(data_dir: Path, name: str) -> None:
    study = next(studies(data_dir / name))
    forward = study.forward()
    recordings = io.read_recordings(study.condition.recordings[0].file)
    evoked = to_evoked(recordings, study.channels, mri=study.mri).pick("eeg", exclude="bads")
    evoked.set_eeg_reference(projection=True)
    noise = to_covariance(io.read_noise_cov(study.condition.noise_cov_file), study.channels)
    loose: Any = 1.0 if name == "eeg_volume" else {"surface": 0.2, "volume": 1.0}
    inverse = mne.minimum_norm.make_inverse_operator(
        evoked.info, forward, noise, loose=loose, depth=None
    )
    estimate = mne.minimum_norm.apply_inverse(evoked, inverse)
    kinds = {"eeg_volume": mne.VolSourceEstimate, "mixed": mne.MixedSourceEstimate}
    assert isinstance(estimate, kinds[name])
    assert len(estimate.data) == study.head_model.n_sources
    picked = mne.pick_channels_forward(forward, evoked.ch_names, ordered=True)
    vector = mne.minimum_norm.apply_inverse(evoked, inverse, method="MNE", pick_ori="vector")
    applied = mne.apply_forward(picked, vector, evoked.info)
    expected = picked["sol"]["data"] @ vector.data.reshape(-1, vector.shape[-1])
    np.testing.assert_allclose(applied.data, expected, rtol=1e-9, atol=1e-20)
    typed = mne.pick_types_forward(forward, meg=False, eeg=True)
    assert typed["nchan"] == forward["nchan"]


def test_ctf_in_mne(shared_dir: Path, tmp_path: Path) -> None:
    """Compensated sensors: MNE accepts Info, forward and covariance as belonging together."""
    study = next(studies(shared_dir / "oracle" / "local" / "meg_ctf"))
    forward = study.forward()
    assert set(forward["info"].get_channel_types()) == {"mag"}
    recordings = io.read_recordings(study.condition.recordings[0].file)
    evoked = to_evoked(recordings, study.channels, mri=study.mri)
    noise = to_covariance(io.read_noise_cov(study.condition.noise_cov_file), study.channels)
    inverse = mne.minimum_norm.make_inverse_operator(evoked.info, forward, noise, loose=0.2)
    estimate = mne.minimum_norm.apply_inverse(evoked, inverse)
    assert np.isfinite(estimate.data).all()
    write_forward(tmp_path / "x-fwd.fif", forward)
    read = mne.read_forward_solution(tmp_path / "x-fwd.fif")
    assert read["sol"]["row_names"] == forward["sol"]["row_names"]


# -- MNE first ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def real(shared_dir: Path) -> tuple[Any, Any, io.Channels]:
    folder = shared_dir / "real" / "mne_sample"
    info = mne.read_evokeds(folder / "test-ave.fif.gz")[0].info
    src = mne.read_source_spaces(folder / "small-src.fif.gz")
    sphere = mne.make_sphere_model("auto", "auto", info)
    forward = mne.make_forward_solution(
        info, folder / "sample-audvis-raw-trans.txt", src, sphere, mindist=0
    )
    return forward, info, from_info(info)


def test_real_forward_there_and_back(real: Any) -> None:
    forward, _, channels = real
    head_model = from_forward(forward, channels=channels, surface_file="sample/tess_cortex.mat")
    assert head_model.gain.shape == (376, 1548)
    assert head_model.surface_file == "sample/tess_cortex.mat"
    computed = np.isfinite(head_model.gain).all(axis=1)
    assert computed.sum() == 366
    assert any("left hemisphere first" in f.reason for f in conversion_report(head_model))
    again = to_forward(head_model, channels)
    assert again["sol"]["row_names"] == forward["sol"]["row_names"]
    assert relative(again["sol"]["data"], forward["sol"]["data"]) < 1e-14
    np.testing.assert_allclose(again["source_rr"], forward["source_rr"], rtol=0, atol=1e-15)
    for before, after in zip(forward["src"], again["src"], strict=True):
        np.testing.assert_array_equal(after["vertno"], before["vertno"])
        np.testing.assert_allclose(after["nn"], before["nn"], rtol=0, atol=1e-15)
    np.testing.assert_array_equal(again["mri_head_t"]["trans"], forward["mri_head_t"]["trans"])
    np.testing.assert_array_equal(again["source_nn"], forward["source_nn"])
    # and without anything kept: the cortex that the conversion made
    surface = conversion_report(head_model).kept["surface"]
    assert len(surface.vertices) == 516
    plain = dataclasses.replace(head_model)
    assert not conversion_report(plain)
    fresh = to_forward(plain, channels, surface=surface)
    assert relative(fresh["sol"]["data"], forward["sol"]["data"]) < 1e-12
    np.testing.assert_allclose(fresh["source_rr"], forward["source_rr"], rtol=0, atol=1e-15)
    # the normals are those that MNE's inverses take by default: of the patches
    by_default = mne.convert_forward_solution(forward, surf_ori=True, force_fixed=True)
    normals = np.concatenate([part["nn"] for part in fresh["src"]])
    np.testing.assert_allclose(normals, by_default["source_nn"], rtol=0, atol=1e-12)


def test_mnes_default_inverse_is_the_same_after_the_way_there_and_back(real: Any) -> None:
    """make_inverse_operator takes patch statistics by default, and a head model has no patches."""
    forward, info, channels = real
    cov = mne.make_ad_hoc_cov(info)
    head_model = from_forward(forward, channels=channels)
    surface = conversion_report(head_model).kept["surface"]
    back = to_forward(dataclasses.replace(head_model), channels, surface=surface)
    assert all(part["patch_inds"] is not None for part in forward["src"])
    assert all(part["patch_inds"] is None for part in back["src"])
    evoked = mne.EvokedArray(np.random.default_rng(3).normal(size=(len(info["chs"]), 3)), info)
    for loose, fixed in ((0.2, False), (0.0, True)):
        estimates = []
        for fwd in (forward, back):
            operator = mne.minimum_norm.make_inverse_operator(
                evoked.info, fwd, cov, loose=loose, fixed=fixed
            )
            stc = mne.minimum_norm.apply_inverse(evoked, operator, 1 / 9, "dSPM")
            estimates.append(stc.data)
        # fixed gains are in single precision
        assert relative(estimates[1], estimates[0]) < 1e-5
    findings = [f for f in conversion_report(head_model) if f.field == "GridOrient"]
    used = np.concatenate([part["nn"][part["vertno"]] for part in forward["src"]])
    cosine = np.einsum("ij,ij->i", used, by_default_normals(forward))
    angles = sorted(int(f.reason.split("up to ")[1].split("°")[0]) for f in findings)
    assert angles[-1] == round(np.degrees(np.arccos(cosine.min())))


def by_default_normals(forward: Any) -> Any:
    """Source orientations that MNE's inverses take by default."""
    return mne.convert_forward_solution(forward, surf_ori=True, force_fixed=True)["source_nn"]


def test_forward_without_channels_assumes_a_frame(real: Any) -> None:
    forward, _, _ = real
    head_model = from_forward(forward)
    assert head_model.n_channels == 366
    fields = {f.field for f in conversion_report(head_model).of("assumed")}
    assert {"SCS", "SurfaceFile", "MEGMethod, EEGMethod"} <= fields


# -- Brainstorm's gains explained (files.md, section 6) -------------------------------------------


@pytest.fixture(scope="module")
def brainstorm_coils(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """MNE's definitions with the integration points that Brainstorm stores.

    MNE computes forward solutions with the patterns of accuracy 2; those of accuracy 1 are
    Brainstorm's.
    """
    lines = (Path(mne.__file__).parent / "data" / "coil_def.dat").read_text().splitlines()
    kept, used = [], 0
    for line in lines:
        if used:
            kept.append(line)
            used -= 1
            continue
        words = line.split()
        if len(words) > 6 and '"' in line and words[2] == "1":
            used = int(words[3])
            kept.append(" ".join([*words[:2], "2", *words[3:]]))
    fname = tmp_path_factory.mktemp("coils") / "coil_def.dat"
    fname.write_text("\n".join(kept) + "\n")
    return fname


def sphere_gains(study: Study, names: list[str], coils: Path | None) -> dict[str, Any]:
    """Gain of MNE's sphere model for each channel, with the sphere of that channel."""
    forward = study.forward()
    head = scs_to_head(study.channels, study.mri)
    info = to_info(study.channels, sfreq=250.0, mri=study.mri)
    gains = {}
    for name in names:
        row = study.channels.names.index(name)
        sphere = study.head_model.param[row]
        center = transform_points(head.matrix, sphere.center)
        single = mne.pick_info(info, [row], copy=True)
        options: dict[str, Any] = {"head_radius": None}
        if len(sphere.radii) == 3:
            radii = sphere.radii / sphere.radii[-1]
            options = {"head_radius": float(sphere.radii[-1]), "relative_radii": tuple(radii[:3]),
                       "sigmas": (0.33, 0.0042, 0.33)}  # fmt: skip
            # Brainstorm moves electrodes onto the outer sphere; and has no reference electrode
            loc = single["chs"][0]["loc"]
            away = loc[:3] - center
            loc[:3] = center + sphere.radii[-1] * away / np.linalg.norm(away)
            loc[3:6] = 0
        model = mne.make_sphere_model(center, **options)
        with mne.use_coil_def(coils):
            made = mne.make_forward_solution(
                single, forward["mri_head_t"], forward["src"], model, mindist=0
            )
        gains[name] = on_all_sources(made, forward)
        if coils is not None:
            # Brainstorm takes unit directions; those of real files have other lengths
            orient = study.channels.channels[row].orient
            gains[name] /= np.linalg.norm(orient, axis=0)[0]
    return gains


def on_all_sources(made: Any, forward: Any) -> Any:
    """Gain at the sources of another forward; NaN where MNE left them out of the inner sphere."""
    kept = np.concatenate(
        [
            np.isin(whole["vertno"], part["vertno"])
            for whole, part in zip(forward["src"], made["src"], strict=True)
        ]
    )
    gain = np.full((len(kept), 3), np.nan)
    gain[kept] = made["sol"]["data"].reshape(-1, 3)
    return gain.ravel()


def explained(study: Study, kinds: tuple[str, ...], coils: Path | None, step: int) -> float:
    """Relative difference of Brainstorm's gain and MNE's over channels of some types."""
    forward = study.forward()
    types = forward["info"].get_channel_types()
    rows = [i for i, kind in enumerate(types) if kind in kinds][::step]
    names = [forward["sol"]["row_names"][i] for i in rows]
    gains = sphere_gains(study, names, coils)
    theirs = np.array([gains[name] for name in names])
    inside = np.isfinite(theirs).all(axis=0)
    assert inside.mean() > 0.5
    return relative(theirs[:, inside], forward["sol"]["data"][rows][:, inside])


def test_meg_gain_with_default_coils(study: Study) -> None:
    for kind in ("mag", "grad"):
        # MNE integrates over more points of each coil
        assert 1e-4 < explained(study, (kind,), None, step=3) < 0.006


def test_meg_gain_with_brainstorm_coils(study: Study, brainstorm_coils: Path) -> None:
    for kind in ("mag", "grad"):
        assert explained(study, (kind,), brainstorm_coils, step=3) < 1e-9


def test_meg_gain_of_real_sensors(shared_dir: Path, brainstorm_coils: Path) -> None:
    study = next(studies(shared_dir / "oracle" / "local" / "meg_neuromag"))
    for kind in ("mag", "grad"):
        assert explained(study, (kind,), None, step=20) < 0.006
        assert explained(study, (kind,), brainstorm_coils, step=20) < 1e-9


@pytest.mark.parametrize("name", ["sample", "eeg_volume"])
def test_eeg_gain(data_dir: Path, sample_dir: Path, name: str) -> None:
    study = next(studies(sample_dir if name == "sample" else data_dir / name))
    assert explained(study, ("eeg",), None, step=2) < 0.003


def test_eeg_gain_of_real_sensors(shared_dir: Path) -> None:
    for name in ("eeg_surface", "meg_neuromag"):
        study = next(studies(shared_dir / "oracle" / "local" / name))
        assert explained(study, ("eeg",), None, step=4) < 0.003
