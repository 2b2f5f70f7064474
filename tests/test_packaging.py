"""The package as it is installed, and what its README promises."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from plots_helpers import blank_pictures

import mne_bstinv
from mne_bstinv.cli import main
from mne_bstinv.datasets import sample_study

ROOT = Path(__file__).parents[1]
PACKAGE = Path(mne_bstinv.__file__).parent


def read(name: str) -> str:
    if not (ROOT / name).is_file():
        pytest.skip(f"{name} is not part of this copy")
    return (ROOT / name).read_text("utf-8")


def blocks(language: str) -> list[str]:
    """Code blocks of the README."""
    return re.findall(rf"^```{language}\n(.*?)^```$", read("README.md"), re.MULTILINE | re.DOTALL)


def requirements() -> dict[str, str]:
    """Lower bound of each dependency and test dependency."""
    project = tomllib.loads(read("pyproject.toml"))["project"]
    listed = project["dependencies"] + project["optional-dependencies"]["test"]
    return dict(requirement.split(">=") for requirement in listed)


def test_version() -> None:
    version = mne_bstinv.__version__
    assert version == metadata.version("mne-bstinv")
    assert re.fullmatch(r"\d+\.\d+\.\d+(\.dev\d+)?", version)
    project = tomllib.loads(read("pyproject.toml"))["project"]
    assert project["version"] == version
    assert f"\nversion: {version}\n" in read("CITATION.cff")
    assert version.split(".dev")[0] in read("CHANGELOG.md")


def test_the_references_of_the_citation_are_those_of_the_pages() -> None:
    cited = set(re.findall(r"^    (?:doi|url): (\S+)$", read("CITATION.cff"), re.MULTILINE))
    listed = read("docs/references.bib")
    dois = set(re.findall(r"^  doi = \{(\S+)\},$", listed, re.MULTILINE))
    pubmed = re.findall(r"^  pubmed = \{(\S+)\},$", listed, re.MULTILINE)
    assert len(cited) == read("CITATION.cff").count("  - type:")
    assert cited <= dois | {f"https://pubmed.ncbi.nlm.nih.gov/{number}/" for number in pubmed}


def test_types_and_sample_are_inside_the_package() -> None:
    assert (PACKAGE / "py.typed").is_file()
    assert sample_study().is_relative_to(PACKAGE)
    assert (sample_study() / "anat").is_dir()
    assert (sample_study() / "data" / "protocol.mat").is_file()


def test_every_dependency_is_installed_in_a_release_that_is_allowed() -> None:
    for name, lowest in requirements().items():
        found = [int(part) for part in re.findall(r"\d+", metadata.version(name))[:3]]
        assert found >= [int(part) for part in lowest.split(".")], name


def test_the_oldest_set_is_the_lower_bounds() -> None:
    pins = dict(re.findall(r"^([\w-]+)==([\d.]+)$", read(".ci/oldest.txt"), re.MULTILINE))

    def padded(version: str) -> list[int]:
        return [int(part) for part in (version + ".0.0").split(".")[:3]]

    assert {name: padded(version) for name, version in pins.items()} == {
        name: padded(version) for name, version in requirements().items()
    }


#: What takes longer to import than Python itself.
SLOW = {
    "dask", "h5py", "importlib.metadata", "joblib", "matplotlib", "mne", "numpy", "pandas", "pooch",
    "pymatreader", "scipy", "scipy.linalg", "scipy.sparse", "scipy.special",
}  # fmt: skip


#: What arrays are computed with.
ARRAYS = {"importlib.metadata", "numpy", "scipy"}
#: What files of MATLAB are read with, but those of v7.3.
FILES = ARRAYS | {"scipy.sparse"}
CHANNELS = next(sample_study().rglob("channel*.mat"))


@pytest.mark.parametrize(
    ("code", "needed"),
    [
        ("import mne_bstinv", set()),
        ("from mne_bstinv.cli import main; main(['--help'])", set()),
        (f"from mne_bstinv.cli import main; main(['info', {str(CHANNELS)!r}])", FILES),
        ("from mne_bstinv import errors", set()),
        ("from mne_bstinv import compare, inverse, maps", ARRAYS),
    ],
)
def test_what_takes_long_is_imported_when_it_is_used(code: str, needed: set[str]) -> None:
    imported = imported_by(code)
    assert "mne_bstinv" in imported
    if "scipy.sparse" in needed:  # which brings scipy.linalg in older releases
        needed = needed | imported_by("import scipy.sparse")
    assert imported & SLOW <= needed


def imported_by(code: str) -> set[str]:
    """Names of all modules that are imported when a line of code was run."""
    told = f"""
