"""The page in a real browser: its numbers are those of the package, for each slider."""

from __future__ import annotations

import json

import numpy as np
import pytest
from chromium import heard_in

import mne_bstinv as mb
from mne_bstinv.errors import MissingFileError, OptionError, OverwriteError, SchemaError
from mne_bstinv.explorer import Truth, write_explorer

#: The gain is in the page in single precision, and so are the rows of the kernel.
RTOL = 2e-5

#: Sets the controls as a user does, one after the other, and leaves the numbers after each.
MOVES = """<script>
window.addEventListener('load', () => {
  const heard = {numbers: [], requests: [], errors: window.failed || []};
  for (const step of MOVES_HERE) {
    for (const [name, value] of Object.entries(step)) {
      const input = document.getElementById(name);
      input.value = value;
      input.dispatchEvent(new Event('input', {bubbles: true}));
    }
    heard.numbers.push(window.explorer.numbers());
  }
  heard.requests = performance.getEntriesByType('resource').map((entry) => entry.name);
  heard.toowide = document.documentElement.scrollWidth - window.innerWidth;
  heard.labels = [...document.querySelectorAll('input, select')]
    .every((input) => document.querySelector(`label[for="${input.id}"]`));
  heard.drawn = [...document.querySelectorAll('canvas')].map((canvas) => {
    const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
    return new Set(new Uint32Array(pixels.buffer)).size;
  });
  document.documentElement.dataset.heard = JSON.stringify(heard);
});
</script>"""
ERRORS = """<script>
window.failed = [];
window.addEventListener('error', (event) => window.failed.push(event.message), true);
</script>"""

STEPS = [
    {"time": 60, "vertex": 11},
    {"snr": 0.0},
    {"reg": 0.3},
    {"depth": 0.8},
    {"measure": "dspm"},
    {"measure": "sloreta"},
]
#: What each step is in Python: measure, SNR, NoiseReg, WeightExp.
OPTIONS = [
    ("amplitude", 3.0, 0.1, 0.5),
    ("amplitude", 1.0, 0.1, 0.5),
    ("amplitude", 1.0, 0.3, 0.5),
    ("amplitude", 1.0, 0.3, 0.8),
    ("dspm2018", 1.0, 0.3, 0.8),
    ("sloreta", 1.0, 0.3, 0.8),
]


@pytest.fixture(scope="module")
def study(sample_dir):
    return mb.load_study(sample_dir / "data" / "Subject01" / "evoked")


def heard_by(browser, page, width, steps):
    """Load the page, move the controls and return what it says after each step."""
    text = page.read_text(encoding="utf-8")
    moves = MOVES.replace("MOVES_HERE", json.dumps(steps))
    text = text.replace("<head>", "<head>" + ERRORS, 1).replace("</body>", moves + "</body>", 1)
    page.write_text(text, encoding="utf-8")
    return heard_in(browser, page, width, budget=20000)


@pytest.mark.slow
@pytest.mark.parametrize("width", [1280, 500])
def test_numbers_are_those_of_the_package(browser, study, tmp_path, width):
    truth = [Truth(name="a source", time=float(study.recordings.time[60]), vertex=4)]
    page = write_explorer(tmp_path / "page.html", study, data_types="MEG", truth=truth)
    heard = heard_by(browser, page, width, STEPS)
    assert heard["errors"] == []
    assert heard["requests"] == []
    assert heard["toowide"] <= 0
    assert heard["labels"]
    assert min(heard["drawn"]) > 3  # colours in each picture
    positions = 1e3 * study.cortex.vertices
    for said, (measure, snr, reg, exponent) in zip(heard["numbers"], OPTIONS, strict=True):
        result = mb.compute_kernel(
            study.head_model,
            study.noise_cov,
            study.channels,
            channel_flag=study.recordings.channel_flag,
            data_types="MEG",
            options=mb.InverseOptions(
                measure=measure, snr_fixed=snr, noise_reg=reg, weight_exp=exponent
            ),
        )
        estimate = result.apply(study.recordings.f)[:, 60]
        peak, rank = int(np.abs(estimate).argmax()), sum(result.ranks.values())
        kept = result.lambda_ * result.s2 / (result.lambda_ * result.s2 + 1)
        assert said["peakLocation"] == peak + 1
        assert said["rank"] == rank
        expected = {
            "snr": snr,
            "lambda": result.lambda_,
            "lambda2": rank / len(result.s2) / snr**2,
            "kept": kept.sum(),
            "peak": estimate[peak],
            "error": np.linalg.norm(positions[peak] - positions[4]),
        }
        for name, value in expected.items():
            assert said[name] == pytest.approx(value, rel=RTOL, abs=0), (measure, name)
        assert said["here"] == pytest.approx(estimate[10], abs=RTOL * abs(estimate[peak]))


def test_command_line_writes_a_page_and_keeps_what_is_there(sample_dir, tmp_path, capsys):
    from mne_bstinv.cli import main

    target = tmp_path / "page.html"
    condition = str(sample_dir / "data" / "Subject01" / "evoked")
    assert main(["explore", condition, "--out", str(target)]) == 0
    assert capsys.readouterr().out.strip() == str(target)
    text = target.read_text(encoding="utf-8")
    assert "{{" not in text.split("<script type")[0]
    assert main(["explore", condition, "--out", str(target)]) == 2
    assert "exists" in capsys.readouterr().err
    assert target.read_text(encoding="utf-8") == text
    assert [file.name for file in tmp_path.iterdir()] == ["page.html"]


def test_bad_targets_and_volumes_are_refused(study, tmp_path, data_dir):
    with pytest.raises(OptionError, match=r"ends in \.html"):
        write_explorer(tmp_path / "page.txt", study)
    with pytest.raises(MissingFileError, match=r"none: no such folder\. Make it"):
        write_explorer(tmp_path / "none" / "page.html", study)
    (tmp_path / "page.html").touch()
    with pytest.raises(OverwriteError):
        write_explorer(tmp_path / "page.html", study)
    volume = mb.load_study(data_dir / "eeg_volume")
    with pytest.raises(SchemaError, match="surface head model"):
        write_explorer(tmp_path / "other.html", volume)
