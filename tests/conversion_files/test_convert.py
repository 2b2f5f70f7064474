"""One file at a time: every route of the table, companions, and what is refused."""

from __future__ import annotations

import dataclasses
import gzip
import itertools
import re
import shutil
import warnings
from types import SimpleNamespace

import mne
import numpy as np
import pytest

from mne_bstinv import io, read_forward_brainstorm
from mne_bstinv.adapters import inverse_parameters, noise_cov_from
from mne_bstinv.adapters.files.formats import read_mne
from mne_bstinv.conversion_files.companions import COMPANIONS
from mne_bstinv.conversion_files.convert import convert_file
from mne_bstinv.conversion_files.routes import ROUTES
from mne_bstinv.errors import ConversionError, MissingFileError, OverwriteError

SINGLE = np.finfo(np.float32).eps


@pytest.fixture(autouse=True)
def _quiet_mne():
    with mne.use_log_level("error"):
        yield


@pytest.fixture(scope="module")
def evoked_dir(sample_dir):
    return sample_dir / "data" / "Subject01" / "evoked"


@pytest.fixture(scope="module")
def stored(evoked_dir):
    """Files of the sample's condition by what they hold."""
    names = {
        "headmodel": "headmodel*.mat",
        "noisecov": "noisecov*.mat",
        "data": "data*.mat",
        "channel": "channel*.mat",
        "results": "results_MN_MEG*.mat",
        "free": "results_MN_EEG*.mat",
    }
    return {kind: next(evoked_dir.glob(name)) for kind, name in names.items()}


@pytest.fixture(scope="module")
def converted(stored, tmp_path_factory):
    """All of them as files of MNE, in a folder with the channel file."""
    folder = tmp_path_factory.mktemp("mne")
    with mne.use_log_level("error"):
        for kind, name in (
            ("headmodel", "a-fwd.fif"),
            ("headmodel", "a-src.fif"),
            ("noisecov", "a-cov.fif"),
            ("data", "a-ave.fif"),
            ("data", "a-raw.fif"),
            ("data", "a-epo.fif"),
            ("channel", "a-info.fif"),
            ("channel", "a-trans.fif"),
            ("results", "a-inv.fif"),
            ("results", "a-lh.stc"),
        ):
            convert_file(stored[kind], folder / name)
    shutil.copy(stored["channel"], folder)
    return folder


#: Ending of MNE's name → what such a file becomes.
BACK = {"fwd": "headmodel_x.mat", "src": "tess_cortex_x.mat", "cov": "noisecov_x.mat",
        "ave": "data_x.mat", "raw": "data_x.mat", "epo": "data_x.mat", "info": "channel_x.mat",
        "inv": "results_KERNEL.mat"}  # fmt: skip


@pytest.fixture
def protocol(sample_dir, tmp_path):
    """A copy of the sample that may be changed."""
    root = shutil.copytree(sample_dir, tmp_path / "sample_small")
    return SimpleNamespace(
        root=root,
        evoked=root / "data" / "Subject01" / "evoked",
        anat=root / "anat" / "Subject01",
    )


def close(ours, theirs, precision):
    theirs, ours = np.nan_to_num(theirs), np.nan_to_num(ours)
    assert np.linalg.norm(ours - theirs) <= precision * np.linalg.norm(theirs)


def test_every_route_names_companions_that_exist():
    for route in ROUTES.values():
        assert {*route.needs, *route.uses} <= set(COMPANIONS)


def test_companions_are_found_in_the_protocol(stored, tmp_path):
    done = convert_file(stored["headmodel"], tmp_path / "x-fwd.fif")
    assert done.files == (tmp_path / "x-fwd.fif",)
    assert set(done.companions) == {"channels", "cortex", "mri"}
    forward = mne.read_forward_solution(tmp_path / "x-fwd.fif")
    assert forward["src"].kind == "surface"
    # with the MRI, the frames of head and MRI are two
    assert not np.allclose(forward["mri_head_t"]["trans"], np.eye(4))


def orders(report):
    """What a report says of the order of locations."""
    return [f.reason for f in report.of("derived") if f.field == "GridLoc"]


def in_mnes_order(forward, channels, folder):
    """Write the cortex of a forward solution."""
    target = folder / "tess_cortex_mne.mat"
    done = convert_file(forward, target, companions={"channels": channels})
    assert "the left hemisphere first" in orders(done.report)[0]
    return target


def test_head_model_and_back(stored, converted, tmp_path):
    model = io.read_head_model(stored["headmodel"])
    shutil.copy(stored["channel"], tmp_path)
    done = convert_file(converted / "a-fwd.fif", tmp_path / "headmodel_surf_back.mat")
    assert done.companions == {"channels": tmp_path / stored["channel"].name}
    back = io.read_head_model(done.files[0])
    # FIF keeps no order: the left hemisphere comes first
    order = [int(np.argmin(np.linalg.norm(model.grid_loc - p, axis=1))) for p in back.grid_loc]
    assert sorted(order) == list(range(model.n_sources))
    assert [said for said in orders(done.report) if "the left hemisphere first" in said]
    theirs = model.gain.reshape(model.n_channels, -1, 3)[:, order].reshape(model.n_channels, -1)
    computed = np.isfinite(theirs).all(axis=1) & theirs.any(axis=1)
    close(back.gain[computed], theirs[computed], SINGLE)


