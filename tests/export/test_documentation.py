"""What the page on the export says runs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mne_bstinv.cli import main
from mne_bstinv.conversion_files.convert import _name
from mne_bstinv.conversion_files.routes import ROUTES

PAGE = Path(__file__).parents[2] / "docs" / "export.md"


@pytest.fixture(scope="module")
def page():
    return PAGE.read_text(encoding="utf-8")


def test_the_python_runs(page, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (block,) = re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)
    exec(compile(block, "export.md", "exec"), {})
    out = capsys.readouterr().out
    assert "<ExportedStudy | MyProtocol: Subject01/auditory, 1 recordings, 1 results" in out
    assert (
        out.splitlines()[-1]
        == "[('recordings made of others', 'not comparable'), ('kernel', 'equal')]"
    )


def test_the_options_of_the_command_exist(page, capsys):
    with pytest.raises(SystemExit):
        main(["export", "--help"])
    text = capsys.readouterr().out
    (block,) = re.findall(r"```bash\n(.*?)```", page, flags=re.DOTALL)
    used = set(re.findall(r"--[a-z0-9-]+", block))
    assert used
    assert all(option in text for option in used)


def test_the_table_of_conversions_names_every_route(page):
    table = page[page.index("| Brainstorm | MNE-Python |") :].split("\n\n")[0]
    for source, target in ROUTES:
        for kind in (source, target):
            assert _name(kind).lstrip("…") in table, kind
