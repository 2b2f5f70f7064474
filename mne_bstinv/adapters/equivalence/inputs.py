"""A study as it is given, and what the study step makes of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mne_bstinv import io
from mne_bstinv._data_types import MEG_TYPES
from mne_bstinv.conversion import Findings
from mne_bstinv.errors import ConversionError
from mne_bstinv.inverse.options import InverseOptions
from mne_bstinv.inverse.preparation import PreparedStudy, prepare_study
from mne_bstinv.studies.normals import with_normals

__all__ = ["CommonInputs", "common_inputs", "default_data_types", "require_study", "upper_types"]

_STRUCTURES = {
    "head_model": io.HeadModel,
    "noise_cov": io.NoiseCov,
    "channels": io.Channels,
}


@dataclass(frozen=True, kw_only=True, eq=False)
class CommonInputs:
    """The structures of a study and what the study step makes of them."""

    head_model: io.HeadModel
    prepared: PreparedStudy
    surface: io.Surface | None
    mri: io.Mri | None
    data_cov: io.NoiseCov | None
    channel_flag: NDArray[Any] | None


def require_study(study: Any) -> Any:
    """Return the structures of a study, and refuse what is none.

    Parameters
    ----------
    study : object
        What was given: structures, or what gathers them (``study_data()``, as a StudyCondition
        does, whose other attributes are MNE's objects).

    Returns
    -------
    StudyData | SampleStudy
        The structures.

    Raises
    ------
    ConversionError
        If it lacks a structure.
    """
    if hasattr(study, "study_data"):
        study = study.study_data()
    for name in ("head_model", "noise_cov", "channels"):
        if not isinstance(getattr(study, name, None), _STRUCTURES[name]):
            raise ConversionError(
                f"The study has no {name}: give what load_study or load_sample returns, or a "
                f"StudyCondition; found {type(study).__name__}."
            )
    return study


def default_data_types(study: Any) -> tuple[str, ...]:
    """Take MEG where there is any, else EEG.

    Parameters
    ----------
    study : StudyData | SampleStudy
        The structures.

    Returns
    -------
    tuple of str
        The type.
    """
    types = {t.strip().upper() for t in study.channels.types}
    return ("MEG",) if types & set(MEG_TYPES) else ("EEG",)


def upper_types(data_types: str | Sequence[str]) -> tuple[str, ...]:
    """Write data types as Brainstorm does.

    Parameters
    ----------
    data_types : str | sequence of str
        Types in any case.

    Returns
    -------
    tuple of str
        The types; what is no text is left for the study step to refuse.
    """
    given = (data_types,) if isinstance(data_types, str) else tuple(data_types)
    return tuple(t.strip().upper() if isinstance(t, str) else t for t in given)


def common_inputs(
    study: Any,
    options: InverseOptions | Mapping[str, Any] | None,
    data_types: str | Sequence[str] | None,
    good_channels: Sequence[int] | None,
) -> CommonInputs:
    """Run the study step on the structures of a study, which it must have.

    ``good_channels`` are 0-based and take the place of ``data_types``.
    """
    study = require_study(study)
    if data_types is None and good_channels is None:
        data_types = default_data_types(study)
    surface = getattr(study, "cortex", None)
    recordings = getattr(study, "recordings", None)
    flag = None if recordings is None else recordings.channel_flag
    data_cov = getattr(study, "data_cov", None)
    head_model = with_normals(study.head_model, surface, Findings())
    prepared = prepare_study(
        head_model,
        study.noise_cov,
        study.channels,
        channel_flag=flag,
        data_types=data_types,
        options=options,
        data_cov=data_cov if _is_lcmv(options) else None,
        good_channels=None if good_channels is None else np.asarray(good_channels),
    )
    return CommonInputs(
        head_model=head_model,
        prepared=prepared,
        surface=surface,
        mri=getattr(study, "mri", None),
        data_cov=data_cov,
        channel_flag=flag,
    )


def _is_lcmv(options: Any) -> bool:
    if isinstance(options, InverseOptions):
        return options.method == "lcmv"
    return str((options or {}).get("InverseMethod", "")).lower() == "lcmv"
