"""A page to explore an inverse with: sliders for its options, spectrum, time course and map."""

from mne_bstinv.explorer.numbers import Truth
from mne_bstinv.explorer.page import write_explorer

__all__ = ["Truth", "write_explorer"]
