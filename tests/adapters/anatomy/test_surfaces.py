from __future__ import annotations

import dataclasses
from functools import partial
from pathlib import Path

import mne
import numpy as np
import pytest

from mne_bstinv import io
from mne_bstinv.adapters.anatomy import subject_files
from mne_bstinv.adapters.anatomy.labels_to_mne import to_labels
from mne_bstinv.adapters.anatomy.surfaces_to_mne import os, to_surfaces, to_trans
from mne_bstinv.adapters.sources.spaces_to_mne import to_source_spaces
from mne_bstinv.anatomy import inflate
from mne_bstinv.conversion import conversion_report
from mne_bstinv.errors import ConversionError, OverwriteError, WriteError
from mne_bstinv.frames import scs_to_head, scs_to_surface_ras, transform_points

#: FreeSurfer's files hold single precision: half a unit in the last place of 128 mm.
SINGLE = 64 * 2**-23


@pytest.fixture(scope="module")
def subject(sample_dir):
    return io.read_protocol(sample_dir).subject("Subject01")


@pytest.fixture(scope="module")
def cortex(subject):
    return io.read_surface(subject.cortex)


@pytest.fixture(scope="module")
def scalp(subject):
    return io.read_surface(subject.scalp)


@pytest.fixture(scope="module")
def mri(subject):
    return io.read_mri(subject.anatomy)


@pytest.fixture(scope="module")
def condition(subject):
    return next(c for c in subject.conditions if c.head_model_file)


@pytest.fixture(scope="module")
def channels(condition):
    return io.read_channels(condition.channel_file)


def fields(severity, converted):
    return {finding.field for finding in conversion_report(converted).of(severity)}


def files_below(folder):
    return {p.relative_to(folder).as_posix() for p in Path(folder).rglob("*") if p.is_file()}


def enclosed(rr, tris):
    """Volume of a closed mesh: positive if its triangles are counterclockwise from outside."""
    a, b, c = (rr - rr.mean(axis=0))[tris].transpose(1, 0, 2)
    return np.einsum("ij,ij->", a, np.cross(b, c)) / 6


def read_geometry(path):
    """Read a mesh by the published description of the format: MNE needs nibabel for it."""
    data = path.read_bytes()
    assert data[:3] == b"\xff\xff\xfe"
    start = data.index(b"\n\n") + 2
    n_vertices, n_tris = np.frombuffer(data, ">i4", 2, start)
    rr = np.frombuffer(data, ">f4", 3 * n_vertices, start + 8).reshape(-1, 3)
    tris = np.frombuffer(data, ">i4", 3 * n_tris, start + 8 + rr.nbytes).reshape(-1, 3)
    rest = data[start + 8 + rr.nbytes + tris.nbytes :]  # empty, or the volume of the mesh
    assert not rest or (rest[:12] == b"\0\0\0\2\0\0\0\0\0\0\0\x14" and b"cras" in rest)
    return rr.astype(float), tris.astype(int)


def test_the_transform_to_the_mri(channels, mri):
    trans = to_trans(channels, mri)
    assert (int(trans["from"]), int(trans["to"])) == (4, 5)
    head = transform_points(scs_to_head(channels, mri).matrix, np.eye(3))
    expected = transform_points(scs_to_surface_ras(mri).matrix, np.eye(3))
    np.testing.assert_allclose(transform_points(trans["trans"], head), expected, atol=1e-15)
    assert fields("assumed", trans) == {"InitTransf"}


def test_without_an_mri_head_and_mri_are_the_same(channels, tmp_path):
    trans = to_trans(channels)
    np.testing.assert_array_equal(trans["trans"], np.eye(4))
    assert fields("assumed", trans) == {"Cube"}
    mne.write_trans(tmp_path / "x-trans.fif", trans)
    assert mne.read_trans(tmp_path / "x-trans.fif") == trans
    assert fields("assumed", to_trans(None)) == {"Cube", "SCS"}


