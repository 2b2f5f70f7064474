"""What is public: exported, documented, and on the API page."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import mne_bstinv

PAGES = Path(__file__).parents[1] / "docs" / "api"
MODULES = [
    "mne_bstinv",
    "mne_bstinv.adapters",
    "mne_bstinv.anatomy",
    "mne_bstinv.compare",
    "mne_bstinv.conversion_files",
    "mne_bstinv.cross_validation",
    "mne_bstinv.derived",
    "mne_bstinv.explorer",
    "mne_bstinv.datasets",
    "mne_bstinv.errors",
    "mne_bstinv.export",
    "mne_bstinv.inverse",
    "mne_bstinv.io",
    "mne_bstinv.maps",
    "mne_bstinv.plots",
    "mne_bstinv.port",
    "mne_bstinv.report",
    "mne_bstinv.studies",
    "mne_bstinv.verification",
    "mne_bstinv.workflow",
]


def listed(text: str) -> set[str]:
    """Dotted names that an API page lists: autosummary entries, data and whole modules."""
    module, names, in_summary = "", set(), False
    for line in text.splitlines():
        directive = re.match(r"\.\. (\w+):: ?(\S*)$", line)
        if directive:
            kind, argument = directive.groups()
            in_summary = kind == "autosummary"
            if kind == "currentmodule":
                module = argument
            elif kind == "automodule":
                names.add(argument)
            elif kind == "data":
                names.add(f"{module}.{argument}")
        elif in_summary and re.match(r" +[A-Za-z_]\w*$", line):
            names.add(f"{module}.{line.strip()}")
    return names


@pytest.fixture(scope="module")
def documented() -> set[str]:
    """All names of all API pages."""
    if not PAGES.is_dir():
        pytest.skip("the documentation is not part of this copy")
    return {name for page in PAGES.glob("*.rst") for name in listed(page.read_text("utf-8"))}


def test_the_page_lists_exactly_what_the_package_exports(documented: set[str]) -> None:
    below = {f"{module}." for module in MODULES[1:]}
    of_package = {name for name in documented if not name.startswith(tuple(below))}
    exported = {f"mne_bstinv.{name}" for name in mne_bstinv.__all__}
    modules = set(MODULES)  # a module may have a section without being exported
    assert of_package - modules == exported - modules
    assert exported & modules <= documented


@pytest.mark.parametrize("module", MODULES[1:])
def test_the_page_lists_each_module(module: str, documented: set[str]) -> None:
    top = {id(getattr(mne_bstinv, name)) for name in mne_bstinv.__all__}
    names = importlib.import_module(module).__all__
    expected = {
        f"{module}.{name}"
        for name in names
        if id(getattr(importlib.import_module(module), name)) not in top
    }
    assert {name for name in documented if name.startswith(f"{module}.")} == expected


@pytest.mark.parametrize("module", MODULES)
def test_public_names_can_be_imported_and_are_documented(module: str) -> None:
    for name in importlib.import_module(module).__all__:
        value = getattr(importlib.import_module(module), name)
        if not isinstance(value, str):  # __version__
            assert inspect.getdoc(value), name
        if not isinstance(value, str | ModuleType):
            assert value.__doc__, name
            assert value.__module__.startswith("mne_bstinv"), name


def test_what_is_loaded_late_is_what_types_are_checked_of() -> None:
    tree = ast.parse(Path(mne_bstinv.__file__).with_suffix(".pyi").read_text("utf-8"))
    (stub,) = (
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
    )
    assert sorted(stub) == mne_bstinv.__all__


def test_modules_are_attributes_without_an_import() -> None:
    names = [module.removeprefix("mne_bstinv.") for module in MODULES[1:]]
    code = f"import mne_bstinv\nfor name in {names}: getattr(mne_bstinv, name).__all__"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
    assert set(names) <= set(dir(mne_bstinv))


@pytest.mark.parametrize("module", MODULES)
def test_names_are_listed_once(module: str) -> None:
    names = importlib.import_module(module).__all__
    assert len(names) == len(set(names))


def test_every_error_is_an_error_of_the_package_and_a_builtin() -> None:
    for name in mne_bstinv.errors.__all__:
        error = getattr(mne_bstinv.errors, name)
        assert issubclass(error, mne_bstinv.errors.BstInvError)
        if name != "BstInvError":
            assert any(base.__module__ == "builtins" for base in error.__bases__)


def test_entries_of_a_page_are_read() -> None:
    page = """
.. currentmodule:: a

.. autosummary::
   :toctree: generated/

   f
   C

Text of a section.

.. data:: VERSION

   not_an_entry

.. automodule:: a.b
   :no-members:

.. currentmodule:: a.b

.. autosummary::

   g
"""
    assert listed(page) == {"a.f", "a.C", "a.VERSION", "a.b", "a.b.g"}
