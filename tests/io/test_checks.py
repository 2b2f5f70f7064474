"""Values that cannot be: an error or a finding, in every file that has the field."""

from __future__ import annotations

import numpy as np
import pytest
from io_helpers import cell, save, structs

from mne_bstinv import conversion_report, io
from mne_bstinv.errors import SchemaError

RNG = np.random.default_rng(0)
SQUARE = RNG.standard_normal((4, 4))
COVARIANCE = SQUARE @ SQUARE.T
INDEFINITE = COVARIANCE - 2 * np.min(np.diag(COVARIANCE)) * (1 - np.eye(4))
VERTICES = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1.0]])
FACES = np.array([[1, 3, 2], [1, 2, 4], [1, 4, 3], [2, 3, 4.0]])
TURN = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])

BASES = {
    "head_model": {"Gain": np.ones((2, 12)), "GridLoc": VERTICES, "GridOrient": VERTICES},
    "noise_cov": {"NoiseCov": COVARIANCE},
    "surface": {"Vertices": VERTICES, "Faces": FACES},
    "mri": {"Cube": np.ones((2, 3, 4), np.uint8), "Voxsize": np.ones((1, 3))},
    "recordings": {"F": np.ones((2, 3)), "Time": np.arange(3.0), "ChannelFlag": np.ones((2, 1))},
    "results": {"ImagingKernel": np.ones((6, 2)), "GoodChannel": np.array([1.0, 2.0]),
                "ChannelFlag": np.ones((2, 1)), "nComponents": 3.0},
    "channels": {"Channel": structs({"Name": "a"}, {"Name": "b"})},
}  # fmt: skip


def changed(array, index, value):
    array = np.array(array, dtype=float)
    array[index] = value
    return array


def read(tmp_path, kind, **changes):
    return getattr(io, f"read_{kind}")(save(tmp_path / "a.mat", **(BASES[kind] | changes)))


@pytest.mark.parametrize("kind", BASES)
def test_what_is_right_gives_no_finding(tmp_path, kind):
    assert not conversion_report(read(tmp_path, kind))


@pytest.mark.parametrize(
    ("kind", "changes", "words"),
    [
        ("head_model", {"GridLoc": changed(VERTICES, (0, 0), np.nan)}, "GridLoc: NaN or infinite"),
        ("head_model", {"GridLoc": changed(VERTICES, (0, 0), np.inf)}, r"\(1 of 12\) found"),
        ("head_model", {"GridOrient": changed(VERTICES, (0, 0), np.nan)}, "GridOrient: NaN"),
        ("noise_cov", {"NoiseCov": changed(COVARIANCE, (0, 1), 9)}, "NoiseCov: .* not symmetric"),
        ("noise_cov", {"NoiseCov": changed(COVARIANCE, (0, 0), np.nan)}, "NoiseCov: NaN"),
        ("noise_cov", {"NoiseCov": changed(COVARIANCE, (0, 0), -1)}, "negative variance"),
        ("surface", {"Vertices": changed(VERTICES, (0, 0), np.nan)}, "Vertices: NaN"),
        ("surface", {"Faces": changed(FACES, (0, 0), 0)}, "Faces: the index 0 found"),
        ("surface", {"Faces": changed(FACES, (0, 0), 5)},
         r"the index 5 found, indices up to n_vertices = 4 \(from Vertices\) expected"),
        ("surface", {"Faces": changed(FACES, (0, 0), np.inf)}, "Faces: the number inf found"),
        ("surface", {"Faces": changed(FACES, (0, 0), 1e20)}, "Faces: the number 1e.20 found"),
        ("surface", {"Faces": changed(FACES, (0, 0), np.nan)}, "Faces: a number with a fraction"),
        ("recordings", {"Time": np.array([2.0, 1, 0])}, "Time: 2 before 1 found, times that"),
        ("recordings", {"Time": np.array([0.0, 1, 1])}, "Time: 1 before 1 found"),
        ("recordings", {"Time": np.array([0.0, np.nan, 1])}, "Time: NaN"),
        ("recordings", {"ChannelFlag": np.array([1.0, np.nan])}, "ChannelFlag: a number with a"),
        ("results", {"Time": np.array([2.0, 1, 0])}, "Time: 2 before 1 found"),
        ("results", {"GoodChannel": np.array([1.0, 1.0])}, r"GoodChannel: \[1\] found more than"),
        ("results", {"GoodChannel": np.array([0.0, 1.0])}, "GoodChannel: the index 0 found"),
        ("results", {"nComponents": 7.0}, "nComponents: 7 found, one of 0, 1, 2, 3 expected"),
        ("channels", {"MegRefCoef": np.full((1, 1), np.nan)}, "MegRefCoef: NaN"),
        ("channels", {"Projector": structs({"Components": np.ones((2, 1)), "Status": 9.0})},
         r"Projector\(1\)\.Status: 9 found"),
        ("channels", {"Projector": structs({"Components": np.full((2, 1), np.inf)})},
         r"Projector\(1\)\.Components: NaN or infinite"),
    ],
)  # fmt: skip
def test_errors(tmp_path, kind, changes, words):
    with pytest.raises(SchemaError, match=words):
        read(tmp_path, kind, **changes)


