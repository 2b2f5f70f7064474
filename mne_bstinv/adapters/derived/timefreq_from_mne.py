"""AverageTFR, EpochsTFR and Spectrum of MNE → time–frequency maps and spectra of Brainstorm."""

from __future__ import annotations

from typing import Any

import mne
import numpy as np
from mne.utils import verbose

from mne_bstinv import io
from mne_bstinv._types import AnyArray, FloatArray, Verbose
from mne_bstinv.adapters.channel_names import match_channel_names
from mne_bstinv.adapters.kept import kept_of
from mne_bstinv.conversion import Findings, converts
from mne_bstinv.errors import ConversionError
from mne_bstinv.io.text import history_row

__all__ = ["from_spectrum", "from_tfr"]


@converts
@verbose
def from_tfr(
    tfr: mne.time_frequency.AverageTFR | mne.time_frequency.EpochsTFR,
    *,
    channels: io.Channels | None = None,
    comment: str | None = None,
    data_file: str | None = None,
    verbose: Verbose = None,
) -> list[io.TimeFreq]:
    """Convert a TFR of MNE to time–frequency maps of Brainstorm.

    Parameters
    ----------
    tfr : mne.time_frequency.AverageTFR | mne.time_frequency.EpochsTFR
        The map of channels, power or complex.
    channels : Channels | None
        Channel file of the study, whose names of the channels are written; None keeps MNE's.
    comment : str | None
        Name in Brainstorm.
    data_file : str | None
        What it was computed of, relative to the protocol's ``data``.
    verbose : bool | str | int | None
        Control verbosity of the logging output.

    Returns
    -------
    list of TimeFreq
        One map, or one an epoch.

    Raises
    ------
    ConversionError
        If it is no TFR of channels, or a channel is not in the channel file.
    """
    findings = Findings()
    averaged = isinstance(tfr, mne.time_frequency.AverageTFR)
    data = np.asarray(tfr.data)
    epochs = data[np.newaxis] if averaged else data
    if epochs.ndim != 4:
        raise ConversionError(f"Channels × frequencies × times are expected, found {data.shape}.")
    if tfr.baseline is not None:
        findings.dropped("baseline", f"{tfr.baseline} s: the values are corrected already.")
    maps = [
        _map(
            epoch.transpose(0, 2, 1),
            tfr,
            channels,
            findings,
            time=np.asarray(tfr.times, dtype=np.float64),
            comment=comment or getattr(tfr, "comment", None) or "Power",
            n_avg=int(tfr.nave) if averaged and tfr.nave else 1,
            method=tfr.method or "morlet",
            data_file=data_file,
        )
        for epoch in epochs
    ]
    return [findings.attach(one, what="TFR → time–frequency map", log=not i)
            for i, one in enumerate(maps)]  # fmt: skip


@converts
@verbose
def from_spectrum(
    spectrum: mne.time_frequency.Spectrum | mne.time_frequency.EpochsSpectrum,
    *,
    channels: io.Channels | None = None,
    comment: str | None = None,
    data_file: str | None = None,
    verbose: Verbose = None,
) -> io.TimeFreq:
    """Convert a Spectrum of MNE to a spectrum of Brainstorm.

    Parameters
    ----------
    spectrum : mne.time_frequency.Spectrum
        Power spectral density of channels.
    channels : Channels | None
        Channel file of the study, whose names of the channels are written; None keeps MNE's.
    comment : str | None
        Name in Brainstorm.
    data_file : str | None
        What it was computed of, relative to the protocol's ``data``.
    verbose : bool | str | int | None
        Control verbosity of the logging output.

    Returns
    -------
    TimeFreq
        The spectrum; method ``'psd'``.

    Raises
    ------
    ConversionError
        If it is a spectrum of epochs, of tapers or of segments, or a channel is not in the channel
        file.
    """
    findings = Findings()
    kind = mne.time_frequency.Spectrum
    data = np.asarray(spectrum.data) if isinstance(spectrum, kind) else None
    if data is None or data.ndim != 2:
        found = type(spectrum).__name__ if data is None else f"shape {data.shape}"
        raise ConversionError(
            f"A Spectrum of channels × frequencies is expected, found {found}: average epochs, "
            "segments and tapers first."
        )
    kept = kept_of(spectrum).get("timefreq")
    time = kept.time if isinstance(kept, io.TimeFreq) else None
    if time is None:
        findings.assumed("Time", "A Spectrum does not tell its times: 0 to 1 s are written.")
        time = np.array([0.0, 1.0])
    made = _map(
        data[:, np.newaxis],
        spectrum,
        channels,
        findings,
        time=time,
        comment=comment or "PSD",
        n_avg=1,
        method="psd",
        data_file=data_file,
    )
    return findings.attach(made, what="Spectrum → spectrum")


def _map(
    values: AnyArray,
    source: Any,
    channels: io.Channels | None,
    findings: Findings,
    *,
    time: FloatArray,
    comment: str,
    n_avg: int,
    method: str,
    data_file: str | None,
) -> io.TimeFreq:
    complex_ = np.iscomplexobj(values)
    kept = kept_of(source).get("timefreq")
    options: dict[str, Any] = {}
    bands = None
    freqs: FloatArray | None = np.asarray(source.freqs, dtype=np.float64)
    if isinstance(kept, io.TimeFreq) and kept.tf.shape[2] == len(source.freqs):
        if kept.measure == "magnitude" and not complex_:
            values = np.sqrt(values)
            findings.derived("Measure", "The root was taken: the map was one of magnitudes.")
        bands, freqs = kept.freq_bands, None if kept.freq_bands else freqs
        options = dict(kept.options or {})
    known = isinstance(kept, io.TimeFreq) and kept.measure == "magnitude" and not complex_
    names = tuple(source.ch_names)
    if channels is not None:
        index = match_channel_names(names, channels.names)
        names = tuple(channels.names[i] for i in index)
    if source.info["bads"]:
        findings.dropped("bads", f"maps have no flags: {', '.join(source.info['bads'])}")
    return io.TimeFreq(
        tf=values,
        row_names=names,
        freqs=freqs,
        freq_bands=bands,
        time=time,
        comment=comment,
        data_type="data",
        measure="none" if complex_ else "magnitude" if known else "power",
        method=method,
        data_file=data_file,
        n_avg=n_avg,
        leff=float(n_avg),
        options=options or None,
        history=(history_row("import", "Converted from MNE-Python"),),
    )
