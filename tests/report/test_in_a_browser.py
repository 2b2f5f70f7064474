"""The page in a real browser: no error, no missing picture, no request that leaves it."""

from __future__ import annotations

import pytest
from chromium import heard_in

pytestmark = pytest.mark.slow

#: Written into the page first of all, so that it hears everything; it leaves what it heard in the
#: document, which the browser prints.
LISTENER = """<script>
const heard = {errors: []};
for (const kind of ['error', 'warn'])
  console[kind] = (...words) => heard.errors.push(words.join(' '));
window.addEventListener('error',
  (event) => heard.errors.push(event.message || event.target.outerHTML.slice(0, 90)), true);
window.addEventListener('unhandledrejection', (event) => heard.errors.push(String(event.reason)));
window.addEventListener('load', () => setTimeout(() => {
  window.dispatchEvent(new Event('resize'));
  document.querySelectorAll('.accordion-collapse:not(.show)')
    .forEach((part) => part.classList.add('show'));
  document.querySelectorAll('#toc-navbar a').forEach((link) => link.click());
  for (const figure of document.querySelectorAll('img.figure-img')) {
    const before = figure.getBoundingClientRect().width;
    figure.click();
    heard.enlarged = figure.getBoundingClientRect().width - before;
  }
  heard.pictures = document.images.length;
  heard.broken = [...document.images]
    .filter((image) => !(image.complete && image.naturalWidth)).length;
  heard.requests = performance.getEntriesByType('resource').map((entry) => entry.name);
  heard.toowide = document.documentElement.scrollWidth - window.innerWidth;
  heard.contents = getComputedStyle(document.querySelector('#toc') || document.body).display;
  document.documentElement.dataset.heard = JSON.stringify(heard);
}, 200));
</script>"""


def heard_by(browser, text, folder, width):
    """Load a page in a window and return what the listener heard."""
    page, head = folder / "page.html", "<head>"
    assert head in text
    page.write_text(text.replace(head, head + LISTENER, 1), encoding="utf-8")
    return heard_in(browser, page, width, budget=10000)


@pytest.mark.parametrize(("width", "contents"), [(1280, "block"), (500, "none")])
def test_page(browser, page_of_two, tmp_path, width, contents):
    heard = heard_by(browser, page_of_two, tmp_path, width)
    assert heard["errors"] == []
    assert heard["pictures"] == 18  # nine figures, eight figures, the logo
    assert heard["broken"] == 0
    assert heard["requests"] == []
    assert heard["enlarged"] > 100
    assert heard["toowide"] <= 0
    assert heard["contents"] == contents


def test_a_bad_page_is_heard(browser, tmp_path):
    bad = """<html><head></head><body><div style="width: 3000px">
    <script>console.error('said'); missing();</script>
    <img src="http://127.0.0.1:9/nowhere.png"></div></body></html>"""
    heard = heard_by(browser, bad, tmp_path, 500)
    assert heard["errors"][0] == "said"
    assert "missing is not defined" in heard["errors"][1]
    assert "nowhere.png" in heard["errors"][2]
    assert heard["broken"] == 1
    assert heard["requests"] == ["http://127.0.0.1:9/nowhere.png"]
    assert heard["toowide"] > 0
