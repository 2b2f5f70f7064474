"""What the files of others get wrong: one error that names all of it, or a shape restored."""

from __future__ import annotations

import copy
import dataclasses
import pickle

import numpy as np
import pytest
import scipy.io
from io_helpers import cell, differences, save, structs

from mne_bstinv import conversion_report, io
from mne_bstinv.errors import SchemaError

RNG = np.random.default_rng(0)
GAIN = RNG.standard_normal((5, 12))
LOC = RNG.standard_normal((4, 3))


def head_model(**changes):
    fields = {"Gain": GAIN, "GridLoc": LOC, "GridOrient": LOC, "HeadModelType": "surface"}
    return {name: value for name, value in (fields | changes).items() if value is not None}


def read_error(tmp_path, read, **variables):
    file = save(tmp_path / "bad.mat", **variables)
    with pytest.raises(SchemaError) as info:
        read(file)
    assert info.value.place == str(file)
    assert str(info.value).startswith(f"{file}:\n  - ")
    return info.value.faults


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"Gain": None}, "Gain: is missing, but required"),
        ({"Gain": np.zeros((0, 0))}, "Gain: is empty, but required"),
        (
            {"Gain": GAIN[:, :11]},
            "Gain: shape (5, 11) found, an array of numbers (n_channels, 3*n_sources) with "
            "n_sources = 4 (from GridLoc) expected",
        ),
        (
            {"Gain": GAIN.T},
            "Gain: shape (12, 5) (it looks transposed) found, an array of numbers "
            "(n_channels, 3*n_sources) with n_sources = 4 (from GridLoc) expected",
        ),
        (
            {"Gain": "surface.mat"},
            "Gain: the text 'surface.mat' found, an array of numbers (n_channels, 3*n_sources) "
            "with n_sources = 4 (from GridLoc) expected",
        ),
        (
            {"Gain": GAIN * (1 + 1e-9j)},
            "Gain: a complex (5, 12) array found, an array of numbers (n_channels, 3*n_sources) "
            "with n_sources = 4 (from GridLoc) expected",
        ),
        (
            {"Gain": GAIN + 1j},
            "Gain: a complex (5, 12) array found, an array of numbers (n_channels, 3*n_sources) "
            "with n_sources = 4 (from GridLoc) expected",
        ),
        (
            {"Gain": structs({"a": 1.0})},
            "Gain: a struct found, an array of numbers (n_channels, 3*n_sources) with "
            "n_sources = 4 (from GridLoc) expected",
        ),
        (
            {"GridOrient": LOC[:3]},
            "GridOrient: shape (3, 3) found, an array of numbers (n_sources, 3) with "
            "n_sources = 4 (from GridLoc) expected",
        ),
        (
            {"GridLoc": np.zeros((2, 2, 2))},
            "GridLoc: shape (2, 2, 2) found, an array of numbers (n_sources, 3) expected",
        ),
        (
            {"GridLoc": "Subject01/tess_cortex.mat"},
            "GridLoc: the surface file name 'Subject01/tess_cortex.mat' (an old head model) "
            "found, an array of numbers (n_sources, 3), the Vertices of that surface, expected",
        ),
        ({"HeadModelType": 5.0}, "HeadModelType: the number 5 found, text expected"),
        ({"GridAtlas": 3.0}, "GridAtlas: the number 3 found, one struct expected"),
        (
            {"GridAtlas": structs({"Scouts": structs({"GridRows": 1.0}, {"GridRows": "x"})})},
            "GridAtlas.Scouts(2).GridRows: the text 'x' found, a vector of numbers (g,) expected",
        ),
    ],
)
def test_faults_of_a_head_model(tmp_path, changes, fault):
    assert fault in read_error(tmp_path, io.read_head_model, **head_model(**changes))


def test_all_faults_at_once(tmp_path):
    variables = head_model(Gain=GAIN.T, GridOrient="x", HeadModelType=1.0)
    faults = read_error(tmp_path, io.read_head_model, **variables)
    assert [fault.split(":")[0] for fault in faults] == ["HeadModelType", "GridOrient", "Gain"]


def test_covariance_shapes_agree(tmp_path):
    faults = read_error(tmp_path, io.read_noise_cov, NoiseCov=np.zeros((12, 13)))
    assert faults == (
        "NoiseCov: shape (12, 13) found, an array of numbers (n_channels, n_channels) expected",
    )
    file = save(tmp_path / "a.mat", NoiseCov=np.eye(4), FourthMoment=np.eye(5))
    (finding,) = conversion_report(io.read_noise_cov(file))
    assert finding.reason.startswith(
        "shape (5, 5) found, an array of numbers (n_channels, n_channels) with "
        "n_channels = 4 (from NoiseCov) expected",
    )


