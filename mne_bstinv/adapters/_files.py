"""Write several files: all of them under temporary names before the first takes its place."""

from __future__ import annotations

import os
import uuid
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from mne_bstinv.errors import OverwriteError

__all__ = ["write_all"]


def write_all(
    folder: Path, files: Mapping[str, bytes], *, overwrite: bool = False
) -> tuple[Path, ...]:
    """Write files into a folder.

    Parameters
    ----------
    folder : Path
        The folder; made if it does not exist.
    files : mapping of str to bytes
        Content by path relative to the folder.
    overwrite : bool
        Replace files that exist.

    Returns
    -------
    tuple of Path
        The files.

    Raises
    ------
    OverwriteError
        If any of the files exists and ``overwrite`` is False; then nothing is written.
    """
    paths = [folder / name for name in files]
    existing = [path for path in paths if path.exists()]
    if existing and not overwrite:
        raise OverwriteError.of(*existing)
    pending = [
        (path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp"), path, content)
        for path, content in zip(paths, files.values(), strict=True)
    ]
    try:
        for temporary, _, content in pending:
            temporary.parent.mkdir(parents=True, exist_ok=True)
            with temporary.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        for temporary, path, _ in pending:
            temporary.replace(path)
    except BaseException:
        for temporary, _, _ in pending:
            with suppress(OSError):
                temporary.unlink()
        raise
    return tuple(paths)