def test_the_fiducials_of_the_mri_serve_where_there_are_no_channels(mri):
    trans = to_trans(None, mri)
    assert fields("assumed", trans) == {"InitTransf"}
    # the ears are on the x axis of head: at the voxels the MRI says, seen from head
    to_scs = np.eye(4)
    to_scs[:3, :3], to_scs[:3, 3] = mri.scs.r, np.ravel(mri.scs.t)
    for point, on_x in ((mri.scs.lpa, True), (mri.scs.rpa, True), (mri.scs.nas, False)):
        scs = 1e-3 * transform_points(to_scs, np.ravel(point))
        in_mri = transform_points(scs_to_surface_ras(mri).matrix, scs)
        head = transform_points(np.linalg.inv(trans["trans"]), in_mri)
        zero = head[[1, 2]] if on_x else head[[0, 2]]
        np.testing.assert_allclose(zero, 0, atol=1e-15)


def test_surfaces_are_those_of_the_source_space(cortex, mri, channels, condition, tmp_path):
    folder = to_surfaces(tmp_path, "one", cortex=cortex, mri=mri)
    assert files_below(tmp_path / "one") == {
        p.relative_to(tmp_path / "one").as_posix() for p in folder.files
    }
    src = to_source_spaces(
        io.read_head_model(condition.head_model_file), cortex, mri, channels=channels
    )
    head_to_mri = to_trans(channels, mri)["trans"]
    for part, side in zip(src, ("lh", "rh"), strict=True):
        for name in ("white", "pial"):
            rr, tris = read_geometry(tmp_path / "one" / "surf" / f"{side}.{name}")
            np.testing.assert_array_equal(tris, part["tris"])
            expected = 1e3 * transform_points(head_to_mri, part["rr"])
            np.testing.assert_allclose(rr, expected, rtol=0, atol=SINGLE)
        rr, tris = read_geometry(tmp_path / "one" / "surf" / f"{side}.inflated")
        np.testing.assert_array_equal(tris, part["tris"])
        assert enclosed(rr, tris) > 0
        curvature = mne.surface.read_curvature(
            tmp_path / "one" / "surf" / f"{side}.curv", binary=False
        )
        sulci = cortex.sulci_map[part["bstinv_location"]] > 0
        assert curvature[sulci].mean() > curvature[~sulci].mean()
    assert {"Faces", "Vertices"} <= fields("derived", folder)
    assert fields("dropped", folder) == {"Reg"}


def test_mne_makes_the_same_source_space_of_the_folder(cortex, mri, channels, condition, tmp_path):
    pytest.importorskip("nibabel")
    to_surfaces(tmp_path, "one", cortex=cortex, mri=mri)
    theirs = mne.setup_source_space(
        "one", spacing="all", surface="white", subjects_dir=tmp_path, add_dist=False,
        verbose="error",
    )  # fmt: skip
    ours = to_source_spaces(
        io.read_head_model(condition.head_model_file), cortex, mri, channels=channels
    )
    head_to_mri = to_trans(channels, mri)["trans"]
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(one["vertno"], other["vertno"])
        np.testing.assert_array_equal(one["tris"], other["tris"])
        moved = transform_points(head_to_mri, one["rr"])
        np.testing.assert_allclose(moved, other["rr"], rtol=0, atol=1e-3 * SINGLE)
        # MNE computes its own normals: the same side of the surface
        agree = np.einsum("ij,ij->i", one["nn"] @ head_to_mri[:3, :3].T, other["nn"])
        assert agree.min() > 0


def test_without_an_mri_the_folder_is_in_the_head_frame(cortex, channels, tmp_path):
    folder = to_surfaces(tmp_path, "one", cortex=cortex, channels=channels)
    rr, _ = read_geometry(tmp_path / "one" / "surf" / "lh.white")
    head = 1e3 * transform_points(scs_to_head(channels).matrix, cortex.vertices)
    distance = np.linalg.norm(rr[:, None] - head, axis=2).min(axis=1)
    assert distance.max() < 2 * SINGLE
    assert fields("assumed", folder) == {"Cube"}


def test_shells_are_closed_and_wound_outwards(scalp, subject, mri, tmp_path):
    inner = io.read_surface(subject.inner_skull)
    to_surfaces(tmp_path, "one", scalp=scalp, inner_skull=inner, mri=mri)
    to_mri = scs_to_surface_ras(mri).matrix
    for name, shell in (("outer_skin", scalp), ("inner_skull", inner)):
        rr, tris = read_geometry(tmp_path / "one" / "bem" / f"{name}.surf")
        expected = 1e3 * transform_points(to_mri, shell.vertices)
        np.testing.assert_allclose(rr, expected, rtol=0, atol=SINGLE)
        assert enclosed(rr, tris) > 0
    (head,) = mne.read_bem_surfaces(tmp_path / "one" / "bem" / "one-head.fif", verbose="error")
    np.testing.assert_allclose(
        head["rr"], transform_points(to_mri, scalp.vertices), rtol=0, atol=1e-3 * SINGLE
    )
    assert enclosed(head["rr"], head["tris"]) > 0
    assert int(head["coord_frame"]) == 5


