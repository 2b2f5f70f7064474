"""Mixed head models on their way through MNE's files: names and constraints of the regions."""

from __future__ import annotations

import dataclasses

import mne
import numpy as np
import pytest
from scipy.spatial import KDTree

import mne_bstinv as mb
from mne_bstinv import InverseOptions, compute_kernel, io
from mne_bstinv.anatomy import vertex_normals
from mne_bstinv.conversion import conversion_report
from mne_bstinv.errors import ConversionError
from mne_bstinv.export import Estimation, export_study

WHERE = {"subject": "S", "condition": "c"}
#: Every kind of region: name → code. The structures are not in the order that MNE has them in.
CODES = {"Thalamus L": "LVU", "Cortex L": "LSU", "Hippocampus R": "RSC", "Cortex R": "RSL"}
SINGLE = 1e-6


@pytest.fixture(scope="module")
def mixed(data_dir):
    """The study of the oracle with four regions, one of them a structure with a surface."""
    protocol = io.read_protocol(data_dir / "mixed")
    subject = protocol.subjects[0]
    condition = next(one for one in subject.conditions if one.head_model_file)
    cortex = io.read_surface(subject.cortex)
    if cortex.vert_normals is None:
        faces = np.asarray(cortex.faces, dtype=np.int64) - 1
        cortex = dataclasses.replace(cortex, vert_normals=vertex_normals(cortex.vertices, faces))
    model = io.read_head_model(condition.head_model_file)
    structures = next(atlas for atlas in cortex.atlas if atlas.name == "Structures")
    vertices = next(s.vertices for s in structures.scouts if s.label == "Hippocampus R")
    rng = np.random.default_rng(8)
    size = np.nanstd(model.gain[np.isfinite(model.gain).all(axis=1)])
    gain = size * rng.standard_normal((model.n_channels, 3 * len(vertices)))
    gain[~np.isfinite(model.gain).all(axis=1)] = np.nan
    scouts = {scout.label: scout for scout in model.grid_atlas.scouts}
    rows = np.arange(len(vertices)) + model.n_sources + 1
    scouts["Hippocampus R"] = dataclasses.replace(
        scouts["Cortex L"], label="Hippocampus R", vertices=vertices, grid_rows=rows
    )
    atlas = dataclasses.replace(
        model.grid_atlas,
        scouts=tuple(
            dataclasses.replace(scouts[name], region=code) for name, code in CODES.items()
        ),
    )
    normals = cortex.vert_normals[vertices - 1]
    model = dataclasses.replace(
        model,
        gain=np.hstack([model.gain, gain]),
        grid_loc=np.vstack([model.grid_loc, cortex.vertices[vertices - 1]]),
        grid_orient=np.vstack([model.grid_orient, normals]),
        grid_atlas=atlas,
    )
    return {
        "model": model,
        "channels": io.read_channels(condition.channel_file),
        "noise_cov": io.read_noise_cov(condition.noise_cov_file),
        "recordings": io.read_recordings(condition.recordings[0].file),
        "cortex": cortex,
    }


@pytest.fixture(scope="module")
def files(mixed, tmp_path_factory):
    """The same in files of MNE, the forward solution and an inverse operator with its regions."""
    folder = tmp_path_factory.mktemp("mixed")
    channels, model = mixed["channels"], mixed["model"]
    with mne.use_log_level("error"):
        forward = mb.to_forward(model, channels, surface=mixed["cortex"])
        mne.write_forward_solution(folder / "x-fwd.fif", forward)
        mne.write_cov(folder / "x-cov.fif", mb.to_covariance(mixed["noise_cov"], channels))
        mb.to_evoked(mixed["recordings"], channels).save(folder / "x-ave.fif")
        operator = mb.to_inverse_operator(
            model,
            mixed["noise_cov"],
            channels,
            InverseOptions(measure="amplitude"),
            channel_flag=mixed["recordings"].channel_flag,
            data_types="EEG",
            surface=mixed["cortex"],
        )
        mne.minimum_norm.write_inverse_operator(folder / "x-inv.fif", operator)
    return {
        "recordings": folder / "x-ave.fif",
        "forward": folder / "x-fwd.fif",
        "noise_cov": folder / "x-cov.fif",
        "operator": folder / "x-inv.fif",
    }


