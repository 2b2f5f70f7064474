"""What a reader sees of a figure: the texts that are drawn, where they are, and their sizes."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator
from unittest import mock

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

#: Smallest font (points) and largest width (inches) that are readable on a phone.
SMALLEST, WIDEST = 9, 8


def drawn_texts(figure):
    """Draw a figure, but for its pixels; return each text of it with its box in pixels."""
    found = []
    draw = Text.draw

    def record(self, renderer, *args, **kwargs):
        draw(self, renderer, *args, **kwargs)
        if self.get_visible() and self.get_text().strip():
            found.append((self, Text.get_window_extent(self, renderer)))

    FigureCanvasAgg(figure)
    with mock.patch.object(Text, "draw", record):
        figure.draw_without_rendering()
    return found


@contextlib.contextmanager
def blank_pictures() -> Iterator[None]:
    """Let figures be made, but saved as empty ones of their size: for what nobody looks at."""
    save = Figure.savefig

    def save_blank(self, *args, **kwargs):
        save(Figure(figsize=self.get_size_inches(), dpi=self.dpi), *args, **kwargs)

    with mock.patch.object(Figure, "savefig", save_blank):
        yield


def all_text(figure):
    """Everything that can be read in a figure, as one text, line breaks as spaces."""
    text = "\n".join(text.get_text() for text, _ in drawn_texts(figure))
    return text.replace("\n", " ").replace("\N{NO-BREAK SPACE}", " ")


def assert_readable(figure):
    """Fonts are large enough, nothing is cut off, and no text lies on another."""
    texts = drawn_texts(figure)
    assert texts
    assert figure.get_figwidth() <= WIDEST
    small = [text.get_text() for text, _ in texts if text.get_fontsize() < SMALLEST]
    assert small == [], f"too small: {small}"
    inside = figure.bbox.padded(1)  # rounding to pixels
    cut_off = [
        text.get_text()
        for text, box in texts
        if not (inside.contains(box.x0, box.y0) and inside.contains(box.x1, box.y1))
    ]
    assert cut_off == [], f"cut off: {cut_off}"
    overlaps = [
        (one.get_text(), other.get_text())
        for (one, box), (other, other_box) in itertools.combinations(texts, 2)
        if box.padded(-1).overlaps(other_box.padded(-1))
    ]
    assert overlaps == [], f"overlap: {overlaps}"


def legend_texts(figure_or_axes):
    """Entries of the legends of a figure or axes, in order."""
    legend = getattr(figure_or_axes, "get_legend", lambda: None)()
    legends = [legend] if legend else list(getattr(figure_or_axes, "legends", []))
    return [text.get_text() for legend in legends for text in legend.get_texts()]
