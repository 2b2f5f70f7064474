"""``mne-bstinv export`` and ``mne-bstinv convert``."""

from __future__ import annotations

import json
import logging

import mne
import pytest
from small_sample import write_small_sample

from mne_bstinv import io
from mne_bstinv.cli import main


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """The sample study in files of MNE."""
    folder = tmp_path_factory.mktemp("fif")
    forward = write_small_sample(folder)
    with mne.use_log_level("error"):
        mne.write_source_spaces(folder / "s-src.fif", forward["src"])
        mne.write_trans(folder / "x-trans.fif", mne.Transform("head", "mri"))
    return folder


def arguments(files, root, *more):
    return [
        "export", str(root), "--subject", "S", "--condition", "c",
        "--recordings", str(files / "s-ave.fif"),
        "--forward", str(files / "s-fwd.fif"), "--noise-cov", str(files / "s-cov.fif"), *more,
    ]  # fmt: skip


def test_export_and_verify(files, tmp_path, capsys):
    root = tmp_path / "p"
    more = ["--compute", "amplitude", "sloreta", "--data-types", "EEG", "--orient", "free",
            "--option", "NoiseMethod", "diag", "--option", "WeightExp", "0.8"]  # fmt: skip
    assert main(arguments(files, root, *more)) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"{root}: S/c"
    assert "  data/S/c/noisecov_full.mat" in lines
    assert any(line.startswith("  assumed: MEGMethod, EEGMethod") for line in lines)
    assert main(["verify", str(root), "--strict"]) == 0
    text = capsys.readouterr().out
    assert "2 results file(s): 2 equal" in text
    assert (
        "[minimum norm, amplitude, free orientation, EEG, noise diagonal, SNR 3, depth 0.8 up to "
        "10, inverse of 2018]" in text
    )
    assert main(["info", str(root)]) == 0
    assert "Problem" not in capsys.readouterr().out


def test_export_says_which_order_the_locations_have(files, tmp_path, capsys):
    assert main(arguments(files, tmp_path / "p")) == 0
    assert (
        "  derived: GridLoc: locations, vertices and rows of results are in the order of the "
        "source spaces, the left hemisphere first" in capsys.readouterr().out
    )


@pytest.mark.parametrize(
    ("more", "window"),
    [
        ([], "-0.1, 0 s"),
        (["--tmax", "0.1"], "-0.1, 0.1 s"),
        (["--tmin", "-0.06", "--tmax", "-0.02", "--baseline", "-0.1", "0"], "-0.06, -0.02 s"),
    ],
)
def test_the_times_of_noise_in_an_average(files, tmp_path, capsys, more, window):
    data = str(files / "s-ave.fif")
    given = ["export", str(tmp_path / "p"), "--subject", "S", "--condition", "c",
             "--recordings", data, "--noise-cov", data]  # fmt: skip
    assert main([*given, *more]) == 0
    out = capsys.readouterr().out
    assert f"  derived: NoiseCov: computed from [{window}] of 1 recordings, less the means" in out
    assert ("over [-0.1, 0 s]" in out) == ("--baseline" in more)
    assert ("only what is before 0 s is noise" in out) == (not more)
    cov = io.read_noise_cov(tmp_path / "p" / "data" / "S" / "c" / "noisecov_full.mat")
    assert f"[{window}]" in cov.history[0][2]
    assert main([*given, *more, "--overwrite", "--noise-cov", str(files / "s-cov.fif")]) == (
        2 if more else 0
    )
    said = "--tmin, --tmax) without effect" if "--baseline" not in more else "--baseline) without"
    assert (said in capsys.readouterr().err) == bool(more)


def test_the_times_of_a_data_covariance(files, tmp_path, capsys):
    data = str(files / "s-ave.fif")
    more = ["--data-cov", data, "--data-tmin", "0.06", "--data-tmax", "0.2",
            "--data-baseline", "-0.1", "0"]  # fmt: skip
    assert main(arguments(files, tmp_path / "p", *more)) == 0
    assert "computed from [0.06, 0.2 s] of 1 recordings, less the means over [-0.1, 0 s]" in (
        capsys.readouterr().out
    )


