"""Where the sensors of an Info are, for pictures."""

from __future__ import annotations

import mne
import numpy as np
from mne.io.constants import FIFF

from mne_bstinv._types import FloatArray
from mne_bstinv.adapters.kept import kept_of
from mne_bstinv.frames import transform_points

__all__ = ["sensor_positions"]


#: Kinds of sensors with a place, in MNE's words, and how they are called in pictures.
_KINDS = {
    "mag": "magnetometers",
    "grad": "gradiometers",
    "eeg": "EEG",
    "ecog": "ECoG",
    "seeg": "SEEG",
}


def sensor_positions(
    info: mne.Info,
) -> tuple[dict[str, FloatArray], FloatArray, FloatArray]:
    """Return positions in the head frame.

    Parameters
    ----------
    info : mne.Info
        The sensors.

    Returns
    -------
    sensors : dict of str to array, shape (n_sensors, 3)
        Positions of each kind of sensor that is present, m; those without a position are left out.
    fiducials : array, shape (n_fiducials, 3)
        Nasion and ears, m.
    scs_to_head : array, shape (4, 4)
        SCS → head, where the Info was made of Brainstorm's channels; else the identity.
    """
    device_to_head = info["dev_head_t"]["trans"] if info["dev_head_t"] else np.eye(4)
    types = info.get_channel_types()
    sensors = {}
    for kind, name in _KINDS.items():
        here = [ch for ch, found in zip(info["chs"], types, strict=True) if found == kind]
        points = np.array([ch["loc"][:3] for ch in here]).reshape(-1, 3)
        if kind in ("mag", "grad"):
            points = transform_points(device_to_head, points)
        points = points[np.isfinite(points).all(axis=1) & points.any(axis=1)]
        if len(points):
            sensors[name] = points
    fiducials = [d["r"] for d in info["dig"] or () if d["kind"] == FIFF.FIFFV_POINT_CARDINAL]
    to_head = kept_of(info).get("scs_to_head", np.eye(4))
    return sensors, np.array(fiducials, dtype=np.float64).reshape(-1, 3), np.asarray(to_head)
