"""What a port writes is read by MNE alone, and gives Brainstorm's estimates."""

from __future__ import annotations

import dataclasses
import json
import shutil
import warnings
from functools import cached_property, lru_cache
from pathlib import Path

import mne
import numpy as np
import pytest
from mne.minimum_norm import apply_inverse, read_inverse_operator
from port_checks import check_output, files_of, read_with_mne
from port_studies import in_scs_order, source_rows

from mne_bstinv import io
from mne_bstinv.inverse import origin_of_results
from mne_bstinv.port import port_protocol
from mne_bstinv.port import recordings as recordings_of_port
from mne_bstinv.workflow import read_protocol

PROTOCOLS = ("eeg_shared", "eeg_surface", "eeg_volume", "meg_eeg", "mixed")
LOCAL = ("eeg_surface", "eeg_volume", "meg_ctf", "meg_neuromag", "mixed")
#: FIF files hold recordings and decompositions in single precision: eps of float32 is 1.2e-7, and
#: samples, whitener, singular values and vectors each bring one rounding.
FIF = 1e-6


@pytest.mark.parametrize("name", PROTOCOLS)
def test_estimates_of_ported_files_are_brainstorms(data_dir, tmp_path, name):
    check_port(data_dir / name, tmp_path / "out")


@pytest.mark.parametrize("name", ["inverse_old_sphere", "inverse_old_mixed"])
def test_estimates_of_the_older_inverses_are_brainstorms(data_dir, tmp_path, name):
    check_port(data_dir / name, tmp_path / "out")


@pytest.mark.parametrize("full", [False, True], ids=["kernel", "full"])
def test_results_of_maximum_entropy_are_ported_as_estimates(data_dir, tmp_path, full):
    """Read-only: no options of an inverse, so no operator, and a label that says what they are."""
    root = shutil.copytree(data_dir / "inverse_old_sphere", tmp_path / "protocol")
    files = sorted(root.rglob("results_*.mat"))
    for file in files[1:]:
        file.unlink()
    made = dataclasses.replace(
        io.read_results(files[0]),
        function="mem",
        options={"InverseMethod": "mem", "MEMpaneloptions": {"mandatory": {"pipeline": "cMEM"}}},
        comment="cMEM: MEG(Constr)",
    )
    if full:
        recordings = io.read_recordings(next(root.rglob("data_*.mat")))
        values = made.imaging_kernel @ recordings.f[made.good_channel - 1]
        made = dataclasses.replace(
            made, imaging_kernel=None, image_grid_amp=values, time=recordings.time
        )
    fname = files[0].with_name("results_MEM_1.mat" if full else "results_MEM_KERNEL_1.mat")
    files[0].unlink()
    io.write_results(fname, made)
    out = tmp_path / "out"
    assert port_protocol(root, out, verify=True).success
    whole = json.loads((out / "port.json").read_text("utf-8"))
    (unit,) = (u for u in whole["units"] if u["kind"] == "condition" and u["verification"])
    (outcome,) = unit["verification"]
    assert outcome["status"] == "not comparable"
    assert "it is mem" in outcome["reason"]
    (skipped,) = (s for s in unit["skipped"] if s["what"] == "inverse operator")
    assert skipped["reason"].startswith("It is mem, not of Brainstorm's linear inverse")
    estimates = {name: o for name, o in unit["outputs"].items() if "results" in o}
    assert {output["origin"] for output in estimates.values()} == {"mem"}
    findings = [f for name in estimates for f in unit["reports"].get(name, ())]
    assert any("The values are of mem" in finding["reason"] for finding in findings)
    (name,) = (name for name in estimates if name.endswith("-lh.stc"))
    stc = mne.read_source_estimate(out / unit["folder"] / name)
    expected = Expected(root, estimates[name])
    outputs = {f"{unit['folder']}/{n}": o for n, o in unit["outputs"].items()}
    src = mne.read_source_spaces(source_space_of(out, outputs, expected, whole))
    assert_same_magnitudes(expected, stc.data, src, name)


def test_estimates_of_the_ported_sample_are_brainstorms(sample_dir, tmp_path):
    counts = check_port(sample_dir, tmp_path / "out")
    assert counts == {
        "-info.fif": 2, "-trans.fif": 2, "-ave.fif": 1, "-cov.fif": 1, "-fwd.fif": 1,
        "-src.fif": 1, "-inv.fif": 4, "-lh.stc": 3, "-stc.h5": 1,
    }  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", LOCAL)
