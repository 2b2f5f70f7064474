"""What is made from recordings and sources ⇄ MNE: dipoles, time–frequency, tests, signals."""

from mne_bstinv.adapters.derived.dipoles import from_dipole, to_dipole
from mne_bstinv.adapters.derived.signals import (
    LabelTimeCourses,
    from_label_time_courses,
    to_label_time_courses,
    to_table,
)
from mne_bstinv.adapters.derived.statistics import StatisticPair, from_statistics, to_statistics
from mne_bstinv.adapters.derived.timefreq_from_mne import from_spectrum, from_tfr
from mne_bstinv.adapters.derived.timefreq_to_mne import (
    band_names,
    to_source_bands,
    to_spectrum,
    to_tfr,
)

__all__ = [
    "LabelTimeCourses",
    "StatisticPair",
    "band_names",
    "from_dipole",
    "from_label_time_courses",
    "from_spectrum",
    "from_statistics",
    "from_tfr",
    "to_dipole",
    "to_label_time_courses",
    "to_source_bands",
    "to_spectrum",
    "to_statistics",
    "to_table",
    "to_tfr",
]
