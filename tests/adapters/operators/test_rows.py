"""Rows of kernels and values at the sources of MNE."""

from __future__ import annotations

import numpy as np
import pytest

from mne_bstinv.adapters.operators.rows import RowLayout
from mne_bstinv.inverse.result import RegionRows


@pytest.mark.parametrize("locations", [[0, 1, 2, 3], [0, 1], [3, 1, 0, 2]])
def test_values_are_those_of_the_rows_at_their_locations(locations):
    region = RegionRows(
        name="", orient="fixed", locations=np.array(locations), rows=slice(0, len(locations))
    )
    layout = RowLayout(regions=(region,), directions=(), n_sources=4, n_components=1)
    rows = np.arange(1.0, 2 * len(locations) + 1).reshape(-1, 2)
    order = np.array([2, 0, 3, 1])
    found = layout.to_head(rows, order, np.eye(3))
    for source, location in enumerate(order):
        expected = rows[locations.index(location)] if location in locations else [0.0, 0.0]
        np.testing.assert_array_equal(found[source], expected)
    assert not np.shares_memory(found, rows)
    assert found.dtype == np.float64
