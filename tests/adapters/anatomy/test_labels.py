from __future__ import annotations

import dataclasses

import mne
import numpy as np
import pytest

import mne_bstinv
from mne_bstinv import hemispheres, io
from mne_bstinv.adapters.anatomy.labels_from_mne import from_labels
from mne_bstinv.adapters.anatomy.labels_to_mne import to_labels
from mne_bstinv.adapters.sources.spaces_to_mne import to_source_spaces
from mne_bstinv.conversion import conversion_report
from mne_bstinv.errors import ConversionError
from mne_bstinv.frames import scs_to_head, scs_to_surface_ras, transform_points


@pytest.fixture(scope="module")
def subject(sample_dir):
    return io.read_protocol(sample_dir).subject("Subject01")


@pytest.fixture(scope="module")
def cortex(subject):
    return io.read_surface(subject.cortex)


@pytest.fixture(scope="module")
def condition(subject):
    return next(c for c in subject.conditions if c.head_model_file)


def fields(severity, converted):
    return {finding.field for finding in conversion_report(converted).of(severity)}


def with_scouts(surface, *scouts, name="Mine"):
    return dataclasses.replace(surface, atlas=(*surface.atlas, io.Atlas(name=name, scouts=scouts)))


def assert_same_scouts(atlas, expected):
    assert atlas.name == expected.name
    assert len(atlas.scouts) == len(expected.scouts)
    for one, other in zip(atlas.scouts, expected.scouts, strict=True):
        for field in ("label", "seed", "function", "region"):
            assert getattr(one, field) == getattr(other, field)
        np.testing.assert_array_equal(one.vertices, other.vertices)
        np.testing.assert_array_equal(one.color, other.color)


def test_scouts_become_labels_of_the_hemispheres_of_the_source_space(cortex, condition):
    channels = io.read_channels(condition.channel_file)
    labels = to_labels(cortex, "user scouts", subject="one", channels=channels)
    scouts = next(a for a in cortex.atlas if a.name == "User scouts").scouts
    sides, _ = hemispheres(cortex)
    # the last is named for one side and lies on the other: it keeps its name
    names = [label.name for label in labels]
    assert names == ["V1-lh", "A1-rh", "M1-lh", "S1-rh", "PCC R-lh"]
    src = to_source_spaces(io.read_head_model(condition.head_model_file), cortex, channels=channels)
    for label, scout in zip(labels, scouts, strict=True):
        part = src[0 if label.hemi == "lh" else 1]
        assert set(sides[scout.vertices - 1]) == {label.hemi}
        np.testing.assert_array_equal(
            part["bstinv_location"][label.vertices], np.sort(scout.vertices) - 1
        )
        # without an MRI, MRI and head are the same frame
        np.testing.assert_array_equal(label.pos, part["rr"][label.vertices])
        assert label.subject == "one"
        np.testing.assert_array_equal(label.color, [*scout.color, 1])
    assert fields("assumed", labels) == {"Cube"}


def test_positions_are_in_the_frame_of_the_mri(cortex, subject):
    mri = io.read_mri(subject.anatomy)
    label = to_labels(cortex, "User scouts", mri=mri)[0]
    scout = next(a for a in cortex.atlas if a.name == "User scouts").scouts[0]
    expected = transform_points(
        scs_to_surface_ras(mri).matrix, cortex.vertices[np.sort(scout.vertices) - 1]
    )
    np.testing.assert_array_equal(label.pos, expected)


def test_mne_takes_the_labels(cortex, condition):
    channels = io.read_channels(condition.channel_file)
    labels = to_labels(cortex, "User scouts", subject="one", channels=channels)
    src = to_source_spaces(
        io.read_head_model(condition.head_model_file), cortex, channels=channels, subject="one"
    )
    vertices = [part["vertno"] for part in src]
    data = np.concatenate(vertices)[:, None] * np.ones(3)
    stc = mne.SourceEstimate(data, vertices, 0, 0.01, subject="one")
    courses = mne.extract_label_time_course(stc, labels, src, mode="mean", verbose="error")
    np.testing.assert_allclose(courses[:, 0], [label.vertices.mean() for label in labels])


