"""What to hand to MNE-Python so that it computes Brainstorm's kernel, see ``translation``."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

import mne
import numpy as np

from mne_bstinv._types import FloatArray, IntArray
from mne_bstinv.adapters.channel_names import match_channel_names
from mne_bstinv.adapters.equivalence.code import beamformer_call, minimum_norm_call
from mne_bstinv.adapters.equivalence.kernels import beamformer_blocks, operator_blocks
from mne_bstinv.adapters.equivalence.mne_objects import copied
from mne_bstinv.adapters.operators import data_info
from mne_bstinv.adapters.sources import with_gain
from mne_bstinv.errors import ConversionError
from mne_bstinv.inverse.options import AnyOptions

__all__ = ["MneEquivalent"]


@dataclass(frozen=True, kw_only=True, eq=False)
class MneEquivalent:
    """Everything that MNE needs to compute Brainstorm's kernel, and how equal it will be.

    Parameters
    ----------
    options : InverseOptions | InverseOptions2009 | InverseOptions2016
        Brainstorm's options.
    parity : 'exact' | 'equal up to a stated factor' | 'not comparable'
        How far the two toolboxes agree when told the same.
    factor : float | array, shape (n_sources,)
        Brainstorm's estimate is this times MNE's: √Λ in A·m for sLORETA, a number a location for
        ``gls`` and ``lcmv``, else 1.
    reason : str
        Why not exact; empty if it is.
    info : mne.Info
        The channels of the kernel without bad ones; its only projections are average references
        (a vector of zeros where Brainstorm's whitener keeps a common potential: it satisfies
        MNE's checks and changes nothing).
    unturned : mne.Forward
        :attr:`forward` with a gain that is turned when it is asked for, and takes no memory before.
    noise_cov : mne.Covariance
        The regularised noise covariance of reduced rank, sensor types apart: pinv(W W'). For scans
        the same as ``data_cov``: unit-gain filters do not depend on it, MNE only whitens with it.
    data_cov : mne.Covariance | None
        For scans the covariance that Brainstorm whitens with: of the data for ``lcmv``, of the
        noise for ``gls``.
    arguments : mapping
        Further arguments of ``make_inverse_operator`` or ``make_lcmv``.
    lambda2 : float | None
        Regularisation for ``apply_inverse``; ``None`` for scans.
    method : str
        ``'MNE'``, ``'dSPM'``, ``'sLORETA'`` or ``'LCMV'``.
    pick_ori : str | None
        ``'vector'`` where there are three components a location.
    nave : int
        Averages to say: 1; in 2009 and 2016 those of the recordings. Brainstorm's dSPM maps are for
        one sample since 2018, unless its process "Scale averaged dSPM" multiplied them by √Leff.
    no_public_call : str
        Why ``make_inverse_operator`` cannot be told this; empty where it can. The operator of
        :meth:`twin` gives the kernel nevertheless.
    order : array of int, shape (n_used,)
        0-based location of the head model of each of MNE's sources.
    rotation : array, shape (3, 3)
        Rotation from SCS to head.
    channel_names : tuple of str
        Brainstorm's names of the kernel's channels.
    n_sources : int
        Locations of the head model.
    direct : mne.minimum_norm.InverseOperator | None
        The operator built directly, see :func:`~mne_bstinv.to_inverse_operator`.
    """

    options: AnyOptions
    parity: str
    factor: float | FloatArray
    reason: str
    info: mne.Info
    unturned: Any
    noise_cov: mne.Covariance
    data_cov: mne.Covariance | None
    arguments: Mapping[str, Any]
    lambda2: float | None
    method: str
    pick_ori: str | None
    nave: int
    no_public_call: str
    order: IntArray
    rotation: FloatArray
    channel_names: tuple[str, ...]
    n_sources: int
    direct: Any = None

    def __repr__(self) -> str:
        number = "" if self.lambda2 is None else f", lambda2 {self.lambda2:.6g}"
        return f"<MneEquivalent | {self.method}{number}, {self.parity}>"

    def _repr_html_(self) -> str:
        return f"<p>{escape(repr(self))}</p><pre>{escape(self.code)}</pre>"

    @property
    def forward(self) -> Any:
        """The forward solution, made anew each time it is asked for.

        Free-orientation gain, projected and referenced as Brainstorm does; of fixed orientation
        for scans that are. Double precision.
        """
        return with_gain(self.unturned)

    @property
    def code(self) -> str:
        """The ready-to-run Python: ``equivalent`` is this object, ``evoked`` the recordings."""
        return minimum_norm_call(self) if self.lambda2 is not None else beamformer_call(self)

    def make(self) -> Any:
        """Run the public call: ``make_inverse_operator``, or ``make_lcmv`` for scans.

        Returns
        -------
        mne.minimum_norm.InverseOperator | mne.beamformer.Beamformer
            What MNE made.

        Raises
        ------
        ConversionError
            If no public call can be told these options; the message says why.
        """
        if self.no_public_call:
            instead = "" if self.direct is None else " Use twin(), which is built directly."
            raise ConversionError(
                f"MNE's public functions cannot be told these options: {self.no_public_call}."
                f"{instead}"
            )
        arguments = copied(self.arguments)
        with warnings.catch_warnings():
            # the unregularised covariance of a noise method may span more than ten decades
            warnings.filterwarnings("ignore", message="The largest eigenvalue of", append=False)
            if self.lambda2 is None:
                return mne.beamformer.make_lcmv(
                    self.info, self.forward, self.data_cov, noise_cov=self.noise_cov,
                    verbose="error", **arguments,
                )  # fmt: skip
            return mne.minimum_norm.make_inverse_operator(
                self.info, self.forward, self.noise_cov, verbose="error", **arguments
            )

    def twin(self) -> Any:
        """Return the operator that is built directly, in double precision.

        Returns
        -------
        mne.minimum_norm.InverseOperator
            The operator of :func:`~mne_bstinv.to_inverse_operator`.

        Raises
        ------
        ConversionError
            If the options ask for a scan, which has no operator.
        """
        if self.direct is None:
            raise ConversionError(
                f"InverseMethod {self.options.method!r} is no minimum norm and has no operator: "
                "use make(), which returns MNE's LCMV filters."
            )
        return self.direct

    def prepare(self, evoked: Any) -> Any:
        """Return recordings as the operator wants them, unchanged in value.

        Parameters
        ----------
        evoked : mne.Evoked
            Recordings as Brainstorm's file stores them, with at least the kernel's channels.

        Returns
        -------
        mne.Evoked
            A copy of the kernel's channels with ``nave`` 1 and no projection but the average
            reference of :attr:`info`, not applied.

        Raises
        ------
        ConversionError
            If channels are missing.
        """
        picks = match_channel_names(self.info["ch_names"], evoked.ch_names)
        return mne.EvokedArray(
            evoked.data[picks],
            data_info(self.info, self.info["projs"], sfreq=evoked.info["sfreq"]),
            tmin=evoked.times[0],
            nave=self.nave,
            comment=evoked.comment,
            verbose="error",
        )

    def blocks(self, route: str = "twin", *, made: Any = None) -> FloatArray:
        """Let MNE compute the kernel, and arrange it as Brainstorm would.

        Parameters
        ----------
        route : 'twin' | 'public'
            With the operator built directly, or with the public call (for scans always).
        made : mne.minimum_norm.InverseOperator | mne.beamformer.Beamformer | None
            What :meth:`make` returned, not to be made anew.

        Returns
        -------
        array, shape (n_sources, p, n_channels)
            The kernel, the factor included; p is 1 where all locations are fixed, else 3: x, y, z
            in SCS.

        Raises
        ------
        ConversionError
            If there is no such route; the message says why.
        """
        if route not in ("twin", "public"):
            raise ConversionError(f"Unknown route {route!r}. Must be 'twin' or 'public'.")
        places: dict[str, Any] = {
            "order": self.order,
            "rotation": self.rotation,
            "names": self.channel_names,
            "n_sources": self.n_sources,
        }
        if route == "twin" and self.lambda2 is not None:
            made = self.twin()
        elif made is None:
            made = self.make()
        if self.lambda2 is None:
            blocks = beamformer_blocks(made, self.info, **places)
        else:
            blocks = operator_blocks(made, self.lambda2, self.method, **places)
            if route == "public" and self.method != "MNE":  # of one sample
                blocks *= np.sqrt(self.nave)
        return np.asarray(self.factor).reshape(-1, 1, 1) * blocks
