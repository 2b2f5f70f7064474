"""Recompute what a study stores and say whether it is the same: kernels, and what is made of them.

A results file says how it was computed: its options, its good channels, its head model. With the
channel file and the covariances of its study the kernel is computed anew and compared with the
stored one, by the rule that fits the output (:mod:`mne_bstinv.compare.stored`). A file that was
made of others (a z-score, scout time series, dipoles, a spectrum …) is computed anew from these
(:mod:`mne_bstinv.derived`).
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from mne_bstinv import io
from mne_bstinv._data_types import data_types_of
from mne_bstinv._display import Displayed
from mne_bstinv._types import FloatArray
from mne_bstinv._verdicts import NOT_COMPARABLE
from mne_bstinv.compare.rounding import amplification, rounding_bound
from mne_bstinv.compare.stored import (
    DIFFERS,
    EQUAL,
    EQUAL_INVARIANTS,
    Agreement,
    compare_with_stored,
)
from mne_bstinv.conversion import Findings
from mne_bstinv.derived import derived_kind, find_derived, recompute_derived
from mne_bstinv.derived.library import Library, NotComparableError
from mne_bstinv.derived.outcome import INVARIANTS
from mne_bstinv.errors import (
    BstInvError,
    InverseError,
    MissingFileError,
    ProtocolError,
    UnsupportedInverseError,
)
from mne_bstinv.inverse import (
    InverseOptions2009,
    InverseResult,
    Origin,
    compute_kernel,
    origin_of,
)
from mne_bstinv.inverse.options import AnyOptions
from mne_bstinv.io.processing import derivation_of
from mne_bstinv.io.registry import of_role
from mne_bstinv.studies.files import Studies, StudyFiles
from mne_bstinv.studies.normals import with_normals

__all__ = ["Verification", "find_files", "find_results", "recompute", "verify"]

logger = logging.getLogger("mne_bstinv")

ERROR = "error"
#: Kind of a file that an inverse computed.
KERNEL = "kernel"


@dataclass(frozen=True, kw_only=True, repr=False)
class Verification(Displayed):
    """Outcome for one file.

    Parameters
    ----------
    file : Path
        The file.
    status : str
        ``'equal'``, ``'equal up to sign'``, ``'equal invariants'``, ``'differs'``,
        ``'not comparable'`` or ``'error'``.
    relative_difference : float | None
        Relative Frobenius difference; ``None`` where nothing was compared.
    reason : str
        Why the status is not plainly equal.
    options : str
        The options in short.
    stages : mapping of str to float
        Relative difference of the intermediates that the file stores: where a mismatch begins.
    kind : str
        ``'kernel'``, or what a file is that was made of others: ``'z-score'``, ``'scout time
        series'`` ...
    parents : tuple of str
        What such a file was made of.
    bound : float | None
        Largest relative difference that counts as equal: ``rtol``, or what rounding allows where
        that is more (:class:`~mne_bstinv.compare.RoundingBound`).
    within_rounding : bool
        Whether it is equal only since rounding allows more than ``rtol``.
    """

    file: Path
    status: str
    relative_difference: float | None = None
    reason: str = ""
    options: str = ""
    stages: Mapping[str, float] = field(default_factory=dict)
    kind: str = KERNEL
    parents: tuple[str, ...] = ()
    bound: float | None = None
    within_rounding: bool = False

    def _summary(self) -> str:
        number = self.relative_difference
        within = " within rounding" if self.within_rounding else ""
        shown = "" if number is None else f"{within}, {number:.1e}"
        bound = "" if self.bound is None else f" (bound {self.bound:.0e})"
        return f"{self.file.name}: {self.status}{shown}{bound}"

    @property
    def failed(self) -> bool:
        """Whether the file differs or could not be recomputed because of an error."""
        return self.status in (DIFFERS, ERROR)

    @property
    def is_derived(self) -> bool:
        """Whether the file was made of others."""
        return self.kind != KERNEL

    def to_dict(self) -> dict[str, Any]:
        """Return the outcome as plain values, for JSON.

        Returns
        -------
        dict
            The fields; the file as text, a difference that is no number as ``None``.
        """
        difference = self.relative_difference
        finite = difference is not None and np.isfinite(difference)
        return {
            "file": str(self.file),
            "status": self.status,
            "relative_difference": difference if finite else None,
            "reason": self.reason,
            "options": self.options,
            "stages": {name: v for name, v in self.stages.items() if np.isfinite(v)},
            "kind": self.kind,
            "parents": list(self.parents),
            "bound": self.bound,
            "within_rounding": self.within_rounding,
        }


def find_results(path: str | Path) -> list[Path]:
    """List the results files at or below a path.

    Parameters
    ----------
    path : path-like
        A results file, or any folder.

    Returns
    -------
    list of Path
        The files, sorted.

    Raises
    ------
    MissingFileError
        If the path does not exist.
    ProtocolError
        If a file is given that is no results file by its name.
    """
    path = Path(path)
    if not path.exists():
        raise MissingFileError(f"{path}: no such file or folder. Check the path.")
    if path.is_file():
        if io.file_kind(path.name) != "results":
            raise ProtocolError(
                f"{path}: not a results file by its name, expected 'results_*.mat'. Give such a "
                "file, or a folder that holds some."
            )
        return [path]
    return sorted(f for f in path.rglob("*.mat") if io.file_kind(f.name) == "results")


def verify(
    path: str | Path | Iterable[Path],
    *,
    rtol: float = 1e-9,
    protocol: io.Protocol | None = None,
) -> Iterator[Verification]:
    """Recompute and compare the files at or below a path, one after the other.

    Parameters
    ----------
    path : path-like | iterable of Path
        A protocol, any folder or file in it, or a list of files: results, and what is made of
        them and of recordings (signals, dipoles, time–frequency maps, tests, averages).
    rtol : float
        Largest relative Frobenius difference that counts as equal.
    protocol : Protocol | None
        The protocol of the files, if it was read already; None reads it.

    Yields
    ------
    Verification
        One outcome per file. Nothing is raised for a file that cannot be read or recomputed: its
        status is ``'error'`` or ``'not comparable'`` and the reason says why.

    Raises
    ------
    MissingFileError
        If the path does not exist.
    """
    studies = Studies(protocol)
    library = Library(studies)
    files = find_files(path, library) if isinstance(path, str | Path) else list(path)
    for file in files:
        kind = KERNEL
        try:
            kind = derived_kind(file, library) or KERNEL
            if kind == KERNEL:
                yield _verify_file(file, studies, rtol)
            else:
                yield _verify_derived(file, library, rtol)
        except NotComparableError as error:
            yield Verification(file=file, status=NOT_COMPARABLE, reason=str(error), kind=kind)
        except Exception as error:  # one bad file must not end the others
            known = isinstance(error, BstInvError)
            logger.debug("verifying %s", file, exc_info=not known)
            reason = str(error) if known else f"{type(error).__name__}: {error}"
            yield Verification(file=file, status=ERROR, reason=reason, kind=kind)


def find_files(path: str | Path, library: Library | None = None) -> list[Path]:
    """List the files at or below a path that can be verified.

    Parameters
    ----------
    path : path-like
        A file, or any folder.
    library : Library | None
        Reads histories.

    Returns
    -------
    list of Path
        Results, and what is made of them and of recordings, sorted.

    Raises
    ------
    MissingFileError
        If the path does not exist.
    ProtocolError
        If a file is given that cannot be verified, by its name.
    """
    path = Path(path)
    library = library or Library(Studies())
    derived = find_derived(path, library) if path.exists() else []
    if path.is_file() and derived:
        return derived
    return sorted({*find_results(path), *derived})


def recompute(fname: str | Path) -> InverseResult:
    """Compute the kernel of a results file anew, from its options and its study.

    Kernels of the linear inverses of 2009, 2016 and 2018 are recognised. Where a file does not say
    of which year it is, that is taken whose kernel is the stored one, else the likeliest.

    Parameters
    ----------
    fname : path-like
        A results file inside its protocol, or in one folder with the files it names.

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
    studies = Studies()
    stored = io.read_results(file)
    years = _origin(stored).years
    if len(years) == 1:
        return _recompute(stored, years[0], file, studies)
    return _likeliest(stored, file, studies, rtol=1e-9)[0]


