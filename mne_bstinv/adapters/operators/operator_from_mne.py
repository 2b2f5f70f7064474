"""An inverse operator of MNE as a kernel in a results structure of Brainstorm."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import mne
import numpy as np
from mne.utils import verbose

from mne_bstinv import io
from mne_bstinv._types import FloatArray, IntArray, Verbose
from mne_bstinv.adapters.channel_names import is_available, match_channel_names
from mne_bstinv.adapters.frames import scs_to_head_of
from mne_bstinv.adapters.kept import declared, keep, kept_of
from mne_bstinv.adapters.operators.operator_dicts import complete_info, data_info
from mne_bstinv.adapters.operators.parameters import (
    NOT_COMPARABLE,
    InverseParameters,
    averages_of,
    for_averages,
    inverse_parameters,
)
from mne_bstinv.adapters.operators.results import grid_fields, layout_of_grid, recoded, rows_of
from mne_bstinv.adapters.operators.rows import RowLayout, mixed_layout
from mne_bstinv.adapters.sensors import from_info
from mne_bstinv.adapters.sources import SourceGrid, grid_of
from mne_bstinv.conversion import (
    ConversionReport,
    Findings,
    attach_with_parts,
    carry,
    conversion_report,
    converts,
)
from mne_bstinv.errors import ConversionError
from mne_bstinv.inverse.options import AnyOptions
from mne_bstinv.inverse.options_2009 import InverseOptions2009
from mne_bstinv.io.processing import OF_MNE
from mne_bstinv.io.text import history_row

__all__ = ["from_inverse_operator", "operator_kernel", "remember_file"]

#: MNE's method → Brainstorm's function.
FUNCTIONS = {"MNE": "mn", "dSPM": "dspm2018", "sLORETA": "sloreta", "eLORETA": "mn"}


@converts
@verbose
def from_inverse_operator(
    inv: mne.minimum_norm.InverseOperator,
    lambda2: float | None = None,
    method: str | None = None,
    *,
    pick_ori: str | None = None,
    channels: io.Channels | None = None,
    info: mne.Info | None = None,
    mri: io.Mri | None = None,
    head_model: io.HeadModel | None = None,
    nave: int = 1,
    comment: str | None = None,
    data_file: str | None = None,
    head_model_file: str | None = None,
    surface_file: str | None = None,
    verbose: Verbose = None,
) -> io.Results:
    """Convert an inverse operator of MNE to a kernel that Brainstorm can show.

    Parameters
    ----------
    inv : mne.minimum_norm.InverseOperator
        The operator.
    lambda2 : float | None
        Regularisation. With neither this nor ``method`` those are taken that give Brainstorm's
        estimate (:func:`inverse_parameters`), its factor √Λ of sLORETA included.
    method : 'MNE' | 'dSPM' | 'sLORETA' | 'eLORETA' | None
        Method.
    pick_ori : None | 'vector' | 'normal'
        ``'normal'`` for one row per location, along the normal; else an operator of free or loose
        orientation gives three (lengths, MNE's None, are no linear function of the data).
    channels : Channels | None
        Channel file of the recordings that the kernel is for; ``None`` makes one of ``info``.
    info : mne.Info | None
        Info of those recordings, with the fiducials that the frame of Brainstorm follows from.
        ``None`` takes the operator's own, which MNE strips of fiducials: the frame is a guess.
    mri : Mri | None
        MRI, for the frame.
    head_model : HeadModel | None
        Head model whose locations the rows shall follow, in its order: needed where source spaces
        lost that order, as in FIF files. ``None`` takes the order that they carry, else MNE's.
    nave : int
        Number of averages of those recordings: written as nAvg and Leff. The kernel itself is for
        one sample, as in Brainstorm: MNE's dSPM of these averages is √nave times it, which is what
        Brainstorm's process "Scale averaged dSPM" makes of the map. Operators of options of 2009
        and 2016 bring their own.
    comment : str | None
        Name of the results in Brainstorm.
    data_file, head_model_file : str | None
        Files it belongs to, relative to the protocol's ``data``.
    surface_file : str | None
        Cortex, relative to the protocol's ``anat``.
    verbose : bool | str | int | None
        Control verbosity of the logging output.

    Returns
    -------
    Results
        The kernel for the recordings as they are stored, rows in Brainstorm's order and frame,
        units unchanged (sLORETA is dimensionless unless both arguments are ``None``). The
        projectors that the operator applies are part of it. The report keeps ``grid`` (locations
        and cortex, :class:`SourceGrid`) and, without ``channels``, ``channels``.

    Raises
    ------
    ConversionError
        If only one of ``lambda2`` and ``method`` is given, both are unknown, channels are missing,
        or the operator has no normals to pick.
    """
    findings, report = Findings(), conversion_report(inv)
    parts: list[Any] = []
    averages = _averages(inv, nave)
    inv = for_averages(inv, 1)
    wanted = _arguments(inv, lambda2, method)
    lambda2, method = wanted.lambda2, wanted.method
    values, names = operator_kernel(inv, lambda2, method, pick_ori=pick_ori)
    if channels is None:
        channels = from_info(complete_info(inv["info"]) if info is None else info)
        parts.append(channels)
        keep(findings, channels=channels)
    good = match_channel_names(names, channels.names)
    columns = np.argsort(good)
    frame = None if "scs_to_head" in kept_of(report) else channels
    to_head = scs_to_head_of(report, frame, mri, findings)
    grid = grid_of(inv["src"], to_head, head_model, info=inv["info"])
    parts.append(grid)
    layout, atlas = _layout(inv, grid, values.ndim == 3, findings)
    values = wanted.factor * values[..., columns]
    rows = rows_of(layout, values, grid.order, to_head[:3, :3], findings)
    _report(inv, wanted, averages, findings)
    types = tuple(channels.types[i] for i in good[columns].tolist())
    results = io.Results(
        imaging_kernel=rows,
        whitener=_whitener(inv)[np.ix_(columns, columns)],
        comment=comment or _comment(inv, wanted),
        function=_function(inv, wanted),
        data_file=data_file,
        head_model_file=head_model_file,
        surface_file=surface_file,
        channel_flag=_flags(inv, channels),
        good_channel=good[columns] + 1,
        options=_options(inv, wanted, columns, types),
        n_avg=int(averages),
        leff=float(averages),
        history=(history_row("mne", f"MNE-Python: {method}, lambda2 = {lambda2:.6g}"),),
        **grid_fields(grid, layout, atlas),
    )
    keep(findings, grid=grid)
    return attach_with_parts(findings, results, parts, what="InverseOperator → results")


def remember_file(inv: Any, path: Path) -> None:
    """Keep with an operator which file it was read from: kernels that are made of it name it.

    Parameters
    ----------
    inv : mne.minimum_norm.InverseOperator
        The operator.
    path : Path
        The file.
    """
    report = conversion_report(inv)
    kept = {**report.kept, **declared(operator_file=str(path.absolute()))}
    carry(inv, ConversionReport(report.findings, kept))


def operator_kernel(
    inv: Any, lambda2: float, method: str, *, pick_ori: str | None = None
) -> tuple[FloatArray, list[str]]:
    """Return the kernel of an operator by applying it to unit data.

    Parameters
    ----------
    inv : mne.minimum_norm.InverseOperator
        The operator.
    lambda2 : float
        Regularisation.
    method : str
        Method.
    pick_ori : None | 'vector' | 'normal'
        See :func:`from_inverse_operator`.

    Returns
    -------
    kernel : array, shape (n_sources, n_channels) or (n_sources, 3, n_channels)
        Estimate = kernel · data, for one sample; vectors along x, y, z of head.
    names : list of str
        Channels of the columns.

    Raises
    ------
    ConversionError
        If method or orientation are unknown, or MNE cannot apply the operator.
    """
    if method not in FUNCTIONS:
        raise ConversionError(f"Unknown method {method!r}. Must be one of {', '.join(FUNCTIONS)}.")
    _check_orientation(inv, pick_ori)
    if pick_ori is None and _n_components(inv) == 3:
        pick_ori = "vector"
    inv = for_averages(inv, 1)
    unit, info = np.eye(len(inv["info"]["ch_names"])), data_info(inv["info"], inv["projs"])
    evoked = mne.EvokedArray(unit, info, nave=1)
    with np.errstate(divide="ignore", invalid="ignore"):  # sources that no channel sees are NaN
        try:
            stc = mne.minimum_norm.apply_inverse(evoked, inv, lambda2, method, pick_ori=pick_ori)
        except ValueError as error:  # EEG without an average reference, which making it accepts
            raise ConversionError(
                f"MNE cannot apply the operator: {error} Do so with the recordings that it is made "
                "of, and make it anew."
            ) from error
    names = list(inv["noise_cov"]["names"])
    # channels of the Info that the operator does not use have columns of zeros
    picks = [evoked.ch_names.index(name) for name in names]
    return np.asarray(stc.data, dtype=np.float64)[..., picks], names


def _check_orientation(inv: Any, pick_ori: str | None) -> None:
    """Refuse an orientation that MNE does not know, or fails at."""
    if pick_ori not in (None, "vector", "normal"):
        raise ConversionError(f"pick_ori must be None, 'vector' or 'normal', found {pick_ori!r}.")
    on_surface = all(part["type"] == "surf" for part in inv["src"])
    if pick_ori == "normal" and (_n_components(inv) == 1 or not on_surface):
        found = "of fixed orientation" if on_surface else "whose locations are on no surface"
        raise ConversionError(
            "pick_ori='normal' (--pick-ori) takes the normals of an operator of free or loose "
            f"orientation on a surface, and this is one {found}: leave it out."
        )


def _arguments(inv: Any, lambda2: float | None, method: str | None) -> InverseParameters:
    """Return the arguments to use; marked as not comparable where they are not Brainstorm's."""
    if (lambda2 is None) != (method is None):
        raise ConversionError("Give both lambda2 and method (--lambda2, --method), or neither.")
    if lambda2 is None or method is None:
        return inverse_parameters(inv)
    if not (math.isfinite(lambda2) and lambda2 > 0):
        raise ConversionError(f"lambda2 must be a finite number above 0, found {lambda2!r}.")
    try:
        own = inverse_parameters(inv)
    except ConversionError:
        own = None
    if own is not None and own.factor == 1 and (own.lambda2, own.method) == (lambda2, method):
        return own
    return InverseParameters(
        lambda2=float(lambda2), method=method, pick_ori=None, parity=NOT_COMPARABLE
    )


def _n_components(inv: Any) -> int:
    return len(inv["eigen_leads"]["data"]) // int(inv["nsource"])


def _layout(
    inv: Any, grid: SourceGrid, vector: bool, findings: Findings
) -> tuple[RowLayout, io.GridAtlas | None]:
    """Rows as Brainstorm has them where its own regions made the operator, else along x, y, z."""
    ours, atlas = kept_of(inv).get("options"), grid.grid_atlas
    if ours is None or grid.head_model_type != "mixed" or not vector or atlas is None:
        return layout_of_grid(grid, vector=vector, findings=findings)
    if str(ours.measure) not in ours.conventions.prior_restored:
        # Brainstorm normalises loose rows in a local frame; these are along x, y, z
        atlas = recoded(atlas, {"L": "U"}, findings)
    return mixed_layout(atlas.scouts, grid.grid_orient, len(grid.grid_loc)), atlas


def _averages(inv: Any, nave: int) -> int:
    """Return the averages of the recordings: those that divided the noise, where they did."""
    options = kept_of(inv).get("options")
    if options is not None and options.conventions.averages_in_noise:
        return averages_of(inv)
    return nave


def _own_options(inv: Any, wanted: InverseParameters) -> AnyOptions | None:
    """Return the options of Brainstorm whose kernel this is; None where it is another."""
    options = kept_of(inv).get("options")
    return options if options is not None and wanted.parity != NOT_COMPARABLE else None


def _function(inv: Any, wanted: InverseParameters) -> str:
    options = _own_options(inv, wanted)
    return FUNCTIONS[wanted.method] if options is None else options.function


def _comment(inv: Any, wanted: InverseParameters) -> str:
    """Name the results; Brainstorm's comments of 2016 end in the year."""
    options = _own_options(inv, wanted)
    year = " 2016" if options is not None and options.year == 2016 else ""
    return f"MNE-Python: {wanted.method}{year}"


def _report(inv: Any, wanted: InverseParameters, nave: int, findings: Findings) -> None:
    method = wanted.method
    gives = "" if wanted.parity == NOT_COMPARABLE else ": Brainstorm's estimate by its own options"
    times = "" if wanted.factor == 1 else f" times {wanted.factor:.6g}"
    findings.derived(
        "lambda2", f"{wanted.lambda2:.6g} with method {method}{times} gave the kernel{gives}."
    )
    names = set(inv["noise_cov"]["names"])
    for proj in inv["projs"]:
        applies = names & set(proj["data"]["col_names"])
        if applies and np.any(proj["data"]["data"]):
            findings.derived(
                "projs",
                f"{proj['desc']!r} is part of the kernel: Brainstorm applies none to the data.",
            )
    own = _own_options(inv, wanted)
    divided = own is not None and own.conventions.averages_in_noise
    if method == "sLORETA" and nave > 1 and not divided:
        findings.dropped(
            "nave",
            f"The kernel is for one sample: MNE's sLORETA of {nave} averages is √{nave} times it.",
        )
    if method == "eLORETA":
        findings.assumed("Function", "Brainstorm has no eLORETA: it is shown as 'mn'.")


def _flags(inv: Any, channels: io.Channels) -> IntArray:
    flags = np.ones(len(channels.names), dtype=np.int64)
    bads = [name for name in inv["info"]["bads"] if name not in inv["noise_cov"]["names"]]
    present = [name for name in bads if is_available(name, channels.names)]
    flags[match_channel_names(present, channels.names)] = -1
    return flags


def _whitener(inv: Any) -> FloatArray:
    whitener, _ = mne.cov.compute_whitener(inv["noise_cov"], info=None, pca=False)
    return np.asarray(whitener)


def _options(
    inv: Any, wanted: InverseParameters, columns: IntArray, types: tuple[str, ...]
) -> dict[str, Any]:
    """Options as Brainstorm stores them: its own where they made this kernel, else MNE's."""
    cov = inv["noise_cov"]
    eig, eigvec = np.asarray(cov["eig"]), np.asarray(cov["eigvec"])
    matrix = ((eigvec.T * np.maximum(eig, 0)) @ eigvec)[np.ix_(columns, columns)]
    common: dict[str, Any] = {
        "ChannelTypes": types,
        "DataTypes": tuple(dict.fromkeys(types)),
        "ComputeKernel": 1.0,
        "NoiseCovMat": {"NoiseCov": matrix, "Comment": "Noise covariance of the operator"},
        "FunctionName": _function(inv, wanted),
    }
    options = _own_options(inv, wanted)
    if isinstance(options, InverseOptions2009):
        common["NoiseCov"] = common.pop("NoiseCovMat")["NoiseCov"]
    if options is not None:
        return {**options.to_brainstorm(), **common}
    power = (eig > 0).sum() / len(eig) / wanted.lambda2
    return {
        # not Brainstorm's 2018 inverse: nobody shall recompute it as such
        "InverseMethod": OF_MNE,
        "InverseMeasure": wanted.method,
        "SourceOrient": ("fixed" if _n_components(inv) == 1 else "free",),
        "SnrMethod": "fixed",
        "SnrFixed": float(np.sqrt(power)),
        "Lambda2": wanted.lambda2,
        **({"OperatorFile": file} if (file := kept_of(inv).get("operator_file")) else {}),
        **common,
    }
