"""The Python of the documentation runs on the sample study."""

from __future__ import annotations

import dataclasses
import re
import shutil
import sys
from collections.abc import Callable
from itertools import combinations, pairwise
from pathlib import Path

import numpy as np
import pytest
from plots_helpers import blank_pictures

from mne_bstinv import cross_validate, mne_equivalent, to_source_estimate
from mne_bstinv.cross_validation import ParityRow, option_combinations
from mne_bstinv.datasets import load_sample, sample_study
from mne_bstinv.errors import InverseError
from mne_bstinv.inverse.whitening import compute_whitener

pytestmark = pytest.mark.slow

DOCS = Path(__file__).parents[1] / "docs"
sys.path.insert(0, str(DOCS))

import by_hand_numbers  # noqa: E402 (scripts beside the pages)
import inverse_numbers  # noqa: E402
import make_metrics  # noqa: E402
import page_outputs  # noqa: E402
import theory_figures  # noqa: E402
import theory_numbers  # noqa: E402


def _blocks(page: str) -> list[str]:
    text = (DOCS / page).read_text(encoding="utf-8")
    return re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)


def _run(page: str, protocol: Path, skipped: tuple[int, ...] = ()) -> dict:
    """Run the Python of a page; the reader's protocol is a copy of the sample."""
    namespace: dict = {}
    for number, block in enumerate(_blocks(page)):
        if number not in skipped:
            code = block.replace('"Protocol01"', repr(str(protocol)))
            code = code.replace('"Protocol01/', f'"{protocol.as_posix()}/')
            exec(compile(code, f"{page}, block {number}", "exec"), namespace)
    return namespace


def _relative(ours, theirs) -> float:
    return float(np.linalg.norm(ours - theirs) / np.linalg.norm(theirs))


def test_computing_kernels(capsys):
    blocks = _blocks("howto_compute.md")
    assert len(blocks) == 5
    namespace: dict = {}
    for number, block in enumerate(blocks):
        code = block.replace('"Protocol01"', repr(str(sample_study())))
        exec(compile(code, f"block {number}", "exec"), namespace)
        if number == 0:  # the ten lines
            study, stc = namespace["study"], namespace["stc"]
    out = capsys.readouterr().out
    assert namespace["result"].kernel.shape == (100, 32)  # of the plain arrays
    assert "<InverseResult | dspm2018, 1140 rows × 68 channels" in out
    assert out.count(" equal ") == 4
    stored = to_source_estimate(
        study.results["MN: MEG ALL(Constr) 2018"],
        study.recordings,
        channels=study.channels,
        surface=study.cortex,
    )
    assert _relative(stc.data, stored.data) <= 1e-11


def test_ten_lines_are_ten_lines():
    """Without the imports."""
    lines = _blocks("howto_compute.md")[0].split("\n")
    assert len([line for line in lines if line and not line.startswith("import ")]) <= 10


