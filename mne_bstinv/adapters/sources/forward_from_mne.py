"""Head models from :class:`mne.Forward`: columns turned to SCS, locations in their own order."""

from __future__ import annotations

import dataclasses
from typing import Any

import mne
import numpy as np
from mne.io.constants import FIFF
from mne.utils import verbose

from mne_bstinv import io
from mne_bstinv._types import FloatArray, Verbose
from mne_bstinv.adapters._mne_private import original_gain
from mne_bstinv.adapters.channel_names import match_channel_names
from mne_bstinv.adapters.frames import head_frame
from mne_bstinv.adapters.kept import WayBack, keep, kept_of
from mne_bstinv.adapters.sources.spaces_from_mne import SourceGrid, from_source_spaces
from mne_bstinv.conversion import Findings, converts
from mne_bstinv.errors import ConversionError
from mne_bstinv.io.text import history_row

__all__ = ["from_forward"]

#: Methods of a head model that MNE computed, by attribute and channel types.
_METHODS = {
    "meg_method": {"mag", "grad"},
    "eeg_method": {"eeg"},
    "ecog_method": {"ecog"},
    "seeg_method": {"seeg"},
}

#: Locations that differ by less (m) are the same.
_SAME_PLACE = 1e-9


@converts
@verbose
def from_forward(
    fwd: mne.Forward,
    *,
    channels: io.Channels | None = None,
    mri: io.Mri | None = None,
    surface_file: str | None = None,
    verbose: Verbose = None,
) -> io.HeadModel:
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
    findings, kept = Findings(), kept_of(fwd)
    if int(fwd["coord_frame"]) != FIFF.FIFFV_COORD_HEAD:
        raise ConversionError(
            f"The forward solution is in the frame {fwd['coord_frame']}, not in head: compute it "
            "with mne.make_forward_solution."
        )
    matrix = _scs_to_head(kept, channels, mri, findings)
    names = _row_names(fwd, channels, kept)
    index = match_channel_names(fwd["sol"]["row_names"], names)
    grid = from_source_spaces(fwd["src"], head_to_scs=np.linalg.inv(matrix), info=fwd["info"])
    # G_i R turns the columns back; order says where each source of MNE goes
    blocks = _free_gain(fwd, findings).reshape(len(index), -1, 3) @ matrix[:3, :3]
    by_location = np.full((len(names), len(grid.grid_loc), 3), np.nan)
    by_location[index[:, None], grid.order] = blocks
    gain = by_location.reshape(len(names), -1)
    missing = np.setdiff1d(np.arange(len(names)), index)
    original = _original(kept, names, grid.grid_loc)
    if original is not None:
        never = np.setdiff1d(missing, kept["rows"])
        gain[never] = original.gain[never]
        missing = np.setdiff1d(missing, never)
    if missing.size:
        listed = ", ".join(names[i] for i in missing)
        findings.assumed("Gain", f"NaN in channels without a model: {listed}")
    keep(
        findings,
        src=fwd["src"],
        mri_head_t=fwd["mri_head_t"],
        scs_to_head=matrix,
        surface=grid.surface,
    )
    if original is None:
        head_model = _new_head_model(fwd, gain, grid, surface_file, findings)
    else:
        values: dict[str, Any] = {} if surface_file is None else {"surface_file": surface_file}
        if missing.size:  # channels were taken out since
            types = set(fwd["info"].get_channel_types())
            values |= {name: None for name, kinds in _METHODS.items() if not kinds & types}
        head_model = dataclasses.replace(original, gain=gain, **values)
    return findings.attach(head_model, what="Forward → head model")


def _scs_to_head(
    kept: WayBack, channels: io.Channels | None, mri: io.Mri | None, findings: Findings
) -> FloatArray:
    if "scs_to_head" in kept:
        return np.asarray(kept["scs_to_head"])
    return head_frame(channels, mri, findings).matrix


def _row_names(fwd: Any, channels: io.Channels | None, kept: WayBack) -> tuple[str, ...]:
    if channels is not None:
        return channels.names
    return tuple(kept.get("channel_names", fwd["sol"]["row_names"]))


def _free_gain(fwd: Any, findings: Findings) -> FloatArray:
    """Gain of x, y, z in head (n_channels, 3 n_sources), double precision."""
    gain = np.asarray(fwd["sol"]["data"], dtype=np.float64)
    fixed = int(fwd["source_ori"]) == FIFF.FIFFV_MNE_FIXED_ORI
    if not fixed and not fwd["surf_ori"]:
        return gain
    if not fixed:
        findings.derived("sol", "turned back from surface-oriented axes to x, y, z")
        axes = np.asarray(fwd["source_nn"], dtype=np.float64).reshape(-1, 3, 3)
        blocks = gain.reshape(len(gain), -1, 1, 3) @ axes
        return blocks.reshape(len(gain), -1)
    free, orientation = original_gain(fwd)
    if free is None or orientation == FIFF.FIFFV_MNE_FIXED_ORI:
        raise ConversionError(
            "The forward solution has fixed orientations only; a head model holds the gain of "
            "three directions at each location: compute it with free orientations."
        )
    findings.derived("sol", "fixed: the gain of free orientations that MNE keeps with it was taken")
    return np.asarray(free, dtype=np.float64)


def _original(kept: WayBack, names: tuple[str, ...], grid_loc: FloatArray) -> io.HeadModel | None:
    """Return the head model the forward was made of, if channels and locations are the same."""
    model = kept.get("head_model")
    same = (
        isinstance(model, io.HeadModel)
        and tuple(kept.get("channel_names", ())) == names
        and model.grid_loc.shape == grid_loc.shape
        and bool(np.abs(model.grid_loc - grid_loc).max() < _SAME_PLACE)
    )
    return model if same else None


def _new_head_model(
    fwd: Any, gain: FloatArray, grid: SourceGrid, surface_file: str | None, findings: Findings
) -> io.HeadModel:
    """Make the head model of a forward that was not converted from one, or changed since."""
    if grid.surface is not None and surface_file is None:
        findings.assumed(
            "SurfaceFile",
            "empty: no cortex was given. mne-bstinv convert x-fwd.fif tess_cortex_x.mat writes "
            "that of a forward solution; give it with --cortex (surface_file).",
        )
    return io.HeadModel(
        gain=gain,
        grid_loc=grid.grid_loc,
        grid_orient=grid.grid_orient,
        grid_atlas=grid.grid_atlas,
        head_model_type=grid.head_model_type,
        surface_file=surface_file,
        comment="MNE-Python",
        history=(history_row("import", "Converted from MNE-Python"),),
        **_methods(fwd, findings),
    )


def _methods(fwd: Any, findings: Findings) -> dict[str, Any]:
    types = set(fwd["info"].get_channel_types())
    methods = {name: "mne" for name, kinds in _METHODS.items() if kinds & types}
    findings.assumed("MEGMethod, EEGMethod", "'mne': a Forward does not say how it was computed")
    return methods
