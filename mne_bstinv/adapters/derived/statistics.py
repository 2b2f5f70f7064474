"""Maps of a test ⇄ an estimate (or Evoked) of the statistic, and one of the p values."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import mne
import numpy as np
from mne.utils import verbose

from mne_bstinv import io
from mne_bstinv._display import Displayed, few
from mne_bstinv._types import FloatArray, Verbose
from mne_bstinv.adapters.kept import keep, kept_of
from mne_bstinv.adapters.operators import (
    from_source_estimate,
    scalar_regions,
    to_source_estimate,
)
from mne_bstinv.adapters.recordings import from_evoked, to_evoked
from mne_bstinv.adapters.sources import model_of_vertices, to_source_spaces
from mne_bstinv.conversion import Findings, attach_with_parts, carry, conversion_report, converts
from mne_bstinv.errors import ConversionError
from mne_bstinv.io.text import as_text, history_row

__all__ = ["StatisticPair", "from_statistics", "to_statistics"]

#: What the history of a test from MNE-Python says.
_MADE = "Test from MNE-Python"


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class StatisticPair(Displayed):
    """A statistic and its p values, each as an object of MNE."""

    #: SourceEstimate (of a volume VolSourceEstimate …), or Evoked.
    statistic: Any
    #: The same kind of object, from 0 to 1.
    p_values: Any
    #: ``'t'``, ``'chi2'`` ….
    unit: str = "t"
    #: Correction of the p values for multiple tests; ``'no'`` for none.
    correction: str = "no"

    def _summary(self) -> str:
        return f"{self.unit}, correction {self.correction}, {self.statistic!r}"


@converts
@verbose
def to_statistics(
    statistics: io.Statistics,
    *,
    channels: io.Channels | None = None,
    surface: io.Surface | None = None,
    mri: io.Mri | None = None,
    head_model: io.HeadModel | None = None,
    src: mne.SourceSpaces | None = None,
    subject: str | None = None,
    verbose: Verbose = None,
) -> StatisticPair:
    """Convert the maps of a test of sources or recordings.

    Parameters
    ----------
    statistics : Statistics
        The maps.
    channels : Channels | None
        Channel file: needed for recordings, for sources for the head frame.
    surface : Surface | None
        The cortex, for sources on a surface.
    mri : Mri | None
        The subject's MRI.
    head_model : HeadModel | None
        A head model of the same locations.
    src : mne.SourceSpaces | None
        Source spaces in head to use instead of making them.
    subject : str | None
        Name of the subject in MNE.
    verbose : bool | str | int | None
        Control verbosity of the logging output.

    Returns
    -------
    StatisticPair
        The statistic and its p values: SourceEstimates for sources, Evokeds for recordings.

    Raises
    ------
    ConversionError
        If it is a test of other files or of three components, or it lacks one of the maps or the
        times of their columns.
    """
    findings = Findings()
    if statistics.tmap is None or statistics.pmap is None:
        missing = "tmap" if statistics.tmap is None else "pmap"
        raise ConversionError(
            f"The test {statistics.comment!r} holds no {missing} of its own, expected tmap and "
            "pmap. Compute it anew in Brainstorm."
        )
    if statistics.correction not in (None, "no"):
        findings.derived("pmap", f"The p values are corrected ({statistics.correction}).")
    else:
        findings.derived("pmap", "The p values are not corrected for multiple tests.")
    for name, field in (("df", "df"), ("stat_clusters", "StatClusters")):
        if np.size(getattr(statistics, name)) and getattr(statistics, name) is not None:
            findings.dropped(field, "MNE's objects have no place for it; kept in the report.")
    times = _times(statistics, statistics.tmap, findings)
    parts = []
    for values in (statistics.tmap, statistics.pmap):
        if statistics.type == "results":
            results = _as_results(statistics, values, times, findings)
            parts.append(
                to_source_estimate(
                    results,
                    None,
                    subject,
                    channels=channels,
                    surface=surface,
                    mri=mri,
                    head_model=head_model,
                    src=src,
                )
            )
        elif statistics.type == "data":
            parts.append(_as_evoked(statistics, values, times, channels, mri))
        else:
            raise ConversionError(
                f"Tests of {statistics.type!r} files have no counterpart in MNE; those of results "
                "and data have."
            )
    keep(findings, statistics=statistics)
    pair = StatisticPair(
        statistic=parts[0],
        p_values=parts[1],
        unit=as_text(statistics.display_units) or "",
        correction=statistics.correction or "no",
    )
    return attach_with_parts(findings, pair, parts, what="test → statistic and p values")


@converts
@verbose
def from_statistics(
    pair: StatisticPair,
    *,
    src: mne.SourceSpaces | None = None,
    channels: io.Channels | None = None,
    surface: io.Surface | None = None,
    mri: io.Mri | None = None,
    head_model: io.HeadModel | None = None,
    surface_file: str | None = None,
    df: float | None = None,
    comment: str | None = None,
    verbose: Verbose = None,
) -> io.Statistics:
    """Convert a statistic and its p values to the maps of a test in Brainstorm.

    Parameters
    ----------
    pair : StatisticPair
        The statistic and its p values: source estimates of one value a location, or Evokeds.
    src : mne.SourceSpaces | None
        Source spaces of the estimates, in head; ``None`` takes those of ``surface``, else those
        that a conversion kept.
    channels : Channels | None
        Channel file: its channels become the rows of a test of recordings; of sources, the frame.
    surface : Surface | None
        The cortex that the estimates are on, where no source spaces are at hand: a template.
    mri : Mri | None
        MRI, for the frame.
    head_model : HeadModel | None
        Head model whose locations the rows shall follow, in its order, and whose cortex they are
        shown on. See :func:`from_source_estimate`.
    surface_file : str | None
        Another cortex, relative to the protocol's ``anat``.
    df : float | None
        Degrees of freedom.
    comment : str | None
        Name of the test in Brainstorm; ``None`` takes what the conversion to MNE kept, else the
        unit.
    verbose : bool | str | int | None
        Control verbosity of the logging output.

    Returns
    -------
    Statistics
        The maps, with rows in Brainstorm's order; p is 1 where the objects have no value.

    Raises
    ------
    ConversionError
        If the two are not of one kind and size, have three components, or have p values that are
        none; if source spaces are missing or do not belong to them, or channels are unknown.
    """
    findings = Findings()
    _check_pair(pair)
    if surface_file is None and head_model is not None:
        surface_file = head_model.surface_file
    if surface is not None and src is None:
        head_model = head_model or model_of_vertices(surface)
        src = to_source_spaces(head_model, surface, mri, channels=channels)
    convert: Callable[[Any], io.Results | io.Recordings] = partial(
        from_source_estimate,
        src=src,
        channels=channels,
        mri=mri,
        head_model=head_model,
        function=pair.unit,
        surface_file=surface_file,
    )
    if isinstance(pair.statistic, mne.Evoked):
        convert = partial(from_evoked, channels=channels)
    parts = [convert(pair.statistic), convert(pair.p_values)]
    present = _rows(convert(_of_ones(pair.p_values))) != 0
    said: dict[str, Any] = {
        "correction": pair.correction,
        "display_units": pair.unit,
        "df": df,
        "comment": comment,
    }
    made = dataclasses.replace(
        _before(pair, parts[0]),
        tmap=_rows(parts[0]),
        pmap=np.where(present, _rows(parts[1]), 1.0),
        **{name: value for name, value in said.items() if value is not None},
    )
    return attach_with_parts(findings, made, parts, what="statistic and p values → test")


def _check_pair(pair: StatisticPair) -> None:
    statistic, p_values = pair.statistic, pair.p_values
    arrays: list[Any] = [getattr(one, "data", None) for one in (statistic, p_values)]
    shapes = [np.shape(array) for array in arrays]
    if type(statistic) is not type(p_values) or shapes[0] != shapes[1]:
        raise ConversionError(
            f"The statistic is {statistic!r} and the p values are {p_values!r}: expected two "
            "objects of one kind and size."
        )
    if len(shapes[0]) != 2:
        raise ConversionError(
            f"The statistic has the shape {shapes[0]}, expected one value a location and time. "
            "Test norms, or one component."
        )
    values = np.asarray(arrays[1])
    if not np.all((values >= 0) & (values <= 1)):
        raise ConversionError("p values must be from 0 to 1, found others. Exchange the two?")


def _of_ones(part: Any) -> Any:
    """Make the same object with ones: rows that it does not have become 0."""
    ones = part.copy()
    ones.data = np.ones_like(part.data)
    carry(ones, conversion_report(part))
    return ones


def _rows(part: io.Results | io.Recordings) -> FloatArray:
    values = part.f if isinstance(part, io.Recordings) else part.image_grid_amp
    return np.asarray(values, dtype=np.float64)


def _before(pair: StatisticPair, part: io.Results | io.Recordings) -> io.Statistics:
    """Return the test that was converted to MNE, else one with the places and times of a map."""
    kept, row = kept_of(conversion_report(pair)).get("statistics"), history_row("mne", _MADE)
    rows = _rows(part)
    if kept is not None and kept.tmap is not None and kept.tmap.shape[:2] == rows.shape:
        return dataclasses.replace(kept, history=(*kept.history, row))
    grid = ("surface_file", "head_model_type", "grid_loc", "grid_orient", "grid_atlas")
    names = ("channel_flag",) if isinstance(part, io.Recordings) else ("n_components", *grid)
    places: dict[str, Any] = {name: getattr(part, name) for name in names}
    return io.Statistics(
        tmap=rows,
        type="data" if isinstance(part, io.Recordings) else "results",
        time=part.time,
        comment=pair.unit,
        colormap_type="stat2",
        history=(row,),
        **{"n_components": 1, **places},
    )


def _as_results(
    statistics: io.Statistics, values: FloatArray, times: FloatArray, findings: Findings
) -> io.Results:
    rows = _flat(statistics, values)
    atlas = scalar_regions(statistics.grid_atlas, len(rows), findings)
    if statistics.n_components not in (0, 1):
        raise _of_components(f"{statistics.n_components} components a location")
    scouts = () if atlas is None else atlas.scouts
    free = [s.label or "unnamed" for s in scouts if (s.region or "")[2:3].upper() in ("U", "L")]
    if free:
        raise _of_components(f"three components a location in {few(free)}")
    return io.Results(
        image_grid_amp=rows,
        n_components=statistics.n_components,
        time=times,
        comment=statistics.comment,
        head_model_type=statistics.head_model_type,
        surface_file=statistics.surface_file,
        grid_loc=statistics.grid_loc,
        grid_orient=statistics.grid_orient,
        grid_atlas=atlas,
    )


def _of_components(what: str) -> ConversionError:
    return ConversionError(
        f"The test has {what}: statistics of x, y and z are no vector that could be turned to "
        "another frame. Test norms."
    )


def _as_evoked(
    statistics: io.Statistics,
    values: FloatArray,
    times: FloatArray,
    channels: io.Channels | None,
    mri: io.Mri | None,
) -> Any:
    if channels is None:
        raise ConversionError("A test of recordings needs the channel file: give channels.")
    recordings = io.Recordings(
        f=_flat(statistics, values),
        time=times,
        channel_flag=statistics.channel_flag,
        comment=statistics.comment,
    )
    # statistics are no signals: nothing is to project them when a file is read
    return to_evoked(recordings, channels, mri=mri).del_proj()


def _flat(statistics: io.Statistics, values: FloatArray) -> FloatArray:
    if values.ndim == 3 and values.shape[2] == 1:
        values = values[:, :, 0]
    if values.ndim != 2:
        raise ConversionError(
            f"The test {statistics.comment!r} is one of several frequencies, for which MNE has no "
            "object. Test one frequency or band."
        )
    return values


def _times(statistics: io.Statistics, values: FloatArray, findings: Findings) -> FloatArray:
    """Return a time for each column: where times were averaged, the first."""
    time, n_columns = statistics.time, values.shape[1]
    n_times = 0 if time is None else len(time)
    if n_columns == 1 and n_times != 1:
        said = "none is stored: the maps are at 0 s"
        if time is not None:
            said = f"{time[0]:g} to {time[-1]:g} s were tested as one: the maps are at the first"
        findings.assumed("Time", said)
        return np.zeros(1) if time is None else time[:1]
    if time is None or n_times != n_columns:
        raise ConversionError(
            f"The test {statistics.comment!r} has {n_times} samples in Time, expected {n_columns}, "
            "as many as its maps have. Compute it anew in Brainstorm."
        )
    return time