@pytest.mark.parametrize(
    ("page", "n_blocks", "skipped"),
    [
        ("by_hand.md", 6, ()),
        ("coming_from_matlab.md", 3, ()),
        ("data.md", 4, (2,)),  # that one downloads; its files are tested in test_datasets.py
        ("frames_and_units.md", 1, ()),
        ("howto_continuous.md", 4, ()),
        ("howto_maps.md", 3, ()),
        ("howto_mixed.md", 4, ()),
        ("howto_port.md", 3, ()),
        ("howto_validate.md", 1, ()),
        ("theory.md", 1, ()),
        ("three_inverses.md", 1, ()),
    ],
)
def test_the_python_of_a_page_runs(page, n_blocks, skipped, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    protocol = tmp_path / "Protocol01"
    shutil.copytree(sample_study(), protocol)
    assert len(_blocks(page)) == n_blocks
    namespace = _run(page, protocol, skipped)
    check = _CHECKS.get(page)
    if check is not None:
        check(namespace)


def _check_matlab(namespace: dict) -> None:
    """The estimate of the same options is that of the stored kernel."""
    assert _relative(namespace["estimate"], namespace["same"]) <= 1e-11


def _check_validation(namespace: dict) -> None:
    """The paragraph for a methods section has the numbers of the sample."""
    kernels = [o for o in namespace["outcomes"] if not o.is_derived]
    assert [o.status for o in kernels] == 4 * ["equal"]
    assert max(o.relative_difference for o in kernels) <= 1e-11
    assert [o.status for o in namespace["outcomes"] if o.is_derived] == ["not comparable"]
    validation = namespace["validation"]
    assert validation.passed
    assert validation.equivalent.parity == "exact"
    text = (DOCS / "howto_validate.md").read_text(encoding="utf-8")
    assert f"{validation.attribution.total:.0%}".replace("%", " %") in text
    changes = {"regularize": None}, {"regularize": None, "loose": 0.2}
    options, study = namespace["options"], namespace["study"]
    plain, loose = (
        cross_validate(study, options=options, mne_settings=c, data_types="MEG", shapley_limit=0)
        for c in changes
    )
    assert loose.along_normals
    page = " ".join(text.split())
    first, second = re.findall("“([^”]+)”", plain.verdict)[:2]
    assert (
        f"(`regularize=None`) by {_percent(plain)}, most of it by *{first}* and *{second}*" in page
    )
    assert f"along the normals, by {_percent(loose)}" in page


def _percent(validation) -> str:
    return f"{100 * validation.attribution.total:.0f} %"


def _check_data(namespace: dict) -> None:
    """The noise of the sample's average is that of its trials; what is said of its sources."""
    noise, of_file = namespace["noise"], namespace["of_file"]
    recordings = namespace["recordings"]
    text = (DOCS / "data.md").read_text(encoding="utf-8")
    assert f"times √Leff: {np.median(noise):.2f}\n" in text
    assert f"covariance of the file: {np.median(of_file):.2f}\n" in text
    assert f"over the second: {np.median(noise / of_file):.2f}\n" in text
    assert recordings.effective_averages == 80
    study = load_sample()
    before = np.asarray(recordings.f)[:, np.asarray(recordings.time) < 0]
    assert f"In the {before.shape[1]} samples" in " ".join(text.split())
    for channel_type, name in (("MEG GRAD", "gradiometers"), ("MEG MAG", "magnetometers")):
        good = [
            i
            for i, c in enumerate(study.channels.channels)
            if c.type == channel_type and recordings.channel_flag[i] == 1
        ]
        ratio = np.diag(study.noise_cov.noise_cov)[good].sum() / before[good].var(axis=1).sum()
        assert f"{ratio:.0f} ({name})" in " ".join(text.split())


@pytest.mark.parametrize("page", page_outputs.PAGES)
def test_what_a_page_says_that_its_code_prints(page):
    """On this machine, up to the last digit."""
    written = (DOCS / f"{page}.md").read_text(encoding="utf-8")
    computed, _ = page_outputs.run_page(written, page)
    assert page_outputs.same_but_rounding(written, computed)
    assert "```text\n```" not in computed
    if page == "questions":  # a runnable line for each answer, and none begins with "No."
        _, *answers = re.split("^## ", written.partition("## What to read")[0], flags=re.MULTILINE)
        assert len(answers) >= 14
        for answer in answers:
            title, _, text = answer.partition("\n\n")
            assert "```python\n" in text, title
            assert not re.match(r"No\b", text), title


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("3.13 nA·m", "3.14 nA·m", True),
        ("3.13 nA·m", "3.16 nA·m", False),
        ("2e-14", "3e-14", True),
        ("2e-14", "2e-13", False),
        ("3 of 4", "3 off 4", False),
        ("3 of 4", "3", False),
    ],
)
def test_texts_are_the_same_but_for_rounding(one, other, same):
    assert page_outputs.same_but_rounding(one, other) is same


def _check_port(namespace: dict) -> None:
    assert sorted(path.name for path in Path.cwd().glob("auditory*")) == [
        "auditory-ave.fif",
        "auditory-cov.fif",
        "auditory-fwd.fif",
        "auditory-lh.stc",
        "auditory-rh.stc",
        "auditory-src.fif",
    ]


_CHECKS: dict[str, Callable[[dict], None]] = {
    "coming_from_matlab.md": _check_matlab,
    "data.md": _check_data,
    "howto_port.md": _check_port,
    "howto_validate.md": _check_validation,
}


def test_every_page_with_python_is_run():
    """By this module, or by one beside what the page is about."""
    source = Path(__file__).read_text(encoding="utf-8")
    source += "".join(f'"{page}.md"' for page in page_outputs.PAGES)
    pages = [path.name for path in DOCS.glob("*.md") if _blocks(path.name)]
    assert "theory.md" in pages
    assert [p for p in pages if f'"{p}"' not in source and p not in _ELSEWHERE] == []


