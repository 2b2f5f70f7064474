"""The rows of the parity of maps: each of Brainstorm's maps beside a call of MNE."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mne_bstinv._types import FloatArray
from mne_bstinv.adapters.maps import (
    CALLS,
    CortexMap,
    cortex_map,
    label_time_courses,
    morphed_by_mne,
    rescaled_by_mne,
    smoothed_by_mne,
)
from mne_bstinv.adapters.operators import EXACT, NOT_COMPARABLE, UP_TO_FACTOR
from mne_bstinv.cross_validation.distances import relative_distance
from mne_bstinv.cross_validation.map_case import MapCase, scouts_of, turned_to
from mne_bstinv.maps import (
    flatten_sources,
    normalize_baseline,
    project_sources,
    smooth_sources,
)
from mne_bstinv.maps.smoothing import smoothing_passes

__all__ = ["ROWS", "MapRow"]

#: What the width of the smoothing is, m.
_FWHM = 0.01
#: Passes of MNE's smoothing that are tried.
_PASSES = range(1, 11)

_Made = Callable[[MapCase], FloatArray]


@dataclass(frozen=True, kw_only=True)
class MapRow:
    """Declaration of a row."""

    group: str
    brainstorm: str
    mne: str
    parity: str
    call: str
    ours: _Made
    told: _Made
    theirs: _Made | None = None
    factor: str = ""
    reason: str = ""
    needs: tuple[str, ...] = ()


def _scout_row(
    name: str,
    of: str,
    mode: str,
    parity: str,
    *,
    call: str = "",
    said: str = "",
    factor: str = "",
    reason: str = "",
    flip: bool = True,
) -> MapRow:
    """Declare a scout function beside a mode; ``of`` is the map: values, centred or norms."""
    called = call or name

    def maps(case: MapCase) -> CortexMap:
        found: CortexMap = getattr(case, f"mne_{of}")
        return found

    def ours(case: MapCase) -> FloatArray:
        return scouts_of(getattr(case, of), case.cortex, case.scouts, name, flip=flip)

    def told(case: MapCase) -> FloatArray:
        m = maps(case)
        made = np.asarray(CALLS[called].function(m.stc, m.labels, m.src))
        return turned_to(ours(case), made, case.cortex, case.scouts) if flip else made

    return MapRow(
        group="scout",
        brainstorm=said or name,
        mne=f'extract_label_time_course(mode="{mode}")' if mode else "",
        parity=parity,
        call=called,
        factor=factor,
        reason=reason,
        ours=ours,
        told=told,
        theirs=(lambda case: label_time_courses(maps(case), mode)) if mode else None,
    )


def _baseline_row(
    method: str,
    mode: str,
    parity: str,
    *,
    of: str = "values",
    call: str = "",
    said: str = "",
    factor: str = "",
    reason: str = "",
) -> MapRow:
    """Declare a baseline method beside a mode; ``of`` is the map: values or norms."""
    called = call or method

    def told(case: MapCase) -> FloatArray:
        maps: CortexMap = getattr(case, f"mne_{of}")
        made = CALLS[called].function(maps.stc, case.mne_window)
        return maps.on_cortex(np.asarray(made))

    def theirs(case: MapCase) -> FloatArray:
        maps: CortexMap = getattr(case, f"mne_{of}")
        return maps.on_cortex(rescaled_by_mne(maps, case.mne_window, mode))

    return MapRow(
        group="baseline",
        brainstorm=said or method,
        mne=f'mne.baseline.rescale(mode="{mode}")' if mode else "",
        parity=parity,
        call=called,
        ours=lambda case: normalize_baseline(
            getattr(case, of),
            case.times,
            case.window,
            method,  # type: ignore[arg-type]
        ),
        told=told,
        theirs=theirs if mode else None,
        factor=factor,
        reason=reason,
    )


def _flat_row(
    method: str, mne: str, parity: str, call: str, told: _Made, theirs: _Made, **said: Any
) -> MapRow:
    options = said.pop("options", {})
    return MapRow(
        group="flat map",
        brainstorm=said.pop("name", method),
        mne=mne,
        parity=parity,
        call=call,
        ours=lambda case: np.asarray(
            flatten_sources(case.free, 3, method, times=case.times, **options)  # type: ignore[arg-type]
        ),
        told=told,
        theirs=theirs,
        needs=("free",),
        **said,
    )


def _pca_by_mne(case: MapCase) -> FloatArray:
    maps = case.mne_free
    return maps.on_cortex(np.asarray(maps.stc.project("pca")[0].data))


def _flat_call(name: str, *, baseline: bool = False, rotation: bool = False) -> _Made:
    def told(case: MapCase) -> FloatArray:
        maps = case.mne_free
        arguments: dict[str, Any] = {"baseline": (None, None)} if baseline else {}
        if rotation:
            arguments["rotation"] = maps.rotation
        return maps.on_cortex(np.asarray(CALLS[name].function(maps.stc, **arguments)))

    return told


def _all_rows(case: MapCase) -> FloatArray:
    """Return all rows of all labels, those of each in Brainstorm's order of vertices."""
    maps, n = case.mne_values, len(case.cortex.vertices)
    places = maps.stc.copy()
    places.data = maps.order[:, np.newaxis].astype(np.float64)
    vertices = CALLS["all"].function(places, maps.labels, maps.src)[:, 0]
    label = np.repeat(
        np.arange(len(case.scouts)), [len(np.unique(np.asarray(s.vertices))) for s in case.scouts]
    )
    rows = CALLS["all"].function(maps.stc, maps.labels, maps.src)
    return np.asarray(rows[np.argsort(label * n + vertices)])


