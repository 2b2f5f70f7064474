"""The kernel of a results file, computed anew from its study and compared with the stored one."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mne_bstinv import io
from mne_bstinv._data_types import data_types_of
from mne_bstinv._types import FloatArray
from mne_bstinv._verdicts import NOT_COMPARABLE, RTOL
from mne_bstinv.compare.rounding import amplification
from mne_bstinv.compare.stored import DIFFERS, Agreement, compare_with_stored
from mne_bstinv.conversion import Findings
from mne_bstinv.derived.library import NotComparableError
from mne_bstinv.errors import InverseError, UnsupportedInverseError
from mne_bstinv.inverse import (
    InverseResult,
    Origin,
    origin_of_results,
)
from mne_bstinv.inverse.options import AnyOptions
from mne_bstinv.inverse.preparation import prepare_study
from mne_bstinv.inverse.study import kernel_of
from mne_bstinv.inverse.words import options_in_words
from mne_bstinv.io.processing import derivation_of
from mne_bstinv.io.registry import of_role
from mne_bstinv.studies.files import Studies, StudyFiles
from mne_bstinv.studies.normals import with_normals
from mne_bstinv.verification.foreign import Operators, is_foreign, verify_foreign
from mne_bstinv.verification.outcome import Verification
from mne_bstinv.verification.stages import explain, rounded, stage_differences
from mne_bstinv.verification.visited import Visited

__all__ = ["recompute", "verify_kernel"]


def recompute(fname: str | Path, *, protocol: io.Protocol | None = None) -> InverseResult:
    """Compute the kernel of a results file anew, from its options and its study.

    Kernels of the linear inverses of 2009, 2016 and 2018 are recognised. Where a file does not say
    of which year it is, that is taken whose kernel is the stored one, else the likeliest.

    Parameters
    ----------
    fname : path-like
        A results file inside its protocol, or in one folder with the files it names.
    protocol : Protocol | None
        The protocol of the file, if it was read already; None reads it.

    Returns
    -------
    InverseResult
        The recomputed kernel with its intermediates.

    Raises
    ------
    BstInvError
        If a file of the study is missing or damaged, or no linear inverse computed the kernel.
    """
    file = Path(fname)
    visited = Visited(Studies(protocol))
    stored = io.read_results(file)
    origin = _origin(stored)
    if len(origin.years) == 1:
        return _recompute(stored, origin, origin.years[0], file, visited)
    return _likeliest(stored, origin, file, visited, rtol=RTOL)[0]


def verify_kernel(
    stored: io.Results, file: Path, visited: Visited, rtol: float, operators: Operators
) -> Verification:
    """Recompute the kernel of a results file, or its estimate, and compare it with the stored."""
    if is_foreign(stored):
        return verify_foreign(stored, file, visited.studies, rtol, operators)
    origin = _origin(stored)
    result, agreement = _likeliest(stored, origin, file, visited, rtol)
    stages = stage_differences(stored, result)
    notes = [rounded(agreement), explain(agreement, stages, agreement.bound or rtol)]
    notes += result.warnings
    if len(origin.years) > 1 and agreement.status not in (DIFFERS, NOT_COMPARABLE):
        notes.append(f"the file does not say its year: it is {result.options.year}")
    return Verification(
        file=file,
        status=agreement.status,
        relative_difference=agreement.relative_difference,
        reason="; ".join(text for text in notes if text),
        options=_in_short(result, full=stored.imaging_kernel is None),
        stages=stages,
        bound=agreement.bound,
        within_rounding=agreement.within_rounding,
    )


def _likeliest(
    stored: io.Results, origin: Origin, file: Path, visited: Visited, rtol: float
) -> tuple[InverseResult, Agreement]:
    """Recompute by the year whose kernel agrees with the stored one, else by the likeliest."""
    outcomes = []
    for year in origin.years:
        result = _recompute(stored, origin, year, file, visited)
        outcomes.append((result, _agreement(stored, result, file, visited, rtol)))
        if outcomes[-1][1].status != DIFFERS:
            return outcomes[-1]
    return outcomes[0]


def _recompute(
    stored: io.Results, origin: Origin, year: int, file: Path, visited: Visited
) -> InverseResult:
    options = origin.options(stored.options or {}, year)
    studies = visited.studies
    study = studies.of(file)
    name = stored.head_model_file
    files = [
        _needed(study.find(name, "data"), f"head model {name!r}", study),
        _needed(study.noise_cov_file, of_role("noise_cov").described, study),
        _needed(study.channel_file, of_role("channels").described, study),
    ]
    data_cov = None
    if options.method == "lcmv":
        data_cov = _needed(study.data_cov_file, of_role("data_cov").described, study)
        files.append(data_cov)
    good = stored.good_channel
    try:
        head_model, noise_cov = studies.head_model(files[0]), studies.noise_cov(files[1])
        channels = studies.channels(files[2])
        of_data = None if data_cov is None else studies.noise_cov(data_cov)
        prepared = prepare_study(
            _head_model(head_model, options, study),
            noise_cov,
            channels,
            channel_flag=stored.channel_flag,
            data_types=None if good is not None else data_types_of(stored.options),
            good_channels=None if good is None else good - 1,
            options=options,
            data_cov=of_data,
            n_avg=max(stored.n_avg, 1),
            selections=visited.selections(head_model, channels, noise_cov, of_data),
        )
        return kernel_of(prepared)
    except UnsupportedInverseError as error:
        raise NotComparableError(str(error)) from error
    except InverseError as error:
        used = ", ".join(str(path) for path in files)
        raise InverseError(f"{error} (Files: {used})") from error


def _agreement(
    stored: io.Results, result: InverseResult, file: Path, visited: Visited, rtol: float
) -> Agreement:
    expected, computed = stored.imaging_kernel, None
    studies = visited.studies
    rounding = visited.rounding_bound(result, _covariance(result, file, studies)).total
    if expected is None:
        expected = stored.amplitudes
        recordings = _recordings(stored, file, studies)
        computed = result.apply(recordings)
        used = recordings[result.channel_indices]
        rounding *= amplification(result.kernel, used, computed)
    if expected is None:
        raise NotComparableError("ImagingKernel and ImageGridAmp are both empty.")
    return compare_with_stored(
        result,
        expected,
        computed=computed,
        stored_sa=stored.source_decomp_sa,
        rtol=rtol,
        rounding=rounding,
    )


def _covariance(result: InverseResult, file: Path, studies: Studies) -> FloatArray:
    """Return the covariance that the kernel whitens with, of all channels as it is stored."""
    study = studies.of(file)
    path = study.noise_cov_file if result.data_whitener is None else study.data_cov_file
    assert path is not None  # the kernel was computed from it
    return studies.noise_cov(path).noise_cov


def _origin(stored: io.Results) -> Origin:
    """Recognise the inverse of a file, refusing what none computed as it stands."""
    origin = origin_of_results(stored)
    if not origin.years:
        raise NotComparableError(
            "Not computed by the linear inverse of 2009, 2016 or 2018: it is "
            f"{origin.kind} ({origin.reason})."
        )
    derivation = derivation_of(stored)
    if derivation is not None:
        raise NotComparableError(
            f"The results were made of others ({derivation.what}): no kernel of an inverse."
        )
    return origin


def _needed(path: Path | None, what: str, study: StudyFiles) -> Path:
    if path is None:
        raise NotComparableError(
            f"The study holds no {what}, looked for in {study.searched}: without it the kernel "
            "cannot be recomputed."
        )
    return path


def _head_model(head_model: io.HeadModel, options: AnyOptions, study: StudyFiles) -> io.HeadModel:
    """Give a head model without normals those of its surface, where the orientation needs them."""
    kind, free = head_model.kind, options.source_orient == ("free",)
    if head_model.grid_orient is not None or kind != "surface" or free:
        return head_model
    name = head_model.surface_file
    file = _needed(study.find(name, "anat"), f"surface {name!r} for normals", study)
    return with_normals(head_model, io.read_surface(file), Findings())


def _recordings(stored: io.Results, file: Path, studies: Studies) -> np.ndarray:
    study = studies.of(file)
    path = study.find(stored.data_file, "data")
    recordings = io.read_recordings(_needed(path, f"recordings {stored.data_file!r}", study))
    if recordings.f is None:
        raise NotComparableError("The recordings are a link to a continuous file.")
    return recordings.f


def _in_short(result: InverseResult, *, full: bool) -> str:
    said = options_in_words(result.options, result.channel_types, noise_method=result.noise_method)
    averages = result.noise_averages
    more = [f"noise of {averages:g} averages"] if averages > 1 else []
    return ", ".join([*said.values(), *more, *(["full estimate"] if full else [])])
