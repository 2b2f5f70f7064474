"""Signal-space projectors of a channel file as one operator."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from mne_bstinv.errors import InverseError
from mne_bstinv.inverse._types import FloatArray

__all__ = ["ProjectorLike", "projection_operator"]

#: Singular values below this fraction of the largest end the list of SSP vectors.
_SSP_TOLERANCE = 0.01
#: Entries of the SSP vectors below this are rounding noise.
_SSP_ZERO = 1e-15


class ProjectorLike(Protocol):
    """What is needed of one entry of a channel file's projector list."""

    @property
    def kind(self) -> str:
        """``'ssp'``, ``'ica'`` or ``'operator'``."""

    @property
    def components(self) -> FloatArray:
        """Vectors (n_channels, k), or the operator itself (n_channels, n_channels)."""

    @property
    def comp_mask(self) -> FloatArray | None:
        """Which of the k components to remove."""

    @property
    def status(self) -> int:
        """0 ignored, 1 applied on the fly, 2 already applied in the file."""


def projection_operator(projectors: Sequence[ProjectorLike], n_channels: int) -> FloatArray | None:
    """Multiply the active projectors into one operator.

    Parameters
    ----------
    projectors : sequence of ProjectorLike
        Entries in the order of the channel file. Those with status 0, or with a mask that
        selects nothing, are ignored. All SSP vectors are re-orthogonalised together, at the
        place of the first SSP entry. Later entries stand on the left of the product.
    n_channels : int
        Number of channels of the file.

    Returns
    -------
    array, shape (n_channels, n_channels) | None
        P, or ``None`` where nothing is active.

    Raises
    ------
    InverseError
        If a projector is not of ``n_channels`` channels.
    """
    active = [p for p in projectors if p.status in (1, 2) and _selects(p)]
    for number, projector in enumerate(projectors, start=1):
        rows = np.shape(projector.components)[0] if np.size(projector.components) else n_channels
        if rows != n_channels:
            raise InverseError(
                f"Projector {number} has {rows} channels, the channel file {n_channels}."
            )
    ssp = [p for p in active if p.kind == "ssp"]
    operator: FloatArray | None = None
    for projector in active:
        if projector.kind == "ssp":
            if projector is not ssp[0]:
                continue
            factor = _ssp_operator(np.hstack([_selected(p) for p in ssp]))
        elif projector.kind == "ica":
            factor = _ica_operator(projector)
        else:
            factor = np.asarray(projector.components, dtype=np.float64)
        operator = factor if operator is None else factor @ operator
    return operator


def _mask(projector: ProjectorLike) -> FloatArray | None:
    mask = projector.comp_mask
    return None if mask is None or np.size(mask) == 0 else np.atleast_1d(mask)


def _selects(projector: ProjectorLike) -> bool:
    mask = _mask(projector)
    return np.size(projector.components) > 0 and (mask is None or bool(np.any(mask)))


def _selected(projector: ProjectorLike) -> FloatArray:
    mask = _mask(projector)
    components = np.asarray(projector.components, dtype=np.float64)
    return components if mask is None else components[:, mask.astype(bool)]


def _ssp_operator(vectors: FloatArray) -> FloatArray:
    u, s, _ = np.linalg.svd(vectors, full_matrices=False)
    u[np.abs(u) < _SSP_ZERO] = 0
    small = np.flatnonzero(s < _SSP_TOLERANCE * s[0])
    u = u[:, : small[0]] if small.size else u
    return np.eye(len(u)) - u @ u.T


def _ica_operator(projector: ProjectorLike) -> FloatArray:
    components = np.asarray(projector.components, dtype=np.float64)
    mask = _mask(projector)
    used = np.flatnonzero(np.any(components != 0, axis=1))
    unmixing = components[used].T
    selected = np.ones(len(unmixing), bool) if mask is None else mask.astype(bool)
    removed = np.linalg.pinv(unmixing)[:, selected] @ unmixing[selected]
    operator = np.eye(len(components))
    operator[np.ix_(used, used)] -= removed
    return operator
