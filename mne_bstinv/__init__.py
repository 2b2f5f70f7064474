"""The bridge between MNE-Python and Brainstorm.

The data flows one way, and the folders are its stations::

                             ┌→ MNE object (mne_bstinv.adapters), and back
    .mat file → structure ───┤
      (mne_bstinv.io)        └→ imaging kernel ──→ comparison with the stored one
                          (mne_bstinv.inverse)  (mne_bstinv.compare, .verification)

Structures hold the raw values of the files; frames, order and units change only in the adapters.
The command line is ``mne-bstinv`` (:mod:`mne_bstinv.cli`).
"""

# MNE takes a second to import: what needs it is loaded when one of its names is first used.

from importlib import import_module as _import_module
from importlib.metadata import version as _version
from typing import TYPE_CHECKING, Any

from mne_bstinv import datasets, errors, io
from mne_bstinv.anatomy import hemispheres
from mne_bstinv.conversion import ConversionReport, Finding, conversion_report
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
from mne_bstinv.plots import plot_estimate, plot_sensors
from mne_bstinv.verification import Verification, recompute, verify

if TYPE_CHECKING:
    from mne_bstinv.adapters import (
        InverseParameters,
        LabelList,
        SourceGrid,
        SubjectFolder,
        from_covariance,
        from_epochs,
        from_evoked,
        from_forward,
        from_info,
        from_inverse_operator,
        from_labels,
        from_raw,
        from_source_estimate,
        from_source_spaces,
        inverse_parameters,
        match_channel_names,
        noise_cov_from,
        source_order,
        to_annotations,
        to_covariance,
        to_epochs,
        to_evoked,
        to_forward,
        to_info,
        to_inverse_operator,
        to_labels,
        to_raw_array,
        to_source_estimate,
        to_source_spaces,
        to_surfaces,
        to_trans,
        write_forward,
    )
    from mne_bstinv.conversion_files import ConvertedFile, convert_file
    from mne_bstinv.export import Estimation, ExportedStudy, export_study

__version__ = _version("mne-bstinv")

__all__ = [
    "ConversionReport",
    "ConvertedFile",
    "Estimation",
    "ExportedStudy",
    "Finding",
    "InverseOptions",
    "InverseParameters",
    "InverseResult",
    "LabelList",
    "RegionRows",
    "SourceGrid",
    "SubjectFolder",
    "Verification",
    "__version__",
    "bst_inverse_linear",
    "compute_kernel",
    "conversion_report",
    "convert_file",
    "datasets",
    "errors",
    "export_study",
    "from_covariance",
    "from_epochs",
    "from_evoked",
    "from_forward",
    "from_info",
    "from_inverse_operator",
    "from_labels",
    "from_raw",
    "from_source_estimate",
    "from_source_spaces",
    "hemispheres",
    "inverse_parameters",
    "io",
    "match_channel_names",
    "noise_cov_from",
    "plot_estimate",
    "plot_sensors",
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
    "source_order",
    "to_annotations",
    "to_covariance",
    "to_epochs",
    "to_evoked",
    "to_forward",
    "to_info",
    "to_inverse_operator",
    "to_labels",
    "to_raw_array",
    "to_source_estimate",
    "to_source_spaces",
    "to_surfaces",
    "to_trans",
    "verify",
    "write_channels",
    "write_forward",
    "write_head_model",
    "write_mri",
    "write_noise_cov",
    "write_recordings",
    "write_results",
    "write_study",
    "write_subject",
    "write_surface",
]


#: Modules with names that need MNE, the lowest first.
_LATE = ("mne_bstinv.adapters", "mne_bstinv.export", "mne_bstinv.conversion_files")


def __getattr__(name: str) -> Any:
    """Load the modules that need MNE when one of their names is first used."""
    if name in __all__ and name not in globals():
        for late in map(_import_module, _LATE):
            names = set(late.__all__) & set(__all__)
            globals().update({exported: getattr(late, exported) for exported in names})
        return globals()[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