SCOUT = {"Vertices": np.array([1.0, 2.0]), "Label": "s", "Seed": 1.0}


@pytest.mark.parametrize(
    ("kind", "changes", "field", "words"),
    [
        ("mri", {"SCS": structs({"R": np.diag([1.0, 1, -1]), "T": np.zeros((3, 1))})},
         "SCS.R", "a mirror image found, a rotation expected"),
        ("mri", {"SCS": structs({"R": 2 * TURN, "T": np.zeros((3, 1))})},
         "SCS.R", "an array that scales up to 2 or shears found"),
        ("mri", {"SCS": structs({"R": TURN + changed(np.zeros((3, 3)), (0, 2), 0.1)})},
         "SCS.R", "or shears found, a rotation expected"),
        ("mri", {"SCS": structs({"NAS": np.array([np.nan, 0, 0])})}, "SCS.NAS", "NaN"),
        ("mri", {"NCS": structs({"AC": np.array([1.0, 2])})}, "NCS.AC", "shape"),
        ("mri", {"Voxsize": np.array([1.0, np.nan, 1])}, "Voxsize", "found, a number above 0"),
        ("mri", {"Voxsize": np.array([1.0, 0, 1])}, "Voxsize", "found, a number above 0"),
        ("mri", {"Voxsize": np.array([1.0, -1, 1])}, "Voxsize", "-1 found, a number above 0"),
        ("mri", {"InitTransf": cell("vox2ras", np.diag([1.0, 1, 0, 1]))},
         "InitTransf", "an array that cannot be inverted found"),
        ("mri", {"InitTransf": cell("vox2ras", np.ones((4, 4)))}, "InitTransf", "a last row"),
        ("recordings", {"nAvg": 0.0}, "nAvg", "0 found, a number above 0 expected"),
        ("recordings", {"nAvg": -3.0}, "nAvg", "-3 found, a number above 0 expected"),
        ("recordings", {"nAvg": np.inf}, "nAvg", "the number inf found"),
        ("recordings", {"Leff": np.nan}, "Leff", "nan found, a number above 0 expected"),
        ("results", {"nAvg": 0.0}, "nAvg", "0 found, a number above 0 expected"),
        ("surface", {"Atlas": structs({"Name": "A", "Scouts": structs(
            {**SCOUT, "Vertices": np.array([1.0, 5.0])}, SCOUT)})},
         "Atlas(1).Scouts(1).Vertices", "the index 5 found, indices up to n_vertices = 4"),
        ("surface", {"Atlas": structs({"Name": "A", "Scouts": structs(
            {**SCOUT, "Vertices": np.array([0.0, 1.0])}, SCOUT)})},
         "Atlas(1).Scouts(1).Vertices", "the index 0 found"),
        ("channels", {"TransfMeg": cell(np.eye(4), np.zeros((4, 4)))},
         "TransfMeg", "entry 2: a last row"),
        ("channels", {"TransfMegLabels": cell("a")}, "TransfMegLabels", "1 names found, 0"),
    ],
)  # fmt: skip
def test_what_is_left_out(tmp_path, kind, changes, field, words):
    found = read(tmp_path, kind, **changes)
    (finding,) = [f for f in conversion_report(found) if f.field.startswith(field)]
    assert finding.severity == "dropped"
    assert words in finding.reason


