"""What a conversion of one file may be told beyond its files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mne_bstinv.errors import ConversionError

__all__ = ["Arguments", "one_of"]


@dataclass(frozen=True, kw_only=True)
class Arguments:
    """What a conversion may be told beyond its files."""

    #: Which of several.
    item: int | None = None
    #: Regularisation of an operator.
    lambda2: float | None = None
    #: Method of an operator, or of an estimate.
    method: str | None = None
    #: Orientation of an operator.
    pick_ori: str | None = None
    #: First time of a covariance of recordings, s.
    tmin: float | None = None
    #: Last time of a covariance of recordings, s.
    tmax: float | None = None
    #: First and last time of the means of these recordings, s.
    baseline: tuple[float | None, float | None] | None = None
    #: Whether dspm2018 is multiplied by √Leff.
    scale_leff: bool | None = None
    #: Where the file of a link may be.
    raw_dir: Path | None = None
    #: Name of an atlas of scouts.
    atlas: str | None = None


def one_of(values: Sequence[Any], arguments: Arguments, what: str) -> Any:
    """Choose one of several."""
    if arguments.item is None and len(values) == 1:
        return values[0]
    if arguments.item is None or not 0 <= arguments.item < len(values):
        given = "" if arguments.item is None else f", and item {arguments.item} is none of them"
        listed = "; ".join(f"{n}: {one.comment or '(unnamed)'}" for n, one in enumerate(values))
        raise ConversionError(
            f"The file holds {len(values)} {what}{given}; say which with --item N (item=N): "
            f"{listed}"
        )
    return values[arguments.item]