def test_head_models_follow_the_vertices_of_their_cortex(stored, converted, protocol, tmp_path):
    model = io.read_head_model(stored["headmodel"])
    done = convert_file(converted / "a-fwd.fif", protocol.evoked / "headmodel_surf_back.mat")
    back = io.read_head_model(done.files[0])
    assert back.surface_file == model.surface_file
    np.testing.assert_allclose(back.grid_loc, model.grid_loc, rtol=0, atol=1e-7)
    computed = np.isfinite(model.gain).all(axis=1) & model.gain.any(axis=1)
    close(back.gain[computed], model.gain[computed], SINGLE)
    assert np.abs(np.sum(back.grid_orient * model.grid_orient, axis=1) - 1).max() < 1e-6
    (said,) = orders(done.report)
    assert "put in the order of the vertices of tess_cortex" in said
    done = convert_file(converted / "a-fwd.fif", tmp_path / "headmodel_surf_as_it_is.mat",
                        companions={"channels": stored["channel"], "cortex": in_mnes_order(
                            converted / "a-fwd.fif", stored["channel"], tmp_path)})  # fmt: skip
    (said,) = orders(done.report)
    assert "are in the order of the vertices of tess_cortex" in said
    head = next(protocol.anat.glob("tess_head.mat"))
    shutil.copy(head, protocol.anat / "tess_cortex_other.mat")
    with pytest.raises(
        ConversionError,
        match=r"tess_cortex_other\.mat has \d+ vertices, and locations are .*"
        r"Give the cortex of these sources \(--cortex FILE\)",
    ):
        convert_file(
            converted / "a-fwd.fif",
            protocol.evoked / "headmodel_surf_no.mat",
            companions={"cortex": protocol.anat / "tess_cortex_other.mat"},
        )
    assert not (protocol.evoked / "headmodel_surf_no.mat").exists()


def test_regions_of_mixed_models_number_the_vertices_of_their_cortex(data_dir, tmp_path):
    root = shutil.copytree(data_dir / "mixed", tmp_path / "p")
    (file,) = root.rglob("headmodel*.mat")
    model = io.read_head_model(file)
    convert_file(file, tmp_path / "x-fwd.fif")
    # another order of vertices: what is numbered must be numbered anew
    (cortex_file,) = root.rglob("tess_cortex*.mat")
    cortex = io.read_surface(cortex_file)
    order = np.random.default_rng(0).permutation(cortex.n_vertices)
    rank = np.argsort(order)
    turned = dataclasses.replace(
        cortex,
        vertices=cortex.vertices[order],
        faces=rank[np.asarray(cortex.faces, dtype=int) - 1] + 1,
        vert_normals=None, curvature=None, sulci_map=None, vert_conn=None, atlas=(), reg=None,
    )  # fmt: skip
    io.write_surface(cortex_file, turned, overwrite=True)
    done = convert_file(tmp_path / "x-fwd.fif", file.with_name("headmodel_mix_back.mat"))
    back = io.read_head_model(done.files[0])
    for one, other in zip(back.grid_atlas.scouts[:2], model.grid_atlas.scouts[:2], strict=True):
        np.testing.assert_array_equal(one.vertices, rank[np.asarray(other.vertices) - 1] + 1)
    assert any("numbers the vertices of tess_cortex" in str(f) for f in done.report)


def test_covariance_and_back(stored, converted, tmp_path):
    cov = io.read_noise_cov(stored["noisecov"])
    for name in ("noisecov_full.mat", "ndatacov_full.mat"):
        channels = {"channels": stored["channel"]}
        convert_file(converted / "a-cov.fif", tmp_path / name, companions=channels)
        back = io.read_noise_cov(tmp_path / name)
        close(back.noise_cov, cov.noise_cov, 1e-15)
        assert back.comment == ("Noise" if name[0:2] == "no" else "Data") + " covariance"
        assert back.fourth_moment.shape == back.n_samples.shape == cov.noise_cov.shape


def test_recordings_and_back(stored, converted, tmp_path):
    recordings = io.read_recordings(stored["data"])
    for name, precision in (("ave", SINGLE), ("epo", SINGLE), ("raw", 1e-15)):
        convert_file(converted / f"a-{name}.fif", tmp_path / f"data_{name}.mat")
        close(io.read_recordings(tmp_path / f"data_{name}.mat").f, recordings.f, precision)


def test_channels_and_back(stored, converted, tmp_path):
    channels = io.read_channels(stored["channel"])
    for name in ("info", "ave", "raw", "epo"):
        done = convert_file(converted / f"a-{name}.fif", tmp_path / f"channel_{name}.mat")
        back = io.read_channels(done.files[0])
        assert (back.names, back.types) == (channels.names, channels.types)
        for one, other in zip(back.channels, channels.channels, strict=True):
            if other.loc is not None:
                # centimetres, rounded to single precision in several frames
                np.testing.assert_allclose(one.loc, other.loc, rtol=0, atol=1e-6)
    info = convert_file(stored["channel"], tmp_path / "again-info.fif")
    assert any(finding.field == "sfreq" for finding in info.report)


def test_the_transform_needs_the_mri(stored, converted, tmp_path):
    trans = mne.read_trans(converted / "a-trans.fif")
    assert (trans["from"], trans["to"]) == (4, 5)
    shutil.copy(stored["channel"], tmp_path)
    with pytest.raises(MissingFileError, match=r"needs the MRI \(subjectimage_\*\.mat\): none in"):
        convert_file(tmp_path / stored["channel"].name, tmp_path / "x-trans.fif")


