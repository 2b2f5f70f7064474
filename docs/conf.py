"""Sphinx configuration: offline, warnings are errors (make docs)."""

from __future__ import annotations

import importlib.util
import logging
import os
import runpy
import shutil
import sys
import tomllib
import warnings
from importlib.metadata import version as _version
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sphinx.application import Sphinx

DOCS = Path(__file__).parent
sys.path.insert(0, str(DOCS))  # the modules beside this file

import citations  # noqa: E402, F401 (registers the style author_year_round)
import page_outputs  # noqa: E402
import source_pages  # noqa: E402
from figure_scraper import scrape_figures  # noqa: E402
from make_inventories import SITES, write_inventories  # noqa: E402

project = "mne-bstinv"
author = "The mne_bstinv developers"
copyright = f"2026, {author}"  # noqa: A001 (Sphinx's name)
release = version = _version("mne-bstinv")

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.intersphinx",
    "sphinx.ext.linkcode",
    "sphinx.ext.mathjax",
    "numpydoc",
    "myst_parser",
    "sphinx_gallery.gen_gallery",
    "sphinxcontrib.bibtex",
]
exclude_patterns = ["_build", "_generated"]
templates_path = ["_templates"]
html_static_path = ["_static"]
html_css_files = ["css/site.css"]
html_js_files = ["js/full_size.js"]
# a page of its own, which draw_theory writes
html_extra_path = ["_generated/extra"]
(DOCS / "_generated" / "extra").mkdir(parents=True, exist_ok=True)
nitpicky = True
nitpick_ignore_regex = [
    # Fields of dataclasses are documented as parameters of the class: there is nothing to link to.
    ("py:attr", r".*"),
]

# The pages are built without a network, so the inventories of other sites cannot be fetched: those
# in use hold the few names that the pages link to, see make_inventories.py.
INVENTORIES = DOCS / "_generated" / "inventories"
write_inventories(INVENTORIES)
intersphinx_mapping = {name: (url, str(INVENTORIES / f"{name}.inv")) for name, url in SITES.items()}

# MathJax from the package sphinx-mathjax-offline, of which copy_mathjax takes what is needed: pages
# must not load anything from elsewhere.
mathjax_path = "mathjax/tex-chtml.js"

# Entries of the API lead to their lines of the source.
linkcode_resolve = source_pages.linkcode_resolve

# Papers are cited from one file, as “Dale et al. (2000)” in the text.
bibtex_bibfiles = ["references.bib"]
bibtex_default_style = "plain"
bibtex_reference_style = "author_year_round"
myst_enable_extensions = ["dollarmath", "amsmath"]
myst_heading_anchors = 3

autosummary_generate = True
autosummary_ignore_module_all = False
# Types are written in the docstrings, with shapes and units.
autodoc_typehints = "none"
autodoc_member_order = "bysource"
add_module_names = False
numpydoc_show_class_members = False
numpydoc_xref_param_type = False
# The checks of tests/test_docstrings.py, but for those that take comments of fields (``#:``) for
# docstrings.
_PYPROJECT = tomllib.loads((DOCS.parent / "pyproject.toml").read_text("utf-8"))
_CHECKS = _PYPROJECT["tool"]["numpydoc_validation"]["checks"]
numpydoc_validation_checks = {*_CHECKS, "PR01", "GL08", "SS06"}

html_theme = "pydata_sphinx_theme"
html_title = f"mne-bstinv {release}"
html_show_sourcelink = False
html_theme_options = {
    "logo": {"text": project},
    "header_links_before_dropdown": 7,
    "navbar_align": "left",
    "navbar_end": ["theme-switcher"],
    "secondary_sidebar_items": ["page-toc"],
    "show_prev_next": False,
}
# Pages without others below them need no list of these.
html_sidebars = {"index": [], "getting_started": []}

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    "within_subsection_order": "FileNameSortKey",
    "filename_pattern": r"\.py$",
    "doc_module": ("mne_bstinv",),
    "backreferences_dir": "auto_examples/uses",
    "reference_url": {"mne_bstinv": None},
    "image_scrapers": (scrape_figures,),
    "ignore_repr_types": r"matplotlib\.|list",
    "capture_repr": ("_repr_html_", "__repr__"),
    "abort_on_example_error": True,
    "plot_gallery": True,
    "remove_config_comments": True,
    "show_memory": False,
    # pages of run times, with a script of another site
    "write_computation_times": False,
    "download_all_examples": False,
    "nested_sections": False,
}
suppress_warnings = ["config.cache"]  # sphinx_gallery_conf holds no plain values

# An example that warns would show the warning to everybody; it fails instead.
warnings.filterwarnings("error", module=r"mne_bstinv(\..*)?$")
warnings.filterwarnings("error", message=r"Glyph \d+ .* missing from")  # boxes in figures
os.environ.setdefault("MPLBACKEND", "Agg")
# The log is for terminals; an example shows the report of a conversion.
os.environ.setdefault("MNE_LOGGING_LEVEL", "ERROR")
logging.getLogger("mne_bstinv").setLevel(logging.ERROR)
# So are progress bars.
os.environ.setdefault("TQDM_DISABLE", "1")


def compute_pages(app: Sphinx) -> None:
    """Draw the figures and compute the numbers that pages include."""
    for script in (
        "theory_figures.py",
        "theory_numbers.py",
        "by_hand_numbers.py",
        "inverse_numbers.py",
        "performance_figures.py",
        "make_cli.py",
    ):
        runpy.run_path(str(DOCS / script))["main"](DOCS / "_generated")
    write_sample_explorer(DOCS / "_generated" / "extra" / "explorer-of-sample.html")


def write_sample_explorer(page: Path) -> None:
    """Write the explorer of the sample study, with the sources that it was simulated with."""
    from mne_bstinv import datasets
    from mne_bstinv.explorer import Truth, write_explorer

    truth = [
        Truth(name=one.region, time=one.latency, vertex=one.vertex)
        for one in datasets.simulated_sources()
    ]
    write_explorer(page, datasets.load_sample(), data_types="MEG", truth=truth, overwrite=True)


def copy_mathjax(app: Sphinx, exception: Exception | None) -> None:
    """Copy MathJax's TeX input, HTML output and fonts (2 MB of 15) into the site."""
    if exception is not None or app.builder.format != "html":
        return
    spec = importlib.util.find_spec("sphinx-mathjax-offline")
    if spec is None or spec.origin is None:
        raise FileNotFoundError("MathJax is missing: install the package sphinx-mathjax-offline.")
    source = Path(spec.origin).parent / "static" / "mathjax"
    target = Path(app.outdir) / "_static" / "mathjax"
    target.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source / "tex-chtml.js", target)
    for folder in ("input/tex/extensions", "output/chtml/fonts/woff-v2"):
        shutil.copytree(source / folder, target / folder, dirs_exist_ok=True)


def setup(app: Sphinx) -> None:
    """Connect what is made at build time."""
    app.connect("builder-inited", compute_pages)
    app.connect("source-read", page_outputs.put_outputs)
    app.connect("doctree-resolved", source_pages.link_captions)
    app.connect("html-collect-pages", source_pages.source_pages)
    app.connect("build-finished", copy_mathjax)
