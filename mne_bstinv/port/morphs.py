"""Morphs from a subject's cortex to the default anatomy and to fsaverage."""

from __future__ import annotations

from pathlib import Path

from mne_bstinv import io
from mne_bstinv.errors import BstInvError
from mne_bstinv.port.outputs import Outputs
from mne_bstinv.port.plan import Unit
from mne_bstinv.studies.subjects import DEFAULT_SUBJECT
from mne_bstinv.workflow import StudyCondition

__all__ = ["write_morphs"]

_FSAVERAGE = "fsaverage"


def write_morphs(unit: Unit, cortex: io.Surface, study: StudyCondition, outputs: Outputs) -> None:
    """Write the morphs from a cortex to the templates that are registered as it is."""
    from mne_bstinv.adapters.anatomy import fsaverage_cortex, is_registered

    if not is_registered(cortex) or unit.anatomy.cortex is None:
        return
    template = unit.protocol.default_anatomy
    file = None if template is None else template.cortex
    if file is not None and unit.mne_subject != DEFAULT_SUBJECT:
        with outputs.item(file, "morph"):
            target = study.store.read(io.read_surface, file)
            if is_registered(target):
                _write(unit, cortex, target, DEFAULT_SUBJECT, outputs, [unit.anatomy.cortex, file])
    with outputs.item(unit.anatomy.cortex, "morph to fsaverage"):
        found = fsaverage_cortex()
        if found is not None:
            _write(unit, cortex, found, _FSAVERAGE, outputs, [unit.anatomy.cortex])


def _write(
    unit: Unit,
    cortex: io.Surface,
    target: io.Surface,
    name: str,
    outputs: Outputs,
    of: list[Path],
) -> None:
    from mne_bstinv.adapters import to_source_morph
    from mne_bstinv.adapters.anatomy import ico_vertices

    try:
        morph = to_source_morph(
            cortex,
            target,
            subject_from=unit.mne_subject,
            subject_to=name,
            src_to=ico_vertices(5) if name == _FSAVERAGE else None,
        )
    except BstInvError as error:
        outputs.skip(of[0], f"morph to {name}", str(error))
        return
    outputs.write(f"_to_{name}-morph.h5", morph, "morph", of)
