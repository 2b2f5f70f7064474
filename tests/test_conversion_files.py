"""One file at a time: every route of the table, companions, and what is refused."""

from __future__ import annotations

import itertools
import shutil

import mne
import numpy as np
import pytest

from mne_bstinv import io
from mne_bstinv._companions import COMPANIONS
from mne_bstinv._file_routes import ROUTES
from mne_bstinv.conversion_files import convert_file
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


def test_head_model_and_back(stored, converted, tmp_path):
    model = io.read_head_model(stored["headmodel"])
    shutil.copy(stored["channel"], tmp_path)
    done = convert_file(converted / "a-fwd.fif", tmp_path / "headmodel_surf_back.mat")
    assert done.companions == {"channels": tmp_path / stored["channel"].name}
    back = io.read_head_model(done.files[0])
    # FIF keeps no order: the left hemisphere comes first
    order = [int(np.argmin(np.linalg.norm(model.grid_loc - p, axis=1))) for p in back.grid_loc]
    assert sorted(order) == list(range(model.n_sources))
    theirs = model.gain.reshape(model.n_channels, -1, 3)[:, order].reshape(model.n_channels, -1)
    computed = np.isfinite(theirs).all(axis=1) & theirs.any(axis=1)
    close(back.gain[computed], theirs[computed], SINGLE)


def test_covariance_and_back(stored, converted, tmp_path):
    cov = io.read_noise_cov(stored["noisecov"])
    for name in ("noisecov_full.mat", "ndatacov_full.mat"):
        channels = {"channels": stored["channel"]}
        convert_file(converted / "a-cov.fif", tmp_path / name, companions=channels)
        close(io.read_noise_cov(tmp_path / name).noise_cov, cov.noise_cov, 1e-15)


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


def test_noise_covariance_of_recordings(stored, converted, tmp_path):
    done = convert_file(converted / "a-raw.fif", tmp_path / "noisecov_full.mat")
    cov = io.read_noise_cov(done.files[0])
    assert cov.fourth_moment is not None
    assert cov.n_samples.max() == io.read_recordings(stored["data"]).f.shape[1]


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
    )
    expected = kernel.imaging_kernel @ recordings.f[kernel.good_channel - 1]
    close(io.read_results(done.files[0]).image_grid_amp, expected, SINGLE)


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
    def test_the_missing_companion_is_named(self, converted, tmp_path):
        shutil.copy(converted / "a-cov.fif", tmp_path)
        with pytest.raises(
            MissingFileError,
            match=r"a-cov\.fif → noisecov_x\.mat needs the channel file \(channel\*\.mat\): "
            r"none in .*Give it with --channels FILE",
        ):
            convert_file(tmp_path / "a-cov.fif", tmp_path / "noisecov_x.mat")
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