def _vector_mean(case: MapCase) -> FloatArray:
    maps = case.mne_free
    return np.asarray(CALLS["vector_mean"].function(maps.stc, maps.labels, maps.src))


def _smoothed(case: MapCase) -> FloatArray:
    maps, passes = case.mne_values, smoothing_passes(case.cortex, _FWHM, "fixed_fwhm")
    return maps.on_cortex(np.asarray(CALLS["smoothing"].function(maps.stc, maps.src, passes)))


def _smoothed_by_mne(case: MapCase) -> FloatArray:
    """Smooth by that number of MNE's passes which comes nearest."""
    ours = smooth_sources(case.values, case.cortex, _FWHM)
    with tempfile.TemporaryDirectory() as folder:
        tried = [
            case.mne_values.on_cortex(one)
            for one in smoothed_by_mne(case.mne_values, case.cortex, _PASSES, Path(folder))
        ]
    return min(tried, key=lambda one: relative_distance(one, ours))


def _projected(case: MapCase) -> FloatArray:
    assert case.target is not None
    made = CALLS["projection"].function(case.mne_values.stc, case.cortex, case.target)
    return _on_target(case, np.asarray(made))


def _projected_by_mne(smooth: str | None) -> _Made:
    def theirs(case: MapCase) -> FloatArray:
        assert case.target is not None
        with tempfile.TemporaryDirectory() as folder:
            made = morphed_by_mne(case.mne_values, case.cortex, case.target, Path(folder), smooth)
        return _on_target(case, made)

    return theirs


def _on_target(case: MapCase, data: FloatArray) -> FloatArray:
    assert case.target is not None
    empty = np.zeros((len(case.target.vertices), 1))
    return cortex_map(empty, np.zeros(1), case.target).on_cortex(data)


