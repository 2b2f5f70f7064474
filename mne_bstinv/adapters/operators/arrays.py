"""The numbers of a minimum-norm operator in MNE's form, from Brainstorm's whitener and prior.

With Brainstorm's whitener W, orientation and depth factor Q, gain G (projected, referenced) and
prior source variance Λ both toolboxes compute Q L' (L L' + 1/Λ)⁻¹ W with L = W G Q. MNE scales the
source covariance so that trace(L L') is the rank r, hence λ² = r / (t Λ) with t the trace before.
So does Brainstorm's inverse of 2009, whose λ² is MNE's 1/SNR².
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import linalg

from mne_bstinv._types import FloatArray, IntArray
from mne_bstinv.errors import InverseError
from mne_bstinv.inverse.depth import weights_of_models
from mne_bstinv.inverse.options import AnyOptions
from mne_bstinv.inverse.orientation import Orientation, local_frames, unit_normals
from mne_bstinv.inverse.preparation import PreparedStudy
from mne_bstinv.inverse.regularization import (
    lambda2_from_brainstorm_snr,
    lambda2_from_prior,
    lambda_from_rms,
    prior_from_lambda2,
)
from mne_bstinv.inverse.source_model import Region
from mne_bstinv.inverse.whitening import Whitening

__all__ = ["NoiseSpectrum", "OperatorArrays", "noise_spectrum", "operator_arrays"]


#: Relative error of the operator that decomposing L L' may cost.
_GRAM_ERROR = 1e-10

#: [o, t1, t2] of the inverse → (t1, t2, o), the order of MNE's surface orientations.
_NORMAL_LAST = [1, 2, 0]


@dataclass(frozen=True, kw_only=True, eq=False)
class NoiseSpectrum:
    """A noise covariance by its eigenvectors, as MNE makes whiteners of it."""

    #: Eigenvalues in squared units of the data, type after type, zero for nulls, shape
    #: (n_channels,).
    eig: FloatArray
    #: Eigenvectors in rows, shape (n_channels, n_channels).
    eigvec: FloatArray

    @property
    def rank(self) -> int:
        """Number of eigenvalues that are not zero."""
        return int(np.sum(self.eig > 0))

    @property
    def cov(self) -> FloatArray:
        """The covariance: the pseudo-inverse of W W'."""
        return (self.eigvec.T * self.eig) @ self.eigvec

    @property
    def whitener(self) -> FloatArray:
        """Whitener (n_channels, n_channels) with zero rows for nulls."""
        scale = np.zeros_like(self.eig)
        np.divide(1.0, np.sqrt(self.eig), out=scale, where=self.eig > 0)
        return scale[:, None] * self.eigvec


@dataclass(frozen=True, kw_only=True, eq=False)
class OperatorArrays:
    """The decomposed operator; rows of sources in the order and frame of the source space."""

    #: U' of the singular value decomposition of the whitened, weighted gain, shape (k,
    #: n_channels).
    eigen_fields: FloatArray
    #: Singular values, shape (k,).
    sing: FloatArray
    #: V, shape (n_rows, k).
    eigen_leads: FloatArray
    #: Prior variances, scaled so that the trace of the whitened covariance is the rank, shape
    #: (n_rows,).
    source_var: FloatArray
    #: Squared depth weights, shape (n_rows,).
    depth: FloatArray
    #: Relative variance of each direction, shape (n_rows,).
    orient_prior: FloatArray
    #: Direction of each row, in head, shape (n_rows, 3).
    source_nn: FloatArray
    #: Trace t of L L' before the scaling, in (A·m)⁻².
    trace: float
    #: Regularisation λ² that gives Brainstorm's kernel.
    lambda2: float
    #: Brainstorm's Λ in (A·m)².
    prior_variance: float
    #: 1 or 3 rows a location.
    n_components: int
    #: Locations that no channel sees.
    n_unseen: int


@dataclass(frozen=True, kw_only=True, eq=False)
class _Columns:
    """Gain columns of locations with their prior: arrays (n_locations, p, …), powers ‖g_i‖²_F."""

    gain: FloatArray
    directions: FloatArray
    amplitude: FloatArray
    power: FloatArray


