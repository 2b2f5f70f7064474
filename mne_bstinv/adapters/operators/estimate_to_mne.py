"""Results of Brainstorm as MNE's source estimates."""

from __future__ import annotations

from typing import Any

import mne
import numpy as np
from mne.utils import verbose

from mne_bstinv import io
from mne_bstinv._display import few
from mne_bstinv._types import AnyArray, FloatArray, Verbose
from mne_bstinv.adapters.kept import keep
from mne_bstinv.adapters.operators.rows import layout_of_results
from mne_bstinv.adapters.recordings import sampling_frequency
from mne_bstinv.adapters.sources import source_map
from mne_bstinv.conversion import Findings, attach_with_parts, converts
from mne_bstinv.errors import ConversionError
from mne_bstinv.inverse.origin import origin_of_results
from mne_bstinv.io.processing import derivation_of
from mne_bstinv.studies.normals import with_normals
from mne_bstinv.studies.units import in_metres

__all__ = ["to_source_estimate"]


#: Kind of source spaces → classes for scalars and for vectors.
_CLASSES: dict[str, tuple[Any, Any]] = {
    "surface": (mne.SourceEstimate, mne.VectorSourceEstimate),
    "volume": (mne.VolSourceEstimate, mne.VolVectorSourceEstimate),
    "discrete": (mne.VolSourceEstimate, mne.VolVectorSourceEstimate),
    "mixed": (mne.MixedSourceEstimate, mne.MixedVectorSourceEstimate),
}


@converts
@verbose
def to_source_estimate(
    results: io.Results,
    recordings: io.Recordings | None = None,
    subject: str | None = None,
    *,
    channels: io.Channels | None = None,
    surface: io.Surface | None = None,
    mri: io.Mri | None = None,
    head_model: io.HeadModel | None = None,
    src: mne.SourceSpaces | None = None,
    scale_leff: bool = False,
    verbose: Verbose = None,
) -> Any:
    """Convert a results file to a source estimate of MNE.

    Parameters
    ----------
    results : Results
        A kernel, or full estimates.
    recordings : Recordings | None
        The recordings, which a kernel needs. It is applied to its good channels as they are
        stored: no projector, no reference.
    subject : str | None
        Name of the subject in MNE.
    channels : Channels | None
        Channel file, for the head frame.
    surface : Surface | None
        The cortex; needed for results on a surface unless ``head_model`` is given.
    mri : Mri | None
        The subject's MRI.
    head_model : HeadModel | None
        The head model of the results; without it surface and results say where the sources are.
    src : mne.SourceSpaces | None
        Source spaces in head to use instead of making them.
    scale_leff : bool
        Multiply dspm2018 by √Leff, which gives averages unit variance: what Brainstorm's process
        "Scale averaged dSPM" does (function ``dspm2018sc``), and neither loading nor display.
    verbose : bool | str | int | None
        Control verbosity of the logging output.

    Returns
    -------
    SourceEstimate | VectorSourceEstimate | VolSourceEstimate | VolVectorSourceEstimate | \
    MixedSourceEstimate | MixedVectorSourceEstimate
        The estimate in the unit of the results, vectors along x, y, z of head. Scalar kernels stay
        factors (kernel, data) until the data are asked for, vectors are multiplied out (MNE has
        no factors for them). The report keeps ``results``, ``src``, ``order``, ``scs_to_head``,
        ``origin`` (what made the results, :class:`~mne_bstinv.inverse.Origin`), ``layout``,
        ``scale`` and ``time``.

    Raises
    ------
    ConversionError
        If a kernel has no recordings, the recordings are a link or irregular in time, or the
        parts do not belong together.
    """
    findings = Findings()
    results = in_metres(results)
    surface = None if surface is None else in_metres(surface)
    given = head_model or _locations(results, surface)
    model = with_normals(in_metres(given), surface, findings)
    sources = source_map(
        model, findings, src=src, channels=channels, surface=surface, mri=mri, subject=subject
    )
    layout = layout_of_results(results, len(model.grid_loc), model.grid_orient, findings)
    scale = _scale(results, recordings, scale_leff, findings)
    rotation = sources.frame.rotation
    if results.imaging_kernel is not None:
        samples, time = _samples(results, recordings, findings)
        rows = _scaled(results.imaging_kernel, scale)
        if layout.is_vector:
            data: Any = layout.to_head(rows @ samples, sources.order, rotation)
        else:
            data = (layout.to_head(rows, sources.order, rotation), samples)
        n_times = samples.shape[1]
    else:
        amplitudes, time = results.amplitudes, results.time
        if amplitudes is None:
            raise ConversionError(
                "ImagingKernel and ImageGridAmp are both empty. Give results that hold one of them."
            )
        data = layout.to_head(_scaled(amplitudes, scale), sources.order, rotation)
        n_times = amplitudes.shape[1]
    sfreq = sampling_frequency(time, n_times, None, findings)
    _report_rest(results, findings, is_vector=layout.is_vector)
    keep(findings, results=results, src=sources.src, layout=layout, scale=scale, time=time)
    stc = _CLASSES[sources.src.kind][layout.is_vector](
        data,
        vertices=[part["vertno"] for part in sources.src],
        tmin=0.0 if time is None else float(time[0]),
        tstep=1 / sfreq,
        subject=subject,
    )
    return attach_with_parts(findings, stc, [sources.src], what="results → source estimate")


