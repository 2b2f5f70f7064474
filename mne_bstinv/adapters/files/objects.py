"""Which conversion an object of MNE takes, for code that does not import MNE itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import mne
import numpy as np
from mne.io.constants import FIFF

from mne_bstinv import io
from mne_bstinv._types import FloatArray
from mne_bstinv.adapters._mne_private import unchecked
from mne_bstinv.adapters.channel_names import is_available
from mne_bstinv.adapters.recordings import from_epochs, from_evoked, from_raw
from mne_bstinv.conversion import Findings
from mne_bstinv.errors import ConversionError
from mne_bstinv.frames import transform_points

__all__ = [
    "converted",
    "distance_of_trans",
    "in_mri_frame",
    "info_of",
    "kind_of",
    "of_channels",
    "recordings_from",
]

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
    (mne.Dipole, "dipole"),
    ((mne.time_frequency.AverageTFR, mne.time_frequency.EpochsTFR), "tfr"),
    (mne.time_frequency.Spectrum, "spectrum"),
    (mne.SourceMorph, "morph"),
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


def info_of(value: Any) -> Any:
    """Return the Info of an object of MNE, itself if it is one; None without."""
    if isinstance(value, mne.Info):
        return value
    found = value.get("info") if isinstance(value, dict) else getattr(value, "info", None)
    return found if isinstance(found, mne.Info) else None


@contextmanager
def converted(value: Any) -> Iterator[None]:
    """Let MNE take the sensors of objects as they are: the conversions here have checked them.

    Parameters
    ----------
    value : object
        An object of MNE that a conversion of this package made, or a list of such.

    Yields
    ------
    None
        Inside, MNE does not check them again.
    """
    infos = map(info_of, value if type(value) is list else [value])
    with ExitStack() as stack:
        for info in filter(None, infos):
            stack.enter_context(unchecked(info))
        yield


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


def distance_of_trans(one: Any, other: Any) -> float:
    """Return how far two transforms between head and MRI are apart, at the surface of a head.

    Parameters
    ----------
    one, other : mne.Transform
        Transforms between head and MRI, each in either direction.

    Returns
    -------
    float
        Largest distance (m) of where they put six points, 0.1 m from the origin of the head frame.
    """
    points = 0.1 * np.vstack([np.eye(3), -np.eye(3)])
    placed = [transform_points(_head_to_mri(trans), points) for trans in (one, other)]
    return float(np.linalg.norm(placed[0] - placed[1], axis=1).max())


def _head_to_mri(trans: Any) -> FloatArray:
    matrix = np.asarray(trans["trans"], dtype=np.float64)
    if int(trans["from"]) == FIFF.FIFFV_COORD_HEAD:
        return matrix
    inverse: FloatArray = np.linalg.inv(matrix)
    return inverse


def of_channels(inst: Any, channels: io.Channels, what: str, findings: Findings) -> Any:
    """Restrict an object to the channels of a study, as MNE-Python does where it combines them.

    Parameters
    ----------
    inst : mne.Covariance | mne.Forward | mne.Evoked | mne.Epochs | mne.io.Raw
        The object.
    channels : Channels
        Channel file of the study.
    what : str
        What it is, for the report.
    findings : Findings
        Where to report the channels that were left out.

    Returns
    -------
    object
        The same object if all its channels are in the channel file, or none of them; else a copy
        with those that are.
    """
    kind = kind_of(inst)
    names = inst["sol"]["row_names"] if kind == "forward" else inst.ch_names
    kept = [name for name in names if is_available(name, channels.names)]
    if not kept or len(kept) == len(names):
        return inst
    left = ", ".join(name for name in names if name not in kept)
    findings.dropped(what, f"channels that the study does not have: {left}")
    if kind == "forward":
        return mne.pick_channels_forward(inst, kept, ordered=True)
    if kind == "covariance":
        return mne.pick_channels_cov(inst, kept, ordered=True)
    return inst.copy().pick(kept)


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
        One, but for epochs: one per trial.

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