def noise_spectrum(whitening: Whitening) -> NoiseSpectrum:
    """Decompose Brainstorm's whitener, one sensor type (2009: group of types) at a time.

    Over several types at once the eigenvalues would span 1e16: V² and T² side by side.

    Parameters
    ----------
    whitening : Whitening
        Whitener W, (n_rows, n_channels), its blocks and their ranks.

    Returns
    -------
    NoiseSpectrum
        Eigenvalues 1/s² and eigenvectors of the kept subspace of each block.
    """
    n = whitening.whitener.shape[1]
    eig, eigvec = np.zeros(n), np.zeros((n, n))
    for kind, index in whitening.blocks.items():
        block, rank = whitening.whitener[:, index], whitening.ranks[kind]
        std, vectors = _right_vectors(block[block.any(axis=1)])
        eig[index[:rank]] = 1 / std[:rank] ** 2
        eigvec[np.ix_(index, index)] = vectors
    return NoiseSpectrum(eig=eig, eigvec=eigvec)


def _right_vectors(block: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return singular values (k,) and right vectors in rows (n, n) of a whitener's block."""
    result: Any = linalg.svd(block, full_matrices=True)
    return result[1], result[2]


def operator_arrays(
    study: PreparedStudy,
    noise: NoiseSpectrum,
    order: IntArray,
    rotation: FloatArray,
    *,
    n_whitened: int,
) -> OperatorArrays:
    """Whiten, weight and decompose the gain for sources at 0-based ``order``; SCS → head (3, 3).

    ``n_whitened`` is the number of rows of Brainstorm's whitener.
    """
    p = 1 if all(region.orient == "fixed" for region in study.regions) else 3
    parts = [_columns(region, study.options, rotation, p) for region in study.regions]
    located = np.concatenate([region.locations for region in study.regions])
    position = np.full(study.n_sources, -1)
    position[located] = np.arange(len(located))
    rows = position[order]
    gain, directions, amplitude = (
        _rows_of(parts, name, rows) for name in ("gain", "directions", "amplitude")
    )
    powers = [part.power for part in parts]
    del parts  # as large as the gain, with three components
    alpha = np.concatenate(weights_of_models(powers, study.options))[rows]
    std = (alpha[:, None] * amplitude).ravel()
    weighted = gain.reshape(len(std), -1)
    weighted *= std[:, None]
    lead_field = noise.whitener @ weighted.T
    del gain
    trace = float(np.linalg.norm(lead_field) ** 2)
    if not trace > 0:
        raise InverseError("The whitened lead field is zero: no channel sees any source.")
    scale = noise.rank / trace
    lambda2 = _lambda2(study.options, noise.rank, n_whitened, trace)
    lead_field *= np.sqrt(scale)
    unseen = ~lead_field.any(axis=0)
    u, sing, v = _decomposed(lead_field, lambda2, out=weighted.reshape(lead_field.shape))
    # of a source that no channel sees the leads are rounding, which dSPM would blow up to one
    v[unseen] = 0.0
    return OperatorArrays(
        eigen_fields=u.T,
        sing=sing,
        eigen_leads=v,
        source_var=std**2 * scale,
        depth=np.repeat(alpha**2, p),
        orient_prior=(amplitude**2).ravel(),
        source_nn=directions.reshape(-1, 3),
        trace=trace,
        lambda2=lambda2,
        prior_variance=prior_from_lambda2(lambda2, trace, noise.rank),
        n_components=p,
        n_unseen=sum(int((power == 0).sum()) for power in powers),
    )


def _rows_of(parts: Sequence[_Columns], name: str, rows: IntArray) -> FloatArray:
    """Return some rows of an array of all regions, one region after the other; no copy of all."""
    arrays = [getattr(part, name) for part in parts]
    whole: FloatArray = np.concatenate(arrays) if len(arrays) > 1 else arrays[0]
    return whole if np.array_equal(rows, np.arange(len(whole))) else whole[rows]


def _decomposed(
    lead_field: FloatArray, lambda2: float, out: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return U, s and V of L = U diag(s) V' (n_channels, n_rows), the nulls of the whitener last.

    L is overwritten, and V' is in the memory of ``out``, (n_channels, n_rows), as FIF files have
    it: new memory takes as long as a product.

    MNE uses as many singular values as the noise has rank, the first ones. Rounding would mix the
    smallest of them, below √ε s₁, with the nulls of the whitener, of which the rows of L are zero:
    on real sensors that costs 1e-10 of the kernel and more, so that these are kept apart.
    """
    seen = lead_field.any(axis=1)
    nulls = np.flatnonzero(~seen)
    kept = lead_field[: len(seen) - len(nulls)]
    for row, of in zip(kept, np.flatnonzero(seen), strict=True):
        row[:] = lead_field[of]
    u, sing, v = _decomposed_rows(kept, lambda2, out)
    if not len(nulls):
        return u, sing, v
    k = len(sing)
    fields = np.zeros((len(seen), k + len(nulls)))
    fields[seen, :k] = u
    fields[nulls, np.arange(k, k + len(nulls))] = 1.0
    return fields, np.pad(sing, (0, len(nulls))), v


def _decomposed_rows(
    lead_field: FloatArray, lambda2: float, out: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return U, s and V of L = U diag(s) V', from L L' where that is as good as from L.

    V' is in ``out``, with rows of zeros behind it.

    The eigenvectors of L L' are a third of the work of a singular value decomposition. L L' is
    rounded by ε s₁², so the operator L' (L L' + λ²)⁻¹, at most 1 / 2λ, by up to ε s₁³ / λ⁴: in
    relation ε (s₁ / λ)³, far below the single precision of FIF files with any usual λ².
    """
    values, vectors = linalg.eigh(lead_field @ lead_field.T, driver="evd")
    if np.finfo(float).eps * (values[-1] / lambda2) ** 1.5 > _GRAM_ERROR:
        result: Any = linalg.svd(lead_field.T, full_matrices=False)
        v, sing, ut = result
        n_nulls = len(out) - len(lead_field)
        return ut.T, sing, np.pad(v, ((0, 0), (0, n_nulls)))
    n, u = len(lead_field), vectors[:, ::-1]
    found = np.matmul(u.T, lead_field, out=out[:n])
    out[n:] = 0.0
    # not the roots of the eigenvalues: these lose what lies below ε s₁²
    sing = np.sqrt(np.vecdot(found, found))
    found /= np.where(sing > 0, sing, 1.0)[:, None]
    return u, sing, out.T


def _lambda2(options: AnyOptions, rank: int, n_whitened: int, trace: float) -> float:
    if options.prior_rms is not None:
        return lambda2_from_prior(lambda_from_rms(options.prior_rms), trace, rank)
    # of 2009 the whitener has as many rows as its rank: 1/SNR²
    return lambda2_from_brainstorm_snr(options.snr_fixed, rank, n_whitened)


def _columns(region: Region, options: AnyOptions, rotation: FloatArray, p: int) -> _Columns:
    """Turn the columns of a region to the directions of MNE's rows, with their prior."""
    m = region.gain.n_sources
    own = Orientation.of(region.grid_orient, region.orient, options, m)
    if own.frames is None:
        # columns along the axes of head; their directions in SCS are the rows of the rotation
        along, directions = np.broadcast_to(rotation, (m, 3, 3)), np.tile(np.eye(3), (m, 1, 1))
        amplitude = np.ones(3)
    else:
        normals = own.frames[:, :, 0]  # of unit length or not, as the inverse of the year does
        along = normals[:, None] if p == 1 else _with_tangents(normals)
        directions = along @ rotation.T
        tangential = own.amplitudes[1:] if region.orient == "loose" else np.zeros(2)
        amplitude = np.array([*tangential, 1.0])[-p:]
    turned = dataclasses.replace(own, frames=along.transpose(0, 2, 1), amplitudes=amplitude)
    gain = np.empty((m, p, region.gain.n_channels))
    power = turned.write_rows(region.gain, gain.reshape(m * p, -1))
    if own.frames is not None and p == 3:
        gain, directions = gain[:, _NORMAL_LAST], directions[:, _NORMAL_LAST]
    return _Columns(
        gain=gain,
        directions=directions,
        amplitude=np.broadcast_to(amplitude, (m, p)),
        power=power,
    )


def _with_tangents(normals: FloatArray) -> FloatArray:
    """Return rows o, t1, t2 (m, 3, 3) of normals o (m, 3) of any length above zero."""
    frames = local_frames(unit_normals(normals, len(normals)), 1.0).transpose(0, 2, 1)
    return np.concatenate([normals[:, None], frames[:, 1:]], axis=1)
