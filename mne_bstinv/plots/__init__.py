"""Figures: pure functions from arrays to matplotlib figures, usable alone."""

from mne_bstinv.plots.agreement import plot_agreement, plot_agreement_points
from mne_bstinv.plots.attribution import plot_attribution
from mne_bstinv.plots.depth import plot_depth_weights
from mne_bstinv.plots.estimate import plot_estimate
from mne_bstinv.plots.kernels import plot_kernels
from mne_bstinv.plots.sensor_fit import plot_sensor_fit
from mne_bstinv.plots.sensors import plot_sensors
from mne_bstinv.plots.singular_values import plot_singular_values
from mne_bstinv.plots.time_courses import plot_time_courses

__all__ = [
    "plot_agreement",
    "plot_agreement_points",
    "plot_attribution",
    "plot_depth_weights",
    "plot_estimate",
    "plot_kernels",
    "plot_sensor_fit",
    "plot_sensors",
    "plot_singular_values",
    "plot_time_courses",
]
