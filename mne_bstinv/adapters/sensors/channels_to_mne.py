"""The sensors of a channel file as MNE's channels: types, coils, positions."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from mne.io.constants import FIFF

from mne_bstinv import io
from mne_bstinv._display import few
from mne_bstinv._types import FloatArray
from mne_bstinv.adapters.sensors.coils import (
    EXACT,
    Coil,
    CoilDefinition,
    CoilFit,
    coil_axes,
    coil_definitions,
    find_definitions,
    fit_coil,
)
from mne_bstinv.adapters.sensors.optodes import optodes_type, place_optodes
from mne_bstinv.adapters.sensors.types import (
    PLACED,
    is_ref,
    mne_type,
    plain_type,
    tell_types,
)
from mne_bstinv.conversion import Findings
from mne_bstinv.frames import transform_points

__all__ = ["Sensors", "fill_channel", "has_position", "sensors_of", "tell_positions"]

#: Where the Comment names no coil: the coils that may be meant.
_PLANAR, _MAGNETOMETER, _AXIAL = 3, 1, 2

_POINT_MAGNETOMETER = 2000

_CTF_REF_MAG, _CTF_REF_GRAD, _CTF_REF_OFFDIAG = 5002, 5003, 5004

#: Residual above which a coil that was only guessed is none (m).
_FITS = 1e-3

#: Cosine between baseline and direction that separates the two kinds of CTF gradiometers.
_PARALLEL = 0.5

_PLACED_KINDS = (
    FIFF.FIFFV_EEG_CH,
    FIFF.FIFFV_SEEG_CH,
    FIFF.FIFFV_ECOG_CH,
    FIFF.FIFFV_DBS_CH,
)

_COIL_NAMES = {int(value): value for name, value in FIFF.items() if name.startswith("FIFFV_COIL_")}


@dataclass(kw_only=True, eq=False)
class Sensors:
    """What MNE needs of the sensors."""

    #: MNE's types.
    types: list[str] = field(default_factory=list)
    #: The coils that were found, by channel.
    fits: dict[int, CoilFit] = field(default_factory=dict)
    #: The points as stored, in the frame of the coil, by name.
    coils: dict[str, Coil] = field(default_factory=dict)
    #: References whose field MNE computes with the other sign than Brainstorm.
    opposite: list[str] = field(default_factory=list)


def sensors_of(channels: io.Channels, scs_to_device: FloatArray, findings: Findings) -> Sensors:
    """Find MNE's types and the coils, with ``loc`` in the device frame; SCS → device (4, 4)."""
    sensors = Sensors()
    report = _CoilReport()
    for index, channel in enumerate(channels.channels):
        kind = mne_type(channel.type)
        if kind.startswith("fnirs"):
            kind = optodes_type(channel)
        if kind in ("mag", "grad", "ref_meg"):
            fit = _fit(channel, scs_to_device, report)
            if fit is not None:
                sensors.fits[index] = fit
                sensors.coils[channel.name] = _stored_coil(channel, fit, scs_to_device)
                if fit.flipped:
                    sensors.opposite.append(channel.name)
                if kind == "mag" and fit.definition.coil_class == _PLANAR:
                    kind = "grad"
                    findings.derived(
                        "Channel.Type",
                        "MEG channels with a planar coil are gradiometers (T/m) in MNE",
                    )
        sensors.types.append(kind)
    report.tell(findings)
    tell_types(channels, findings)
    if sensors.opposite:
        findings.assumed(
            "Channel.Orient",
            "the baseline of these references runs against their direction. They point along the "
            "baseline, and signals and MegRefCoef are as they are, as where MNE reads CTF files "
            "itself: fields that MNE computes of them have the other sign than Brainstorm's: "
            f"{few(sensors.opposite)}",
        )
    return sensors


