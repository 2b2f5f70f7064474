"""Draw the figures of the documentation from the sample study: ``python docs/make_figures.py``."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

import mne_bstinv as mb
from mne_bstinv.cli import main
from mne_bstinv.frames import scs_to_head, transform_points
from mne_bstinv.report import figures_of

STATIC = Path(__file__).parent / "_static"


def sensors(study: mb.datasets.SampleStudy) -> None:
    """Draw the sensors of the converted Info around the converted source space."""
    info = mb.to_info(study.channels, sfreq=250.0)
    src = mb.to_source_spaces(study.head_model, study.cortex, channels=study.channels)
    to_head = info["dev_head_t"]["trans"]
    positions: dict[str, list[np.ndarray]] = {}
    for channel, kind in zip(info["chs"], info.get_channel_types(), strict=True):
        where = channel["loc"][:3]
        if kind in ("mag", "grad"):
            positions.setdefault(kind, []).append(transform_points(to_head, where))
        elif kind == "eeg":
            positions.setdefault(kind, []).append(where)
    fiducials = np.array([point["r"] for point in info["dig"] if point["kind"] == 1])
    figure = mb.plot_sensors(
        {kind: np.array(found) for kind, found in positions.items()},
        np.concatenate([part["rr"] for part in src]),
        fiducials=fiducials,
        title="The sample study in MNE's head frame",
    )
    figure.savefig(STATIC / "sensors.png", dpi=110)


def estimate(study: mb.datasets.SampleStudy) -> None:
    """Draw a stored kernel, converted to a SourceEstimate, on the converted cortex."""
    stored = study.results["MN: MEG ALL(Constr) 2018"]
    src = mb.to_source_spaces(study.head_model, study.cortex, channels=study.channels)
    stc = mb.to_source_estimate(
        stored, study.recordings, channels=study.channels, surface=study.cortex
    )
    to_scs = scs_to_head(study.channels).inverse
    left, right = src
    figure = mb.plot_estimate(
        1e9 * stc.data,
        stc.times,
        transform_points(to_scs, np.concatenate([left["rr"], right["rr"]])),
        np.concatenate([left["tris"], right["tris"] + left["np"]]),
        quantity="source amplitude",
        unit="nA·m",
        title="A Brainstorm kernel as MNE's SourceEstimate",
    )
    figure.savefig(STATIC / "converted_estimate.png", dpi=110)


def attribution(study: mb.datasets.SampleStudy) -> None:
    """Draw which convention makes which part of the difference between the two toolboxes."""
    validation = mb.cross_validate(
        study, options=mb.InverseOptions(measure="amplitude"), data_types="MEG"
    )
    figures = figures_of(validation)
    figures[next(iter(figures))].savefig(STATIC / "attribution.png", dpi=110)


def demo() -> None:
    """Draw the figure of the demonstration, by the demonstration."""
    with TemporaryDirectory() as folder:
        if main(["demo", "--out", folder, "--quiet"]):
            raise SystemExit("The demonstration failed.")
        (STATIC / "demo.png").write_bytes((Path(folder) / "estimate.png").read_bytes())


if __name__ == "__main__":
    demo()
    study = mb.datasets.load_sample()
    sensors(study)
    estimate(study)
    attribution(study)
