"""The page: verdict, tables and figures of cross-validations in one self-contained file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import mne
from tqdm import tqdm

from mne_bstinv._interruption import noted_interruption
from mne_bstinv._temporary import check_target, replacing
from mne_bstinv.cross_validation import CrossValidation
from mne_bstinv.errors import OptionError
from mne_bstinv.io.mat import PathLike
from mne_bstinv.report import tables
from mne_bstinv.report.figures import FIGURES, Drawing, draw
from mne_bstinv.report.reproduce import reproduction_code

__all__ = ["check_page", "write_report"]

#: Endings of pages; with others MNE and browsers would take the file for something else.
_ENDINGS = (".html", ".htm")
#: Largest width of a picture (pixels), sharp on a phone, and its resolution.
_WIDTH, _DPI = 1200, 150
#: MNE's pages do not say that they fit a small screen, which lays them out as wide as a desk's;
#: and what they do when the window is resized fails until they are loaded. A click enlarges a
#: figure.
_SCRIPT = """
const viewport = document.createElement('meta');
viewport.name = 'viewport';
viewport.content = 'width=device-width, initial-scale=1';
document.head.appendChild(viewport);
window.addEventListener('resize', (event) => {
  if (document.readyState !== 'complete') event.stopImmediatePropagation();
});
document.addEventListener('click', (event) => {
  if (event.target.matches('img.figure-img')) event.target.classList.toggle('bstinv-large');
});
"""
#: Readable on a phone: no column for the contents, tables that scroll, text that breaks.
_STYLE = """
.bstinv-table { overflow-x: auto; margin-bottom: 1rem; }
.bstinv-table table { font-size: 0.875rem; width: max-content; max-width: 100%; }
.bstinv-table th, .bstinv-table td {
  max-width: 22rem; padding: 0.2rem 0.6rem; text-align: left; vertical-align: top;
  border-bottom: 1px solid #dee2e6;
}
.bstinv-table caption { caption-side: top; }
.bstinv-verdict { font-size: 1.1rem; padding-left: 0.75rem; border-left: 0.4rem solid #0072B2; }
.bstinv-verdict.failed { border-left-color: #D55E00; font-weight: bold; }
#content p, #content h6 { overflow-wrap: anywhere; }
#content figure { overflow-x: auto; }
#content img { max-width: 100%; height: auto; cursor: zoom-in; }
#content img.bstinv-large { max-width: none; cursor: zoom-out; }
#content pre { overflow-x: auto; }
@media (max-width: 767.98px) {
  #toc, #filter-by-tags-dropdown-menu { display: none; }
  #content { width: 100%; margin-left: 0; }
  #top-bar .navbar-brand { white-space: normal; margin-right: 0; }
  #top-bar .navbar-brand img { width: 48px; }
  #top-bar .navbar-brand span { font-size: 1rem !important; }
  .accordion-body { padding: 0.5rem; }
  .bstinv-table table { max-width: none; }
  .bstinv-table th, .bstinv-table td { max-width: 11rem; }
  #content img.bstinv-large { width: 800px; }
  figcaption::after { content: " Tap the figure to enlarge it."; }
}
"""


def write_report(
    fname: PathLike,
    validations: CrossValidation | Sequence[CrossValidation],
    *,
    load: str | None = None,
    notes: Sequence[str] = (),
    overwrite: bool = False,
    progress: bool = False,
) -> Path:
    """Write cross-validations of a study as a page.

    The page needs no network and nothing beside it: verdict, settings of both sides, attribution,
    figures (:func:`~mne_bstinv.report.figures_of`), metrics, what conversions lost, versions, and
    the Python that computes the numbers anew.

    Ctrl-C ends it after the figure that is being drawn, and leaves no page; a second one at once.

    Parameters
    ----------
    fname : path-like
        The file, ending in ``.html``.
    validations : CrossValidation | sequence of CrossValidation
        What :func:`~mne_bstinv.cross_validate` returned; several of one study, such as one a
        method, get a section each.
    load : str | None
        Python expression that loads the study, for :func:`~mne_bstinv.report.reproduction_code`.
    notes : sequence of str
        Sentences to put below the verdict, such as where the options come from.
    overwrite : bool
        Replace the file if it exists.
    progress : bool
        Show a progress bar.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    OverwriteError
        If the file exists and ``overwrite`` is False.
    OptionError
        If the name does not end in ``.html``, or there is no cross-validation.
    MissingFileError
        If the folder does not exist.
    """
    target = check_page(fname, overwrite=overwrite)
    given = [validations] if isinstance(validations, CrossValidation) else list(validations)
    if not all(isinstance(v, CrossValidation) for v in given):
        raise OptionError(
            "A report is of what cross_validate returns (CrossValidation), found "
            f"{', '.join(sorted({type(v).__name__ for v in given}))}."
        )
    if not given:
        raise OptionError("There is no cross-validation to report: give at least one.")
    n_figures = len(FIGURES) * len(given)
    with (
        tqdm(total=n_figures, desc="figures", unit="figure", disable=not progress) as bar,
        replacing(target) as temporary,  # a report is there whole or not at all
        noted_interruption(deferred=True) as interruption,  # Matplotlib's callbacks would lose it
    ):

        def advance(n_figures: int) -> None:
            bar.update(n_figures)
            interruption.check()

        report = _report(given, load, notes, advance)
        report.save(temporary, open_browser=False, verbose="error")
    return target


def check_page(fname: PathLike, *, overwrite: bool) -> Path:
    """Refuse a file that a report cannot be written to, before the numbers are computed."""
    target = Path(fname)
    if target.suffix.lower() not in _ENDINGS:
        raise OptionError(
            f"{target}: the name of a report must end in .html, found {target.suffix!r}."
        )
    check_target(target, overwrite=overwrite)
    return target


def _report(
    validations: list[CrossValidation],
    load: str | None,
    notes: Sequence[str],
    advance: Callable[[int], None],
) -> mne.Report:
    """Make the page; ``advance`` is told between its pieces how many figures are done since."""
    labelled = _labelled(validations)
    name = ", ".join(dict.fromkeys(v.name for v in validations))
    report = mne.Report(
        title=f"Brainstorm ↔ MNE-Python: {name}",
        image_format="png",
        img_max_width=_WIDTH,
        img_max_res=_DPI,
        # on a phone the sections are the table of contents
        collapse=("section",) if len(validations) > 1 else (),
        verbose="error",
    )
    report.add_custom_js(_SCRIPT)
    report.add_custom_css(_STYLE)
    report.add_html(
        tables.verdict_html(validations)
        + tables.paragraphs(notes)
        + tables.overview_html(labelled),
        "Verdict",
        tags=("summary",),
    )
    for label, validation in labelled.items():
        _add(report, validation, label if len(labelled) > 1 else None, load, advance)
    report.add_html(tables.losses_html(validations), "What conversions lost", tags=("losses",))
    report.add_html(tables.versions_html(), "Versions", tags=("versions",))
    return report


def _labelled(validations: Sequence[CrossValidation]) -> dict[str, CrossValidation]:
    """Give each cross-validation a name of its own: sections of one name would become one."""
    several = len({v.name for v in validations}) > 1
    labelled: dict[str, CrossValidation] = {}
    for validation in validations:
        label = f"{validation.name}: {validation.title}" if several else validation.title
        same = sum(known == label or known.startswith(f"{label} (") for known in labelled)
        labelled[f"{label} ({same + 1})" if same else label] = validation
    return labelled


def _add(
    report: mne.Report,
    validation: CrossValidation,
    section: str | None,
    load: str | None,
    advance: Callable[[int], None],
) -> None:
    """Add everything of one cross-validation."""
    where = {"section": section, "tags": (validation.settings.method,)}
    report.add_html(tables.settings_html(validation), "Settings, side by side", **where)
    drawings = draw(validation)
    # the attribution, and its table
    missing = _add_figures(report, [next(drawings)], where, advance)
    report.add_html(tables.attribution_html(validation), "Attribution", **where)
    missing += _add_figures(report, drawings, where, advance)
    report.add_html(tables.scouts_html(validation), "Scouts", **where)
    report.add_html(tables.metrics_html(validation), "Metrics", **where)
    report.add_html(tables.parity_html(validation), "Told the same", **where)
    report.add_code(
        "# equivalent is validation.equivalent, evoked the recordings (mne_bstinv.to_evoked)\n"
        + validation.equivalent.code,
        "What to tell MNE so that it computes Brainstorm's kernel",
        **where,
    )
    if missing:
        report.add_html(tables.paragraphs(missing), "Figures that do not apply", **where)
    report.add_code(reproduction_code(validation, load=load), "How to reproduce this", **where)


def _add_figures(
    report: mne.Report,
    drawings: Iterable[Drawing],
    where: dict[str, Any],
    advance: Callable[[int], None],
) -> list[str]:
    """Add the figures and return why there are not more."""
    missing = []
    for drawing in drawings:
        advance(0)  # to make a figure is one piece, to save it another
        if drawing.figure is None:
            missing.append(f"{drawing.title}: {drawing.reason}")
        else:
            drawing.figure.set_dpi(_DPI)
            report.add_figure(drawing.figure, drawing.title, caption=drawing.caption, **where)
        advance(1)
    return missing
