"""The time series of scouts under both toolboxes, each with its own kernel and its own rule."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mne_bstinv._display import Displayed
from mne_bstinv._log import warnings_silenced
from mne_bstinv._types import FloatArray
from mne_bstinv.adapters.equivalence import Study
from mne_bstinv.adapters.maps import CALLS, cortex_map
from mne_bstinv.cross_validation.distances import relative_distance
from mne_bstinv.cross_validation.map_case import chosen_scouts, turned_to
from mne_bstinv.errors import BstInvError
from mne_bstinv.maps import scout_time_series
from mne_bstinv.studies.normals import surface_normals

__all__ = ["ScoutComparison", "compare_scouts"]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ScoutComparison(Displayed):
    """The mean of each scout under both toolboxes.

    Parameters
    ----------
    names : tuple of str
        The scouts.
    times : array, shape (n_times,)
        Times in s.
    brainstorm : array, shape (n_scouts, n_times)
        Brainstorm's kernel and scout function.
    mne : array, shape (n_scouts, n_times)
        MNE's kernel as set and ``mne.extract_label_time_course``, turned to Brainstorm's sign.
    function, mode : str
        What either side does with the vertices of a scout.
    """

    names: tuple[str, ...]
    times: FloatArray
    brainstorm: FloatArray
    mne: FloatArray
    function: str
    mode: str

    def _summary(self) -> str:
        return f"{len(self.names)} scouts, {self.function} and {self.mode}"

    @property
    def differences(self) -> FloatArray:
        """Relative difference of each scout's time series, (n_scouts,).

        NaN where Brainstorm's is zero, or NaN since a kernel is at one of its vertices.
        """
        pairs = zip(self.mne, self.brainstorm, strict=True)
        return np.array([relative_distance(theirs, ours) for theirs, ours in pairs])

    @property
    def correlations(self) -> FloatArray:
        """Correlation over time of each scout's two time series, (n_scouts,)."""
        ours, theirs = (x - x.mean(axis=1, keepdims=True) for x in (self.brainstorm, self.mne))
        norms = np.linalg.norm(ours, axis=1) * np.linalg.norm(theirs, axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            return (ours * theirs).sum(axis=1) / norms

    def strongest(self, n: int) -> list[int]:
        """Return the scouts with the largest peak of either side, relative to the side's largest.

        Parameters
        ----------
        n : int
            How many at most.

        Returns
        -------
        list of int
            Rows, the strongest first.
        """
        sides = (np.nan_to_num(np.abs(side)) for side in (self.brainstorm, self.mne))
        peaks = [side.max(axis=1) for side in sides]
        relative = np.max([p / (p.max() or 1.0) for p in peaks], axis=0)
        return [int(i) for i in np.argsort(-relative, kind="stable")[:n]]


def compare_scouts(
    study: Study, estimates: tuple[FloatArray, FloatArray] | None, times: FloatArray | None
) -> ScoutComparison | str:
    """Extract the scouts of the cortex's current atlas under both toolboxes, or say why not.

    ``estimates``: Brainstorm's and MNE's (n_sources, p, n_times) of the recordings, ``times`` in s;
    None where there are no recordings.
    """
    if estimates is None or times is None:
        return "The study has no recordings."
    cortex = getattr(study, "cortex", None)
    n, n_components = estimates[0].shape[:2]
    if study.head_model.kind != "surface" or cortex is None or len(cortex.vertices) != n:
        return "The locations are not the vertices of a cortex: there are no scouts on them."
    three = n_components == 3
    ours, theirs = (estimate.reshape(-1, estimate.shape[2]) for estimate in estimates)
    call = CALLS["vector_mean" if three else "mean_flip"]
    try:
        scouts = chosen_scouts(cortex)
        brainstorm = scout_time_series(
            ours,
            scouts,
            function="mean",
            normals=surface_normals(cortex),
            n_components=n_components,
            xyz="norm" if three else "none",
        )
        with warnings_silenced("mne"):  # frames that do not matter on one cortex
            maps = cortex_map(theirs, times, cortex, n_components=n_components, scouts=scouts)
            mne = np.asarray(call.function(maps.stc, maps.labels, maps.src))
        mne = mne if three else turned_to(np.asarray(brainstorm), mne, cortex, scouts)
    except BstInvError as error:
        return " ".join(str(error).split())
    return ScoutComparison(
        names=tuple(scout.label for scout in scouts),
        times=times,
        brainstorm=np.asarray(brainstorm),
        mne=mne,
        function="mean, then norm" if three else "mean, signs flipped",
        mode='norm of mode "mean"' if three else 'mode "mean_flip"',
    )
