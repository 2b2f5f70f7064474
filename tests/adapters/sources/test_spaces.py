from __future__ import annotations

import dataclasses
import pickle
import warnings
from functools import cache

import mne
import numpy as np
import pytest
from balls import ball
from scipy.sparse.csgraph import connected_components

from mne_bstinv import hemispheres, io
from mne_bstinv.adapters.anatomy.surfaces_to_mne import to_trans
from mne_bstinv.adapters.sources.spaces_from_mne import from_source_spaces, source_order
from mne_bstinv.adapters.sources.spaces_to_mne import to_source_spaces
from mne_bstinv.anatomy import vertex_normals
from mne_bstinv.conversion import conversion_report
from mne_bstinv.errors import ConversionError
from mne_bstinv.frames import scs_to_head, transform_points

SURFACES = ("eeg_shared", "eeg_surface", "meg_eeg", "sample_small")
PROTOCOLS = (*SURFACES, "eeg_volume", "mixed")
LOCAL = ("eeg_surface", "eeg_volume", "meg_ctf", "meg_neuromag", "mixed")

#: Positions are tenths of a metre and pass through two rigid transforms.
RTOL = 1e-12
#: FIF files hold single precision: half a unit in the last place of 0.1 m, and of 1.
SINGLE = 0.125 * 2**-24


@cache
def load(folder):
    """Head model, cortex, channels and MRI of the protocol's condition that has a head model."""
    subject = io.read_protocol(folder).subject("Subject01")
    condition = next(c for c in subject.conditions if c.head_model_file)
    return (
        io.read_head_model(condition.head_model_file),
        io.read_surface(subject.cortex),
        io.read_channels(condition.channel_file),
        io.read_mri(subject.anatomy),
    )


@pytest.fixture
def study(request, data_dir, sample_dir):
    name = getattr(request, "param", "sample_small")
    return load(sample_dir if name == "sample_small" else data_dir / name)


every = pytest.mark.parametrize("study", PROTOCOLS, indirect=True)
surfaces = pytest.mark.parametrize("study", SURFACES, indirect=True)


def fields(severity, converted):
    return {finding.field for finding in conversion_report(converted).of(severity)}


def used(src, key):
    return np.concatenate([part[key][part["vertno"]] for part in src])


def triangles(tris):
    """Triangles as a set, whichever corner comes first."""
    tris = np.asarray(tris)
    first = tris.argmin(axis=1)[:, None]
    return set(map(tuple, np.take_along_axis(tris, (first + np.arange(3)) % 3, axis=1).tolist()))


def assert_consistent(part):
    """What MNE relies on in any source space."""
    assert len(part["rr"]) == len(part["nn"]) == len(part["inuse"]) == part["np"]
    np.testing.assert_array_equal(np.flatnonzero(part["inuse"]), part["vertno"])
    assert part["nuse"] == len(part["vertno"])
    assert int(part["coord_frame"]) == 4
    assert part["rr"].dtype == part["nn"].dtype == np.float64
    np.testing.assert_allclose(np.linalg.norm(part["nn"], axis=1), 1, atol=1e-12)


@every
def test_positions_and_normals_are_those_of_the_head_model_in_head(study):
    head_model, surface, channels, mri = study
    src = to_source_spaces(head_model, surface, mri, channels=channels, subject="one")
    assert src.kind == head_model.kind
    frame, order = scs_to_head(channels, mri), source_order(src)
    np.testing.assert_array_equal(np.sort(order), np.arange(head_model.n_sources))
    np.testing.assert_array_equal(conversion_report(src).kept["order"], order)
    np.testing.assert_array_equal(
        used(src, "rr"), transform_points(frame.matrix, head_model.grid_loc)[order]
    )
    for part in src:
        assert_consistent(part)
        assert part["subject_his_id"] == "one"
    if head_model.kind == "surface":
        np.testing.assert_allclose(
            used(src, "nn"), (head_model.grid_orient @ frame.rotation.T)[order], rtol=0, atol=1e-15
        )


@surfaces
@pytest.mark.parametrize("seed", [None, 0, 1])
def test_two_hemispheres_whatever_the_order_of_the_vertices(study, seed):
    head_model, surface, channels, _ = study
    n = surface.n_vertices
    shuffled = np.arange(n) if seed is None else np.random.default_rng(seed).permutation(n)
    # row i of the shuffled mesh is row shuffled[i] of the stored one
    inverse = np.argsort(shuffled)
    cortex = dataclasses.replace(
        surface,
        vertices=surface.vertices[shuffled],
        faces=inverse[surface.faces - 1] + 1,
        vert_normals=surface.vert_normals[shuffled],
        vert_conn=None,
        curvature=None,
        sulci_map=None,
        atlas=tuple(
            dataclasses.replace(
                atlas,
                scouts=tuple(
                    dataclasses.replace(scout, vertices=inverse[scout.vertices - 1] + 1)
                    for scout in atlas.scouts
                ),
            )
            for atlas in surface.atlas
        ),
    )
    model = dataclasses.replace(
        head_model,
        grid_loc=head_model.grid_loc[shuffled],
        grid_orient=head_model.grid_orient[shuffled],
    )
    src = to_source_spaces(model, cortex, channels=channels)
    sides, _ = hemispheres(surface)
    lh, rh = src
    assert [int(lh["id"]), int(rh["id"])] == [101, 102]
    found = set()
    for part, side in ((lh, "lh"), (rh, "rh")):
        assert part["nuse"] == part["np"]  # all vertices are in use, so rows are locations
        rows = part["bstinv_location"]
        np.testing.assert_array_equal(np.sort(shuffled[rows]), np.flatnonzero(sides == side))
        corners = part["rr"][part["tris"]]
        across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        outward = np.einsum("ij,ij->i", across, part["nn"][part["tris"]].mean(axis=1))
        assert (outward > 0).mean() > 0.9
        assert np.einsum("ij,ij->", corners[:, 0] - part["rr"].mean(axis=0), across) > 0
        found |= triangles(shuffled[rows[part["tris"]]] + 1)
        assert part["use_tris"] is part["tris"]
        assert part["nuse_tri"] == part["ntri"] == len(part["tris"])
    # every triangle is there, wound the other way than Brainstorm's
    assert found == triangles(surface.faces[:, [0, 2, 1]])
    assert lh["rr"][:, 0].mean() < rh["rr"][:, 0].mean()
    assert "Faces" in fields("derived", src)


@surfaces
def test_mne_sees_the_stored_neighbours(study):
    head_model, surface, channels, _ = study
    src = to_source_spaces(head_model, surface, channels=channels)
    adjacency = mne.spatial_src_adjacency(src, verbose="error").toarray() > 0
    order = source_order(src)
    stored = (surface.vert_conn.toarray() != 0)[np.ix_(order, order)]
    np.testing.assert_array_equal(adjacency, stored | np.eye(len(order), dtype=bool))
    assert connected_components(adjacency)[0] == 2
    mne.add_source_space_distances(src, verbose="error")
    for part in src:
        a, b = part["tris"][0, :2]
        straight = np.linalg.norm(part["rr"][a] - part["rr"][b])
        assert part["dist"].toarray()[a, b] == pytest.approx(straight, rel=1e-6)


@every
@pytest.mark.parametrize("with_surface", [True, False])
@pytest.mark.parametrize("with_mri", [True, False])
def test_fif_files_hold_the_source_spaces(study, with_surface, with_mri, tmp_path):
    head_model, surface, channels, mri = study
    src = to_source_spaces(
        head_model,
        surface if with_surface else None,
        mri if with_mri else None,
        channels=channels,
        subject="one",
    )
    mne.write_source_spaces(tmp_path / "x-src.fif", src, verbose="error")
    back = mne.read_source_spaces(tmp_path / "x-src.fif", verbose="error")
    assert back.kind == src.kind
    for read, part in zip(back, src, strict=True):
        np.testing.assert_allclose(read["rr"], part["rr"], rtol=0, atol=SINGLE)
        np.testing.assert_allclose(read["nn"], part["nn"], rtol=0, atol=2**-24)
        np.testing.assert_array_equal(read["vertno"], part["vertno"])
        assert read["subject_his_id"] == "one"
        if part["type"] == "vol":
            assert tuple(read["shape"]) == part["shape"]
            np.testing.assert_allclose(
                read["src_mri_t"]["trans"], part["src_mri_t"]["trans"], atol=SINGLE
            )
        if part["type"] == "surf":
            np.testing.assert_array_equal(read["tris"], part["tris"])
    assert source_order(back) is None
    # without Brainstorm's order, MNE's order stands
    inverse = scs_to_head(channels, mri if with_mri else None).inverse
    grid = from_source_spaces(back, head_to_scs=inverse)
    np.testing.assert_array_equal(grid.order, np.arange(head_model.n_sources))
    np.testing.assert_allclose(
        grid.grid_loc, head_model.grid_loc[source_order(src)], rtol=0, atol=2 * SINGLE
    )


def copied(src):
    return src.copy()


def pickled(src):
    return pickle.loads(pickle.dumps(src))


def itself(src):
    return src


def assert_round_trip(study, handed_on):
    head_model, surface, channels, mri = study
    src = handed_on(to_source_spaces(head_model, surface, mri, channels=channels))
    grid = from_source_spaces(src, head_to_scs=scs_to_head(channels, mri).inverse)
    scale = np.abs(head_model.grid_loc).max()
    np.testing.assert_allclose(grid.grid_loc, head_model.grid_loc, rtol=0, atol=RTOL * scale)
    assert grid.head_model_type == head_model.kind
    if head_model.grid_orient is None:
        assert grid.grid_orient is None
    else:
        np.testing.assert_allclose(grid.grid_orient, head_model.grid_orient, rtol=0, atol=RTOL)
    np.testing.assert_array_equal(grid.order, source_order(src))
    if head_model.kind == "surface":
        cortex = grid.surface
        np.testing.assert_allclose(cortex.vertices, surface.vertices, rtol=0, atol=RTOL * scale)
        assert triangles(cortex.faces) == triangles(surface.faces)
        np.testing.assert_array_equal(hemispheres(cortex)[0], hemispheres(surface)[0])
        np.testing.assert_array_equal(cortex.vert_conn.toarray(), surface.vert_conn.toarray())
    if head_model.kind == "mixed":
        stored = [s for s in head_model.grid_atlas.scouts if s.grid_rows is not None]
        assert [s.label for s in grid.grid_atlas.scouts] == [s.label for s in stored]
        for scout, expected in zip(grid.grid_atlas.scouts, stored, strict=True):
            np.testing.assert_array_equal(scout.grid_rows, expected.grid_rows)
    return grid