def test_estimates_of_ported_third_party_files_are_brainstorms(shared_dir, tmp_path, name):
    check_port(shared_dir / "oracle" / "local" / name, tmp_path / "out")


def check_port(root: Path, out: Path):
    """Port a protocol and compare all estimates with the stored kernels times the recordings."""
    report = port_protocol(root, out, verify=True)
    assert report.success, str(report)
    check_output(out)
    counts = read_with_mne(out)
    whole = json.loads((out / "port.json").read_text("utf-8"))
    outcomes = [o for unit in whole["units"] for o in unit["verification"] or ()]
    assert len(outcomes) == len(list((root / "data").rglob("results_*.mat")))
    assert {o["status"] for o in outcomes} <= {
        "equal", "equal up to sign", "equal invariants", "not comparable",
    }  # fmt: skip
    assert sum(o["status"] == "not comparable" for o in outcomes) <= 1
    outputs = {
        f"{unit['folder']}/{name}": output
        for unit in whole["units"]
        for name, output in unit["outputs"].items()
    }
    estimates = {name: o for name, o in outputs.items() if "results" in o}
    operators = {source: name for name, o in outputs.items() if name.endswith("-inv.fif")
                 for source in o["of"] if "/results_" in source}  # fmt: skip
    skipped = {skip["file"] for unit in whole["units"] for skip in unit.get("skipped", ())}
    n_equal = 0
    for name, output in estimates.items():
        if name.endswith("-rh.stc"):
            continue
        expected = Expected(root, output)
        stc = mne.read_source_estimate(out / name)
        src = mne.read_source_spaces(source_space_of(out, outputs, expected, whole))
        assert_same_magnitudes(expected, stc.data, src, name)
        if output["results"] in operators:
            operator = operators[output["results"]]
            parameters = outputs[operator]["parameters"]
            stc = apply(out, outputs, out / operator, parameters, expected)
            ours = parameters["factor"] * in_scs_order(stc.data, src, expected)
            if parameters["parity"] == "not comparable":
                assert parameters["reason"]
            else:
                assert_same(expected.estimate, ours, operator)
                n_equal += 1
        else:  # gls and lcmv have estimates alone
            assert output["results"] in skipped
            assert not minimum_norm(expected.results)
    assert n_equal >= 2
    return counts


def minimum_norm(results) -> bool:
    return origin_of_results(results).options(results.options).is_minimum_norm


protocol_of = lru_cache(maxsize=1)(read_protocol)


@dataclasses.dataclass
class Expected:
    """Brainstorm's kernel times its recordings, in double precision."""

    root: Path
    output: dict

    def __post_init__(self) -> None:
        protocol = protocol_of(self.root)
        self.results = io.read_results(self.root / self.output["results"])
        self.recordings_file = self.output["recordings"]
        if self.recordings_file is None:  # estimates that are stored as such
            self.recordings_file = f"data/{self.results.data_file}"
        subject, condition = Path(self.recordings_file).parts[1:3]
        self.condition = protocol.condition(subject, condition)
        self.channels = self.condition.channels
        self.head_model = self.condition.with_head_model_of(self.results).head_model

    @cached_property
    def estimate(self):
        if self.results.imaging_kernel is None:
            return self.results.amplitudes
        recordings = io.read_recordings(self.root / self.recordings_file)
        return self.results.imaging_kernel @ recordings.f[self.results.good_channel - 1]


def assert_same(theirs, ours, what):
    assert ours.shape == theirs.shape, what
    np.testing.assert_array_equal(np.isnan(ours), np.isnan(theirs))
    difference = np.linalg.norm(np.nan_to_num(ours - theirs))
    assert difference <= FIF * np.linalg.norm(np.nan_to_num(theirs)), what


