"""What a kernel is computed from under either toolbox's conventions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from mne_bstinv._data_types import upper_types
from mne_bstinv._types import FloatArray, IntArray
from mne_bstinv.adapters.equivalence import (
    MneSettings,
    MneSide,
    Study,
    meg_and_electrodes,
    mne_side,
    no_minimum_norm,
)
from mne_bstinv.adapters.operators import METHODS
from mne_bstinv.cross_validation.kept import Kept, Made
from mne_bstinv.cross_validation.sums import pieces
from mne_bstinv.errors import OptionError
from mne_bstinv.inverse.options import AnyOptions
from mne_bstinv.inverse.options_2009 import InverseOptions2009
from mne_bstinv.inverse.orientation import unit_normals
from mne_bstinv.inverse.preparation import PreparedStudy
from mne_bstinv.inverse.projection import (
    average_reference,
    channels_in_use,
    gain_operator,
    project_covariance,
    project_gain,
)
from mne_bstinv.inverse.projectors import projection_operator
from mne_bstinv.inverse.whitening import CovarianceStatistics, is_diagonal
from mne_bstinv.inverse.years import Conventions

__all__ = ["Ingredients", "gather", "refuse_mixed"]

#: Options in which measures differ, and what follows from them: all else is made once for several.
_OF_MEASURES = {"method", "measure", "use_depth"}
#: What makes other rows of those along x, y, z; None keeps them.
_Along = Callable[[FloatArray], FloatArray] | None

#: How many systems are kept; how many rows of a location, three of which are as large as the gain;
#: and how many norms.
_SYSTEMS, _GAIN_ROWS, _NORMS = 4, 3, 2**22
#: Rows of a location along axes.
_COMPONENTS = {"normal": 1, "local": 3, "xyz": 3}


@dataclass(frozen=True, kw_only=True, eq=False)
class Operated:
    """What the projectors and the reference do, those that are Brainstorm's and MNE's."""

    #: Of Brainstorm's, from the channels of the gain: shape (n_channels, n_used).
    on_gain: FloatArray
    #: Noise covariance after Brainstorm's.
    noise: CovarianceStatistics
    #: Projector of those that are MNE's, shape (n_channels, n_channels), which is part of the
    #: operator and meets gain, covariance and data; the identity where none is.
    on_data: FloatArray


@dataclass(frozen=True, kw_only=True, eq=False)
class Ingredients:
    """The structures of a study, prepared for both sides."""

    #: Brainstorm's study step.
    prepared: PreparedStudy
    settings: MneSettings
    side: MneSide
    #: By whether projectors, and the reference, are MNE's.
    operated: _ByOperators
    #: 0-based channels of the gain, shape (n_used,), sorted: what projectors mix in is among them.
    used: IntArray
    #: Unit normals, shape (n_sources, 3); None where the head model has none, or neither side uses
    #: them.
    normals: FloatArray | None
    #: Their lengths as they are stored, shape (n_sources,).
    lengths: FloatArray
    #: Channels that MNE whitens together.
    groups: dict[str, IntArray]
    #: Conventions that mean nothing here: between sensor types where each group has one or the
    #: year whitens them together, the projectors where there are none, the reference where there
    #: are no electrodes, roots where the year adds none.
    idle: frozenset[str]
    #: What is made of all this whatever the measure.
    made: Made

    def of_measure(self, options: AnyOptions, settings: MneSettings) -> Ingredients | None:
        """Return the ingredients of another measure, which share what is made of them.

        None where more differs than the measure.
        """
        if not _differ_in_measure(self, options, settings):
            return None
        side = self.side.of_measure(options, settings)
        _refuse(side.common.prepared, settings)
        return replace(self, prepared=side.common.prepared, settings=settings, side=side)

    def on_normals(self, blocks: FloatArray) -> FloatArray:
        """Project rows (n_sources, 3, n) along x, y, z on the normals: (n_sources, 1, n).

        Without normals in the head model: OptionError.
        """
        normals = self.required_normals
        found = np.empty((len(blocks), 1, blocks.shape[2]))
        for part in pieces(*blocks.shape[:2]):
            rows = np.ascontiguousarray(blocks[part])
            np.einsum("ma,man->mn", normals[part], rows, out=found[part, 0])
        return found

    @property
    def kept(self) -> IntArray:
        """Positions of the kernel's channels among those of the gain, shape (n_channels,)."""
        return np.searchsorted(self.used, self.prepared.channel_indices)

    def raw_rows(self, along: _Along = None) -> FloatArray:
        """Rows (n_sources, p, n_used) of the gain without projectors and reference.

        In SCS along x, y, z, or what a function makes of such rows.
        """
        common = self.side.common
        made = _rows_of(common.head_model.gain, 3)
        made = made if along is None else along(made)  # fewer, before channels are chosen
        gain = made.reshape(-1, made.shape[2]).T
        return _rows_of(project_gain(gain, self.used, None, None, ()).array, made.shape[1])

    def projected_rows(self, along: _Along = None) -> FloatArray:
        """Rows (n_sources, p, n_channels) of the gain as Brainstorm's study step makes it."""
        made = _rows_of(self.prepared.regions[0].gain.array, 3)
        return made if along is None else along(made)

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
    def options(self) -> AnyOptions:
        """Brainstorm's options."""
        return self.prepared.options

    @property
    def conventions(self) -> Conventions:
        """What Brainstorm's inverse of this year does differently from the others."""
        return self.options.conventions

    @property
    def averages(self) -> float:
        """Number of averages that Brainstorm divides the noise covariance by; 1 since 2018."""
        return self.prepared.noise_averages

    @property
    def orient(self) -> str:
        """Brainstorm's orientation constraint."""
        return self.prepared.regions[0].orient

    @property
    def types(self) -> dict[str, IntArray]:
        """Positions of the channels of each of Brainstorm's sensor types."""
        upper = np.array(upper_types(self.prepared.channel_types))
        return {kind: np.flatnonzero(upper == kind) for kind in dict.fromkeys(upper.tolist())}

    @property
    def is_amplitude(self) -> bool:
        """Whether the measure is the amplitude, which divides rows by nothing."""
        return self.settings.method == "MNE"

    @property
    def restored(self) -> bool:
        """Whether Brainstorm's rows are multiplied by the prior in the end (of 2009 all)."""
        return self.options.measure in self.conventions.prior_restored

    @property
    def axes(self) -> str:
        """Along which axes rows are kept, so that every prior is diagonal: one for all kernels.

        ``'normal'``, ``'local'`` (normal, two tangents) or ``'xyz'``.
        """
        return _axes(self.orient, self.settings.orientation)

    @property
    def n_components(self) -> int:
        """Number of these axes."""
        return _COMPONENTS[self.axes]

    @property
    def along_normals(self) -> bool:
        """Whether the kernels are compared along the normals only: one side is fixed."""
        return (self.orient == "fixed") != (self.settings.orientation == "fixed")

    @property
    def compared(self) -> slice:
        """The components that are compared: the normal one only where the sides differ in them."""
        return slice(0, 1) if self.along_normals else slice(None)

    @property
    def n_rows(self) -> int:
        """Rows of the kernels that are compared."""
        return self.prepared.n_sources * (1 if self.along_normals else self.n_components)


