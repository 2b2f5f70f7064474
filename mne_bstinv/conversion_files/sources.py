"""Head models, operators, estimates and dipoles, one file at a time.

A function takes what the source holds, the companions and what the conversion is told.
"""

from __future__ import annotations

from typing import Any

from mne_bstinv import io
from mne_bstinv.adapters import (
    from_dipole,
    from_forward,
    from_inverse_operator,
    from_source_estimate,
    to_dipole,
    to_forward,
    to_source_estimate,
    to_source_spaces,
    to_trans,
)
from mne_bstinv.adapters.operators import (
    FUNCTIONS,
    function_of_estimate,
    operator_of_results,
    remember_file,
)
from mne_bstinv.adapters.sources import check_on_cortex, on_cortex
from mne_bstinv.conversion import Findings
from mne_bstinv.conversion_files.arguments import Arguments
from mne_bstinv.conversion_files.companions import Companions, frame_mri
from mne_bstinv.errors import ConversionError

__all__ = [
    "dipole",
    "dipoles",
    "estimate",
    "forward",
    "head_model",
    "kernel",
    "operator",
    "results",
    "source_spaces",
    "trans",
]


def forward(head_model: io.HeadModel, c: Companions, arguments: Arguments) -> Any:
    """Make a forward solution."""
    surface, src = _surface(head_model, c), source_spaces(head_model, c, arguments)
    return to_forward(head_model, c["channels"], surface=surface, mri=c["mri"], src=src)


def head_model(fwd: Any, c: Companions, _: Arguments) -> Any:
    """Make a head model, its locations in the order of the cortex."""
    # a volume follows no cortex
    surface_file = None if _is_volume(fwd["src"]) else c.stored_path("cortex", "anat")
    channels = c["channels"]
    model = from_forward(
        fwd, channels=channels, mri=frame_mri(channels, c), surface_file=surface_file
    )
    if surface_file is None:
        return model
    findings = Findings()
    ordered = on_cortex(model, c["cortex"], c.used["cortex"].name, findings)
    findings.tell(what="Forward → head model", log=False)
    return ordered


def source_spaces(head_model: io.HeadModel, c: Companions, _: Arguments) -> Any:
    """Make the source spaces of a head model."""
    surface = _surface(head_model, c)
    return to_source_spaces(
        head_model, surface, c["mri"], channels=c["channels"], subject=c.subject
    )


def _surface(head_model: io.HeadModel, c: Companions) -> io.Surface | None:
    """Return the cortex of a head model; a volume follows none."""
    return None if head_model.kind == "volume" else c["cortex"]


def trans(channels: io.Channels, c: Companions, _: Arguments) -> Any:
    """Make the transform from head to MRI."""
    return to_trans(channels, c["mri"])


def operator(results: io.Results, c: Companions, _: Arguments) -> Any:
    """Make an inverse operator."""
    return operator_of_results(
        results,
        c["head_model"],
        c["noise_cov"],
        c["channels"],
        surface=_surface(c["head_model"], c),
        mri=c["mri"],
        subject=c.subject,
    )


def kernel(inv: Any, c: Companions, arguments: Arguments) -> Any:
    """Make the kernel of an operator."""
    remember_file(inv, c.source)
    model = _model_of(inv["src"], c)
    return from_inverse_operator(
        inv,
        arguments.lambda2,
        arguments.method,
        pick_ori=arguments.pick_ori,
        channels=c["channels"],
        mri=frame_mri(c["channels"], c),
        head_model=model,
        head_model_file=c.stored_path("head_model", "data"),
        surface_file=_surface_file(model, inv["src"], c),
    )


def estimate(results: io.Results, c: Companions, arguments: Arguments) -> Any:
    """Make a source estimate."""
    recordings = None if results.imaging_kernel is None else c.require("recordings")
    on_surface = results.head_model_type not in ("volume", "mixed")
    surface = None if results.head_model_type == "volume" else c["cortex"]
    # what the results and their cortex say of the locations is enough: head models are large
    alone = results.grid_loc is None if not on_surface else surface is None
    stc = to_source_estimate(
        results,
        recordings,
        c.subject,
        channels=c["channels"],
        surface=surface,
        mri=c["mri"],
        head_model=c["head_model"] if alone else None,
        scale_leff=bool(arguments.scale_leff),
    )
    if stc.subject is None or c.target.suffix.lower() != ".stc":
        return stc
    findings = Findings()
    findings.dropped(
        "subject",
        f"stc files have no place for the name of the subject ({stc.subject}): give it when you "
        "read the file, or choose a name that ends with -stc.h5.",
    )
    findings.tell(what="results → source estimate", log=False)
    return stc


def results(stc: Any, c: Companions, arguments: Arguments) -> Any:
    """Make full results."""
    model = _model_of(c["src"], c)
    method = arguments.method
    if method is None:
        raise ConversionError(
            f"{c.source.name} does not say what its values are, and Brainstorm's results do: say "
            f"it with --method (method), one of {', '.join(FUNCTIONS)}."
        )
    recordings, findings = c["recordings"], Findings()
    nave = None if recordings is None else recordings.n_avg
    function = function_of_estimate(method, nave, findings)
    findings.tell(what="source estimate → results")
    return from_source_estimate(
        stc,
        c["src"],
        channels=c["channels"],
        mri=frame_mri(c["channels"], c),
        head_model=model,
        function=function,
        nave=nave,
        comment=f"MNE-Python: {method}",
        data_file=c.stored_path("recordings", "data"),
        head_model_file=c.stored_path("head_model", "data"),
        surface_file=_surface_file(model, c["src"], c),
    )


def _is_volume(src: Any) -> bool:
    return src.kind in ("volume", "discrete")


def _model_of(src: Any, c: Companions) -> io.HeadModel | None:
    """Return the head model of sources: results on a surface do not say where their rows are."""
    if src.kind == "surface":
        why = (
            ", whose order of locations the rows have (that of a forward solution: mne-bstinv "
            "convert x-fwd.fif headmodel_surf_x.mat)"
        )
        return c.require("head_model", why)
    return c["head_model"]


def _surface_file(model: io.HeadModel | None, src: Any, c: Companions) -> str | None:
    """Return the cortex of results: that of their head model, unless another is given."""
    if model is not None and model.surface_file and "cortex" not in c.given:
        return model.surface_file
    if _is_volume(src):
        return None
    stored = c.stored_path("cortex", "anat")
    if stored is not None and model is not None:
        check_on_cortex(model, c["cortex"], c.used["cortex"].name)
    return stored


def dipole(dipoles: io.Dipoles, c: Companions, _: Arguments) -> Any:
    """Make dipoles of MNE-Python."""
    if c.target.suffix.lower() == ".dip":
        findings = Findings()
        findings.dropped("Loc", ".dip files are text with few digits; .bdip are single precision.")
        findings.tell(what="dipoles → Dipole", log=False)
    return to_dipole(dipoles, c["channels"], mri=frame_mri(c["channels"], c))


def dipoles(dipole: Any, c: Companions, _: Arguments) -> Any:
    """Make dipoles of Brainstorm."""
    return from_dipole(dipole, c["channels"], mri=frame_mri(c["channels"], c))
