"""Which kind of file becomes which other, how, and what else that takes: one table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mne_bstinv import io
from mne_bstinv.adapters import (
    from_covariance,
    from_dipole,
    from_forward,
    from_info,
    from_inverse_operator,
    from_raw,
    from_source_estimate,
    from_spectrum,
    from_tfr,
    noise_cov_from,
    read_raw_brainstorm,
    to_covariance,
    to_dipole,
    to_epochs,
    to_evoked,
    to_forward,
    to_info,
    to_raw_array,
    to_source_estimate,
    to_source_spaces,
    to_spectrum,
    to_table,
    to_tfr,
    to_trans,
)
from mne_bstinv.adapters.files import recordings_from
from mne_bstinv.adapters.operators import (
    FUNCTIONS,
    function_of_estimate,
    operator_of_results,
    remember_file,
)
from mne_bstinv.adapters.recordings import noise_window
from mne_bstinv.adapters.sensors import NO_SFREQ
from mne_bstinv.adapters.sources import check_on_cortex, on_cortex
from mne_bstinv.conversion import Findings
from mne_bstinv.conversion_files import anatomy
from mne_bstinv.conversion_files.companions import Companions, frame_mri
from mne_bstinv.errors import ConversionError
from mne_bstinv.io.filenames import is_link

__all__ = ["ROUTES", "Arguments", "Route"]


@dataclass(frozen=True, kw_only=True)
class Arguments:
    """What a conversion may be told beyond its files."""

    #: Which of several.
    item: int | None = None
    #: Regularisation of an operator.
    lambda2: float | None = None
    #: Method of an operator, or of an estimate.
    method: str | None = None
    #: Orientation of an operator.
    pick_ori: str | None = None
    #: First time of a covariance of recordings, s.
    tmin: float | None = None
    #: Last time of a covariance of recordings, s.
    tmax: float | None = None
    #: First and last time of the means of these recordings, s.
    baseline: tuple[float | None, float | None] | None = None
    #: Whether dspm2018 is multiplied by √Leff.
    scale_leff: bool | None = None
    #: Where the file of a link may be.
    raw_dir: Path | None = None
    #: Name of an atlas of scouts.
    atlas: str | None = None


@dataclass(frozen=True)
class Route:
    """How one kind of file becomes another."""

    #: The source, its companions (:class:`Companions`) and arguments → the object to write.
    convert: Callable[[Any, Companions, Arguments], Any]
    #: Companions without which it is impossible.
    needs: tuple[str, ...] = ()
    #: Companions that make it better.
    uses: tuple[str, ...] = ()
    #: The arguments that it heeds.
    options: tuple[str, ...] = ()


def _one(values: Sequence[Any], arguments: Arguments, what: str) -> Any:
    """Choose one of several."""
    if arguments.item is None and len(values) == 1:
        return values[0]
    if arguments.item is None or not 0 <= arguments.item < len(values):
        given = "" if arguments.item is None else f", and item {arguments.item} is none of them"
        listed = "; ".join(f"{n}: {one.comment or '(unnamed)'}" for n, one in enumerate(values))
        raise ConversionError(
            f"The file holds {len(values)} {what}{given}; say which with --item N (item=N): "
            f"{listed}"
        )
    return values[arguments.item]


def _evoked(recordings: io.Recordings, c: Companions, _: Arguments) -> Any:
    return to_evoked(recordings, c["channels"], mri=frame_mri(c["channels"], c))


def _raw(recordings: io.Recordings, c: Companions, arguments: Arguments) -> Any:
    if recordings.link is not None:
        return read_raw_brainstorm(
            c.source,
            raw_dir=arguments.raw_dir,
            channels=c["channels"],
            mri=frame_mri(c["channels"], c),
        )
    if arguments.raw_dir is not None:
        raise ConversionError(
            f"--raw-dir (raw_dir) has no effect on {c.source.name}, which is no link: leave it out."
        )
    return to_raw_array(recordings, c["channels"], mri=frame_mri(c["channels"], c))


def _raw_of_bst(_: io.BstFile, c: Companions, __: Arguments) -> Any:
    return read_raw_brainstorm(c.source, channels=c["channels"])


def _link(raw: Any, c: Companions, _: Arguments) -> Any:
    """Return a continuous recording for a target that is named as a link, or a ``.bst`` file."""
    name = c.target.stem.removeprefix("data_0raw_")
    return from_raw(raw, channels=c["channels"], continuous=True, name=name)


def _epochs(recordings: io.Recordings, c: Companions, _: Arguments) -> Any:
    return to_epochs([recordings], c["channels"], mri=frame_mri(c["channels"], c))


def _forward(head_model: io.HeadModel, c: Companions, _: Arguments) -> Any:
    surface, src = _surface(head_model, c), _source_spaces(head_model, c, _)
    return to_forward(head_model, c["channels"], surface=surface, mri=c["mri"], src=src)


def _source_spaces(head_model: io.HeadModel, c: Companions, _: Arguments) -> Any:
    surface = _surface(head_model, c)
    return to_source_spaces(
        head_model, surface, c["mri"], channels=c["channels"], subject=c.subject
    )


def _surface(head_model: io.HeadModel, c: Companions) -> io.Surface | None:
    """Return the cortex of a head model; a volume follows none."""
    return None if head_model.kind == "volume" else c["cortex"]


def _covariance(cov: io.NoiseCov, c: Companions, _: Arguments) -> Any:
    return to_covariance(cov, c["channels"])


def _info(channels: io.Channels, c: Companions, _: Arguments) -> Any:
    findings = Findings()
    findings.assumed("sfreq", f"{NO_SFREQ:g} Hz: a channel file has no sampling frequency")
    findings.tell(what="channels → Info", log=False)
    return to_info(channels, sfreq=NO_SFREQ, mri=frame_mri(channels, c))


def _trans(channels: io.Channels, c: Companions, _: Arguments) -> Any:
    return to_trans(channels, c["mri"])


def _estimate(results: io.Results, c: Companions, arguments: Arguments) -> Any:
    recordings = None if results.imaging_kernel is None else c.require("recordings")
    on_surface = results.head_model_type not in ("volume", "mixed")
    surface = None if results.head_model_type == "volume" else c["cortex"]
    # what the results and their cortex say of the locations is enough: head models are large
    alone = results.grid_loc is None if not on_surface else surface is None
    stc = to_source_estimate(
        results,
        recordings,
        c.subject,
        channels=c["channels"],
        surface=surface,
        mri=c["mri"],
        head_model=c["head_model"] if alone else None,
        scale_leff=bool(arguments.scale_leff),
    )
    if stc.subject is None or c.target.suffix.lower() != ".stc":
        return stc
    findings = Findings()
    findings.dropped(
        "subject",
        f"stc files have no place for the name of the subject ({stc.subject}): give it when you "
        "read the file, or choose a name that ends with -stc.h5.",
    )
    findings.tell(what="results → source estimate", log=False)
    return stc


def _operator(results: io.Results, c: Companions, _: Arguments) -> Any:
    return operator_of_results(
        results,
        c["head_model"],
        c["noise_cov"],
        c["channels"],
        surface=_surface(c["head_model"], c),
        mri=c["mri"],
        subject=c.subject,
    )


def _head_model(fwd: Any, c: Companions, _: Arguments) -> Any:
    # a volume follows no cortex
    surface_file = None if _is_volume(fwd["src"]) else c.stored_path("cortex", "anat")
    channels = c["channels"]
    model = from_forward(
        fwd, channels=channels, mri=frame_mri(channels, c), surface_file=surface_file
    )
    if surface_file is None:
        return model
    findings = Findings()
    ordered = on_cortex(model, c["cortex"], c.used["cortex"].name, findings)
    findings.tell(what="Forward → head model", log=False)
    return ordered


def _noise_cov(cov: Any, c: Companions, _: Arguments) -> Any:
    return from_covariance(cov, c["channels"])


def _data_cov(cov: Any, c: Companions, _: Arguments) -> Any:
    return replace(from_covariance(cov, c["channels"]), comment="Data covariance")


def _noise_cov_of(inst: Any, c: Companions, arguments: Arguments) -> Any:
    item, noise = arguments.item, inst
    if item is not None and not 0 <= item < len(inst):
        raise ConversionError(
            f"The file holds {len(inst)} recordings, numbered from 0: item {item} is none of them. "
            "Say which with --item N (item=N)."
        )
    if item is not None:
        noise = inst[item]
    findings = Findings()
    tmin, tmax = noise_window(noise, (arguments.tmin, arguments.tmax), findings)
    findings.tell(what="recordings → NoiseCov", log=False)
    return noise_cov_from(
        noise, channels=c["channels"], tmin=tmin, tmax=tmax, baseline=arguments.baseline
    )


def _recordings(inst: Any, c: Companions, arguments: Arguments) -> Any:
    if is_link(c.target):
        return _link(inst, c, arguments)
    several = isinstance(inst, list)
    one = _one(inst, arguments, "evoked responses") if several else inst
    channels = from_info(one.info) if c["channels"] is None else c["channels"]
    found = recordings_from(one, channels)
    return found[0] if several else _one(found, arguments, "epochs")


def _channels(inst: Any, _: Companions, __: Arguments) -> Any:
    one = inst[0] if isinstance(inst, list) else inst
    return from_info(getattr(one, "info", one))


def _kernel(inv: Any, c: Companions, arguments: Arguments) -> Any:
    remember_file(inv, c.source)
    model = _model_of(inv["src"], c)
    return from_inverse_operator(
        inv,
        arguments.lambda2,
        arguments.method,
        pick_ori=arguments.pick_ori,
        channels=c["channels"],
        mri=frame_mri(c["channels"], c),
        head_model=model,
        head_model_file=c.stored_path("head_model", "data"),
        surface_file=_surface_file(model, inv["src"], c),
    )


def _results(stc: Any, c: Companions, arguments: Arguments) -> Any:
    model = _model_of(c["src"], c)
    method = arguments.method
    if method is None:
        raise ConversionError(
            f"{c.source.name} does not say what its values are, and Brainstorm's results do: say "
            f"it with --method (method), one of {', '.join(FUNCTIONS)}."
        )
    recordings, findings = c["recordings"], Findings()
    nave = None if recordings is None else recordings.n_avg
    function = function_of_estimate(method, nave, findings)
    findings.tell(what="source estimate → results")
    return from_source_estimate(
        stc,
        c["src"],
        channels=c["channels"],
        mri=frame_mri(c["channels"], c),
        head_model=model,
        function=function,
        nave=nave,
        comment=f"MNE-Python: {method}",
        data_file=c.stored_path("recordings", "data"),
        head_model_file=c.stored_path("head_model", "data"),
        surface_file=_surface_file(model, c["src"], c),
    )


def _is_volume(src: Any) -> bool:
    return src.kind in ("volume", "discrete")


def _model_of(src: Any, c: Companions) -> io.HeadModel | None:
    """Return the head model of sources: results on a surface do not say where their rows are."""
    if src.kind == "surface":
        why = (
            ", whose order of locations the rows have (that of a forward solution: mne-bstinv "
            "convert x-fwd.fif headmodel_surf_x.mat)"
        )
        return c.require("head_model", why)
    return c["head_model"]


def _surface_file(model: io.HeadModel | None, src: Any, c: Companions) -> str | None:
    """Return the cortex of results: that of their head model, unless another is given."""
    if model is not None and model.surface_file and "cortex" not in c.given:
        return model.surface_file
    if _is_volume(src):
        return None
    stored = c.stored_path("cortex", "anat")
    if stored is not None and model is not None:
        check_on_cortex(model, c["cortex"], c.used["cortex"].name)
    return stored


def _dipole(dipoles: io.Dipoles, c: Companions, _: Arguments) -> Any:
    if c.target.suffix.lower() == ".dip":
        findings = Findings()
        findings.dropped("Loc", ".dip files are text with few digits; .bdip are single precision.")
        findings.tell(what="dipoles → Dipole", log=False)
    return to_dipole(dipoles, c["channels"], mri=frame_mri(c["channels"], c))


def _dipoles(dipole: Any, c: Companions, _: Arguments) -> Any:
    return from_dipole(dipole, c["channels"], mri=frame_mri(c["channels"], c))


def _tfr(timefreq: io.TimeFreq, c: Companions, _: Arguments) -> Any:
    return to_tfr(timefreq, c["channels"], mri=frame_mri(c["channels"], c))


def _spectrum(timefreq: io.TimeFreq, c: Companions, _: Arguments) -> Any:
    return to_spectrum(timefreq, c["channels"], mri=frame_mri(c["channels"], c))


def _timefreq(tfr: Any, c: Companions, arguments: Arguments) -> Any:
    return _one(from_tfr(tfr, channels=c["channels"]), arguments, "epochs")


def _of_spectrum(spectrum: Any, c: Companions, _: Arguments) -> Any:
    return from_spectrum(spectrum, channels=c["channels"])


def _table(matrix: io.Matrix, _: Companions, __: Arguments) -> Any:
    return to_table(matrix)


_ON_CORTEX = ("cortex", "mri")

_SURFACES = ("cortex", "scalp", "innerskull", "outerskull", "tess")

_ITEM = ("item",)

_TIMES = ("tmin", "tmax", "baseline")

#: Kind of the source, kind of the target → how.
ROUTES: Mapping[tuple[str, str], Route] = {
    ("headmodel", "forward"): Route(_forward, ("channels",), _ON_CORTEX),
    ("headmodel", "source spaces"): Route(_source_spaces, ("channels",), _ON_CORTEX),
    ("noisecov", "covariance"): Route(_covariance, ("channels",)),
    ("ndatacov", "covariance"): Route(_covariance, ("channels",)),
    ("data", "evoked"): Route(_evoked, ("channels",), ("mri",)),
    ("data", "raw"): Route(_raw, ("channels",), ("mri",), ("raw_dir",)),
    ("bst", "raw"): Route(_raw_of_bst, (), ("channels",)),
    ("raw", "bst"): Route(_link, (), ("channels",)),
    ("data", "epochs"): Route(_epochs, ("channels",), ("mri",)),
    ("channel", "info"): Route(_info, (), ("mri",)),
    ("channel", "trans"): Route(_trans, ("mri",)),
    ("results", "source estimate"): Route(
        _estimate, (), ("channels", *_ON_CORTEX, "recordings", "head_model"), ("scale_leff",)
    ),
    ("results", "inverse operator"): Route(
        _operator, ("channels", "head_model", "noise_cov"), _ON_CORTEX
    ),
    ("forward", "headmodel"): Route(_head_model, ("channels",), _ON_CORTEX),
    ("forward", "cortex"): Route(anatomy.cortex, ("channels",), ("mri",)),
    ("source spaces", "cortex"): Route(anatomy.cortex, ("channels",), ("mri", "trans")),
    ("covariance", "noisecov"): Route(_noise_cov, ("channels",)),
    ("covariance", "ndatacov"): Route(_data_cov, ("channels",)),
    ("evoked", "noisecov"): Route(_noise_cov_of, (), ("channels",), (*_ITEM, *_TIMES)),
    ("epochs", "noisecov"): Route(_noise_cov_of, (), ("channels",), (*_ITEM, *_TIMES)),
    ("raw", "noisecov"): Route(_noise_cov_of, (), ("channels",), _TIMES),
    ("evoked", "data"): Route(_recordings, (), ("channels",), _ITEM),
    ("epochs", "data"): Route(_recordings, (), ("channels",), _ITEM),
    ("raw", "data"): Route(_recordings, (), ("channels",)),
    ("evoked", "channel"): Route(_channels),
    ("epochs", "channel"): Route(_channels),
    ("raw", "channel"): Route(_channels),
    ("info", "channel"): Route(_channels),
    ("inverse operator", "results"): Route(
        _kernel, ("channels",), (*_ON_CORTEX, "head_model"), ("lambda2", "method", "pick_ori")
    ),
    ("source estimate", "results"): Route(
        _results, ("channels", "src"), (*_ON_CORTEX, "recordings", "head_model"), ("method",)
    ),
    **{(kind, "surface"): Route(anatomy.mesh, (), ("channels", "mri")) for kind in _SURFACES},
    **{("surface", kind): Route(anatomy.surface_of, (), ("channels", "mri")) for kind in _SURFACES},
    ("subjectimage", "mri"): Route(anatomy.volume),
    ("mri", "subjectimage"): Route(anatomy.mri, ("channels", "trans")),
    ("cortex", "labels"): Route(anatomy.scouts, (), ("channels", "mri"), ("atlas",)),
    ("tess", "labels"): Route(anatomy.scouts, (), ("channels", "mri"), ("atlas",)),
    ("labels", "cortex"): Route(anatomy.with_scouts, ("cortex",), (), ("atlas",)),
    ("dipoles", "dipole"): Route(_dipole, ("channels",), ("mri",)),
    ("dipole", "dipoles"): Route(_dipoles, ("channels",), ("mri",)),
    ("timefreq", "tfr"): Route(_tfr, ("channels",), ("mri",)),
    ("timefreq", "spectrum"): Route(_spectrum, ("channels",), ("mri",)),
    ("tfr", "timefreq"): Route(_timefreq, (), ("channels",), _ITEM),
    ("spectrum", "timefreq"): Route(_of_spectrum, (), ("channels",)),
    ("matrix", "table"): Route(_table),
}  # fmt: skip
