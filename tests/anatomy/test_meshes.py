from __future__ import annotations

import numpy as np

from mne_bstinv import io
from mne_bstinv.anatomy import connected_parts, vertex_adjacency


def test_adjacency_and_parts():
    faces = np.array([[0, 1, 2], [1, 3, 2], [4, 5, 6]])
    dense = vertex_adjacency(faces, 8).toarray()
    edges = {(0, 1), (1, 2), (0, 2), (1, 3), (2, 3), (4, 5), (5, 6), (4, 6)}
    expected = {tuple(pair) for edge in edges for pair in (edge, edge[::-1])}
    assert {tuple(pair) for pair in np.argwhere(dense)} == expected
    parts = connected_parts(faces, 8)
    assert len(set(parts[:4])) == len(set(parts[4:7])) == 1
    assert len({parts[0], parts[4], parts[7]}) == 3


def test_the_adjacency_of_the_sample_is_the_stored_one(sample_dir):
    surface = io.read_surface(io.read_protocol(sample_dir).subject("Subject01").cortex)
    computed = vertex_adjacency(surface.faces - 1, surface.n_vertices)
    np.testing.assert_array_equal(computed.toarray(), surface.vert_conn.toarray() != 0)