@every
@pytest.mark.parametrize("handed_on", [itself, copied, pickled])
def test_round_trip(study, handed_on):
    assert_round_trip(study, handed_on)


@pytest.mark.parametrize("name", LOCAL)
@pytest.mark.parametrize("handed_on", [itself, copied])
def test_round_trip_with_real_sensors(name, handed_on, shared_dir):
    assert_round_trip(load(shared_dir / "oracle" / "local" / name), handed_on)


def test_what_only_brainstorm_has_comes_back(study):
    grid = assert_round_trip(study, itself)
    assert grid.surface is study[1]
    bare = assert_round_trip(study, copied)
    assert [atlas.name for atlas in bare.surface.atlas] == ["Structures"]
    assert [scout.label for scout in bare.surface.atlas[0].scouts] == ["lh", "rh"]
    assert conversion_report(bare).of("derived")


def test_the_source_spaces_share_no_memory_with_the_input(study):
    head_model, surface, channels, mri = study
    before = head_model.grid_loc.copy(), surface.vertices.copy(), surface.faces.copy()
    src = to_source_spaces(head_model, surface, mri, channels=channels)
    for part in src:
        part["rr"][:] = 0
        part["nn"][:] = 0
        part["tris"][:] = 0
    after = head_model.grid_loc, surface.vertices, surface.faces
    for one, other in zip(before, after, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_surface_of_another_size_is_an_error(study, data_dir):
    other = load(data_dir / "eeg_surface")[1]
    with pytest.raises(ConversionError, match=r"has 60 vertices.* has 296 locations"):
        to_source_spaces(study[0], other, channels=study[2])


def test_without_a_surface_the_source_space_is_discrete(study):
    head_model, _, channels, _ = study
    src = to_source_spaces(head_model, channels=channels)
    assert src.kind == "discrete"
    assert fields("dropped", src) == {"SurfaceFile"}
    np.testing.assert_array_equal(source_order(src), np.arange(head_model.n_sources))
    grid = from_source_spaces(src, head_to_scs=scs_to_head(channels).inverse)
    assert grid.head_model_type == "surface"
    assert grid.surface is None


def test_a_guessed_head_frame_is_reported(study):
    head_model, surface, _, _ = study
    src = to_source_spaces(head_model, surface)
    assert "SCS" in fields("assumed", src)
    np.testing.assert_array_equal(
        used(src, "rr"), (head_model.grid_loc * [1, -1, 1])[:, [1, 0, 2]][source_order(src)]
    )


def test_locations_beside_the_vertices_are_reported(study):
    head_model, surface, channels, _ = study
    model = dataclasses.replace(head_model, grid_loc=head_model.grid_loc + np.array([0, 0, 1e-3]))
    src = to_source_spaces(model, surface, channels=channels)
    (finding,) = conversion_report(src).of("assumed")
    assert finding.field == "GridLoc"
    assert "1 mm" in finding.reason
    grid = from_source_spaces(src.copy(), head_to_scs=scs_to_head(channels).inverse)
    np.testing.assert_allclose(grid.grid_loc, model.grid_loc, rtol=0, atol=1e-15)


def test_vertices_in_neither_hemisphere_join_one(study):
    head_model, surface, channels, _ = study
    structures = next(a for a in surface.atlas if a.name == "Structures")
    scouts = tuple(
        dataclasses.replace(s, vertices=s.vertices[: len(s.vertices) - 5])
        for s in structures.scouts
    )
    cortex = dataclasses.replace(surface, atlas=(dataclasses.replace(structures, scouts=scouts),))
    src = to_source_spaces(head_model, cortex, channels=channels)
    # the hemispheres are not joined, so each of the ten finds its way home
    np.testing.assert_array_equal(
        source_order(src), source_order(to_source_spaces(head_model, surface, channels=channels))
    )
    (finding,) = conversion_report(src).of("assumed")
    assert finding.field == "Atlas"
    assert finding.reason.startswith("10 vertices")


def test_triangles_between_the_hemispheres_are_dropped(study):
    head_model, surface, channels, _ = study
    sides, _ = hemispheres(surface)
    left, right = np.flatnonzero(sides == "lh")[:2], np.flatnonzero(sides == "rh")[:1]
    bridge = np.concatenate([left, right])[None] + 1
    cortex = dataclasses.replace(surface, faces=np.vstack([surface.faces, bridge]), vert_conn=None)
    src = to_source_spaces(head_model, cortex, channels=channels)
    assert sum(part["ntri"] for part in src) == len(surface.faces)
    assert fields("dropped", src) == {"Faces"}


def test_normals_come_from_the_surface_or_its_triangles(study):
    head_model, surface, channels, _ = study
    rotation = scs_to_head(channels).rotation
    bare = dataclasses.replace(head_model, grid_orient=None)
    src = to_source_spaces(bare, surface, channels=channels)
    order = source_order(src)
    assert "GridOrient" in fields("derived", src)
    np.testing.assert_allclose(
        used(src, "nn"), (surface.vert_normals @ rotation.T)[order], rtol=0, atol=1e-15
    )
    naked = dataclasses.replace(surface, vert_normals=None)
    src = to_source_spaces(bare, naked, channels=channels)
    computed = vertex_normals(surface.vertices, surface.faces - 1)
    np.testing.assert_allclose(used(src, "nn"), (computed @ rotation.T)[order], rtol=0, atol=1e-15)
    grid = from_source_spaces(src, head_to_scs=scs_to_head(channels).inverse)
    assert grid.grid_orient is None  # as it was
    src = to_source_spaces(bare, channels=channels)
    assert "GridOrient" in fields("assumed", src)
    np.testing.assert_array_equal(used(src, "nn"), np.tile([0.0, 0, 1], (len(order), 1)))


def test_normals_of_another_length_are_scaled_and_come_back(study):
    head_model, surface, channels, _ = study
    normals = head_model.grid_orient.copy()
    normals[3] = 0
    normals[5] *= 2
    model = dataclasses.replace(head_model, grid_orient=normals)
    src = to_source_spaces(model, surface, channels=channels)
    for part in src:
        assert_consistent(part)
    assert fields("assumed", src) == {"GridOrient"}
    assert "GridOrient" in fields("derived", src)
    grid = from_source_spaces(src, head_to_scs=scs_to_head(channels).inverse)
    np.testing.assert_allclose(grid.grid_orient, normals, rtol=0, atol=RTOL)


@pytest.mark.parametrize("study", ["eeg_volume"], indirect=True)
@pytest.mark.parametrize("with_mri", [True, False])
@pytest.mark.parametrize("turned", ["SCS", "MRI", "anyhow"])
def test_a_regular_grid_is_a_volume(study, with_mri, turned):
    head_model, _, channels, mri = study
    grid = head_model.grid_loc
    if turned == "MRI":
        grid = grid @ mri.scs.r.T
    if turned == "anyhow":
        q, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))
        grid = grid @ (q * np.linalg.det(q)).T
    model = dataclasses.replace(head_model, grid_loc=grid)
    mri = mri if with_mri else None
    src = to_source_spaces(model, None, mri, channels=channels)
    (part,) = src
    assert part["type"] == "vol"
    assert part["np"] == np.prod(part["shape"])
    # x runs fastest, and src_mri_t leads to MNE's MRI frame
    index = np.stack(np.unravel_index(np.arange(part["np"]), part["shape"], order="F"), axis=1)
    head_to_mri = to_trans(channels, mri)["trans"]
    np.testing.assert_allclose(
        transform_points(part["src_mri_t"]["trans"], index),
        transform_points(head_to_mri, part["rr"]),
        rtol=0,
        atol=1e-9,  # the points' distance from their nodes is rounding of some steps of 26 mm
    )
    np.testing.assert_allclose(
        np.linalg.norm(part["src_mri_t"]["trans"][:3, :3], axis=0), 0.026, rtol=1e-9
    )
    assert "GridLoc" not in fields("dropped", src)
    assert ("Cube" in fields("assumed", src)) is (not with_mri)
    if with_mri:
        size = part["mri_width"], part["mri_height"], part["mri_depth"]
        assert sorted(size) == sorted(mri.cube.shape)


