"""The package's source as pages with an address for each line, and the links to them.

A quoted line of code leads from its caption to its place in the module; an entry of the API leads
there by *[source]* (``sphinx.ext.linkcode``). Only modules that something leads to have a page.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator
from functools import reduce
from html import escape
from pathlib import Path
from typing import Any

from docutils import nodes
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

PACKAGE = Path(__file__).parents[1] / "mne_bstinv"
#: The folder of these pages in the site, and the way there from an entry of the API.
FOLDER, FROM_API = "source", "../../"

_wanted: set[str] = set()


def address_of(file: Path, line: int) -> str | None:
    """Return the address of a line, from the top of the site; ``None`` outside of the package."""
    if not file.is_relative_to(PACKAGE):
        return None
    module = file.relative_to(PACKAGE).as_posix()
    _wanted.add(module)
    return f"{FOLDER}/{module.removesuffix('.py')}.html#L-{line}"


def linkcode_resolve(domain: str, info: dict[str, str]) -> str | None:
    """Return the address of what an entry of the API documents, if it has lines of its own."""
    if domain != "py" or not info["module"]:
        return None
    try:
        module = importlib.import_module(info["module"])
        found: Any = reduce(getattr, info["fullname"].split("."), module)
        found = inspect.unwrap(getattr(found, "fget", None) or found)
        file, (_, line) = inspect.getsourcefile(found), inspect.getsourcelines(found)
    except (AttributeError, OSError, TypeError):  # fields and data
        return None
    address = address_of(Path(file), line) if file else None
    return FROM_API + address if address else None


def link_captions(app: Any, doctree: nodes.document, page: str) -> None:
    """Make the caption of each quoted line of code a link to it (event ``doctree-resolved``)."""
    up = "../" * page.count("/")
    for block in doctree.findall(nodes.literal_block):
        line = block.get("highlight_args", {}).get("linenostart", 1)
        address = address_of(Path(block.get("source") or "."), line)
        if address and isinstance(caption := block.parent[0], nodes.caption):
            link = nodes.reference("", "", *caption.children, refuri=up + address, internal=True)
            caption.children = []
            caption += link


def source_pages(app: Any) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Make the pages (event ``html-collect-pages``)."""
    shown = HtmlFormatter(linenos="inline", lineanchors="L", anchorlinenos=True)
    for module in sorted(_wanted):
        code = highlight((PACKAGE / module).read_text("utf-8"), PythonLexer(), shown)
        title = escape(f"mne_bstinv/{module}")
        context = {"title": title, "body": f"<h1>{title}</h1>\n{code}", "parents": []}
        yield f"{FOLDER}/{module.removesuffix('.py')}", context, "page.html"
