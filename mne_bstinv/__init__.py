"""The bridge between MNE-Python and Brainstorm."""

from mne_bstinv.inverse import InverseOptions, bst_inverse_linear, compute_kernel

__all__ = ["InverseOptions", "bst_inverse_linear", "compute_kernel"]
