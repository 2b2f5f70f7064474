"""Windows of time as histories state them, and samples of one file in another."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np

from mne_bstinv._types import FloatArray
from mne_bstinv.derived.library import NotComparableError

__all__ = ["samples_of", "windows_in_ms"]


def windows_in_ms(times: FloatArray, bounds: tuple[float, float]) -> Iterator[tuple[float, float]]:
    """Yield the windows in s whose bounds are shown as these milliseconds, the nearest first.

    A history has whole milliseconds: with more than 1000 samples a second several samples are
    shown alike.
    """
    ends = []
    for bound in bounds:
        nearest = int(np.argmin(np.abs(times * 1000 - bound)))
        same = np.flatnonzero(np.round(times * 1000) == bound)
        ends.append([nearest, *(int(i) for i in same if i != nearest)])
    for first, last in product(*ends):
        if first <= last:
            yield float(times[first]), float(times[last])


def samples_of(part: FloatArray | None, whole: FloatArray | None) -> slice:
    """Return where the times of a part begin and end in those of the whole."""
    if part is None or whole is None or len(part) == 0 or len(whole) < len(part):
        raise NotComparableError("The times do not lie in those of the file it was made of.")
    first = int(np.argmin(np.abs(whole - part[0])))
    found = slice(first, first + len(part))
    step = float(np.median(np.diff(whole))) if len(whole) > 1 else 1.0
    if found.stop > len(whole) or np.abs(whole[found] - part).max() > step / 2:
        raise NotComparableError("The times do not lie in those of the file it was made of.")
    return found
