"""The linear inverse: arrays and options in, kernels out. Pure NumPy and SciPy."""

from mne_bstinv.inverse.matlab import bst_inverse_linear, bst_inverse_linear_2016, bst_wmne
from mne_bstinv.inverse.options import InverseOptions, InverseOptions2016
from mne_bstinv.inverse.options_2009 import InverseOptions2009
from mne_bstinv.inverse.origin import Origin, origin_of, origin_of_results
from mne_bstinv.inverse.regularization import (
    convert_snr,
    lambda2_from_brainstorm_snr,
    lambda2_from_prior,
    lambda2_from_snr,
    lambda_from_rms,
    lambda_from_snr,
    lambda_from_trace,
    prior_from_lambda2,
    snr_from_lambda2,
)
from mne_bstinv.inverse.result import InverseResult, RegionRows
from mne_bstinv.inverse.study import compute_kernel

__all__ = [
    "InverseOptions",
    "InverseOptions2009",
    "InverseOptions2016",
    "InverseResult",
    "Origin",
    "RegionRows",
    "bst_inverse_linear",
    "bst_inverse_linear_2016",
    "bst_wmne",
    "compute_kernel",
    "convert_snr",
    "lambda2_from_brainstorm_snr",
    "lambda2_from_prior",
    "lambda2_from_snr",
    "lambda_from_rms",
    "lambda_from_snr",
    "lambda_from_trace",
    "origin_of",
    "origin_of_results",
    "prior_from_lambda2",
    "snr_from_lambda2",
]
