"""Docstrings of the public functions, classes and methods, by numpydoc's checks."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import tomllib
from pathlib import Path
from types import FunctionType

import pytest
from numpydoc.validate import ERROR_MSGS, validate

MODULES = [
    "adapters",
    "anatomy",
    "cli",
    "compare",
    "conversion_files",
    "cross_validation",
    "datasets",
    "errors",
    "export",
    "inverse",
    "io",
    "maps",
    "plots",
    "port",
    "report",
    "studies",
    "verification",
    "workflow",
]


def checks() -> set[str]:
    """The checks in use: all but the ones that pyproject.toml names."""
    pyproject = Path(__file__).parents[1] / "pyproject.toml"
    if not pyproject.is_file():
        return set()
    listed = tomllib.loads(pyproject.read_text("utf-8"))["tool"]["numpydoc_validation"]["checks"]
    return set(ERROR_MSGS) - set(listed) if "all" in listed else set(listed)


def public_names() -> list[str]:
    """Dotted names of all public functions and classes, and of the public methods of classes."""
    names = []
    for short in MODULES:
        module = importlib.import_module(f"mne_bstinv.{short}")
        for name in module.__all__:
            value = getattr(module, name)
            names.append(f"{module.__name__}.{name}")
            if inspect.isclass(value):
                names += [
                    f"{module.__name__}.{name}.{member}"
                    for member, of in vars(value).items()
                    if not member.startswith("_")
                    and isinstance(of, property | classmethod | staticmethod | FunctionType)
                ]
    return names


@pytest.mark.parametrize("name", public_names())
def test_docstring(name: str) -> None:
    errors = {code: text for code, text in validate(name)["errors"] if code in checks()}
    if describes_its_fields(name):
        errors.pop("PR01", None)
    assert errors == {}


def describes_its_fields(name: str) -> bool:
    """Whether a dataclass describes its parameters where they are declared, by ``#:`` comments."""
    module, _, attribute = name.rpartition(".")
    try:
        value = getattr(importlib.import_module(module), attribute)
    except ModuleNotFoundError:  # a method
        return False
    return dataclasses.is_dataclass(value) and "    #: " in inspect.getsource(value)
