"""Port a protocol and print, as JSON, its time and that of its reading and writing alone.

Used by ``port.py``. Reading is what the readers of :mod:`mne_bstinv.io` take for each input once,
right after the port; writing is what MNE's writers take, to disk is the system's fsync, both inside
the port. So all sides see the same caches.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mne

import mne_bstinv.adapters as adapters
from mne_bstinv import io, port_protocol
from mne_bstinv.adapters import _files, files
from mne_bstinv.port import manifest, outputs, unit

spent: Counter[str] = Counter()

READERS = {
    "data": io.read_recordings,
    "results": io.read_results,
    "channel": io.read_channels,
    "headmodel": io.read_head_model,
    "noisecov": io.read_noise_cov,
    "ndatacov": io.read_noise_cov,
    "subjectimage": io.read_mri,
    **dict.fromkeys(("cortex", "scalp", "innerskull", "outerskull", "tess"), io.read_surface),
}


def timed(function: Callable[..., Any], key: str) -> Callable[..., Any]:
    """Add the time of each call to ``spent``."""

    def call(*args: Any, **kwargs: Any) -> Any:
        start = time.perf_counter()
        try:
            return function(*args, **kwargs)
        finally:
            spent[key] += time.perf_counter() - start

    call.__name__ = function.__name__
    return call


def read_inputs(protocol: Path, out: Path) -> None:
    """Read what the port has read: the index of the protocol, and each input of its manifests."""
    start = time.perf_counter()
    io.read_protocol(protocol)
    inputs: set[str] = set()
    for file in out.rglob("*/port.json"):
        inputs.update(json.loads(file.read_text())["inputs"])
    for name in inputs:
        READERS[io.file_kind(name)](protocol / name)
    spent["read"] = time.perf_counter() - start


def main() -> None:
    """Measure."""
    protocol, out = map(Path, sys.argv[1:])
    mne.set_log_level("ERROR")
    # imports, and what MNE makes at its first use, belong to neither side
    port_protocol(protocol, out, estimates="none")
    unit._STORE.clear()
    for kind, writer in list(files._WRITERS.items()):
        files._WRITERS[kind] = timed(writer, "write")
    adapters.anatomy.write_all = timed(_files.write_all, "write")
    manifest._sync = timed(manifest._sync, "sync")
    for module in (manifest, outputs, unit):
        module.hash_file = timed(module.hash_file, "hashes")
    adapters.to_inverse_operator = timed(adapters.to_inverse_operator, "operators")
    adapters.to_forward = timed(adapters.to_forward, "forwards")
    start = time.perf_counter()
    port_protocol(protocol, out / "timed")
    seconds = time.perf_counter() - start
    read_inputs(protocol, out / "timed")
    names = ("read", "write", "sync", "hashes", "operators", "forwards")
    peak = unit._peak_memory()
    print(json.dumps({"port": seconds, "peak": peak, **{name: spent[name] for name in names}}))


if __name__ == "__main__":
    main()
