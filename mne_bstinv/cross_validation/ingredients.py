"""What a kernel is computed from under either toolbox's conventions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mne_bstinv._types import FloatArray, IntArray
from mne_bstinv.adapters.equivalence import (
    MneSettings,
    MneSide,
    Study,
    meg_and_electrodes,
    mne_side,
)
from mne_bstinv.errors import OptionError
from mne_bstinv.inverse.options import InverseOptions, require_2018
from mne_bstinv.inverse.orientation import unit_normals
from mne_bstinv.inverse.preparation import PreparedStudy
from mne_bstinv.inverse.projection import average_reference, project_covariance, project_gain
from mne_bstinv.inverse.projectors import projection_operator
from mne_bstinv.inverse.whitening import CovarianceStatistics

__all__ = ["Ingredients", "Operated", "gather"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Operated:
    """Gain and noise covariance after the projectors and the reference that are Brainstorm's.

    Parameters
    ----------
    gain : array, shape (n_channels, 3 * n_sources)
        Gain in SCS.
    noise : CovarianceStatistics
        Noise covariance.
    on_data : array, shape (n_channels, n_channels)
        Projector of those that are MNE's, which is part of the operator and meets gain, covariance
        and data; the identity where none is.
    """

    gain: FloatArray
    noise: CovarianceStatistics
    on_data: FloatArray


@dataclass(frozen=True, kw_only=True, eq=False)
class Ingredients:
    """The structures of a study, prepared for both sides.

    Parameters
    ----------
    prepared : PreparedStudy
        Brainstorm's study step.
    settings : MneSettings
        MNE's settings.
    side : MneSide
        MNE's objects.
    operated : mapping of (str, str) to Operated
        By whose projectors and whose reference.
    raw_gain : array, shape (n_channels, 3 * n_sources)
        Gain without projectors and reference.
    normals : array, shape (n_sources, 3) | None
        Unit normals.
    groups : mapping of str to array of int
        Channels that MNE whitens together.
    """

    prepared: PreparedStudy
    settings: MneSettings
    side: MneSide
    operated: dict[tuple[bool, bool], Operated]
    raw_gain: FloatArray
    normals: FloatArray | None
    groups: dict[str, IntArray]

    def on_normals(self, blocks: FloatArray) -> FloatArray:
        """Project rows along x, y, z on the normals.

        Parameters
        ----------
        blocks : array, shape (n_sources, 3, n)
            Rows of a kernel or a gain.

        Returns
        -------
        array, shape (n_sources, 1, n)
            Their part along the normals.

        Raises
        ------
        OptionError
            If the head model has no normals.
        """
        return np.einsum("ma,man->mn", self.required_normals, blocks)[:, None, :]

    @property
    def required_normals(self) -> FloatArray:
        """Unit normals, or an error where there are none."""
        if self.normals is None:
            raise OptionError(
                "The head model has no normals, which these settings need. Choose free "
                "orientations on both sides, or give a head model with GridOrient."
            )
        return self.normals

    @property
    def options(self) -> InverseOptions:
        """Brainstorm's options."""
        return require_2018(self.prepared.options)

    @property
    def orient(self) -> str:
        """Brainstorm's orientation constraint."""
        return self.prepared.regions[0].orient


def gather(
    study: Study,
    options: InverseOptions,
    settings: MneSettings,
    data_types: str | Sequence[str] | None,
    *,
    good_channels: Sequence[int] | None = None,
) -> Ingredients:
    """Prepare a study for both sides.

    Parameters
    ----------
    study : StudyData | SampleStudy
        The structures.
    options : InverseOptions
        Brainstorm's options.
    settings : MneSettings
        MNE's settings.
    data_types : str | sequence of str | None
        Types of the channels to use.
    good_channels : sequence of int | None
        0-based channels to use instead.

    Returns
    -------
    Ingredients
        Everything that a kernel is computed from.

    Raises
    ------
    OptionError
        If the two sides cannot be compared: a scan, a mixed head model, different measures.
    """
    side = mne_side(study, options, settings, data_types, good_channels=good_channels)
    prepared, head_model = side.common.prepared, side.common.head_model
    _refuse(prepared, settings)
    good, channels = prepared.channel_indices, study.channels
    names = channels.names
    projection = projection_operator(channels.projectors, len(names))
    reference = average_reference(prepared.channel_types)
    operated = {}
    for mne_projectors in (False, True):
        for mne_reference in (False, True):
            ours = None if mne_projectors else projection
            applied = None if mne_reference else reference
            theirs = side.projector(ssp=mne_projectors, reference=mne_reference)
            gain = project_gain(head_model.gain, good, ours, applied, names)
            noise = project_covariance(
                study.noise_cov, good, ours, applied, prepared.channel_names, "noise"
            )
            operated[mne_projectors, mne_reference] = Operated(
                gain=gain,
                noise=noise,
                on_data=np.eye(len(good)) if theirs is None else theirs,
            )
    normals = head_model.grid_orient
    return Ingredients(
        prepared=prepared,
        settings=settings,
        side=side,
        operated=operated,
        raw_gain=project_gain(head_model.gain, good, None, None, names),
        normals=None if normals is None else unit_normals(normals, prepared.n_sources),
        groups=meg_and_electrodes(side.info),
    )


def _refuse(prepared: PreparedStudy, settings: MneSettings) -> None:
    options = prepared.options
    if options.method != "minnorm":
        raise OptionError(
            f"InverseMethod {options.method!r} is no minimum norm: there is no path from it to "
            "MNE's minimum norm. mne_equivalent compares gls and lcmv with make_lcmv."
        )
    if prepared.mixed:
        raise OptionError(
            "The head model is mixed: its regions have constraints of their own, for which MNE has "
            "no one setting. mne_equivalent gives the operator that is equal to Brainstorm's."
        )
    measure = {"MNE": "amplitude", "dSPM": "dspm2018", "sLORETA": "sloreta"}[settings.method]
    if options.measure != measure:
        raise OptionError(
            f"The measures differ: Brainstorm's {options.measure!r} and MNE's {settings.method!r} "
            f"have different units. Choose {measure!r}, or another method."
        )
    ours, theirs = prepared.regions[0].orient, settings.orientation
    if ours != theirs and prepared.regions[0].grid_orient is None:
        raise OptionError(
            f"Brainstorm's orientation is {ours!r}, MNE's {theirs!r}: they can be compared along "
            "the normals only, and the head model has none. Choose the same orientation for both."
        )
