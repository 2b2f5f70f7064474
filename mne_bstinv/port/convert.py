"""Convert the files of one unit: an anatomy, shared files, or a condition."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from mne_bstinv import io
from mne_bstinv._data_types import MEG_TYPES, upper_types
from mne_bstinv.conversion import conversion_report
from mne_bstinv.port.derived import convert_derived
from mne_bstinv.port.estimates import convert_estimates
from mne_bstinv.port.morphs import write_morphs
from mne_bstinv.port.names import ENDINGS
from mne_bstinv.port.outputs import UNIT, Outputs
from mne_bstinv.port.picture import sensors_svg
from mne_bstinv.port.plan import ANATOMY, CONDITION, Unit
from mne_bstinv.port.recordings import convert_recordings
from mne_bstinv.port.settings import Settings
from mne_bstinv.studies.units import in_metres
from mne_bstinv.workflow import StudyCondition
from mne_bstinv.workflow.store import Store

__all__ = ["convert_unit"]

NO_FORWARD = "FIF files of forward solutions hold MEG and EEG only."


def convert_unit(unit: Unit, settings: Settings, store: Store, outputs: Outputs) -> None:
    """Convert the files of a unit; the store keeps what several units of a process need."""
    study = unit.study(store)
    if unit.kind == ANATOMY:
        _anatomy(unit, study, outputs)
        return
    if unit.holds_sensors:
        _sensors(study, outputs)
        _head_models(study, outputs)
    convert_recordings(study, settings, outputs)
    convert_estimates(unit, study, settings, outputs)
    if unit.kind == CONDITION:
        convert_derived(study, outputs)


def _anatomy(unit: Unit, study: StudyCondition, outputs: Outputs) -> None:
    from mne_bstinv.adapters import to_surfaces

    readers: dict[str, tuple[Path | None, Callable[[Path], Any]]] = {
        "cortex": (unit.anatomy.cortex, io.read_surface),
        "scalp": (unit.anatomy.scalp, io.read_surface),
        "inner_skull": (unit.anatomy.inner_skull, io.read_surface),
        "outer_skull": (unit.anatomy.outer_skull, io.read_surface),
        "mri": (unit.anatomy.anatomy, lambda _: study.mri),
    }
    read: dict[str, Any] = {}
    for name, (file, reader) in readers.items():
        if file is not None:
            with outputs.item(file, name):
                structure = reader(file)
                if structure is not None:
                    read[name] = in_metres(structure)
    if not read:
        return
    if "mri" not in read and unit.files.channel_file is not None:
        read["channels"] = study.channels
    with outputs.item(None, "subjects folder"):
        written = to_surfaces(outputs.folder.parent, outputs.folder.name, **read)
        sources = [file for name, (file, _) in readers.items() if file and name in read]
        for file in written.files:
            outputs.add(file, sources)
        outputs.report(UNIT, conversion_report(written))
    if "cortex" in read:
        write_morphs(unit, read["cortex"], study, outputs)


def _sensors(study: StudyCondition, outputs: Outputs) -> None:
    """Sensors, frames and covariances."""
    if study.channel_file is None:
        if study.recordings or any(entry.shared or entry.data_file for entry in study.results):
            study.channels  # noqa: B018 raises the error that says what is missing
        return
    frames = [file for file in (study.channel_file, study.anatomy.anatomy) if file]
    with outputs.item(study.channel_file, "sensors"):
        facts = {"comment": study.channels.comment, **_not_in_fif(study.channels)}
        outputs.write(ENDINGS["info"], study.info, "info", frames, **facts)
        outputs.write(ENDINGS["trans"], study.trans, "trans", frames)
    pairs = (
        ("noise covariance", study.noise_cov_file),
        ("data covariance", study.data_cov_file),
    )
    for what, file in pairs:
        if file is not None:
            with outputs.item(file, what):
                noise = what == "noise covariance"
                cov = study.noise_cov if noise else study.data_cov
                stored = study.noise_cov_structure if noise else study.data_cov_structure
                facts = {"what": what, "comment": stored.comment}
                sources = [file, study.channel_file]
                outputs.write(ENDINGS[what], cov, "covariance", sources, **facts)
    with outputs.item(study.channel_file, "picture"):
        picture = sensors_svg(*_shapes(study))
        outputs.write_text(ENDINGS["picture"], picture, frames)


def _not_in_fif(channels: io.Channels) -> dict[str, Any]:
    """Return what FIF files have no place for: Brainstorm's names, groups, shafts of electrodes."""
    from mne_bstinv.adapters.channel_names import mne_names

    names = zip(mne_names(channels), channels.channels, strict=True)
    pairs = [(name, channel) for name, channel in names]
    facts = {
        "brainstorm_names": {name: c.name for name, c in pairs if name != c.name},
        "groups": {name: c.group for name, c in pairs if c.group},
        "intra_electrodes": _plain(channels.intra_electrodes),
    }
    return {name: value for name, value in facts.items() if value}


def _plain(value: Any) -> Any:
    """Return a raw value of a MATLAB file for JSON; numbers that are not finite become None."""
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if isinstance(value, np.ndarray | np.generic):
        return _plain(value.tolist())
    if isinstance(value, float):
        return value if np.isfinite(value) else None
    return value if isinstance(value, str | int | bool) or value is None else str(value)


def _head_models(study: StudyCondition, outputs: Outputs) -> None:
    """Each head model: the current one under the plain name."""
    for file in study.head_model_files:
        model = study.with_head_model(file)
        name = "" if file == study.head_model_file else f"_{file.stem.removeprefix('headmodel_')}"
        with outputs.item(file, "head model"):
            sources = [f for f in (file, *_frame_files(model)) if f]
            comment = model.head_model.comment
            outputs.write(
                name + ENDINGS["source spaces"],
                model.src,
                "source spaces",
                sources,
                comment=comment,
            )
            if not {*upper_types(study.channels.types)} & {*MEG_TYPES, "EEG"}:
                outputs.skip(file, "forward solution", NO_FORWARD)
                continue
            outputs.write(
                name + ENDINGS["forward"],
                model.forward_for_file(),
                "forward",
                sources,
                comment=comment,
                precision="single",
            )


def _frame_files(model: StudyCondition) -> Iterator[Path | None]:
    yield from (model.channel_file, model.anatomy.anatomy, model.cortex_file)


def _shapes(study: StudyCondition) -> tuple[dict[str, Any], Any, Any]:
    """Positions in the head frame (m): sensors by kind, the cortex, the fiducials."""
    from mne_bstinv.adapters.sensors import sensor_positions

    sensors, fiducials, to_head = sensor_positions(study.info)
    cortex = study.subject_cortex
    vertices = np.zeros((0, 3)) if cortex is None else cortex.vertices
    return sensors, vertices @ to_head[:3, :3].T + to_head[:3, 3], fiducials
