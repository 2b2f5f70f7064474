from __future__ import annotations

import numpy as np
import pytest

from mne_bstinv.errors import SchemaError
from mne_bstinv.plots import plot_sensors


def test_sensors_are_drawn_in_millimetres_from_three_sides():
    positions = {"mag": np.array([[0.01, 0.02, 0.03], [0.0, 0.0, 0.1]])}
    figure = plot_sensors(positions, np.zeros((1, 3)), fiducials=np.eye(3) / 10, title="T")
    assert figure.get_suptitle() == "T"
    views = [axes.get_title() for axes in figure.axes]
    assert views == ["from the right", "from above", "from behind"]
    drawn = [axes.collections[1].get_offsets() for axes in figure.axes]
    for offsets, shown in zip(drawn, ([1, 2], [0, 1], [0, 2]), strict=True):
        np.testing.assert_allclose(offsets, 1e3 * positions["mag"][:, shown], rtol=1e-15)
    labels = figure.axes[0].get_legend_handles_labels()[1]
    assert labels == ["cortex", "mag", "fiducials"]


def test_positions_of_the_wrong_shape_are_refused():
    sensors = {"mag": np.zeros((4, 3)), "eeg": np.zeros((4, 2))}
    with pytest.raises(
        SchemaError, match=r"sensors\['eeg'\] has shape \(4, 2\), expected \(n_1, 3"
    ):
        plot_sensors(sensors, np.zeros((1, 3)))
    with pytest.raises(SchemaError, match=r"fiducials has shape \(2, 3\), expected \(3, 3\)"):
        plot_sensors({"mag": np.zeros((4, 3))}, np.zeros((1, 3)), fiducials=np.zeros((2, 3)))


def test_title_and_legend_do_not_touch_the_views():
    rng = np.random.default_rng(0)  # wide in one view, high in the other
    sensors = {"eeg": rng.uniform(-1, 1, (30, 3)) * [0.1, 0.12, 0.08]}
    figure = plot_sensors(sensors, np.zeros((1, 3)), title="T")
    figure.canvas.draw()
    views = [axes.get_tightbbox() for axes in figure.axes]
    (legend,) = figure.legends
    assert figure.texts[0].get_window_extent().y0 > max(view.y1 for view in views)
    assert legend.get_window_extent().y1 < min(view.y0 for view in views)
