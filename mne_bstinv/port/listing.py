"""What each output is, and what there is that nothing was made of, in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from mne_bstinv._display import few

__all__ = ["ASKED_FOR", "comment_of", "left_lines", "skipped_lines", "told_apart", "unasked_lines"]

#: Field of the finding that nothing was computed of the types of channels that were asked for.
ASKED_FOR = "--data-types"
#: Why nothing is made of a file that is of no unit.
NO_KIND = "files that the port has no use for"
#: Outputs that stand beside another of the same content.
_TWINS = ("-rh.stc", "-dip.bdip")
#: Most files that a line names.
_NAMED = 3


def comment_of(output: Mapping[str, Any]) -> str:
    """Return the comments of what an output was made of, the first and the last of many."""
    comment = output.get("comment") or ""
    if isinstance(comment, str):
        return comment
    shown = [text for text in comment if text]
    return ", ".join(shown if len(shown) <= _NAMED else [*shown[:2], "…", shown[-1]])


def told_apart(unit: Mapping[str, Any]) -> Iterator[tuple[list[str], str, str]]:
    """Yield the outputs of a unit with the comments and words that tell them from others.

    What was made of the same results comes together.
    """
    rows: dict[tuple[str, str, str], list[str]] = {}
    for name, output in (unit.get("outputs") or {}).items():
        if not output or not comment_of(output) or name.endswith(_TWINS):
            continue
        results = [file for file in output.get("of", ()) if "/results_" in file]
        own = results[0] if results else name
        rows.setdefault((own, comment_of(output), _words(output)), []).append(name)
    for (_, comment, words), names in rows.items():
        yield names, comment, words


def _words(output: Mapping[str, Any]) -> str:
    said = [text for text in (output.get("computed") or {}).values() if text]
    said += [f"{output[key]}" for key in ("band", "shows") if output.get(key)]
    of = ", ".join(_end(file) for file in output.get("made_of") or ())
    return ", ".join([*said, f"of {of}"] if of else said)


def _end(file: str) -> str:
    """Return the name of a file, or of the parts of a link, without folders."""
    return " × ".join(part.rpartition("/")[2] for part in file.removeprefix("link|").split("|"))


def skipped_lines(unit: Mapping[str, Any]) -> list[str]:
    """Say what was not made of which files, one line a reason, all files named."""
    groups: dict[tuple[str, str], list[str]] = {}
    for one in unit.get("skipped") or ():
        groups.setdefault((one["what"], one["reason"]), []).append(_end(one["file"]))
    lines = [f"no {what}: {reason} ({', '.join(of)})" for (what, reason), of in groups.items()]
    others = [_end(file) for file in unit.get("other_files") or ()]
    return lines + ([f"not converted, {NO_KIND}: {', '.join(others)}"] if others else [])


def left_lines(units: Iterable[Mapping[str, Any]]) -> list[str]:
    """Say of which files of the protocol nothing was made, one line a reason."""
    units = list(units)
    made = {
        source
        for unit in units
        for output in (unit.get("outputs") or {}).values()
        for source in (output or {}).get("of", ())
    }
    groups: dict[str, dict[str, None]] = {}
    for unit in units:
        for one in unit.get("skipped") or ():
            if one["file"] not in made:
                groups.setdefault(one["reason"], {})[one["file"]] = None
        for file in unit.get("other_files") or ():
            groups.setdefault(f"{NO_KIND}.", {})[file] = None
    return [f"{few(list(files), _NAMED)}: {reason}" for reason, files in groups.items()]


def unasked_lines(unit: Mapping[str, Any]) -> list[str]:
    """Say in one line that nothing is of the types of channels that were asked for."""
    found = (unit.get("reports") or {}).get(".", ())
    return [one["reason"] for one in found if one["field"] == ASKED_FOR]
