"""The bridge between MNE-Python and Brainstorm.

The data flows one way, and the folders are its stations::

                             ┌→ MNE object (mne_bstinv.adapters), and back ──┐
    .mat file → structure ───┤                                               ├→ comparison → report
      (mne_bstinv.io)        └→ imaging kernel (mne_bstinv.inverse) ─────────┘
                                └→ comparison with the stored one (mne_bstinv.verification)

Comparisons are in :mod:`mne_bstinv.compare`, what makes the difference in
:mod:`mne_bstinv.cross_validation`, figures in :mod:`mne_bstinv.plots`.

Structures hold the raw values of the files; frames, order and units change only in the adapters.
The command line is ``mne-bstinv`` (:mod:`mne_bstinv.cli`).
"""

# MNE takes a second to import: what needs it is loaded when one of its names is first used.

from importlib import import_module as _import_module
from importlib.metadata import version as _version
from typing import TYPE_CHECKING, Any

from mne_bstinv import datasets, errors, io
from mne_bstinv._log import follow_mne as _follow_mne
from mne_bstinv.anatomy import hemispheres
from mne_bstinv.compare import Comparison, Kernel, compare_kernels
from mne_bstinv.conversion import ConversionReport, Finding, conversion_report
from mne_bstinv.derived import ScoutSeries, ScoutTable, extract_scouts
from mne_bstinv.inverse import (
    InverseOptions,
    InverseOptions2009,
    InverseOptions2016,
    InverseResult,
    RegionRows,
    bst_inverse_linear,
    bst_inverse_linear_2016,
    bst_wmne,
    compute_kernel,
)
from mne_bstinv.io import (
    read_channels,
    read_dipoles,
    read_head_model,
    read_matrix,
    read_mri,
    read_noise_cov,
    read_recordings,
    read_results,
    read_statistics,
    read_study,
    read_subject,
    read_surface,
    read_timefreq,
    write_channels,
    write_dipoles,
    write_head_model,
    write_matrix,
    write_mri,
    write_noise_cov,
    write_recordings,
    write_results,
    write_statistics,
    write_study,
    write_subject,
    write_surface,
    write_timefreq,
)
from mne_bstinv.maps import (
    absolute_sources,
    bst_scout_value,
    flatten_sources,
    normalize_baseline,
    project_sources,
    scale_averaged_dspm,
    scan_dipoles,
    scout_time_series,
    smooth_sources,
)
from mne_bstinv.plots import (
    plot_agreement,
    plot_agreement_points,
    plot_attribution,
    plot_depth_weights,
    plot_estimate,
    plot_kernels,
    plot_sensor_fit,
    plot_sensors,
    plot_singular_values,
    plot_time_courses,
)
from mne_bstinv.port import PortReport, port_protocol
from mne_bstinv.studies import StudyData, load_study
from mne_bstinv.verification import Verification, recompute, verify
from mne_bstinv.workflow import StudyCondition, StudyProtocol, read_protocol

if TYPE_CHECKING:
    from mne_bstinv.adapters import (
        ContinuousRecording,
        DepthSettings,
        InverseParameters,
        LabelList,
        LabelTimeCourses,
        MneEquivalent,
        MneSettings,
        SourceGrid,
        StatisticPair,
        SubjectFolder,
        band_names,
        epochs_as_imported,
        from_covariance,
        from_dipole,
        from_epochs,
        from_evoked,
        from_forward,
        from_info,
        from_inverse_operator,
        from_label_time_courses,
        from_labels,
        from_raw,
        from_source_estimate,
        from_source_spaces,
        from_spectrum,
        from_tfr,
        inverse_parameters,
        match_channel_names,
        mne_equivalent,
        noise_cov_from,
        read_raw_brainstorm,
        read_registered_cortex,
        source_order,
        study_from_mne,
        to_annotations,
        to_covariance,
        to_dipole,
        to_epochs,
        to_evoked,
        to_forward,
        to_info,
        to_inverse_operator,
        to_label_time_courses,
        to_labels,
        to_raw_array,
        to_source_bands,
        to_source_estimate,
        to_source_morph,
        to_source_spaces,
        to_spectrum,
        to_statistics,
        to_surfaces,
        to_table,
        to_tfr,
        to_trans,
        write_forward,
    )
    from mne_bstinv.conversion_files import ConvertedFile, convert_file
    from mne_bstinv.cross_validation import (
        BrainstormEquivalent,
        CrossValidation,
        brainstorm_equivalent,
        cross_validate,
    )
    from mne_bstinv.export import Estimation, ExportedStudy, export_raw, export_study
    from mne_bstinv.report import write_report