def norm_maps(model, study, options):
    """Norm of the estimate at each location (n_locations, n_times)."""
    flags = study["recordings"].channel_flag
    result = compute_kernel(
        model,
        study["noise_cov"],
        study["channels"],
        channel_flag=flags,
        data_types="EEG",
        options=options,
    )
    estimate, power = result.apply(study["recordings"].f), []
    for region in result.regions:
        mine = estimate[region.rows]
        power.append((mine**2).reshape(len(region.locations), -1, mine.shape[1]).sum(axis=1))
    maps = np.zeros((model.n_sources, estimate.shape[1]))
    maps[np.concatenate([region.locations for region in result.regions])] = np.vstack(power)
    return np.sqrt(maps)


@pytest.mark.parametrize("measure", ["amplitude", "dspm2018"])
def test_regions_keep_names_constraints_and_estimates_through_files(
    mixed, files, tmp_path, measure, templates
):
    given = {key: files[key] for key in ("recordings", "forward", "noise_cov")}
    study = export_study(
        tmp_path / "p",
        **given,
        estimations=Estimation(of=InverseOptions(measure=measure), data_types="EEG"),
        **WHERE,
    )
    model = io.read_head_model(study.head_model_file)
    assert {s.label: s.region for s in model.grid_atlas.scouts} == CODES
    assert [s.label for s in model.grid_atlas.scouts] == list(CODES)
    assert not any(f.field == "Region" for f in conversion_report(study).of("assumed"))
    options = InverseOptions(measure=measure)
    exported = {
        "channels": io.read_channels(study.channel_file),
        "noise_cov": io.read_noise_cov(study.noise_cov_file),
        "recordings": io.read_recordings(study.recordings[0]),
    }
    before = norm_maps(mixed["model"], mixed, options)
    after = norm_maps(model, exported, options)
    distance, where = KDTree(mixed["model"].grid_loc).query(model.grid_loc)
    assert distance.max() < SINGLE
    np.testing.assert_array_equal(np.sort(where), np.arange(mixed["model"].n_sources))
    difference = np.linalg.norm(after - before[where]) / np.linalg.norm(before)
    assert difference < 10 * SINGLE
    expected = "equal" if measure == "amplitude" else "equal invariants"
    assert [one.status for one in mb.verify(study.root)] == [expected]
    assert np.linalg.norm(before) > 0


def test_a_structure_with_a_surface_keeps_its_triangles_and_vertices(mixed, files, tmp_path):
    study = export_study(tmp_path / "p", files["recordings"], forward=files["forward"], **WHERE)
    model, cortex = io.read_head_model(study.head_model_file), io.read_surface(study.cortex_file)
    places = cortex.vertices
    for scout in model.grid_atlas.scouts:
        if scout.region[1] == "S":
            rows = np.asarray(scout.grid_rows) - 1
            np.testing.assert_allclose(
                places[np.asarray(scout.vertices) - 1], model.grid_loc[rows], rtol=0, atol=1e-12
            )
    structures = next(atlas for atlas in cortex.atlas if atlas.name == "Structures")
    assert [s.label for s in structures.scouts] == ["lh", "rh", "Hippocampus R"]
    assert set(np.asarray(cortex.faces).ravel()) == set(range(1, cortex.n_vertices + 1))
    original = mixed["cortex"]
    hippocampus = next(s for s in structures.scouts if s.label == "Hippocampus R")
    mine = np.isin(cortex.faces, hippocampus.vertices).all(axis=1)
    scout = next(s for s in mixed["model"].grid_atlas.scouts if s.label == "Hippocampus R")
    theirs = np.isin(original.faces, scout.vertices).all(axis=1)
    assert mine.sum() == theirs.sum() > 0
    # the same triangles, by the places of their corners
    centres = places[np.asarray(cortex.faces)[mine] - 1].mean(axis=1)
    expected = original.vertices[np.asarray(original.faces)[theirs] - 1].mean(axis=1)
    assert KDTree(expected).query(centres)[0].max() < SINGLE


