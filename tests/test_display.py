"""Every public object has a short repr and a table for notebooks."""

from __future__ import annotations

import importlib
import inspect
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_sample import load_small_sample

import mne_bstinv as mb
from mne_bstinv import io, maps
from mne_bstinv._display import Displayed, few, html_table, in_short
from mne_bstinv.compare import compare_with_stored
from mne_bstinv.compare.alignment import align_kernels
from mne_bstinv.cross_validation import map_parity_table, parity_table
from mne_bstinv.derived import Recomputed
from mne_bstinv.explorer import Truth
from mne_bstinv.frames import FrameTransform
from mne_bstinv.inverse import origin_of

MODULES = [
    "mne_bstinv",
    *(
        f"mne_bstinv.{name}"
        for name in (
            "adapters",
            "anatomy",
            "compare",
            "conversion_files",
            "cross_validation",
            "derived",
            "datasets",
            "explorer",
            "export",
            "frames",
            "inverse",
            "io",
            "maps",
            "plots",
            "port",
            "report",
            "studies",
            "verification",
            "workflow",
        )
    ),
]


def public_classes() -> set[type]:
    found = {
        getattr(module, name)
        for module in map(importlib.import_module, MODULES)
        for name in module.__all__
        if inspect.isclass(getattr(module, name))
    }
    # a protocol (typing) has no objects of its own
    return {cls for cls in found if not getattr(cls, "_is_protocol", False)}


@pytest.fixture(scope="module")
def objects(tmp_path_factory: pytest.TempPathFactory) -> dict[type, Any]:
    """One object of each public class, from the sample study."""
    study = load_small_sample()
    folder = tmp_path_factory.mktemp("display")
    result = mb.compute_kernel(
        study.head_model, study.noise_cov, study.channels, data_types="EEG",
        channel_flag=study.recordings.channel_flag,
    )  # fmt: skip
    stored = study.results["MN: EEG(Unconstr) 2018"]
    options = mb.InverseOptions(measure="amplitude")
    settings = mb.MneSettings(method="MNE", loose=0)
    validation = mb.cross_validate(
        study, options=options, mne_settings=settings, data_types="EEG", shapley_limit=0
    )
    forward = mb.to_forward(study.head_model, study.channels, surface=study.cortex)
    inverse = mb.to_inverse_operator(
        study.head_model, study.noise_cov, study.channels, options, data_types="EEG",
        channel_flag=study.recordings.channel_flag, surface=study.cortex,
    )  # fmt: skip
    back = mb.from_inverse_operator(inverse, channels=study.channels)
    kernel = mb.Kernel.from_result(result)
    (subject,) = study.protocol.subjects
    condition = study.protocol.condition("Subject01", "evoked")
    exported = mb.export_study(
        folder / "protocol", study.recordings, subject="S", condition="c", info=study.channels
    )
    of_map = np.random.default_rng(0).normal(size=(len(study.cortex.vertices), 8))
    cov_file = io.read_protocol(study.path).condition("Subject01", "evoked").noise_cov_file
    made = [
        study, mb.load_study(study.path), result, *result.regions, options, settings,
        settings.depth, validation, *validation.attribution, validation.attribution,
        validation.attribution.steps[0].convention, validation.before, *validation.before,
        validation.before.values[0].metric, validation.equivalent,
        mb.brainstorm_equivalent(settings, study, data_types="EEG"), kernel,
        align_kernels(kernel, kernel), compare_with_stored(result, stored.imaging_kernel),
        *mb.verify(condition.results[0].file), *parity_table(study, [options], data_types="EEG"),
        mb.inverse_parameters(inverse), mb.conversion_report(forward),
        *mb.conversion_report(forward), exported, mb.Estimation(of=options),
        mb.convert_file(cov_file, folder / "sample-cov.fif"),
        mb.to_labels(study.cortex, channels=study.channels),
        mb.conversion_report(back).kept["grid"],
        mb.to_surfaces(folder, "S", cortex=study.cortex, mri=study.mri),
        FrameTransform(matrix=np.eye(4), source="SCS of the channel file"),
        study.protocol, subject, *subject.conditions, *condition.recordings, *condition.results,
        study.head_model, study.noise_cov, study.channels, study.recordings, study.cortex,
        study.mri, stored, *study.channels.channels, *study.channels.projectors,
        *study.cortex.atlas, *study.cortex.atlas[0].scouts, io.Event(label="stimulus"),
        *study.head_model.param, study.channels.head_points, study.channels.scs, io.NCS(),
        io.read_study(condition.folder / "brainstormstudy.mat"),
        io.read_subject(study.path / "anat" / "Subject01" / "brainstormsubject.mat"),
        io.GridAtlas(), mb.read_protocol(study.path),
        mb.read_protocol(study.path).condition("Subject01", "evoked"),
        mb.port_protocol(study.path, folder / "port"), *objects_of_maps(), *derived_objects(study),
        *validation.bounds[:1], *objects_of_recordings(folder),
        mb.InverseOptions2009(method="dspm"), mb.InverseOptions2016(measure="dspm"),
        origin_of(stored.function, stored.options, stored.comment), validation.scouts,
        *map_parity_table(study.cortex, np.arange(8.0), of_map),
        *mb.datasets.simulated_sources(), Truth(name="seen", time=0.1, vertex=0),
    ]  # fmt: skip
    return {type(thing): thing for thing in reversed(made)}


