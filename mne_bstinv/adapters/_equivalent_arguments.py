"""The further arguments of ``make_inverse_operator`` that give Brainstorm's kernel."""

from __future__ import annotations

from typing import Any

import numpy as np

from mne_bstinv.adapters._equivalent_parts import MneObjects
from mne_bstinv.conversion import conversion_report
from mne_bstinv.inverse.options import InverseOptions
from mne_bstinv.inverse.preparation import PreparedStudy

__all__ = ["minimum_norm_arguments"]

#: MNE squares the limit: beyond this it could not be told from none.
_LARGEST_LIMIT = 1e150


def minimum_norm_arguments(
    prepared: PreparedStudy, objects: MneObjects
) -> tuple[dict[str, Any], str]:
    """Return the further arguments of ``make_inverse_operator``, and why there are none.

    Parameters
    ----------
    prepared : PreparedStudy
        Regions and options.
    objects : MneObjects
        The source spaces and ranks.

    Returns
    -------
    arguments : dict
        ``loose``, ``depth``, ``fixed``, ``rank``, ``use_cps``.
    reason : str
        Why no public call gives the kernel; empty where one does.
    """
    options = prepared.options
    loose, reason = _loose(prepared, objects.forward)
    depth = None
    if options.depth_weighting and options.weight_exp > 0:
        depth = {
            "exp": options.weight_exp,
            "limit": _limit(options),
            "combine_xyz": "fro",
            "limit_depth_chs": False,
            "allow_fixed_depth": False,
        }
        if len(prepared.regions) > 1:
            reason = reason or (
                "Brainstorm weights depth within each region of a mixed head model, MNE over all "
                "sources together"
            )
    arguments = {
        "loose": loose,
        "depth": depth,
        "fixed": "auto" if isinstance(loose, dict) else loose == 0,
        "rank": objects.ranks_by_type,
        "use_cps": False,
    }
    return arguments, reason


def _limit(options: InverseOptions) -> float | None:
    try:
        limit = options.weight_limit ** (1 / options.weight_exp)
    except OverflowError:
        return None
    return float(limit) if limit < _LARGEST_LIMIT else None


_KINDS = {"surf": "surface", "vol": "volume", "discrete": "discrete"}


def _loose(prepared: PreparedStudy, forward: Any) -> tuple[float | dict[str, float], str]:
    options = prepared.options
    tangential = 0.0 if options.loose is None else options.loose**2
    values = {"fixed": 0.0, "loose": tangential, "free": 1.0}
    if not prepared.mixed:
        return values[prepared.regions[0].orient], ""
    orient = np.full(prepared.n_sources, "", dtype=object)
    for region in prepared.regions:
        orient[region.locations] = region.orient
    order, start = conversion_report(forward).kept["order"], 0
    found: dict[str, set[str]] = {}
    for part in forward["src"]:
        used = orient[order[start : start + part["nuse"]]]
        found.setdefault(_KINDS[part["type"]], set()).update(set(used.tolist()) - {""})
        start += part["nuse"]
    for kind, orients in found.items():
        if len(orients) > 1 or (kind == "volume" and orients - {"free"}):
            return {}, (
                f"the {kind} source spaces hold {' and '.join(sorted(orients))} locations, MNE has "
                "one loose value for each kind of source space, 1 for volumes"
            )
    return {kind: values[next(iter(o), "free")] for kind, o in found.items()}, ""
