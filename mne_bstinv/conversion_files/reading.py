"""What readers share: how a path becomes an object, and which recordings a folder means."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mne_bstinv.conversion import carry, hearing
from mne_bstinv.conversion_files.arguments import Arguments
from mne_bstinv.conversion_files.companions import existing_file
from mne_bstinv.conversion_files.convert import convert_value, kind_of_file
from mne_bstinv.conversion_files.routes import ROUTES
from mne_bstinv.errors import ConversionError, MissingFileError
from mne_bstinv.io.filenames import is_average, is_continuous
from mne_bstinv.io.folders import Problems
from mne_bstinv.io.mat import PathLike
from mne_bstinv.io.protocol_scan import scan
from mne_bstinv.io.result_links import is_result_link, split_link

__all__ = [
    "check_kind",
    "read_as",
    "recordings_at",
]


def read_as(
    fname: PathLike,
    goal: str,
    given: Mapping[str, PathLike | None],
    arguments: Arguments | None = None,
) -> Any:
    """Read a file as an object of a kind of MNE's."""
    if is_result_link(fname):
        fname, linked = split_link(fname)
        if "recordings" in given:
            given = {**given, "recordings": given["recordings"] or linked}
    file = existing_file(fname)
    kind = check_kind(file, goal)
    target = file.with_name(goal)
    options = Arguments() if arguments is None else arguments
    with hearing():
        converted, _, report = convert_value(file, target, (kind, goal), given, options)
    return carry(converted, report)


def check_kind(file: Path, goal: str) -> str:
    """Return the kind of a file; refuse one that does not become the goal."""
    kind = kind_of_file(file)
    wanted = sorted(start for start, end in ROUTES if end == goal)
    if kind not in wanted:
        raise ConversionError(
            f"{file}: a file of {kind or 'no known kind'} found, of {' or '.join(wanted)} expected."
        )
    return kind


def recordings_at(fname: PathLike, *, averages: bool) -> list[Path]:
    """Return a file, or the averages or trials of a folder that are not marked as bad."""
    path = Path(fname)
    if not path.is_dir():
        return [existing_file(path)]
    problems = Problems()
    folder = scan(path, problems)
    good = [file for file in folder.recordings if not folder.is_bad(file)]
    chosen = [f for f in good if not is_continuous(f) and is_average(f) is averages]
    if not chosen:
        what = "averages (data_*average*.mat)" if averages else "trials (data_*.mat)"
        raise MissingFileError(
            " ".join([f"{path}: no {what} that are not marked as bad.", *problems])
        )
    return chosen
