"""What MNE-Python makes of a noise covariance: projector, rank, regularisation, whitener.

The steps of :func:`mne.cov.regularize` and of the whitening inside
:func:`mne.minimum_norm.make_inverse_operator`, taken apart so that each can be switched on its own.
Ranks are estimated by MNE itself. Sources: MNE-Python's documentation and source (BSD-3-Clause).
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import mne
import numpy as np
from mne.proj import make_projector
from numpy.typing import NDArray

from mne_bstinv.errors import ConversionError

__all__ = ["estimated_ranks", "meg_and_electrodes", "mne_projector"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


def mne_projector(projs: Sequence[Any], names: Sequence[str]) -> FloatArray:
    """Return the operator of projections on some channels.

    Parameters
    ----------
    projs : sequence of mne.Projection
        The projections, applied already or not.
    names : sequence of str
        The channels: the vectors are restricted to them and normalised there.

    Returns
    -------
    array, shape (n_channels, n_channels)
        The operator; the identity where no projection touches the channels.

    Raises
    ------
    ConversionError
        If the projections leave nothing.
    """
    with warnings.catch_warnings():
        # vectors that lose channels are renormalised: a difference that is measured, not hidden
        warnings.filterwarnings("ignore", message="Projection vector")
        try:
            operator, _, _ = make_projector(list(projs), list(names))
        except RuntimeError as error:  # as many projectors as channels
            raise ConversionError(
                f"MNE's projectors leave nothing of the {len(names)} channel(s) in use ({error}) "
                "Use more channels, or other data types."
            ) from error
    return np.asarray(operator, dtype=np.float64)


def meg_and_electrodes(info: Any) -> dict[str, IntArray]:
    """Group the channels as MNE whitens them: MEG together, each type of electrode apart.

    Parameters
    ----------
    info : mne.Info
        The channels.

    Returns
    -------
    dict of str to array of int
        Positions of ``meg``, ``eeg``, ``seeg``, ``ecog``: those that there are.
    """
    kinds = np.array(["meg" if t in ("mag", "grad") else t for t in info.get_channel_types()])
    return {str(kind): np.flatnonzero(kinds == kind) for kind in dict.fromkeys(kinds.tolist())}


def estimated_ranks(cov: FloatArray, info: Any, groups: Mapping[str, IntArray]) -> dict[str, int]:
    """Let MNE estimate the rank of blocks of a covariance that is projected already.

    Parameters
    ----------
    cov : array, shape (n_channels, n_channels)
        Projected covariance of the channels of ``info``.
    info : mne.Info
        The channels; its projections count as in MNE's estimate.
    groups : mapping of str to array of int
        Channels of each block.

    Returns
    -------
    dict of str to int
        Rank of each block.
    """
    ranks = {}
    for kind, index in groups.items():
        part = mne.pick_info(info, index, copy=True)
        block = mne.Covariance(cov[np.ix_(index, index)], part["ch_names"], [], [], 1)
        found = mne.compute_rank(block, rank=None, info=part, verbose="error")
        ranks[kind] = int(sum(found.values()))
    return ranks
