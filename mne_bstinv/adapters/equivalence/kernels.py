"""Kernels as blocks of rows (n_sources, p, n_channels) in Brainstorm's order, frame and channels.

p is 1 where all locations are fixed and 3 (x, y, z in SCS) otherwise: the one form in which a
kernel of Brainstorm's options and one of MNE's operators can be subtracted from each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import mne
import numpy as np

from mne_bstinv._types import FloatArray, IntArray
from mne_bstinv.adapters.channel_names import match_channel_names
from mne_bstinv.adapters.operators import data_info, operator_kernel
from mne_bstinv.inverse.orientation import local_frames, unit_normals
from mne_bstinv.inverse.result import InverseResult

__all__ = ["beamformer_blocks", "kernel_blocks", "operator_blocks", "sloreta_unit"]


def kernel_blocks(result: InverseResult, normals: FloatArray | None = None) -> FloatArray:
    """Arrange a kernel by location, its rows along x, y, z of SCS unless all are fixed.

    Parameters
    ----------
    result : InverseResult
        A minimum-norm or scanning kernel.
    normals : array, shape (n_sources, 3) | None
        Orientation of every location of the head model; needed for fixed regions of mixed models
        and for loose orientations whose rows are in the local frame.

    Returns
    -------
    array, shape (n_sources, p, n_channels)
        Row i of the first axis is location i of the head model; NaN where a region is excluded.
        One row a location where all are fixed, else three. Scanning kernels (``gls``, ``lcmv``)
        keep their rows: those have no direction in space.
    """
    n_channels = result.kernel.shape[1]
    p = 1 if all(region.orient == "fixed" for region in result.regions) else 3
    arranged = []
    options = result.options
    local = options.is_minimum_norm and options.measure not in options.conventions.prior_restored
    for region in result.regions:
        rows = result.kernel[region.rows].reshape(-1, region.n_components, n_channels)
        turned = region.orient == "loose" and local
        if turned or region.n_components < p:
            oriented = None if normals is None else normals[region.locations]
            unit = unit_normals(oriented, len(region.locations))
            frames = local_frames(unit, 1.0) if turned else unit[:, :, None]
            rows = frames @ rows
        if np.array_equal(region.locations, np.arange(result.n_sources)):
            return rows  # nothing to arrange
        arranged.append((region.locations, rows))
    blocks = np.full((result.n_sources, p, n_channels), np.nan)
    for locations, rows in arranged:
        blocks[locations] = rows
    return blocks


def sloreta_unit(result: InverseResult) -> float:
    """Return what a kernel of Brainstorm is divided by to have the unit of MNE's.

    Parameters
    ----------
    result : InverseResult
        A minimum-norm kernel.

    Returns
    -------
    float
        √Λ in A·m for sLORETA, which is without unit in MNE; 1 for the other measures.
    """
    if result.options.measure != "sloreta" or result.lambda_ is None:
        return 1.0
    return float(np.sqrt(result.lambda_))


def operator_blocks(
    inv: Any,
    lambda2: float,
    method: str,
    *,
    order: IntArray,
    rotation: FloatArray,
    names: Sequence[str],
    n_sources: int,
) -> FloatArray:
    """Kernel (n_sources, p, n_channels) for one average, as MNE applies the operator to units.

    Rows and columns are arranged as Brainstorm would: ``order`` is the 0-based location of each
    source, ``rotation`` (3, 3) goes from SCS to head, ``names`` are the channels wanted.
    """
    with mne.use_log_level("error"):  # unit data are no news
        values, found = operator_kernel(inv, lambda2, method)
    return _arranged(values, found, order, rotation, names, n_sources)


def beamformer_blocks(
    filters: Any,
    info: mne.Info,
    *,
    order: IntArray,
    rotation: FloatArray,
    names: Sequence[str],
    n_sources: int,
) -> FloatArray:
    """Blocks (n_sources, p, n_channels) of filters, as MNE applies a beamformer to units.

    They are fixed or ``pick_ori='vector'``, and arranged as :func:`operator_blocks` does.
    """
    unit = np.eye(len(info["ch_names"]))
    evoked = mne.EvokedArray(unit, data_info(info, info["projs"]), nave=1, verbose="error")
    stc = mne.beamformer.apply_lcmv(evoked, filters, verbose="error")
    found = list(info["ch_names"])
    values = np.asarray(stc.data, dtype=np.float64)
    return _arranged(values, found, order, rotation, names, n_sources)


def _arranged(
    values: FloatArray,
    found: Sequence[str],
    order: IntArray,
    rotation: FloatArray,
    names: Sequence[str],
    n_sources: int,
) -> FloatArray:
    columns = match_channel_names(names, found)
    vectors = values[:, None, :] if values.ndim == 2 else rotation.T @ values
    blocks = np.full((n_sources, *vectors.shape[1:2], len(names)), np.nan)
    blocks[order] = vectors[..., columns]
    return blocks