def _verify_file(file: Path, studies: Studies, rtol: float) -> Verification:
    stored = io.read_results(file)
    result, agreement = _likeliest(stored, file, studies, rtol)
    stages = _stages(stored, result)
    notes = [_rounded(agreement), _explain(agreement, stages, agreement.bound or rtol)]
    notes += result.warnings
    if len(_origin(stored).years) > 1 and agreement.status not in (DIFFERS, NOT_COMPARABLE):
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


def _rounded(agreement: Agreement) -> str:
    """State the bound where the verdict is not plain by the tolerance that was asked for."""
    number, bound = agreement.relative_difference, agreement.bound
    if number is None or bound is None or number <= agreement.rtol:
        return ""
    if agreement.within_rounding:
        return f"equal within rounding: {number:.1e}, bound {bound:.0e}"
    return f"bound {bound:.0e}"


def _likeliest(
    stored: io.Results, file: Path, studies: Studies, rtol: float
) -> tuple[InverseResult, Agreement]:
    """Recompute by the year whose kernel agrees with the stored one, else by the likeliest."""
    outcomes = []
    for year in _origin(stored).years:
        result = _recompute(stored, year, file, studies)
        outcomes.append((result, _agreement(stored, result, file, studies, rtol)))
        if outcomes[-1][1].status != DIFFERS:
            return outcomes[-1]
    return outcomes[0]