__version__ = _version("mne-bstinv")

_follow_mne()

__all__ = [
    "BrainstormEquivalent",
    "Comparison",
    "ContinuousRecording",
    "ConversionReport",
    "ConvertedFile",
    "CrossValidation",
    "DepthSettings",
    "Estimation",
    "ExportedStudy",
    "Finding",
    "InverseOptions",
    "InverseOptions2009",
    "InverseOptions2016",
    "InverseParameters",
    "InverseResult",
    "Kernel",
    "LabelList",
    "LabelTimeCourses",
    "MneEquivalent",
    "MneSettings",
    "PortReport",
    "RegionRows",
    "ScoutSeries",
    "ScoutTable",
    "SourceGrid",
    "StatisticPair",
    "StudyCondition",
    "StudyData",
    "StudyProtocol",
    "SubjectFolder",
    "Verification",
    "__version__",
    "absolute_sources",
    "band_names",
    "brainstorm_equivalent",
    "bst_inverse_linear",
    "bst_inverse_linear_2016",
    "bst_scout_value",
    "bst_wmne",
    "compare_kernels",
    "compute_kernel",
    "conversion_report",
    "convert_file",
    "cross_validate",
    "datasets",
    "epochs_as_imported",
    "errors",
    "export_raw",
    "export_study",
    "extract_scouts",
    "flatten_sources",
    "from_covariance",
    "from_dipole",
    "from_epochs",
    "from_evoked",
    "from_forward",
    "from_info",
    "from_inverse_operator",
    "from_label_time_courses",
    "from_labels",
    "from_raw",
    "from_source_estimate",
    "from_source_spaces",
    "from_spectrum",
    "from_tfr",
    "hemispheres",
    "inverse_parameters",
    "io",
    "load_study",
    "match_channel_names",
    "mne_equivalent",
    "noise_cov_from",
    "normalize_baseline",
    "plot_agreement",
    "plot_agreement_points",
    "plot_attribution",
    "plot_depth_weights",
    "plot_estimate",
    "plot_kernels",
    "plot_sensor_fit",
    "plot_sensors",
    "plot_singular_values",
    "plot_time_courses",
    "port_protocol",
    "project_sources",
    "read_channels",
    "read_dipoles",
    "read_head_model",
    "read_matrix",
    "read_mri",
    "read_noise_cov",
    "read_protocol",
    "read_raw_brainstorm",
    "read_recordings",
    "read_registered_cortex",
    "read_results",
    "read_statistics",
    "read_study",
    "read_subject",
    "read_surface",
    "read_timefreq",
    "recompute",
    "scale_averaged_dspm",
    "scan_dipoles",
    "scout_time_series",
    "smooth_sources",
    "source_order",
    "study_from_mne",
    "to_annotations",
    "to_covariance",
    "to_dipole",
    "to_epochs",
    "to_evoked",
    "to_forward",
    "to_info",
    "to_inverse_operator",
    "to_label_time_courses",
    "to_labels",
    "to_raw_array",
    "to_source_bands",
    "to_source_estimate",
    "to_source_morph",
    "to_source_spaces",
    "to_spectrum",
    "to_statistics",
    "to_surfaces",
    "to_table",
    "to_tfr",
    "to_trans",
    "verify",
    "write_channels",
    "write_dipoles",
    "write_forward",
    "write_head_model",
    "write_matrix",
    "write_mri",
    "write_noise_cov",
    "write_recordings",
    "write_report",
    "write_results",
    "write_statistics",
    "write_study",
    "write_subject",
    "write_surface",
    "write_timefreq",
]


#: Modules with names that need MNE, the lowest first.
_LATE = (
    "mne_bstinv.adapters",
    "mne_bstinv.cross_validation",
    "mne_bstinv.export",
    "mne_bstinv.conversion_files",
    "mne_bstinv.report",
)


def __getattr__(name: str) -> Any:
    """Load what needs MNE, and MNE with it, when one of its names is first used."""
    if name in __all__ and name not in globals():
        for late in map(_import_module, _LATE):
            names = set(late.__all__) & set(__all__)
            globals().update({exported: getattr(late, exported) for exported in names})
        return globals()[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """List the names that are loaded late too."""
    return sorted({*globals(), *__all__})
