"""What the inverse returns: the kernel and every number on the way to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import scipy

from mne_bstinv._display import Displayed
from mne_bstinv._types import FloatArray, IntArray
from mne_bstinv.errors import InverseError
from mne_bstinv.inverse.options import AnyOptions
from mne_bstinv.inverse.regularization import lambda2_from_prior

__all__ = ["ESTIMATE_UNITS", "InverseResult", "RegionRows"]

_DATA_UNITS = {"MEG": "T", "MEG MAG": "T", "MEG GRAD": "T/m", "EEG": "V", "SEEG": "V", "ECOG": "V"}
#: Unit of kernel · data, by Function of the results; ``1`` for none, with what it is.
ESTIMATE_UNITS = {
    "mn": "A·m",
    "wmne": "A·m",
    "mnej": "A·m",
    "gls": "A·m",
    "glsr": "A·m",
    "dspm": "1 (noise standard deviations of the average)",
    "dspm2018": "1 (noise standard deviations of one sample)",
    # R = K L has no unit and Λ is (A·m)², hence K/√R keeps the A·m of K
    "sloreta": "A·m (√Λ times the dimensionless sLORETA)",
    "glsp": "1 (noise standard deviations)",
    "gls_p": "1 (noise standard deviations)",
    "glsr_p": "1 (noise standard deviations, regularised)",
    "mnej_p": "1 (standard deviations of what the model expects)",
    "lcmvp": "1 (standard deviations of the data)",
}


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class RegionRows(Displayed):
    """Which kernel rows belong to which locations.

    Parameters
    ----------
    name : str
        Name of the region; empty where the head model is one region.
    orient : 'fixed' | 'loose' | 'free'
        Orientation constraint.
    locations : array of int, shape (n_sources,)
        0-based locations of the head model, in row order.
    rows : slice
        Kernel rows: 1 (fixed) or 3 consecutive rows a location.
    """

    name: str
    orient: str
    locations: IntArray
    rows: slice

    def _summary(self) -> str:
        name = f"{self.name}, " if self.name else ""
        rows = f"rows {self.rows.start} to {self.rows.stop - 1}"
        return f"{name}{self.orient}, {len(self.locations)} locations, {rows}"

    @property
    def n_components(self) -> int:
        """Rows a location."""
        return 1 if self.orient == "fixed" else 3


@dataclass(frozen=True, kw_only=True, eq=False)
class InverseResult(Displayed):
    """An imaging kernel with its intermediates.

    Parameters
    ----------
    kernel : array, shape (n_rows, n_channels)
        Estimate = kernel · data, the data being those of :attr:`channel_indices`.
    whitener : array, shape (n_whitened, n_channels)
        Inverse whitener of the noise covariance: symmetric (n_channels rows), or of 2009 as many
        rows as the rank, which have arbitrary signs.
    data_whitener : array, shape (n_channels, n_channels) | None
        Inverse whitener of the data covariance (``lcmv`` only).
    n_components : int
        1 or 3 rows a location; 0 where regions differ or there are several head models.
    noise_method : str
        The noise method really used.
    options : InverseOptions | InverseOptions2009 | InverseOptions2016
        The options asked for; their class says the year.
    regions : tuple of RegionRows
        Rows ↔ locations.
    n_sources : int
        Locations of the head model, those of excluded regions too.
    channel_types : tuple of str
        Type of each kernel column.
    alpha : array, shape (n_used_sources,)
        Depth weights, region after region.
    lambda_ : float | None
        Prior source variance Λ in (A·m)²; ``None`` for ``gls`` and ``lcmv`` since 2016.
    s2 : array, shape (n_whitened,) | None
        Eigenvalues of L L' in (A·m)⁻², sorted down; ``None`` for ``gls`` and ``lcmv`` since 2016.
    ranks : mapping of str to int
        Rank of the noise covariance of each sensor type (2009: of each group of them).
    noise_std : mapping of str to array
        Singular standard deviations of the noise covariance of each of these, sorted down.
    noise_cov, data_cov : array, shape (n_channels, n_channels) | None
        The covariances whitened with: selected, projected, referenced, and that of the noise
        divided by ``noise_averages``.
    source_decomp_sa, source_decomp_va : array | None
        Singular values (p, n_sources) and right vectors (p, p·n_sources) of the whitened lead
        field of each location (scans).
    noise_averages : float
        What the noise covariance was divided by: the number of averages in 2009 and 2016, else 1.
    channel_indices : array of int, shape (n_channels,) | None
        0-based positions of the columns in the channel file (``None`` from plain arrays).
    n_all_channels : int | None
        Channels of the channel file (``None`` from plain arrays).
    channel_names : tuple of str | None
        Names of the columns (``None`` from plain arrays).
    warnings : tuple of str
        What the user should know of this result.
    """

    kernel: FloatArray
    whitener: FloatArray
    data_whitener: FloatArray | None
    n_components: int
    noise_method: str
    options: AnyOptions
    regions: tuple[RegionRows, ...]
    n_sources: int
    channel_types: tuple[str, ...]
    alpha: FloatArray
    lambda_: float | None
    s2: FloatArray | None
    ranks: Mapping[str, int]
    noise_std: Mapping[str, FloatArray]
    noise_cov: FloatArray
    data_cov: FloatArray | None = None
    source_decomp_sa: FloatArray | None = None
    source_decomp_va: FloatArray | None = None
    noise_averages: float = 1.0
    channel_indices: IntArray | None = None
    n_all_channels: int | None = None
    channel_names: tuple[str, ...] | None = None
    warnings: tuple[str, ...] = ()

    def __repr__(self) -> str:
        rows, columns = self.kernel.shape
        return (
            f"<InverseResult | {self.function}, {rows} rows × {columns} channels, "
            f"{len(self.alpha)} locations, noise method {self.noise_method}>"
        )

    @property
    def function(self) -> str:
        """Brainstorm's name of the function, such as mn, dspm2018, sloreta, glsp, lcmvp; wmne."""
        return self.options.function

    @property
    def rank(self) -> int:
        """Total rank r of the noise covariance."""
        return sum(self.ranks.values())

    @property
    def trace_scale(self) -> float | None:
        """The r / trace(L L') that scales the source covariance to trace(L R L') = r."""
        return None if self.s2 is None else self.rank / float(np.sum(self.s2))

    @property
    def lambda2(self) -> float | None:
        """MNE's λ² of this kernel, for a source covariance scaled by :attr:`trace_scale`.

        1/SNR² in 2009, (r/n)/SNR² since 2016; ``None`` where nothing is regularised.
        """
        if self.s2 is None or self.lambda_ is None:
            return None
        return lambda2_from_prior(self.lambda_, float(np.sum(self.s2)), self.rank)

    @property
    def row_location(self) -> IntArray:
        """0-based location of each kernel row, shape (n_rows,)."""
        return np.concatenate([np.repeat(r.locations, r.n_components) for r in self.regions])

    @property
    def grid2source(self) -> scipy.sparse.csc_array:
        """Sparse logical map (n_rows, n_sources): each kernel row to its location."""
        locations = self.row_location
        shape = (len(locations), self.n_sources)
        ones = np.ones(len(locations), dtype=bool)
        return scipy.sparse.csc_array((ones, (np.arange(len(locations)), locations)), shape=shape)

    @property
    def data_units(self) -> tuple[str, ...]:
        """Unit of the data of each kernel column."""
        return tuple(_DATA_UNITS.get(kind.upper(), "data unit") for kind in self.channel_types)

    @property
    def estimate_unit(self) -> str:
        """Unit of kernel · data."""
        return ESTIMATE_UNITS[self.function]

    def apply(self, data: FloatArray) -> FloatArray:
        """Apply the kernel to recordings.

        Parameters
        ----------
        data : array, shape (n_all_channels, n_times) or (n_channels, n_times)
            Recordings as the imported file stores them (no projector, no reference is applied):
            all channels of the channel file, or the kernel's own in the order of its columns.

        Returns
        -------
        array, shape (n_rows, n_times)
            The source estimate, in :attr:`estimate_unit`.

        Raises
        ------
        InverseError
            If the data are no array of numbers with one of these numbers of rows.
        """
        array = np.asarray(data)
        n_channels = self.kernel.shape[1]
        if array.ndim == 2 and array.dtype.kind in "fiu":
            if len(array) == self.n_all_channels and self.channel_indices is not None:
                return self.kernel @ array[self.channel_indices]
            if len(array) == n_channels:
                return self.kernel @ array
        expected = f"{n_channels} rows (the kernel's channels)"
        if self.n_all_channels is not None:
            expected = f"{self.n_all_channels} rows (all channels of the file) or {expected}"
        found = f"shape {array.shape}" if array.ndim else type(data).__name__
        raise InverseError(f"The data must be an array of numbers with {expected}, found {found}.")
