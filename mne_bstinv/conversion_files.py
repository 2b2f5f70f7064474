"""Convert one file: Brainstorm's ⇄ MNE-Python's, by the kind and the ending that its name states.

What is converted to what, and which other files that takes, is one table (:data:`ROUTES`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mne_bstinv import io
from mne_bstinv._companions import Companions
from mne_bstinv.adapters import (
    from_covariance,
    from_forward,
    from_info,
    from_inverse_operator,
    from_source_estimate,
    from_source_spaces,
    noise_cov_from,
    to_covariance,
    to_epochs,
    to_evoked,
    to_forward,
    to_info,
    to_inverse_operator,
    to_raw_array,
    to_source_estimate,
    to_source_spaces,
    to_trans,
)
from mne_bstinv.adapters.files import MNE_ENDINGS, mne_kind, read_mne, write_mne
from mne_bstinv.adapters.objects import recordings_from
from mne_bstinv.conversion import ConversionReport, Findings, conversion_report
from mne_bstinv.errors import ConversionError, MissingFileError, OverwriteError
from mne_bstinv.export.anatomy import complete_cortex
from mne_bstinv.frames import scs_to_head
from mne_bstinv.io.mat import PathLike

__all__ = ["ROUTES", "ConvertedFile", "Route", "convert_file"]

#: Sampling frequency of an Info of a channel file, which has none.
_SFREQ = 1000.0

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


@dataclass(frozen=True, kw_only=True)
class ConvertedFile:
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


@dataclass(frozen=True, kw_only=True)
class Arguments:
    """What a conversion may be told beyond its files."""

    item: int | None = None
    lambda2: float | None = None
    method: str | None = None
    pick_ori: str | None = None


@dataclass(frozen=True)
class Route:
    """How one kind of file becomes another.

    Parameters
    ----------
    convert : callable
        The source, its companions (:class:`Companions`) and arguments → the object to write.
    needs : tuple of str
        Companions without which it is impossible.
    uses : tuple of str
        Companions that make it better.
    """

    convert: Callable[[Any, Companions, Arguments], Any]
    needs: tuple[str, ...] = ()
    uses: tuple[str, ...] = field(default=())


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
        raise MissingFileError(f"{source}: no such file")
    if target.exists() and not overwrite:
        raise OverwriteError(f"{target}: exists already; use overwrite=True to replace it")
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


def _one(values: Any, arguments: Arguments, what: str) -> Any:
    """Choose one of several."""
    if not isinstance(values, Sequence):
        return values
    if arguments.item is None and len(values) == 1:
        return values[0]
    if arguments.item is None or not 0 <= arguments.item < len(values):
        listed = "; ".join(f"{n}: {one.comment or '(unnamed)'}" for n, one in enumerate(values))
        raise ConversionError(f"The file holds {len(values)} {what}; say which (item): {listed}")
    return values[arguments.item]


def _evoked(recordings: io.Recordings, c: Companions, _: Arguments) -> Any:
    return to_evoked(recordings, c["channels"], mri=c["mri"])


def _raw(recordings: io.Recordings, c: Companions, _: Arguments) -> Any:
    return to_raw_array(recordings, c["channels"], mri=c["mri"])


def _epochs(recordings: io.Recordings, c: Companions, _: Arguments) -> Any:
    return to_epochs([recordings], c["channels"], mri=c["mri"])


def _forward(head_model: io.HeadModel, c: Companions, _: Arguments) -> Any:
    return to_forward(head_model, c["channels"], surface=c["cortex"], mri=c["mri"])


def _source_spaces(head_model: io.HeadModel, c: Companions, _: Arguments) -> Any:
    return to_source_spaces(head_model, c["cortex"], c["mri"], channels=c["channels"])


def _covariance(cov: io.NoiseCov, c: Companions, _: Arguments) -> Any:
    return to_covariance(cov, c["channels"])


def _info(channels: io.Channels, c: Companions, _: Arguments) -> Any:
    info, findings = to_info(channels, sfreq=_SFREQ, mri=c["mri"]), Findings()
    findings.include(conversion_report(info))
    findings.assumed("sfreq", f"{_SFREQ:g} Hz: a channel file has no sampling frequency")
    return findings.attach(info, what="channels → Info", log=False)


def _trans(channels: io.Channels, c: Companions, _: Arguments) -> Any:
    return to_trans(channels, c["mri"])


def _estimate(results: io.Results, c: Companions, _: Arguments) -> Any:
    recordings = None if results.imaging_kernel is None else c.require("recordings")
    return to_source_estimate(
        results,
        recordings,
        channels=c["channels"],
        surface=c["cortex"],
        mri=c["mri"],
        head_model=c["head_model"],
    )


def _operator(results: io.Results, c: Companions, _: Arguments) -> Any:
    good = results.good_channel
    return to_inverse_operator(
        c["head_model"],
        c["noise_cov"],
        c["channels"],
        results.options,
        channel_flag=results.channel_flag,
        data_types=(results.options or {}).get("DataTypes") if good is None else None,
        good_channels=None if good is None else good - 1,
        surface=c["cortex"],
        mri=c["mri"],
    )


def _head_model(fwd: Any, c: Companions, _: Arguments) -> Any:
    surface_file = c.stored_path("cortex", "anat")
    return from_forward(fwd, channels=c["channels"], mri=c["mri"], surface_file=surface_file)


def _noise_cov(cov: Any, c: Companions, _: Arguments) -> Any:
    return from_covariance(cov, c["channels"])


def _noise_cov_of(inst: Any, c: Companions, arguments: Arguments) -> Any:
    chosen = inst if arguments.item is None else inst[arguments.item]
    return noise_cov_from(chosen, channels=c["channels"])


def _recordings(inst: Any, c: Companions, arguments: Arguments) -> Any:
    several = isinstance(inst, list)
    one = _one(inst, arguments, "evoked responses") if several else inst
    channels = from_info(one.info) if c["channels"] is None else c["channels"]
    found = recordings_from(one, channels)
    return found[0] if several else _one(found, arguments, "epochs")


def _channels(inst: Any, _: Companions, __: Arguments) -> Any:
    one = inst[0] if isinstance(inst, list) else inst
    return from_info(getattr(one, "info", one))


def _kernel(inv: Any, c: Companions, arguments: Arguments) -> Any:
    return from_inverse_operator(
        inv,
        arguments.lambda2,
        arguments.method,
        pick_ori=arguments.pick_ori,
        channels=c["channels"],
        mri=c["mri"],
        head_model=c["head_model"],
        head_model_file=c.stored_path("head_model", "data"),
        surface_file=c.stored_path("cortex", "anat"),
    )


def _results(stc: Any, c: Companions, _: Arguments) -> Any:
    return from_source_estimate(
        stc,
        c["src"],
        channels=c["channels"],
        mri=c["mri"],
        head_model=c["head_model"],
        data_file=c.stored_path("recordings", "data"),
        head_model_file=c.stored_path("head_model", "data"),
        surface_file=c.stored_path("cortex", "anat"),
    )


def _cortex(value: Any, c: Companions, _: Arguments) -> Any:
    src = value["src"] if "src" in getattr(value, "keys", tuple)() else value
    to_scs = scs_to_head(c["channels"], c["mri"]).inverse
    grid = from_source_spaces(src, head_to_scs=to_scs, trans=c["trans"])
    if grid.surface is None:
        raise ConversionError("The source spaces are no surface: they have no cortex.")
    findings = Findings()
    findings.include(conversion_report(grid))
    return findings.attach(complete_cortex(grid.surface), what="SourceSpaces → cortex", log=False)


_ON_CORTEX = ("cortex", "mri")
#: Kind of the source, kind of the target → how.
ROUTES: Mapping[tuple[str, str], Route] = {
    ("headmodel", "forward"): Route(_forward, ("channels",), _ON_CORTEX),
    ("headmodel", "source spaces"): Route(_source_spaces, ("channels",), _ON_CORTEX),
    ("noisecov", "covariance"): Route(_covariance, ("channels",)),
    ("ndatacov", "covariance"): Route(_covariance, ("channels",)),
    ("data", "evoked"): Route(_evoked, ("channels",), ("mri",)),
    ("data", "raw"): Route(_raw, ("channels",), ("mri",)),
    ("data", "epochs"): Route(_epochs, ("channels",), ("mri",)),
    ("channel", "info"): Route(_info, (), ("mri",)),
    ("channel", "trans"): Route(_trans, ("mri",)),
    ("results", "source estimate"): Route(
        _estimate, ("channels",), (*_ON_CORTEX, "recordings", "head_model")
    ),
    ("results", "inverse operator"): Route(
        _operator, ("channels", "head_model", "noise_cov"), _ON_CORTEX
    ),
    ("forward", "headmodel"): Route(_head_model, ("channels",), _ON_CORTEX),
    ("forward", "cortex"): Route(_cortex, ("channels",), ("mri",)),
    ("source spaces", "cortex"): Route(_cortex, ("channels",), ("mri", "trans")),
    ("covariance", "noisecov"): Route(_noise_cov, ("channels",)),
    ("covariance", "ndatacov"): Route(_noise_cov, ("channels",)),
    ("evoked", "noisecov"): Route(_noise_cov_of, (), ("channels",)),
    ("epochs", "noisecov"): Route(_noise_cov_of, (), ("channels",)),
    ("raw", "noisecov"): Route(_noise_cov_of, (), ("channels",)),
    ("evoked", "data"): Route(_recordings, (), ("channels",)),
    ("epochs", "data"): Route(_recordings, (), ("channels",)),
    ("raw", "data"): Route(_recordings, (), ("channels",)),
    ("evoked", "channel"): Route(_channels),
    ("epochs", "channel"): Route(_channels),
    ("raw", "channel"): Route(_channels),
    ("info", "channel"): Route(_channels),
    ("inverse operator", "results"): Route(
        _kernel, ("channels",), (*_ON_CORTEX, "head_model")
    ),
    ("source estimate", "results"): Route(
        _results, ("channels", "src"), (*_ON_CORTEX, "recordings", "head_model")
    ),
}  # fmt: skip
