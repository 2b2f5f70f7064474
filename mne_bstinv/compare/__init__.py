"""Comparison of kernels."""

from mne_bstinv.compare.stored import Agreement, compare_rows, compare_with_stored

__all__ = ["Agreement", "compare_rows", "compare_with_stored"]
