"""What conversions found is in the report of every call above them."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import types
from pathlib import Path

import mne
import numpy as np
import pytest
from export_studies import export, ported

import mne_bstinv as mb
from mne_bstinv import io
from mne_bstinv.adapters.anatomy import read_freesurfer_mri
from mne_bstinv.conversion import (
    ConversionReport,
    Finding,
    Findings,
    carry,
    conversion_report,
    converts,
    hearing,
    is_conversion,
    say_instead,
    tell_again,
)

#: EEG of several conditions, a volume, MEG and EEG of a surface, a mixed model.
PROTOCOLS = ("eeg_shared", "eeg_volume", "meg_eeg", "mixed")


@pytest.fixture(autouse=True)
def _quiet_mne():
    with mne.use_log_level("error"):
        yield


@pytest.fixture
def made(monkeypatch):
    """All findings that were made since, wherever that was."""
    found: dict[Finding, None] = {}
    for severity in ("dropped", "assumed", "derived"):
        original = getattr(Findings, severity)

        def note(self, field, reason, original=original, severity=severity):
            found[Finding(severity, field, reason)] = None
            original(self, field, reason)

        monkeypatch.setattr(Findings, severity, note)
    return found


def test_copies_of_what_was_converted_share_the_report():
    gain = np.ones((2, 3))
    report = ConversionReport(kept={"head_model": gain})
    assert copy.deepcopy({"made": np.zeros(1), "report": report})["report"] is report


def test_every_public_conversion_is_marked():
    # a table is a plain one of pandas, with all that the signals hold
    names = [n for n in mb.__all__ if n.startswith(("to_", "from_")) and n != "to_table"]
    names += ["noise_cov_from", "study_from_mne", "convert_file", "export_study", "port_protocol"]
    assert [name for name in names if not is_conversion(getattr(mb, name))] == []
    assert is_conversion(read_freesurfer_mri)
    assert next(iter(inspect.signature(mb.to_info).parameters)) == "channels"


def test_a_finding_travels_up_through_any_number_of_calls():
    def convert(name, *below):
        for one in below:
            one()
        findings = Findings()
        findings.derived(name, "for a reason")
        return findings.attach(types.SimpleNamespace(), what="a → b")

    inner = converts(lambda: convert("inner"))
    middle = converts(lambda: [convert("middle", inner), types.SimpleNamespace()])
    outer = converts(lambda: convert("outer", middle, inner))
    assert [f.field for f in conversion_report(outer())] == ["inner", "middle", "outer"]
    for element in middle():
        assert [f.field for f in conversion_report(element)] == ["inner", "middle"]
    assert [f.field for f in conversion_report(inner())] == ["inner"]


def test_a_step_without_a_result_and_an_object_of_before_are_heard_too(caplog):
    findings = Findings()
    findings.dropped("Field", "gone")
    before = Findings()
    before.assumed("Other", "guessed")
    with mne.use_log_level("warning"):
        kept = before.attach(types.SimpleNamespace(), what="earlier")
    with hearing() as heard, mne.use_log_level("warning"):
        findings.tell(what="a → b")
        assert tell_again(kept) is kept
        carry(types.SimpleNamespace(), kept._bstinv_report)
    assert [f.field for f in heard] == ["Field", "Other"]
    assert "a → b: dropped: Field: gone" in caplog.text
    assert caplog.text.count("guessed") == 1


def objects_of(condition: io.Condition, mri: io.Mri, cortex: io.Surface) -> dict:
    """The structures of a condition."""
    return {
        "channels": io.read_channels(condition.channel_file),
        "recordings": [io.read_recordings(one.file) for one in condition.recordings],
        "head_model": io.read_head_model(condition.head_model_file),
        "noise_cov": io.read_noise_cov(condition.noise_cov_file),
        "results": [io.read_results(one.file) for one in condition.results],
        "mri": mri,
        "cortex": cortex,
    }


def calls(s: dict, folder: Path):
    """Every conversion of objects, by name; each is made of what an earlier one gave."""
    channels, mri, cortex, model = s["channels"], s["mri"], s["cortex"], s["head_model"]
    evoked = mb.to_evoked(s["recordings"][0], channels)
    epochs = mb.to_epochs(s["recordings"][:1], channels)
    raw = mb.to_raw_array(s["recordings"][0], channels)
    forward = mb.to_forward(model, channels, surface=cortex, mri=mri)
    bare = forward.copy()  # without what reports keep
    info, cov = mb.to_info(channels, sfreq=100.0), mb.to_covariance(s["noise_cov"], channels)
    yield "to_info", lambda: mb.to_info(channels, sfreq=100.0, mri=mri)
    yield "from_info", lambda: mb.from_info(info)
    yield "from_info of MNE's own", lambda: mb.from_info(evoked.info.copy())
    yield "to_evoked", lambda: mb.to_evoked(s["recordings"][0], channels)
    yield "to_epochs", lambda: mb.to_epochs(s["recordings"][:1], channels)
    yield "to_raw_array", lambda: mb.to_raw_array(s["recordings"][0], channels)
    yield "to_annotations", lambda: mb.to_annotations(s["recordings"][0], channels)
    yield "from_evoked", lambda: mb.from_evoked(evoked)
    yield "from_epochs", lambda: mb.from_epochs(epochs)
    yield "from_raw", lambda: mb.from_raw(raw)
    yield "to_covariance", lambda: mb.to_covariance(s["noise_cov"], channels)
    yield "from_covariance", lambda: mb.from_covariance(cov.copy(), channels)
    yield "noise_cov_from", lambda: mb.noise_cov_from(evoked, channels=channels)
    yield "to_source_spaces", lambda: mb.to_source_spaces(model, cortex, None, channels=channels)
    yield "from_source_spaces", lambda: mb.from_source_spaces(bare["src"].copy())
    yield "to_forward", lambda: mb.to_forward(model, channels, surface=cortex)
    yield "to_forward without a cortex", lambda: mb.to_forward(model, channels)
    yield "from_forward", lambda: mb.from_forward(bare, channels=channels)
    yield "from_forward without anything", lambda: mb.from_forward(bare)
    if "Structures" in [atlas.name for atlas in cortex.atlas]:
        labels = mb.to_labels(cortex, atlas="Structures", channels=channels)
        yield "to_labels", lambda: mb.to_labels(cortex, atlas="Structures", channels=channels)
        yield "from_labels", lambda: mb.from_labels(labels, cortex)
    yield "to_trans", lambda: mb.to_trans(channels, None)
    yield "to_surfaces", lambda: mb.to_surfaces(folder, "s", cortex=cortex, channels=channels)
    yield "study_from_mne", lambda: mb.study_from_mne(evoked, bare, cov, info=info)
    places = {"channels": channels, "surface": cortex}
    minnorm = [r for r in s["results"] if r.options["InverseMethod"] == "minnorm"]
    for results in minnorm[:3]:
        stc = mb.to_source_estimate(results, s["recordings"][0], head_model=model, **places)
        yield (
            "to_source_estimate",
            lambda results=results: mb.to_source_estimate(
                results, s["recordings"][0], head_model=model, **places
            ),
        )
        yield (
            "from_source_estimate",
            lambda stc=stc: mb.from_source_estimate(stc.copy(), forward["src"], channels=channels),
        )
        arguments = (model, s["noise_cov"], channels, results.options)
        good = results.good_channel - 1
        inverse = mb.to_inverse_operator(*arguments, good_channels=good, surface=cortex)
        yield (
            "to_inverse_operator",
            lambda arguments=arguments, good=good: mb.to_inverse_operator(
                *arguments, good_channels=good, surface=cortex
            ),
        )
        yield (
            "from_inverse_operator",
            lambda inverse=inverse: mb.from_inverse_operator(
                inverse, 0.1, "dSPM", channels=channels
            ),
        )
        yield (
            "from_inverse_operator of MNE's own",
            lambda inverse=inverse: mb.from_inverse_operator(inverse.copy(), 0.1, "MNE"),
        )


@pytest.mark.parametrize("name", PROTOCOLS)
def test_reports_hold_all_that_was_found_below(data_dir, name, made, tmp_path):
    (subject,) = io.read_protocol(data_dir / name).subjects
    mri, cortex = io.read_mri(subject.anatomy), io.read_surface(subject.cortex)
    condition = next(one for one in subject.conditions if one.head_model_file and one.results)
    lost, seen = {}, set()
    for what, call in calls(objects_of(condition, mri, cortex), tmp_path / "subjects"):
        made.clear()
        result = call()
        for one in result if type(result) is list else [result]:
            missing = [f for f in made if f not in conversion_report(one).findings]
            if missing:
                lost[what] = missing
        seen.update(made)
    assert lost == {}
    assert len(seen) > 20  # the test would see nothing if nothing was found


@pytest.mark.parametrize("name", PROTOCOLS)
def test_reports_of_exports_and_ports_hold_all_that_was_found_below(data_dir, name, made, tmp_path):
    conditions = ported(data_dir / name)
    for number, one in enumerate(conditions):
        made.clear()
        (study,) = export([one], tmp_path / str(number))
        assert [f for f in made if f not in conversion_report(study).findings] == []
        made.clear()
        files = {
            "forward": tmp_path / f"{number}-fwd.fif",
            "noise_cov": tmp_path / f"{number}-cov.fif",
            "recordings": tmp_path / f"{number}-ave.fif",
        }
        if "forward" in one.objects:
            mne.write_forward_solution(files["forward"], one.objects["forward"])
        if "noise_cov" in one.objects:
            mne.write_cov(files["noise_cov"], one.objects["noise_cov"])
        mne.write_evokeds(files["recordings"], one.objects["recordings"][:1])
        given = {key: file for key, file in files.items() if file.exists()}
        made.clear()
        root = tmp_path / f"files{number}"
        study = mb.export_study(root, subject="S", condition="c", **given)
        assert [f for f in made if f not in conversion_report(study).findings] == []
    made.clear()
    report = mb.port_protocol(data_dir / name, tmp_path / "out")
    assert report.success
    lost = [f for f in made if f not in conversion_report(report).findings]
    # what an operator gives is said anew when it is made for the averages of its recordings
    assert [f for f in lost if f.field != "lambda2"] == []
    again = mb.port_protocol(data_dir / name, tmp_path / "out")
    assert set(conversion_report(again)) == set(conversion_report(report))


@pytest.mark.parametrize("name", PROTOCOLS)
def test_reports_of_converted_files_hold_all_that_was_found_below(data_dir, name, made, tmp_path):
    condition = next(
        one
        for one in io.read_protocol(data_dir / name).subjects[0].conditions
        if one.head_model_file and one.results
    )
    names = [r.file for r in condition.results if "KERNEL" in r.file.name]
    kernel = next(file for file in names if "MN_" in file.name)
    there = {
        "x-fwd.fif": condition.head_model_file,
        "x-src.fif": condition.head_model_file,
        "x-cov.fif": condition.noise_cov_file,
        "x-ave.fif": condition.recordings[0].file,
        "x-raw.fif": condition.recordings[0].file,
        "x-epo.fif": condition.recordings[0].file,
        "x-info.fif": condition.channel_file,
        "x-trans.fif": condition.channel_file,
        "x-inv.fif": kernel,
        "x-stc.h5": kernel,
    }
    back = {
        "x-fwd.fif": "headmodel_x.mat",
        "x-cov.fif": "noisecov_x.mat",
        "x-ave.fif": "data_x.mat",
        "x-info.fif": "channel_x.mat",
        "x-inv.fif": "results_x_KERNEL.mat",
    }
    options = {"recordings": condition.recordings[0].file}
    channels = {"channels": condition.channel_file, "head_model": condition.head_model_file}
    for target, source in there.items():
        made.clear()
        companions = options if target == "x-stc.h5" else {}
        report = conversion_report(
            mb.convert_file(source, tmp_path / target, companions=companions)
        )
        assert [f for f in made if f not in report.findings] == [], target
    for source, target in back.items():
        needs = {
            "headmodel_x.mat": ["channels"],
            "noisecov_x.mat": ["channels"],
            "data_x.mat": ["channels"],
            "channel_x.mat": [],
            "results_x_KERNEL.mat": ["channels", "head_model"],
        }[target]
        made.clear()
        converted = mb.convert_file(
            tmp_path / source, tmp_path / target, companions={one: channels[one] for one in needs}
        )
        report = conversion_report(converted)
        assert report is converted.report
        assert [f for f in made if f not in report.findings] == [], source


def test_structures_given_to_an_export_bring_their_own_report(data_dir, tmp_path):
    (one,) = ported(data_dir / "mixed", results=False)
    channels = mb.from_info(one.objects["info"])
    findings = Findings()
    findings.assumed("Field", "of an earlier step")
    (recordings,) = [mb.from_evoked(evoked) for evoked in one.objects["recordings"]]
    given = findings.attach(dataclasses.replace(recordings), what="earlier")
    study = mb.export_study(tmp_path / "p", given, info=channels, subject="S", condition="c")
    assert Finding("assumed", "Field", "of an earlier step") in conversion_report(study).findings
    assert np.size(io.read_recordings(study.recordings[0]).f)


def test_what_is_said_instead_is_what_calls_above_hear():
    @converts
    def outer():
        findings = Findings()
        findings.derived("a", "old")
        findings.derived("b", "other")
        made = findings.attach(types.SimpleNamespace(), what="x → y")
        return say_instead(made, Finding("derived", "a", "new"))

    said = [(f.field, f.reason) for f in conversion_report(outer())]
    assert sorted(said) == [("a", "new"), ("b", "other")]
