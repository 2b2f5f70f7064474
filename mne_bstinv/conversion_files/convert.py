"""Convert one file: Brainstorm's ⇄ MNE-Python's, by the kind and the ending that its name states.

What is converted to what, and which other files that takes, is one table
(:data:`mne_bstinv.conversion_files.routes.ROUTES`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from mne_bstinv import io
from mne_bstinv._display import Displayed, summary_of
from mne_bstinv._temporary import check_target
from mne_bstinv.adapters import ContinuousRecording
from mne_bstinv.adapters.files import MNE_ENDINGS, mne_kind, read_mne, write_mne
from mne_bstinv.conversion import ConversionReport, carry, conversion_report, converts, hearing
from mne_bstinv.conversion_files.arguments import Arguments
from mne_bstinv.conversion_files.companions import Companions
from mne_bstinv.conversion_files.routes import ROUTES, Route
from mne_bstinv.errors import ConversionError, MissingFileError
from mne_bstinv.io.linked import folder_of_originals
from mne_bstinv.io.mat import PathLike
from mne_bstinv.io.registry import KINDS, row_in
from mne_bstinv.io.result_links import is_result_link, split_link
from mne_bstinv.io.schema import Structure
from mne_bstinv.studies.units import converting, in_metres

__all__ = ["ConvertedFile", "convert_file", "convert_value", "kind_of_file"]


@dataclass(frozen=True, kw_only=True, repr=False)
class ConvertedFile(Displayed):
    """A file that was converted.

    Parameters
    ----------
    files : tuple of Path
        What was written.
    companions : mapping of str to Path
        The other files that were read.
    report : ConversionReport
        What the conversion dropped, assumed or derived.
    """

    files: tuple[Path, ...]
    companions: Mapping[str, Path]
    report: ConversionReport

    def _summary(self) -> str:
        more = f" and {len(self.files) - 1} more" if len(self.files) > 1 else ""
        return f"{self.files[0].name}{more}, {summary_of(self.report)}"


@converts
def convert_file(
    src: PathLike,
    dst: PathLike,
    *,
    companions: Mapping[str, PathLike] | None = None,
    item: int | None = None,
    lambda2: float | None = None,
    method: str | None = None,
    pick_ori: str | None = None,
    tmin: float | None = None,
    tmax: float | None = None,
    baseline: tuple[float | None, float | None] | None = None,
    scale_leff: bool = False,
    raw_dir: PathLike | None = None,
    atlas: str | None = None,
    units: str | None = None,
    overwrite: bool = False,
) -> ConvertedFile:
    """Convert a file of Brainstorm to one of MNE-Python, or back.

    Parameters
    ----------
    src : path-like
        The file to convert, recognised by its name: ``headmodel_*.mat``, ``…-fwd.fif`` ...; or
        ``link|results|data``, a kernel with recordings (see :func:`mne_bstinv.read_results`).
    dst : path-like
        The file to write; its name says what it is to hold.
    companions : mapping of str to path-like | None
        Other files that the conversion takes, by ``'channels'``, ``'head_model'``,
        ``'noise_cov'``, ``'recordings'``, ``'cortex'``, ``'mri'``, ``'src'``, ``'trans'``. Those
        not given are looked for beside ``src`` and ``dst``, and in their protocol: the one that
        ``src`` names, else the one that the protocol designates, else the only one. Which one of
        several was taken is in the report.
    item : int | None
        Which of several evoked responses or epochs in ``src``, 0-based.
    lambda2 : float | None
        Regularisation, for an operator; see :func:`mne_bstinv.from_inverse_operator`.
    method : str | None
        Method, for the same; or what the values of a source estimate are, whose files do not say
        it: needed for these.
    pick_ori : str | None
        Orientation, for an operator.
    tmin, tmax : float | None
        First and last time (s) of a noise covariance of recordings; see
        :func:`mne_bstinv.noise_cov_from`. But epochs and averages that begin before 0 end at 0
        unless ``tmax`` is given: what follows is the response. The report names the times.
    baseline : tuple of float | None
        First and last time (s) of the means, for the same; ``None`` takes the same window.
    scale_leff : bool
        Multiply dspm2018 by √Leff; see :func:`mne_bstinv.to_source_estimate`.
    raw_dir : path-like | None
        Where the file of a link to a continuous recording may be, if it moved.
    atlas : str | None
        Name of the atlas whose scouts are converted, None for the current one; or that labels
        become, None for a name after their file.
    units : 'm' | 'cm' | 'mm' | 'km' | None
        The unit of positions that are in no metres by their size, as some programs write them;
        None refuses them.
    overwrite : bool
        Replace ``dst``; of a link (``data_0raw_*.mat``) also the ``.bst`` file beside it.

    Returns
    -------
    ConvertedFile
        What was written, the companions that were used, and the report.

    Raises
    ------
    ConversionError
        If nothing converts the one kind to the other, a companion or an argument has no effect
        on it, several files may be a companion, or the files do not belong together.
    MissingFileError
        If a file, a folder, or a companion that is needed is missing; the message names it.
    OverwriteError
        If ``dst`` exists and ``overwrite`` is False.
    """
    source, target = Path(src), Path(dst)
    linked = None
    if is_result_link(src):
        source, linked = split_link(src)
    kinds = kind_of_file(source), kind_of_file(target)
    given = {name: path for name, path in (companions or {}).items() if path is not None}
    if linked is not None and kinds in ROUTES and "recordings" in _heeds(ROUTES[kinds]):
        given.setdefault("recordings", linked)
    arguments = Arguments(
        item=item, lambda2=lambda2, method=method, pick_ori=pick_ori, tmin=tmin, tmax=tmax,
        baseline=baseline, scale_leff=scale_leff or None,
        raw_dir=folder_of_originals(raw_dir), atlas=atlas,
    )  # fmt: skip
    _check_files(source, target, kinds, overwrite=overwrite)
    _check_options(ROUTES[kinds], kinds, given, arguments)
    converted, found, report = convert_value(source, target, kinds, given, arguments, units)
    with found.named():
        files = _write(converted, target, kinds[1], overwrite=overwrite)
    if isinstance(converted, ContinuousRecording):
        written = conversion_report(converted)  # what turned out while it was written
        findings = dict.fromkeys([*report.findings, *written])
        report = ConversionReport(tuple(findings), written.kept)
    return carry(ConvertedFile(files=files, companions=found.used, report=report), report)


def convert_value(
    source: Path,
    target: Path,
    kinds: tuple[str, str],
    given: Mapping[str, PathLike | None],
    arguments: Arguments,
    units: str | None = None,
) -> tuple[Any, Companions, ConversionReport]:
    """Read and convert; return the object, the companions that were used, and the report."""
    route, value = ROUTES[kinds], _read(source, kinds[0])
    found = Companions(source, target, value, given)
    for name in route.needs:
        found.require(name)
    with hearing() as heard, converting(units), found.named():
        converted = _sized(route.convert(_sized(value), found, arguments))
    for name in sorted(found.given.keys() - found.used.keys()):
        raise ConversionError(f"{_option(name)} has no effect on {source.name}: leave it out.")
    found.findings.tell(what=f"{source.name} → {target.name}")
    findings = tuple(dict.fromkeys([*found.findings.report, *heard]))
    return converted, found, ConversionReport(findings, conversion_report(converted).kept)


def _sized(value: Any) -> Any:
    """Return a structure of Brainstorm's with its geometry in the units of its fields."""
    return in_metres(value) if isinstance(value, Structure) else value


