"""Sensors: channel files ⇄ :class:`mne.Info`; coils, digitization, compensation, projectors."""

from mne_bstinv.adapters.sensors.compensation import grade_of, set_grade
from mne_bstinv.adapters.sensors.from_mne import from_info
from mne_bstinv.adapters.sensors.optodes import of_unit
from mne_bstinv.adapters.sensors.positions import sensor_positions
from mne_bstinv.adapters.sensors.projectors import IGNORED, ON_THE_FLY, is_reference
from mne_bstinv.adapters.sensors.to_mne import NO_SFREQ, picked_info, to_info

__all__ = [
    "IGNORED",
    "NO_SFREQ",
    "ON_THE_FLY",
    "from_info",
    "grade_of",
    "is_reference",
    "of_unit",
    "picked_info",
    "sensor_positions",
    "set_grade",
    "to_info",
]