def fill_channel(
    ch: Any, channel: io.Channel, fit: CoilFit | None, scs_to_head: FloatArray
) -> None:
    """Set position and coil of an element of ``info['chs']``, in place; SCS → head (4, 4).

    Channels of a type that MNE does not place on the head keep a position of NaN: plots take
    channels with a position for sensors.
    """
    if fit is not None:
        ch["loc"] = fit.loc.copy()
        coil_type = fit.definition.coil_type
        ch["coil_type"] = _COIL_NAMES.get(coil_type, coil_type)
    elif ch["kind"] == FIFF.FIFFV_FNIRS_CH:
        place_optodes(ch, channel, scs_to_head)
    elif ch["kind"] in _PLACED_KINDS:
        ch["coord_frame"] = FIFF.FIFFV_COORD_HEAD
        if has_position(channel):
            assert channel.loc is not None
            ch["loc"] = np.zeros(12)
            ch["loc"][:3] = transform_points(scs_to_head, channel.loc[:, 0])


def has_position(channel: io.Channel) -> bool:
    """Whether a channel has a finite first point; the origin means that nobody knows."""
    loc = channel.loc
    first = [] if loc is None or not loc.shape[1] else loc[:, 0].tolist()
    return any(first) and all(map(math.isfinite, first))


def tell_positions(channels: io.Channels, types: Sequence[str], findings: Findings) -> None:
    """Report positions that are missing, and those that MNE has no place for."""
    pairs = list(zip(channels.channels, types, strict=True))
    without = [c.name for c, kind in pairs if kind in PLACED and not has_position(c)]
    if without:
        verb = "has" if len(without) == 1 else "have"
        findings.assumed("Channel.Loc", f"{few(without)} {verb} no position: NaN in MNE")
    several = [
        c.name
        for c, kind in pairs
        if kind in PLACED and has_position(c) and c.loc is not None and c.loc.shape[1] > 1
    ]
    if several:
        findings.dropped(
            "Channel.Loc", f"MNE keeps the first of several points of these: {few(several)}"
        )
    coils = ("mag", "grad", "ref_meg")
    unplaced = [
        c.name
        for c, kind in pairs
        if kind not in (*PLACED, *coils) and not _is_optode(kind) and has_position(c)
    ]
    if unplaced:
        findings.dropped(
            "Channel.Loc",
            f"MNE has no position for channels of these types; kept in the report: {few(unplaced)}",
        )
    optodes = [c.name for c, kind in pairs if plain_type(c.type) == "nirs" and kind == "misc"]
    if optodes:
        findings.dropped(
            "Channel.Type",
            "NIRS channels that MNE cannot express are misc: its fNIRS channels are pairs of a "
            "source and a detector (S1D1), both with a position, and a wavelength (WL690) or HbO "
            f"or HbR: {few(optodes)}",
        )
    if any(kind.startswith("fnirs") for kind in types):
        findings.assumed(
            "Channel.Type", "NIRS of a wavelength is an amplitude: a channel file does not tell"
        )


def _is_optode(kind: str) -> bool:
    return kind.startswith("fnirs") or kind in ("hbo", "hbr")


def _points(
    channel: io.Channel, scs_to_device: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray] | None:
    """Points and directions (k, 3) in the device frame and weights (k,); None if incomplete."""
    loc, orient, weight = channel.loc, channel.orient, channel.weight
    if loc is None or orient is None or loc.shape[1] == 0 or orient.shape != loc.shape:
        return None
    if weight is None or weight.size != loc.shape[1]:
        return None
    if not (np.isfinite(loc).all() and np.isfinite(orient).all() and orient.any(axis=0).all()):
        return None
    return transform_points(scs_to_device, loc.T), orient.T @ scs_to_device[:3, :3].T, weight


def _fit(channel: io.Channel, scs_to_device: FloatArray, report: _CoilReport) -> CoilFit | None:
    points = _points(channel, scs_to_device)
    if points is None:
        report.without_points.append(channel.name)
        return None
    loc, orient, weight = points
    named = find_definitions(channel.comment)
    candidates = named or _candidates(channel, loc, orient)
    fits: list[CoilFit] = []
    for definition in candidates:
        fit = fit_coil(definition, loc, orient, weight)
        if fit is None or (fit.flipped and not is_ref(channel)):
            continue
        if not named and not (fit.residual < _FITS and (fit.exact_sum or is_ref(channel))):
            continue
        fits.append(fit)
        if fit.exact_sum and fit.residual <= EXACT and (named or fit.is_turned):
            break  # none of the others can be better
    if not fits:
        report.points_only.append(channel.name)
        return _as_point(loc, orient)
    # the usual accuracy stands first; another one only where it fits and the first does not. A
    # coil of another size fits too, with axes of another length, which no coil has
    fit = min(
        fits, key=lambda f: (not f.exact_sum, not (named or f.is_turned), max(f.residual, EXACT))
    )
    report.add(channel, fit, named=bool(named))
    return fit


