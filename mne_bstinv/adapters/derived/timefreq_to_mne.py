"""Time–frequency maps and spectra → AverageTFR, EpochsTFR, Spectrum, and estimates a frequency."""

from __future__ import annotations

from typing import Any

import mne
import numpy as np
from mne.utils import verbose

from mne_bstinv import io
from mne_bstinv._types import FloatArray, Verbose
from mne_bstinv.adapters.channel_names import match_channel_names
from mne_bstinv.adapters.kept import keep
from mne_bstinv.adapters.operators import scalar_regions, to_source_estimate
from mne_bstinv.adapters.recordings import sampling_frequency
from mne_bstinv.adapters.sensors import to_info
from mne_bstinv.conversion import Findings, attach_with_parts, converts
from mne_bstinv.errors import ConversionError
from mne_bstinv.io.text import as_text
from mne_bstinv.maps import source_timefreq

__all__ = ["band_names", "to_source_bands", "to_spectrum", "to_tfr"]


@converts
@verbose
def to_tfr(
    timefreq: io.TimeFreq,
    channels: io.Channels,
    *,
    info: mne.Info | None = None,
    mri: io.Mri | None = None,
    verbose: Verbose = None,
) -> Any:
    """Convert a time–frequency map of recordings.

    Parameters
    ----------
    timefreq : TimeFreq
        The map.
    channels : Channels
        Channel file.
    info : mne.Info | None
        Info to use instead of one made from ``channels``; channels are matched by name.
    mri : Mri | None
        MRI of the subject, for its fiducials.
    verbose : bool | str | int | None
        Control verbosity of the logging output.

    Returns
    -------
    mne.time_frequency.AverageTFR | mne.time_frequency.EpochsTFR
        Power, in the squared unit of the channel; complex coefficients are an EpochsTFR of one
        epoch. Bands have the frequency in their middle. The report keeps ``timefreq``.

    Raises
    ------
    ConversionError
        If the map is of other data, of pairs of channels, or a spectrum, or channels are missing.
    """
    findings = Findings()
    _refuse(timefreq, "data")
    if timefreq.is_spectrum:
        raise ConversionError("It is a spectrum without times: use to_spectrum.")
    times = _times(timefreq)
    sfreq = sampling_frequency(times, len(times), None, findings)
    rows = _channels_of(timefreq, channels, info, mri, sfreq, findings)
    values = _power(timefreq, findings).transpose(0, 2, 1)
    common: dict[str, Any] = {
        "times": times,
        "freqs": _freqs(timefreq, findings),
        "method": timefreq.method,
    }
    if np.iscomplexobj(values):
        tfr: Any = mne.time_frequency.EpochsTFRArray(rows, values[np.newaxis], **common)
    else:
        tfr = mne.time_frequency.AverageTFRArray(
            rows, values, **common, nave=timefreq.n_avg, comment=timefreq.comment or None
        )
    keep(findings, timefreq=timefreq)
    return attach_with_parts(findings, tfr, [rows], what="time–frequency map → TFR")


@converts
@verbose
def to_spectrum(
    timefreq: io.TimeFreq,
    channels: io.Channels,
    *,
    info: mne.Info | None = None,
    mri: io.Mri | None = None,
    verbose: Verbose = None,
) -> Any:
    """Convert a spectrum of recordings.

    Parameters
    ----------
    timefreq : TimeFreq
        The spectrum: one value a frequency.
    channels : Channels
        Channel file.
    info : mne.Info | None
        Info to use instead of one made from ``channels``; channels are matched by name.
    mri : Mri | None
        MRI of the subject, for its fiducials.
    verbose : bool | str | int | None
        Control verbosity of the logging output.

    Returns
    -------
    mne.time_frequency.Spectrum
        Power spectral density, in the squared unit of the channel per Hz. The report keeps
        ``timefreq``.

    Raises
    ------
    ConversionError
        If it is no spectrum of recordings, or in bands, or channels are missing.
    """
    findings = Findings()
    _refuse(timefreq, "data")
    if not timefreq.is_spectrum or timefreq.freqs is None:
        raise ConversionError("It is no spectrum over single frequencies: use to_tfr.")
    normalized = as_text((timefreq.options or {}).get("PowerUnits")) == "normalized"
    sfreq = 1.0 if normalized else 2 * float(timefreq.freqs[-1])
    rows = _channels_of(timefreq, channels, info, mri, sfreq, findings)
    if normalized:
        findings.derived(
            "Freqs", "The spectrum is in normalised units: frequencies are parts of the rate."
        )
    elif info is None:
        findings.assumed(
            "Freqs",
            f"The file holds no sampling rate: twice the last frequency, {sfreq:g} Hz, is taken. "
            "If only a part of the spectrum was kept, the rate was higher.",
        )
    values = _power(timefreq, findings)
    if np.iscomplexobj(values):
        raise ConversionError(
            "Complex coefficients of one window are no power spectrum. Let Brainstorm save the "
            "power or the magnitude."
        )
    spectrum = _spectrum(values[:, 0], rows, timefreq.freqs)
    keep(findings, timefreq=timefreq)
    return attach_with_parts(findings, spectrum, [rows], what="spectrum → Spectrum")