def test_round_trip_of_every_atlas_of_the_sample(cortex):
    for atlas in cortex.atlas:
        assert_same_scouts(from_labels(to_labels(cortex, atlas), cortex), atlas)


def test_round_trip_of_every_atlas_of_the_default_anatomy(shared_dir):
    folder = shared_dir / "real" / "brainstorm" / "anat" / "@default_subject"
    surface = io.read_surface(folder / "tess_cortex_pial_low.mat")
    assert len(surface.atlas) == 23
    for atlas in surface.atlas:
        labels = to_labels(surface, atlas)
        assert_same_scouts(from_labels(labels, surface), atlas)
        assert len({(label.name, label.hemi) for label in labels}) == len(labels)
        # without the report the vertices and colours are the same still
        bare = from_labels(list(labels), surface).scouts
        for one, other in zip(bare, atlas.scouts, strict=True):
            np.testing.assert_array_equal(one.vertices, np.sort(other.vertices))
            np.testing.assert_array_equal(one.color, other.color)
            assert one.seed in one.vertices
            assert one.region[0] == other.region[0]


def test_a_scout_in_both_hemispheres_is_cut_in_two_and_put_together(cortex):
    sides, _ = hemispheres(cortex)
    left, right = (np.flatnonzero(sides == side)[:4] + 1 for side in ("lh", "rh"))
    scout = io.Scout(
        label="Both", vertices=np.concatenate([right, left]), seed=int(left[1]), region="UU",
        function="Max", color=np.array([0.1, 0.2, 0.3]),
    )  # fmt: skip
    surface = with_scouts(cortex, scout)
    labels = to_labels(surface, "Mine")
    assert [label.name for label in labels] == ["Both-lh", "Both-rh"]
    assert "Vertices" in fields("derived", labels)
    assert_same_scouts(from_labels(labels, surface), surface.atlas[-1])
    both = from_labels([labels[0] + labels[1]], surface).scouts[0]
    np.testing.assert_array_equal(both.vertices, np.sort(scout.vertices))
    assert both.region == "UU"


def test_names_that_would_coincide_keep_their_endings(cortex):
    sides, _ = hemispheres(cortex)
    left = np.flatnonzero(sides == "lh") + 1
    surface = with_scouts(
        cortex,
        io.Scout(label="V1", vertices=left[:3]),
        io.Scout(label="V1 L", vertices=left[3:6]),
        io.Scout(label="V1 R", vertices=left[6:9]),  # on the wrong side
        io.Scout(label=" L", vertices=left[9:10]),
    )
    labels = to_labels(surface, "Mine")
    assert [label.name for label in labels] == ["V1-lh", "V1 L-lh", "V1 R-lh", " L-lh"]
    assert_same_scouts(from_labels(labels, surface), surface.atlas[-1])


def test_scouts_of_the_same_name_stay_apart(cortex):
    sides, _ = hemispheres(cortex)
    left = np.flatnonzero(sides == "lh") + 1
    surface = with_scouts(
        cortex,
        io.Scout(label="A", vertices=left[:3], function="Max"),
        io.Scout(label="A", vertices=left[3:6], function="PCA"),
    )
    labels = to_labels(surface, "Mine")
    labels.reverse()
    assert_same_scouts(from_labels(labels, surface), surface.atlas[-1])


def test_scouts_without_vertices_have_no_label_and_come_back(cortex):
    surface = with_scouts(
        cortex, io.Scout(label="none"), io.Scout(label="one", vertices=np.array([7]), seed=7)
    )
    labels = to_labels(surface, "Mine")
    assert [label.name[:3] for label in labels] == ["one"]
    assert fields("dropped", labels) == {"Vertices"}
    assert [scout.label for scout in from_labels(labels, surface).scouts] == ["none", "one"]


