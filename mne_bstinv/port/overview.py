"""The overview of a port for people: one row a condition."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any
from urllib.parse import quote

from mne_bstinv.conversion import Finding
from mne_bstinv.port.listing import skipped_lines, told_apart, unasked_lines
from mne_bstinv.port.manifest import DONE, MANIFEST
from mne_bstinv.port.names import ENDINGS
from mne_bstinv.port.verdicts import (
    NOT_THE_STORED_KERNEL,
    bad_outcomes,
    discrete_lines,
    error_lines,
    incomparable_lines,
    outcome_lines,
    stale_lines,
    units_text,
    verdict,
    why_not_comparable,
)

__all__ = ["can_be_shown", "overview_html"]

# Cells are as wide as words need; what is longer, names of files, breaks anywhere. On a narrow
# screen cells stand below each other.
_STYLE = """
body { font-family: sans-serif; margin: 1.5em; color: #222; }
h1, p, li { overflow-wrap: anywhere; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: 0.95em; }
th, td { padding: 0.4em 0.6em; text-align: left; vertical-align: top; overflow-wrap: anywhere; }
tbody, thead { border-bottom: 1px solid #ccc; }
th:nth-child(1) { min-width: 8.5em; } th:nth-child(2) { min-width: 5em; }
th:nth-child(3) { min-width: 9em; } th:nth-child(4) { min-width: 24em; }
.done, .equal { color: #006b4f; } .failed, .differs { color: #b03a00; font-weight: bold; }
.none { color: #777; } li { max-width: 60em; } td ul { margin: 0.3em 0; padding-left: 1.4em; }
img { max-width: 100%; width: 30em; height: auto; }
.told th, .told td { min-width: 9em; border-bottom: 1px solid #eee; }
.told td:nth-child(3) { min-width: 24em; }
@media (max-width: 45em) {
  body { margin: 0.7em; } table:not(.told) > thead { display: none; } .told { display: block; }
  :is(table, tbody, tr, td):not(.told, .told *) { display: block; overflow-x: auto; }
  tr > td:empty { display: none; }
}
"""

#: What an output is called in the list of links, by its ending.
_LINKS = {
    ENDINGS["info"]: "sensors",
    ENDINGS["trans"]: "head–MRI transform",
    ENDINGS["forward"]: "forward solution",
    ENDINGS["source spaces"]: "source spaces",
    ENDINGS["noise covariance"]: "covariance",  # and that of the data, with the same end
    ENDINGS["evoked"]: "averages",
    ENDINGS["epochs"]: "trials",
    ENDINGS["raw"]: "continuous recording",
    ENDINGS["inverse operator"]: "inverse operator",
    "-lh.stc": "source estimate",
    "-vl.stc": "source estimate",
    "-stc.h5": "source estimate",
}
#: Mark of an operator that MNE's default of reading recordings is wrong for.
_AS_STORED = ", of recordings read with proj=False"
#: Most links that are shown of one kind, and of one content.
_SHOWN = 12
_SHOWN_ALIKE = 4


def overview_html(whole: Mapping[str, Any]) -> str:
    """Write the overview of a port from its manifest: a page that links to the files beside it."""
    units = whole["units"]
    counted = "; ".join(
        f"{status}: {units_text(unit for unit in units if unit['status'] == status)}"
        for status in dict.fromkeys(unit["status"] for unit in units)
    )
    name = escape(whole["protocol"]["name"])
    others = whole.get("other_files", {})
    rows = "\n".join(_row({**u, "other_files": others.get(u["folder"], ())}) for u in units)
    versions = whole["versions"]
    made = (
        f"{counted or 'nothing'}. Made of {whole['protocol']['path']} by mne_bstinv "
        f"{versions['mne-bstinv']}, MNE {versions['mne']}"
    )
    return (
        f"<!DOCTYPE html>\n<html lang='en'><head><meta charset='utf-8'>"
        f"<meta name='viewport' content='width=device-width'><title>{name}</title>"
        f"<style>{_STYLE}</style></head><body>\n<h1>Brainstorm protocol {name} as files of "
        f"MNE-Python</h1>\n<p>{escape(made)}; all details in <a href='{MANIFEST}'>{MANIFEST}</a>."
        "</p>\n<div class='wide'><table><thead><tr><th>subject / condition</th><th>status</th>"
        "<th>stored kernels</th><th>sensors and cortex (head frame)</th></tr></thead>"
        f"\n{rows}\n</table></div>\n"
        f"{_problems(whole)}</body></html>\n"
    )


def can_be_shown(unit: Mapping[str, Any]) -> bool:
    """Tell whether a manifest that was read has what the overview and the report say of it."""
    try:
        _row(unit)
        units_text([unit])
        [Finding(**one) for told in (unit.get("reports") or {}).values() for one in told]
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError):
        return False
    return True


def _row(unit: Mapping[str, Any]) -> str:
    status, folder = unit["status"], unit["folder"]
    cells = (
        escape(unit["title"]),
        f"<span class='{'done' if status == DONE else 'failed'}'>{escape(status)}</span>",
        _verdict_cell(unit),
        _picture(unit),
    )
    said = _list(
        [
            *error_lines(unit.get("errors", ())),
            *outcome_lines(bad_outcomes(unit)),
            *stale_lines(unit),
            *discrete_lines(unit),
            *unasked_lines(unit),
            *incomparable_lines(unit),
        ]
    )
    said += _folded("what each file is", _told_apart(unit))
    said += _folded("what was not converted", _list(skipped_lines(unit)))
    files = f"<a href='{_url(folder, MANIFEST)}'>{MANIFEST}</a>{_links(unit)}"
    # below all columns: names of files and reasons are long
    below = f"<tr><td></td><td colspan='{len(cells) - 1}'>{files}{said}</td></tr>"
    row = "".join(f"<td>{cell}</td>" for cell in cells)
    return f"<tbody><tr>{row}</tr>{below}</tbody>"


def _folded(title: str, content: str) -> str:
    return f"<details><summary>{title}</summary>{content}</details>" if content else ""


def _told_apart(unit: Mapping[str, Any]) -> str:
    """Write a table of comments and words, with links to the files that they tell from others."""
    cells = (
        (_linked(unit, names, _SHOWN_ALIKE), escape(comment), escape(words))
        for names, comment, words in told_apart(unit)
    )
    rows = "".join(f"<tr>{''.join(f'<td>{c}</td>' for c in row)}</tr>" for row in cells)
    heads = "<tr><th>file</th><th>comment in Brainstorm</th><th>computed</th></tr>"
    return f"<table class='told'>{heads}{rows}</table>" if rows else ""


def _linked(unit: Mapping[str, Any], names: Sequence[str], most: int = _SHOWN) -> str:
    links = ", ".join(
        f"<a href='{_url(unit['folder'], name)}'>{escape(name)}</a>" for name in names[:most]
    )
    return links + (f" and {len(names) - most} more" if len(names) > most else "")


def _verdict_cell(unit: Mapping[str, Any]) -> str:
    wrong = bad_outcomes(unit) or stale_lines(unit)
    css = "differs" if wrong else ("equal" if unit.get("verification") else "none")
    return f"<span class='{css}'>{escape(verdict(unit))}</span>"


def _picture(unit: Mapping[str, Any]) -> str:
    for name in unit.get("outputs", {}):
        if name.endswith(ENDINGS["picture"]):
            url = _url(unit["folder"], name)
            return f"<a href='{url}'><img loading='lazy' src='{url}' alt='sensors'></a>"
    shared = unit.get("shared")
    return f"those of {escape(shared)}" if shared else ""


def _links(unit: Mapping[str, Any]) -> str:
    found: dict[str, list[str]] = {}
    for name, output in unit.get("outputs", {}).items():
        for ending, title in _LINKS.items():
            if name.endswith(ending):
                found.setdefault(title + _mark(output), []).append(name)
    items = []
    for title, names in found.items():
        items.append(f"<li>{escape(title)}: {_linked(unit, names)}</li>")
    reports = unit.get("reports", {}).values()
    lost = Counter(finding["severity"] for findings in reports for finding in findings)
    if lost:
        said = ", ".join(f"{count} {severity}" for severity, count in sorted(lost.items()))
        items.append(f"<li>fields of Brainstorm's files: {said}; see the manifest</li>")
    return f"<ul>{''.join(items)}</ul>" if items else ""


def _mark(output: Mapping[str, Any] | None) -> str:
    """Mark an operator that does not give Brainstorm's estimate, or not by MNE's defaults."""
    if not output or "parameters" not in output:
        return ""
    reason = why_not_comparable(output)
    if not reason:
        return "" if output["parameters"].get("proj", True) else _AS_STORED
    what = "" if reason == NOT_THE_STORED_KERNEL else "no MNE method for "
    return f", not comparable, {what}{reason}"


def _problems(whole: Mapping[str, Any]) -> str:
    problems = whole["protocol"].get("problems", ())
    return (
        f"<h2>Problems of the protocol and of this folder</h2>{_list(problems)}\n"
        if problems
        else ""
    )


def _list(texts: Iterable[str]) -> str:
    items = "".join(f"<li>{escape(' '.join(text.split()))}</li>" for text in texts)
    return f"<ul>{items}</ul>" if items else ""


def _url(folder: str, name: str) -> str:
    return quote(f"{folder}/{name}")