def _locations(results: io.Results, surface: io.Surface | None) -> io.HeadModel:
    """Make a head model without gain of what results and surface say of the locations."""
    grid_loc, grid_orient = results.grid_loc, results.grid_orient
    if results.head_model_type not in ("volume", "mixed"):
        if surface is None:
            raise ConversionError(
                f"The results are on the surface {results.surface_file!r}: give it, or the head "
                "model."
            )
        grid_loc, grid_orient = surface.vertices, surface.vert_normals
    if grid_loc is None:
        raise ConversionError("The results hold no GridLoc: give the head model.")
    return io.HeadModel(
        gain=np.zeros((0, 3 * len(grid_loc))),
        head_model_type=results.head_model_type,
        grid_loc=grid_loc,
        grid_orient=grid_orient,
        grid_atlas=results.grid_atlas,
        surface_file=results.surface_file,
    )


def _samples(
    results: io.Results, recordings: io.Recordings | None, findings: Findings
) -> tuple[FloatArray, FloatArray | None]:
    kernel = results.imaging_kernel
    assert kernel is not None
    if recordings is None:
        raise ConversionError(
            f"The results are a kernel of {kernel.shape[1]} channels: it needs recordings. Give "
            "those that it is to be applied to."
        )
    if recordings.f is None:
        raise ConversionError(
            "The recordings are a link to a continuous file: import the block of interest first."
        )
    n_all = len(recordings.f)
    good = results.good_channel
    if good is None:
        raise ConversionError(
            "The results hold no GoodChannel: the kernel's channels are unknown. Compute the "
            "sources again."
        )
    flags = results.channel_flag
    if good.size != kernel.shape[1] or (flags is not None and len(flags) != n_all):
        known = "" if flags is None else f" and ChannelFlag {len(flags)}"
        raise ConversionError(
            f"The recordings have {n_all} channels, GoodChannel {good.size} entries{known}, the "
            f"kernel {kernel.shape[1]} columns: they do not belong together. Give recordings of "
            "the study that the results are of."
        )
    if good.size and not 1 <= good.min() <= good.max() <= n_all:
        raise ConversionError(
            f"GoodChannel runs from {good.min()} to {good.max()}, expected 1 to {n_all}, the "
            "channels of the recordings. Give recordings of the study that the results are of."
        )
    samples = recordings.f[good - 1]
    _report_bad(good, samples, recordings, findings)
    return samples, recordings.time


def _report_bad(
    good: AnyArray, samples: FloatArray, recordings: io.Recordings, findings: Findings
) -> None:
    """Say which of the kernel's channels (1-based) are bad in the recordings, or not finite."""
    flag = recordings.channel_flag
    bad = [] if flag is None else [int(i) for i in good if flag[i - 1] < 0]
    if bad:
        findings.assumed(
            "ChannelFlag",
            f"The recordings mark {len(bad)} of the kernel's channels as bad (1-based: "
            f"{few(bad)}): the estimate takes them as they are stored, as "
            "Brainstorm does. Compute a kernel without them.",
        )
    broken = good[~np.isfinite(samples).all(axis=1)]
    if broken.size:
        raise ConversionError(
            f"The recordings hold values that are not finite in {broken.size} of the kernel's "
            f"channels (1-based: {few(broken)}): every estimate would be NaN. "
            "Compute a kernel without them, or mend the recordings."
        )


def _scaled(values: FloatArray, scale: float) -> FloatArray:
    """Return values times a number; themselves where that changes nothing."""
    return values if scale == 1 else values * scale


def _scale(
    results: io.Results, recordings: io.Recordings | None, scale_leff: bool, findings: Findings
) -> float:
    averaged = results if recordings is None or results.imaging_kernel is None else recordings
    leff = averaged.effective_averages
    if results.function == "dspm2018" and leff != 1 and not scale_leff:
        findings.derived(
            "Leff",
            "The values are dspm2018 as stored, and as Brainstorm shows them: for one sample. What "
            f"its process 'Scale averaged dSPM' makes of them, × √Leff (Leff = {leff:g}), is to be "
            "had with scale_leff=True (--scale-leff).",
        )
    if not scale_leff:
        return 1.0
    if results.function != "dspm2018":
        raise ConversionError(
            "Only dspm2018 is scaled by √Leff in Brainstorm (process 'Scale averaged dSPM'); the "
            f"function is {results.function!r}. Leave scale_leff (--scale-leff) out."
        )
    findings.derived("Leff", f"The values are dspm2018sc: dspm2018 × √Leff (Leff = {leff:g}).")
    return float(np.sqrt(leff))


def _report_rest(results: io.Results, findings: Findings, *, is_vector: bool) -> None:
    for field, value, what in (
        ("Std", results.std, "the standard deviation"),
        ("ZScore", results.z_score, "the normalisation"),
        ("Atlas", results.atlas, "the atlas of a downsampled estimate"),
    ):
        if value is not None and np.size(value):
            findings.dropped(field, f"MNE's source estimates have no place for {what}.")
    origin, derivation = origin_of_results(results), derivation_of(results)
    keep(findings, origin=origin)
    if not origin.years and derivation is None:
        findings.derived(
            "Function",
            f"The values are of {origin.kind}, not of Brainstorm's linear inverse: "
            f"{origin.reason}.",
        )
    if derivation is not None:
        unit = f", in the unit {derivation.unit!r}" if derivation.unit else ""
        findings.derived(
            "Function", f"The values were made of other results ({derivation.what}){unit}."
        )
        keep(findings, unit=derivation.unit)
        if is_vector and derivation.unit:
            findings.assumed(
                "ImageGridAmp",
                "x, y and z were normalised one by one, in SCS: taken for a vector, and turned to "
                "head, they are no normalised values any more. Take norms first.",
            )
    if results.image_grid_factors is not None:
        findings.derived("ImageGridAmp", "The two factors were multiplied.")
