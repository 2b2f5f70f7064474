"""Which stored file a condition means, by the words of its user."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from mne_bstinv import io
from mne_bstinv.errors import MissingFileError, ProtocolError
from mne_bstinv.io import mat

__all__ = ["comment_of", "find_entry", "is_average", "needed"]

#: What recordings or results are asked for by; None for the only ones.
Wanted = io.RecordingsEntry | io.ResultsEntry | str | Path | None

#: Tag in the names of recordings that Brainstorm averaged.
_AVERAGE = "_average"


def needed(path: Path | None, what: str, condition: io.Condition) -> Path:
    """Return a file that is needed, or say what is missing.

    Parameters
    ----------
    path : Path | None
        The file.
    what : str
        What it is, with the names such files have.
    condition : Condition
        Where it was looked for.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    MissingFileError
        If there is none.
    """
    if path is not None:
        return path
    raise MissingFileError(
        f"{condition.subject}/{condition.name}: no {what} in {condition.folder} or the folder it "
        "shares: compute or import it in Brainstorm first."
    )


def find_entry(
    entries: Sequence[io.RecordingsEntry | io.ResultsEntry],
    wanted: Wanted,
    what: str,
    condition: io.Condition,
) -> int:
    """Find recordings or results by their entry, file name or comment.

    Parameters
    ----------
    entries : sequence of RecordingsEntry or ResultsEntry
        What there is.
    wanted : RecordingsEntry | ResultsEntry | str | Path | None
        One of ``entries``, a file, its name (with folders, if that is not clear), or the comment
        inside; None for the only one.
    what : str
        What they are, for messages.
    condition : Condition
        The condition, for messages.

    Returns
    -------
    int
        Position in ``entries``.

    Raises
    ------
    ProtocolError
        If there is none, or more than one; the message lists them.
    """
    if isinstance(wanted, io.RecordingsEntry | io.ResultsEntry):
        wanted = wanted.file
    found = list(range(len(entries)))
    if wanted is not None:
        ending = Path(str(wanted).replace("\\", "/")).parts
        found = [i for i in found if entries[i].file.parts[-len(ending) :] == ending]
        found = found or [i for i, e in enumerate(entries) if comment_of(e.file) == str(wanted)]
    if len(found) == 1:
        return found[0]
    listed = "; ".join(_names(entries[i].file for i in found or range(len(entries))))
    problem = "several" if found else "no"
    which = "" if wanted is None else f" {str(wanted)!r}"
    raise ProtocolError(
        f"{condition.subject}/{condition.name}: {problem} {what}{which}. Name one of: "
        f"{listed or '(none)'}."
    )


def comment_of(file: Path) -> str:
    """Return the comment of a file without reading its arrays.

    Parameters
    ----------
    file : Path
        The file.

    Returns
    -------
    str
        The comment; empty if there is none.
    """
    variables = mat.read(file, ["Comment"])
    value = variables["Comment"].value if "Comment" in variables else ""
    return value if isinstance(value, str) else ""


def is_average(file: Path, n_avg: int | None = None) -> bool:
    """Tell an average from a trial: by its name, else by the number of averages inside.

    Parameters
    ----------
    file : Path
        The recordings.
    n_avg : int | None
        nAvg, if the file was read already.

    Returns
    -------
    bool
        Whether it is an average.
    """
    if _AVERAGE in f"_{file.name.lower()}":
        return True
    if n_avg is None:
        variables = mat.read(file, ["nAvg"])
        value = variables["nAvg"].value if "nAvg" in variables else 1
        n_avg = int(value) if isinstance(value, int | float) else 1
    return n_avg > 1


def _names(files: Iterable[Path]) -> list[str]:
    return [f"{file.parent.name}/{file.name} ({comment_of(file)})" for file in files]
