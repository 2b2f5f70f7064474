"""Damaged files of every kind and version: an error of the package, or a value.

Bounded to half a second for each sort; ``pytest tests/fuzz --fuzz 10000`` makes so many damages of
each sort, ``--fuzz-seed WORD`` others. A run can be repeated: damage ``i`` of a sort depends on
nothing else.
"""

from __future__ import annotations

import os
import random
import time
from pathlib import Path

import pytest
import scipy.io
from child_reader import ChildReader, Outcome
from helpers_mat73 import twin_73
from io_helpers import KINDS
from mutations import flipped, mutated, mutated_inside, redirected

pytestmark = pytest.mark.slow

#: Seconds for each sort of damage, unless their number is asked for.
SECONDS = 0.5
#: Damages of each sort, however slow the machine.
LEAST = 5

#: Bytes that a child may take beyond four times the file: what HDF5 and zlib keep.
SLACK = 30_000_000

DAMAGES = {
    "v6": lambda data, rng: mutated(data, rng, 128),
    "v6 whole": mutated,
    "v7": mutated,
    "v7 inside": mutated_inside,
    "v7 one bit": flipped,
    "v73": mutated,
    "v73 addresses": redirected,
}


@pytest.fixture(scope="module")
def sources(data_dir, tmp_path_factory) -> dict[str, list[tuple[str, Path]]]:
    """Reader and file, by version: the smallest file of each kind."""
    folder = tmp_path_factory.mktemp("sources")
    found: dict[str, list[tuple[str, Path]]] = {"v6": [], "v7": [], "v73": []}
    for start, reader in KINDS.items():
        files = data_dir.glob(f"*/*/**/{start}*.mat")
        file = min(files, key=lambda file: file.stat().st_size, default=None)
        if file is None:
            continue
        content = scipy.io.loadmat(file)
        content = {name: value for name, value in content.items() if not name.startswith("__")}
        for version in found:
            target = folder / f"{start}_{version}.mat"
            if version == "v73":
                twin_73(file, target)
            else:
                scipy.io.savemat(
                    target, content, do_compression=version == "v7", long_field_names=True
                )
            found[version].append((reader, target))
    return found


@pytest.fixture(scope="module")
def child():
    with ChildReader(limit=30) as reader:
        yield reader


def complaint(outcome: Outcome, intact: Outcome, data: bytes, damage: str) -> str:
    """Say what is wrong with the outcome; nothing if all is right."""
    if outcome.state not in ("read", "own error"):
        return f"{outcome.state}: {outcome.message}"
    if outcome.memory > 4 * max(len(data), intact.memory) + SLACK:
        return f"{outcome.memory / 1e6:.0f} MB"
    # each compressed variable has a checksum: one bit cannot change a value unnoticed
    if damage == "v7 one bit" and outcome.state == "read" and outcome.digest != intact.digest:
        return "another value"
    return ""


@pytest.mark.skipif(os.name == "nt", reason="waiting for a pipe needs POSIX")
@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_files(sources, child, tmp_path, fuzz, fuzz_seed, damage):
    files = sources[damage.split()[0]]
    complaints = []
    intact = {file: child.read(reader, file) for reader, file in files}
    assert {outcome.state for outcome in intact.values()} == {"read"}
    end = time.monotonic() + SECONDS
    for index in range(fuzz or 10**6):
        if not fuzz and index >= LEAST and time.monotonic() > end:
            break
        rng = random.Random(f"{damage} {index}{fuzz_seed}")
        reader, source = rng.choice(files)
        data = DAMAGES[damage](source.read_bytes(), rng)
        file = tmp_path / f"{source.stem}_{index}.mat"
        file.write_bytes(data)
        complain = complaint(child.read(reader, file), intact[source], data, damage)
        if complain:
            complaints.append(f"damage {index} of {source.name}: {complain}")
        else:
            file.unlink()
    assert complaints == []
