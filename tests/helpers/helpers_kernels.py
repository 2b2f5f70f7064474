"""Small kernels whose comparison is known."""

from __future__ import annotations

import numpy as np

from mne_bstinv.compare import Kernel

#: Distance of neighbouring locations on the line, in m.
SPACING = 0.005


def kernel(matrix, n_components=1, **given):
    """A kernel with channels C0, C1, … and locations 0, 1, …"""
    matrix = np.array(matrix)
    matrix.setflags(write=False)
    n_locations = len(matrix) // n_components
    fields = {
        "channel_names": [f"C{i}" for i in range(matrix.shape[1])],
        "locations": np.arange(n_locations),
        "name": "A",
        "unit": "A·m",
    }
    return Kernel(matrix=matrix, n_components=n_components, **(fields | given))


def line(n_locations):
    """Positions on a straight line."""
    return np.outer(np.arange(n_locations) * SPACING, [1.0, 0.0, 0.0])


def on_line(matrix, n_components=1, **given):
    """A kernel on a line whose channels each see one row only: point spreads are its columns."""
    n_rows = len(matrix)
    fields = {"positions": line(n_rows // n_components), "gain": np.eye(n_rows)}
    return kernel(matrix, n_components, **(fields | given))


def complete(rng, n_components=3, n_locations=7, n_channels=12, **given):
    """A random kernel with everything that a metric may need."""
    n_rows = n_components * n_locations
    fields = {
        "positions": rng.normal(scale=0.05, size=(n_locations, 3)),
        "normals": rng.normal(size=(n_locations, 3)),
        "gain": rng.normal(size=(n_channels, n_rows)),
        "whitener": np.diag(rng.uniform(1, 2, size=n_channels)),
    }
    return kernel(rng.normal(size=(n_rows, n_channels)), n_components, **(fields | given))


def rotation(axis, angle):
    """Rotation by Rodrigues' formula."""
    x, y, z = np.asarray(axis) / np.linalg.norm(axis)
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross
