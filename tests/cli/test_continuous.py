"""Continuous recordings on the command line: info, convert, export, port."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import mne
import numpy as np
import pytest

from mne_bstinv import io, read_raw_brainstorm
from mne_bstinv.cli import main

RUN_A = "data/Subject01/@rawrunA"


@pytest.fixture
def protocol(data_dir, tmp_path):
    return Path(shutil.copytree(data_dir / "continuous", tmp_path / "protocol"))


def test_info_of_a_link(protocol, capsys):
    link = protocol / RUN_A / "data_0raw_runA.mat"
    assert main(["info", str(link)]) == 0
    text = capsys.readouterr().out
    for line in (
        "format        BST-BIN",
        f"file          {link.with_name('runA.bst')}",
        "rate          250 Hz",
        "duration      8.04 s, samples 375 to 2384",
        "channels      50, 2 bad",
        "events        go (6), task (3), BAD (2), bad_channel (1), noted (3), a rather long",
        "bad segments  3, 0.45 s",
    ):
        assert line in text, line
    link.with_name("runA.bst").unlink()
    assert main(["info", str(link), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["recording"]
    assert told["file"] is None
    assert "Tried:" in told["missing"]
    assert (told["sfreq"], told["samples"], told["events"]["go"]) == (250.0, [375, 2384], 6)


def test_info_of_a_bst_file(protocol, capsys):
    assert main(["info", str(protocol / RUN_A / "runA.bst")]) == 0
    text = capsys.readouterr().out
    assert "BST-BIN, version 54" in text
    assert "duration      8.04 s" in text
    assert main(["info", str(protocol / RUN_A / "runA.bst"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["recording"]["channels"] == 50


def test_convert_there_and_back(protocol, tmp_path, capsys):
    link, fif = protocol / RUN_A / "data_0raw_runA.mat", tmp_path / "x-raw.fif"
    assert main(["convert", str(link), str(fif)]) == 0
    expected = read_raw_brainstorm(link)
    assert np.array_equal(mne.io.read_raw_fif(fif).get_data(), expected.get_data())
    back = tmp_path / "back"
    back.mkdir()
    assert main(["convert", str(fif), str(back / "data_0raw_x.mat")]) == 0
    assert sorted(file.name for file in back.iterdir()) == ["channel.mat", "data_0raw_x.mat",
                                                            "x.bst"]  # fmt: skip
    assert f"{back / 'x.bst'}" in capsys.readouterr().out
    again = read_raw_brainstorm(back / "data_0raw_x.mat")
    assert np.array_equal(again.get_data(), expected.get_data())
    assert len(again.annotations) == len(expected.annotations)
    assert main(["convert", str(fif), str(back / "data_0raw_x.mat")]) == 2  # it exists
    assert main(["convert", str(fif), str(back / "y.bst")]) == 0
    assert np.array_equal(read_raw_brainstorm(back / "y.bst").get_data(), expected.get_data())
    assert main(["convert", str(back / "y.bst"), str(tmp_path / "y-raw.fif")]) == 0
    assert np.array_equal(mne.io.read_raw_fif(tmp_path / "y-raw.fif").get_data(),
                          expected.get_data())  # fmt: skip


def test_convert_a_file_that_moved(protocol, tmp_path, capsys):
    link, archive = protocol / RUN_A / "data_0raw_runA.mat", tmp_path / "archive"
    archive.mkdir()
    link.with_name("runA.bst").rename(archive / "runA.bst")
    words = ["convert", str(link), str(tmp_path / "x-raw.fif")]
    assert main(words) == 2
    assert "--raw-dir" in capsys.readouterr().err
    assert main([*words, "--raw-dir", str(archive)]) == 0
    block = protocol / "data/Subject01/time_blocks/data_block001.mat"
    assert main(["convert", str(block), str(tmp_path / "b-raw.fif")]) == 0
    assert main(["convert", str(block), str(tmp_path / "c-raw.fif"), "--raw-dir", "."]) == 2
    assert "no link: leave it out" in capsys.readouterr().err


def test_export(protocol, tmp_path, capsys):
    raw = read_raw_brainstorm(protocol / RUN_A / "data_0raw_runA.mat")
    raw.save(tmp_path / "one_raw.fif")
    out = tmp_path / "p"
    words = ["export", str(out), "--subject", "S", "--raw", str(tmp_path / "one_raw.fif")]
    assert main([*words, "--condition", "empty"]) == 2
    assert "Nothing says where sensors and fiducials are" in capsys.readouterr().err
    assert not out.exists(), "nothing is written before all is known to be right"
    assert main(words) == 0
    text = capsys.readouterr().out
    assert "p: S/@rawone" in text
    assert "data/S/@rawone/one.bst" in text
    link = out / "data/S/@rawone/data_0raw_one.mat"
    assert np.array_equal(read_raw_brainstorm(link).get_data(), raw.get_data())
    assert main(words) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert main([*words, "--overwrite", "--json"]) == 0
    assert "data/S/@rawone/one.bst" in json.loads(capsys.readouterr().out)["written"]
    # with a condition too
    assert main([*words, "--overwrite", "--condition", "c", "--info", str(tmp_path / "one_raw.fif")]) == 0  # fmt: skip  # noqa: E501
    assert {c.name for s in io.read_protocol(out).subjects for c in s.conditions} == {
        "@rawone", "c"}  # fmt: skip


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "--condition: needed"),
        (["--raw", "x_raw.fif", "--forward", "x-fwd.fif"], "--condition"),
        (["--raw", "none_raw.fif"], "no such file"),
    ],
)
def test_export_refuses(tmp_path, capsys, words, said):
    assert main(["export", str(tmp_path / "p"), "--subject", "S", *words]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "p").exists()


def test_port(protocol, tmp_path, capsys):
    out = tmp_path / "out"
    assert main(["port", str(protocol), str(out), "--condition", "@rawrunA", "--raw", "none"]) == 0
    assert not list(out.rglob("*-raw.fif"))
    capsys.readouterr()
    assert main(["port", str(protocol), str(out), "--condition", "@rawrunA",
                 "--raw-dir", str(tmp_path)]) == 0  # fmt: skip
    assert len(list(out.rglob("*-raw.fif"))) == 1
    assert "2 units converted (1 anatomy, 1 condition)" in capsys.readouterr().out
