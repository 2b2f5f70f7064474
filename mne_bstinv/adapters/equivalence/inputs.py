"""A study as it is given, and what the study step makes of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np

from mne_bstinv import io
from mne_bstinv._data_types import MEG_TYPES, upper_types
from mne_bstinv._types import IntArray
from mne_bstinv.adapters.channel_names import with_mne_names
from mne_bstinv.conversion import Findings
from mne_bstinv.errors import ConversionError
from mne_bstinv.inverse.option_sets import OptionSet
from mne_bstinv.inverse.options import AnyOptions
from mne_bstinv.inverse.preparation import PreparedStudy, prepare_study
from mne_bstinv.studies import StudyData
from mne_bstinv.studies.normals import with_normals

__all__ = [
    "CommonInputs",
    "GathersStudy",
    "Study",
    "averages_of",
    "common_inputs",
    "default_data_types",
    "require_study",
]

_STRUCTURES = {
    "head_model": io.HeadModel,
    "noise_cov": io.NoiseCov,
    "channels": io.Channels,
}


class Study(Protocol):
    """The structures of one inverse, as :class:`~mne_bstinv.StudyData` holds them."""

    @property
    def name(self) -> str:
        """What the study is called."""

    @property
    def head_model(self) -> io.HeadModel:
        """Head model of all channels."""

    @property
    def noise_cov(self) -> io.NoiseCov:
        """Noise covariance of all channels."""

    @property
    def channels(self) -> io.Channels:
        """Channel file."""

    @property
    def recordings(self) -> io.Recordings | None:
        """The recordings, with their bad channels."""

    @property
    def data_cov(self) -> io.NoiseCov | None:
        """Data covariance of all channels, for ``lcmv``."""

    @property
    def cortex(self) -> io.Surface | None:
        """The cortex that the locations follow."""

    @property
    def mri(self) -> io.Mri | None:
        """The subject's MRI."""

    @property
    def files(self) -> Mapping[str, Path]:
        """The file of each structure, by the attribute's name; empty if it came from none."""


@runtime_checkable
class GathersStudy(Protocol):
    """What gathers the structures, as a :class:`~mne_bstinv.StudyCondition` does."""

    def study_data(self) -> Study:
        """Return the structures."""


@dataclass(frozen=True, kw_only=True, eq=False)
class GivenStudy:
    """The structures of an object that is no :class:`~mne_bstinv.StudyData`; see :class:`Study`."""

    name: str
    head_model: io.HeadModel
    noise_cov: io.NoiseCov
    channels: io.Channels
    recordings: io.Recordings | None = None
    data_cov: io.NoiseCov | None = None
    cortex: io.Surface | None = None
    mri: io.Mri | None = None
    files: Mapping[str, Path] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, eq=False)
class CommonInputs:
    """The structures of a study and what the study step makes of them."""

    #: With normals, where they are known.
    head_model: io.HeadModel
    prepared: PreparedStudy
    surface: io.Surface | None
    mri: io.Mri | None
    data_cov: io.NoiseCov | None
    #: 1 good, −1 bad, shape (n_all_channels,).
    channel_flag: IntArray | None


def require_study(study: object) -> Study:
    """Return the structures of a study, and refuse what is none.

    Parameters
    ----------
    study : object
        What was given: structures, or what gathers them (``study_data()``, as a StudyCondition
        does, whose other attributes are MNE's objects).

    Returns
    -------
    Study
        The structures, those that there need not be None where the object has none.

    Raises
    ------
    ConversionError
        If it lacks a structure.
    """
    if isinstance(study, GathersStudy):
        study = study.study_data()
    for name, kind in _STRUCTURES.items():
        if not isinstance(getattr(study, name, None), kind):
            raise ConversionError(
                f"The study has no {name}: give what load_study or load_sample returns, or a "
                f"StudyCondition; found {type(study).__name__}."
            )
    if isinstance(study, StudyData | GivenStudy):
        return study
    there = {f.name: getattr(study, f.name) for f in fields(GivenStudy) if hasattr(study, f.name)}
    return GivenStudy(**({"name": type(study).__name__} | there))


def default_data_types(study: Study) -> tuple[str, ...]:
    """Take MEG where there is any, else EEG.

    Parameters
    ----------
    study : Study
        The structures.

    Returns
    -------
    tuple of str
        The type.
    """
    types = set(upper_types(study.channels.types))
    return ("MEG",) if types & set(MEG_TYPES) else ("EEG",)


def common_inputs(
    study: object,
    options: AnyOptions | Mapping[str, Any] | None,
    data_types: str | Sequence[str] | None,
    good_channels: Sequence[int] | None,
    n_avg: int | None = None,
) -> CommonInputs:
    """Run the study step on the structures of a study, which it must have.

    ``good_channels`` are 0-based and take the place of ``data_types``; ``n_avg`` takes that of the
    number of averages of the recordings.
    """
    given = require_study(study)
    if data_types is None and good_channels is None:
        data_types = default_data_types(given)
    flag = None if given.recordings is None else given.recordings.channel_flag
    head_model = with_normals(given.head_model, given.cortex, Findings())
    prepared = prepare_study(
        head_model,
        given.noise_cov,
        with_mne_names(given.channels),
        channel_flag=flag,
        data_types=data_types,
        options=options,
        data_cov=given.data_cov if _is_lcmv(options) else None,
        good_channels=None if good_channels is None else np.asarray(good_channels),
        n_avg=averages_of(given) if n_avg is None else n_avg,
    )
    return CommonInputs(
        head_model=head_model,
        prepared=prepared,
        surface=given.cortex,
        mri=given.mri,
        data_cov=given.data_cov,
        channel_flag=flag,
    )


def averages_of(study: Study) -> int:
    """Return the trials that the recordings of a study are the average of.

    Parameters
    ----------
    study : Study
        The structures.

    Returns
    -------
    int
        The number; 1 without recordings.
    """
    return 1 if study.recordings is None else max(int(study.recordings.n_avg or 1), 1)


def _is_lcmv(options: Any) -> bool:
    if isinstance(options, OptionSet):
        return options.method == "lcmv"
    return str((options or {}).get("InverseMethod", "")).lower() == "lcmv"