def assert_same_magnitudes(expected: Expected, values, src, what):
    """Scalars, or the lengths of vectors: rows of some methods are no components along x, y, z."""
    located = values[source_rows(src, expected)]
    if located.ndim == 2:
        assert_same(expected.estimate, located, what)
        return
    rows, n_rows = expected.estimate, 3
    if expected.results.n_components == 0:  # mixed: one row or three, region after region
        lengths, located, start = [], [*np.linalg.norm(located, axis=1)], 0
        order = []
        for scout in expected.head_model.grid_atlas.scouts:
            n_rows = 1 if scout.region[2] == "C" else 3
            for location in scout.grid_rows - 1:
                lengths.append(np.linalg.norm(rows[start : start + n_rows], axis=0))
                order.append(located[location])
                start += n_rows
        assert_same(np.array(lengths), np.array(order), what)
        return
    theirs = np.linalg.norm(rows.reshape(-1, 3, rows.shape[1]), axis=1)
    assert_same(theirs, np.linalg.norm(located, axis=1), what)


def source_space_of(out, outputs, expected, whole):
    """The ported source space of the head model that results name."""
    model = f"data/{expected.results.head_model_file}"
    (name,) = (n for n, o in outputs.items() if n.endswith("-src.fif") and model in o["of"])
    return out / name


def apply(out, outputs, operator_file, parameters, expected):
    """Apply a ported operator to ported recordings, as the documentation says."""
    wanted = expected.recordings_file
    ((name, output),) = ((n, o) for n, o in outputs.items() if wanted in o.get("contents", ()))
    evoked = mne.read_evokeds(out / name, output["contents"].index(wanted), proj=False)
    operator = read_inverse_operator(operator_file)
    evoked.nave = parameters["nave"]
    with warnings.catch_warnings():
        # the channel file's reference may be of other channels; locations without a gain
        warnings.simplefilter("ignore", RuntimeWarning)
        if "eeg" in evoked:
            evoked.set_eeg_reference(projection=True)
        return apply_inverse(
            evoked,
            operator,
            parameters["lambda2"],
            parameters["method"],
            pick_ori=parameters["pick_ori"],
        )


def test_names_and_places(ported_once):
    files = files_of(ported_once)
    shared = "Subject01/default_study/Subject01_default_study"
    for name in (
        f"{shared}-info.fif", f"{shared}-trans.fif", f"{shared}-cov.fif", f"{shared}-fwd.fif",
        f"{shared}-src.fif", f"{shared}_sensors.svg",
        "Subject01/condA/Subject01_condA-ave.fif", "Subject01/condA/Subject01_condA_2-ave.fif",
        "Subject01/condB/Subject01_condB_bad-ave.fif",
        "Subject01/condA/Subject01_condA_MN_EEG_KERNEL_261122_1233_fixed_average_240101_1200-lh.stc",
        "subjects/Subject01/surf/lh.white", "subjects/Subject01/mri/T1.mgz",
        "subjects/Subject01/label/lh.Structures.annot", "port.html", "port.json",
    ):  # fmt: skip
        assert name in files
    # what the conditions share is there once
    assert sum(name.endswith("-fwd.fif") for name in files) == 1
    assert f"{shared}_MN_EEG_KERNEL_261122_1233_fixed-inv.fif" in files
    assert "Subject01/condA/Subject01_condA_sLORETA_EEG_KERNEL_261122_1233_fixed-inv.fif" in files


def test_the_subjects_folder_is_that_of_the_estimates(ported_once):
    (file, *_) = sorted((ported_once / "Subject01" / "condA").glob("*-lh.stc"))
    src = mne.read_source_spaces(next(ported_once.rglob("*-src.fif")))
    stc = mne.read_source_estimate(file)
    subject = src[0]["subject_his_id"]
    surface = mne.read_surface(ported_once / "subjects" / subject / "surf" / "lh.white")
    assert len(surface[0]) == src[0]["np"]
    np.testing.assert_array_equal(stc.lh_vertno, src[0]["vertno"])
    labels = mne.read_labels_from_annot(
        subject, "Structures", subjects_dir=ported_once / "subjects", verbose="error"
    )
    assert {label.name for label in labels} >= {"Cortex-lh", "Cortex-rh"}


def test_averages_of_other_bad_channels_are_in_other_files(ported_once):
    bads = [
        mne.read_evokeds(ported_once / "Subject01/condA" / f"Subject01_condA{n}-ave.fif", 0,
                         proj=False, verbose="error").info["bads"]
        for n in ("", "_2")
    ]  # fmt: skip
    assert bads[0] != bads[1]