def test_mne_makes_a_bem_of_the_shells(scalp, subject, mri, tmp_path):
    pytest.importorskip("nibabel")
    inner = io.read_surface(subject.inner_skull)
    # a skull between the two: what the sample lacks
    outer = dataclasses.replace(inner, vertices=1.05 * inner.vertices, comment="outer skull")
    to_surfaces(tmp_path, "one", scalp=scalp, inner_skull=inner, outer_skull=outer, mri=mri)
    model = mne.make_bem_model("one", ico=None, subjects_dir=tmp_path, verbose="error")
    assert [part["np"] for part in model] == [len(s.vertices) for s in (scalp, outer, inner)]
    solution = mne.make_bem_solution(
        mne.make_bem_model("one", None, (0.3,), subjects_dir=tmp_path, verbose="error"),
        verbose="error",
    )
    assert solution["solution"].shape == (162, 162)


def test_winding_does_not_depend_on_the_file(scalp, channels, tmp_path):
    turned = dataclasses.replace(scalp, faces=scalp.faces[:, [0, 2, 1]])
    bare = dataclasses.replace(scalp, vert_normals=None, vert_conn=None)
    found = []
    for name, shell in (("a", scalp), ("b", turned), ("c", bare)):
        folder = to_surfaces(tmp_path, name, scalp=shell, channels=channels)
        found.append(read_geometry(tmp_path / name / "bem" / "outer_skin.surf"))
        assert ("Faces" in fields("derived", folder)) is (shell is not turned)
    for rr, tris in found:
        assert enclosed(rr, tris) > 0
        np.testing.assert_array_equal(rr, found[0][0])
        np.testing.assert_array_equal(tris, found[0][1])


def test_a_shell_with_a_hole_is_reported(scalp, channels, tmp_path):
    holed = dataclasses.replace(scalp, faces=scalp.faces[1:], vert_conn=None)
    folder = to_surfaces(tmp_path, "one", scalp=holed, channels=channels)
    assert "Faces" in fields("assumed", folder)
    assert (tmp_path / "one" / "bem" / "one-head.fif").is_file()


def test_the_registered_sphere_is_written(cortex, channels, tmp_path):
    radius = np.linalg.norm(cortex.vertices, axis=1, keepdims=True)
    ball = 0.1 * cortex.vertices / radius
    registered = dataclasses.replace(cortex, reg={"Sphere": {"Vertices": ball}})
    to_surfaces(tmp_path, "one", cortex=registered, channels=channels)
    for side in ("lh", "rh"):
        rr, tris = read_geometry(tmp_path / "one" / "surf" / f"{side}.sphere.reg")
        np.testing.assert_allclose(np.linalg.norm(rr, axis=1), 100, atol=2 * SINGLE)
        white = read_geometry(tmp_path / "one" / "surf" / f"{side}.white")[1]
        np.testing.assert_array_equal(tris, white)
    n = cortex.n_vertices
    for vertices, fault in ((ball[1:], f"has {n - 1} vertices, the cortex {n}"),
                            (ball[:, :2], f"finite numbers, found ({n}, 2)")):  # fmt: skip
        wrong = dataclasses.replace(cortex, reg={"Sphere": {"Vertices": vertices}})
        folder = to_surfaces(tmp_path, "two", cortex=wrong, channels=channels, overwrite=True)
        (told,) = [f for f in conversion_report(folder).of("dropped") if f.field == "Reg"]
        assert fault in told.reason


