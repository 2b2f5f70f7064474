"""Fixtures of all tests: where the test data are."""

from __future__ import annotations

import os
import signal
from pathlib import Path

# Small matrices: threads of the linear algebra cost more than they bring, and two test runs on one
# machine would wait for each other's. To be set before NumPy is imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import pytest
from chromium import NAMES, find_browser
from small_sample import SMALL_SAMPLE


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--fuzz", type=int, default=0, metavar="N",
        help="damage N files of each sort in tests/fuzz (default: what takes some 10 seconds)",
    )  # fmt: skip
    parser.addoption("--fuzz-seed", default="", metavar="WORD", help="other damages in tests/fuzz")


@pytest.fixture(scope="session", autouse=True)
def interruptible() -> None:
    """Let Ctrl-C interrupt, which is ignored where a shell started the tests in the background."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def fuzz(request: pytest.FixtureRequest) -> int:
    """How many files to damage of each sort; 0 for a few."""
    return request.config.getoption("--fuzz")


@pytest.fixture(scope="session")
def fuzz_seed(request: pytest.FixtureRequest) -> str:
    """What the damages depend on beside their number; empty for the usual ones."""
    return request.config.getoption("--fuzz-seed")


@pytest.fixture(scope="session")
def browser() -> str:
    """The program of a browser."""
    return find_browser() or pytest.skip(f"there is no Chromium ({', '.join(NAMES)}) here")


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Protocols that are part of the repository."""
    return Path(__file__).parent / "data"


@pytest.fixture(scope="session")
def sample_dir() -> Path:
    """The small sample study."""
    return SMALL_SAMPLE


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """Third-party files, which the repository does not hold."""
    folder = os.environ.get("MNE_BSTINV_TEST_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("MNE_BSTINV_TEST_DATA does not name a folder with third-party test data")
    return Path(folder)