def test_the_manifest_says_what_was_lost_and_of_what(ported_once, data_dir):
    manifest = json.loads((ported_once / "Subject01/condA/port.json").read_text("utf-8"))
    assert manifest["shared"] == "Subject01/default_study"
    assert manifest["seconds"] > 0
    assert manifest["versions"]["mne"] == mne.__version__
    name = "Subject01_condA-ave.fif"
    assert manifest["outputs"][name]["of"] == [
        "data/Subject01/@default_study/channel.mat",
        "data/Subject01/condA/data_average_240101_1200.mat",
    ]
    fields = {finding["field"] for finding in manifest["reports"][name]}
    assert "History" in fields
    assert {f["severity"] for f in manifest["reports"][name]} <= {"dropped", "assumed", "derived"}
    assert (manifest["skipped"], manifest["errors"]) == ([], [])
    root = data_dir / "eeg_shared"
    for file in manifest["inputs"]:
        assert (root / file).is_file()
    assert manifest["facts"]["bad_trials"] == []
    other = json.loads((ported_once / "Subject01/condB/port.json").read_text("utf-8"))
    assert other["facts"]["bad_trials"] == ["data_average_240103_1200.mat"]


def test_an_operator_says_which_recordings_it_is_for(ported_once, data_dir, tmp_path):
    folder = "data/Subject01/condA"
    manifest = json.loads((ported_once / "Subject01/condA/port.json").read_text("utf-8"))
    found = {n: o["recordings"] for n, o in manifest["outputs"].items() if n.endswith("-inv.fif")}
    stem = "Subject01_condA_MN_EEG_KERNEL_261122"
    assert found[f"{stem}_1233_fixed-inv.fif"] == [f"{folder}/data_average_240101_1200.mat"]
    assert found[f"{stem}_1234_fixed-inv.fif"] == [f"{folder}/data_average_240102_1200.mat"]
    # which are in files of their own, since their bad channels differ
    contents = {n: o["contents"] for n, o in manifest["outputs"].items() if "contents" in o}
    assert found[f"{stem}_1233_fixed-inv.fif"] == contents["Subject01_condA-ave.fif"]
    assert found[f"{stem}_1234_fixed-inv.fif"] == contents["Subject01_condA_2-ave.fif"]
    shared = json.loads((ported_once / "Subject01/default_study/port.json").read_text("utf-8"))
    operators = [o for n, o in shared["outputs"].items() if n.endswith("-inv.fif")]
    assert [o["recordings"] for o in operators] == [None, None]


def test_a_kernel_that_a_condition_shares_is_for_all_its_recordings(protocol, tmp_path):
    condition = protocol / "data/Subject01/condA"
    file = condition / "results_MN_EEG_KERNEL_261122_1233.mat"
    stored = io.read_results(file)
    io.write_results(file, dataclasses.replace(stored, data_file=""), overwrite=True)
    for source in (protocol / "data/Subject01/@default_study").glob("*.mat"):
        if source.name != "brainstormstudy.mat" and not source.name.startswith("results"):
            (condition / source.name).write_bytes(source.read_bytes())
    port_protocol(protocol, tmp_path / "out", conditions="condA")
    manifest = json.loads((tmp_path / "out/Subject01/condA/port.json").read_text("utf-8"))
    name = "Subject01_condA_MN_EEG_KERNEL_261122_1233_fixed-inv.fif"
    assert manifest["outputs"][name]["recordings"] == [
        "data/Subject01/condA/data_average_240101_1200.mat",
        "data/Subject01/condA/data_average_240102_1200.mat",
    ]


def test_source_spaces_have_their_findings_in_the_manifest(ported_once):
    manifest = json.loads((ported_once / "Subject01/default_study/port.json").read_text("utf-8"))
    (finding,) = manifest["reports"]["Subject01_default_study-src.fif"]
    assert "triangles were wound clockwise" in finding["reason"]


def test_trials_become_epochs_of_bounded_size(data_dir, tmp_path, monkeypatch):

    out = tmp_path / "out"
    options = {"conditions": "noise", "estimates": "none"}
    port_protocol(data_dir / "eeg_surface", out, **options)
    (file,) = out.rglob("*-epo.fif")
    epochs = mne.read_epochs(file, proj=False)
    folder = data_dir / "eeg_surface/data/Subject01/noise"
    stored = [io.read_recordings(folder / f"data_trial00{i}.mat").f for i in (1, 2)]
    np.testing.assert_array_equal(epochs.get_data(), stored)  # double precision
    monkeypatch.setattr(recordings_of_port, "MAX_EPOCHS_BYTES", 1)
    port_protocol(data_dir / "eeg_surface", tmp_path / "small", **options)
    names = [path.name for path in sorted((tmp_path / "small").rglob("*-epo.fif"))]
    assert names == ["Subject01_noise-epo.fif", "Subject01_noise_2-epo.fif"]