def _candidates(
    channel: io.Channel, loc: FloatArray, orient: FloatArray
) -> Sequence[CoilDefinition]:
    """Definitions that may be meant where the Comment names none."""
    definitions = coil_definitions()
    plain = plain_type(channel.type)
    if plain == "meg ref":
        wanted = {_CTF_REF_MAG}
        if len(loc) == 2:
            baseline = loc[1] - loc[0]
            cosine = baseline @ orient[0] / np.linalg.norm(baseline) / np.linalg.norm(orient[0])
            wanted = {_CTF_REF_GRAD if abs(cosine) > _PARALLEL else _CTF_REF_OFFDIAG}
        return [d for d in definitions if d.coil_type in wanted]
    classes = {"meg grad": {_PLANAR}, "meg mag": {_MAGNETOMETER}}.get(
        plain, {_AXIAL, _MAGNETOMETER}
    )
    found = [d for d in definitions if d.coil_class in classes]
    return [d for d in found if d.determines_axes or d.coil_type == _POINT_MAGNETOMETER]


def _as_point(loc: FloatArray, orient: FloatArray) -> CoilFit | None:
    """Take the first point for a magnetometer."""
    definition = next(d for d in coil_definitions() if d.coil_type == _POINT_MAGNETOMETER)
    return fit_coil(definition, loc[:1], orient[:1], np.ones(1))


def _stored_coil(channel: io.Channel, fit: CoilFit, scs_to_device: FloatArray) -> Coil:
    """Return the stored points in the frame of the coil, a pattern of their own."""
    loc, orient, weight = _points(channel, scs_to_device) or (np.zeros((0, 3)),) * 3
    inverse = np.linalg.pinv(coil_axes(fit.loc))  # axes may be zero, and then so are the points
    return Coil(
        coil_type=fit.definition.coil_type,
        points=(loc - fit.loc[:3]) @ inverse,
        normals=orient @ inverse,
        weights=weight,
    )


class _CoilReport:
    """Collects what was found out about the coils, to be told once a kind of coil."""

    def __init__(self) -> None:
        self.without_points: list[str] = []
        self.points_only: list[str] = []
        self._fits: dict[tuple[str, bool], list[float]] = defaultdict(list)
        self._names: dict[str, list[tuple[str, float]]] = defaultdict(list)
        self._not_expressible: list[str] = []

    def add(self, channel: io.Channel, fit: CoilFit, *, named: bool) -> None:
        """Take note of the fit of one channel."""
        self._fits[fit.definition.description, named].append(fit.residual)
        self._names[fit.definition.description].append((channel.name, fit.residual))
        if not fit.exact_sum:
            self._not_expressible.append(channel.name)

    def tell(self, findings: Findings) -> None:
        """Report."""
        for (description, named), residuals in self._fits.items():
            text = (
                f"{len(residuals)} coils fitted to their points, largest residual "
                f"{max(residuals):.1e} m: {description}"
            )
            if named and max(residuals) <= _FITS:
                findings.derived("Channel.Loc", text)
            elif named:
                names = [n for n, r in self._names[description] if r > _FITS]
                findings.assumed("Channel.Loc", f"{text}; the points of {few(names)} are not its")
            else:
                findings.assumed("Channel.Comment", f"names no coil; {text}")
        if self._not_expressible:
            findings.dropped(
                "Channel.Weight",
                "directions and weights are not those of the coil, so that MNE cannot express "
                f"what these channels sum up: {few(self._not_expressible)}",
            )
        if self.points_only:
            findings.dropped(
                "Channel.Loc",
                "no coil known to MNE has these points; the first stands as a point magnetometer: "
                f"{few(self.points_only)}",
            )
        if self.without_points:
            findings.dropped(
                "Channel.Loc",
                "MEG channels without complete points (Loc, Orient, Weight): NaN in MNE: "
                f"{few(self.without_points)}",
            )
