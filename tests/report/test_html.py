"""The page."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from plots_helpers import blank_pictures

from mne_bstinv.errors import MissingFileError, OptionError, OverwriteError
from mne_bstinv.report import reproduction_code, write_report
from mne_bstinv.report.figures import FIGURES

#: What makes a browser ask for something else: element → attribute.
ASKING = {"link": "href", "script": "src", "img": "src", "iframe": "src", "source": "src"}


class Page(HTMLParser):
    """Collects what a page asks for, its elements, its styles and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.asked: list[str] = []
        self.elements: list[str] = []
        self.styles: list[str] = []
        self._words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.elements.append(f"{tag}.{given.get('class', '')}")
        if ASKING.get(tag) in given:
            self.asked.append(given[ASKING[tag]])
        if "style" in given:
            self.styles.append(given["style"])

    def handle_data(self, data):
        if self.cdata_elem == "style":
            self.styles.append(data)
        elif self.cdata_elem is None:
            self._words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self._words).split())


@pytest.fixture(scope="module")
def page_of_one(fixed, tmp_path_factory):
    target = tmp_path_factory.mktemp("report") / "one.html"
    with blank_pictures():  # the page of two has others
        assert write_report(target, fixed, load="datasets.load_sample()") == target
    return target.read_text(encoding="utf-8")


def test_the_verdict_comes_first(page_of_one, fixed):
    text = Page(page_of_one).text
    order = [
        "Brainstorm ↔ MNE-Python: Subject01/evoked",
        f"✓ {fixed.verdict}",
        "MNE, told the same measure",
        "exp 0.8, limit 10, spectral, gradiometers if any",
        f"Unexplained: {fixed.attribution.remainder_start:.1e} at Brainstorm's end, ",
        "MNE as set against Brainstorm",
        "MNE told the same against Brainstorm",
        "dropped NoiseCov rows of zeros",
    ]
    places = [*(text.index(words) for words in order), text.rindex("mne-bstinv")]
    assert places == sorted(places)


def test_everything_is_in_it(page_of_one, fixed):
    page = Page(page_of_one)
    text = page.text
    for declared in FIGURES:
        assert f"{declared.title} MNE {declared.caption}" in text
    assert len([url for url in page.asked if url.startswith("data:image/png")]) == 10  # and a logo
    code = reproduction_code(fixed, load="datasets.load_sample()")
    assert " ".join(code.split()) in text
    assert "equivalent.prepare(evoked), inverse," in text
    assert "not apply" not in text.split("Table of contents")[1].split("Verdict summary")[0]


def test_nothing_is_asked_of_the_network(page_of_two):
    page = Page(page_of_two)
    assert [url[:60] for url in page.asked if not url.startswith("data:")] == []
    assert len(page.asked) > len(FIGURES)
    styles = " ".join(page.styles)
    urls = re.findall(r"url\(\s*['\"]?([^'\")]{1,40})", styles)
    assert [url for url in urls if not url.startswith(("data:", "#"))] == []
    assert len(urls) > 1  # the icons of MNE's pages
    assert "@import" not in styles


def test_it_fits_a_phone(page_of_one):
    assert "viewport.content = 'width=device-width, initial-scale=1'" in page_of_one
    # every table can be scrolled by itself
    # a table may have a style and a title of its own before it
    elements = [e for e in Page(page_of_one).elements if e not in ("style.", "p.")]
    places = [place for place, element in enumerate(elements) if element.startswith("table.")]
    assert len(places) > 5
    assert {elements[place - 1] for place in places} == {"div.bstinv-table"}


def test_several_have_a_section_each(page_of_two, fixed, statistical):
    text = Page(page_of_two).text
    contents = text.split("Table of contents")[1]
    assert contents.startswith(
        " Verdict MNE fixed MEG sLORETA free EEG What conversions lost Versions "
    )
    assert contents.index(fixed.verdict) < contents.index(statistical.verdict)
    assert "sLORETA free EEG not comparable" in text  # the overview
    assert "Sensor-level fit: sLORETA is a statistical map" in text
    # what both kernels have in common is told once
    assert text.count("rows of zeros, no covariance was computed") == 1


def test_each_section_has_a_name_of_its_own(fixed, statistical, volume):
    from mne_bstinv.report.html import _labelled

    assert list(_labelled([fixed, fixed, statistical, fixed])) == [
        "MNE fixed MEG", "MNE fixed MEG (2)", "sLORETA free EEG", "MNE fixed MEG (3)",
    ]  # fmt: skip
    assert list(_labelled([fixed, volume])) == [
        "Subject01/evoked: MNE fixed MEG", "Subject01/oddball: MNE free EEG",
    ]  # fmt: skip


def test_not_comparable_says_why(page_of_two, statistical):
    text = Page(page_of_two).text
    assert "Class: not comparable." in text
    assert statistical.equivalent.reason in text


def test_a_file_is_not_replaced_unasked(fixed, tmp_path):
    target = tmp_path / "report.html"
    target.write_text("mine")
    with pytest.raises(OverwriteError, match=r"report.html: exists already; use overwrite=True"):
        write_report(target, fixed)
    assert target.read_text() == "mine"


def test_a_report_is_there_whole_or_not_at_all(fixed, tmp_path, monkeypatch):
    import mne

    target = tmp_path / "report.html"
    target.write_text("earlier")

    def half(self, fname, **_):
        fname.write_text("<html>")
        raise OSError("disk full")

    monkeypatch.setattr(mne.Report, "save", half)
    monkeypatch.setattr("mne_bstinv.report.html.FIGURES", ())
    monkeypatch.setattr("mne_bstinv.report.html.draw", lambda _: iter([]))
    monkeypatch.setattr("mne_bstinv.report.html._add", lambda *_: None)
    with pytest.raises(OSError, match="disk full"):
        write_report(target, fixed, overwrite=True)
    assert [file.name for file in tmp_path.iterdir()] == ["report.html"]
    assert target.read_text() == "earlier"


def test_names_that_no_report_can_have(fixed, tmp_path):
    with pytest.raises(OptionError, match=r"must end in .html, found '.h5'"):
        write_report(tmp_path / "report.h5", fixed)
    with pytest.raises(MissingFileError, match=r"nowhere: no such folder\. Make it"):
        write_report(tmp_path / "nowhere" / "report.html", fixed)
    with pytest.raises(OptionError, match="no cross-validation to report"):
        write_report(tmp_path / "report.html", [])
    assert list(tmp_path.iterdir()) == []
