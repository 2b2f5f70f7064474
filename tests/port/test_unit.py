"""What a unit notes of its run."""

from __future__ import annotations

import subprocess
import sys

import pytest

from mne_bstinv.port.unit import _peak_memory


@pytest.mark.skipif(sys.platform != "linux", reason="getrusage inherits the peak in Linux")
def test_the_peak_memory_is_that_of_this_process_alone():
    """Not that of the process that started it, which ports in workers would be told to have."""
    code = "from mne_bstinv.port.unit import _peak_memory; print(_peak_memory())"
    large = bytearray(b"x") * 2**28  # on top of what the tests have
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout) < len(large) < _peak_memory()
