"""Docstrings: numpydoc of what is public or leaves its room, one sentence of the rest."""

from __future__ import annotations

import ast
import dataclasses
import importlib
import inspect
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType
from typing import Any

import pytest
from numpydoc.validate import ERROR_MSGS, validate

import mne_bstinv

ROOT = Path(mne_bstinv.__file__).parent

#: What leaves these, by their ``__all__``, is documented in full: stations, and rooms of adapters.
FACES = [
    "adapters",
    "adapters.anatomy",
    "adapters.equivalence",
    "adapters.files",
    "adapters.operators",
    "adapters.recordings",
    "adapters.sensors",
    "adapters.sources",
    "anatomy",
    "cli",
    "compare",
    "conversion",
    "conversion_files",
    "cross_validation",
    "derived",
    "datasets",
    "errors",
    "explorer",
    "export",
    "frames",
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

#: Most lines of the docstring of what stays in its room: a sentence, and what else must be known.
MOST_LINES = 8


def checks() -> set[str]:
    """The checks in use: all but the ones that pyproject.toml names."""
    pyproject = Path(__file__).parents[1] / "pyproject.toml"
    if not pyproject.is_file():
        return set()
    listed = tomllib.loads(pyproject.read_text("utf-8"))["tool"]["numpydoc_validation"]["checks"]
    return set(ERROR_MSGS) - set(listed) if "all" in listed else set(listed)


def leaving() -> Iterator[tuple[str, Any]]:
    """Yield the functions and classes that leave a station or a room, with their dotted names."""
    for short in FACES:
        module = importlib.import_module(f"mne_bstinv.{short}")
        for name in module.__all__:
            value = getattr(module, name)
            if inspect.isclass(value) or isinstance(value, FunctionType):
                yield f"{module.__name__}.{name}", value


def classes_of(value: Any) -> list[type]:
    """Return a class with those of the package that it inherits its public methods from."""
    mine = inspect.getmro(value) if inspect.isclass(value) else ()
    return [one for one in mine if one.__module__.startswith("mne_bstinv.")]


def public_names() -> list[str]:
    """Dotted names of all public functions and classes, and of the public methods of classes."""
    names: dict[Any, str] = {}
    for dotted, value in leaving():
        names.setdefault(value, dotted)
        members = {
            member: of for owner in classes_of(value)[::-1] for member, of in vars(owner).items()
        }
        for member, of in members.items():
            if not member.startswith("_") and isinstance(
                of, property | classmethod | staticmethod | FunctionType
            ):
                names.setdefault(of, f"{dotted}.{member}")
    return list(names.values())


def test_docstrings_of_what_is_public() -> None:
    wanted = checks()
    found = {name: faults(name, wanted) for name in public_names()}
    assert {name: errors for name, errors in found.items() if errors} == {}


def faults(name: str, wanted: set[str]) -> dict[str, str]:
    """Return what numpydoc finds in a docstring, of the checks that are wanted."""
    errors = {code: text for code, text in validate(name)["errors"] if code in wanted}
    if describes_its_fields(name):
        errors.pop("PR01", None)
    return errors


def describes_its_fields(name: str) -> bool:
    """Whether a dataclass has ``#:`` comments by its fields, or a protocol has no constructor."""
    module, _, attribute = name.rpartition(".")
    try:
        value = getattr(importlib.import_module(module), attribute)
    except ModuleNotFoundError:  # a method
        return False
    has_comments = dataclasses.is_dataclass(value) and "    #: " in inspect.getsource(value)
    return has_comments or getattr(value, "_is_protocol", False)


def in_full() -> set[str]:
    """Places (module and qualified name) of what is documented in full, methods by their class."""
    values = [value for _, value in leaving()]
    owners = [owner for value in values for owner in classes_of(value)]
    return {f"{one.__module__}.{inspect.unwrap(one).__qualname__}" for one in [*values, *owners]}


def docstrings(source: str, module: str) -> Iterator[tuple[str, str]]:
    """Yield places and docstrings of the functions and classes of a module, methods included."""
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            parts = [node] if isinstance(node, ast.FunctionDef) else [node, *node.body]
            for part in parts:
                if isinstance(part, ast.FunctionDef | ast.ClassDef):
                    yield f"{module}.{node.name}", ast.get_docstring(part) or ""


def too_long(docstring: str) -> bool:
    """Whether a docstring has sections, or more than a paragraph beside its sentence."""
    has_sections = re.search(r"^-{3,}$", docstring, flags=re.MULTILINE)
    return bool(has_sections) or len(docstring.splitlines()) > MOST_LINES


def test_what_stays_in_its_room_has_one_sentence() -> None:
    full = in_full()
    assert [place for place, text in of_all_modules() if place not in full and too_long(text)] == []


def of_all_modules() -> Iterator[tuple[str, str]]:
    """Yield places and docstrings of the functions and classes of the package."""
    for path in sorted(ROOT.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        module = ".".join(["mne_bstinv", *(part for part in parts if part != "__init__")])
        yield from docstrings(path.read_text("utf-8"), module)


@pytest.mark.parametrize(
    ("source", "wrong"),
    [
        ('def f():\n    """Do.\n\n    Returns\n    -------\n    int\n        One.\n    """', True),
        ('def f():\n    """Do it; (n, 3), m."""', False),
        ('def f():\n    """Do it.\n\n    It is ``a``; None without.\n    """', False),
        (
            'class C:\n    def f(self):\n        """Do.\n\n        Notes\n        ---\n        """',
            True,
        ),
        ("def f():\n    pass", False),
    ],
)
def test_a_long_docstring_is_found(source: str, wrong: bool) -> None:
    assert any(too_long(text) for _, text in docstrings(source, "m")) == wrong