def test_a_kernel_of_all_recordings_says_what_there_is(data_dir, tmp_path):
    folder = data_dir / "sources_post" / "data" / "Subject01" / "evoked"
    kernel = folder / "results_MN_EEG_KERNEL_261126_1728.mat"
    there = (
        r"recordings \(data_\*\.mat\): the file names none; beside it: data_average_\d+_1200\.mat,"
    )
    with pytest.raises(MissingFileError, match=there):
        convert_file(kernel, tmp_path / "x-stc.h5")


def test_noise_covariance_of_recordings(stored, converted, tmp_path):
    done = convert_file(converted / "a-raw.fif", tmp_path / "noisecov_full.mat")
    cov = io.read_noise_cov(done.files[0])
    assert cov.fourth_moment is not None
    assert cov.n_samples.max() == io.read_recordings(stored["data"]).f.shape[1]


class TestTimesOfNoise:
    """Epochs and averages hold the response too: noise is what comes before it."""

    @pytest.mark.parametrize(
        ("name", "times", "expected"),
        [
            ("ave", {}, {"tmax": 0.0}),
            ("epo", {}, {"tmax": 0.0}),
            ("ave", {"tmin": -0.05}, {"tmin": -0.05, "tmax": 0.0}),
            ("ave", {"tmin": 0.1}, {"tmin": 0.1}),
            ("epo", {"tmax": 0.2}, {"tmax": 0.2}),
            ("ave", {"baseline": (-0.1, -0.05)}, {"tmax": 0.0, "baseline": (-0.1, -0.05)}),
            ("raw", {}, {}),
            ("raw", {"tmin": 0.1, "tmax": 0.2}, {"tmin": 0.1, "tmax": 0.2}),
        ],
    )
    def test_window(self, stored, converted, tmp_path, name, times, expected):
        done = convert_file(converted / f"a-{name}.fif", tmp_path / "noisecov_x.mat", **times)
        inst = read_mne(converted / f"a-{name}.fif")
        channels = io.read_channels(stored["channel"])
        cov = noise_cov_from(inst, channels=channels, **expected)
        found = io.read_noise_cov(done.files[0])
        np.testing.assert_array_equal(found.noise_cov, cov.noise_cov)
        by_default = name != "raw" and "tmax" not in times and times.get("tmin", -1) < 0
        said = [f for f in done.report.of("assumed") if "only what is before 0 s is" in f.reason]
        assert len(said) == by_default
        (window,) = (f for f in done.report.of("derived") if "computed from [" in f.reason)
        assert ", 0 s] of 1 recordings, less" in window.reason or not by_default

    @pytest.mark.parametrize("window", [(5.0, 6.0), (-6.0, -5.0), (None, float("inf"))])
    def test_outside(self, converted, tmp_path, window):
        with pytest.raises(
            ConversionError,
            match=r"has none of the recordings, which run from \S+ to \S+ s\. Give limits within",
        ):
            convert_file(
                converted / "a-ave.fif", tmp_path / "noisecov_x.mat", tmin=window[0], tmax=window[1]
            )
        assert list(tmp_path.iterdir()) == []


def test_dspm_as_brainstorm_shows_it(stored, converted, evoked_dir, tmp_path):
    (dspm,) = evoked_dir.glob("results_dSPM*.mat")
    done = convert_file(dspm, tmp_path / "x-lh.stc")
    assert any("with scale_leff=True (--scale-leff)" in f.reason for f in done.report)
    convert_file(dspm, tmp_path / "y-lh.stc", scale_leff=True)
    plain, scaled = (mne.read_source_estimate(tmp_path / f"{n}-lh.stc").data for n in "xy")
    leff = io.read_recordings(stored["data"]).effective_averages
    close(scaled, np.sqrt(leff) * plain, SINGLE)
    with pytest.raises(ConversionError, match=r"Leave scale_leff \(--scale-leff\) out"):
        convert_file(stored["results"], tmp_path / "z-lh.stc", scale_leff=True)
    with pytest.raises(ConversionError, match=r"--scale-leff \(scale_leff\) has no effect on"):
        convert_file(converted / "a-cov.fif", tmp_path / "noisecov_x.mat", scale_leff=True)


def test_the_remedy_for_a_missing_cortex_can_be_followed(stored, converted, tmp_path):
    shutil.copy(stored["channel"], tmp_path)
    done = convert_file(converted / "a-fwd.fif", tmp_path / "headmodel_surf_x.mat")
    (lacking,) = (f for f in done.report.of("assumed") if f.field == "SurfaceFile")
    assert "mne-bstinv convert x-fwd.fif tess_cortex_x.mat writes that of a" in lacking.reason
    assert "give it with --cortex (surface_file)" in lacking.reason
    convert_file(converted / "a-fwd.fif", tmp_path / "tess_cortex_x.mat")
    given = {"cortex": tmp_path / "tess_cortex_x.mat"}
    done = convert_file(
        converted / "a-fwd.fif", tmp_path / "headmodel_surf_x.mat", companions=given, overwrite=True
    )
    assert io.read_head_model(done.files[0]).surface_file == "tess_cortex_x.mat"
    assert not [f for f in done.report if f.field == "SurfaceFile"]


