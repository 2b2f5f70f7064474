"""From MNE's objects to the structures of one condition."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from mne_bstinv import io
from mne_bstinv.adapters.anatomy import read_freesurfer_mri
from mne_bstinv.adapters.files import (
    distance_of_trans,
    kind_of,
    of_channels,
    recordings_from,
)
from mne_bstinv.adapters.kept import kept_of
from mne_bstinv.adapters.recordings import (
    pending_projections,
)
from mne_bstinv.adapters.sensors import from_info
from mne_bstinv.adapters.sources import (
    from_forward,
    from_source_spaces,
    recoded_regions,
)
from mne_bstinv.conversion import Findings, carry, conversion_report, tell_again
from mne_bstinv.errors import ConversionError
from mne_bstinv.export.anatomy import coloured, complete_cortex, labelled
from mne_bstinv.export.covariances import ALL_TIMES, Windows, covariance_of
from mne_bstinv.export.usable import flagged, modalities_without, unusable_channels
from mne_bstinv.frames import scs_to_head
from mne_bstinv.io.text import history_row

__all__ = ["StudyStructures", "structures_of"]

_S = TypeVar("_S", io.NoiseCov, io.Surface)

#: What the history of a file says that has none yet.
_IMPORTED = ("import", "Converted from MNE-Python")
#: What the log says of steps that make no structure.
_WHAT = "study → Brainstorm protocol"
#: Distance (m) at the surface of a head up to which two transforms are the same: FIF files hold
#: them in single precision, and copies of them are made by hand.
_SAME_TRANS = 1e-5
#: FIFF.FIFFV_COORD_MRI, as source spaces say it.
_MRI_FRAME = 5


@dataclass(kw_only=True, eq=False)
class StudyStructures:
    """The structures of a condition."""

    #: Channel file.
    channels: io.Channels
    #: What they were in MNE, and the recordings.
    recordings: list[tuple[str, io.Recordings]] = field(default_factory=list)
    #: Head model.
    head_model: io.HeadModel | None = None
    #: Noise covariance of all channels.
    noise_cov: io.NoiseCov | None = None
    #: Data covariance of all channels.
    data_cov: io.NoiseCov | None = None
    #: The cortex that the locations follow.
    cortex: io.Surface | None = None
    #: The subject's MRI.
    mri: io.Mri | None = None
    #: The source spaces that head model and cortex were made of.
    src: Any = None


def structures_of(
    *,
    recordings: Sequence[Any] = (),
    info: Any = None,
    forward: Any = None,
    noise_cov: Any = None,
    data_cov: Any = None,
    noise_times: Windows = ALL_TIMES,
    data_times: Windows = ALL_TIMES,
    src: Any = None,
    trans: Any = None,
    mri: io.Mri | Path | None = None,
    labels: Sequence[Any] = (),
    regions: Mapping[str, str] | None = None,
    lcmv: bool = False,
) -> StudyStructures:
    """Convert the objects of a study, which do not belong to any files yet.

    The sensors are by default those of the recordings with the most channels. Where a
    covariance is given as data, it is computed of these times with Brainstorm's estimator.
    ``src`` is for where there is no forward solution, ``trans`` for source spaces in the MRI
    frame; a path to an MRI is FreeSurfer's ``T1.mgz``; ``lcmv`` says that kernels are to be
    stored that need the data covariance; ``regions`` are codes of a mixed head model by name.
    """
    channels = _channels(info, recordings)
    study = StudyStructures(channels=channels)
    _refuse_idle(forward, src, trans, mri)
    if trans is not None and kind_of(forward) == "forward":
        _compare_trans(trans, forward)
    study.mri = _mri(mri, channels, trans, forward)
    of_mne: list[int] = []
    for inst in recordings:
        kind = kind_of(inst) or "evoked"
        given = isinstance(inst, io.Recordings)
        found = [tell_again(inst)] if given else recordings_from(inst, channels)
        if isinstance(inst, io.Recordings) and inst.n_avg == 1:
            kind = "epochs"
        if not given:
            of_mne += range(len(study.recordings), len(study.recordings) + len(found))
        study.recordings += [(kind, one) for one in found]
    _tell_pending(recordings)
    study.noise_cov = _covariance("noise", noise_cov, noise_times, channels)
    study.data_cov = _covariance("data", data_cov, data_times, channels)
    _add_sources(study, forward, src, trans)
    if regions:
        study.head_model = _recoded(study.head_model, regions)
    if study.head_model is not None and not study.head_model.param:
        # one struct per channel, as in Brainstorm's files; empty where there is no sphere
        spheres = tuple(io.Sphere() for _ in range(study.head_model.n_channels))
        study.head_model = dataclasses.replace(study.head_model, param=spheres)
    if study.head_model is not None and study.head_model.grid_atlas is not None:
        atlas = coloured(study.head_model.grid_atlas)
        study.head_model = dataclasses.replace(study.head_model, grid_atlas=atlas)
    if labels:
        if study.cortex is None:
            raise ConversionError(
                "Labels need a cortex to become scouts: give a forward solution, or source "
                "spaces, on a surface."
            )
        study.cortex = labelled(study.cortex, study.src, labels)
    if study.cortex is not None:
        study.cortex = _with_history(complete_cortex(study.cortex))
    _check_sizes(study)
    if not isinstance(data_cov, io.NoiseCov):
        _leave_out_partial(study, needed=lcmv)
    _flag_unusable(study, of_mne)
    return study


def _refuse_idle(forward: Any, src: Any, trans: Any, mri: Any) -> None:
    """Refuse objects that nothing would be taken from."""
    of_mne = kind_of(forward) == "forward"
    own_spaces = kind_of(src) == "source spaces"
    if of_mne and own_spaces:
        raise ConversionError(
            "src: a forward solution of MNE has source spaces of its own, which are taken. Leave "
            "src out."
        )
    in_mri = own_spaces and any(int(part["coord_frame"]) == _MRI_FRAME for part in src)
    if trans is None or of_mne or isinstance(mri, Path) or (forward is None and in_mri):
        return
    raise ConversionError(
        "trans: it would place FreeSurfer's MRI, or source spaces in the MRI frame where there "
        "is no forward solution, or agree with that of a forward solution, and none is given. "
        "Leave trans out."
    )


def _tell_pending(recordings: Sequence[Any]) -> None:
    """Say which projections Brainstorm's inverse has, and the stored recordings do not."""
    segments = [one for one in recordings if kind_of(one) in ("evoked", "epochs")]
    pending = dict.fromkeys(name for one in segments for name in pending_projections(one))
    if not pending:
        return
    findings = Findings()
    findings.assumed(
        "Projector.Status",
        f"1 for {', '.join(pending)}: Brainstorm projects gain and covariance with them, but not "
        "recordings that are stored already; MNE's inverse projects recordings too. Apply them "
        "first (apply_proj()) for the same estimates.",
    )
    findings.tell(what=_WHAT)


