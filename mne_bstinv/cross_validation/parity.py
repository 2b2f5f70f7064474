"""Every combination of options: its class of parity, and how far apart the toolboxes are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from mne_bstinv._display import Displayed
from mne_bstinv.adapters.equivalence import (
    MneEquivalent,
    MneSettings,
    Study,
    averages_of,
    kernel_blocks,
    mne_equivalent,
    sloreta_unit,
)
from mne_bstinv.adapters.operators import NOT_COMPARABLE
from mne_bstinv.cross_validation.distances import relative_distance
from mne_bstinv.cross_validation.ingredients import gather
from mne_bstinv.errors import InverseError
from mne_bstinv.inverse import (
    InverseOptions,
    InverseOptions2009,
    InverseOptions2016,
    compute_kernel,
)
from mne_bstinv.inverse.options import NOISE_METHODS, ORIENTATIONS, SNR_METHODS, AnyOptions

__all__ = ["ParityRow", "option_combinations", "parity_table"]

#: The year whose inverse has no noise methods.
_GROUPED = InverseOptions2009.year


@dataclass(frozen=True, kw_only=True, repr=False)
class ParityRow(Displayed):
    """One combination of options on one study.

    Parameters
    ----------
    options : InverseOptions | InverseOptions2009 | InverseOptions2016
        The options.
    parity : str
        Class of parity; empty where the study does not allow the options.
    reason : str
        Why not exact, or why not at all.
    before : float | None
        Relative difference between Brainstorm's kernel and MNE's with
        ``MneSettings.defaults_for(options)``.
    twin, public : float | None
        The same of MNE told the same, with the operator built directly and with the public call;
        ``None`` where the kernels are not comparable or there is no such operator.
    """

    options: AnyOptions
    parity: str
    reason: str
    before: float | None = None
    twin: float | None = None
    public: float | None = None

    def _summary(self) -> str:
        o = self.options
        orient, snr = "+".join(o.source_orient), "fixed" if o.prior_rms is None else "rms"
        parity = self.parity or "not possible on this study"
        what = o.method if isinstance(o, InverseOptions2009) else o.measure
        return f"{what} {orient} of {o.year}, noise {self.noise}, SNR {snr}: {parity}"

    @property
    def noise(self) -> str:
        """The noise method; of 2009 by its flags, such as ``'reg, all directions'``."""
        options = self.options
        if not isinstance(options, InverseOptions2009):
            return options.noise_method
        method = "reg" if options.regularize_noise else "none"
        if options.diagonal_noise:
            return f"diag, {method}"
        return method if options.pca else f"{method}, all directions"


def option_combinations(
    orientations: Sequence[str] = ORIENTATIONS, *, scans: bool = True, year: int = 2018
) -> Iterator[AnyOptions]:
    """Yield orientation × measure × noise method × SNR method, and the scans.

    Parameters
    ----------
    orientations : sequence of str
        The orientations.
    scans : bool
        Whether ``gls`` and ``lcmv`` are among them; the SNR has no part in these. Those of 2009
        have no counterpart in MNE and are never.
    year : 2009 | 2016 | 2018
        Of which inverse. That of 2009 has no noise method, but a ridge, a diagonal covariance, and
        all directions instead of the rank; and no source amplitude.

    Yields
    ------
    InverseOptions | InverseOptions2009 | InverseOptions2016
        The options, with the default SNR and (since 2016) with 10 nA·m.
    """
    if year == _GROUPED:
        yield from _of_2009(orientations)
        return
    of: type[InverseOptions] | type[InverseOptions2016]
    of = InverseOptions2016 if year == InverseOptions2016.year else InverseOptions
    for measure, orient, noise, snr in product(
        of.measures["minnorm"], orientations, NOISE_METHODS, SNR_METHODS
    ):
        yield of(
            measure=measure, source_orient=orient, noise_method=noise, snr_method=snr, snr_rms=1e-8
        )
    for method, orient, noise in product(("gls", "lcmv"), orientations, NOISE_METHODS):
        if scans:
            yield of(method=method, source_orient=orient, noise_method=noise)


def _of_2009(orientations: Sequence[str]) -> Iterator[InverseOptions2009]:
    """Yield method × orientation × rule of the noise; depth weights as Brainstorm's window does."""
    rules: tuple[dict[str, bool], ...]
    rules = ({}, {"regularize_noise": False}, {"pca": False}, {"diagonal_noise": True})
    for method, orient, rule in product(("wmne", "dspm", "sloreta"), orientations, rules):
        depth = method != "sloreta"
        yield InverseOptions2009(method=method, source_orient=orient, use_depth=depth, **rule)


def parity_table(
    study: Study, options: Iterable[AnyOptions], *, data_types: str | Sequence[str]
) -> list[ParityRow]:
    """Measure combinations of options on a study.

    Parameters
    ----------
    study : StudyData | SampleStudy
        The structures.
    options : iterable of InverseOptions, InverseOptions2009 or InverseOptions2016
        The combinations, such as :func:`option_combinations` yields.
    data_types : str | sequence of str
        Types of the channels to use.

    Returns
    -------
    list of ParityRow
        One row a combination, in their order.
    """
    return [_row(study, o, data_types) for o in options]


def _row(study: Study, options: AnyOptions, data_types: str | Sequence[str]) -> ParityRow:
    if options.method == "lcmv" and study.data_cov is None:
        return ParityRow(options=options, parity="", reason="the study has no data covariance")
    try:
        equivalent = mne_equivalent(options, study, data_types=data_types)
    except InverseError as error:  # such as shrink without fourth moments
        return ParityRow(options=options, parity="", reason=str(error).split(". ")[0] + ".")
    result = compute_kernel(
        study.head_model,
        study.noise_cov,
        study.channels,
        channel_flag=None if study.recordings is None else study.recordings.channel_flag,
        data_types=data_types,
        options=options,
        data_cov=study.data_cov if options.method == "lcmv" else None,
        n_avg=averages_of(study),
    )
    ours = kernel_blocks(result, study.head_model.grid_orient)
    before = None
    if options.is_minimum_norm:
        settings = MneSettings.defaults_for(options)
        theirs = gather(study, options, settings, data_types).side.blocks()
        before = relative_distance(theirs, ours / sloreta_unit(result))
    twin, public = _after(equivalent, ours)
    return ParityRow(
        options=options,
        parity=equivalent.parity,
        reason=equivalent.reason,
        before=before,
        twin=twin,
        public=public,
    )


def _after(equivalent: MneEquivalent, ours: Any) -> tuple[float | None, float | None]:
    if equivalent.parity == NOT_COMPARABLE:
        return None, None
    public = None
    if not equivalent.no_public_call:
        public = relative_distance(equivalent.blocks("public"), ours)
    if equivalent.lambda2 is None:  # a scan has no operator
        return None, public
    return relative_distance(equivalent.blocks(), ours), public