@converts
@verbose
def to_source_bands(
    timefreq: io.TimeFreq,
    *,
    results: io.Results | None = None,
    surface: io.Surface | None = None,
    channels: io.Channels | None = None,
    mri: io.Mri | None = None,
    head_model: io.HeadModel | None = None,
    src: mne.SourceSpaces | None = None,
    subject: str | None = None,
    verbose: Verbose = None,
) -> list[Any]:
    """Convert a time–frequency map or spectrum of sources: an estimate a frequency or band.

    Parameters
    ----------
    timefreq : TimeFreq
        The map.
    results : Results | None
        The kernel, for maps that store the channels (``KERNEL`` in their names).
    surface : Surface | None
        The cortex, for sources on a surface.
    channels : Channels | None
        Channel file, for the head frame.
    mri : Mri | None
        The subject's MRI.
    head_model : HeadModel | None
        A head model of the same locations.
    src : mne.SourceSpaces | None
        Source spaces in head to use instead of making them.
    subject : str | None
        Name of the subject in MNE.
    verbose : bool | str | int | None
        Control verbosity of the logging output.

    Returns
    -------
    list of SourceEstimate
        One a frequency or band, in the order of :func:`band_names`; of a spectrum with one time.
        The report of each keeps its ``band``.

    Raises
    ------
    ConversionError
        If the map is of other data, a kernel is missing, or the locations do not fit.
    """
    findings = Findings()
    _refuse(timefreq, "results")
    values = _source_values(timefreq, results)
    if np.iscomplexobj(values):
        findings.derived("TF", "The map is complex: its power was taken.")
        values = np.abs(values) ** 2
    whole = results or io.Results(n_components=1, image_grid_amp=values[:, :, 0])
    times = _first_time(timefreq) if timefreq.is_spectrum else _times(timefreq)
    known = timefreq, whole, head_model
    stored = next((one.grid_atlas for one in known if one and one.grid_atlas), None)
    regions = scalar_regions(stored, len(values), findings)
    names = band_names(timefreq)
    estimates = []
    for index, name in enumerate(names):
        one = io.Results(
            image_grid_amp=values[:, :, index],
            n_components=1,
            time=times,
            comment=f"{timefreq.comment} {name}",
            head_model_type=timefreq.head_model_type or whole.head_model_type,
            surface_file=timefreq.surface_file or whole.surface_file,
            grid_loc=timefreq.grid_loc if timefreq.grid_loc is not None else whole.grid_loc,
            grid_orient=whole.grid_orient,
            grid_atlas=regions,
        )  # fmt: skip
        stc = to_source_estimate(
            one,
            None,
            subject,
            channels=channels,
            surface=surface,
            mri=mri,
            head_model=head_model,
            src=src,
        )
        each = Findings()
        each.include(findings.report)
        keep(each, band=name)
        estimates.append(attach_with_parts(each, stc, [stc], what=f"{name} of sources → estimate"))
    return estimates


def band_names(timefreq: io.TimeFreq) -> list[str]:
    """Name the frequencies or bands of a map.

    Parameters
    ----------
    timefreq : TimeFreq
        The map.

    Returns
    -------
    list of str
        Names of the bands, or frequencies such as ``'10 Hz'``.
    """
    if timefreq.freq_bands is not None:
        return [row[0] for row in timefreq.freq_bands]
    freqs = timefreq.freqs
    if freqs is None:
        return [f"frequency {i}" for i in range(1, timefreq.tf.shape[2] + 1)]
    return [f"{freq:.6g} Hz" for freq in freqs]


