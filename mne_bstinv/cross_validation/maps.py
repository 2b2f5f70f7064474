"""What is made of estimates: Brainstorm's maps beside what MNE has for them, measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import product

from mne_bstinv import io
from mne_bstinv._display import Displayed
from mne_bstinv._log import warnings_silenced
from mne_bstinv._types import FloatArray
from mne_bstinv.adapters.maps import CALLS, label_time_courses
from mne_bstinv.cross_validation.distances import relative_distance
from mne_bstinv.cross_validation.map_case import MapCase, map_case, scouts_of
from mne_bstinv.cross_validation.map_rows import ROWS, MapRow
from mne_bstinv.maps.surfaces import registered_sphere

__all__ = ["MODES", "SCOUTS", "MapParityRow", "map_parity_table", "scout_modes"]

#: Modes of ``mne.extract_label_time_course``.
MODES = ("mean", "mean_flip", "max", "pca_flip", "auto")
#: Functions of Brainstorm that give one series a scout.
SCOUTS = (
    "mean", "max", "pca2023", "pca", "fastpca", "std", "stderr", "power", "rms", "mean_norm",
    "stat",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True, repr=False)
class MapParityRow(Displayed):
    """One of Brainstorm's maps, and what MNE has for it.

    Parameters
    ----------
    group : str
        ``'scout'``, ``'baseline'``, ``'flat map'``, ``'smoothing'`` or ``'projection'``.
    brainstorm : str
        The function and its options.
    mne : str
        The call that one would take for it; empty if there is none.
    parity : str
        ``'exact'``, ``'equal up to a stated factor'`` or ``'not comparable'``: the class of
        ``mne``.
    factor : str
        The factor, if there is one.
    reason : str
        Why not exact.
    code : str
        The ready-to-run calls that give Brainstorm's map.
    before, after : float | None
        Relative difference (Frobenius norm) from Brainstorm's map of ``mne`` and of ``code``; None
        where nothing was measured, such as without a second cortex.
    """

    group: str
    brainstorm: str
    mne: str
    parity: str
    factor: str = ""
    reason: str = ""
    code: str = field(default="", repr=False)
    before: float | None = None
    after: float | None = None

    def _summary(self) -> str:
        return f"{self.group} {self.brainstorm}, {self.mne or 'no call'}: {self.parity}"


def map_parity_table(
    cortex: io.Surface,
    times: FloatArray,
    values: FloatArray,
    *,
    free: FloatArray | None = None,
    baseline: tuple[float, float] | None = None,
    scouts: Sequence[io.Scout] | None = None,
    target: io.Surface | None = None,
) -> list[MapParityRow]:
    """Measure Brainstorm's maps against those of MNE on one estimate.

    Parameters
    ----------
    cortex : Surface
        The cortex.
    times : array, shape (n_times,)
        Regular times in s.
    values : array, shape (n_vertices, n_times)
        A map of one component.
    free : array, shape (3 * n_vertices, n_times) | None
        A map of three components; None leaves out what is made of these.
    baseline : tuple of float | None
        First and last time of the baseline in s; None for the first half.
    scouts : sequence of Scout | None
        Scouts of the cortex; None for those of its current atlas, or the first that has some.
    target : Surface | None
        Another cortex that is registered as this one is, to project to.

    Returns
    -------
    list of MapParityRow
        What was measured and what was not.

    Raises
    ------
    OptionError
        If no atlas has scouts, or the times do not fit.
    ConversionError
        If a map is not on the vertices of the cortex.
    """
    case = map_case(
        cortex, times, values, free=free, baseline=baseline, scouts=scouts, target=target
    )
    with warnings_silenced("mne"):
        return [_measured(row, case) for row in ROWS]


def scout_modes(
    cortex: io.Surface,
    times: FloatArray,
    values: FloatArray,
    scouts: Sequence[io.Scout] | None = None,
) -> dict[tuple[str, str], float]:
    """Measure each of Brainstorm's scout functions against each mode of MNE.

    Parameters
    ----------
    cortex : Surface
        The cortex.
    times : array, shape (n_times,)
        Regular times in s.
    values : array, shape (n_vertices, n_times)
        A map of one component.
    scouts : sequence of Scout | None
        Scouts of the cortex; None for those of its current atlas.

    Returns
    -------
    dict of (str, str) to float
        Function and mode → relative difference of the time courses of all scouts.

    Raises
    ------
    OptionError
        If no atlas has scouts, or the times do not fit.
    ConversionError
        If the map is not on the vertices of the cortex.
    """
    case = map_case(cortex, times, values, scouts=scouts)
    with warnings_silenced("mne"):
        theirs = {mode: label_time_courses(case.mne_values, mode) for mode in MODES}
    ours = {name: scouts_of(case.values, cortex, case.scouts, name) for name in SCOUTS}
    return {
        (name, mode): relative_distance(theirs[mode], ours[name])
        for name, mode in product(SCOUTS, MODES)
    }


def _measured(row: MapRow, case: MapCase) -> MapParityRow:
    numbers: dict[str, float] = {}
    if all(getattr(case, name) is not None for name in row.needs) and _is_possible(row, case):
        ours = row.ours(case)
        numbers["after"] = relative_distance(row.told(case), ours)
        if row.theirs is not None:
            numbers["before"] = relative_distance(row.theirs(case), ours)
    return MapParityRow(
        group=row.group,
        brainstorm=row.brainstorm,
        mne=row.mne,
        parity=row.parity,
        factor=row.factor,
        reason=row.reason,
        code=CALLS[row.call].code,
        **numbers,
    )


def _is_possible(row: MapRow, case: MapCase) -> bool:
    if row.group not in ("smoothing", "projection"):
        return True
    surfaces = [case.cortex, *([case.target] if row.group == "projection" else [])]
    return all(s is not None and registered_sphere(s) is not None for s in surfaces)