_SIGN = (
    "Both flip the signs of vertices by their normals; Brainstorm so that most vertices keep "
    "theirs, MNE so that their mean projection is positive, and Brainstorm leaves a scout whose "
    "values are all positive as it is. Where as many keep theirs as do not, Brainstorm's sign is "
    "the SVD's, which nobody can foresee."
)
_PCA = (
    "MNE decomposes rows with their mean over time and scales the component to the power of the "
    "label; Brainstorm removes the mean first, and divides by √n."
)
_NO_MODE = "MNE has no such mode."
ROWS = (
    _scout_row("mean", "values", "mean", EXACT, said="mean, no sign flip", flip=False),
    _scout_row(
        "mean", "values", "mean_flip", UP_TO_FACTOR, call="mean_flip", factor="±1 a scout",
        reason=_SIGN,
    ),
    _scout_row(
        "mean", "values", "auto", UP_TO_FACTOR, call="mean_flip", factor="±1 a scout",
        reason=f'"auto" is "mean_flip" for any scalar estimate. {_SIGN}',
    ),
    _scout_row(
        "max", "values", "max", UP_TO_FACTOR, factor="the sign of each value",
        reason="MNE returns sizes, Brainstorm the value that has the largest.",
    ),
    _scout_row("pca2023", "values", "pca_flip", NOT_COMPARABLE, reason=_PCA),
    _scout_row(
        "pca2023", "centred", "pca_flip", UP_TO_FACTOR, call="pca2023_centred",
        said="pca2023, rows without mean over time", factor="± s₁ / ‖s‖ a scout",
        reason="s are the singular values of the rows: MNE scales the component to the power of "
        "the whole label, Brainstorm leaves it its own.",
    ),
    _scout_row("pca", "values", "pca_flip", NOT_COMPARABLE, reason=_PCA),
    _scout_row("fastpca", "values", "pca_flip", NOT_COMPARABLE, reason=_PCA),
    *(
        _scout_row(name, "values", "", NOT_COMPARABLE, reason=_NO_MODE)
        for name in ("std", "stderr", "power", "rms", "mean_norm", "stat")
    ),
    MapRow(
        group="scout",
        brainstorm="all",
        mne="extract_label_time_course(mode=None)",
        parity=EXACT,
        call="all",
        ours=lambda case: scouts_of(case.values, case.cortex, case.scouts, "all"),
        told=_all_rows,
        theirs=_all_rows,
    ),
    _scout_row(
        "mean", "norms", "mean", EXACT, call="mean", said="mean of a flat map (norms)"
    ),
    _scout_row(
        "mean", "norms", "auto", NOT_COMPARABLE, call="mean", said="mean of a flat map (norms)",
        reason='"auto" is "mean_flip" for any scalar estimate: MNE flips the signs of norms too.',
    ),
    _scout_row(
        "max", "norms", "max", EXACT, call="max_flat", said="max of a flat map (norms)"
    ),
    _scout_row(
        "pca2023", "norms", "pca_flip", NOT_COMPARABLE, said="pca2023 of a flat map (norms)",
        reason=_PCA,
    ),
    MapRow(
        group="scout",
        brainstorm="mean of three components, then norm",
        mne='norm of extract_label_time_course(mode="auto") of a vector estimate',
        parity=EXACT,
        call="vector_mean",
        ours=lambda case: scouts_of(
            np.asarray(case.free), case.cortex, case.scouts, "mean", n_components=3, xyz="norm"
        ),
        told=_vector_mean,
        theirs=lambda case: np.linalg.norm(label_time_courses(case.mne_free, "auto"), axis=1),
        needs=("free",),
    ),
    _baseline_row("bl", "mean", EXACT, said="bl (DC offset)"),
    _baseline_row(
        "zscore", "zscore", UP_TO_FACTOR, factor="√((n − 1) / n)",
        reason="n samples of the baseline: Brainstorm's standard deviation is that of n − 1.",
    ),
    _baseline_row(
        "ersd", "percent", UP_TO_FACTOR, factor="100", reason="MNE's per cent is a ratio."
    ),
    _baseline_row("divmean", "ratio", EXACT),
    _baseline_row(
        "db", "logratio", UP_TO_FACTOR, of="norms", said="db of a positive map", factor="10",
        reason="MNE's logarithm is not in dB.",
    ),
    _baseline_row(
        "db", "logratio", NOT_COMPARABLE, call="db_signed", said="db of a signed map",
        reason="Brainstorm takes the size of the ratio, MNE has no number for negative ones.",
    ),
    _baseline_row("contrast", "", NOT_COMPARABLE, reason=_NO_MODE),
    _flat_row(
        "norm", "magnitude()", EXACT, "norm", _flat_call("norm"),
        lambda case: case.mne_free.on_cortex(np.asarray(case.mne_free.stc.magnitude().data)),
    ),
    _flat_row(
        "pcaa", 'project("pca")', UP_TO_FACTOR, "pcaa_about_zero",
        _flat_call("pcaa_about_zero", rotation=True), _pca_by_mne,
        name="pcaa or pcai of one file, RemoveDcOffset none", factor="±1 a location",
        options={"remove_dc": False},
        reason="The direction is the same, its sign by another rule: Brainstorm's has x + y + z "
        "≥ 0 in SCS, MNE's a series whose sum (or, with src, an angle to the normal) is positive.",
    ),
    _flat_row(
        "pcaa", 'project("pca")', NOT_COMPARABLE, "pcaa",
        _flat_call("pcaa", baseline=True, rotation=True), _pca_by_mne,
        name="pcaa or pcai of one file, RemoveDcOffset file",
        reason="Brainstorm's variance is about the mean of the baseline, MNE's about zero.",
    ),
    _flat_row(
        "pca", 'project("pca")', NOT_COMPARABLE, "flat_pca",
        _flat_call("flat_pca", rotation=True), _pca_by_mne,
        name="pca (before 2023)",
        reason="Brainstorm's variance is about the mean over time, MNE's about zero.",
    ),
    MapRow(
        group="smoothing",
        brainstorm=f"fixed_fwhm, {1000 * _FWHM:.0f} mm",
        mne="compute_source_morph(smooth=n) to the subject itself",
        parity=NOT_COMPARABLE,
        call="smoothing",
        ours=lambda case: smooth_sources(case.values, case.cortex, _FWHM),
        told=_smoothed,
        theirs=_smoothed_by_mne,
        reason="A pass of Brainstorm's leaves a vertex half its value; one of MNE's gives it the "
        f"weight of each neighbour. The nearest n of {_PASSES.start} to {_PASSES.stop - 1}.",
    ),
    *(
        MapRow(
            group="projection",
            brainstorm="project_sources (Shepard)",
            mne=f"compute_source_morph(smooth={smooth!r})",
            parity=NOT_COMPARABLE,
            call="projection",
            ours=lambda case: project_sources(case.values, case.cortex, case.target),  # type: ignore[arg-type]
            told=_projected,
            theirs=_projected_by_mne(smooth),
            reason="Brainstorm weighs the eight nearest vertices on the registered sphere by "
            "their distance; MNE smooths along the edges of the source and takes barycentric "
            "means (or, told nearest, one vertex).",
            needs=("target",),
        )
        for smooth in (None, "nearest")
    ),
)  # fmt: skip
