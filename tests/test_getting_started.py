"""The Python of the page "Getting started" runs on the sample study."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

PAGE = Path(__file__).parents[1] / "docs" / "getting_started.md"


def test_every_block_runs(sample_dir, capsys):
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
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