import sys
try:
    {code}
except SystemExit:
    pass
print("imported:", *sys.modules)
"""
    done = subprocess.run(
        [sys.executable, "-c", told], capture_output=True, text=True, check=True, timeout=60
    )
    return set(done.stdout.rpartition("imported:")[2].split())


def test_run_as_a_module() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mne_bstinv", "--version"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout.split() == ["mne-bstinv", mne_bstinv.__version__]


def test_python_of_the_readme(capsys: pytest.CaptureFixture[str]) -> None:
    (example,) = blocks("python")
    exec(compile(example, "README.md", "exec"), {})
    assert capsys.readouterr().out in blocks("text")


def words_of(command: str) -> list[str]:
    """Words of ``$ mne-bstinv …`` with the folder of the sample, which the README sets."""
    return [word.replace("$SAMPLE", str(sample_study())) for word in shlex.split(command)[2:]]


def test_the_folder_of_the_sample_is_printed() -> None:
    """By the line that the README gives to a shell."""
    (line,) = (block for block in blocks("bash") if block.startswith("SAMPLE="))
    code = re.findall(r"python3 -c '(.+)'", line)
    done = subprocess.run(
        [sys.executable, "-c", *code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == str(sample_study())
    assert code[0] in read("docs/getting_started.md")


def test_verify_output_of_the_readme(capsys: pytest.CaptureFixture[str]) -> None:
    """The output is that of the README but for the numbers, which depend on the machine."""
    (shown,) = (block for block in blocks("text") if block.startswith("$ mne-bstinv verify"))
    command, _, output = shown.partition("\n")
    assert main(words_of(command)) == 0

    def without_numbers(text: str) -> str:
        return re.sub(r"\d\.\de-\d\d", "#", text)

    assert without_numbers(capsys.readouterr().out) == without_numbers(output)


@pytest.mark.slow
def test_compare_output_of_the_readme(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """The first three and the last line are those of the README, but for what is rounding."""
    (shown,) = (block for block in blocks("text") if block.startswith("$ mne-bstinv compare"))
    page = tmp_path / "report.html"
    command, verdict, *notes, left_out, last = shown.replace("report.html", str(page)).splitlines()
    with blank_pictures():
        assert main(words_of(command)) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [re.sub(r"\de-\d\d", "#", text) for text in (verdict, *notes, left_out, last)] == [
        re.sub(r"\de-\d\d", "#", text) for text in (*lines[:3], "…", lines[-1])
    ]
    assert 90 <= len(lines) - 4 <= 110  # "some hundred lines" between them


def test_the_regularisation_of_the_readme(capsys: pytest.CaptureFixture[str]) -> None:
    (command,) = re.findall(r"`(mne-bstinv lambda [^`]+)`", read("README.md"))
    assert main(shlex.split(command)[1:]) == 0
    assert "The same kernel" in capsys.readouterr().out


def test_commands_of_the_readme_are_targets_of_the_makefile() -> None:
    targets = set(re.findall(r"^([a-z]+):", read("Makefile"), re.MULTILINE))
    used = re.findall(r"^make (\w+)", read("README.md"), re.MULTILINE)
    assert used == ["demo", "test"]
    assert set(used) <= targets


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "docs/index.md"])
def test_links_to_files_exist(name: str) -> None:
    for target in re.findall(r"\]\((?!https?://)([^)#]+)", read(name)):
        assert (ROOT / name).parent.joinpath(target).is_file(), target
