"""Surfaces, scouts and MRIs, one file at a time, both ways."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import mne
import numpy as np
import pytest

from mne_bstinv import conversion_report, convert_file, io, to_surfaces
from mne_bstinv.cli import main
from mne_bstinv.errors import ConversionError, MissingFileError

SINGLE = np.finfo(np.float32).eps


@pytest.fixture(scope="module")
def anat(sample_dir) -> Path:
    return sample_dir / "anat" / "Subject01"


@pytest.fixture(scope="module")
def files(anat) -> dict[str, Path]:
    names = {"cortex": "tess_cortex*", "inner_skull": "tess_inner*", "scalp": "tess_head*",
             "mri": "subjectimage*"}  # fmt: skip
    return {kind: next(anat.glob(name)) for kind, name in names.items()}


@pytest.fixture(scope="module")
def subject(files, tmp_path_factory) -> Path:
    """The same as a whole folder of a subject."""
    read = {kind: io.read_surface(file) for kind, file in files.items() if kind != "mri"}
    folder = tmp_path_factory.mktemp("subjects")
    to_surfaces(folder, "s", mri=io.read_mri(files["mri"]), **read)
    return folder / "s"


def sets(surface: io.Surface, name: str) -> list[tuple[str, tuple[float, ...]]]:
    """The scouts of an atlas with the places of their vertices."""
    atlas = next(atlas for atlas in surface.atlas if atlas.name == name)
    places = (np.sort(surface.vertices[s.vertices - 1].round(6), axis=0) for s in atlas.scouts)
    labels = (scout.label for scout in atlas.scouts)
    return [(label, place.ravel().tolist()) for label, place in zip(labels, places, strict=True)]


def test_a_cortex_is_two_files_and_comes_back(files, subject, tmp_path):
    made = convert_file(files["cortex"], tmp_path / "rh.pial")
    assert sorted(file.name for file in made.files) == ["lh.pial", "rh.pial"]
    assert dict(made.companions) == {"mri": files["mri"]}
    for name in ("lh.pial", "rh.pial"):
        assert (tmp_path / name).read_bytes() == (subject / "surf" / name).read_bytes()
    convert_file(
        tmp_path / "lh.pial", tmp_path / "tess_cortex_x.mat", companions={"mri": files["mri"]}
    )
    stored, back = (io.read_surface(f) for f in (files["cortex"], tmp_path / "tess_cortex_x.mat"))
    order = np.lexsort(stored.vertices.T.round(6))
    other = np.lexsort(back.vertices.T.round(6))
    np.testing.assert_allclose(
        back.vertices[other], stored.vertices[order], atol=4 * SINGLE * 0.256
    )
    assert [label for label, _ in sets(back, "Structures")] == ["lh", "rh"]
    rows = {int(new): int(old) for new, old in zip(other, order, strict=True)}
    turned = {tuple(sorted(rows[v - 1] + 1 for v in face)) for face in back.faces.tolist()}
    assert turned == {tuple(sorted(face)) for face in stored.faces.tolist()}
    assert np.sum(back.vert_normals[other] * stored.vert_normals[order], axis=1).min() > 0.5


@pytest.mark.parametrize(
    ("kind", "name", "back"),
    [("inner_skull", "inner_skull.surf", "tess_innerskull_x.mat"),
     ("scalp", "outer_skin.surf", "tess_head_x.mat")],
)  # fmt: skip
def test_a_shell_is_one_file_and_comes_back(files, subject, tmp_path, kind, name, back):
    convert_file(files[kind], tmp_path / name)
    assert (tmp_path / name).read_bytes() == (subject / "bem" / name).read_bytes()
    convert_file(tmp_path / name, tmp_path / back, companions={"mri": files["mri"]})
    stored, made = io.read_surface(files[kind]), io.read_surface(tmp_path / back)
    np.testing.assert_allclose(made.vertices, stored.vertices, atol=4 * SINGLE * 0.256)
    ours, theirs = (np.sort(s.faces, axis=1) for s in (made, stored))
    np.testing.assert_array_equal(ours, theirs)


def test_without_an_mri_the_frame_is_assumed(files, tmp_path):
    shutil.copy(files["inner_skull"], tmp_path / "tess_innerskull.mat")
    made = convert_file(tmp_path / "tess_innerskull.mat", tmp_path / "a.surf")
    assert "No MRI was given" in str(made.report)


def test_an_mri_and_back(files, subject, sample_dir, tmp_path):
    convert_file(files["mri"], tmp_path / "T1.mgz")
    assert (tmp_path / "T1.mgz").read_bytes() == (subject / "mri" / "T1.mgz").read_bytes()
    pytest.importorskip("nibabel")
    channel = next((sample_dir / "data" / "Subject01" / "evoked").glob("channel*.mat"))
    convert_file(channel, tmp_path / "a-trans.fif")
    with pytest.raises(MissingFileError, match="needs the channel file"):
        convert_file(tmp_path / "T1.mgz", tmp_path / "subjectimage_x.mat")
    convert_file(
        tmp_path / "T1.mgz", tmp_path / "subjectimage_x.mat", companions={"channels": channel}
    )
    stored, back = io.read_mri(files["mri"]), io.read_mri(tmp_path / "subjectimage_x.mat")
    np.testing.assert_array_equal(back.cube, stored.cube)
    # the fiducials are those of the sensors; the frame is the same
    np.testing.assert_allclose(back.scs.r, stored.scs.r, atol=1e-5)
    np.testing.assert_allclose(back.scs.t, np.ravel(stored.scs.t), atol=1e-2)


def test_scouts_and_back(files, subject, tmp_path):
    made = convert_file(files["cortex"], tmp_path / "lh.regions.annot", atlas="Structures")
    assert sorted(file.name for file in made.files) == ["lh.regions.annot", "rh.regions.annot"]
    for side in ("lh", "rh"):
        ours = (tmp_path / f"{side}.regions.annot").read_bytes()
        assert ours == (subject / "label" / f"{side}.Structures.annot").read_bytes()
    convert_file(
        tmp_path / "rh.regions.annot", tmp_path / "tess_cortex_x.mat",
        companions={"cortex": files["cortex"]}, atlas="Structures",
    )  # fmt: skip
    stored, back = (io.read_surface(f) for f in (files["cortex"], tmp_path / "tess_cortex_x.mat"))
    assert dict(sets(back, "Structures")) == dict(sets(stored, "Structures"))
    assert back.atlas[back.i_atlas - 1].name == "Structures"


def test_one_scout_and_back(files, tmp_path, capsys):
    surface = io.read_surface(files["cortex"])
    scout = surface.atlas[0].scouts[0]
    with pytest.raises(ConversionError, match="No scout is named 'none'"):
        convert_file(files["cortex"], tmp_path / "none.label")
    label = next(iter(mne_names(files["cortex"], tmp_path, scout.label)))
    file = tmp_path / f"{label}.label"
    assert main(["convert", str(files["cortex"]), str(file), "--mri", str(files["mri"])]) == 0
    assert str(file) in capsys.readouterr().out
    assert mne.read_label(file).vertices.size
    goal = tmp_path / "tess_cortex_x.mat"
    arguments = ["convert", str(file), str(goal), "--cortex", str(files["cortex"])]
    assert main([*arguments, "--atlas", "from MNE"]) == 0
    back = io.read_surface(goal)
    (made,) = next(atlas for atlas in back.atlas if atlas.name == "from MNE").scouts
    assert set(made.vertices) <= set(scout.vertices)


def mne_names(cortex: Path, tmp_path: Path, label: str) -> list[str]:
    """How MNE calls the labels of a scout, as the refusal lists them."""
    try:
        convert_file(cortex, tmp_path / "?.label")
    except ConversionError as error:
        names = str(error).partition("one of ")[2].partition(", or choose")[0].split(", ")
    return [name for name in names if name.startswith(label.split()[0])]


def test_what_is_refused(files, tmp_path):
    convert_file(files["cortex"], tmp_path / "lh.pial")
    (tmp_path / "rh.pial").unlink()
    with pytest.raises(MissingFileError, match=r"rh\.pial: no such file, and a cortex .* both"):
        convert_file(tmp_path / "lh.pial", tmp_path / "tess_cortex_x.mat")
    with pytest.raises(ConversionError, match=r"a parcellation is of a hemisphere"):
        convert_file(files["cortex"], tmp_path / "regions.annot", atlas="Structures")
    (tmp_path / "lh.bad.annot").write_bytes(b"\0\0\0\1" + b"\7" * 40)
    with pytest.raises(ConversionError, match=r"lh\.bad\.annot"):
        convert_file(
            tmp_path / "lh.bad.annot", tmp_path / "tess_cortex_x.mat",
            companions={"cortex": files["cortex"]},
        )  # fmt: skip
    (tmp_path / "bad.surf").write_bytes(b"\xff\xff\xfe" + b"x" * 20)
    with pytest.raises(ConversionError, match=r"bad\.surf: MNE cannot read a surface"):
        convert_file(tmp_path / "bad.surf", tmp_path / "tess_head_x.mat")


def test_scouts_that_overlap_are_no_parcellation(files, tmp_path):
    surface = io.read_surface(files["cortex"])
    structures = next(atlas for atlas in surface.atlas if atlas.name == "Structures")
    twice = dataclasses.replace(structures, scouts=(*structures.scouts, structures.scouts[0]))
    io.write_surface(tmp_path / "tess_cortex_y.mat", dataclasses.replace(surface, atlas=(twice,)))
    with pytest.raises(ConversionError, match="The scouts overlap, which a parcellation cannot"):
        convert_file(tmp_path / "tess_cortex_y.mat", tmp_path / "lh.y.annot")


def test_positions_in_millimetres(files, tmp_path):
    surface = io.read_surface(files["inner_skull"])
    wrong = dataclasses.replace(surface, vertices=1e3 * surface.vertices)
    io.write_surface(tmp_path / "tess_innerskull.mat", wrong)
    given = {"mri": files["mri"]}
    made = convert_file(
        tmp_path / "tess_innerskull.mat", tmp_path / "a.surf", companions=given, units="mm"
    )
    assert "positions in mm, converted to metres" in str(conversion_report(made))
    convert_file(files["inner_skull"], tmp_path / "b.surf", companions=given)
    ours, theirs = (mne.read_surface(tmp_path / f"{name}.surf")[0] for name in "ab")
    np.testing.assert_allclose(ours, theirs, atol=1e-4)
