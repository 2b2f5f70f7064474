"""A study in memory: the structures that one inverse needs."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from mne_bstinv import io
from mne_bstinv._display import html_table, summary_of
from mne_bstinv.conversion import ConversionReport, Findings, conversion_report
from mne_bstinv.errors import ConversionError, UnknownNameError
from mne_bstinv.io import mat
from mne_bstinv.io.mat import PathLike
from mne_bstinv.io.result_links import is_result_link, split_link
from mne_bstinv.studies.choice import (
    check_path,
    choose_condition,
    choose_recordings,
    lone_condition,
    named_by,
    protocol_of,
    warn_of_problems,
)
from mne_bstinv.studies.files import find_file
from mne_bstinv.studies.normals import with_normals
from mne_bstinv.studies.placing import placing_mri

__all__ = ["StudyData", "load_study"]


#: The structures that there must be.
_NEEDED = {"head_model": io.HeadModel, "noise_cov": io.NoiseCov, "channels": io.Channels}


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class StudyData:
    """The structures that one inverse needs, all of the same channels.

    Raises :class:`~mne_bstinv.errors.ConversionError` if they have different numbers of channels.
    """

    #: What the study is called, such as ``'Subject01/evoked'``.
    name: str
    #: Head model of all channels.
    head_model: io.HeadModel
    #: Noise covariance of all channels.
    noise_cov: io.NoiseCov
    #: Channel file.
    channels: io.Channels
    #: The recordings to localise, with their bad channels; None if there are none.
    recordings: io.Recordings | None = None
    #: Data covariance of all channels, for ``lcmv``.
    data_cov: io.NoiseCov | None = None
    #: The cortex that the locations follow, or the subject's.
    cortex: io.Surface | None = None
    #: The subject's MRI.
    mri: io.Mri | None = None
    #: Stored results by their comment.
    results: Mapping[str, io.Results] = field(default_factory=dict)
    #: The file of each structure, by the attribute's name; empty if it came from no files.
    files: Mapping[str, Path] = field(default_factory=dict)
    #: What conversions dropped, assumed or derived, by the attribute's name.
    reports: Mapping[str, ConversionReport] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for role, kind in _NEEDED.items():
            if not isinstance(getattr(self, role), kind):
                raise ConversionError(
                    f"{self.name}: {role} must be {kind.__name__}, what read_{role} returns, found "
                    f"{type(getattr(self, role)).__name__}."
                )
        n_channels = len(self.channels)
        found = {
            "head_model": self.head_model.n_channels,
            "noise_cov": self.noise_cov.n_channels,
            "data_cov": n_channels if self.data_cov is None else self.data_cov.n_channels,
            "recordings": _rows(self.recordings, n_channels),
        }
        wrong = {role: n for role, n in found.items() if n != n_channels}
        if wrong:
            parts = ", ".join(f"{n} in {self._place(role)}" for role, n in wrong.items())
            raise ConversionError(
                f"{self.name}: {n_channels} channels in {self._place('channels')}, but {parts}: "
                "not of one study. Give structures that were computed with the same channel file."
            )

    def __repr__(self) -> str:
        model = self.head_model
        parts = [
            self.name,
            f"{len(self.channels)} channels",
            f"{model.n_sources} locations ({model.kind})",
            "no recordings" if self.recordings is None else repr(self.recordings.comment),
            f"{len(self.results)} results",
        ]
        return f"<{type(self).__name__} | {', '.join(parts)}>"

    def _repr_html_(self) -> str:
        rows = []
        for role in _STRUCTURES:
            structure = getattr(self, role)
            if structure is not None:
                file = self.files[role].name if role in self.files else ""
                rows.append((role, summary_of(structure), file))
        rows.append(("results", "; ".join(self.results) or "none", ""))
        return html_table(rows, title=repr(self))

    def _place(self, role: str) -> str:
        return f"{role} ({self.files[role]})" if role in self.files else role


#: Attributes of a study that are structures, in the order they are shown.
_STRUCTURES = (
    "head_model",
    "noise_cov",
    "data_cov",
    "channels",
    "recordings",
    "cortex",
    "mri",
)


def load_study(
    path: PathLike,
    *,
    recordings: PathLike | None = None,
    subject: str | None = None,
    condition: str | None = None,
) -> StudyData:
    """Read what one inverse needs from a Brainstorm protocol.

    Parameters
    ----------
    path : path-like
        The folder of a condition, any folder above it up to the protocol's, or one of its
        recordings or results files. A folder outside of any protocol must hold all files itself.
    recordings : path-like | None
        Which recordings: a file name, a path, or a part of the comment. ``None`` takes those that
        ``path`` names, else the first that are not a bad trial.
    subject, condition : str | None
        Names, where ``path`` leaves several.

    Returns
    -------
    StudyData
        The structures with the raw values of the files; ``name`` is ``'Subject/Condition'``.
        ``results`` are the stored results of these recordings and the shared kernels; each is
        read when it is first used. Where several have one comment, the later ones are called
        ``'comment | file name'``.

    Raises
    ------
    MissingFileError
        If ``path`` does not exist.
    ProtocolError
        If no condition, or more than one, has a channel file, head model and noise covariance;
        or ``recordings`` fits none, or several. The message lists the choices.
    ConversionError
        If the structures have different numbers of channels.
    MatFileError
        If a file is damaged.
    SchemaError
        If a file does not hold what its name says.

    Notes
    -----
    The head model is the one that a given results file names, else the current one of the
    condition. A surface head model without GridOrient takes the normals of its surface
    (VertNormals, or computed from the triangles), as Brainstorm does; that is in
    ``reports['head_model']``.
    """
    place = None  # a shared kernel is in another folder than its recordings
    if is_result_link(path):
        path, place = split_link(path)
        recordings = place if recordings is None else recordings
    path = Path(path)
    check_path(path)
    protocol = protocol_of(path)
    chosen = (
        lone_condition(path, subject, condition)
        if protocol is None
        else choose_condition(protocol, place or path, subject, condition)
    )
    if protocol is not None:
        warn_of_problems(protocol, chosen)
    named = None
    if path.is_file() and io.file_kind(path.name) == "results":
        head_model_file, named = named_by(path, protocol, chosen)
        chosen = dataclasses.replace(chosen, head_model_file=head_model_file)
    elif path.is_file():
        named = path
    wanted = recordings if recordings is not None else named
    recordings_file = choose_recordings(chosen, None if wanted is None else str(wanted))
    entry = None if protocol is None else protocol.subject(chosen.subject)
    return gather_study(chosen, protocol, entry, recordings_file)


def gather_study(
    chosen: io.Condition,
    protocol: io.Protocol | None,
    subject: io.SubjectEntry | None,
    recordings_file: Path | None,
    *,
    read: Callable[[Callable[[Path], Any], Path], Any] = lambda reader, file: reader(file),
) -> StudyData:
    """Read the files of a condition that has a channel file, head model and noise covariance.

    The head model is the condition's current one, the cortex the one that it names, else the
    subject's. ``read`` reads a file with the reader that it is given, and may keep what was
    read.
    """
    found = {
        "head_model": chosen.head_model_file,
        "noise_cov": chosen.noise_cov_file,
        "data_cov": chosen.data_cov_file,
        "channels": chosen.channel_file,
        "recordings": recordings_file,
        "mri": None if subject is None else subject.anatomy,
    }
    files = {role: file for role, file in found.items() if file is not None}
    head_model = read(io.read_head_model, files["head_model"])
    cortex_file = find_file(head_model.cortex_file, chosen.folder, protocol, "anat")
    if cortex_file is None and subject is not None:
        cortex_file = subject.cortex
    if cortex_file is not None:
        files["cortex"] = cortex_file
    cortex = None if cortex_file is None else read(io.read_surface, cortex_file)
    findings = Findings()
    head_model = with_normals(head_model, cortex, findings)
    if head_model.grid_orient is None and head_model.kind == "surface":
        findings.dropped(
            "GridOrient",
            f"It is empty, and the surface {head_model.surface_file!r} was not found or has its "
            "vertices elsewhere: no constrained orientations.",
        )
    report = conversion_report(findings.attach(head_model, what="head model"))
    recordings, data_cov = (files.get(role) for role in ("recordings", "data_cov"))
    without = Findings()
    mri = placing_mri(files.get("mri"), read, without)
    without.tell(what="MRI")
    reports = {"head_model": report, "mri": without.report}
    return StudyData(
        name="/".join(part for part in (chosen.subject, chosen.name) if part),
        head_model=head_model,
        noise_cov=read(io.read_noise_cov, files["noise_cov"]),
        channels=read(io.read_channels, files["channels"]),
        recordings=None if recordings is None else read(io.read_recordings, recordings),
        data_cov=None if data_cov is None else read(io.read_noise_cov, data_cov),
        cortex=cortex,
        mri=mri,
        results=_StoredResults(
            entry.file
            for entry in chosen.results
            if entry.shared or (recordings is not None and entry.data_file == recordings)
        ),
        files=files,
        reports={name: one for name, one in reports.items() if len(one)},
    )


def _rows(recordings: io.Recordings | None, otherwise: int) -> int:
    """Return the number of channels of recordings, where they tell."""
    if recordings is None:
        return otherwise
    if recordings.f is not None:
        return int(recordings.f.shape[0])
    return otherwise if recordings.channel_flag is None else len(recordings.channel_flag)


class _StoredResults(Mapping[str, io.Results]):
    """Results files by their comment; a large one is read only when it is asked for."""

    def __init__(self, files: Iterator[Path]) -> None:
        self._files: dict[str, Path] = {}
        self._read: dict[str, io.Results] = {}
        for file in files:
            comment = mat.text_of(file, "Comment") or file.stem
            self._files[comment if comment not in self._files else f"{comment} | {file.name}"] = (
                file
            )

    def __getitem__(self, comment: str) -> io.Results:
        if comment not in self._files:
            raise UnknownNameError(self._unknown(comment))
        if comment not in self._read:
            self._read[comment] = io.read_results(self._files[comment])
        return self._read[comment]

    def __contains__(self, comment: object) -> bool:
        return comment in self._files

    def _unknown(self, comment: object) -> str:
        """Say which results there are, and which of them may be meant."""
        if not self._files:
            return f"No results {comment!r}: the study has none of these recordings."
        parts = [name for name in self._files if str(comment).casefold() in name.casefold()]
        near = parts or get_close_matches(str(comment), self._files, n=3)
        meant = f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
        return f"No results {comment!r}.{meant} There are: {'; '.join(self._files)}."

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)

    def __repr__(self) -> str:
        return f"<results | {'; '.join(self) or 'none'}>"