def test_kernel_as_operator_and_back(stored, converted, tmp_path):
    kernel = io.read_results(stored["results"])
    companions = {"channels": stored["channel"], "head_model": stored["headmodel"]}
    done = convert_file(
        converted / "a-inv.fif",
        tmp_path / "results_MN_MEG_KERNEL_x.mat",
        companions=companions,
    )
    back = io.read_results(done.files[0])
    assert back.head_model_file.startswith("headmodel_surf")  # outside of protocols, the name
    (used,) = (f for f in done.report.of("derived") if f.field == "lambda2")
    own = inverse_parameters(mne.minimum_norm.read_inverse_operator(converted / "a-inv.fif"))
    assert used.reason == (
        f"{own.lambda2:.6g} with method MNE gave the kernel: Brainstorm's estimate by its own "
        "options."
    )
    # singular values, vectors and whitener are each rounded once
    close(back.imaging_kernel, kernel.imaging_kernel, 1e-6)
    told = convert_file(
        converted / "a-inv.fif",
        tmp_path / "results_sLORETA_KERNEL_x.mat",
        companions=companions,
        lambda2=0.1,
        method="sLORETA",
    )
    assert io.read_results(told.files[0]).options["Lambda2"] == 0.1
    assert any(f.reason == "0.1 with method sLORETA gave the kernel." for f in told.report)


def test_estimate_and_back(stored, converted, tmp_path):
    kernel, recordings = io.read_results(stored["results"]), io.read_recordings(stored["data"])
    assert (converted / "a-rh.stc").exists()
    done = convert_file(
        converted / "a-lh.stc",
        tmp_path / "results_x.mat",
        companions={
            "channels": stored["channel"],
            "head_model": stored["headmodel"],
            "src": converted / "a-src.fif",
        },
        method="MNE",
    )
    expected = kernel.imaging_kernel @ recordings.f[kernel.good_channel - 1]
    close(io.read_results(done.files[0]).image_grid_amp, expected, SINGLE)
    assert io.read_results(done.files[0]).function == "mn"
    told = convert_file(
        converted / "a-lh.stc",
        tmp_path / "results_y.mat",
        companions={"channels": stored["channel"], "head_model": stored["headmodel"]}
        | {"src": converted / "a-src.fif"},
        method="dSPM",
    )
    # nothing says of how many averages: MNE scales its dSPM by them
    results = io.read_results(told.files[0])
    assert (results.function, results.leff) == ("dspm2018sc", 0.0)
    assert any(f.field == "Function" for f in told.report.of("assumed"))


@pytest.mark.parametrize("name", ["a-inv.fif", "a-lh.stc"])
def test_rows_on_a_surface_need_a_head_model(stored, converted, tmp_path, name):
    companions = {"channels": stored["channel"]}
    if name == "a-lh.stc":
        companions["src"] = converted / "a-src.fif"
    target = tmp_path / ("results_x.mat" if name == "a-lh.stc" else "results_KERNEL.mat")
    with pytest.raises(
        MissingFileError,
        match=r"needs the head model \(headmodel_\*\.mat\), whose order .* with --head-model FILE",
    ):
        convert_file(converted / name, target, companions=companions)


def test_rows_of_a_volume_need_no_head_model(data_dir, tmp_path):
    folder = data_dir / "eeg_volume"
    file = next(folder.rglob("results_MN*.mat"))
    convert_file(file, tmp_path / "x-inv.fif")
    channels = {"channels": file.with_name("channel.mat")}
    done = convert_file(
        tmp_path / "x-inv.fif", tmp_path / "results_KERNEL.mat", companions=channels
    )
    back, stored = io.read_results(done.files[0]), io.read_results(file)
    model = io.read_head_model(next(file.parent.glob("headmodel*.mat")))
    # the file says itself where its rows are
    order = [int(np.argmin(np.linalg.norm(back.grid_loc - p, axis=1))) for p in model.grid_loc]
    kernel = back.imaging_kernel.reshape(len(order), 3, -1)[order].reshape(3 * len(order), -1)
    close(kernel, stored.imaging_kernel, 1e-6)


def test_results_name_the_cortex_of_their_head_model(stored, converted, protocol):
    shutil.copy(next(protocol.anat.glob("tess_cortex*.mat")), protocol.anat / "tess_cortex_a.mat")
    target = protocol.evoked / "results_x_KERNEL.mat"
    convert_file(converted / "a-inv.fif", target)
    named = io.read_head_model(stored["headmodel"]).surface_file
    assert io.read_results(target).surface_file == named
    given = {"cortex": protocol.anat / "tess_cortex_a.mat"}
    convert_file(converted / "a-inv.fif", target, companions=given, overwrite=True)
    assert io.read_results(target).surface_file == "Subject01/tess_cortex_a.mat"
    given = {"cortex": protocol.anat / "tess_head.mat"}
    with pytest.raises(ConversionError, match=r"tess_head\.mat has \d+ vertices, and "):
        convert_file(converted / "a-inv.fif", target, companions=given, overwrite=True)


def test_stc_files_lose_the_subject(stored, tmp_path):
    done = convert_file(stored["results"], tmp_path / "x-lh.stc")
    (lost,) = (f for f in done.report.of("dropped") if f.field == "subject")
    assert "stc files have no place for the name of the subject (Subject01)" in lost.reason
    assert mne.read_source_estimate(tmp_path / "x-lh.stc").subject is None
    done = convert_file(stored["results"], tmp_path / "x-stc.h5")
    assert not done.report.of("dropped")
    assert mne.read_source_estimate(tmp_path / "x-stc.h5").subject == "Subject01"


