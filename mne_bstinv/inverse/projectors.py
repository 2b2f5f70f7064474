"""Signal-space projectors of a channel file as one operator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mne_bstinv._types import AnyArray, FloatArray
from mne_bstinv.errors import InverseError

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
    def components(self) -> FloatArray | None:
        """Vectors (n_channels, k), or the operator itself (n_channels, n_channels)."""

    @property
    def comp_mask(self) -> AnyArray | None:
        """Which of the k components to remove."""

    @property
    def status(self) -> int:
        """0 ignored, 1 applied on the fly, 2 already applied in the file."""


def projection_operator(projectors: Sequence[ProjectorLike], n_channels: int) -> FloatArray | None:
    """Multiply the active projectors into one operator (n, n); None where nothing is active.

    In the order of the channel file, later entries on the left; those with status 0, or with a mask
    that selects nothing, are ignored. All SSP vectors are re-orthogonalised together, at the place
    of the first SSP entry. Refused are projectors not of n channels, masks not of their components,
    and what is used as an operator and not square.
    """
    entries = [
        _Entry.of(projector, number, n_channels)
        for number, projector in enumerate(projectors, start=1)
        if projector.status in (1, 2)
    ]
    active = [entry for entry in entries if entry.selected.any()]
    ssp = [entry for entry in active if entry.kind == "ssp"]
    operator: FloatArray | None = None
    for entry in active:
        if entry.kind == "ssp":
            if entry is not ssp[0]:
                continue
            factor = _ssp_operator(np.hstack([e.components[:, e.selected] for e in ssp]))
        elif entry.kind == "ica":
            factor = _ica_operator(entry)
        else:
            factor = entry.components
        operator = factor if operator is None else factor @ operator
    return operator


@dataclass(frozen=True, kw_only=True, eq=False)
class _Entry:
    """A projector whose sizes are checked."""

    kind: str
    components: FloatArray
    selected: NDArray[np.bool_]

    @classmethod
    def of(cls, projector: ProjectorLike, number: int, n_channels: int) -> _Entry:
        components, mask = projector.components, projector.comp_mask
        shape = () if components is None else np.shape(components)
        if components is None or len(shape) != 2 or shape[0] != n_channels:
            raise InverseError(
                f"Projector {number}: Components has shape {shape}, expected one row for each of "
                f"the {n_channels} channels. Compute the projector again, or remove it in "
                "Brainstorm."
            )
        masked = mask is not None and np.size(mask) > 0
        kind = projector.kind if masked else "operator"  # without a mask, it is an operator
        selected = np.ravel(np.asarray(mask)).astype(bool) if masked else np.ones(1, bool)
        if kind == "operator" and shape[1] != n_channels:
            raise InverseError(
                f"Projector {number}: Components has shape {shape}, expected an operator of shape "
                f"({n_channels}, {n_channels}), since CompMask is empty or its method a reference."
            )
        if kind != "operator" and selected.size != shape[1]:
            raise InverseError(
                f"Projector {number}: CompMask has {selected.size} flags for {shape[1]} "
                "components, expected one each. Compute the projector again, or remove it in "
                "Brainstorm."
            )
        numbers = np.asarray(components, float)
        if kind != "operator" and not (np.isfinite(numbers).all() and numbers.any()):
            raise InverseError(
                f"Projector {number}: Components are zero or not finite. Compute the projector "
                "again, or remove it in Brainstorm."
            )
        return cls(kind=kind, components=numbers, selected=selected)


def _ssp_operator(vectors: FloatArray) -> FloatArray:
    u, s, _ = np.linalg.svd(vectors, full_matrices=False)
    u[np.abs(u) < _SSP_ZERO] = 0
    small = np.flatnonzero(s < _SSP_TOLERANCE * s[0])
    u = u[:, : small[0]] if small.size else u
    return np.eye(len(u)) - u @ u.T


def _ica_operator(entry: _Entry) -> FloatArray:
    used = np.flatnonzero(np.any(entry.components != 0, axis=1))
    unmixing = entry.components[used].T
    removed = np.linalg.pinv(unmixing)[:, entry.selected] @ unmixing[entry.selected]
    operator = np.eye(len(entry.components))
    operator[np.ix_(used, used)] -= removed
    return operator
