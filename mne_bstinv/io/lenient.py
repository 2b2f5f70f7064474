"""Fields that nothing depends on: a value of another form is left out with a warning."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mne_bstinv.io.context import Context
from mne_bstinv.io.variable import Variable

if TYPE_CHECKING:
    from mne_bstinv.io.schema import Kind

__all__ = ["Lenient"]

logger = logging.getLogger("mne_bstinv")


@dataclass(frozen=True, slots=True)
class Lenient:
    """A kind of value whose faults are warnings.

    Parameters
    ----------
    kind : Kind
        What the value should be.
    """

    kind: Kind

    @property
    def order(self) -> int:
        """That of the kind."""
        return self.kind.order

    def read(self, variable: Variable, context: Context) -> Any:
        """Return the value; None with a warning if it is of another form."""
        inner = Context(context.path, [], dict(context.sizes))
        value = self.kind.read(variable, inner)
        if inner.faults:
            for fault in inner.faults:
                logger.warning("%s; left out", fault)
            return None
        context.sizes.update(inner.sizes)
        return value

    def write(self, value: Any, context: Context) -> Any:
        """Return the value for savemat."""
        return self.kind.write(value, context)