class TestCompanions:
    """Which of several is taken; what cannot be read."""

    @pytest.mark.parametrize(
        ("companion", "option"), [("channel", "channels"), ("noisecov", "noise-cov")]
    )
    def test_several_of_one_folder(self, stored, protocol, tmp_path, companion, option):
        other = protocol.evoked / f"{companion}_a.mat"
        shutil.copy(stored[companion], other)
        results = protocol.evoked / stored["results"].name
        with pytest.raises(
            ConversionError,
            match=rf"several files in .*evoked may be the .*{companion}_a\.mat, {companion}.*\. "
            rf"Say which with --{option} FILE",
        ):
            convert_file(results, tmp_path / "x-inv.fif")
        given = {option.replace("-", "_"): other}
        convert_file(results, tmp_path / "x-inv.fif", companions=given)

    def test_the_current_head_model_of_several(self, stored, converted, protocol):
        shutil.copy(stored["headmodel"], protocol.evoked / "headmodel_z.mat")
        target = protocol.evoked / "results_x_KERNEL.mat"
        done = convert_file(converted / "a-inv.fif", target)
        (chosen,) = (f for f in done.report.of("assumed") if f.field == "head_model")
        assert chosen.reason == (
            f"{stored['headmodel'].name} was taken, the current one of the protocol; there are "
            "also headmodel_z.mat: --head-model FILE (companions={'head_model': …}) names another."
        )
        assert done.companions["head_model"].name == stored["headmodel"].name
        (protocol.root / "data" / "protocol.mat").unlink()
        with pytest.raises(ConversionError, match=r"may be the head model .* with --head-m"):
            convert_file(converted / "a-inv.fif", target, overwrite=True)

    def test_results_name_their_head_model(self, stored, protocol, tmp_path):
        shutil.copy(stored["headmodel"], protocol.evoked / "headmodel_z.mat")
        results = protocol.evoked / stored["results"].name
        done = convert_file(results, tmp_path / "x-inv.fif")
        assert done.companions["head_model"].name == stored["headmodel"].name
        assert not done.report.of("assumed") or all(
            f.field != "head_model" for f in done.report.of("assumed")
        )
        (protocol.evoked / stored["headmodel"].name).unlink()
        with pytest.raises(
            MissingFileError,
            match=r"\(the file names 'Subject01/evoked/headmodel_s.*not there\)",
        ):
            convert_file(results, tmp_path / "y-inv.fif")

    def test_the_cortex_of_the_subject(self, stored, converted, protocol):
        cortex = next(protocol.anat.glob("tess_cortex*.mat"))
        shutil.copy(cortex, protocol.anat / "tess_cortex_a.mat")
        target = protocol.evoked / "headmodel_surf_x.mat"
        done = convert_file(converted / "a-fwd.fif", target)
        (chosen,) = (f for f in done.report.of("assumed") if f.field == "cortex")
        assert "the default one of the subject; there are also tess_cortex_a.mat" in chosen.reason
        assert done.companions["cortex"].name == cortex.name

    def test_source_spaces_beside(self, stored, converted, tmp_path):
        for name in ("a-lh.stc", "a-rh.stc", "a-src.fif"):
            shutil.copy(converted / name, tmp_path)
        shutil.copy(converted / "a-fwd.fif", tmp_path / "b-fwd.fif")
        given = {"channels": stored["channel"], "head_model": stored["headmodel"]}
        done = convert_file(
            tmp_path / "a-lh.stc", tmp_path / "results_x.mat", companions=given, method="MNE"
        )
        (chosen,) = (f for f in done.report.of("assumed") if f.field == "src")
        assert chosen.reason.startswith(
            "b-fwd.fif was taken, of these the forward comes first; there are also a-src.fif: --src"
        )
        shutil.copy(converted / "a-fwd.fif", tmp_path / "c-fwd.fif")
        with pytest.raises(ConversionError, match=r"b-fwd\.fif, c-fwd\.fif\. Say which with --src"):
            convert_file(
                tmp_path / "a-lh.stc", tmp_path / "results_x.mat", companions=given, overwrite=True
            )

    @pytest.mark.parametrize("ending", ["ave", "cov", "info"])
    def test_what_has_no_source_spaces_is_named(self, stored, converted, tmp_path, ending):
        given = {name: stored[kind] for name, kind in (("channels", "channel"),
                 ("head_model", "headmodel"))}  # fmt: skip
        with pytest.raises(
            ConversionError,
            match=rf"while reading the source spaces of a-lh\.stc: .*a-{ending}\.fif: by its name "
            r"it holds .*expected one of forward, source spaces, inverse operator.*--src FILE",
        ):
            convert_file(
                converted / "a-lh.stc", tmp_path / "results_x.mat", method="MNE",
                companions={**given, "src": converted / f"a-{ending}.fif"},
            )  # fmt: skip
        assert not list(tmp_path.iterdir())

    def test_the_choice_is_logged(self, stored, converted, protocol, caplog):
        shutil.copy(stored["headmodel"], protocol.evoked / "headmodel_z.mat")
        with mne.use_log_level("warning"):
            convert_file(converted / "a-inv.fif", protocol.evoked / "results_x_KERNEL.mat")
        assert (
            "a-inv.fif → results_x_KERNEL.mat: assumed: head_model: headmodel_surf" in caplog.text
        )

    def test_a_broken_one_says_what_it_was_read_for(self, stored, protocol, tmp_path):
        (cortex,) = protocol.anat.glob("tess_cortex*.mat")
        cortex.write_bytes(b"junk")
        model = protocol.evoked / stored["headmodel"].name
        with pytest.raises(
            ConversionError,
            match=rf"{model.name} → x-fwd\.fif: while reading the cortex of {model.name}: .*"
            rf"{cortex.name}.*Give another with --cortex FILE",
        ):
            convert_file(model, tmp_path / "x-fwd.fif")

    def test_a_broken_one_that_is_not_needed_is_not_read(
        self, stored, protocol, data_dir, tmp_path
    ):
        (protocol.evoked / stored["headmodel"].name).write_bytes(b"junk")
        convert_file(protocol.evoked / stored["results"].name, tmp_path / "x-lh.stc")
        (protocol.anat / "subjectimage_T1.mat").write_bytes(b"junk")
        # the channel file has the fiducials
        convert_file(protocol.evoked / stored["data"].name, tmp_path / "x-ave.fif")
        volume = shutil.copytree(data_dir / "eeg_volume", tmp_path / "v")
        next(volume.rglob("tess_cortex*.mat")).write_bytes(b"junk")
        for source, target in (("headmodel", "x-fwd.fif"), ("results_MN", "x-inv.fif")):
            convert_file(next(volume.rglob(f"{source}*.mat")), tmp_path / target)


