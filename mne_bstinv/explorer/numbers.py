"""What the page computes from: gain along the normals, noise covariance, data, the cortex."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mne_bstinv._display import Displayed
from mne_bstinv._types import AnyArray, FloatArray
from mne_bstinv.adapters.equivalence import default_data_types
from mne_bstinv.errors import ConversionError, SchemaError
from mne_bstinv.inverse import InverseOptions
from mne_bstinv.inverse.orientation import unit_normals
from mne_bstinv.inverse.preparation import prepare_study
from mne_bstinv.studies import StudyData

__all__ = ["Truth", "numbers_of_page"]


@dataclass(frozen=True, kw_only=True)
class Truth(Displayed):
    """A source that is known, as in simulated data.

    Parameters
    ----------
    name : str
        What to call it.
    time : float
        Its latency, in s.
    vertex : int
        0-based location.
    """

    name: str
    time: float
    vertex: int


def numbers_of_page(
    study: StudyData, data_types: str | Sequence[str] | None, truth: Sequence[Truth]
) -> dict[str, Any]:
    """Collect what the page computes from, ready for JSON.

    Gain (n_channels, n_sources), covariance and data are in units of a power of two near the noise
    of each sensor type: whitening does not see it, and the rank rule not either.
    """
    if not isinstance(study, StudyData):
        raise ConversionError(
            f"study must be what load_study returns, found {type(study).__name__}."
        )
    recordings = study.recordings
    if recordings is None:
        reason = "none chosen, expected some to invert: bad trials are taken when they are named."
        raise SchemaError(study.name, [f"recordings: {reason}"])
    if study.head_model.head_model_type != "surface" or study.cortex is None:
        without = "" if study.cortex is not None else " without a cortex"
        raise SchemaError(
            str(study.files.get("head_model", study.name)),
            [
                "HeadModelType: the explorer shows a cortex, expected a surface head model and its "
                f"cortex, found {study.head_model.head_model_type!r}{without}."
            ],
        )
    prepared = prepare_study(
        study.head_model,
        study.noise_cov,
        study.channels,
        channel_flag=recordings.channel_flag,
        data_types=default_data_types(study) if data_types is None else data_types,
        options=InverseOptions(measure="amplitude", source_orient="fixed"),
    )
    (region,) = prepared.regions
    columns = region.gain.array.reshape(region.gain.n_channels, -1, 3)
    gain = np.einsum("nmx,mx->nm", columns, unit_normals(region.grid_orient, prepared.n_sources))
    types = np.array(prepared.channel_types)
    assert prepared.noise is not None
    unit = _units(prepared.noise.cov, types)
    data = np.asarray(recordings.f)[prepared.channel_indices]
    return {
        "types": [str(kind) for kind in types],
        "n": len(types),
        "m": prepared.n_sources,
        "gain": _packed(gain / unit[:, None], np.float32),
        "power": _packed((columns**2).sum(axis=(0, 2)), np.float64),
        "cov": _packed(prepared.noise.cov / np.outer(unit, unit), np.float64),
        "data": _packed(data / unit[:, None], np.float64),
        "times": [float(time) for time in np.asarray(recordings.time)],
        "vertices": _packed(np.asarray(study.cortex.vertices), np.float32),
        "faces": _packed(np.asarray(study.cortex.faces) - 1, np.uint32),
        "truth": [{"name": one.name, "time": one.time, "vertex": int(one.vertex)} for one in truth],
        "title": recordings.comment,
    }


def _units(cov: FloatArray, types: AnyArray) -> FloatArray:
    """Return for each channel the power of two nearest to the noise of its type."""
    unit = np.ones(len(types))
    for kind in np.unique(types):
        own = types == kind
        std = np.sqrt(np.diag(cov)[own].mean())
        unit[own] = 2.0 ** np.round(np.log2(std)) if std > 0 else 1.0
    return unit


def _packed(array: AnyArray, dtype: Any) -> str:
    """Write an array as base64 of its little-endian bytes, row by row."""
    data = np.ascontiguousarray(array, dtype=np.dtype(dtype).newbyteorder("<"))
    return base64.b64encode(data.tobytes()).decode("ascii")