_ELSEWHERE = {
    "howto_3d.md": "tests/test_views.py",
    "export.md": "tests/export/test_documentation.py",
    "port.md": "tests/port/test_documentation.py",
}


def test_every_quoted_line_of_code_is_in_the_source():
    """Each excerpt on the pages of the theory begins and ends at a line that there is once."""
    text = "".join(
        (DOCS / page).read_text(encoding="utf-8") for page in ("theory.md", "rosetta.md")
    )
    excerpts = re.findall(r"```{literalinclude} (\S+)\n(.*?)```", text, flags=re.DOTALL)
    assert len(excerpts) >= 28
    for file, options in excerpts:
        lines = (DOCS / file).read_text(encoding="utf-8").splitlines()
        start, end = re.search(r":start-at: (.*)\n:end-at: (.*)\n", options).groups()
        first = [n for n, line in enumerate(lines) if start in line]
        assert len(first) == 1, (file, start)
        assert any(end in line for line in lines[first[0] :]), (file, end)


def test_metrics_stand_on_the_page_as_they_are_declared():
    """``python docs/make_metrics.py`` writes them anew."""
    page = (DOCS / "cross_validation.md").read_text(encoding="utf-8")
    assert make_metrics.page_with_table(page) == page
    assert len(make_metrics.table().splitlines()) > 10


def test_theory_figures(tmp_path):
    """The numbers of the page are those that theory says."""
    with blank_pictures():  # the build of the pages draws them
        theory_figures.main(tmp_path)
    theory_numbers.main(tmp_path)
    text = (DOCS / "theory.md").read_text(encoding="utf-8")
    rosetta = (DOCS / "rosetta.md").read_text(encoding="utf-8")
    used = set(re.findall(r"_generated/(theory_\w+\.png)", text + rosetta))
    assert used == {path.name for path in tmp_path.glob("*.png")}
    numbers = (tmp_path / "theory_numbers.txt").read_text(encoding="utf-8")
    includes = re.findall(r":start-after: (<!-- \w+ -->)\n:end-before: (<!-- \w+ -->)", text)
    marks = re.findall("<!-- \\w+ -->", numbers)
    assert sorted(includes) == sorted(pairwise(marks))


def test_whitened_noise_is_a_projector():
    """A projector took one direction of each type."""
    rows = theory_numbers.whitening_numbers(theory_figures.Case.of_sample()).splitlines()[2:]
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    assert [row[:3] for row in cells] == [["MEG GRAD", "46", "45"], ["MEG MAG", "22", "21"]]
    assert max(float(row[4]) for row in cells) < 1e-12
    # I − U U' = u u' of a unit vector u: the largest entry is at least the mean of its diagonal
    assert float(cells[0][5]) > 1 / 46
    assert float(cells[1][5]) > 1 / 22


@pytest.mark.parametrize(
    ("method", "rank"), [("none", 66), ("reg", 66), ("median", 66), ("diag", 68), ("shrink", 68)]
)
def test_the_whitener_whitens_what_the_page_calls_c(method, rank):
    """W C W is an orthogonal projector; diag and shrink keep what a projector removed."""
    prepared = theory_figures.Case.of_sample().prepared
    whitening = compute_whitener(prepared.noise, prepared.channel_types, method)
    white = whitening.whitener @ whitening.regularized_cov @ whitening.whitener
    np.testing.assert_allclose(white @ white, white, rtol=0, atol=1e-12)
    assert np.trace(white) == pytest.approx(rank, abs=1e-10)
    assert whitening.rank == rank


def test_theory_numbers_agree_with_theory():
    case = theory_figures.Case.of_sample()
    for name, kernel in theory_numbers.kernel_forms(case).items():
        assert _relative(kernel, case.result.kernel) <= 1e-11, name
    # the error is smallest where the kernel assumes the SNR of the data (the conditional mean)
    assumed = 3.0 * np.array([0.8, 0.9, 1.0, 1.1, 1.25])
    noise, damped = theory_figures.errors_of(case, assumed, 3.0)
    assert np.argmin(noise + damped) == 2