def test_links_to_continuous_files_are_skipped_and_told(protocol, tmp_path):
    file = protocol / "data/Subject01/condA/data_average_240101_1200.mat"
    recordings = io.read_recordings(file)
    variables = {"F": {"filename": "x.fif"}, "Time": recordings.time[None, [0, -1]],
                 "ChannelFlag": recordings.channel_flag[:, None].astype(float),
                 "Comment": "Link to raw file"}  # fmt: skip
    io.mat.write(file, variables, overwrite=True)
    report = port_protocol(protocol, tmp_path / "out", conditions="condA")
    condition = report.units[-1]
    assert report.failed == ()
    assert any("F.format is '', for which MNE has no reader" in s["reason"]
               for s in condition["skipped"])  # fmt: skip
    assert "Subject01_condA-ave.fif" in condition["outputs"]  # of the other recordings


def test_odd_names_cost_nothing_and_are_kept(protocol, tmp_path):
    """Names that MNE cannot hold become others in every file; Brainstorm's are in the manifest."""
    file = next((protocol / "data").rglob("channel.mat"))
    channels = io.read_channels(file)
    listed = list(channels.channels)
    for index, name in ((0, "a:b"), (1, "µV"), (2, "E"), (3, "E")):
        listed[index] = dataclasses.replace(listed[index], name=name, group="A'")
    shafts = io.raw.FrozenMap({"Name": "A'", "Loc": np.array([0.1, np.nan, 0.0])})
    io.write_channels(
        file,
        dataclasses.replace(channels, channels=tuple(listed), intra_electrodes=shafts),
        overwrite=True,
    )
    report = port_protocol(protocol, tmp_path / "out")
    assert report.success
    shared = json.loads((tmp_path / "out/Subject01/default_study/port.json").read_text("utf-8"))
    facts = shared["outputs"]["Subject01_default_study-info.fif"]
    names = {"a_b": "a:b", "uV": "µV", "E-0": "E", "E-1": "E"}
    assert facts["brainstorm_names"] == names
    assert facts["groups"] == dict.fromkeys(names, "A'")
    assert facts["intra_electrodes"] == {"Name": "A'", "Loc": [0.1, None, 0.0]}
    expected = [*names, *channels.names[4:]]
    folder = tmp_path / "out/Subject01"
    assert (
        mne.io.read_info(folder / "default_study/Subject01_default_study-info.fif")["ch_names"]
        == expected
    )
    forward = mne.read_forward_solution(folder / "default_study/Subject01_default_study-fwd.fif")
    assert forward["sol"]["row_names"][:4] == expected[:4]
    for evoked in folder.rglob("*-ave.fif"):
        assert mne.read_evokeds(evoked, proj=False)[0].ch_names == expected
    operators = [read_inverse_operator(file) for file in folder.rglob("*-inv.fif")]
    assert len(operators) > 5
    for operator in operators:
        assert set(operator["noise_cov"].ch_names) <= set(expected)


def test_a_surface_in_another_unit_is_named_and_costs_itself_alone(sample_dir, tmp_path):
    root = shutil.copytree(sample_dir, tmp_path / "protocol")
    (scalp,) = (root / "anat" / "Subject01").glob("tess_head*.mat")
    surface = io.read_surface(scalp)
    millimetres = dataclasses.replace(surface, vertices=1e3 * surface.vertices)
    io.write_surface(scalp, millimetres, overwrite=True)
    report = port_protocol(root, tmp_path / "out", conditions=["noise"], estimates="none")
    (error,) = report.failed[0]["errors"]
    assert error["file"] == f"anat/Subject01/{scalp.name}"
    assert "look like mm" in error["reason"]
    written = {Path(name).name for name in report.failed[0]["outputs"]}
    assert {"lh.white", "rh.white"} <= written
    assert not any("head" in name for name in written)
