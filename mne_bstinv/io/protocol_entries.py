"""What a protocol holds: subjects, conditions, recordings and results."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from mne_bstinv._display import Displayed, few, summary_of
from mne_bstinv.errors import ProtocolError
from mne_bstinv.io.stored_paths import spelled_as

__all__ = [
    "Condition",
    "Protocol",
    "RecordingsEntry",
    "ResultsEntry",
    "SubjectEntry",
    "choices",
    "no_such",
]


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class RecordingsEntry(Displayed):
    """A recordings file of a condition."""

    file: Path
    #: Whether the study marks it as a bad trial.
    bad: bool = False

    def _summary(self) -> str:
        return self.file.name + (", bad" if self.bad else "")


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class ResultsEntry(Displayed):
    """A results file that holds for one recording, or for several."""

    file: Path
    #: Its recordings; None for a shared kernel and for maps that are of no recordings (averages,
    #: maps projected to another cortex), or if the file it names does not exist.
    data_file: Path | None = None
    #: Whether it is a kernel for all recordings that use the channel file of its folder.
    shared: bool = False
    #: ``link|results|data`` of a shared kernel with each recording of the condition.
    links: tuple[str, ...] = ()

    def _summary(self) -> str:
        return self.file.name + (", shared" if self.shared else "")


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class Condition(Displayed):
    """A condition of a subject, with the files that hold for its recordings."""

    #: Name of the subject.
    subject: str
    name: str
    folder: Path
    channel_file: Path | None = None
    #: The current head model.
    head_model_file: Path | None = None
    #: All head models, in name order.
    head_model_files: tuple[Path, ...] = ()
    noise_cov_file: Path | None = None
    data_cov_file: Path | None = None
    recordings: tuple[RecordingsEntry, ...] = ()
    results: tuple[ResultsEntry, ...] = ()
    #: Signals, dipoles, time–frequency maps and tests, in name order.
    derived: tuple[Path, ...] = ()
    #: What else is in its folder: files of no known kind, or of one that belongs elsewhere.
    other_files: tuple[Path, ...] = ()

    def _summary(self) -> str:
        derived = f", {len(self.derived)} derived" if self.derived else ""
        return (
            f"{self.subject}/{self.name}, {len(self.recordings)} recordings, "
            f"{len(self.results)} results{derived}"
        )


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class SubjectEntry(Displayed):
    """A subject with its anatomy (its own, or the default one) and its conditions."""

    name: str
    #: Folder of the conditions (it may not exist).
    folder: Path
    #: The MRI.
    anatomy: Path | None = None
    cortex: Path | None = None
    scalp: Path | None = None
    inner_skull: Path | None = None
    outer_skull: Path | None = None
    #: What else is in its folder of the anatomy: other surfaces and volumes, fibers, anything.
    other_files: tuple[Path, ...] = ()
    use_default_anat: int = 0
    use_default_channel: int = 0
    conditions: tuple[Condition, ...] = ()

    def _summary(self) -> str:
        return f"{self.name}: {_listed([c.name for c in self.conditions]) or 'no condition'}"


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class Protocol(Displayed):
    """A protocol on disk."""

    root: Path
    anat: Path
    data: Path
    name: str
    subjects: tuple[SubjectEntry, ...] = ()
    #: The default anatomy, which subjects may use and group analyses are on; None if there is none.
    default_anatomy: SubjectEntry | None = None
    #: What could not be read or found, one sentence each.
    problems: tuple[str, ...] = ()
    #: Folders that cannot be listed: what is in them is in none of the lists.
    unlisted: tuple[Path, ...] = ()

    def _summary(self) -> str:
        listed = _listed([summary_of(subject) for subject in self.subjects], "; ")
        return f"{self.name}, {listed or 'no subject'}"

    def _table(self) -> tuple[Sequence[str], Iterable[Sequence[str]]]:
        return ("subject", "condition", "recordings", "results"), [
            (subject.name, c.name, str(len(c.recordings)), str(len(c.results)))
            for subject in self.subjects
            for c in subject.conditions
        ]

    def subject(self, name: str) -> SubjectEntry:
        """Return a subject.

        Parameters
        ----------
        name : str
            Its name.

        Returns
        -------
        SubjectEntry
            The subject.

        Raises
        ------
        ProtocolError
            If there is none of that name.
        """
        wanted = spelled_as(name, (subject.name for subject in self.subjects))
        for subject in self.subjects:
            if subject.name == wanted:
                return subject
        known = (subject.name for subject in self.subjects)
        raise no_such(self.root, f"subject {name!r}", known)

    def condition(self, subject: str, condition: str) -> Condition:
        """Return a condition.

        Parameters
        ----------
        subject : str
            Name of the subject.
        condition : str
            Name of the condition.

        Returns
        -------
        Condition
            The condition.

        Raises
        ------
        ProtocolError
            If there is none of that name.
        """
        conditions = self.subject(subject).conditions
        wanted = spelled_as(condition, (entry.name for entry in conditions))
        for entry in conditions:
            if entry.name == wanted:
                return entry
        known = (entry.name for entry in conditions)
        raise no_such(self.root, f"condition {condition!r} of {subject!r}", known)


def no_such(where: Path | str, what: str, known: Iterable[str]) -> ProtocolError:
    """Return the error for what a protocol does not have, which lists what it has of the kind."""
    return ProtocolError(f"{where}: no {what}; {choices(known)}.")


def choices(known: Iterable[str]) -> str:
    """List the names that may be asked for."""
    names = few(map(repr, sorted(set(known))))
    return f"choose one of: {names}" if names else "there is none at all"


def _listed(names: Sequence[str], separator: str = ", ") -> str:
    """Join the first three names, and count the others."""
    more = [f"{len(names) - 3} more"] if len(names) > 3 else []
    return separator.join([*names[:3], *more])