def test_mne_objects():
    """The operator gives the stored estimate, as the page says."""
    namespace: dict = {}
    for number, block in enumerate(_blocks("mne_objects.md")):
        exec(compile(block, f"block {number}", "exec"), namespace)
    stc, same = namespace["stc"], namespace["same"]
    np.testing.assert_array_equal(stc.vertices[0], same.vertices[0])
    difference = np.linalg.norm(stc.data - same.data) / np.linalg.norm(stc.data)
    assert difference <= 1e-11


def _without_rounding(text: str) -> str:
    return re.sub(r"\d(\.\d+)?e-1[0-9]", "…", text)


def test_cross_validation():
    namespace: dict = {}
    for number, block in enumerate(_blocks("cross_validation.md")):
        exec(compile(block, f"block {number}", "exec"), namespace)
    validation = namespace["validation"]
    assert validation.passed
    # the rounding that is left is not the same on every machine
    said, page = (
        _without_rounding(validation.verdict),
        _without_rounding((DOCS / "cross_validation.md").read_text(encoding="utf-8")),
    )
    assert said in page
    assert namespace["equivalent"].parity == "exact"
    assert namespace["nearest"].parity == "not comparable"


def pairs_of(options):
    """Each two of the measure, the orientation and the rest, such as the noise method."""
    apart = ("method", "measure", "source_orient", "use_depth")
    rest = [(k, v) for k, v in dataclasses.asdict(options).items() if k not in apart]
    name = options.measure if options.is_minimum_norm else options.method
    return set(combinations((name, options.source_orient, repr(rest)), 2))


def _parity(options, study):
    try:
        return mne_equivalent(options, study, data_types="MEG").parity
    except InverseError:  # the study does not allow it: shrink of several types in 2016
        return ""


def test_the_table_of_parities_holds_all_pairs_of_options():
    """Classes as the code gives them today; the numbers are those of the day it was written."""
    text = (DOCS / "parity.md").read_text(encoding="utf-8")
    sample = text[text.index("## The embedded sample") : text.index("## MNE's sample subject")]
    study = load_sample()
    for year in (2018, 2016, 2009):
        table = sample.split(f"### {year}\n")[1].split("\n### ")[0]
        rows = {tuple(c.strip() for c in line.split("|")[1:5]) for line in table.splitlines()}
        # the page makes a data covariance of its own; the class does not depend on the SNR
        all_of_them = [
            options
            for options in option_combinations(year=year)
            if options.method != "lcmv" and options.prior_rms is None
        ]
        pairs = set()
        for options in all_of_them:
            new = pairs_of(options) - pairs
            if new:
                pairs |= new
                name = options.measure if options.is_minimum_norm else options.method
                row = ParityRow(options=options, parity=_parity(options, study), reason="")
                assert (name, options.source_orient[0], row.noise, row.parity or "–") in rows


def test_each_reference_can_be_found_and_is_cited():
    entries = (DOCS / "references.bib").read_text(encoding="utf-8").split("\n@")
    pages = "".join(page.read_text(encoding="utf-8") for page in DOCS.glob("*.md"))
    cited = re.findall(r"\{cite:[tp]\}`([^`]+)`", pages)
    cited = {key for keys in cited for key in keys.split(",")}
    known = {re.search(r"\{(\w+),", entry)[1]: entry for entry in entries}
    assert cited == set(known)
    for key, entry in known.items():
        assert re.search(r"^  (doi|url|pubmed) = \{\S+\},$", entry, re.MULTILINE), key


def test_the_estimates_in_the_figure_of_the_cost_are_the_smallest():
    """Both against all others on a grid; the one with the absolute value is exactly on the axis."""
    fields, datum, weight = theory_figures.TWO_FIELDS, theory_figures.DATUM, theory_figures.WEIGHT
    first, second = np.meshgrid(np.linspace(-2, 2, 401), np.linspace(-2, 2, 401))
    square, absolute = theory_figures.two_sources()
    for best, size in ((square, np.square), (absolute, np.abs)):
        everywhere = (datum - fields[0] * first - fields[1] * second) ** 2
        everywhere = everywhere + weight * (size(first) + size(second))
        here = (datum - fields @ best) ** 2 + weight * size(best).sum()
        assert here <= everywhere.min() + 1e-12
    assert (square != 0).all()
    assert absolute[1] == 0


