"""Which conversion an object of MNE takes, for code that does not import MNE itself."""

from __future__ import annotations

from typing import Any

import mne
from mne.io.constants import FIFF

from mne_bstinv import io
from mne_bstinv.adapters._recordings_back import from_epochs, from_evoked, from_raw
from mne_bstinv.errors import ConversionError

__all__ = ["in_mri_frame", "kind_of", "recordings_from"]

#: Classes of MNE → what :func:`~mne_bstinv.adapters.files.mne_kind` calls them.
_KINDS: tuple[tuple[Any, str], ...] = (
    (mne.Evoked, "evoked"),
    (mne.BaseEpochs, "epochs"),
    (mne.io.BaseRaw, "raw"),
    (mne.Forward, "forward"),
    (mne.Covariance, "covariance"),
    (mne.SourceSpaces, "source spaces"),
    (mne.Transform, "trans"),
    (mne.minimum_norm.InverseOperator, "inverse operator"),
    (mne.Info, "info"),
    ((mne.Label, mne.BiHemiLabel), "labels"),
    (
        (
            mne.SourceEstimate,
            mne.VectorSourceEstimate,
            mne.VolSourceEstimate,
            mne.VolVectorSourceEstimate,
            mne.MixedSourceEstimate,
            mne.MixedVectorSourceEstimate,
        ),
        "source estimate",
    ),
)


def kind_of(value: Any) -> str | None:
    """Tell what an object of MNE is.

    Parameters
    ----------
    value : object
        Any object.

    Returns
    -------
    str or None
        The kind, in the words of :func:`~mne_bstinv.adapters.files.mne_kind`; None if it is no
        object of MNE that can be converted.
    """
    return next((kind for cls, kind in _KINDS if isinstance(value, cls)), None)


def in_mri_frame(src: Any) -> bool:
    """Tell whether source spaces are in the MRI frame, and need the transform to head.

    Parameters
    ----------
    src : mne.SourceSpaces
        Source spaces.

    Returns
    -------
    bool
        Whether any is.
    """
    return any(int(part["coord_frame"]) == FIFF.FIFFV_COORD_MRI for part in src)


def recordings_from(inst: Any, channels: io.Channels) -> list[io.Recordings]:
    """Convert an Evoked, Epochs or a Raw to recordings.

    Parameters
    ----------
    inst : mne.Evoked | mne.Epochs | mne.io.Raw
        The data.
    channels : Channels
        Channel file of the study.

    Returns
    -------
    list of Recordings
        One, but for epochs: one a trial.

    Raises
    ------
    ConversionError
        If it is none of these, or has channels that the channel file lacks.
    """
    kind = kind_of(inst)
    if kind == "epochs":
        return from_epochs(inst, channels=channels)
    if kind == "evoked":
        return [from_evoked(inst, channels=channels)]
    if kind == "raw":
        return [from_raw(inst, channels=channels)]
    raise ConversionError(
        f"Recordings must be Evoked, Epochs, Raw or Recordings, found {type(inst).__name__}."
    )