def _agreement(
    stored: io.Results, result: InverseResult, file: Path, studies: Studies, rtol: float
) -> Agreement:
    expected, computed = stored.imaging_kernel, None
    rounding = rounding_bound(result, _covariance(result, file, studies)).total
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


def _verify_derived(file: Path, library: Library, rtol: float) -> Verification:
    found = recompute_derived(file, library, rtol)
    equal = EQUAL_INVARIANTS if found.compared == INVARIANTS else EQUAL
    same = found.difference <= rtol
    return Verification(
        file=file,
        status=equal if same else DIFFERS,
        relative_difference=found.difference,
        reason="" if same else f"computed from {_listed(found.parents)}",
        options=", ".join(part for part in (found.kind, found.how) if part),
        kind=found.kind,
        parents=found.parents,
    )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:2]) + (f" and {len(names) - 2} more" if len(names) > 2 else "")


def _recompute(stored: io.Results, year: int, file: Path, studies: Studies) -> InverseResult:
    options = _origin(stored).options(stored.options or {}, year)
    study = studies.of(file)
    name = stored.head_model_file
    files = [
        _needed(study.find(name, "data"), f"head model {name!r}", study),
        _needed(study.noise_cov_file, of_role("noise_cov").described, study),
        _needed(study.channel_file, of_role("channels").described, study),
    ]
    if options.method == "lcmv":
        files.append(_needed(study.data_cov_file, of_role("data_cov").described, study))
    good = stored.good_channel
    try:
        return compute_kernel(
            _head_model(studies.head_model(files[0]), options, study),
            studies.noise_cov(files[1]),
            studies.channels(files[2]),
            channel_flag=stored.channel_flag,
            data_types=None if good is not None else data_types_of(stored.options),
            good_channels=None if good is None else good - 1,
            options=options,
            data_cov=studies.noise_cov(files[3]) if len(files) > 3 else None,
            n_avg=max(stored.n_avg, 1),
        )
    except UnsupportedInverseError as error:
        raise NotComparableError(str(error)) from error
    except InverseError as error:
        used = ", ".join(str(path) for path in files)
        raise InverseError(f"{error} (Files: {used})") from error


