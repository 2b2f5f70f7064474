"""A condition with its files and Brainstorm's structures."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from mne_bstinv import io
from mne_bstinv.conversion import Findings
from mne_bstinv.errors import MissingFileError
from mne_bstinv.io.registry import of_role
from mne_bstinv.studies import StudyData
from mne_bstinv.studies.choice import NEEDED, choose_recordings, find_entry, needed
from mne_bstinv.studies.data import gather_study
from mne_bstinv.studies.placing import placing_mri, readable_cortex
from mne_bstinv.workflow.store import Store

__all__ = ["ConditionStructures"]


@dataclass(frozen=True)
class _Usable:
    """Whether an MRI can place things, or a cortex be read; its report says why not."""

    possible: bool


@dataclass(frozen=True, kw_only=True, repr=False, eq=False)
class ConditionStructures(io.Condition):
    """A condition that reads what is asked of it, once.

    Its files are those of :class:`mne_bstinv.io.Condition` (``channel_file``, ``recordings``,
    ``results`` …). Structures hold what the files hold, in SCS.
    """

    protocol: io.Protocol
    #: The subject, with the files of its anatomy.
    anatomy: io.SubjectEntry
    #: Keeps what was read; shared by the conditions of a protocol.
    store: Store

    @property
    def channels(self) -> io.Channels:
        """The channel file."""
        file = needed(self.channel_file, of_role("channels").described, self)
        return self.store.read(io.read_channels, file)

    @property
    def channels_or_none(self) -> io.Channels | None:
        """The channel file; None if there is none, as of group analyses."""
        return None if self.channel_file is None else self.channels

    def surface_of(self, stored: str | None) -> io.Surface | None:
        """Read the surface that a file names.

        Parameters
        ----------
        stored : str | None
            Its path, relative to the protocol's ``anat``.

        Returns
        -------
        Surface | None
            The surface; None if no file is named, or it does not exist.
        """
        file = io.resolve(self.protocol, stored, "anat")
        return None if file is None else self.store.read(io.read_surface, file)

    @property
    def head_model(self) -> io.HeadModel:
        """The current head model."""
        file = needed(self.head_model_file, of_role("head_model").described, self)
        return self.store.read(io.read_head_model, file)

    @property
    def noise_cov_structure(self) -> io.NoiseCov:
        """The noise covariance as Brainstorm stores it."""
        file = needed(self.noise_cov_file, of_role("noise_cov").described, self)
        return self.store.read(io.read_noise_cov, file)

    @property
    def data_cov_structure(self) -> io.NoiseCov:
        """The data covariance as Brainstorm stores it."""
        file = needed(self.data_cov_file, of_role("data_cov").described, self)
        return self.store.read(io.read_noise_cov, file)

    @property
    def mri(self) -> io.Mri | None:
        """The subject's MRI; None if there is none, or none that can be used, which is told."""
        file = self.anatomy.anatomy
        if file is None:
            return None
        possible = self._usable(file, placing_mri)
        return self.store.read(io.read_mri, file) if possible else None

    def _usable(self, file: Path, usable: Callable[..., Any]) -> bool:
        """Tell whether a file can be used; why not is found once a store, and told each time."""

        def tried() -> _Usable:
            findings = Findings()
            found = usable(file, self.store.read, findings)
            return findings.attach(_Usable(found is not None), what=file.name)

        return self.store.made_of([file], (usable.__name__,), tried).possible

    @property
    def cortex(self) -> io.Surface | None:
        """The cortex that the current head model is on, else the subject's.

        None without any, or if it cannot be read, which is told.
        """
        return self._readable(self.cortex_file)

    @property
    def subject_cortex(self) -> io.Surface | None:
        """The subject's default cortex, likewise."""
        return self._readable(self.anatomy.cortex)

    def _readable(self, file: Path | None) -> io.Surface | None:
        if file is None or not self._usable(file, readable_cortex):
            return None
        return self.store.read(io.read_surface, file)

    @property
    def cortex_file(self) -> Path | None:
        """The file of ``cortex``."""
        if self.head_model_file is None:
            return self.anatomy.cortex
        named = io.resolve(self.protocol, self.head_model.cortex_file, "anat")
        return self.anatomy.cortex if named is None else named

    def read_recordings(
        self, which: io.RecordingsEntry | str | Path | None = None
    ) -> io.Recordings:
        """Read recordings of the condition.

        Parameters
        ----------
        which : RecordingsEntry | str | Path | None
            One of ``recordings``, a file name or a comment; None for the only ones.

        Returns
        -------
        Recordings
            The recordings.

        Raises
        ------
        ProtocolError
            If it is not clear which are meant.
        """
        index = find_entry(self.recordings, which, "recordings", self)
        return self.store.read(io.read_recordings, self.recordings[index].file)

    def read_results(self, which: io.ResultsEntry | str | Path | None = None) -> io.Results:
        """Read results of the condition.

        Parameters
        ----------
        which : ResultsEntry | str | Path | None
            One of ``results``, a file name or a comment; None for the only ones.

        Returns
        -------
        Results
            The results.

        Raises
        ------
        ProtocolError
            If it is not clear which are meant.
        """
        index = find_entry(self.results, which, "results", self)
        return self.store.read(io.read_results, self.results[index].file)

    def study_data(self, recordings: io.RecordingsEntry | str | Path | None = None) -> StudyData:
        """Gather the structures that one inverse needs.

        Parameters
        ----------
        recordings : RecordingsEntry | str | Path | None
            One of ``recordings``, a file name or a comment; None for the first that are not a bad
            trial.

        Returns
        -------
        StudyData
            As :func:`mne_bstinv.load_study` returns it, for
            :func:`mne_bstinv.cross_validate`, which also takes the condition itself.

        Raises
        ------
        MissingFileError
            If there is no channel file, head model or noise covariance.
        ProtocolError
            If it is not clear which recordings are meant.
        """
        for attribute, what in NEEDED.items():
            needed(getattr(self, attribute), what, self)
        if recordings is None:
            file: Path | None = choose_recordings(self, None)
        else:
            index = find_entry(self.recordings, recordings, "recordings", self)
            file = self.recordings[index].file
        return gather_study(self, self.protocol, self.anatomy, file, read=self.store.read)

    def with_head_model(self, file: Path | None) -> Self:
        """Return the same condition with another current head model.

        Parameters
        ----------
        file : Path | None
            The head model.

        Returns
        -------
        ConditionStructures
            The condition; this one if it is the current head model already.
        """
        if file == self.head_model_file:
            return self
        return dataclasses.replace(self, head_model_file=file)

    def with_head_model_of(self, results: io.Results) -> Self:
        """Return the same condition with the head model that results name.

        Parameters
        ----------
        results : Results
            The results.

        Returns
        -------
        ConditionStructures
            The condition.

        Raises
        ------
        MissingFileError
            If the head model does not exist.
        """
        stored = results.head_model_file
        file = io.resolve(self.protocol, stored) if stored else self.head_model_file
        if stored and file is None:
            raise MissingFileError(
                f"{self.subject}/{self.name}: the results {results.comment!r} name the head model "
                f"{stored!r}, which is not in {self.protocol.data}: restore or recompute it."
            )
        return self.with_head_model(file)
