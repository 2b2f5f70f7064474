"""The linear inverse: arrays and options in, kernels out. Pure NumPy and SciPy."""

from mne_bstinv.inverse.matlab import bst_inverse_linear
from mne_bstinv.inverse.options import InverseOptions
from mne_bstinv.inverse.result import InverseResult, RegionRows
from mne_bstinv.inverse.study import compute_kernel

__all__ = [
    "InverseOptions",
    "InverseResult",
    "RegionRows",
    "bst_inverse_linear",
    "compute_kernel",
]
