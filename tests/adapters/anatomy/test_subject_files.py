"""What MNE finds in the folder of a subject: MNI coordinates, fiducials, spheres, volumes."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import mne
import numpy as np
import pytest
from scipy.spatial import ConvexHull

from mne_bstinv import io, to_info, to_labels, to_surfaces, to_trans
from mne_bstinv.adapters.anatomy.brain import voxels_inside
from mne_bstinv.adapters.anatomy.mri_from_mne import read_freesurfer_mri
from mne_bstinv.conversion import conversion_report
from mne_bstinv.frames import (
    MNI_COMMISSURES,
    ras_to_mni,
    scs_to_head,
    scs_to_surface_ras,
    transform_points,
)

nibabel = pytest.importorskip("nibabel")

SUBJECT = "one"
#: Single precision of 128 mm, in mm.
SINGLE = 64 * 2**-23


@pytest.fixture(scope="module")
def subject(sample_dir: Path) -> io.SubjectEntry:
    return io.read_protocol(sample_dir).subject("Subject01")


@pytest.fixture(scope="module")
def channels(subject: io.SubjectEntry) -> io.Channels:
    return io.read_channels(next(c.channel_file for c in subject.conditions if c.channel_file))


@pytest.fixture(scope="module")
def cortex(subject: io.SubjectEntry) -> io.Surface:
    return io.read_surface(subject.cortex)


@pytest.fixture(scope="module")
def inner_skull(cortex: io.Surface) -> io.Surface:
    """A box around the cortex."""
    low, high = cortex.vertices.min(axis=0) - 0.003, cortex.vertices.max(axis=0) + 0.003
    corners = np.array([[x, y, z] for z in (0, 1) for y in (0, 1) for x in (0, 1)])
    faces = [[1, 3, 4], [1, 4, 2], [5, 6, 8], [5, 8, 7], [1, 2, 6], [1, 6, 5],
             [3, 7, 8], [3, 8, 4], [1, 5, 7], [1, 7, 3], [2, 4, 8], [2, 8, 6]]  # fmt: skip
    return io.Surface(vertices=low + corners * (high - low), faces=np.array(faces))


@pytest.fixture(scope="module")
def mri(subject: io.SubjectEntry) -> io.Mri:
    """The MRI with scanner coordinates and MNI coordinates, which scale and shear."""
    stored = io.read_mri(subject.anatomy)
    vox2ras = np.diag([3.0, 3.0, 3.0, 1.0])
    vox2ras[:3, 3] = [-90, -120, -60]
    linear = np.array([[1.02, 0.05, -0.01], [-0.04, 0.98, 0.06], [0.02, -0.07, 1.1]])
    return dataclasses.replace(
        stored,
        init_transf=(("vox2ras", vox2ras),),
        ncs=io.NCS(r=linear, t=np.array([[-101.0], [-130.0], [-95.0]])),
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory, cortex, inner_skull, mri, channels) -> Path:
    where = tmp_path_factory.mktemp("subjects")
    to_surfaces(
        where, SUBJECT, cortex=cortex, inner_skull=inner_skull, scalp=inner_skull, mri=mri,
        channels=channels,
    )  # fmt: skip
    return where


def mni_of(mri: io.Mri, scs: np.ndarray) -> np.ndarray:
    """MNI coordinates (n, 3), mm, of points in SCS, m, by the definitions of Brainstorm's files."""
    in_mri = (1e3 * scs - np.ravel(mri.scs.t)) @ np.linalg.inv(mri.scs.r).T
    return in_mri @ mri.ncs.r.T + np.ravel(mri.ncs.t)


def test_mnes_mni_coordinates_are_brainstorms(folder, cortex, mri, channels):
    expected = mni_of(mri, cortex.vertices)
    head = transform_points(scs_to_head(channels).matrix, cortex.vertices)
    trans = to_trans(channels, mri)
    found = mne.head_to_mni(head, SUBJECT, trans, subjects_dir=folder, verbose="error")
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4)
    labels = to_labels(cortex, channels=channels, mri=mri, subject=SUBJECT)
    for label in labels:
        places = mne.vertex_to_mni(
            label.vertices, int(label.hemi == "rh"), SUBJECT, subjects_dir=folder, verbose="error"
        )
        scs = transform_points(np.linalg.inv(scs_to_surface_ras(mri).matrix), label.pos)
        np.testing.assert_allclose(places, mni_of(mri, scs), rtol=0, atol=1e-3)


