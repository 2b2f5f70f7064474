"""Locks end with their process, and what it left behind is found."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from mne_bstinv.port.locks import locked, remove_left_over, staging

CHILD = """
import sys, time
from pathlib import Path
from mne_bstinv.port.locks import staging
with staging(Path(sys.argv[1])) as folder:
    (folder / "half").write_text("x")
    print(folder, flush=True)
    time.sleep(60)
"""


@pytest.fixture
def child(tmp_path):
    """A process that works in a staging folder until it is killed."""
    process = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    process.stdout.readline()
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_a_staging_folder_is_gone_afterwards(tmp_path):
    with staging(tmp_path) as folder:
        assert folder.is_relative_to(tmp_path / ".port")
        (folder / "x").write_text("x")
        assert remove_left_over(tmp_path) == 0  # it is in use
        assert folder.is_dir()
    assert list((tmp_path / ".port").iterdir()) == []
    with pytest.raises(ZeroDivisionError), staging(tmp_path) as folder:
        _ = 1 / 0
    assert not folder.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
def test_a_staging_folder_of_a_dead_process_is_removed(tmp_path, child):
    (folder,) = (path for path in (tmp_path / ".port").iterdir() if path.is_dir())
    assert remove_left_over(tmp_path) == 0
    assert (folder / "half").exists()
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    assert remove_left_over(tmp_path) == 1
    assert list((tmp_path / ".port").iterdir()) == []


def test_a_lock_is_waited_for(tmp_path):
    file = tmp_path / "x.lock"
    code = (
        "import sys, time; from pathlib import Path; from mne_bstinv.port.locks import locked\n"
        "with locked(Path(sys.argv[1])): print('held', flush=True); time.sleep(0.5)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(file)], stdout=subprocess.PIPE, text=True
    ) as process:
        process.stdout.readline()
        start = time.monotonic()
        with locked(file):
            assert time.monotonic() - start > 0.2