def test_the_parity_of_maps_has_every_row():
    """Classes as the code has them today."""
    from mne_bstinv.cross_validation.map_rows import ROWS

    text = (DOCS / "map_parity.md").read_text(encoding="utf-8")
    lines = [line.split("|") for line in text.splitlines() if line.startswith("| [")]
    rows = {(cells[1].split("]")[0][2:], *(c.strip(" `–") for c in cells[2:5])) for cells in lines}
    assert {(row.brainstorm, row.mne, row.parity, row.factor) for row in ROWS} == rows


def test_the_page_on_three_inverses_includes_what_is_computed():
    """The minimum norm of 2009 is MNE's own; λ² of the others has the factor r/n."""
    found = inverse_numbers.measured()
    text = (DOCS / "three_inverses.md").read_text(encoding="utf-8")
    assert sorted(re.findall("start-after: <!-- (.*) -->", text)) == sorted(found)
    lambda2 = re.findall(r"\| (?:20\d\d|MNE-Python) \| ([\d.]+) ", found["numbers"])
    n, rank = map(int, re.search(r"\| (\d+) of (\d+) ", found["numbers"]).groups()[::-1])
    of_trace = [1 / 9, rank / n / 9, rank / n / 9, 1 / 9]
    assert [float(x) for x in lambda2] == pytest.approx(of_trace, abs=1e-4)
    differences = [float(x) for x in re.findall(r"up to (\S+?e-\d+)", found["same"])]
    assert differences[0] <= 1e-5  # single precision of the gain
    assert differences[1] <= 1e-10
    assert "= √80" in found["steps"]
    assert found["distances"].count(" %") == 12
    crossed = re.findall(r"^\| (\d{4}) \| (\S+) .* (\S+) \|$", found["crossed"], re.MULTILINE)
    assert [year for year, _, _ in crossed] == ["2009", "2016", "2018"]
    assert all(max(float(same), float(left)) <= 1e-9 for _, same, left in crossed)


def test_the_inverse_by_hand_has_the_numbers_of_a_pocket_calculator():
    page = by_hand_numbers.values_of_the_page()
    assert page["Lambda"] == pytest.approx(5.4)
    assert page["filters"] == pytest.approx([21.6 / 22.6, 5.4 / 6.4, 0])
    assert page["K"] == pytest.approx(np.array([[10.8 / 22.6, 0, 0], [0, 5.4 / 6.4, 0]]))
    assert page["lambda2"] / page["scale"] == pytest.approx(1 / 5.4)


def test_each_symbol_of_the_theory_leads_to_its_row_code_and_figure():
    """Two clicks: the symbol to its row and section, and there a line of code and a figure."""
    theory = (DOCS / "theory.md").read_text(encoding="utf-8")
    rosetta = (DOCS / "rosetta.md").read_text(encoding="utf-8")
    table = theory[theory.index("| symbol |") :].partition("\n\n")[0].splitlines()[2:]
    assert all(re.match(r"\| \[[^]]+\]\(rosetta\.md#", row) for row in table)
    rows = re.findall(r"^\| \[[^]]+\]\(#([\w-]+)\)", rosetta.partition("## ")[0], re.MULTILINE)
    assert set(re.findall(r"\(rosetta\.md#([\w-]+)\)", theory)) == set(rows)
    sections = dict(
        re.findall(r"^\(([\w-]+)\)=\n## (.*?)(?=^\([\w-]+\)=|\Z)", rosetta, re.M | re.S)
    )
    assert sorted(sections) == sorted(rows)
    for name, text in sections.items():
        assert "literalinclude" in text or re.search(r"\[the lines?\]\(#", text), name
        (where,) = re.findall(r"^```{figure}|^\[Figure\]\(([^)]+)\)", text, re.MULTILINE)
        linked = sections.get(where.removeprefix("#"), "")
        assert where in ("", "#noise-of-an-average") or "\n```{figure}" in linked, name


def test_pages_that_the_readme_links_to_need_no_build():
    """They can be read on a code host: nothing is included, or drawn by the build."""
    readme = (DOCS.parent / "README.md").read_text(encoding="utf-8")
    pages = set(re.findall(r"\]\((docs/\w+\.md)", readme))
    assert "docs/questions.md" in pages
    for page in pages:
        text = (DOCS.parent / page).read_text(encoding="utf-8")
        made = r"literalinclude|{include}|{bibliography}|{toctree}|_generated/|^\([\w-]+\)=$"
        assert re.findall(made, text, re.MULTILINE) == [], page
