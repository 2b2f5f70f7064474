"""A ball of triangles, and what is known of it."""

from __future__ import annotations

import numpy as np
from scipy.spatial import ConvexHull


def ball(n=400, *, radius=0.07, centre=(0.0, 0.0, 0.0)):
    """Points spread over a ball with triangles wound anyhow, made the same way."""
    i = np.arange(n) + 0.5
    z, angle = 1 - 2 * i / n, np.pi * (1 + 5**0.5) * i
    ring = np.sqrt(1 - z**2)
    points = np.stack([ring * np.cos(angle), ring * np.sin(angle), z], axis=1)
    faces = ConvexHull(points).simplices.astype(np.int64)
    corners = points[faces]
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    inward = np.einsum("ij,ij->i", across, corners[:, 0]) < 0
    faces[inward] = faces[inward][:, ::-1]
    return radius * points + centre, faces


def clockwise(faces):
    return faces[:, [0, 2, 1]]


def volume(vertices, faces):
    a, b, c = vertices[faces].transpose(1, 0, 2)
    return np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6
