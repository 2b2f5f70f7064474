"""What is made from source maps and recordings: arrays in, arrays out. Pure NumPy and SciPy.

Flat maps, normalised maps, scout time series, projection to another cortex, smoothing, dipole
scanning, time–frequency maps, averages, tests against zero and simulated recordings, each in
Brainstorm's convention.
"""

from mne_bstinv.maps.averages import Average, average_files, scale_averaged_dspm
from mne_bstinv.maps.baseline import normalize_baseline
from mne_bstinv.maps.dipoles import DipoleScan, scan_dipoles
from mne_bstinv.maps.flat import (
    FlatDirections,
    absolute_sources,
    apply_directions,
    flat_directions,
    flatten_sources,
)
from mne_bstinv.maps.projection import project_sources, projection_matrix, shepard_weights
from mne_bstinv.maps.scout_functions import ScoutValue, bst_scout_value, scout_value
from mne_bstinv.maps.scout_rows import ScoutRows, scout_rows
from mne_bstinv.maps.scouts import scout_row_names, scout_time_series
from mne_bstinv.maps.simulation import Simulation, simulate_recordings
from mne_bstinv.maps.smoothing import mean_edge_length, smooth_sources, smoothing_matrix
from mne_bstinv.maps.spectra import Spectrum, fft_spectrum, psd_welch
from mne_bstinv.maps.statistics import StatisticMap, chi2_test_zero, t_test_zero
from mne_bstinv.maps.timefreq import average_timefreq, measured, source_timefreq
from mne_bstinv.maps.wavelets import (
    band_frequencies,
    morlet_edges,
    morlet_in_bands,
    morlet_transform,
)

__all__ = [
    "Average",
    "DipoleScan",
    "FlatDirections",
    "ScoutRows",
    "ScoutValue",
    "Simulation",
    "Spectrum",
    "StatisticMap",
    "absolute_sources",
    "apply_directions",
    "average_files",
    "average_timefreq",
    "band_frequencies",
    "bst_scout_value",
    "chi2_test_zero",
    "fft_spectrum",
    "flat_directions",
    "flatten_sources",
    "mean_edge_length",
    "measured",
    "morlet_edges",
    "morlet_in_bands",
    "morlet_transform",
    "normalize_baseline",
    "project_sources",
    "projection_matrix",
    "psd_welch",
    "scale_averaged_dspm",
    "scan_dipoles",
    "scout_row_names",
    "scout_rows",
    "scout_time_series",
    "scout_value",
    "shepard_weights",
    "simulate_recordings",
    "smooth_sources",
    "smoothing_matrix",
    "source_timefreq",
    "t_test_zero",
]
