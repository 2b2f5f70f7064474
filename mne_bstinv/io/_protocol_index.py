"""The index of a protocol, ``protocol.mat``: which head models are the current ones."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mne_bstinv.io import mat
from mne_bstinv.io._protocol_scan import Problems, read_or_report
from mne_bstinv.io.filenames import normalise
from mne_bstinv.io.mat import Variable
from mne_bstinv.io.text import struct_rows

__all__ = ["CurrentHeadModels", "read_current_head_models"]

#: Folder of a study relative to ``data`` -> name of its current head model.
CurrentHeadModels = dict[str, str]


def read_current_head_models(file: Path, problems: Problems) -> CurrentHeadModels:
    """Return the current head models that the index knows; nothing if there is no index."""
    if not file.exists():
        return {}
    variables = read_or_report(lambda name: mat.read(name, ["ProtocolStudies"]), file, problems)
    studies = variables["ProtocolStudies"].value if variables else None
    if not isinstance(studies, Mapping):
        return {}
    current: CurrentHeadModels = {}
    for field in ("Study", "DefaultStudy"):
        for study in struct_rows(Variable(studies.get(field))) or []:
            name = _current(study)
            if name is not None:
                folder = normalise(_text(study["FileName"].value)).parent
                current[folder.as_posix()] = name
    return current


def _current(study: Mapping[str, Variable]) -> str | None:
    """Return the name of the current head model of a study."""
    if not {"FileName", "HeadModel", "iHeadModel"} <= set(study):
        return None
    models = struct_rows(study["HeadModel"]) or []
    index = study["iHeadModel"].value
    if not isinstance(index, int | float) or not 1 <= index <= len(models):
        return None
    stored = models[int(index) - 1].get("FileName", Variable(""))
    return normalise(_text(stored.value)).name or None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