def test_recordings_agree(tmp_path):
    f, time = np.zeros((3, 7)), np.arange(7.0)
    faults = read_error(tmp_path, io.read_recordings, F=f.T, Time=time, ChannelFlag=np.ones(3))
    assert "F: shape (7, 3) (it looks transposed)" in faults[0]
    assert "n_channels = 3 (from ChannelFlag) and n_times = 7 (from Time)" in faults[0]
    faults = read_error(tmp_path, io.read_recordings, F=f, ChannelFlag=np.ones(4))
    assert faults[0].startswith("F: shape (3, 7) found")
    assert read_error(tmp_path, io.read_recordings, Comment="x") == (
        "F: neither an array nor a struct",
    )
    faults = read_error(tmp_path, io.read_recordings, F=f, ChannelFlag=np.array([1, 0.5, 1]))
    assert faults[0].startswith("ChannelFlag: a number with a fraction (or NaN) found")


def test_results_agree(tmp_path):
    kernel = np.zeros((6, 4))
    faults = read_error(tmp_path, io.read_results, ImagingKernel=kernel.T,
                        GoodChannel=np.arange(1, 5))  # fmt: skip
    assert faults[0].startswith("ImagingKernel: shape (4, 6) (it looks transposed) found")
    assert read_error(tmp_path, io.read_results, Comment="x") == (
        "ImagingKernel, ImageGridAmp: both are empty or missing",
    )
    faults = read_error(tmp_path, io.read_results,
                        ImageGridAmp=cell(np.zeros((3, 2)), np.zeros((4, 5))))  # fmt: skip
    assert "factors (3, 2) and (4, 5)" in faults[0]
    faults = read_error(tmp_path, io.read_results, ImageGridAmp=cell(*[np.eye(2)] * 3))
    assert "a cell of 3 found, a cell of two factors expected" in faults[0]


@pytest.mark.parametrize(
    ("read", "variables", "fault"),
    [
        (io.read_channels, {"Channel": "x"}, "Channel: the text 'x' found, a struct array"),
        (
            io.read_channels,
            {"Channel": structs({"Name": 3.0, "Loc": np.zeros((2, 4))})},
            "Channel(1).Loc: shape (2, 4) found, an array of numbers (3, k) expected",
        ),
        (
            io.read_channels,
            {"Channel": structs({"Name": "a"}),
             "Projector": structs({"Components": np.eye(3), "Status": 1.0})},
            "Projector(1).Components: shape (3, 3) found, an array of numbers (n_channels, k) "
            "with n_channels = 1 (from Channel) expected",
        ),
        (io.read_surface, {"Vertices": LOC}, "Faces: is missing, but required"),
        (
            io.read_surface,
            {"Vertices": LOC, "Faces": np.ones((2, 3)) / 2},
            "Faces: a number with a fraction (or NaN) found",
        ),
        (io.read_mri, {"Cube": "x"}, "Cube: the text 'x' found, an array of voxels expected"),
    ],
)  # fmt: skip
def test_faults_of_other_files(tmp_path, read, variables, fault):
    assert any(f.startswith(fault) for f in read_error(tmp_path, read, **variables))


@pytest.mark.parametrize(
    "changes",
    [
        {"GridLoc": LOC.T},
        {"GridOrient": LOC.T},
        {"GridLoc": cell(LOC)},
        {"GridLoc": cell(LOC.T), "GridOrient": cell(LOC)},
        {"Gain": cell(GAIN)},
    ],
)
def test_old_head_models(tmp_path, caplog, changes):
    expected = io.read_head_model(save(tmp_path / "a.mat", **head_model()))
    with caplog.at_level("INFO", logger="mne_bstinv"):
        found = io.read_head_model(save(tmp_path / "b.mat", **head_model(**changes)))
    assert differences(expected, found) == []
    assert all(name in caplog.text for name in changes)


def test_old_surfaces(tmp_path):
    faces = np.array([[1, 2, 3], [1, 2, 4]], dtype=np.uint16)
    expected = io.read_surface(save(tmp_path / "a.mat", Vertices=LOC, Faces=faces))
    found = io.read_surface(save(tmp_path / "b.mat", Vertices=cell(LOC.T), Faces=cell(faces)))
    assert differences(expected, found) == []
    assert found.faces.dtype == np.int64


def test_wrapped_export(tmp_path):
    expected = io.read_head_model(save(tmp_path / "a.mat", **head_model()))
    found = io.read_head_model(save(tmp_path / "b.mat", hm=structs(head_model())))
    assert differences(expected, found) == []
    small = {"Gain": np.arange(3.0), "GridLoc": np.arange(3.0)}
    found = io.read_head_model(save(tmp_path / "c.mat", hm=structs(small)))
    assert found.gain.shape == (1, 3)
    assert found.grid_loc.shape == (1, 3)
    stray = io.read_head_model(save(tmp_path / "d.mat", hm=structs(head_model()), ans=1.0))
    assert differences(dataclasses.replace(stray, extra={}), expected) == []
    assert dict(stray.extra) == {"ans": 1.0}
    two = {"hm": structs(head_model()), "hn": structs(head_model())}
    assert "Gain: is missing, but required" in read_error(tmp_path, io.read_head_model, **two)


