"""Results files ⇄ inverse operators and source estimates."""

from mne_bstinv.adapters.operators.apply import apply_operator
from mne_bstinv.adapters.operators.arrays import noise_spectrum
from mne_bstinv.adapters.operators.check import (
    checked_operator,
    operator_of_results,
    why_no_operator,
)
from mne_bstinv.adapters.operators.estimate_from_mne import (
    from_source_estimate,
    function_of_estimate,
)
from mne_bstinv.adapters.operators.estimate_to_mne import to_source_estimate
from mne_bstinv.adapters.operators.operator_dicts import (
    data_info,
    operator_info,
    reference_projections,
)
from mne_bstinv.adapters.operators.operator_from_mne import (
    FUNCTIONS,
    from_inverse_operator,
    operator_kernel,
    remember_file,
)
from mne_bstinv.adapters.operators.operator_to_mne import operator_of_prepared, to_inverse_operator
from mne_bstinv.adapters.operators.parameters import (
    EXACT,
    METHODS,
    NOT_COMPARABLE,
    UP_TO_FACTOR,
    InverseParameters,
    for_averages,
    inverse_parameters,
)
from mne_bstinv.adapters.operators.results import scalar_regions, vert2grid

__all__ = [
    "EXACT",
    "FUNCTIONS",
    "METHODS",
    "NOT_COMPARABLE",
    "UP_TO_FACTOR",
    "InverseParameters",
    "apply_operator",
    "checked_operator",
    "data_info",
    "for_averages",
    "from_inverse_operator",
    "from_source_estimate",
    "function_of_estimate",
    "inverse_parameters",
    "noise_spectrum",
    "operator_info",
    "operator_kernel",
    "operator_of_prepared",
    "operator_of_results",
    "reference_projections",
    "remember_file",
    "scalar_regions",
    "to_inverse_operator",
    "to_source_estimate",
    "vert2grid",
    "why_no_operator",
]