def test_export_says_what_it_did_as_json(files, tmp_path, capsys):
    assert main(arguments(files, tmp_path / "p", "--json")) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["protocol"] == str(tmp_path / "p")
    assert all((tmp_path / "p" / name).is_file() for name in said["written"])
    assert {"severity", "field", "reason"} == set(said["findings"][0])


def test_export_of_an_operator(files, tmp_path, capsys):
    with mne.use_log_level("error"):
        (evoked,) = mne.read_evokeds(files / "s-ave.fif", proj=False)
        evoked.set_eeg_reference(projection=True)
        operator = mne.minimum_norm.make_inverse_operator(
            evoked.info,
            mne.read_forward_solution(files / "s-fwd.fif"),
            mne.read_cov(files / "s-cov.fif"),
            rank="info",
        )
        mne.minimum_norm.write_inverse_operator(tmp_path / "s-inv.fif", operator)
    more = ["--inverse", str(tmp_path / "s-inv.fif"), "--lambda2", "0.11", "--method", "dSPM"]
    assert main(arguments(files, tmp_path / "p", *more)) == 0
    (kernel,) = (tmp_path / "p").rglob("results_MNE-Python-dSPM_*_KERNEL_*.mat")
    stored = io.read_results(kernel)
    assert stored.options["Lambda2"] == 0.11
    assert stored.n_components == 3
    out = capsys.readouterr().out
    assert kernel.name in out
    assert "  derived: lambda2: 0.11 with method dSPM gave the kernel." in out


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--compute", "amplitude", "--option", "Snr", "1"], "Unknown option 'Snr'"),
        (
            ["--compute", "amplitude", "--option", "InverseMeasure", "sloreta"],
            "--option InverseMeasure sloreta: --compute says this already. Leave the option out",
        ),
        (
            ["--compute", "amplitude", "--snr", "2", "--option", "SnrFixed", "4"],
            "--option SnrFixed 4: --snr says 2.0 already. Give it once",
        ),
        (
            ["--compute", "gls", "--snr", "2"],
            "--snr has no effect: gls has no prior that an SNR could scale",
        ),
        (
            ["--compute", "amplitude", "--option", "SnrMethod", "rms", "--snr", "2"],
            "--snr has no effect: SnrMethod is rms. Leave it out, or choose SnrMethod fixed",
        ),
        (
            ["--compute", "amplitude", "--option", "SnrRms", "1e-9"],
            "--option SnrRms has no effect: SnrMethod is fixed",
        ),
        (
            ["--compute", "amplitude", "--option", "Loose", "0.3"],
            "--option Loose has no effect: the orientation is fixed",
        ),
        (["--lambda2", "0.1"], "--lambda2 without --inverse has no effect: leave it out, or give"),
        (
            ["--method", "dSPM", "--pick-ori", "normal"],
            "--method and --pick-ori without --inverse has no effect",
        ),
        (["--snr", "2"], "--snr without --compute has no effect"),
        (["--orient", "free"], "--orient without --compute has no effect"),
        (["--data-types", "EEG"], "--data-types without --compute has no effect"),
        (["--option", "NoiseReg", "0"], "--option without --compute has no effect"),
        (["--src", "{files}/s-src.fif"], "has source spaces of its own, which are taken. Leave"),
        (["--compute", "amplitude"], "say with data_types"),
        (["--labels", "nowhere.label"], "nowhere.label: no such file"),
        (["--src", "what.fif"], "what it holds is not clear from its name"),
    ],
)
def test_unusable_input(files, tmp_path, capsys, more, words):
    more = [word.format(files=files) for word in more]
    assert main(arguments(files, tmp_path / "p", *more)) == 2
    said = capsys.readouterr()
    assert said.err.startswith("mne-bstinv export: ")
    assert words in said.err
    assert not (tmp_path / "p").exists()


