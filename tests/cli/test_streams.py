"""What is printed reaches any terminal or file."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys

import pytest
import scipy.io
from io_helpers import cell

from mne_bstinv.cli import main
from mne_bstinv.cli.streams import clean_streams, printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain µ Λ 脑\ttab\n", "plain µ Λ 脑\ttab\n"),
        ("\x1b[2Jgone", r"\x1b[2Jgone"),
        ("a\rb\x07\x00\x9b", r"a\rb\x07\x00\x9b"),
        ("\u202egpj.exe\u2069 עברית", r"\u202egpj.exe\u2069 עברית"),
        (os.fsdecode(b"caf\xe9"), r"caf\udce9"),
    ],
)
def test_printable(text, shown):
    assert printable(text) == shown


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "utf-8"])
def test_streams_of_any_encoding(monkeypatch, encoding):
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding, newline="")
    monkeypatch.setattr(sys, "stdout", stream)
    monkeypatch.setattr(sys, "stderr", stream)
    with clean_streams():
        print("Λ – \x1b[31mred\x1b[0m")
        print("\x1b[A\r50 %|", file=sys.stderr, end="")
    stream.flush()
    text = stream.buffer.getvalue().decode(encoding)
    assert r"\x1b[31mred\x1b[0m" in text
    assert text.endswith("\x1b[A\r50 %|")  # a progress bar moves
    assert text.startswith("Λ –" if encoding == "utf-8" else r"\u039b")


@pytest.mark.parametrize("encoding", ["cp1252", "ascii"])
def test_commands_in_a_file_of_another_encoding(sample_dir, encoding):
    run = subprocess.run(
        [sys.executable, "-m", "mne_bstinv", "info", str(sample_dir)],
        capture_output=True, check=False, env=os.environ | {"PYTHONIOENCODING": encoding},
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    assert b"Condition" in run.stdout


def test_escape_sequences_in_a_file(tmp_path, capsys):
    file = tmp_path / "data_x.mat"
    scipy.io.savemat(file, {"F": [[1.0]], "Comment": "\x1b[2Jnew\nline", "History": cell("a")})
    assert main(["info", str(file)]) == 0
    out = capsys.readouterr().out
    assert r"\x1b[2Jnew line" in out
    assert "\x1b" not in out


@pytest.mark.parametrize(
    "command",
    [
        ["port", "{protocol}", ""], ["export", "", "x", "--subject", "S", "--condition", "c"],
        ["convert", "{file}", ""], ["info", ""], ["demo", "--out", " "],
    ],
)  # fmt: skip
def test_an_empty_name_is_no_place(sample_dir, tmp_path, capsys, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    file = next(sample_dir.rglob("noisecov*.mat"))
    words = [word.format(protocol=sample_dir, file=file) for word in command]
    with pytest.raises(SystemExit) as exit_of:
        main(words)
    assert exit_of.value.code == 2
    assert "an empty name" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("encoding", ["ascii", "utf-8"])
def test_json_is_json_whatever_is_in_a_file(tmp_path, monkeypatch, encoding):
    comment = "é Λ 😀 \x9b31m \u202e \x00"
    file = tmp_path / "data_é.mat"
    scipy.io.savemat(
        file, {"F": [[1.0]], "Comment": "x", "History": cell("1", comment, "é 😀\x9b")}
    )
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding, newline="")
    monkeypatch.setattr(sys, "stdout", stream)
    assert main(["info", str(file), "--json"]) == 0
    stream.flush()
    told = json.loads(stream.buffer.getvalue().decode(encoding))
    assert told["file"] == str(file)
    assert "é 😀\x9b" in told["fields"]["History"]["value"]


@pytest.mark.parametrize("buffered", [True, False])
def test_a_pipe_that_nobody_reads_is_no_success(sample_dir, monkeypatch, buffered):
    """Whether it is noticed when a line is printed, or only when all are flushed."""
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w", -1 if buffered else 1, encoding="utf-8") as pipe:
        monkeypatch.setattr(sys, "stdout", pipe)
        assert main(["info", str(sample_dir)]) == 141
        pipe.flush()  # as Python does when it ends


@pytest.mark.parametrize("name", ["stdout", "stderr"])
def test_a_stream_that_is_closed(sample_dir, monkeypatch, name):
    """As after ``>&-`` in a shell, and in programs of Windows without a console."""
    monkeypatch.setattr(sys, name, None)
    assert main(["info", str(sample_dir)]) == 0
    assert main(["info", str(sample_dir / "no.mat")]) == 2
