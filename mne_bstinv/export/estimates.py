"""Source estimations of a study as results structures."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np

from mne_bstinv import io
from mne_bstinv._types import IntArray
from mne_bstinv.adapters.channel_names import match_channel_names
from mne_bstinv.adapters.files import kind_of
from mne_bstinv.adapters.kept import kept_of
from mne_bstinv.adapters.operators import (
    FUNCTIONS,
    from_inverse_operator,
    from_source_estimate,
    function_of_estimate,
)
from mne_bstinv.adapters.recordings import NOTHING_COUNTED
from mne_bstinv.conversion import Findings, carry, conversion_report
from mne_bstinv.errors import ConversionError
from mne_bstinv.export.inputs import Estimation
from mne_bstinv.export.kernels import complete_options, results_from_kernel
from mne_bstinv.export.structures import StudyStructures
from mne_bstinv.export.usable import MODALITIES, computed_rows
from mne_bstinv.inverse import InverseOptions, compute_kernel
from mne_bstinv.inverse.options import ignored_options

__all__ = ["StoredFiles", "results_of"]


@dataclass(frozen=True, kw_only=True)
class StoredFiles:
    """Where the structures of a study are, as results name them."""

    #: Recordings, relative to ``data``, in their order.
    data_files: tuple[str, ...]
    #: Head model, relative to ``data``.
    head_model_file: str | None
    #: Cortex, relative to ``anat``.
    surface_file: str | None


def results_of(estimation: Estimation, study: StudyStructures, files: StoredFiles) -> io.Results:
    """Make the results of one estimation; those of converted objects have its report."""
    of, kind = estimation.of, kind_of(estimation.of)
    index = _recordings_index(estimation, study, only=kind == "source estimate")
    data_file = None if index is None else files.data_files[index]
    recordings = None if index is None else study.recordings[index][1]
    if isinstance(of, io.Results):
        return _restored(of, data_file, files, estimation.comment)
    if kind == "source estimate":
        return _of_estimate(estimation, study, files, recordings, data_file)
    if kind == "inverse operator":
        kept = kept_of(of).get("options")
        if estimation.lambda2 is not None or not isinstance(kept, InverseOptions):
            return _of_operator(estimation, study, files, recordings, data_file)
        good = np.sort(match_channel_names(of["noise_cov"]["names"], study.channels.names))
        return _computed(estimation, kept, good, study, files, recordings, data_file)
    if not isinstance(of, InverseOptions):
        ignored_options(of)  # refuses misspelt names
        of = InverseOptions.from_brainstorm(of)
    options = of
    return _computed(estimation, options, None, study, files, recordings, data_file)


def _recordings_index(estimation: Estimation, study: StudyStructures, *, only: bool) -> int | None:
    index, n = estimation.recordings, len(study.recordings)
    if index is None and only and n == 1:
        return 0
    if index is not None and not 0 <= index < n:
        raise ConversionError(
            f"The estimation belongs to recordings {index}, of which there are {n} (0-based). Give "
            "a number below that, or None for a kernel of all recordings."
        )
    return index


def _restored(
    results: io.Results, data_file: str | None, files: StoredFiles, comment: str | None
) -> io.Results:
    """Give results of a Brainstorm file the files of the new study."""
    return dataclasses.replace(
        results,
        comment=results.comment if comment is None else comment,
        data_file=data_file,
        head_model_file=files.head_model_file,
        surface_file=files.surface_file,
        time=results.time if results.imaging_kernel is None or data_file else None,
    )


def _of_estimate(
    estimation: Estimation,
    study: StudyStructures,
    files: StoredFiles,
    recordings: io.Recordings | None,
    data_file: str | None,
) -> io.Results:
    kept, method = kept_of(estimation.of), estimation.method
    if method is None and "results" not in kept:
        raise ConversionError(
            "A source estimate of MNE does not say what its values are, and Brainstorm's results "
            f"do: say it with Estimation(of=…, method=…), one of {', '.join(FUNCTIONS)}."
        )
    values: dict[str, Any] = {"comment": estimation.comment}
    before = kept.get("results")
    if method is not None and (before is None or FUNCTIONS.get(method) != before.function):
        # MNE computed it: of Brainstorm's own estimates the results say all
        nave, findings = None if recordings is None else recordings.n_avg, Findings()
        values["function"] = function_of_estimate(method, nave, findings)
        values["comment"] = estimation.comment or f"MNE-Python: {method}"
        values["nave"] = nave
        findings.tell(what="source estimate → results")
    results = from_source_estimate(
        estimation.of,
        None if "src" in kept else study.src,
        channels=None if "scs_to_head" in kept else study.channels,
        head_model=study.head_model,
        data_file=data_file,
        head_model_file=files.head_model_file,
        surface_file=files.surface_file,
        **values,
    )
    if results.options:
        return results
    return _with(results, options=complete_options({"Comment": results.comment}))


def _with(results: io.Results, **values: Any) -> io.Results:
    """Replace fields; unlike a replacement alone, it keeps the report."""
    return carry(dataclasses.replace(results, **values), conversion_report(results))


def _of_operator(
    estimation: Estimation,
    study: StudyStructures,
    files: StoredFiles,
    recordings: io.Recordings | None,
    data_file: str | None,
) -> io.Results:
    results = from_inverse_operator(
        estimation.of,
        estimation.lambda2,
        estimation.method,
        pick_ori=estimation.pick_ori,
        channels=study.channels,
        head_model=study.head_model,
        mri=study.mri,
        nave=1 if recordings is None else recordings.n_avg,
        comment=estimation.comment,
        data_file=data_file,
        head_model_file=files.head_model_file,
        surface_file=files.surface_file,
    )
    flags = _flags(study, recordings)
    flags[np.asarray(results.good_channel) - 1] = 1  # what the operator uses is used
    return _with(
        results,
        time=None if recordings is None else recordings.time,
        leff=1.0 if recordings is None else recordings.effective_averages,
        channel_flag=flags,
        options=complete_options({"Comment": results.comment, **(results.options or {})}),
    )


def _computed(
    estimation: Estimation,
    options: InverseOptions,
    good: IntArray | None,
    study: StudyStructures,
    files: StoredFiles,
    recordings: io.Recordings | None,
    data_file: str | None,
) -> io.Results:
    """Compute a kernel from what the study will hold, as Brainstorm would from its files."""
    head_model, noise_cov = study.head_model, study.noise_cov
    if head_model is None or noise_cov is None:
        missing = [
            name
            for name, value in (("forward solution", head_model), ("noise covariance", noise_cov))
            if value is None
        ]
        raise ConversionError(
            f"There is no {' and no '.join(missing)} to compute a kernel of. Give forward and "
            "noise_cov (--forward, --noise-cov)."
        )
    if options.method == "lcmv" and study.data_cov is None:
        raise ConversionError(
            "There is no data covariance to compute an LCMV kernel of. Give data_cov (--data-cov)."
        )
    if head_model.grid_orient is None and head_model.kind == "surface" and study.cortex is not None:
        head_model = dataclasses.replace(head_model, grid_orient=study.cortex.vert_normals)
    flags = _flags(study, recordings)
    lcmv_only = study.data_cov if options.method == "lcmv" else None
    if options.noise_method == "shrink":
        _refuse_uncounted(noise_cov, "noise", study.channels)
        _refuse_uncounted(lcmv_only, "data", study.channels)
    result = compute_kernel(
        head_model,
        noise_cov,
        study.channels,
        channel_flag=flags,
        data_types=None if good is not None else _data_types(estimation, study),
        good_channels=good,
        options=options,
        data_cov=lcmv_only,
    )
    assert study.head_model is not None
    return results_from_kernel(
        result,
        head_model=dataclasses.replace(study.head_model, surface_file=files.surface_file),
        noise_cov=noise_cov,
        data_cov=lcmv_only,
        recordings=recordings,
        channel_flag=flags,
        data_file=data_file,
        head_model_file=files.head_model_file,
        comment=estimation.comment,
    )


def _refuse_uncounted(cov: io.NoiseCov | None, kind: str, channels: io.Channels) -> None:
    """Refuse to shrink a covariance that nothing says how many samples of it is of."""
    if cov is None:
        return
    computed = np.flatnonzero(cov.noise_cov.any(axis=0))
    if cov.n_samples is None or np.max(np.diag(np.atleast_2d(cov.n_samples))) <= NOTHING_COUNTED:
        raise ConversionError(
            f"NoiseMethod 'shrink' shrinks a covariance by how many samples it is of, and the "
            f"{kind} covariance ({len(computed)} of {len(channels)} channels) does not say: give "
            f"the data instead ({kind}_cov), a covariance with nfree, or another NoiseMethod."
        )


def _flags(study: StudyStructures, recordings: io.Recordings | None) -> IntArray:
    """Return the flags of the recordings; of a shared kernel, −1 for what is bad in any of them."""
    several = [one for _, one in study.recordings] if recordings is None else [recordings]
    flags = np.ones(len(study.channels), dtype=np.int64)
    for one in several:
        if one.channel_flag is not None:
            flags[np.asarray(one.channel_flag) < 0] = -1
    return flags


def _data_types(estimation: Estimation, study: StudyStructures) -> Any:
    if estimation.data_types is not None:
        return estimation.data_types
    assert study.head_model is not None
    computed = np.flatnonzero(computed_rows(study.head_model)).tolist()
    types = [study.channels.types[i].upper() for i in computed]
    found = list(dict.fromkeys(MODALITIES[kind] for kind in types if kind in MODALITIES))
    if len(found) == 1:
        return found[0]
    raise ConversionError(
        f"The head model is of {' and '.join(found) or 'no modality'}: say with data_types "
        "(--data-types) which channels the kernel is for."
    )
