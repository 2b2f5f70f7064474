"""Brainstorm structures ⇄ MNE objects: the only package that imports MNE.

One module an object, with ``to_…`` and ``from_…``. Everything that a conversion dropped, assumed
or derived is in its report, see :func:`mne_bstinv.conversion_report`.
"""

from mne_bstinv.adapters.anatomy import SubjectFolder, to_surfaces, to_trans
from mne_bstinv.adapters.channel_names import match_channel_names
from mne_bstinv.adapters.covariance import from_covariance, noise_cov_from, to_covariance
from mne_bstinv.adapters.equivalence import MneEquivalent, mne_equivalent
from mne_bstinv.adapters.forward import from_forward, to_forward, write_forward
from mne_bstinv.adapters.info import from_info, to_info
from mne_bstinv.adapters.inverse_operator import (
    InverseParameters,
    from_inverse_operator,
    inverse_parameters,
    to_inverse_operator,
)
from mne_bstinv.adapters.labels import LabelList, from_labels, to_labels
from mne_bstinv.adapters.mne_settings import DepthSettings, MneSettings
from mne_bstinv.adapters.operator_check import checked_operator
from mne_bstinv.adapters.recordings import (
    from_epochs,
    from_evoked,
    from_raw,
    to_annotations,
    to_epochs,
    to_evoked,
    to_raw_array,
)
from mne_bstinv.adapters.sample_subject import mne_sample_objects
from mne_bstinv.adapters.source_estimate import from_source_estimate, to_source_estimate
from mne_bstinv.adapters.source_spaces import (
    SourceGrid,
    from_source_spaces,
    source_order,
    to_source_spaces,
)
from mne_bstinv.adapters.study import study_from_mne

__all__ = [
    "DepthSettings",
    "InverseParameters",
    "LabelList",
    "MneEquivalent",
    "MneSettings",
    "SourceGrid",
    "SubjectFolder",
    "checked_operator",
    "from_covariance",
    "from_epochs",
    "from_evoked",
    "from_forward",
    "from_info",
    "from_inverse_operator",
    "from_labels",
    "from_raw",
    "from_source_estimate",
    "from_source_spaces",
    "inverse_parameters",
    "match_channel_names",
    "mne_equivalent",
    "mne_sample_objects",
    "noise_cov_from",
    "source_order",
    "study_from_mne",
    "to_annotations",
    "to_covariance",
    "to_epochs",
    "to_evoked",
    "to_forward",
    "to_info",
    "to_inverse_operator",
    "to_labels",
    "to_raw_array",
    "to_source_estimate",
    "to_source_spaces",
    "to_surfaces",
    "to_trans",
    "write_forward",
]