def test_mni_coordinates_come_back(folder, mri, channels):
    t1 = folder / SUBJECT / "mri" / "T1.mgz"
    back = read_freesurfer_mri(t1, to_trans(channels, mri), channels)
    np.testing.assert_allclose(back.ncs.r, mri.ncs.r, rtol=0, atol=1e-6)
    np.testing.assert_allclose(np.ravel(back.ncs.t), np.ravel(mri.ncs.t), rtol=0, atol=1e-3)
    to_mri = np.linalg.inv(np.vstack([np.column_stack([mri.ncs.r, mri.ncs.t]), [0, 0, 0, 1]]))
    for name, place in MNI_COMMISSURES.items():
        np.testing.assert_allclose(
            getattr(back.ncs, name), transform_points(to_mri, np.array(place)), atol=1e-3
        )
    assert "NCS" in {f.field for f in conversion_report(back).of("derived")}


@pytest.mark.parametrize("text", ["", "Linear_Transform = 1 2 3;", "Linear_Transform = a b;"])
def test_a_damaged_talairach_costs_the_mni_coordinates_alone(text, folder, mri, channels, tmp_path):
    t1 = tmp_path / "mri" / "T1.mgz"
    (t1.parent / "transforms").mkdir(parents=True)
    t1.write_bytes((folder / SUBJECT / "mri" / "T1.mgz").read_bytes())
    (t1.parent / "transforms" / "talairach.xfm").write_text(text)
    back = read_freesurfer_mri(t1, to_trans(channels, mri), channels)
    assert back.ncs is None
    (told,) = conversion_report(back).of("dropped")
    assert "talairach.xfm: no linear transform" in told.reason


def test_commissures_alone_give_a_rigid_transform(mri):
    turn = np.linalg.qr(np.random.default_rng(0).standard_normal((3, 3)))[0]
    turn *= np.linalg.det(turn)
    points = {name: turn @ place + [90.0, 110, 100] for name, place in MNI_COMMISSURES.items()}
    found = ras_to_mni(dataclasses.replace(mri, ncs=io.NCS(**points)))
    assert found.assumed
    in_ras = transform_points(mri.vox2ras, np.array(list(points.values())) / 3 - 1)
    np.testing.assert_allclose(
        transform_points(found.matrix, in_ras), list(MNI_COMMISSURES.values()), atol=1e-9
    )
    line = {name: [0.0, i, 0] for i, name in enumerate(points)}
    assert ras_to_mni(dataclasses.replace(mri, ncs=io.NCS(**line))) is None
    assert ras_to_mni(dataclasses.replace(mri, ncs=io.NCS())) is None


def test_fiducials_are_where_the_mri_has_them(folder, mri, channels):
    path = folder / SUBJECT / "bem" / f"{SUBJECT}-fiducials.fif"
    points, frame = mne.io.read_fiducials(path, verbose="error")
    assert int(frame) == 5
    to_mri = scs_to_surface_ras(mri).matrix
    for point, name in zip(points, ("lpa", "nas", "rpa"), strict=True):
        scs = 1e-3 * (mri.scs.r @ getattr(mri.scs, name) + np.ravel(mri.scs.t))
        np.testing.assert_allclose(point["r"], transform_points(to_mri, scs), rtol=0, atol=1e-7)
    info = to_info(channels, sfreq=100.0, mri=mri)
    coreg = mne.coreg.Coregistration(info, SUBJECT, folder, fiducials="auto")
    coreg.fit_fiducials(verbose="error")
    # the points of the sensors are on the same axes: two fits of the same head
    assert coreg.compute_dig_mri_distances().max() < 0.1


def test_volumes_of_freesurfers_names(folder, inner_skull, mri):
    brain, t1, orig = (
        nibabel.load(folder / SUBJECT / "mri" / f"{name}.mgz") for name in ("brain", "T1", "orig")
    )
    whole = np.asarray(t1.dataobj)
    np.testing.assert_array_equal(whole, np.asarray(orig.dataobj))
    # which voxels are in the box, by its corners
    index = np.stack(np.indices(whole.shape), axis=-1)
    to_scs = np.linalg.inv(scs_to_surface_ras(mri).matrix)
    scs = transform_points(to_scs, 1e-3 * transform_points(t1.header.get_vox2ras_tkr(), index))
    low, high = inner_skull.vertices.min(axis=0), inner_skull.vertices.max(axis=0)
    inside = ((scs > low) & (scs < high)).all(axis=-1)
    assert 0.05 < inside.mean() < 0.9
    edge = (np.minimum(abs(scs - low), abs(scs - high)) < 1e-6).any(axis=-1)
    np.testing.assert_array_equal(
        np.asarray(brain.dataobj)[~edge], np.where(inside, whole, 0)[~edge]
    )