def test_changed_labels_change_their_scouts_only(cortex):
    labels = to_labels(cortex, "User scouts")
    atlas = next(a for a in cortex.atlas if a.name == "User scouts")
    seed = labels[1].vertices[0]
    labels[0].color = (0.5, 0.25, 0.125, 1)
    first = labels[1]
    labels[1] = mne.Label(first.vertices[1:], hemi=first.hemi, name=first.name, color=first.color)
    del labels[2]
    new = labels[-1].copy()
    new.name = "New-" + new.hemi
    labels.append(new)
    changed = from_labels(labels, cortex, name="Changed")
    assert changed.name == "Changed"
    names = [scout.label for scout in atlas.scouts]
    assert [s.label for s in changed.scouts][:-1] == names[:2] + names[3:]
    assert changed.scouts[-1].label == "New " + new.hemi[0].upper()
    np.testing.assert_array_equal(changed.scouts[0].color, [0.5, 0.25, 0.125])
    rows = np.sort(atlas.scouts[1].vertices)
    assert len(changed.scouts[1].vertices) == len(rows) - 1
    assert set(changed.scouts[1].vertices) < set(rows)
    assert seed == first.vertices[0]
    assert changed.scouts[1].function == atlas.scouts[1].function
    assert_same_scouts(
        dataclasses.replace(changed, name="x", scouts=changed.scouts[2:-1]),
        dataclasses.replace(atlas, name="x", scouts=atlas.scouts[3:]),
    )


def test_a_seed_that_is_no_longer_inside_goes(cortex):
    scout = next(a for a in cortex.atlas if a.name == "User scouts").scouts[0]
    labels = to_labels(cortex, io.Atlas(name="x", scouts=(scout,)))
    kept = np.sort(scout.vertices) != scout.seed
    (label,) = labels
    labels[0] = mne.Label(label.vertices[kept], hemi=label.hemi, name=label.name)
    (changed,) = from_labels(labels, cortex).scouts
    assert changed.seed is None
    assert len(changed.vertices) == len(scout.vertices) - 1
    np.testing.assert_array_equal(changed.color, scout.color)


def test_labels_of_mne_become_scouts_of_the_points_in_use(cortex, condition):
    src = to_source_spaces(
        io.read_head_model(condition.head_model_file),
        cortex,
        channels=io.read_channels(condition.channel_file),
    )
    labels = [mne.Label([0, 3, 5, 6], hemi="rh", name="A-rh"),
              mne.Label([1], hemi="lh", name="B-lh", color="red")]  # fmt: skip
    whole = from_labels(labels, src)
    np.testing.assert_array_equal(
        whole.scouts[0].vertices, np.sort(src[1]["bstinv_location"][[0, 3, 5, 6]]) + 1
    )
    same = from_labels(labels, cortex)
    for one, other in zip(whole.scouts, same.scouts, strict=True):
        np.testing.assert_array_equal(one.vertices, other.vertices)
        assert one.seed == other.seed
    src[1]["inuse"][[0, 3]] = 0
    src[1]["vertno"] = np.flatnonzero(src[1]["inuse"])
    src[1]["nuse"] -= 2
    part = from_labels(labels, src)
    # the cortex has two vertices less, those behind them move up
    rows = src[1]["bstinv_location"]
    gone = np.sort(rows[[0, 3]])
    expected = [row - np.searchsorted(gone, row) + 1 for row in np.sort(rows[[5, 6]])]
    np.testing.assert_array_equal(part.scouts[0].vertices, expected)
    assert fields("dropped", part) == {"vertices"}
    assert (part.scouts[0].label, part.scouts[0].region) == ("A R", "RU")
    assert (part.scouts[1].label, part.scouts[1].region) == ("B L", "LU")
    np.testing.assert_array_equal(part.scouts[1].color, [1, 0, 0])
    assert part.scouts[0].color is None
    assert part.name == "MNE labels"
    assert "Seed, Region" in fields("derived", part)


def test_the_seed_is_the_vertex_nearest_to_the_centre(cortex):
    (scout,) = from_labels([mne.Label(np.arange(20), hemi="lh", name="A-lh")], cortex).scouts
    places = cortex.vertices[scout.vertices - 1]
    distance = np.linalg.norm(places - places.mean(axis=0), axis=1)
    assert scout.seed == scout.vertices[distance.argmin()]


