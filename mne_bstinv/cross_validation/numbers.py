"""How the numbers of a cross-validation are written."""

from __future__ import annotations

import math

__all__ = ["number", "percent", "power", "share"]

#: What is written where there is no number.
_NONE = "–"


def power(value: float, digits: int = 0) -> str:
    """Write a number as a power of ten, such as ``4e-8``, with some digits after the point."""
    mantissa, exponent = f"{value:.{digits}e}".split("e")
    return f"{mantissa}e{int(exponent)}"


def share(value: float) -> str:
    """Write a fraction as percent in three digits, where it is tiny as it is, like the bounds."""
    return f"{100 * value:.3g} %" if value >= 1e-5 else power(value, 1)


def percent(value: float | None, *, sign: bool = False) -> str:
    """Write a relative difference in a table: percent, with a power of ten where it is small."""
    if value is None or math.isnan(value):
        return _NONE
    plus = "+" if sign else ""
    if value == 0:
        return "0"
    shown = f"{100 * value:{plus}.2f}" if abs(value) >= 5e-5 else f"{100 * value:{plus}.0e}"
    return f"{shown} %"


def number(value: float | None, form: str, unit: str = "") -> str:
    """Write a number in a table in some form, such as ``'.3f'``, and its unit."""
    return _NONE if value is None or math.isnan(value) else f"{value:{form}}{unit}"
