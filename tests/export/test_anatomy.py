"""The cortex of an export."""

from __future__ import annotations

import dataclasses

import mne
import numpy as np
import pytest
from small_sample import load_small_sample

from mne_bstinv import io, to_labels
from mne_bstinv.conversion import conversion_report
from mne_bstinv.errors import ConversionError
from mne_bstinv.export.anatomy import (
    complete_cortex,
    labelled,
    same_cortex,
    same_structure,
)


@pytest.fixture(scope="module")
def cortex():
    return load_small_sample().cortex


def test_a_complete_cortex_stays_as_it_is(cortex):
    assert same_structure(complete_cortex(cortex), cortex)


def test_what_is_missing_is_made(cortex):
    scout = io.Scout(label="a", vertices=np.array([5, 3]))
    bare = io.Surface(
        vertices=cortex.vertices,
        faces=cortex.faces,
        atlas=(io.Atlas(name="mine", scouts=(scout, scout)),),
    )
    full = complete_cortex(bare)
    assert (full.vert_conn != cortex.vert_conn).nnz == 0
    cosine = np.einsum("ij,ij->i", full.vert_normals, cortex.vert_normals)
    assert cosine.min() > 0  # outwards; Brainstorm weights the triangles otherwise
    assert [atlas.name for atlas in full.atlas] == ["User scouts", "mine"]
    assert full.i_atlas == 1
    first, second = full.atlas[1].scouts
    assert first.seed == 5
    assert not np.array_equal(first.color, second.color)


def test_labels_of_converted_scouts_come_back(cortex):
    labels = to_labels(cortex, atlas="User scouts")
    bare = dataclasses.replace(cortex, atlas=cortex.atlas[1:])
    again = labelled(bare, None, labels)
    assert same_structure(again.atlas[-1], cortex.atlas[0])
    with pytest.raises(ConversionError, match="has an atlas 'User scouts' already"):
        labelled(cortex, None, labels)


def test_labels_number_the_vertices_of_their_source_spaces(sample, cortex):
    src = sample.objects["forward"]["src"]
    vertices = src[1]["vertno"][[4, 8, 15]]
    label = mne.Label(vertices, hemi="rh", name="x-rh")
    (scout,) = labelled(cortex, src, [label]).atlas[-1].scouts
    # where they are in MNE is where they are in Brainstorm
    to_scs = np.linalg.inv(conversion_report(src).kept["scs_to_head"])
    places = src[1]["rr"][vertices] @ to_scs[:3, :3].T + to_scs[:3, 3]
    np.testing.assert_allclose(
        np.sort(cortex.vertices[scout.vertices - 1], axis=0), np.sort(places, axis=0), atol=1e-12
    )


def test_the_same_cortex(cortex):
    assert same_cortex(cortex, cortex)
    moved = dataclasses.replace(cortex, vertices=cortex.vertices + 1e-6)
    assert not same_cortex(cortex, moved)
    rounded = dataclasses.replace(cortex, vertices=cortex.vertices + 1e-12)
    assert same_cortex(cortex, rounded)
    more = dataclasses.replace(cortex, atlas=(*cortex.atlas, io.Atlas(
        name="x", scouts=(io.Scout(label="a", vertices=np.array([1])),))))  # fmt: skip
    assert same_cortex(more, cortex)  # it has all that is asked for
    assert not same_cortex(cortex, more)
    wound = dataclasses.replace(cortex, faces=cortex.faces[:, [0, 2, 1]])
    assert not same_cortex(cortex, wound)


def test_the_same_structure(cortex):
    study = load_small_sample()
    channels, cov = study.channels, study.noise_cov
    assert not same_structure(channels, cov)
    other = dataclasses.replace(cov, history=(("date", "x", "y"),))
    assert same_structure(cov, other)
    assert not same_structure(cov, dataclasses.replace(cov, noise_cov=2 * cov.noise_cov))
    assert not same_structure(cov, dataclasses.replace(cov, comment="other"))
    assert not same_structure(cov, dataclasses.replace(cov, fourth_moment=None))
    renamed = (dataclasses.replace(channels.channels[0], name="other"), *channels.channels[1:])
    assert not same_structure(channels, dataclasses.replace(channels, channels=renamed))
    nan = study.head_model.gain * np.nan
    model = study.head_model
    assert same_structure(*[dataclasses.replace(model, gain=nan)] * 2)
    assert not same_structure(dataclasses.replace(model, gain=nan), model)
    assert not same_structure(cortex, dataclasses.replace(cortex, vert_conn=None))
