"""The ready-to-run Python of an equivalent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np

from mne_bstinv._types import FloatArray

__all__ = ["beamformer_call", "minimum_norm_call"]

#: MNE orders sources by hemisphere and vertex.
_ORDER = "# row i of stc.data is location equivalent.order[i] (0-based) of Brainstorm's head model"


class Told(Protocol):
    """What of an equivalent its code is made of."""

    @property
    def arguments(self) -> Mapping[str, Any]:
        """Arguments of the function that makes the operator or the filters."""

    @property
    def no_public_call(self) -> str:
        """Why MNE's public function cannot be told; empty if it can."""

    @property
    def method(self) -> str:
        """Method of ``apply_inverse``."""

    @property
    def lambda2(self) -> float | None:
        """Regularisation of ``apply_inverse``."""

    @property
    def pick_ori(self) -> str | None:
        """Components that are returned."""

    @property
    def factor(self) -> float | FloatArray:
        """What MNE's estimate is multiplied by, maybe by location."""

    @property
    def parity(self) -> str:
        """How far the toolboxes agree."""

    @property
    def reason(self) -> str:
        """Why no further."""


def minimum_norm_call(equivalent: Told) -> str:
    """Write the calls of a minimum norm."""
    if equivalent.no_public_call:
        make = [f"# {equivalent.no_public_call}", "inverse = equivalent.twin()"]
    else:
        make = [
            "inverse = mne.minimum_norm.make_inverse_operator(",
            "    equivalent.info, equivalent.forward, equivalent.noise_cov,",
            *_lines(equivalent.arguments),
            ")",
        ]
    return "\n".join(
        [
            "import mne",
            "",
            *make,
            "stc = mne.minimum_norm.apply_inverse(",
            "    equivalent.prepare(evoked), inverse,",
            f"    lambda2={equivalent.lambda2!r}, method={equivalent.method!r}, "
            f"pick_ori={equivalent.pick_ori!r},",
            ")",
            *_factor(equivalent),
        ]
    )


def beamformer_call(equivalent: Told) -> str:
    """Write the calls of a beamformer."""
    if equivalent.no_public_call:
        return f"# {equivalent.no_public_call}"
    return "\n".join(
        [
            "import mne",
            "",
            "filters = mne.beamformer.make_lcmv(",
            "    equivalent.info, equivalent.forward, equivalent.data_cov,",
            "    noise_cov=equivalent.noise_cov,",
            *_lines(equivalent.arguments),
            ")",
            "stc = mne.beamformer.apply_lcmv(equivalent.prepare(evoked), filters)",
            *_factor(equivalent),
        ]
    )


def _lines(arguments: Mapping[str, Any]) -> list[str]:
    return [f"    {name}={value!r}," for name, value in arguments.items()]


def _factor(equivalent: Told) -> list[str]:
    return [_ORDER, *_factor_line(equivalent)]


def _factor_line(equivalent: Told) -> list[str]:
    if equivalent.reason and not np.size(equivalent.factor) > 1 and equivalent.factor == 1:
        return [f"# {equivalent.parity}: {equivalent.reason}"]
    if np.size(equivalent.factor) > 1:
        return ["estimate = equivalent.factor[equivalent.order, None] * stc.data"]
    if equivalent.factor != 1:
        return [f"stc *= {equivalent.factor!r}  # √Λ in A·m"]
    return []
