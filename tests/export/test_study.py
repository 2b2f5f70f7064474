"""A study of MNE in a Brainstorm protocol: complete, the same numbers, or nothing at all."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import PurePath

import mne
import numpy as np
import pytest
import scipy.io
from export_studies import LOCAL, PUBLIC, export, ported
from matlab_templates import MAY_BE_EMPTY, fields, template_faults
from scipy.spatial import KDTree
from small_sample import load_small_sample

from mne_bstinv import InverseOptions, io, noise_cov_from, verify
from mne_bstinv.compare import compare_with_stored
from mne_bstinv.conversion import conversion_report
from mne_bstinv.errors import ConversionError, MatFileError, OverwriteError, ProtocolError
from mne_bstinv.export import Estimation, export_study
from mne_bstinv.export import folders as folders_module
from mne_bstinv.export.anatomy import same_structure
from mne_bstinv.export.inputs import estimations_of
from mne_bstinv.verification import recompute

#: The agreement asked for with kernels that Brainstorm stored.
TWIN = 1e-11
#: FIF files hold data, gains and positions in single precision.
SINGLE = np.finfo(np.float32).eps


def outcomes(root):
    return {one.file.name: one for one in verify(root)}


def check_round_trip(original, root):
    """Exported conditions verify as equal, and their kernels are those that Brainstorm stored."""
    conditions = ported(original)
    exported = export(conditions, root)
    assert io.read_protocol(root).problems == ()
    for one in outcomes(root).values():
        scan_of_mixed = "gls and lcmv on a mixed head model" in one.reason
        assert one.status.startswith("equal") or scan_of_mixed, (one.file, one.reason)
        assert scan_of_mixed or one.relative_difference <= TWIN
    checked = 0
    for study, condition in zip(exported, conditions, strict=True):
        for ours, theirs in zip(study.results, condition.stored, strict=True):
            mine, stored = io.read_results(ours), io.read_results(theirs)
            for name in ("comment", "function", "n_components", "head_model_type"):
                expected = getattr(stored, name)
                if name == "comment":  # numbers depend on the order
                    assert mine.comment.split(" 2018")[0] == expected.split(" 2018")[0]
                else:
                    assert getattr(mine, name) == expected, (ours, name)
            np.testing.assert_array_equal(mine.good_channel, stored.good_channel)
            same_kernel(mine, theirs)
            checked += 1
    return checked


def same_kernel(mine, file):
    stored = io.read_results(file)
    if stored.imaging_kernel is None:
        difference = np.linalg.norm(mine.amplitudes - stored.amplitudes)
        assert difference <= TWIN * np.linalg.norm(stored.amplitudes)
        return
    agreement = compare_with_stored(
        recompute(file), mine.imaging_kernel, stored_sa=mine.source_decomp_sa
    )
    assert agreement.status.startswith("equal") or "mixed head model" in agreement.reason
    assert (agreement.relative_difference or 0) <= TWIN


@pytest.mark.parametrize(("name", "n"), [("eeg_shared", 12), ("eeg_volume", 5), ("mixed", 6)])
def test_round_trip(data_dir, tmp_path, name, n):
    assert check_round_trip(data_dir / name, tmp_path / name) == n


@pytest.mark.parametrize("name", ["eeg_surface", "meg_eeg"])
def test_round_trip_of_the_large_grids(data_dir, tmp_path, name):
    conditions = ported(data_dir / name)
    for one in conditions:  # every third: the kernels differ in their options only
        one.estimations, one.stored = one.estimations[::3], one.stored[::3]
    exported = export(conditions, tmp_path / name)
    assert all(one.status.startswith("equal") for one in outcomes(tmp_path / name).values())
    for study, condition in zip(exported, conditions, strict=True):
        for ours, theirs in zip(study.results[::4], condition.stored[::4], strict=True):
            same_kernel(io.read_results(ours), theirs)


def test_round_trip_of_the_sample(sample_dir, tmp_path):
    assert check_round_trip(sample_dir, tmp_path / "sample") == 4


@pytest.mark.slow
@pytest.mark.parametrize("name", LOCAL)
def test_round_trip_with_real_sensors(shared_dir, tmp_path, name):
    original = shared_dir / "oracle" / "local" / name
    conditions = ported(original)
    for one in conditions:
        one.estimations, one.stored = one.estimations[::8], one.stored[::8]
    exported = export(conditions, tmp_path / name)
    found = outcomes(tmp_path / name)
    assert all(
        one.status.startswith("equal") or "mixed head model" in one.reason for one in found.values()
    )
    for study, condition in zip(exported, conditions, strict=True):
        for ours, theirs in zip(study.results, condition.stored, strict=True):
            same_kernel(io.read_results(ours), theirs)


@pytest.mark.parametrize("name", PUBLIC)
def test_structures_come_back_as_they_were(data_dir, tmp_path, name):
    export(ported(data_dir / name, results=False), tmp_path / name)
    before, after = (io.read_protocol(root / name) for root in (data_dir, tmp_path))
    readers = {
        "channel_file": io.read_channels,
        "head_model_file": io.read_head_model,
        "noise_cov_file": io.read_noise_cov,
        "data_cov_file": io.read_noise_cov,
    }
    for entry in before.subject("Subject01").conditions:
        new = after.condition("Subject01", entry.name)
        for attribute, read in readers.items():
            if getattr(entry, attribute) is None:
                continue
            old = read(getattr(entry, attribute))
            back = read(getattr(new, attribute))
            if attribute == "head_model_file":
                scale = np.nanmax(np.abs(old.gain))
                # two rotations of a gain, to MNE's head frame and back
                np.testing.assert_allclose(back.gain, old.gain, rtol=0, atol=1e-14 * scale)
                changed = {"gain": old.gain, "surface_file": old.surface_file}
                back = dataclasses.replace(back, **changed)
            assert same_structure(back, old), (entry.name, attribute)
        for one, other in zip(entry.recordings, new.recordings, strict=True):
            recordings = io.read_recordings(one.file)
            assert same_structure(io.read_recordings(other.file), recordings)
    cortex, mri = before.subject("Subject01").cortex, before.subject("Subject01").anatomy
    now = after.subject("Subject01")
    if now.cortex is not None:  # a volume has none
        assert same_structure(io.read_surface(now.cortex), io.read_surface(cortex))
    assert same_structure(
        dataclasses.replace(io.read_mri(now.anatomy), histogram=None),
        dataclasses.replace(io.read_mri(mri), histogram=None),
    )


#: What files made of MNE's own objects have not: where Brainstorm's harness filled it, its
#: distributed anatomy has none either, and averages without their samples have no moments.
def test_files_of_mnes_own_objects_have_all_fields_and_classes_of_brainstorms(
    templates, sample_files, tmp_path
):
    export_study(
        tmp_path / "p",
        subject="S1",
        condition="c1",
        estimations=[
            Estimation(of=InverseOptions(measure="sloreta"), data_types="EEG"),
            Estimation(of=InverseOptions(source_orient="loose"), data_types="MEG", recordings=0),
        ],
        **sample_files,
    )
    files = [file for file in (tmp_path / "p").rglob("*.mat") if file.name != "protocol.mat"]
    assert len(files) == 14
    assert template_faults(templates, tmp_path / "p", may_be_empty=MAY_BE_EMPTY) == []


def test_a_missing_field_and_a_wrong_class_would_be_found(templates, sample_dir, tmp_path):
    file = next(sample_dir.rglob("headmodel*.mat"))
    read = scipy.io.loadmat(file)
    variables = {name: value for name, value in read.items() if not name.startswith("__")}
    del variables["HeadModelType"]
    variables["Gain"] = variables["Gain"].astype(np.float32)
    variables["Param"] = np.zeros((0, 0))
    variables["Other"] = np.zeros((0, 0))
    scipy.io.savemat(tmp_path / file.name, variables)
    found = "\n".join(templates.faults(tmp_path / file.name))
    assert "Gain: single matrix" in found
    assert "Param: double empty" in found
    assert "Other: no field" in found
    assert "HeadModelType: missing" in found
    assert len(found.splitlines()) == 4
    assert list(fields(file))
    assert templates.faults(file) == []


def test_from_files_of_mne(sample, sample_files, sample_dir, tmp_path):
    """Files of MNE hold single precision; beyond that nothing changes."""
    options = InverseOptions(measure="amplitude")
    study = export_study(
        tmp_path / "p",
        subject="S1",
        condition="c1",
        estimations=Estimation(of=options, data_types="MEG", recordings=0),
        **sample_files,
    )
    (outcome,) = outcomes(tmp_path / "p").values()
    assert outcome.status == "equal"
    original = load_small_sample()
    head_model = io.read_head_model(study.head_model_file)
    scale = np.abs(np.nan_to_num(original.head_model.gain)).max(axis=1, keepdims=True)
    order = nearest(head_model.grid_loc, original.head_model.grid_loc)
    theirs = original.head_model.gain.reshape(len(scale), -1, 3)[:, order].reshape(len(scale), -1)
    computed = np.isfinite(theirs).all(axis=1) & theirs.any(axis=1)
    difference = np.abs(head_model.gain - theirs)[computed] / scale[computed]
    # the gain of a location is rounded once, and turned by fiducials that were rounded once
    assert difference.max() <= 10 * SINGLE
    recordings = io.read_recordings(study.recordings[0])
    np.testing.assert_allclose(recordings.f, original.recordings.f, rtol=SINGLE, atol=0)
    cortex = io.read_surface(study.cortex_file)
    assert cortex.atlas[0].name == "User scouts"
    assert {scout.label for scout in cortex.atlas[1].scouts} == {"lh", "rh"}
    assert head_model.surface_file == "S1/tess_cortex_pial_low.mat"


def nearest(places, of):
    distance, index = KDTree(of).query(places)
    assert distance.max() < 1e-6
    return index


@pytest.mark.slow
def test_a_study_of_mnes_sample_subject(templates, mne_sample, tmp_path):
    evoked, fwd, cov = (mne_sample[name] for name in ("recordings", "forward", "noise_cov"))
    inv = mne.minimum_norm.make_inverse_operator(evoked.info, fwd, cov, loose=0.2)
    label = mne.Label(fwd["src"][0]["vertno"][5:25], hemi="lh", name="patch-lh")
    estimations = [
        Estimation(of=InverseOptions(measure=measure, source_orient=orient), data_types=types)
        for measure, orient, types in (
            ("amplitude", "fixed", "MEG"),
            ("dspm2018", "free", "EEG"),
            ("sloreta", "fixed", ("MEG", "EEG")),
        )
    ]
    study = export_study(
        tmp_path / "p",
        evoked,
        subject="sample",
        condition="left_auditory",
        forward=fwd,
        noise_cov=cov,
        labels=[label],
        estimations=[*estimations, Estimation(of=inv, lambda2=1 / 9, method="dSPM")],
    )
    found = list(outcomes(tmp_path / "p").values())
    assert sorted(one.status for one in found) == ["equal", "equal", "equal", "not comparable"]
    assert max(one.relative_difference or 0 for one in found) <= TWIN
    foreign = io.read_results(study.results[-1])
    assert "MNE-Python-dSPM" in study.results[-1].name
    assert foreign.options["Lambda2"] == 1 / 9
    cortex = io.read_surface(study.cortex_file)
    (scout,) = cortex.atlas[-1].scouts
    assert (scout.label, scout.region, len(scout.vertices)) == ("patch L", "LU", 20)
    stc = mne.minimum_norm.apply_inverse(evoked, inv, 1 / 9, "dSPM", pick_ori="vector")
    # MNE scales by the square root of the number of averages, Brainstorm's kernels do not
    ours = (
        foreign.imaging_kernel @ io.read_recordings(study.recordings[0]).f[foreign.good_channel - 1]
    )
    lengths = np.linalg.norm(ours.reshape(-1, 3, ours.shape[1]), axis=1) * np.sqrt(evoked.nave)
    np.testing.assert_allclose(lengths, stc.magnitude().data, rtol=1e-9)
    empty = (
        MAY_BE_EMPTY
        | {f"Options.{name}" for name in foreign.options}
        | {f"Options.NoiseCovMat.{name}" for name in ("FourthMoment", "History", "nSamples")}
    )
    faults = template_faults(templates, tmp_path / "p", may_be_empty=empty)
    assert [fault.split(": ")[1] for fault in faults] == ["Options.Lambda2"]


def test_an_estimate_of_mne(mne_sample, tmp_path):
    """Files of source estimates say neither where the sources are nor what the values mean."""
    evoked, fwd, cov = (mne_sample[name] for name in ("recordings", "forward", "noise_cov"))
    evoked = evoked.copy().crop(0.05, 0.1)
    inv = mne.minimum_norm.make_inverse_operator(evoked.info, fwd, cov, loose=0.2)
    stc = mne.minimum_norm.apply_inverse(evoked, inv, 1 / 9, "dSPM", pick_ori="normal")
    stc.save(tmp_path / "x")
    study = export_study(
        tmp_path / "p",
        evoked,
        subject="S",
        condition="c",
        forward=fwd,
        estimations=Estimation(of=tmp_path / "x-lh.stc", method="dSPM", comment="of MNE"),
    )
    stored = io.read_results(study.results[0])
    # MNE's dSPM of an average is scaled by its number of averages
    assert evoked.nave > 1
    assert (stored.function, stored.comment) == ("dspm2018sc", "of MNE")
    assert (stored.n_avg, stored.leff) == (evoked.nave, 0.0)
    assert stored.data_file == f"S/c/{study.recordings[0].name}"
    np.testing.assert_allclose(stored.image_grid_amp, stc.data, rtol=SINGLE)
    np.testing.assert_allclose(stored.time, evoked.times, rtol=0, atol=1e-9)
    for method, words in (
        (None, r"does not say what its values are, .* method=…\), one of MNE, dSPM, sLORETA, eLO"),
        ("dspm", r"Unknown method 'dspm'\. Must be one of MNE, dSPM"),
    ):
        estimation = Estimation(of=tmp_path / "x-lh.stc", method=method)
        with pytest.raises(ConversionError, match=words):
            export_study(
                tmp_path / "q", evoked, subject="S", condition="c", forward=fwd,
                estimations=estimation,
            )  # fmt: skip
    assert not (tmp_path / "q").exists()


def test_the_order_of_locations_is_reported_where_it_is_not_known(sample, sample_files, tmp_path):
    for name, given in (("objects", sample.objects_only()), ("files", sample_files)):
        study = export_study(tmp_path / name, subject="S", condition="c", **given)
        said = [f for f in conversion_report(study) if "the left hemisphere first" in f.reason]
        assert len(said) == (name == "files")


def test_results_take_another_comment(sample, tmp_path):
    (file, *_) = sample.stored
    objects, target = sample.objects_only(), {"subject": "S", "condition": "c"}
    renamed = Estimation(of=file, comment="renamed")
    study = export_study(tmp_path / "p", **target, **objects, estimations=[file, renamed])
    comments = [io.read_results(one).comment for one in study.results]
    assert comments == [io.read_results(file).comment, "renamed"]


def test_source_spaces_alone_give_a_cortex(mne_sample, tmp_path):
    study = export_study(
        tmp_path / "p",
        mne_sample["recordings"],
        subject="S",
        condition="c",
        src=mne_sample["src"],
        trans=mne_sample["trans"],
    )
    assert study.head_model_file is None
    cortex = io.read_surface(study.cortex_file)
    n_used = sum(part["nuse"] for part in mne_sample["src"])
    assert cortex.n_vertices == n_used
    # head-sized, and the left hemisphere is on the left (+y in SCS)
    assert 0.1 < np.ptp(cortex.vertices, axis=0).max() < 0.2
    left, right = (cortex.vertices[scout.vertices - 1] for scout in cortex.atlas[1].scouts)
    assert left[:, 1].mean() > right[:, 1].mean()


def contents(root):
    """All files below a folder, temporary ones included."""
    return {file: file.read_bytes() for file in root.rglob("*") if file.is_file()}


class TestExistingProtocols:
    def test_a_condition_is_added_and_everything_else_stays(self, data_dir, sample, tmp_path):
        root = shutil.copytree(data_dir / "meg_eeg", tmp_path / "p")
        before = contents(root)
        objects = {k: v for k, v in sample.objects_only().items() if k != "mri"}
        study = export_study(root, subject="Subject01", condition="new", **objects)
        after = contents(root)
        changed = {file.name for file, content in before.items() if after[file] != content}
        assert changed == {"protocol.mat"}
        added = {file.relative_to(root).as_posix() for file in set(after) - set(before)}
        assert "anat/Subject01/tess_cortex_pial_low.mat" in added  # another cortex than is there
        assert all("Subject01/new/" in name or name.startswith("anat/") for name in added)
        assert set(study.written) == {root / name for name in (*added, "data/protocol.mat")}
        assert io.read_subject(root / "anat/Subject01/brainstormsubject.mat").cortex.endswith(
            "tess_cortex_pial_low_42V.mat"
        )

    def test_the_same_cortex_is_used_again(self, sample, tmp_path):
        for condition in ("one", "two"):
            study = export_study(
                tmp_path / "p", subject="S", condition=condition, **sample.objects_only()
            )
            assert study.cortex_file.name == "tess_cortex_pial_low.mat"
        assert len(list((tmp_path / "p" / "anat" / "S").glob("tess*.mat"))) == 1
        assert not any("anat" in file.parts for file in study.written)

    def test_another_subject_is_added(self, sample, tmp_path):
        for subject in ("S1", "S2"):
            export_study(tmp_path / "p", subject=subject, condition="c", **sample.objects_only())
        protocol = io.read_protocol(tmp_path / "p")
        assert [subject.name for subject in protocol.subjects] == ["S1", "S2"]
        assert protocol.problems == ()

    def test_a_condition_is_not_overwritten_unless_asked_for(self, sample, tmp_path):
        where = {"subject": "S", "condition": "c"}
        study = export_study(tmp_path / "p", **where, **sample.objects_only())
        extra = study.recordings[0].with_name("data_other.mat")
        shutil.copy(study.recordings[0], extra)
        with pytest.raises(OverwriteError, match="the condition exists already"):
            export_study(tmp_path / "p", **where, **sample.objects_only())
        assert extra.exists()
        export_study(tmp_path / "p", **where, overwrite=True, **sample.objects_only())
        assert not extra.exists()
        assert io.read_protocol(tmp_path / "p").problems == ()

    def test_conditions_share_channels_where_the_subject_says_so(self, data_dir, tmp_path):
        conditions = ported(data_dir / "eeg_shared")
        first, second = export(conditions, tmp_path / "p")
        assert first.channel_file == second.channel_file
        assert first.channel_file.parent.name == "@default_study"
        assert not any("@default_study" in file.parts for file in second.written)
        options = InverseOptions(measure="sloreta")
        objects = conditions[0].objects
        third = export_study(
            tmp_path / "p",
            subject="Subject01",
            condition="third",
            estimations=options,
            **{**objects, "data_cov": objects["noise_cov"]},
        )
        assert third.results[0].parent.name == "@default_study"
        assert third.data_cov_file.parent.name == "@default_study"
        assert all(one.status == "equal" for one in outcomes(tmp_path / "p").values())

    def test_a_kernel_of_all_conditions_is_stored_once(self, data_dir, tmp_path):
        conditions = ported(data_dir / "eeg_shared", results=False)
        options = [InverseOptions(measure=measure) for measure in ("amplitude", "sloreta")]
        for one in conditions:
            # the channels that are bad in no recordings are the same for the two of them
            one.objects["recordings"] = conditions[0].objects["recordings"]
            one.estimations = options
        first, second = export(conditions, tmp_path / "p")
        assert first.results == second.results
        conditions[0].estimations = [InverseOptions(snr_fixed=2.0)]
        conditions[0].condition = "third"
        (third,) = export(conditions[:1], tmp_path / "p")
        assert third.results[0] not in first.results
        assert io.read_results(third.results[0]).comment == "MN: EEG(Constr) 2018_02"

    def test_shared_files_are_recognised_under_another_name(self, data_dir, tmp_path):
        conditions = ported(data_dir / "eeg_shared", results=False)
        (first,) = export(conditions[:1], tmp_path / "p")
        for file in (first.channel_file, first.head_model_file):
            file.rename(file.with_name(file.stem + "_other.mat"))
        conditions[1].estimations = [Estimation(of=InverseOptions(), recordings=0)]
        (second,) = export(conditions[1:], tmp_path / "p")
        assert second.channel_file.name == "channel_other.mat"
        kernel = io.read_results(second.results[0])
        assert kernel.head_model_file.endswith("_other.mat")
        assert [one.status for one in outcomes(tmp_path / "p").values()] == ["equal"]

    def test_the_channels_of_all_subjects_are_not_added_to(self, data_dir, sample, tmp_path):
        (first, *_) = ported(data_dir / "eeg_shared", results=False)
        done = export([first], tmp_path / "p")[0]
        everyone = done.root / "data" / "@default_study"
        shutil.copytree(done.channel_file.parent, everyone, dirs_exist_ok=True)
        known = done.root / "anat" / "Subject01" / "brainstormsubject.mat"
        subject = dataclasses.replace(io.read_subject(known), use_default_channel=2)
        io.write_subject(known, subject, overwrite=True)
        first.condition = "next"
        second = export([first], tmp_path / "p")[0]
        assert second.channel_file.parent == everyone
        assert not any(file.parent == everyone for file in second.written)
        first.condition = "third"
        first.objects["data_cov"] = first.objects["noise_cov"]
        with pytest.raises(ProtocolError, match=r"holds no ndatacov_full\.mat"):
            export([first], tmp_path / "p")

    def test_without_an_index_none_is_made(self, sample, tmp_path):
        """Brainstorm makes one of all that the folder holds."""
        study = export_study(tmp_path / "p", subject="S", condition="c", **sample.objects_only())
        (study.root / "data" / "protocol.mat").unlink()
        export_study(study.root, subject="S", condition="d", **sample.objects_only())
        assert not (study.root / "data" / "protocol.mat").exists()

    def test_another_shared_file_is_refused(self, data_dir, tmp_path):
        conditions = ported(data_dir / "eeg_shared", results=False)
        export(conditions[:1], tmp_path / "p")
        cov = conditions[1].objects["noise_cov"].copy()
        cov["data"] = 2 * cov["data"]
        conditions[1].objects["noise_cov"] = cov
        before = sorted((tmp_path / "p").rglob("*"))
        with pytest.raises(OverwriteError, match="the conditions of 'Subject01' share"):
            export(conditions[1:], tmp_path / "p")
        assert sorted((tmp_path / "p").rglob("*")) == before
        export(conditions[1:], tmp_path / "p", overwrite=True)
        stored = io.read_noise_cov(tmp_path / "p/data/Subject01/@default_study/noisecov_full.mat")
        assert np.diag(stored.noise_cov)[:3] == pytest.approx(np.diag(cov["data"])[:3], rel=1e-15)

    def test_sharing_cannot_begin_later(self, sample, tmp_path):
        export_study(tmp_path / "p", subject="S", condition="c", **sample.objects_only())
        with pytest.raises(ProtocolError, match="UseDefaultChannel is 0"):
            export_study(
                tmp_path / "p",
                subject="S",
                condition="d",
                share_channels=True,
                **sample.objects_only(),
            )

    def test_the_default_anatomy_is_not_given_another_cortex(self, sample, tmp_path):
        study = export_study(tmp_path / "p", subject="S", condition="c", **sample.objects_only())
        root, anat = study.root, study.root / "anat"
        io.write_subject(
            anat / "S" / "brainstormsubject.mat", io.Subject(use_default_anat=1), overwrite=True
        )
        with pytest.raises(ProtocolError, match="default anatomy"):
            export_study(root, subject="S", condition="d", **sample.objects_only())
        shutil.copy(study.cortex_file, anat / "@default_subject" / "tess_cortex_icbm.mat")
        objects = {k: v for k, v in sample.objects_only().items() if k != "mri"}
        again = export_study(root, subject="S", condition="d", **objects)
        assert again.cortex_file == anat / "@default_subject" / "tess_cortex_icbm.mat"
        model = io.read_head_model(again.head_model_file)
        assert model.surface_file == "@default_subject/tess_cortex_icbm.mat"

    def test_another_mri_is_refused(self, sample, tmp_path):
        export_study(tmp_path / "p", subject="S", condition="c", **sample.objects_only())
        objects = sample.objects_only()
        objects["mri"] = dataclasses.replace(objects["mri"], comment="another")
        with pytest.raises(OverwriteError, match="the subject has another MRI"):
            export_study(tmp_path / "p", subject="S", condition="d", **objects)


class TestNothingIsHalfWritten:
    @pytest.fixture
    def failing(self, monkeypatch):
        """Let the writing of recordings fail, which come after other files."""

        def fail(file, recordings):
            raise MatFileError(f"{file}: cannot be written: no space left on device")

        writers = tuple(
            (cls, fail if cls is io.Recordings else write) for cls, write in folders_module._WRITERS
        )
        monkeypatch.setattr(folders_module, "_WRITERS", writers)

    def test_a_new_protocol(self, failing, sample, tmp_path):
        with pytest.raises(MatFileError, match="no space left"):
            export_study(tmp_path / "p", subject="S", condition="c", **sample.objects_only())
        assert list(tmp_path.iterdir()) == []

    def test_a_new_subject_and_a_replaced_condition(self, data_dir, failing, sample, tmp_path):
        root = shutil.copytree(data_dir / "mixed", tmp_path / "p")
        before = contents(root)
        for where in (("S2", "c", False), ("Subject01", "mixed", True)):
            subject, condition, overwrite = where
            objects = {k: v for k, v in sample.objects_only().items() if k != "mri"}
            with pytest.raises(MatFileError, match="no space left"):
                export_study(
                    root, subject=subject, condition=condition, overwrite=overwrite, **objects
                )
            assert contents(root) == before

    def test_what_was_put_in_place_is_taken_back(self, data_dir, sample, tmp_path, monkeypatch):
        root = shutil.copytree(data_dir / "mixed", tmp_path / "p")
        before = contents(root)
        replace = type(root).replace

        def interrupted(path, target):
            if path.suffix == ".tmp" and PurePath(target).name == "protocol.mat":
                raise KeyboardInterrupt
            return replace(path, target)

        monkeypatch.setattr(type(root), "replace", interrupted)
        objects = {k: v for k, v in sample.objects_only().items() if k != "mri"}
        with pytest.raises(KeyboardInterrupt):
            export_study(root, subject="Subject01", condition="mixed", overwrite=True, **objects)
        assert contents(root) == before


class TestData:
    def test_epochs_and_covariances_of_data(self, sample, tmp_path):
        evoked = sample.objects["recordings"][0]
        rng = np.random.default_rng(0)
        data = evoked.data * (1 + 0.1 * rng.standard_normal((5, 1, 1)))
        events = np.c_[np.arange(5), np.zeros(5, int), [1, 2, 1, 1, 2]]
        epochs = mne.EpochsArray(
            data, evoked.info, events, evoked.times[0], {"left": 1, "right": 2}, baseline=None
        )
        study = export_study(
            tmp_path / "p",
            epochs,
            subject="S",
            condition="c",
            noise_cov=epochs,
            data_cov=epochs,
            info=sample.objects["info"],
        )
        assert [file.name for file in study.recordings] == [
            "data_left_trial001.mat",
            "data_right_trial001.mat",
            "data_left_trial002.mat",
            "data_left_trial003.mat",
            "data_right_trial002.mat",
        ]
        assert any(f.field == "order of trials" for f in conversion_report(study))
        alike = export_study(
            tmp_path / "q", epochs["left"], subject="S", condition="c", dry_run=True
        )
        assert not any(f.field == "order of trials" for f in conversion_report(alike))
        cov = io.read_noise_cov(study.noise_cov_file)
        channels = io.read_channels(study.channel_file)
        # noise is what comes before the stimulus, data are all
        expected = noise_cov_from(epochs, channels=channels, tmax=0.0)
        np.testing.assert_array_equal(cov.fourth_moment, expected.fourth_moment)
        np.testing.assert_array_equal(cov.n_samples, expected.n_samples)
        assert cov.n_samples.max() == data.shape[0] * np.sum(epochs.times <= 0)
        of_data = io.read_noise_cov(study.data_cov_file)
        assert of_data.comment == "Data covariance"
        assert of_data.n_samples.max() == data.shape[0] * data.shape[2]
        said = [str(finding) for finding in conversion_report(study)]
        first, last = epochs.times[0], epochs.times[-1]
        for window in (f"[{first:g}, 0 s]", f"[{first:g}, {last:g} s]"):
            assert any(f"NoiseCov: computed from {window} of 5 recordings" in s for s in said)
        assert any("only what is before 0 s is noise: the response that follows" in s for s in said)

    def test_the_times_of_covariances_are_for_the_caller_to_say(self, sample, tmp_path):
        (evoked,) = sample.objects["recordings"]
        given = {"noise_window": (-0.08, 0.1), "noise_baseline": (-0.1, 0.0)}
        given |= {"data_window": (0.05, None), "data_baseline": (None, 0.0)}
        study = export_study(
            tmp_path / "p", evoked, subject="S", condition="c", info=sample.objects["info"],
            noise_cov=evoked, data_cov=evoked, **given,
        )  # fmt: skip
        channels = io.read_channels(study.channel_file)
        for file, times in (
            (study.noise_cov_file, {"tmin": -0.08, "tmax": 0.1, "baseline": (-0.1, 0.0)}),
            (study.data_cov_file, {"tmin": 0.05, "baseline": (None, 0.0)}),
        ):
            expected = noise_cov_from(evoked, channels=channels, **times)
            found = io.read_noise_cov(file)
            np.testing.assert_array_equal(found.noise_cov, expected.noise_cov)
            assert "Baseline=[" in found.history[0][2]
        assert not any("only what is before" in str(f) for f in conversion_report(study))

    @pytest.mark.parametrize("kind", ["noise", "data"])
    def test_times_of_a_covariance_that_is_none_of_data(self, sample, tmp_path, kind):
        (evoked,) = sample.objects["recordings"]
        cov = sample.objects["noise_cov"]
        for value in (None, cov):
            with pytest.raises(
                ConversionError,
                match=rf"{kind}_window \(--.*tmin.* and {kind}_baseline \(--.* without effect: no "
                rf"{kind} covariance is computed from data\. Leave it out, or give the data as",
            ):
                export_study(
                    tmp_path / "p", evoked, subject="S", condition="c",
                    **{f"{kind}_cov": value, f"{kind}_window": (0, 1), f"{kind}_baseline": (0, 1)},
                )  # fmt: skip

    def test_a_raw_is_a_block(self, sample, tmp_path):
        evoked = sample.objects["recordings"][0]
        raw = mne.io.RawArray(evoked.data, evoked.info)
        study = export_study(tmp_path / "p", raw, subject="S", condition="c")
        assert [file.name for file in study.recordings] == ["data_block001.mat"]
        np.testing.assert_array_equal(io.read_recordings(study.recordings[0]).f, evoked.data)

    def test_the_number_of_samples_is_given_for_every_pair(self, sample_files, tmp_path):
        study = export_study(tmp_path / "p", subject="S", condition="c", **sample_files)
        cov = io.read_noise_cov(study.noise_cov_file)
        computed = cov.noise_cov.any(axis=0)
        assert cov.n_samples.shape == cov.noise_cov.shape
        assert set(cov.n_samples[np.ix_(computed, computed)].ravel()) == {540.0}
        assert set(cov.n_samples[~computed].ravel()) == {2.0}

    def test_brainstorms_structures_pass_through(self, sample_dir, tmp_path):
        stored = load_small_sample()
        kernels = list(stored.results.values())
        study = export_study(
            tmp_path / "p",
            stored.recordings,
            subject="S",
            condition="c",
            info=stored.channels,
            forward=stored.head_model,
            src=stored.cortex,
            noise_cov=stored.noise_cov,
            estimations=[Estimation(of=kernel, recordings=0) for kernel in kernels],
        )
        found = outcomes(tmp_path / "p")
        assert [one.status for one in found.values()] == ["equal"] * 4
        assert 0 < max(one.relative_difference for one in found.values()) <= TWIN
        assert same_structure(io.read_channels(study.channel_file), stored.channels)


class TestRefusals:
    def test_names(self, sample, tmp_path):
        for where in (
            {"subject": "@intra", "condition": "c"},
            {"subject": "S", "condition": "a/b"},
        ):
            with pytest.raises(ProtocolError, match="cannot be the name of a"):
                export_study(tmp_path / "p", **where, **sample.objects_only())

    def test_a_folder_that_is_no_protocol(self, sample, tmp_path):
        (tmp_path / "other").mkdir()
        (tmp_path / "other" / "file.txt").write_text("x")
        with pytest.raises(ProtocolError, match="exists and is no Brainstorm protocol"):
            export_study(tmp_path / "other", subject="S", condition="c", **sample.objects_only())

    def test_no_sensors(self, sample, tmp_path):
        with pytest.raises(ConversionError, match="Nothing says where sensors and fiducials are"):
            export_study(
                tmp_path / "p", subject="S", condition="c", forward=sample.objects["forward"]
            )

    @pytest.mark.parametrize("argument", ["forward", "trans", "src"])
    @pytest.mark.parametrize("several", [False, True])
    def test_lists_of_what_there_is_one_of(self, sample, tmp_path, argument, several):
        objects = sample.objects_only()
        given = [objects["forward"], objects["forward"]] if several else []
        with pytest.raises(ConversionError, match=rf"{argument} takes .*, found list\."):
            export_study(tmp_path / "p", subject="S", condition="c", **{**objects, argument: given})

    def test_the_wrong_object(self, sample, tmp_path):
        objects = sample.objects_only() | {"forward": sample.objects["noise_cov"]}
        with pytest.raises(
            ConversionError, match=r"forward takes forward, HeadModel .* found Covariance"
        ):
            export_study(tmp_path / "p", subject="S", condition="c", **objects)

    def test_the_wrong_file(self, sample_files, tmp_path):
        with pytest.raises(ConversionError, match=r"-cov\.fif: forward takes forward, HeadModel"):
            export_study(
                tmp_path / "p",
                sample_files["recordings"],
                subject="S",
                condition="c",
                forward=sample_files["noise_cov"],
            )

    @pytest.mark.parametrize(
        ("estimation", "left_out", "words"),
        [
            (InverseOptions(), (), "of MEG and EEG: say with data_types"),
            (
                InverseOptions(),
                ("noise_cov",),
                "There is no noise covariance to compute a kernel of",
            ),
            (InverseOptions(method="lcmv"), (), "no data covariance to compute an LCMV kernel of"),
            (Estimation(of=InverseOptions(), recordings=1), (), "recordings 1, of which there"),
        ],
    )
    def test_estimations(self, sample, tmp_path, estimation, left_out, words):
        objects = {k: v for k, v in sample.objects_only().items() if k not in left_out}
        with pytest.raises(ConversionError, match=words):
            export_study(
                tmp_path / "p", subject="S", condition="c", estimations=estimation, **objects
            )
        assert not (tmp_path / "p").exists()

    @pytest.mark.parametrize(
        ("fields", "words"),
        [
            ({"of": InverseOptions(), "lambda2": 0.1}, "lambda2 of an Estimation of options"),
            (
                {"of": InverseOptions(), "method": "MNE", "pick_ori": "normal"},
                "method and pick_ori",
            ),
            (
                {"of": io.Results(comment="x"), "method": "MNE"},
                "method of an Estimation of results: without effect. Leave it out",
            ),
        ],
    )
    def test_estimations_with_fields_of_others(self, sample, tmp_path, fields, words):
        with pytest.raises(ConversionError, match=words):
            export_study(
                tmp_path / "p",
                subject="S",
                condition="c",
                estimations=Estimation(**fields),
                **sample.objects_only(),
            )

    def test_an_operator_of_brainstorms_options(self, sample, tmp_path):
        of = next(one.of for one in sample.estimations if "noise_cov" in one.of)
        words = "method of an Estimation without lambda2: without effect, since .* give lambda2"
        with pytest.raises(ConversionError, match=words):
            estimations_of(Estimation(of=of, method="dSPM"))
        with pytest.raises(ConversionError, match="data_types of an Estimation of inverse operato"):
            estimations_of(Estimation(of=of, lambda2=0.1, method="dSPM", data_types="MEG"))

    def test_objects_that_nothing_would_be_taken_from(self, sample, tmp_path):
        objects, target = sample.objects_only(), {"subject": "S", "condition": "c"}
        spaces = objects["forward"]["src"]
        with pytest.raises(ConversionError, match=r"source spaces of its own, .* Leave src out"):
            export_study(tmp_path / "p", **target, **objects, src=spaces)
        with pytest.raises(ConversionError, match="the forward solution has a cortex of its own"):
            export_study(tmp_path / "p", **target, **objects, src=load_small_sample().cortex)
        trans = mne.Transform("head", "mri")
        del objects["forward"]
        with pytest.raises(ConversionError, match=r"none is given\. Leave trans out"):
            export_study(tmp_path / "p", **target, **objects, trans=trans)

    def test_labels_without_a_cortex(self, sample, tmp_path):
        label = mne.Label([0], hemi="lh", name="a-lh")
        with pytest.raises(ConversionError, match="Labels need a cortex"):
            export_study(
                tmp_path / "p",
                sample.objects["recordings"],
                subject="S",
                condition="c",
                labels=[label],
            )

    def test_structures_of_other_channels(self, sample, data_dir, tmp_path):
        cov = io.read_noise_cov(next((data_dir / "meg_eeg").rglob("noisecov*.mat")))
        with pytest.raises(ConversionError, match="noise covariance have 50: not of one study"):
            export_study(
                tmp_path / "p",
                subject="S",
                condition="c",
                **(sample.objects_only() | {"noise_cov": cov}),
            )


def test_the_report_holds_what_the_conversions_found_and_the_log_has_it_once(
    sample_files, tmp_path, caplog
):
    with mne.use_log_level("info"):
        study = export_study(tmp_path / "p", subject="S", condition="c", **sample_files)
    report = conversion_report(study)
    assert any(finding.field == "MEGMethod, EEGMethod" for finding in report)
    assert not any(finding.field == "SurfaceFile" for finding in report)  # it is written
    for finding in report:
        assert sum(str(finding) in message for message in caplog.messages) == 1
    assert "S/c, 1 recordings, 0 results" in repr(study)


def test_trans_and_forward_may_both_be_given(mne_sample, tmp_path):
    """A transform that is that of the forward solution is no reason to refuse a study."""
    forward, trans = mne_sample["forward"], mne_sample["trans"]
    given = {"forward": forward, "subject": "S", "condition": "c"}
    evoked = mne_sample["recordings"].copy().crop(0, 0.01)
    study = export_study(tmp_path / "p", evoked, trans=trans, **given)
    (finding,) = [f for f in conversion_report(study) if f.field == "trans"]
    assert (finding.severity, finding.reason) == ("derived", "it is that of the forward solution.")
    alone = export_study(tmp_path / "q", evoked, **given)
    one, other = (io.read_head_model(s.head_model_file) for s in (study, alone))
    np.testing.assert_array_equal(one.grid_loc, other.grid_loc)
    moved = mne.transforms.invert_transform(trans)
    moved["trans"][:3, 3] += [0, 0.003, 0]
    study = export_study(tmp_path / "r", evoked, trans=moved, **given)
    (finding,) = [f for f in conversion_report(study) if f.field == "trans"]
    assert finding.severity == "assumed"
    assert "places a head 3 mm away" in finding.reason
    np.testing.assert_array_equal(
        io.read_head_model(study.head_model_file).grid_loc, other.grid_loc
    )