def _check_files(source: Path, target: Path, kinds: tuple[str, str], *, overwrite: bool) -> None:
    """Refuse files that cannot be read, converted or written, before anything is read."""
    if not source.exists():
        raise MissingFileError(f"{source}: no such file. Check the path.")
    if source.is_dir() and not kinds[0]:
        raise ConversionError(
            f"{source}: it is a folder. Give one file; mne-bstinv port converts a protocol."
        )
    if target.is_dir():
        raise ConversionError(f"{target}: it is a folder. Name a file to write.")
    if kinds not in ROUTES:
        raise ConversionError(_no_route(source, target, kinds))
    check_target(target, overwrite=overwrite)
    if kinds[1] == "results":
        _check_kernel_name(target, is_kernel=kinds[0] == "inverse operator")


def _check_options(
    route: Route, kinds: tuple[str, str], given: Mapping[str, PathLike], arguments: Arguments
) -> None:
    """Refuse what has no effect on the conversion, and say for which it is."""
    told = {f.name for f in fields(arguments) if getattr(arguments, f.name) is not None}
    useless = [name for name in (*given, *told) if name in _heeded() and name not in _heeds(route)]
    if useless:
        pairs = [pair for pair, other in ROUTES.items() if useless[0] in _heeds(other)]
        listed = ", ".join(f"{_name(start)} → {_name(goal)}" for start, goal in pairs)
        raise ConversionError(
            f"{_option(useless[0])} has no effect on {_name(kinds[0])} → {_name(kinds[1])}: leave "
            f"it out. It is for {listed}."
        )


