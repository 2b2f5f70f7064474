"""``mne-bstinv lambda``."""

from __future__ import annotations

import json

import numpy as np
import pytest
from small_sample import load_small_sample

from mne_bstinv import InverseOptions, compute_kernel
from mne_bstinv.cli import main
from mne_bstinv.cli.lambda_ import translate
from mne_bstinv.errors import OptionError

SAME = ["--channels", "306", "--rank", "70"]


def test_both_conventions_and_the_factor_are_printed(capsys):
    assert main(["lambda", "--snr", "3", *SAME]) == 0
    out = capsys.readouterr().out
    assert "SNR 3 in amplitude = 9 in power = 9.542 dB; 306 channels" in out
    assert "Λ = SNR² n / t   = 2754 / t" in out
    assert "λ² = 1 / SNR²    = 0.111111" in out
    assert (
        "To get Brainstorm's kernel (of SNR 3) with MNE: lambda2 = (r/n) / SNR² = 0.0254176" in out
    )
    assert (
        "To get MNE's kernel (of λ² 0.111111) with Brainstorm: SnrFixed = √((r/n) / λ²) = 1.43486"
        in out
    )
    assert (
        "in place of the lambda2 for Brainstorm's kernel is too large by the factor n/r = 4.37143"
        in out
    )


def test_an_rms_in_another_unit_is_asked_about(capsys):
    words = ["--channels", "68", "--rank", "67", "--trace", "1.9e18"]
    assert main(["lambda", "--rms", "10", *words]) == 0
    said = capsys.readouterr()
    assert said.out.startswith("RMS source amplitude 10 nA·m = 1e-08 A·m:\nSNR 1.67")
    assert said.err == ""
    assert main(["lambda", "--rms", "1e-8", *words, "--json"]) == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["snr_amplitude"] < 1e-8
    assert said.err == (
        "warning: --rms 1e-08 nA·m is 1e-17 A·m and gives SNR 1.7e-09: is that in nA·m, and "
        "--trace in (A·m)⁻²? SnrRms is in A·m: multiply it by 1e9.\n"
    )
    assert main(["lambda", "--rms", "1e4", *words]) == 0
    assert "gives SNR 1.7e+03: is that in nA·m" in capsys.readouterr().err


@pytest.mark.parametrize(
    "given", [["--snr", "9", "--scale", "power"], ["--snr", "9.542425094393248", "--scale", "dB"],
              ["--lambda2", "0.1111111111111111"]]
)  # fmt: skip
def test_all_ways_to_say_it_are_the_same(given, capsys):
    assert main(["lambda", *given, *SAME, "--json"]) == 0
    numbers = json.loads(capsys.readouterr().out)
    assert numbers["snr_amplitude"] == pytest.approx(3.0, rel=1e-14)
    assert numbers["mne_lambda2_for_brainstorm_kernel"] == pytest.approx(70 / 306 / 9, rel=1e-14)
    assert numbers["brainstorm_lambda"] is None


def test_lambda_of_a_study_is_that_of_its_kernel(capsys):
    """With the trace, SNR → Λ, and RMS = √Λ → the same SNR."""
    study = load_small_sample()
    result = compute_kernel(
        study.head_model, study.noise_cov, study.channels, data_types="EEG",
        channel_flag=study.recordings.channel_flag, options=InverseOptions(measure="amplitude"),
    )  # fmt: skip
    n, rank, trace = len(result.channel_types), result.ranks["EEG"], result.s2.sum()
    sizes = ["--channels", str(n), "--rank", str(rank), "--trace", repr(float(trace)), "--json"]
    assert main(["lambda", "--snr", "3", *sizes]) == 0
    numbers = json.loads(capsys.readouterr().out)
    assert numbers["brainstorm_lambda"] == pytest.approx(result.lambda_, rel=1e-13)
    rms = 1e9 * np.sqrt(result.lambda_)
    assert main(["lambda", "--rms", repr(float(rms)), *sizes]) == 0
    numbers = json.loads(capsys.readouterr().out)
    assert numbers["snr_amplitude"] == pytest.approx(3.0, rel=1e-13)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["--snr", "0", *SAME], "snr must be a finite number above 0"),
        (["--lambda2", "0", *SAME], "lambda2 must be a finite number above 0"),
        (["--rms", "10", *SAME], "give --trace"),
        (["--rms", "-1", "--trace", "1e18", *SAME], "must be above 0, found -1 nA·m"),
        (["--snr", "1e200", *SAME], "beyond double precision: is the scale"),
        (["--snr", "1e-200", *SAME], "beyond double precision"),
        (["--snr", "1e5", "--scale", "dB", *SAME], "beyond double precision"),
        (["--snr", "3", "--channels", "60", "--rank", "70"], "rank 70 for 60 channels"),
        (
            ["--lambda2", "0.1", "--scale", "power", *SAME],
            "--scale without --snr has no effect: leave it out, or give --snr",
        ),
    ],
)
def test_impossible_input_is_named(given, message, capsys):
    assert main(["lambda", *given]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "found"),
    [({}, "found none of them"), ({"snr": 3.0, "lambda2": 0.1}, "found snr and lambda2")],
)
def test_one_statement_is_translated(given, found):
    with pytest.raises(OptionError, match=f"Give one of snr, lambda2 and rms, {found}"):
        translate(**given, n_channels=306, rank=70)