def test_small_integers_are_cast(tmp_path):
    variables = head_model(Gain=np.full((5, 12), 200, np.uint8), GridLoc=np.ones((4, 3), np.int16))
    model = io.read_head_model(save(tmp_path / "a.mat", **variables))
    assert model.gain.dtype == np.float64
    assert (model.gain + model.gain).max() == 400
    assert model.grid_loc.dtype == np.float64


@pytest.mark.parametrize("compressed", [False, True])
def test_gain_is_neither_copied_nor_writable(tmp_path, compressed):
    scipy.io.savemat(tmp_path / "a.mat", head_model(), do_compression=compressed)
    model = io.read_head_model(tmp_path / "a.mat")
    assert model.gain.flags.f_contiguous
    with pytest.raises(ValueError, match="read-only"):
        model.gain[0, 0] = 0
    source = np.asfortranarray(GAIN)
    built = io.HeadModel(gain=source, grid_loc=LOC)
    assert np.shares_memory(built.gain, source)
    assert not built.gain.flags.writeable
    assert source.flags.writeable


def test_unknown_fields_are_kept(tmp_path):
    variables = head_model(ans=np.arange(3, dtype=np.uint8).reshape(3, 1), Note=cell("a", "b"))
    model = io.read_head_model(save(tmp_path / "a.mat", **variables))
    assert set(model.extra) == {"ans", "Note"}
    io.write_head_model(tmp_path / "b.mat", model)
    found = scipy.io.loadmat(tmp_path / "b.mat")
    assert found["ans"].dtype == np.uint8
    assert found["ans"].shape == (3, 1)
    assert found["Note"].shape == (1, 2)
    assert differences(model, io.read_head_model(tmp_path / "b.mat")) == []


def test_structures_are_values():
    model = io.HeadModel(gain=GAIN, grid_loc=LOC, history=[("a", "b", "c")], grid_options={"x": 1})
    with pytest.raises(dataclasses.FrozenInstanceError):
        model.gain = GAIN
    assert model.history == (("a", "b", "c"),)
    assert dict(model.grid_options) == {"x": 1.0}
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert differences(model, other) == []
    assert dataclasses.replace(model, comment="new").comment == "new"
    with pytest.raises(TypeError, match="missing 1 required keyword-only argument: 'grid_loc'"):
        io.HeadModel(gain=GAIN)


def test_writing_checks_shapes_and_classes(tmp_path):
    bad = io.HeadModel(gain=GAIN, grid_loc=LOC[:3], comment=5, history=(("a", "b"),))
    with pytest.raises(SchemaError) as info:
        io.write_head_model(tmp_path / "a.mat", bad)
    assert info.value.faults == (
        "Gain: shape (5, 12) found, an array of numbers (n_channels, 3*n_sources) with "
        "n_sources = 3 (from GridLoc) expected",
        "Comment: 5 found, text expected",
        "History: rows of another length found, rows of three texts expected",
    )
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(TypeError, match="HeadModel expected, Study given"):
        io.write_head_model(tmp_path / "a.mat", io.Study(name="x"))
    for bad in (io.Recordings(), io.Recordings(f=GAIN, link=io.Link())):
        with pytest.raises(SchemaError, match="F: "):
            io.write_recordings(tmp_path / "a.mat", bad)


@pytest.mark.parametrize("imaginary", [0.0, 1e-13])
def test_an_imaginary_part_that_is_rounding_is_left_out(tmp_path, caplog, imaginary):
    """What a matrix square root leaves: as in the sLORETA kernels of 2009 in a sphere."""
    caplog.set_level("INFO", logger="mne_bstinv")
    complex_gain = GAIN + 1j * imaginary * np.abs(GAIN).max() * np.sign(GAIN)
    file = save(tmp_path / "headmodel.mat", **head_model(Gain=complex_gain))
    read = io.read_head_model(file).gain
    assert read.dtype == np.float64
    np.testing.assert_array_equal(read, GAIN)
    if imaginary:
        assert "Gain: an imaginary part of at most" in caplog.text


def test_a_complex_kernel_that_brainstorm_wrote(data_dir):
    file = next((data_dir / "inverse_old_sphere").rglob("results_sLORETA_*_1719.mat"))
    raw = scipy.io.loadmat(file)["ImagingKernel"]
    assert raw.dtype.kind == "c"
    np.testing.assert_array_equal(io.read_results(file).imaging_kernel, raw.real)
