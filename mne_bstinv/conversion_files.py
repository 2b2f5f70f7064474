"""Convert one file: Brainstorm's ⇄ MNE-Python's, by the kind and the ending that its name states.

What is converted to what, and which other files that takes, is one table
(:data:`mne_bstinv._file_routes.ROUTES`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mne_bstinv import io
from mne_bstinv._companions import Companions
from mne_bstinv._display import Displayed, summary_of
from mne_bstinv._file_routes import ROUTES, Arguments
from mne_bstinv.adapters.files import MNE_ENDINGS, mne_kind, read_mne, write_mne
from mne_bstinv.conversion import ConversionReport, conversion_report
from mne_bstinv.errors import ConversionError, MissingFileError, OverwriteError
from mne_bstinv.io.mat import PathLike

__all__ = ["ConvertedFile", "convert_file"]

_READERS: Mapping[str, Callable[[Path], Any]] = {
    "channel": io.read_channels,
    "data": io.read_recordings,
    "headmodel": io.read_head_model,
    "noisecov": io.read_noise_cov,
    "ndatacov": io.read_noise_cov,
    "results": io.read_results,
    "cortex": io.read_surface,
}
_WRITERS: Mapping[str, Callable[..., None]] = {
    "channel": io.write_channels,
    "data": io.write_recordings,
    "headmodel": io.write_head_model,
    "noisecov": io.write_noise_cov,
    "ndatacov": io.write_noise_cov,
    "results": io.write_results,
    "cortex": io.write_surface,
}
#: Brainstorm's file kinds → how their files are named.
_NAMES = {
    "channel": "channel*.mat",
    "data": "data_*.mat",
    "headmodel": "headmodel_*.mat",
    "noisecov": "noisecov_*.mat",
    "ndatacov": "ndatacov_*.mat",
    "results": "results_*.mat",
    "cortex": "tess_cortex*.mat",
}


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


def convert_file(
    src: PathLike,
    dst: PathLike,
    *,
    companions: Mapping[str, PathLike] | None = None,
    item: int | None = None,
    lambda2: float | None = None,
    method: str | None = None,
    pick_ori: str | None = None,
    overwrite: bool = False,
) -> ConvertedFile:
    """Convert a file of Brainstorm to one of MNE-Python, or back.

    Parameters
    ----------
    src : path-like
        The file to convert, recognised by its name: ``headmodel_*.mat``, ``…-fwd.fif`` ...
    dst : path-like
        The file to write; its name says what it is to hold.
    companions : mapping of str to path-like | None
        Other files that the conversion takes, by ``'channels'``, ``'head_model'``,
        ``'noise_cov'``, ``'recordings'``, ``'cortex'``, ``'mri'``, ``'src'``. Those not given are
        looked for beside ``src`` and ``dst``, and in their protocol.
    item : int | None
        Which of several evoked responses or epochs in ``src``, 0-based.
    lambda2 : float | None
        Regularisation, for an operator; see :func:`mne_bstinv.from_inverse_operator`.
    method : str | None
        Method, for the same.
    pick_ori : str | None
        Orientation, for the same.
    overwrite : bool
        Replace ``dst``.

    Returns
    -------
    ConvertedFile
        What was written, the companions that were used, and the report.

    Raises
    ------
    ConversionError
        If nothing converts the one kind to the other, or the files do not belong together.
    MissingFileError
        If a file, or a companion that is needed, is missing; the message names it.
    OverwriteError
        If ``dst`` exists and ``overwrite`` is False.
    """
    source, target = Path(src), Path(dst)
    kinds = _kind(source), _kind(target)
    route = ROUTES.get(kinds)
    if route is None:
        raise ConversionError(_no_route(source, target, kinds))
    if not source.exists() and kinds[0] != "source estimate":
        raise MissingFileError(f"{source}: no such file. Check the path.")
    if target.exists() and not overwrite:
        raise OverwriteError(
            f"{target}: exists already; use overwrite=True (--overwrite) to replace it"
        )
    value = _READERS[kinds[0]](source) if kinds[0] in _READERS else read_mne(source, kinds[0])
    found = Companions(source, target, value, dict(companions or {}))
    for name in route.needs:
        found.require(name)
    arguments = Arguments(item=item, lambda2=lambda2, method=method, pick_ori=pick_ori)
    converted = route.convert(value, found, arguments)
    if kinds[1] in _WRITERS:
        _check_kernel_name(target, converted)
        _WRITERS[kinds[1]](target, converted, overwrite=overwrite)
        files: tuple[Path, ...] = (target,)
    else:
        files = write_mne(target, converted, kinds[1], overwrite=overwrite)
    return ConvertedFile(files=files, companions=found.used, report=conversion_report(converted))


def _kind(path: Path) -> str:
    """Return the kind of a file, ``''`` for a name that says nothing."""
    if path.suffix.lower() == ".mat":
        return io.file_kind(path.name) or ""
    return mne_kind(path) or ""


def _no_route(source: Path, target: Path, kinds: tuple[str, str]) -> str:
    for path, kind, place in ((source, kinds[0], 0), (target, kinds[1], 1)):
        if not any(route[place] == kind for route in ROUTES):
            known = sorted({_name(route[place]) for route in ROUTES})
            return f"{path}: not clear from its name what it holds. Known: {', '.join(known)}"
    possible = [_name(goal) for start, goal in ROUTES if start == kinds[0]]
    return (
        f"{source.name} ({_name(kinds[0])}) does not become {_name(kinds[1])}; it can become "
        f"{', '.join(possible)}."
    )


def _name(kind: str) -> str:
    if kind in _NAMES:
        return _NAMES[kind]
    return f"…{next(ending for ending, value in MNE_ENDINGS.items() if value == kind)}"


def _check_kernel_name(target: Path, converted: Any) -> None:
    if isinstance(converted, io.Results) and converted.is_kernel and "_KERNEL" not in target.name:
        raise ConversionError(
            f"{target}: Brainstorm knows kernels by '_KERNEL' in their names, such as "
            "results_MN_EEG_KERNEL_240131_1200.mat: choose such a name."
        )