def _heeds(route: Route) -> tuple[str, ...]:
    return route.needs + route.uses + route.options


def _heeded() -> set[str]:
    return {name for route in ROUTES.values() for name in _heeds(route)}


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')} ({name})"


def _read(source: Path, kind: str) -> Any:
    """Read the file to convert."""
    if kind == "bst":
        return io.open_bst(source)
    return KINDS[kind].read(source) if kind in KINDS else read_mne(source, kind)


def _write(converted: Any, target: Path, kind: str, *, overwrite: bool) -> tuple[Path, ...]:
    """Write a file, and return what was written."""
    if isinstance(converted, ContinuousRecording):
        return converted.write_as(target, overwrite=overwrite)
    if kind in KINDS:
        KINDS[kind].write(target, converted, overwrite=overwrite)
        return (target,)
    return write_mne(target, converted, kind, overwrite=overwrite)


def kind_of_file(path: Path) -> str:
    """Return the kind of a file, ``''`` for a name that says nothing."""
    if path.suffix.lower() == ".bst":
        return "bst"
    if path.suffix.lower() == ".mat":
        row = row_in(path) if path.is_file() else None  # exports may have another name
        return (io.file_kind(path.name) if row is None else row.name) or ""
    return mne_kind(path) or ""


def _no_route(source: Path, target: Path, kinds: tuple[str, str]) -> str:
    for path, kind, place in ((source, kinds[0], 0), (target, kinds[1], 1)):
        if not any(route[place] == kind for route in ROUTES):
            known = sorted({name for route in ROUTES for name in _file_patterns(route[place])})
            what = "not clear from its name what it holds"
            if kind:
                what = f"no conversion of single files of {kind}"
            return f"{path}: {what}. Known: {', '.join(known)}."
    possible = [_name(goal) for start, goal in ROUTES if start == kinds[0]]
    wanted = _name(kinds[1]) if kinds[1] in KINDS else f"{target.name} ({kinds[1]})"
    return (
        f"{source.name} ({_name(kinds[0])}) does not become {wanted}; it can become "
        f"{', '.join(possible)}."
    )


def _name(kind: str) -> str:
    return _file_patterns(kind)[0]


def _file_patterns(kind: str) -> list[str]:
    """Return how files of a kind are named, the first as they mostly are."""
    if kind in KINDS:
        return [KINDS[kind].pattern]
    if kind == "bst":
        return ["*.bst"]
    # MNE takes _ for -, and reads what is compressed
    endings = [ending for ending, value in MNE_ENDINGS.items() if value == kind]
    return [f"…{e}" for e in endings if not e.startswith("_") and not e.endswith(".gz")]


def _check_kernel_name(target: Path, *, is_kernel: bool) -> None:
    if is_kernel and "_KERNEL" not in target.name:
        raise ConversionError(
            f"{target}: Brainstorm knows kernels by '_KERNEL' in their names, such as "
            "results_MN_EEG_KERNEL_240131_1200.mat: choose such a name."
        )
    if not is_kernel and "_KERNEL" in target.name:
        raise ConversionError(
            f"{target}: Brainstorm knows kernels by '_KERNEL' in their names, and these are full "
            "results: choose a name such as results_MN_EEG_240131_1200.mat."
        )
