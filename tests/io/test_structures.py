"""What the structures hold: one of everything, absent things, and what old files hold."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.io
from helpers_mat73 import save_73
from io_helpers import cell, differences, save, shapes, structs
from scipy.sparse import csc_array, issparse

from mne_bstinv import io
from mne_bstinv.errors import SchemaError

EMPTY = np.zeros((0, 0))


def both(tmp_path, read, **variables):
    """Read the same content from a v7 and from a v7.3 file."""
    file = save(tmp_path / "v7.mat", **variables)
    save_73(tmp_path / "v73.mat", scipy.io.loadmat(file, mat_dtype=True))
    first, second = read(file), read(tmp_path / "v73.mat")
    assert differences(first, second) == []
    return first


def again(tmp_path, structure, name):
    """Write and read a structure."""
    file = tmp_path / f"{name}.mat"
    getattr(io, f"write_{name}")(file, structure, overwrite=True)
    found = getattr(io, f"read_{name}")(file)
    assert differences(structure, found) == []
    return scipy.io.loadmat(file)


def test_one_channel_one_location(tmp_path):
    model = both(tmp_path, io.read_head_model, Gain=np.ones((1, 3)), GridLoc=np.ones((1, 3)),
                 Param=structs({"Center": np.zeros((3, 1)), "Radii": 0.1}))  # fmt: skip
    assert model.gain.shape == (1, 3)
    assert model.grid_loc.shape == (1, 3)
    assert model.param[0].center.shape == (3,)
    assert model.param[0].radii.shape == (1,)
    assert (model.n_channels, model.n_sources) == (1, 1)
    assert repr(model) == "<HeadModel | surface, 1 channels × 1 sources>"
    found = again(tmp_path, model, "head_model")
    assert found["Param"][0, 0]["Center"].shape == (3, 1)


def test_one_electrode(tmp_path):
    channels = both(
        tmp_path,
        io.read_channels,
        Channel=structs({"Name": "A", "Type": "EEG", "Loc": np.ones((3, 1)), "Weight": 1.0,
                         "Comment": EMPTY, "Orient": EMPTY, "Group": EMPTY}),
        Projector=structs({"Components": np.ones((1, 1)), "CompMask": 1.0, "Status": 1.0}),
        HeadPoints=structs({"Loc": np.ones((3, 1)), "Label": cell("NAS"), "Type": cell("EXTRA")}),
        TransfMeg=cell(np.eye(4)),
        TransfMegLabels=cell("a"),
    )  # fmt: skip
    (channel,) = channels.channels
    assert channel.loc.shape == (3, 1)
    assert channel.weight.shape == (1,)
    assert channel.orient is None
    assert channel.comment == ""
    assert channels.projectors[0].components.shape == (1, 1)
    assert channels.head_points.loc.shape == (3, 1)
    assert channels.head_points.label == ("NAS",)
    assert channels.transf_meg[0].shape == (4, 4)
    assert (len(channels), channels.names, channels.types) == (1, ("A",), ("EEG",))
    found = again(tmp_path, channels, "channels")
    assert found["Channel"].shape == (1, 1)
    assert found["TransfMeg"].shape == (1, 1)
    assert found["HeadPoints"][0, 0]["Label"].shape == (1, 1)


def test_one_channel_of_projectors_is_a_column(tmp_path):
    channel = structs({"Name": "A"}, {"Name": "B"}, {"Name": "C"})
    projector = structs({"Components": np.ones((3, 1)), "CompMask": 1.0, "Status": 1.0})
    channels = both(tmp_path, io.read_channels, Channel=channel, Projector=projector)
    assert channels.projectors[0].components.shape == (3, 1)


def test_labels_of_head_points_may_be_numbers(tmp_path):
    points = structs({"Loc": np.ones((3, 3)), "Label": cell("NAS", 12.0, EMPTY),
                      "Type": cell("CARDINAL", "EEG", "EXTRA")})  # fmt: skip
    channels = both(tmp_path, io.read_channels, Channel=structs({"Name": "A"}), HeadPoints=points)
    assert channels.head_points.label == ("NAS", "12", "")


def test_old_channel_file(tmp_path):
    """A bare matrix as projector, no groups, weights of another length, empty SCS."""
    channel = structs({"Name": "A", "Weight": np.zeros((1, 2)), "Loc": np.ones((3, 1))},
                      {"Name": "B", "Weight": EMPTY, "Loc": EMPTY})  # fmt: skip
    scs = structs({"NAS": EMPTY, "LPA": EMPTY, "RPA": EMPTY, "System": "CTF"})
    channels = both(tmp_path, io.read_channels, Channel=channel, Projector=np.eye(2), SCS=scs)
    (projector,) = channels.projectors
    assert (projector.kind, projector.status, projector.comp_mask) == ("operator", 1, None)
    assert channels.channels[0].weight.shape == (2,)
    assert not channels.scs.has_fiducials
    assert channels.scs.extra["System"] == "CTF"
    again(tmp_path, channels, "channels")


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"Method": "SSP_pca", "CompMask": np.ones(2), "SingVal": np.ones(2)}, "ssp"),
        ({"CompMask": np.ones(2), "SingVal": np.ones(2)}, "ssp"),
        ({"CompMask": np.ones(2), "SingVal": "ICA"}, "ica"),
        ({"Method": "ICA_infomax", "CompMask": np.ones(2), "SingVal": EMPTY}, "ica"),
        ({"CompMask": EMPTY, "SingVal": "REF"}, "operator"),
        ({"Method": "REF", "CompMask": EMPTY, "SingVal": EMPTY}, "operator"),
        ({"Method": "SSP_mean", "CompMask": EMPTY, "SingVal": EMPTY}, "operator"),
    ],
)
def test_kinds_of_projectors(tmp_path, fields, kind):
    rows = [{"Name": "A"}, {"Name": "B"}]
    projector = structs({"Components": np.eye(2), "Status": 1.0, **fields})
    channels = both(tmp_path, io.read_channels, Channel=structs(*rows), Projector=projector)
    assert channels.projectors[0].kind == kind
    again(tmp_path, channels, "channels")


def test_scouts_of_one_vertex(tmp_path):
    scout = {"Vertices": 3.0, "Seed": 3.0, "Color": np.zeros((1, 3)), "Label": "a",
             "Function": "Mean", "Region": "LO"}  # fmt: skip
    two = structs(scout, scout | {"Vertices": np.array([[1.0, 2.0]])})
    none = np.zeros((0, 0), dtype=[(name, object) for name in scout])
    atlas = structs(*({"Name": n, "Scouts": s} for n, s in
                      (("one", structs(scout)), ("two", two), ("none", none))))  # fmt: skip
    surface = both(tmp_path, io.read_surface, Vertices=np.ones((4, 3)), Faces=np.ones((1, 3)),
                   Atlas=atlas, Curvature=np.ones((4, 1), np.float32),
                   VertConn=csc_array(np.eye(4)).astype(bool))  # fmt: skip
    assert [len(a.scouts) for a in surface.atlas] == [1, 2, 0]
    assert surface.atlas[0].scouts[0].vertices.tolist() == [3]
    assert surface.atlas[0].scouts[0].seed == 3
    assert surface.faces.shape == (1, 3)
    assert surface.curvature.dtype == np.float32
    assert surface.vert_conn.dtype == np.float64
    assert surface.n_vertices == 4
    found = again(tmp_path, surface, "surface")
    assert found["Curvature"].dtype == np.float32
    assert found["Curvature"].shape == (4, 1)
    assert found["Atlas"][0, 2]["Scouts"].shape == (0, 0)


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float64])
def test_mri_keeps_its_class(tmp_path, dtype):
    cube = np.arange(24).reshape(2, 3, 4).astype(dtype)
    mri = both(tmp_path, io.read_mri, Cube=cube, Voxsize=np.ones((1, 3)),
               InitTransf=cell("vox2ras", np.eye(4)))  # fmt: skip
    assert mri.cube.dtype == dtype
    np.testing.assert_array_equal(mri.cube, cube)
    np.testing.assert_array_equal(mri.vox2ras, np.eye(4))
    found = again(tmp_path, mri, "mri")
    assert found["Cube"].dtype == dtype
    assert found["InitTransf"].shape == (1, 2)
    two = cell("a", np.eye(4), "vox2ras", np.diag([2.0, 2, 2, 1]), shape=(2, 2))
    mri = both(tmp_path, io.read_mri, Cube=cube[:, :1, :], InitTransf=two)
    assert [label for label, _ in mri.init_transf] == ["a", "vox2ras"]
    assert mri.cube.shape == (2, 1, 4)
    assert both(tmp_path, io.read_mri, Cube=cube).vox2ras is None


def test_samples_of_covariances(tmp_path):
    one = both(tmp_path, io.read_noise_cov, NoiseCov=np.eye(3), nSamples=100.0)
    assert one.n_samples == 100.0
    all_pairs = both(tmp_path, io.read_noise_cov, NoiseCov=np.eye(3), nSamples=np.ones((3, 3)))
    assert all_pairs.n_samples.shape == (3, 3)
    single = both(tmp_path, io.read_noise_cov, NoiseCov=np.ones((1, 1)), nSamples=9.0)
    assert single.n_samples.shape == (1, 1)
    absent = both(tmp_path, io.read_noise_cov, NoiseCov=np.eye(3), nSamples=EMPTY)
    assert absent.n_samples is None
    for covariance in (one, all_pairs, single, absent):
        again(tmp_path, covariance, "noise_cov")


def test_recordings_of_one_sample(tmp_path):
    data = both(tmp_path, io.read_recordings, F=np.ones((3, 1)), Time=0.5, ChannelFlag=np.ones(3),
                nAvg=np.array([[7]], np.uint8))  # fmt: skip
    assert data.f.shape == (3, 1)
    assert data.time.shape == (1,)
    assert data.n_avg == 7
    assert data.leff is None
    assert data.effective_averages == 7.0
    found = again(tmp_path, data, "recordings")
    assert found["ChannelFlag"].shape == (3, 1)
    assert found["nAvg"].dtype == np.float64
    data = both(tmp_path, io.read_recordings, F=np.ones((1, 5)), Time=np.arange(5.0))
    assert data.f.shape == (1, 5)


def test_events(tmp_path):
    """Two numbers are two events, or the start and end of one."""
    events = structs(
        {"label": "two", "epochs": np.ones((1, 2)), "times": np.array([[1.0, 2.0]])},
        {"label": "long", "epochs": 1.0, "times": np.array([[1.0], [2.0]])},
        {"label": "many", "epochs": np.ones((1, 3)), "times": np.ones((2, 3))},
        {"label": "one", "epochs": 1.0, "times": 4.0},
        {"label": "none", "epochs": EMPTY, "times": EMPTY},
    )
    data = both(tmp_path, io.read_recordings, F=np.ones((2, 3)), Events=events)
    times = [event.times for event in data.events]
    assert [None if t is None else t.shape for t in times] == [(1, 2), (2, 1), (2, 3), (1, 1), None]
    found = again(tmp_path, data, "recordings")
    assert found["Events"].shape == (1, 5)
    assert found["Events"][0, 1]["times"].shape == (2, 1)


def test_link_to_a_continuous_file(tmp_path):
    link = structs({"filename": "a.fif", "prop": structs({"sfreq": 100.0})})
    data = both(tmp_path, io.read_recordings, F=link, Time=np.array([[0.0, 9.0]]),
                ChannelFlag=np.ones((4, 1)))  # fmt: skip
    assert data.f is None
    assert data.link.filename == "a.fif"
    assert data.link.prop.sfreq == 100.0
    assert "link" in repr(data)
    assert again(tmp_path, data, "recordings")["F"][0, 0]["prop"]["sfreq"][0, 0] == 100.0


def test_results_with_factors(tmp_path):
    left, right = np.arange(6.0).reshape(3, 2), np.arange(8.0).reshape(2, 4)
    results = both(tmp_path, io.read_results, ImageGridAmp=cell(left, right), Time=np.arange(4.0))
    assert results.image_grid_amp is None
    np.testing.assert_array_equal(results.amplitudes, left @ right)
    assert "3 rows × 4 times" in repr(results)
    assert again(tmp_path, results, "results")["ImageGridAmp"].shape == (1, 2)
    column = both(tmp_path, io.read_results, ImageGridAmp=cell(left[:, :1], right[:1]))
    np.testing.assert_array_equal(column.amplitudes, left[:, :1] @ right[:1])
    row = both(tmp_path, io.read_results, ImageGridAmp=cell(left[:1], right))
    np.testing.assert_array_equal(row.amplitudes, left[:1] @ right)


def test_full_and_shared_results(data_dir):
    folder = data_dir / "eeg_shared" / "data" / "Subject01"
    (full,) = folder.glob("condA/results_MN_EEG_2*.mat")
    results = io.read_results(full)
    assert not results.is_kernel
    assert results.amplitudes is results.image_grid_amp
    (shared,) = folder.glob("@default_study/results_MN*.mat")
    results = io.read_results(shared)
    assert results.is_kernel
    assert (results.data_file, results.time) == (None, None)
    assert results.options["SourceOrient"] == ("fixed",)
    assert results.good_channel.dtype == np.int64
    assert results.effective_averages == 1.0


def test_mixed_head_model(data_dir):
    file = next((data_dir / "mixed").rglob("headmodel*.mat"))
    model = io.read_head_model(file)
    assert model.kind == "mixed"
    rows = np.concatenate([scout.grid_rows for scout in model.grid_atlas.scouts])
    assert sorted(rows) == list(range(1, model.n_sources + 1))
    results = io.read_results(next((data_dir / "mixed").rglob("results*.mat")))
    assert results.grid_atlas.grid2source.shape[1] == model.n_sources
    assert results.n_components == 0


@pytest.mark.parametrize("written", [None, "surface", "volume", "mixed", "other"])
def test_head_model_kind(written):
    model = io.HeadModel(gain=np.ones((1, 3)), grid_loc=np.ones((1, 3)), head_model_type=written)
    assert model.kind == (written if written in ("volume", "mixed") else "surface")


def test_sample_head_model(sample_dir):
    model = io.read_head_model(next(sample_dir.rglob("headmodel*.mat")))
    assert repr(model) == (
        "<HeadModel | surface, 135 channels × 296 sources, EEG: eeg_3sphereberg, MEG: os_meg>"
    )


def test_study_and_subject(tmp_path):
    study = both(tmp_path, io.read_study, Name="a", BadTrials=cell("x.mat"))
    assert study.bad_trials == ("x.mat",)
    again(tmp_path, study, "study")
    empty = io.Study(name="b")
    assert again(tmp_path, empty, "study")["BadTrials"].shape == (0, 0)
    subject = io.Subject(cortex="a/tess_cortex.mat", use_default_channel=2)
    again(tmp_path, subject, "subject")


def test_structures_from_scratch_have_brainstorm_classes(tmp_path):
    """Nothing but the required fields: the rest is written as Brainstorm writes absent values."""
    channels = io.Channels(channels=(io.Channel(name="A", type="EEG"),))
    io.write_channels(tmp_path / "c.mat", channels)
    found = shapes(tmp_path / "c.mat")
    assert found["Projector"] == ((0, 0), "struct")
    assert found["Comment"] == ((0, 0), "char")
    assert found["MegRefCoef"] == ((0, 0), "double")
    assert found["TransfMeg"] == ((0, 0), "double")
    assert found["Channel"] == ((1, 1), "struct")
    fields = scipy.io.loadmat(tmp_path / "c.mat")["Channel"].dtype.names
    assert fields == ("Name", "Comment", "Type", "Group", "Loc", "Orient", "Weight")
    results = io.Results(imaging_kernel=np.ones((3, 2)), good_channel=np.array([1, 2]),
                         channel_flag=np.array([1, 1, -1]), time=np.arange(4.0))  # fmt: skip
    io.write_results(tmp_path / "r.mat", results)
    found = shapes(tmp_path / "r.mat")
    assert found["GoodChannel"] == ((1, 2), "double")
    assert found["ChannelFlag"] == ((3, 1), "double")
    assert found["Time"] == ((1, 4), "double")
    assert found["DataFile"] == ((0, 0), "double")
    assert found["nAvg"] == ((1, 1), "double")


def test_transforms_without_names_are_written_back(tmp_path):
    transforms = (np.eye(4),)
    channels = io.Channels(channels=(io.Channel(name="a", type="EEG"),), transf_eeg=transforms)
    io.write_channels(tmp_path / "channel.mat", channels)
    again = io.read_channels(tmp_path / "channel.mat")
    assert (len(again.transf_eeg), again.transf_eeg_labels) == (1, ())


@pytest.mark.parametrize("odd", ["text", csc_array(np.eye(2)), np.full((2, 2, 2), 1.0), {"a": 1.0}])
def test_factors_that_are_no_arrays(tmp_path, odd):
    file = save(tmp_path / "results_x.mat", ImageGridAmp=cell(np.ones((2, 2)), odd), nComponents=1)
    if issparse(odd):
        assert io.read_results(file).amplitudes.tolist() == [[1.0, 1.0], [1.0, 1.0]]
        return
    with pytest.raises(SchemaError, match=r"ImageGridAmp\(2\): .* expected"):
        io.read_results(file)
