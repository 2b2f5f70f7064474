"""Which kind of file becomes which other, how, and what else that takes: one table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
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
from mne_bstinv.adapters.objects import recordings_from
from mne_bstinv.conversion import Findings, conversion_report
from mne_bstinv.errors import ConversionError
from mne_bstinv.export.anatomy import complete_cortex
from mne_bstinv.frames import scs_to_head

__all__ = ["ROUTES", "Arguments", "Route"]

#: Sampling frequency of an Info of a channel file, which has none.
_SFREQ = 1000.0


@dataclass(frozen=True, kw_only=True)
class Arguments:
    """What a conversion may be told beyond its files.

    Parameters
    ----------
    item : int | None
        Which of several.
    lambda2, method, pick_ori : object
        For operators.
    """

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
    uses: tuple[str, ...] = ()


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
        raise ConversionError(
            "The source spaces are no surface: they have no cortex. "
            "Give source spaces or a forward solution of a cortex."
        )
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
