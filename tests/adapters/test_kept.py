"""What conversions keep has its keys and types in one place."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import mne_bstinv
from mne_bstinv import conversion_report
from mne_bstinv.adapters import kept
from mne_bstinv.adapters.sensors import to_info
from mne_bstinv.datasets import load_sample

ROOT = Path(mne_bstinv.__file__).parent
SOURCES = {p.relative_to(ROOT).as_posix(): p.read_text("utf-8") for p in ROOT.rglob("*.py")}
DECLARED = set(kept.WayBack.__annotations__)


def test_nothing_goes_by_the_declaration():
    """Mypy checks the keys that ``keep`` and ``kept_of`` are used with."""
    read = r"report(\([^)]*\))?\.kept(\[|\.get\(|:)| in [\w.()]+\.kept\b"
    by_hand = re.compile(rf"{read}|findings\.keep\(")
    assert {name for name, text in SOURCES.items() if by_hand.search(text)} == {"adapters/kept.py"}


def test_each_declared_key_is_kept_by_some_conversion():
    calls = [
        node
        for text in SOURCES.values()
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in {"keep", "declared"}
    ]
    assert {keyword.arg for call in calls for keyword in call.keywords} - {None} == DECLARED


def test_what_is_kept_is_declared():
    info = to_info(load_sample().channels, sfreq=600.0)
    assert set(conversion_report(info).kept) <= DECLARED
    assert kept.kept_of(info) == kept.kept_of(conversion_report(info))
    assert kept.kept_of("no conversion") == {}
