"""A Raw as a continuous recording of Brainstorm: a ``.bst`` file and the link to it."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mne
import numpy as np
from mne.utils import verbose
from tqdm import tqdm

from mne_bstinv import io
from mne_bstinv._display import Displayed
from mne_bstinv._temporary import check_folder_of, check_target
from mne_bstinv._types import FloatArray, Verbose
from mne_bstinv.adapters._mne_private import unlocked
from mne_bstinv.adapters.kept import kept_of
from mne_bstinv.adapters.recordings.events import Clock, occurrences_of
from mne_bstinv.adapters.recordings.from_mne import (
    events_from,
    imported_from_raw,
    linked_events,
)
from mne_bstinv.adapters.recordings.occasion import device_of, t0_of
from mne_bstinv.adapters.recordings.samples import flags_of, layout_of
from mne_bstinv.adapters.sensors import from_info, grade_of, set_grade
from mne_bstinv.conversion import Findings, carry, conversion_report, converts
from mne_bstinv.errors import OptionError
from mne_bstinv.io.bst import cut_name, default_block, link_to, put_header
from mne_bstinv.io.mat import PathLike
from mne_bstinv.io.sampling import sample_numbers
from mne_bstinv.io.text import history_row

__all__ = ["ContinuousRecording", "from_raw", "structure_of"]

#: Numbers that are read at once (32 MB in double precision).
_AT_ONCE = 4 * 2**20
#: The compensation that Brainstorm brings about when it reads.
_THIRD_ORDER = 3
#: Bytes of a channel name in a ``.bst`` file.
_NAME = 20


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ContinuousRecording(Displayed):
    """A continuous recording that is ready to be written for Brainstorm.

    Parameters
    ----------
    name : str
        Its name; its condition is ``'@raw'`` and this.
    channels : Channels
        Its channel file.
    header : BstHeader
        What the ``.bst`` file says of the samples.
    recordings : Recordings
        The link (``data_0raw_*.mat``).
    read : callable
        Returns samples [start, stop), counted from 0: (n_channels, stop − start), T, T/m or V.
    """

    name: str
    channels: io.Channels
    header: io.BstHeader
    recordings: io.Recordings
    read: Callable[[int, int], FloatArray]

    @property
    def condition(self) -> str:
        """Name of its condition."""
        return f"@raw{self.name}"

    @property
    def file_name(self) -> str:
        """Name of its ``.bst`` file."""
        return f"{self.name}.bst"

    @property
    def link_name(self) -> str:
        """Name of its link."""
        return f"data_0raw_{self.name}.mat"

    def write(self, folder: PathLike, *, overwrite: bool = False) -> Path:
        """Write the condition: channel file, link and samples, complete or not at all.

        Parameters
        ----------
        folder : path-like
            Folder of the subject (``data/Subject01`` of a protocol), which gets a folder
            ``@raw<name>``. Load the subject again in Brainstorm to see it there.
        overwrite : bool
            Replace files of these names.

        Returns
        -------
        pathlib.Path
            The link.

        Raises
        ------
        MissingFileError
            If the folder does not exist.
        OverwriteError
            If a file exists and ``overwrite`` is False.
        RecordingFileError, MatFileError
            If a file cannot be written.
        """
        place = Path(folder) / self.condition
        check_folder_of(place)
        new = not place.exists()
        place.mkdir(exist_ok=True)
        try:
            self.write_samples(place / self.file_name, overwrite=overwrite)
            io.write_channels(place / "channel.mat", self.channels, overwrite=overwrite)
            day = history_row("", "")[0].split()[0]
            study = io.Study(name=self.condition, date_of_study=day)
            io.write_study(place / "brainstormstudy.mat", study, overwrite=overwrite)
            io.write_recordings(place / self.link_name, self.recordings, overwrite=overwrite)
        except BaseException:
            if new:
                for file in place.iterdir():
                    file.unlink()
                place.rmdir()
            raise
        return place / self.link_name

    def write_as(self, fname: PathLike, *, overwrite: bool = False) -> tuple[Path, ...]:
        """Write the recording under a name of one's own.

        Parameters
        ----------
        fname : path-like
            A ``.bst`` file, which is all that is written then; or a link (``data_0raw_*.mat``),
            beside which the ``.bst`` file is, and a channel file if there is none.
        overwrite : bool
            Replace files of these names.

        Returns
        -------
        tuple of pathlib.Path
            The files.

        Raises
        ------
        OverwriteError
            If a file exists and ``overwrite`` is False.
        RecordingFileError, MatFileError
            If a file cannot be written.
        """
        path = Path(fname)
        if path.suffix.lower() == ".bst":
            self.write_samples(path, overwrite=overwrite)
            return (path,)
        check_target(path, overwrite=overwrite)
        samples, channel_file = path.with_name(self.file_name), path.with_name("channel.mat")
        self.write_samples(samples, overwrite=overwrite)
        has_channels = any(path.parent.glob("channel*.mat"))
        if not has_channels:
            io.write_channels(channel_file, self.channels)
        io.write_recordings(path, self.recordings, overwrite=overwrite)
        return (path, samples) if has_channels else (path, samples, channel_file)

    def write_samples(self, fname: PathLike, *, overwrite: bool = False) -> None:
        """Write the ``.bst`` file, a piece at a time.

        Parameters
        ----------
        fname : path-like
            The file.
        overwrite : bool
            Replace an existing file.

        Raises
        ------
        MissingFileError
            If the folder does not exist.
        OverwriteError
            If the file exists and ``overwrite`` is False.
        RecordingFileError
            If a sample is beyond single precision, or the file cannot be written.
        """
        n, n_channels = self.header.n_samples, len(self.channels)
        blocks = max(1, _AT_ONCE // (self.header.block * n_channels))
        size = blocks * self.header.block
        with (
            io.BstWriter(fname, self.header, overwrite=overwrite) as writer,
            tqdm(
                total=self.header.n_bytes, unit="B", unit_scale=True, disable=None, leave=False
            ) as bar,
        ):
            for start in range(0, n, size):
                stop = min(start + size, n)
                writer.write(self.read(start, stop))
                bar.update(4 * (stop - start) * n_channels)
        self._tell(writer.notes)

    def _tell(self, notes: Sequence[str]) -> None:
        """Add what turned out while the samples were written to the report."""
        report, findings = conversion_report(self), Findings()
        findings.include(report)
        known = {finding.reason for finding in report}
        for note in notes:
            if note not in known:
                findings.dropped(self.file_name, note)
        findings.attach(self, what="Raw → continuous recording", log=False)

    def _summary(self) -> str:
        return f"{self.condition}, {self.header!r}"


@converts
@verbose
def from_raw(
    raw: mne.io.BaseRaw,
    *,
    channels: io.Channels | None = None,
    continuous: bool = False,
    name: str | None = None,
    verbose: Verbose = None,
) -> io.Recordings | ContinuousRecording:
    """Convert a Raw to recordings of Brainstorm: imported, or a continuous file.

    Parameters
    ----------
    raw : mne.io.Raw
        The recording.
    channels : Channels | None
        Channel file of the study, as in :func:`from_evoked`.
    continuous : bool
        Whether it stays continuous: a ``.bst`` file in Brainstorm's own format and the link to
        it. False makes one block of imported recordings of it, all samples in memory.
    name : str | None
        Name of the continuous recording; ``None`` takes that of its file.
    verbose : bool | str | int | None
        Control verbosity of the logging output.

    Returns
    -------
    Recordings | ContinuousRecording
        The recordings, annotations as events. Time counts as the samples of the acquisition do: it
        starts at ``raw.first_time``. A continuous recording is written by its ``write``, its
        samples in single precision, a piece at a time.

    Raises
    ------
    ConversionError
        If a channel is not in the channel file; the message lists them.

    Notes
    -----
    Brainstorm cannot read a ``.bst`` file with an event that never occurs: such events are left
    out. CTF data that are not compensated yet are so when Brainstorm reads them.
    """
    if not continuous:
        if name is not None:
            raise OptionError("name: of continuous recordings only. Leave it out.")
        return imported_from_raw(raw, channels)
    findings, report = Findings(), conversion_report(raw)
    structure, grade = structure_of(raw, findings)
    complete = structure if channels is None else channels
    layout = layout_of(raw.ch_names, complete, report, findings)
    header, events = _header(raw, complete, grade, flags_of(layout, raw, None, None), findings)
    name = _valid(name or _name_of(raw))
    head, notes = put_header(header)
    for note in notes:
        findings.dropped(f"{name}.bst", note)
    link = dataclasses.replace(link_to(header, f"{name}.bst", len(head)), events=events)
    assert link.prop is not None
    recordings = io.Recordings(
        link=link,
        comment="Link to raw file",
        channel_flag=header.channel_flag,
        time=link.prop.times,
        data_type="raw",
        device=header.device or None,
        leff=1.0,
        history=(history_row("import", f"Link to raw file: {name}.bst, from MNE-Python"),),
    )

    def read(start: int, stop: int) -> FloatArray:
        return layout.fill(raw[:, start:stop][0])

    return findings.attach(
        ContinuousRecording(
            name=name, channels=complete, header=header, recordings=recordings, read=read
        ),
        what="Raw → continuous recording",
    )


def structure_of(raw: Any, findings: Findings) -> tuple[io.Channels, int]:
    """Return the channel file of a Raw, in its order, and the compensation (0 to 3) in use.

    It has the coefficients that compensate the Raw if it is not compensated.
    """
    info, grade = carry(raw.info.copy(), conversion_report(raw)), grade_of(raw.info)
    info["bads"] = []  # these, the date and the system are in the link
    info.set_meas_date(None)
    with unlocked(info):
        info["device_info"] = None
    kinds = {comp["kind"] for comp in info["comps"]}
    if not grade and _THIRD_ORDER in kinds:
        set_grade(info, _THIRD_ORDER)
        findings.derived(
            "info['comps']",
            "Brainstorm compensates to the third-order gradient when it reads (MegRefCoef)",
        )
    elif grade in (1, 2):
        findings.assumed(
            "info['comps']",
            f"compensated to order {grade}: told as compensated (3), since Brainstorm would "
            "compensate again",
        )
        grade = _THIRD_ORDER
    return from_info(info), grade


def _header(
    raw: Any, channels: io.Channels, grade: int, flag: Any, findings: Findings
) -> tuple[io.BstHeader, tuple[io.Event, ...]]:
    """Return the header with the numbers that its file will hold, and the exact events."""
    sfreq = float(np.float32(raw.info["sfreq"]))
    if sfreq != raw.info["sfreq"]:
        findings.assumed("sfreq", f"{raw.info['sfreq']} Hz is {sfreq} Hz in single precision")
    start = _start(raw.first_samp, sfreq)
    first = int(sample_numbers(start, sfreq))
    if first != raw.first_samp:
        findings.assumed(
            "first_samp",
            f"the recording begins at sample {first}, not {raw.first_samp}: its time has single "
            "precision in the file",
        )
    events = _events(raw, Clock(first / sfreq, sfreq, raw.n_times), findings)
    stored = tuple(_stored(event, sfreq, findings) for event in events)
    header = io.BstHeader(
        sfreq=sfreq,
        start=start,
        n_samples=raw.n_times,
        block=default_block(sfreq),
        channels=_cut(channels, findings),
        channel_flag=flag,
        events=tuple(event for event in stored if event.n_occurrences),
        device=device_of(raw.info),
        t0=t0_of(raw.info),
        ctf_comp=grade,
    )
    return header, events


def _start(first: int, sfreq: float) -> float:
    """Return the single-precision time (s) that Brainstorm takes for a sample, if there is one."""
    start = np.float32(first / sfreq)
    for near in (start, np.nextafter(start, np.float32(np.inf)), np.nextafter(start, -np.inf,
                 dtype=np.float32)):  # fmt: skip
        if int(sample_numbers(float(near), sfreq)) == first:
            return float(near)
    return float(start)


def _events(raw: Any, clock: Clock, findings: Findings) -> tuple[io.Event, ...]:
    """Return the events at the times of the file: at samples, if the rate is not the same."""
    report = conversion_report(raw)
    first_time, sfreq = float(raw.first_time), float(raw.info["sfreq"])
    found = occurrences_of(raw.annotations, first_time, clock.start)
    original = linked_events(raw, report)
    if original is not None and kept_of(report)["clock"] == clock:
        return events_from(original, report, raw.annotations, found, findings)
    placed = []
    for occurrence in found:
        onset = occurrence.onset - clock.start  # from the first sample
        begin, end = (round(t * sfreq) / clock.sfreq for t in (onset, onset + occurrence.duration))
        placed.append(
            occurrence._replace(onset=clock.start + begin, duration=max(end - begin, 0.0))
        )
    return events_from(None, report, raw.annotations, placed, findings)


def _stored(event: io.Event, sfreq: float, findings: Findings) -> io.Event:
    """Return an event with what the ``.bst`` file can hold of it; say where samples differ."""
    if event.times is None:
        return event
    single = event.times.astype(np.float32).astype(np.float64)
    moved = np.abs(sample_numbers(single, sfreq) - sample_numbers(event.times, sfreq)).max()
    if moved:
        findings.assumed(
            "Events",
            f"{event.label}: up to {moved} samples off in the .bst file, which holds times in "
            "single precision; exact in the link",
        )
    channels = event.channels and tuple(
        tuple(cut_name(name) for name in names) for names in event.channels
    )
    return dataclasses.replace(event, channels=channels)


def _cut(channels: io.Channels, findings: Findings) -> io.Channels:
    """Return channels as a ``.bst`` file holds them: with names of 20 bytes, which differ."""
    taken: set[str] = set()
    renamed = []
    for channel in channels.channels:
        name, number = cut_name(channel.name), 1
        while name in taken:
            number += 1
            ending = f"~{number}"
            name = cut_name(channel.name)[: _NAME - len(ending)] + ending
        taken.add(name)
        renamed.append(channel if name == channel.name else dataclasses.replace(channel, name=name))
    changed = [
        f"{before.name!r} → {after.name!r}"
        for before, after in zip(channels.channels, renamed, strict=True)
        if before.name != after.name
    ]
    if changed:
        findings.assumed(
            "Channel.Name",
            f"cut to {_NAME} bytes in the .bst file, whole in the channel file: "
            f"{', '.join(changed)}",
        )
    scs = channels.scs
    if scs is not None and scs.has_fiducials and scs.r is None:
        # the points are in SCS already; the format wants the transform, too
        scs = dataclasses.replace(scs, r=np.eye(3), t=np.zeros(3), origin=np.zeros(3))
    return dataclasses.replace(channels, channels=tuple(renamed), scs=scs)


def _name_of(raw: Any) -> str:
    """Return the name of the file of a Raw."""
    files: Sequence[Any] = [file for file in raw.filenames if file]
    stem = Path(files[0]).name.split(".")[0] if files else ""
    return re.sub(r"[-_](raw|meg|eeg)$", "", stem) or "raw"


def _valid(name: str) -> str:
    """Return a name without what names of folders and files cannot hold."""
    return re.sub(r"[^A-Za-z0-9_.+-]+", "_", name).strip("._") or "raw"
