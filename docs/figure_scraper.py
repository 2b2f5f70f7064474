"""Put the figures of an example into its page.

The package's figures are plain ``matplotlib.figure.Figure`` objects, which pyplot, where
sphinx-gallery looks for figures, does not know.
"""

from __future__ import annotations

from typing import Any

from matplotlib.figure import Figure
from sphinx_gallery.scrapers import figure_rst

__all__ = ["scrape_figures"]

#: Sharp on screens with twice the pixels.
_DPI = 120


def scrape_figures(block: Any, block_vars: dict[str, Any], gallery_conf: dict[str, Any]) -> str:
    """Save the figures that a block of an example has made.

    Parameters
    ----------
    block : tuple
        The block.
    block_vars : dict
        What sphinx-gallery knows of the block, with the example's variables.
    gallery_conf : dict
        Sphinx-gallery's configuration.

    Returns
    -------
    str
        reStructuredText that shows the figures.
    """
    files, titles = [], []
    for name, value in block_vars["example_globals"].items():
        if isinstance(value, Figure) and not name.startswith("_") and not _done(value):
            files.append(next(block_vars["image_path_iterator"]))
            titles.append(_alternative(value))
            value.savefig(files[-1], dpi=_DPI)
    return figure_rst(files, gallery_conf["src_dir"], "; ".join(titles))


def _alternative(figure: Figure) -> str:
    """Say what a figure shows, for those who do not see it: its titles and axes."""
    said = [figure.get_suptitle()]
    for axes in figure.get_axes():
        labels = [axes.get_ylabel(), axes.get_xlabel()]
        said += [axes.get_title(), " over ".join(label for label in labels if label)]
    said = [" ".join(text.split()) for text in dict.fromkeys(said) if text.strip()]
    return "; ".join(said) or "figure"


def _done(figure: Figure) -> bool:
    """Say whether a figure was saved before, and note that it is now."""
    done = getattr(figure, "_in_the_gallery", False)
    figure._in_the_gallery = True  # type: ignore[attr-defined]
    return bool(done)