def test_one_scout_out_of_range_costs_its_vertices(tmp_path):
    scouts = structs({**SCOUT, "Vertices": np.array([1.0, 500.0])}, SCOUT)
    surface = read(tmp_path, "surface", Atlas=structs({"Name": "A", "Scouts": scouts}))
    bad, good = surface.atlas[0].scouts
    assert (bad.vertices, bad.label) == (None, "s")
    np.testing.assert_array_equal(good.vertices, [1, 2])
    io.write_surface(tmp_path / "b.mat", surface)
    again = io.read_surface(tmp_path / "b.mat").atlas[0].scouts[0]
    np.testing.assert_array_equal(again.extra["Vertices"], [1, 500])


@pytest.mark.parametrize(
    ("kind", "changes", "field", "words"),
    [
        ("noise_cov", {"NoiseCov": INDEFINITE}, "NoiseCov", "negative eigenvalues found"),
        ("results", {"ImagingKernel": changed(np.ones((6, 2)), (0, 0), np.nan)},
         "ImagingKernel", "NaN or infinite numbers (1 of 12) found"),
        ("results", {"GoodChannel": np.array([1.0, 9.0])}, "GoodChannel", "the index 9 found"),
    ],
)  # fmt: skip
def test_what_is_taken_as_it_is(tmp_path, kind, changes, field, words):
    found = read(tmp_path, kind, **changes)
    (finding,) = conversion_report(found)
    assert (finding.severity, finding.field) == ("assumed", field)
    assert words in finding.reason
    assert finding.reason.endswith("taken as it is")


@pytest.mark.parametrize("n_zero", [0, 1, 3])
def test_covariances_with_channels_that_were_not_computed(tmp_path, n_zero):
    covariance = COVARIANCE.copy()
    covariance[:n_zero] = covariance[:, :n_zero] = 0
    assert not conversion_report(read(tmp_path, "noise_cov", NoiseCov=covariance))


def test_covariances_of_two_units_and_of_few_samples(tmp_path):
    """Tesla and volts side by side; a rank below the number of channels."""
    units = np.array([1e-13, 1e-13, 1e-6, 1e-6])
    few = RNG.standard_normal((4, 2))
    covariance = np.outer(units, units) * (few @ few.T)
    assert not conversion_report(read(tmp_path, "noise_cov", NoiseCov=covariance))
    single = covariance.astype(np.float32).astype(np.float64)
    assert not conversion_report(read(tmp_path, "noise_cov", NoiseCov=single))


def test_parts_that_contradict_each_other(tmp_path):
    """Head points are left out as a whole; a projector that is none costs the file."""
    points = structs({"Loc": np.ones((3, 2)), "Label": cell("a", "b"), "Type": np.zeros((0, 0))})
    found = read(tmp_path, "channels", HeadPoints=points)
    (finding,) = conversion_report(found)
    assert (found.head_points, finding.severity) == (None, "dropped")
    assert "2 points, 2 labels and 0 types found" in finding.reason
    io.write_channels(tmp_path / "b.mat", found)
    assert "Label" in io.read_channels(tmp_path / "b.mat").extra["HeadPoints"]
    projector = structs(
        {"Components": np.ones((2, 1)), "CompMask": np.zeros((0, 0)), "Status": 1.0}
    )
    with pytest.raises(SchemaError, match=r"Projector\(1\): components \(2, 1\) without CompMask"):
        read(tmp_path, "channels", Projector=projector)


def test_what_cannot_be_is_not_written(tmp_path):
    noise_cov = io.NoiseCov(noise_cov=changed(COVARIANCE, (0, 1), 9))
    with pytest.raises(SchemaError, match="NoiseCov: an array that is not symmetric found"):
        io.write_noise_cov(tmp_path / "a.mat", noise_cov)
    surface = io.Surface(vertices=VERTICES, faces=FACES.astype(int) + 1)
    with pytest.raises(SchemaError, match="Faces: the index 5 found"):
        io.write_surface(tmp_path / "a.mat", surface)
    recordings = io.Recordings(f=np.ones((1, 2)), time=np.array([1.0, 0.0]), n_avg=0)
    with pytest.raises(SchemaError, match="Time: 1 before 0 found") as error:
        io.write_recordings(tmp_path / "a.mat", recordings)
    assert "nAvg: 0 found, a number above 0 expected" in str(error.value)
