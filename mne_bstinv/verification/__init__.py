"""Recompute what a study stores and say whether it is the same: kernels, and what is made of them.

A results file says how it was computed: its options, its good channels, its head model. With the
channel file and the covariances of its study the kernel is computed anew and compared with the
stored one, by the rule that fits the output (:mod:`mne_bstinv.compare.stored`). A file that was
made of others (a z-score, scout time series, dipoles, a spectrum …) is computed anew from these
(:mod:`mne_bstinv.derived`).
"""

from mne_bstinv.verification.files import find_files, find_results, verify
from mne_bstinv.verification.kernels import recompute
from mne_bstinv.verification.outcome import Verification

__all__ = ["Verification", "find_files", "find_results", "recompute", "verify"]
