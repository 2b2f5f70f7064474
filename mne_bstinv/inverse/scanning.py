"""Scanning kernels: generalised least squares and the LCMV beamformer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mne_bstinv._types import FloatArray
from mne_bstinv.errors import InverseError
from mne_bstinv.inverse.source_model import SourceModel
from mne_bstinv.inverse.spacing import spacing32_array

__all__ = ["scanning_kernel"]


def scanning_kernel(
    models: Sequence[SourceModel], whitener: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Project the whitened data onto the whitened lead field of each location alone.

    With the thin singular value decomposition L_i = W G_i Q_i = U_a diag(s_a) V_a', the rows of
    location i are K_i = U_a' W. Generalised least squares takes W from the noise covariance, the
    LCMV beamformer from the data covariance; see Baillet, Mosher & Leahy (2001), *IEEE Signal
    Process. Mag.* 18 (6), 14–30. Singular vectors have an arbitrary sign. Rows of directions that
    no channel sees (s_a = 0) are set to zero.

    Parameters
    ----------
    models : sequence of SourceModel
        Head models.
    whitener : array, shape (n_channels, n_channels)
        Symmetric W.

    Returns
    -------
    kernel : array, shape (n_rows, n_channels)
        Rows model after model, location after location.
    sa : array, shape (p, n_sources)
        Singular values, sorted down; p is the largest number of components, and absent ones are
        zero.
    va : array, shape (p, p * n_sources)
        Right singular vectors of location i in columns p·i … p·i + p − 1.

    Raises
    ------
    InverseError
        If no channel sees any source.
    """
    kernel = np.empty((sum(m.n_rows for m in models), len(whitener)))
    p_max = max(m.n_components for m in models)
    n_sources = sum(m.n_sources for m in models)
    sa, va = np.zeros((n_sources, p_max)), np.zeros((n_sources, p_max, p_max))
    first_row = first_source = 0
    for model in models:
        rows = kernel[first_row : first_row + model.n_rows]
        here = slice(first_source, first_source + model.n_sources)
        p = model.n_components
        model.fill(rows)
        _scan(model, rows, whitener, sa[here, :p], va[here, :p, :p])
        first_row, first_source = first_row + model.n_rows, here.stop
    if not sa.any():
        raise InverseError(
            "The whitened lead field is zero: no channel sees any source. Check that the head "
            "model was computed for the channels in use (data types)."
        )
    return kernel, sa.T.copy(), va.transpose(1, 0, 2).reshape(p_max, -1)


def _scan(
    model: SourceModel, q: FloatArray, whitener: FloatArray, sa: FloatArray, va: FloatArray
) -> None:
    """Replace rows q = Q' G' by kernel rows; fill singular values and vectors."""
    p, n = model.n_components, q.shape[1]
    for locations, rows in model.chunks():
        lead_field = (q[rows] @ whitener).reshape(-1, p, n)
        # of L_i', so that the vectors swap their names: V_a diag(s_a) U_a'
        v, s, u = np.linalg.svd(lead_field, full_matrices=False)
        q_svd = s.shape[1]  # fewer than p where there are fewer channels
        s = np.where(s > p * spacing32_array(s[:, :1]), s, 0.0)
        sa[locations, :q_svd] = s
        va[locations, :, :q_svd] = v
        block = np.zeros((len(s), p, n))
        block[:, :q_svd] = np.matmul(u * (s > 0)[:, :, None], whitener)
        q[rows] = block.reshape(-1, n)