def read_annot(path):
    """Name, colour and vertices of each part, read by the published description of the format."""
    data = path.read_bytes()

    def integers(start, count):
        return np.frombuffer(data, ">i4", count, start).astype(int)

    n = integers(0, 1)[0]
    table = integers(4, 2 * n).reshape(n, 2)
    np.testing.assert_array_equal(table[:, 0], np.arange(n))
    at = 4 + 8 * n
    assert integers(at, 3).tolist()[:2] == [1, -2]
    at += 12
    at += 4 + integers(at, 1)[0]
    count, at, parts = integers(at, 1)[0], at + 4, {}
    for _ in range(count):
        length = integers(at + 4, 1)[0]
        name = data[at + 8 : at + 8 + length].rstrip(b"\0").decode()
        at += 8 + length
        red, green, blue, _ = integers(at, 4).tolist()
        at += 16
        vertices = np.flatnonzero(table[:, 1] == red + 256 * green + 65536 * blue)
        parts.setdefault(name, []).append(((red, green, blue), vertices.tolist()))
    assert at == len(data)
    return n, parts


def test_atlases_become_parcellations(cortex, channels, tmp_path):
    to_surfaces(tmp_path, "one", cortex=cortex, channels=channels)
    labels = to_labels(cortex, "User scouts", channels=channels)
    for side in ("lh", "rh"):
        n, parts = read_annot(tmp_path / "one" / "label" / f"{side}.User_scouts.annot")
        assert n == len(read_geometry(tmp_path / "one" / "surf" / f"{side}.white")[0])
        mine = [label for label in labels if label.hemi == side]
        assert set(parts) == {label.name[:-3] for label in mine}
        for label in mine:
            ((color, vertices),) = parts[label.name[:-3]]
            assert vertices == label.vertices.tolist()
            np.testing.assert_allclose(color, 255 * np.array(label.color[:3]), atol=0.5)


def scouts_of(cortex, *scouts):
    return dataclasses.replace(cortex, atlas=(*cortex.atlas, io.Atlas(name="Ma/ny", scouts=scouts)))


def test_colours_that_a_parcellation_cannot_tell_apart_are_changed(cortex, channels, tmp_path):
    left = np.flatnonzero(cortex.vertices[:, 1] > 0.02) + 1
    colors = [None, [0, 0, 0], [1, 1, 1], [1, 1, 1], [1, 0, 0], [1, 0, 0], [0, 0, 0.003]]
    surface = scouts_of(
        cortex,
        *(
            io.Scout(
                label=f"s{i}", vertices=left[i : i + 1],
                color=None if color is None else np.array(color, dtype=float),
            )
            for i, color in enumerate(colors)
        ),
    )  # fmt: skip
    folder = to_surfaces(tmp_path, "one", cortex=surface, channels=channels)
    _, parts = read_annot(tmp_path / "one" / "label" / "lh.Ma_ny.annot")
    assert len(parts) == len(colors)
    assert all(len(vertices) == 1 for ((_, vertices),) in parts.values())
    assert len({color for ((color, _),) in parts.values()}) == len(colors)
    assert "Color" in fields("derived", folder)


def test_scouts_that_overlap_become_labels(cortex, channels, tmp_path):
    left = np.flatnonzero(cortex.vertices[:, 1] > 0.02) + 1
    surface = scouts_of(
        cortex,
        io.Scout(label="A B", vertices=left[:5]),
        io.Scout(label="A/B", vertices=left[3:8]),
    )
    folder = to_surfaces(tmp_path, "one", cortex=surface, channels=channels)
    assert "Atlas" in fields("derived", folder)
    assert not (tmp_path / "one" / "label" / "lh.Ma_ny.annot").exists()
    expected = to_labels(surface, "Ma/ny", channels=channels)
    for number, label in enumerate(expected, start=1):
        for side in ("lh", "rh"):
            n, parts = read_annot(tmp_path / "one" / "label" / f"{side}.Ma_ny_{number}.annot")
            assert n == len(read_geometry(tmp_path / "one" / "surf" / f"{side}.white")[0])
            # a hemisphere without scouts has one part, which readers ask for
            mine = {"unknown": list(range(n))}
            if side == label.hemi:
                mine = {label.name[:-3]: label.vertices.tolist()}
            assert {name: vertices for name, ((_, vertices),) in parts.items()} == mine
    for name, label in zip(("A_B-lh", "A_B-2-lh"), expected, strict=True):
        read = mne.read_label(tmp_path / "one" / "label" / f"{name}.label")
        assert read.hemi == "lh"
        np.testing.assert_array_equal(read.vertices, label.vertices)
        np.testing.assert_allclose(read.pos, label.pos, rtol=0, atol=1e-9)


