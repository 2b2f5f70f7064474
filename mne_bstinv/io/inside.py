"""Values inside structs that have no schema, such as Options: of the sort that is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mne_bstinv.errors import SchemaError
from mne_bstinv.io.checks import Check
from mne_bstinv.io.context import Context
from mne_bstinv.io.schema import Kind, Spec, understood
from mne_bstinv.io.variable import Variable

__all__ = ["inside"]


def inside(struct: Any, path: str, kind: Kind, *checks: Check, default: Any = None) -> Any:
    """Return what stands at a path such as ``'Options.MorletFc'``, whose first name is the struct.

    The default if it is absent or empty; a SchemaError if it is not of the kind, or fails a check.
    """
    outer, *names = path.split(".")
    value = struct
    for name in names:
        value = value.get(name) if isinstance(value, Mapping) else None
    context = Context(path)
    found = understood(Spec(path, kind, checks=checks), Variable(value), context)
    if context.faults:
        raise SchemaError(outer, context.faults)
    return default if found is None else found
