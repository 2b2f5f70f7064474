"""Sphinx configuration: offline, warnings are errors (make docs)."""

from __future__ import annotations

from importlib.metadata import version as _version

project = "mne-bstinv"
author = "The mne_bstinv developers"
copyright = f"2026, {author}"  # noqa: A001 (Sphinx's name)
release = version = _version("mne-bstinv")

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "numpydoc",
    "myst_parser",
]
exclude_patterns = ["_build"]
templates_path = ["_templates"]
html_static_path = ["_static"]
nitpicky = True
nitpick_ignore_regex = [
    # Fields of dataclasses are documented as parameters of the class: there is nothing to link to.
    ("py:attr", r".*"),
    # The pages are built offline, without the index of MNE-Python's documentation.
    ("py:.*", r"mne\..*"),
]

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

html_theme = "pydata_sphinx_theme"
html_title = f"mne-bstinv {release}"
html_theme_options = {
    "navbar_end": ["theme-switcher"],
    "secondary_sidebar_items": ["page-toc"],
    "show_prev_next": False,
}
