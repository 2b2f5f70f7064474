"""Files that were made of other files: what they are, what they were made of, computed again.

A map says in its history what was done to it; its parent, its recordings and its surfaces are found
by links, by the files it names, by the history it shares and by its name. What a file does not
store (whether signs were flipped, which windows a principal component was computed in) is tried,
or only what does not depend on it is compared. What cannot be found is an error with the reason.
"""

from mne_bstinv.derived.choice import derived_kind, find_derived, recompute_derived
from mne_bstinv.derived.extraction import extract_scouts
from mne_bstinv.derived.outcome import Recomputed
from mne_bstinv.derived.scout_table import ScoutSeries, ScoutTable

__all__ = [
    "Recomputed",
    "ScoutSeries",
    "ScoutTable",
    "derived_kind",
    "extract_scouts",
    "find_derived",
    "recompute_derived",
]
