"""The projectors of a channel file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from mne_bstinv._types import FloatArray, IntArray
from mne_bstinv.errors import SchemaError
from mne_bstinv.io.checks import finite, one_of
from mne_bstinv.io.context import Context
from mne_bstinv.io.kinds import Array, Scalar, Vector
from mne_bstinv.io.schema import Structure, declare
from mne_bstinv.io.text import NestedArray, Text
from mne_bstinv.io.values import EMPTY, is_empty
from mne_bstinv.io.variable import Variable

__all__ = ["Projector", "ProjectorArray"]


@dataclass(frozen=True, slots=True)
class _SingVal:
    """Singular values; old files hold the text ``REF`` or ``ICA`` there."""

    order: int = 0
    values: ClassVar[Vector] = Vector("s")

    def read(self, variable: Variable, context: Context) -> Any:
        if isinstance(variable.value, str):
            return variable.value or None
        return self.values.read(variable, context)

    def write(self, value: Any, context: Context) -> Any:
        return value if isinstance(value, str) else self.values.write(value, context)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class Projector(Structure):
    """Components to remove from the recordings, or an operator to apply to them."""

    comment: str = field(default="", metadata=declare("Comment", Text()))
    #: (n_channels, k): components, or a complete (n_channels, n_channels) operator.
    components: FloatArray | None = field(
        default=None,
        metadata=declare("Components", Array("n_channels", "k"), finite, essential=True),
    )
    #: Which components are removed (k,), 1 or 0; None for operators.
    comp_mask: IntArray | None = field(
        default=None,
        metadata=declare("CompMask", Vector("m", dtype="int64"), one_of(0, 1), essential=True),
    )
    #: 0: ignored; 1: applied on the fly; 2: applied already in the file.
    status: int = field(
        default=0, metadata=declare("Status", Scalar(int), one_of(0, 1, 2), essential=True)
    )
    #: Singular values (s,), or the text ``'REF'`` or ``'ICA'``.
    sing_val: FloatArray | str | None = field(default=None, metadata=declare("SingVal", _SingVal()))
    #: ``'SSP_pca'``, ``'ICA_infomax'``, ``'REF'`` ...; missing in old files.
    method: str | None = field(default=None, metadata=declare("Method", Text()))

    @property
    def kind(self) -> str:
        """``'ssp'``, ``'ica'`` or ``'operator'`` (a reference or a complete matrix)."""
        method = self.method
        if method is None and isinstance(self.sing_val, str):
            method = self.sing_val
        if not isinstance(method, str | None):
            raise SchemaError(
                "Projector", [f"Method: {type(method).__name__} found, text expected"]
            )
        method = (method or "").upper()
        if method.startswith("ICA"):
            return "ica"
        if method.startswith("REF") or self.comp_mask is None:
            return "operator"
        return "ssp"

    def _faults(self) -> Sequence[str]:
        shape = (0, 0) if self.components is None else self.components.shape
        if self.kind != "operator" or shape[0] == shape[1]:
            return ()
        return [f"components {shape} without CompMask found, a square operator expected"]

    def _summary(self) -> str:
        shape = None if self.components is None else self.components.shape
        return f"{self.comment}, {self.kind}, components {shape}, status {self.status}"


@dataclass(frozen=True, slots=True)
class ProjectorArray:
    """A struct array of projectors; in old files one square matrix, which is active."""

    order: int = 0
    structs: ClassVar[NestedArray] = NestedArray(Projector)
    matrix: ClassVar[Array] = Array("n_channels", "n_channels")

    def read(self, variable: Variable, context: Context) -> Any:
        """Return the projectors."""
        if is_empty(variable.value) or not isinstance(variable.value, np.ndarray | float | int):
            return self.structs.read(variable, context)
        matrix = self.matrix.read(variable, context)
        return None if matrix is None else (Projector(components=matrix, status=1),)

    def write(self, value: Any, context: Context) -> Any:
        """Return the struct array."""
        return self.structs.write(value, context) if value is not None else EMPTY