def _origin(stored: io.Results) -> Origin:
    """Recognise the inverse of a file, refusing what none computed as it stands."""
    origin = origin_of(
        stored.function,
        stored.options,
        stored.comment,
        has_singular_values=stored.source_decomp_sa is not None,
    )
    if not origin.years:
        raise NotComparableError(
            "Not computed by the linear inverse of 2009, 2016 or 2018: it is "
            f"{origin.kind} ({origin.reason})."
        )
    derivation = derivation_of(stored)
    if derivation is not None:
        raise NotComparableError(
            f"The results are a {derivation.what}, made of others: no kernel of an inverse."
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


def _stages(stored: io.Results, result: InverseResult) -> dict[str, float]:
    options = stored.options or {}
    old = isinstance(result.options, InverseOptions2009)
    noise = options.get("NoiseCov") if old else _cov_of(options.get("NoiseCovMat"))
    whiteners: tuple[Any, Any] = (result.whitener, stored.whitener)
    if old and stored.whitener is not None:  # the rows have any sign
        whiteners = tuple(w.T @ w for w in whiteners)
    pairs: dict[str, tuple[Any, Any]] = {
        "noise covariance": (result.noise_cov, noise),
        "data covariance": (result.data_cov, _cov_of(options.get("DataCovMat"))),
        "whitener": whiteners,
        "data whitener": (result.data_whitener, stored.data_whitener),
        "singular values": (result.source_decomp_sa, stored.source_decomp_sa),
    }
    return {
        name: _relative_difference(ours, np.asarray(theirs))
        for name, (ours, theirs) in pairs.items()
        if ours is not None and theirs is not None and np.size(theirs) > 0
    }


def _cov_of(struct: Any) -> Any:
    return struct.get("NoiseCov") if isinstance(struct, Mapping) else None


def _relative_difference(ours: np.ndarray, theirs: np.ndarray) -> float:
    if ours.size != theirs.size:
        return float("inf")
    theirs = theirs.reshape(ours.shape)
    size = np.linalg.norm(theirs)
    return float(np.linalg.norm(ours - theirs) / size) if size > 0 else float("inf")


def _explain(agreement: Agreement, stages: Mapping[str, float], rtol: float) -> str:
    """Say where a mismatch begins: at the first intermediate that is not the stored one."""
    changed = [(name, value) for name, value in stages.items() if not value <= rtol]
    if agreement.status == NOT_COMPARABLE:
        return agreement.reason
    if agreement.status == DIFFERS:
        cause = "covariance and whitener agree where they are stored"
        if changed:
            name, value = changed[0]
            cause = (
                f"the mismatch begins at the {name} (relative difference {value:.1e}): was it "
                "changed since?"
            )
    elif changed:
        name, value = changed[0]
        cause = f"the {name} is not the stored one (relative difference {value:.1e})"
    else:
        cause = ""
    return "; ".join(text for text in (agreement.reason, cause) if text)


def _in_short(result: InverseResult, *, full: bool) -> str:
    o = result.options
    orients = "/".join(dict.fromkeys(o.source_orient))
    loose = f" {o.loose:g}" if o.loose is not None and "loose" in o.source_orient else ""
    parts = [
        f"{result.function} {orients}{loose}",
        "+".join(dict.fromkeys(result.channel_types)),
        _noise_in_short(result),
    ]
    if result.lambda_ is not None:
        if not isinstance(o, InverseOptions2009) and o.snr_method == "rms":
            parts.append(f"RMS {o.snr_rms:g} A·m")
        else:
            parts.append(f"SNR {o.snr_fixed:g}")
    if o.depth_weighting:
        parts.append(f"depth {o.weight_exp:g} up to {o.weight_limit:g}")
    if result.noise_averages > 1:
        parts.append(f"noise of {result.noise_averages:g} averages")
    return ", ".join(parts + ([str(o.year)] if o.year != 2018 else []) + (["full"] if full else []))


def _noise_in_short(result: InverseResult) -> str:
    o = result.options
    if not isinstance(o, InverseOptions2009):
        return f"reg {o.noise_reg:g}" if result.noise_method == "reg" else result.noise_method
    ridges = dict.fromkeys(f"{o.ridge(kind):g}" for kind in result.channel_types)
    ridge = f" {'/'.join(ridges)}" if o.regularize_noise else ""
    return f"{result.noise_method}{ridge}{', pca' if o.pca else ''}"
