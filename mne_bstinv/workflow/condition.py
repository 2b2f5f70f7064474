"""A condition with its files, Brainstorm's structures and MNE's objects."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mne_bstinv import io
from mne_bstinv._data_types import MEG_TYPES, data_types_of, upper_types
from mne_bstinv._types import FloatArray
from mne_bstinv.conversion import Findings
from mne_bstinv.errors import BstInvError, MissingFileError
from mne_bstinv.inverse.options import AnyOptions
from mne_bstinv.io.filenames import is_average, is_continuous
from mne_bstinv.io.processing import derivation_of
from mne_bstinv.io.result_links import is_result_link
from mne_bstinv.studies.normals import SAME_PLACE
from mne_bstinv.workflow.structures import ConditionStructures
from mne_bstinv.workflow.summary import condition_html, condition_text

if TYPE_CHECKING:
    from mne_bstinv.adapters import LabelList

__all__ = ["StudyCondition"]

#: Types of channels that an inverse takes unless it is told otherwise.
_INVERSE_TYPES = (*MEG_TYPES, "EEG")


@dataclass(frozen=True, kw_only=True, repr=False, eq=False)
class StudyCondition(ConditionStructures):
    """A condition that reads and converts what is asked of it, once.

    Its files are those of :class:`mne_bstinv.io.Condition` (``channel_file``, ``recordings``,
    ``results`` …). Structures hold what the files hold, in SCS; MNE's objects are in MNE's head
    frame, and their reports (:func:`mne_bstinv.conversion_report`) say what was lost.
    """

    #: Name of the subject in MNE.
    mne_subject: str

    def __str__(self) -> str:
        return condition_text(self)

    def _repr_html_(self) -> str:
        return condition_html(self)

    @cached_property
    def info(self) -> Any:
        """The sensors (:class:`mne.Info`); bad channels are a matter of each recording."""
        for entry in self.recordings:
            try:
                recordings = self.store.read(io.read_recordings, entry.file)
            except BstInvError:  # reading it itself says what is wrong
                continue
            if recordings.f is not None:
                return self.info_of(recordings)
            if recordings.link is not None and recordings.link.sfreq is not None:
                return self._info(recordings.link.sfreq)
        from mne_bstinv.adapters.sensors import NO_SFREQ

        return self._info(NO_SFREQ)

    @cached_property
    def trans(self) -> Any:
        """The transform from head to MRI (:class:`mne.Transform`)."""
        from mne_bstinv.adapters import to_trans

        return to_trans(self.channels, self.mri)

    @cached_property
    def src(self) -> Any:
        """The locations of the current head model (:class:`mne.SourceSpaces`)."""
        from mne_bstinv.adapters import to_source_spaces

        files = (self.head_model_file, self.cortex_file, self.anatomy.anatomy, self.channel_file)
        return self.store.made_of(
            files,
            ("src", self.mne_subject),
            lambda: to_source_spaces(
                self.head_model,
                self.cortex,
                self.mri,
                channels=self.channels,
                subject=self.mne_subject,
            ),
        )

    @cached_property
    def forward(self) -> Any:
        """The current head model (:class:`mne.Forward`)."""
        from mne_bstinv.adapters import to_forward

        return self._forward_by(to_forward)

    def forward_for_file(self) -> Any:
        """Convert the current head model to be written, and for nothing else; it is not kept.

        Returns
        -------
        mne.Forward
            As ``forward``, with a gain that is turned when it is written.
        """
        from mne_bstinv.adapters.sources import to_lazy_forward

        return self._forward_by(to_lazy_forward)

    def _forward_by(self, convert: Callable[..., Any]) -> Any:
        return convert(
            self.head_model,
            self.channels,
            surface=self.cortex,
            mri=self.mri,
            info=self.info,
            src=self.src,
        )

    @cached_property
    def noise_cov(self) -> Any:
        """The noise covariance (:class:`mne.Covariance`)."""
        from mne_bstinv.adapters import to_covariance

        return to_covariance(self.noise_cov_structure, self.channels)

    @cached_property
    def data_cov(self) -> Any:
        """The data covariance (:class:`mne.Covariance`)."""
        from mne_bstinv.adapters import to_covariance

        return to_covariance(self.data_cov_structure, self.channels)

    @cached_property
    def evokeds(self) -> list[Any]:
        """The averages that are not marked as bad (list of :class:`mne.Evoked`)."""
        files = self._segments(averages=True)
        return [self.evoked_of(self.store.read(io.read_recordings, file)) for file in files]

    @cached_property
    def epochs(self) -> Any:
        """The trials that are not marked as bad (:class:`mne.Epochs`); None without any."""
        trials = [io.read_recordings(file) for file in self._segments(averages=False)]
        return self.epochs_of(trials) if trials else None

    def _segments(self, *, averages: bool) -> list[Path]:
        """Return the averages or the trials that are not marked as bad."""
        good = [e.file for e in self.recordings if not e.bad and not is_continuous(e.file)]
        return [file for file in good if is_average(file) is averages]

    @cached_property
    def raws(self) -> list[Any]:
        """The continuous recordings, and blocks imported of some, that are not marked as bad.

        Each is a :class:`mne.io.Raw`; see :func:`mne_bstinv.read_raw_brainstorm`.
        """
        return [
            self.raw_of(entry.file)
            for entry in self.recordings
            if not entry.bad and is_continuous(entry.file)
        ]

    @cached_property
    def labels(self) -> LabelList:
        """The scouts of the cortex's current atlas (list of :class:`mne.Label`)."""
        from mne_bstinv.adapters import to_labels

        if self.cortex is None:
            raise MissingFileError(f"{self.subject}: no cortex (tess_cortex*.mat), so no scouts.")
        return to_labels(
            self.cortex, subject=self.mne_subject, channels=self.channels, mri=self.mri
        )

    def inverse_operator(
        self,
        options: io.Results
        | io.ResultsEntry
        | str
        | Path
        | AnyOptions
        | Mapping[str, Any]
        | None = None,
        *,
        data_types: str | Sequence[str] | None = None,
    ) -> Any:
        """Make an inverse operator that gives Brainstorm's estimates.

        Parameters
        ----------
        options : Results | ResultsEntry | str | Path | InverseOptions | InverseOptions2009 | \
    InverseOptions2016 | mapping | None
            Options as for :func:`mne_bstinv.compute_kernel`, for the current head model and the
            good channels and averages of the first recordings. Or results, by their structure,
            entry, file name or comment: their options, head model and channels.
        data_types : str | sequence of str | None
            Types of the channels to use with options; None takes ``DataTypes`` of the options,
            else all MEG and EEG channels.

        Returns
        -------
        mne.minimum_norm.InverseOperator
            See :func:`mne_bstinv.to_inverse_operator`.

        Raises
        ------
        ConversionError
            If the options ask for no minimum norm.
        MissingFileError
            If a file that it takes is missing.
        """
        if isinstance(options, io.ResultsEntry | str | Path):
            options = self.read_results(options)
        if isinstance(options, io.Results):
            return self.with_head_model_of(options)._operator_of(options)
        types = data_types or _listed_types(options) or self._types()
        given: dict[str, Any] = {}
        if self.recordings:
            first = self.store.read(io.read_recordings, self.recordings[0].file)
            given = {"channel_flag": first.channel_flag, "n_avg": max(first.n_avg, 1)}
        return self._operator(options, data_types=types, **given)

    def source_estimate(
        self,
        results: io.Results | io.ResultsEntry | str | Path | None = None,
        recordings: io.Recordings | io.RecordingsEntry | str | Path | None = None,
        *,
        scale_leff: bool = False,
    ) -> Any:
        """Convert results to a source estimate.

        Parameters
        ----------
        results : Results | ResultsEntry | str | Path | None
            Results by their structure, entry, file name, comment or ``link|results|data``; None for
            the only ones.
        recordings : Recordings | RecordingsEntry | str | Path | None
            The recordings that a kernel is applied to, likewise; None for those it names, else
            the only ones of the condition.
        scale_leff : bool
            As for :func:`mne_bstinv.to_source_estimate`.

        Returns
        -------
        mne.SourceEstimate
            See :func:`mne_bstinv.to_source_estimate`.

        Raises
        ------
        ProtocolError
            If it is not clear which results or recordings are meant.
        ConversionError
            If they do not belong together.
        """
        from mne_bstinv.adapters import to_source_estimate

        if isinstance(results, str | Path) and is_result_link(results):
            recordings = str(results) if recordings is None else recordings
        if not isinstance(results, io.Results):
            results = self.read_results(results)
        if not isinstance(recordings, io.Recordings) and results.imaging_kernel is not None:
            recordings = self.read_recordings(recordings or _named_recordings(results))
        if not isinstance(recordings, io.Recordings):
            recordings = None
        common: dict[str, Any] = {
            "channels": self.channels_or_none,
            "mri": self.mri,
            "scale_leff": scale_leff,
        }
        if self._is_elsewhere(results):
            cortex = self._cortex_of(results)
            surface = None if cortex is None else self.store.read(io.read_surface, cortex)
            return to_source_estimate(
                results, recordings, self.mne_subject, surface=surface, **common
            )
        model = self.with_head_model_of(results)
        return to_source_estimate(
            results,
            recordings,
            self.mne_subject,
            surface=model.cortex,
            head_model=model.head_model,
            src=model.src,
            **common,
        )

    def _is_elsewhere(self, results: io.Results) -> bool:
        """Tell whether a map says where it is, and not at the locations of its head model.

        Maps that were projected keep the name of the head model that they were computed with;
        averages over subjects may name none, one that is gone, or one of other sensors.
        """
        on_grid = results.head_model_type in ("volume", "mixed")
        cortex = self._cortex_of(results)
        if cortex is None and results.head_model_type != "volume":
            return False
        if results.grid_loc is None and on_grid:
            return False
        stored = results.head_model_file
        file = io.resolve(self.protocol, stored) if stored else self.head_model_file
        if file is None or self.channel_file is None:
            return results.imaging_kernel is None or derivation_of(results) is not None
        model = self.with_head_model(file)
        if results.grid_loc is not None and on_grid:
            return not _same_places(model.head_model.grid_loc, results.grid_loc)
        return model.cortex_file != cortex

    def _cortex_of(self, results: io.Results) -> Path | None:
        """Return the cortex that results name; None for volumes, and where it is not there."""
        if results.head_model_type == "volume" or not results.surface_file:
            return None
        return io.resolve(self.protocol, results.surface_file, "anat")

    # the parts of these

    def info_of(self, recordings: io.Recordings) -> Any:
        """Make the sensors at the sampling rate of recordings.

        Parameters
        ----------
        recordings : Recordings
            The recordings.

        Returns
        -------
        mne.Info
            The sensors, none bad.
        """
        from mne_bstinv.adapters.recordings import sampling_frequency

        found = recordings.time if recordings.f is None else recordings.f[0]
        n_times = 0 if found is None else len(found)
        return self._info(sampling_frequency(recordings.time, n_times, None, Findings()))

    def raw_of(self, file: Path, raw_dir: Path | None = None) -> Any:
        """Read a link to a continuous file, or a block imported of one.

        Parameters
        ----------
        file : Path
            The recordings.
        raw_dir : Path | None
            A folder in which the file of a link may be.

        Returns
        -------
        mne.io.Raw
            See :func:`mne_bstinv.read_raw_brainstorm`.
        """
        from mne_bstinv.adapters import read_raw_brainstorm

        return read_raw_brainstorm(file, raw_dir=raw_dir, channels=self.channels, mri=self.mri)

    def evoked_of(self, recordings: io.Recordings) -> Any:
        """Convert an average.

        Parameters
        ----------
        recordings : Recordings
            The average.

        Returns
        -------
        mne.Evoked
            See :func:`mne_bstinv.to_evoked`.
        """
        from mne_bstinv.adapters import to_evoked

        info = self.info_of(recordings)
        return to_evoked(recordings, self.channels, info=info, mri=self.mri)

    def epochs_of(self, trials: Sequence[io.Recordings]) -> Any:
        """Convert trials of the same times.

        Parameters
        ----------
        trials : sequence of Recordings
            The trials.

        Returns
        -------
        mne.EpochsArray
            See :func:`mne_bstinv.to_epochs`.
        """
        from mne_bstinv.adapters import to_epochs

        return to_epochs(trials, self.channels, info=self.info_of(trials[0]), mri=self.mri)

    def _info(self, sfreq: float) -> Any:
        from mne_bstinv.adapters import to_info

        files = (self.channel_file, self.anatomy.anatomy)
        return self.store.made_of(
            files,
            ("info", sfreq),
            lambda: to_info(self.channels, sfreq=sfreq, mri=self.mri),
        )

    def _operator_of(self, results: io.Results) -> Any:
        from mne_bstinv.adapters.operators import operator_of_results

        return operator_of_results(results, *self._ingredients(), **self._places())

    def _operator(self, options: AnyOptions | Mapping[str, Any] | None, **channels: Any) -> Any:
        from mne_bstinv.adapters import to_inverse_operator

        return to_inverse_operator(*self._ingredients(), options, **self._places(), **channels)

    def _ingredients(self) -> tuple[io.HeadModel, io.NoiseCov, io.Channels]:
        return self.head_model, self.noise_cov_structure, self.channels

    def _places(self) -> dict[str, Any]:
        """Return what says where its sources and sensors are, beside the files themselves."""
        return {
            "surface": self.cortex,
            "mri": self.mri,
            "subject": self.mne_subject,
            "info": self.info,
            "src": self.src,
        }

    def _types(self) -> tuple[str, ...]:
        present = dict.fromkeys(upper_types(self.channels.types))
        return tuple(kind for kind in present if kind in _INVERSE_TYPES)


def _listed_types(options: Any) -> tuple[str, ...]:
    return data_types_of(options) if isinstance(options, Mapping) else ()


def _same_places(one: FloatArray, other: FloatArray) -> bool:
    """Tell whether two grids (m, 3) have the same locations, m."""
    return one.shape == other.shape and np.allclose(one, other, rtol=0, atol=SAME_PLACE)


def _named_recordings(results: io.Results) -> Path | None:
    return Path(results.data_file.replace("\\", "/")) if results.data_file else None
