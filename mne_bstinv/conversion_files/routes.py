"""Which kind of file becomes which other, how, and what else that takes: one table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from mne_bstinv.conversion_files import anatomy, recordings, sources
from mne_bstinv.conversion_files.arguments import Arguments
from mne_bstinv.conversion_files.companions import Companions

__all__ = ["ROUTES", "Route"]


@dataclass(frozen=True)
class Route:
    """How one kind of file becomes another."""

    #: The source, its companions (:class:`Companions`) and arguments → the object to write.
    convert: Callable[[Any, Companions, Arguments], Any]
    #: Companions without which it is impossible.
    needs: tuple[str, ...] = ()
    #: Companions that make it better.
    uses: tuple[str, ...] = ()
    #: The arguments that it heeds.
    options: tuple[str, ...] = ()


_ON_CORTEX = ("cortex", "mri")

_SURFACES = ("cortex", "scalp", "innerskull", "outerskull", "tess")

_ITEM = ("item",)

_TIMES = ("tmin", "tmax", "baseline")

#: Kind of the source, kind of the target → how.
ROUTES: Mapping[tuple[str, str], Route] = {
    ("headmodel", "forward"): Route(sources.forward, ("channels",), _ON_CORTEX),
    ("headmodel", "source spaces"): Route(sources.source_spaces, ("channels",), _ON_CORTEX),
    ("noisecov", "covariance"): Route(recordings.covariance, ("channels",)),
    ("ndatacov", "covariance"): Route(recordings.covariance, ("channels",)),
    ("data", "evoked"): Route(recordings.evoked, ("channels",), ("mri",)),
    ("data", "raw"): Route(recordings.raw, ("channels",), ("mri",), ("raw_dir",)),
    ("bst", "raw"): Route(recordings.raw_of_bst, (), ("channels",)),
    ("raw", "bst"): Route(recordings.continuous, (), ("channels",)),
    ("data", "epochs"): Route(recordings.epochs, ("channels",), ("mri",)),
    ("channel", "info"): Route(recordings.info, (), ("mri",)),
    ("channel", "trans"): Route(sources.trans, ("mri",)),
    ("results", "source estimate"): Route(
        sources.estimate, (), ("channels", *_ON_CORTEX, "recordings", "head_model"), ("scale_leff",)
    ),
    ("results", "inverse operator"): Route(
        sources.operator, ("channels", "head_model", "noise_cov"), _ON_CORTEX
    ),
    ("forward", "headmodel"): Route(sources.head_model, ("channels",), _ON_CORTEX),
    ("forward", "cortex"): Route(anatomy.cortex, ("channels",), ("mri",)),
    ("source spaces", "cortex"): Route(anatomy.cortex, ("channels",), ("mri", "trans")),
    ("covariance", "noisecov"): Route(recordings.noise_cov, ("channels",)),
    ("covariance", "ndatacov"): Route(recordings.data_cov, ("channels",)),
    ("evoked", "noisecov"): Route(recordings.noise_cov_of, (), ("channels",), (*_ITEM, *_TIMES)),
    ("epochs", "noisecov"): Route(recordings.noise_cov_of, (), ("channels",), (*_ITEM, *_TIMES)),
    ("raw", "noisecov"): Route(recordings.noise_cov_of, (), ("channels",), _TIMES),
    ("evoked", "data"): Route(recordings.data, (), ("channels",), _ITEM),
    ("epochs", "data"): Route(recordings.data, (), ("channels",), _ITEM),
    ("raw", "data"): Route(recordings.data, (), ("channels",)),
    ("evoked", "channel"): Route(recordings.channels),
    ("epochs", "channel"): Route(recordings.channels),
    ("raw", "channel"): Route(recordings.channels),
    ("info", "channel"): Route(recordings.channels),
    ("inverse operator", "results"): Route(
        sources.kernel, ("channels",), (*_ON_CORTEX, "head_model"),
        ("lambda2", "method", "pick_ori"),
    ),
    ("source estimate", "results"): Route(
        sources.results, ("channels", "src"), (*_ON_CORTEX, "recordings", "head_model"), ("method",)
    ),
    **{(kind, "surface"): Route(anatomy.mesh, (), ("channels", "mri")) for kind in _SURFACES},
    **{("surface", kind): Route(anatomy.surface_of, (), ("channels", "mri")) for kind in _SURFACES},
    ("subjectimage", "mri"): Route(anatomy.volume),
    ("mri", "subjectimage"): Route(anatomy.mri, ("channels", "trans")),
    ("cortex", "labels"): Route(anatomy.scouts, (), ("channels", "mri"), ("atlas",)),
    ("tess", "labels"): Route(anatomy.scouts, (), ("channels", "mri"), ("atlas",)),
    ("labels", "cortex"): Route(anatomy.with_scouts, ("cortex",), (), ("atlas",)),
    ("dipoles", "dipole"): Route(sources.dipole, ("channels",), ("mri",)),
    ("dipole", "dipoles"): Route(sources.dipoles, ("channels",), ("mri",)),
    ("timefreq", "tfr"): Route(recordings.tfr, ("channels",), ("mri",)),
    ("timefreq", "spectrum"): Route(recordings.spectrum, ("channels",), ("mri",)),
    ("tfr", "timefreq"): Route(recordings.timefreq_of_tfr, (), ("channels",), _ITEM),
    ("spectrum", "timefreq"): Route(recordings.timefreq_of_spectrum, (), ("channels",)),
    ("matrix", "table"): Route(recordings.table),
}  # fmt: skip
