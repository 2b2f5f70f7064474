"""Damaged files through whole commands: an error of the package that names them, or a success.

A few of each sort unless ``--fuzz N`` asks for more: a command takes a second.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from child_reader import ChildReader, Outcome
from mutations import mutated
from small_sample import SMALL_SAMPLE, write_small_sample

from mne_bstinv.port import port_protocol

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name == "nt", reason="waiting for a pipe needs POSIX"),
]

#: Damages of each sort, unless their number is asked for.
USUAL = 2

#: What is put in the place of a value of a manifest.
VALUES = (None, 0, -1, 1e400, "", "x", "../../x", "/etc/passwd", [], {}, [[]], {"": {}}, "\ud800",
          10**30)  # fmt: skip


@pytest.fixture(scope="module")
def child() -> Iterator[ChildReader]:
    with ChildReader(limit=120) as reader:
        yield reader


@pytest.fixture(scope="module")
def fif(tmp_path_factory) -> list[tuple[Path, str]]:
    """Files of MNE, each with the kind of file that it is converted to."""
    folder = tmp_path_factory.mktemp("fif")
    write_small_sample(folder)
    kinds = {"s-ave.fif": "data_x.mat", "s-fwd.fif": "headmodel_x.mat", "s-cov.fif": "noisecov.mat"}
    return [(folder / name, target) for name, target in kinds.items()]


@pytest.fixture(scope="module")
def zipped(data_dir, tmp_path_factory) -> bytes:
    file = tmp_path_factory.mktemp("zip") / "p.zip"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted((data_dir / "eeg_shared").rglob("*.mat")):
            archive.write(path, path.relative_to(data_dir))
    return file.read_bytes()


@pytest.fixture(scope="module")
def ported(data_dir, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("ported") / "out"
    assert port_protocol(data_dir / "eeg_shared", out, estimates="none").success
    return out


def altered(value: object, rng: random.Random) -> object:
    """Return the content of a JSON file with one value replaced, removed or moved."""
    if not isinstance(value, dict | list) or not value or rng.random() < 0.1:
        return rng.choice(VALUES)
    keys = list(value) if isinstance(value, dict) else list(range(len(value)))
    key = rng.choice(keys)
    copy = value.copy()
    if rng.random() < 0.15:
        del copy[key]
    elif isinstance(copy, dict) and rng.random() < 0.15:
        copy[rng.choice(["", "../x", "/etc/passwd", "\ud800", "x" * 300])] = copy.pop(key)
    else:
        copy[key] = altered(copy[key], rng)
    return copy


def damaged_fif(child, fif, zipped, ported, tmp_path, rng) -> Outcome:
    source, target = rng.choice(fif)
    file = tmp_path / source.name
    file.write_bytes(mutated(source.read_bytes(), rng))
    channels = next(SMALL_SAMPLE.rglob("channel*.mat"))
    target = tmp_path / target
    return child.run("convert", file, target, "--channels", channels, "--overwrite")


def damaged_archive(child, fif, zipped, ported, tmp_path, rng) -> Outcome:
    file = tmp_path / "p.zip"
    start = rng.choice([0, max(0, len(zipped) - 3000)])  # the directory is at the end
    file.write_bytes(mutated(zipped, rng, start))
    shutil.rmtree(tmp_path / "out", ignore_errors=True)
    return child.run("port", file, tmp_path / "out", "--estimates", "none")


def damaged_manifest(child, fif, zipped, ported, tmp_path, rng) -> Outcome:
    out = tmp_path / "out"
    if not out.exists():
        shutil.copytree(ported, out)
    file = rng.choice(sorted(out.rglob("port.json")))
    if rng.random() < 0.3:
        file.write_bytes(mutated(file.read_bytes(), rng))
    else:
        content = altered(json.loads((ported / file.relative_to(out)).read_text("utf-8")), rng)
        file.write_text(json.dumps(content), "utf-8")
    outcome = child.run("port", SMALL_SAMPLE.parent / "eeg_shared", out, "--estimates", "none")
    if outcome.state != "read":
        shutil.rmtree(out)
    return outcome


def damaged_protocol(child, fif, zipped, ported, tmp_path, rng) -> Outcome:
    root = tmp_path / "eeg_shared"
    if not root.exists():
        shutil.copytree(SMALL_SAMPLE.parent / "eeg_shared", root)
    file = rng.choice(sorted(root.rglob("*.mat")))
    intact = file.read_bytes()
    file.write_bytes(mutated(intact, rng))
    outcome = child.run(rng.choice(["info", "verify"]), root)
    file.write_bytes(intact)
    return outcome


DAMAGES = [damaged_fif, damaged_archive, damaged_manifest, damaged_protocol]


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_files_in_commands(child, fif, zipped, ported, tmp_path, fuzz, fuzz_seed, damage):
    victim = tmp_path.parent / "x"  # what manifests name outside
    victim.write_text("mine")
    complaints = []
    for index in range(fuzz or USUAL):
        rng = random.Random(f"{damage.__name__} {index}{fuzz_seed}")
        outcome = damage(child, fif, zipped, ported, tmp_path, rng)
        if outcome.state not in ("read", "own error") or "Traceback" in outcome.message:
            complaints.append(f"{index}: {outcome.state}: {outcome.message[-300:]}")
        elif outcome.state == "own error" and not outcome.message.strip():
            complaints.append(f"{index}: an error without words")
    assert complaints == []
    assert victim.read_text() == "mine"