def test_an_operator_in_a_file_names_its_regions_too(mixed, files):
    operator = mne.minimum_norm.read_inverse_operator(files["operator"], verbose="error")
    results = mb.from_inverse_operator(operator, channels=mixed["channels"])
    scouts = conversion_report(results).kept["grid"].grid_atlas.scouts
    assert {s.label: s.region for s in scouts} == CODES


def test_a_port_and_its_way_back_keep_the_regions(mixed, tmp_path):
    root, model = tmp_path / "protocol", mixed["model"]
    first = export_study(
        root,
        mixed["recordings"],
        info=mixed["channels"],
        forward=dataclasses.replace(model, surface_file=None),
        src=mixed["cortex"],
        noise_cov=mixed["noise_cov"],
        **WHERE,
    )
    assert {s.label: s.region for s in io.read_head_model(first.head_model_file).grid_atlas.scouts}
    report = mb.port_protocol(root, tmp_path / "ported")
    assert report.success, str(report)
    folder = tmp_path / "ported" / "S" / "c"
    study = export_study(
        tmp_path / "again",
        folder / "S_c-ave.fif",
        forward=folder / "S_c-fwd.fif",
        noise_cov=folder / "S_c-cov.fif",
        **WHERE,
    )
    atlas = io.read_head_model(study.head_model_file).grid_atlas
    assert {s.label: s.region for s in atlas.scouts} == CODES


def test_regions_that_lost_sources_keep_what_is_left(mixed, files):
    forward = mne.read_forward_solution(files["forward"], verbose="error")
    vertices = forward["src"][0]["vertno"][3:12]
    label = mne.Label(vertices, hemi="lh", name="part-lh")
    grid = mb.from_source_spaces(forward["src"], info=forward["info"])
    assert {s.label: s.region for s in grid.grid_atlas.scouts} == CODES
    whole = {s.label: len(s.grid_rows) for s in grid.grid_atlas.scouts}
    part = forward["src"][0]
    part["inuse"] = np.zeros(part["np"], dtype=int)
    part["inuse"][label.vertices] = 1
    part["vertno"], part["nuse"] = np.sort(label.vertices), len(label.vertices)
    grid = mb.from_source_spaces(forward["src"], info=forward["info"])
    assert {s.label: len(s.grid_rows) for s in grid.grid_atlas.scouts} == {
        **whole,
        "Cortex L": len(label.vertices),
    }
    with forward["info"]._unlock():
        forward["info"]["meas_file"] = forward["info"]["meas_file"][:-9]  # cut
    grid = mb.from_source_spaces(forward["src"], info=forward["info"])
    assert [s.region for s in grid.grid_atlas.scouts] == ["LSL", "RSL", "UVU", "UVU"]
    assert "Region" in {f.field for f in conversion_report(grid).of("assumed")}


def test_codes_of_regions_can_be_said(mixed, files, tmp_path):
    bare = mne.read_forward_solution(files["forward"], verbose="error")
    with bare["info"]._unlock():
        bare["info"]["meas_file"] = ""
    study = export_study(
        tmp_path / "p",
        files["recordings"],
        forward=bare,
        regions={"Cortex L": "LSU", "Cortex R": "RSC"},
        **WHERE,
    )
    atlas = io.read_head_model(study.head_model_file).grid_atlas
    codes = {s.label: s.region for s in atlas.scouts}
    assert (codes["Cortex L"], codes["Cortex R"]) == ("LSU", "RSC")
    said = [f.reason for f in conversion_report(study).of("derived") if f.field == "Region"]
    assert said == ["'Cortex L' LSU, 'Cortex R' RSC: as regions (--region) says."]
    for regions, message in (
        ({"Cortex": "LSU"}, "no region 'Cortex' in the source model: choose one of 'Cortex L'"),
        ({"Cortex L": "LU"}, "'LU' is no code of region 'Cortex L'"),
        ({"Cortex L": "LSF"}, "'LSF' is no code of region 'Cortex L'"),
    ):
        with pytest.raises(ConversionError, match=message):
            export_study(
                tmp_path / "q", files["recordings"], forward=bare, regions=regions, **WHERE
            )
    with pytest.raises(ConversionError, match="there is no mixed head model"):
        export_study(tmp_path / "q", files["recordings"], regions={"Cortex L": "LSU"}, **WHERE)
