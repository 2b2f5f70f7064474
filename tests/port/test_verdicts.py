"""What manifests say in words."""

from __future__ import annotations

from pathlib import Path

import pytest

from mne_bstinv.port.summary import PortReport
from mne_bstinv.port.verdicts import (
    discrete_lines,
    error_lines,
    operators_text,
    outcome_lines,
    stale_lines,
    units_text,
    verdict,
    verification_text,
    why_not_comparable,
)


def operator(parity, difference, reason=""):
    return {
        "kernel_difference": difference,
        "parameters": {"parity": parity, "reason": reason},
    }


SAME = operator("exact", 2e-14)
SCALED = operator("equal up to a stated factor", 3e-14)
NO_METHOD = operator("not comparable", None, "sloreta, free orientation: long.")
STALE = operator("not comparable", 0.25, "It differs.")
UNCOMPARED = operator("exact", None)


def unit(*operators, estimates="all", **facts):
    outputs = {f"{i}-inv.fif": output for i, output in enumerate(operators)}
    outputs |= {"x-ave.fif": {"contents": []}, "y-ave.fif": None}  # None: being replaced
    return {"outputs": outputs, "settings": {"estimates": estimates}, **facts}


@pytest.mark.parametrize(
    ("outcomes", "said"),
    [
        (None, "not verified"),
        ([], "no kernel"),
        ([("equal", 1e-15), ("equal", 2e-14), ("not comparable", None)],
         "2 equal, 1 not comparable; largest relative difference 2.0e-14"),
    ],
)  # fmt: skip
def test_verdict(outcomes, said):
    if outcomes is not None:
        outcomes = [{"status": s, "relative_difference": d} for s, d in outcomes]
    assert verdict({"verification": outcomes}) == said


def test_errors_of_one_reason_are_told_once():
    errors = [
        {"what": "head model", "file": "h.mat", "reason": "damaged"},
        {"what": "inverse operator", "file": "a.mat", "reason": "damaged"},
        {"what": "source estimate", "file": "a.mat", "reason": "damaged"},
        {"what": "averages", "file": "", "reason": "other"},
        {"what": "inverse operator", "file": "b.mat", "reason": "damaged"},
    ]
    assert error_lines(errors) == [
        "head model h.mat: damaged (the same for 3 more: 2 × inverse operator, 1 × source "
        "estimate)",
        "averages: other",
    ]
    outcomes = [{"file": f"{name}.mat", "status": "error", "reason": "why"} for name in "abc"]
    outcomes.append({"file": "d.mat", "status": "differs", "reason": "why"})
    assert outcome_lines(outcomes) == [
        "a.mat: error: why (the same for 2 more)", "d.mat: differs: why",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("operators", "said"),
    [
        ((), ""),
        ((SAME,), "1 of 1 operator gives the stored kernels (largest relative difference 2.0e-14, "
                  "before writing in single precision)"),
        ((SAME, SCALED, NO_METHOD, NO_METHOD),
         "2 of 4 operators give the stored kernels (largest relative difference 3.0e-14, before "
         "writing in single precision); 2 have no MNE method (their estimates are written)"),
        ((NO_METHOD, STALE, STALE, UNCOMPARED),
         "0 of 4 operators give the stored kernels; 1 has no MNE method (their estimates are "
         "written); 2 differ, by up to 2.5e-01; 1 has no stored kernel to compare with"),
    ],
)  # fmt: skip
def test_operators_are_counted_by_what_they_give(operators, said):
    assert operators_text([unit(*operators)]) == said
    assert verdict({**unit(*operators), "verification": None}) == "; ".join(
        filter(None, ("not verified", said))
    )


def test_operators_of_several_units():
    assert operators_text([unit(SAME), unit(NO_METHOD), unit()]).startswith("1 of 2 operators")
    # estimates that were not asked for are not told to be there
    assert operators_text([unit(NO_METHOD, estimates="none")]).endswith("1 has no MNE method")
    assert operators_text([{"outputs": {"a-inv.fif": NO_METHOD}}]).endswith("1 has no MNE method")


def test_why_not_comparable():
    said = [why_not_comparable(one) for one in (SAME, SCALED, UNCOMPARED, NO_METHOD, STALE)]
    assert said == ["", "", "", "sloreta, free orientation", "not the stored kernel"]
    assert stale_lines(unit(SAME, STALE, NO_METHOD, STALE)) == [
        "1-inv.fif: It differs. (so do 1 more)"
    ]
    assert stale_lines(unit(SAME, NO_METHOD)) == []


def test_verified_kernels_of_all_units():
    equal = {"status": "equal", "relative_difference": 3e-14}
    other = {"status": "not comparable", "relative_difference": None}
    assert verification_text([{"verification": None}, {}]) == ""
    assert verification_text([{"verification": []}, {"verification": None}]) == (
        "no kernel to verify"
    )
    assert verification_text([{"verification": [equal, other]}, {"verification": [equal]}]) == (
        "3 kernels verified: 2 equal, 1 not comparable; largest relative difference 3.0e-14"
    )
    assert verification_text([{"verification": [other]}]) == "1 kernel verified: 1 not comparable"


def test_units_by_kind():
    kinds = ("condition", "anatomy", "condition", "shared", "anatomy", "shared")
    assert units_text({"kind": kind} for kind in kinds) == (
        "2 anatomies, 2 folders of shared files, 2 conditions"
    )
    assert units_text([{"kind": "condition"}]) == "1 condition"
    assert units_text([]) == ""
    assert verdict({"kind": "anatomy", "verification": None}) == ""


def test_only_a_dropped_surface_makes_sources_discrete():
    dropped = {"severity": "dropped", "field": "SurfaceFile", "reason": ""}
    other = {"severity": "derived", "field": "Faces", "reason": ""}
    reports = {"a-src.fif": [dropped], "b-src.fif": [other], "c-inv.fif": [dropped]}
    (line,) = discrete_lines({"reports": reports})
    assert line.startswith("a-src.fif: there is no file of the cortex, so sources become discrete")
    assert discrete_lines({}) == []


def test_a_file_with_an_error_is_told_once():
    error = {"file": "data/S/c/results_a.mat", "what": "results", "reason": "its data are gone"}
    failed = {"title": "S/c", "protocol": "p", "status": "failed", "errors": [error], "kept": False}
    problems = ("p/data/S/c/results_a.mat: no data", "p/data/S/c/results_b.mat: a folder")
    report = PortReport(
        out=Path("out"), units=({**failed, "kind": "condition"},), problems=problems
    )
    lines = str(report).splitlines()
    assert [line for line in lines if "results_a" in line] == [
        "S/c: results data/S/c/results_a.mat: its data are gone"
    ]
    assert "problem: p/data/S/c/results_b.mat: a folder" in lines
