"""Brainstorm structures ⇄ MNE objects: the only package that imports MNE.

A room of what belongs together, with ``to_mne`` and ``from_mne`` side by side, and a hall of what
rooms share. Everything that a conversion dropped, assumed or derived is in its report, see
:func:`mne_bstinv.conversion_report`.
"""

from mne_bstinv.adapters.anatomy import (
    LabelList,
    SubjectFolder,
    from_labels,
    to_labels,
    to_surfaces,
    to_trans,
)
from mne_bstinv.adapters.channel_names import match_channel_names
from mne_bstinv.adapters.derived import (
    LabelTimeCourses,
    StatisticPair,
    band_names,
    from_dipole,
    from_label_time_courses,
    from_spectrum,
    from_tfr,
    to_dipole,
    to_label_time_courses,
    to_source_bands,
    to_spectrum,
    to_statistics,
    to_table,
    to_tfr,
)
from mne_bstinv.adapters.equivalence import (
    DepthSettings,
    MneEquivalent,
    MneSettings,
    mne_equivalent,
)
from mne_bstinv.adapters.operators import (
    InverseParameters,
    checked_operator,
    from_inverse_operator,
    from_source_estimate,
    inverse_parameters,
    to_inverse_operator,
    to_source_estimate,
)
from mne_bstinv.adapters.recordings import (
    ContinuousRecording,
    epochs_as_imported,
    from_covariance,
    from_epochs,
    from_evoked,
    from_raw,
    noise_cov_from,
    read_raw_brainstorm,
    to_annotations,
    to_covariance,
    to_epochs,
    to_evoked,
    to_raw_array,
)
from mne_bstinv.adapters.sample_subject import mne_sample_objects
from mne_bstinv.adapters.sensors import from_info, to_info
from mne_bstinv.adapters.sources import (
    SourceGrid,
    from_forward,
    from_source_spaces,
    source_order,
    to_forward,
    to_source_spaces,
    write_forward,
)
from mne_bstinv.adapters.study import study_from_mne

__all__ = [
    "ContinuousRecording",
    "DepthSettings",
    "InverseParameters",
    "LabelList",
    "LabelTimeCourses",
    "MneEquivalent",
    "MneSettings",
    "SourceGrid",
    "StatisticPair",
    "SubjectFolder",
    "band_names",
    "checked_operator",
    "epochs_as_imported",
    "from_covariance",
    "from_dipole",
    "from_epochs",
    "from_evoked",
    "from_forward",
    "from_info",
    "from_inverse_operator",
    "from_label_time_courses",
    "from_labels",
    "from_raw",
    "from_source_estimate",
    "from_source_spaces",
    "from_spectrum",
    "from_tfr",
    "inverse_parameters",
    "match_channel_names",
    "mne_equivalent",
    "mne_sample_objects",
    "noise_cov_from",
    "read_raw_brainstorm",
    "source_order",
    "study_from_mne",
    "to_annotations",
    "to_covariance",
    "to_dipole",
    "to_epochs",
    "to_evoked",
    "to_forward",
    "to_info",
    "to_inverse_operator",
    "to_label_time_courses",
    "to_labels",
    "to_raw_array",
    "to_source_bands",
    "to_source_estimate",
    "to_source_spaces",
    "to_spectrum",
    "to_statistics",
    "to_surfaces",
    "to_table",
    "to_tfr",
    "to_trans",
    "write_forward",
]
