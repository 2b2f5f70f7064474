"""What a figure is given: checked against shapes in symbols, all faults reported at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from mne_bstinv._types import FloatArray, IntArray
from mne_bstinv.errors import SchemaError

__all__ = ["Arguments", "FloatArray", "IntArray"]


class Arguments:
    """The arguments of one call: each is checked when it is named, :meth:`check` raises.

    A symbol of a shape has one value in a call: the first argument that names it sets it. What
    has faults is returned empty.
    """

    def __init__(self, function: str) -> None:
        self._function = function
        self._sizes: dict[str, tuple[int, str]] = {}
        self._faults: list[str] = []

    def array(self, name: str, value: Any, shape: str, *, finite: bool = False) -> FloatArray:
        """Return real numbers in the shape, such as ``'n_vertices 3'``, not finite ones as NaN."""
        try:
            array = np.asarray(value)
        except ValueError:
            array = np.asarray(None)
        if array.dtype.kind not in "biuf":
            self.fault(f"{name} must be an array of real numbers, found {_shown(value)}.")
            return np.zeros((0,) * len(shape.split()))
        if not self._agrees(name, array.shape, shape.split()):
            return np.zeros((0,) * len(shape.split()))
        is_finite = np.isfinite(array)
        if finite and not is_finite.all():
            self.fault(f"{name} holds values that are not finite, expected finite numbers.")
        return np.where(is_finite, array, np.nan).astype(np.float64, copy=False)

    def optional(self, name: str, value: Any, shape: str) -> FloatArray | None:
        """Return the checked array, or None if there is none."""
        return None if value is None else self.array(name, value, shape)

    def faces(self, value: Any, n_vertices: int) -> IntArray:
        """Return triangles as whole numbers, 0-based and of vertices that exist."""
        array = self.array("faces", value, "n_faces 3", finite=True)
        if not (array.size and n_vertices) or np.isnan(array).any():
            return np.zeros((0, 3), dtype=np.int64)
        if (array != np.round(array)).any():
            self.fault("faces must hold whole numbers.")
        elif array.min() < 0 or array.max() >= n_vertices:
            self.fault(
                f"faces holds the numbers {array.min():.0f} to {array.max():.0f}, expected 0 to "
                f"{n_vertices - 1}: subtract 1 from triangles that count from 1, as Brainstorm's."
            )
        return array.astype(np.int64)

    def indices(self, name: str, value: Sequence[int], n: int) -> None:
        """Check that 0-based indices are of something that exists."""
        wrong = [i for i in value if not 0 <= i < n]
        if wrong:
            self.fault(f"{name} holds {wrong[0]}, expected whole numbers from 0 to {n - 1}.")

    def within(self, name: str, value: float, low: float, high: float) -> None:
        """Check that a number lies in a range, its ends included."""
        if not low <= value <= high:
            self.fault(f"{name} holds {value:g}, expected a number from {low:g} to {high:g}.")

    def texts(self, name: str, value: Sequence[str], n: int | str) -> list[str]:
        """Return as many texts as the number or symbol says."""
        texts = [value] if isinstance(value, str) else [str(text) for text in value]
        if isinstance(value, str):
            self.fault(f"{name} must be a sequence of text, found the text {value!r}.")
        else:
            self._agrees(name, (len(texts),), [str(n)])
        return texts

    def pair(self, names: Sequence[str]) -> tuple[str, str]:
        """Return the names of the two sides."""
        texts = self.texts("names", names, 2)
        return (texts[0], texts[1]) if len(texts) == 2 else ("", "")

    def fault(self, sentence: str) -> None:
        """Note something else that is wrong."""
        self._faults.append(sentence)

    def check(self) -> None:
        """Raise what was found."""
        if self._faults:
            raise SchemaError(self._function, self._faults)

    def _agrees(self, name: str, found: tuple[int, ...], symbols: list[str]) -> bool:
        expected = f"({', '.join(symbols)}{',' if len(symbols) == 1 else ''})"
        if len(found) != len(symbols):
            self.fault(f"{name} has shape {found}, expected {expected}.")
            return False
        if 0 in found:
            self.fault(f"{name} has shape {found}: it is empty, expected {expected}.")
            return False
        for size, symbol in zip(found, symbols, strict=True):
            known, source = (
                (int(symbol), "")
                if symbol.isdecimal()
                else self._sizes.setdefault(symbol, (size, name))
            )
            if size != known:
                reason = f" with {symbol} = {known} as in {source}" if source else ""
                self.fault(f"{name} has shape {found}, expected {expected}{reason}.")
                return False
        return True


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