@pytest.mark.parametrize("study", ["eeg_volume"], indirect=True)
def test_neighbours_of_a_volume_are_one_step_apart(study):
    head_model, _, channels, _ = study
    (part,) = to_source_spaces(head_model, channels=channels)
    neighbours = part["neighbor_vert"]
    assert neighbours.shape == (part["np"], 26)
    nodes, columns = np.nonzero(neighbours >= 0)
    assert set(nodes) <= set(part["vertno"])
    pairs = set(zip(nodes.tolist(), neighbours[nodes, columns].tolist(), strict=True))
    rr = part["rr"][part["vertno"]] / 0.026
    apart = np.abs(rr[:, None] - rr).max(axis=2)  # in SCS axes turned by 90°, so still a lattice
    expected = np.argwhere((apart > 0.5) & (apart < 1.5))
    assert pairs == set(map(tuple, part["vertno"][expected].tolist()))


@pytest.mark.parametrize("study", ["eeg_volume"], indirect=True)
def test_single_precision_does_not_spoil_a_grid(study):
    head_model, _, channels, _ = study
    rounded = head_model.grid_loc.astype(np.float32).astype(np.float64)
    src = to_source_spaces(dataclasses.replace(head_model, grid_loc=rounded), channels=channels)
    assert src.kind == "volume"
    frame = scs_to_head(channels)
    np.testing.assert_array_equal(
        used(src, "rr"), transform_points(frame.matrix, rounded)[source_order(src)]
    )


@pytest.mark.parametrize("study", ["eeg_volume"], indirect=True)
@pytest.mark.parametrize("points", ["irregular", "one", "line"])
def test_points_on_no_grid_are_discrete(study, points):
    head_model, _, channels, _ = study
    grid = head_model.grid_loc
    if points == "irregular":
        grid = grid + np.random.default_rng(1).uniform(-1e-3, 1e-3, grid.shape)
    if points == "one":
        grid = grid[:1]
    if points == "line":  # far apart on a lattice that is all but empty
        grid = 1e-3 * np.array([[0, 0, 0], [100, 1, 0], [0, 100, 101.0]])
    model = dataclasses.replace(head_model, grid_loc=grid)
    src = to_source_spaces(model, channels=channels)
    assert src.kind == "discrete"
    assert "GridLoc" in fields("dropped", src)
    back = from_source_spaces(src.copy(), head_to_scs=scs_to_head(channels).inverse)
    np.testing.assert_allclose(back.grid_loc, grid, rtol=0, atol=1e-15)
    assert (back.head_model_type, back.grid_orient) == ("volume", None)


