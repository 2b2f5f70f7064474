"""Brainstorm's projection as a SourceMorph."""

from __future__ import annotations

import dataclasses

import mne
import numpy as np
import pytest

import mne_bstinv as mb
from mne_bstinv import io
from mne_bstinv.errors import ConversionError, MapError, MissingFileError


@pytest.fixture(scope="module")
def study(data_dir):
    return data_dir / "sources_post"


@pytest.fixture(scope="module")
def cortices(study):
    anat = study / "anat"
    return (
        io.read_surface(anat / "Subject01" / "tess_cortex_pial_low_82V.mat"),
        io.read_surface(anat / "Subject02" / "tess_cortex_pial_low_68V.mat"),
    )


@pytest.fixture(scope="module")
def channels(study):
    return io.read_channels(study / "data/Subject01/evoked/channel.mat")


@pytest.fixture(scope="module")
def estimate(study, cortices, channels):
    folder = study / "data" / "Subject01" / "evoked"
    return mb.to_source_estimate(
        io.read_results(folder / "results_MN_EEG_KERNEL_261126_1728.mat"),
        io.read_recordings(folder / "data_average_240101_1200.mat"),
        "Subject01", channels=channels, surface=cortices[0],
    )  # fmt: skip


def test_the_morph_gives_the_projection_of_brainstorm(
    study, cortices, channels, estimate, tmp_path
):
    morph = mb.to_source_morph(*cortices, subject_from="Subject01", subject_to="Subject02")
    assert isinstance(morph, mne.SourceMorph)
    stored = io.read_results(
        study / "data/Subject02/evoked/results_MN_EEG_261126_1728_Subject01.mat"
    )
    mri = io.read_mri(study / "anat" / "Subject02" / "subjectimage_T1.mat")
    wanted = mb.to_source_estimate(stored, None, "Subject02", surface=cortices[1], mri=mri)
    morph.save(tmp_path / "brainstorm-morph.h5")
    for one in (morph, mne.read_source_morph(tmp_path / "brainstorm-morph.h5")):
        found = one.apply(estimate)
        assert found.subject == "Subject02"
        for got, expected in zip(found.vertices, wanted.vertices, strict=True):
            np.testing.assert_array_equal(got, expected)
        np.testing.assert_allclose(found.data, wanted.data, rtol=1e-12, atol=1e-25)


def test_between_cortices_of_a_subject(study, cortices, channels, estimate):
    other = io.read_surface(study / "anat" / "Subject01" / "tess_cortex_other.mat")
    morph = mb.to_source_morph(
        cortices[0], other, subject_from="Subject01", subject_to="Subject01", same_subject=True
    )
    stored = io.read_results(study / "data/Subject01/evoked/results_MN_EEG_261126_1728_58V.mat")
    wanted = mb.to_source_estimate(stored, None, "Subject01", channels=channels, surface=other)
    np.testing.assert_allclose(morph.apply(estimate).data, wanted.data, rtol=1e-12, atol=1e-25)


def test_a_matrix_that_brainstorm_kept(cortices, estimate):
    kept = cortices[0].extra["tess2tess_interp"]["Wmat"]
    names = {"subject_from": "Subject01", "subject_to": "Subject02"}
    one = mb.to_source_morph(*cortices, **names)
    other = mb.to_source_morph(*cortices, **names, matrix=kept)
    np.testing.assert_allclose(one.apply(estimate).data, other.apply(estimate).data, rtol=1e-12)
    with pytest.raises(ConversionError, match="ask for"):
        mb.to_source_morph(*cortices, **names, matrix=np.ones((3, 3)))


