"""Check a built site: every link inside it resolves, and no page loads anything from elsewhere.

Usage: ``python docs/check_links.py docs/_build/html``.
"""

from __future__ import annotations

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

#: Attributes that name another file; those of the first kind are loaded with the page.
_LOADED = {"script": "src", "img": "src", "source": "src", "iframe": "src", "video": "src"}
#: ``link`` elements that are loaded.
_LOADED_LINKS = {"stylesheet", "icon", "preload", "modulepreload", "shortcut icon"}


class Page(HTMLParser):
    """The links and the anchors of a page.

    Parameters
    ----------
    text : str
        The HTML.

    Attributes
    ----------
    links : list of str
        Addresses of other pages and files.
    loaded : list of str
        Addresses of what is shown with the page.
    anchors : set of str
        Names that a link to this page may end with.
    """

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect what an element links to.

        Parameters
        ----------
        tag : str
            The element.
        attrs : list of tuple
            Its attributes.
        """
        values = {name: value for name, value in attrs if value is not None}
        self.anchors.update(values[name] for name in ("id", "name") if name in values)
        if tag == "a" and "href" in values:
            self.links.append(values["href"])
        elif tag == "link" and values.get("rel", "") in _LOADED_LINKS:
            self.loaded.append(values["href"])
        elif tag in _LOADED and _LOADED[tag] in values:
            self.loaded.append(values[_LOADED[tag]])


def broken(site: Path) -> list[str]:
    """Find what is broken in a site.

    Parameters
    ----------
    site : Path
        Folder of the built pages.

    Returns
    -------
    list of str
        One sentence a broken link, or a file that is loaded from another site.
    """
    site = site.resolve()
    files = [p for p in site.rglob("*.html") if "_static" not in p.parts]  # the theme's template
    pages = {path: Page(path.read_text("utf-8")) for path in files}
    faults = [] if pages else [f"{site}: no page (*.html)"]
    for path, page in pages.items():
        name = path.relative_to(site)
        faults += [
            f"{name}: loads {address} from another site"
            for address in page.loaded
            if urlsplit(address).netloc
        ]
        faults += [
            f"{name}: {address} does not exist"
            for address in [*page.links, *page.loaded]
            if not _resolves(address, path, pages)
        ]
    return sorted(set(faults))


def _resolves(address: str, path: Path, pages: dict[Path, Page]) -> bool:
    """Say whether an address inside the site exists; others are taken for granted."""
    parts = urlsplit(address)
    if parts.scheme or parts.netloc:
        return True
    target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
    if target.is_dir():
        target /= "index.html"
    if target in pages:
        anchor = unquote(parts.fragment)
        return not anchor or anchor in pages[target].anchors
    return target.is_file()


if __name__ == "__main__":
    found = broken(Path(sys.argv[1]))
    print("\n".join(found) or f"{sys.argv[1]}: every link resolves")
    sys.exit(bool(found))