@pytest.mark.parametrize("study", ["eeg_volume"], indirect=True)
def test_orientations_of_a_volume_are_kept(study):
    head_model, _, channels, _ = study
    normals = head_model.grid_loc / np.linalg.norm(head_model.grid_loc, axis=1, keepdims=True)
    model = dataclasses.replace(head_model, grid_orient=normals)
    src = to_source_spaces(model, channels=channels).copy()
    assert src.kind == "volume"
    back = from_source_spaces(src, head_to_scs=scs_to_head(channels).inverse)
    np.testing.assert_allclose(back.grid_orient, normals, rtol=0, atol=RTOL)


@pytest.mark.parametrize("study", ["mixed"], indirect=True)
def test_a_mixed_model_is_cortex_then_regions(study):
    head_model, surface, channels, mri = study
    src = to_source_spaces(head_model, surface, mri, channels=channels)
    assert [part["type"] for part in src] == ["surf", "surf", "vol"]
    assert src[2]["seg_name"] == "Thalamus L"
    scouts = {s.label: s.grid_rows - 1 for s in head_model.grid_atlas.scouts
              if s.grid_rows is not None}  # fmt: skip
    for part, name in zip(src, ("Cortex L", "Cortex R", "Thalamus L"), strict=True):
        rows = part["bstinv_location"][part["vertno"]]
        np.testing.assert_array_equal(np.sort(rows), np.sort(scouts[name]))
    sides, _ = hemispheres(surface)
    for part, side in zip(src[:2], ("lh", "rh"), strict=True):
        among = (sides == side)[surface.faces - 1].all(axis=1)
        assert part["ntri"] == among.sum() > 0
        np.testing.assert_array_equal(np.unique(part["tris"]), np.arange(part["np"]))


def regions(head_model, **codes):
    """The head model with other codes for some of its regions."""
    atlas = head_model.grid_atlas
    scouts = tuple(
        dataclasses.replace(s, region=codes.get(s.label.replace(" ", "_"), s.region))
        for s in atlas.scouts
    )
    return dataclasses.replace(head_model, grid_atlas=dataclasses.replace(atlas, scouts=scouts))


@pytest.mark.parametrize("study", ["mixed"], indirect=True)
def test_excluded_regions_are_dropped_and_reported(study):
    head_model, surface, channels, _ = study
    src = to_source_spaces(regions(head_model, Thalamus_L="LXU"), surface, channels=channels)
    assert src.kind == "surface"
    (finding,) = conversion_report(src).of("dropped")
    assert finding.field == "GridLoc"
    assert finding.reason.startswith("43 locations")
    grid = from_source_spaces(src, head_to_scs=scs_to_head(channels).inverse)
    np.testing.assert_allclose(grid.grid_loc, head_model.grid_loc[:50], rtol=0, atol=1e-15)


@pytest.mark.parametrize("study", ["mixed"], indirect=True)
@pytest.mark.parametrize("code", ["UDU", "USU"])
def test_a_deep_structure_at_vertices_is_discrete(study, code):
    head_model, surface, channels, _ = study
    structures = next(a for a in surface.atlas if a.name == "Structures")
    vertices = next(s for s in structures.scouts if s.label == "Hippocampus R").vertices
    rows = np.arange(len(head_model.grid_loc), len(head_model.grid_loc) + len(vertices))
    atlas = head_model.grid_atlas
    deep = io.Scout(label="Hippocampus R", region=code, vertices=vertices, grid_rows=rows + 1)
    model = dataclasses.replace(
        head_model,
        gain=np.zeros((len(head_model.gain), 3 * (rows[-1] + 1))),
        grid_loc=np.vstack([head_model.grid_loc, surface.vertices[vertices - 1]]),
        grid_orient=np.vstack([head_model.grid_orient, surface.vert_normals[vertices - 1]]),
        grid_atlas=dataclasses.replace(atlas, scouts=(deep, *atlas.scouts)),
    )
    src = to_source_spaces(model, surface, channels=channels)
    assert [part["type"] for part in src] == ["surf", "surf", "discrete", "vol"]
    np.testing.assert_array_equal(src[2]["bstinv_location"], rows)
    assert "Faces" in fields("dropped", src)
    back = from_source_spaces(src.copy(), head_to_scs=scs_to_head(channels).inverse)
    np.testing.assert_allclose(back.grid_orient, model.grid_orient, rtol=0, atol=RTOL)


@pytest.mark.parametrize("study", ["mixed"], indirect=True)
def test_the_cortex_of_one_hemisphere_is_discrete(study):
    head_model, surface, channels, _ = study
    src = to_source_spaces(regions(head_model, Cortex_R="RXC"), surface, channels=channels)
    assert [part["type"] for part in src] == ["discrete", "vol"]
    assert "Faces" in fields("dropped", src)


@pytest.mark.parametrize("study", ["mixed"], indirect=True)
def test_codes_tell_the_hemisphere_where_the_atlas_does_not(study):
    head_model, surface, channels, _ = study
    src = to_source_spaces(head_model, dataclasses.replace(surface, atlas=()), channels=channels)
    expected = to_source_spaces(head_model, surface, channels=channels)
    np.testing.assert_array_equal(source_order(src), source_order(expected))
    assert src.kind == "mixed"