def test_between_source_spaces(cortices, channels, estimate):
    """Of fewer vertices: the rows and columns that are left."""
    names = {"subject_from": "Subject01", "subject_to": "Subject02"}
    whole = mb.to_source_morph(*cortices, **names)
    places = io.HeadModel(gain=np.zeros((0, 3 * 68)), grid_loc=cortices[1].vertices)
    src = mb.to_source_spaces(places, cortices[1], channels=channels)
    for part in src:
        part["inuse"][1::2] = 0
        part["vertno"] = np.flatnonzero(part["inuse"])
        part["nuse"] = len(part["vertno"])
    some = mb.to_source_morph(*cortices, **names, src_to=src)
    n_left = len(whole.vertices_to[0])
    rows = np.concatenate(
        [part["vertno"] + offset for part, offset in zip(src, (0, n_left), strict=True)]
    )
    np.testing.assert_array_equal(some.apply(estimate).data, whole.apply(estimate).data[rows])
    half = mb.to_source_morph(cortices[1], cortices[0], subject_from="b", subject_to="a",
                              src_from=src)  # fmt: skip
    assert "share is lost" in str(mb.conversion_report(half))


def test_a_cortex_of_freesurfer(study, cortices, estimate, tmp_path):
    """What a port writes is read back, and gives the same morph."""
    mb.to_surfaces(tmp_path, "Subject02", cortex=cortices[1],
                   mri=io.read_mri(study / "anat/Subject02/subjectimage_T1.mat"))  # fmt: skip
    read = mb.read_registered_cortex("Subject02", tmp_path)
    assert read.n_vertices == 68
    names = {"subject_from": "Subject01", "subject_to": "Subject02"}
    one, other = (
        mb.to_source_morph(cortices[0], target, **names) for target in (cortices[1], read)
    )
    found, wanted = other.apply(estimate).data, one.apply(estimate).data
    np.testing.assert_allclose(found, wanted, atol=1e-5 * np.abs(wanted).max())  # single precision
    with pytest.raises(MissingFileError, match=r"lh\.white"):
        mb.read_registered_cortex("nobody", tmp_path)


def test_source_spaces_that_are_elsewhere_are_refused(cortices, channels):
    places = io.HeadModel(gain=np.zeros((0, 3 * 82)), grid_loc=cortices[0].vertices)
    src = mb.to_source_spaces(places, cortices[0], channels=channels)
    names = {"subject_from": "a", "subject_to": "b"}
    with pytest.raises(ConversionError, match="they are not on it"):
        mb.to_source_morph(*cortices, **names, src_to=src)
    with pytest.raises(ConversionError, match="no two hemispheres"):
        mb.to_source_morph(*cortices, **names, src_to=mne.SourceSpaces([]))


def test_surfaces_without_spheres_are_refused(cortices):
    bare = dataclasses.replace(cortices[1], reg=None)
    with pytest.raises(MapError, match="spheres"):
        mb.to_source_morph(cortices[0], bare, subject_from="a", subject_to="b")


def test_a_sphere_whose_rows_follow_the_vertices_is_noted(sample_dir, cortices):
    """Brainstorm takes the rows of a sphere hemisphere by hemisphere, whatever the vertices."""
    (file,) = (sample_dir / "anat" / "Subject01").glob("tess_cortex*.mat")
    surface = io.read_surface(file)
    if surface.reg is None:
        rows = np.random.default_rng(0).permutation(82)
        scouts = [dataclasses.replace(s, vertices=np.sort(rows[s.vertices - 1]) + 1)
                  for s in cortices[0].atlas[1].scouts]  # fmt: skip
        where = np.empty(82, dtype=int)
        where[rows] = np.arange(82)
        surface = dataclasses.replace(
            cortices[0],
            vertices=cortices[0].vertices[where],
            faces=rows[cortices[0].faces - 1] + 1,
            reg={"Sphere": {"Vertices": np.asarray(cortices[0].reg["Sphere"]["Vertices"])[where]}},
            atlas=(dataclasses.replace(cortices[0].atlas[1], scouts=tuple(scouts)),),
        )
    morph = mb.to_source_morph(surface, cortices[1], subject_from="a", subject_to="b")
    assert "mixes up places" in str(mb.conversion_report(morph))