def test_nothing_is_replaced_unless_asked(cortex, scalp, channels, tmp_path):
    to_surfaces(tmp_path, "one", scalp=scalp, channels=channels)
    before = (tmp_path / "one" / "bem" / "outer_skin.surf").read_bytes()
    moved = dataclasses.replace(scalp, vertices=2 * scalp.vertices)
    with pytest.raises(OverwriteError, match=r"outer_skin\.surf.*overwrite=True"):
        to_surfaces(tmp_path, "one", cortex=cortex, scalp=moved, channels=channels)
    assert files_below(tmp_path) == {
        "one/bem/outer_skin.surf", "one/bem/one-head.fif", "one/bem/one-head-dense.fif",
        "one/bem/one-fiducials.fif",
    }  # fmt: skip
    assert (tmp_path / "one" / "bem" / "outer_skin.surf").read_bytes() == before
    to_surfaces(tmp_path, "one", scalp=moved, channels=channels, overwrite=True)
    assert (tmp_path / "one" / "bem" / "outer_skin.surf").read_bytes() != before


def test_a_failure_leaves_nothing_behind(scalp, channels, tmp_path, monkeypatch):
    to_surfaces(tmp_path, "one", scalp=scalp, channels=channels)
    before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}

    def full(descriptor):
        raise OSError("no space left")

    monkeypatch.setattr(os, "fsync", full)
    moved = dataclasses.replace(scalp, vertices=2 * scalp.vertices)
    with pytest.raises(OSError, match="no space left"):
        to_surfaces(tmp_path, "one", scalp=moved, channels=channels, overwrite=True)
    assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == before


def test_a_place_that_cannot_be_written_is_named(scalp, channels, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(WriteError, match=r"outer_skin\.surf: cannot be written: Not a directory\."):
        to_surfaces(tmp_path / "file", "one", scalp=scalp, channels=channels)


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "/tmp"])
def test_the_name_of_a_subject_is_that_of_a_folder(name, scalp, tmp_path):
    with pytest.raises(ConversionError, match="not the name of a subject"):
        to_surfaces(tmp_path, name, scalp=scalp)
    assert files_below(tmp_path) == set()


def test_there_must_be_something_to_write(tmp_path):
    with pytest.raises(ConversionError, match="nothing to write"):
        to_surfaces(tmp_path, "one")


def turned_mri(mri, order, flips):
    """The same head in a cube whose axes lie otherwise."""
    cube = np.asarray(mri.cube).transpose(order)
    cube = cube[tuple(slice(None, None, -1 if flip else 1) for flip in flips)]
    to_voxels = np.zeros((4, 4))  # turned voxels → voxels of the cube as it was
    to_voxels[3, 3] = 1
    for axis, (source, flip) in enumerate(zip(order, flips, strict=True)):
        to_voxels[source, axis] = -1 if flip else 1
        to_voxels[source, 3] = cube.shape[axis] - 1 if flip else 0
    vox2ras = np.diag([*mri.voxsize, 1]) @ to_voxels
    # SCS = R·(v + 1)·size + T must stay with the head: 3 mm voxels, so sizes need no turning
    old = np.eye(4)
    old[:3, :3], old[:3, 3] = mri.scs.r, np.ravel(mri.scs.t)
    size = np.diag([*mri.voxsize, 1.0])
    one = np.eye(4)
    one[:3, 3] = 1
    new = old @ size @ one @ to_voxels @ np.linalg.inv(size @ one)
    return dataclasses.replace(
        mri, cube=cube, scs=io.SCS(r=new[:3, :3], t=new[:3, 3]), init_transf=(("vox2ras", vox2ras),)
    )