def _refuse(timefreq: io.TimeFreq, wanted: str) -> None:
    if timefreq.data_type not in (wanted, None):
        raise ConversionError(
            f"The map is of {timefreq.data_type!r}, expected one of {wanted!r}: sensors are "
            "converted by to_tfr and to_spectrum, sources by to_source_bands."
        )
    if timefreq.is_of_pairs:
        raise ConversionError(
            f"Measures of pairs have no counterpart here, and {timefreq.comment!r} is one "
            f"({timefreq.method}). io.read_timefreq reads its values."
        )
    if timefreq.time_bands is not None:
        raise ConversionError(
            "Averages over bands of time (TimeBands) have no counterpart in MNE. Compute the map "
            "without them, or take its values from io.read_timefreq."
        )


def _source_values(timefreq: io.TimeFreq, results: io.Results | None) -> Any:
    """Return the map of sources (n_locations, n_times, n_freqs), the kernel applied if it must."""
    rows = timefreq.row_names
    n_named = 0 if rows is None else len(rows)
    if n_named in (0, len(timefreq.tf)):
        return timefreq.tf
    kernel = None if results is None else results.imaging_kernel
    if results is None or kernel is None or kernel.shape[1] != len(timefreq.tf):
        raise ConversionError(
            f"The map holds {len(timefreq.tf)} channels for {n_named} locations: give the results "
            f"with its kernel ({timefreq.data_file})."
        )
    measure = timefreq.measure if timefreq.measure in ("power", "magnitude") else "power"
    return source_timefreq(kernel, timefreq.tf, measure, results.n_components or 1)


def _channels_of(
    timefreq: io.TimeFreq,
    channels: io.Channels,
    info: Any,
    mri: io.Mri | None,
    sfreq: float,
    findings: Findings,
) -> Any:
    """Return the Info of the rows, none bad."""
    names = timefreq.row_names
    if not isinstance(names, tuple) or len(names) != len(timefreq.tf):
        raise ConversionError(
            "The rows of the map have no names of channels (RowNames), expected one for each of "
            f"{len(timefreq.tf)} rows. Compute the map anew in Brainstorm."
        )
    whole = to_info(channels, sfreq=sfreq, mri=mri) if info is None else info
    index = match_channel_names(names, whole.ch_names)
    rows = mne.pick_info(whole, index, copy=True)
    if info is None:
        keep(findings, channel_names=channels.names)
    return rows


def _power(timefreq: io.TimeFreq, findings: Findings) -> Any:
    """Return power where the file holds magnitudes; complex numbers as they are."""
    if timefreq.measure == "magnitude":
        findings.derived("Measure", "The magnitudes were squared: MNE's maps are of power.")
        return timefreq.tf**2
    if timefreq.measure not in ("power", "none", None):
        findings.assumed("Measure", f"The values are {timefreq.measure!r}, taken for power.")
    return timefreq.tf


def _freqs(timefreq: io.TimeFreq, findings: Findings) -> FloatArray:
    if timefreq.freqs is not None:
        return timefreq.freqs
    bounds = np.array(list(timefreq.bands.values()))
    if len(bounds) != timefreq.tf.shape[2] or not np.isfinite(bounds).all():
        raise ConversionError(
            "The frequencies of the map are not known: Freqs holds neither numbers nor bands with "
            f"bounds, {timefreq.tf.shape[2]} expected. Compute the map anew in Brainstorm."
        )
    middle = bounds.mean(axis=1)
    if (np.diff(middle) <= 0).any():
        raise ConversionError(
            "The middles of the bands do not go up, which MNE needs: convert single frequencies."
        )
    findings.derived(
        "Freqs",
        f"The bands {', '.join(timefreq.bands)} have the frequency in their middle; kept in the "
        "report.",
    )
    return middle


def _spectrum(power: FloatArray, info: Any, freqs: FloatArray) -> Any:
    """Make a Spectrum of channels of all types, as ``compute_psd(picks="all")`` does.

    Its constructor takes those of data alone.
    """
    data = mne.create_info(info.ch_names, info["sfreq"], "eeg")
    spectrum = mne.time_frequency.SpectrumArray(power, data, freqs)
    spectrum.info = info
    return spectrum


def _first_time(timefreq: io.TimeFreq) -> FloatArray:
    """Return the one time of a spectrum: when its first window begins."""
    return np.zeros(1) if timefreq.time is None else timefreq.time[:1]


def _times(timefreq: io.TimeFreq) -> FloatArray:
    if timefreq.time is None or len(timefreq.time) != timefreq.tf.shape[1]:
        raise ConversionError(
            f"Time has {0 if timefreq.time is None else len(timefreq.time)} samples, the map "
            f"{timefreq.tf.shape[1]}."
        )
    return timefreq.time
