"""The bridge between MNE-Python and Brainstorm.

The data flows one way::

    .mat file → Brainstorm structure ──→ imaging kernel ──→ comparison with the stored one
      (mne_bstinv.io)                  (mne_bstinv.inverse)  (mne_bstinv.compare, .verification)

Structures hold the raw values of the files; shapes, frames, units and signs are documented where
they are declared. The command line is ``mne-bstinv`` (:mod:`mne_bstinv.cli`).
"""

from importlib.metadata import version as _version

from mne_bstinv import datasets, errors, io
from mne_bstinv.anatomy import hemispheres
from mne_bstinv.inverse import (
    InverseOptions,
    InverseResult,
    RegionRows,
    bst_inverse_linear,
    compute_kernel,
)
from mne_bstinv.io import (
    read_channels,
    read_head_model,
    read_mri,
    read_noise_cov,
    read_protocol,
    read_recordings,
    read_results,
    read_study,
    read_subject,
    read_surface,
    write_channels,
    write_head_model,
    write_mri,
    write_noise_cov,
    write_recordings,
    write_results,
    write_study,
    write_subject,
    write_surface,
)
from mne_bstinv.plots import plot_estimate
from mne_bstinv.verification import Verification, recompute, verify

__version__ = _version("mne-bstinv")

__all__ = [
    "InverseOptions",
    "InverseResult",
    "RegionRows",
    "Verification",
    "__version__",
    "bst_inverse_linear",
    "compute_kernel",
    "datasets",
    "errors",
    "hemispheres",
    "io",
    "plot_estimate",
    "read_channels",
    "read_head_model",
    "read_mri",
    "read_noise_cov",
    "read_protocol",
    "read_recordings",
    "read_results",
    "read_study",
    "read_subject",
    "read_surface",
    "recompute",
    "verify",
    "write_channels",
    "write_head_model",
    "write_mri",
    "write_noise_cov",
    "write_recordings",
    "write_results",
    "write_study",
    "write_subject",
    "write_surface",
]
