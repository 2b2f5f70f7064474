"""What the results of one study share, computed once for those that are verified in a row."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from mne_bstinv import io
from mne_bstinv._types import FloatArray
from mne_bstinv.compare.rounding import RoundingBound, bound_of, condition_of, spectra_of
from mne_bstinv.inverse import InverseResult
from mne_bstinv.inverse.selection import Selections
from mne_bstinv.studies.files import Studies

__all__ = ["Visited"]

#: Whiteners whose spectra are kept: a study has two or three sets of channels.
_KEPT = 3


class Visited:
    """The studies visited, with what was computed of the last one."""

    def __init__(self, studies: Studies) -> None:
        self.studies = studies
        #: Of head model, channels, noise and maybe data covariance: channels in use.
        self.selections = lru_cache(maxsize=1)(self._selections)
        self._spectra: list[tuple[FloatArray, FloatArray, Any]] = []

    def _selections(
        self,
        head_model: io.HeadModel,
        channels: io.Channels,
        noise_cov: io.NoiseCov,
        data_cov: io.NoiseCov | None,
    ) -> Selections:
        covs = {"noise": noise_cov} | ({} if data_cov is None else {"data": data_cov})
        return Selections(head_model, covs, channels)

    def rounding_bound(self, result: InverseResult, cov: FloatArray) -> RoundingBound:
        """Bound how far rounding moves a kernel, see :func:`mne_bstinv.compare.rounding_bound`."""
        if result.data_whitener is not None:
            spectra, undecided = spectra_of(result, cov)
        else:
            spectra, undecided = self._known_spectra(result, cov)
        return bound_of(spectra, condition_of(result), max(result.kernel.shape), undecided)

    def _known_spectra(self, result: InverseResult, cov: FloatArray) -> Any:
        """Return the spectra of another result, if both have their whitener from one place."""
        for whitener, whole, known in self._spectra:
            if whitener is result.whitener and whole is cov:
                return known
        found = spectra_of(result, cov)
        self._spectra = [*self._spectra[1 - _KEPT :], (result.whitener, cov, found)]
        return found
