"""The same study through both toolboxes, and the conventions that make the difference.

:func:`~mne_bstinv.cross_validate` compares Brainstorm's kernel with MNE's, told the same and as
MNE is set, and attributes the difference to the conventions of ``CONVENTIONS``;
:func:`~mne_bstinv.cross_validate_each` does so for several measures.
"""

from mne_bstinv.cross_validation.attribution import Attribution, Step
from mne_bstinv.cross_validation.conventions import CONVENTIONS as CONVENTIONS
from mne_bstinv.cross_validation.conventions import Convention
from mne_bstinv.cross_validation.maps import MapParityRow, map_parity_table, scout_modes
from mne_bstinv.cross_validation.nearest_options import (
    BrainstormEquivalent,
    brainstorm_equivalent,
)
from mne_bstinv.cross_validation.parity import ParityRow, option_combinations, parity_table
from mne_bstinv.cross_validation.result import CrossValidation
from mne_bstinv.cross_validation.scouts import ScoutComparison
from mne_bstinv.cross_validation.validate import cross_validate, cross_validate_each

__all__ = [
    "Attribution",
    "BrainstormEquivalent",
    "Convention",
    "CrossValidation",
    "MapParityRow",
    "ParityRow",
    "ScoutComparison",
    "Step",
    "brainstorm_equivalent",
    "cross_validate",
    "cross_validate_each",
    "map_parity_table",
    "option_combinations",
    "parity_table",
    "scout_modes",
]
