"""Time–frequency maps and spectra: computed again from the files that they name."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mne_bstinv import io
from mne_bstinv._types import AnyArray, FloatArray
from mne_bstinv.continuous import Reading, bad_segments, read, recording_of_bst
from mne_bstinv.derived.library import Library, NotComparableError
from mne_bstinv.derived.outcome import Recomputed, relative_difference
from mne_bstinv.derived.windows import samples_of
from mne_bstinv.io.checks import positive
from mne_bstinv.io.events import is_bad
from mne_bstinv.io.inside import inside
from mne_bstinv.io.kinds import Scalar
from mne_bstinv.io.processing import listed_files, steps_of
from mne_bstinv.io.sampling import sample_numbers
from mne_bstinv.io.text import Text
from mne_bstinv.maps import (
    average_timefreq,
    band_frequencies,
    fft_spectrum,
    measured,
    morlet_transform,
    psd_welch,
    source_timefreq,
)
from mne_bstinv.maps.wavelets import in_bands

__all__ = ["recompute_timefreq"]

#: Overlaps in per cent that are tried: Brainstorm's default first; the file does not store it.
_OVERLAPS = (50, 0, 25, 75, 90, 10, 20, 30, 40, 60, 70, 80)


def recompute_timefreq(
    file: Path, stored: io.TimeFreq, library: Library, rtol: float
) -> Recomputed:
    """Compute a time–frequency map or spectrum again; the overlap of windows is tried.

    ``NotComparableError`` if the method is another one, the map was processed afterwards, or a
    file is missing.
    """
    steps = [step for step in steps_of(stored.history) if step.kind != "average"]
    if steps:
        raise NotComparableError(
            f"The map was processed afterwards: {' '.join(steps[0].text.split())!r}."
        )
    if stored.is_of_pairs:
        raise NotComparableError("Measures of pairs of signals are not computed here.")
    method = (stored.method or "").lower()
    if method == "morlet":
        return _morlet(file, stored, library)
    if method in ("psd", "fft"):
        return _spectrum(file, stored, method, library, rtol)
    why = "its band-pass filter is not computed here" if method == "hilbert" else "unknown"
    raise NotComparableError(f"The method {stored.method!r} cannot be recomputed: {why}.")


def _morlet(file: Path, stored: io.TimeFreq, library: Library) -> Recomputed:
    links = _links(stored)
    options = stored.options or {}
    if inside(options, "Options.RemoveEvoked", Scalar()):
        raise NotComparableError("The evoked response was removed first.")
    maps, good = [], []
    for link in links:
        signals = _signals(link, file, stored, library)
        freqs = stored.freqs if stored.freqs is not None else band_frequencies(stored.bands)
        coefficients = morlet_transform(
            signals.values,
            signals.rate,
            freqs,
            fc=inside(options, "Options.MorletFc", Scalar(), positive, default=1.0),
            fwhm_tc=inside(options, "Options.MorletFwhmTc", Scalar(), positive, default=3.0),
        )
        maps.append(_map_of(coefficients, signals, stored, freqs))
        good.append(signals.good)
    made = maps[0] if len(maps) == 1 else average_timefreq(maps, good=good)[0]
    within = samples_of(stored.time, signals.times)
    return Recomputed(
        kind="time–frequency map",
        difference=relative_difference(made[:, within], stored.tf),
        parents=tuple(links),
        how=f"morlet, {stored.measure}",
    )


def _map_of(
    coefficients: AnyArray, signals: _Signals, stored: io.TimeFreq, freqs: FloatArray
) -> AnyArray:
    measure = stored.measure or "power"
    if signals.kernel is None:
        values = measured(coefficients, measure)
    elif len(coefficients) == len(stored.tf) and len(signals.kernel) != len(stored.tf):
        return coefficients  # the kernel is still to be applied
    else:
        values = source_timefreq(signals.kernel, coefficients, measure, signals.n_components)
    if stored.freq_bands is None:
        return values
    if any(row[2] != "mean" for row in stored.freq_bands):
        raise NotComparableError("Only means over bands are computed here.")
    return in_bands(values, freqs, stored.bands)


def _spectrum(
    file: Path, stored: io.TimeFreq, method: str, library: Library, rtol: float
) -> Recomputed:
    links = _links(stored)
    if len(links) != 1:
        raise NotComparableError("Averages of spectra over files are not computed here.")
    if stored.freqs is None:
        raise NotComparableError("Spectra in bands are not computed here.")
    options = stored.options or {}
    window = inside(options, "Options.WindowFunction", Text(), default="mean")
    if window != "mean" or inside(options, "Options.isRelativePSD", Scalar()):
        raise NotComparableError("Only means over windows of absolute power are computed here.")
    signals = _signals(links[0], file, stored, library)
    shown = inside(options, "Options.PowerUnits", Text())
    units = "normalized" if shown == "normalized" else "physical"
    call: dict[str, Any] = {
        "kernel": signals.kernel,
        "n_components": signals.n_components,
        "units": units,
    }
    values, first = _between(signals, stored)
    attempts: list[tuple[float, str]] = []
    for name, spectrum in _spectra(values, first, signals, stored, method, call):
        made = spectrum.power[:, np.newaxis]
        attempts.append((relative_difference(made, stored.tf), name))
        if attempts[-1][0] <= rtol:
            break
    difference, how = min(attempts)
    return Recomputed(kind="power spectrum", difference=difference, parents=tuple(links), how=how)


def _spectra(
    values: FloatArray,
    first: float,
    signals: _Signals,
    stored: io.TimeFreq,
    method: str,
    call: Mapping[str, Any],
) -> Iterator[tuple[str, Any]]:
    if method == "fft":
        yield "one window", fft_spectrum(values, signals.rate, **call)
        return
    freqs = np.asarray(stored.freqs)
    length = 2 * (len(freqs) - 1) / signals.rate
    for overlap in _OVERLAPS:
        spectrum = psd_welch(
            values,
            signals.rate,
            length,
            overlap,
            bad_segments=signals.bad_segments,
            first_time=first,
            **call,
        )
        yield f"{spectrum.n_windows} windows of {length:g} s, overlap {overlap} %", spectrum


class _Signals:
    """What was transformed: rows over time, and the kernel to apply to their transform."""

    def __init__(
        self,
        values: FloatArray,
        recordings: io.Recordings | io.Matrix,
        kernel: FloatArray | None = None,
        n_components: int = 1,
        good: Any = None,
        bad_segments: Sequence[tuple[float, float]] | None = None,
    ) -> None:
        times = recordings.time
        if times is None or len(times) != values.shape[1] or len(times) < 2:
            raise NotComparableError("The file that it was made of has no times.")
        self.values, self.times, self.kernel = values, times, kernel
        self.n_components = n_components
        self.rate = (len(times) - 1) / float(times[-1] - times[0])
        self.good = np.ones(len(values), dtype=bool) if good is None else good
        if bad_segments is None:
            bad_segments = [
                (float(start), float(stop))
                for event in recordings.events
                if is_bad(event.label)
                for number, (start, stop) in enumerate(zip(event.starts, event.ends, strict=True))
                if not event.channels_of(number)
            ]
        self.bad_segments = bad_segments


def _links(stored: io.TimeFreq) -> list[str]:
    listed = listed_files(stored.history, " - Average TF: ")
    links = listed or ([stored.data_file] if stored.data_file else [])
    if not links:
        raise NotComparableError("It does not name the file that it was made of.")
    return links


def _signals(link: str, file: Path, stored: io.TimeFreq, library: Library) -> _Signals:
    if stored.data_type == "data":
        return _of_recordings(link, file, stored, library)
    if stored.data_type == "results":
        return _of_results(link, file, library)
    if stored.data_type == "matrix":
        matrix = io.read_matrix(library.needed(link, file, "signals"))
        return _Signals(matrix.value, matrix)
    raise NotComparableError(f"Maps of {stored.data_type!r} are not computed here.")


def _of_recordings(link: str, file: Path, stored: io.TimeFreq, library: Library) -> _Signals:
    path = library.needed(link, file, "recordings")
    recordings = library.recordings(path)
    channel_file = library.studies.of(path).channel_file
    if channel_file is None or not isinstance(stored.row_names, tuple):
        raise NotComparableError("The channels of the rows are not known.")
    names = list(library.channels(channel_file).names)
    missing = [name for name in stored.row_names if name not in names]
    if missing:
        raise NotComparableError(f"The channel file has no channel {missing[0]!r}.")
    index = [names.index(name) for name in stored.row_names]
    if recordings.f is None:
        return _of_link(path, recordings, library.channels(channel_file), index, stored)
    flags = recordings.channel_flag
    good = None if flags is None else flags[index] > 0
    return _Signals(recordings.f[index], recordings, good=good)


def _of_link(
    path: Path,
    recordings: io.Recordings,
    channels: io.Channels,
    index: Sequence[int],
    stored: io.TimeFreq,
) -> _Signals:
    """Return the samples of a continuous file between the times of the map, as Brainstorm reads."""
    link = recordings.link
    file = None if link is None else path.parent / link.base_name
    if link is None or file is None or link.format != "BST-BIN" or not file.is_file():
        raise NotComparableError("The recordings are a link to a continuous file, not a .bst here.")
    continuous = recording_of_bst(io.open_bst(file), channels, link)
    bounds = (continuous.first, continuous.last)
    if stored.time is not None and len(stored.time):
        wanted = sample_numbers(stored.time[[0, -1]], continuous.sfreq)
        bounds = (max(int(wanted[0]), bounds[0]), min(int(wanted[1]), bounds[1]))
    found = read(continuous, *bounds, Reading(), rows=index)
    segments = [
        (segment.first / continuous.sfreq, segment.last / continuous.sfreq)
        for segment in bad_segments(link.events, continuous.sfreq)
        if not segment.channels
    ]
    return _Signals(
        found.f, dataclasses.replace(recordings, time=found.times), bad_segments=segments
    )


def _of_results(link: str, file: Path, library: Library) -> _Signals:
    name, _, data = link.removeprefix("link|").partition("|")
    results = library.results(library.results_file(name, file))
    recordings = library.recordings(library.needed(data or results.data_file, file, "recordings"))
    n = results.n_components
    if n not in (1, 3):
        raise NotComparableError("Maps of mixed models are not computed here.")
    if results.imaging_kernel is None:
        values = results.amplitudes
        if values is None or results.time is None or len(results.time) != values.shape[1]:
            raise NotComparableError("The results hold no map with times.")
        return _Signals(values, recordings, np.eye(len(values)), n)
    if recordings.f is None or results.good_channel is None:
        raise NotComparableError("The recordings are a link to a continuous file.")
    return _Signals(recordings.f[results.good_channel - 1], recordings, results.imaging_kernel, n)


def _between(signals: _Signals, stored: io.TimeFreq) -> tuple[FloatArray, float]:
    """Return the samples of a spectrum's time window, and the time of the first."""
    bounds: Sequence[float] = [] if stored.time is None else list(stored.time[[0, -1]])
    first, last = 0, len(signals.times) - 1
    if len(bounds) == 2:
        first, last = (int(np.argmin(np.abs(signals.times - bound))) for bound in bounds)
    return signals.values[:, first : last + 1], float(signals.times[first])
