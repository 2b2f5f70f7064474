"""What Brainstorm's processes made, with their inputs: read by the manifests of the protocols."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.io import loadmat

from mne_bstinv import io

DATA = Path(__file__).parents[1] / "data"


@dataclass(frozen=True)
class Case:
    """One run of a process."""

    protocol: Path
    more: Path | None
    tag: str
    function: str
    options: dict[str, Any]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]

    def file(self, name: str, part: str = "data") -> Path:
        """A file of the protocol; those too large for the repository are beside it, or skipped."""
        for root in filter(None, (self.protocol, self.more)):
            if (root / part / name).is_file():
                return root / part / name
        pytest.skip(f"{name} is not part of the repository: set MNE_BSTINV_TEST_DATA")

    def mat(self, name: str) -> dict[str, Any]:
        return loadmat(self.file(name), simplify_cells=True)

    def output(self, index: int = 0) -> dict[str, Any]:
        return self.mat(self.outputs[index])

    def recordings(self, name: str) -> io.Recordings:
        return io.read_recordings(self.file(name))

    def surface(self, results: io.Results) -> io.Surface:
        return io.read_surface(self.file(results.surface_file, "anat"))

    def estimates(self, name: str) -> tuple[io.Results, np.ndarray, io.Recordings | None]:
        """Results, their values (a kernel times its recordings), and the recordings."""
        if name.startswith("link|"):
            _, kernel, data = name.split("|")
            results = io.read_results(self.file(kernel))
        else:
            results = io.read_results(self.file(name))
            data = results.data_file
        recordings = None if data is None else self.recordings(data)
        if results.is_kernel:
            return (
                results,
                results.imaging_kernel @ recordings.f[results.good_channel - 1],
                recordings,
            )
        return results, results.amplitudes, recordings

    @cached_property
    def window(self) -> dict[str, Any]:
        """The arguments of principal components."""
        edit = self.options.get("pcaedit")
        if edit is None:
            return {}
        return {
            "window": edit["DataTimeWindow"],
            "baseline": edit["Baseline"],
            "remove_dc": edit["RemoveDcOffset"] == "file",
        }


def cases(name: str) -> list[Case]:
    """All runs of a protocol that gave something."""
    shared = os.environ.get("MNE_BSTINV_TEST_DATA")
    more = Path(shared) / "oracle" / "public" / name if shared else None
    facts = json.loads((DATA / name / "manifest.json").read_text("utf-8"))["facts"]
    return [
        Case(
            protocol=DATA / name,
            more=more,
            tag=post["tag"],
            function=post["function"],
            options=post.get("options", {}),
            inputs=tuple(post["inputs"]),
            outputs=tuple(post["outputs"]),
        )
        for post in facts["post"]
        if post["outputs"]
    ]


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "processes(protocol, *functions): runs to test with")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give ``case`` to tests that are marked with ``processes(protocol, *functions)``."""
    marker = metafunc.definition.get_closest_marker("processes")
    if marker is None:
        return
    protocol, *functions = marker.args
    chosen = [case for case in cases(protocol) if case.function in functions]
    assert chosen
    metafunc.parametrize("case", chosen, ids=[case.tag for case in chosen])


def largest_difference(found: np.ndarray, stored: np.ndarray) -> float:
    """The largest difference, relative to the largest stored value."""
    stored = np.atleast_2d(stored)
    assert found.shape == stored.shape
    return float(np.abs(found - stored).max() / np.abs(stored).max())


@pytest.fixture(scope="session")
def difference():
    """The largest difference of two arrays, relative to the second."""
    return largest_difference
