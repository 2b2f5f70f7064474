from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from mne_bstinv import hemispheres, io
from mne_bstinv.anatomy import complete_sides

PROTOCOLS = ("eeg_shared", "eeg_surface", "meg_eeg")


def _cortex(folder):
    surface = io.read_surface(io.read_protocol(folder).subject("Subject01").cortex)
    facts = json.loads((folder / "manifest.json").read_text())["facts"]
    return surface, np.array(facts["left"]) - 1, np.array(facts["right"]) - 1


def _folder(name, data_dir, sample_dir):
    return sample_dir if name == "sample_small" else data_dir / name


@pytest.mark.parametrize("name", [*PROTOCOLS, "sample_small"])
@pytest.mark.parametrize("rule", ["as stored", "regions", "components"])
def test_every_rule_finds_the_true_hemispheres(name, rule, data_dir, sample_dir):
    surface, left, right = _cortex(_folder(name, data_dir, sample_dir))
    expected_rule = "labels of the atlas Structures"
    if rule == "regions":
        scouts = (
            io.Scout(label="one", region="LT", vertices=left + 1),
            io.Scout(label="two", region="RF", vertices=right + 1),
        )
        surface = dataclasses.replace(surface, atlas=(io.Atlas(name="Structures", scouts=scouts),))
        expected_rule = "regions of the atlas Structures"
    if rule == "components":
        surface = dataclasses.replace(surface, atlas=())
        expected_rule = "connected components of the mesh"
    sides, used = hemispheres(surface)
    assert used == expected_rule
    np.testing.assert_array_equal(np.flatnonzero(sides == "lh"), left)
    np.testing.assert_array_equal(np.flatnonzero(sides == "rh"), right)


def test_cortex_scouts_with_regions_count_as_labels(sample_dir):
    surface, left, right = _cortex(sample_dir)
    scouts = (
        io.Scout(label="Cortex R", region="RU", vertices=right + 1),
        io.Scout(label="Cortex L", region="LU", vertices=left[1:] + 1),
        io.Scout(label="Brainstem", region="UU", vertices=left[:1] + 1),
    )
    surface = dataclasses.replace(surface, atlas=(io.Atlas(name="Structures", scouts=scouts),))
    sides, used = hemispheres(surface)
    assert used == "labels of the atlas Structures"
    assert sides[left[0]] == ""  # in neither
    assert set(sides[left[1:]]) == {"lh"}
    assert set(sides[right]) == {"rh"}


def test_one_sheet_is_split_by_the_sign_of_y():
    vertices = np.array([[0, 0.02, 0], [0.01, -0.01, 0], [0.02, 0, 0.01], [0, -0.03, 0.02]])
    surface = io.Surface(vertices=vertices, faces=np.array([[1, 2, 3], [2, 3, 4]]))
    sides, used = hemispheres(surface)
    assert used == "sign of y"
    assert sides.tolist() == ["lh", "rh", "lh", "rh"]


def test_vertices_in_no_hemisphere_go_with_their_neighbours_or_their_side():
    sheet = [[x, y, 0] for y in (0.03, 0.02, 0.01, -0.02) for x in (0.0, 0.01)]
    island = [[0.0, -0.05, 0.05], [0.01, -0.05, 0.05], [0.0, -0.06, 0.05]]
    surface = io.Surface(
        vertices=np.array(sheet + island),
        faces=np.array([[1, 2, 3], [2, 4, 3], [3, 4, 5], [4, 6, 5], [5, 6, 7], [6, 8, 7],
                        [9, 10, 11]]),
    )  # fmt: skip
    known = np.array(["lh", "lh", "", "", "", "", "rh", "rh", "", "", ""])
    sides = complete_sides(surface, known)
    # the third row is 1 cm from the second and 3 cm from the last
    assert sides.tolist() == ["lh"] * 6 + ["rh"] * 2 + ["rh"] * 3
    assert known[2] == ""
    np.testing.assert_array_equal(complete_sides(surface, sides), sides)