@pytest.mark.parametrize(
    ("color", "expected", "reported"),
    [(None, None, False), ([0.1, 0.2, 0.3], (0.1, 0.2, 0.3, 1), False),
     ([-0.1, 0.5, 1.5], (0, 0.5, 1, 1), True), ([np.nan, 0, 0], None, False)],
)  # fmt: skip
def test_colours(cortex, color, expected, reported):
    scout = io.Scout(
        label="A", vertices=np.array([1]), color=None if color is None else np.array(color)
    )
    labels = to_labels(cortex, io.Atlas(name="x", scouts=(scout,)))
    assert labels[0].color == expected
    assert ("Color" in fields("derived", labels)) is reported


def test_the_atlas_is_found_by_name_or_is_the_current_one(cortex):
    by_default = to_labels(cortex)
    assert conversion_report(by_default).kept["atlas"] is cortex.atlas[cortex.i_atlas - 1]
    first_with_scouts = dataclasses.replace(
        cortex, atlas=(io.Atlas(name="empty"), *cortex.atlas), i_atlas=1
    )
    assert conversion_report(to_labels(first_with_scouts)).kept["atlas"] is cortex.atlas[0]
    with pytest.raises(
        ConversionError,
        match=r"no atlas 'DKT'\. Choose one that it has: 'User scouts', 'Structures'",
    ):
        to_labels(cortex, "DKT")
    with pytest.raises(ConversionError, match="No atlas of the surface has scouts"):
        to_labels(dataclasses.replace(cortex, atlas=()))


@pytest.mark.parametrize("vertices", [[0, 1], [296, 297]])
def test_scouts_of_another_surface_are_an_error(cortex, vertices):
    atlas = io.Atlas(name="x", scouts=(io.Scout(label="A", vertices=np.array(vertices)),))
    with pytest.raises(ConversionError, match=r"expected 1 to 296: .* Give the surface"):
        to_labels(cortex, atlas)


def test_labels_of_another_surface_are_an_error(cortex):
    label = mne.Label([0, 150], hemi="lh", name="A-lh")
    with pytest.raises(ConversionError, match="hemisphere has 150"):
        from_labels([label], cortex)
    discrete = mne.setup_volume_source_space(
        pos={"rr": np.eye(3), "nn": np.eye(3)}, verbose="error"
    )
    with pytest.raises(ConversionError, match="need a Surface, or source spaces"):
        from_labels([label], discrete)
    with pytest.raises(ConversionError, match=r"surface must be Surface or SourceSpaces"):
        from_labels([label], None)
    with pytest.raises(ConversionError, match=r"labels must be a sequence of Label .*, found list"):
        from_labels(["A-lh"], cortex)


def test_the_head_frame_is_that_of_the_channels(cortex, condition):
    channels = io.read_channels(condition.channel_file)
    label = to_labels(cortex, "Structures", channels=channels)[0]
    head = transform_points(scs_to_head(channels).matrix, cortex.vertices)
    assert {tuple(p) for p in label.pos} <= {tuple(p) for p in head}
    assert "SCS" in fields("assumed", to_labels(cortex, "Structures"))


def test_scouts_of_a_volume_grid_are_no_labels(cortex, subject, tmp_path):
    """Their numbers are those of grid points, beyond the vertices or not."""
    far = cortex.n_vertices + 5
    grid = io.Atlas(
        name="Volume 5000: nuclei",
        scouts=(io.Scout(label="deep", vertices=np.array([3, far]), region="UU"),),
    )
    with_grid = dataclasses.replace(cortex, atlas=(grid, *cortex.atlas), i_atlas=1)
    io.write_surface(tmp_path / "tess_cortex.mat", with_grid)
    found = io.read_surface(tmp_path / "tess_cortex.mat")
    assert found.atlas[0].n_grid == 5000
    assert list(found.atlas[0].scouts[0].vertices) == [3, far]
    assert [label.name for label in to_labels(found)] == [label.name for label in to_labels(cortex)]
    with pytest.raises(ConversionError, match="of the 5000 points of a volume grid"):
        to_labels(found, "Volume 5000: nuclei")
    mri = io.read_mri(subject.anatomy)
    folder = mne_bstinv.to_surfaces(tmp_path / "subjects", "S", cortex=found, mri=mri)
    assert not any("Volume" in file.name for file in folder.files)
    assert "Atlas" in fields("dropped", folder)