@pytest.mark.parametrize("study", ["mixed"], indirect=True)
def test_a_mixed_model_needs_valid_regions(study):
    head_model, surface, channels, _ = study
    for model in (
        dataclasses.replace(head_model, grid_atlas=None),
        regions(head_model, Cortex_L="LSQ"),
    ):
        with pytest.raises(ConversionError, match="GridAtlas cannot be used"):
            to_source_spaces(model, surface, channels=channels)


def restrict(src, keep):
    """Take sources out of use, as MNE does when a forward solution leaves some out."""
    src = src.copy()
    for part in src:
        part["inuse"][~keep(part)] = 0
        part["vertno"] = np.flatnonzero(part["inuse"])
        part["nuse"] = len(part["vertno"])
    return src


@every
def test_sources_that_mne_left_out_leave_the_others_in_order(study):
    head_model, surface, channels, mri = study
    whole = to_source_spaces(head_model, surface, mri, channels=channels)
    src = restrict(whole, lambda part: np.arange(part["np"]) % 3 > 0)
    where = source_order(src)
    assert 0 < len(where) < head_model.n_sources
    grid = from_source_spaces(src, head_to_scs=scs_to_head(channels, mri).inverse)
    np.testing.assert_allclose(
        grid.grid_loc, head_model.grid_loc[np.sort(where)], rtol=RTOL, atol=1e-15
    )
    np.testing.assert_array_equal(np.sort(where)[grid.order], where)
    if grid.surface is not None:
        sides, _ = hemispheres(grid.surface)
        expected, _ = hemispheres(surface)
        kept = np.sort(where)[: len(sides)]
        np.testing.assert_array_equal(sides, expected[kept])
        # a third of the vertices is gone: what is left is joined by the patches around it
        assert "use_tris" in fields("derived", grid)
        assert without_normal(grid.surface) == []


def without_normal(surface):
    """Vertices whose triangles give no normal."""
    normals, faces = np.zeros((surface.n_vertices, 3)), np.asarray(surface.faces) - 1
    corners = surface.vertices[faces]
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    for column in faces.T:
        np.add.at(normals, column, across)
    scale = np.linalg.norm(across, axis=1).mean()
    return np.flatnonzero(np.linalg.norm(normals, axis=1) < 1e-6 * scale).tolist()


def decimated(n_dense=600, every_nth=4):
    """Source spaces as MNE makes them: two closed meshes, in the MRI frame, some vertices used."""
    parts = []
    for number, x in ((101, -0.04), (102, 0.04)):
        rr, tris = ball(n_dense, radius=0.035, centre=(x, 0.0, 0.0))
        nn = (rr - [x, 0, 0]) / 0.035
        vertno = np.arange(0, n_dense, every_nth)
        inuse = np.zeros(n_dense, dtype=int)
        inuse[vertno] = 1
        part = {"type": "surf", "id": number, "coord_frame": 5, "subject_his_id": "two"}
        part |= {"np": n_dense, "rr": rr, "nn": nn, "tris": tris, "ntri": len(tris)}
        part |= {"inuse": inuse, "vertno": vertno, "nuse": len(vertno), "nuse_tri": 0}
        absent = ("use_tris", "nearest", "nearest_dist", "pinfo", "patch_inds", "dist")
        parts.append(part | dict.fromkeys((*absent, "dist_limit")))
    return mne.SourceSpaces(parts)


