"""The arrows between the stations of the package point down, and MNE stays in one place."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

import mne_bstinv

PACKAGE = "mne_bstinv"
ROOT = Path(mne_bstinv.__file__).parent
#: The modules, relative to the package.
PATHS = sorted(path.relative_to(ROOT) for path in [*ROOT.rglob("*.py"), ROOT / "__init__.pyi"])

#: What each station (module or subpackage) may import of the others.
MAY_IMPORT: dict[str, set[str]] = {
    "errors": set(),
    "_interruption": set(),
    "_log": set(),
    "_display": set(),
    "_types": set(),
    "_data_types": set(),
    "_verdicts": set(),
    "_versions": set(),
    "_arguments": {"errors"},
    "_temporary": {"errors"},
    "io": {"errors", "conversion"},
    "inverse": {"errors"},
    "continuous": {"errors", "io", "inverse"},
    "maps": {"errors", "inverse", "anatomy"},
    "derived": {"errors", "io", "inverse", "continuous", "maps", "studies"},
    "anatomy": {"errors"},
    "frames": {"errors"},
    "conversion": {"errors"},
    "studies": {"errors", "io", "anatomy", "conversion", "frames"},
    "adapters": {
        "errors", "io", "inverse", "continuous", "maps", "anatomy", "frames", "conversion",
        "studies", "_log",
    },
    "compare": {"errors", "inverse"},
    "datasets": {"errors", "io", "studies", "adapters"},
    "verification": {
        "errors", "io", "inverse", "compare", "conversion", "studies", "derived", "adapters",
        "_log",
    },
    "plots": {"errors", "anatomy"},
    "cross_validation": {
        "errors", "io", "inverse", "maps", "conversion", "studies", "adapters", "compare",
        "_log",
    },
    "report": {
        "errors", "io", "inverse", "anatomy", "conversion", "studies", "adapters", "compare",
        "cross_validation", "plots", "_interruption",
    },
    "explorer": {"errors", "io", "inverse", "studies", "adapters"},
    "export": {
        "errors", "io", "inverse", "anatomy", "frames", "conversion", "adapters", "studies",
    },
    "conversion_files": {
        "errors", "io", "frames", "conversion", "adapters", "studies", "export",
    },
    "workflow": {"errors", "io", "inverse", "conversion", "adapters", "studies", "_log"},
    "port": {
        "errors", "io", "conversion", "adapters", "studies", "verification", "workflow", "_log",
    },
}  # fmt: skip
#: The top of the package: these may import every station below.
TOP = {
    "__init__": set(MAY_IMPORT),
    "cli": {*MAY_IMPORT, "__init__"},
    "__main__": {"cli"},
}
#: The lowest stations, for all: what objects show themselves with, the types of arrays and of
#: channels, and the releases at work.
SHARED = {"_arguments", "_data_types", "_display", "_temporary", "_types", "_verdicts", "_versions"}
ALLOWED = {station: may | SHARED for station, may in (MAY_IMPORT | TOP).items()}
#: Declares what conversions keep: its types are those of the rooms, which import it.
NAMES_TYPES_OF_ROOMS = "mne_bstinv.adapters.kept"
#: The only stations that may import MNE (report for mne.Report), and the only module that may use
#: its private names.
MAY_IMPORT_MNE = {"adapters", "report"}
PRIVATE_MNE_ROOM = Path("adapters/_mne_private.py")
#: The room is the privacy; what is private of MNE is the exception, and says so by its name.
ALLOWED_PRIVATE = {"__init__", "_mne_private"}


def imported(tree: ast.AST, module: str) -> Iterator[str]:
    """Yield the absolute dotted names that a module imports; ``from a import b`` is ``a.b``."""
    parents = module.split(".")
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = parents[: len(parents) - node.level] if node.level else []
            source = ".".join([*base, *([node.module] if node.module else [])])
            yield from (f"{source}.{alias.name}" for alias in node.names)


def station_of(name: str) -> str:
    """Station of a dotted name of the package; ``__init__`` for a name of the package itself."""
    parts = name.split(".")
    if len(parts) > 1 and ((ROOT / parts[1]).is_dir() or (ROOT / f"{parts[1]}.py").is_file()):
        return parts[1]
    return "__init__"


def wrong_arrows(tree: ast.AST, path: Path) -> list[str]:
    """Imports of a module (path relative to the package) that its station may not make."""
    # the file itself is the last part, so that one level of a relative import takes it away
    module = module_of(path)
    station = path.with_suffix("").parts[0]
    wrong = []
    for name in imported(tree, module):
        top = name.split(".")[0]
        if top == PACKAGE:
            target = station_of(name)
            if target != station and target not in ALLOWED[station]:
                wrong.append(f"{station} imports {name}")
        elif top == "mne" and station not in MAY_IMPORT_MNE:
            wrong.append(f"{station} imports {name}")
    return wrong


def private_mne_names(tree: ast.AST) -> list[str]:
    """Private names of MNE that a module imports or reaches through attributes."""
    found = [name for name in imported(tree, PACKAGE) if name.split(".")[0] == "mne"]
    aliases = {"mne": "mne"}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            aliases |= {a.asname: a.name for a in node.names if a.asname}
        elif isinstance(node, ast.ImportFrom) and node.module:
            aliases |= {a.asname or a.name: f"{node.module}.{a.name}" for a in node.names}
        elif isinstance(node, ast.Attribute):
            found.append(ast.unparse(node))
    absolute = []
    for name in found:
        first, _, rest = name.partition(".")
        absolute.append(".".join(part for part in (aliases.get(first, first), rest) if part))
    return [
        name
        for name in dict.fromkeys(absolute)
        if name.split(".")[0] == "mne"
        and any(part.startswith("_") and not part.endswith("__") for part in name.split("."))
    ]


def foreign_privates(tree: ast.AST, module: str) -> list[str]:
    """Underscore names and modules that a module imports of a package that it is not in."""
    found = []
    for name in imported(tree, module):
        parts = name.split(".")
        for place, part in enumerate(parts):
            if parts[0] != PACKAGE or not part.startswith("_") or part.endswith("__"):
                continue
            owner = parts[:place]
            inside = module.split(".")[: len(owner)] == owner
            if not (inside and ROOT.parent.joinpath(*owner).is_dir()):
                found.append(name)
    return found


def needed(tree: ast.AST, path: Path) -> set[str]:
    """Modules of the package that a module imports anywhere: late and for types only, too."""
    module = module_of(path)
    found = set()
    for name in imported(tree, module):
        inside = Path(*name.split(".")[1:]) if name.startswith(f"{PACKAGE}.") else Path()
        for place in (inside, inside.parent):
            if place.parts and (ROOT / place.with_suffix(".py")).is_file():
                found.add(module_of(place))
                break
            if place.parts and (ROOT / place / "__init__.py").is_file():
                found.add(module_of(place / "__init__"))
                break
    return found - {module}


def circle(arrows: dict[str, set[str]]) -> list[str]:
    """Return the modules that need each other, by taking away those that need or serve no other."""
    left = {module: set(needs) for module, needs in arrows.items()}
    while free := {module for module, needs in left.items() if not needs & set(left)}:
        left = {module: needs for module, needs in left.items() if module not in free}
    while unneeded := set(left) - {need for needs in left.values() for need in needs}:
        left = {module: needs for module, needs in left.items() if module not in unneeded}
    return sorted(left)


def module_of(path: Path) -> str:
    """Dotted name of a path relative to the package; of a package, with ``__init__``."""
    return ".".join([PACKAGE, *path.with_suffix("").parts])


def eager_imports(tree: ast.Module, package: str) -> list[str]:
    """Imports of a package that run when the module is imported."""
    eager, pending = [], list(tree.body)
    while pending:
        node = pending.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            pending += node.orelse
            continue
        eager += [
            name
            for name in (imported(node, PACKAGE) if isinstance(node, ast.stmt) else ())
            if isinstance(node, ast.Import | ast.ImportFrom) and name.split(".")[0] == package
        ]
        pending += list(ast.iter_child_nodes(node))
    return eager


#: What a module may not do: a tree and its path relative to the package → what is wrong.
RULES: dict[str, Callable[[ast.Module, Path], list[str]]] = {
    "arrows": wrong_arrows,
    "names of mne": lambda tree, path: [] if path == PRIVATE_MNE_ROOM else private_mne_names(tree),
    "underscores": lambda tree, path: foreign_privates(tree, module_of(path)),
    "early": lambda tree, _: [
        name for package in ("matplotlib", "mpl_toolkits") for name in eager_imports(tree, package)
    ],
}


class Found(NamedTuple):
    """What all modules of the package import, each read once."""

    #: What is wrong, of each rule and module.
    wrong: dict[str, dict[str, list[str]]]
    #: The modules that each module needs.
    arrows: dict[str, set[str]]


@pytest.fixture(scope="module")
def found() -> Found:
    of_all = Found({rule: {} for rule in RULES}, {})
    for path in PATHS:
        tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
        of_all.arrows[module_of(path)] = needed(tree, path)
        for rule, of_module in of_all.wrong.items():
            if wrong := RULES[rule](tree, path):
                of_module[path.as_posix()] = wrong
    return of_all


def test_each_station_says_what_it_may_import() -> None:
    assert {path.with_suffix("").parts[0] for path in PATHS} <= set(ALLOWED)


def test_arrows_point_down(found: Found) -> None:
    assert found.wrong["arrows"] == {}


def test_private_names_of_mne_are_in_one_module(found: Found) -> None:
    assert found.wrong["names of mne"] == {}


def test_a_package_keeps_its_underscores(found: Found) -> None:
    assert found.wrong["underscores"] == {}


def test_inside_a_room_there_are_no_underscore_modules() -> None:
    inside = [path for path in PATHS if len(path.parts) > 1 and path.stem.startswith("_")]
    assert {path.stem for path in inside} <= ALLOWED_PRIVATE


def test_matplotlib_is_imported_late(found: Found) -> None:
    assert found.wrong["early"] == {}


def test_there_are_no_circles_of_late_imports(found: Found) -> None:
    arrows = dict(found.arrows)
    arrows[NAMES_TYPES_OF_ROOMS] = set()
    del arrows[f"{PACKAGE}.__init__"]  # imports every room late, by design
    assert circle(arrows) == []


def test_a_circle_is_found() -> None:
    arrows = {"a": {"b"}, "b": {"c"}, "c": {"b", "d"}, "d": set(), "e": {"a"}}
    assert circle(arrows) == ["b", "c"]


def test_the_table_of_rooms_says_what_the_code_does() -> None:
    text = (ROOT.parent / "CONTRIBUTING.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`[^|]+) \|[^|]+\| ([^|]+) \|$", text, flags=re.MULTILINE)
    shown = {
        station: {name.strip("` ") for name in below.split(",")} - {"nothing of ours"}
        for stations, below in rows
        for station in (name.strip("` ") for name in stations.split(","))
    }
    assert shown == {**MAY_IMPORT, "cli": {"everything; nothing imports it"}}


def test_the_rooms_of_the_adapters_are_those_that_are_shown() -> None:
    text = (ROOT.parent / "CONTRIBUTING.md").read_text(encoding="utf-8")
    _, _, shown = text.partition("| room of `adapters` |")
    table, _, rest = shown.partition("\n\n")
    rooms = {path.parent.name for path in (ROOT / "adapters").glob("*/__init__.py")}
    assert set(re.findall(r"^\| `(\w+)` \|", table, flags=re.MULTILINE)) == rooms
    hall = {path.stem for path in (ROOT / "adapters").glob("[a-z]*.py")}
    assert set(re.findall(r"`(\w+)`", rest.partition("\n\n")[0])) == hall


def test_the_drawing_shows_the_stations() -> None:
    """Without what all of them use."""
    drawing = ROOT.parent / "docs" / "_static" / "data_flow.svg"
    if not drawing.is_file():
        pytest.skip("the documentation is not part of this copy")
    shown = set(re.findall(r"\w+", " ".join(re.findall(r">([^<>]+)<", drawing.read_text("utf-8")))))
    everywhere = {"anatomy", "conversion", "datasets", "errors", "frames"}
    stations = {name for name in MAY_IMPORT if not name.startswith("_")} - everywhere
    assert stations | {"cli"} <= shown


@pytest.mark.parametrize(
    ("path", "source", "wrong"),
    [
        ("io/mat.py", "import mne_bstinv.inverse.study", "io imports mne_bstinv.inverse.study"),
        ("io/mat.py", "from mne_bstinv import inverse", "io imports mne_bstinv.inverse"),
        ("io/mat.py", "from ..inverse import linear", "io imports mne_bstinv.inverse.linear"),
        ("io/mat.py", "from .. import inverse", "io imports mne_bstinv.inverse"),
        ("io/mat.py", "from mne_bstinv import verify", "io imports mne_bstinv.verify"),
        ("inverse/linear.py", "def f():\n    import mne.io", "inverse imports mne.io"),
        ("errors.py", "from mne_bstinv.io import mat", "errors imports mne_bstinv.io.mat"),
        ("__init__.py", "from mne_bstinv.cli import main", "__init__ imports mne_bstinv.cli.main"),
        ("datasets.py", "import mne_bstinv.cli", "datasets imports mne_bstinv.cli"),
    ],
)  # fmt: skip
def test_a_wrong_arrow_is_found(path: str, source: str, wrong: str) -> None:
    assert wrong_arrows(ast.parse(source), Path(path)) == [wrong]


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("io/mat.py", "from mne_bstinv.errors import MatFileError\nfrom . import schema"),
        ("io/mat.py", "from mne_bstinv.io import schema\nimport numpy"),
        ("cli/demo.py", "from mne_bstinv import __version__, io"),
    ],
)
def test_a_right_arrow_is_not_reported(path: str, source: str) -> None:
    assert wrong_arrows(ast.parse(source), Path(path)) == []


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("from mne._fiff import tag", ["mne._fiff.tag"]),
        ("from mne.forward import _subject_from_forward", ["mne.forward._subject_from_forward"]),
        ("import mne\nmne.forward._make_forward", ["mne.forward._make_forward"]),
        ("import mne.forward as f\nf._make_forward", ["mne.forward._make_forward"]),
        ("from mne import Info\nInfo.__init__\nself._x", []),
    ],
)
def test_a_private_name_of_mne_is_found(source: str, found: list[str]) -> None:
    assert private_mne_names(ast.parse(source)) == found


@pytest.mark.parametrize(
    ("module", "source", "found"),
    [
        ("cli.info", "from mne_bstinv.datasets import _folder", ["mne_bstinv.datasets._folder"]),
        ("cli.info", "from mne_bstinv.io import _files", ["mne_bstinv.io._files"]),
        ("cli.info", "from mne_bstinv.io._files import read", ["mne_bstinv.io._files.read"]),
        ("io.mat", "from mne_bstinv.io.raw import _thaw", ["mne_bstinv.io.raw._thaw"]),
        ("io.mat", "from mne_bstinv._types import FloatArray", []),
        ("adapters.study", "from mne_bstinv.adapters._mne_private import unlocked", []),
    ],
)
def test_a_foreign_underscore_is_found(module: str, source: str, found: list[str]) -> None:
    assert foreign_privates(ast.parse(source), f"{PACKAGE}.{module}") == found


def test_an_eager_import_is_found() -> None:
    source = """
if TYPE_CHECKING:
    import matplotlib.figure
def late():
    import matplotlib.cm
try:
    from matplotlib import pyplot
except ImportError:
    pass
"""
    assert eager_imports(ast.parse(source), "matplotlib") == ["matplotlib.pyplot"]