def test_arguments_in_the_wrong_order(files, tmp_path, capsys):
    words = ["export", str(files / "s-ave.fif"), str(tmp_path / "p"), "--subject", "S"]
    with pytest.raises(SystemExit) as end:
        main([*words, "--condition", "c"])
    assert end.value.code == 2
    assert (
        f"unrecognized arguments: {tmp_path / 'p'}. mne-bstinv export takes one folder, the "
        "protocol; files are given with --recordings, --forward …" in capsys.readouterr().err
    )
    with pytest.raises(SystemExit):
        main(["info", "a", "b"])
    said = capsys.readouterr().err
    assert said.startswith("usage: mne-bstinv info [-h]")
    assert said.endswith("mne-bstinv info: error: unrecognized arguments: b\n")


def test_the_condition_is_not_overwritten(files, tmp_path, capsys):
    assert main(arguments(files, tmp_path / "p")) == 0
    assert main(arguments(files, tmp_path / "p")) == 2
    err = capsys.readouterr().err
    assert "the condition exists already; choose another name, or use overwrite=True (--over" in err
    assert main(arguments(files, tmp_path / "p", "--overwrite")) == 0


@pytest.mark.parametrize(
    ("subject", "condition", "message"),
    [
        ("s", "new", "anat/S: the subject 'S' exists already, and 's' would be the same folder"),
        ("S", "C", "data/S/c: the condition 'c' exists already, and 'C' would be the same folder"),
    ],
)
def test_a_name_that_differs_in_capitals_only(files, tmp_path, capsys, subject, condition, message):
    assert main(arguments(files, tmp_path / "p")) == 0
    words = ["--subject", subject, "--condition", condition, "--overwrite"]
    assert main(arguments(files, tmp_path / "p", *words)) == 2
    err = capsys.readouterr().err
    assert message in err
    assert "or choose another name" in err


@pytest.mark.parametrize(
    ("kind", "words", "message"),
    [
        ("mixed", ["--option", "Loose", "0.3"], None),
        (
            "mixed",
            ["--orient", "free"],
            "--orient has no effect: the regions of a mixed head model have orientations of their",
        ),
        ("eeg_volume", [], None),  # free by itself
    ],
)
def test_the_head_model_decides_which_options_have_an_effect(
    data_dir, tmp_path, capsys, kind, words, message
):
    forward, cov, channels, data = (
        str(next((data_dir / kind / "data").rglob(f"{name}*.mat")))
        for name in ("headmodel", "noisecov", "channel", "data_")
    )
    given = [
        "export", str(tmp_path / "p"), "--subject", "S", "--condition", "c", "--recordings", data,
        "--info", channels, "--forward", forward, "--noise-cov", cov, "--compute", "amplitude",
    ]  # fmt: skip
    assert main([*given, *words]) == (0 if message is None else 2)
    assert (message or "") in capsys.readouterr().err


def test_convert(sample_dir, tmp_path, capsys, caplog):
    model = next(sample_dir.rglob("headmodel*.mat"))
    levels = [logging.getLogger(name).level for name in ("mne", "mne_bstinv")]
    assert main(["convert", str(model), str(tmp_path / "x-fwd.fif")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == str(tmp_path / "x-fwd.fif")
    assert any(line.startswith("  with channels: ") for line in lines)
    assert any(line.startswith("  dropped: Gain: ") for line in lines)
    assert caplog.messages == []
    assert [logging.getLogger(name).level for name in ("mne", "mne_bstinv")] == levels


def test_convert_asks_for_what_it_needs(files, sample_dir, tmp_path, capsys):
    source, target = str(files / "s-cov.fif"), str(tmp_path / "noisecov_x.mat")
    assert main(["convert", source, target]) == 2
    assert "Give it with --channels FILE" in capsys.readouterr().err
    channels = str(next(sample_dir.rglob("evoked/channel*.mat")))
    assert main(["convert", source, target, "--channels", channels]) == 0
    assert io.read_noise_cov(target).n_channels == 135


def test_a_dry_run_names_the_files_and_writes_none(files, tmp_path, capsys):
    root = tmp_path / "protocol"
    command = arguments(files, root, "--json")
    assert main([*command, "--dry-run"]) == 0
    planned = json.loads(capsys.readouterr().out)
    assert planned["dry_run"]
    assert not root.exists()
    assert main(command) == 0
    assert json.loads(capsys.readouterr().out) == {**planned, "dry_run": False}