class TestBrokenFiles:
    """One clear error, and nothing else, for each kind of FIF file."""

    @pytest.fixture(autouse=True)
    def _loud_mne(self):
        with mne.use_log_level("warning"):
            yield

    def refused(self, folder, name, words):
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")  # as errors, they would be taken for MNE's
            with pytest.raises(ConversionError, match=rf"^{folder / name}: {words}"):
                convert_file(folder / name, folder / BACK[name[2:].split(".")[0]])
        assert warned == []

    @pytest.mark.parametrize("kind", BACK)
    def test_no_fif_file(self, converted, tmp_path, kind):
        file = tmp_path / f"x-{kind}.fif"
        file.write_bytes(b"no FIF file, however long it may be")
        self.refused(tmp_path, file.name, r"not a FIF file \(it starts .*expected a FIF file that ")
        file.write_bytes(b"")
        self.refused(tmp_path, file.name, "the file is empty; expected a FIF file that holds")
        file.unlink()
        file.mkdir()
        self.refused(tmp_path, file.name, "it is a folder; expected a FIF file that holds")

    @pytest.mark.parametrize("kind", BACK)
    @pytest.mark.parametrize("part", [0.02, 0.5, 0.98])
    def test_truncated(self, converted, tmp_path, kind, part):
        content = (converted / f"a-{kind}.fif").read_bytes()
        (tmp_path / f"x-{kind}.fif").write_bytes(content[: int(part * len(content))])
        self.refused(tmp_path, f"x-{kind}.fif", "the file is truncated: it has .* Copy or write it")

    @pytest.mark.parametrize("kind", BACK)
    def test_another_kind(self, converted, tmp_path, kind):
        other = "ave" if kind == "cov" else "cov"
        shutil.copy(converted / f"a-{other}.fif", tmp_path / f"x-{kind}.fif")
        found = "evoked responses" if kind == "cov" else "a covariance"
        self.refused(tmp_path, f"x-{kind}.fif", f"it holds {found}; .* expected by its name")

    def test_compressed(self, converted, tmp_path):
        packed = gzip.compress((converted / "a-cov.fif").read_bytes())
        for content, words in ((b"junk", "not a gzip file"), (gzip.compress(b"junk"), "not a FIF"),
                               (packed[:5000], "MNE cannot read a covariance")):  # fmt: skip
            (tmp_path / "x-cov.fif.gz").write_bytes(content)
            self.refused(tmp_path, "x-cov.fif.gz", words)
        (tmp_path / "x-cov.fif.gz").write_bytes(packed)
        shutil.copy(next(converted.glob("channel*.mat")), tmp_path)
        convert_file(tmp_path / "x-cov.fif.gz", tmp_path / "noisecov_x.mat")

    @pytest.mark.parametrize("content", [b"", b"junk that is no estimate at all"])
    @pytest.mark.parametrize("name", ["x-lh.stc", "x-vl.stc", "x-stc.h5"])
    def test_estimates(self, tmp_path, name, content):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ConversionError, match=rf"{name}: MNE cannot read a source estimate"):
            convert_file(tmp_path / name, tmp_path / "results_x.mat")


def test_source_spaces_become_a_cortex(stored, converted, tmp_path):
    cortex = io.read_head_model(stored["headmodel"])
    for name in ("src", "fwd"):
        done = convert_file(converted / f"a-{name}.fif", tmp_path / f"tess_cortex_{name}.mat")
        made = io.read_surface(done.files[0])
        distance = np.linalg.norm(made.vertices[:, None] - cortex.grid_loc, axis=2).min(axis=1)
        assert distance.max() < 1e-6
        assert made.atlas[0].name == "User scouts"