HEAD_MRI = mne.Transform(
    "head",
    "mri",
    np.array([[1, 0, 0, 0.002], [0, 0.8, -0.6, 0.01], [0, 0.6, 0.8, -0.03], [0, 0, 0, 1]]),
)
TURNED = np.array([[0.0, 1, 0, 0], [-1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])


@pytest.mark.parametrize("invert", [False, True])
def test_the_points_in_use_of_mne_become_a_cortex(invert):
    src = decimated()
    trans = mne.transforms.invert_transform(HEAD_MRI) if invert else HEAD_MRI
    grid = from_source_spaces(src, head_to_scs=TURNED, trans=trans)
    assert (grid.head_model_type, len(grid.grid_loc)) == ("surface", 300)
    to_scs = TURNED @ np.linalg.inv(HEAD_MRI["trans"])
    np.testing.assert_allclose(
        grid.grid_loc, transform_points(to_scs, used(src, "rr")), rtol=0, atol=1e-15
    )
    np.testing.assert_allclose(
        grid.grid_orient, used(src, "nn") @ to_scs[:3, :3].T, rtol=0, atol=1e-15
    )
    cortex = grid.surface
    assert hemispheres(cortex)[1] == "labels of the atlas Structures"
    np.testing.assert_array_equal(hemispheres(cortex)[0], ["lh"] * 150 + ["rh"] * 150)
    assert "use_tris" in fields("derived", grid)
    # patches that meet make closed meshes again: two balls have 4 = V − E + F
    edges = np.sort(cortex.faces[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
    unique, count = np.unique(edges, axis=0, return_counts=True)
    assert set(count) == {2}
    assert len(cortex.vertices) - len(unique) + len(cortex.faces) == 4
    # and are wound as Brainstorm winds: clockwise
    corners = cortex.vertices[cortex.faces - 1]
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    inward = np.einsum("ij,ij->i", across, cortex.vert_normals[cortex.faces - 1].mean(axis=1))
    assert inward.max() < 0


def test_a_source_space_of_mne_there_and_back_keeps_order_and_positions():
    src = decimated()
    grid = from_source_spaces(src, head_to_scs=np.eye(4), trans=HEAD_MRI)
    model = io.HeadModel(
        gain=np.zeros((1, 900)),
        head_model_type="surface",
        grid_loc=grid.grid_loc,
        grid_orient=grid.grid_orient,
    )
    again = to_source_spaces(model, grid.surface)
    np.testing.assert_array_equal(source_order(again), np.arange(300))
    head = transform_points(scs_to_head(None).matrix, grid.grid_loc)
    np.testing.assert_array_equal(used(again, "rr"), head)
    assert [part["ntri"] for part in again] == [2 * 150 - 4] * 2


def test_the_triangles_in_use_of_mne_are_taken_over():
    src = decimated()
    strip = np.array([[i, i + 1, i + 2] if i % 2 else [i + 1, i, i + 2] for i in range(148)])
    for part in src:  # a mesh of every fourth vertex: any will do that reaches them all
        part["use_tris"] = part["vertno"][strip]
        part["nuse_tri"] = len(strip)
    grid = from_source_spaces(src, head_to_scs=np.eye(4), trans=HEAD_MRI)
    clockwise = strip[:, [0, 2, 1]] + 1
    np.testing.assert_array_equal(grid.surface.faces, [*clockwise, *(clockwise + 150)])
    assert "use_tris" not in fields("derived", grid)
    # sources that were left out since take their triangles with them
    src = restrict(src, lambda part: np.isin(np.arange(part["np"]), part["vertno"][1:]))
    grid = from_source_spaces(src, head_to_scs=np.eye(4), trans=HEAD_MRI)
    assert "use_tris" in fields("derived", grid)
    assert len(grid.surface.faces) == 2 * (2 * 149 - 4)  # no hole is left in either ball
    for part in src:
        part.update(tris=None, ntri=0)
    grid = from_source_spaces(src, head_to_scs=np.eye(4), trans=HEAD_MRI)
    assert "use_tris" in fields("dropped", grid)
    assert without_normal(grid.surface) == []


def only(src, *used):
    """Source spaces that use the given vertices of each hemisphere."""
    for part, vertices in zip(src, used, strict=True):
        part["inuse"] = np.zeros(part["np"], dtype=int)
        part["inuse"][list(vertices)] = 1
        part["vertno"] = np.flatnonzero(part["inuse"])
        part["nuse"] = len(part["vertno"])
    return src


@pytest.mark.parametrize("triangles", [True, False])
@pytest.mark.parametrize(
    "used",
    [
        (range(0, 600, 4), range(0, 600, 151)),
        (range(40), range(0, 600, 300)),
        (range(300, 500), [7]),
        ([1, 500, 3], range(590, 600)),
        ([0, 300, 599], []),
        ([0], [3, 599]),
        (range(0, 600, 50), range(4)),
    ],
    ids=str,
)
def test_every_point_in_use_gets_a_triangle(used, triangles):
    src = only(decimated(), *used)
    if not triangles:
        for part in src:
            part.update(tris=None, ntri=0)
    grid = from_source_spaces(src, head_to_scs=np.eye(4), trans=HEAD_MRI)
    assert len(grid.grid_loc) == grid.surface.n_vertices == sum(map(len, used))
    assert set(np.asarray(grid.surface.faces).ravel()) == set(range(1, len(grid.grid_loc) + 1))
    assert without_normal(grid.surface) == []
    assert {"use_tris", "tris", "Faces"} & fields("derived", grid)
    neighbours = grid.surface.vert_conn.sum(axis=0)
    assert neighbours.min() >= 2
    sides = {"lh": list(used[0]), "rh": list(used[1])}
    scouts = {s.label: len(s.vertices) for s in grid.surface.atlas[0].scouts}
    assert scouts == {side: len(mine) for side, mine in sides.items() if mine}
    again = to_source_spaces(
        io.HeadModel(
            gain=np.zeros((1, 3 * len(grid.grid_loc))),
            head_model_type="surface",
            grid_loc=grid.grid_loc,
            grid_orient=grid.grid_orient,
        ),
        grid.surface,
    )
    assert sum(part["nuse"] for part in again) == len(grid.grid_loc)


@pytest.mark.parametrize("used", [([5], []), ([5], [9]), ([], [1, 2])], ids=str)
def test_points_that_span_no_triangle_are_a_volume(used):
    src = only(decimated(), *used)
    grid = from_source_spaces(src, head_to_scs=np.eye(4), trans=HEAD_MRI)
    assert (grid.head_model_type, grid.surface, grid.grid_orient) == ("volume", None, None)
    assert "SurfaceFile" in fields("dropped", grid)


def test_the_hull_of_directions_is_wound_like_the_surface():
    src = decimated()
    for part in src:
        part.update(tris=None, ntri=0)
    grid = from_source_spaces(src, head_to_scs=TURNED, trans=HEAD_MRI)
    corners = grid.surface.vertices[np.asarray(grid.surface.faces) - 1]
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals = grid.surface.vert_normals[np.asarray(grid.surface.faces) - 1].mean(axis=1)
    assert np.einsum("ij,ij->i", across, normals).max() < 0
    assert len(grid.surface.faces) == 2 * (2 * 150 - 4)


def test_volumes_and_discrete_points_of_mne_become_regions():
    src = decimated()
    rr = np.array([[0.0, 0, 0], [0, 0, 0.01], [0, 0.01, 0]])
    for number in range(2):
        pos = {"rr": rr + 0.02 * number, "nn": np.tile([1.0, 0, 0], (3, 1))}
        src += mne.setup_volume_source_space(pos=pos, verbose="error")
    grid = from_source_spaces(src, head_to_scs=np.eye(4), trans=HEAD_MRI)
    assert grid.head_model_type == "mixed"
    scouts = grid.grid_atlas.scouts
    assert [s.region for s in scouts] == ["LSL", "RSL", "UVU", "UVU"]
    np.testing.assert_array_equal(np.concatenate([s.grid_rows for s in scouts]), np.arange(306) + 1)
    np.testing.assert_allclose(
        grid.grid_orient[-6:], np.tile([1.0, 0, 0], (6, 1)), rtol=0, atol=1e-15
    )
    assert "Region" in fields("assumed", grid)
    lone = from_source_spaces(
        mne.setup_volume_source_space(pos=pos, verbose="error"),
        head_to_scs=np.eye(4),
        trans=HEAD_MRI,
    )
    assert (lone.head_model_type, lone.surface, lone.grid_atlas) == ("volume", None, None)


def test_a_volume_of_mne_becomes_a_volume_and_a_volume_again():
    (part,) = src = mne.setup_volume_source_space(
        pos=20.0, sphere=(0.0, 0.0, 0.04, 0.07), sphere_units="m", mindist=0.0, verbose="error"
    )
    grid = from_source_spaces(src, head_to_scs=TURNED, trans=HEAD_MRI)
    assert (grid.head_model_type, grid.grid_orient) == ("volume", None)
    model = io.HeadModel(
        gain=np.zeros((1, 3 * part["nuse"])), head_model_type="volume", grid_loc=grid.grid_loc
    )
    again = to_source_spaces(model)  # the grid is turned against SCS
    assert again.kind == "volume"
    np.testing.assert_allclose(
        np.linalg.norm(again[0]["src_mri_t"]["trans"][:3, :3], axis=0), 0.02, rtol=1e-9
    )


@pytest.mark.parametrize(
    ("frame", "trans", "match"),
    [
        (5, None, "trans .* is needed"),
        (5, mne.Transform("meg", "head", np.eye(4)), r"expected head \(4\) ↔ MRI \(5\)"),
        (1, HEAD_MRI, "only head .* and MRI"),
    ],
)
def test_a_source_space_in_an_unknown_frame_is_an_error(frame, trans, match):
    src = decimated()
    for part in src:
        part["coord_frame"] = frame
    with pytest.raises(ConversionError, match=match):
        from_source_spaces(src, head_to_scs=np.eye(4), trans=trans)


def test_positions_that_cannot_be_metres_are_reported():
    src = decimated()
    for part in src:
        part["rr"] = part["rr"] * 1e-3
    grid = from_source_spaces(src, head_to_scs=np.eye(4), trans=HEAD_MRI)
    assert "rr" in fields("assumed", grid)


def test_the_source_space_of_the_sample_subject(shared_dir):
    folder = shared_dir / "real" / "mne_sample"
    src = mne.read_source_spaces(folder / "small-src.fif.gz", verbose="error")
    trans = mne.Transform("head", "mri", np.loadtxt(folder / "sample-audvis-raw-trans.txt"))
    grid = from_source_spaces(src, head_to_scs=TURNED, trans=trans)
    assert len(grid.grid_loc) == grid.surface.n_vertices == 516
    assert len(grid.surface.faces) == 1024
    to_scs = TURNED @ np.linalg.inv(trans["trans"])
    np.testing.assert_allclose(
        grid.grid_loc, transform_points(to_scs, used(src, "rr")), rtol=0, atol=1e-15
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = io.HeadModel(
            gain=np.zeros((1, 1548)), head_model_type="surface", grid_loc=grid.grid_loc,
            grid_orient=grid.grid_orient,
        )  # fmt: skip
        again = to_source_spaces(model, grid.surface)
    for part, original in zip(again, src, strict=True):
        numbers = np.searchsorted(original["vertno"], original["use_tris"])
        assert triangles(part["tris"]) == triangles(numbers)


def test_volumes_have_an_adjacency_in_mne(data_dir):
    pytest.importorskip("sklearn")
    head_model, _, channels, _ = load(data_dir / "eeg_volume")
    src = to_source_spaces(head_model, channels=channels)
    adjacency = mne.spatial_src_adjacency(src, verbose="error")
    assert adjacency.shape == (head_model.n_sources, head_model.n_sources)


def test_the_frame_of_the_way_back_is_the_one_of_the_way_there(sample_dir) -> None:
    protocol = io.read_protocol(sample_dir)
    condition = protocol.condition("Subject01", "evoked")
    head_model = io.read_head_model(condition.head_model_file)
    channels = io.read_channels(condition.channel_file)
    surface = io.read_surface(protocol.subject("Subject01").cortex)
    src = to_source_spaces(head_model, surface, channels=channels)
    grid = from_source_spaces(src)
    rounding = 100 * np.finfo(float).eps * np.abs(head_model.grid_loc).max()
    np.testing.assert_allclose(grid.grid_loc, head_model.grid_loc, rtol=0, atol=rounding)
    assert not conversion_report(grid).of("assumed")
    # without the report nothing says where SCS is
    bare = mne.SourceSpaces([dict(part) for part in src])
    grid = from_source_spaces(bare)
    (finding,) = conversion_report(grid).of("assumed")
    assert finding.field == "coord_frame"
    assert "no fiducials" in finding.reason
