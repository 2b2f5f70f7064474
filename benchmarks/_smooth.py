"""The gains of a head that is a sphere, at a cortex with folds: fields of neighbours are alike."""

from __future__ import annotations

import dataclasses

import mne
import numpy as np

import mne_bstinv as mb
from mne_bstinv import io
from mne_bstinv.adapters import to_info
from mne_bstinv.frames import scs_to_head

#: Centre and radius of the head in m, SCS.
CENTRE, RADIUS = np.array([0.0, 0.0, 0.045]), 0.09
#: How far sensors of the second helmet are turned about the vertical axis, radians.
TURN = 0.15


def smooth_study(study: mb.StudyData) -> mb.StudyData:
    """Give a study of two helmets and two spheres places of its own for each sensor, and folds."""
    channels = _turned(study.channels)
    cortex = _folded(study.cortex)
    model = dataclasses.replace(
        study.head_model,
        gain=_gain(channels, cortex.vertices),
        grid_loc=cortex.vertices,
        grid_orient=cortex.vert_normals,
    )
    return dataclasses.replace(
        study, channels=channels, cortex=cortex, head_model=model, name="smooth", files={}
    )


def _turned(channels: io.Channels) -> io.Channels:
    """Turn the second helmet, the sensors whose names end in x."""
    turn = np.array(
        [[np.cos(TURN), -np.sin(TURN), 0.0], [np.sin(TURN), np.cos(TURN), 0.0], [0.0, 0.0, 1.0]]
    )

    def turned(channel: io.Channel) -> io.Channel:
        if not channel.name.endswith("x") or channel.loc is None or not channel.loc.size:
            return channel
        loc = turn @ (channel.loc - CENTRE[:, None]) + CENTRE[:, None]
        orient = None if channel.orient is None else turn @ channel.orient
        return dataclasses.replace(channel, loc=loc, orient=orient)

    return dataclasses.replace(channels, channels=tuple(map(turned, channels.channels)))


def _folded(cortex: io.Surface) -> io.Surface:
    """Return two folded hemispheres with the triangles of two spheres of unit normals."""
    ball, side = cortex.vert_normals, np.sign(cortex.vertices[:, 1])
    folds = np.sin(11 * ball[:, 0]) * np.sin(9 * ball[:, 1] + 1) * np.sin(10 * ball[:, 2] + 2)
    radius = 0.032 * (1 + 0.22 * folds)
    vertices = radius[:, None] * ball * [1.5, 1.0, 1.2] + CENTRE
    vertices[:, 1] += 0.034 * side
    corners = vertices[cortex.faces - 1]
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    across *= np.sign(np.sum(across * ball[cortex.faces[:, 0] - 1], axis=1))[:, None]
    normals = np.zeros_like(vertices)
    for corner in cortex.faces.T - 1:
        np.add.at(normals, corner, across)
    normals /= np.linalg.norm(normals, axis=1)[:, None]
    return dataclasses.replace(cortex, vertices=vertices, vert_normals=normals)


def _gain(channels: io.Channels, locations: np.ndarray) -> np.ndarray:
    """Compute the gain by MNE-Python; NaN for what is no sensor of the brain."""
    info = to_info(channels, sfreq=1000.0)
    picks = mne.pick_types(info, meg=True, eeg=True, exclude=())
    frame = scs_to_head(channels)
    places = locations @ frame.rotation.T + frame.matrix[:3, 3]
    normals = np.broadcast_to([0.0, 0.0, 1.0], places.shape)
    source = mne.setup_volume_source_space(pos={"rr": places, "nn": normals})
    centre = frame.rotation @ CENTRE + frame.matrix[:3, 3]
    forward = mne.make_forward_solution(
        mne.pick_info(info, picks),
        mne.Transform("head", "mri"),
        source,
        mne.make_sphere_model(centre, head_radius=RADIUS),
        mindist=0.0,
    )
    found = forward["sol"]["data"].reshape(len(picks), -1, 3) @ frame.rotation
    gain = np.full((len(channels.channels), 3 * len(locations)), np.nan)
    rows = {channel.name: i for i, channel in enumerate(channels.channels)}
    gain[[rows[name] for name in forward["sol"]["row_names"]]] = found.reshape(len(picks), -1)
    return gain