def _compare_trans(trans: Any, forward: Any) -> None:
    """Say how far a transform is from that of the forward solution, which places the sources."""
    findings, apart = Findings(), distance_of_trans(trans, forward["mri_head_t"])
    if apart > _SAME_TRANS:
        findings.assumed(
            "trans",
            f"it places a head {1e3 * apart:.2g} mm away from where the transform of the forward "
            "solution does: sources stay where that has them; an MRI of FreeSurfer is placed by "
            "trans. Check which of both is right.",
        )
    else:
        findings.derived("trans", "it is that of the forward solution.")
    findings.tell(what=_WHAT)


def _channels(info: Any, recordings: Sequence[Any]) -> io.Channels:
    if isinstance(info, io.Channels):
        return tell_again(info)
    # an average has fewer channels than the epochs it was made of
    most = sorted(recordings, key=lambda one: -len(getattr(one, "ch_names", ())))
    for one in most if info is None else [info, *most]:
        if kind_of(one) == "info":
            return from_info(one)
        if kind_of(one) is not None:
            return from_info(_info_of(one))
    raise ConversionError(
        "Nothing says where sensors and fiducials are: give recordings of MNE, or their info "
        "(forward solutions and operators have lost the fiducials)."
    )


def _mri(
    mri: io.Mri | Path | None, channels: io.Channels, trans: Any, forward: Any
) -> io.Mri | None:
    if not isinstance(mri, Path):
        return mri
    if trans is None and kind_of(forward) == "forward":
        trans = forward["mri_head_t"]
    if trans is None:
        raise ConversionError(
            f"{mri}: a transform between head and MRI is needed to place it: give trans, or a "
            "forward solution."
        )
    return read_freesurfer_mri(mri, trans, channels)


def _info_of(inst: Any) -> Any:
    """Return the Info of data, with what its conversion from Brainstorm kept.

    MNE copies the Info that it makes an Evoked of, and the copy has no report: the Evoked has it.
    """
    kept = conversion_report(inst)
    if "channels" not in kept_of(kept) or kept_of(inst.info):
        return inst.info
    return carry(inst.info.copy(), kept)


