"""The Python of the documentation runs on the sample study."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

DOCS = Path(__file__).parents[1] / "docs"


def _blocks(page: str) -> list[str]:
    text = (DOCS / page).read_text(encoding="utf-8")
    return re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)


def test_getting_started(sample_dir, capsys):
    blocks = _blocks("getting_started.md")
    assert len(blocks) == 4
    rng = np.random.default_rng(0)
    arrays = {"gain": rng.normal(size=(4, 30)), "grid_loc": rng.normal(size=(10, 3))}
    namespace: dict = {}
    for number, block in enumerate(blocks):
        if number == 3:  # arrays of the reader's own
            noise = rng.normal(size=(4, 50))
            namespace |= arrays | {"grid_orient": arrays["grid_loc"], "noise_cov": noise @ noise.T}
        code = block.replace('"Protocol01"', repr(str(sample_dir)))
        exec(compile(code, f"block {number}", "exec"), namespace)
    out = capsys.readouterr().out
    assert "<InverseResult | dspm2018, 296 rows × 68 channels" in out
    assert out.count(" equal ") == 4


def test_mne_objects():
    """The operator gives the stored estimate, as the page says."""
    namespace: dict = {}
    for number, block in enumerate(_blocks("mne_objects.md")):
        exec(compile(block, f"block {number}", "exec"), namespace)
    stc, same = namespace["stc"], namespace["same"]
    np.testing.assert_array_equal(stc.vertices[0], same.vertices[0])
    difference = np.linalg.norm(stc.data - same.data) / np.linalg.norm(stc.data)
    assert difference <= 1e-11


def test_cross_validation():
    namespace: dict = {}
    for number, block in enumerate(_blocks("cross_validation.md")):
        exec(compile(block, f"block {number}", "exec"), namespace)
    validation = namespace["validation"]
    assert validation.passed
    assert validation.verdict[:95] in (DOCS / "cross_validation.md").read_text(encoding="utf-8")
    assert namespace["equivalent"].parity == "exact"
    assert namespace["nearest"].parity == "not comparable"


def test_the_table_of_parities_holds_every_combination():
    """Classes as the code gives them today; the numbers are those of the day it was written."""
    from mne_bstinv import mne_equivalent
    from mne_bstinv.cross_validation import option_combinations
    from mne_bstinv.datasets import load_sample

    text = (DOCS / "parity.md").read_text(encoding="utf-8")
    sample = text[text.index("## The embedded sample") : text.index("## MNE's sample subject")]
    rows = {tuple(c.strip() for c in line.split("|")[1:5]) for line in sample.splitlines()}
    study = load_sample()
    for options in option_combinations():
        if options.method == "lcmv":
            continue  # the page makes a data covariance of its own
        name = options.measure if options.method == "minnorm" else options.method
        parity = mne_equivalent(options, study, data_types="MEG").parity
        assert (name, options.source_orient[0], options.noise_method, parity) in rows