def derived_objects(study: Any) -> list[Any]:
    table = mb.extract_scouts(study.path, results="MN: EEG(Unconstr)")
    matrix = table.to_matrix()
    dipole = io.Dipole(loc=np.zeros(3), amplitude=np.ones(3), time=0.0, goodness=0.5)
    test = io.Statistics(
        tmap=np.zeros((len(study.channels), 2)), pmap=np.ones((len(study.channels), 2)),
        type="data", time=np.arange(2.0),
    )  # fmt: skip
    return [
        table,
        *table.series,
        matrix,
        mb.to_label_time_courses(matrix),
        dipole,
        io.Dipoles(dipole=(dipole,)),
        io.TimeFreq(tf=np.ones((2, 3, 4))),
        test,
        mb.to_statistics(test, channels=study.channels),
        Recomputed(kind="z-score", difference=0.0, parents=("a",)),
    ]


def objects_of_recordings(folder: Path) -> list[Any]:
    data = Path(__file__).parent / "data" / "continuous" / "data" / "Subject01"
    opened = io.open_bst(data / "@rawrunA" / "runA.bst")
    link = io.read_recordings(data / "@rawrunA" / "data_0raw_runA.mat").link
    assert link is not None
    raw = mb.read_raw_brainstorm(data / "@rawrunA" / "data_0raw_runA.mat")
    with io.BstWriter(folder / "a.bst", opened.header) as writer:
        writer.write(np.zeros((len(opened.header.channels), opened.header.n_samples)))
    continuous = mb.from_raw(raw, continuous=True)
    return [opened, opened.header, writer, link, link.prop, io.LinkEpoch(), continuous]


def objects_of_maps() -> list[Any]:
    rows = np.random.default_rng(0).normal(size=(6, 60))
    scan = maps.DipoleScan(
        times=np.arange(2.0), locations=np.arange(2), positions=np.eye(3)[:2],
        amplitudes=np.eye(3)[:2], performance=np.ones(2), goodness=np.array([0.2, 0.5]),
        khi2=np.ones(2), dof=4,
    )  # fmt: skip
    return [
        scan,
        maps.average_files([rows, rows]),
        maps.flat_directions(rows, 3),
        *maps.scout_rows({"a": [0]}, 6),
        maps.scout_value(rows, "mean"),
        maps.simulate_recordings(rows[:3], {"a": [0]}, rows[:, :3]),
        maps.fft_spectrum(rows, 100.0),
        maps.t_test_zero([rows, 2 * rows]),
    ]


class Tags(HTMLParser):
    """Checks that elements are closed in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_there_is_an_object_of_each_public_class(objects: dict[type, Any]) -> None:
    assert {cls.__name__ for cls in public_classes() - set(objects)} == set()


@pytest.mark.parametrize("cls", sorted(public_classes(), key=lambda c: c.__name__))
def test_a_public_object_is_shown_in_short_and_in_a_notebook(
    cls: type, objects: dict[type, Any]
) -> None:
    thing = objects[cls]
    shown = repr(thing)
    assert cls.__name__ in shown
    assert len(shown) < 200
    assert "\n" not in shown
    html = thing._repr_html_()
    assert Tags(html).open == []
    assert "<table" in html or "<pre>" in html
    assert "<_" not in html  # no repr of a private object


def test_the_call_leaves_out_defaults_and_makes_an_equal_object() -> None:
    options = mb.InverseOptions(measure="sloreta", snr_fixed=2)
    assert repr(options) == "InverseOptions(measure='sloreta', snr_fixed=2.0)"
    assert eval(repr(options), {"InverseOptions": mb.InverseOptions}) == options
    assert repr(mb.MneSettings()) == "MneSettings()"


def test_a_protocol_of_many_subjects_is_counted() -> None:
    subjects = tuple(io.SubjectEntry(name=f"S{n}", folder=Path(f"S{n}")) for n in range(9))
    protocol = io.Protocol(root=Path(), anat=Path(), data=Path(), name="P", subjects=subjects)
    assert repr(protocol) == (
        "<Protocol | P, S0: no condition; S1: no condition; S2: no condition; 6 more>"
    )


def test_cells_are_escaped() -> None:
    html = html_table([("a", "<b>")], head=("x", "&"), title="<Name | a > b>")
    assert "<p>Name | a &gt; b</p>" in html
    assert "<tr><th>x</th><th>&amp;</th></tr><tr><th>a</th><td>&lt;b&gt;</td></tr>" in html


def test_an_object_inside_another_is_shown_by_its_summary() -> None:
    cov = io.NoiseCov(noise_cov=np.eye(3), comment="empty room")
    assert in_short(cov) == "empty room, 3 channels"
    assert isinstance(mb.InverseOptions(), Displayed)
    assert in_short(mb.InverseOptions(snr_fixed=2)) == (
        "InverseOptions(measure='amplitude', snr_fixed=2.0)"
    )


def test_a_list_of_names_in_a_message_ends() -> None:
    assert few("abc") == "a, b, c"
    assert few(range(10)).endswith("8, 9")
    assert few(range(90)).endswith("8, 9 and 80 more")
