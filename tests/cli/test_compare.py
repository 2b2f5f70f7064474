"""``mne-bstinv compare``."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import shutil
import signal

import numpy as np
import pytest

from mne_bstinv import InverseOptions, io
from mne_bstinv.cli import main
from mne_bstinv.cross_validation import CrossValidation
from mne_bstinv.report.figures import FIGURES


@pytest.fixture
def study(data_dir, tmp_path):
    """A writable copy of a small protocol."""
    return shutil.copytree(data_dir / "eeg_surface", tmp_path / "study")


@pytest.fixture
def one_figure(monkeypatch):
    """Pages have the first of their figures: the others are drawn in the tests of the report."""
    for module in ("figures", "html"):
        monkeypatch.setattr(f"mne_bstinv.report.{module}.FIGURES", FIGURES[:1])


def results_with(root, **wanted):
    """Return the first kernel with these options."""
    for path in sorted(root.rglob("results_*KERNEL*.mat")):
        options = InverseOptions.from_brainstorm(io.read_results(path).options)
        if all(getattr(options, name) == value for name, value in wanted.items()):
            return path
    raise AssertionError(f"no results with {wanted}")


def compare(capsys, *words, code=0):
    assert main(["compare", *map(str, words)]) == code
    return capsys.readouterr()


def compared(capsys, *words):
    return json.loads(compare(capsys, *words, "--json").out)


def test_verdicts_first_then_the_tables_of_each_method(study, capsys):
    said = compare(capsys, study, "--data-types", "EEG")
    lines = said.out.splitlines()
    verdicts = [f"{name} fixed EEG. Told the same: equal" for name in ("MNE", "dSPM", "sLORETA")]
    assert [line.startswith(start) for line, start in zip(lines, verdicts, strict=False)] == [
        True
    ] * 3
    assert lines.count("Settings, side by side") == 3
    assert lines.count("MNE told the same against Brainstorm") == 3
    assert said.err == ""


def test_one_method_has_its_verdict_once(study, capsys):
    out = compare(capsys, study, "--methods", "dSPM", "dSPM").out
    assert out.startswith("dSPM fixed EEG. Told the same: ")
    assert out.count("Told the same: equal") == 1


def test_all_options_and_settings_arrive(study, capsys):
    options = [
        "--methods", "MNE", "--orientation", "loose", "--noise-method", "none", "--snr", "2",
        "--weight-exp", "0.3", "--weight-limit", "4", "--loose", "0.5",
    ]  # fmt: skip
    settings = [
        "--mne-depth", "0.6", "--mne-loose", "0.25", "--mne-lambda2", "0.5",
        "--mne-regularize", "none", "--nave", "recordings",
    ]  # fmt: skip
    (found,) = compared(capsys, study, *options, *settings)
    sides = {row["setting"]: (row["brainstorm"], row["mne"]) for row in found["settings"]}
    assert sides["orientation"] == ("loose, Loose 0.5 (amplitude)", "loose=0.25")
    assert sides["depth"][0] == "WeightExp 0.3, WeightLimit 4"
    assert sides["depth"][1].startswith("exp 0.6, ")
    assert sides["noise covariance"] == ("none", "covariance as it is")
    assert sides["regularisation"][0].startswith("SNR 2, ")
    assert sides["regularisation"][1] == "lambda2 = 0.5"
    assert sides["averages"][1] == "nave of the recordings"


@pytest.mark.usefixtures("one_figure")
def test_of_a_folder_the_default_options_are_taken_and_it_says_so(study, tmp_path, capsys):
    page = tmp_path / "report.html"
    out = compare(capsys, study, "--methods", "MNE", "--snr", "2", "--html", page).out
    said = (
        "Brainstorm's options are its defaults of 2018, changed by --snr, and not those of "
        "results that the study stores: give a results file to take its options."
    )
    assert out.splitlines()[1] == f"note: {said}"
    assert f"<p>{said}</p>".replace("'", "&#x27;") in page.read_text(encoding="utf-8")
    (found,) = compared(capsys, study, "--methods", "MNE")
    assert found["note"].startswith("Brainstorm's options are its defaults of 2018, and not")
    assert found["stored_kernel"] is None


@pytest.mark.usefixtures("one_figure")
def test_the_stored_kernel_is_verified_in_passing(study, tmp_path, capsys):
    path = results_with(study, measure="dspm2018", source_orient=("fixed",))
    out = compare(capsys, path).out
    note = out.splitlines()[1]
    assert note.startswith(
        f"note: Brainstorm's kernel is computed anew with the options of {path.name}; the kernel "
        "that it stores is not the one compared. Its channels are the 30 of GoodChannel. What "
        "verify says of the stored kernel: equal ("
    )
    noise = next(path.parent.glob("noisecov*.mat"))
    changed = io.read_noise_cov(noise)
    doubled = dataclasses.replace(changed, noise_cov=2.0 * changed.noise_cov)
    io.write_noise_cov(noise, doubled, overwrite=True)
    page = tmp_path / "report.html"
    out = compare(capsys, path, "--html", page, code=1).out
    assert "Told the same: equal (" in out.splitlines()[0]
    assert "What verify says of the stored kernel: differs (" in out.splitlines()[1]
    assert "of the stored kernel: differs (" in page.read_text(encoding="utf-8")
    assert main(["compare", str(path), "--json"]) == 1
    (found,) = json.loads(capsys.readouterr().out)
    assert found["stored_kernel"]["status"] == "differs"


def test_a_terminal_sees_that_it_has_begun(study, capsys, monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    assert "comparing amplitude" in compare(capsys, study, "--methods", "MNE").err


def test_the_help_lists_how_the_defaults_differ_from_mnes(capsys):
    with pytest.raises(SystemExit):
        main(["compare", "--help"])
    said = " ".join(capsys.readouterr().out.split())
    assert "with three exceptions: the noise covariance is regularised first" in said
    assert "make_inverse_operator takes (default: 0.1)" in said


def test_no_depth_on_either_side(study, capsys):
    words = ["--methods", "MNE", "--no-depth", "--mne-depth", "none", "--noise-reg", "0.3"]
    (found,) = compared(capsys, study, *words, "--nave", "5")
    sides = {row["setting"]: (row["brainstorm"], row["mne"]) for row in found["settings"]}
    assert sides["depth"] == ("none", "none")
    assert sides["noise covariance"][0] == "reg, NoiseReg 0.3"
    assert sides["averages"][1] == "nave 5"


def test_a_volume_is_free_by_itself(data_dir, capsys):
    (found,) = compared(capsys, data_dir / "eeg_volume", "--methods", "MNE")
    assert found["title"] == "MNE free EEG"
    assert found["passed"]


def test_a_results_file_brings_its_options(study, capsys):
    path = results_with(study, measure="sloreta", noise_method="median", source_orient=("free",))
    (found,) = compared(capsys, path, "--methods", "sLORETA", "--noise-method", "median")
    assert found["title"] == "sLORETA free EEG"
    stored = InverseOptions.from_brainstorm(io.read_results(path).options)
    sides = {row["setting"]: row["brainstorm"] for row in found["settings"]}
    assert sides["noise covariance"] == stored.noise_method == "median"
    assert sides["regularisation"].startswith(f"SNR {stored.snr_fixed:g}, ")


@pytest.mark.parametrize(
    ("argument", "words"),
    [
        (["--snr", "5"], "--snr says 5.0, but {} was computed with 3.0: leave"),
        (
            ["--methods", "MNE", "dSPM"],
            "--methods says MNE dSPM, but {} was computed with MNE: leave",
        ),
        (
            ["--orientation", "free"],
            "--orientation says free, but {} was computed with fixed: leave",
        ),
        (["--data-types", "MEG"], "--data-types says MEG, but {} was computed with EEG: leave"),
        (
            ["--no-depth"],
            "--no-depth says no depth weighting, but {} was computed with depth weighting",
        ),
    ],
)
def test_arguments_may_not_contradict_a_results_file(study, capsys, argument, words):
    path = results_with(
        study, measure="amplitude", source_orient=("fixed",), snr_fixed=3.0, use_depth=True
    )
    err = compare(capsys, path, *argument, code=2).err
    assert err.startswith("mne-bstinv compare: " + words.format(path))
    assert "leave" in err


def test_results_of_nothing_known(study, capsys):
    path = results_with(study, measure="amplitude")
    stored = io.read_results(path)
    io.write_results(path, dataclasses.replace(stored, options=None), overwrite=True)
    err = compare(capsys, path, code=2).err
    assert "not computed by a linear inverse of Brainstorm, but imported (Function 'mn'" in err


def test_results_of_a_scan_are_refused(study, capsys):
    path = results_with(study, method="gls")
    assert "no minimum norm" in compare(capsys, path, code=2).err


@pytest.fixture
def old(data_dir):
    """Kernels of 2009 and 2016 by the tag that the manifest gives them."""
    root = data_dir / "inverse_old_meeg"
    listed = json.loads((root / "manifest.json").read_text(encoding="utf-8"))["results"]
    return {r["tag"]: root / "data" / r["file"] for r in listed if r.get("file")}


def test_a_year_brings_its_options(study, capsys):
    words = ["--year", "2009", "--noise-reg", "0.2", "--orders", "path"]
    found = compared(capsys, study, *words)
    assert [v["year"] for v in found] == [2009] * 3
    assert [v["title"] for v in found] == [
        f"{m} fixed EEG 2009" for m in ("MNE", "dSPM", "sLORETA")
    ]
    rows = [{row["setting"]: row["brainstorm"] for row in v["settings"]} for v in found]
    assert {row["noise covariance"] for row in rows} == {"reg, 0.2 (EEG)"}
    assert rows[0]["depth"] == "weightexp 0.5, weightlimit 10, before the exponent"
    assert rows[2]["depth"] == "none"
    (of_2016,) = compared(capsys, study, "--year", "2016", "--methods", "dSPM", "--orders", "path")
    assert "roots" in {step["key"] for step in of_2016["attribution"]}
    assert of_2016["settings"][0]["brainstorm"] == "dspm"


@pytest.mark.parametrize(
    ("tag", "averages"), [("2009 shared eeg", 1), ("2016 dspm fixed MEG GRAD+MEG MAG", 12)]
)
def test_results_of_other_years_say_theirs(old, capsys, tag, averages):
    (found,) = compared(capsys, old[tag], "--orders", "path")
    year = int(tag[:4])
    assert found["year"] == year
    assert f"as the inverse of {year} does" in found["note"]
    assert found["stored_kernel"]["status"] == "equal"
    (said,) = [row["brainstorm"] for row in found["settings"] if row["setting"] == "averages"]
    assert said == f"noise covariance divided by nAvg {averages}"
    err = compare(capsys, old[tag], "--year", "2018", code=2).err
    assert f"--year says 2018, but {old[tag]} was computed by the linear inverse of {year}" in err


def recordings_of(study, path):
    return study / "data" / io.read_results(path).data_file


def test_of_results_the_channels_of_the_kernel_are_taken(study, capsys):
    """Whatever the recordings mark as bad now; and it says which recordings these are."""
    path = results_with(study, measure="amplitude", source_orient=("fixed",))
    results = io.read_results(path)
    before = compared(capsys, path)[0]
    file = recordings_of(study, path)
    recordings = io.read_recordings(file)
    flag = recordings.channel_flag.copy()
    flag[results.good_channel[0] - 1] = -1
    io.write_recordings(file, dataclasses.replace(recordings, channel_flag=flag), overwrite=True)
    name = io.read_channels(next(path.parent.glob("channel*.mat"))).names[
        results.good_channel[0] - 1
    ]
    said = compare(capsys, path)
    assert said.err == ""
    assert f"Its channels are the {len(results.good_channel)} of GoodChannel." in said.out
    assert f"note: The recordings are {recordings.comment!r} ({file.name})." in said.out
    assert f"note: The recordings mark 1 of the kernel's channels as bad: {name}." in said.out
    found = compared(capsys, path)[0]
    assert found["difference_as_set"] == before["difference_as_set"]
    assert found["stored_kernel"]["status"] == "equal"
    assert any("as bad" in note for note in found["notes"])
    # of the recordings, those channels are left out
    assert str(len(results.good_channel) - 1) in compare(capsys, file, "--methods", "MNE").out


def test_a_bad_channel_without_values_leaves_the_estimates_out(study, capsys):
    path = results_with(study, measure="amplitude", source_orient=("fixed",))
    first = io.read_results(path).good_channel[0] - 1
    file = recordings_of(study, path)
    recordings = io.read_recordings(file)
    values = recordings.f.copy()
    values[first] = np.nan
    io.write_recordings(file, dataclasses.replace(recordings, f=values), overwrite=True)
    (found,) = compared(capsys, path)
    assert found["passed"]
    assert "values that are not finite in" in " ".join(found["notes"])
    assert found["metrics_as_set"]["metrics"]["explained_variance_a"]["value"] is None


def test_the_tolerance_is_that_of_the_argument(study, capsys):
    (found,) = compared(capsys, study, "--methods", "MNE", "--rtol", "1e-30")
    assert found["rtol"] == 1e-30
    assert found["bound_told_the_same"] == found["rounding"]["brainstorm"]["total"] < 1e-9
    assert found["passed"]
    assert "equal within rounding (" in found["verdict"]
    with pytest.raises(SystemExit):
        main(["compare", str(study), "--rtol", "1"])
    assert "must be a number from 0 to 0.5, found '1'" in capsys.readouterr().err


def test_an_snr_is_no_rms_amplitude(study, capsys):
    path = results_with(study, measure="amplitude", snr_method="rms")
    err = compare(capsys, path, "--snr", "3", code=2).err
    assert "--snr says 3.0, but" in err
    assert "was computed with SnrMethod rms: leave --snr out" in err


@pytest.mark.usefixtures("one_figure")
def test_the_page_says_how_to_reproduce_it(study, tmp_path, capsys):
    page = tmp_path / "report.html"
    words = ["--methods", "dSPM", "--html", page, "--recordings", "Avg", "--condition", "evoked"]
    page.write_text("earlier")
    out = compare(capsys, study, *words, "--overwrite").out
    assert out.endswith(f"\nreport: {page}\n")
    call = f"load_study({str(study)!r}, recordings='Avg', condition='evoked')"
    assert f"study = {call}".replace("'", "&#39;") in page.read_text(encoding="utf-8")
    assert (
        "use overwrite=True (--overwrite) to replace it"
        in compare(capsys, study, *words, code=2).err
    )


def test_orders(study, capsys):
    (some,) = compared(capsys, study, "--methods", "MNE", "--orders", "3")
    assert "(averaged over 3 orders)" in some["verdict"]
    (none,) = compared(capsys, study, "--methods", "MNE", "--orders", "path")
    assert {step["shapley"] for step in none["attribution"]} == {None}
    with pytest.raises(SystemExit):
        main(["compare", str(study), "--orders", "none"])
    assert "must be all, path or a number above 0, found 'none'" in capsys.readouterr().err


def test_what_is_known_is_printed_when_it_is_interrupted(study, capsys, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("mne_bstinv.cross_validation.attribution.measure_distances", interrupted)
    out, err = compare(capsys, study, "--methods", "MNE", "dSPM", code=130)
    missing = "compared: MNE (its attribution in part); not compared: dSPM"
    assert err == f"interrupted: {missing}\n"
    assert out.startswith("MNE fixed EEG. Told the same: equal (")
    assert "As set here: " in out
    assert "Stopped before all was computed: this is what was known by then." in out
    assert "dSPM" not in out.splitlines()[0]
    assert "MNE told the same against Brainstorm" in out


def test_methods_that_were_compared_before_an_interruption_are_printed(
    study, tmp_path, capsys, monkeypatch
):
    from mne_bstinv import cross_validation

    original = cross_validation.cross_validate_each

    def interrupted(study, options, **asked):
        yield next(original(study, options, **asked))
        raise KeyboardInterrupt

    monkeypatch.setattr(cross_validation, "cross_validate_each", interrupted)
    monkeypatch.setattr("mne_bstinv.report.html.write_report", None)  # nobody waits for pictures
    page = tmp_path / "x.html"
    found = compare(capsys, study, "--orders", "path", "--html", page, code=130)
    assert found.out.startswith("MNE fixed EEG. Told the same: ")
    missing = f"compared: MNE; not compared: dSPM, sLORETA; {page} was not written"
    assert found.err == f"interrupted: {missing}\n"


def test_numbers_are_printed_before_the_page_which_an_interruption_ends(
    study, tmp_path, capsys, monkeypatch
):
    drawn = []

    def interrupted(validation):
        drawn.append(validation.settings.method)
        with contextlib.suppress(KeyboardInterrupt):  # as what Matplotlib calls back does
            signal.raise_signal(signal.SIGINT)
        return "Not drawn."

    figure = dataclasses.replace(FIGURES[0], function=interrupted)
    monkeypatch.setattr("mne_bstinv.report.figures.FIGURES", (figure,))
    page = tmp_path / "x.html"
    words = ["--methods", "MNE", "dSPM", "--orders", "path", "--html", page]
    found = compare(capsys, study, *words, code=130)
    assert found.out.count("MNE told the same against Brainstorm") == 2
    assert "report:" not in found.out
    assert found.err == f"interrupted: compared: MNE, dSPM; {page} was not written\n"
    assert drawn == ["MNE"]
    assert list(tmp_path.glob("*x.html*")) + list(tmp_path.glob("*.tmp")) == []


def test_the_page_is_refused_before_anything_is_computed(study, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("mne_bstinv.cross_validation.cross_validate_each", None)
    err = compare(capsys, study, "--html", tmp_path / "nowhere" / "x.html", code=2).err
    assert "nowhere: no such folder. Make it first" in err
    (tmp_path / "nowhere").write_text("x")
    err = compare(capsys, study, "--html", tmp_path / "nowhere" / "x.html", code=2).err
    assert "nowhere: a file, expected a folder" in err


def test_exit_code_when_something_is_unexplained(study, capsys, monkeypatch):
    monkeypatch.setattr(CrossValidation, "passed", property(lambda self: False))
    compare(capsys, study, "--methods", "MNE", code=1)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--methods", "eLORETA"], "invalid choice: 'eLORETA'"),
        (["--mne-depth", "deep"], "must be a number or none, found 'deep'"),
        (["--nave", "many"], "must be a number or recordings, found 'many'"),
    ],
)
def test_unusable_arguments(study, capsys, words, message):
    with pytest.raises(SystemExit) as stopped:
        main(["compare", str(study), *words])
    assert stopped.value.code == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--snr", "-1"], "SnrFixed must be a number above 0"),
        (["--mne-loose", "2"], "loose must be a number between 0 and 1"),
        (["--condition", "nowhere"], "no condition 'nowhere'; choose one of: 'evoked', "),
        (["--year", "2009", "--noise-method", "diag"], "--noise-method has no meaning in the inve"),
    ],
)
def test_unusable_values(study, capsys, words, message):
    said = compare(capsys, study, *words, code=2)
    assert said.err.startswith("mne-bstinv compare: ")
    assert message in said.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--loose", "0.3"], "--loose has no effect: the orientation is fixed. Leave it out, or"),
        (
            ["--noise-method", "diag", "--noise-reg", "0.2"],
            "--noise-reg has no effect: the noise method is diag",
        ),
        (
            ["--no-depth", "--weight-exp", "0.4"],
            "--weight-exp has no effect: depth weighting is off. Leave it out, or leave depth",
        ),
        (["--no-depth", "--methods", "sLORETA"], "--no-depth has no effect: sloreta is not depth"),
        (
            ["--weight-exp", "0", "--weight-limit", "4"],
            "--weight-limit has no effect: WeightExp 0 makes all weights 1",
        ),
        (["--overwrite"], "--overwrite without --html has no effect: leave it out, or give --html"),
    ],
)
def test_arguments_without_effect_are_refused(study, capsys, words, message):
    assert message in compare(capsys, study, *words, code=2).err


def test_an_argument_with_an_effect_on_one_of_the_methods_is_taken(study, capsys):
    words = ["--methods", "MNE", "sLORETA", "--no-depth"]
    first, second = compared(capsys, study, *words)
    sides = [{row["setting"]: row["brainstorm"] for row in v["settings"]} for v in (first, second)]
    assert sides[0]["depth"] == "none"


def test_an_argument_may_not_state_what_a_results_file_does_not_use(study, capsys):
    path = results_with(study, measure="amplitude", noise_method="median")
    reg = InverseOptions.from_brainstorm(io.read_results(path).options).noise_reg
    err = compare(capsys, path, "--noise-reg", reg, code=2).err
    assert "--noise-reg has no effect: the noise method is median" in err
