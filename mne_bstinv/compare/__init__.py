"""Comparison of kernels.

:func:`compare_with_stored` says whether a kernel is the one that Brainstorm stored;
:func:`~mne_bstinv.compare_kernels` measures how far apart two kernels are, whoever computed them,
by the metrics that the table ``METRICS`` declares.
"""

from mne_bstinv.compare.alignment import Alignment, align_kernels
from mne_bstinv.compare.comparison import Comparison, MetricValue, compare_kernels
from mne_bstinv.compare.kernel import Kernel

# data, which __all__ does not list: what it lists has a docstring of its own
from mne_bstinv.compare.metrics import METRICS as METRICS
from mne_bstinv.compare.metrics import Metric
from mne_bstinv.compare.rounding import RoundingBound, rounding_bound
from mne_bstinv.compare.stored import Agreement, compare_rows, compare_with_stored

__all__ = [
    "Agreement",
    "Alignment",
    "Comparison",
    "Kernel",
    "Metric",
    "MetricValue",
    "RoundingBound",
    "align_kernels",
    "compare_kernels",
    "compare_rows",
    "compare_with_stored",
    "rounding_bound",
]
