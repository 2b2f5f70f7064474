"""The page: markup, style, script and numbers in one file that asks nothing of the network."""

from __future__ import annotations

import html
import json
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

from mne_bstinv._temporary import check_target, replacing
from mne_bstinv.errors import OptionError
from mne_bstinv.explorer.numbers import Truth, numbers_of_page
from mne_bstinv.io.mat import PathLike
from mne_bstinv.studies import StudyData

__all__ = ["write_explorer"]


def write_explorer(
    fname: PathLike,
    study: StudyData,
    *,
    data_types: str | Sequence[str] | None = None,
    truth: Sequence[Truth] = (),
    overwrite: bool = False,
) -> Path:
    """Write a page on which an inverse can be explored.

    Sliders set SNR (or ``lambda2``), rank, noise regularisation, depth exponent and time; the page
    shows the spectrum with the filters of both toolboxes, the time course and the map, and where
    the estimate peaks. It computes the minimum norm, dSPM and sLORETA of fixed orientations itself,
    from the gain, the noise covariance and the recordings, which are inside.

    Parameters
    ----------
    fname : path-like
        The file, ending in ``.html``.
    study : StudyData
        What :func:`~mne_bstinv.load_study` returned, with a surface head model.
    data_types : str | sequence of str | None
        Channels to use, such as ``"MEG"``; ``None`` takes MEG, else EEG.
    truth : sequence of Truth
        Sources that are known, to show the error of localisation.
    overwrite : bool
        Replace the file if it exists.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    ConversionError
        If it is no study.
    SchemaError
        If the head model is not of a surface, or there is no cortex.
    OverwriteError
        If the file exists and ``overwrite`` is False.
    OptionError
        If the name does not end in ``.html``.
    MissingFileError
        If the folder does not exist.
    """
    target = Path(fname)
    if target.suffix.lower() not in (".html", ".htm"):
        raise OptionError(f"{target}: expected a name that ends in .html.")
    check_target(target, overwrite=overwrite)
    text = page_text(study, data_types, truth)
    with replacing(target) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return target


def page_text(
    study: StudyData, data_types: str | Sequence[str] | None, truth: Sequence[Truth]
) -> str:
    """Put the page together."""
    numbers = numbers_of_page(study, data_types, truth)
    parts = {
        "TITLE": html.escape(numbers["title"]),
        "STYLE": _part("explorer.css"),
        "SCRIPT": _part("explorer.js"),
        # no text of a file may end the script
        "NUMBERS": json.dumps(numbers).replace("</", "<\\/"),
    }
    text = _part("explorer.html")
    for name, part in parts.items():
        text = text.replace(f"{{{{{name}}}}}", part)
    return text


def _part(name: str) -> str:
    return (files("mne_bstinv.explorer") / name).read_text(encoding="utf-8")
