"""Recordings, their sensors and covariances, one file at a time.

A function takes what the source holds, the companions and what the conversion is told.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from mne_bstinv import io
from mne_bstinv.adapters import (
    from_covariance,
    from_info,
    from_raw,
    from_spectrum,
    from_tfr,
    noise_cov_from,
    read_raw_brainstorm,
    to_covariance,
    to_epochs,
    to_evoked,
    to_info,
    to_raw_array,
    to_spectrum,
    to_table,
    to_tfr,
)
from mne_bstinv.adapters.files import recordings_from
from mne_bstinv.adapters.recordings import noise_window
from mne_bstinv.adapters.sensors import NO_SFREQ
from mne_bstinv.conversion import Findings
from mne_bstinv.conversion_files.arguments import Arguments, one_of
from mne_bstinv.conversion_files.companions import Companions, frame_mri
from mne_bstinv.errors import ConversionError
from mne_bstinv.io.filenames import is_link

__all__ = [
    "channels",
    "continuous",
    "covariance",
    "data",
    "data_cov",
    "epochs",
    "evoked",
    "info",
    "noise_cov",
    "noise_cov_of",
    "raw",
    "raw_of_bst",
    "spectrum",
    "table",
    "tfr",
    "timefreq_of_spectrum",
    "timefreq_of_tfr",
]


def evoked(recordings: io.Recordings, c: Companions, _: Arguments) -> Any:
    """Make an average."""
    return to_evoked(recordings, c["channels"], mri=frame_mri(c["channels"], c))


def raw(recordings: io.Recordings, c: Companions, arguments: Arguments) -> Any:
    """Make a continuous recording of a link, or of an imported block."""
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


def raw_of_bst(_: io.BstFile, c: Companions, __: Arguments) -> Any:
    """Make a continuous recording."""
    return read_raw_brainstorm(c.source, channels=c["channels"])


def continuous(raw: Any, c: Companions, _: Arguments) -> Any:
    """Return a continuous recording for a target that is named as a link, or a ``.bst`` file."""
    name = c.target.stem.removeprefix("data_0raw_")
    return from_raw(raw, channels=c["channels"], continuous=True, name=name)


def epochs(recordings: io.Recordings, c: Companions, _: Arguments) -> Any:
    """Make epochs of one trial."""
    return to_epochs([recordings], c["channels"], mri=frame_mri(c["channels"], c))


def data(inst: Any, c: Companions, arguments: Arguments) -> Any:
    """Make recordings, or a continuous recording for a link."""
    if is_link(c.target):
        return continuous(inst, c, arguments)
    several = isinstance(inst, list)
    one = one_of(inst, arguments, "evoked responses") if several else inst
    channels = from_info(one.info) if c["channels"] is None else c["channels"]
    found = recordings_from(one, channels)
    return found[0] if several else one_of(found, arguments, "epochs")


def info(channels: io.Channels, c: Companions, _: Arguments) -> Any:
    """Make sensors."""
    findings = Findings()
    findings.assumed("sfreq", f"{NO_SFREQ:g} Hz: a channel file has no sampling frequency")
    findings.tell(what="channels → Info", log=False)
    return to_info(channels, sfreq=NO_SFREQ, mri=frame_mri(channels, c))


def channels(inst: Any, _: Companions, __: Arguments) -> Any:
    """Make the channel file of sensors, or of those of recordings."""
    one = inst[0] if isinstance(inst, list) else inst
    return from_info(getattr(one, "info", one))


def covariance(cov: io.NoiseCov, c: Companions, _: Arguments) -> Any:
    """Make a covariance."""
    return to_covariance(cov, c["channels"])


def noise_cov(cov: Any, c: Companions, _: Arguments) -> Any:
    """Make a noise covariance."""
    return from_covariance(cov, c["channels"])


def data_cov(cov: Any, c: Companions, _: Arguments) -> Any:
    """Make a data covariance."""
    return replace(from_covariance(cov, c["channels"]), comment="Data covariance")


def noise_cov_of(inst: Any, c: Companions, arguments: Arguments) -> Any:
    """Compute a noise covariance of recordings."""
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


def tfr(timefreq: io.TimeFreq, c: Companions, _: Arguments) -> Any:
    """Make a time–frequency map."""
    return to_tfr(timefreq, c["channels"], mri=frame_mri(c["channels"], c))


def spectrum(timefreq: io.TimeFreq, c: Companions, _: Arguments) -> Any:
    """Make a spectrum."""
    return to_spectrum(timefreq, c["channels"], mri=frame_mri(c["channels"], c))


def timefreq_of_tfr(tfr: Any, c: Companions, arguments: Arguments) -> Any:
    """Make a time–frequency map."""
    return one_of(from_tfr(tfr, channels=c["channels"]), arguments, "epochs")


def timefreq_of_spectrum(spectrum: Any, c: Companions, _: Arguments) -> Any:
    """Make a spectrum."""
    return from_spectrum(spectrum, channels=c["channels"])


def table(matrix: io.Matrix, _: Companions, __: Arguments) -> Any:
    """Make a table of signals."""
    return to_table(matrix)