@pytest.mark.parametrize(
    ("order", "flips"),
    [
        ((0, 1, 2), (0, 0, 0)),
        ((1, 2, 0), (1, 0, 1)),
        ((2, 1, 0), (1, 1, 0)),
        ((0, 2, 1), (0, 1, 1)),
    ],
)
def test_the_volume_does_not_depend_on_how_the_cube_lies(order, flips, mri, channels, tmp_path):
    nibabel = pytest.importorskip("nibabel")
    straight = turned_mri(mri, (0, 1, 2), (0, 0, 0))
    turned = turned_mri(mri, order, flips)
    np.testing.assert_allclose(
        to_trans(channels, turned)["trans"], to_trans(channels, straight)["trans"], atol=1e-15
    )
    to_surfaces(tmp_path, "a", mri=straight)
    folder = to_surfaces(tmp_path, "b", mri=turned)
    assert not conversion_report(folder).of("assumed")
    one, other = (nibabel.load(tmp_path / name / "mri" / "T1.mgz") for name in "ab")
    assert nibabel.aff2axcodes(other.affine) == ("L", "I", "A")
    np.testing.assert_array_equal(one.affine, other.affine)
    np.testing.assert_array_equal(np.asarray(one.dataobj), np.asarray(other.dataobj))
    assert other.get_data_dtype() == np.uint8
    # each voxel is where Brainstorm has it: in scanner RAS, and in surface RAS
    rng = np.random.default_rng(0)
    for voxel in rng.integers(turned.cube.shape, size=(20, 3)):
        ras = transform_points(turned.vox2ras, voxel)
        index = transform_points(np.linalg.inv(other.affine), ras).round().astype(int)
        assert np.asarray(other.dataobj)[tuple(index)] == turned.cube[tuple(voxel)]
        scs = 1e-3 * (turned.scs.r @ (turned.voxsize * (voxel + 1)) + np.ravel(turned.scs.t))
        np.testing.assert_allclose(
            1e3 * transform_points(scs_to_surface_ras(turned).matrix, scs),
            transform_points(other.header.get_vox2ras_tkr(), index),
            atol=1e-5,  # the header holds single precision
        )


@pytest.mark.parametrize(
    ("kind", "stored", "reported"),
    [("uint8", "uint8", False), ("int16", "int16", False), ("int8", "float32", False),
     ("uint16", "float32", False), ("float64", "float32", True), ("int64", "float32", True),
     (">i2", "int16", False)],
)  # fmt: skip
def test_classes_of_voxels(kind, stored, reported, mri, tmp_path):
    nibabel = pytest.importorskip("nibabel")
    cube = (np.asarray(mri.cube) % 100).astype(kind)
    if reported:  # what single precision does not hold
        cube[0, 0, 0] = 2**24 + 1
    folder = to_surfaces(tmp_path, "a", mri=dataclasses.replace(mri, cube=cube))
    image = nibabel.load(tmp_path / "a" / "mri" / "T1.mgz")
    assert image.get_data_dtype().newbyteorder("=") == np.dtype(stored)
    assert image.get_fdata().sum() == cube.sum(dtype=float) - reported
    assert ("Cube" in fields("derived", folder)) is reported
    assert "InitTransf" in fields("assumed", folder)


def test_mne_reads_the_labels_of_the_default_anatomy(shared_dir, tmp_path, monkeypatch):
    pytest.importorskip("nibabel")
    # labels do not depend on the inflated surface
    monkeypatch.setattr(subject_files, "inflate", partial(inflate, n_steps=1))
    folder = shared_dir / "real" / "brainstorm" / "anat" / "@default_subject"
    surface = io.read_surface(folder / "tess_cortex_pial_low.mat")
    to_surfaces(tmp_path, "icbm", cortex=surface)
    for atlas in surface.atlas:
        if not atlas.scouts:
            continue
        made = {(one.name, one.hemi): one for one in to_labels(surface, atlas)}
        parc = atlas.name.replace(" ", "_")
        read = mne.read_labels_from_annot("icbm", parc=parc, subjects_dir=tmp_path, verbose="error")
        assert len(read) == len(made)
        for label in read:
            one = made[label.name, label.hemi]
            np.testing.assert_array_equal(label.vertices, one.vertices)
            np.testing.assert_allclose(label.pos, one.pos, rtol=0, atol=2e-3 * SINGLE)


def test_mne_writes_what_was_read(cortex, channels, tmp_path):
    """The bytes are those that the reference implementation writes."""
    freesurfer = pytest.importorskip("nibabel.freesurfer")
    to_surfaces(tmp_path, "one", cortex=cortex, channels=channels)
    surf = tmp_path / "one" / "surf"
    rr, tris = freesurfer.read_geometry(surf / "lh.white")
    theirs, numbers = mne.read_surface(surf / "lh.white")
    for one, other in zip((theirs, numbers), read_geometry(surf / "lh.white"), strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(rr, theirs)
    np.testing.assert_array_equal(tris, numbers)
    curvature = freesurfer.read_morph_data(surf / "lh.curv")
    np.testing.assert_array_equal(
        curvature, mne.surface.read_curvature(surf / "lh.curv", binary=False)
    )
