"""Continuous recordings of Brainstorm as a Raw: links, ``.bst`` files, imported blocks."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import mne
import numpy as np
from mne.utils import verbose

from mne_bstinv import io
from mne_bstinv._types import FloatArray, IntArray, Verbose
from mne_bstinv.adapters._mne_private import unlocked
from mne_bstinv.adapters.channel_names import match_channel_names
from mne_bstinv.adapters.kept import keep
from mne_bstinv.adapters.recordings.epoched import events_in_one, is_epoched
from mne_bstinv.adapters.recordings.events import Clock, annotate, in_mne, noted, occurrences
from mne_bstinv.adapters.recordings.file_rows import rows_in_file
from mne_bstinv.adapters.recordings.formats import check_format
from mne_bstinv.adapters.recordings.occasion import set_device, set_moment
from mne_bstinv.adapters.recordings.to_mne import to_raw_array
from mne_bstinv.adapters.sensors import set_grade, to_info
from mne_bstinv.conversion import Findings, attach_with_parts, converts
from mne_bstinv.errors import ConversionError, MissingFileError, OverwriteError
from mne_bstinv.io.linked import find_linked, folder_of_originals
from mne_bstinv.io.mat import PathLike
from mne_bstinv.studies.files import Studies

__all__ = ["RawBrainstorm", "read_raw_brainstorm"]
#: Two sampling rates that differ by less (fraction) are the same.
_SAME_RATE = 1e-6

#: Entries of an Info that a channel file has no place for, taken from the original file.
_OF_THE_FILE = (
    "meas_date", "subject_info", "experimenter", "line_freq", "highpass", "lowpass", "acq_pars",
    "acq_stim", "device_info", "gantry_angle", "helium_info", "hpi_meas", "hpi_results",
    "hpi_subsystem", "kit_system_id", "proj_id", "proj_name", "utc_offset",
)  # fmt: skip


class Source(Protocol):
    """What a :class:`RawBrainstorm` reads its samples from."""

    def read_into(self, out: FloatArray, start: int, channels: IntArray) -> None:
        """Read samples from ``start`` on, counted from 0, of some channels, into (n, n_times)."""


class MneSource:
    """A file that MNE reads."""

    def __init__(self, raw: Any) -> None:
        self._raw = raw

    def read_into(self, out: FloatArray, start: int, channels: IntArray) -> None:
        """Read samples of some channels into (n_channels, n_times)."""
        out[:] = self._raw[channels.tolist(), start : start + out.shape[1]][0]


class RawBrainstorm(mne.io.BaseRaw):  # type: ignore[misc]
    """A continuous recording of Brainstorm; made by :func:`read_raw_brainstorm`.

    Parameters
    ----------
    fname : path-like
        A link, or a ``.bst`` file.
    preload : bool | str
        As in :func:`read_raw_brainstorm`.
    raw_dir : path-like | None
        As in :func:`read_raw_brainstorm`.
    channels : Channels | path-like | None
        As in :func:`read_raw_brainstorm`.
    mri : Mri | None
        As in :func:`read_raw_brainstorm`.
    verbose : bool | str | int | None
        Control verbosity of the logging output.
    """

    #: What MNE finds on a Raw beside its own attributes: the report of the conversion.
    _extra_attributes = ("_bstinv_report",)

    @verbose
    def __init__(
        self,
        fname: PathLike,
        preload: Any = False,
        raw_dir: PathLike | None = None,
        channels: io.Channels | PathLike | None = None,
        mri: io.Mri | None = None,
        verbose: Verbose = None,
    ) -> None:
        path, findings = Path(fname).absolute(), Findings()
        if path.suffix.lower() == ".bst" or path.is_dir():
            file = _open_bst(path, channels, findings)
        else:
            file = _open_link(path, channels, folder_of_originals(raw_dir), findings)
        _check_buffer(preload, path, file.path)
        kept, rows = rows_in_file(file.channels, file.names, file.path, findings)
        info = _info(file, kept, mri, findings)
        first = round(file.clock.start * file.clock.sfreq)
        super().__init__(
            info,
            preload=preload,
            filenames=[file.path],
            first_samps=[first],
            last_samps=[first + file.clock.n - 1],
            raw_extras=[{"source": file.source, "rows": rows, "first": first}],
            orig_format=file.stored,
            verbose=verbose,
        )
        found = in_mne(occurrences(file.events, findings), file.channels)
        self.set_annotations(annotate(found, file.clock, self.ch_names, findings))
        keep(
            findings,
            annotations=noted(self.annotations),
            events=tuple(file.events),
            clock=file.clock,
            link=file.link,
            original=str(file.path),
            channel_names=tuple(info["ch_names"]),
        )
        attach_with_parts(findings, self, [info], what=f"{path.name} → Raw")

    @contextmanager
    def telling(self, tell: Callable[[int], None]) -> Iterator[None]:
        """Tell how many bytes (as of single precision) are read, while they are.

        Parameters
        ----------
        tell : callable
            Is told the bytes of each piece.

        Yields
        ------
        None
            While it is told.
        """
        for extras in self._raw_extras:
            extras["tell"] = tell
        try:
            yield
        finally:
            for extras in self._raw_extras:
                del extras["tell"]

    def _read_segment(
        self, start: int = 0, stop: Any = None, sel: Any = None, buffer: Any = None, **given: Any
    ) -> Any:
        """Read samples [start, stop), counted from 0, of some channels; called by MNE.

        Its own memory would be filled with zeros first, a fourth of the time of reading (tried:
        1.9 and 1.13).
        """
        buffer = given.pop("data_buffer", buffer)
        if buffer is None:
            end = self.n_times if stop is None else min(int(stop), self.n_times)
            n_channels = len(self.ch_names) if sel is None else len(sel)
            buffer = np.empty((n_channels, max(end - int(start), 0)))
        return super()._read_segment(start, stop, sel, buffer, **given)

    def _read_segment_file(
        self, data: Any, idx: Any, fi: int, start: int, stop: int, cals: Any, mult: Any
    ) -> None:
        """Read samples [start, stop), counted as ``first_samp`` is; called by MNE."""
        extras = self._raw_extras[fi]
        picked = np.arange(len(extras["rows"]))[idx]
        if "tell" in extras:
            extras["tell"](4 * len(picked) * (stop - start))
        source, rows = extras["source"], extras["rows"][picked]
        if mult is not None:
            samples = np.empty((len(rows), stop - start))
            source.read_into(samples, start - extras["first"], rows)
            data[:] = mult @ samples
            return
        source.read_into(data, start - extras["first"], rows)
        if np.any(cals != 1):
            data *= cals


@converts
@verbose
def read_raw_brainstorm(
    fname: PathLike,
    *,
    preload: Any = False,
    raw_dir: PathLike | None = None,
    channels: io.Channels | PathLike | None = None,
    mri: io.Mri | None = None,
    verbose: Verbose = None,
) -> Any:
    """Read a continuous recording of Brainstorm.

    Parameters
    ----------
    fname : path-like
        A link (``data_0raw_*.mat``), a file of Brainstorm's own format (``.bst``), or recordings
        imported as a block (``data_block*.mat``).
    preload : bool | str
        Whether to load the samples; a path is that of a file to keep them in. Else they are read
        when they are asked for.
    raw_dir : path-like | None
        A folder in which the file of a link is, if it is not beside the link: searched before the
        place that the link names and the folders around the link.
    channels : Channels | path-like | None
        Channel file. ``None`` takes that of the link's condition; of a ``.bst`` file, what its
        header says.
    mri : Mri | None
        MRI of the subject, for its fiducials where the channel file has none.
    verbose : bool | str | int | None
        Control verbosity of the logging output.

    Returns
    -------
    mne.io.Raw
        The recording. Samples are those of the file; projectors are not applied (Brainstorm
        applies them when it reads), nor is the compensation of CTF data; events are annotations,
        at Brainstorm's samples; ``first_samp`` counts as Brainstorm does.

    Raises
    ------
    MissingFileError
        If a file is not found; the message lists the places that were searched.
    RecordingFileError
        If a ``.bst`` file is damaged or changed, or MNE cannot read an original file.
    ConversionError
        If MNE has no reader for a format, or the file has other channels than the channel file.
    MatFileError, SchemaError
        If the link or the channel file is damaged.

    Notes
    -----
    What Brainstorm knows goes over what the original file says: names, types and positions of
    channels, bad channels, projectors, events.
    """
    try:
        return RawBrainstorm(fname, preload=preload, raw_dir=raw_dir, channels=channels, mri=mri)
    except _NoLinkError as block:
        given = _channels(channels) or _channels_beside(Path(fname))
        return to_raw_array(block.recordings, given, mri=mri)


class _NoLinkError(ConversionError):
    """Recordings that were imported, where a link was expected."""

    def __init__(self, path: Path, recordings: io.Recordings) -> None:
        super().__init__(f"{path}: imported recordings, a link (data_0raw_*.mat) expected.")
        self.recordings = recordings


def _check_buffer(preload: Any, *inputs: Path) -> None:
    """Refuse to keep samples in a file that is read, or in a folder that is not there."""
    if isinstance(preload, bool) or preload is None:
        return
    buffer = Path(preload).absolute()
    if not buffer.parent.is_dir():
        raise MissingFileError(f"{buffer.parent}: no such folder, for preload={str(preload)!r}.")
    if any(buffer.exists() and buffer.samefile(file) for file in inputs):
        raise OverwriteError(
            f"{buffer}: the recording itself found, another file expected to keep its samples in "
            f"(preload={str(preload)!r}). Give a new path."
        )


def _channels(given: io.Channels | PathLike | None) -> io.Channels | None:
    return given if given is None or isinstance(given, io.Channels) else io.read_channels(given)


def _channels_beside(path: Path) -> io.Channels:
    """Return the channel file of the condition that recordings are in."""
    beside = sorted(path.parent.glob("channel*.mat"))
    found = beside[0] if len(beside) == 1 else Studies().of(path).channel_file
    if found is None:
        raise MissingFileError(
            f"{path.parent}: no channel file (channel*.mat) of {path.name} there, nor in the "
            "protocol. Give it (channels=)."
        )
    return io.read_channels(found)


class _Opened(NamedTuple):
    """A file that was opened, and what Brainstorm says of it."""

    source: Source
    #: Channels of the file.
    names: Sequence[str]
    clock: Clock
    #: CTF compensation of the samples; None if it is not of CTF.
    grade: int | None
    #: The Info of the original file; None if it has none.
    info: Any
    #: How the file holds its samples, as MNE calls it.
    stored: str
    path: Path
    channels: io.Channels
    flag: IntArray | None
    events: Sequence[io.Event]
    #: Time stamp of 0 s; empty if unknown.
    t0: str
    device: str | None
    link: io.Recordings | None = None


def _open_bst(path: Path, channels: io.Channels | PathLike | None, findings: Findings) -> _Opened:
    """Open a ``.bst`` file: what its header says counts, but for given channels."""
    opened = io.open_bst(path)
    for note in opened.notes:
        findings.assumed("events", note)
    header = opened.header
    return _Opened(
        source=opened,
        names=header.channels.names,
        clock=Clock(header.first_sample / header.sfreq, header.sfreq, header.n_samples),
        grade=header.ctf_comp,
        info=None,
        stored="single",
        path=path,
        channels=_channels(channels) or header.channels,
        flag=header.channel_flag,
        events=header.events,
        t0=header.t0,
        device=header.device,
    )


def _open_link(
    path: Path,
    channels: io.Channels | PathLike | None,
    raw_dir: Path | None,
    findings: Findings,
) -> _Opened:
    """Open the file of a link: what the link and its channel file say counts."""
    recordings = io.read_recordings(path)
    link = recordings.link
    if link is None:
        raise _NoLinkError(path, recordings)
    given = _channels(channels) or _channels_beside(path)
    kind = check_format(link, path)
    linked = find_linked(link, path, raw_dir)
    if kind is None:
        file = _open_bst(linked, given, findings)
    else:
        file = _opened_mne(kind.open(linked), linked, given)
    clock = _agreed(link, file.clock, path, findings)
    flags = [f for f in (recordings.channel_flag, link.channel_flag, file.flag) if f is not None]
    if flags and len(flags[0]) != len(given):
        raise ConversionError(
            f"{path}: ChannelFlag has {len(flags[0])} values, expected one for each of the "
            f"{len(given)} channels of the channel file. Take both from one condition."
        )
    return file._replace(
        clock=clock,
        flag=next(iter(flags), None),
        events=events_in_one(link, clock, findings),
        t0=link.t0 if isinstance(link.t0, str) and link.t0 else file.t0,
        device=recordings.device or file.device,
        link=recordings,
    )


def _opened_mne(raw: Any, path: Path, channels: io.Channels) -> _Opened:
    sfreq = float(raw.info["sfreq"])
    return _Opened(
        source=MneSource(raw),
        names=raw.ch_names,
        clock=Clock(raw.first_samp / sfreq, sfreq, raw.n_times),
        grade=raw.compensation_grade,
        info=raw.info,
        stored=raw.orig_format,
        path=path,
        channels=channels,
        flag=None,
        events=(),
        t0="",
        device=None,
    )


def _agreed(link: io.Link, clock: Clock, path: Path, findings: Findings) -> Clock:
    """Return the samples of the file, which begin where the link says."""
    if link.sfreq is not None and abs(link.sfreq - clock.sfreq) > _SAME_RATE * clock.sfreq:
        raise ConversionError(
            f"{path}: F.prop.sfreq is {link.sfreq:g} Hz, the file has {clock.sfreq:g} Hz: not the "
            "file that was linked, or it was changed. Link it again in Brainstorm."
        )
    if is_epoched(link):
        return clock
    if link.samples is None:
        findings.assumed("F.prop", "says no times: those of the file are taken")
        return clock
    first, last = link.samples
    if last - first + 1 != clock.n:
        findings.assumed(
            "F.prop.times", f"{last - first + 1} samples by the link, {clock.n} in the file"
        )
    return clock._replace(start=first / clock.sfreq)


def _info(file: _Opened, kept: list[int], mri: io.Mri | None, findings: Findings) -> Any:
    """Return the Info of the channels that are kept."""
    channels, flag = file.channels, file.flag
    if len(kept) < len(channels):
        flag = flag[kept] if flag is not None and len(flag) == len(channels) else flag
        chosen = tuple(channels.channels[i] for i in kept)
        channels = dataclasses.replace(channels, channels=chosen)
    info = to_info(channels, sfreq=file.clock.sfreq, channel_flag=flag, mri=mri)
    _complete(info, file, findings)
    return info


def _complete(info: Any, file: _Opened, findings: Findings) -> None:
    """Add to an Info what the file knows and the channel file has no place for, in place."""
    with unlocked(info):
        for name in _OF_THE_FILE if file.info is not None else ():
            if file.info.get(name) is not None:
                info[name] = file.info[name]
        if file.info is not None and file.info["comps"] and file.grade is not None:
            _take_compensation(info, file.info, findings)
        if file.grade is not None and info["comps"]:
            set_grade(info, file.grade)
    set_moment(info, file.t0, findings)
    set_device(info, file.device)


def _take_compensation(info: Any, original: Any, findings: Findings) -> None:
    """Take the compensations of the file, of all grades, by the names of the channel file."""
    names = info["ch_names"]
    comps = []
    for comp in original["comps"]:
        data = dict(comp["data"])
        try:
            rows = [names[i] for i in match_channel_names(data["row_names"], names)]
            columns = [names[i] for i in match_channel_names(data["col_names"], names)]
        except ConversionError:
            continue
        data |= {"row_names": rows, "col_names": columns}
        comps.append({**comp, "data": data})
    if comps:
        info["comps"] = comps
        findings.derived("info['comps']", "the compensations of the original file, of all grades")
