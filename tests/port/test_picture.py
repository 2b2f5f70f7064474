"""The picture of sensors and cortex."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import numpy as np

from mne_bstinv.port.picture import sensors_svg

SVG = "{http://www.w3.org/2000/svg}"


def drawn(sensors, vertices, fiducials):
    return ElementTree.fromstring(sensors_svg(sensors, vertices, fiducials))


def test_positions_are_in_scale_and_upright():
    tip = np.array([[0.0, 0.1, 0.0]])  # 100 mm in front
    top = np.array([[0.0, 0.0, 0.1]])
    root = drawn({"front": tip, "top": top}, np.zeros((1, 3)), np.zeros((0, 3)))
    groups = [g.findall(f"{SVG}circle") for g in root.findall(f"{SVG}g")]
    assert len(groups) == 9  # three views of cortex, front, top

    def place(circles):
        return np.array([[float(c.get("cx")), float(c.get("cy"))] for c in circles])[0]

    cortex, front, up = map(place, groups[:3])  # from the right: y and z
    bar = float(root.findall(f"{SVG}path")[-1].get("d").split("h")[1])
    np.testing.assert_allclose(front - cortex, [2 * bar, 0], atol=0.2)
    np.testing.assert_allclose(up - cortex, [0, -2 * bar], atol=0.2)
    cortex, front, up = map(place, groups[3:6])  # from above: x and y
    np.testing.assert_allclose(front - cortex, [0, -2 * bar], atol=0.2)
    np.testing.assert_allclose(up - cortex, [0, 0], atol=0.2)


def test_kinds_of_the_same_places_are_all_seen():
    places = np.array([[0.05, 0.05, 0.05]])
    root = drawn({"magnetometers": places, "gradiometers": places}, np.zeros((1, 3)), np.eye(3))
    _, ring, dot = root.findall(f"{SVG}g")[:3]
    assert (ring.get("fill"), dot.get("fill")) == ("none", "#D55E00")
    inner = float(ring[0].get("r")) - float(ring.get("stroke-width")) / 2
    assert float(dot[0].get("r")) < inner  # something white is between them
    legend = root.findall(f"{SVG}circle")
    names = [text.text for text in root.findall(f"{SVG}text")][3:6]
    assert names == ["cortex", "magnetometers", "gradiometers"]
    assert [(mark.get("fill"), mark.get("stroke")) for mark in legend[1:]] == [
        ("none", ring.get("stroke")), ("#D55E00", None),
    ]  # fmt: skip
    # one kind alone is drawn as dots
    alone = drawn({"EEG": places}, np.zeros((0, 3)), np.eye(3))
    assert alone.findall(f"{SVG}g")[0].get("fill") == ring.get("stroke")


def test_large_surfaces_are_thinned_and_names_escaped():
    rng = np.random.default_rng(0)
    root = drawn({"a<b": rng.normal(size=(3, 3))}, rng.normal(size=(100_000, 3)), np.eye(3))
    first = root.findall(f"{SVG}g")[0].findall(f"{SVG}circle")
    assert 400 <= len(first) < 800
    assert "a<b" in [text.text for text in root.findall(f"{SVG}text")]


def test_nothing_to_draw_is_no_error():
    assert drawn({}, np.zeros((0, 3)), np.zeros((0, 3))).tag == f"{SVG}svg"
