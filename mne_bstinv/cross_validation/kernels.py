"""Kernels between the two ends of a path, and how far they are apart."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from mne_bstinv._types import FloatArray
from mne_bstinv.cross_validation.sums import apart

__all__ = ["FormedKernels", "Kernels"]


class Kernels(Protocol):
    """The kernels between the two ends, by the conventions that are MNE's.

    Locations that are NaN in one of two kernels do not count in their distance.
    """

    def blocks(self, switched: frozenset[str]) -> FloatArray:
        """Return a kernel, shape (n_sources, p, n_channels)."""

    def form(self, switched: frozenset[str]) -> None:
        """Have a kernel at hand: it will be asked for, and for its distances."""

    def size(self, switched: frozenset[str]) -> float:
        """Return the Frobenius norm of a kernel."""

    def distance(self, one: frozenset[str], other: frozenset[str]) -> float:
        """Return the Frobenius norm of the difference of two kernels."""

    def estimate_size(self, switched: frozenset[str]) -> float | None:
        """Return the Frobenius norm of an estimate of the recordings, None without any."""

    def estimates_apart(self, one: frozenset[str], other: frozenset[str]) -> float | None:
        """Return the Frobenius norm of the difference of two estimates."""

    def shared(self, switched: frozenset[str]) -> str:
        """Return a text by which kernels are sorted, so that neighbours share what is computed."""


class FormedKernels:
    """Kernels of which a function makes each, from the keys that are switched.

    ``data`` (n_channels, n_times): recordings.
    """

    def __init__(
        self, kernel: Callable[[frozenset[str]], FloatArray], data: FloatArray | None = None
    ) -> None:
        self.blocks, self._data = kernel, data

    def form(self, switched: frozenset[str]) -> None:
        """Do nothing: a function makes its kernels when they are asked for."""

    def size(self, switched: frozenset[str]) -> float:
        """Return the Frobenius norm of a kernel."""
        return apart(self.blocks(switched), None)

    def distance(self, one: frozenset[str], other: frozenset[str]) -> float:
        """Return the Frobenius norm of the difference of two kernels."""
        return apart(self.blocks(one), self.blocks(other))

    def estimate_size(self, switched: frozenset[str]) -> float | None:
        """Return the Frobenius norm of an estimate of the recordings, None without any."""
        return None if self._data is None else apart(self.blocks(switched), None, self._data)

    def estimates_apart(self, one: frozenset[str], other: frozenset[str]) -> float | None:
        """Return the Frobenius norm of the difference of two estimates."""
        if self._data is None:
            return None
        return apart(self.blocks(one), self.blocks(other), self._data)

    def shared(self, switched: frozenset[str]) -> str:
        """Return nothing: what a function shares is not known."""
        return ""