def test_vectors_need_a_name_that_can_hold_them(stored, tmp_path):
    with pytest.raises(ConversionError, match=r"choose a name that ends with -stc\.h5"):
        convert_file(stored["free"], tmp_path / "x-lh.stc")
    with pytest.raises(ConversionError, match=r"^x-lh\.stc: stc files hold one value per location"):
        convert_file(stored["free"], tmp_path / "x-lh.stc")
    assert list(tmp_path.iterdir()) == []
    convert_file(stored["free"], tmp_path / "x-stc.h5")
    assert mne.read_source_estimate(tmp_path / "x-stc.h5").data.ndim == 3


def test_files_of_a_protocol_name_each_other(stored, converted, sample_dir, tmp_path):
    root = shutil.copytree(sample_dir, tmp_path / "p")
    target = root / "data" / "Subject01" / "evoked" / "results_MNE_KERNEL_x.mat"
    convert_file(converted / "a-inv.fif", target)
    made = io.read_results(target)
    assert made.head_model_file == f"Subject01/evoked/{stored['headmodel'].name}"
    assert made.surface_file.startswith("Subject01/tess_cortex")


class TestRefusals:
    @pytest.mark.parametrize(
        ("options", "words"),
        [
            ({"lambda2": 0.1}, r"--lambda2 \(lambda2\) has no effect on …-cov\.fif → noisecov_\*"
             r"\.mat: leave it out\. It is for …-inv\.fif → results_\*\.mat\."),
            ({"method": "dSPM"}, r"It is for …-inv\.fif → results_\*\.mat, …-lh\.stc → results"),
            ({"pick_ori": "normal"}, r"--pick-ori \(pick_ori\) has no effect"),
            ({"item": 0}, r"--item \(item\) has no .* It is for …-ave\.fif → noisecov_\*\.mat, "),
            ({"companions": {"src": "x-src.fif"}}, r"--src \(src\) has no effect"),
        ],
    )  # fmt: skip
    def test_options_without_effect(self, converted, tmp_path, options, words):
        with pytest.raises(ConversionError, match=words):
            convert_file(converted / "a-cov.fif", tmp_path / "noisecov_x.mat", **options)

    def test_companions_without_effect(self, data_dir, tmp_path):
        root = data_dir / "eeg_volume"
        cortex = {"cortex": next(root.rglob("tess_cortex*.mat"))}
        with pytest.raises(ConversionError, match=r"--cortex \(cortex\) has no effect on head"):
            convert_file(
                next(root.rglob("headmodel*.mat")), tmp_path / "x-fwd.fif", companions=cortex
            )
        assert not (tmp_path / "x-fwd.fif").exists()

    def test_a_missing_file_is_said_first(self, tmp_path):
        with pytest.raises(MissingFileError, match=r"nope\.mat: no such file\. Check the path"):
            convert_file(tmp_path / "nope.mat", tmp_path / "x-fwd.fif")
        (tmp_path / "channel.mat").touch()
        with pytest.raises(MissingFileError, match=r"no: no such folder\. Make it first"):
            convert_file(tmp_path / "channel.mat", tmp_path / "no" / "x-info.fif")

    def test_folders(self, tmp_path):
        (tmp_path / "channel.mat").touch()
        with pytest.raises(
            ConversionError, match=r"it is a folder\. Give one file; mne-bstinv port"
        ):
            convert_file(tmp_path, tmp_path / "x-info.fif")
        (tmp_path / "x-info.fif").mkdir()
        with pytest.raises(ConversionError, match=r"x-info\.fif: it is a folder\. Name a file to"):
            convert_file(tmp_path / "channel.mat", tmp_path / "x-info.fif", overwrite=True)

    def test_the_files_of_objects_that_do_not_fit_are_named(self, stored, data_dir, tmp_path):
        """Objects know what is wrong with them, but not which files they are of."""
        other = next((data_dir / "eeg_volume").rglob("channel*.mat"))
        words = rf"^{re.escape(str(stored['headmodel']))} → x-fwd\.fif \(channels: {other.name}"
        with pytest.raises(ConversionError, match=words + r".*\): The gain has \d+ rows, the"):
            convert_file(
                stored["headmodel"], tmp_path / "x-fwd.fif", companions={"channels": other}
            )
        with pytest.raises(ConversionError, match=rf"{other.name}.*\): The gain has"):
            read_forward_brainstorm(stored["headmodel"], channels=other)

    def test_the_file_that_cannot_be_written_is_named(self, stored, tmp_path):
        channels = io.read_channels(stored["channel"])
        deep = [dataclasses.replace(c, type="SEEG", comment="") for c in channels.channels]
        for name in ("channel", "headmodel"):
            shutil.copy(stored[name], tmp_path)
        file = tmp_path / stored["channel"].name
        io.write_channels(file, dataclasses.replace(channels, channels=tuple(deep)), overwrite=True)
        source = tmp_path / stored["headmodel"].name
        with pytest.raises(
            ConversionError, match=rf"{source.name} → x-fwd\.fif .*: The forward so"
        ):
            convert_file(source, tmp_path / "x-fwd.fif")
        assert not list(tmp_path.glob("x-fwd.fif*"))

    def test_all_endings_are_known(self, stored, tmp_path):
        with pytest.raises(ConversionError, match="Known: ") as error:
            convert_file(stored["results"], tmp_path / "x.h5")
        for name in ("…-stc.h5", "…-vl.stc", "…-evoked.fif", "headmodel_*.mat"):
            assert name in str(error.value)

    def test_full_results_are_not_named_as_kernels(self, stored, converted, tmp_path):
        with pytest.raises(ConversionError, match="these are full results: choose a name such as"):
            convert_file(converted / "a-lh.stc", tmp_path / "results_KERNEL.mat")

    def test_items_that_are_not_there(self, converted, tmp_path):
        for target in ("data_x.mat", "noisecov_x.mat"):
            with pytest.raises(ConversionError, match=r"item 3 is none of them"):
                convert_file(converted / "a-ave.fif", tmp_path / target, item=3)

    def test_the_missing_companion_is_named(self, converted, tmp_path):
        shutil.copy(converted / "a-cov.fif", tmp_path)
        with pytest.raises(
            MissingFileError,
            match=r"a-cov\.fif → noisecov_x\.mat needs the channel file \(channel\*\.mat\): "
            r"none in .*Give it with --channels FILE",
        ):
            convert_file(tmp_path / "a-cov.fif", tmp_path / "noisecov_x.mat")
        with pytest.raises(MissingFileError, match=rf"^{re.escape(str(tmp_path))}: a folder"):
            convert_file(
                tmp_path / "a-cov.fif",
                tmp_path / "noisecov_x.mat",
                companions={"channels": tmp_path},
            )
        with pytest.raises(MissingFileError, match=r"nowhere\.mat: no such file"):
            convert_file(
                tmp_path / "a-cov.fif",
                tmp_path / "noisecov_x.mat",
                companions={"channels": "nowhere.mat"},
            )

    def test_a_kernel_needs_its_recordings_for_an_estimate(self, data_dir, tmp_path):
        shared = next((data_dir / "eeg_shared").rglob("@default_study/results_MN*.mat"))
        with pytest.raises(MissingFileError, match="needs the recordings"):
            convert_file(shared, tmp_path / "x-lh.stc")

    def test_unknown_companions(self, converted, tmp_path):
        with pytest.raises(ConversionError, match="Unknown companion 'channel'"):
            convert_file(
                converted / "a-cov.fif", tmp_path / "noisecov_x.mat", companions={"channel": "x"}
            )

    @pytest.mark.parametrize(
        ("source", "target", "words"),
        [
            ("x.mat", "y-fwd.fif", r"x\.mat: not clear from its name what it holds"),
            ("x-fwd.fif", "y.mat", r"y\.mat: not clear from its name what it holds"),
            ("x-morph.h5", "y.mat", r"x-morph\.h5: no conversion of single files of morph\. Known"),
            ("pdata_x.mat", "y.fif", r"no conversion of single files of pdata"),
            ("channel.mat", "y-stc.h5", r"^channel\.mat \(channel\*\.mat\) does not become y-stc"
             r"\.h5 \(source estimate\); it can become …-info\.fif, …-trans\.fif\.$"),
            ("x-fwd.fif", "noisecov_y.mat", r"does not become noisecov_\*\.mat; it can become "
             r"headmodel_\*\.mat, tess_cortex\*\.mat"),
        ],
    )  # fmt: skip
    def test_no_route(self, tmp_path, source, target, words):
        (tmp_path / source).touch()
        with pytest.raises(ConversionError, match=words):
            convert_file(tmp_path / source, tmp_path / target)

    def test_missing_and_existing_files(self, converted, tmp_path):
        with pytest.raises(MissingFileError, match=r"x-fwd\.fif: no such file"):
            convert_file(tmp_path / "x-fwd.fif", tmp_path / "headmodel_y.mat")
        (tmp_path / "channel.mat").write_bytes(b"x")
        with pytest.raises(OverwriteError, match=r"channel\.mat: exists already"):
            convert_file(converted / "a-info.fif", tmp_path / "channel.mat")
        convert_file(converted / "a-info.fif", tmp_path / "channel.mat", overwrite=True)
        assert io.read_channels(tmp_path / "channel.mat").names

    def test_a_kernel_must_be_named_so(self, converted, stored, tmp_path):
        with pytest.raises(ConversionError, match="Brainstorm knows kernels by '_KERNEL'"):
            convert_file(
                converted / "a-inv.fif",
                tmp_path / "results_x.mat",
                companions={"channels": stored["channel"]},
            )

    def test_one_of_several(self, converted, tmp_path):
        (evoked,) = mne.read_evokeds(converted / "a-ave.fif")
        others = [evoked.copy() for _ in range(2)]
        for number, one in enumerate(others):
            one.comment = f"c{number}"
        mne.write_evokeds(tmp_path / "two-ave.fif", others)
        with pytest.raises(ConversionError, match=r"2 evoked responses; say which .*0: c0; 1: c1"):
            convert_file(tmp_path / "two-ave.fif", tmp_path / "data_x.mat")
        convert_file(tmp_path / "two-ave.fif", tmp_path / "data_x.mat", item=1)
        assert io.read_recordings(tmp_path / "data_x.mat").comment == "c1"


def test_the_table_goes_both_ways_for_what_both_toolboxes_have():
    pairs = {frozenset(route) for route in ROUTES if route[::-1] in ROUTES}
    both = [("headmodel", "forward"), ("noisecov", "covariance"), ("data", "evoked"),
            ("data", "raw"), ("data", "epochs"), ("channel", "info"),
            ("results", "inverse operator"), ("results", "source estimate")]  # fmt: skip
    assert {frozenset(pair) for pair in both} <= pairs
    assert len(list(itertools.chain(*pairs))) == 2 * len(pairs)
