"""What the texts say of maps and the number of averages: only one process of Brainstorm scales."""

from __future__ import annotations

import re
from pathlib import Path

import mne_bstinv

ROOT = Path(mne_bstinv.__file__).parent
REPOSITORY = Path(__file__).parents[1]
#: Words that say what Brainstorm does when a map is looked at.
SHOWN = re.compile(r"\b(display\w*|shows?|shown|loads?|loading)\b", flags=re.IGNORECASE)
SCALED = re.compile(r"√\s?Leff|sqrt\{\\mathrm\{Leff\}\}|root of Leff|root of the effective")


def texts() -> list[Path]:
    pages = [*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").glob("*.md")]
    return sorted([*ROOT.rglob("*.py"), *pages])


def paragraphs(text: str) -> list[str]:
    """Split at empty lines, and where a comment on the next field begins."""
    return [" ".join(part.split()) for part in re.split(r"\n\s*\n|\n\s*#:", text)]


def test_only_the_process_multiplies_by_the_root_of_the_averages() -> None:
    scaled = [
        (path.name, paragraph)
        for path in texts()
        for paragraph in paragraphs(path.read_text("utf-8"))
        if SCALED.search(paragraph)
    ]
    assert len(scaled) > 5
    wrong = [
        (name, paragraph)
        for name, paragraph in scaled
        if SHOWN.search(paragraph) and not re.search(r"Scale[^a-z]+averaged dSPM", paragraph)
    ]
    assert wrong == []