def test_voxels_inside_a_sphere():
    rng = np.random.default_rng(0)
    points = rng.standard_normal((500, 3))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    hull = ConvexHull(12 * points + 16)
    inside = voxels_inside(hull.points, hull.simplices, (32, 32, 32))
    index = np.stack(np.indices(inside.shape), axis=-1)
    depth = (index @ hull.equations[:, :3].T + hull.equations[:, 3]).max(axis=-1)
    clear = abs(depth) > 1e-5
    np.testing.assert_array_equal(inside[clear], depth[clear] < 0)


def test_meshes_say_which_volume_they_are_in(folder):
    t1 = nibabel.load(folder / SUBJECT / "mri" / "T1.mgz")
    for name in ("surf/lh.white", "surf/rh.inflated", "surf/lh.sphere", "bem/inner_skull.surf"):
        _, _, meta = nibabel.freesurfer.read_geometry(folder / SUBJECT / name, read_metadata=True)
        np.testing.assert_array_equal(meta["volume"], t1.shape)
        np.testing.assert_allclose(meta["voxelsize"], t1.header.get_zooms(), rtol=1e-6)
        np.testing.assert_allclose(meta["cras"], t1.header["Pxyz_c"], atol=1e-5)


def oriented(places: np.ndarray, tris: np.ndarray) -> np.ndarray:
    a, b, c = places[tris].transpose(1, 0, 2)
    return np.einsum("ij,ij->i", a, np.cross(b, c))


def test_a_coarse_cortex_is_inflated_in_place(folder):
    for side in ("lh", "rh"):
        white, _ = mne.read_surface(folder / SUBJECT / "surf" / f"{side}.white")
        smooth, tris = mne.read_surface(folder / SUBJECT / "surf" / f"{side}.inflated")
        centre = white.mean(axis=0)
        assert np.linalg.norm(smooth.mean(axis=0) - centre) < 1e-3
        reach = np.linalg.norm(white - centre, axis=1).max()
        assert np.linalg.norm(smooth - centre, axis=1).max() < 2 * reach
        assert len(tris)
        sulc = mne.surface.read_curvature(folder / SUBJECT / "surf" / f"{side}.sulc", binary=False)
        assert len(sulc) == len(white)
        assert np.ptp(sulc) > 0


def test_a_cortex_without_registration_is_spread_out(cortex, channels, tmp_path):
    bare = dataclasses.replace(cortex, reg=None)
    folder = to_surfaces(tmp_path, SUBJECT, cortex=bare, channels=channels)
    names = {path.name for path in folder.files}
    assert {"lh.sphere", "rh.sphere"} <= names
    assert not {"lh.sphere.reg", "rh.sphere.reg"} & names
    (told,) = [f for f in conversion_report(folder).of("dropped") if f.field == "Reg"]
    assert "not registered" in told.reason
    for side in ("lh", "rh"):
        places, tris = mne.read_surface(tmp_path / SUBJECT / "surf" / f"{side}.sphere")
        np.testing.assert_allclose(np.linalg.norm(places, axis=1), 100, rtol=1e-6)
        assert (oriented(places, tris) > 0).all()
    label = next(x for x in to_labels(bare, subject=SUBJECT) if len(x.vertices) > 3)
    label.values[:] = 1
    vertex = label.center_of_mass(SUBJECT, subjects_dir=tmp_path)
    assert vertex in label.vertices
    halves = label.split(2, SUBJECT, subjects_dir=tmp_path)
    assert sorted(np.concatenate([half.vertices for half in halves])) == label.vertices.tolist()


def test_scouts_of_structures_and_regions_are_no_labels(data_dir):
    entry = io.read_protocol(data_dir / "mixed").subject("Subject01")
    surface = io.read_surface(entry.cortex)
    for atlas, kept in (
        ("Structures", {"Cortex-lh", "Cortex-rh"}),
        ("Source model", {"Cortex-lh", "Cortex-rh"}),
    ):
        labels = to_labels(surface, atlas, verbose="error")
        assert {label.name for label in labels} == kept
        told = " ".join(f.reason for f in conversion_report(labels).of("dropped"))
        assert "Thalamus L" in told
        assert "Hippocampus R" in told
