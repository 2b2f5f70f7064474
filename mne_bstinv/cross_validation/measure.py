"""What a measure makes of the rows of the gain: the rows of its kernels.

Every kernel but one is D q T, with a weight for each row, which belongs to the measure. The
exception is Brainstorm's sLORETA of three components, which mixes the rows of a location.
"""

from __future__ import annotations

import numpy as np

from mne_bstinv._types import FloatArray
from mne_bstinv.cross_validation.stages import Stages
from mne_bstinv.cross_validation.sums import norms_of_products, pieces, weighted_pieces
from mne_bstinv.cross_validation.systems import Systems
from mne_bstinv.inverse.minimum_norm import inverse_root
from mne_bstinv.inverse.orientation import local_frames

__all__ = ["Measure"]


class Measure:
    """The kernels of one measure, by their stages."""

    def __init__(self, systems: Systems) -> None:
        self._systems, self._ingredients = systems, systems.ingredients

    def kernel(self, stages: Stages) -> FloatArray:
        """Form a kernel, of the components compared, shape (n_sources, p, n_channels)."""
        return self._turned(self._formed(stages))

    def weights(self, stages: Stages) -> FloatArray:
        """D of a kernel D q T, shape (n_sources, p)."""
        systems, ingredients = self._systems, self._ingredients
        if ingredients.is_amplitude:
            return systems.variances(stages.rows)
        std, norms, scale = systems.std(stages.rows), self._norms(stages), self._scale(stages)
        # of sLORETA one component: the others are zero
        weights = std**2 if stages.normalization or ingredients.restored else std
        noise = weights * norms
        if self._is_resolution:
            scale *= np.sqrt(systems.system(stages).mu)
            resolution = std * norms
            noise = std * resolution if stages.normalization else resolution
        with np.errstate(invalid="ignore", divide="ignore"):  # a location that no channel sees
            found: FloatArray = scale * weights / np.linalg.norm(noise, axis=1, keepdims=True)
        found[:, 0] *= systems.lengths(stages.rows)
        return found

    @property
    def _is_resolution(self) -> bool:
        """Whether rows are divided by their resolution, not by their noise."""
        return self._ingredients.settings.method == "sLORETA"

    def _scale(self, stages: Stages) -> float:
        """√ of the averages that a normalised measure is of."""
        averages = self._ingredients.side.nave if stages.averages else self._ingredients.averages
        return float(np.sqrt(averages))

    def _norms(self, stages: Stages) -> FloatArray:
        """Norms of the rows of q F, by which a measure divides, shape (n_sources, p)."""

        def multiplied() -> FloatArray:
            system = self._systems.system(stages)
            factor = system.root if self._is_resolution else system.filtered
            return norms_of_products(self._systems.gain(stages.rows), factor)

        key = stages.system, self._is_resolution
        return self._ingredients.made.norms.get(key, multiplied)

    def _formed(self, stages: Stages) -> FloatArray:
        """Rows of a kernel along the axes, of the components compared."""
        gain, compared = self._systems.gain(stages.rows), self._ingredients.compared
        right = self._systems.system(stages).right
        mixtures = self._mixtures(stages)[:, compared] if self._mixes(stages) else None
        weights = None if mixtures is not None else self.weights(stages)[:, compared, None]
        blocks = np.empty((*gain[:, compared].shape[:2], right.shape[1]))
        with np.errstate(invalid="ignore"):  # a location that no channel sees
            for part in pieces(*gain.shape[:2]):
                out = blocks[part]
                rows = gain[part, compared] if mixtures is None else mixtures[part] @ gain[part]
                np.matmul(rows.reshape(-1, len(right)), right, out=out.reshape(-1, out.shape[2]))
                if weights is not None:
                    out *= weights[part]
        return blocks

    def _mixes(self, stages: Stages) -> bool:
        """Whether a kernel mixes the rows of a location."""
        return self._is_resolution and not stages.normalization and stages.rows.orient != "fixed"

    def _mixtures(self, stages: Stages) -> FloatArray:
        """Matrices (n_sources, p, p) by which rows of locations are multiplied instead of by D."""
        systems, rows = self._systems, stages.rows
        std, scale = systems.std(rows), self._scale(stages) * np.sqrt(systems.system(stages).mu)
        found: FloatArray = scale * self._resolution_roots(stages) * std[:, None, :]
        if self._ingredients.restored:
            found *= std[:, :, None]
        found[:, 0] *= systems.lengths(rows)[:, None]
        return found

    def _resolution_roots(self, stages: Stages) -> FloatArray:
        """Inverse roots of the resolution of locations, shape (n_sources, p, p)."""

        def multiplied() -> FloatArray:
            gain, std = self._systems.gain(stages.rows), self._systems.std(stages.rows)
            root, p = self._systems.system(stages).root, gain.shape[1]
            blocks = np.empty((len(gain), p, p))
            for part, rows in weighted_pieces(gain, std):
                lead = (rows @ root).reshape(-1, p, root.shape[1])
                blocks[part] = np.einsum("mpn,mqn->mpq", lead, lead)
            return inverse_root(blocks, self._ingredients.conventions.null_resolution)

        return self._ingredients.made.norms.get((stages.system, "blocks"), multiplied)

    def _turned(self, blocks: FloatArray) -> FloatArray:
        """Turn rows along the axes to x, y, z, unless they are compared along the normals."""
        if self._ingredients.axes != "local" or blocks.shape[1] == 1:
            return blocks
        turned: FloatArray = local_frames(self._ingredients.required_normals, 1.0) @ blocks
        return turned