def gather(
    study: Study,
    options: AnyOptions,
    settings: MneSettings,
    data_types: str | Sequence[str] | None,
    *,
    good_channels: Sequence[int] | None = None,
    n_avg: int | None = None,
) -> Ingredients:
    """Prepare a study for both sides: everything that a kernel is computed from.

    ``good_channels``: 0-based channels to use instead of those of ``data_types``; ``n_avg``:
    averages to divide the noise covariance by instead of those of the recordings. OptionError where
    the sides cannot be compared: a scan, a mixed head model, different measures.
    """
    refuse_mixed(study)
    side = mne_side(study, options, settings, data_types, good_channels=good_channels, n_avg=n_avg)
    prepared, head_model = side.common.prepared, side.common.head_model
    _refuse(prepared, settings)
    good, channels = prepared.channel_indices, study.channels
    names = channels.names
    projection = projection_operator(channels.projectors, len(names))
    used = channels_in_use(head_model.gain, good, projection, names)
    reference = average_reference(prepared.channel_types)
    groups = meg_and_electrodes(side.info)
    idle = {
        "cross_types": _whitens_groups(prepared, groups),
        "roots": not _adds_roots(prepared),
        "projectors": projection is None and not side.chosen(ssp=True, reference=False),
        "reference": reference is None and not side.chosen(ssp=False, reference=True),
    }

    def operated(mne_projectors: bool, mne_reference: bool) -> Operated:
        ours = None if mne_projectors else projection
        applied = None if mne_reference else reference
        theirs = side.projector(ssp=mne_projectors, reference=mne_reference)
        noise = project_covariance(
            study.noise_cov, good, ours, applied, prepared.channel_names, "noise"
        )
        return Operated(
            on_gain=gain_operator(good, used, ours, applied),
            noise=noise,
            on_data=np.eye(len(good)) if theirs is None else theirs,
        )

    by_operators = _ByOperators(operated, [not idle["projectors"], not idle["reference"]])
    by_operators[True, True]  # MNE's may leave nothing: known before anything is computed
    free = prepared.regions[0].orient == settings.orientation == "free"
    normals = None if free else head_model.grid_orient  # which may be none that can be used
    p = _COMPONENTS[_axes(prepared.regions[0].orient, settings.orientation)]
    return Ingredients(
        prepared=prepared,
        settings=settings,
        side=side,
        operated=by_operators,
        used=used,
        normals=None if normals is None else unit_normals(normals, prepared.n_sources),
        lengths=np.ones(prepared.n_sources) if normals is None else _lengths(normals),
        groups=groups,
        idle=frozenset(key for key, is_idle in idle.items() if is_idle),
        made=Made(
            systems=Kept(_SYSTEMS),
            gains=Kept(_GAIN_ROWS // p),
            norms=Kept(max(_SYSTEMS, _NORMS // (p * prepared.n_sources))),
            products=Kept(max(_SYSTEMS, _NORMS // prepared.n_sources)),
        ),
    )


def _axes(ours: str, theirs: str) -> str:
    orients = {ours, theirs}
    if orients == {"fixed"}:
        return "normal"
    return "xyz" if orients == {"free"} else "local"


def _differ_in_measure(
    ingredients: Ingredients, options: AnyOptions, settings: MneSettings
) -> bool:
    """Tell whether options and settings differ from those of the ingredients in nothing else."""
    ours = ingredients.options
    if type(options) is not type(ours):
        return False
    names = {f.name for f in fields(options)} - _OF_MEASURES
    same = all(getattr(options, name) == getattr(ours, name) for name in names)
    return same and replace(settings, method=ingredients.settings.method) == ingredients.settings


def _whitens_groups(prepared: PreparedStudy, groups: dict[str, IntArray]) -> bool:
    """Whether Brainstorm whitens the sensor types that MNE whitens together as MNE does."""
    types = np.array(upper_types(prepared.channel_types))
    single = all(len(set(types[index])) == 1 for index in groups.values())
    return single or isinstance(prepared.options, InverseOptions2009)


def _adds_roots(prepared: PreparedStudy) -> bool:
    """Whether Brainstorm adds the root of a ridge to standard deviations, for this covariance."""
    options = prepared.options
    if options.conventions.ridge_added_to == "variances" or isinstance(options, InverseOptions2009):
        return False
    return options.noise_method == "reg" and not is_diagonal(prepared.noise.cov)


def _lengths(normals: FloatArray) -> FloatArray:
    found: FloatArray = np.linalg.norm(normals, axis=1)
    return found


def _rows_of(gain: FloatArray, p: int) -> FloatArray:
    """View a gain (n_channels, p * n_sources) as rows (n_sources, p, n_channels)."""
    return gain.T.reshape(-1, p, len(gain))


class _ByOperators:
    """What is done by whose projectors and whose reference, each made when asked for."""

    def __init__(self, make: Callable[[bool, bool], Operated], matter: Sequence[bool]) -> None:
        self._make, self._matter = make, matter
        self._made: dict[tuple[bool, bool], Operated] = {}

    def __getitem__(self, theirs: tuple[bool, bool]) -> Operated:
        # where there is no operator, it does not matter whose
        projectors, reference = (t and m for t, m in zip(theirs, self._matter, strict=True))
        if (projectors, reference) not in self._made:
            self._made[projectors, reference] = self._make(projectors, reference)
        return self._made[projectors, reference]


def refuse_mixed(study: Study) -> None:
    """Refuse a study whose head model has several regions."""
    if study.head_model.kind == "mixed":
        raise OptionError(
            "The head model is mixed: its regions have constraints of their own, for which MNE has "
            "no one setting. mne_equivalent gives the operator that is equal to Brainstorm's."
        )


def _refuse(prepared: PreparedStudy, settings: MneSettings) -> None:
    options = prepared.options
    method = METHODS.get(str(options.measure))
    if not options.is_minimum_norm or method is None:
        raise OptionError(no_minimum_norm(options))
    if method != settings.method:
        raise OptionError(
            f"The measures differ: Brainstorm's {options.measure!r} and MNE's {settings.method!r} "
            f"have different units. Choose {method!r} for MNE, or another measure."
        )
    ours, theirs = prepared.regions[0].orient, settings.orientation
    if ours != theirs and prepared.regions[0].grid_orient is None:
        raise OptionError(
            f"Brainstorm's orientation is {ours!r}, MNE's {theirs!r}: they can be compared along "
            "the normals only, and the head model has none. Choose the same orientation for both."
        )
