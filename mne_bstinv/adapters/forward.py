"""Head models: Brainstorm's ``headmodel_*.mat`` ⇄ :class:`mne.Forward`.

The gain is the same but for three things: rows of channels without a model are dropped, the three
columns of each location are turned from SCS to MNE's head frame (G_i ← G_i R'), and locations
stand in the order of MNE's source spaces.
"""

from __future__ import annotations

from typing import Any

import mne
import numpy as np
from mne.io.constants import FIFF
from mne.utils import verbose, warn

from mne_bstinv.adapters import _forward_parts
from mne_bstinv.adapters._forward_back import head_model_from
from mne_bstinv.adapters._mne_private import forward_origin
from mne_bstinv.adapters._reports import attach_with_parts
from mne_bstinv.conversion import Findings
from mne_bstinv.io import Channels, HeadModel, Mri, Surface
from mne_bstinv.io.mat import PathLike
from mne_bstinv.io.values import FloatArray

__all__ = ["from_forward", "to_forward", "write_forward"]


@verbose
def to_forward(
    head_model: HeadModel,
    channels: Channels,
    *,
    surface: Surface | None = None,
    mri: Mri | None = None,
    info: Any = None,
    src: Any = None,
    verbose: Any = None,
) -> Any:
    """Convert a head model to MNE.

    Parameters
    ----------
    head_model : HeadModel
        Gain (n_channels, 3 n_sources), T, T/m or V per A·m, in SCS.
    channels : Channels
        Channel file: names, types, sensors and the head frame.
    surface : Surface | None
        The cortex that the locations of a surface or mixed head model follow. Without it they
        become a discrete source space.
    mri : Mri | None
        The subject's MRI. Without it, MRI and head are the same frame.
    info : mne.Info | None
        Info to use instead of one made from ``channels``; channels are matched by name.
    src : mne.SourceSpaces | None
        Source spaces in the head frame to use instead of new ones, with their sources at the
        locations of the head model (in any order).
    verbose : bool | str | int | None
        Control verbosity of the logging output.

    Returns
    -------
    mne.Forward
        A free-orientation forward solution in the head frame, in double precision:
        (n_kept, 3 n_sources), rows of MEG, EEG, ECoG and SEEG one after the other.
        :func:`mne.convert_forward_solution` makes it fixed or surface-oriented.

    Raises
    ------
    ConversionError
        If head model, channels, surface or source spaces do not belong together, or no channel
        has a model.
    FrameError
        If the fiducials lie on one line, or the MRI has no frame.

    Notes
    -----
    The report names the channels that were dropped: those without a model (NaN or 0 in all or
    some columns) and those of types that MNE has no gain for. It keeps ``head_model``, ``rows``
    (0-based row of the gain of each channel), ``channel_names``, ``order`` (0-based location of
    each source) and ``scs_to_head``. FIF files hold gains in single precision, and no ECoG and
    SEEG: see :func:`write_forward`.

    The gain of a CTF system is that of the compensated sensors, as MNE's is for an Info with the
    same compensation.
    """
    findings = Findings()
    rows = _forward_parts.rows_of(head_model, channels, mri, info, findings)
    place = _forward_parts.place_of(head_model, channels, surface, mri, info, src, findings)
    gain = _forward_parts.turned(head_model.gain, rows.index, place.frame.rotation, place.order)
    nn = np.tile(np.eye(3), (len(place.order), 1))
    forward = mne.Forward(
        sol=_named(gain, rows.info["ch_names"]),
        sol_grad=None,
        source_ori=FIFF.FIFFV_MNE_FREE_ORI,
        surf_ori=False,
        nsource=len(place.order),
        nchan=len(gain),
        coord_frame=FIFF.FIFFV_COORD_HEAD,
        info=_forward_parts.forward_info(rows.info, place.mri_head_t),
        src=place.src,
        mri_head_t=place.mri_head_t,
        source_rr=np.concatenate([s["rr"][s["vertno"]] for s in place.src]),
        source_nn=nn,
        **forward_origin(gain, FIFF.FIFFV_MNE_FREE_ORI),
    )
    for name, value in (
        ("head_model", head_model),
        ("rows", rows.index),
        ("channel_names", channels.names),
        ("order", place.order),
        ("scs_to_head", place.frame.matrix),
    ):
        findings.keep(name, value)
    return attach_with_parts(
        findings, forward, [*rows.parts, *place.parts], what="head model → Forward"
    )


@verbose
def from_forward(
    fwd: Any,
    *,
    channels: Channels | None = None,
    mri: Mri | None = None,
    surface_file: str | None = None,
    verbose: Any = None,
) -> HeadModel:
    """Convert a forward solution to a head model.

    Parameters
    ----------
    fwd : mne.Forward
        A forward solution in the head frame that is, or was made from, one with free orientations.
    channels : Channels | None
        Channel file of the study: its channels become the rows, its fiducials say where SCS is.
        ``None`` takes those of the head model that ``fwd`` was converted from, else the channels
        of ``fwd``.
    mri : Mri | None
        The subject's MRI, for its fiducials where the channel file has none.
    surface_file : str | None
        The cortex file that the locations follow, relative to the protocol's ``anat`` folder.
    verbose : bool | str | int | None
        Control verbosity of the logging output.

    Returns
    -------
    HeadModel
        Gain (n_channels, 3 n_sources) in SCS, NaN in channels that ``fwd`` lacks; the locations
        in their original order where known, else in MNE's. The report keeps the cortex of MNE's
        source spaces as ``surface`` for :func:`mne_bstinv.write_surface`.

    Raises
    ------
    ConversionError
        If ``fwd`` was computed with fixed orientations (two of three gain columns are not there),
        is not in the head frame, or has channels that the channel file lacks.

    Notes
    -----
    A surface-oriented or fixed forward is turned back to x, y, z; where MNE made it fixed, from
    the copy of the free gain that it keeps (changes made to the fixed gain since are lost, which
    is reported).
    """
    findings = Findings()
    head_model = head_model_from(fwd, channels, mri, surface_file, findings)
    return findings.attach(head_model, what="Forward → head model")


@verbose
def write_forward(
    fname: PathLike, fwd: Any, *, overwrite: bool = False, verbose: Any = None
) -> None:
    """Write a forward solution to a FIF file, with a warning about what the format drops.

    Parameters
    ----------
    fname : path-like
        The file, ``…-fwd.fif``.
    fwd : mne.Forward
        The forward solution.
    overwrite : bool
        Replace an existing file.
    verbose : bool | str | int | None
        Control verbosity of the logging output.

    Raises
    ------
    ConversionError
        If it has neither MEG nor EEG channels.

    Warns
    -----
    RuntimeWarning
        If it has ECoG or SEEG channels: FIF files of forward solutions hold MEG and EEG only.
    """
    kept, lost = _forward_parts.split_for_fif(fwd)
    if lost:
        warn(
            f"FIF files of forward solutions hold MEG and EEG only; not written: {', '.join(lost)}",
            RuntimeWarning,
        )
        fwd = mne.pick_channels_forward(fwd, kept, ordered=True)
    mne.write_forward_solution(fname, fwd, overwrite=overwrite)


def _named(gain: FloatArray, names: list[str]) -> dict[str, Any]:
    """Return a matrix with the names of its rows, as MNE stores it."""
    return {
        "data": gain,
        "nrow": gain.shape[0],
        "ncol": gain.shape[1],
        "row_names": list(names),
        "col_names": [],
    }