def _covariance(kind: str, value: Any, times: Windows, channels: io.Channels) -> io.NoiseCov | None:
    findings = Findings()
    converted = covariance_of(value, channels, kind, times, findings)
    findings.tell(what=_WHAT)
    return None if converted is None else _with_history(converted)


def _with_history(structure: _S) -> _S:
    """Return a structure with a history: files of Brainstorm have one."""
    if structure.history:
        return structure
    return dataclasses.replace(structure, history=(history_row(*_IMPORTED),))


def _add_sources(study: StudyStructures, forward: Any, src: Any, trans: Any) -> None:
    """Add head model, cortex and source spaces."""
    study.src = None if isinstance(src, io.Surface) else src
    if isinstance(forward, io.HeadModel):
        study.head_model = forward
        study.cortex = src if isinstance(src, io.Surface) else None
        return
    if forward is not None:
        findings = Findings()
        forward = of_channels(forward, study.channels, "forward solution", findings)
        findings.tell(what=_WHAT)
        study.src = forward["src"]
        # its name is known when it is clear what the subject has: see the module target
        study.head_model = from_forward(
            forward, channels=study.channels, mri=study.mri, surface_file="cortex"
        )
        study.cortex = kept_of(study.head_model)["surface"]
        if isinstance(src, io.Surface) and study.cortex is not None:
            raise ConversionError(
                "src: the forward solution has a cortex of its own, which is taken. Leave src "
                "out, or give the HeadModel whose locations follow the Surface."
            )
        if study.cortex is None:
            study.cortex = src
    elif isinstance(src, io.Surface):
        study.cortex = src
    elif src is not None:
        to_scs = scs_to_head(study.channels, study.mri).inverse
        grid = from_source_spaces(src, head_to_scs=to_scs, trans=trans)
        study.cortex = grid.surface


def _recoded(head_model: io.HeadModel | None, regions: Mapping[str, str]) -> io.HeadModel:
    """Give regions the codes that were said."""
    if head_model is None or head_model.grid_atlas is None:
        raise ConversionError(
            f"regions (--region) {', '.join(map(repr, regions))}: there is no mixed head model, "
            "which alone has regions. Leave it out."
        )
    atlas, findings = recoded_regions(head_model.grid_atlas, regions), Findings()
    said = ", ".join(f"{name!r} {code}" for name, code in regions.items())
    findings.derived("Region", f"{said}: as regions (--region) says.")
    findings.tell(what=_WHAT)
    return dataclasses.replace(head_model, grid_atlas=atlas)


def _leave_out_partial(study: StudyStructures, *, needed: bool) -> None:
    """Leave out a data covariance that lacks a modality: Brainstorm would not compute that one."""
    cov = study.data_cov
    if cov is None:
        return
    lacking = modalities_without(study.channels, study.head_model, study.noise_cov, cov)
    if not lacking:
        return
    listed, findings = " and ".join(lacking), Findings()
    if needed:
        findings.assumed(
            "data covariance",
            f"it has no channel of {listed}: with it in the folder, Brainstorm refuses every "
            f"inverse of {listed}. Give one of all modalities, or export the LCMV kernels to a "
            "condition of their own.",
        )
    else:
        findings.dropped(
            "data covariance",
            f"left out, since it has no channel of {listed}: with it in the folder, Brainstorm "
            f"refuses every inverse of {listed}. Give one of all modalities.",
        )
        study.data_cov = None
    findings.tell(what=_WHAT)


def _flag_unusable(study: StudyStructures, of_mne: Sequence[int]) -> None:
    """Flag channels of MNE's data that no source can be computed from; structures stay."""
    parts = study.head_model, study.noise_cov, study.data_cov
    lacking = unusable_channels(study.channels, *parts)
    first = True
    for index in of_mne if lacking else ():
        kind, recordings = study.recordings[index]
        changed = flagged(recordings, lacking, study.channels, log=first)
        if changed is not None:
            study.recordings[index] = (kind, changed)
            first = False


def _check_sizes(study: StudyStructures) -> None:
    """Refuse structures that were given as they are and are of other channels."""
    n = len(study.channels)
    found = {f"recordings {r.comment!r}": len(r.f) for _, r in study.recordings if r.f is not None}
    for what, cov in (("noise covariance", study.noise_cov), ("data covariance", study.data_cov)):
        if cov is not None:
            found[what] = cov.n_channels
    if study.head_model is not None:
        found["head model"] = study.head_model.n_channels
    wrong = [f"the {what} have {size}" for what, size in found.items() if size != n]
    if wrong:
        raise ConversionError(
            f"The channel file has {n} channels, but {'; '.join(wrong)}: not of one study. "
            "Take all files from one study."
        )
